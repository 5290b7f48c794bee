"""The names of actions and observations, as they are told to people."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from aixi_approx.display.words import word


class Vocabulary(NamedTuple):
    """What an agent does and sees, by name.

    Attributes
    ----------
    actions, observations : sequence
        The names, as an environment declares them. Where there is none, the number is told.
    """

    actions: Sequence[Hashable] = ()
    observations: Sequence[Hashable] = ()

    def action(self, number: int) -> str:
        """Return an action in words.

        >>> Vocabulary(actions=("listen", "open left")).action(1), Vocabulary().action(1)
        ('open left', 'action 1')
        """
        return _named("action", self.actions, number)

    def observation(self, number: int) -> str:
        """Return an observation in words; a model may expect codes that belong to none."""
        return _named("observation", self.observations, number)


def _named(what: str, names: Sequence[Hashable], number: int) -> str:
    """A name; that of what has none, or is called by a number, says what it is."""
    name = word(names[number]) if number < len(names) else str(number)
    return f"{what} {name}" if name.isdecimal() else name

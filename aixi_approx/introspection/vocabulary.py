"""The names of actions and observations, as they are told to people."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple


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
        return word(self.actions[number]) if number < len(self.actions) else f"action {number}"

    def observation(self, number: int) -> str:
        """Return an observation in words; a model may expect codes that belong to none."""
        return word(self.observations[number]) if number < len(self.observations) else f"observation {number}"


def word(name: Hashable) -> str:
    """Return the name of a state, action or observation for people.

    >>> word("left"), word(("king", "bet")), word((0, "key")), word((1, 2)), word(7)
    ('left', 'king bet', '0 key', '(1, 2)', '7')
    """
    if isinstance(name, tuple) and {type(part) for part in name} in ({str}, {str, int}):
        return " ".join(map(str, name))
    return str(name)

"""Contexts as people say them: "the last two observations were left, and the action is listen"."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from aixi_approx.display.words import word
from aixi_approx.environment import Environment
from aixi_approx.introspection.contexts import ACTION, REWARD, Part, counted, widths

ALWAYS = "always"
NAMED = 4  # codes of a set that are listed; more are counted


class Phrases:
    """The names of what an environment shows and does.

    Parameters
    ----------
    environment : Environment
        That of the agent.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment, self._coding = environment, environment.coding

    def name(self, field: str, code: int) -> str:
        """Return the name of a code. Names come from the environment: escape them where they are shown."""
        if field == REWARD:
            return f"{self._coding.reward(code):g}"
        names = self._environment.actions if field == ACTION else self._environment.observations
        return word(names[code]) if code < len(names) else f"{code}"

    def context(self, codes: Mapping[Part, frozenset[int]], *, seen: Callable[[str], Collection[int]]) -> str:
        """Return the codes that parts of the past have as a condition: "the last two observations were left".

        Parameters
        ----------
        codes : mapping
            For each part, those that it can have, of those that were seen; "always" if there are none.
        seen : callable
            Returns the codes of a field that were seen.
        """
        said, order = list[str](), list(widths(self._coding))
        left = dict(sorted(codes.items(), key=lambda item: (item[0].lag, order.index(item[0].field))))
        while left:
            part = next(iter(left))
            those = left.pop(part)
            last = part.lag
            while part.lag == 1 and len(those) == 1 and left.get(Part(last + 1, part.field)) == those:
                last += 1
                del left[Part(last, part.field)]
            if last > part.lag:
                said.append(f"the last {counted(last)} {part.field}s were {self.name(part.field, *those)}")
            else:
                said.append(self._says(part, those, seen(part.field)))
        return joined_by("and", said) if said else ALWAYS

    def _says(self, part: Part, codes: frozenset[int], seen: Collection[int]) -> str:
        """That a part has one of some codes."""
        be = "was" if part.lag else "is"
        if not codes:
            return f"{counted(part.lag)} cycle{'s' * (part.lag != 1)} ago there was nothing yet"
        others = sorted(set(seen) - codes)
        if len(others) < len(codes) and len(others) <= NAMED:
            value = f"not {self._one_of(part.field, others, 'nor')}"
        elif len(codes) <= NAMED:
            value = self._one_of(part.field, sorted(codes), "or")
        else:
            value = self._many(part.field, sorted(codes), sorted(seen))
        if part.lag < 2:
            return f"{part.in_words().removesuffix(' now')} {be} {value}"
        return f"{counted(part.lag)} cycles ago the {part.field} was {value}"

    def _one_of(self, field: str, codes: list[int], join: str) -> str:
        return joined_by(join, [self.name(field, code) for code in codes])

    def _many(self, field: str, codes: list[int], seen: list[int]) -> str:
        """A set that is too large to be listed: as a range of rewards, or by the bits that its codes have in common."""
        start = seen.index(codes[0])
        if field == REWARD and seen[start : start + len(codes)] == codes:
            low, high = self.name(field, codes[0]), self.name(field, codes[-1])
            at_ends = (codes[0] == seen[0], codes[-1] == seen[-1])
            return {(True, False): f"at most {high}", (False, True): f"at least {low}"}.get(at_ends, f"{low} to {high}")
        width = widths(self._coding)[field]
        equal = ~(functools.reduce(operator.or_, codes) ^ functools.reduce(operator.and_, codes))
        if [code for code in seen if not (code ^ codes[0]) & equal] == codes:
            digits = (str(codes[0] >> bit & 1) if equal >> bit & 1 else "." for bit in reversed(range(width)))
            return f"of the form {''.join(digits)}"
        return f"one of {len(codes):,} ({self._one_of(field, codes[: NAMED - 1], 'or')} ...)"


def parts_listed(parts: Iterable[Part]) -> list[str]:
    """Return parts of the past in words, those that follow each other as one.

    >>> parts_listed([Part(0, "action"), Part(2, "reward"), Part(2, "observation"), Part(1, "observation")])
    ['the action now', 'the reward two cycles ago', 'the last two observations']
    """
    groups: dict[tuple[str, bool], list[int]] = {}
    for part in parts:
        groups.setdefault((part.field, part.lag > 0), []).append(part.lag)
    said = []
    for (field, _), lags in groups.items():
        if len(lags) == 1:
            said.append(Part(lags[0], field).in_words())
        elif sorted(lags) == list(range(1, len(lags) + 1)):
            said.append(f"the last {counted(len(lags))} {field}s")
        else:
            said.append(f"the {field}s {joined_by('and', [f'{lag}' for lag in sorted(lags)])} cycles ago")
    return said


def joined_by(word: str, texts: Sequence[str]) -> str:
    """Return texts as one enumeration.

    >>> joined_by("or", ["a", "b", "c"]), joined_by("and", ["a"])
    ('a, b or c', 'a')
    """
    *first, last = texts
    return f"{', '.join(first)} {word} {last}" if first else last

"""Contexts in words: the bits that a context tree looks at, as actions, observations and rewards of past cycles."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from aixi_approx.coding import Bits, Coding
from aixi_approx.environment import Environment

ACTION, REWARD, OBSERVATION = "action", "reward", "observation"
ORDER = (ACTION, REWARD, OBSERVATION)  # of a cycle
ALWAYS = "always"
NAMED = 4  # codes of a set that are listed; more are counted
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


class Part(NamedTuple):
    """A field of a cycle, seen from the percept that is predicted."""

    lag: int
    """How many cycles ago: 0 for the present one."""
    field: str
    """`action`, `reward` or `observation`."""

    def in_words(self) -> str:
        """Return it as people call it.

        >>> Part(0, "action").in_words(), Part(1, "reward").in_words(), Part(2, "observation").in_words()
        ('the action now', 'the last reward', 'the observation two cycles ago')
        """
        if self.lag < 2:
            return f"the last {self.field}" if self.lag else f"the {self.field} now"
        return f"the {self.field} {counted(self.lag)} cycles ago"


class ContextBit(NamedTuple):
    """A bit of the context in which a percept bit is predicted."""

    part: Part
    bit: int
    """Which of the bits of the part, 0 the highest."""


def widths(coding: Coding) -> dict[str, int]:
    """Return the bits of each field of a cycle, in the order in which they are written."""
    return {ACTION: coding.action_bits, REWARD: coding.reward_bits, OBSERVATION: coding.observation_bits}


def context_bit(coding: Coding, percept_bit: int, *, place: int) -> ContextBit:
    """Return what a bit of context says.

    Parameters
    ----------
    coding : Coding
        The bits of a cycle.
    percept_bit : int
        The bit that is predicted, 0 for the first one of a percept. Those before it are the end of its context.
    place : int
        Which bit of the context, 0 for the last bit before the predicted one.

    Examples
    --------
    >>> coding = Coding(actions=2, action_bits=1, reward_bits=2, observation_bits=1, min_reward=0, max_reward=3)
    >>> context_bit(coding, 0, place=0)     # the first bit of the reward comes after the action
    ContextBit(part=Part(lag=0, field='action'), bit=0)
    >>> context_bit(coding, 2, place=1), context_bit(coding, 2, place=3)
    (ContextBit(part=Part(lag=0, field='reward'), bit=0), ContextBit(part=Part(lag=1, field='observation'), bit=0))
    """
    cycles, index = divmod(coding.action_bits + percept_bit - 1 - place, coding.cycle_bits)
    if index < coding.action_bits:
        return ContextBit(Part(-cycles, ACTION), index)
    index -= coding.action_bits
    if index < coding.reward_bits:
        return ContextBit(Part(-cycles, REWARD), index)
    return ContextBit(Part(-cycles, OBSERVATION), index - coding.reward_bits)


class Past:
    """The cycles of a history, as codes of their fields.

    Parameters
    ----------
    coding : Coding
        The bits of a cycle.
    bits : uint8 array
        The history. A cycle at its end that is not whole is left out.
    reach : int
        Cycles of context before each cycle. Those before the first one read as zeros.

    Attributes
    ----------
    coding : Coding
        The bits of a cycle.
    """

    def __init__(self, coding: Coding, bits: Bits, *, reach: int) -> None:
        self.coding = coding
        whole = len(bits) // coding.cycle_bits
        self._starts, start = {}, 0
        for field, width in widths(coding).items():
            self._starts[field] = start
            start += width
        self._widths = widths(coding)
        self._reach = reach
        self._bits = np.zeros((reach + whole, coding.cycle_bits), np.uint8)
        self._bits[reach:] = bits[: whole * coding.cycle_bits].reshape(whole, coding.cycle_bits)
        self._seen: dict[str, list[int]] = {}

    @property
    def cycles(self) -> int:
        """Number of whole cycles."""
        return len(self._bits) - self._reach

    def column(self, at: ContextBit) -> Bits:
        """Return a bit of the context of each cycle, uint8[cycles]."""
        first = self._reach - at.part.lag
        return self._bits[first : first + self.cycles, self._starts[at.part.field] + at.bit]

    def codes(self, field: str) -> list[int]:
        """Return the codes of a field that were seen, ascending."""
        if field not in self._seen:
            start, width = self._starts[field], self._widths[field]
            packed = np.packbits(self._bits[self._reach :, start : start + width], axis=1)
            rows = np.unique(packed, axis=0).astype(object)
            spare = packed.shape[1] * 8 - width
            self._seen[field] = sorted(int.from_bytes(bytes(map(int, row)), "big") >> spare for row in rows)
        return self._seen[field]

    def codes_with(self, field: str, known: dict[int, int]) -> frozenset[int]:
        """Return the codes of a field that were seen, of those with known bits: bit 0 is the highest."""
        top = self._widths[field] - 1
        return frozenset(
            code for code in self.codes(field) if all(code >> (top - bit) & 1 == value for bit, value in known.items())
        )


class Vocabulary:
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
        names: Sequence[object] = self._environment.actions if field == ACTION else self._environment.observations
        if code >= len(names):
            return f"{code}"
        name = names[code]
        return " ".join(map(str, name)) if isinstance(name, tuple) and str in map(type, name) else str(name)

    def context(self, codes: Mapping[Part, frozenset[int]], *, seen: Callable[[str], Collection[int]]) -> str:
        """Return the codes that parts of the past have as a condition: "the last two observations were left".

        Parameters
        ----------
        codes : mapping
            For each part, those that it can have, of those that were seen; "always" if there are none.
        seen : callable
            Returns the codes of a field that were seen.
        """
        said, left = (
            list[str](),
            dict(sorted(codes.items(), key=lambda item: (item[0].lag, ORDER.index(item[0].field)))),
        )
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


def listed(parts: Iterable[Part]) -> list[str]:
    """Return parts of the past in words, those that follow each other as one.

    >>> listed([Part(0, "action"), Part(2, "reward"), Part(2, "observation"), Part(1, "observation")])
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


def counted(count: int) -> str:
    """Return a number as a word, if it has a short one.

    >>> counted(2), counted(12)
    ('two', '12')
    """
    return NUMBERS[count] if count < len(NUMBERS) else f"{count:,}"

"""Contexts in words: the bits that a context tree looks at, as actions, observations and rewards of past cycles."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aixi_approx.coding import Bits, Coding

ACTION, REWARD, OBSERVATION = "action", "reward", "observation"
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


def counted(count: int) -> str:
    """Return a number as a word, if it has a short one.

    >>> counted(2), counted(12)
    ('two', '12')
    """
    return NUMBERS[count] if count < len(NUMBERS) else f"{count:,}"

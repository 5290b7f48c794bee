"""Gymnasium's spaces as bits: every value of a space is a few small whole numbers, one after the other.

    Discrete, MultiDiscrete, MultiBinary   their numbers, less the first
    Box of whole numbers, 256 or fewer     the same
    any other Box                          each number by the nearest of some points, evenly spaced from end to end
    Tuple, Dict                            their parts, in order

A number with no ends has those that were seen in random play. What lies beyond the ends goes to the end.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from aixi_approx.coding import bits_for

MAX_WHOLE = 256  # of a Box of whole numbers; a larger one is rounded
ENDLESS = 1e9  # ends that far out are none

Limits = Iterable[tuple[float, float]]  # the least and the largest of each number, as seen


@dataclass(frozen=True)
class Number:
    """One number of a space: `count` values from first to last, evenly spaced."""

    first: float
    last: float
    count: int
    rounded: bool = False

    @property
    def step(self) -> float:
        """From one value to the next."""
        return (self.last - self.first) / (self.count - 1) if self.count > 1 else 1.0

    def index(self, value: float) -> int:
        """Return which of the values is the nearest.

        Raises
        ------
        ValueError
            If it is not a number, or has to be one of the values and is not.
        """
        if math.isnan(value):
            raise ValueError("not a number (NaN)")
        if self.rounded:
            return round((min(max(value, self.first), self.last) - self.first) / self.step)
        if not self.first <= value <= self.last or value != int(value):
            raise ValueError(f"{value} does not lie in {self.first:g} to {self.last:g}")
        return int(value - self.first)

    def value(self, index: int) -> float:
        """Return a value by its number."""
        if self.rounded:
            return self.last if index == self.count - 1 else self.first + self.step * index
        return int(self.first) + index


def flat(space: spaces.Space[Any], value: Any) -> Iterator[float]:
    """Yield the numbers of a value, as Gymnasium has it or as `plain` does."""
    if isinstance(space, spaces.Tuple):
        for part, there in zip(space.spaces, value, strict=True):
            yield from flat(part, there)
    elif isinstance(space, spaces.Dict):
        there = dict(value)
        for name, part in space.spaces.items():
            yield from flat(part, there[name])
    else:
        numbers = np.asarray(value)
        if numbers.size != math.prod(space.shape or ()):
            raise ValueError(f"{numbers.size} numbers where {space} has {math.prod(space.shape or ())}")
        yield from numbers.ravel().tolist()


def _rebuild(space: spaces.Space[Any], numbers: Iterator[Any], plain: bool) -> Any:
    """A value from its numbers, which are used up."""
    if isinstance(space, spaces.Tuple):
        return tuple(_rebuild(part, numbers, plain) for part in space.spaces)
    if isinstance(space, spaces.Dict):
        parts = {name: _rebuild(part, numbers, plain) for name, part in space.spaces.items()}
        return tuple(parts.items()) if plain else parts
    shape = space.shape or ()
    taken = tuple(itertools.islice(numbers, math.prod(shape)))
    if plain:
        return taken[0] if isinstance(space, spaces.Discrete) else taken
    if isinstance(space, spaces.Discrete):
        return np.int64(taken[0])
    whole = space.dtype is not None and np.issubdtype(space.dtype, np.integer)
    return np.array([round(x) for x in taken] if whole else taken, dtype=space.dtype).reshape(shape)


def _numbers(space: spaces.Space[Any], bins: int, seen: Iterator[tuple[float, float]]) -> Iterator[Number]:
    """The numbers of a space; `seen` has as many limits, or none."""
    if isinstance(space, spaces.Tuple | spaces.Dict):
        for part in space.spaces if isinstance(space, spaces.Tuple) else space.spaces.values():
            yield from _numbers(part, bins, seen)
    elif isinstance(space, spaces.Box):
        whole = np.issubdtype(space.dtype, np.integer)
        for low, high in zip(_readable(space.low), _readable(space.high), strict=True):
            limits = next(seen, None)
            if whole and high - low < MAX_WHOLE:
                yield Number(low, high, int(high - low) + 1)
                continue
            if low < -ENDLESS or high > ENDLESS:
                if limits is None:
                    raise ValueError(f"a number from {low:g} to {high:g} has no ends")
                low, high = limits
            yield Number(low, high, bins if low < high else 1, rounded=True)
    else:
        for first, count in _ranges(space):
            next(seen, None)
            yield Number(first, first + count - 1, count)


def _ranges(space: spaces.Space[Any]) -> list[tuple[int, int]]:
    """Of each number of a space of whole numbers, the first and how many there are."""
    if isinstance(space, spaces.Discrete):
        return [(int(space.start), int(space.n))]
    if isinstance(space, spaces.MultiDiscrete):
        first = np.broadcast_to(getattr(space, "start", 0), space.nvec.shape)
        return list(zip(first.ravel().tolist(), space.nvec.ravel().tolist(), strict=True))
    if isinstance(space, spaces.MultiBinary):
        return [(0, 2)] * math.prod(space.shape)
    raise ValueError(f"a {type(space).__name__} has no fixed number of bits")


def _readable(ends: np.ndarray[Any, Any]) -> list[float]:
    """The ends of a Box, 0.07 where float32 would make it 0.07000000029802322."""
    return [float(str(end)) if ends.dtype.kind == "f" else int(end) for end in ends.ravel()]


class SpaceCode:
    """The numbers of a space, and each of its values as so many indices.

    Parameters
    ----------
    space
        Of Gymnasium.
    bins
        Values that a number is rounded to, where it is.
    seen
        Limits of each number in random play, for those without ends.

    Raises
    ------
    ValueError
        If the space can't be coded.
    """

    def __init__(self, space: spaces.Space[Any], bins: int = 8, *, seen: Limits = ()) -> None:
        self.space = space
        self.numbers = list(_numbers(space, bins, iter(seen)))

    @property
    def bits(self) -> int:
        """Bits of a value: those of its numbers, one after the other."""
        return sum(bits_for(number.count) for number in self.numbers)

    def indices(self, value: Any) -> list[int]:
        """Return the indices of a value, rounded; raise ValueError if it does not belong to the space."""
        return [number.index(x) for number, x in zip(self.numbers, flat(self.space, value), strict=True)]

    def value(self, indices: Iterable[int]) -> Any:
        """Return a value as Gymnasium has it."""
        return _rebuild(self.space, (n.value(i) for n, i in zip(self.numbers, indices, strict=True)), plain=False)

    def plain(self, indices: Iterable[int]) -> Hashable:
        """Return a value as numbers and tuples; "?12" where index 12 has no number."""
        numbers = (n.value(i) if i < n.count else f"?{i}" for n, i in zip(self.numbers, indices, strict=True))
        return _rebuild(self.space, numbers, plain=True)

    def encode(self, value: Any) -> int:
        """Return a value as one number of so many bits, the first index highest."""
        code = 0
        for number, index in zip(self.numbers, self.indices(value), strict=True):
            code = code << bits_for(number.count) | index
        return code

    def decode(self, code: int) -> list[int]:
        """Return the indices that `encode` wrote."""
        indices = []
        for number in reversed(self.numbers):
            bits = bits_for(number.count)
            indices.append(code & (1 << bits) - 1)
            code >>= bits
        return indices[::-1]

    def __str__(self) -> str:
        """Return what is rounded, in a few words, or nothing."""
        rounded = [(i, number) for i, number in enumerate(self.numbers) if number.rounded]
        texts = [f"number {i} to {n.count} values from {n.first:.3g} to {n.last:.3g}" for i, n in rounded[:4]]
        return ", ".join(texts) + f" and {len(rounded) - 4} more alike" * (len(rounded) > 4)


class Observations(Sequence[tuple[bool, Hashable]]):
    """All observations by number: whether an episode has ended, the highest bit, and a value of a space.

    >>> cells = Observations(SpaceCode(spaces.Discrete(16)))
    >>> len(cells), cells[3], cells.index((True, 3))
    (32, (False, 3), 19)
    """

    def __init__(self, code: SpaceCode) -> None:
        self.code = code

    def __len__(self) -> int:
        return 2 << self.code.bits

    def __getitem__(self, number: Any) -> Any:
        if not 0 <= number < len(self):
            raise IndexError(f"there is no observation {number}, there are 0 to {len(self) - 1}")
        return bool(number >> self.code.bits), self.code.plain(self.code.decode(number))

    def __contains__(self, observation: object) -> bool:
        try:
            return self[self.index(observation)] == observation
        except (TypeError, ValueError, KeyError):
            return False

    def index(self, observation: Any, *_: int) -> int:
        """Return the number of an observation."""
        ended, value = observation
        return bool(ended) << self.code.bits | self.code.encode(value)

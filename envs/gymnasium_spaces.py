"""Gymnasium spaces as bits: every value of a space is a sequence of small non-negative integers.

    Discrete, MultiDiscrete, MultiBinary   their numbers, less the first
    Box of integers, 256 values or fewer   the same
    any other Box                          each number rounded to the nearest of several evenly spaced points
    Tuple, Dict                            their parts, in order

An unbounded number takes the bounds that were seen in random play. Values beyond the bounds are clipped.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from aixi_approx.coding import bits_for

MAX_WHOLE = 256  # values of a number in a Box of integers; with more, it is rounded
ENDLESS = 1e9  # bounds beyond this count as none

Limits = Iterable[tuple[float, float]]  # the smallest and the largest value seen of each number


@dataclass(frozen=True)
class Number:
    """One number of a space: `count` evenly spaced values from `first` to `last`."""

    first: float
    last: float
    count: int
    rounded: bool = False

    @property
    def step(self) -> float:
        """The distance between neighbouring values."""
        return (self.last - self.first) / (self.count - 1) if self.count > 1 else 1.0

    def index(self, value: float) -> int:
        """Return the index of the nearest value.

        Raises
        ------
        ValueError
            If the value is NaN, or if the number is not rounded and this is not one of its values.
        """
        if math.isnan(value):
            raise ValueError("not a number (NaN)")
        if self.rounded:
            return round((min(max(value, self.first), self.last) - self.first) / self.step)
        if not self.first <= value <= self.last or value != int(value):
            raise ValueError(f"{value} does not lie in {self.first:g} to {self.last:g}")
        return int(value - self.first)

    def value(self, index: int) -> float:
        """Return the value with an index."""
        if self.rounded:
            return self.last if index == self.count - 1 else self.first + self.step * index
        return int(self.first) + index


def flat(space: spaces.Space[Any], value: Any) -> Iterator[float]:
    """Yield the numbers of a value, given as Gymnasium or as `plain` represents it."""
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
    """Build a value from its numbers, which are consumed."""
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


def _numbers(
    space: spaces.Space[Any], bins: int, seen: Iterator[tuple[float, float]], name: str = ""
) -> Iterator[Number]:
    """Yield the numbers of a space, which has this name; `seen` has limits for each of them, or is empty."""
    if isinstance(space, spaces.Tuple):
        for part in space.spaces:
            yield from _numbers(part, bins, seen, name)
    elif isinstance(space, spaces.Dict):
        for own, part in space.spaces.items():
            yield from _numbers(part, bins, seen, own)
    elif isinstance(space, spaces.Box):
        whole = np.issubdtype(space.dtype, np.integer)
        for low, high in zip(_readable(space.low), _readable(space.high), strict=True):
            limits = next(seen, None)
            if whole and high - low < MAX_WHOLE:
                yield Number(low, high, int(high - low) + 1)
                continue
            if low < -ENDLESS or high > ENDLESS:
                if limits is None:
                    raise ValueError(f"a number from {low:g} to {high:g} has no bounds")
                low, high = limits
            yield Number(low, high, bins if low < high else 1, rounded=True)
    else:
        for first, count in _ranges(space, name):
            next(seen, None)
            yield Number(first, first + count - 1, count)


def without(space: spaces.Space[Any], names: Collection[str]) -> spaces.Space[Any]:
    """Return a space without the parts of these names, in whatever Dict they are.

    Raises
    ------
    ValueError
        If there is no part of some name.
    """
    known = set(_parts(space))
    for name in names:
        if name not in known:
            there = f"its observations have {', '.join(sorted(known))}" if known else "its observations have no names"
            raise ValueError(f"without={name}: there is no such part: {there}")
    return _left(space, names)


def _parts(space: spaces.Space[Any]) -> Iterator[str]:
    """The names of the parts of a space, and of their parts."""
    named = space.spaces.items() if isinstance(space, spaces.Dict) else ()
    yield from (name for name, _ in named)
    for part in space.spaces if isinstance(space, spaces.Tuple) else (part for _, part in named):
        yield from _parts(part)


def _left(space: spaces.Space[Any], names: Collection[str]) -> spaces.Space[Any]:
    if isinstance(space, spaces.Dict):
        return spaces.Dict({name: _left(part, names) for name, part in space.spaces.items() if name not in names})
    if isinstance(space, spaces.Tuple):
        return spaces.Tuple([_left(part, names) for part in space.spaces])
    return space


def _ranges(space: spaces.Space[Any], name: str) -> list[tuple[int, int]]:
    """Return the first value and the count of each number of a space of integers."""
    if isinstance(space, spaces.Discrete):
        return [(int(space.start), int(space.n))]
    if isinstance(space, spaces.MultiDiscrete):
        first = np.broadcast_to(getattr(space, "start", 0), space.nvec.shape)
        return list(zip(first.ravel().tolist(), space.nvec.ravel().tolist(), strict=True))
    if isinstance(space, spaces.MultiBinary):
        return [(0, 2)] * math.prod(space.shape)
    mend = f": leave it out by without={name}" if name else ""
    raise ValueError(f"a {type(space).__name__} has no fixed number of bits{mend}")


def _readable(ends: np.ndarray[Any, Any]) -> list[float]:
    """Return the bounds of a Box, with 0.07 where float32 would give 0.07000000029802322."""
    return [float(str(end)) if ends.dtype.kind == "f" else int(end) for end in ends.ravel()]


class SpaceCode:
    """A code for the values of a space: one index for each of its numbers.

    Parameters
    ----------
    space : gymnasium.Space
        The space.
    bins : int, default: 8
        Number of values that a number is rounded to, if it has to be rounded.
    seen : iterable of (float, float), default: ()
        Limits of each number in random play, used where the space has none.

    Raises
    ------
    ValueError
        If the space cannot be coded.
    """

    def __init__(self, space: spaces.Space[Any], bins: int = 8, *, seen: Limits = ()) -> None:
        self.space = space
        self.numbers = list(_numbers(space, bins, iter(seen)))

    @property
    def bits(self) -> int:
        """Number of bits of a value: those of its numbers, one after another."""
        return sum(bits_for(number.count) for number in self.numbers)

    def indices(self, value: Any) -> list[int]:
        """Return the indices of a value, rounded; raise ValueError if it does not belong to the space."""
        return [number.index(x) for number, x in zip(self.numbers, flat(self.space, value), strict=True)]

    def value(self, indices: Iterable[int]) -> Any:
        """Return a value as Gymnasium represents it."""
        return _rebuild(self.space, (n.value(i) for n, i in zip(self.numbers, indices, strict=True)), plain=False)

    def plain(self, indices: Iterable[int]) -> Hashable:
        """Return a value as numbers and tuples, with "?12" for an index 12 that stands for no value."""
        numbers = (n.value(i) if i < n.count else f"?{i}" for n, i in zip(self.numbers, indices, strict=True))
        return _rebuild(self.space, numbers, plain=True)

    def encode(self, value: Any) -> int:
        """Return a value as one integer of `bits` bits, the first index highest."""
        code = 0
        for number, index in zip(self.numbers, self.indices(value), strict=True):
            code = code << bits_for(number.count) | index
        return code

    def decode(self, code: int) -> list[int]:
        """Return the indices that `encode` has written."""
        indices = []
        for number in reversed(self.numbers):
            bits = bits_for(number.count)
            indices.append(code & (1 << bits) - 1)
            code >>= bits
        return indices[::-1]

    def __str__(self) -> str:
        """Return a short description of what is rounded, or an empty string."""
        rounded = [(i, number) for i, number in enumerate(self.numbers) if number.rounded]
        texts = [f"number {i} to {n.count} values from {n.first:.3g} to {n.last:.3g}" for i, n in rounded[:4]]
        return ", ".join(texts) + f" and {len(rounded) - 4} more alike" * (len(rounded) > 4)


class Observations(Sequence[tuple[bool, Hashable]]):
    """All observations by number: whether an episode has ended, in the highest bit, and a value of a space.

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

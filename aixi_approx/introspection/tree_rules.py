"""Rules of a field: what the context trees of its bits say together, "when ... then ...", the most telling first.

The trees of all bits of a field are gone through at once. Where one of them looks at a bit of the past, the cycles in
the history are divided by it; where it looks at an earlier bit of the same field, both values are gone into, each with
its probability. So a rule is a context that the trees tell from all others, with the probabilities of the values of the
field there. What only lies between the parts that matter is left out, and rules that say nearly the same and differ in
one thing only become one.
"""

from __future__ import annotations

import functools
import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import count
from math import log2
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx.introspection.contexts import ContextBit, Part, Past, context_bit

if TYPE_CHECKING:
    from aixi_approx.predictors.context_tree import BestNodes

NEGLIGIBLE = 0.01  # probability below which values of a field are not gone into; a person reads two digits
ALIKE = 0.05  # distance in total variation of predictions that people would give the same words
MOST_CONTEXTS = 64  # that are compared with each other: several times as many as anybody reads
MOST_DIVISIONS = 2_000  # of the cycles on the way to these: they take less than a second

Known = dict[Part, dict[int, int]]  # values of the known bits of each part


class Situation(NamedTuple):
    """Contexts of the same prediction.

    Attributes
    ----------
    codes : dict
        For each part of the past that matters, the codes that it can have; all others may be anything.
    cycles : int
        How many cycles of the history had such a context.
    chances : dict
        Probabilities of the codes that are predicted; what is missing to 1 are negligible ones.
    """

    codes: dict[Part, frozenset[int]]
    cycles: int
    chances: dict[int, float]


class _Group(NamedTuple):
    """Cycles whose contexts agree so far, and what is still to be gone through."""

    rows: NDArray[np.int64]
    known: Known
    pending: list[tuple[int, int, float, int]]  # bit of the field, value of those before it, its probability, node
    chances: dict[int, float]


class FieldTrees:
    """The best trees of the bits of a field, to be gone through together.

    Parameters
    ----------
    nodes : BestNodes
        Of all trees.
    past : Past
        The history.
    field : str
        `reward` or `observation`.
    bits : range
        Which percept bits are predicted: those of the field, or one of them.
    start : int
        The percept bit that the field begins with.
    """

    def __init__(self, nodes: BestNodes, past: Past, *, field: str, bits: range, start: int) -> None:
        self._past, self._bits = past, bits
        self._field, self._start = Part(0, field), start
        self._looks_at, self._tree = nodes.looks_at.tolist(), nodes.tree.tolist()
        self._ones = (nodes.ones + 0.5) / (nodes.zeros + nodes.ones + 1.0)
        self._child: dict[tuple[int, int], int] = {}
        self._root: dict[int, int] = {}
        for node, (tree, parent, side) in enumerate(
            zip(self._tree, nodes.parent.tolist(), nodes.side.tolist(), strict=True)
        ):
            if parent < 0:
                self._root[tree] = node
            else:
                self._child[parent, side] = node

    def situations(self, mattering: Collection[Part]) -> list[Situation]:
        """Return the most frequent contexts, those of the same prediction as one; the most telling first.

        Parameters
        ----------
        mattering : collection of Part
            Those that are told from each other; contexts that differ in other parts only become one.
        """
        mattering = {*mattering, self._field}
        tickets = count()  # of equals the older one goes first
        whole = _Group(np.arange(self._past.cycles), {}, [(self._bits.start, 0, 1.0, self._root_of(0))], {})
        waiting, found = [(0, 0, whole)], list[Situation]()
        for _ in range(MOST_DIVISIONS):
            if not waiting:
                break
            group = heapq.heappop(waiting)[-1]
            if parts := self._divide(group):
                for part in parts:
                    heapq.heappush(waiting, (-len(part.rows), next(tickets) + 1, part))
            else:
                codes = {part: self._past.codes_with(part.field, bits) for part, bits in group.known.items()}
                found.append(Situation(codes, len(group.rows), group.chances))
        seen = {part: frozenset(self._past.codes(part.field)) for each in found for part in each.codes}
        return by_information(joined(_without_rest(found, mattering), seen))

    def _root_of(self, bit: int) -> int:
        return self._root.get(self._bits.start + bit, -1)

    def _divide(self, group: _Group) -> list[_Group]:
        """Go on until the trees look at something that differs among the cycles: divide them; nothing if it is done."""
        pending = group.pending
        while pending:
            bit, code, p, node = pending.pop()
            while node >= 0 and self._looks_at[node] >= 0:
                at = context_bit(self._past.coding, bit, place=self._looks_at[node])
                side = self._value(at, bit, code, group)
                if side is None:
                    column = self._past.column(at)[group.rows]
                    if column.min() != column.max():
                        return [
                            _Group(
                                group.rows[column == value],
                                {**group.known, at.part: {**group.known.get(at.part, {}), at.bit: value}},
                                [*pending, (bit, code, p, self._child[node, value])],
                                dict(group.chances),
                            )
                            for value in (0, 1)
                        ]
                    side = int(column[0])
                node = self._child[node, side]
            one = float(self._ones[node]) if node >= 0 else 0.5
            for value, chance in ((0, p * (1 - one)), (1, p * one)):
                longer = 2 * code + value
                if chance < NEGLIGIBLE:
                    continue
                if bit + 1 == self._bits.stop:
                    group.chances[longer] = chance
                else:
                    pending.append((bit + 1, longer, chance, self._root_of(bit + 1 - self._bits.start)))
        return []

    def _value(self, at: ContextBit, bit: int, code: int, group: _Group) -> int | None:
        """The value of a bit of context, if it is one that is predicted before this one, or is known."""
        place = self._start + at.bit
        if at.part == self._field and place >= self._bits.start:
            return code >> (bit - 1 - place) & 1
        return group.known.get(at.part, {}).get(at.bit)


def _without_rest(situations: Iterable[Situation], mattering: Collection[Part]) -> list[Situation]:
    """The most frequent situations, told from each other by the parts that matter.

    One that would then speak of contexts that another one tells more of keeps what sets it apart.
    """
    alike: dict[frozenset[tuple[Part, frozenset[int]]], list[Situation]] = defaultdict(list)
    for one in situations:
        alike[frozenset(each for each in one.codes.items() if each[0] in mattering)].append(one)
    mixed = [
        (functools.reduce(functools.partial(_mixed, codes=dict(codes)), each)._replace(codes=dict(codes)), each)
        for codes, each in alike.items()
    ]
    mixed.sort(key=lambda each: -each[0].cycles)
    left = list[Situation]()
    for one, each in mixed[:MOST_CONTEXTS]:
        left += each if any(_speaks_of(one, other) for other, _ in mixed[:MOST_CONTEXTS]) else [one]
    return sorted(left, key=lambda each: -each.cycles)[:MOST_CONTEXTS]


def _speaks_of(one: Situation, other: Situation) -> bool:
    """Whether one has contexts in common with another, which tells them by more parts."""
    more = other.codes.keys() - one.codes.keys()
    return bool(more) and all(codes & other.codes.get(part, codes) for part, codes in one.codes.items())


def joined(situations: Iterable[Situation], seen: Mapping[Part, frozenset[int]]) -> list[Situation]:
    """Join situations that are alike and differ in one part only, until there are none; the most frequent first.

    Parameters
    ----------
    situations : iterable of Situation
        Which do not overlap.
    seen : mapping
        The codes that each part had.
    """
    left = sorted(situations, key=lambda each: -each.cycles)
    again = True
    while again:
        again = False
        for i, one in enumerate(left):
            for j in range(i + 1, len(left)):
                if (both := _join(one, left[j], seen)) is not None:
                    left[i] = one = both
                    left[j : j + 1] = []
                    again = True
                    break
            if again:
                break
        left.sort(key=lambda each: -each.cycles)
    return left


def _join(one: Situation, other: Situation, seen: Mapping[Part, frozenset[int]]) -> Situation | None:
    """Two situations as one, if they are alike and differ in one part only."""
    parts = {*one.codes, *other.codes}
    differ = [part for part in parts if one.codes.get(part, seen[part]) != other.codes.get(part, seen[part])]
    if len(differ) > 1 or distance(one.chances, other.chances) > ALIKE:
        return None
    codes = {part: one.codes.get(part, seen[part]) for part in one.codes}
    for part in differ:
        codes[part] = one.codes.get(part, seen[part]) | other.codes.get(part, seen[part])
    return _mixed(one, other, codes={part: each for part, each in codes.items() if each != seen[part]})


def _mixed(one: Situation, other: Situation, *, codes: dict[Part, frozenset[int]]) -> Situation:
    """One situation with the cycles of two, and their mean prediction."""
    cycles = one.cycles + other.cycles
    chances = {
        code: (one.chances.get(code, 0.0) * one.cycles + other.chances.get(code, 0.0) * other.cycles) / cycles
        for code in {**one.chances, **other.chances}
    }
    return Situation(codes, cycles, chances)


def by_information(situations: Sequence[Situation]) -> list[Situation]:
    """Return situations, those first that tell most: by relative entropy to the mean prediction, times cycles."""
    cycles = sum(each.cycles for each in situations)
    mean: dict[int, float] = defaultdict(float)
    for each in situations:
        for code, p in each.chances.items():
            mean[code] += p * each.cycles / cycles

    def information(one: Situation) -> float:
        return one.cycles * sum(p * log2(p / mean[code]) for code, p in one.chances.items())

    return sorted(situations, key=information, reverse=True)


def distance(one: Mapping[int, float], other: Mapping[int, float]) -> float:
    """Return the distance of two predictions in total variation, 0 to 1.

    >>> distance({0: 0.5, 1: 0.5}, {0: 1.0})
    0.5
    """
    return sum(abs(one.get(code, 0.0) - other.get(code, 0.0)) for code in {**one, **other}) / 2

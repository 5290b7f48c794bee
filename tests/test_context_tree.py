"""The context tree against its twins: the brute-force mixture, the plain tree; undo; capacities."""

import itertools
import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from reference import PlainTrees, mixture_probability

from aixi_approx.context_tree import ContextTree, FactoredContextTree


def unpack(packed: bytes) -> np.ndarray:
    return np.unpackbits(np.frombuffer(packed, np.uint8))


bit_strings = st.binary(max_size=40).map(unpack)


# ---------------------------------------------------------------------------------------------- the right numbers


@given(depth=st.integers(1, 3), bits=st.binary(max_size=4).map(unpack))
@settings(deadline=None, max_examples=60)
def test_equals_the_mixture_over_all_suffix_trees(depth: int, bits: np.ndarray) -> None:
    p = 2.0 ** -ContextTree(depth).learn(bits)
    assert p == pytest.approx(mixture_probability(bits.tolist(), depth), rel=1e-12)


def test_equals_the_mixture_at_depth_four() -> None:
    bits = np.random.default_rng(4).integers(2, size=14)
    assert 2.0 ** -ContextTree(4).learn(bits) == pytest.approx(mixture_probability(bits.tolist(), 4), rel=1e-12)


@given(
    depth=st.sampled_from([1, 2, 5, 31, 63, 64, 65, 130]),
    action_bits=st.integers(0, 3),
    percept_bits=st.integers(1, 4),
    bits=bit_strings,
)
@settings(deadline=None, max_examples=60)
def test_every_prediction_equals_the_plain_tree(
    depth: int, action_bits: int, percept_bits: int, bits: np.ndarray
) -> None:
    fast = FactoredContextTree(depth, action_bits, percept_bits)
    plain = PlainTrees(depth, action_bits, percept_bits)
    for i, bit in enumerate(bits.tolist()):
        if i % (action_bits + percept_bits) < action_bits:
            fast.append(bit)
            plain.append(bit)
        else:
            assert fast.predict() == pytest.approx(plain.predict(), rel=1e-11)
            assert fast.update(bit) == pytest.approx(plain.update(bit), rel=1e-11)


@pytest.mark.parametrize("depth", [4, 12])
def test_long_strings_that_change_their_nature(depth: int) -> None:
    """Constant, random, periodic, constant again: R leaves the range of a double, and comes back."""
    random = np.random.default_rng(depth)
    part = 100_000 if depth == 4 else 10_000
    bits = np.concatenate(
        [
            np.zeros(part, np.uint8),
            random.integers(2, size=part // 5).astype(np.uint8),
            np.tile(np.array([0, 1, 1], np.uint8), part // 15),
            np.zeros(part // 5, np.uint8),
        ]
    )
    fast, plain = ContextTree(depth), PlainTrees(depth)
    worst = 0.0
    for bit in bits.tolist():
        p, q = fast.update(bit), plain.update(bit)
        worst = max(worst, abs(p - q))
    assert worst < 1e-9
    again = ContextTree(depth)
    assert again.learn(bits) == pytest.approx(-plain.tree.log_weighted, rel=1e-9)


@pytest.mark.parametrize("depth", [600, 1100])
def test_edges_longer_than_the_range_of_a_double(depth: int) -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(5_000)
    try:
        fast, plain = ContextTree(depth), PlainTrees(depth)
        word = np.random.default_rng(depth).integers(2, size=40).tolist()
        for bit in word * 3 + [1 - b for b in word] + word:
            assert fast.update(bit) == pytest.approx(plain.update(bit), abs=1e-9)
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.parametrize(("action_bits", "percept_bits", "cycles"), [(0, 1, 9), (1, 2, 3), (0, 3, 3)])
def test_probabilities_of_all_percepts_add_up_to_one(action_bits: int, percept_bits: int, cycles: int) -> None:
    """For any actions. (A peer's strings of 8 bits add up to 128.)"""
    total = 0.0
    for percepts in itertools.product((0, 1), repeat=percept_bits * cycles):
        bits = np.array(percepts).reshape(cycles, percept_bits)
        actions = np.ones((cycles, action_bits), dtype=int)
        cycle = np.concatenate([actions, bits], axis=1).ravel()
        total += 2.0 ** -FactoredContextTree(5, action_bits, percept_bits).learn(cycle)
    assert total == pytest.approx(1, rel=1e-12)


@given(history=bit_strings, percept_bits=st.integers(1, 3))
@settings(deadline=None, max_examples=40)
def test_zero_and_one_add_up(history: np.ndarray, percept_bits: int) -> None:
    tree = FactoredContextTree(20, 0, percept_bits)
    tree.learn(history)
    mark = tree.mark()
    p_one = tree.update(1)
    tree.revert(mark)
    assert 0 < p_one < 1
    assert p_one + tree.update(0) == pytest.approx(1, rel=1e-12)


def test_does_not_underflow() -> None:
    """A peer's probability is 0 after 1,071 bits; the KT estimator alone codes n zeros in 1/2 log2(pi n) bits."""
    n = 200_000
    code_length = ContextTree(48).learn(np.zeros(n, np.uint8))
    assert code_length == pytest.approx(0.5 * math.log2(math.pi * n), abs=1e-3)


def test_each_percept_bit_has_a_tree_of_its_own() -> None:
    """A coin that falls on 1 with 0.7, between bits that are constant: aliased contexts would spoil it."""
    random = np.random.default_rng(1)
    n = 5_000
    cycles = np.zeros((n, 4), np.uint8)
    cycles[:, 0] = random.integers(2, size=n)
    cycles[:, 2] = random.random(n) < 0.7
    tree = FactoredContextTree(8, 1, 3)
    tree.learn(cycles[: n // 2].ravel())
    loss = tree.learn(cycles[n // 2 :].ravel()) / (n - n // 2)
    assert loss == pytest.approx(0.8813, abs=0.03)


def test_takes_less_than_a_node_a_bit() -> None:
    bits = np.random.default_rng(3).integers(2, size=20_000)
    tree = ContextTree(500)
    tree.learn(bits)
    assert tree.nodes <= len(bits)
    assert tree.memory <= 33 * len(bits)


# ---------------------------------------------------------------------------------------------- undo


class Undo(RuleBasedStateMachine):
    """Any interleaving of the verbs, from the first bit on: a revert gives back the complete state, bit for bit."""

    def __init__(self) -> None:
        super().__init__()
        self.tree = FactoredContextTree(11, 2, 3)
        self.marks: list[tuple[int, bytes, int]] = []
        self.done: list[tuple[str, int]] = []  # what has not been undone

    def do(self, verb: str, bit: int) -> None:
        getattr(self.tree, verb)(bit)
        self.done.append((verb, bit))

    @rule(data=st.binary(min_size=1, max_size=6))
    def live(self, data: bytes) -> None:
        for bit in unpack(data).tolist():
            self.do("append" if self.tree._kernel.in_action else "update", bit)

    @rule(bits=st.lists(st.integers(0, 1), max_size=4))
    def append_only(self, bits: list[int]) -> None:
        for bit in bits:
            self.do("append", bit)

    @rule()
    def look(self) -> None:
        if not self.tree._kernel.in_action:
            self.tree.predict()

    @rule()
    def mark(self) -> None:
        before = self.tree.snapshot()
        self.marks.append((self.tree.mark(), before, len(self.done)))

    @rule(data=st.data())
    def revert(self, data: st.DataObject) -> None:
        if self.marks:
            i = data.draw(st.integers(0, len(self.marks) - 1))
            number, before, length = self.marks[i]
            self.tree.revert(number)
            del self.marks[i:], self.done[length:]
            assert self.tree.snapshot() == before

    @invariant()
    def is_what_never_imagined_anything(self) -> None:
        other = FactoredContextTree(11, 2, 3)
        for verb, bit in self.done:
            getattr(other, verb)(bit)
        assert self.tree.snapshot() == other.snapshot()


TestUndo = Undo.TestCase
TestUndo.settings = settings(deadline=None, max_examples=60, stateful_step_count=30)


@given(past=bit_strings, imagined=bit_strings, future=bit_strings)
@settings(deadline=None, max_examples=60)
def test_life_goes_on_as_if_nothing_had_been_imagined(
    past: np.ndarray, imagined: np.ndarray, future: np.ndarray
) -> None:
    one, other = ContextTree(9), ContextTree(9)
    one.learn(past)
    other.learn(past)
    mark = one.mark()
    one.learn(imagined)
    one.revert(mark)
    one.learn(future)
    other.learn(future)
    assert one.snapshot() == other.snapshot()


def test_a_million_undone_simulations_leave_no_node_behind() -> None:
    tree = FactoredContextTree(30, 1, 2)
    tree.learn(np.random.default_rng(0).integers(2, size=300))
    before, nodes = tree.snapshot(), tree.nodes
    for i in range(1_000_000):
        mark = tree.mark()
        tree.append(i & 1)
        tree.update(i >> 1 & 1)
        tree.update(i >> 2 & 1)
        tree.revert(mark)
    assert tree.nodes == nodes
    assert tree.snapshot() == before


# ---------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize("depth", [0, -1, 1 << 40])
def test_a_depth_out_of_range(depth: int) -> None:
    with pytest.raises(ValueError, match=f"depth is {depth}"):
        ContextTree(depth)


def test_bits_out_of_range() -> None:
    with pytest.raises(ValueError, match="percept_bits is 0"):
        FactoredContextTree(4, 1, 0)
    tree = ContextTree(4)
    for wrong in (
        lambda: tree.update(2),
        lambda: tree.append(-1),
        lambda: tree.learn([0, 2]),
        lambda: tree.learn([[0]]),
    ):
        with pytest.raises(ValueError, match="bit"):
            wrong()
    assert tree.length == 0


def test_an_action_bit_is_not_predicted() -> None:
    tree = FactoredContextTree(4, 1, 1)
    before = tree.snapshot()
    for wrong in (tree.predict, lambda: tree.update(1)):
        with pytest.raises(ValueError, match="action bit"):
            wrong()
    assert tree.snapshot() == before


def test_marks_that_are_not_there() -> None:
    tree = ContextTree(4)
    mark = tree.mark()
    tree.revert(mark)
    for wrong in (mark, -1, 7):
        with pytest.raises(ValueError, match=f"no mark {wrong}"):
            tree.revert(wrong)


def test_a_full_history_is_refused_before_anything_is_written() -> None:
    class Small(ContextTree):
        room = 3  # type: ignore[assignment]

    tree = Small(4)
    before = tree.snapshot()
    with pytest.raises(MemoryError, match="2\\^31"):
        tree.learn([0, 1, 0, 1])
    assert tree.snapshot() == before

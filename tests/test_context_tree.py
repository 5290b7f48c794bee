"""The context tree against its twins: the brute-force mixture, the plain tree; best trees; undo; copies; capacities."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from reference import PlainTrees, best_leaves, context_counts, mixture_probability, suffix_trees, two_part_code

from aixi_approx.predictor_abi import FAILED
from aixi_approx.predictors.context_tree import BestTree, ContextTree, FactoredContextTree, Work


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


def largest_difference(depth: int, bits: list[int]) -> float:
    """Between the probabilities that the fast and the plain tree give to each bit of a string."""
    fast, plain = ContextTree(depth), PlainTrees(depth)
    return max(abs(fast.update(bit) - plain.update(bit)) for bit in bits)


@pytest.mark.parametrize("word", [[0, 1], [1, 1, 1, 1, 0, 1, 1, 0]])
def test_evidence_beyond_a_double_comes_back(word: list[int]) -> None:
    """A pattern sends R far below 2^-256, and random bits bring it back, slowly, as a clamped R would not come."""
    random = np.random.default_rng(1).integers(2, size=60_000).tolist()
    assert largest_difference(5, word * (1_200 // len(word)) + random) < 1e-9


def test_evidence_beyond_all_doubles_is_refuted() -> None:
    """1,400 changes send R to 2^-1400, less than any double; as many repetitions in a row bring it back to 1."""
    bits = [0, 1] * 700 + [0] * 700 + [1] * 700
    assert largest_difference(1, [*bits, *np.random.default_rng(1).integers(2, size=100).tolist()]) < 1e-9


@pytest.mark.parametrize("seed", range(6))
def test_chains_split_above_extreme_evidence(seed: int) -> None:
    """Markers of equal bits with patterns between them: long edges above nodes with R far from 1."""
    random = np.random.default_rng(seed)
    bits: list[int] = []
    for _ in range(14):
        kind, length = random.integers(4), int(random.integers(20, 900))
        word = random.integers(2, size=random.integers(2, 30)).tolist()
        bits += {
            0: [int(random.integers(2))] * length,
            1: word * (length // len(word)),
            2: random.integers(2, size=length).tolist(),
            3: ([1] * 30 + [0, 1]) * (length // 32),
        }[int(kind)]
    assert largest_difference([12, 24, 40][seed % 3], bits) < 1e-9


def test_a_chain_split_above_evidence_that_no_double_holds() -> None:
    """Actions are one long chain, below it the last percept foretells the next; then another action splits it."""
    random = np.random.default_rng(5)
    fast, plain = FactoredContextTree(24, 20, 1), PlainTrees(24, 20, 1)
    known = random.integers(2, size=20).tolist()
    new = [*known[:9], 1 - known[9], *known[10:]]
    worst = 0.0
    for t in range(2_500):
        for bit in known if t < 1_500 or random.random() < 0.5 else new:
            fast.append(bit)
            plain.append(bit)
        percept = t % 2 if t < 1_500 else int(random.integers(2))
        worst = max(worst, abs(fast.update(percept) - plain.update(percept)))
    assert worst < 1e-9


@pytest.mark.parametrize("chain", [600, 601, 1_020, 1_500])
def test_a_chain_whose_odds_no_double_holds(chain: int) -> None:
    """2,000 fair coins at the end of a chain of L equal bits: R > 16, so (2^L - 1) R is infinite from L = 1020 on."""
    tree, action, ones = FactoredContextTree(chain + 1, chain, 1), [0] * chain, 0
    for n, coin in enumerate(np.random.default_rng(1).integers(2, size=2_000).tolist()):
        tree.learn(action)
        kt = (ones + 0.5) / (n + 1)  # all weight is on the tree that stops above the coins: they foretell nothing
        assert tree.predict() == pytest.approx(kt, rel=1e-11)
        tree.update(coin)
        ones += coin


def test_a_chain_split_above_evidence_that_its_length_outweighs() -> None:
    """R_v = 2^-300 below a chain of 500 nodes that splits after the first: R_v 2^499 = 2^199, and so R_m is 1."""
    fast, plain = FactoredContextTree(501, 500, 1), PlainTrees(501, 500, 1)
    known, new = [0] * 500, [0] * 498 + [1, 0]
    worst = 0.0
    for t in range(330):
        for bit in known if t < 300 else new:
            fast.append(bit)
            plain.append(bit)
        percept = t % 2 if t < 300 else 1
        worst = max(worst, abs(fast.update(percept) - plain.update(percept)))
    assert worst < 1e-9


@pytest.mark.parametrize("depth", [290, 700])
def test_edges_longer_than_the_range_of_a_double(depth: int) -> None:
    """Only the bit beyond a long run of zeros tells what comes: all the evidence is at the end of long chains."""
    random = np.random.default_rng(depth)
    bits: list[int] = []
    for symbol in random.integers(2, size=14).tolist():
        bits += [symbol, symbol] + [0] * (depth - 30) + [symbol, 1]
    assert largest_difference(depth, bits) < 1e-9


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


# ---------------------------------------------------------------------------------------------- the best tree

shapes = st.tuples(st.sampled_from([1, 2, 3, 4, 5, 6, 40]), st.integers(0, 2), st.integers(1, 3))


@given(shape=shapes, bits=bit_strings, pattern=bit_strings)
@settings(deadline=None, max_examples=100)
def test_best_tree_equals_the_plain_one(shape: tuple[int, int, int], bits: np.ndarray, pattern: np.ndarray) -> None:
    """On strings with a pattern in their middle, so that trees of all sizes are best."""
    depth = shape[0]
    string = np.concatenate([bits[:30], np.tile(pattern[:5], 10), bits[30:60]])
    tree = FactoredContextTree(*shape)
    tree.learn(string)
    found = tree.best_tree()
    parts = [
        two_part_code(best_leaves(counts, depth)[1], counts, depth)
        for counts in context_counts(string.tolist(), *shape)
    ]
    assert found == pytest.approx(tuple(map(sum, zip(*parts, strict=True))), rel=1e-11)


@given(depth=st.integers(1, 3), bits=st.binary(max_size=5).map(unpack))
@settings(deadline=None, max_examples=60)
def test_no_context_tree_is_better_than_the_best(depth: int, bits: np.ndarray) -> None:
    tree = ContextTree(depth)
    tree.learn(bits)
    counts = context_counts(bits.tolist(), depth)[0]
    codes = [two_part_code(leaves, counts, depth) for _, leaves in suffix_trees(depth)]
    shortest = min(bits for _, bits, _, _ in codes)
    assert tree.best_tree().bits == pytest.approx(shortest, rel=1e-12)
    leaves = min(leaves for leaves, bits, _, _ in codes if bits == pytest.approx(shortest, rel=1e-12))
    assert tree.best_tree().leaves == leaves


@given(shape=shapes, bits=bit_strings, pattern=bit_strings)
@settings(deadline=None, max_examples=100)
def test_ctw_loses_no_more_than_theory_allows(
    shape: tuple[int, int, int], bits: np.ndarray, pattern: np.ndarray
) -> None:
    """Theorem 2 of Willems, Shtarkov, Tjalkens (1995), by way of the best tree in the mixture."""
    tree = FactoredContextTree(*shape)
    loss = tree.learn(np.concatenate([np.tile(pattern, 20), bits, np.tile(pattern, 20)]))
    best = tree.best_tree()
    assert loss <= best.bits + 1e-9
    assert best.bits <= best.fixed + best.allowance + 1e-9


def test_the_best_tree_of_a_source_that_is_one() -> None:
    """Each bit is a coin that the last bit chooses, or the two last: three leaves, however deep CTW looks."""
    random = np.random.default_rng(7)
    bits = [0, 0]
    while len(bits) < 3_000:
        one = {(0, 0): 0.1, (1, 0): 0.9, (0, 1): 0.4, (1, 1): 0.4}[bits[-2], bits[-1]]
        bits.append(int(random.random() < one))
    expected = two_part_code([(0, 0), (0, 1), (1,)], context_counts(bits, 2)[0], depth=3)
    for depth in (3, 60, 5_000):
        tree = ContextTree(depth)
        loss = tree.learn(bits)
        best = tree.best_tree()
        assert best == pytest.approx(expected, rel=1e-9)
        assert loss <= best.bits


def test_the_best_tree_of_what_nobody_saw() -> None:
    assert ContextTree(4).best_tree() == BestTree(0, 0.0, 0.0, 0.0)
    tree = FactoredContextTree(4, 2, 3)
    tree.learn([1, 0, 1])
    assert tree.best_tree() == BestTree(1, 2.0, 0.0, 2.0)  # a node that stops, and a bit that KT halves


@given(past=bit_strings, imagined=bit_strings)
@settings(deadline=None, max_examples=40)
def test_the_best_tree_forgets_what_was_undone(past: np.ndarray, imagined: np.ndarray) -> None:
    tree = ContextTree(9)
    tree.learn(past)
    best, before, mark = tree.best_tree(), tree.snapshot(), tree.mark()
    tree.learn(imagined)
    tree.best_tree()
    tree.revert(mark)
    assert tree.best_tree() == best
    assert tree.snapshot() == before


# ---------------------------------------------------------------------------------------------- work


@given(
    depth=st.sampled_from([1, 2, 5, 12, 65]),
    action_bits=st.integers(0, 3),
    percept_bits=st.integers(1, 3),
    bits=bit_strings,
)
@settings(deadline=None, max_examples=60)
def test_work_is_that_of_the_plain_tree(depth: int, action_bits: int, percept_bits: int, bits: np.ndarray) -> None:
    fast, bulk = (FactoredContextTree(depth, action_bits, percept_bits) for _ in range(2))
    plain = PlainTrees(depth, action_bits, percept_bits)
    predicted = learned = nodes = of_learning = 0
    for i, bit in enumerate(bits.tolist()):
        if i % (action_bits + percept_bits) < action_bits:
            assert fast._kernel.predict() == fast._kernel.update(bit) == FAILED  # which counts nothing
            fast.append(bit)
            plain.append(bit)
            continue
        if i % 2:
            fast.predict()
            predicted += 1
            nodes += plain.mixed
        of_learning += plain.mixed
        learned += 1
        fast.update(bit)
        plain.update(bit)
        assert fast.work == Work(predicted + learned, nodes + of_learning)
    bulk.learn(bits)
    assert bulk.work == Work(learned, of_learning)


def test_work_of_a_few_bits() -> None:
    tree = ContextTree(3)
    assert tree.work == Work(bits=0, nodes=0)
    tree.learn([0, 0])  # at the root only: nothing branches off in the context 000
    assert tree.work == Work(bits=2, nodes=2)
    tree.append(1)
    assert tree.work == Work(bits=2, nodes=2)
    tree.predict()  # 100 leaves the path at the root, which has no other child yet: nothing to mix below it
    assert tree.work == Work(bits=3, nodes=3)
    tree.append(0)
    tree.update(1)  # 010 leaves 000 after its first bit
    assert tree.work == Work(bits=4, nodes=5)


# ---------------------------------------------------------------------------------------------- undo


@pytest.mark.parametrize("verb", ["predict", "update"])
def test_what_was_predicted_after_an_undone_action_is_forgotten(verb: str) -> None:
    """The length of the history is the same after another action; the context is not."""
    tree = FactoredContextTree(8, 1, 1)
    tree.learn(np.repeat(np.random.default_rng(1).integers(2, size=200), 2))  # the percept is the action
    mark = tree.mark()
    tree.append(0)
    assert tree.predict() < 0.1
    tree.revert(mark)
    tree.append(1)
    assert (tree.predict() if verb == "predict" else tree.update(1)) > 0.9


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
            work = self.tree.work
            self.tree.revert(number)
            del self.marks[i:], self.done[length:]
            assert self.tree.snapshot() == before
            assert self.tree.work == work  # it was work all the same

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


def test_undo_where_evidence_leaves_the_range_of_a_double() -> None:
    tree = ContextTree(3)
    tree.learn([0, 1] * 100)
    states = []
    for _ in range(60):
        states.append((tree.mark(), tree.snapshot()))
        tree.learn([0, 1] * 10)
    for mark, before in reversed(states):
        tree.revert(mark)
        assert tree.snapshot() == before


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


# ---------------------------------------------------------------------------------------------- copies


@given(past=bit_strings, imagined=bit_strings, here=st.binary(max_size=80).map(unpack), there=bit_strings)
@settings(deadline=None, max_examples=60)
def test_a_copy_is_a_predictor_of_its_own(
    past: np.ndarray, imagined: np.ndarray, here: np.ndarray, there: np.ndarray
) -> None:
    """Each goes on as a predictor that had lived alone, also a copy made in the middle of what the other undoes."""

    def alone(*lives: np.ndarray) -> FactoredContextTree:
        tree = FactoredContextTree(70, 1, 2)
        tree.learn(np.concatenate(lives))
        return tree

    tree = alone(past)
    mark = tree.mark()
    tree.learn(imagined)
    dreamer = tree.copy()
    assert dreamer.snapshot() == tree.snapshot()
    assert dreamer.work == Work(0, 0)
    with pytest.raises(ValueError, match="no mark 0"):
        dreamer.revert(0)
    tree.revert(mark)
    twin = tree.copy()

    dreamers_mark = dreamer.mark()
    for one, life in ((tree, here), (dreamer, there), (twin, here)):
        one.learn(life)
    assert tree.snapshot() == twin.snapshot() == alone(past, here).snapshot()
    assert dreamer.snapshot() == alone(past, imagined, there).snapshot()
    dreamer.revert(dreamers_mark)
    assert dreamer.snapshot() == alone(past, imagined).snapshot()
    assert tree.best_tree() == twin.best_tree()
    del tree
    assert twin.snapshot() == alone(past, here).snapshot()


def test_a_copy_predicts_to_the_last_bit_as_the_original() -> None:
    random = np.random.default_rng(2)
    bits = random.integers(2, size=3_000)
    tree = ContextTree(24)
    tree.learn(bits)
    copy = tree.copy()
    assert type(copy) is ContextTree
    assert (copy.depth, copy.length, copy.nodes) == (24, 3_000, tree.nodes)
    assert copy.addresses.state != tree.addresses.state
    for bit in random.integers(2, size=10_000).tolist():  # beyond what the copy had room for
        assert copy.predict() == tree.predict()
        assert copy.update(bit) == tree.update(bit)
    assert copy.snapshot() == tree.snapshot()


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
    with pytest.raises(MemoryError, match="room for 3 more"):
        tree.learn([0, 1, 0, 1])
    assert tree.snapshot() == before

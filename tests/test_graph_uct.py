"""DP-UCT of AImu against its twins: a plain recursive search on the same random stream, and exact expectimax."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import true_expectimax
from reference_graph import PlainGraphSearch

from aixi_approx.coding import Coding
from aixi_approx.environment import Percept
from aixi_approx.envs import make
from aixi_approx.planner import Planner, SearchResult
from aixi_approx.planners import graph_uct
from aixi_approx.planners.belief_expectimax import BeliefExpectimax
from aixi_approx.planners.graph_uct import DEFAULT_UCB, GraphUCT
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.predictors.true_model import TrueModel
from aixi_approx.randomness import stream
from aixi_approx.rollout import Rollout, RolloutError

NAMES = ("coin-flip", "1d-maze", "cheese-maze", "tiger", "4x4-grid", "biased-rps", "kuhn-poker", "locks:2")
PLAIN = st.sampled_from((*NAMES, "rocksample:2-1", "nim:6-perfect"))
ANEW = ("tiger?discount=0.9", "locks:2?discount=0.5", "rocksample:2-1-exit", "cheese-maze?discount=0.95")
SMALL = PLAIN | st.sampled_from(ANEW)
RULES = st.sampled_from(("spread", "ucb", "round-robin"))


@functools.cache
def world(name: str) -> POMDP:
    pomdp = make(name)
    assert isinstance(pomdp, POMDP)
    return pomdp


def lived(name: str, cycles: int, seed: int = 1) -> tuple[POMDP, TrueModel]:
    """An environment and its true model, after some random cycles."""
    pomdp = world(name)
    pomdp.reset(seed)
    model = TrueModel(pomdp)
    for action in np.random.default_rng(seed).integers(len(pomdp.actions), size=cycles).tolist():
        model.learn(pomdp.coding.cycle(action, *pomdp.step(action)))
    return pomdp, model


def expectimax(pomdp: POMDP, model: TrueModel, horizon: int) -> np.ndarray:
    return BeliefExpectimax(pomdp, horizon).search(model, stream(0)).value


def same(one: object, other: object) -> bool:
    return repr(one) == repr(other)


def compare(found: SearchResult, plain: PlainGraphSearch) -> None:
    root = plain.root
    assert found.simulations == plain.done == found.visits.sum()
    assert found.visits.tolist() == [len(returns) for returns in root.returns]
    known = [a for a in plain.actions if a in root.q]
    assert np.flatnonzero(np.isfinite(found.value)).tolist() == known
    assert found.value[known] == pytest.approx([root.q[a] for a in known], abs=1e-9)
    assert (found.error is not None) == root.closed
    assert found.value[found.action] >= np.nanmax(found.value) - 1e-9


# ---------------------------------------------------------------------------------------------- the twins


@given(
    name=SMALL,
    cycles=st.integers(0, 5),
    horizon=st.integers(1, 7),
    simulations=st.integers(1, 300),
    rule=RULES,
    ucb=st.sampled_from([0.0, 0.35, 1.0, 3.0]),
    seed=st.integers(0, 2**64),
)
@settings(max_examples=100)
def test_equals_the_plain_search(
    name: str, cycles: int, horizon: int, simulations: int, rule: str, ucb: float, seed: int
) -> None:
    pomdp, model = lived(name, cycles)
    found = GraphUCT(pomdp, horizon, simulations=simulations, rule=rule, ucb=ucb).search(model, stream(seed))
    plain = PlainGraphSearch(pomdp, model.belief, horizon, stream(seed), rule=rule, ucb=ucb)
    plain.run(simulations)
    compare(found, plain)


@given(
    name=SMALL,
    cycles=st.integers(0, 5),
    horizon=st.integers(1, 6),
    simulations=st.integers(1, 300),
    rule=RULES,
    seed=st.integers(0, 2**64),
)
@settings(max_examples=60)
def test_equals_the_plain_search_where_leaves_are_sampled(
    name: str, cycles: int, horizon: int, simulations: int, rule: str, seed: int
) -> None:
    pomdp, model = lived(name, cycles)
    planner = GraphUCT(pomdp, horizon, simulations=simulations, rule=rule, ucb=0.7, leaves="sampled")
    plain = PlainGraphSearch(pomdp, model.belief, horizon, stream(seed), rule=rule, ucb=0.7, exact=False)
    plain.run(simulations)
    compare(planner.search(model, stream(seed)), plain)


@given(name=PLAIN, cycles=st.integers(0, 5), horizon=st.integers(1, 3), rule=RULES, exact=st.booleans())
@settings(max_examples=50)
def test_a_closed_root_is_expectimax(name: str, cycles: int, horizon: int, rule: str, exact: bool) -> None:
    """By two twins: histories one by one, and beliefs; with those that are equal merged, and without."""
    pomdp, model = lived(name, cycles)
    leaves = "exact" if exact else "sampled"
    planner = GraphUCT(pomdp, horizon, simulations=1 << 20, rule=rule, leaves=leaves)
    found = planner.search(model, stream(1))
    assert found.simulations < 1 << 20
    assert found.error is not None
    belief = {pomdp.states[s]: p for s, p in zip(*model.belief, strict=True)}
    histories = np.array(true_expectimax(pomdp, horizon, belief))
    for value in (histories, expectimax(pomdp, model, horizon)):
        assert np.all(abs(found.value - value) <= found.error + 1e-9)
    assert found.error.max() <= 1e-5 * horizon * max(abs(pomdp.min_reward), abs(pomdp.max_reward))
    if histories.size <= 4:
        tree = PlainGraphSearch(pomdp, model.belief, horizon, stream(1), rule=rule, ucb=1.0, merge=False)
        tree.run(1 << 20)
        assert found.value == pytest.approx([tree.root.q[a] for a in tree.actions], abs=1e-9)
        assert tree.done >= planner.search(model, stream(1)).simulations or not exact


@given(name=st.sampled_from(ANEW), cycles=st.integers(0, 5), horizon=st.integers(1, 3), exact=st.booleans())
@settings(max_examples=30)
def test_what_comes_after_it_begins_anew_makes_no_difference(name: str, cycles: int, horizon: int, exact: bool) -> None:
    """It is the same for all actions, so what is known is that of expectimax but for a constant."""
    pomdp, model = lived(name, cycles)
    leaves = "exact" if exact else "sampled"
    found = GraphUCT(pomdp, horizon, simulations=1 << 20, leaves=leaves).search(model, stream(1))
    assert found.error is not None
    later = expectimax(pomdp, model, horizon) - found.value
    assert np.ptp(later) <= 2 * found.error.max() + 1e-9
    beginning = expectimax(pomdp, TrueModel(pomdp), horizon - 1).max() if horizon > 1 else 0.0
    if horizon < 3:
        assert later == pytest.approx(np.full(len(later), (1 - pomdp.discount) * beginning), abs=1e-3)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rule", ["spread", "ucb", "round-robin"])
def test_values_are_bounds_that_never_sink(name: str, rule: str) -> None:
    pomdp, model = lived(name, 4)
    horizon = 4
    exact, last = expectimax(pomdp, model, horizon), np.full(len(pomdp.actions), -np.inf)
    for simulations in (*range(1, 40), 60, 100, 300, 1_000, 100_000):
        found = GraphUCT(pomdp, horizon, simulations=simulations, rule=rule).search(model, stream(1))
        assert np.all(found.value >= last - 1e-9)
        assert np.all(found.value <= exact + np.where(exact < 0, -exact * 1e-5, 0) + 1e-4)
        last = found.value
    assert last == pytest.approx(exact, abs=1e-3)


@pytest.mark.parametrize(("name", "horizon"), [("tiger", 5), ("biased-rps", 5), ("kuhn-poker", 5), ("4x4-grid", 8)])
def test_sampled_leaves_tend_to_expectimax(name: str, horizon: int) -> None:
    pomdp, model = lived(name, 3)
    exact = expectimax(pomdp, model, horizon)
    scale = horizon * (pomdp.max_reward - pomdp.min_reward)
    errors, whole = [], []
    for simulations in (10, 1 << 20):
        planner = GraphUCT(pomdp, horizon, simulations=simulations, leaves="sampled")
        whole = [planner.search(model, stream(seed, simulations)) for seed in range(5)]
        errors.append(np.mean([abs(f.value[f.action] - exact.max()) / scale for f in whole]))
    assert errors[0] > 0.01
    assert errors[1] < 1e-6
    assert all(f.value == pytest.approx(exact, abs=1e-4 * scale) for f in whole)


# ---------------------------------------------------------------------------------------------- decisions


def test_equal_beliefs_are_one_node() -> None:
    """Four doors whose keys are the same wherever they were found: few enough to see all in 400 simulations."""
    pomdp, model = lived("locks:4", 0)
    for seed in range(5):
        found = GraphUCT(pomdp, pomdp.settings.horizon, simulations=10_000).search(model, stream(seed))
        assert 0 < found.simulations < 400
    assert found.value == pytest.approx(expectimax(pomdp, model, pomdp.settings.horizon), abs=1e-3)


def test_what_can_be_earned_now_is_not_put_off() -> None:
    """Whoever plans anew in each cycle, with exact values and random ties, may take for ever what earns later."""

    def earned(planner: Planner) -> float:
        pomdp.reset(3)
        model, random, total = TrueModel(pomdp), stream(3), 0
        for _ in range(200):
            action = planner.search(model, random).action
            percept = pomdp.step(action)
            model.learn(pomdp.coding.cycle(action, *percept))
            total += percept.reward
        return total / 200

    pomdp = world("rocksample:2-1")
    assert earned(BeliefExpectimax(pomdp, 8)) < 3
    assert earned(GraphUCT(pomdp, 8, simulations=1 << 20)) == pytest.approx(5, abs=0.3)


def test_ties_are_broken_at_random() -> None:
    class Nothing(type(world("coin-flip"))):  # type: ignore[misc]
        def outcomes(self, state: object, action: object) -> list[object]:
            return [outcome._replace(reward=0) for outcome in super().outcomes(state, action)]

    pomdp = Nothing()
    first, best = np.zeros(2), np.zeros(2)
    for seed in range(2_000):
        found = GraphUCT(pomdp, 2, simulations=1).search(TrueModel(pomdp), stream(seed))
        first += found.visits
        best[found.action] += 1
    assert np.all(abs(first - 1_000) < 5 * 500**0.5)
    assert np.all(abs(best - 1_000) < 5 * 500**0.5)


# ---------------------------------------------------------------------------------------------- one search


@pytest.mark.parametrize("leaves", ["exact", "sampled"])
def test_one_search_says_nothing_to_the_next(leaves: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what it found, nor how much room it made: too little is made larger within a search."""
    for name in ("extended-tiger", "tic-tac-toe"):
        pomdp, model = lived(name, 3)
        planner = GraphUCT(pomdp, 9, simulations=700, leaves=leaves)
        first = planner.search(model, stream(1))
        planner.search(model, stream(2), simulations=3_000)
        assert same(planner.search(model, stream(1)), first)
        with monkeypatch.context() as patch:
            patch.setattr(graph_uct, "FIRST_ROOM", (2, 2, 2))
            assert same(GraphUCT(pomdp, 9, simulations=700, leaves=leaves).search(model, stream(1)), first)
        _, other = lived(name, 5, seed=2)
        fresh = GraphUCT(pomdp, 9, simulations=700, leaves=leaves)
        assert same(planner.search(other, stream(1)), fresh.search(other, stream(1)))


@pytest.mark.parametrize("leaves", ["exact", "sampled"])
def test_a_search_cut_into_chunks_is_the_same_search(leaves: str) -> None:
    pomdp, model = lived("tiger", 3)
    whole, cut = (GraphUCT(pomdp, 9, simulations=300, leaves=leaves) for _ in range(2))
    cut._slices.seconds = 0.0
    assert same(whole.search(model, stream(1)), cut.search(model, stream(1)))


def test_a_search_with_a_time_is_the_search_of_as_many_simulations() -> None:
    pomdp, model = lived("extended-tiger", 3)
    soon = GraphUCT(pomdp, 20, simulations=1 << 30, seconds=1e-9).search(model, stream(1))
    assert soon.simulations == soon.visits.sum() == 1
    whole, patient = GraphUCT(pomdp, 20, simulations=900), GraphUCT(pomdp, 20, simulations=900, seconds=1e9)
    for seed in (1, 2):
        assert same(patient.search(model, stream(seed), simulations=7), whole.search(model, stream(seed)))
    some = GraphUCT(pomdp, 20, simulations=1 << 30, seconds=0.001).search(model, stream(1))
    assert same(GraphUCT(pomdp, 20, simulations=some.simulations).search(model, stream(1)), some)


def test_a_search_that_has_seen_everything_ends() -> None:
    pomdp, model = lived("tiger", 3)
    for options in ({"simulations": 1 << 30}, {"seconds": 1e9}, {"simulations": 1 << 30, "stop": "certain"}):
        found = GraphUCT(pomdp, 4, **options).search(model, stream(1))  # type: ignore[arg-type]
        assert 0 < found.simulations < 100
    assert GraphUCT(pomdp, 1).search(model, stream(1)).simulations == 0, "leaves say it all"


# ---------------------------------------------------------------------------------------------- rollout policies


class Remembering(Rollout):
    """Takes the action after the last one, in the history as it was told; it may look back as far as it likes."""

    reads_history = True

    def __init__(self, coding: Coding) -> None:
        super().__init__(coding)
        self.bits: list[int] = []
        self.seen: list[list[int]] = []
        self.marks: list[int] = []

    def choose(self, u: float) -> int:
        self.seen.append(list(self.bits))
        size = self.coding.action_bits + self.coding.percept_bits
        assert len(self.bits) % size == 0
        return (int("".join(map(str, self.bits[-size:][: self.coding.action_bits])), 2) + 1) % self.coding.actions

    def append(self, bit: int) -> None:
        self.bits.append(bit)

    def mark(self) -> int:
        self.marks.append(len(self.bits))
        return len(self.marks) - 1

    def revert(self, mark: int) -> None:
        del self.bits[self.marks[mark] :], self.marks[mark:]


def test_a_policy_that_reads_the_history_is_told_what_is_imagined() -> None:
    pomdp, model = lived("tiger", 0)
    coding, policy, horizon = pomdp.coding, Remembering(pomdp.coding), 5
    planner = GraphUCT(pomdp, horizon, simulations=40, rollout=policy)
    real = coding.cycle(0, *Percept(1, -1))
    planner.advance(0, real[coding.action_bits :])
    model.learn(real)
    before = list(policy.bits)
    assert before == list(real)
    planner.search(model, stream(1))
    assert policy.bits == before, "a search leaves it as it was"
    assert policy.marks == []
    size = len(real)
    lengths = {len(bits) // size for bits in policy.seen}
    assert lengths == set(range(2, horizon + 1)), "the real cycle and at least one imagined, never all of them"
    for bits in policy.seen:
        history = [bits[i : i + size] for i in range(0, len(bits), size)]
        assert history[0] == list(real)
        later = TrueModel(pomdp)
        for cycle in history:
            later.learn(np.array(cycle, dtype=np.uint8))  # raises if it can't have been
    listened = [bits[size:] for bits in policy.seen]
    assert any(bits[: coding.action_bits] == [0, 0] for bits in listened)


def test_a_policy_changes_what_leaves_are_worth() -> None:
    class Always(Rollout):
        def choose(self, u: float) -> int:
            return 0

    pomdp, model = lived("tiger", 0)
    found = GraphUCT(pomdp, 30, simulations=1, rollout=Always(pomdp.coding)).search(model, stream(1))
    tried = found.visits.argmax()
    expected = (-1 if tried == 0 else -45) - 29  # listening to the end
    assert found.value[tried] == pytest.approx(expected, abs=1e-2)


def test_a_policy_that_fails_does_not_take_the_process_with_it() -> None:
    class Failing(Rollout):
        def choose(self, u: float) -> int:
            raise ZeroDivisionError("a mistake in a policy")

    pomdp, model = lived("tiger", 0)
    with pytest.raises(RolloutError, match="a mistake in a policy"):
        GraphUCT(pomdp, 5, rollout=Failing(pomdp.coding)).search(model, stream(1))


# ---------------------------------------------------------------------------------------------- options


def test_defaults() -> None:
    pomdp, model = lived("extended-tiger", 2)
    for leaves, rule in (("exact", "spread"), ("sampled", "ucb")):
        plain = GraphUCT(pomdp, 8, leaves=leaves)
        told = GraphUCT(pomdp, 8, leaves=leaves, simulations=500, rule=rule, ucb=DEFAULT_UCB[leaves][rule])
        assert same(plain.search(model, stream(1)), told.search(model, stream(1)))
    assert GraphUCT(pomdp, 8)._plan.exact


def test_leaves_are_sampled_where_the_table_would_be_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_uct, "MAX_TABLE", 6 * 2 * 3)
    pomdp = world("tiger")
    assert GraphUCT(pomdp, 5)._plan.exact
    assert not GraphUCT(pomdp, 6)._plan.exact
    with pytest.raises(ValueError, match="shorter horizon"):
        GraphUCT(pomdp, 6, leaves="exact")


@pytest.mark.parametrize(
    "wrong",
    [
        *({"horizon": 0}, {"horizon": 2.5}, {"simulations": 0}, {"ucb": -1.0}, {"ucb": float("nan")}),
        *({"seconds": 0}, {"seconds": float("nan")}, {"seconds": float("inf")}),
        *({"rule": "puct"}, {"leaves": "none"}, {"stop": "soon"}),
    ],
)
def test_options_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))) as caught:
        GraphUCT(world("tiger"), **{"horizon": 2, "simulations": 10, **wrong})  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_exact_leaves_are_those_of_uniform_rollouts() -> None:
    pomdp = world("tiger")
    with pytest.raises(ValueError, match="sample the leaves"):
        GraphUCT(pomdp, 5, leaves="exact", rollout=Remembering(pomdp.coding))
    assert not GraphUCT(pomdp, 5, rollout=Remembering(pomdp.coding))._plan.exact


def test_a_belief_about_another_environment_is_refused() -> None:
    with pytest.raises(ValueError, match="same environment"):
        GraphUCT(world("tiger"), 5).search(TrueModel(world("1d-maze")), stream(1))


# ---------------------------------------------------------------------------------------------- other modes of Numba

PROGRAM = """
import json
from aixi_approx import make
from aixi_approx.planners import graph_uct
from aixi_approx.predictors import TrueModel
from aixi_approx.randomness import stream
graph_uct.FIRST_ROOM = (2, 2, 2)
rows = []
for name in ("tiger", "kuhn-poker", "locks:2"):
    environment = make(name)
    for given in ({}, {"rule": "ucb"}, {"rule": "round-robin"}, {"leaves": "sampled"}):
        found = graph_uct.GraphUCT(environment, 6, simulations=60, **given).search(TrueModel(environment), stream(1))
        rows.append([found.action, found.value.tolist(), found.visits.tolist(), found.simulations])
print(json.dumps(rows))
"""


@pytest.mark.parametrize("mode", ["NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK"])
def test_same_search_in_plain_python_and_with_bounds_checked(mode: str, tmp_path: Path) -> None:
    runs = []
    for extra in ({}, {mode: "1", "NUMBA_CACHE_DIR": str(tmp_path)}):
        process = subprocess.run(
            [sys.executable, "-W", "error", "-c", PROGRAM],
            env={**os.environ, **extra},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        runs.append(json.loads(process.stdout))
    assert runs[0] == runs[1]

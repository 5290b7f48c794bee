"""The regret of a decision against a slow twin; in the long run it is what an agent misses; analysers ask until sure.

That the mean loss in the long run is the reward that is missed is the performance difference lemma, and it is exact.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import account, true_expectimax
from scipy.sparse import csr_array

from aixi_approx.environment import Percept
from aixi_approx.envs import make
from aixi_approx.laboratory.regret import PARTS, TIE, DecisionAnalyser, RegretParts, TrueValues, best, bounds, split
from aixi_approx.planner import SearchResult
from aixi_approx.planners.expectimax import Expectimax
from aixi_approx.planners.iterative_deepening import TooSlow
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.pomdp.markov_chain import long_run_reward
from aixi_approx.pomdp.solution import SAME, Solution
from aixi_approx.pomdp.solver import solve
from aixi_approx.predictors.context_tree import FactoredContextTree

# ---------------------------------------------------------------------------------------------- parts


@st.composite
def decisions(draw: Any) -> tuple[list[float], set[int] | None, set[int] | None, int, int | None, float]:
    """Values, the two best sets, what was found, what a policy does instead, epsilon."""
    count = draw(st.integers(1, 5))
    values = draw(st.lists(st.floats(-1e3, 1e3), min_size=count, max_size=count))
    some = st.none() | st.sets(st.integers(0, count - 1), min_size=1)
    action = st.integers(0, count - 1)
    return values, draw(some), draw(some), draw(action), draw(st.none() | action), draw(st.floats(0, 1))


def mask(actions: set[int] | None, count: int) -> np.ndarray | None:
    return None if actions is None else np.isin(np.arange(count), list(actions))


def lost(
    values: list[float],
    within: set[int] | None,
    model: set[int] | None,
    search: int,
    policy: int | None,
    epsilon: float,
) -> RegretParts:
    count = len(values)
    masks = {"within": mask(within, count), "model": mask(model, count)}
    return split(np.array(values, dtype=float), search, **masks, policy=policy, epsilon=epsilon)


@given(decision=decisions())
@settings(deadline=None, max_examples=300)
def test_parts_are_those_of_the_twin_and_add_up(decision: tuple[Any, ...]) -> None:
    found, expected = lost(*decision), account(*decision)
    assert found._asdict() == pytest.approx(expected, rel=1e-12, abs=1e-9, nan_ok=True)
    if None not in decision[1:3]:
        assert sum(found[:5]) == pytest.approx(found.total, rel=1e-12, abs=1e-12 * max(map(abs, decision[0])))


@given(decision=decisions())
@settings(deadline=None, max_examples=200)
def test_distillation_is_what_a_policy_loses_against_the_search(decision: tuple[Any, ...]) -> None:
    """Nothing without one, or where it does the same; of the other parts it changes exploration only."""
    values, within, model, search, policy, epsilon = decision
    found, searching = lost(*decision), lost(values, within, model, search, None, epsilon)
    assert searching.distillation == 0
    assert lost(values, within, model, search, search, epsilon) == pytest.approx(searching, nan_ok=True)
    assert found.distillation == (0 if policy is None else values[search] - values[policy])
    assert found[:3] == pytest.approx(searching[:3], nan_ok=True)
    if policy is not None:
        acting = lost(values, within, model, policy, None, epsilon)
        assert found.exploration == acting.exploration
        assert found.total == acting.total


@given(decision=decisions())
@settings(deadline=None, max_examples=100)
def test_what_is_not_known_makes_no_total_unknown(decision: tuple[Any, ...]) -> None:
    values, within, model, *taken = decision
    for a, b in ((None, model), (within, None), (None, None)):
        found = lost(values, a, b, *taken)
        unknown = {name for name in PARTS if math.isnan(getattr(found, name))}
        beside = [(a, "horizon"), (a, "prediction"), (b, "prediction"), (b, "decision")]
        assert unknown == {name for given, name in beside if given is None}
        assert found.total == lost(values, {0}, {0}, *taken).total


@given(decision=decisions(), rounded=st.booleans())
@settings(deadline=None, max_examples=200)
def test_nobody_is_blamed_for_a_choice_between_equals(decision: tuple[Any, ...], rounded: bool) -> None:
    values, within, model, search, policy, epsilon = decision
    values = [float(round(value / 500)) for value in values] if rounded else values  # more of them are equal
    knowing = set(np.flatnonzero(best(np.array(values))).tolist())
    model = model or {search}
    taken = search, policy, epsilon
    assert lost(values, knowing, model, *taken).horizon == pytest.approx(0, abs=TIE)
    assert lost(values, within, {*model, search}, *taken).decision == 0
    assert lost(values, {*knowing, search}, {*model, search}, *taken).prediction == 0
    same = [1.0] * len(values)
    assert lost(same, within or {0}, model, *taken) == pytest.approx((0,) * 6, abs=1e-15)


def test_a_stage_takes_what_the_next_one_takes_or_any() -> None:
    """Best within the horizon: 0 and 1; by the model: 1 and 2; found: 3. The model's are taken half each, so 1 is."""
    found = lost([8.0, 4.0, 2.0, 1.0], {0, 1}, {1, 2}, 3, None, 0.4)
    assert found == pytest.approx((8 - 4, 4 - 3, 3 - 1, 0, 1 - (0.6 * 1 + 0.1 * 15), 8 - 2.1))
    found = lost([8.0, 4.0, 2.0, 1.0], {0, 1}, {1, 2}, 1, 3, 0.4)
    assert found == pytest.approx((8 - 4, 0, 0, 4 - 1, 1 - (0.6 * 1 + 0.1 * 15), 8 - 2.1))


@given(decision=decisions(), data=st.data())
def test_bounds_hold_whatever_the_model_takes_for_the_best(decision: tuple[Any, ...], data: st.DataObject) -> None:
    """And they are reached: no narrower ones hold."""
    values, within, _, search, *_ = decision
    actions = range(len(values))
    within = {search} if within is None else within
    possible = data.draw(st.sets(st.sampled_from(actions), min_size=1))
    between = bounds(np.array(values), search, within=mask(within, len(values)), possible=mask(possible, len(values)))
    # A stage may take any of several equals, so each is alone the best here, in turn.
    pairs = [lost(values, {known}, {model}, search, None, 0.0) for known in within for model in possible]
    for part in ("prediction", "decision"):
        found = [getattr(parts, part) for parts in pairs]
        assert getattr(between, part) == pytest.approx((min(found), max(found)), abs=1e-9)


def test_an_action_may_lose_for_ever() -> None:
    values = [2.0, 1.0, -math.inf]
    assert lost(values, {0}, {1}, 1, None, 0.0) == (0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    assert lost(values, {0}, {0}, 2, None, 0.0) == pytest.approx((0, 0, math.inf, 0, math.nan, math.inf), nan_ok=True)
    assert lost(values, {0}, {0}, 0, 2, 0.0) == pytest.approx((0, 0, 0, math.inf, math.nan, math.inf), nan_ok=True)
    assert lost(values, {0}, {0}, 0, None, 0.1) == (0.0, 0.0, 0.0, 0.0, math.inf, math.inf)


# ---------------------------------------------------------------------------------------------- the truth

WORLDS = ("tiger", "corridor:2", "locks:1", "t-maze:1", "biased-rps")


@cache
def solved(name: str) -> tuple[POMDP, Solution]:
    pomdp = make(name)
    assert isinstance(pomdp, POMDP)
    return pomdp, solve(pomdp, merge=SAME)


def random_life(pomdp: POMDP, seed: int, cycles: int) -> list[tuple[int, Percept]]:
    pomdp.reset(seed)
    actions = np.random.default_rng(seed).integers(len(pomdp.actions), size=cycles).tolist()
    return [(action, pomdp.step(action)) for action in actions]


@given(name=st.sampled_from(WORLDS), seed=st.integers(0, 10**6), cycles=st.integers(0, 6), horizon=st.integers(1, 3))
@settings(deadline=None, max_examples=30)
def test_the_truth_is_expectimax_and_the_solution(name: str, seed: int, cycles: int, horizon: int) -> None:
    pomdp, solution = solved(name)
    truth = TrueValues(pomdp, horizon, solution=solution)
    for action, percept in random_life(pomdp, seed + 1, 5):
        truth.observe(action, percept)
    truth.restart()
    history = random_life(pomdp, seed, cycles)
    for action, percept in history:
        truth.observe(action, percept)
    belief = solution.belief(history)
    states = {pomdp.states[s]: p for s, p in zip(*belief, strict=True)}
    values = solution.action_values(history)
    assert truth.within() == pytest.approx(true_expectimax(pomdp, horizon, states), abs=1e-6)
    assert truth.long_run() == pytest.approx(values)
    for action in range(len(pomdp.actions)):
        assert truth.regret(action) == pytest.approx(max(values) - values[action])
    unsolved = TrueValues(pomdp, horizon, solution=None)
    assert unsolved.long_run() is None
    assert math.isnan(unsolved.regret(0))


def test_the_truth_gives_up_until_it_is_restarted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TrueValues, "MAX_BELIEFS", 2)
    pomdp, solution = solved("corridor:2")
    deep, shallow = (TrueValues(pomdp, horizon, solution=solution) for horizon in (4, 1))
    assert shallow.within() is not None
    assert deep.within() is None
    monkeypatch.setattr(deep._planner, "max_beliefs", math.inf)
    assert deep.within() is None, "it does not try again and again"
    assert deep.long_run() is not None
    deep.restart()
    assert deep.within() is not None


# ---------------------------------------------------------------------------------------------- the long run


@pytest.mark.parametrize("epsilon", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("horizon", [1, 2, 4])
@pytest.mark.parametrize("name", ["tiger", "corridor:2", "locks:1", "matrix:dilemma-tft"])
def test_the_mean_loss_in_the_long_run_is_the_reward_that_is_missed(name: str, horizon: int, epsilon: float) -> None:
    """Exactly: over the histories that come, of an agent that knows the environment and looks some cycles ahead."""
    pomdp, solution = solved(name)
    graph, count = solution.graph, len(pomdp.actions)
    values = np.array([solution.action_values(node) for node in range(graph.size)])
    within = np.array([solution.action_values(node, horizon) for node in range(graph.size)])
    losses, policy = np.zeros((graph.size, 6)), np.zeros((graph.size, count))
    for node in range(graph.size):
        knowing = best(within[node])
        for search in np.flatnonzero(knowing):  # each as often as the others
            parts = split(values[node], int(search), within=knowing, model=knowing, epsilon=epsilon)
            losses[node] += np.array(parts) / knowing.sum()
            policy[node, search] += (1 - epsilon) / knowing.sum()
        policy[node] += epsilon / count
    rows = np.arange(graph.size * count)
    choice = csr_array((policy.ravel(), (rows // count, rows)), shape=(graph.size, len(rows)))
    choice.eliminate_zeros()
    step = csr_array(choice @ graph.step)
    mean = [float(long_run_reward(step, np.ascontiguousarray(losses[:, part]))[0]) for part in range(6)]
    earned = float(long_run_reward(step, choice @ graph.reward)[0])
    assert mean[5] == pytest.approx(solution.lower - earned, abs=1e-7)
    assert mean[5] == pytest.approx(sum(mean[:5]), abs=1e-9)
    assert mean[1:4] == [0, 0, 0]
    if epsilon == 0:
        receding = solution.receding_reward(horizon)  # where what differs by 1e-6 is not yet the same
        assert mean[0] == pytest.approx(solution.lower - receding, abs=1e-3)
        assert mean[4] == 0
    if epsilon == 1:
        assert mean[5] == pytest.approx(solution.lower - pomdp.random_reward, abs=1e-7)
        assert mean[5] > 0.1 * abs(solution.lower)


# ---------------------------------------------------------------------------------------------- analysers


class Fixed:
    """A planner that knows its answer, or that there is none."""

    def __init__(self, value: list[float] | None, error: list[float] | None = None) -> None:
        self.value, self.error, self.asked = value, error, 0

    def search(self, predictor: Any, random: Any) -> SearchResult:
        self.asked += 1
        if self.value is None:
            raise TooSlow("too much")
        return SearchResult(0, np.array(self.value), np.zeros(len(self.value), dtype=np.int64), 0, np.array(self.error))


def analyser(*planners: Fixed) -> DecisionAnalyser:
    return DecisionAnalyser(planners, None, epsilon=0.0)  # type: ignore[arg-type]


def test_an_analyser_asks_until_it_is_sure() -> None:
    rough, finer, finest = Fixed([3.0, 2.0], [0.6, 0.6]), Fixed([2.0, 2.5], [0.2, 0.2]), Fixed([0.0, 9.0], [0.0, 0.0])
    analysis = analyser(rough, finer, finest)(None, b"a", action=0)
    assert analysis[:2] == (None, None)
    assert (analysis.simple_regret, analysis.certified) == (0.5, True)
    assert analysis.simple_regret_bounds == pytest.approx((0.1, 0.9))
    assert (rough.asked, finer.asked, finest.asked) == (1, 1, 0)


@pytest.mark.parametrize(("error", "certified"), [(0.0, True), (0.1, False)])
def test_equals_are_beyond_doubt_only_if_their_values_are_exact(error: float, certified: bool) -> None:
    equals = analyser(Fixed([1.0, 1.0, 0.0], [error, error, 0.0]))
    assert equals(None, b"", action=0).certified == certified
    either = analyser(Fixed([1.0, 1.0, 0.0], [0.0, error, 0.0]))
    assert either(None, b"", action=0).certified == certified, "the other may be better, or worse"
    one = analyser(Fixed([1.0, 0.5, 0.0], [0.2, error, 0.9]))
    assert not one(None, b"", action=0).certified, "the last may be the best"


def test_an_analyser_makes_do_with_what_it_got() -> None:
    analysis = analyser(Fixed([3.0, 2.0], [0.6, 0.6]), Fixed(None))(None, b"a", action=1)
    assert analysis[:2] == (None, None)
    assert (analysis.simple_regret, analysis.certified) == (1.0, False)
    assert analysis.simple_regret_bounds == pytest.approx((0.0, 2.2))


def test_an_analyser_remembers_gives_up_and_begins_anew() -> None:
    planner = Fixed([1.0, 0.0], [0.0, 0.0])
    analyse = analyser(planner)
    found = [analyse(None, b"a", action=action).simple_regret for action in (1, 0)]
    assert (found, planner.asked) == ([1.0, 0.0], 1)
    planner.value = None
    for context in (b"b", b"c", b"a"):
        nothing = analyse(None, context, action=1)
        assert math.isnan(nothing.simple_regret)
        assert not nothing.certified
    assert planner.asked == 2
    analyse.restart()
    assert analyse(None, b"a", action=1).simple_regret == 1.0
    assert math.isnan(analyse(None, b"b", action=1).simple_regret)
    assert math.isnan(analyse(None, b"a", action=1).simple_regret)
    assert planner.asked == 2


def test_an_analyser_splits_by_both_truths() -> None:
    """The model has learned nothing, so that left and right are the same to it; but right it is."""
    pomdp, solution = solved("corridor:2")
    truth, coding = TrueValues(pomdp, 4, solution=solution), pomdp.coding
    tree = FactoredContextTree(8, coding.action_bits, coding.percept_bits)
    analyse = DecisionAnalyser([Expectimax(coding, 2, prune=0.0)], truth, epsilon=0.5)
    analysis = analyse(tree, b"", action=pomdp.actions.index("left"))
    for loss, values in ((analysis.within_horizon, truth.within()), (analysis.long_run, truth.long_run())):
        assert loss is not None
        assert values is not None
        worse = values[1] - values[0]
        assert worse > 0.05
        assert loss == pytest.approx((0, worse, 0, 0, -worse / 4, 3 * worse / 4), abs=1e-9)
    assert (analysis.simple_regret, analysis.certified) == (0.0, True)
    assert analysis.bounds.decision == pytest.approx((0, 0)), "a choice between equals costs nothing"
    right, left = pomdp.actions.index("right"), pomdp.actions.index("left")
    distilled = analyse(tree, b"", action=right, policy=left).long_run
    assert distilled == pytest.approx((0, 0, 0, worse, -worse / 4, 3 * worse / 4), abs=1e-9)

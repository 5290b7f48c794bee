"""Searches that vote against their twin, searches run apart and joined by hand; any number of threads is one search."""

import math
from random import Random
from threading import Lock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import PlainPredictor
from test_pouct import lived
from test_rho_uct import live, same

from aixi_approx.builder import build_planner
from aixi_approx.envs import make
from aixi_approx.planner import SearchResult
from aixi_approx.planner_spec import JOINS, PlannerSpec
from aixi_approx.planners.pouct import POUCT
from aixi_approx.planners.rho_uct import RhoUCT
from aixi_approx.planners.root_parallel import RootParallel, join_results
from aixi_approx.predictor import PredictorError
from aixi_approx.randomness import below, stream

NAMES = ("coin-flip", "1d-maze", "tiger", "biased-rps", "kuhn-poker")


def best(result: SearchResult, among: set[int]) -> set[int]:
    """The actions of a set with the largest value, but for rounding."""
    tried = {action for action in among if result.visits[action]}
    return {a for a in tried if result.value[a] > max(result.value[b] for b in tried) - 1e-9}


def winners(results: list[SearchResult], join: str) -> set[int]:
    """The actions that a vote may end with, by counting it out."""
    actions = set(range(len(results[0].value)))
    votes = {action: sum(result.action == action for result in results) for action in actions}
    if join == "majority":
        actions = {action for action in actions if votes[action] == max(votes.values())}
    return best(plain_pool(results), actions)


def plain_pool(results: list[SearchResult]) -> SearchResult:
    """Visits and values of all searches; it has no action."""
    visits, value = [], []
    for action in range(len(results[0].value)):
        found = [(int(r.visits[action]), float(r.value[action])) for r in results if r.visits[action]]
        visits.append(sum(n for n, _ in found))
        value.append(math.fsum(n * v for n, v in found) / visits[-1] if found else math.nan)
    return SearchResult(-1, np.array(value), np.array(visits), sum(result.simulations for result in results))


def agree(found: SearchResult, results: list[SearchResult], join: str) -> None:
    pool = plain_pool(results)
    assert (found.visits.tolist(), found.simulations) == (pool.visits.tolist(), pool.simulations)
    assert np.allclose(found.value, pool.value, rtol=1e-12, atol=1e-12, equal_nan=True)
    assert found.action in winners(results, join)


# ---------------------------------------------------------------------------------------------- the twin


@given(
    name=st.sampled_from(NAMES),
    model=st.sampled_from(["ctw", "true"]),
    searches=st.integers(1, 7),
    more=st.integers(0, 100),
    join=st.sampled_from(JOINS),
    seed=st.integers(0, 2**64),
)
@settings(deadline=None, max_examples=60)
def test_equals_searches_run_apart(name: str, model: str, searches: int, more: int, join: str, seed: int) -> None:
    coding, predictor = live(name, 30) if model == "ctw" else (make(name).coding, lived(name, 3)[1])
    simulations = searches + more

    def fresh() -> RhoUCT | POUCT:
        return (
            RhoUCT(coding, 3, simulations=simulations)
            if model == "ctw"
            else POUCT(make(name), 3, simulations=simulations)
        )

    found = RootParallel([fresh()], searches, join=join).search(predictor, stream(seed))
    named = below(stream(seed), 1 << 53)
    apart = []
    for number in range(searches):
        share = len(range(number, simulations, searches))
        apart.append(fresh().search(predictor, stream(named, number), simulations=share))
    agree(found, apart, join)
    assert found.simulations == found.visits.sum() == simulations
    if join == "majority" and searches == 1:
        assert found.action == apart[0].action


@pytest.mark.parametrize("join", JOINS)
@pytest.mark.parametrize("model", ["ctw", "true"])
def test_threads_change_nothing(model: str, join: str) -> None:
    """To the last bit, over cycles in which the planners keep their memo."""
    environment = make("tiger")
    coding, predictor = live("tiger", 50) if model == "ctw" else (environment.coding, lived("tiger", 0)[1])
    voters = [
        build_planner(
            environment,
            PlannerSpec(horizon=4, simulations=203, join=join, searches=5),
            model=model,
            threads=threads,
        )
        for threads in (1, 2, 5, 9)
    ]
    assert [len(voting.planners) for voting in voters] == [1, 2, 5, 5]  # type: ignore[attr-defined]
    environment.reset(3)
    for cycle in range(12):
        found = [voting.search(predictor, stream(1, cycle), simulations=(None, 40)[cycle % 2]) for voting in voters]
        assert all(same(each, found[0]) for each in found)
        bits = coding.cycle(found[0].action, *environment.step(found[0].action))
        predictor.learn(bits)
        for voting in voters[:3]:
            voting.advance(found[0].action, bits[coding.action_bits :])
        voters[3].forget()


def test_planners_hear_of_what_was_learned() -> None:
    coding, tree = live("tiger", 50)
    voting = RootParallel([RhoUCT(coding, 3, simulations=4_000) for _ in range(2)], 2)
    action = voting.search(tree, stream(1)).action
    bits = coding.cycle(action, 0, -1)
    voting.advance(action, bits[coding.action_bits :])
    roots = [planner._root for planner in voting.planners]  # type: ignore[union-attr]
    assert min(roots) > 1, "the memo is not carried on"
    voting.forget()
    assert [planner._tree.used.tolist() for planner in voting.planners] == [[2, 1]] * 2


def test_a_search_leaves_the_predictor_as_it_is() -> None:
    coding, tree = live("kuhn-poker", 50)
    before = tree.snapshot()
    for threads in (1, 3):
        RootParallel([RhoUCT(coding, 3, simulations=300) for _ in range(threads)], 3).search(tree, stream(1))
        assert tree.snapshot() == before


# ---------------------------------------------------------------------------------------------- the join


@st.composite
def root_results(draw: st.DrawFn) -> list[SearchResult]:
    """What up to 6 searches found about up to 4 actions. Values are quarters, so that many are equal."""
    actions = draw(st.integers(1, 4))
    results = []
    for _ in range(draw(st.integers(1, 6))):
        visits = np.array(draw(st.lists(st.integers(0, 5), min_size=actions, max_size=actions).filter(any)))
        quarters = np.array(draw(st.lists(st.integers(-8, 8), min_size=actions, max_size=actions)))
        value = np.where(visits > 0, quarters / 4, np.nan)
        action = draw(st.sampled_from(np.flatnonzero(value == np.nanmax(value)).tolist()))
        results.append(SearchResult(action, value, visits, int(visits.sum())))
    return results


@given(results=root_results(), join=st.sampled_from(JOINS), seed=st.integers(0, 2**64), order=st.randoms())
def test_the_order_of_the_searches_does_not_matter(
    results: list[SearchResult], join: str, seed: int, order: Random
) -> None:
    agree(join_results(results, join, random=stream(seed)), results, join)
    shuffled = list(results)
    order.shuffle(shuffled)
    agree(join_results(shuffled, join, random=stream(seed)), results, join)


def result(action: int, *values_and_visits: tuple[float, int]) -> SearchResult:
    value, visits = (np.array(each) for each in zip(*values_and_visits, strict=True))
    return SearchResult(action, value, visits, int(visits.sum()))


def test_a_majority_is_not_outvoted_by_a_large_value() -> None:
    results = [result(0, (2.0, 9), (1.0, 1)), result(0, (2.0, 9), (1.0, 1)), result(1, (0.0, 1), (90.0, 9))]
    assert (
        join_results(results, "majority", random=stream(1)).action,
        join_results(results, "pooled", random=stream(1)).action,
    ) == (0, 1)


def test_a_tie_goes_to_the_larger_value_and_then_to_chance() -> None:
    results = [result(0, (2.0, 4), (1.0, 1), (9.0, 1)), result(1, (1.0, 1), (5.0, 4), (9.0, 1))]
    for seed in range(20):
        assert join_results(results, "majority", random=stream(seed)).action == 1
    assert (0.1 * 1 + 0.1 * 1) / 2 != (0.1 * 1 + 0.1 * 2) / 3, "equal values that rounding tells apart"
    level = [result(0, (0.1, 1), (0.1, 1)), result(1, (0.1, 1), (0.1, 2))]
    for join in JOINS:
        taken = [join_results(level, join, random=stream(seed)).action for seed in range(400)]
        assert 200 - 5 * 10 < sum(taken) < 200 + 5 * 10


def test_values_are_averaged_by_visits_of_the_searches_that_tried() -> None:
    joined = join_results(
        [result(0, (1.0, 3), (math.nan, 0)), result(0, (5.0, 1), (math.nan, 0))], "pooled", random=stream(1)
    )
    assert joined.value.tolist()[0] == 2.0
    assert math.isnan(joined.value[1])
    assert joined.visits.tolist() == [4, 0]


# ---------------------------------------------------------------------------------------------- faults


def test_more_searches_than_simulations_are_refused() -> None:
    coding, tree = live("tiger", 5)
    with pytest.raises(ValueError, match="11 searches can't share 10 simulations: take as many simulations") as caught:
        RootParallel([RhoUCT(coding, 3, simulations=10)], 11)
    assert "\n" not in str(caught.value)
    voting = RootParallel([RhoUCT(coding, 3, simulations=10)], 10)
    assert voting.search(tree, stream(1)).visits.sum() == 10
    with pytest.raises(ValueError, match="10 searches can't share 9 simulations"):
        voting.search(tree, stream(1), simulations=9)


def test_nonsense_is_refused() -> None:
    planner = RhoUCT(make("tiger").coding, 3, simulations=10)
    for wrong, message in (
        (([], 2), "number of planners is 0"),
        (([planner], 0), "searches is 0"),
        (([planner], 2.5), "searches is 2.5"),
        (([planner], 2, "plurality"), "join is 'plurality': it must be one of majority, pooled"),
    ):
        with pytest.raises(ValueError, match=message):
            RootParallel(*wrong[:2], **dict(zip(["join"], wrong[2:], strict=False)))  # type: ignore[arg-type]


def test_a_predictor_that_fails_in_a_thread_is_heard_of() -> None:
    class Failing(PlainPredictor):
        def predict(self) -> float:
            raise ZeroDivisionError("a mistake in a predictor")

        def copy(self) -> "Failing":
            return Failing(4, self.action_bits, self.percept_bits)

    coding = make("coin-flip").coding
    predictor = Failing(4, coding.action_bits, coding.percept_bits)
    for threads in (1, 2):
        with pytest.raises(PredictorError, match="a mistake in a predictor"):
            RootParallel([RhoUCT(coding, 3, simulations=100) for _ in range(threads)], 4).search(predictor, stream(1))


def test_a_predictor_in_python_has_threads_if_it_has_copies() -> None:
    coding = make("coin-flip").coding
    planners = [RhoUCT(coding, 2, simulations=40) for _ in range(2)]
    predictor = PlainPredictor(4, coding.action_bits, coding.percept_bits)
    alone = RootParallel(planners[:1], 4).search(predictor, stream(1))
    assert same(RootParallel(planners, 4).search(predictor, stream(1)), alone)
    predictor.lock = Lock()  # type: ignore[attr-defined]
    with pytest.raises(PredictorError, match=r"PlainPredictor can't be copied \(.*lock.*\): give it a method copy"):
        RootParallel(planners, 4).search(predictor, stream(1))
    predictor.copy = lambda: PlainPredictor(4, coding.action_bits, coding.percept_bits)  # type: ignore[method-assign]
    assert same(RootParallel(planners, 4).search(predictor, stream(1)), alone)

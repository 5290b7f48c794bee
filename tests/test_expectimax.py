"""Exact planners against expectimax as it is written down; what is pruned is accounted for; what is slow is refused."""

import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import PlainPredictor, expectimax, true_expectimax
from test_pouct import NAMES, lived
from test_rho_uct import live

from aixi_approx.coding import Coding
from aixi_approx.envs import make
from aixi_approx.experiments.running import compile_kernels
from aixi_approx.planners.belief_expectimax import BeliefExpectimax, _most_beliefs
from aixi_approx.planners.expectimax import ASKED, Expectimax
from aixi_approx.planners.iterative_deepening import TooSlow, deepen
from aixi_approx.planners.rho_uct import RhoUCT
from aixi_approx.predictor import PredictorError
from aixi_approx.predictors.context_tree import FactoredContextTree
from aixi_approx.predictors.true_model import TrueModel
from aixi_approx.randomness import stream

SMALL = [("coin-flip", 3), ("1d-maze", 4), ("biased-rps", 2), ("tiger", 1), ("kuhn-poker", 1), ("4x4-grid", 2)]


@pytest.fixture(autouse=True, scope="module")
def compiled() -> None:
    """The time to compile is not to be counted."""
    compile_kernels("ctw", "expectimax")


@pytest.mark.parametrize("cycles", [0, 200])
@pytest.mark.parametrize(("name", "horizon"), SMALL)
def test_equals_the_reference(name: str, horizon: int, cycles: int) -> None:
    coding, tree = live(name, cycles, depth=8)
    before = tree.snapshot()
    found = Expectimax(coding, horizon, prune=0).search(tree, stream(1))
    assert tree.snapshot() == before
    assert found.value == pytest.approx(expectimax(coding, tree, horizon), rel=1e-12, abs=1e-12)
    assert found.error is not None
    assert not found.error.any()
    assert found.value[found.action] >= found.value.max() - 1e-9


@given(
    case=st.sampled_from(SMALL),
    cycles=st.integers(0, 300),
    prune=st.floats(0, 0.3),
    seed=st.integers(0, 10**6),
)
@settings(deadline=None, max_examples=40)
def test_the_value_lies_within_its_error(case: tuple[str, int], cycles: int, prune: float, seed: int) -> None:
    name, horizon = case
    coding, tree = live(name, cycles, depth=8, seed=seed)
    found = Expectimax(coding, horizon, prune=prune).search(tree, stream(1))
    exact = Expectimax(coding, horizon, prune=0).search(tree, stream(1)).value
    assert found.error is not None
    assert np.all(abs(found.value - exact) <= found.error + 1e-9)
    assert found.error.max() <= horizon * (coding.max_reward - coding.min_reward) / 2


def test_pruning_less_errs_less() -> None:
    coding, tree = live("tiger", 1_000)
    results = [Expectimax(coding, 3, prune=prune).search(tree, stream(1)) for prune in (0.1, 1e-2, 1e-3, 1e-4)]
    errors = [result.error.max() for result in results if result.error is not None]
    assert errors == sorted(errors, reverse=True)
    assert 0 < errors[-1] < 0.4 < errors[0]


@pytest.mark.parametrize(("name", "horizon", "prune"), [("tiger", 4, 1e-3), ("biased-rps", 4, 1e-2), ("1d-maze", 3, 0)])
def test_the_work_keeps_to_its_bound(name: str, horizon: int, prune: float) -> None:
    """What is pruned is a path as a whole, not a percept."""
    coding, tree = live(name, 0)
    planner = Expectimax(coding, horizon, prune=prune)
    planner.search(tree, stream(1))
    assert planner._path.at[ASKED] <= planner._most_work()


def test_a_reward_that_is_known_is_known_though_the_observation_is_pruned() -> None:
    coding = Coding(actions=1, action_bits=1, reward_bits=1, observation_bits=8, min_reward=0, max_reward=1)
    tree = FactoredContextTree(2, 1, 9)
    found = Expectimax(coding, 2, prune=0.3).search(tree, stream(1))  # each observation has probability 2^-8
    assert (found.value.tolist(), found.error.tolist()) == ([1.0], [0.5])  # type: ignore[union-attr]


def test_rewards_beyond_the_largest_count_as_the_largest() -> None:
    coding = Coding(actions=2, action_bits=1, reward_bits=3, observation_bits=1, min_reward=-2, max_reward=1)
    mean = np.mean([min(-2 + code, 1) for code in range(8)])
    for prune in (0.0, 0.3):
        found = Expectimax(coding, 1, prune=prune).search(FactoredContextTree(2, 1, 4), stream(1))
        assert np.all(abs(found.value - mean) <= found.error + 1e-12)  # type: ignore[operator]
    assert found.error.tolist() == [0.25, 0.25]  # type: ignore[union-attr]  # pairs of 1/4 left: -2 -1, 0 1, 1 1, 1 1


def test_a_predictor_in_python_and_one_that_is_certain() -> None:
    coding, tree = live("biased-rps", 30)
    plain = PlainPredictor(16, coding.action_bits, coding.percept_bits)
    environment = make("biased-rps")
    environment.reset(1)
    for action in np.random.default_rng(1).integers(coding.actions, size=30).tolist():
        plain.learn(coding.cycle(action, *environment.step(action)))
    one, other = (Expectimax(coding, 1).search(predictor, stream(5)) for predictor in (tree, plain))
    assert one.value == pytest.approx(other.value, rel=1e-9)
    pomdp, model = lived("tiger", 3)
    belief = {pomdp.states[s]: p for s, p in zip(*model.belief, strict=True)}
    found = Expectimax(pomdp.coding, 3, prune=0).search(model, stream(1))
    assert found.value == pytest.approx(true_expectimax(pomdp, 3, belief), abs=1e-9)


@given(
    name=st.sampled_from([name for name in NAMES if name != "tic-tac-toe"]),
    cycles=st.integers(0, 5),
    horizon=st.integers(1, 3),
    seed=st.integers(0, 10**6),
)
@settings(deadline=None, max_examples=40)
def test_on_beliefs_it_is_the_same(name: str, cycles: int, horizon: int, seed: int) -> None:
    pomdp, model = lived(name, cycles, seed)
    belief = {pomdp.states[s]: p for s, p in zip(*model.belief, strict=True)}
    planner = BeliefExpectimax(pomdp, horizon)
    planner.search(TrueModel(pomdp), stream(1))  # what is remembered from one search does not change the next
    found = planner.search(model, stream(1))
    assert found.value == pytest.approx(true_expectimax(pomdp, horizon, belief), abs=1e-9)
    assert found.value[found.action] >= found.value.max() - 1e-9


def test_on_beliefs_it_is_fast() -> None:
    pomdp = make("tiger")
    began = time.process_time()
    found = BeliefExpectimax(pomdp, 5).search(TrueModel(pomdp), stream(1))  # type: ignore[arg-type]
    assert time.process_time() - began < 0.1
    assert found.value == pytest.approx(true_expectimax(pomdp, 5))  # type: ignore[arg-type]


def test_equal_actions_are_chosen_at_random() -> None:
    coding = make("coin-flip").coding
    tree = FactoredContextTree(8, coding.action_bits, coding.percept_bits)
    chosen = [Expectimax(coding, 1).search(tree, stream(seed)).action for seed in range(400)]
    assert abs(sum(chosen) - 200) < 50
    grid = make("4x4-grid")
    planner = BeliefExpectimax(grid, 2)  # type: ignore[arg-type]
    seen = {planner.search(TrueModel(grid), stream(seed)).action for seed in range(20)}  # type: ignore[arg-type]
    assert seen == {grid.actions.index("right"), grid.actions.index("down")}


# ---------------------------------------------------------------------------------------------- the time limit


@pytest.mark.parametrize(("horizon", "prune"), [(3, 0.0), (30, 1e-12)])
def test_what_takes_too_long_is_refused_before_it_begins(horizon: int, prune: float) -> None:
    coding, tree = live("tiger", 50)
    before, began = tree.snapshot(), time.monotonic()
    message = rf"^expectimax to horizon {horizon}: it would take about .* a decision, more than 3 s: .* larger prune$"
    with pytest.raises(TooSlow, match=message):
        Expectimax(coding, horizon, prune=prune, time_limit=3).search(tree, stream(1))
    assert time.monotonic() - began < 3
    assert tree.snapshot() == before


def test_on_beliefs_too() -> None:
    pomdp, model = lived("4x4-grid", 0)
    with pytest.raises(TooSlow, match=r"^expectimax to horizon 40: it would take .* take a shorter horizon$"):
        BeliefExpectimax(pomdp, 40, time_limit=0.5).search(model, stream(1))


def test_deepening_asks_the_growth(monkeypatch: pytest.MonkeyPatch) -> None:
    """One unit of work takes a millisecond of a clock of our own."""
    clock, ran = [0], [0]
    monkeypatch.setattr("aixi_approx.planners.iterative_deepening.time.perf_counter", lambda: clock[0] / 1000)

    def deepened(work: list[int], time_limit: float, most: float = np.inf) -> list[int]:
        def search(horizon: int) -> Iterator[int]:
            ran.append(horizon)
            for _ in range(work[horizon - 1]):
                clock[0] += 1
                yield 1

        ran.clear()
        deepen(search, len(work), time_limit=time_limit, most=most, remedy="do less")
        return ran

    fours = [4**h for h in range(10)]  # 262 s at horizon 10
    with pytest.raises(
        TooSlow, match=r"^expectimax to horizon 10: it would take about 4 minutes .*, more than 1 s: do l"
    ):
        deepened(fours, 1.0)
    assert ran == [1, 2, 3]  # the next takes more than a twentieth of the time limit
    assert deepened(fours[:5], 1.0) == [1, 2, 3, 4, 5]
    with pytest.raises(TooSlow, match="it would take about"):
        deepened([1, 10, 50, 50, 50], 0.5)
    assert deepened([1, 10, 50, 50, 50], 0.5, most=50) == [1, 2, 3, 4, 5]  # a bound on the work overrules the growth
    with pytest.raises(TooSlow, match=r"horizon 2 alone takes longer than 0\.1 s: do less"):
        deepened([1, 1000], 0.1)
    assert clock[0] < 3_000


@pytest.mark.parametrize("time_limit", [10.0, 1e9, np.inf])
@pytest.mark.parametrize("chunk", [1, 7, 1_000_000])
def test_a_number_of_queries_is_the_same_on_any_machine(time_limit: float, chunk: int) -> None:
    """However fast it is, and so however the search is cut into chunks."""
    coding, tree = live("coin-flip", 30, depth=8)

    def planner(most: float) -> Expectimax:
        made = Expectimax(coding, 4, prune=0.0, time_limit=time_limit, max_queries=most)
        made._slices = lambda count: iter([(chunk, 0)] * 100_000)  # type: ignore[assignment, misc, return-value]
        return made

    free = planner(np.inf)
    expected = free.search(tree, stream(1))
    work = int(free._path.at[ASKED])
    assert work > 100
    found = planner(work).search(tree, stream(1))
    assert (found.action, found.value.tolist()) == (expected.action, expected.value.tolist())
    for most, horizon in ((work - 1, 4), (100, 3), (3, 2), (1, 1)):
        with pytest.raises(TooSlow) as refusal:
            planner(most).search(tree, stream(1))
        told = f"expectimax to horizon 4: horizon {horizon} alone takes more than {most:,} steps: "
        assert str(refusal.value) == told + "take a shorter horizon or a larger prune"
    assert np.array_equal(planner(np.inf).search(tree, stream(1)).value, expected.value), "a refusal leaves no trace"


@pytest.mark.parametrize("time_limit", [10.0, np.inf])
def test_a_number_of_beliefs(time_limit: float) -> None:
    pomdp, model = lived("tiger", 3)
    free = BeliefExpectimax(pomdp, 4, time_limit=time_limit)
    expected = free.search(model, stream(1))
    most = max(map(len, free._layers))
    planner = BeliefExpectimax(pomdp, 4, time_limit=time_limit, max_beliefs=most - 1)
    for _ in range(2):  # what is remembered does not make it less
        with pytest.raises(
            TooSlow, match=rf"^expectimax to horizon 4: horizon 4 alone takes more than {most - 1} steps: "
        ):
            planner.search(model, stream(1))
    fits = BeliefExpectimax(pomdp, 4, time_limit=time_limit, max_beliefs=most).search(model, stream(1))
    assert (fits.action, fits.value.tolist()) == (expected.action, expected.value.tolist())


def test_horizons_of_thousands() -> None:
    """The work at the last one is estimated to be beyond all floats, but for what bounds it."""
    pomdp, model = lived("tiger", 0)
    found = BeliefExpectimax(pomdp, 1_000, time_limit=np.inf).search(model, stream(1))
    assert found.value.max() == pytest.approx(1_000 * 595 / 549, rel=0.01)


def test_limits_are_no_less_than_nothing() -> None:
    with pytest.raises(ValueError, match="max_queries is -1"):
        Expectimax(make("tiger").coding, 2, max_queries=-1)


def test_what_is_fully_observed_has_no_more_beliefs_than_states() -> None:
    game, _ = lived("tic-tac-toe", 0)
    assert _most_beliefs(game) == len(game.states)
    assert _most_beliefs(lived("tiger", 0)[0]) == np.inf


# ---------------------------------------------------------------------------------------------- faults


def test_a_predictor_that_raises_is_a_predictor_error_and_is_left_as_it_was() -> None:
    class Failing(PlainPredictor):
        left = 20

        def predict(self) -> float:
            self.left -= 1
            return 1 / max(0, self.left) if self.left < 1 else super().predict()

    coding = make("coin-flip").coding
    predictor = Failing(4, coding.action_bits, coding.percept_bits)
    with pytest.raises(PredictorError, match=r"ZeroDivisionError|division by zero"):
        Expectimax(coding, 3, prune=0).search(predictor, stream(1))
    assert predictor.trees.history == []


@pytest.mark.parametrize("p", [float("nan"), 1.5, -0.5])
def test_a_predictor_that_gives_no_probability_is_refused(p: float) -> None:
    class Wrong(PlainPredictor):
        def predict(self) -> float:
            return p

    coding = make("coin-flip").coding
    with pytest.raises(PredictorError):
        Expectimax(coding, 2).search(Wrong(4, coding.action_bits, coding.percept_bits), stream(1))


def test_ctrl_c_in_a_predictor_is_ctrl_c() -> None:
    class Interrupted(PlainPredictor):
        def predict(self) -> float:
            raise KeyboardInterrupt

    coding = make("coin-flip").coding
    with pytest.raises(KeyboardInterrupt):
        Expectimax(coding, 2).search(Interrupted(4, coding.action_bits, coding.percept_bits), stream(1))


def test_a_predictor_of_other_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="the predictor reads"):
        Expectimax(make("tiger").coding, 2).search(FactoredContextTree(8, 1, 1), stream(1))


@pytest.mark.parametrize(
    "wrong", [{"horizon": 0}, {"horizon": 2.5}, {"prune": -0.1}, {"prune": 1.5}, {"time_limit": -1}]
)
def test_options_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Expectimax(make("tiger").coding, **{"horizon": 2, **wrong})  # type: ignore[arg-type]


def test_rho_uct_tends_to_it() -> None:
    coding, tree = live("kuhn-poker", 300)
    exact = Expectimax(coding, 2, prune=1e-5).search(tree, stream(1))
    found = RhoUCT(coding, 2, simulations=300_000, ucb=0.3).search(tree, stream(1))
    assert found.value.max() == pytest.approx(exact.value.max(), abs=0.05)

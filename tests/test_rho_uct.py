"""rhoUCT against its twins: a plain recursive search on the same random stream, expectimax, itself without the memo."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import PlainPredictor, PlainSearch, expectimax

from aixi_approx.coding import Coding
from aixi_approx.envs import make
from aixi_approx.planners.rho_uct import RhoUCT
from aixi_approx.planners.tree_search import ROOT
from aixi_approx.predictor import PredictorError
from aixi_approx.predictors.context_tree import FactoredContextTree, Work
from aixi_approx.randomness import draw, stream

NAMES = ("coin-flip", "1d-maze", "tiger", "4x4-grid", "biased-rps", "kuhn-poker")


def live(name: str, cycles: int, depth: int = 16, seed: int = 1) -> tuple[Coding, FactoredContextTree]:
    """A predictor that has lived some random cycles."""
    environment = make(name)
    environment.reset(seed)
    coding = environment.coding
    tree = FactoredContextTree(depth, coding.action_bits, coding.percept_bits)
    for action in np.random.default_rng(seed).integers(coding.actions, size=cycles):
        tree.learn(coding.cycle(int(action), *environment.step(int(action))))
    return coding, tree


def same(one: object, other: object) -> bool:
    return repr(one) == repr(other)  # of arrays of doubles: to the last bit, NaN like NaN


# ---------------------------------------------------------------------------------------------- the twins


@given(
    name=st.sampled_from(NAMES),
    cycles=st.integers(0, 60),
    horizon=st.integers(1, 5),
    simulations=st.integers(1, 60),
    plies=st.integers(1, 5),
    ucb=st.sampled_from([0.0, 0.3, 2.0**0.5]),
    seed=st.integers(0, 2**64),
)
@settings(deadline=None, max_examples=60)
def test_equals_the_plain_search(
    name: str, cycles: int, horizon: int, simulations: int, plies: int, ucb: float, seed: int
) -> None:
    coding, tree = live(name, cycles)
    plies = min(plies, horizon)
    found = RhoUCT(coding, horizon, simulations=simulations, ucb=ucb, plies=plies).search(tree, stream(seed))
    plain = PlainSearch(coding, horizon, ucb, tree, stream(seed), plies)
    plain.run(simulations)
    for action in range(coding.actions):
        assert found.visits[action] == plain.visits.get((action,), 0)
        if found.visits[action]:
            assert found.value[action] == plain.value[action,]
    assert found.value[found.action] == np.nanmax(found.value)


def test_the_constant_of_ucb_is_the_square_root_of_two() -> None:
    """Where none is given; so near to it that another constant makes another search."""
    coding, tree = live("tiger", 40)
    found = RhoUCT(coding, 3, simulations=2_000).search(tree, stream(1))
    plain = PlainSearch(coding, 3, 2**0.5, tree, stream(1))
    plain.run(2_000)
    assert found.visits.tolist() == [plain.visits[a,] for a in range(coding.actions)]
    near = RhoUCT(coding, 3, simulations=2_000, ucb=1.01 * 2**0.5).search(tree, stream(1))
    assert near.visits.tolist() != found.visits.tolist()


@given(
    name=st.sampled_from(NAMES),
    cycles=st.integers(0, 60),
    horizon=st.integers(1, 5),
    simulations=st.integers(1, 300),
    seed=st.integers(0, 2**64),
)
@settings(deadline=None, max_examples=60)
def test_the_memo_changes_nothing_and_the_search_changes_nothing(
    name: str, cycles: int, horizon: int, simulations: int, seed: int
) -> None:
    coding, tree = live(name, cycles)
    before = tree.snapshot()
    results = [
        RhoUCT(coding, horizon, simulations=simulations, memo=memo).search(tree, stream(seed)) for memo in (True, False)
    ]
    assert same(*results)
    assert tree.snapshot() == before


@pytest.mark.parametrize("name", NAMES)
def test_the_memo_carried_over_cycles_changes_nothing(name: str) -> None:
    coding, tree = live(name, 50)
    environment = make(name)
    carrying, fresh = RhoUCT(coding, 4, simulations=200), RhoUCT(coding, 4, simulations=200, memo=False)
    carried = 0
    for t in range(40):
        one, other = (planner.search(tree, stream(3, t)) for planner in (carrying, fresh))
        assert same(one, other)
        percept = environment.step(one.action)
        bits = coding.cycle(one.action, *percept)
        carrying.advance(one.action, bits[coding.action_bits :])
        if t % 3 == 0:  # an exploring cycle goes by without a search
            tree.learn(bits)
            percept = environment.step(0)
            bits = coding.cycle(0, *percept)
            carrying.advance(0, bits[coding.action_bits :])
        tree.learn(bits)
        carried += carrying._root > ROOT
    assert carried > 10


def test_rollouts_that_find_no_room_in_the_memo_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    coding, tree = live("kuhn-poker", 50)
    roomy = RhoUCT(coding, 4, simulations=500).search(tree, stream(1))
    monkeypatch.setattr(RhoUCT, "ROLLOUT_NODES", 100)
    assert same(RhoUCT(coding, 4, simulations=500).search(tree, stream(1)), roomy)


@pytest.mark.parametrize("name", NAMES)
def test_learning_what_is_not_asked_for_again_would_change_nothing(name: str) -> None:
    coding, tree = live(name, 100)
    skipped = RhoUCT(coding, 3, simulations=300).search(tree, stream(1))
    tree.independent_bits = False
    assert same(RhoUCT(coding, 3, simulations=300).search(tree, stream(1)), skipped)


@pytest.mark.parametrize("name", NAMES)
def test_the_work_of_a_search_is_a_function_of_the_seed(name: str) -> None:
    def work(seed: int, memo: bool = True, simulations: int = 300) -> Work:
        coding, tree = live(name, 50)
        lived = tree.work
        RhoUCT(coding, 3, simulations=simulations, memo=memo).search(tree, stream(seed))
        return Work(*(after - before for after, before in zip(tree.work, lived, strict=True)))

    assert work(1) == work(1)
    assert work(1).bits < work(1, simulations=600).bits  # what a search undoes counts
    assert work(1).bits < work(1, memo=False).bits
    assert len({work(seed) for seed in range(4)}) > 1


def test_searches_in_copies_of_a_predictor_are_the_same_search() -> None:
    coding, tree = live("tiger", 80)
    found = RhoUCT(coding, 4, simulations=300).search(tree.copy(), stream(1))
    assert same(RhoUCT(coding, 4, simulations=300).search(tree, stream(1)), found)


def test_a_predictor_in_python_gives_the_same_search() -> None:
    coding, tree = live("tiger", 30)
    plain = PlainPredictor(16, coding.action_bits, coding.percept_bits)
    environment = make("tiger")
    environment.reset(1)
    for action in np.random.default_rng(1).integers(coding.actions, size=30):
        plain.learn(coding.cycle(int(action), *environment.step(int(action))))
    one, other = (RhoUCT(coding, 3, simulations=60).search(predictor, stream(5)) for predictor in (tree, plain))
    assert one.visits.tolist() == other.visits.tolist()
    assert np.allclose(one.value, other.value, rtol=1e-9, equal_nan=True)


@pytest.mark.parametrize(("name", "horizon"), [("coin-flip", 3), ("1d-maze", 3), ("biased-rps", 2), ("tiger", 1)])
def test_tends_to_expectimax(name: str, horizon: int) -> None:
    """The mean return of the best action comes near its exact value, from below, as simulations grow."""
    coding, tree = live(name, 200, depth=8)
    exact = np.array(expectimax(coding, tree, horizon))
    scale = horizon * (coding.max_reward - coding.min_reward)
    errors = []
    for simulations in (100, 10_000, 300_000):
        planner = RhoUCT(coding, horizon, simulations=simulations, ucb=0.3)
        found = [planner.search(tree, stream(seed, simulations)) for seed in range(3)]
        errors.append(np.mean([abs(f.value[f.action] - exact.max()) / scale for f in found]))
    assert errors[2] < errors[0]
    assert errors[2] < 0.01
    assert all(exact[f.action] > exact.max() - 0.01 * scale for f in found)


# ---------------------------------------------------------------------------------------------- decisions


def test_percepts_are_sampled_not_maximised() -> None:
    """A peer that takes the likelier bit scores 0.64 on a coin of 0.8."""
    coding = Coding(actions=1, action_bits=1, reward_bits=1, observation_bits=1, min_reward=0, max_reward=1)
    tree = FactoredContextTree(4, 1, 2)
    for reward in (np.random.default_rng(0).random(3_000) < 0.8).astype(int).tolist():
        tree.learn(coding.cycle(0, 0, reward))
    exact = expectimax(coding, tree, 1)[0]
    found = RhoUCT(coding, 1, simulations=40_000).search(tree, stream(1)).value[0]
    assert found == pytest.approx(exact, abs=4 * 0.4 / 200)


def test_percepts_that_differ_in_the_reward_alone_are_different_nodes() -> None:
    """In the 1d-maze there is one observation; three peers merge all percepts there."""
    coding, tree = live("1d-maze", 300)
    planner = RhoUCT(coding, 2, simulations=2_000)
    found = planner.search(tree, stream(1))
    second = []
    for reward in (0, 1):
        planner._root = ROOT
        planner.advance(found.action, coding.cycle(found.action, 0, reward)[coding.action_bits :])
        second.append(planner._root)
    assert len({ROOT, 0, *second}) == 4


def test_an_imagined_reward_beyond_the_largest_counts_as_the_largest() -> None:
    coding = Coding(actions=2, action_bits=1, reward_bits=3, observation_bits=1, min_reward=-2, max_reward=1)
    assert coding.percept([1, 1, 1, 0]) == (0, 1)
    value = RhoUCT(coding, 2, simulations=5_000).search(FactoredContextTree(2, 1, 4), stream(1)).value
    codes = [min(-2 + code, 1) for code in range(8)]
    assert value == pytest.approx([2 * np.mean(codes)] * 2, abs=0.1)


def test_untried_actions_first_and_ties_at_random() -> None:
    coding = Coding(actions=4, action_bits=2, reward_bits=1, observation_bits=1, min_reward=0, max_reward=0)
    tree = FactoredContextTree(2, 2, 2)
    first, best = np.zeros(4), np.zeros(4)
    for seed in range(2_000):
        first += RhoUCT(coding, 1, simulations=1).search(tree, stream(seed)).visits
        found = RhoUCT(coding, 1, simulations=4).search(tree, stream(seed))
        assert found.visits.tolist() == [1, 1, 1, 1]
        best[found.action] += 1
    assert np.all(abs(first - 500) < 5 * 500**0.5)
    assert np.all(abs(best - 500) < 5 * 500**0.5)


def test_explores_where_all_rewards_are_negative() -> None:
    """A bonus scaled by the largest reward would be nothing here."""
    coding = Coding(actions=2, action_bits=1, reward_bits=7, observation_bits=1, min_reward=-100, max_reward=0)
    found = RhoUCT(coding, 3, simulations=1_000).search(FactoredContextTree(4, 1, 8), stream(1))
    assert found.visits.min() > 300


def test_a_search_cut_into_chunks_is_the_same_search(monkeypatch: pytest.MonkeyPatch) -> None:
    coding, tree = live("tiger", 50)
    whole = RhoUCT(coding, 4, simulations=300).search(tree, stream(1))
    monkeypatch.setattr(RhoUCT, "CHUNK_SECONDS", 0.0)  # one simulation at a time
    assert same(RhoUCT(coding, 4, simulations=300).search(tree, stream(1)), whole)


def test_a_search_with_a_time_is_the_search_of_as_many_simulations(monkeypatch: pytest.MonkeyPatch) -> None:
    """A budget that is soon over leaves at least one simulation; one that never is over, as many as there may be."""
    coding, tree = live("tiger", 50)
    before = tree.snapshot()
    for memo in (True, False):
        soon = RhoUCT(coding, 4, simulations=1 << 30, memo=memo, seconds=1e-9).search(tree, stream(1))
        assert soon.simulations == soon.visits.sum() == 1
        assert same(RhoUCT(coding, 4, simulations=1, memo=memo).search(tree, stream(1)), soon)
        whole = RhoUCT(coding, 4, simulations=3_000, memo=memo).search(tree, stream(1))
        patient = RhoUCT(coding, 4, simulations=3_000, memo=memo, seconds=1e9)
        assert same(patient.search(tree, stream(1), simulations=7), whole)
        monkeypatch.setattr("aixi_approx.planners.rho_uct.FIRST_ROOM", 2)
        assert same(patient.search(tree, stream(1)), whole)
    some = RhoUCT(coding, 4, simulations=1 << 30, seconds=0.02).search(tree, stream(1))
    assert same(RhoUCT(coding, 4, simulations=some.simulations).search(tree, stream(1)), some)
    assert tree.snapshot() == before


# ---------------------------------------------------------------------------------------------- faults


def test_a_predictor_that_fails_does_not_take_the_process_with_it() -> None:
    class Failing(PlainPredictor):
        left = 40

        def predict(self) -> float:
            self.left -= 1
            if self.left < 0:
                raise ZeroDivisionError("a mistake in a predictor")
            return super().predict()

    coding = make("coin-flip").coding
    predictor = Failing(4, coding.action_bits, coding.percept_bits)
    with pytest.raises(PredictorError, match="a mistake in a predictor") as caught:
        RhoUCT(coding, 3, simulations=100, memo=False).search(predictor, stream(1))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    predictor.left = 10**9
    RhoUCT(coding, 3, simulations=10).search(predictor, stream(1))
    assert predictor.trees.history == []


def test_a_predictor_that_gives_no_probability_is_refused() -> None:
    class Wrong(PlainPredictor):
        def predict(self) -> float:
            return float("nan")

    coding = make("coin-flip").coding
    with pytest.raises(PredictorError):
        RhoUCT(coding, 2, simulations=10).search(Wrong(4, coding.action_bits, coding.percept_bits), stream(1))


@pytest.mark.parametrize("verb", ["mark", "revert"])
def test_a_mark_that_fails_is_noticed(verb: str) -> None:
    class Failing(PlainPredictor):
        pass

    def fail(*_: object) -> int:
        raise ArithmeticError(verb)

    setattr(Failing, verb, fail)
    coding = make("coin-flip").coding
    predictor = Failing(4, coding.action_bits, coding.percept_bits)
    with pytest.raises(PredictorError, match=verb):
        RhoUCT(coding, 3, simulations=100).search(predictor, stream(1))
    if verb == "mark":
        assert predictor.trees.history == []


def test_ctrl_c_in_a_predictor_is_ctrl_c() -> None:
    class Interrupted(PlainPredictor):
        def predict(self) -> float:
            raise KeyboardInterrupt

    coding = make("coin-flip").coding
    with pytest.raises(KeyboardInterrupt):
        RhoUCT(coding, 3, simulations=100).search(Interrupted(4, coding.action_bits, coding.percept_bits), stream(1))


def test_a_memo_of_another_history_is_dropped() -> None:
    """The predictor learned something that the planner was not told of, or is another one."""
    coding, tree = live("tiger", 50)
    planner = RhoUCT(coding, 3, simulations=200)
    planner.search(tree, stream(1))
    tree.learn(np.tile(coding.cycle(1, 0, -100), 30))
    assert same(planner.search(tree, stream(1)), RhoUCT(coding, 3, simulations=200).search(tree, stream(1)))
    _, other = live("tiger", 90, seed=9)
    assert same(planner.search(other, stream(1)), RhoUCT(coding, 3, simulations=200).search(other, stream(1)))


def test_a_predictor_of_other_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="the predictor reads"):
        RhoUCT(make("tiger").coding, 2, simulations=10).search(FactoredContextTree(8, 1, 1), stream(1))


@pytest.mark.parametrize(
    "wrong",
    [
        *({"horizon": 0}, {"horizon": 2.5}, {"simulations": 0}, {"ucb": -1.0}, {"ucb": float("nan")}),
        *({"seconds": 0}, {"seconds": float("nan")}, {"seconds": float("inf")}),
    ],
)
def test_options_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RhoUCT(make("tiger").coding, **{"horizon": 2, "simulations": 10, **wrong})  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------- other modes of Numba

PROGRAM = """
import json
from aixi_approx import Settings, build_agent, make, mc_aixi, interact, evaluate
from aixi_approx.planners import dp_uct
rows = []
for name in ("tiger", "1d-maze", "biased-rps"):
    environment = make(name)
    agent = mc_aixi(environment, seed=5, depth=12, horizon=3, simulations=12)
    environment.reset(5)
    rows += [list(interact(agent, environment, cycles=25)), list(evaluate(agent, environment, cycles=5))]
settings = Settings(depth=8, horizon=2, simulations=30, epsilon=0.0)
dp_uct.FIRST_ROOM = 1  # so that trees grow
for model, planner in (
    ("true", "rhouct"),
    ("ctw", "expectimax"),
    ("ctw", "dpuct"),
    ("ctw", "dpuct+rule:spread+stop:certain+memo:false+simulations:70"),
):
    environment = make("biased-rps")
    agent = build_agent(environment, model, planner=planner, settings=settings)
    rows.append(list(interact(agent, environment, cycles=6)))
print(json.dumps(rows))
"""


@pytest.mark.parametrize("mode", ["NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK"])
def test_same_run_in_plain_python_and_with_bounds_checked(mode: str, tmp_path: Path) -> None:
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


def test_draws_are_uniform() -> None:
    random = stream(1)
    values = np.array([draw(random) for _ in range(50_000)])
    assert values.min() >= 0
    assert values.max() < 1
    counts = np.histogram(values, bins=50, range=(0, 1))[0]
    assert ((counts - 1000) ** 2 / 1000).sum() < 49 + 5 * (2 * 49) ** 0.5

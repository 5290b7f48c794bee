"""The agent and its life: exploration, repeatability, evaluation without a trace, what is learned, averages."""

import itertools
import math
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import PlainPredictor
from scipy.signal import lfilter

from aixi_approx.agent import Agent, AgentFault
from aixi_approx.builder import mc_aixi
from aixi_approx.coding import Coding
from aixi_approx.environment import Environment, EnvironmentFault, Percept
from aixi_approx.envs import make
from aixi_approx.interaction import Row, evaluate, interact
from aixi_approx.laws.estimate import average
from aixi_approx.planner import Planner, SearchResult
from aixi_approx.planners.rho_uct import RhoUCT
from aixi_approx.predictor import PredictorError
from aixi_approx.predictors.context_tree import FactoredContextTree
from aixi_approx.randomness import stream

QUICK = {"depth": 16, "horizon": 3, "simulations": 8, "epsilon": 0.3, "decay": 0.99}


def world(name: str = "tiger", seed: int = 1) -> Environment:
    environment = make(name)
    environment.reset(seed)
    return environment


def agent_for(name: str = "tiger", memo: bool = True) -> Agent:
    coding = make(name).coding
    tree = FactoredContextTree(16, coding.action_bits, coding.percept_bits)
    return Agent(coding, tree, planner=RhoUCT(coding, 3, simulations=8, memo=memo), epsilon=0.3, decay=0.99, seed=1)


def life(seed: int = 1, cycles: int = 100, name: str = "tiger", **other: Any) -> list[Row]:
    environment = world(name)
    return list(interact(mc_aixi(environment, seed=seed, **QUICK | other), environment, cycles=cycles))


# Exploration.


@pytest.mark.parametrize(("epsilon", "decay", "explored"), [(1, 1, {1}), (0, 1, {0}), (0, 0.5, {0})])
def test_exploration_always_or_never(epsilon: float, decay: float, explored: set[int]) -> None:
    rows = life(epsilon=epsilon, decay=decay)
    assert {row.explored for row in rows} == explored
    assert all(row.simulations == (0 if row.explored else 8) for row in rows)
    assert [row.explored for row in life(epsilon=1, decay=0, cycles=20)] == [1] + [0] * 19


@pytest.mark.parametrize("cycle", [0, 1, 10, 50])
def test_exploration_decays(cycle: int) -> None:
    agent = mc_aixi(make("coin-flip"), depth=1, horizon=1, simulations=1, epsilon=0.8, decay=0.97)
    explored = 0
    for agent.seed in range(3000):
        agent.cycle = cycle
        explored += agent.act().explored
    p = 0.8 * 0.97**cycle
    assert abs(explored / 3000 - p) < 4 * math.sqrt(p * (1 - p) / 3000)


def test_random_actions_are_uniform() -> None:
    actions = [row.action for row in life(epsilon=1, decay=1, cycles=3000)]
    assert np.bincount(actions, minlength=3) == pytest.approx(1000, abs=4 * math.sqrt(3000 * 2 / 9))


@pytest.mark.parametrize("name", ["epsilon", "decay"])
@pytest.mark.parametrize("value", [-0.01, 1.01, math.nan])
def test_exploration_out_of_range_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"^{name} is {value}: it must lie in 0 to 1$"):
        mc_aixi(make("tiger"), **{name: value})


@pytest.mark.parametrize("bits", [(1, 9), (2, 8), (9, 2)])
def test_a_predictor_of_other_bits_is_refused(bits: tuple[int, int]) -> None:
    coding = make("tiger").coding
    with pytest.raises(ValueError, match=f"reads {bits[0]} action and {bits[1]} percept bits a cycle.* has 2 and 9"):
        Agent(coding, FactoredContextTree(4, *bits), planner=RhoUCT(coding, 1, simulations=1))


# Repeatability.


@pytest.mark.parametrize("name", ["tiger", "kuhn-poker"])
def test_rows_are_a_function_of_the_seed(name: str) -> None:
    assert life(1, name=name) == life(1, name=name)
    assert [row.action for row in life(1, name=name)] != [row.action for row in life(2, name=name)]


def test_rows_do_not_depend_on_hashes() -> None:
    code = f"from test_agent import *; print(repr([life(cycles=60, name=n) for n in {['tiger', 'cheese-maze']}]))"
    printed = set()
    for seed in ("1", "2"):
        variables = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.path.dirname(__file__)}
        run = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True)
        printed.add(run.stdout)
    assert printed == {repr([life(cycles=60, name=name) for name in ("tiger", "cheese-maze")]) + "\n"}


@pytest.mark.parametrize("name", ["tiger", "1d-maze", "biased-rps"])
def test_the_memo_changes_nothing(name: str) -> None:
    with_memo, without = (list(interact(agent_for(name, memo), world(name), cycles=200)) for memo in (True, False))
    assert with_memo == without
    assert {row.explored for row in without} == {0, 1}


def test_a_small_search_after_a_large_one_keeps_to_its_memory() -> None:
    coding = Coding(actions=2, action_bits=1, reward_bits=1, observation_bits=14, min_reward=0, max_reward=1)
    tree, planner = FactoredContextTree(4, 1, 15), RhoUCT(coding, horizon=2, simulations=20_000)
    planner.search(tree, stream(1))
    after, fresh = (
        planner.search(tree, stream(2), simulations=1),
        RhoUCT(coding, 2, simulations=1).search(tree, stream(2)),
    )
    assert (after.action, after.visits.tolist()) == (fresh.action, fresh.visits.tolist())


# Evaluation.


@pytest.mark.parametrize("memo", [True, False])
@pytest.mark.parametrize("cut", [None, 7])
def test_evaluation_leaves_the_agent_as_it_was(memo: bool, cut: int | None) -> None:
    agents = [agent_for(memo=memo) for _ in range(2)]
    worlds = [world(), world()]
    lives = [list(interact(agent, w, cycles=60)) for agent, w in zip(agents, worlds, strict=True)]
    before = agents[0].predictor.snapshot()
    rows = evaluate(agents[0], world(), cycles=20)
    list(itertools.islice(rows, cut))
    rows.close()
    assert agents[0].predictor.snapshot() == before == agents[1].predictor.snapshot()
    assert agents[0].cycle == agents[1].cycle == 60
    for agent, w, rows in zip(agents, worlds, lives, strict=True):
        rows += interact(agent, w, cycles=60)
    assert lives[0] == lives[1]
    assert agents[0].predictor.snapshot() == agents[1].predictor.snapshot() != before


def test_a_fault_in_the_evaluation_leaves_the_agent_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    agent, twin, broken = agent_for(), agent_for(), world()
    assert list(interact(agent, world(), cycles=60)) == list(interact(twin, world(), cycles=60))
    rows = evaluate(agent, broken, cycles=20)
    list(itertools.islice(rows, 5))
    monkeypatch.setattr(broken, "step", lambda action: Percept(0, 11))
    with pytest.raises(EnvironmentFault):
        next(rows)
    assert (agent.predictor.snapshot(), agent.cycle) == (twin.predictor.snapshot(), 60)
    values = [one.act(explore=False, simulations=500).search.value.tolist() for one in (agent, twin)]
    assert values[0] == values[1]


class Silent(PlainPredictor):
    def predict(self) -> float:
        raise KeyError("nothing")


class Worthless(PlainPredictor):
    def update(self, bit: int) -> float:
        return super().update(bit) * math.nan


class Decided(Planner):
    """Returns what it is given."""

    def __init__(self, result: Any) -> None:
        self.result = result

    def search(self, predictor: Any, random: Any, *, simulations: int | None = None) -> Any:
        return 1 / self.result if self.result == 0 else self.result


def result_of(action: Any, simulations: Any = 1) -> SearchResult:
    return SearchResult(action, np.zeros(3), np.zeros(3, dtype=np.int64), simulations)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (0, r"PlainPredictor, Decided: search failed: ZeroDivisionError: .* \(test_agent.py, line"),
        (None, r"Decided.search returned None: it must return a SearchResult"),
        (result_of(3), r"Decided.search returned a result whose action is 3: it must lie in 0 to 2"),
        (result_of(1.0), r"action is 1.0: it must be a whole number"),
        (result_of(1, None), r"simulations is None"),
    ],
)
def test_a_planner_that_fails_is_named(result: Any, message: str) -> None:
    coding = make("tiger").coding
    agent = Agent(coding, PlainPredictor(4, coding.action_bits, coding.percept_bits), planner=Decided(result))
    with pytest.raises(AgentFault, match=message):
        agent.act()


def test_a_predictor_that_fails_is_named() -> None:
    coding = make("tiger").coding
    bits = 4, coding.action_bits, coding.percept_bits
    planner = RhoUCT(coding, 3, simulations=8)
    with pytest.raises(PredictorError, match=r"KeyError: 'nothing' \(test_agent.py, line"):
        Agent(coding, Silent(*bits), planner=planner).act()
    with pytest.raises(PredictorError, match=r"Worthless.update\(.\) returned nan: it must return the probability"):
        Agent(coding, Worthless(*bits), planner=planner).observe(0, Percept(0, 0))


def test_evaluation_neither_explores_nor_learns() -> None:
    environment = world()
    agent = mc_aixi(environment, **QUICK | {"epsilon": 1, "decay": 1})
    list(interact(agent, environment, cycles=50))
    before, history = agent.predictor.snapshot(), b""
    for i, row in enumerate(evaluate(agent, environment, cycles=30, simulations=5)):
        assert (row.cycle, row.explored, row.log_loss, row.simulations) == (50 + i, 0, 0, 5)
        history += bytes(agent.coding.cycle(row.action, row.observation, row.reward))
        assert agent.predictor.snapshot() == before + history
    assert agent.predictor.snapshot() == before


def test_evaluation_is_a_function_of_its_seed() -> None:
    agent, environment = agent_for(), world()
    list(interact(agent, environment, cycles=30))
    first, again, other = (list(evaluate(agent, environment, cycles=40, seed=seed)) for seed in (5, 5, 6))
    assert first == again != other


# What is learned and told.


@given(cycles=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(-100, 10)), max_size=30))
@settings(deadline=None, max_examples=40)
def test_observe_tells_the_log_loss(cycles: list[tuple[int, int, int]]) -> None:
    agent, twin = agent_for(), agent_for().predictor
    for action, observation, reward in cycles:
        bits = agent.coding.cycle(action, observation, reward).tolist()
        for bit in bits[:2]:
            twin.append(bit)
        p = 1.0
        for bit in bits[2:]:
            p *= twin.predict() if bit else 1 - twin.predict()
            twin.update(bit)
        assert agent.observe(action, Percept(observation, reward)) == pytest.approx(-math.log2(p), rel=1e-9)
    assert agent.cycle == len(cycles)
    assert agent.predictor.snapshot() == twin.snapshot()


def test_rewards_are_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    environment, given_out = world(), []
    step = environment.step

    def watched(action: int) -> Percept:
        given_out.append((action, step(action)))
        return given_out[-1][1]

    monkeypatch.setattr(environment, "step", watched)
    agent = agent_for()
    rows = [*interact(agent, environment, cycles=100), *evaluate(agent, environment, cycles=50)]
    assert [(row.action, Percept(row.observation, row.reward)) for row in rows] == given_out
    assert {row.reward for row in rows} == {-100, -1, 10}
    assert [row.cycle for row in rows] == [*range(100), *range(100, 150)]


def test_coin_flip_is_learned() -> None:
    losses, rewards = [], []
    for seed in range(3):
        environment = world("coin-flip", seed)
        agent = mc_aixi(environment, seed=seed, simulations=50)
        losses.append([row.log_loss for row in interact(agent, environment, cycles=1000)])
        rewards.append(
            [row.reward for row in evaluate(agent, environment, cycles=1000, seed=100 + seed, simulations=50)]
        )
    loss = np.mean(losses, axis=0)
    assert loss[:20].mean() > loss[20:200].mean() > loss[500:].mean()
    assert loss[500:].mean() == pytest.approx(0.8813, abs=0.05)  # the entropy of the coin
    assert np.mean(rewards, axis=1).min() >= 0.65


# Averages.


@pytest.mark.parametrize("memory", [0.0, 0.8])
def test_interval_covers_the_mean(memory: float) -> None:
    random = np.random.default_rng(1)
    noise = random.normal(size=(1000, 2000))
    series = 3 + lfilter([1], [1, -memory], noise)[:, 200:]  # from the first 200 on it is stationary
    estimates = [average(one) for one in series]
    covered = np.mean([estimate.low <= 3 <= estimate.high for estimate in estimates])
    assert 0.91 <= covered <= 0.98
    assert np.mean([estimate.mean for estimate in estimates]) == pytest.approx(3, abs=0.05)


def test_interval_of_few_values() -> None:
    assert math.isnan(average([]).mean)
    assert average([])[1:] == (-math.inf, math.inf)
    assert average([4]) == (4, -math.inf, math.inf)
    assert average([1, 3]) == pytest.approx((2, 2 - 12.7062, 2 + 12.7062), abs=1e-4)  # t of one degree of freedom


@given(values=st.lists(st.integers(-100, 10), min_size=2, max_size=60))
@settings(deadline=None, max_examples=50)
def test_interval_lies_about_the_mean(values: list[int]) -> None:
    mean, low, high = average(values)
    assert mean == pytest.approx(sum(values) / len(values))
    assert low <= mean <= high
    assert average([7 - value for value in values]) == pytest.approx((7 - mean, 7 - high, 7 - low))

"""Q-learning against its twin on a dictionary; what it learns; evaluation without a trace. And the random agent."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import PlainQLearning

from aixi_approx.agent import Agent
from aixi_approx.builder import build_agent
from aixi_approx.environment import Percept
from aixi_approx.envs import make
from aixi_approx.interaction import evaluate, interact
from aixi_approx.planner_spec import PlannerSpec
from aixi_approx.planners.q_learning import DISCOUNT, RATE, ActionValues, QLearning


def agent_for(name: str, memory: int = 2, seed: int = 0, **settings: float) -> Agent:
    environment = make(name)
    return build_agent(
        environment,
        planner=PlannerSpec("q-learning", memory_cycles=memory),
        settings=environment.settings._replace(**settings),
        seed=seed,
    )


@given(
    cycles=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(-100, 10)), max_size=60),
    memory=st.integers(0, 3),
    deaf=st.integers(0, 60),
)
@settings(deadline=None, max_examples=60)
def test_equals_the_plain_one(cycles: list[tuple[int, int, int]], memory: int, deaf: int) -> None:
    agent, plain = agent_for("tiger", memory), PlainQLearning(3, memory, DISCOUNT, RATE)
    for i, (action, observation, reward) in enumerate(cycles * 3):
        if i == deaf:
            agent.observe(0, Percept(0, -1), learn=False)
            plain.history.append((0, 0, -1))
        assert agent.observe(action, Percept(observation, reward)) == 0
        plain.see(action, observation, reward)
        assert agent.predictor.here.tolist() == plain.values()
        assert agent.act(explore=False).action in np.flatnonzero(np.array(plain.values()) == max(plain.values()))


@pytest.mark.parametrize(("name", "optimum", "memory"), [("coin-flip", 0.7, 0), ("biased-rps", 0.25, 1)])
def test_it_learns(name: str, optimum: float, memory: int) -> None:
    environment = make(name)
    agent = agent_for(name, memory, epsilon=1.0, decay=0.9995)
    list(interact(agent, environment, cycles=8_000))
    rewards = [row.reward for row in evaluate(agent, environment, cycles=8_000)]
    error = np.std(rewards) / math.sqrt(8_000)
    assert np.mean(rewards) == pytest.approx(optimum, abs=4 * error + 0.02)
    assert np.mean(rewards) > environment.random_reward + 4 * error


def test_ties_are_broken_at_random() -> None:
    agent = agent_for("tiger")
    actions = []
    for agent.seed in range(3_000):
        actions.append(agent.act(explore=False).action)
    assert np.all(abs(np.bincount(actions, minlength=3) - 1_000) < 4 * math.sqrt(3_000 * 2 / 9))


@pytest.mark.parametrize("learn", [False, True])
def test_evaluation_leaves_no_trace(learn: bool) -> None:
    lives = []
    for evaluated in (False, True):
        agent, environment = agent_for("biased-rps", epsilon=0.5, decay=1.0), make("biased-rps")
        rows = list(interact(agent, environment, cycles=300))
        if evaluated:
            values = agent.predictor.here.tolist()
            seen = list(evaluate(agent, make("biased-rps"), cycles=200, learn=learn))
            assert {row.explored for row in seen} == {0}
            assert agent.predictor.here.tolist() == values
            assert agent.predictor._marks == []
        lives.append(rows + list(interact(agent, environment, cycles=300)))
    assert lives[0] == lives[1]


def test_it_is_frozen_in_the_evaluation() -> None:
    agent = agent_for("coin-flip", 0)
    list(interact(agent, make("coin-flip"), cycles=100))
    values = agent.predictor.here.tolist()
    for frozen in (True, False):
        for _ in evaluate(agent, make("coin-flip"), cycles=20, learn=not frozen):
            pass
        with agent.evaluation():
            agent.observe(0, Percept(0, 1), learn=not frozen)
            assert (agent.predictor.here.tolist() == values) == frozen


@pytest.mark.parametrize("memory", [-1, 2.5, 10**9])
def test_a_memory_out_of_range_is_refused(memory: float) -> None:
    with pytest.raises(ValueError, match="memory_cycles"):
        ActionValues(make("tiger").coding, memory)  # type: ignore[arg-type]


def test_greedy_takes_the_largest() -> None:
    coding = make("coin-flip").coding
    values = ActionValues(coding, 0)
    values.learn(coding.cycle(1, 0, 1))
    result = QLearning(coding).search(values, np.ones(4, dtype=np.uint64))
    assert (result.action, result.value.tolist(), result.simulations) == (1, [0.0, 1.0], 0)


def test_the_random_agent_is_random() -> None:
    environment = make("tiger")
    agent = build_agent(environment, planner="random", settings=environment.settings._replace(epsilon=0.0))
    learned = list(interact(agent, environment, cycles=1_500))
    evaluated = list(evaluate(agent, environment, cycles=1_500))
    for rows in (learned, evaluated):
        counts = np.bincount([row.action for row in rows], minlength=3)
        assert np.all(abs(counts - 500) < 4 * math.sqrt(1_500 * 2 / 9))
        assert {(row.log_loss, row.simulations, row.explored) for row in rows} == {(0.0, 0, 0)}
    assert [row.action for row in learned[:50]] != [row.action for row in evaluated[:50]]

"""AIQI against its twin on plain trees; what it learns, when, what ends a lesson; undo; whether it gets anywhere."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import PlainReturns

from aixi_approx.agent import Agent
from aixi_approx.builder import build_agent
from aixi_approx.coding import Coding
from aixi_approx.environment import Percept
from aixi_approx.envs import make
from aixi_approx.interaction import evaluate, interact
from aixi_approx.planner_spec import PlannerSpec
from aixi_approx.planners.aiqi import AIQI, LEVELS, ReturnTree
from aixi_approx.predictor_abi import FAILED
from aixi_approx.predictors.context_tree import FactoredContextTree

CODING = Coding(actions=3, action_bits=2, reward_bits=3, observation_bits=1, min_reward=-2, max_reward=3)
ONE_BIT = Coding(actions=2, action_bits=1, reward_bits=1, observation_bits=1, min_reward=0, max_reward=1)

CYCLES = st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(-2, 3))
STEPS = st.tuples(st.sampled_from(["learn"] * 8 + ["extend", "restart"]), CYCLES)
SHAPES = st.fixed_dictionaries(
    {"horizon": st.integers(1, 4), "depth": st.integers(1, 14), "levels": st.sampled_from([2, 3, 5, 8, LEVELS])}
)


def take(tree: ReturnTree, step: tuple[str, tuple[int, int, int]]) -> None:
    what, cycle = step
    if what == "restart":
        tree.restart()
    elif what == "extend":
        tree.extend(CODING.cycle(*cycle))
    else:
        assert tree.learn(CODING.cycle(*cycle)) == 0


def all_of(tree: ReturnTree) -> tuple[Any, ...]:
    """Everything that the future follows from."""
    return tree.snapshot(), tree.values.tolist(), [tree.distribution(action).tolist() for action in range(3)]


def agent_for(name: str, seed: int = 0, levels: int | None = None, **settings: float) -> Agent:
    environment = make(name)
    return build_agent(
        environment,
        planner=PlannerSpec("aiqi", levels=levels),
        settings=environment.settings._replace(**settings),
        seed=seed,
    )


# ---------------------------------------------------------------------------------------------- the right numbers


@given(shape=SHAPES, steps=st.lists(STEPS, max_size=30))
@settings(deadline=None, max_examples=100)
def test_equals_the_plain_one(shape: dict[str, int], steps: list[Any]) -> None:
    tree, plain = ReturnTree(CODING, **shape), PlainReturns(CODING, **shape)
    assert tree.returns == pytest.approx(plain.returns)
    for step in steps:
        take(tree, step)
        if step[0] == "restart":
            plain.restart()
        else:
            plain.see(*step[1], learn=step[0] == "learn")
    for action in range(3):
        distribution = tree.distribution(action)
        assert distribution == pytest.approx(plain.distribution(action), rel=1e-9)
        assert distribution.sum() == pytest.approx(1, rel=1e-12)
        assert (distribution > 0).all()
    assert tree.values == pytest.approx(plain.values(), rel=1e-9)


def test_each_return_is_learned_when_it_is_known() -> None:
    """Three cycles to a return, five bits of context: the lessons as bits, by hand."""
    tree = ReturnTree(ONE_BIT, horizon=3, depth=5)
    cycles = [(1, 0, 1), (0, 1, 1), (1, 1, 1), (0, 0, 0), (1, 0, 0)]  # action, observation, reward
    known = []
    for cycle in cycles:
        tree.learn(ONE_BIT.cycle(*cycle))
        known.append(tree.lessons)
    assert known == [0, 0, 1, 2, 3]
    history = tree._kernel.snapshot()[-21:]  # two bits for one of four returns
    assert [list(history[i : i + 7]) for i in (0, 7, 14)] == [
        [0, 0, 0, 0, 1, 1, 1],  # before anything, action 1: the return is 3
        [0, 1, 1, 0, 0, 1, 0],  # action 1, reward 1, observation 0, action 0: it is 2
        [0, 0, 1, 1, 1, 0, 1],  # observation 0, action 0, reward 1, observation 1, action 1: it is 1
    ]


@given(horizon=st.integers(1, 40), spread=st.integers(0, 300), low=st.integers(-300, 300), levels=st.integers(2, 300))
@settings(deadline=None, max_examples=60)
def test_levels_divide_the_returns(horizon: int, spread: int, low: int, levels: int) -> None:
    coding = Coding(2, 1, max(1, spread.bit_length()), 1, low, low + spread)
    tree = ReturnTree(coding, horizon=horizon, depth=1, levels=levels)
    possible = range(horizon * low, horizon * (low + spread) + 1)
    found = [tree.level(value) for value in possible]
    assert sorted(set(found)) == list(range(len(tree.returns))) == list(range(min(levels, len(possible))))
    assert found == sorted(found)
    members = [[value for value in possible if tree.level(value) == level] for level in range(len(tree.returns))]
    assert max(map(len, members)) - min(map(len, members)) <= 1
    assert tree.returns.tolist() == [(each[0] + each[-1]) / 2 for each in members]


def test_nothing_is_lost_where_there_are_few_returns() -> None:
    tiger = make("tiger")
    tree = build_agent(tiger, planner="aiqi").predictor
    assert isinstance(tree, ReturnTree)
    assert tree.returns.tolist() == list(range(5 * -100, 5 * 10 + 1))
    assert (tree.horizon, tree.depth) == (5, 96)
    coarse = build_agent(tiger, planner="aiqi+levels:16+horizon:3+depth:20").predictor
    assert isinstance(coarse, ReturnTree)
    assert (coarse.horizon, coarse.depth, len(coarse.returns)) == (3, 20, 16)


def test_where_every_reward_is_the_same_so_is_every_return() -> None:
    coding = Coding(2, 1, 1, 1, 7, 7)
    tree = ReturnTree(coding, horizon=3, depth=4)
    for _ in range(5):
        tree.learn(coding.cycle(0, 1, 7))
    assert (tree.returns.tolist(), tree.distribution(1).tolist(), tree.values.tolist()) == ([21], [1], [21, 21])


@pytest.mark.parametrize("wrong", [{"horizon": 0}, {"levels": 1}, {"levels": 1 << 17}, {"depth": 0}])
def test_what_is_out_of_range_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ReturnTree(CODING, **{"horizon": 2, "depth": 4, **wrong})


def weight_by_bits(tree: FactoredContextTree, code: int, bits: int) -> float:
    """The probability of a code, bit by bit; a bit that all codes have in common is certain."""
    mark, product, most = tree.mark(), 1.0, tree._kernel.codes - 1
    for left in range(bits - 1, -1, -1):
        bit, one = code >> left & 1, tree.predict()
        if (code >> left | 1) << left > most:
            one = 0.0
        product *= one if bit else 1 - one
        tree.append(bit)
    tree.revert(mark)
    return product


@given(
    history=st.lists(st.integers(0, 1), max_size=200),
    bits=st.integers(1, 5),
    depth=st.integers(1, 70),
    data=st.data(),
)
@settings(deadline=None, max_examples=60)
def test_codes_are_weighed_bit_by_bit(history: list[int], bits: int, depth: int, data: st.DataObject) -> None:
    tree = FactoredContextTree(depth, 2, bits)
    tree.learn([*history[: len(history) // (bits + 2) * (bits + 2)], 1, 0])
    kernel = tree._kernel
    kernel.codes = data.draw(st.integers(1, 1 << bits))
    before, found = tree.snapshot(), np.full(kernel.codes, np.nan)
    assert kernel.weigh(found) == 0
    assert tree.snapshot() == before
    assert found == pytest.approx([weight_by_bits(tree, code, bits) for code in range(kernel.codes)], rel=1e-12)
    assert found.sum() == pytest.approx(1, rel=1e-12)
    assert kernel.weigh(np.zeros(kernel.codes + 1)) == FAILED
    tree.append(0)
    if bits > 1:
        assert kernel.weigh(found) == FAILED


# ---------------------------------------------------------------------------------------------- undo


@given(
    shape=SHAPES,
    past=st.lists(STEPS, max_size=20),
    imagined=st.lists(STEPS, max_size=20),
    later=st.lists(STEPS, max_size=8),
)
@settings(deadline=None, max_examples=100)
def test_what_is_reverted_leaves_no_trace(
    shape: dict[str, int], past: list[Any], imagined: list[Any], later: list[Any]
) -> None:
    tree, other = ReturnTree(CODING, **shape), ReturnTree(CODING, **shape)
    for step in past:
        take(tree, step)
        take(other, step)
    mark = tree.mark()
    for step in imagined:
        take(tree, step)
        tree.mark()
    tree.revert(mark)
    assert all_of(tree) == all_of(other)
    for step in later:
        take(tree, step)
        take(other, step)
        assert all_of(tree) == all_of(other)


def test_a_mark_between_others() -> None:
    tree = ReturnTree(CODING, horizon=2, depth=6)
    states = []
    for reward in (1, 3, -2, 0, 2):
        states.append((tree.mark(), tree.snapshot()))
        tree.learn(CODING.cycle(reward % 3, 1, reward))
    assert len({state for _, state in states}) == 5
    for mark, state in (states[3], states[1]):
        tree.revert(mark)
        assert tree.snapshot() == state
    with pytest.raises(IndexError):
        tree.revert(states[3][0])


@pytest.mark.parametrize("learn", [False, True])
def test_an_evaluation_learns_if_it_may_and_leaves_no_trace(learn: bool) -> None:
    agent = agent_for("tiger", depth=12, epsilon=0.5)
    list(interact(agent, make("tiger"), cycles=50))
    tree = agent.predictor
    assert isinstance(tree, ReturnTree)
    before, lessons = all_of(tree), tree.lessons
    for seen, row in enumerate(evaluate(agent, make("tiger"), cycles=20, learn=learn), 1):
        new = max(0, seen - tree.horizon + 1) if learn else 0  # no return goes beyond the reset
        assert tree.lessons == lessons + new
        assert (row.log_loss, row.simulations, row.explored) == (0, 0, 0)
    assert all_of(tree) == before


# ---------------------------------------------------------------------------------------------- the agent


def test_it_takes_what_it_expects_most_of() -> None:
    tree = ReturnTree(CODING, horizon=1, depth=8)
    for action, reward in ((0, 1), (1, 3), (2, -2)) * 20:
        tree.learn(CODING.cycle(action, 0, reward))
    result = AIQI(CODING, horizon=1, depth=8).search(tree, np.ones(4, dtype=np.uint64))
    assert (result.action, result.simulations, result.visits.tolist()) == (1, 0, [0, 0, 0])
    assert result.value == pytest.approx([1, 3, -2], abs=0.7)
    assert result.value.tolist() == tree.values.tolist()


def test_ties_are_broken_at_random() -> None:
    agent = agent_for("tiger")
    actions = []
    for agent.seed in range(900):
        actions.append(agent.act(explore=False).action)
    assert np.all(abs(np.bincount(actions, minlength=3) - 300) < 4 * math.sqrt(900 * 2 / 9))


def test_the_same_seed_is_the_same_life() -> None:
    lives = []
    for seed in (1, 1, 2):
        agent, environment = agent_for("kuhn-poker", seed, epsilon=0.3), make("kuhn-poker")
        environment.reset(5)
        lives.append(list(interact(agent, environment, cycles=200)))
    assert lives[0] == lives[1] != lives[2]


@pytest.mark.parametrize(
    ("name", "optimum", "cycles", "given"),
    [
        ("coin-flip", 0.7, 2_000, {}),
        ("1d-maze", 0.5, 10_000, {"decay": 0.999}),
        ("4x4-grid", 15 / 62, 10_000, {}),
    ],
)
def test_it_finds_the_optimum(name: str, optimum: float, cycles: int, given: dict[str, float]) -> None:
    environment = make(name)
    environment.reset(1)
    agent = agent_for(name, 1, **given)
    list(interact(agent, environment, cycles=cycles))
    rewards = [row.reward for row in evaluate(agent, environment, cycles=4_000)]
    assert np.mean(rewards) == pytest.approx(optimum, abs=0.035)
    assert np.mean(rewards) > environment.random_reward + 0.1


def test_it_needs_the_history() -> None:
    """The reward is for what was seen a cycle earlier: a context of an action alone can't know, one of a cycle can."""
    rewards = {}
    for depth in (1, 8):
        tree = ReturnTree(ONE_BIT, horizon=1, depth=depth)
        agent = Agent(ONE_BIT, tree, planner=AIQI(ONE_BIT, horizon=1, depth=depth), epsilon=1.0, decay=0.999)
        seen, observed, total = 0, np.random.default_rng(0).integers(2, size=3_000).tolist(), 0
        for cycle, observation in enumerate(observed):
            action = agent.act().action
            reward = int(action == seen)
            agent.observe(action, Percept(observation, reward))
            total += reward * (cycle >= 2_000)
            seen = observation
        rewards[depth] = total / 1_000
    assert rewards[8] > 0.85
    assert rewards[1] == pytest.approx(0.5, abs=0.08)

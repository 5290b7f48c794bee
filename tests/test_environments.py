"""Environments keep the contract and sample what they define; their optima are reached by the policies written here."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
from reference import play
from scipy.stats import chi2

from aixi_approx.environment import Environment, EnvironmentFault, Percept
from aixi_approx.envs.biased_rps import BiasedRPS
from aixi_approx.envs.cheese_maze import CheeseMaze
from aixi_approx.envs.coin_flip import CoinFlip
from aixi_approx.envs.extended_tiger import ExtendedTiger
from aixi_approx.envs.grid import Grid4x4
from aixi_approx.envs.kuhn_poker import KuhnPoker
from aixi_approx.envs.maze import Maze1D
from aixi_approx.envs.pacman import Pacman
from aixi_approx.envs.tic_tac_toe import TicTacToe
from aixi_approx.envs.tiger import Tiger
from aixi_approx.pomdp.definition import POMDP, Outcome, sample
from aixi_approx.randomness import ENVIRONMENT, stream

ENVIRONMENTS: dict[str, type[POMDP]] = {
    "coin-flip": CoinFlip,
    "1d-maze": Maze1D,
    "cheese-maze": CheeseMaze,
    "tiger": Tiger,
    "extended-tiger": ExtendedTiger,
    "4x4-grid": Grid4x4,
    "biased-rps": BiasedRPS,
    "kuhn-poker": KuhnPoker,
    "tic-tac-toe": TicTacToe,
}
ALL: dict[str, type[Environment]] = {**ENVIRONMENTS, "pacman": Pacman}

BITS = {  # of action, observation and reward: JAIR 2011, table 1, but for the coin
    "coin-flip": (1, 1, 1),
    "1d-maze": (1, 1, 1),
    "cheese-maze": (2, 4, 5),
    "tiger": (2, 2, 7),
    "extended-tiger": (2, 3, 8),
    "4x4-grid": (2, 1, 1),
    "biased-rps": (2, 2, 2),
    "kuhn-poker": (1, 4, 3),
    "tic-tac-toe": (4, 18, 3),
    "pacman": (2, 16, 8),
}


@pytest.fixture(params=ENVIRONMENTS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def env(name: str) -> POMDP:
    return ENVIRONMENTS[name]()


@pytest.fixture(params=ALL)
def any_name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def any_env(any_name: str) -> Environment:
    return ALL[any_name]()


# The contract.


def test_percepts_are_a_function_of_the_seed(any_env: Environment) -> None:
    actions = np.random.default_rng(1).integers(len(any_env.actions), size=200).tolist()
    first = play(any_env, 1, actions)
    assert play(any_env, 1, actions) == first
    assert play(type(any_env)(), 1, actions) == first
    assert play(any_env, 2, actions) != first


def test_two_instances_do_not_disturb_each_other(any_env: Environment) -> None:
    actions = np.random.default_rng(4).integers(len(any_env.actions), size=200).tolist()
    alone, other = play(any_env, 1, actions), type(any_env)()
    any_env.reset(1)
    other.reset(2)
    for action, percept in zip(actions, alone, strict=True):
        other.step(action)
        assert any_env.step(action) == percept


def test_tables_hold_distributions(env: POMDP) -> None:
    tables = env.tables
    assert len(tables.first) == len(env.states) * len(env.actions) + 1
    assert tables.start.sum() == pytest.approx(1, abs=1e-12)
    assert (tables.probability > 0).all()
    for first, end in pairwise(tables.first):
        assert tables.probability[first:end].sum() == pytest.approx(1, abs=1e-12)


def test_percepts_survive_their_encoding(any_env: Environment) -> None:
    coding = any_env.coding
    if isinstance(any_env, POMDP):
        percepts = set(zip(any_env.tables.observation, any_env.tables.reward, strict=True))
    else:
        ends = [(observation, reward) for observation in (0, len(any_env.observations) - 1) for reward in (-60, 109)]
        percepts = {*ends, *play(any_env, 1, np.random.default_rng(1).integers(4, size=2000).tolist())}
    for observation, reward in percepts:
        for action in range(len(any_env.actions)):
            bits = coding.cycle(action, observation, reward)
            assert len(bits) == coding.cycle_bits
            assert coding.percept(bits[coding.action_bits :]) == (observation, reward)


def test_bits_are_those_of_the_paper(any_name: str, any_env: Environment) -> None:
    coding = any_env.coding
    assert (coding.action_bits, coding.observation_bits, coding.reward_bits) == BITS[any_name]


def test_it_says_what_is_hidden(any_env: Environment) -> None:
    assert any_env.hidden


def test_it_says_what_can_be_reached(env: POMDP) -> None:
    assert env.optimum is not None
    assert env.random_reward < env.optimum <= env.max_reward


# The compiled sampler.


def test_samples_have_the_frequencies_of_the_tables(env: POMDP) -> None:
    tables, actions, random, count = env.tables, len(env.actions), stream(1, ENVIRONMENT), 2000
    distance, freedom = 0.0, 0
    rows = list(enumerate(pairwise(tables.first)))
    for row, (first, end) in rows[:: 1 + len(rows) // 100]:
        drawn = [sample(tables, *divmod(row, actions), actions, random) for _ in range(count)]
        assert first <= min(drawn) <= max(drawn) < end
        expected = count * tables.probability[first:end]
        found = np.bincount(np.array(drawn) - first, minlength=end - first)
        distance += ((found - expected) ** 2 / expected).sum()
        freedom += end - first - 1
    assert 1e-4 < chi2.sf(distance, freedom) < 1 - 1e-4


# The optima.


class Controller(NamedTuple):
    """A policy with finite memory: the memory it begins with, its action, its memory after a percept."""

    memory: Hashable
    act: Callable[[Any], str]
    learn: Callable[[Any, Any, int], Hashable]  # of memory, observation, reward


def average_reward(env: POMDP, controller: Controller) -> float:
    """Solve g = P g, g + h = r + P h on the reachable (state, memory); the g of the start is the answer."""
    start = env.start()
    pairs = [(state, controller.memory) for state in start]
    rows: list[list[tuple[float, int]]] = []
    rewards = []
    for state, memory in pairs:  # grows as pairs are found
        rows.append([])
        rewards.append(0.0)
        for p, after, observation, reward in env.outcomes(state, controller.act(memory)):
            pair = after, controller.learn(memory, observation, reward)
            if pair not in pairs:
                pairs.append(pair)
            rows[-1].append((p, pairs.index(pair)))
            rewards[-1] += p * reward
    one = np.eye(len(pairs))
    chain = np.array([sum(p * one[j] for p, j in row) for row in rows])
    left = np.block([[one - chain, 0 * one], [one, one - chain]])
    right = np.concatenate([0 * one[0], rewards])
    solution = np.linalg.lstsq(left, right)[0]
    assert np.allclose(left @ solution, right, atol=1e-9)
    return float(solution[: len(start)] @ list(start.values()))


def plan(*actions: str) -> Controller:
    """One action after the other without looking, from the beginning again after a reward."""
    return Controller(0, lambda i: actions[i], lambda i, observation, reward: 0 if reward else i + 1)


def cheese_action(last: str, walls: int, reward: int) -> str:
    """Turn where the walls say so, keep on in a corridor; go up or right in a corridor one has been put in."""
    turn = {9: "right", 12: "left", 8: "down", 7: "up"}
    if walls in turn:
        return turn[walls]
    along = {5: ("up", "down"), 10: ("right", "left")}[walls]
    return last if last in along and reward != 9 else along[0]


def tiger_action(evidence: int) -> str:
    return {2: "open-left", -2: "open-right"}.get(evidence, "listen")


def tiger_memory(evidence: int, side: str, reward: int) -> int:
    return evidence + (side == "right") - (side == "left") if reward == -1 else 0


def extended_tiger_action(memory: tuple[str, int]) -> str:
    posture, evidence = memory
    return "stand" if posture == "seated" and abs(evidence) == 2 else tiger_action(evidence)


def extended_tiger_memory(memory: tuple[str, int], side: str, reward: int) -> tuple[str, int]:
    posture, evidence = memory
    if posture == "standing":
        return "seated", 0
    return ("standing", evidence) if abs(evidence) == 2 else ("seated", tiger_memory(evidence, side, reward))


def last_percept(memory: Hashable, observation: Hashable, reward: int) -> Hashable:
    return observation, reward


BEST = {
    "coin-flip": Controller(None, lambda _: "heads", lambda *_: None),
    "1d-maze": plan("right", "right", "left"),
    "cheese-maze": Controller("up", lambda action: action, cheese_action),
    "tiger": Controller(0, tiger_action, tiger_memory),
    "extended-tiger": Controller(("seated", 0), extended_tiger_action, extended_tiger_memory),
    "4x4-grid": plan("right", "down", "right", "down", "right", "down"),
    "biased-rps": Controller(None, lambda seen: "paper" if seen == ("rock", -1) else "scissors", last_percept),
    "kuhn-poker": Controller(None, lambda seen: "bet" if seen and seen[0][0] == "king" else "pass", last_percept),
}


@pytest.mark.parametrize("name", BEST)
def test_optimum_is_reached(name: str, env: POMDP) -> None:
    assert average_reward(env, BEST[name]) == pytest.approx(env.optimum, abs=1e-6)


# Random play.


@pytest.mark.parametrize("name", ["cheese-maze", "extended-tiger"])
def test_random_reward_is_that_of_a_simulation(name: str, env: POMDP) -> None:
    actions = np.random.default_rng(2).integers(len(env.actions), size=60_000).tolist()
    batches = np.array([reward for _, reward in play(env, 2, actions)]).reshape(100, -1).mean(axis=1)
    assert abs(batches.mean() - env.random_reward) < 5 * batches.std(ddof=1) / np.sqrt(len(batches))


def test_random_reward_of_the_tiger() -> None:
    assert Tiger().random_reward == pytest.approx((-1 - 100 / 2 + 10 / 2 - 100 / 2 + 10 / 2) / 3, abs=1e-9)  # -91/3


# Wrong definitions.


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"start": lambda self: {"coin": 0.9}}, r"start: the probabilities \[0.9\] are not a distribution"),
        (
            {"outcomes": [(0.6, "coin", "heads", 1), (0.6, "coin", "tails", 0)]},
            r"'tails' in state 'coin'.*\[0.6, 0.6\]",
        ),
        ({"outcomes": [(1.5, "coin", "heads", 1), (-0.5, "coin", "tails", 0)]}, r"\[1.5, -0.5\] are not a distrib"),
        ({"outcomes": [(1, "coin", "edge", 1)]}, "observation 'edge' is not declared"),
        ({"outcomes": [(1, "coin", "heads", 2)]}, "reward 2, declared are whole numbers from 0 to 1"),
        ({"outcomes": [(1, "coin", "heads", 0.5)]}, "reward 0.5, declared are whole numbers"),
        ({"observations": ("tails", "heads", "edge"), "observation_bits": 1}, "3 observations need 2 bits, not 1"),
        ({"max_reward": 1.5}, "a range is of whole numbers; list other rewards"),
        ({"min_reward": 2}, "min_reward 2 exceeds max_reward 1"),
        ({"actions": ()}, "at least one action"),
    ],
)
def test_wrong_definition_is_refused(wrong: dict[str, Any], message: str) -> None:
    if isinstance(wrong.get("outcomes"), list):
        outcomes = [Outcome(*outcome) for outcome in wrong["outcomes"]]
        wrong = {"outcomes": lambda self, state, action: outcomes}
    with pytest.raises(EnvironmentFault, match=rf"^Broken: .*{message}"):
        type("Broken", (CoinFlip,), wrong)()


@pytest.mark.parametrize("percept", [Percept(0, 7), Percept(2, 0), Percept(0, 0.5), None])
def test_wrong_step_is_refused(percept: Any) -> None:
    broken = type("Broken", (CoinFlip,), {"step": lambda self, action: percept})()
    with pytest.raises(EnvironmentFault, match=r"^Broken: step\(0\)"):
        broken.checked_step(0)


# Pictures.


def test_pictures_show_the_state_and_change_nothing(env: POMDP) -> None:
    actions = np.random.default_rng(3).integers(len(env.actions), size=100).tolist()
    percepts = play(env, 3, actions)
    env.reset(3)
    pictures: dict[Hashable, str] = {}
    for action, percept in zip(actions, percepts, strict=True):
        assert pictures.setdefault(env.current, env.checked_render()) == env.render() != ""
        assert env.step(action) == percept
    assert len(set(pictures.values())) == len(pictures), "two states have the same picture"


def test_pictures_of_ones_own() -> None:
    class Own(CoinFlip):
        render = POMDP.render

    assert Own().render() == "state: coin"

    class Bare(Environment):
        reset = step = None

    assert Bare().render() == "Bare draws no picture"


def test_wrong_picture_is_refused() -> None:
    broken = type("Broken", (CoinFlip,), {"render": lambda self: 1 / 0})()
    with pytest.raises(EnvironmentFault, match=r"^Broken: render\(\) failed: ZeroDivisionError"):
        broken.checked_render()

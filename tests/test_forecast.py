"""Forecasts of a search against slow twins: all random paths, sums of returns, courses of UCB, and real searches."""

from __future__ import annotations

import itertools
import json
import math
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aixi_approx.cli.forecast import show_forecast
from aixi_approx.envs import make
from aixi_approx.laboratory.best_mean import _tilt, chances, gaussian_chances
from aixi_approx.laboratory.forecast import FLOOR, exact_solution, forecast, score_of
from aixi_approx.laboratory.mean_field import LEAST, SHARE, _grid, root_means
from aixi_approx.laboratory.rollout_returns import RolloutReturns, rollout_returns
from aixi_approx.planners.pouct import POUCT
from aixi_approx.pomdp.belief import Belief
from aixi_approx.pomdp.definition import POMDP, Outcome
from aixi_approx.pomdp.solution import Solution
from aixi_approx.randomness import stream


class Coins(POMDP):
    """Two coins to throw, each with its own chance of a reward."""

    name = "coins"
    actions = ("first", "second")
    observations = ("nothing",)
    min_reward, max_reward = 0, 1
    chance: tuple[float, float] = (0.3, 0.6)

    def start(self) -> dict[str, float]:
        return {"here": 1.0}

    def outcomes(self, state: str, action: str) -> Iterable[Outcome]:
        p = self.chance[self.actions.index(action)]
        return [Outcome(p, state, "nothing", 1), Outcome(1 - p, state, "nothing", 0)]


class Fair(Coins):
    """Coins among which there is nothing to choose."""

    chance = (0.5, 0.5)


@cache
def solved(name: str) -> Solution:
    return exact_solution(make(name))


# ---------------------------------------------------------------------------------------------- returns of rollouts


def paths(solution: Solution, node: int, action: int, cycles: int) -> dict[int, float]:
    """The distribution of the return of an action and random ones after it, path by path."""
    graph, actions = solution.graph, len(solution.pomdp.actions)
    row, found = node * actions + action, dict[int, float]()
    for e in range(graph.first[row], graph.first[row + 1]):
        pomdp = solution.pomdp
        reward = pomdp.coding.reward(int(graph.percept[e]) // len(pomdp.observations))
        behind = {0: 1.0}
        if cycles > 1:
            behind = {}
            for a in range(actions):
                for value, p in paths(solution, int(graph.node[e]), a, cycles - 1).items():
                    behind[value] = behind.get(value, 0.0) + p / actions
        for value, p in behind.items():
            found[reward + value] = found.get(reward + value, 0.0) + float(graph.probability[e]) * p
    return found


@pytest.mark.parametrize("name", ["tiger", "bandit:2", "nim:16-perfect", "locks:1"])
def test_rollouts_return_what_all_random_paths_return(name: str) -> None:
    solution = solved(name)
    actions = len(solution.pomdp.actions)
    for cycles, returns in enumerate(rollout_returns(solution, 3), start=1):
        for node, action in itertools.product(range(min(3, solution.graph.size)), range(actions)):
            row = returns.probability[node * actions + action]
            expected = paths(solution, node, action, cycles)
            assert {v: p for v, p in zip(returns.values.tolist(), row, strict=True) if p > 0} == pytest.approx(expected)
            mean = sum(v * p for v, p in expected.items())
            assert returns.mean()[node * actions + action] == pytest.approx(mean)
            square = sum((v - mean) ** 2 * p for v, p in expected.items())
            assert returns.variance()[node * actions + action] == pytest.approx(square, abs=1e-9)


def test_too_many_returns_are_refused() -> None:
    with pytest.raises(ValueError, match="take a shorter horizon"):
        rollout_returns(solved("tiger"), 1_000)


# ---------------------------------------------------------------------------------------------- the recursion


class Twin:
    """The recursion of mean_field, value by value, in the words of its documentation."""

    def __init__(self, solution: Solution, rollouts: list[RolloutReturns], grid: list[float], ucb: float) -> None:
        self.solution, self.rollouts, self.grid, self.ucb = solution, rollouts, grid, ucb
        self.actions = len(solution.pomdp.actions)
        self.scale = max(1, solution.pomdp.max_reward - solution.pomdp.min_reward)
        self.known: dict[tuple[int, int], list[tuple[float, float]]] = {}

    def through(self, node: int, to_go: int) -> list[tuple[float, float]]:
        """Mean and variance of the sum of the returns of each number of simulations of the grid."""
        if to_go == 0:
            return [(0.0, 0.0)] * len(self.grid)
        if (node, to_go) not in self.known:
            first = self.rollouts[to_go - 1].of_random_action(self.actions)
            start = float(first.mean()[node]), float(first.variance()[node])
            choices = self.chosen(node, to_go)
            found = [(0.0, 0.0)]
            for n in self.grid[1:]:
                i = max(j for j in range(len(self.grid) - 1) if self.grid[j] <= n - 1)
                share = (n - 1 - self.grid[i]) / (self.grid[i + 1] - self.grid[i])
                sums = [self.sum(choices, j, to_go) for j in (i, i + 1)]
                both = ((1 - share) * sums[0][k] + share * sums[1][k] for k in (0, 1))
                found.append((start[0] + next(both), start[1] + next(both)))
            self.known[node, to_go] = found
        return self.known[node, to_go]

    def arm(self, node: int, action: int, to_go: int, count: float) -> tuple[float, float]:
        """Mean and variance of the sum of the returns of so many simulations of an action."""
        graph, row = self.solution.graph, node * self.actions + action
        total, variance, more = 0.0, 0.0, []
        for e in range(graph.first[row], graph.first[row + 1]):
            pomdp = self.solution.pomdp
            code = int(graph.percept[e]) // len(pomdp.observations)
            p, reward = graph.probability[e], pomdp.coding.reward(code)
            behind = self.through(int(graph.node[e]), to_go - 1)
            i = max(j for j in range(len(self.grid) - 1) if self.grid[j] <= count * p)
            step = self.grid[i + 1] - self.grid[i]
            share = (count * p - self.grid[i]) / step
            total += count * p * reward + (1 - share) * behind[i][0] + share * behind[i + 1][0]
            variance += (1 - share) * behind[i][1] + share * behind[i + 1][1]
            more.append((p, reward + (behind[i + 1][0] - behind[i][0]) / step))
        mean = sum(p * x for p, x in more)
        return total, variance + count * sum(p * (x - mean) ** 2 for p, x in more)

    def chosen(self, node: int, to_go: int) -> list[list[tuple[float, float, float]]]:
        """Of each action, its count and the mean and variance of its sum, at each grid point."""
        count = [1.0] * self.actions
        arms = [self.arm(node, a, to_go, 1.0) for a in range(self.actions)]
        found = []
        for n in self.grid:
            if n <= self.actions:
                share = n / self.actions
                found.append([(share, share * total, share * variance) for total, variance in arms])
                continue
            while sum(count) < n - 1e-9:
                bonus = self.ucb * math.sqrt(math.log(1 + sum(count)))
                bounds = [
                    arms[a][0] / count[a] / (to_go * self.scale) + bonus / math.sqrt(count[a])
                    for a in range(self.actions)
                ]
                best = bounds.index(max(bounds))
                count[best] += min(max(LEAST, SHARE * count[best]), n - sum(count))
                arms[best] = self.arm(node, best, to_go, count[best])
            found.append([(k, *arm) for k, arm in zip(count, arms, strict=True)])
        return found

    def sum(self, choices: list[list[tuple[float, float, float]]], i: int, to_go: int) -> tuple[float, float]:
        """Mean and variance of the sum over all actions at a grid point."""
        n, arms = self.grid[i], choices[i]
        total = sum(mean for _, mean, _ in arms)
        if n <= self.actions:
            single = [mean for _, mean, _ in choices[self.actions]]
            between = float(np.var(single)) * n * (1 - (n - 1) / max(1, self.actions - 1))
            return total, sum(variance for *_, variance in arms) + between
        response = 2 / (self.ucb * math.sqrt(math.log(n + 1)) * to_go * self.scale)
        weights = [k**1.5 for k, *_ in arms]
        average = sum(w * mean / k for w, (k, mean, _) in zip(weights, arms, strict=True)) / sum(weights)
        luck = [1 + response * math.sqrt(k) * (mean / k - average) for k, mean, _ in arms]
        return total, sum(variance * one**2 for one, (*_, variance) in zip(luck, arms, strict=True))


@pytest.mark.parametrize(("name", "horizon"), [("tiger", 2), ("bandit:2", 2), ("nim:16-perfect", 3)])
@pytest.mark.parametrize("ucb", [0.7, 2**0.5])
def test_the_recursion_is_that_of_its_twin(name: str, horizon: int, ucb: float) -> None:
    solution, simulations = solved(name), [1, 7, 90]
    rollouts = rollout_returns(solution, horizon)
    found = root_means(solution, rollouts, simulations=simulations, ucb=ucb)
    actions = len(solution.pomdp.actions)
    grid = _grid(simulations, actions).tolist()
    twin = Twin(solution, rollouts, grid, ucb)
    for node in range(min(4, solution.graph.size)):
        choices = twin.chosen(node, horizon)
        for i, n in enumerate(simulations):
            arms = choices[grid.index(max(n, actions))]
            assert found.visits[node, i] == pytest.approx([k for k, *_ in arms], rel=1e-6)
            assert found.mean[node, i] == pytest.approx([mean / k for k, mean, _ in arms], rel=1e-6, abs=1e-9)
            deviation = [math.sqrt(variance) / k for k, _, variance in arms]
            assert found.deviation[node, i] == pytest.approx(deviation, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "horizon", "n"), [("nim:16-perfect", 4, 100), ("tiger", 4, 300), ("corridor:4", 8, 100)]
)
def test_real_searches_find_what_is_expected_of_them(name: str, horizon: int, n: int) -> None:
    solution, pomdp = solved(name), solved(name).pomdp
    rollouts = rollout_returns(solution, horizon)
    found = root_means(solution, rollouts, simulations=[n], ucb=2**0.5)
    policy = chances(found.mean[:, 0], found.deviation[:, 0], returns=rollouts[-1])
    planner = POUCT(pomdp, horizon)

    class Known:
        def __init__(self, belief: Belief) -> None:
            self.pomdp, self.belief = pomdp, belief

    width = horizon * (pomdp.max_reward - pomdp.min_reward)
    for node in range(min(8, solution.graph.size)):
        known = Known(solution.graph.belief(node))
        searches = [planner.search(known, stream(seed), simulations=n) for seed in range(200)]
        mean = np.mean([one.value for one in searches], axis=0)
        assert np.abs(mean - found.mean[node, 0]).max() < 0.02 * width
        often = np.bincount([one.action for one in searches], minlength=len(pomdp.actions)) / 200
        assert np.abs(often - policy[node]).max() < 0.15


# ---------------------------------------------------------------------------------------------- the best mean


@st.composite
def several(draw: Any) -> tuple[np.ndarray, list[int]]:
    """Distributions over 0 to 2 of two or three actions, and how many returns each has."""
    count = draw(st.integers(2, 3))
    rows = draw(st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=count, max_size=count))
    weights = np.array(rows, dtype=float) + np.array([0.5, 0.0, 0.5])
    return weights / weights.sum(axis=1, keepdims=True), [draw(st.integers(1, 3)) for _ in range(count)]


def largest_of_all(rows: np.ndarray, counts: list[int]) -> np.ndarray:
    """The chance of each action to have the largest mean, from all combinations of returns."""
    means = []
    for row, count in zip(rows, counts, strict=True):
        found: dict[float, float] = {}
        for returns in itertools.product(range(len(row)), repeat=count):
            mean = round(sum(returns) / count, 9)
            found[mean] = found.get(mean, 0.0) + math.prod(row[r] for r in returns)
        means.append(list(found.items()))
    result = np.zeros(len(rows))
    for some in itertools.product(*means):
        best = [i for i, (mean, _) in enumerate(some) if mean == max(mean for mean, _ in some)]
        result[best] += math.prod(p for _, p in some) / len(best)
    return result


@settings(max_examples=60, deadline=None)
@given(several())
def test_the_largest_mean_is_found_among_all_combinations(case: tuple[np.ndarray, list[int]]) -> None:
    rows, counts = case
    returns = RolloutReturns(rows, 0, 1)
    deviation = np.sqrt(returns.variance() / counts)
    found = chances(returns.mean()[None], deviation[None], returns=returns)[0]
    # Of two equal means each has half a chance; of three it is the same only if all are equal.
    assert found == pytest.approx(largest_of_all(rows, counts), abs=1e-6 if len(rows) == 2 else 0.03)


def test_neighbours_share_a_number_of_returns_that_is_not_whole() -> None:
    rows = np.array([[0.7, 0.3], [0.4, 0.6]])
    returns = RolloutReturns(rows, 0, 1)
    number = np.array([1.5, 2.0])
    found = chances(returns.mean()[None], np.sqrt(returns.variance() / number)[None], returns=returns)[0]
    expected = (largest_of_all(rows, [1, 2]) + largest_of_all(rows, [2, 2])) / 2
    assert found == pytest.approx(expected, abs=1e-6)


def test_many_returns_are_gaussian_and_few_are_not() -> None:
    returns = RolloutReturns(np.array([[0.98, 0.02], [0.95, 0.05]]), 0, 1)
    for number, same in ((1_000, True), (10, False)):
        deviation = np.sqrt(returns.variance() / number)[None]
        exact = chances(returns.mean()[None], deviation, returns=returns)
        assert bool(np.abs(exact - gaussian_chances(returns.mean()[None], deviation)).max() < 0.01) == same


def test_sure_means_tie_or_win() -> None:
    returns = RolloutReturns(np.tile([0.5, 0.5], (3, 1)), 0, 1)
    sure = np.zeros((1, 3))
    assert chances(np.array([[1.0, 1.0, 0.0]]), sure, returns=returns)[0] == pytest.approx([0.5, 0.5, 0.0])
    assert chances(np.array([[1.0, 0.5, 0.0]]), sure, returns=returns)[0] == pytest.approx([1.0, 0.0, 0.0])
    assert gaussian_chances(np.array([[1.0, 1.0, 0.0]]), sure)[0] == pytest.approx([0.5, 0.5, 0.0], abs=1e-6)
    # One simulation tries one action.
    assert chances(np.array([[1.0, 0.5, 0.0]]), sure, returns=returns, tried=0.0)[0] == pytest.approx([1 / 3] * 3)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=8), st.floats(0.02, 0.98))
def test_a_tilted_distribution_has_the_mean_it_was_asked_for(weights: list[float], where: float) -> None:
    row = np.array([weights]) / sum(weights)
    mean = where * (len(weights) - 1)
    tilted = _tilt(row, np.array([mean]))[0]
    assert tilted.sum() == pytest.approx(1)
    assert tilted @ np.arange(len(weights)) == pytest.approx(mean, abs=1e-6)
    slope = np.diff(np.log(tilted / row[0]))  # the same everywhere
    assert slope == pytest.approx(slope[0], abs=1e-6)


@pytest.mark.parametrize("mean", [0.0, 1e-7, 1 - 1e-7, 1.0, 1.5])
def test_a_tilt_goes_as_far_as_it_can(mean: float) -> None:
    row = np.zeros((1, 1_000))
    row[0, :2] = 0.5
    assert _tilt(row, np.array([mean]))[0, 1] == pytest.approx(min(1.0, mean), abs=1e-6)


# ---------------------------------------------------------------------------------------------- the forecast


def all_courses(chance: tuple[float, float], simulations: int) -> float:
    """How probably UCB on two coins ends with the second in front, over all that can happen."""

    @cache
    def second(counts: tuple[int, int], heads: tuple[int, int]) -> float:
        if sum(counts) == simulations:
            means = [h / k if k else -1 for h, k in zip(heads, counts, strict=True)]
            return 0.5 if means[0] == means[1] else float(means[1] > means[0])
        if 0 in counts:
            options = [a for a in (0, 1) if not counts[a]]
        else:
            log = math.log(1 + sum(counts))
            bounds = [h / k + 2**0.5 * math.sqrt(log / k) for h, k in zip(heads, counts, strict=True)]
            options = [a for a in (0, 1) if bounds[a] == max(bounds)]
        result = 0.0
        for a in options:
            tried = (counts[0] + (a == 0), counts[1] + (a == 1))
            won = (heads[0] + (a == 0), heads[1] + (a == 1))
            result += (chance[a] * second(tried, won) + (1 - chance[a]) * second(tried, heads)) / len(options)
        return result

    return second((0, 0), (0, 0))


@pytest.mark.parametrize(
    ("simulations", "error"), [(1, 1e-9), (2, 1e-9), (4, 0.02), (9, 0.02), (40, 0.02), (100, 0.02)]
)
def test_two_coins_are_chosen_between_as_in_all_courses_of_ucb(simulations: int, error: float) -> None:
    coins = Coins()
    found = forecast(coins, 1, simulations=[simulations])
    second = all_courses(coins.chance, simulations)
    if simulations == 1:
        second = 0.5  # what was not tried is not taken
    low, high = coins.chance
    reward = low + (high - low) * second
    assert found.score[0] == pytest.approx((reward - 0.45) / (high - 0.45), abs=2 * error)


@pytest.mark.parametrize(("name", "horizon"), [("tiger", 4), ("locks:1", 3), ("nim:16-perfect", 4), ("t-maze:2", 2)])
def test_a_large_search_is_a_perfect_one(name: str, horizon: int) -> None:
    solution = solved(name)
    found = forecast(make(name), horizon, simulations=[3_000_000])
    chance = solution.pomdp.random_reward
    perfect = (solution.receding_reward(horizon) - chance) / (solution.reward - chance)
    assert found.limit == pytest.approx(perfect)
    assert found.score[0] == pytest.approx(perfect, abs=1e-3)


def test_an_interval_spans_half_and_twice_the_simulations() -> None:
    tiger = make("tiger")
    found = forecast(tiger, 3, simulations=[40, 10])
    around = forecast(tiger, 3, simulations=[5, 10, 20, 40, 80])
    assert found.simulations == (40, 10)
    near = {"abs": 0.005}  # other grids lie among other numbers of simulations
    assert found.score.tolist() == pytest.approx(around.score[[3, 1]].tolist(), **near)
    assert found.low.tolist() == pytest.approx([min(around.score[i - 1 : i + 2]) - FLOOR for i in (3, 1)], **near)
    assert found.high.tolist() == pytest.approx([max(around.score[i - 1 : i + 2]) + FLOOR for i in (3, 1)], **near)


def test_the_random_policy_scores_nothing_and_the_best_one_everything() -> None:
    for name in ("tiger", "locks:1", "t-maze:2"):
        solution = solved(name)
        actions = len(solution.pomdp.actions)
        uniform = np.full((solution.graph.size, actions), 1 / actions)
        assert score_of(solution, uniform) == pytest.approx(0, abs=1e-9)
        best = np.eye(actions)[solution.advantage.argmax(axis=1)]
        assert score_of(solution, best) == pytest.approx(1)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1 << 30))
def test_the_reward_of_a_policy_is_that_of_its_chain_in_the_long_run(seed: int) -> None:
    solution = solved("t-maze:2")
    size, actions = solution.graph.size, len(solution.pomdp.actions)
    policy = np.random.default_rng(seed).dirichlet(np.full(actions, 0.3), size)
    policy[policy < 1e-3] = 0
    policy /= policy.sum(axis=1, keepdims=True)
    step = np.einsum("ba,bac->bc", policy, solution.graph.step.toarray().reshape(size, actions, size))
    lazy = np.linalg.matrix_power((step + np.eye(size)) / 2, 1 << 20)
    reward = lazy[0] @ (policy * solution.graph.reward.reshape(size, actions)).sum(axis=1)
    assert solution.policy_reward(policy) == pytest.approx(reward, abs=1e-6)


def test_what_can_not_be_forecast_is_refused() -> None:
    with pytest.raises(ValueError, match="not a POMDP"):
        forecast(make("pacman"))
    with pytest.raises(ValueError, match="no agent is better than the random one"):
        forecast(Fair())
    with pytest.raises(ValueError, match="ucb"):
        forecast(Coins(), ucb=0.0)
    with pytest.raises(ValueError, match="simulations"):
        forecast(Coins(), simulations=[0])
    with pytest.raises(ValueError, match="horizon"):
        forecast(Coins(), 0)


# ---------------------------------------------------------------------------------------------- the commands


def test_the_command_prints_a_table_or_json_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_forecast(["t-maze:2"], horizon=None, as_json=False, out=tmp_path)
    text = capsys.readouterr().out
    assert "10,000" in text
    assert (tmp_path / "forecast.png").stat().st_size > 1_000
    show_forecast(["t-maze:2"], horizon=2, as_json=True, out=None)
    found = json.loads(capsys.readouterr().out)["t-maze:2"]
    assert len(found["score"]) == len(found["simulations"]) == 7
    with pytest.raises(click.UsageError, match="POMDP"):
        show_forecast(["pacman"], horizon=None, as_json=False, out=None)
    with pytest.raises(click.UsageError, match="name an environment"):
        show_forecast([], horizon=None, as_json=False, out=None)


def test_the_benchmark_runs(tmp_path: Path) -> None:
    program = Path(__file__).parents[1] / "benchmarks" / "scaling" / "forecast.py"
    rows, picture = tmp_path / "rows.jsonl", tmp_path / "a.png"
    command = [sys.executable, str(program), "--check", "--rows", str(rows), "--picture", str(picture)]
    process = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300, check=False)
    assert process.returncode == 0, process.stderr
    assert "| t-maze:2 | measured |" in process.stdout
    assert rows.read_text().count("\n") == 4
    assert picture.exists()

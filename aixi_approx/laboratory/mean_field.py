"""What a tree search finds on average: its recursion on expected returns, with one number in place of each random one.

A search by UCB on the true model (`POUCT`) draws states, percepts and rollouts. Here each of its nodes, a belief with h
cycles to go, has the expected sum of the returns of the n simulations that come through it, for all n at once, and the
variance of that sum. With 1 cycle to go first, then 2, up to the horizon:

    The first simulation through a node is a random rollout, whose mean and variance are known exactly. The next take
    each action once. Later ones take the action with the largest upper bound, as in UCB, but with its expected mean.
    Of k simulations of an action, k P(percept) come through the node behind a percept, where the expected sum is known.
    The sum varies as percepts do, and as the sums behind them do; at first as the random order of untried actions does.
    A lucky action also gets more simulations, so that luck counts for more.

The last is the linear response of UCB. If the mean of an action is larger by d, then the numbers of simulations k at
which all upper bounds are equal change by f k^1.5 times d, minus the mean of d over all actions with weights k^1.5,
where f = 2 / (C sqrt(ln n) range of the returns). Nothing is fitted, and nothing is searched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx.compilation import compiled
from aixi_approx.laboratory.rollout_returns import RolloutReturns
from aixi_approx.pomdp.solution import Solution

Numbers = NDArray[np.float64]

SINGLE = 32  # simulations up to which every number is a grid point
RATIO = 1.15  # of one grid point to the next beyond
LEAST, SHARE = 0.25, 0.05  # that an action is given at once, at least; in terms of what it has


class RootMeans(NamedTuple):
    """What a search will find at its root: B beliefs, N numbers of simulations, A actions."""

    mean: Numbers
    """float64[B, N, A]: expected mean return of the simulations that begin with an action."""
    deviation: Numbers
    """float64[B, N, A]: standard deviation of that mean from one search to another."""
    visits: Numbers
    """float64[B, N, A]: expected number of those simulations."""


class _Edges(NamedTuple):
    """What follows an action; E edges in all, those of belief b and action a from first[b * A + a] on."""

    first: NDArray[np.int64]  # [B * A + 1]
    node: NDArray[np.int64]  # [E]
    probability: Numbers  # [E]
    reward: Numbers  # [E]


class _Plan(NamedTuple):
    """What holds for the nodes with as many cycles to go."""

    actions: int
    width: float  # range of their returns
    ucb: float  # C


class _Sums(NamedTuple):
    """The sum of returns after as many simulations as each of G grid points says."""

    mean: Numbers  # [..., G]
    variance: Numbers  # [..., G]


class _Arms(NamedTuple):
    """The actions of a node after as many choices there as each of G grid points says."""

    total: Numbers  # [G, A] expected sum of returns
    variance: Numbers  # [G, A] of that sum
    visits: Numbers  # [G, A]


def root_means(
    solution: Solution, rollouts: Sequence[RolloutReturns], *, simulations: Sequence[int], ucb: float
) -> RootMeans:
    """Return what a search will find at its root, at each belief.

    Parameters
    ----------
    solution : Solution
        Of the environment.
    rollouts : sequence of RolloutReturns
        Returns of random actions over 1, 2, ... cycles, up to the horizon of the search.
    simulations : sequence of int
        Of a search, each at least 1.
    ucb : float
        C, the weight of exploration; positive.

    Returns
    -------
    RootMeans
        With fewer simulations than actions, what is said of an action holds if it is tried.
    """
    graph, pomdp = solution.graph, solution.pomdp
    actions = len(pomdp.actions)
    scale = pomdp.coding.reward_span
    reward = pomdp.coding.rewards_of(graph.percept // len(pomdp.observations))
    edges = _Edges(graph.first, graph.node, graph.probability, reward)
    grid = _grid(simulations, actions)
    behind = _Sums(*np.zeros((2, graph.size, len(grid))))
    arms = _Arms(*np.zeros((3, len(grid), actions)))
    for to_go, rollout in enumerate(rollouts[:-1], start=1):
        first = rollout.of_random_action(actions)
        node = _Sums(*np.zeros((2, graph.size, len(grid))))
        plan = _Plan(actions, to_go * scale, float(ucb))
        _fill(node, edges, plan, grid, behind, _Sums(first.mean(), first.variance()), arms)
        behind = node
    at = np.searchsorted(grid, np.maximum(simulations, actions))
    total, variance, visits = np.zeros((3, graph.size, len(at), actions))
    plan = _Plan(actions, len(rollouts) * scale, float(ucb))
    for b in range(graph.size):
        _choose(b, edges, plan, grid, behind, arms)
        total[b], variance[b], visits[b] = arms.total[at], arms.variance[at], arms.visits[at]
    return RootMeans(total / visits, np.sqrt(variance) / visits, visits)


def _grid(simulations: Sequence[int], actions: int) -> Numbers:
    """The numbers of simulations for which sums are computed; 0 and all that are asked for are among them."""
    single = max(SINGLE, actions + 1)
    most = max(*simulations, 2 * single)
    beyond = np.geomspace(single, most, 2 + int(math.log(most / single, RATIO)))
    asked = np.maximum(simulations, actions)
    return np.unique(np.concatenate([np.arange(single), np.rint(beyond), asked])).astype(np.float64)


@compiled
def _before(grid: Numbers, x: float) -> int:
    """The last grid point not beyond x, but for the last of all."""
    low, high = 0, len(grid) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if grid[middle] <= x:
            low = middle
        else:
            high = middle
    return low


@compiled
def _returns(row: int, count: float, edges: _Edges, grid: Numbers, behind: _Sums) -> tuple[float, float]:
    """The sum of the returns of so many simulations of an action: expected value and variance."""
    total, variance, mean, square = 0.0, 0.0, 0.0, 0.0
    for e in range(edges.first[row], edges.first[row + 1]):
        p, b = edges.probability[e], edges.node[e]
        x = count * p
        i = _before(grid, x)
        step = grid[i + 1] - grid[i]
        slope = (behind.mean[b, i + 1] - behind.mean[b, i]) / step
        total += x * edges.reward[e] + behind.mean[b, i] + slope * (x - grid[i])
        variance += behind.variance[b, i] + (behind.variance[b, i + 1] - behind.variance[b, i]) * (x - grid[i]) / step
        one_more = edges.reward[e] + slope  # simulation with this percept
        mean += p * one_more
        square += p * one_more**2
    return total, variance + count * max(0.0, square - mean**2)


@compiled
def _choose(b: int, edges: _Edges, plan: _Plan, grid: Numbers, behind: _Sums, arms: _Arms) -> None:
    """Choose among the actions of a node, as often as the last grid point says."""
    actions = plan.actions
    total, variance, count = np.zeros(actions), np.zeros(actions), np.ones(actions)
    for a in range(actions):
        total[a], variance[a] = _returns(b * actions + a, 1.0, edges, grid, behind)
    g, n = 0, float(actions)
    while grid[g] <= actions:  # in random order
        for a in range(actions):
            share = grid[g] / actions
            arms.total[g, a], arms.variance[g, a], arms.visits[g, a] = share * total[a], share * variance[a], share
        g += 1
    while g < len(grid):
        bonus, best, highest = plan.ucb * math.sqrt(math.log(n + 1.0)), 0, -np.inf
        for a in range(actions):
            bound = total[a] / count[a] / plan.width + bonus / math.sqrt(count[a])
            if bound > highest:
                best, highest = a, bound
        more = min(max(LEAST, SHARE * count[best]), grid[g] - n)
        count[best] += more
        n += more
        total[best], variance[best] = _returns(b * actions + best, count[best], edges, grid, behind)
        if grid[g] - n < 1e-9:
            n = grid[g]
            for a in range(actions):
                arms.total[g, a], arms.variance[g, a], arms.visits[g, a] = total[a], variance[a], count[a]
            g += 1


@compiled
def _variance(g: int, plan: _Plan, grid: Numbers, arms: _Arms) -> float:
    """The variance of the sum over all actions, after the choices of a grid point."""
    n, result, actions = grid[g], 0.0, plan.actions
    if n <= actions:
        mean, square = 0.0, 0.0
        for a in range(actions):
            result += arms.variance[g, a]
            mean += arms.total[actions, a] / actions
            square += arms.total[actions, a] ** 2 / actions
        return result + n * (1.0 - (n - 1.0) / max(1, actions - 1)) * max(0.0, square - mean**2)  # without replacement
    response = 2.0 / (plan.ucb * math.sqrt(math.log(n + 1.0)) * plan.width)
    weight, mean = 0.0, 0.0
    for a in range(actions):
        weight += arms.visits[g, a] ** 1.5
        mean += arms.visits[g, a] ** 0.5 * arms.total[g, a]
    mean /= weight
    for a in range(actions):
        visits = arms.visits[g, a]
        luck = 1.0 + response * math.sqrt(visits) * (arms.total[g, a] / visits - mean)
        result += arms.variance[g, a] * luck**2
    return result


@compiled
def _fill(node: _Sums, edges: _Edges, plan: _Plan, grid: Numbers, behind: _Sums, first: _Sums, arms: _Arms) -> None:
    """Fill in the sums of all nodes with as many cycles to go."""
    last = len(grid) - 1
    for b in range(len(node.mean)):
        _choose(b, edges, plan, grid, behind, arms)
        for g in range(1, last + 1):
            choices = grid[g] - 1.0
            i = _before(grid, choices)
            share = (choices - grid[i]) / (grid[i + 1] - grid[i])
            mean = 0.0
            for a in range(plan.actions):
                mean += (1.0 - share) * arms.total[i, a] + share * arms.total[i + 1, a]
            variance = (1.0 - share) * _variance(i, plan, grid, arms) + share * _variance(i + 1, plan, grid, arms)
            node.mean[b, g] = first.mean[b] + mean
            node.variance[b, g] = first.variance[b] + variance

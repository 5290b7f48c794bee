"""Solving a graph of beliefs: the bounds that it proves, and a policy.

Numbers g and h with

    g(n) >= sum of P(n' | n, a) g(n')    and    g(n) + h(n) >= r(n, a) + sum of P(n' | n, a) h(n')

for all nodes n and actions a prove that no policy earns more than g(start) (Puterman 1994, section 9.1). They come from
policy iteration. Both bounds are valid whatever policy iteration found, up to floating-point rounding.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aixi_approx.pomdp.belief_graph import BeliefGraph
from aixi_approx.pomdp.clock import ENDLESS, Clock
from aixi_approx.pomdp.controller import Controller, policy_controller, run_controller
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.pomdp.markov_chain import SWEEPS, relative_values
from aixi_approx.pomdp.solution import UNLIKELY, GraphValues, Solution

ROUNDS = 100  # of policy iteration, which needs about ten
LASTING = 1e-8  # loss of long-run reward, relative to the rewards, above which an action counts as losing


def solve_graph(pomdp: POMDP, graph: BeliefGraph, *, clock: Clock = ENDLESS) -> Solution:
    """Return the bounds that a graph of the beliefs of a POMDP proves, and the policy that is best on it.

    Raises
    ------
    OutOfTime
        If the clock says so.
    """
    scale = float(np.abs(pomdp.tables.reward).max()) or 1.0
    gain, value = _policy_iteration(graph, scale, clock)
    advantage, loss = _slack(graph, gain, value)
    advantage = np.where(loss > loss.min(axis=1, keepdims=True) + LASTING * scale, -np.inf, advantage)
    policy = (advantage >= advantage.max(axis=1, keepdims=True) - 1e-9 * scale).argmax(axis=1)
    controller, beliefs = policy_controller(graph, policy)
    run = run_controller(pomdp, controller)
    upper = _upper_bound(graph, gain, value, scale)
    if upper < run.reward - 1e-6 * scale:
        raise RuntimeError(f"{pomdp.name}: the bounds {run.reward} and {upper} contradict each other")
    return Solution(
        pomdp=pomdp,
        lower=run.reward,
        upper=max(upper, run.reward),
        controller=controller,
        beliefs=beliefs,
        known_run=run,
        values=GraphValues(graph, advantage, value - value[0], policy),
    )


def blind_solution(pomdp: POMDP) -> Solution:
    """Return what is known at once: a policy that always takes the same action, and what rewards say of the bounds."""
    tables, actions = pomdp.tables, len(pomdp.actions)
    reward = np.add.reduceat(tables.probability * tables.reward, tables.first[:-1]).reshape(-1, actions)
    least = reward.min(axis=0)
    codes = np.unique(tables.code * len(pomdp.observations) + tables.observation)
    always = Controller(np.array([least.argmax()]), np.array([0, len(codes)]), codes, np.zeros_like(codes))
    return Solution(pomdp, float(least.max()), float(reward.max()), controller=always, beliefs=1)


def _slack(
    graph: BeliefGraph, gain: NDArray[np.float64], value: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return, for all nodes and actions, the advantage over gain and value, and the loss of gain."""
    advantage = (graph.reward + graph.generous @ value).reshape(graph.size, -1) - (value + gain)[:, None]
    return advantage, gain[:, None] - (graph.generous @ gain).reshape(graph.size, -1)


def _policy_iteration(
    graph: BeliefGraph, scale: float, clock: Clock
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the gain and relative value of each node under a policy that nothing improves (Puterman 1994, 9.2).

    Very unlikely steps are left out: equations that include them cannot be solved accurately.
    """
    likely = graph.generous.copy()
    likely.data[likely.data < UNLIKELY] = 0
    likely.eliminate_zeros()
    graph = graph._replace(generous=likely)
    every = np.arange(graph.size)
    actions = len(graph.reward) // graph.size
    policy = graph.reward.reshape(-1, actions).argmax(axis=1)
    for _ in range(ROUNDS):
        clock.check()
        rows = every * actions + policy
        gain, value = relative_values(graph.generous[rows], graph.reward[rows])
        advantage, loss = _slack(graph, gain, value)
        least = loss.min(axis=1)
        conserving = np.where(loss <= least[:, None] + LASTING * scale, advantage, -np.inf)
        same = 1e-10 * max(scale, float(np.abs(value).max()))
        gains = loss[every, policy] > least + LASTING * scale
        better = gains | (conserving.max(axis=1) > advantage[every, policy] + same)
        if not better.any():
            break
        policy[better] = conserving.argmax(axis=1)[better]
    return gain, value


def _upper_bound(graph: BeliefGraph, gain: NDArray[np.float64], value: NDArray[np.float64], scale: float) -> float:
    """Return the least bound proved by h, a multiple of `value`, with a constant g, or with g the adjusted `gain`.

    In the second case g is raised until no action gains, and a multiple of it is added to h, large enough that no
    action that loses gain looks good.
    """
    advantage, _ = _slack(graph, np.zeros(graph.size), value)
    bound = min(float(advantage.max()), float(graph.reward.max()))
    for _ in range(SWEEPS):
        advantage, loss = _slack(graph, gain, value)
        if loss.min() > -1e-14 * scale:
            losing = loss > 0.1 * LASTING * scale
            times = max(0.0, float((advantage / np.where(losing, loss, np.inf)).max()))
            return min(bound, float(gain[0] + (advantage - times * loss).max()))
        gain = gain - np.minimum(loss.min(axis=1), 0)
    return bound

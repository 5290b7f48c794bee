"""The exact solver: the best that any agent can reach in a finite POMDP, and how.

The optimum lies between two bounds. From below: a policy, and what it earns, exactly. From above: the graph of beliefs
in which merging can only help the agent (see `belief_graph`) is a finite decision process; numbers g and h with

    g(n) >= sum of P(n' | n, a) g(n')    and    g(n) + h(n) >= r(n, a) + sum of P(n' | n, a) h(n')

for all nodes n and actions a prove that no policy earns more than g(start) (Puterman 1994, section 9.1). They come
from policy iteration. Both bounds hold for whatever has gone before, up to the rounding of floating-point numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from aixi_approx.belief import Belief
from aixi_approx.belief_graph import BeliefGraph, explore
from aixi_approx.bounds import whole
from aixi_approx.chain import evaluate
from aixi_approx.controller import Controller, Run, policy_controller, run_controller
from aixi_approx.environment import Percept
from aixi_approx.pomdp import POMDP

History = Iterable[tuple[int, Percept]]
ROUNDS = 100  # of policy iteration, which takes about ten


@dataclass(frozen=True)
class Solution:
    """What `solve` returns.

    A history is a list of (action, percept), or the number of the node of `graph` where it leads: to go on from a
    history one step at a time, use `follow`.
    """

    pomdp: POMDP
    lower: float
    """Reward per cycle in the long run that `controller` earns: the optimum is at least that."""
    upper: float
    """Reward per cycle in the long run that no agent exceeds."""
    graph: BeliefGraph
    """The beliefs that can be reached; node 0 is the start."""
    advantage: NDArray[np.float64]
    """[B, A] relative values of the average-reward optimality equation, without what all actions have in common."""
    value: NDArray[np.float64]
    """[B] relative value of a node, 0 at the start."""
    controller: Controller
    """An optimal policy with finite memory, nodes merged where nothing depends on it."""
    run: Run
    """What comes of `controller`."""
    beliefs: int
    """Number of nodes of `graph` that the optimal policy goes through."""
    _optimal: list[NDArray[np.float64]] = field(default_factory=list)  # [B] value with i cycles to go

    @property
    def reward(self) -> float:
        """The optimum as far as it is known: what the policy earns."""
        return self.lower

    def follow(self, node: int, action: int, percept: Percept) -> int:
        """Return the node after one more cycle.

        Raises
        ------
        ValueError
            If there is no such action, or the percept can't come there.
        """
        code = int(percept.reward) * len(self.pomdp.observations) + int(percept.observation)
        whole("the action", action, 0, len(self.pomdp.actions) - 1)
        known = 0 <= percept.observation < len(self.pomdp.observations)
        found = self.graph.follow(node * len(self.pomdp.actions) + action, code) if known else -1
        if found < 0:
            raise ValueError(f"{self.pomdp.name} can't answer action {action} with {tuple(percept)} there")
        return found

    def node(self, history: History | int) -> int:
        """Return the node of a history.

        Raises
        ------
        ValueError
            If the history cannot have come from this environment.
        """
        if isinstance(history, int | np.integer):
            return whole("the node", int(history), 0, self.graph.size - 1)
        node = 0
        for cycle, (action, percept) in enumerate(history):
            try:
                node = self.follow(node, action, percept)
            except ValueError as error:
                raise ValueError(f"cycle {cycle}: {error}") from None
        return node

    def action_values(self, history: History | int = (), horizon: int | None = None) -> NDArray[np.float64]:
        """Return the value of each action after a history, if all that follows is optimal.

        Parameters
        ----------
        history
            Actions and percepts, the first first; or the number of a node.
        horizon
            Number of cycles whose rewards count. Without one, all of them do: the value is the relative value of the
            average-reward optimality equation, whose zero is the best action at the start.

        Returns
        -------
        float64[A]
            Expected sum of rewards; exact but for rounding and what beliefs were merged, at most `merge` in each.

        Raises
        ------
        ValueError
            If the history cannot have come from this environment, or the horizon is not at least 1.
        """
        node, actions = self.node(history), len(self.pomdp.actions)
        if horizon is None:
            return self.value[node] + self.advantage[node]
        graph, to_go = self.graph, whole("horizon", horizon, 1, 1 << 31)
        if not self._optimal:
            self._optimal.append(np.zeros(graph.size))
        while len(self._optimal) < to_go:
            ahead = graph.reward + graph.step @ self._optimal[-1]
            self._optimal.append(ahead.reshape(-1, actions).max(axis=1))
        rows = slice(node * actions, (node + 1) * actions)
        values: NDArray[np.float64] = graph.reward[rows] + graph.step[rows] @ self._optimal[to_go - 1]
        return values

    def optimal_actions(
        self, history: History | int = (), horizon: int | None = None, tolerance: float = 1e-6
    ) -> list[int]:
        """Return the actions whose value, as `action_values` has it, is the largest up to a tolerance."""
        values = self.action_values(history, horizon)
        return np.flatnonzero(values >= values.max() - tolerance).tolist()

    def belief(self, history: History | int = ()) -> Belief:
        """Return the belief of the node of a history."""
        return self.graph.belief(self.node(history))


def solve(pomdp: POMDP, merge: float = 1e-10, max_beliefs: int = 100_000) -> Solution:
    """Return the largest reward per cycle that any agent can reach in the long run, with bounds, and a policy for it.

    >>> from aixi_approx.envs import make
    >>> solution = solve(make("tiger"))
    >>> round(solution.lower, 6), round(solution.upper, 6)
    (1.083789, 1.083789)
    >>> solution.optimal_actions(), solution.action_values(horizon=1).tolist()
    ([0], [-1.0, -45.0, -45.0])

    Parameters
    ----------
    pomdp
        The environment; it starts with `start`, and nobody resets it.
    merge
        Beliefs over the same states whose probabilities differ by about this are one. A larger one makes fewer
        beliefs and wider bounds.
    max_beliefs
        Refuse if there are more beliefs.

    Raises
    ------
    ValueError
        If there are more than `max_beliefs` beliefs, or `merge` is not in 1e-15 to 1.
    """
    if not 1e-15 <= merge <= 1:
        raise ValueError(f"merge is {merge}: it must lie in 1e-15 to 1")
    graph = explore(pomdp, merge, whole("max_beliefs", max_beliefs, 1, 1 << 31))
    actions = len(pomdp.actions)
    scale = max(1.0, float(np.abs(graph.reward).max()))
    gain, value = _policy_iteration(graph, actions, scale)
    advantage = (graph.reward + graph.generous @ value).reshape(-1, actions) - value[:, None]
    upper = float(advantage.max())
    if ((graph.generous @ gain).reshape(-1, actions) <= gain[:, None] + 1e-12 * scale).all():
        upper = min(upper, float(gain[0] + (advantage - gain[:, None]).max()))
    advantage -= gain[:, None]
    policy = (advantage >= advantage.max(axis=1, keepdims=True) - 1e-9 * scale).argmax(axis=1)
    controller, beliefs = policy_controller(graph, policy)
    run = run_controller(pomdp, controller)
    if upper < run.reward - 1e-6 * scale:
        raise RuntimeError(f"{pomdp.name}: the bounds {run.reward} and {upper} contradict each other")
    return Solution(
        pomdp=pomdp,
        lower=run.reward,
        upper=max(upper, run.reward),
        graph=graph,
        advantage=advantage,
        value=value - value[0],
        controller=controller,
        run=run,
        beliefs=beliefs,
    )


def _policy_iteration(
    graph: BeliefGraph, actions: int, scale: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The gain and the relative value of each node under a policy that nothing improves (Puterman 1994, 9.2).

    Where the gain depends on the node, a multiple of it is added to the value, so large that no action that loses
    gain looks good.
    """
    every = np.arange(graph.size)
    policy = graph.reward.reshape(-1, actions).argmax(axis=1)
    for _ in range(ROUNDS):
        rows = every * actions + policy
        step, reward = graph.generous[rows], graph.reward[rows]
        gain, value = evaluate(step, reward)
        loss = gain[:, None] - (graph.generous @ gain).reshape(-1, actions)
        ahead = (graph.reward + graph.generous @ value).reshape(-1, actions)
        same = 1e-10 * max(scale, float(np.abs(value).max()))
        least = loss.min(axis=1)
        ahead_best = np.where(loss <= least[:, None] + 1e-10 * scale, ahead, -np.inf)
        better = (loss[every, policy] > least + 1e-10 * scale) | (ahead_best.max(axis=1) > ahead[every, policy] + same)
        if not better.any():
            break
        policy[better] = ahead_best.argmax(axis=1)[better]
    loses = loss > 1e-10 * scale
    if loses.any():
        excess = (ahead - value[:, None] - gain[:, None]) / np.where(loses, loss, np.inf)
        value = value + max(0.0, 1 + float(excess.max())) * gain
    return gain, value

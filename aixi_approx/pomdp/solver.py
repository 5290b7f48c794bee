"""The exact solver: the best that any agent can reach in a finite POMDP, and how.

The optimum lies between two bounds. From below: a policy, and what it earns, exactly. From above: the graph of beliefs
in which merging can only help the agent (see `belief_graph`) is a finite decision process; numbers g and h with

    g(n) >= sum of P(n' | n, a) g(n')    and    g(n) + h(n) >= r(n, a) + sum of P(n' | n, a) h(n')

for all nodes n and actions a prove that no policy earns more than g(start) (Puterman 1994, section 9.1). They come
from policy iteration. Both bounds hold for whatever has gone before, up to the rounding of floating-point numbers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from aixi_approx.environment import Environment, Percept
from aixi_approx.pomdp.belief import Belief
from aixi_approx.pomdp.belief_graph import BeliefGraph, explore
from aixi_approx.pomdp.controller import Controller, Run, policy_controller, run_controller
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.pomdp.markov_chain import SWEEPS, long_run_reward, relative_values
from aixi_approx.validation import as_integer

History = Iterable[tuple[int, Percept]]
SAME = 1e-10  # beliefs that differ by less are the same
ROUNDS = 100  # of policy iteration, which takes about ten
UNLIKELY = 1e-9  # steps of less probability are left out when a policy is looked for, not in the bounds
LASTING = 1e-8  # an action that loses more of the long-run reward, relative to the rewards, loses it


@dataclass(frozen=True)
class Solution:
    """What `solve` returns: bounds of the optimum, a policy, and the values of actions anywhere.

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
    """[B, A] what an action is worth less the best one in the long run, in the sum of all rewards."""
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

    def follow(self, node: int, action: int, *, percept: Percept) -> int:
        """Return the node after one more cycle.

        Raises
        ------
        ValueError
            If there is no such action, or the percept can't come there.
        """
        code = int(percept.reward) * len(self.pomdp.observations) + int(percept.observation)
        as_integer("the action", action, 0, len(self.pomdp.actions) - 1)
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
            return as_integer("the node", int(history), 0, self.graph.size - 1)
        node = 0
        for cycle, (action, percept) in enumerate(history):
            try:
                node = self.follow(node, action, percept=percept)
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
            average-reward optimality equation, whose zero is the best action at the start; it is -inf for an action
            after which less can be earned per cycle, for ever.

        Returns
        -------
        float64[A]
            Expected sum of rewards; exact up to rounding where nothing was merged, else off by about `merge` times
            the rewards in each cycle.

        Raises
        ------
        ValueError
            If the history cannot have come from this environment, or the horizon is not at least 1.
        """
        node, actions = self.node(history), len(self.pomdp.actions)
        if horizon is None:
            return self.value[node] + self.advantage[node]
        graph, to_go = self.graph, as_integer("horizon", horizon, 1, 1 << 31)
        if not self._optimal:
            self._optimal.append(np.zeros(graph.size))
        while len(self._optimal) < to_go:
            ahead = graph.reward + graph.step @ self._optimal[-1]
            self._optimal.append(ahead.reshape(-1, actions).max(axis=1))
        rows = slice(node * actions, (node + 1) * actions)
        values: NDArray[np.float64] = graph.reward[rows] + graph.step[rows] @ self._optimal[to_go - 1]
        return values

    def receding_reward(self, horizon: int) -> float:
        """Return what an agent earns that knows the environment and looks a number of cycles ahead, in each cycle anew.

        It takes an action whose `action_values` over the horizon are the largest, one of them at random if there are
        several. Its prediction and its search are perfect; what it misses of the optimum is the price of the horizon.

        Parameters
        ----------
        horizon
            Number of cycles that it looks ahead.

        Returns
        -------
        float
            Reward per cycle in the long run, from the start.
        """
        self.action_values(horizon=horizon)
        graph = self.graph
        values = (graph.reward + graph.step @ self._optimal[horizon - 1]).reshape(graph.size, -1)
        best = values >= values.max(axis=1, keepdims=True) - 1e-9
        share = (best / best.sum(axis=1, keepdims=True)).ravel()
        node = np.repeat(np.arange(graph.size), values.shape[1])
        choice = csr_array((share, (node, np.arange(len(share)))), shape=(graph.size, len(share)))
        choice.eliminate_zeros()
        return float(long_run_reward(csr_array(choice @ graph.step), choice @ graph.reward)[0])

    def optimal_actions(
        self, history: History | int = (), horizon: int | None = None, *, tolerance: float = 1e-6
    ) -> list[int]:
        """Return the actions whose value, as `action_values` has it, is the largest up to a tolerance."""
        values = self.action_values(history, horizon)
        return np.flatnonzero(values >= values.max() - tolerance).tolist()

    def belief(self, history: History | int = ()) -> Belief:
        """Return the belief of the node of a history."""
        return self.graph.belief(self.node(history))


def solve(pomdp: POMDP, merge: float = SAME, *, max_beliefs: int = 100_000) -> Solution:
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
    TypeError
        If the environment is no POMDP.
    """
    if not isinstance(pomdp, POMDP):
        raise TypeError(f"{getattr(pomdp, 'name', pomdp)} has no finite definition (it is not a POMDP)")
    if not 1e-15 <= merge <= 1:
        raise ValueError(f"merge is {merge}: it must lie in 1e-15 to 1")
    graph = explore(pomdp, merge, max_beliefs=as_integer("max_beliefs", max_beliefs, 1, 1 << 31))
    scale = max(1.0, float(np.abs(graph.reward).max()))
    gain, value = _policy_iteration(graph, scale)
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
        graph=graph,
        advantage=advantage,
        value=value - value[0],
        controller=controller,
        run=run,
        beliefs=beliefs,
    )


def best_reward(environment: Environment, max_beliefs: int = 10_000) -> float | None:
    """Return the largest reward per cycle that any agent can reach: as declared, else solved for if that is soon done.

    Parameters
    ----------
    environment
        Any; None is returned if it declares no optimum and is no POMDP.
    max_beliefs
        More states or beliefs are not followed: None is returned.
    """
    if environment.optimum is not None or not isinstance(environment, POMDP):
        return environment.optimum
    solution = solve_soon(environment, max_beliefs)
    return solution.lower if solution else None


def reward_range(environment: Environment) -> tuple[float | None, float | None]:
    """Return the reward per cycle of the random agent and of the best one, None where not known."""
    return environment.random_reward, best_reward(environment)


def solve_soon(pomdp: POMDP, max_beliefs: int = 10_000, *, merges: tuple[float, ...] = (SAME, 0.1)) -> Solution | None:
    """Return a solution whose bounds meet, or None if there are more states or beliefs than `max_beliefs`.

    Where beliefs are many, the bounds of a coarse graph may meet all the same. The values of actions are exact only
    where none but the same beliefs were merged, with `merges=(SAME,)`.
    """
    if pomdp.size > max_beliefs:
        return None
    for merge in merges:
        with contextlib.suppress(ValueError):
            solution = solve(pomdp, merge, max_beliefs=max_beliefs)
            if solution.upper - solution.lower <= 1e-6 * max(1.0, abs(solution.lower)):
                return solution
    return None


def _slack(
    graph: BeliefGraph, gain: NDArray[np.float64], value: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For all nodes and actions, what an action brings above gain and value, and what it loses of the gain."""
    advantage = (graph.reward + graph.generous @ value).reshape(graph.size, -1) - (value + gain)[:, None]
    return advantage, gain[:, None] - (graph.generous @ gain).reshape(graph.size, -1)


def _policy_iteration(graph: BeliefGraph, scale: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The gain and the relative value of each node under a policy that nothing improves (Puterman 1994, 9.2).

    Steps of hardly any probability are left out: equations with them can't be solved exactly.
    """
    likely = graph.generous.copy()
    likely.data[likely.data < UNLIKELY] = 0
    likely.eliminate_zeros()
    graph = graph._replace(generous=likely)
    every = np.arange(graph.size)
    actions = len(graph.reward) // graph.size
    policy = graph.reward.reshape(-1, actions).argmax(axis=1)
    for _ in range(ROUNDS):
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
    """The least bound that g and h prove, for g + h with g the same everywhere, or g the given gain, made to fit.

    In the second case g is raised until no action gains, and a multiple of it is added to h, so large that no action
    that loses gain looks good.
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

"""The exact solver: the best that any agent can achieve in a finite POMDP, and how.

The optimum lies between two bounds. The lower bound is what a policy earns, computed exactly. The upper bound comes
from the graph of beliefs in which merging can only help the agent (see `belief_graph`), a finite decision process.
Numbers g and h with

    g(n) >= sum of P(n' | n, a) g(n')    and    g(n) + h(n) >= r(n, a) + sum of P(n' | n, a) h(n')

for all nodes n and actions a prove that no policy earns more than g(start) (Puterman 1994, section 9.1). They come from
policy iteration. Both bounds are valid whatever policy iteration found, up to floating-point rounding.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order

from aixi_approx.environment import Environment, Percept
from aixi_approx.pomdp.belief import Belief
from aixi_approx.pomdp.belief_graph import BeliefGraph, explore
from aixi_approx.pomdp.controller import Controller, Run, policy_controller, run_controller
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.pomdp.markov_chain import DIRECT, SWEEPS, long_run_reward, relative_values
from aixi_approx.validation import as_integer

History = Iterable[tuple[int, Percept]]
SAME = 1e-10  # beliefs that differ by less count as the same
ROUNDS = 100  # of policy iteration, which needs about ten
UNLIKELY = 1e-9  # less probable steps are ignored by the search for a policy, but not by the bounds
LASTING = 1e-8  # loss of long-run reward, relative to the rewards, above which an action counts as losing


@dataclass(frozen=True)
class Solution:
    """The result of `solve`: bounds of the optimum, a policy, and the values of actions after any history.

    A history is a sequence of (action, percept), or the number of the node of `graph` that it leads to: to extend a
    history step by step, use `follow`.
    """

    pomdp: POMDP
    lower: float
    """Reward per cycle, in the long run, of `controller`: a lower bound of the optimum."""
    upper: float
    """Reward per cycle, in the long run, that no agent exceeds."""
    graph: BeliefGraph
    """The reachable beliefs; node 0 is the start."""
    advantage: NDArray[np.float64]
    """[B, A] value of an action minus that of the best one, in the sum of all rewards in the long run."""
    value: NDArray[np.float64]
    """[B] relative value of a node, 0 at the start."""
    controller: Controller
    """An optimal policy with finite memory, its nodes merged where this makes no difference."""
    run: Run
    """The behaviour of `controller`."""
    beliefs: int
    """Number of nodes of `graph` that the optimal policy visits."""
    _optimal: list[NDArray[np.float64]] = field(default_factory=list)  # [B] value with i cycles left

    @property
    def reward(self) -> float:
        """The best known lower bound of the optimum: what the policy earns."""
        return self.lower

    def follow(self, node: int, action: int, *, percept: Percept) -> int:
        """Return the node after one more cycle.

        Raises
        ------
        ValueError
            If there is no such action, or the percept is impossible there.
        """
        as_integer("the action", action, 0, len(self.pomdp.actions) - 1)
        known = 0 <= percept.observation < len(self.pomdp.observations) and not self.pomdp.reward_fault(percept.reward)
        found = -1
        if known:
            code = self.pomdp.coding.code(percept.reward) * len(self.pomdp.observations) + int(percept.observation)
            found = self.graph.follow(node * len(self.pomdp.actions) + action, code)
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
        """Return the value of each action after a history, followed by optimal actions.

        Parameters
        ----------
        history : iterable of (int, Percept) or int, default: ()
            Actions and percepts from the start, or the number of a node.
        horizon : int, optional
            Number of cycles whose rewards count. By default all count: the value is then the relative value of the
            average-reward optimality equation, 0 for the best action at the start, and -inf for an action that lowers
            the reward per cycle permanently.

        Returns
        -------
        float64[A]
            Expected sum of rewards; exact up to rounding where nothing was merged, otherwise with an error of about
            `merge` times the rewards in each cycle.

        Raises
        ------
        ValueError
            If the history cannot have come from this environment, or the horizon is less than 1.
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
        """Return what an agent earns that knows the environment and plans over the same horizon in every cycle.

        It takes the action with the largest value of `action_values` over the horizon, or a random one of several. Its
        predictions and its search are perfect; its distance from the optimum is the price of the horizon.

        Parameters
        ----------
        horizon : int
            Number of cycles that the agent looks ahead.

        Returns
        -------
        float
            Reward per cycle, in the long run, from the start.
        """
        self.action_values(horizon=horizon)
        graph = self.graph
        values = (graph.reward + graph.step @ self._optimal[horizon - 1]).reshape(graph.size, -1)
        best = values >= values.max(axis=1, keepdims=True) - 1e-9
        return self.policy_reward(best / best.sum(axis=1, keepdims=True))

    def policy_reward(self, policy: NDArray[np.float64]) -> float:
        """Return what an agent earns that draws its actions with probabilities that depend on its belief.

        Parameters
        ----------
        policy : float64[B, A]
            The probability of each action at each node of `graph`; one below 1e-9 counts as 0.

        Returns
        -------
        float
            Reward per cycle, in the long run, from the start; exact up to rounding, but an approximation if it visits
            more than 3,000 nodes (see `markov_chain.relative_values`).
        """
        graph = self.graph
        share = np.where(policy < UNLIKELY, 0.0, policy)
        share /= share.sum(axis=1, keepdims=True)
        node = np.repeat(np.arange(graph.size), share.shape[1])
        choice = csr_array((share.ravel(), (node, np.arange(share.size))), shape=(graph.size, share.size))
        choice.eliminate_zeros()
        step = csr_array(choice @ graph.step)
        reached = breadth_first_order(step, 0, return_predecessors=False)  # from the start, which is the first
        step, reward = step[reached][:, reached], (choice @ graph.reward)[reached]
        gain = long_run_reward(step, reward) if len(reached) <= DIRECT else relative_values(step, reward)[0]
        return float(gain[0])

    def optimal_actions(
        self, history: History | int = (), horizon: int | None = None, *, tolerance: float = 1e-6
    ) -> list[int]:
        """Return the actions whose value, as given by `action_values`, is the largest up to a tolerance."""
        values = self.action_values(history, horizon)
        return np.flatnonzero(values >= values.max() - tolerance).tolist()

    def belief(self, history: History | int = ()) -> Belief:
        """Return the belief after a history."""
        return self.graph.belief(self.node(history))


def solve(pomdp: POMDP, merge: float = SAME, *, max_beliefs: int = 100_000) -> Solution:
    """Solve a POMDP: bound the largest long-run reward per cycle of any agent, and find a policy that earns it.

    Parameters
    ----------
    pomdp : POMDP
        The environment; it starts with `start` and is never reset.
    merge : float, default: 1e-10
        Beliefs over the same states whose probabilities differ by about this are merged. A larger value makes fewer
        beliefs and wider bounds.
    max_beliefs : int, default: 100_000
        Largest number of beliefs.

    Returns
    -------
    Solution

    Raises
    ------
    ValueError
        If there are more than `max_beliefs` beliefs, or `merge` is not in 1e-15 to 1.
    TypeError
        If the environment is not a POMDP.

    Examples
    --------
    >>> from aixi_approx.envs import make
    >>> solution = solve(make("tiger"))
    >>> round(solution.lower, 6), round(solution.upper, 6)
    (1.083789, 1.083789)
    >>> solution.optimal_actions(), solution.action_values(horizon=1).tolist()
    ([0], [-1.0, -45.0, -45.0])
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
    """Return the largest reward per cycle that any agent can earn, as declared, or solved for if this is quick.

    Parameters
    ----------
    environment : Environment
        Any environment; None is returned if it declares no optimum and is not a POMDP.
    max_beliefs : int, default: 10_000
        None is returned if there are more states or beliefs.
    """
    if environment.optimum is not None or not isinstance(environment, POMDP):
        return environment.optimum
    solution = solve_soon(environment, max_beliefs)
    return solution.lower if solution else None


def reward_range(environment: Environment) -> tuple[float | None, float | None]:
    """Return the reward per cycle of the random agent and of the best one, each None if unknown."""
    return environment.random_reward, best_reward(environment)


def solve_soon(pomdp: POMDP, max_beliefs: int = 10_000, *, merges: tuple[float, ...] = (SAME, 0.1)) -> Solution | None:
    """Return a solution whose bounds meet, or None if there are more states or beliefs than `max_beliefs`.

    Where there are many beliefs, the bounds of a coarse graph may still meet. The values of actions are exact only if
    nothing but equal beliefs was merged, with `merges=(SAME,)`.
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
    """Return, for all nodes and actions, the advantage over gain and value, and the loss of gain."""
    advantage = (graph.reward + graph.generous @ value).reshape(graph.size, -1) - (value + gain)[:, None]
    return advantage, gain[:, None] - (graph.generous @ gain).reshape(graph.size, -1)


def _policy_iteration(graph: BeliefGraph, scale: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
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

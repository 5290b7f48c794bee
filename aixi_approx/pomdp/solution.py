"""What solving a POMDP comes to: bounds of the optimum, a policy, and the values of actions after any history."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order

from aixi_approx.environment import Percept
from aixi_approx.pomdp.belief import Belief
from aixi_approx.pomdp.belief_graph import BeliefGraph
from aixi_approx.pomdp.controller import Controller, Run, run_controller
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.pomdp.markov_chain import DIRECT, long_run_reward, relative_values
from aixi_approx.validation import as_integer

if TYPE_CHECKING:
    from aixi_approx.display.picture import Picture

History = Iterable[tuple[int, Percept]]
SAME = 1e-10  # beliefs that differ by less count as the same
UNLIKELY = 1e-9  # less probable steps are ignored by the search for a policy, but not by the bounds


class GraphValues(NamedTuple):
    """A graph of beliefs, solved."""

    graph: BeliefGraph
    advantage: NDArray[np.float64]  # [B, A]
    value: NDArray[np.float64]  # [B]
    policy: NDArray[np.int64]  # [B] the best action


@dataclass(frozen=True, repr=False)
class Solution:
    """The result of `solve`: bounds of the optimum, a policy, and the values of actions after any history.

    The values are there if the beliefs were followed, which `values` tells. A history is a sequence of (action,
    percept), or the number of the node of `graph` that it leads to: to extend a history step by step, use `follow`.
    """

    pomdp: POMDP
    lower: float
    """Reward per cycle, in the long run, of `controller`: a lower bound of the optimum."""
    upper: float
    """Reward per cycle, in the long run, that no agent exceeds."""
    controller: Controller
    """The policy, with finite memory, its nodes merged where this makes no difference; optimal if the bounds meet."""
    beliefs: int
    """Number of beliefs that the policy visits, as far as they were told apart."""
    values: GraphValues | None = None
    """What belongs to the beliefs, or None if they were not followed."""
    known_run: Run | None = None
    """`run`, if it is known."""
    _optimal: list[NDArray[np.float64]] = field(default_factory=list)  # [B] value with i cycles left

    @property
    def reward(self) -> float:
        """The best known lower bound of the optimum: what the policy earns."""
        return self.lower

    @functools.cached_property
    def run(self) -> Run:
        """The behaviour of `controller`, which takes a while to find out if it has thousands of nodes."""
        return self.known_run or run_controller(self.pomdp, self.controller)

    @property
    def gap(self) -> float:
        """Distance of the bounds: in reward per cycle, or in discounted value where there is a discount."""
        gap = self.upper - self.lower
        return self.pomdp.discounted_value(gap) if self.pomdp.begins_anew else gap

    @property
    def exact(self) -> bool:
        """Whether all beliefs were followed, and none were merged but equal ones."""
        return self.values is not None and self.values.graph.merge <= SAME

    @property
    def graph(self) -> BeliefGraph:
        """The reachable beliefs; node 0 is the start. ValueError if they were not followed."""
        return self._followed.graph

    @property
    def advantage(self) -> NDArray[np.float64]:
        """[B, A] value of an action minus that of the best one, in the sum of all rewards in the long run."""
        return self._followed.advantage

    @property
    def value(self) -> NDArray[np.float64]:
        """[B] relative value of a node, 0 at the start."""
        return self._followed.value

    @property
    def _followed(self) -> GraphValues:
        if self.values is None:
            what = (
                "has too many beliefs to follow them all: there are bounds and a policy, but no values after histories"
            )
            raise ValueError(f"{self.pomdp.title or self.pomdp.name} {what}")
        return self.values

    def draw(self) -> Picture:
        """Return a picture of the policy, a Matplotlib figure: at most the first 12 nodes of `controller`."""
        from aixi_approx.pomdp.policy_picture import draw_policy

        return draw_policy(self)

    def frame(self) -> Any:
        """Return the policy as a pandas DataFrame, in words: a row for each percept that can come in a node.

        Raises
        ------
        ValueError
            If pandas is not installed.
        """
        from aixi_approx.display.data_frame import frame
        from aixi_approx.pomdp.policy_in_words import rows

        return frame(rows(self))

    def __repr__(self) -> str:
        """Return the bounds and the size of the policy, in a line."""
        name, nodes = self.pomdp.title or self.pomdp.name, len(self.controller.action)
        return f"<Solution of {name}: {self.lower:.6g} to {self.upper:.6g} per cycle, {nodes:,} nodes>"

    def _repr_html_(self) -> str:
        """Return the bounds, and the policy in words, for a notebook."""
        from aixi_approx.pomdp.policy_in_words import html

        return html(self)

    def joined(self, other: Solution | None) -> Solution:
        """Return the better policy of two solutions, with the better of both upper bounds."""
        if other is None:
            return self
        better = self if self.lower >= other.lower else other
        return replace(better, upper=max(better.lower, min(self.upper, other.upper)))

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

"""Finite-state controllers: policies with finite memory, and exactly what they earn in a finite POMDP.

A policy on a graph of beliefs is a controller whose nodes are beliefs. Usually fewer nodes are enough to act: here
nodes are merged as long as no possible history distinguishes them, so that people can read the policy.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from aixi_approx.pomdp.belief import Beliefs
from aixi_approx.pomdp.belief_graph import BeliefGraph
from aixi_approx.pomdp.definition import POMDP, outcomes_at
from aixi_approx.pomdp.markov_chain import DIRECT, relative_values

FOLDED = 1_000  # largest number of nodes of a policy whose nodes are merged
COUNTED = 2_000  # cycles over which visits are counted; more if it takes more to reach every node


class Controller(NamedTuple):
    """A policy with finite memory: C nodes in breadth-first order from the initial one, with X edges in all."""

    action: NDArray[np.int64]  # [C] action of a node
    first: NDArray[np.int64]  # [C + 1] edges of node c are at first[c] to first[c + 1]
    percept: NDArray[np.int64]  # [X] code of the reward * observations + observation, ascending within a node
    node: NDArray[np.int64]  # [X] where the percept leads


class Run(NamedTuple):
    """The behaviour of a controller in a POMDP; probabilities are averaged over its first cycles."""

    reward: float  # per cycle, in the long run; a lower bound
    probability: NDArray[np.float64]  # [X] of an edge, given its node
    belief: Beliefs  # [C] distribution of the states, given a node


def policy_controller(graph: BeliefGraph, policy: NDArray[np.int64]) -> tuple[Controller, int]:
    """Return the controller that takes action policy[n] in node n, and the number of graph nodes that it visits."""
    actions = len(graph.reward) // graph.size
    moves: dict[int, dict[int, int]] = {0: {}}
    order = [0]
    for n in order:  # grows as nodes are reached
        row = n * actions + int(policy[n])
        edges = slice(*graph.first[row : row + 2].tolist())
        moves[n] = dict(zip(graph.percept[edges].tolist(), graph.node[edges].tolist(), strict=True))
        for to in moves[n].values():
            if to not in moves:
                moves[to] = {}
                order.append(to)
    machine = _Machine({n: int(policy[n]) for n in order}, moves)
    if len(order) <= FOLDED:
        machine.fold(order)
    return machine.numbered(), len(order)


class _Machine:
    """A policy while its nodes are being merged; node 0 is the initial one."""

    def __init__(self, action: dict[int, int], moves: dict[int, dict[int, int]]) -> None:
        self.action = action
        self.moves = moves  # of each node: percept -> next node
        self.home = {n: n for n in action}  # the node into which a node was merged, or itself

    def fold(self, order: list[int]) -> None:
        """Merge nodes as long as this changes no action after any possible percepts."""
        kept: dict[int, list[int]] = {}
        for n in order:
            if self.home[n] == n:
                rivals = kept.setdefault(self.action[n], [])
                if not any(self.merge(rival, n) for rival in rivals):
                    rivals.append(n)

    def merge(self, into: int, node: int) -> bool:
        """Merge two nodes, and recursively their successors on the same percept; do nothing if any actions differ."""
        home, moves = dict[int, int](), dict[int, dict[int, int]]()  # the entries that change
        pairs = [(into, node)]
        while pairs:
            a, b = (self.find(n, home) for n in pairs.pop())
            if self.action[a] != self.action[b]:
                return False
            if a != b:
                here, there = moves.get(a, self.moves[a]), moves.get(b, self.moves[b])
                pairs += [(here[percept], to) for percept, to in there.items() if percept in here]
                home[b], moves[a] = a, there | here
        self.home |= home
        self.moves |= moves
        return True

    def find(self, n: int, home: dict[int, int]) -> int:
        """Return the node into which a node was merged, given the pending changes in `home`."""
        while (to := home.get(n, self.home[n])) != n:
            n = to
        return n

    def numbered(self) -> Controller:
        """Return the remaining nodes as a controller, in breadth-first order."""
        number = {self.find(0, {}): 0}
        first, percept, node = [0], list[int](), list[int]()
        order = list(number)
        for n in order:  # grows as nodes are reached
            for code, to in sorted(self.moves[n].items()):
                there = self.find(to, {})
                if there not in number:
                    number[there] = len(number)
                    order.append(there)
                percept.append(code)
                node.append(number[there])
            first.append(len(percept))
        return Controller(*map(np.array, ([self.action[n] for n in order], first, percept, node)))


def run_controller(pomdp: POMDP, controller: Controller) -> Run:
    """Return the behaviour of a controller, from the Markov chain over the pairs of its node and the true state.

    The reward is exact up to rounding for at most `markov_chain.DIRECT` pairs. For more it is the lower of the span
    bounds: for any relative values h, no chain earns less than the smallest of reward + step h - h.
    """
    tables, states, actions = pomdp.tables, len(pomdp.states), len(pomdp.actions)
    codes = np.unique(controller.percept)
    source = np.repeat(np.arange(len(controller.action)), np.diff(controller.first))
    label = source * len(codes) + np.searchsorted(codes, controller.percept)  # ascending

    def follow(pairs: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
        """Return the outcomes of some pairs: position in pairs, row in the tables, edge, next pair."""
        node, state = np.divmod(pairs, states)
        position, outcome = outcomes_at(tables, state * actions + controller.action[node])
        code = tables.code[outcome] * len(pomdp.observations) + tables.observation[outcome]
        edge = np.searchsorted(label, node[position] * len(codes) + np.searchsorted(codes, code))
        return position, outcome, edge, controller.node[edge] * states + tables.state[outcome]

    pairs = frontier = np.arange(len(tables.start))
    levels = 0
    while len(frontier):
        frontier = np.setdiff1d(follow(frontier)[-1], pairs)
        pairs = np.union1d(pairs, frontier)
        levels += 1
    position, outcome, edge, after = follow(pairs)
    weight, size = tables.probability[outcome], len(pairs)
    step = csr_array((weight, (position, np.searchsorted(pairs, after))), shape=(size, size))
    reward = np.bincount(position, weight * tables.reward[outcome], size).astype(np.float64)
    gain, value = relative_values(step, reward)
    now, back = np.zeros(size), csr_array(step.T)
    now[: len(tables.start)] = tables.start
    start, visits = now, np.zeros(size)
    for _ in range(max(COUNTED, levels)):
        visits, now = visits + now, back @ now
    often = np.bincount(edge, weight * visits[position], len(controller.percept)).astype(np.float64)
    node, state = np.divmod(pairs, states)
    return Run(
        reward=float(start @ gain if size <= DIRECT else (reward + step @ value - value).min()),
        probability=_share(often, source),
        belief=Beliefs(
            first=np.searchsorted(node, np.arange(len(controller.action) + 1)),
            state=state,
            probability=_share(visits, node),
        ),
    )


def _share(weight: NDArray[np.float64], group: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return each weight divided by the sum of its group; 0 in a group so rare that its sum is 0."""
    total = np.bincount(group, weight)[group]
    return np.divide(weight, total, out=np.zeros(len(weight)), where=total > 0)

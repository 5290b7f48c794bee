"""Finite-state controllers: a policy with finite memory, and exactly what it earns in a finite POMDP.

A policy on a graph of beliefs is a controller whose nodes are beliefs. Most of them are more than it takes to act:
nodes are merged here as long as no history that can come makes a difference, so that a policy can be read.
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

FOLDED = 1_000  # nodes of a policy; one with more is left as it is
COUNTED = 2_000  # cycles over which it is counted how often a node is visited, more if it takes more to go everywhere


class Controller(NamedTuple):
    """A policy with finite memory: C nodes in breadth-first order, the first to start in, with X edges in all."""

    action: NDArray[np.int64]  # [C] what is done in a node
    first: NDArray[np.int64]  # [C + 1] edges of node c stand at first[c] to first[c + 1]
    percept: NDArray[np.int64]  # [X] reward * observations + observation, ascending within a node
    node: NDArray[np.int64]  # [X] where the percept leads


class Run(NamedTuple):
    """What comes of a controller in a POMDP; probabilities are means over the visits of a node in its first cycles."""

    reward: float  # per cycle, in the long run; not more than the truth
    probability: NDArray[np.float64]  # [X] of an edge
    belief: Beliefs  # [C] of the states


def policy_controller(graph: BeliefGraph, policy: NDArray[np.int64]) -> tuple[Controller, int]:
    """Return the controller that takes action policy[n] in node n of a graph, and how many nodes it goes through."""
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
    """A policy whose nodes are being merged; node 0 is where it starts."""

    def __init__(self, action: dict[int, int], moves: dict[int, dict[int, int]]) -> None:
        self.action = action
        self.moves = moves  # of each node: percept -> next node
        self.home = {n: n for n in action}  # the node that a node was merged into, or itself

    def fold(self, order: list[int]) -> None:
        """Merge nodes as long as that changes no action after any percepts that can come."""
        kept: dict[int, list[int]] = {}
        for n in order:
            if self.home[n] == n:
                rivals = kept.setdefault(self.action[n], [])
                if not any(self.merge(rival, n) for rival in rivals):
                    rivals.append(n)

    def merge(self, into: int, node: int) -> bool:
        """Merge two nodes, and those that they go to on the same percept, and so on; or nothing if actions differ."""
        home, moves = dict[int, int](), dict[int, dict[int, int]]()  # what becomes of those that change
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
        """Return where a node is now, given what is about to change."""
        while (to := home.get(n, self.home[n])) != n:
            n = to
        return n

    def numbered(self) -> Controller:
        """Return the nodes that are left, in breadth-first order."""
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
    """Return what comes of a controller, from the chain over all pairs of its node and the true state.

    The reward is exact up to rounding where there are at most `chain.DIRECT` pairs. For more of them it is the lower
    end of span bounds: with any relative values h, no chain earns less than the least of reward + step h - h.
    """
    tables, states, actions = pomdp.tables, len(pomdp.states), len(pomdp.actions)
    codes = np.unique(controller.percept)
    source = np.repeat(np.arange(len(controller.action)), np.diff(controller.first))
    label = source * len(codes) + np.searchsorted(codes, controller.percept)  # ascending

    def follow(pairs: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
        """The outcomes in some pairs: position in pairs, row in the tables, edge, next pair."""
        node, state = np.divmod(pairs, states)
        position, outcome = outcomes_at(tables, state * actions + controller.action[node])
        code = tables.reward[outcome] * len(pomdp.observations) + tables.observation[outcome]
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
    """Each weight over the sum of its group; 0 in a group that is so seldom that it sums to 0."""
    total = np.bincount(group, weight)[group]
    return np.divide(weight, total, out=np.zeros(len(weight)), where=total > 0)

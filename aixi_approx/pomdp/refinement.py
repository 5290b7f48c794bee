"""Refining a graph of beliefs where its bounds are lost.

A graph of coarse cells is solved. Wherever its best policy goes, merging has replaced a belief by that of a node and,
for the rest, by knowing the state (see `belief_graph`); what this adds to the value, times how often it happens, is
where the gap comes from. The cells with the largest shares are split, and the finer graph is solved. It is the variable
resolution of Munos and Moore (2002) and of Zhou and Hansen (2001), with cells that are found as they are reached, and
for reward per cycle in the long run.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from aixi_approx.pomdp.belief_graph import Cells, TooMany, explore
from aixi_approx.pomdp.clock import Clock
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.pomdp.policy_iteration import solve_graph
from aixi_approx.pomdp.solution import GraphValues, Solution

COARSEST = 1.0  # unit of probability: a cell is then little more than a set of possible states
VISITS = 500  # cycles over which visits are counted
COVERED = 0.9  # share of what is lost that is looked into at once,
GROWTH = 4  # unless this takes more than one in so many nodes
FEWEST = 20  # cells that are split at least
ROUGHLY = 1e-6  # of the rewards, that a rest is taken to add at least


class Refinement:
    """A graph that is refined step by step.

    Parameters
    ----------
    pomdp : POMDP
        The environment.
    clock : Clock
        When to end.
    """

    def __init__(self, pomdp: POMDP, clock: Clock) -> None:
        self.pomdp, self.clock = pomdp, clock
        self._cells = Cells(COARSEST)
        self._done = False

    def up_to(self, beliefs: int) -> Iterator[Solution]:
        """Yield solutions of finer and finer graphs with at most so many beliefs; begin where it last ended.

        Raises
        ------
        OutOfTime
            When the time is over.
        """
        while not self._done:
            try:
                graph = explore(self.pomdp, self._cells, max_beliefs=beliefs, clock=self.clock)
            except TooMany:
                return
            solution = solve_graph(self.pomdp, graph, clock=self.clock)
            yield solution
            assert solution.values
            lossy = _losses(solution.values)
            self._cells.split.update(lossy)
            self._done = not lossy


def _losses(values: GraphValues) -> list[bytes]:
    """The cells in which a graph loses most of its bounds; none if it loses nothing."""
    graph = values.graph
    size, actions = graph.size, len(graph.reward) // graph.size
    rows = np.arange(size) * actions + values.policy
    generous = csr_array(graph.generous[rows])
    visits = _visits(generous)
    added = np.maximum(0, (generous - graph.step[rows]) @ values.value)
    source = np.repeat(np.arange(size * actions), np.diff(graph.first))
    taken = np.flatnonzero(values.policy[source // actions] == source % actions)
    node = source[taken] // actions
    rest = graph.probability[taken] * (1 - graph.share[taken])
    total = np.bincount(node, rest, size)
    each = np.divide(added, total, out=np.zeros(size), where=total > 0)
    each += ROUGHLY * float(np.abs(graph.reward).max())  # where it adds nothing today, it may as soon as values change
    lost = np.bincount(graph.node[taken], visits[node] * rest * each[node], size)
    order = np.argsort(-lost, kind="stable")
    order = order[lost[order] > 0]
    if not len(order):
        return []
    enough = int(np.searchsorted(np.cumsum(lost[order]), COVERED * lost.sum())) + 1
    return [graph.cell[n] for n in order[: min(enough, max(FEWEST, size // GROWTH))].tolist()]


def _visits(step: csr_array) -> NDArray[np.float64]:
    """How often each node is visited, per cycle, in the first cycles."""
    now, back = np.zeros(step.shape[0]), csr_array(step.T)
    now[0] = 1
    visits = now.copy()
    for _ in range(VISITS):
        now = back @ now
        visits += now
    return visits / VISITS

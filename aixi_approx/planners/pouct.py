"""rhoUCT with the true environment in place of a predictor: the search of the agent AImu.

It is the search of rho_uct.py, decision for decision, but for where percepts come from: a simulation draws a state from
the belief at the root, and then what comes of each action in it from the tables of the POMDP. The percepts of a
simulated path are distributed as the exact posterior has them, and no belief is computed on the way (Silver, Veness
2010). A chance node's children are told apart by the whole percept, observation and reward.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx.coding import Bits
from aixi_approx.compilation import kernel
from aixi_approx.planner import MAX_HORIZON, MAX_SIMULATIONS, SearchResult
from aixi_approx.planners.time_slices import TimeSlices
from aixi_approx.planners.tree_search import ROOT, SQRT_2, root_result, select
from aixi_approx.pomdp.belief import HasBelief
from aixi_approx.pomdp.definition import POMDP, Tables, sample
from aixi_approx.randomness import Stream, below, draw
from aixi_approx.validation import as_integer, check_positive

FREE = -1  # a place in the table of children that holds none
SPREAD = 0x9E3779B1  # odd, near 2^32 / golden ratio: nodes come to lie far apart (Knuth, TAOCP 3, 6.4)


class Plan(NamedTuple):
    """What a search is about."""

    actions: int
    percepts: int  # different ones in the whole environment
    horizon: int
    plies: int  # cycles in which actions are chosen by UCB, before the rollout
    ucb: float  # C
    scale: float  # reward range


class World(NamedTuple):
    """What simulations are drawn from; N outcomes in all, K possible states."""

    tables: Tables
    percept: NDArray[np.int64]  # [N] number of the percept of each outcome
    state: NDArray[np.int64]  # [K] possible at the root
    belief: NDArray[np.float64]  # [K] their probability


class Tree(NamedTuple):
    """The search tree: N decision nodes, A actions each, and a table of 2^k places for the children."""

    used: NDArray[np.int64]  # [1] decision nodes
    total: NDArray[np.int64]  # [N] T(h)
    visits: NDArray[np.int32]  # [N, A] T(ha)
    value: NDArray[np.float64]  # [N, A] mean return from here to the horizon
    child: NDArray[np.int64]  # [2^k, 2] key, or FREE, and decision node


class Trace(NamedTuple):
    """The course of one simulation of m cycles."""

    node: NDArray[np.int64]  # [m] decision node of each cycle
    action: NDArray[np.int64]  # [m]
    reward: NDArray[np.int64]  # [m]


@kernel
def _new_node(tree: Tree) -> int:
    node = tree.used[0]
    tree.used[0] = node + 1
    tree.total[node] = 0
    for a in range(tree.visits.shape[1]):
        tree.visits[node, a] = 0
        tree.value[node, a] = 0.0
    return node


@kernel
def _place(tree: Tree, node: int, branch: int, branches: int) -> int:
    """The place in the table of children where a branch of a node stands, or is to stand."""
    key = node * branches + branch
    mask = len(tree.child) - 1
    at = (node * SPREAD + branch) & mask  # the children of a node stand side by side
    while tree.child[at, 0] != key and tree.child[at, 0] != FREE:
        at = (at + 1) & mask
    return at


@kernel
def _child(tree: Tree, node: int, branch: int, branches: int) -> int:
    """The decision node behind a branch of a node; it is made if it is not there."""
    at = _place(tree, node, branch, branches)
    if tree.child[at, 0] == FREE:
        tree.child[at, 0] = node * branches + branch
        tree.child[at, 1] = _new_node(tree)
    return tree.child[at, 1]


@kernel
def _copy_children(old: Tree, new: Tree, branches: int) -> None:
    """Copy the table of children into a larger one."""
    for i in range(len(old.child)):
        key = old.child[i, 0]
        if key != FREE:
            at = _place(new, key // branches, key % branches, branches)
            new.child[at, 0], new.child[at, 1] = key, old.child[i, 1]


@kernel
def _draw_state(world: World, random: Stream) -> int:
    u = draw(random)
    last = len(world.state) - 1
    for i in range(last):
        u -= world.belief[i]
        if u < 0:
            return world.state[i]
    return world.state[last]


@kernel
def _simulate(
    tree: Tree, plan: Plan, world: World, random: Stream, trace: Trace, logs: NDArray[np.float64], state: int
) -> None:
    """One simulation from a state: descend, roll out, back up."""
    tables = world.tables
    node, level = ROOT, 0
    while level < plan.plies and tree.total[node] > 0:
        action = select(tree, plan, random, logs, node, plan.horizon - level)
        row = sample(tables, state, action, plan.actions, random)
        state = tables.state[row]
        trace.node[level], trace.action[level], trace.reward[level] = node, action, tables.reward[row]
        level += 1
        if level < plan.plies:
            node = _child(tree, node, action * plan.percepts + world.percept[row], plan.actions * plan.percepts)
    if level < plan.plies:
        tree.total[node] = 1
    outcome = 0
    for _ in range(level, plan.horizon):
        row = sample(tables, state, below(random, plan.actions), plan.actions, random)
        state = tables.state[row]
        outcome += tables.reward[row]
    while level > 0:
        level -= 1
        outcome += trace.reward[level]
        at, action = trace.node[level], trace.action[level]
        tree.visits[at, action] += 1
        tree.total[at] += 1
        tree.value[at, action] += (outcome - tree.value[at, action]) / tree.visits[at, action]


@kernel
def _run(
    tree: Tree, plan: Plan, world: World, random: Stream, trace: Trace, logs: NDArray[np.float64], simulations: int
) -> None:
    for _ in range(simulations):
        _simulate(tree, plan, world, random, trace, logs, _draw_state(world, random))


class POUCT:
    """Monte-Carlo planner of an agent that knows its environment: AImu.

    Parameters
    ----------
    pomdp
        The environment.
    horizon, simulations, ucb, plies, seconds
        As in `RhoUCT`.

    Examples
    --------
    >>> from aixi_approx import TrueModel, make
    >>> from aixi_approx.randomness import stream
    >>> tiger = make("tiger")
    >>> POUCT(tiger, horizon=3, simulations=10_000).search(TrueModel(tiger), stream(1)).action   # listen
    0
    """

    def __init__(
        self,
        pomdp: POMDP,
        horizon: int,
        simulations: int,
        ucb: float = SQRT_2,
        plies: int | None = None,
        seconds: float | None = None,
    ) -> None:
        if not 0 <= ucb < np.inf:
            raise ValueError(f"ucb is {ucb}: it must be a number and not negative")
        if seconds is not None:
            check_positive("seconds", seconds)
        self.pomdp, self.seconds = pomdp, seconds
        self.simulations = as_integer("simulations", simulations, 1, MAX_SIMULATIONS)
        tables = pomdp.tables
        percepts, self._percept = np.unique(
            tables.reward * len(pomdp.observations) + tables.observation, return_inverse=True
        )
        self._plan = Plan(
            actions=len(pomdp.actions),
            percepts=len(percepts),
            horizon=as_integer("horizon", horizon, 1, MAX_HORIZON),
            plies=horizon if plies is None else as_integer("plies", plies, 1, horizon),
            ucb=float(ucb),
            scale=float(max(1, pomdp.max_reward - pomdp.min_reward)),
        )
        self._trace = Trace(*np.zeros((3, horizon), dtype=np.int64))
        self._pace = TimeSlices()
        self._logs = np.zeros(0)
        self._tree = _empty_tree(self._plan.actions, 2)

    @property
    def horizon(self) -> int:
        """Cycles that a simulation looks ahead."""
        return self._plan.horizon

    def forget(self) -> None:
        """Nothing is kept from one search to the next."""

    def advance(self, action: int, percept: Bits) -> None:
        """Nothing is kept from one search to the next."""

    def search(self, predictor: HasBelief, random: Stream, simulations: int | None = None) -> SearchResult:
        """Search from the present belief of the true model, which is unchanged.

        Parameters
        ----------
        predictor
            At the start of a cycle.
        random
            The stream to draw from.
        simulations
            How many, if other than the planner's own number. Of no meaning to a planner with `seconds`.

        Raises
        ------
        ValueError
            If the number of simulations is out of range.
        """
        end = np.inf if self.seconds is None else time.perf_counter() + self.seconds
        if simulations is None or self.seconds is not None:
            simulations = self.simulations
        simulations = as_integer("simulations", simulations, 1, MAX_SIMULATIONS)
        self._clear()
        world = World(self.pomdp.tables, self._percept, *predictor.belief)
        done = 0
        for count, _ in self._pace(simulations, end):
            if done + count > len(self._logs) - 2:
                self._enlarge(simulations if self.seconds is None else min(simulations, 2 * (done + count)))
            _run(self._tree, self._plan, world, random, self._trace, self._logs, count)
            done += count
        return root_result(self._tree.visits, self._tree.value, random, done)

    def _clear(self) -> None:
        """Leave nothing in the tree but a root without visits."""
        self._tree.child[:, 0] = FREE
        self._tree.used[0] = ROOT
        _new_node(self._tree)
        self._tree.total[ROOT] = 1

    def _enlarge(self, simulations: int) -> None:
        """Make room in the tree, which stays as it is, for so many simulations in all."""
        old, new = self._tree, _empty_tree(self._plan.actions, simulations + 2)
        for name in ("used", "total", "visits", "value"):
            getattr(new, name)[: len(getattr(old, name))] = getattr(old, name)
        _copy_children(old, new, self._plan.actions * self._plan.percepts)
        self._tree = new
        self._logs = np.log(np.maximum(1.0, np.arange(simulations + 2)))


def _empty_tree(actions: int, nodes: int) -> Tree:
    """Room for a tree of some decision nodes; at most half of the places for children are ever taken."""
    places = 1 << (2 * nodes).bit_length()
    return Tree(
        used=np.zeros(1, dtype=np.int64),
        total=np.zeros(nodes, dtype=np.int64),
        visits=np.zeros((nodes, actions), dtype=np.int32),
        value=np.zeros((nodes, actions)),
        child=np.full((places, 2), FREE, dtype=np.int64),
    )

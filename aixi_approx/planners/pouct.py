"""POUCT: rhoUCT with the true environment in place of a predictor, the search of the agent AImu.

It is the search of rho_uct.py, decision for decision, but for where percepts come from: a simulation draws a state from
the belief at the root, and then what comes of each action in it from the tables of the POMDP. The percepts of a
simulated path are distributed as the exact posterior has them, and no belief is computed on the way (Silver, Veness
2010). A chance node's children are told apart by the whole percept, observation and reward.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx.compilation import kernel
from aixi_approx.planner import SearchResult
from aixi_approx.planner_spec import RULES
from aixi_approx.planners.belief_search import BeliefSearch, number_percepts, tell_cycle
from aixi_approx.planners.tree_search import (
    PAPER_OPTIONS,
    PAPER_RULES,
    ROOT,
    SQRT_2,
    budget,
    check_search_options,
    is_guided,
    roll_out,
    root_result,
    select,
)
from aixi_approx.pomdp.belief import HasBelief
from aixi_approx.pomdp.definition import POMDP, Tables, sample
from aixi_approx.predictor_abi import CHOOSE, GO_BACK, POLICY, READS, SET_MARK, call_operation
from aixi_approx.randomness import Stream, below, draw
from aixi_approx.rollout import Rollout

FREE = -1  # a place in the table of children that holds none
SCATTER = 0x9E3779B1  # odd, near 2^32 / golden ratio: nodes come to lie far apart (Knuth, TAOCP 3, 6.4)


class StatePlan(NamedTuple):
    """What a search is about."""

    actions: int
    percepts: int  # different ones in the whole environment
    horizon: int
    plies: int  # cycles in which actions are chosen by UCB, before the rollout
    rule: int  # of selection, one of RULES
    ucb: float  # C
    scale: float  # reward range
    guided: float  # share of simulations that act as the policy does beyond the tree, the others uniformly at random


class World(NamedTuple):
    """What simulations are drawn from; N outcomes in all, K possible states."""

    tables: Tables
    percept: NDArray[np.int64]  # [N] number of the percept of each outcome
    state: NDArray[np.int64]  # [K] possible at the root
    belief: NDArray[np.float64]  # [K] their probability
    action_bits: int  # of a cycle, as a rollout policy reads it
    reward_bits: int
    observation_bits: int


class StateTree(NamedTuple):
    """The search tree: N decision nodes, A actions each, and a table of 2^k places for the children."""

    used: NDArray[np.int64]  # [1] decision nodes
    total: NDArray[np.int64]  # [N] T(h)
    visits: NDArray[np.int32]  # [N, A] T(ha)
    value: NDArray[np.float64]  # [N, A] mean return from here to the horizon
    square: NDArray[np.float64]  # [2, A] sum of the squared deviations from it, of the root
    child: NDArray[np.int64]  # [2^k, 2] key, or FREE, and decision node


class StateTrace(NamedTuple):
    """The course of one simulation of m cycles."""

    node: NDArray[np.int64]  # [m] decision node of each cycle
    action: NDArray[np.int64]  # [m]
    reward: NDArray[np.float64]  # [m]


@kernel
def _new_node(tree: StateTree) -> int:
    node = tree.used[0]
    tree.used[0] = node + 1
    tree.total[node] = 0
    for a in range(tree.visits.shape[1]):
        tree.visits[node, a] = 0
        tree.value[node, a] = 0.0
    return node


@kernel
def _place(tree: StateTree, node: int, branch: int, branches: int) -> int:
    """The place in the table of children where a branch of a node stands, or is to stand."""
    key = node * branches + branch
    mask = len(tree.child) - 1
    at = (node * SCATTER + branch) & mask  # the children of a node stand side by side
    while tree.child[at, 0] != key and tree.child[at, 0] != FREE:
        at = (at + 1) & mask
    return at


@kernel
def _child(tree: StateTree, node: int, branch: int, branches: int) -> int:
    """The decision node behind a branch of a node; it is made if it is not there."""
    at = _place(tree, node, branch, branches)
    if tree.child[at, 0] == FREE:
        tree.child[at, 0] = node * branches + branch
        tree.child[at, 1] = _new_node(tree)
    return tree.child[at, 1]


@kernel
def _copy_children(old: StateTree, new: StateTree, branches: int) -> None:
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
    tree: StateTree,
    plan: StatePlan,
    world: World,
    policy: NDArray[np.int64],
    random: Stream,
    trace: StateTrace,
    logs: NDArray[np.float64],
    state: int,
) -> int:
    """One simulation from a state: descend, roll out, back up. Return how many operations of the policy failed."""
    tables, faults, mark = world.tables, 0, 0.0
    guided = is_guided(plan, random)
    reads = policy[READS] != 0 and guided
    if reads:
        mark = call_operation(policy[SET_MARK], policy[POLICY], 0)
        faults += mark < 0.0
    node, level = ROOT, 0
    while level < plan.plies and tree.total[node] > 0:
        action = select(tree, plan, random, logs, node, 1.0 / ((plan.horizon - level) * plan.scale))
        row = sample(tables, state, action, plan.actions, random)
        state = tables.state[row]
        if reads:
            faults += tell_cycle(policy, world, action, row)
        trace.node[level], trace.action[level], trace.reward[level] = node, action, tables.reward[row]
        level += 1
        if level < plan.plies:
            node = _child(tree, node, action * plan.percepts + world.percept[row], plan.actions * plan.percepts)
    if level < plan.plies:
        tree.total[node] = 1
    outcome = 0.0
    if policy[CHOOSE] == 0 or not guided:  # uniform
        for _ in range(level, plan.horizon):
            row = sample(tables, state, below(random, plan.actions), plan.actions, random)
            state = tables.state[row]
            outcome += tables.reward[row]
    else:
        for _ in range(level, plan.horizon):
            action = roll_out(policy, random, plan.actions)
            if action < 0:
                faults, action = faults + 1, 0
            row = sample(tables, state, action, plan.actions, random)
            state = tables.state[row]
            if reads:
                faults += tell_cycle(policy, world, action, row)
            outcome += tables.reward[row]
    while level > 0:
        level -= 1
        outcome += trace.reward[level]
        at, action = trace.node[level], trace.action[level]
        tree.visits[at, action] += 1
        tree.total[at] += 1
        difference = outcome - tree.value[at, action]
        tree.value[at, action] += difference / tree.visits[at, action]
        if level == 0:
            tree.square[ROOT, action] += difference * (outcome - tree.value[at, action])
    if reads and mark >= 0.0:
        faults += call_operation(policy[GO_BACK], policy[POLICY], int(mark)) < 0.0
    return faults


@kernel
def _run(
    tree: StateTree,
    plan: StatePlan,
    world: World,
    policy: NDArray[np.int64],
    random: Stream,
    trace: StateTrace,
    logs: NDArray[np.float64],
    simulations: int,
) -> bool:
    """Run some simulations; return whether all went well."""
    for _ in range(simulations):
        if _simulate(tree, plan, world, policy, random, trace, logs, _draw_state(world, random)):
            return False
    return True


class POUCT(BeliefSearch):
    """Monte-Carlo planner of an agent that knows its environment (Silver, Veness 2010): AImu.

    Parameters
    ----------
    pomdp : POMDP
        The environment.
    horizon, simulations, seconds, ucb, rule, rollout, policy, plies
        As in `RhoUCT`.

    Examples
    --------
    >>> from aixi_approx import make
    >>> from aixi_approx.predictors import TrueModel
    >>> from aixi_approx.randomness import stream
    >>> tiger = make("tiger")
    >>> POUCT(tiger, horizon=3, simulations=10_000).search(TrueModel(tiger), stream(1)).action   # listen
    0
    """

    options: ClassVar[tuple[str, ...]] = PAPER_OPTIONS
    bounds_memory = True

    def __init__(
        self,
        pomdp: POMDP,
        horizon: int = 5,
        *,
        simulations: int | None = None,
        seconds: float | None = None,
        ucb: float = SQRT_2,
        rule: str = "ucb",
        rollout: Rollout | None = None,
        policy: Rollout | None = None,
        lessons: str | None = None,
        plies: int | None = None,
    ) -> None:
        horizon, self.simulations, plies = check_search_options(
            horizon, simulations, seconds=seconds, ucb=ucb, rule=rule, plies=plies, rules=PAPER_RULES
        )
        super().__init__(pomdp, seconds=seconds, rollout=rollout, policy=policy, lessons=lessons)
        coding = pomdp.coding
        self._percept, percepts = number_percepts(pomdp)
        self._plan = StatePlan(
            actions=len(pomdp.actions),
            percepts=percepts,
            horizon=horizon,
            plies=plies,
            rule=RULES.index(rule),
            ucb=float(ucb),
            scale=coding.reward_span,
            guided=0.0,
        )
        self._layout = (coding.action_bits, coding.reward_bits, coding.observation_bits)
        node, action = np.zeros((2, horizon), dtype=np.int64)
        self._trace = StateTrace(node, action, reward=np.zeros(horizon))
        self._logs = np.zeros(0)
        self._tree = _empty_tree(self._plan.actions, 2)

    @property
    def horizon(self) -> int:
        """Cycles that a simulation looks ahead."""
        return self._plan.horizon

    def search(self, predictor: HasBelief, random: Stream, *, simulations: int | None = None) -> SearchResult:
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
            If the number of simulations is out of range, or the belief is about another environment.
        RolloutError
            If the rollout policy failed. Its own exception is the cause.
        """
        self._same.check(predictor)
        if simulations == 0:
            return self.guide.act_alone(random)
        simulations, end = budget(self, simulations)
        self._clear()
        world = World(self.pomdp.tables, self._percept, *predictor.belief, *self._layout)
        policy = self.guide.addresses()
        self._plan = self._plan._replace(guided=self.guided_share(self.guide.trust(simulations)))
        done = 0
        if self.most_memory is not None:  # a tree, and one of twice the size into which it is copied
            each = 2 * (8 + 12 * self._plan.actions) + 4 * 16
            simulations = max(1, min(simulations, self.most_memory // 3 // each))
        for count, _ in self._slices(simulations, end):
            if done + count > len(self._logs) - 2:
                self._enlarge(simulations if self.seconds is None else min(simulations, 2 * (done + count)))
            if not _run(self._tree, self._plan, world, policy, random, self._trace, self._logs, count):
                self.guide.raise_fault()
            done += count
        return root_result(self._tree, random=random, simulations=done)

    def _clear(self) -> None:
        """Leave nothing in the tree but a root without visits."""
        self._tree.child[:, 0] = FREE
        self._tree.square[:] = 0.0
        self._tree.used[0] = ROOT
        _new_node(self._tree)
        self._tree.total[ROOT] = 1

    def _enlarge(self, simulations: int) -> None:
        """Make room in the tree, which stays as it is, for so many simulations in all."""
        old, new = self._tree, _empty_tree(self._plan.actions, simulations + 2)
        for name in ("used", "total", "visits", "value", "square"):
            getattr(new, name)[: len(getattr(old, name))] = getattr(old, name)
        _copy_children(old, new, self._plan.actions * self._plan.percepts)
        self._tree = new
        self._logs = np.log(np.maximum(1.0, np.arange(simulations + 2)))


def _empty_tree(actions: int, nodes: int) -> StateTree:
    """Room for a tree of some decision nodes; at most half of the places for children are ever taken."""
    places = 1 << (2 * nodes).bit_length()
    return StateTree(
        used=np.zeros(1, dtype=np.int64),
        total=np.zeros(nodes, dtype=np.int64),
        visits=np.zeros((nodes, actions), dtype=np.int32),
        value=np.zeros((nodes, actions)),
        square=np.zeros((2, actions)),
        child=np.full((places, 2), FREE, dtype=np.int64),
    )


class OnePlyPOUCT(POUCT):
    """Flat Monte Carlo on the true environment: a single cycle of selection before the rollout.

    Parameters
    ----------
    pomdp, horizon, **options
        As in `POUCT`.
    """

    def __init__(self, pomdp: POMDP, horizon: int = 5, **options: Any) -> None:
        super().__init__(pomdp, horizon, plies=1, **options)


class FlatPOUCT(OnePlyPOUCT):
    """Flat Monte Carlo on the true environment: each first action gets as many random rollouts as the others.

    Parameters
    ----------
    pomdp, horizon, **options
        As in `POUCT`, but for `ucb` and `rule`.
    """

    options: ClassVar[tuple[str, ...]] = ("horizon", "simulations", "seconds", "policy", "lessons", "rollout")

    def __init__(self, pomdp: POMDP, horizon: int = 5, **options: Any) -> None:
        super().__init__(pomdp, horizon, rule="round-robin", **options)

"""rhoUCT: Monte-Carlo expectimax over a predictor (Veness et al., JAIR 2011, section 4).

A simulation descends from the root, the present history, through decision nodes (after a percept; the action is
chosen by UCB) and chance nodes (after an action; the percept is sampled from the predictor) to a decision node that
no simulation has visited, goes on with random actions to the horizon, and adds the return to the mean of every
chance node on its way.

Decisions where the paper is silent. T(h) of UCB counts the visit that made a node, and the root is made before
the first simulation. Untried actions come first, in random order, and ties are broken at random, also in the end.
An imagined reward code beyond the largest reward counts as the largest reward.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx.coding import Coding
from aixi_approx.compilation import kernel
from aixi_approx.planners.history_search import (
    BITS,
    DECISIONS,
    FAULTS,
    POLICY_FAULTS,
    UNKNOWN,
    HistorySearch,
    SearchPlan,
    SimulationTrace,
    act,
    ask,
    begin,
    new_bit,
    new_decision,
    note,
    take,
    undo,
)
from aixi_approx.planners.tree_search import (
    NONE,
    PAPER_OPTIONS,
    PAPER_RULES,
    ROOT,
    SQRT_2,
    imagined_reward,
    is_guided,
    select,
)
from aixi_approx.randomness import Stream, draw
from aixi_approx.rollout import Rollout

BIT_BYTES, ACTION_BYTES = 16, 16  # of a bit node, and of an action of a decision node
FIRST_ROOM = 1_000  # simulations that a tree has room for at first where nobody knows how many there will be


class SearchTree(NamedTuple):
    """The search tree and the memo in one: N decision nodes, A actions each, and B bit nodes of percept tries."""

    used: NDArray[np.int64]  # [2] decision nodes, bit nodes
    total: NDArray[np.int64]  # [N] T(h), 0 = known to the memo only
    chance: NDArray[np.int32]  # [N, A] first bit node of the percepts after each action, or NONE
    visits: NDArray[np.int32]  # [N, A] T(ha)
    value: NDArray[np.float64]  # [N, A] mean return from here to the horizon
    square: NDArray[np.float64]  # [2, A] sum of the squared deviations from it, of the root
    probability: NDArray[np.float64]  # [B] P(bit = 1), or UNKNOWN
    branch: NDArray[np.int32]  # [B, 2] next bit node, after the last bit a decision node; or NONE


# ------------------------------------------------------------------------------------------------ one simulation


@kernel
def _imagine(
    tree: SearchTree,
    plan: SearchPlan,
    operations: NDArray[np.int64],
    random: Stream,
    trace: SimulationTrace,
    node: int,
    level: int,
    room: int,
) -> int:
    """Take trace.action[level] at a node, sample a percept; return the decision node that it leads to.

    New nodes are made while less than `room` bit nodes are in use; past that the way leads to NONE.
    """
    at = take(tree, plan, trace, node, trace.action[level], room)
    code = 0
    last = 1 if level + 1 == plan.horizon else 0
    for k in range(plan.reward_bits if last else plan.percept_bits):
        p = UNKNOWN
        if at != NONE:
            p = tree.probability[at]
        if p == UNKNOWN:
            p = ask(operations, trace, last)
            if at != NONE and plan.memo:
                tree.probability[at] = p
        bit = 1 if draw(random) < p else 0
        note(trace, bit)
        if k < plan.reward_bits:
            code = 2 * code + bit
        if at != NONE:
            below_bit = tree.branch[at, bit]
            if below_bit == NONE and tree.used[BITS] < room and not (last and k + 1 == plan.reward_bits):
                below_bit = new_bit(tree) if k + 1 < plan.percept_bits else new_decision(tree)
                tree.branch[at, bit] = below_bit
            at = below_bit
    trace.reward[level] = imagined_reward(plan, code)
    return at


@kernel
def _simulate(
    tree: SearchTree,
    plan: SearchPlan,
    operations: NDArray[np.int64],
    policy: NDArray[np.int64],
    random: Stream,
    trace: SimulationTrace,
    logs: NDArray[np.float64],
    reserved: int,
) -> None:
    """One simulation: descend, roll out, back up, undo. `reserved` bit nodes are kept free by rollouts."""
    begin(trace)
    guided = is_guided(plan, random)
    capacity = len(tree.probability)
    node, level = ROOT, 0
    while level < plan.plies and tree.total[node] > 0:
        trace.node[level] = node
        trace.action[level] = select(tree, plan, random, logs, node, 1.0 / ((plan.horizon - level) * plan.scale))
        node = _imagine(tree, plan, operations, random, trace, node, level, capacity)
        level += 1
    new, depth = node, level
    room = capacity - reserved if plan.memo else 0
    while level < plan.horizon:
        trace.action[level] = act(plan, policy, random, trace, guided)
        node = _imagine(tree, plan, operations, random, trace, node, level, room)
        level += 1
    outcome = 0.0
    while level > 0:
        level -= 1
        outcome += trace.reward[level]
        if level < depth:
            at, action = trace.node[level], trace.action[level]
            tree.visits[at, action] += 1
            tree.total[at] += 1
            difference = outcome - tree.value[at, action]
            tree.value[at, action] += difference / tree.visits[at, action]
            if level == 0:
                tree.square[ROOT, action] += difference * (outcome - tree.value[at, action])
    if depth < plan.plies and new != NONE:  # it is NONE where there was no room
        tree.total[new] = 1
    undo(operations, policy, trace)


@kernel
def _run(
    tree: SearchTree,
    plan: SearchPlan,
    operations: NDArray[np.int64],
    policy: NDArray[np.int64],
    random: Stream,
    trace: SimulationTrace,
    logs: NDArray[np.float64],
    simulations: int,
    left: int,
) -> None:
    """Run some simulations of a search in which `left` are left to run."""
    for i in range(simulations):
        _simulate(tree, plan, operations, policy, random, trace, logs, (left - i) * plan.percept_bits)
        if trace.counts[FAULTS] or trace.counts[POLICY_FAULTS]:
            return


# ------------------------------------------------------------------------------------------------ the planner


class RhoUCT(HistorySearch):
    """The Monte-Carlo planner of MC-AIXI.

    Parameters
    ----------
    coding : Coding
        Bits and rewards of the environment.
    horizon : int, default: 5
        Cycles that a simulation looks ahead, the present one included; at least 1.
    simulations : int, optional
        Simulations of a search; at least 1. 500 if neither they nor `seconds` are given; with `seconds`, the most
        that it makes.
    seconds : float, optional
        Time that a search may take; unlimited if not given. How many simulations it makes then, at least 1, depends
        on the machine and its load, so that a decision can't be repeated. The result says how many there were.
    ucb : float, default: sqrt 2
        C, the weight of exploration in UCB. Values are scaled by the remaining horizon times the range of the rewards
        (or 1 if there is only one reward).
    rule : str, default: "ucb"
        How a simulation chooses among the actions of a node, `ucb` or `round-robin`.
    rollout : Rollout, optional
        How a simulation acts beyond the tree; as the policy does, or else uniformly at random, if not given.
    policy : Rollout, optional
        That learns the decisions.
    memo : bool, default: True
        Whether to keep the probabilities that the predictor was asked for. It changes the time of a search and
        nothing else.
    plies : int, optional
        Cycles in which a simulation chooses its actions by the rule, the rest being rollout; the whole horizon if not
        given.

    Examples
    --------
    >>> from aixi_approx import make
    >>> from aixi_approx.predictors import FactoredContextTree
    >>> from aixi_approx.randomness import stream
    >>> coding = make("coin-flip").coding
    >>> tree = FactoredContextTree(8, coding.action_bits, coding.percept_bits)
    >>> RhoUCT(coding, horizon=2, simulations=100).search(tree, stream(1)).visits.sum()
    np.int64(100)
    """

    options: ClassVar[tuple[str, ...]] = (*PAPER_OPTIONS, "memo")
    rules = PAPER_RULES
    ROLLOUT_NODES = 1 << 22  # bit nodes of 16 bytes that rollouts may fill

    def __init__(
        self,
        coding: Coding,
        horizon: int = 5,
        *,
        simulations: int | None = None,
        seconds: float | None = None,
        ucb: float = SQRT_2,
        rule: str = "ucb",
        rollout: Rollout | None = None,
        policy: Rollout | None = None,
        lessons: str | None = None,
        memo: bool = True,
        plies: int | None = None,
    ) -> None:
        super().__init__(
            coding,
            horizon,
            simulations=simulations,
            seconds=seconds,
            ucb=ucb,
            rule=rule,
            rollout=rollout,
            policy=policy,
            lessons=lessons,
            memo=memo,
            plies=plies,
        )

    def _new_tree(self, decisions: int, bits: int) -> SearchTree:
        actions = self.coding.actions
        tree = SearchTree(
            used=np.ones(2, dtype=np.int64),
            total=np.empty(decisions, dtype=np.int64),
            chance=np.empty((decisions, actions), dtype=np.int32),
            visits=np.empty((decisions, actions), dtype=np.int32),
            value=np.empty((decisions, actions)),
            square=np.zeros((2, actions)),
            probability=np.empty(bits),
            branch=np.empty((bits, 2), dtype=np.int32),
        )
        tree.total[NONE] = 0
        new_decision(tree)
        return tree

    def _begin(self, simulations: int) -> None:
        self._room = simulations if self.seconds is None else min(simulations, FIRST_ROOM)
        self._prepare(*self._sizes(self._room))
        self._tree.total[ROOT] = 1

    def _simulate(
        self,
        operations: NDArray[np.int64],
        policy: NDArray[np.int64],
        random: Stream,
        *,
        trace: SimulationTrace,
        count: int,
        done: int,
        left: int,
    ) -> int:
        if done + count > self._room:
            self._room = min(done + left, 2 * (done + count))
            self._enlarge(*self._sizes(self._room - done))
        self._know_logarithms(self._room)
        _run(self._tree, self._plan, operations, policy, random, trace, self._logs, count, self._room - done)
        return count

    def _sizes(self, simulations: int) -> tuple[int, int]:
        """Return how many decision nodes and bit nodes there are with those that some more simulations can add."""
        used, width = self._tree.used, self.coding.percept_bits
        bits = int(used[BITS]) + simulations * width + 1
        if self._plan.memo:
            bits = max(bits, min(self.ROLLOUT_NODES, bits + simulations * (self.horizon - 1) * width))
        if self.most_memory is not None:
            each = BIT_BYTES + 2 * (8 + self.coding.actions * ACTION_BYTES)
            bits = max(int(used[BITS]) + width + 1, min(bits, self.most_memory // self.COPIES // each))
        decisions = min(int(used[DECISIONS]) + simulations * self.horizon + 1, 2 * bits)  # each at a branch of its own
        if max(decisions, bits) >= 1 << 31:
            raise ValueError(f"{simulations} simulations over {self.horizon} cycles need more than 2^31 nodes")
        return decisions, bits


class OnePly(RhoUCT):
    """Flat Monte Carlo: a single cycle of selection before the rollout (JAIR 2011, table 6).

    Parameters
    ----------
    coding, horizon, **options
        As in `RhoUCT`.
    """

    def __init__(self, coding: Coding, horizon: int = 5, **options: Any) -> None:
        super().__init__(coding, horizon, plies=1, **options)


class FlatMonteCarlo(OnePly):
    """The 1-ply planner of the authors of JAIR 2011: each first action gets as many random rollouts as the others.

    Parameters
    ----------
    coding, horizon, **options
        As in `RhoUCT`, but for `ucb` and `rule`.
    """

    options: ClassVar[tuple[str, ...]] = ("horizon", "simulations", "seconds", "policy", "lessons", "rollout", "memo")

    def __init__(self, coding: Coding, horizon: int = 5, **options: Any) -> None:
        super().__init__(coding, horizon, rule="round-robin", **options)

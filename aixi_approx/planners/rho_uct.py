"""rhoUCT: Monte-Carlo expectimax over a predictor (Veness et al., JAIR 2011, section 4).

A simulation descends from the root, the present history, through decision nodes (after a percept; the action is
chosen by UCB) and chance nodes (after an action; the percept is sampled from the predictor) to a decision node that
no simulation has visited, goes on with random actions to the horizon, and adds the return to the mean of every
chance node on its way.

Within one search the history at the root is fixed, so the probability of a percept bit at a given imagined history
is one number. It is asked once. Every chance node has a binary trie over the percept bits that holds the numbers;
a simulation walks the tries, notes the imagined bits, and hands them to the predictor only when it needs a number
that is not there. What rollouts ask is kept too: a decision node with no visits is known to this memo only. After a
real cycle, the numbers below the percept that came are still true, because the predictor is Bayesian and they were
conditional on just that; visits and values are not, under a horizon that moves on, and start again from nothing.

Nothing depends on the last observation before the horizon, so it is not imagined. Where the predictor learns the bits
of a percept apart, a bit is not learned either if its like is not asked for in the rest of the simulation.

Decisions where the paper is silent. T(h) of UCB counts the visit that made a node, and the root is made before
the first simulation. Untried actions come first, in random order, and ties are broken at random, also in the end.
An imagined reward code beyond the largest reward counts as the largest reward.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx.coding import Bits, Coding, encode
from aixi_approx.compilation import kernel
from aixi_approx.planner import MAX_SIMULATIONS, Planner, SearchResult
from aixi_approx.planner_spec import RULES
from aixi_approx.planners.time_slices import TimeSlices
from aixi_approx.planners.tree_search import (
    NONE,
    PAPER_RULES,
    ROOT,
    SQRT_2,
    check_search_options,
    roll_out,
    root_result,
    select,
)
from aixi_approx.predictor import Predictor
from aixi_approx.predictor_abi import (
    APPEND,
    CHOOSE,
    GO_BACK,
    MARK,
    POLICY,
    PREDICT,
    READS,
    REVERT,
    SET_MARK,
    STATE,
    TAKE_IN,
    UPDATE,
    call_operation,
)
from aixi_approx.randomness import Stream, below, draw
from aixi_approx.rollout import Rollout
from aixi_approx.rollouts.uniform import Uniform
from aixi_approx.validation import as_integer

UNKNOWN = -1.0  # a probability that was not asked for
DECISIONS, BITS = 0, 1  # places in SearchTree.used
NOTED, FED, TOKEN, FAULTS, POLICY_FED, POLICY_TOKEN, POLICY_FAULTS = range(7)  # places in SimulationTrace.counts

FIRST_ROOM = 1_000  # simulations that a tree has room for at first where nobody knows how many there will be


class SearchPlan(NamedTuple):
    """What a search is about."""

    actions: int
    action_bits: int
    reward_bits: int
    percept_bits: int
    min_reward: int
    max_reward: int
    horizon: int
    plies: int  # cycles in which actions are chosen by UCB, before the rollout
    rule: int  # of selection, one of RULES
    ucb: float  # C
    scale: float  # reward range
    memo: bool


class SearchTree(NamedTuple):
    """The search tree and the memo in one: N decision nodes, A actions each, and B bit nodes of percept tries."""

    used: NDArray[np.int64]  # [2] decision nodes, bit nodes
    total: NDArray[np.int64]  # [N] T(h), 0 = known to the memo only
    chance: NDArray[np.int32]  # [N, A] first bit node of the percepts after each action, or NONE
    visits: NDArray[np.int32]  # [N, A] T(ha)
    value: NDArray[np.float64]  # [N, A] mean return from here to the horizon
    probability: NDArray[np.float64]  # [B] P(bit = 1), or UNKNOWN
    branch: NDArray[np.int32]  # [B, 2] next bit node, after the last bit a decision node; or NONE


class SimulationTrace(NamedTuple):
    """The course of one simulation; m cycles of c bits."""

    counts: NDArray[np.int64]  # [7] bits noted; for predictor and policy: bits fed, mark or -1, failures
    bits: NDArray[np.uint8]  # [m * c]
    verb: NDArray[np.int64]  # [2, m * c] which verb feeds a bit when one is asked for before, or in, the last cycle
    node: NDArray[np.int64]  # [m] decision node of each cycle
    action: NDArray[np.int64]  # [m]
    reward: NDArray[np.int64]  # [m]


# ------------------------------------------------------------------------------------------------ nodes


@kernel
def _new_decision(tree: SearchTree) -> int:
    node = tree.used[DECISIONS]
    tree.used[DECISIONS] = node + 1
    tree.total[node] = 0
    for a in range(tree.chance.shape[1]):
        tree.chance[node, a] = NONE
        tree.visits[node, a] = 0
        tree.value[node, a] = 0.0
    return node


@kernel
def _new_bit(tree: SearchTree) -> int:
    bit = tree.used[BITS]
    tree.used[BITS] = bit + 1
    tree.probability[bit] = UNKNOWN
    tree.branch[bit, 0] = NONE
    tree.branch[bit, 1] = NONE
    return bit


# ------------------------------------------------------------------------------------------------ one simulation


@kernel
def _ask(operations: NDArray[np.int64], trace: SimulationTrace, last: int) -> float:
    """P(next bit = 1) from the predictor, which first is fed what was noted since it was last asked."""
    counts = trace.counts
    if counts[TOKEN] < 0:
        counts[TOKEN] = int(call_operation(operations[MARK], operations[STATE], 0))
        if counts[TOKEN] < 0:
            counts[FAULTS] += 1
            return UNKNOWN
    for i in range(counts[FED], counts[NOTED]):
        if call_operation(operations[trace.verb[last, i]], operations[STATE], trace.bits[i]) < 0.0:
            counts[FAULTS] += 1
    counts[FED] = counts[NOTED]
    p = call_operation(operations[PREDICT], operations[STATE], 0)
    if not 0.0 <= p <= 1.0:
        counts[FAULTS] += 1
    return p


@kernel
def _tell_policy(policy: NDArray[np.int64], trace: SimulationTrace) -> None:
    """Feed the rollout policy what was noted since it last chose."""
    counts = trace.counts
    if counts[POLICY_TOKEN] < 0:
        counts[POLICY_TOKEN] = int(call_operation(policy[SET_MARK], policy[POLICY], 0))
        if counts[POLICY_TOKEN] < 0:
            counts[POLICY_FAULTS] += 1
    for i in range(counts[POLICY_FED], counts[NOTED]):
        if call_operation(policy[TAKE_IN], policy[POLICY], trace.bits[i]) < 0.0:
            counts[POLICY_FAULTS] += 1
    counts[POLICY_FED] = counts[NOTED]


@kernel
def _note(trace: SimulationTrace, bit: int) -> None:
    trace.bits[trace.counts[NOTED]] = bit
    trace.counts[NOTED] += 1


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
    action = trace.action[level]
    for i in range(plan.action_bits - 1, -1, -1):
        _note(trace, (action >> i) & 1)
    at = NONE
    if node != NONE:
        at = tree.chance[node, action]
        if at == NONE and tree.used[BITS] < room:
            at = _new_bit(tree)
            tree.chance[node, action] = at
    reward = 0
    last = 1 if level + 1 == plan.horizon else 0
    for k in range(plan.reward_bits if last else plan.percept_bits):
        p = UNKNOWN
        if at != NONE:
            p = tree.probability[at]
        if p == UNKNOWN:
            p = _ask(operations, trace, last)
            if at != NONE and plan.memo:
                tree.probability[at] = p
        bit = 1 if draw(random) < p else 0
        _note(trace, bit)
        if k < plan.reward_bits:
            reward = 2 * reward + bit
        if at != NONE:
            below_bit = tree.branch[at, bit]
            if below_bit == NONE and tree.used[BITS] < room and not (last and k + 1 == plan.reward_bits):
                below_bit = _new_bit(tree) if k + 1 < plan.percept_bits else _new_decision(tree)
                tree.branch[at, bit] = below_bit
            at = below_bit
    trace.reward[level] = min(plan.min_reward + reward, plan.max_reward)
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
    trace.counts[NOTED] = trace.counts[FED] = trace.counts[POLICY_FED] = 0
    trace.counts[TOKEN] = trace.counts[POLICY_TOKEN] = -1
    capacity = len(tree.probability)
    node, level = ROOT, 0
    while level < plan.plies and tree.total[node] > 0:
        trace.node[level] = node
        trace.action[level] = select(tree, plan, random, logs, node, 1.0 / ((plan.horizon - level) * plan.scale))
        node = _imagine(tree, plan, operations, random, trace, node, level, capacity)
        level += 1
    new, depth = node, level
    room = capacity - reserved if plan.memo else 0
    reads, uniform = policy[READS] != 0, policy[CHOOSE] == 0
    while level < plan.horizon:
        if reads:
            _tell_policy(policy, trace)
        trace.action[level] = below(random, plan.actions) if uniform else roll_out(policy, random, plan.actions)
        if trace.action[level] < 0:
            trace.counts[POLICY_FAULTS] += 1
            trace.action[level] = 0
        node = _imagine(tree, plan, operations, random, trace, node, level, room)
        level += 1
    outcome = 0
    while level > 0:
        level -= 1
        outcome += trace.reward[level]
        if level < depth:
            at, action = trace.node[level], trace.action[level]
            tree.visits[at, action] += 1
            tree.total[at] += 1
            tree.value[at, action] += (outcome - tree.value[at, action]) / tree.visits[at, action]
    if depth < plan.plies:
        tree.total[new] = 1
    if trace.counts[TOKEN] >= 0 and call_operation(operations[REVERT], operations[STATE], trace.counts[TOKEN]) < 0.0:
        trace.counts[FAULTS] += 1
    token = trace.counts[POLICY_TOKEN]
    if token >= 0 and call_operation(policy[GO_BACK], policy[POLICY], token) < 0.0:
        trace.counts[POLICY_FAULTS] += 1


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


# ------------------------------------------------------------------------------------------------ from cycle to cycle


@kernel
def _below_percept(tree: SearchTree, node: int, action: int, percept: Bits) -> int:
    """The decision node after an action and the bits of a percept, or NONE."""
    at = tree.chance[node, action]
    for bit in percept:
        if at == NONE:
            return NONE
        at = tree.branch[at, bit]
    return at


@kernel
def _copy_numbers(old: SearchTree, new: SearchTree, node: int, percept_bits: int, stack: NDArray[np.int64]) -> None:
    """Copy all that the memo knows below a node into a tree that has only its root.

    While it is copied, a decision node's `total` is the node it comes from.
    """
    new.total[ROOT] = node
    scan = ROOT
    while scan < new.used[DECISIONS]:
        source = new.total[scan]
        new.total[scan] = 0
        for a in range(new.chance.shape[1]):
            if old.chance[source, a] == NONE:
                continue
            new.chance[scan, a] = _new_bit(new)
            stack[0], stack[1], stack[2] = old.chance[source, a], new.chance[scan, a], 1
            height = 3
            while height:
                height -= 3
                from_bit, to_bit, k = stack[height], stack[height + 1], stack[height + 2]
                new.probability[to_bit] = old.probability[from_bit]
                for bit in range(2):
                    child = old.branch[from_bit, bit]
                    if child == NONE:
                        continue
                    if k == percept_bits:
                        copy = _new_decision(new)
                        new.total[copy] = child
                    else:
                        copy = _new_bit(new)
                        stack[height], stack[height + 1], stack[height + 2] = child, copy, k + 1
                        height += 3
                    new.branch[to_bit, bit] = copy
        scan += 1


# ------------------------------------------------------------------------------------------------ the planner


class RhoUCT(Planner):
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
        How a simulation acts beyond the tree; uniformly at random if not given.
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

    options = ("horizon", "simulations", "seconds", "ucb", "rule", "rollout", "memo")
    CHUNK_SECONDS = 0.05  # after which Ctrl-C is seen
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
        memo: bool = True,
        plies: int | None = None,
    ) -> None:
        if simulations is None and seconds is None:
            simulations = 500
        horizon, self.simulations, plies = check_search_options(
            horizon, simulations, seconds=seconds, ucb=ucb, rule=rule, plies=plies, rules=PAPER_RULES
        )
        self.coding, self.seconds = coding, seconds
        self.rollout = Uniform(coding) if rollout is None else rollout
        self.reads_history = self.rollout.reads_history
        self._plan = SearchPlan(
            actions=coding.actions,
            action_bits=coding.action_bits,
            reward_bits=coding.reward_bits,
            percept_bits=coding.percept_bits,
            min_reward=coding.min_reward,
            max_reward=coding.max_reward,
            horizon=horizon,
            plies=plies,
            rule=RULES.index(rule),
            ucb=float(ucb),
            scale=float(max(1, coding.max_reward - coding.min_reward)),
            memo=memo,
        )
        self._logs = np.zeros(0)
        self._slices = TimeSlices(self.CHUNK_SECONDS)
        self.forget()

    @property
    def horizon(self) -> int:
        """Cycles that a simulation looks ahead."""
        return self._plan.horizon

    def forget(self) -> None:
        """Drop the memo: what the predictor has learned since is not what was imagined."""
        self._tree = _empty_tree(self.coding.actions, 2, 2)
        self._root = ROOT

    def advance(self, action: int, percept: Bits, *, learned: bool = True) -> None:
        """Go on to the history after a real cycle."""
        if self.reads_history:
            self.rollout.extend(encode(action, self.coding.action_bits))
            self.rollout.extend(percept)
        if not learned:
            self.forget()
        elif self._plan.memo and self._root != NONE:
            self._root = _below_percept(self._tree, self._root, action, percept)

    def mark(self) -> int:
        """Remember this point; return its number."""
        return self.rollout.mark()

    def revert(self, mark: int) -> None:
        """Go back to a mark, exactly; forget it and all later ones."""
        self.rollout.revert(mark)
        self.forget()

    def search(self, predictor: Predictor, random: Stream, *, simulations: int | None = None) -> SearchResult:
        """Search from the present history of the predictor, which is unchanged afterwards.

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
            If the predictor was made for other bits, or the number of simulations is out of range.
        PredictorError
            If the predictor failed or ran out of memory during the search. Its own exception is the cause.
        RolloutError
            If the rollout policy failed. Its own exception is the cause.
        """
        end = np.inf if self.seconds is None else time.perf_counter() + self.seconds
        if simulations is None or self.seconds is not None:
            simulations = self.simulations
        simulations = as_integer("simulations", simulations, 1, MAX_SIMULATIONS)
        bits = (predictor.action_bits, predictor.percept_bits)
        if bits != (self.coding.action_bits, self.coding.percept_bits):
            raise ValueError(f"the predictor reads {bits} action and percept bits a cycle, the environment has others")
        predictor.fault = self.rollout.fault = None
        if not self._agrees(predictor):
            self.forget()
        operations, policy = predictor.addresses.array(), self.rollout.addresses.array()
        room = simulations if self.seconds is None else min(simulations, FIRST_ROOM)
        self._prepare(room)
        trace = self._trace(predictor)
        done = 0
        for count, _ in self._slices(simulations, end):
            if done + count > room:
                room = min(simulations, 2 * (done + count))
                self._enlarge(room - done)
            if len(self._logs) < room + 2:
                self._logs = np.log(np.maximum(1.0, np.arange(2.0 * room + 2)))
            _run(self._tree, self._plan, operations, policy, random, trace, self._logs, count, room - done)
            done += count
            if trace.counts[POLICY_FAULTS]:
                self.forget()
                self.rollout.raise_fault()
            if trace.counts[FAULTS]:
                self.forget()
                predictor.raise_fault()
        return root_result(self._tree.visits, self._tree.value, random=random, simulations=done)

    def _agrees(self, predictor: Predictor) -> bool:
        """Whether a number of the memo is still what the predictor says.

        It is not if the predictor is another one, or has learned something that `advance` was not told of.
        """
        if self._root == NONE or self._tree.used[BITS] == 1:
            return True
        for action in range(self.coding.actions):
            bit = self._tree.chance[self._root, action]
            if bit != NONE and self._tree.probability[bit] != UNKNOWN:
                mark = predictor.mark()
                try:
                    for action_bit in encode(action, self.coding.action_bits):
                        predictor.append(action_bit)
                    return bool(predictor.predict() == self._tree.probability[bit])
                finally:
                    predictor.revert(mark)
        return True

    def _prepare(self, simulations: int) -> None:
        """Make a tree of the memo below the root, with room for the nodes that some simulations can add."""
        if not self._plan.memo or self._root == NONE:
            self.forget()
        old, new = self._tree, self._larger_tree(simulations)
        if old.used[BITS] > 1:
            width = self.coding.percept_bits
            _copy_numbers(old, new, self._root, width, np.empty(3 * (width + 2), dtype=np.int64))
        new.total[ROOT] = 1
        self._tree, self._root = new, ROOT

    def _enlarge(self, simulations: int) -> None:
        """Make room in the tree, which stays as it is, for the nodes that some more simulations can add."""
        old, new = self._tree, self._larger_tree(simulations)
        decisions, bits = old.used
        new.used[:] = old.used
        for name in ("total", "chance", "visits", "value"):
            getattr(new, name)[:decisions] = getattr(old, name)[:decisions]
        for name in ("probability", "branch"):
            getattr(new, name)[:bits] = getattr(old, name)[:bits]
        self._tree = new

    def _larger_tree(self, simulations: int) -> SearchTree:
        """A tree of a root, with room for what is in the present one and for the nodes that simulations can add."""
        used, width = self._tree.used, self.coding.percept_bits
        bits = int(used[BITS]) + simulations * width + 1
        if self._plan.memo:
            bits = max(bits, min(self.ROLLOUT_NODES, bits + simulations * (self.horizon - 1) * width))
        decisions = min(int(used[DECISIONS]) + simulations * self.horizon + 1, 2 * bits)  # each at a branch of its own
        if max(decisions, bits) >= 1 << 31:
            raise ValueError(f"{simulations} simulations over {self.horizon} cycles need more than 2^31 nodes")
        return _empty_tree(self.coding.actions, decisions, bits)

    def _trace(self, predictor: Predictor) -> SimulationTrace:
        plan, coding = self._plan, self.coding
        verb = np.full((2, plan.horizon, coding.cycle_bits), UPDATE)
        verb[:, :, : coding.action_bits] = APPEND
        if predictor.independent_bits:
            verb[:, -1:] = APPEND
            observation = coding.action_bits + coding.reward_bits
            verb[0, -2:, observation:] = verb[1, :, observation:] = APPEND
        return SimulationTrace(
            counts=np.zeros(7, dtype=np.int64),
            bits=np.zeros(plan.horizon * coding.cycle_bits, dtype=np.uint8),
            verb=verb.reshape(2, -1),
            node=np.zeros(plan.horizon, dtype=np.int64),
            action=np.zeros(plan.horizon, dtype=np.int64),
            reward=np.zeros(plan.horizon, dtype=np.int64),
        )


def _empty_tree(actions: int, decisions: int, bits: int) -> SearchTree:
    """A tree of a root, with room for some decision nodes and bit nodes."""
    tree = SearchTree(
        used=np.ones(2, dtype=np.int64),
        total=np.empty(decisions, dtype=np.int64),
        chance=np.empty((decisions, actions), dtype=np.int32),
        visits=np.empty((decisions, actions), dtype=np.int32),
        value=np.empty((decisions, actions)),
        probability=np.empty(bits),
        branch=np.empty((bits, 2), dtype=np.int32),
    )
    tree.total[NONE] = 0
    _new_decision(tree)
    return tree


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

    options = ("horizon", "simulations", "seconds", "rollout", "memo")

    def __init__(self, coding: Coding, horizon: int = 5, **options: Any) -> None:
        super().__init__(coding, horizon, rule="round-robin", **options)

"""Search over imagined histories: what planners on a predictor have in common, and the memo of its probabilities.

A simulation descends from the root, the present history, through decision nodes (after a percept, before an action) and
chance nodes (after an action, before a percept).

Within one search the history at the root is fixed, so the probability of a percept bit at a given imagined history
is one number. It is asked once. Every chance node has a binary trie over the percept bits that holds the numbers;
a simulation walks the tries, notes the imagined bits, and hands them to the predictor only when it needs a number
that is not there. What rollouts ask is kept too: a decision node with no visits is known to this memo only. After a
real cycle, the numbers below the percept that came are still true, because the predictor is Bayesian and they were
conditional on just that; visits and values are not, under a horizon that moves on, and start again from nothing.

Nothing depends on the last observation before the horizon, so it is not imagined. Where the predictor learns the bits
of a percept apart, a bit is not learned either if its like is not asked for in the rest of the simulation.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx.coding import Bits, Coding, encode
from aixi_approx.compilation import inner_kernel, kernel
from aixi_approx.planner import SearchResult
from aixi_approx.planner_spec import RULES
from aixi_approx.planners.guided_planner import GuidedPlanner
from aixi_approx.planners.time_slices import TimeSlices, end_if_told
from aixi_approx.planners.tree_search import NONE, ROOT, budget, check_search_options, roll_out, root_result
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
from aixi_approx.randomness import Stream, below
from aixi_approx.rollout import Rollout

UNKNOWN = -1.0  # a probability that was not asked for
PIECE = 1 << 18  # logarithms that are taken at a time, in some milliseconds
DECISIONS, BITS = 0, 1  # places in `used` of a tree
NOTED, FED, TOKEN, FAULTS, POLICY_FED, POLICY_TOKEN, POLICY_FAULTS = range(7)  # places in SimulationTrace.counts


class SearchPlan(NamedTuple):
    """What a search is about."""

    actions: int
    action_bits: int
    reward_bits: int
    percept_bits: int
    min_reward: float
    max_reward: float
    rewards: NDArray[np.float64]  # of each code; [0] if whole numbers from the least to the largest
    horizon: int
    plies: int  # cycles in which actions are chosen by UCB, before the rollout
    rule: int  # of selection, one of RULES
    ucb: float  # C
    scale: float  # reward range
    memo: bool
    trust: float  # in the policy
    guided: float  # share of simulations that act as the policy does, the others uniformly at random beyond the tree
    acts: bool  # the policy acts beyond the tree, too


class SimulationTrace(NamedTuple):
    """The course of one simulation; m cycles of c bits."""

    counts: NDArray[np.int64]  # [7] bits noted; for predictor and policy: bits fed, mark or -1, failures
    bits: NDArray[np.uint8]  # [m * c]
    verb: NDArray[np.int64]  # [2, m * c] which verb feeds a bit when one is asked for before, or in, the last cycle
    node: NDArray[np.int64]  # [m] decision node of each cycle
    action: NDArray[np.int64]  # [m]
    reward: NDArray[np.float64]  # [m]


# ------------------------------------------------------------------------------------------------ nodes


@kernel
def new_decision(tree: Any) -> int:
    """Add a decision node without visits; return its number."""
    node = tree.used[DECISIONS]
    tree.used[DECISIONS] = node + 1
    tree.total[node] = 0
    for a in range(tree.chance.shape[1]):
        tree.chance[node, a] = NONE
        tree.visits[node, a] = 0
        tree.value[node, a] = 0.0
    return node


@kernel
def new_bit(tree: Any) -> int:
    """Add a bit node whose probability is unknown; return its number."""
    bit = tree.used[BITS]
    tree.used[BITS] = bit + 1
    tree.probability[bit] = UNKNOWN
    tree.branch[bit, 0] = NONE
    tree.branch[bit, 1] = NONE
    return bit


# ------------------------------------------------------------------------------------------------ one simulation


@kernel
def begin(trace: SimulationTrace) -> None:
    """Begin a simulation: nothing is noted, nothing fed."""
    trace.counts[NOTED] = trace.counts[FED] = trace.counts[POLICY_FED] = 0
    trace.counts[TOKEN] = trace.counts[POLICY_TOKEN] = -1


@kernel
def feed(operations: NDArray[np.int64], trace: SimulationTrace, last: int) -> bool:
    """Feed the predictor what was noted since it was last asked; return whether it could be marked before."""
    counts = trace.counts
    if counts[TOKEN] < 0:
        counts[TOKEN] = int(call_operation(operations[MARK], operations[STATE], 0))
        if counts[TOKEN] < 0:
            counts[FAULTS] += 1
            return False
    for i in range(counts[FED], counts[NOTED]):
        if call_operation(operations[trace.verb[last, i]], operations[STATE], trace.bits[i]) < 0.0:
            counts[FAULTS] += 1
    counts[FED] = counts[NOTED]
    return True


@kernel
def predict(operations: NDArray[np.int64], trace: SimulationTrace) -> float:
    """P(next bit = 1) from the predictor where it stands."""
    p = call_operation(operations[PREDICT], operations[STATE], 0)
    if not 0.0 <= p <= 1.0:
        trace.counts[FAULTS] += 1
    return p


@kernel
def ask(operations: NDArray[np.int64], trace: SimulationTrace, last: int) -> float:
    """P(next bit = 1) from the predictor, which first is fed what was noted since it was last asked."""
    return predict(operations, trace) if feed(operations, trace, last) else UNKNOWN


@kernel
def tell_policy(policy: NDArray[np.int64], trace: SimulationTrace) -> None:
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
def act(plan: SearchPlan, policy: NDArray[np.int64], random: Stream, trace: SimulationTrace, guided: bool) -> int:
    """Return the action of the rollout policy; uniform if it has no address, or the simulation is not guided."""
    if not guided or policy[CHOOSE] == 0:
        return below(random, plan.actions)
    if policy[READS] != 0:
        tell_policy(policy, trace)
    action = roll_out(policy, random, plan.actions)
    if action < 0:
        trace.counts[POLICY_FAULTS] += 1
        return 0
    return action


@kernel
def note(trace: SimulationTrace, bit: int) -> None:
    """Append a bit to the imagined history."""
    trace.bits[trace.counts[NOTED]] = bit
    trace.counts[NOTED] += 1


@kernel
def undo(operations: NDArray[np.int64], policy: NDArray[np.int64], trace: SimulationTrace) -> None:
    """Take back what predictor and rollout policy were fed in a simulation."""
    token = trace.counts[TOKEN]
    if token >= 0 and call_operation(operations[REVERT], operations[STATE], token) < 0.0:
        trace.counts[FAULTS] += 1
    token = trace.counts[POLICY_TOKEN]
    if token >= 0 and call_operation(policy[GO_BACK], policy[POLICY], token) < 0.0:
        trace.counts[POLICY_FAULTS] += 1


# ------------------------------------------------------------------------------------------------ from cycle to cycle


@inner_kernel
def take(tree: Any, plan: SearchPlan, trace: SimulationTrace, node: int, action: int, room: int) -> int:
    """Note an action at a node; return the first bit node of the percepts after it.

    It is made if it is not there and less than `room` bit nodes are in use; else it is NONE.
    """
    for i in range(plan.action_bits - 1, -1, -1):
        note(trace, (action >> i) & 1)
    if node == NONE:
        return NONE
    if tree.chance[node, action] == NONE and tree.used[BITS] < room:
        tree.chance[node, action] = new_bit(tree)
    return tree.chance[node, action]


@kernel
def below_percept(tree: Any, node: int, action: int, percept: Bits) -> int:
    """The decision node after an action and the bits of a percept, or NONE."""
    at = tree.chance[node, action]
    for bit in percept:
        if at == NONE:
            return NONE
        at = tree.branch[at, bit]
    return at


@kernel
def copy_numbers(old: Any, new: Any, node: int, percept_bits: int, stack: NDArray[np.int64]) -> None:
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
            new.chance[scan, a] = new_bit(new)
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
                        copy = new_decision(new)
                        new.total[copy] = child
                    else:
                        copy = new_bit(new)
                        stack[height], stack[height + 1], stack[height + 2] = child, copy, k + 1
                        height += 3
                    new.branch[to_bit, bit] = copy
        scan += 1


# ------------------------------------------------------------------------------------------------ the planner


class HistorySearch(GuidedPlanner):
    """Base class of searches over imagined histories. A subclass has a tree of its own, and the simulations.

    Parameters
    ----------
    coding, horizon, simulations, seconds, ucb, rule, rollout, memo
        As in `RhoUCT`.
    plies : int, optional
        As in `RhoUCT`.
    """

    rules: ClassVar[tuple[str, ...]] = RULES
    bounds_memory = True
    COPIES = 3  # a tree, and one of twice the size into which it is copied
    CHUNK_SECONDS = 0.05  # after which Ctrl-C is seen
    BY_BIT: ClassVar[tuple[str, ...]] = ("probability", "branch")  # fields of the tree with an entry for each bit node

    def __init__(
        self,
        coding: Coding,
        horizon: int = 5,
        *,
        simulations: int | None = None,
        seconds: float | None = None,
        ucb: float,
        rule: str,
        rollout: Rollout | None = None,
        policy: Rollout | None = None,
        lessons: str | None = None,
        memo: bool = True,
        plies: int | None = None,
    ) -> None:
        horizon, self.simulations, plies = check_search_options(
            horizon,
            simulations,
            seconds=seconds,
            ucb=ucb,
            rule=rule,
            plies=plies,
            rules=self.rules,
            guided=policy is not None,
        )
        self.coding, self.seconds = coding, seconds
        super().__init__(coding, rollout=rollout, policy=policy, lessons=lessons)
        self._plan = SearchPlan(
            actions=coding.actions,
            action_bits=coding.action_bits,
            reward_bits=coding.reward_bits,
            percept_bits=coding.percept_bits,
            min_reward=float(coding.min_reward),
            max_reward=float(coding.max_reward),
            rewards=np.array(coding.rewards, dtype=np.float64),
            horizon=horizon,
            plies=plies,
            rule=RULES.index(rule),
            ucb=float(ucb),
            scale=coding.reward_span,
            memo=memo,
            trust=0.0,
            guided=0.0,
            acts=self.guide.acts,
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
        self._tree = self._new_tree(2, 2)
        self._root = ROOT

    def advance(self, action: int, percept: Bits, *, learned: bool = True) -> None:
        """Go on to the history after a real cycle."""
        super().advance(action, percept, learned=learned)
        if not learned:
            self.forget()
        elif self._plan.memo and self._root != NONE:
            self._root = below_percept(self._tree, self._root, action, percept)

    def revert(self, mark: int) -> None:
        """Go back to a mark, exactly; forget it and all later ones."""
        super().revert(mark)
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
        if simulations == 0:
            return self.guide.act_alone(random)
        simulations, end = budget(self, simulations)
        bits = (predictor.action_bits, predictor.percept_bits)
        if bits != (self.coding.action_bits, self.coding.percept_bits):
            raise ValueError(f"the predictor reads {bits} action and percept bits a cycle, the environment has others")
        predictor.fault = None
        if not self._plan.memo or self._root == NONE or not self._agrees(predictor):
            self.forget()
        operations, policy = predictor.addresses.array(), self.guide.addresses()
        trust = self.guide.trust(simulations)
        self._plan = self._plan._replace(trust=trust, guided=self.guided_share(trust))
        self._begin(simulations)
        trace = self._trace(predictor)
        done = 0
        for count, left in self._slices(simulations, end):
            made = self._simulate(operations, policy, random, trace=trace, count=count, done=done, left=left)
            done += made
            if trace.counts[POLICY_FAULTS]:
                self.forget()
                self.guide.raise_fault()
            if trace.counts[FAULTS]:
                self.forget()
                predictor.raise_fault()
            if made < count:
                break
        return root_result(self._tree, random=random, simulations=done)

    @abstractmethod
    def _new_tree(self, decisions: int, bits: int) -> Any:
        """Return a tree of a root, with room for some decision nodes and bit nodes."""

    @abstractmethod
    def _begin(self, simulations: int) -> None:
        """Make room, by `_prepare`, for a search of at most so many simulations."""

    @abstractmethod
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
        """Run some simulations; return how many, which are less if the search is at its end.

        Parameters
        ----------
        operations, policy : int64[6]
            Addresses of the predictor and of the rollout policy.
        random : uint64[4]
            The stream to draw from.
        trace : SimulationTrace
            Room for the course of a simulation, and what failed.
        count : int
            How many.
        done, left : int
            That were made in this search before, and that are left in it.
        """

    def _know_logarithms(self, visits: int) -> None:
        """Have the logarithms of numbers up to that of the visits of a node."""
        if (known := len(self._logs)) >= visits + 2:
            return
        logs = np.empty(2 * visits + 2)
        logs[:known] = self._logs
        for start in range(known, len(logs), PIECE):
            end_if_told()
            piece = logs[start : start + PIECE]
            np.log(np.maximum(1.0, np.arange(start, start + len(piece))), out=piece)
        self._logs = logs

    def _agrees(self, predictor: Predictor) -> bool:
        """Whether a number of the memo is still what the predictor says.

        It is not if the predictor is another one, or has learned something that `advance` was not told of.
        """
        if self._tree.used[BITS] == 1:
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

    def _prepare(self, decisions: int, bits: int) -> None:
        """Make a tree of what the memo knows below the root, with room for some nodes in all."""
        old, new = self._tree, self._new_tree(decisions, bits)
        if old.used[BITS] > 1:
            width = self.coding.percept_bits
            copy_numbers(old, new, self._root, width, np.empty(3 * (width + 2), dtype=np.int64))
        self._tree, self._root = new, ROOT

    def _enlarge(self, decisions: int, bits: int) -> None:
        """Make room for some nodes in all; the tree stays as it is."""
        old, new = self._tree, self._new_tree(decisions, bits)
        new.used[:] = old.used
        for name in old._fields[1:]:
            end_if_told()  # many take longer together than a time slice
            filled = old.used[BITS if name in self.BY_BIT else DECISIONS]
            getattr(new, name)[:filled] = getattr(old, name)[:filled]
        self._tree = new

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
            reward=np.zeros(plan.horizon),
        )

"""Expectimax on a learned model: the exact values that rhoUCT tends to (Veness et al., JAIR 2011, equation 1).

    V(h) = max over a of Q(ha)        Q(ha) = sum over percepts x = (o, r) of rho(x | ha) (r + V(hax))

to a horizon of m cycles. The predictor is asked for every percept bit and learns what is imagined, as the mixture does
in truth. What comes to nothing is left out: an imagined path whose probability, given its actions, is less than
`prune`. Its return lies between known limits, so that every Q lies between two numbers which are both carried along;
the result is the middle and half the distance, and the true Q lies between, but for rounding.

The kernel is a walk with a stack of its own, so that it can be left and entered again: Ctrl-C is not seen inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx.coding import Coding
from aixi_approx.compilation import kernel
from aixi_approx.planner import Planner, SearchResult, best_action
from aixi_approx.planners.iterative_deepening import ROUNDING, deepen
from aixi_approx.planners.time_slices import TimeSlices
from aixi_approx.planners.tree_search import imagined_reward
from aixi_approx.predictor import Predictor
from aixi_approx.predictor_abi import APPEND, MARK, PREDICT, REVERT, STATE, UPDATE, call_operation
from aixi_approx.randomness import Stream
from aixi_approx.validation import as_integer

MAX_HORIZON = 100
LEVEL, BIT, ASKED, DONE, FAULTS = range(5)  # places in Path.at


class ExpectimaxPlan(NamedTuple):
    """What a search is about."""

    actions: int
    action_bits: int
    reward_bits: int
    percept_bits: int
    min_reward: float
    max_reward: float
    rewards: NDArray[np.float64]  # of each code; [0] if whole numbers from the least to the largest
    horizon: int
    prune: float


class Path(NamedTuple):
    """Where a search stands: an imagined path of up to m cycles of c percept bits, and what is known of its nodes."""

    at: NDArray[
        np.int64
    ]  # [5] cycle, bit, times that the predictor was asked, whether all is done, operations that failed
    action: NDArray[np.int64]  # [m] action in the balance
    before: NDArray[np.int64]  # [m] mark before the action
    mass: NDArray[np.float64]  # [m] probability of the path up to the cycle, given its actions
    low: NDArray[np.float64]  # [m, A] Q of each action, as far as it is summed up: at least
    high: NDArray[np.float64]  # [m, A] at most
    code: NDArray[np.int64]  # [m, c + 1] reward bits so far, as a number
    share: NDArray[np.float64]  # [m, c + 1] probability of the bits so far, given what stands before the percept
    one: NDArray[np.float64]  # [m, c + 1] P(next bit = 1)
    following: NDArray[np.int64]  # [m, c + 1] next bit to imagine: 0, 1, or 2 when both are done
    mark: NDArray[np.int64]  # [m, c + 1] mark before the bit that is imagined now


@kernel
def _call(path: Path, operations: NDArray[np.int64], verb: int, argument: int) -> float:
    answer = call_operation(operations[verb], operations[STATE], argument)
    if not answer >= 0.0:
        path.at[FAULTS] += 1
    return answer


@kernel
def _ask(path: Path, operations: NDArray[np.int64], level: int, k: int) -> None:
    """Stand before bit k of a percept, with both bits to be imagined."""
    p = _call(path, operations, PREDICT, 0)
    if p > 1.0:
        path.at[FAULTS] += 1
    path.one[level, k] = p
    path.following[level, k] = 0
    path.at[BIT] = k
    path.at[ASKED] += 1


@kernel
def _try(path: Path, plan: ExpectimaxPlan, operations: NDArray[np.int64], level: int, action: int) -> None:
    """Put an action in the balance."""
    path.action[level] = action
    path.before[level] = np.int64(_call(path, operations, MARK, 0))
    for i in range(plan.action_bits - 1, -1, -1):
        _call(path, operations, APPEND, (action >> i) & 1)
    path.low[level, action] = path.high[level, action] = 0.0
    path.code[level, 0] = 0
    path.share[level, 0] = 1.0
    _ask(path, operations, level, 0)


@kernel
def _largest(values: NDArray[np.float64]) -> float:
    largest = -np.inf
    for value in values:
        largest = max(largest, value)
    return largest


@kernel
def _leave_out(path: Path, plan: ExpectimaxPlan, level: int, known: int, bits: int, share: float) -> None:
    """Count in a percept, of which the first bits are known, with the least and the largest return it can have."""
    left = plan.reward_bits - min(bits, plan.reward_bits)
    later = plan.horizon - level - 1
    action = path.action[level]
    path.low[level, action] += share * (imagined_reward(plan, known << left) + later * plan.min_reward)
    path.high[level, action] += share * (imagined_reward(plan, ((known + 1) << left) - 1) + later * plan.max_reward)


@kernel
def _step(path: Path, plan: ExpectimaxPlan, operations: NDArray[np.int64]) -> None:
    """Imagine the next bit, or go back from where all has been imagined."""
    level, k = path.at[LEVEL], path.at[BIT]
    action = path.action[level]
    bit = path.following[level, k]
    if bit == 2 and k > 0:
        path.at[BIT] = k - 1
        _call(path, operations, REVERT, path.mark[level, k - 1])
    elif bit == 2:
        _call(path, operations, REVERT, path.before[level])
        if action + 1 < plan.actions:
            _try(path, plan, operations, level, action + 1)
        elif level == 0:
            path.at[DONE] = 1
        else:  # the decision is made: back to the percept that led to it
            k = plan.percept_bits
            reward = imagined_reward(plan, path.code[level - 1, k])
            share = path.share[level - 1, k]
            path.low[level - 1, path.action[level - 1]] += share * (reward + _largest(path.low[level]))
            path.high[level - 1, path.action[level - 1]] += share * (reward + _largest(path.high[level]))
            path.at[LEVEL], path.at[BIT] = level - 1, k - 1
            _call(path, operations, REVERT, path.mark[level - 1, k - 1])
    else:
        path.following[level, k] = bit + 1
        one = path.one[level, k]
        share = path.share[level, k] * (one if bit else 1.0 - one)
        code = path.code[level, k]
        if k < plan.reward_bits:
            code = 2 * code + bit
        last = level + 1 == plan.horizon
        if share == 0.0:
            return
        if path.mass[level] * share < plan.prune or (last and k + 1 == plan.reward_bits):
            _leave_out(path, plan, level, code, k + 1, share)
            return
        path.mark[level, k] = np.int64(_call(path, operations, MARK, 0))
        _call(path, operations, UPDATE, bit)
        path.code[level, k + 1], path.share[level, k + 1] = code, share
        if k + 1 < plan.percept_bits:
            _ask(path, operations, level, k + 1)
        else:
            path.at[LEVEL] = level + 1
            path.mass[level + 1] = path.mass[level] * share
            _try(path, plan, operations, level + 1, 0)


@kernel
def _run(path: Path, plan: ExpectimaxPlan, operations: NDArray[np.int64], steps: int) -> None:
    for _ in range(steps):
        if path.at[DONE] or path.at[FAULTS]:
            return
        _step(path, plan, operations)


class Expectimax(Planner):
    """The exact planner: full width over actions and percepts, whatever the model.

    Parameters
    ----------
    coding
        Bits and rewards of the environment.
    horizon
        Cycles that are looked ahead, the present one included; at least 1.
    prune
        Probability of an imagined path, given its actions, below which it is left out. With 0 nothing is; with more,
        `error` of the result says what the value of each action is sure to within.
    time_limit
        Seconds that a decision may take. What would take longer is refused before it begins.
    max_queries
        Times that the predictor may be asked in a decision.

    Examples
    --------
    >>> from aixi_approx import make
    >>> from aixi_approx.predictors import FactoredContextTree
    >>> from aixi_approx.randomness import stream
    >>> coding = make("coin-flip").coding
    >>> tree = FactoredContextTree(8, coding.action_bits, coding.percept_bits)
    >>> Expectimax(coding, horizon=2).search(tree, stream(1)).value.round(3)    # what comes first helps in what follows
    array([1.039, 1.039])
    """

    options = ("horizon", "prune")
    can_refuse = True
    PRUNE = 1e-4

    def __init__(
        self,
        coding: Coding,
        horizon: int = 5,
        *,
        prune: float = PRUNE,
        time_limit: float = 60.0,
        max_queries: float = np.inf,
    ) -> None:
        limits = (("prune", prune, 1.0), ("time_limit", time_limit, np.inf), ("max_queries", max_queries, np.inf))
        for name, number, most in limits:
            if not 0 <= number <= most:
                raise ValueError(f"{name} is {number}: it must lie in 0 to {most:g}")
        self.coding = coding
        self.horizon = as_integer("horizon", horizon, 1, MAX_HORIZON)
        self.prune, self.time_limit, self.max_queries = float(prune), time_limit, max_queries
        self._slices = TimeSlices()

    def search(self, predictor: Predictor, random: Stream, *, simulations: int | None = None) -> SearchResult:
        """Search from the present history of the predictor, which is unchanged afterwards.

        Parameters
        ----------
        predictor
            At the start of a cycle.
        random
            The stream that decides between actions of the same value; there is no other chance.
        simulations
            Of no meaning here.

        Returns
        -------
        SearchResult
            With `error`; `visits` and `simulations` are 0.

        Raises
        ------
        TooSlow
            If it would take longer than the time limit, or more queries than allowed; a ValueError.
        ValueError
            If the predictor was made for other bits.
        PredictorError
            If the predictor failed or ran out of memory during the search. Its own exception is the cause.
        """
        bits = (predictor.action_bits, predictor.percept_bits)
        if bits != (self.coding.action_bits, self.coding.percept_bits):
            raise ValueError(f"the predictor reads {bits} action and percept bits a cycle, the environment has others")
        predictor.fault = None
        mark = predictor.mark()
        try:
            deepen(
                lambda horizon: self._search(predictor, horizon),
                self.horizon,
                time_limit=self.time_limit,
                most=self._most_work(),
                remedy="take a shorter horizon or a larger prune",
                max_work=self.max_queries,
            )
        finally:
            predictor.revert(mark)
        low, high = self._path.low[0], self._path.high[0]
        value = (low + high) / 2
        nothing = np.zeros(self.coding.actions, dtype=np.int64)
        return SearchResult(best_action(value, random, rounding=ROUNDING), value, nothing, 0, (high - low) / 2)

    def _search(self, predictor: Predictor, horizon: int) -> Iterator[int]:
        """Search to a horizon, in chunks; yield how often the predictor was asked."""
        coding, operations = self.coding, predictor.addresses.array()
        plan = ExpectimaxPlan(
            coding.actions,
            coding.action_bits,
            coding.reward_bits,
            coding.percept_bits,
            float(coding.min_reward),
            float(coding.max_reward),
            np.array(coding.rewards, dtype=np.float64),
            horizon,
            self.prune,
        )
        path = self._path = _empty_path(plan)
        _try(path, plan, operations, 0, 0)
        asked = 0
        for count, _ in self._slices(1 << 62):
            _run(path, plan, operations, count)
            if path.at[FAULTS]:
                predictor.raise_fault()
            yield int(path.at[ASKED]) - asked
            asked = int(path.at[ASKED])
            if path.at[DONE]:
                return

    def _most_work(self) -> float:
        """A bound on how often the predictor is asked: paths of a given length and given actions exclude each other."""
        most, width = 0.0, self.coding.percept_bits
        for cycle in range(self.horizon):
            paths = 2.0 ** min(1000, width * (cycle + 1))
            if self.prune > 0:
                paths = min(paths, 1 / self.prune)
            most += min(1e300, float(self.coding.actions) ** min(300, cycle + 1)) * min(1e300, paths) * width
        return most


def _empty_path(plan: ExpectimaxPlan) -> Path:
    m, c = plan.horizon, plan.percept_bits + 1
    return Path(
        at=np.zeros(5, dtype=np.int64),
        action=np.zeros(m, dtype=np.int64),
        before=np.zeros(m, dtype=np.int64),
        mass=np.ones(m),
        low=np.zeros((m, plan.actions)),
        high=np.zeros((m, plan.actions)),
        code=np.zeros((m, c), dtype=np.int64),
        share=np.zeros((m, c)),
        one=np.zeros((m, c)),
        following=np.zeros((m, c), dtype=np.int64),
        mark=np.zeros((m, c), dtype=np.int64),
    )

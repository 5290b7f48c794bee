"""The account of a decision: what it loses, and through which of its parts.

Between the best action at a history and the one that is taken stand three others, each the best that a part of the
agent could ask for. What is lost from one to the next is the loss of that part:

    best in the long run
        horizon         it looks only some cycles ahead
    best within the horizon, for one who knows the environment
        prediction      its model is not the environment
    best within the horizon by its own model (exact expectimax)
        decision        its search did not find that
    found by its search
        exploration     it acts at random now and then
    taken

Each difference is one of values Q of actions at this history in the true environment, so that the four add up to
Q(best) - Q(taken), whatever Q is. With the values of the next m cycles, m the horizon, the first is zero. With those of
the long run, relative to the best reward per cycle, the mean loss over the histories that an agent comes to is the
reward per cycle that it misses: the performance difference lemma (Kakade, Langford 2002) for the average reward.

A part can be negative: an error may make up for one before it. Where several actions are as good as each other, a stage
takes what the next one takes, if that is among them, else any of them: nobody is blamed for a choice between equals.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx.environment import Percept
from aixi_approx.planners.belief_expectimax import BeliefExpectimax
from aixi_approx.planners.expectimax import Expectimax
from aixi_approx.planners.iterative_deepening import TooSlow
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.pomdp.solver import Solution
from aixi_approx.predictors.true_model import TrueModel
from aixi_approx.randomness import stream

Values = NDArray[np.float64]
Actions = NDArray[np.bool_]
ExactPlanner = Expectimax | BeliefExpectimax

PARTS = ("horizon", "prediction", "decision", "exploration")

TIE = 1e-6  # values of actions that differ by less are the same


class RegretParts(NamedTuple):
    """What a decision loses, in the units of the rewards. The four parts add up to the total; NaN is not known."""

    horizon: float
    prediction: float
    decision: float
    exploration: float
    total: float


def split(
    values: Values, within: Actions | None, model: Actions | None, search: int, epsilon: float = 0.0
) -> RegretParts:
    """Split the loss of a decision.

    Parameters
    ----------
    values
        [A] the value of each action at this history.
    within
        [A] whether an action is one of the best within the horizon, in the true environment; None if not known.
    model
        [A] whether it is one of the best by the agent's own model; None if not known.
    search
        The action that the search found.
    epsilon
        Probability that a random action is taken in its place.

    Examples
    --------
    >>> best_within, best_by_model = np.array([True, False, False]), np.array([False, True, False])
    >>> split(np.array([3.0, 2.0, 0.0]), best_within, best_by_model, search=2)
    RegretParts(horizon=0.0, prediction=1.0, decision=2.0, exploration=0.0, total=3.0)
    """
    found = np.zeros(len(values))
    found[search] = 1.0
    by_model = None if model is None else _agree(model, found)
    knowing = None if within is None else _agree(within, found if by_model is None else by_model)
    taken = (1 - epsilon) * found + epsilon / len(values)
    most = float(values.max())
    knows, models, finds, takes = (_expected(values, share) for share in (knowing, by_model, found, taken))
    return RegretParts(most - knows, knows - models, models - finds, finds - takes, total=most - takes)


def _agree(best: Actions, share: Values) -> Values:
    """The share of each action if one of the best is taken: as in `share` where that is one of them, else any."""
    kept = best * share
    return kept / kept.sum() if kept.any() else best / best.sum()


def _expected(values: Values, share: Values | None) -> float:
    if share is None:
        return math.nan
    return float(values[share > 0] @ share[share > 0])  # an action that is not taken may be worth -inf


def best(values: Values) -> Actions:
    """Return which actions have the largest value, up to rounding."""
    return values >= values.max() - TIE


class TrueValues:
    """The values of actions in the true environment, after a history that is followed cycle by cycle.

    Parameters
    ----------
    pomdp
        The environment.
    horizon
        Cycles that the agent looks ahead.
    solution
        Of the environment, if it has an exact one. Without it there are no values of the long run.
    """

    MAX_BELIEFS = 20_000  # beliefs that are followed for the values within the horizon

    def __init__(self, pomdp: POMDP, horizon: int, solution: Solution | None) -> None:
        self._model = TrueModel(pomdp)
        self._coding, self._solution, self._node = pomdp.coding, solution, 0
        self._planner = BeliefExpectimax(pomdp, horizon, time_limit=math.inf, max_beliefs=self.MAX_BELIEFS)
        self._gave_up = False

    def restart(self) -> None:
        """Go back to the empty history, and to the hope that its values are found."""
        self._model.restart()
        self._node = 0
        self._gave_up = False

    def observe(self, action: int, percept: Percept) -> None:
        """Go on by one cycle."""
        self._model.extend(self._coding.cycle(action, *percept))
        if self._solution:
            self._node = self._solution.follow(self._node, action, percept=percept)

    def within(self) -> Values | None:
        """Return the expected sum of rewards within the horizon after each action; None once that is too much work."""
        if self._gave_up:
            return None
        try:
            return self._planner.search(self._model, stream(0)).value
        except TooSlow:
            self._gave_up = True
            return None

    def long_run(self) -> Values | None:
        """Return the value of each action in the long run, relative to the best reward per cycle, or None if not known.

        It is -inf for an action after which less can be earned for ever.
        """
        return self._solution.action_values(self._node) if self._solution else None

    def regret(self, action: int) -> float:
        """Return what an action loses in the long run; NaN where that is not known."""
        values = self.long_run()
        return math.nan if values is None else float(values.max() - values[action])


class DecisionAnalysis(NamedTuple):
    """What is known of one decision."""

    within_horizon: RegretParts | None  # by the values within the horizon
    long_run: RegretParts | None  # by those of the long run
    simple_regret: float  # value within the horizon by the agent's own model that its search did not find
    certified: bool  # whether the best action by its own model is beyond doubt


class ModelValues(NamedTuple):
    """What the agent's own model says of the actions at a history."""

    value: Values  # [A]
    best: Actions
    certified: bool


def _by_model(value: Values, error: Values) -> ModelValues:
    first = best(value)
    rivals = (value + error)[~first] > (value - error)[first].min()
    equals = first.sum() > 1 and error[first].max() > TIE
    return ModelValues(value, first, not (rivals.any() or equals))


class DecisionAnalyser:
    """Judges the decisions of an agent, by its own model and by the truth.

    Parameters
    ----------
    planners
        Exact planners for the agent's model, each leaving out less than the one before. The first is asked, and the
        next ones until the best action is beyond doubt or it is too much work.
    truth
        The true environment, where it is known; it is to follow the same history.
    epsilon
        Probability that the agent takes a random action in place of what its search found.
    """

    def __init__(self, planners: Sequence[ExactPlanner], truth: TrueValues | None, *, epsilon: float) -> None:
        self._planners, self._truth, self._epsilon = planners, truth, epsilon
        self._known: dict[bytes, ModelValues | None] = {}
        self._gave_up = False

    def restart(self) -> None:
        """Begin with another agent. What was too much work for the one before may not come up again."""
        self._gave_up = False

    def __call__(self, predictor: Any, context: bytes, action: int) -> DecisionAnalysis:
        """Judge a decision.

        Parameters
        ----------
        predictor
            The agent's, at the decision.
        context
            All of the history that the predictor takes notice of. What was found out is kept for the next time, and
            for the next agent with the same predictor.
        action
            What its search found.
        """
        by_model = None
        if not self._gave_up:
            if context not in self._known:
                self._known[context] = self._ask(predictor)
            by_model = self._known[context]
            self._gave_up = by_model is None
        model = by_model.best if by_model else None
        truth = self._truth
        within, long_run = (truth.within(), truth.long_run()) if truth else (None, None)
        knowing = None if within is None else best(within)
        return DecisionAnalysis(
            within_horizon=None if within is None else split(within, knowing, model, action, self._epsilon),
            long_run=None if long_run is None else split(long_run, knowing, model, action, self._epsilon),
            simple_regret=float(by_model.value.max() - by_model.value[action]) if by_model else math.nan,
            certified=by_model is not None and by_model.certified,
        )

    def _ask(self, predictor: Any) -> ModelValues | None:
        """What the model says of the actions, or None if that is too much work."""
        known = None
        for planner in self._planners:
            try:
                result = planner.search(predictor, stream(0))
            except TooSlow:
                break
            assert result.error is not None
            known = _by_model(result.value, result.error)
            if known.certified:
                break
        return known

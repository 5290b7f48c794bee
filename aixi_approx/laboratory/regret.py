"""The regret of a decision: what it loses, and through which part of the agent.

Between the best action at a history and the action that is taken lie four others, each the best that a part of the
agent could choose. What is lost from one to the next is the regret of that part:

    best in the long run
        horizon         the agent looks only m cycles ahead
    best within the horizon, for an agent that knows the environment
        prediction      the model is not the environment
    best within the horizon by the agent's own model (exact expectimax)
        decision        the search did not find that action
    found by the agent's search
        distillation    the agent does not search: it acts by a policy that has learned from that search
    by the policy
        exploration     the agent acts at random now and then
    taken

An agent that searches does what its search found: distillation costs it nothing. Of one that acts by its policy alone,
the search is that of the agent which learned: with as many simulations, guided by the same policy, on the same model.

Each part is a difference between values Q of actions in the true environment at this history, so that the five add up
to Q(best) - Q(taken), whatever Q is. With the values of the next m cycles, the first is zero. With those of the long
run, relative to the best reward per cycle, the mean regret over the histories that an agent comes to is the reward per
cycle that it misses: the performance difference lemma (Kakade, Langford 2002) for the average reward.

A part can be negative: an error may compensate for an earlier one. Where several actions are equally good, a stage
takes what the next one takes, if that is among them, else each of them with the same probability: a choice between
equals costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx.coding import Coding
from aixi_approx.environment import Percept
from aixi_approx.planners.belief_expectimax import BeliefExpectimax
from aixi_approx.planners.expectimax import Expectimax
from aixi_approx.planners.iterative_deepening import TooSlow
from aixi_approx.pomdp.belief import Belief
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.pomdp.solution import Solution
from aixi_approx.predictors.true_model import TrueModel
from aixi_approx.randomness import stream

Values = NDArray[np.float64]
Actions = NDArray[np.bool_]
ExactPlanner = Expectimax | BeliefExpectimax

PRUNES = (1e-2, 1e-3, 1e-4, 1e-5)  # of expectimax on the agent's own model, one after the other
PARTS = ("horizon", "prediction", "decision", "distillation", "exploration")

TIE = 1e-6  # values of actions that differ by less are equal


class RegretParts(NamedTuple):
    """What a decision loses, in the units of the rewards. The five parts add up to the total; NaN is unknown."""

    horizon: float
    prediction: float
    decision: float
    distillation: float
    exploration: float
    total: float


def split(
    values: Values,
    search: int,
    *,
    within: Actions | None,
    model: Actions | None,
    policy: int | None = None,
    epsilon: float = 0.0,
) -> RegretParts:
    """Split the regret of a decision into its parts.

    Parameters
    ----------
    values : float[A]
        The value of each action in the true environment at this history.
    search : int
        The action that the search found.
    within : bool[A] or None
        Whether an action is one of the best within the horizon, in the true environment; None if unknown.
    model : bool[A] or None
        Whether it is one of the best by the agent's own model; None if unknown.
    policy : int, optional
        The action of the policy that acts in place of the search. Without one it is what the search found.
    epsilon : float, default: 0.0
        Probability that a random action is taken instead.

    Returns
    -------
    RegretParts
        NaN where a part depends on what is unknown; the total does not.

    Examples
    --------
    >>> best_within, best_by_model = np.array([True, False, False]), np.array([False, True, False])
    >>> split(np.array([3.0, 2.0, 0.0]), 2, within=best_within, model=best_by_model)
    RegretParts(horizon=0.0, prediction=1.0, decision=2.0, distillation=0.0, exploration=0.0, total=3.0)
    """
    found, chosen = np.zeros(len(values)), np.zeros(len(values))
    found[search] = chosen[search if policy is None else policy] = 1.0
    by_model = None if model is None else _agree(model, found)
    knowing = None if within is None else _agree(within, found if by_model is None else by_model)
    taken = (1 - epsilon) * chosen + epsilon / len(values)
    best_value = float(values.max())
    knows, models, finds, chooses, takes = (
        _expected(values, share) for share in (knowing, by_model, found, chosen, taken)
    )
    return RegretParts(
        best_value - knows,
        knows - models,
        models - finds,
        distillation=0.0 if policy in (None, search) else finds - chooses,  # not inf - inf
        exploration=chooses - takes,
        total=best_value - takes,
    )


def _agree(best: Actions, share: Values) -> Values:
    """The share of each action if one of the best is taken: as in `share` where that is one of them, else any."""
    kept = best * share
    return kept / kept.sum() if kept.any() else best / best.sum()


def _expected(values: Values, share: Values | None) -> float:
    if share is None:
        return math.nan
    return float(values[share > 0] @ share[share > 0])  # an action that is not taken may be worth -inf


def best(values: Values) -> Actions:
    """Return which actions have the largest value, up to `TIE`.

    Parameters
    ----------
    values : float[A]
        Of the actions.

    Returns
    -------
    bool[A]
        At least one is True.
    """
    return values >= values.max() - TIE


class TrueValues:
    """The values of actions in the true environment, after a history that is followed cycle by cycle.

    Parameters
    ----------
    pomdp : POMDP
        The environment.
    horizon : int
        Cycles that the agent looks ahead.
    solution : Solution or None
        The exact solution of the environment. Without it there are no values of the long run.
    """

    MAX_BELIEFS = 20_000  # that are followed for the values within the horizon

    def __init__(self, pomdp: POMDP, horizon: int, *, solution: Solution | None) -> None:
        self._model = TrueModel(pomdp)  # of no use with a solution, whose graph has all beliefs
        self._pomdp, self._solution, self._node = pomdp, solution, 0
        self._planner = BeliefExpectimax(pomdp, horizon, time_limit=math.inf, max_beliefs=self.MAX_BELIEFS)
        self._gave_up = False
        self._first = self._model.mark(), self._node

    def begin(self, past: Iterable[tuple[int, Percept]]) -> None:
        """Begin after some cycles, actions and percepts: `restart` goes back to there."""
        if self._solution:
            self._node = self._solution.node(past)
        else:
            for action, percept in past:
                self.observe(action, percept)
        self._first = self._model.mark(), self._node

    def restart(self) -> None:
        """Go back to the first history, where the values within the horizon are tried again."""
        mark, self._node = self._first
        self._model.revert(mark)
        self._first = self._model.mark(), self._node
        self._gave_up = False

    def observe(self, action: int, percept: Percept) -> None:
        """Append a cycle to the history."""
        if self._solution:
            self._node = self._solution.follow(self._node, action, percept=percept)
        else:
            self._model.extend(self._pomdp.coding.cycle(action, *percept))

    @property
    def belief(self) -> Belief:
        """What the history says about the state."""
        return self._solution.belief(self._node) if self._solution else self._model.belief

    def within(self) -> Values | None:
        """Return the value of each action within the horizon.

        Returns
        -------
        float[A] or None
            The expected sum of rewards; None once it was too much work, until `restart`.
        """
        if self._gave_up:
            return None
        try:
            model = TrueModel(self._pomdp, belief=self.belief) if self._solution else self._model
            return self._planner.search(model, stream(0)).value
        except TooSlow:
            self._gave_up = True
            return None

    def long_run(self) -> Values | None:
        """Return the value of each action in the long run.

        Returns
        -------
        float[A] or None
            The expected sum of rewards relative to the best reward per cycle; -inf for an action after which less can
            be earned forever. None without a solution.
        """
        return self._solution.action_values(self._node) if self._solution else None

    def relative_value(self) -> float:
        """Return what the present history is worth more than the start, in the sum of all later rewards.

        From one cycle to another the rewards fall behind the best by the regret of the actions in between, less what
        this has grown, on average. NaN without a solution.
        """
        return float(self._solution.value[self._node]) if self._solution else math.nan

    def regret(self, action: int) -> float:
        """Return what an action loses in the long run, in the units of the rewards; NaN if unknown."""
        values = self.long_run()
        return math.nan if values is None else float(values.max() - values[action])


def exact_planners(predictor: object, coding: Coding, *, horizon: int, max_queries: int) -> list[ExactPlanner]:
    """Return exact planners for a model, each leaving out less than the one before.

    Parameters
    ----------
    predictor : Predictor
        The model.
    coding : Coding
        Of its environment.
    horizon : int
        Cycles that they look ahead.
    max_queries : int
        Of a model that learns, by each of them at one decision.
    """
    if isinstance(predictor, TrueModel):
        limit = TrueValues.MAX_BELIEFS
        return [BeliefExpectimax(predictor.pomdp, horizon, time_limit=math.inf, max_beliefs=limit)]
    return [Expectimax(coding, horizon, prune=prune, time_limit=math.inf, max_queries=max_queries) for prune in PRUNES]


class Interval(NamedTuple):
    """What lies between two numbers."""

    low: float
    high: float


class Bounds(NamedTuple):
    """Between what the losses through prediction and decision lie, in the long run; NaN where that is unknown."""

    prediction: Interval
    decision: Interval


UNKNOWN = Interval(math.nan, math.nan)


def bounds(values: Values, search: int, *, within: Actions, possible: Actions) -> Bounds:
    """Return between what prediction and decision lie if it is not known which action the model takes for the best.

    Parameters
    ----------
    values, search, within
        As in `split`.
    possible : bool[A]
        Whether an action may be the best by the agent's own model, alone or with others.

    Examples
    --------
    >>> first = np.array([True, False, False])
    >>> bounds(np.array([3.0, 2.0, 0.0]), 2, within=first, possible=np.array([True, True, False]))
    Bounds(prediction=Interval(low=0.0, high=1.0), decision=Interval(low=2.0, high=3.0))
    """
    knows, models, found = values[within], values[possible], values[search]
    return Bounds(
        Interval(float(knows.min() - models.max()), float(knows.max() - models.min())),
        Interval(float(models.min() - found), float(models.max() - found)),
    )


class DecisionAnalysis(NamedTuple):
    """What is known of one decision."""

    within_horizon: RegretParts | None
    """By the values within the horizon."""
    long_run: RegretParts | None
    """By the values of the long run."""
    bounds: Bounds
    """Between what the parts lie for sure, whichever action the agent's own model takes for the best."""
    simple_regret: float
    """Value within the horizon, by the agent's own model, that its search did not find; NaN if unknown."""
    simple_regret_bounds: Interval
    """Between what that lies for sure."""
    certified: bool
    """Whether the best action by the agent's own model is beyond doubt."""


class ModelValues(NamedTuple):
    """What the agent's own model says of the actions at a history."""

    value: Values
    """float[A]: within the horizon."""
    error: Values
    """float[A]: the exact value lies in value +- error."""
    best: Actions
    """bool[A]: whether an action is one of the best."""
    certified: bool
    """Whether that is beyond doubt."""

    @property
    def possible(self) -> Actions:
        """bool[A]: whether an action may be the best."""
        return self.value + self.error >= (self.value - self.error).max() - TIE

    def simple_regret(self, action: int) -> Interval:
        """Return between what the value lies that an action misses."""
        low, high = self.value - self.error, self.value + self.error
        others = np.arange(len(low)) != action
        most = float(max(0.0, (high[others] - low[action]).max(initial=0.0)))
        return Interval(float(max(0.0, (low[others] - high[action]).max(initial=0.0))), most)


def _by_model(value: Values, error: Values) -> ModelValues:
    first = best(value)
    rivals = (value + error)[~first] > (value - error)[first].min()
    equals = first.sum() > 1 and error[first].max() > TIE
    return ModelValues(value, error, first, not (rivals.any() or equals))


class DecisionAnalyser:
    """Analyses the decisions of an agent, by its own model and by the true environment.

    Parameters
    ----------
    planners : sequence of Expectimax or BeliefExpectimax
        Exact planners for the agent's model, each leaving out less than the one before. They are tried in order until
        the best action is beyond doubt, or one is too much work.
    truth : TrueValues or None
        The true environment, if it is known; it has to follow the same history.
    epsilon : float
        Probability that the agent takes a random action instead of what its search found.
    """

    def __init__(self, planners: Sequence[ExactPlanner], truth: TrueValues | None, *, epsilon: float) -> None:
        self._planners, self._truth, self._epsilon = planners, truth, epsilon
        self._known: dict[bytes, ModelValues | None] = {}
        self._gave_up = False

    def restart(self) -> None:
        """Begin with another evaluation, in which the exact planners are tried again."""
        self._gave_up = False

    def __call__(self, predictor: Any, context: bytes, *, action: int, policy: int | None = None) -> DecisionAnalysis:
        """Analyse a decision.

        Parameters
        ----------
        predictor : Predictor
            The agent's, at the decision. It is unchanged afterwards.
        context : bytes
            All of the history that the predictor depends on. What its model says is kept for the next decision with
            the same context, and for the next agent with the same predictor.
        action : int
            What the search found.
        policy : int, optional
            What the policy does that acts in place of the search.

        Returns
        -------
        DecisionAnalysis
            After the first context that is too much work nothing is known of the model until `restart`.
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

        def parts(values: Values | None) -> RegretParts | None:
            if values is None:
                return None
            return split(values, action, within=knowing, model=model, policy=policy, epsilon=self._epsilon)

        between, told = Bounds(UNKNOWN, UNKNOWN), parts(long_run)
        if by_model and by_model.certified and told:
            between = Bounds(*(Interval(loss, loss) for loss in (told.prediction, told.decision)))
        elif long_run is not None and knowing is not None:
            possible = by_model.possible if by_model else np.ones(len(long_run), dtype=bool)
            between = bounds(long_run, action, within=knowing, possible=possible)
        return DecisionAnalysis(
            within_horizon=parts(within),
            long_run=told,
            bounds=between,
            simple_regret=float(by_model.value.max() - by_model.value[action]) if by_model else math.nan,
            simple_regret_bounds=by_model.simple_regret(action) if by_model else UNKNOWN,
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

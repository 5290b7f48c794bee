"""A decision of an agent, explained: what it expects of each action, what it plans, what came, and what the truth says.

Everything here is a number that the agent has, or that follows from its state at the decision: values and visits are
those of its own search, probabilities those of its own model. Explaining changes nothing of what comes later.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx.display.tables import paragraphs, table
from aixi_approx.introspection.prediction import Prediction, Surprise
from aixi_approx.introspection.sentences import sentences
from aixi_approx.introspection.vocabulary import Vocabulary
from aixi_approx.planner import SearchResult

SHOWN = 8  # percepts of an action that `as_json` has
STATES = 12  # of a belief


class ActionExplained(NamedTuple):
    """What is known of an action at a decision; None for what nobody knows.

    Attributes
    ----------
    action : int
        Its number.
    name : str
        Its name.
    value : float or None
        Expected sum of rewards over the horizon, as the search found it.
    error : float or None
        The exact value by the agent's own model lies within value +- error.
    deviation : float or None
        Standard error of the mean of the returns that were sampled; None where there is an error.
    visits : int
        Simulations that began with the action.
    prior : float or None
        Its probability by the policy that the agent has learned.
    prediction : Prediction or None
        What the model expects to perceive then; None without a model.
    """

    action: int
    name: str
    value: float | None
    error: float | None
    deviation: float | None
    visits: int
    prior: float | None
    prediction: Prediction | None


class PlannedCycle(NamedTuple):
    """A cycle of the line that an agent plans: what it does, and what it most expects to come of it.

    Attributes
    ----------
    action : int
        What it does.
    observation, reward : int, float
        The likeliest percept.
    probability : float
        Of that percept.
    value : float or None
        Of the action, over the horizon from there.
    """

    action: int
    observation: int
    reward: float
    probability: float
    value: float | None


class Came(NamedTuple):
    """What came of a decision.

    Attributes
    ----------
    observation, reward : int, float
        The percept.
    surprise : Surprise or None
        Of the model, in bits, by field; None without a model.
    """

    observation: int
    reward: float
    surprise: Surprise | None


class Truth(NamedTuple):
    """What is true where a decision was made, in an environment that is known.

    Attributes
    ----------
    belief : tuple of (str, float)
        Each state that is possible after this history, in words, and its probability; the likeliest first.
    within : float64[A] or None
        Exact value of each action over the horizon of the agent; None where it is too much work.
    long_run : float64[A] or None
        Exact value in the sum of all later rewards, relative to the best reward per cycle; -inf for an action after
        which less can be earned for ever. None where the environment was not solved.
    regret : mapping of str to float, or None
        What the decision loses in the long run: `horizon`, `prediction`, `decision`, `distillation`, `exploration`,
        which add up to `total`; NaN for what is not known. None without `long_run`.
    """

    belief: tuple[tuple[str, float], ...]
    within: NDArray[np.float64] | None
    long_run: NDArray[np.float64] | None
    regret: Mapping[str, float] | None


class Explanation(NamedTuple):
    """A decision of an agent, explained.

    Attributes
    ----------
    vocabulary : Vocabulary
        The names of actions and observations.
    cycle : int
        Which one, as the agent counts them.
    action : int
        What it does.
    explored : bool
        Whether that was drawn at random, for exploration.
    found : int
        The action that its search found.
    simulations : int
        Of the search.
    horizon : int or None
        Cycles that the search looks ahead; None if the planner does not say.
    actions : tuple of ActionExplained
        One for each action.
    line : tuple of PlannedCycle
        What it would do in this cycle and the next ones if always the likeliest percept came. In each of them it
        searches anew, and learns what it imagines, as in an evaluation that learns.
    came : Came or None
        What came of it, if it has come.
    truth : Truth or None
        What is true there, if the environment is known.
    """

    vocabulary: Vocabulary
    cycle: int
    action: int
    explored: bool
    found: int
    simulations: int
    horizon: int | None
    actions: tuple[ActionExplained, ...]
    line: tuple[PlannedCycle, ...]
    came: Came | None = None
    truth: Truth | None = None

    @property
    def name(self) -> str:
        """The action, in words."""
        return self.vocabulary.action(self.action)

    def __repr__(self) -> str:
        """Return the decision, in a line."""
        value = self.actions[self.action].value
        worth = "" if value is None else f", worth {value:.4g}"
        return f"<Explanation of cycle {self.cycle:,}: {self.name}{worth}, {self.simulations:,} simulations>"

    def _repr_html_(self) -> str:
        """Return a table of the actions, and the decision in words, for a notebook."""
        columns: dict[str, list[Any]] = {
            "value": [each.value for each in self.actions],
            "+-": [each.error if each.deviation is None else 2 * each.deviation for each in self.actions],
            "visits": [each.visits for each in self.actions],
            "policy": [each.prior for each in self.actions],
            "expected reward": [each.prediction and each.prediction.reward for each in self.actions],
            "entropy, bits": [each.prediction and each.prediction.entropy for each in self.actions],
        }
        known = {name: each for name, each in columns.items() if any(one is not None for one in each)}
        rows = [
            (each.name, *(column[i] for column in known.values()), "chosen" * (each.action == self.action))
            for i, each in enumerate(self.actions)
        ]
        return table(f"The decision of cycle {self.cycle:,}", rows, columns=("action", *known, "")) + paragraphs(
            self.sentences()
        )

    def as_json(self) -> dict[str, Any]:
        """Return all of it, as JSON values; null for what is unknown or infinite. Of percepts, the likeliest."""
        return {
            "cycle": self.cycle,
            "action": self.action,
            "explored": self.explored,
            "found": self.found,
            "simulations": self.simulations,
            "horizon": self.horizon,
            "actions": [_action_as_json(each) for each in self.actions],
            "line": [each._asdict() for each in self.line],
            "came": None if self.came is None else _came_as_json(self.came),
            "truth": None if self.truth is None else _truth_as_json(self.truth),
            "words": self.sentences(),
        }

    def sentences(self) -> list[str]:
        """Return it in words: what the agent does and why, what it expects, what else it could do, what it loses."""
        return sentences(self)


def actions_explained(
    vocabulary: Vocabulary,
    result: SearchResult,
    *,
    prior: NDArray[np.float64] | None,
    predictions: list[Prediction] | None,
) -> tuple[ActionExplained, ...]:
    """Return what is known of each action.

    Parameters
    ----------
    vocabulary : Vocabulary
        Names.
    result : SearchResult
        What the search found.
    prior : float64[A] or None
        What the policy says.
    predictions : list of Prediction, or None
        What the model expects after each action.
    """
    told = []
    for action, (value, visits) in enumerate(zip(result.value.tolist(), result.visits.tolist(), strict=True)):
        error, deviation = (
            None if each is None else _known(float(each[action])) for each in (result.error, result.deviation)
        )
        told.append(
            ActionExplained(
                action,
                vocabulary.action(action),
                _known(value),
                error,
                deviation if error is None else None,
                visits,
                None if prior is None else float(prior[action]),
                None if predictions is None else predictions[action],
            )
        )
    return tuple(told)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _values(values: NDArray[np.float64] | None) -> list[float | None] | None:
    return None if values is None else [_known(value) for value in values.tolist()]


def _action_as_json(told: ActionExplained) -> dict[str, Any]:
    own, prediction = told._asdict(), told.prediction
    del own["prediction"]
    if prediction is None:
        return {**own, "reward": None, "entropy": None, "rest": None, "percepts": [], "observations": [], "rewards": []}
    left = math.fsum(each.probability for each in prediction.percepts[SHOWN:])
    return {
        **own,
        "reward": prediction.reward,
        "entropy": prediction.entropy,
        "rest": prediction.rest + left,
        "percepts": [list(each) for each in prediction.percepts[:SHOWN]],
        "observations": [list(each) for each in prediction.observations[:SHOWN]],
        "rewards": [list(each) for each in sorted(prediction.rewards, key=lambda each: -each[1])[:SHOWN]],
    }


def _came_as_json(came: Came) -> dict[str, Any]:
    surprise = came.surprise
    return {
        "observation": came.observation,
        "reward": came.reward,
        "surprise": None if surprise is None else surprise.total,
        "surprise_reward": None if surprise is None else surprise.reward,
        "surprise_observation": None if surprise is None else surprise.observation,
    }


def _truth_as_json(truth: Truth) -> dict[str, Any]:
    regret = truth.regret
    return {
        "belief": [list(each) for each in truth.belief[:STATES]],
        "within": _values(truth.within),
        "long_run": _values(truth.long_run),
        "regret": None if regret is None else {part: _known(value) for part, value in regret.items()},
    }

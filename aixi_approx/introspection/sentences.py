"""A decision in words: what an agent does and why, what it expects, what else it could do, what came, what it loses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from aixi_approx.introspection.explanation import ActionExplained, Came, Explanation, Truth
    from aixi_approx.introspection.prediction import Prediction
    from aixi_approx.introspection.vocabulary import Vocabulary

ALTERNATIVES = 3  # other actions that are told of
NAMED = 3  # percepts in a sentence
SMALL = 0.01  # probability that is not worth a word
SURE = 2.0  # standard errors that a difference has to exceed to be called one
CLEAR = 1e-6  # a difference of exact values that is none, relative to them


def sentences(told: Explanation) -> list[str]:
    """Return a decision in words, a sentence for each thing."""
    words, chosen = told.vocabulary, told.actions[told.action]
    lines = [_choice(told)]
    if chosen.prediction is not None:
        average = _number(chosen.prediction.reward)
        lines.append(f"It expects {expected_in_words(words, chosen.prediction)}; on average a reward of {average}.")
    others = [each for each in told.actions if each.action != told.action and each.value is not None]
    others.sort(key=lambda each: -(each.value or 0.0))
    lines += [_alternative(told, each) for each in others[:ALTERNATIVES]]
    if len(told.line) > 1:
        steps = [
            f"{words.action(step.action)} "
            f"({_percept(words, step.observation, step.reward)}, {_chance(step.probability)})"
            for step in told.line
        ]
        lines.append(f"If always the likeliest percept comes: {', '.join(steps)}.")
    if told.came is not None:
        lines.append(_what_came(words, told.came))
    if told.truth is not None:
        lines += _judged(told, told.truth)
    return lines


def _choice(told: Explanation) -> str:
    chosen, found = told.actions[told.action], told.vocabulary.action(told.found)
    if told.explored and chosen.value is None:
        return f"It tries {chosen.name} at random, to explore."
    if told.explored:
        also = ", too" if told.found == told.action else ""
        return f"It tries {chosen.name} at random, to explore; its search says {found}{also}."
    if chosen.value is None and chosen.prior is None:
        by = f", by {told.simulations:,} simulations that can't be repeated" if told.simulations else ""
        return f"It does {chosen.name}{by or ', without a search'}."
    if chosen.value is None:
        how = "" if chosen.prior is None else f", with a probability of {_chance(chosen.prior)}"
        return f"It does {chosen.name}, as its policy says{how}; there was no search."
    if told.found != told.action:
        return f"It does {chosen.name}, though its search says {found}."
    ahead = ", by what it has learned of its actions" if told.horizon is None else f" over {_plural(told.horizon)}"
    by = f" by {told.simulations:,} simulations" if told.simulations else ""
    return f"It does {chosen.name}, worth {value_in_words(chosen)}{ahead}{by}."


def _alternative(told: Explanation, other: ActionExplained) -> str:
    chosen, line = told.actions[told.action], f"{other.name} would be worth {value_in_words(other)}"
    if other.prediction is not None:
        line += f": it expects {expected_in_words(told.vocabulary, other.prediction)}"
    if chosen.value is None or other.value is None or told.explored:
        return f"{line}."
    near = abs(chosen.value - other.value) <= math.hypot(_reach(chosen), _reach(other)) != 0
    return f"{line}{'; the search does not tell the two apart' * near}."


def expected_in_words(words: Vocabulary, prediction: Prediction) -> str:
    """Return the likeliest percepts, and their probabilities."""
    named = [
        f"{_percept(words, each.observation, each.reward)} ({_chance(each.probability)})"
        for i, each in enumerate(prediction.percepts[:NAMED])
        if each.probability >= SMALL or not i
    ]
    left = math.fsum([each.probability for each in prediction.percepts[len(named) :]] + [prediction.rest])
    return ", ".join(named) + (f", something else ({_chance(left)})" if left >= SMALL else "")


def _percept(words: Vocabulary, observation: int, reward: float) -> str:
    """A percept: "left with reward -1"."""
    return f"{words.observation(observation)} with reward {reward + 0.0:.12g}"


def _what_came(words: Vocabulary, came: Came) -> str:
    line = f"Then came {_percept(words, came.observation, came.reward)}"
    if came.surprise is None:
        return f"{line}."
    return f"{line}: a surprise of {came.surprise.total:.2f} bits, {came.surprise.reward:.2f} of them by the reward."


def _judged(told: Explanation, truth: Truth) -> list[str]:
    """What an agent would do that knows the environment, and what the choice loses."""
    words, values = told.vocabulary, truth.within if truth.long_run is None else truth.long_run
    if values is None:
        return []
    finite = np.abs(values[np.isfinite(values)])
    same = CLEAR * max(1.0, float(finite.max(initial=0.0)))
    best = _best(words, values, same)
    when = f" over {_plural(told.horizon or 1)}" if truth.long_run is None else ", counting all later rewards"
    lines = [f"An agent that knows the environment would do {best}{when}."]
    if truth.long_run is not None and truth.within is not None:
        soon = _best(words, truth.within, same)
        if soon != best:
            lines.append(f"Over {_plural(told.horizon or 1)} alone, the best is {soon}.")
    if truth.regret is None:
        return lines
    total = truth.regret["total"]
    if total <= same:
        return [*lines, "The choice loses nothing."]
    same_found = told.explored and abs(truth.regret["exploration"]) <= same
    also = "; what its search says would have lost as much" if same_found else ""
    lost = "loses reward for ever" if math.isinf(total) else f"loses {_number(total)} in all later rewards"
    parts = [
        f"{_number(loss)} by {part}"
        for part, loss in truth.regret.items()
        if part != "total" and math.isfinite(loss) and abs(loss) > same
    ]
    return [*lines, f"The choice {lost}{': ' * bool(parts)}{', '.join(parts)}{also}."]


def _best(words: Vocabulary, values: NDArray[np.float64], same: float) -> str:
    """The best actions by some values."""
    names = [words.action(action) for action in np.flatnonzero(values >= values.max() - same).tolist()]
    return ", ".join([*names[:-2], " or ".join(names[-2:])])


def _plural(cycles: int) -> str:
    return f"{cycles} cycle{'s' * (cycles != 1)}"


def _number(amount: float) -> str:
    """Return a number with three digits.

    >>> _number(-0.0), _number(12.345), _number(1234.5)
    ('0', '12.3', '1,234')
    """
    return f"{amount:,.0f}" if abs(amount) >= 1000 else f"{amount + 0.0:.3g}"


def value_in_words(told: ActionExplained) -> str:
    """Return the value of an action, and how far two standard errors reach."""
    return "something unknown" if told.value is None else f"{_number(told.value)} {interval_in_words(told)}".rstrip()


def interval_in_words(told: ActionExplained) -> str:
    """Return how far the value of an action may be off: two standard errors, or the most by an exact search."""
    reach = _reach(told)
    return f"+- {reach:.2g}" if reach > CLEAR * max(1.0, abs(told.value or 0.0)) else ""


def _reach(told: ActionExplained) -> float:
    return SURE * (told.deviation or 0.0) if told.error is None else told.error


def _chance(p: float) -> str:
    """Return a probability in per cent.

    >>> _chance(1.0), _chance(0.853), _chance(0.9999), _chance(0.001), _chance(0.012)
    ('certain', '85 %', 'over 99 %', 'less than 1 %', '1 %')
    """
    if p > 1 - 1e-9:
        return "certain"
    return "less than 1 %" if p < 0.01 else "over 99 %" if p > 0.99 else f"{100 * p:.0f} %"

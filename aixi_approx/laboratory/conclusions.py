"""Conclusions: what limits an agent in an environment, and what the next unit of compute is best spent on, in words.

Every sentence is derived from the numbers; where they do not tell, it says so.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aixi_approx.laboratory.results import PARTS, Results, mean_over_seeds, seed_mean
from aixi_approx.laws.bootstrap import estimate
from aixi_approx.laws.estimate import Estimate
from aixi_approx.laws.extrapolation import Comparison

SMALL = 0.02  # of the way from the random agent to the best: less is not worth mentioning
FEW = 5  # agents: with fewer, a warning
LACKS = {
    "prediction": "prediction",
    "decision": "decision",
    "distillation": "distillation",
    "horizon": "the horizon",
}


def conclusions(found: Results) -> list[str]:
    """Return what the numbers say, one sentence after the other.

    Parameters
    ----------
    found : Results
        In one environment, with one model.
    """
    if np.isnan(found.reward[:, -1, -1]).all():
        others = any(np.isfinite(score).any() for score in found.others.values())
        what = (
            "no agent with a model was measured"
            if np.isnan(found.reward).all() and others
            else "nothing was measured yet"
        )
        return [f"{_at(found)} {what}."]
    parts = (_where, _total_compute, _what_limits, _next, _crossing, _trade_off, _laws, _few)
    return [sentence for part in parts for sentence in part(found)]


def _few(f: Results) -> Iterator[str]:
    if f.seeds < FEW:
        yield f"With {f.seeds} agent{'s' * (f.seeds > 1)} only, intervals and laws say little: take {FEW} at least."


def _where(f: Results) -> Iterator[str]:
    if np.isnan(f.span):
        lack = "nothing there is better than to act at random"
        if f.optimum is None:
            lack = "its optimum is not known"
        elif f.random_reward is None:
            lack = "the reward of the random agent is not known"
        yield f"There are no scores in {f.title}: {lack}."
        yield f"{_at(f)} the agent earns {plus(mean_over_seeds(f.reward[:, -1, -1]))} per cycle."
    else:
        score = plus(mean_over_seeds(f.score[:, -1, -1]))
        yield f"{_at(f)} the agent scores {score}, where 0 is the random agent and 1 the best."
        knowing = f.others.get("model: true", np.full((1, 1), np.nan))[:, -1]
        if np.isfinite(knowing).any():
            yield f"Given the environment itself, as many simulations score {plus(mean_over_seeds(knowing))}."


def _total_compute(f: Results) -> Iterator[str]:
    """The law of the score over total compute, and the best split of it."""
    found, law = f.frontier, f.frontier_law
    if found is None:
        return
    task = f"learning and {f.decisions:,.0f} decisions"
    odds = next((each for each in law.laws if each.name == "odds"), None)
    if odds:
        half, power = odds.parameters["x0"], odds.parameters["b"]
        rivals = ", ".join(f"{name} to {error.mean:.3f}" for name, error in law.nulls.items())
        beaten = "surely nearer than each of these" if law.best is odds else "not surely nearer than all of these"
        best = "the best" if f.end > 1 - SMALL else "what exact decisions within the horizon score"
        yield (
            f"Of total compute, {task}, half of the way to {best} takes {between(half, '{:.2g}')} {f.unit}; the "
            f"odds of success grow as its power {between(power, '{:.2f}')}. Fitted to the lower half of its "
            f"logarithm, that law foresees what lies beyond to {odds.error.mean:.3f} ({when(law)}), {rivals}: {beaten}."
        )
    elif law.why:
        yield f"Score over total compute, {task}: {law.why}."
    told = [
        f"a score of {found.score[0, i]:.2f} takes {found.compute[i]:.2g} {f.unit}, of which learning should get "
        f"{between(estimate(found.share[:, i]), '{:.2f}')}"
        for level in (0.5, 0.9)
        if len(there := np.flatnonzero(found.score[0] >= level * f.end))
        for i in there[:1]
    ]
    if told:
        sentence = "; ".join(told)
        yield f"{sentence[0].upper()}{sentence[1:]}."


def when(law: Comparison) -> str:
    """Return whether a law was said to hold before anything was measured, or found afterwards among several."""
    return "frozen before" if law.frozen else f"found after, among {law.tried} laws"


def between(value: Estimate, form: str) -> str:
    """Return a number with its interval, if it has one.

    Parameters
    ----------
    value : Estimate
        The number.
    form : str
        How it and the ends of its interval are written.

    Examples
    --------
    >>> between(Estimate(0.5, 0.25, 1.0), "{:.2f}")
    '0.50 (0.25 to 1.00)'
    """
    mean, low, high = (form.format(each) for each in value)
    return f"{mean} ({low} to {high})" if np.isfinite(value[1:]).all() else mean


def _what_limits(f: Results) -> Iterator[str]:
    parts = f.long_run[:, -1, -1]
    if np.isnan(parts).all():
        why = "the environment has no exact solution, or none that is soon found"
        yield f"What prediction and decision cost in the long run can't be told: {why}."
        return
    if np.isnan(f.span):
        return
    lacks = {part: name for part, name in LACKS.items() if part in f.parts}
    cost = {part: mean_over_seeds(parts[:, PARTS.index(part)] / f.span) for part in lacks}
    if np.isnan(cost["decision"].mean):
        yield "Prediction and decision can't be told apart: exact expectimax on the model is too much work."
        return
    if np.isnan(cost["prediction"].mean):
        yield "Prediction and horizon can't be told apart: exact expectimax on the environment is too much work."
        return
    told = [f"{plus(cost[part])} through {name}" for part, name in lacks.items()]
    loses = f"it loses {', '.join(told[:-1])} and {told[-1]}"
    low, high = seed_mean(f.bounds["prediction"])[-1, -1] / f.span
    if high - low > SMALL:
        places = [PARTS.index(part) for part in ("prediction", "decision")]
        both = mean_over_seeds(parts[:, places].sum(axis=1) / f.span)
        yield (
            f"Prediction and decision together cost {plus(both)} of the score; which of the two can't be told, as "
            f"expectimax leaves out too much: prediction {low:.2f} to {high:.2f}."
        )
        return
    worst = max(lacks, key=lambda part: cost[part].mean)
    if cost[worst].mean <= SMALL:
        surely = "" if max(value.high for value in cost.values()) <= SMALL else ", as far as can be told"
        yield f"Nothing limits it there by more than {SMALL}{surely}: {loses}."
        return
    sure = "" if cost[worst].low > 0 else ", as far as can be told from these seeds"
    yield f"What limits it there is {lacks[worst]}{sure}: of the score, {loses}."
    for part, name in lacks.items():
        if cost[part].high < 0:
            yield f"{name.capitalize()} compensates for a part of that: its errors happen to offset others."


def _next(f: Results) -> Iterator[str]:
    score = f.score
    if min(score.shape[1:]) < 2:
        return
    gains = {
        "experience": (score[:, -1, -1] - score[:, -2, -1]) / np.log10(f.experience[-1] / f.experience[-2]),
        "simulations": (score[:, -1, -1] - score[:, -1, -2]) / np.log10(f.simulations[-1] / f.simulations[-2]),
    }
    gain = {name: mean_over_seeds(values) for name, values in gains.items()}
    if any(np.isnan(value.mean) for value in gain.values()):
        return
    if not all(np.isfinite(value.high) for value in gain.values()):
        yield "Whether experience or simulations are worth more compute can't be told from one agent."
        return
    clear = [name for name, value in gain.items() if value.low > 0 and value.mean > SMALL]
    if clear:
        best = max(clear, key=lambda name: gain[name].mean)
        (other,) = gain.keys() - {best}
        told = f"at the last step one was worth {plus(gain[best])} of the score, and one of {other} {plus(gain[other])}"
        if mean_over_seeds(gains[best] - gains[other]).low > 0:
            yield f"The next factor of ten is best spent on {best}: {told}."
        else:
            whether = f"whether better than on {other} can't be told"
            yield f"The next factor of ten is well spent on {best}, {whether}: {told}."
    else:
        told = " and ".join(f"one of {name} {plus(value)}" for name, value in gain.items())
        yield (
            "Neither more experience nor more simulations would clearly pay: at the last step, a factor of ten was "
            f"worth this much of the score: {told}."
        )


def _crossing(f: Results) -> Iterator[str]:
    """The amount of search from which prediction costs more than decision, after the most experience."""
    parts = seed_mean(f.long_run)[-1]
    prediction, decision = parts[:, PARTS.index("prediction")], parts[:, PARTS.index("decision")]
    if np.isnan(prediction + decision).any():
        return
    more = decision > prediction + SMALL * (1 if np.isnan(f.span) else f.span)
    if more.all():
        yield f"{_after(f).capitalize()}, decision costs more than prediction with any number of simulations measured."
    elif more[0] and not more[more.argmin() :].any():
        fewer = f"fewer than {f.simulations[more.argmin()]:,.0f} simulations"
        yield f"{_after(f).capitalize()}, decision costs more than prediction with {fewer}, and not with more."


def _trade_off(f: Results) -> Iterator[str]:
    trade = f.trade_off
    if trade.k is None:
        if np.isfinite(f.score).any() and len(f.experience) > 1:
            yield f"How much search compensates for less learning can't be told: {trade.why}."
        return
    mean, low, high = (np.float64(10) ** np.clip(k, -300, 300) for k in trade.k)
    interval = f" ({low:,.3g} to {high:,.3g})" if np.isfinite(trade.k.high) else ""
    yield (
        f"At the same score, an agent with ten times the experience needs {mean:,.3g}{interval} times the search: "
        f"k = {trade.k.mean:.2f}, R2 = {trade.r2:.2f}."
    )


def _laws(f: Results) -> Iterator[str]:
    for what, law in list(f.laws.items())[1:]:  # the first has been told
        name = what[0].upper() + what[1:]
        if law.best:
            error, last_value = law.best.error.mean, law.persistence.mean
            told = f"with an error of {error:.2g} where the last-value forecast has {last_value:.2g} ({when(law)})"
            yield f"{name}: {law.best.formula} extrapolates best, {told}."
        elif law.laws or law.frozen:
            yield f"{name}: {law.why}."


def _at(f: Results) -> str:
    return f"{_after(f).capitalize()}, with {_simulations(f.simulations[-1])} and horizon {f.horizon},"


def _after(f: Results) -> str:
    return f"after {f.experience[-1]:,.0f} cycles" if f.experience[-1] else "given the environment"


def _simulations(count: float) -> str:
    return f"{count:,.0f} simulation{'' if count == 1 else 's'}"


def plus(value: Estimate) -> str:
    """Return a mean with half of its interval, if that is finite.

    Parameters
    ----------
    value : Estimate
        Whose interval is symmetric.

    Examples
    --------
    >>> plus(Estimate(-1e-9, -0.02, 0.02))
    '0.000 ± 0.020'
    """
    mean = f"{round(value.mean, 3) + 0.0:.3f}"
    return f"{mean} ± {value.high - value.mean:.3f}" if np.isfinite(value.high) else mean

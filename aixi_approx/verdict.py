"""The verdict: what limits an agent in an environment, and what the next unit of compute is best spent on, in words.

Every sentence is made from the numbers; where they do not tell, it says so.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aixi_approx.findings import PARTS, Findings, across, estimate
from aixi_approx.interaction import Estimate

SMALL = 0.02  # of the way from the random agent to the best: less is not worth a word
LACKS = {
    "horizon": ("the horizon", "a longer horizon"),
    "prediction": ("prediction", "experience"),
    "decision": ("decision", "search"),
}


def verdict(found: Findings) -> list[str]:
    """Return what the numbers say, sentence by sentence."""
    return [sentence for part in (_where, _what_limits, _next, _trade_off, _laws) for sentence in part(found)]


def _where(f: Findings) -> Iterator[str]:
    last = f.score[:, -1, -1]
    if np.isnan(f.span):
        lack = "its optimum is not known" if f.optimum is None else "the reward of the random agent is not known"
        yield f"There are no scores in {f.environment}: {lack}. Rewards are per cycle."
        if np.isfinite(f.reward[:, -1, -1]).any():
            yield f"{_at(f)} the agent earns {_plus(estimate(f.reward[:, -1, -1]))}."
    elif np.isfinite(last).any():
        yield f"{_at(f)} the agent scores {_plus(estimate(last))}, 0 being the random agent and 1 the best."
    else:
        yield f"{_at(f)} nothing was measured yet."


def _what_limits(f: Findings) -> Iterator[str]:
    parts = f.long_run[:, -1, -1] / f.span
    if np.isnan(parts).all():
        yield (
            "What of that prediction and decision cost in the long run can't be told: "
            "the environment has no exact solution that is soon found."
        )
        return
    shares = {part: estimate(parts[:, i]) for i, part in enumerate(PARTS)}
    if np.isnan(shares["decision"].mean):
        yield "Prediction and decision can't be told apart: exact expectimax on the model is too much work."
        return
    missing = [part for part in LACKS if shares[part].mean > SMALL]
    told = ", ".join(f"{LACKS[part][0]} {_plus(shares[part])}" for part in LACKS)
    if not missing:
        yield f"Nothing limits it there by more than {SMALL}: it misses {told}."
        return
    worst = max(missing, key=lambda part: shares[part].mean)
    sure = "" if shares[worst].low > 0 else ", as far as can be told from these seeds"
    yield f"What limits it there is {LACKS[worst][0]}{sure}: it misses {told}."
    lucky = [part for part in LACKS if shares[part].high < 0]
    for part in lucky:
        yield f"{LACKS[part][0].capitalize()} makes up for a part of that: its errors happen to mend others."


def _next(f: Findings) -> Iterator[str]:
    score = f.score
    if min(score.shape[1:]) < 2 or np.isnan(score[:, -1, -1]).all() or np.isnan(score[:, -2:, -2:]).all():
        return
    gains = {
        "experience": (score[:, -1, -1] - score[:, -2, -1], f.experience[-1] / f.experience[-2]),
        "simulations": (score[:, -1, -1] - score[:, -1, -2], f.simulations[-1] / f.simulations[-2]),
    }
    tenfold = {name: estimate(gain / np.log10(factor)) for name, (gain, factor) in gains.items()}
    told = ", ".join(f"{name} {_plus(gain)}" for name, gain in tenfold.items())
    clear = [name for name, gain in tenfold.items() if gain.low > 0 and gain.mean > SMALL]
    if not clear:
        yield f"The last step of neither pays clearly, per factor of ten: {told}."
    else:
        best = max(clear, key=lambda name: tenfold[name].mean)
        yield f"The next unit of compute belongs into {best}. Per factor of ten, the last step was worth: {told}."
    crossing = _crossing(f)
    if crossing:
        yield crossing


def _crossing(f: Findings) -> str:
    """From how much search on prediction costs more than decision, after the most experience."""
    parts = across(f.long_run)[-1]
    prediction, decision = parts[:, PARTS.index("prediction")], parts[:, PARTS.index("decision")]
    if np.isnan(prediction).any():
        return ""
    more = decision > prediction
    if more.all():
        return f"With any number of simulations measured, decision costs more than prediction ({_after(f)})."
    first = int(np.flatnonzero(~more)[0])
    if first == 0 or more[first:].any():
        return ""
    return f"Decision costs more than prediction with fewer than {f.simulations[first]:,.0f} simulations ({_after(f)})."


def _trade_off(f: Findings) -> Iterator[str]:
    k = f.trade_off.k
    if k is None:
        if np.isfinite(f.score).any():
            yield f"How search makes up for learning can't be told: {f.trade_off.why}."
    else:
        factor = Estimate(*(10**-exponent for exponent in (k.mean, k.high, k.low)))
        yield (
            f"At the same score, ten times the experience is worth {factor.mean:,.3g} times the search "
            f"({factor.low:,.3g} to {factor.high:,.3g}): k = {k.mean:.2f}, R2 = {f.trade_off.r2:.2f}."
        )


def _laws(f: Findings) -> Iterator[str]:
    for what, law in f.laws.items():
        if law.best:
            yield (
                f"{what[0].upper()}{what[1:]}: foreseen best by {law.best.formula}, to {law.best.error.mean:.2g} "
                f"where staying put is wrong by {law.persistence.mean:.2g}."
            )
        elif law.laws:
            yield f"{what[0].upper()}{what[1:]}: {law.why}."


def _at(f: Findings) -> str:
    return f"{_after(f).capitalize()}, with {f.simulations[-1]:,.0f} simulations and horizon {f.horizon},"


def _after(f: Findings) -> str:
    return f"after {f.experience[-1]:,.0f} cycles"


def _plus(value: Estimate) -> str:
    return f"{value.mean:.3f} ± {value.high - value.mean:.3f}" if np.isfinite(value.high) else f"{value.mean:.3f}"

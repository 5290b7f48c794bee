"""A budget of compute, and what to do with it: for how long to learn, how much to search, what score to expect.

What was measured says it where the budget lies on the surface of experience and simulations. Beyond that, the law of
the frontier says what to expect, and the split goes on as it was: learning takes the same share, and what learning and
a decision take grows in proportion to cycles and to simulations.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aixi_approx.laboratory.results import Results
from aixi_approx.laws.bootstrap import estimate
from aixi_approx.laws.estimate import Estimate

ENOUGH = 0.99  # of the best score: more compute buys nothing that is worth it


class Advice(NamedTuple):
    """What to do with a budget."""

    compute: float
    """Of learning and all decisions, in units of compute."""
    unit: str
    """bits, visits or seconds."""
    decisions: float
    """How many are made with what was learned."""
    experience: Estimate
    """Cycles to learn from."""
    simulations: Estimate
    """Of each decision."""
    share: Estimate
    """Of what this takes, the part that goes to learning."""
    score: Estimate
    """To expect: 0 is the random agent, 1 the best."""
    source: str
    """Where that is from: measured; measured, but not in all splits; the best that was measured; or the law."""
    enough: float | None
    """The least compute with which the score is as good as the best measured one can be; None if none is."""


def advise(f: Results, compute: float) -> Advice:
    """Say how a budget of compute is best spent.

    Parameters
    ----------
    f : Results
        Of a study in one environment, with the decisions that are to be made and the unit of compute.
    compute : float
        The budget, positive.

    Returns
    -------
    Advice
        With 95 % intervals over seeds.

    Raises
    ------
    ValueError
        If it can't be said: scores or costs are not known, the budget is too small, or, beyond what was measured, no
        law holds.
    """
    whole, unit = f.frontier, f.unit
    if whole is None:
        raise ValueError(f"{f.title}: {_why_not(f)}")
    least, most = whole.compute[0], whole.compute[-1]
    if compute < least:
        raise ValueError(
            f"{f.title}: {compute:.4g} {unit} buy nothing that was measured: "
            f"learning and {f.decisions:,.0f} decisions take {least:.4g} at least"
        )
    inside = bool(compute <= most)
    at = f.frontier_at(np.array([min(compute, most)]))
    assert at is not None
    experience, simulations, share, score = (
        estimate(each[:, 0]) for each in (at.experience, at.simulations, at.share, at.score)
    )
    good = np.flatnonzero(whole.score[0] >= ENOUGH * f.end)
    enough = float(whole.compute[good[0]]) if len(good) else None
    source = "measured" if compute <= whole.edge else "measured, but not in all splits"
    if not inside and enough is not None:
        source = "the best that was measured; more buys no more"
    elif not inside:
        law = f.frontier_law.best
        if law is None:
            raise ValueError(
                f"{f.title}: {compute:.3g} {unit} are more than the {most:.3g} that were measured, and no law of "
                "the frontier holds: measure more experience or simulations"
            )
        mean, low, high = (float(each[0]) for each in law.forecast(np.array([compute])))
        score, source = Estimate(mean, low, high), "beyond what was measured, by the law of the frontier"
        more = compute / most
        experience, simulations = (Estimate(*(more * x for x in each)) for each in (experience, simulations))
    return Advice(
        compute,
        unit,
        f.decisions,
        experience=experience,
        simulations=simulations,
        share=share,
        score=score,
        source=source,
        enough=enough,
    )


def _why_not(f: Results) -> str:
    """Why there is no frontier."""
    if min(len(f.experience), len(f.simulations)) < 2:
        return "a budget is split between two points of experience and two of simulations at least: measure more"
    if np.isnan(f.span):
        return "there is no score there to expect"
    unknown = [what for what in (f.learning[f.unit], getattr(f, f.unit)) if np.isnan(what).all()]
    if unknown and np.isfinite(f.score).any():
        return f"its model does not count {f.unit}: say --unit seconds"
    return "not everything was measured: finish the study first"

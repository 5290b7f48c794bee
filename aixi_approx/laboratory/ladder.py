"""Ladders: the sizes of a family, each a step, and what the whole is.

In one size the score rises from that of the random agent to the best within a factor of ten or a hundred of search: a
step. Where the step lies depends on the size, often exponentially; the mean over the sizes of a ladder is then close to
a straight line in the logarithm of search. What looks like "emergence" in one task is smooth in many (Schaeffer,
Miranda, Koyejo 2023, arXiv:2304.15004; Jones 2021, arXiv:2104.03113, found the same over the sizes of Hex).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from aixi_approx.laboratory.results import Array, Results
from aixi_approx.laboratory.study import SMALL, Study
from aixi_approx.laws.bootstrap import complete, estimate, resampled
from aixi_approx.laws.curves import fit_resampled
from aixi_approx.laws.estimate import Estimate
from aixi_approx.laws.extrapolation import Comparison, nothing

HALF = 0.5  # of the way from the random agent to the best
FEWEST = 4  # sizes of a law: three that it is fitted to, one that it foresees


class Rung(NamedTuple):
    """One size of a family."""

    environment: str
    """Its name."""
    size: float
    """What it is called by: rows, coins, rooms."""
    horizon: int | None = None
    """The least with which exact decisions are the best there are; None is the environment's own."""


LADDERS = {
    "locks": [Rung(f"locks:{n}", n) for n in range(1, 7)],
    "corridor": [Rung(f"corridor:{n}", n, 2 * n) for n in (2, 3, 4, 6, 8, 10, 12)],
    "nim": [Rung(f"nim:{n}-perfect", n, n // 4) for n in (8, 12, 16, 20, 24, 32, 40, 48)],
    "t-maze": [Rung(f"t-maze:{n}", n) for n in (1, 2, 4, 8, 16, 32)],
    "hex": [Rung(f"hex:{n}-perfect", n) for n in (2, 3)],
    "rocksample": [Rung("rocksample:2-1", 2), Rung("rocksample:3-2", 3), Rung("rocksample:4-3", 4)],
}


def ladder_study(family: str, base: Study = SMALL) -> Study:
    """Return a study of the sizes of a family.

    Parameters
    ----------
    family : str
        A key of `LADDERS`.
    base : Study
        With everything else: experience, simulations, seeds, planners.

    Raises
    ------
    ValueError
        If there is no such ladder, with those that there are.
    """
    if family not in LADDERS:
        raise ValueError(f"there is no ladder {family!r}: there are {', '.join(LADDERS)}")
    steps = LADDERS[family]
    return base._replace(
        environments=tuple(step.environment for step in steps),
        settings={step.environment: {"horizon": step.horizon} for step in steps if step.horizon},
    )


class Ladder(NamedTuple):
    """What was measured of the sizes of a family, K of them with a score."""

    family: str
    model: str
    """What predicts; true is the environment itself."""
    experience: float
    """Cycles of learning; 0 for the true model."""
    sizes: Array
    """float[K], ascending."""
    names: list[str]
    """Of the environments."""
    simulations: Array
    """float[N]."""
    score: Array
    """float[S, K, N]."""
    half: list[Estimate | None]
    """Simulations for half of the way from the random agent to the best; None where none, or one, was enough."""
    growth: dict[str, tuple[Estimate, float]]
    """By law of the half over the size, exponential or power, fitted to all sizes but the largest: its exponent, and
    the factor by which it is wrong at the largest."""
    mean_law: Comparison
    """Of the mean score over the sizes, over simulations."""


def find_ladders(found: Sequence[Results]) -> list[Ladder]:
    """Return the ladders among results: families of which several sizes have a score, by each model.

    Parameters
    ----------
    found : sequence of Results
        Of one study.
    """
    ladders = []
    for family, steps in LADDERS.items():
        size = {step.environment: step.size for step in steps}
        for model in dict.fromkeys(f.model for f in found):
            own = [f for f in found if f.model == model and f.environment in size and np.isfinite(f.span)]
            own.sort(key=lambda f: size[f.environment])
            if len(own) > 1:
                sizes = np.array([float(size[f.environment]) for f in own])
                ladders.append(_ladder(family, model, own[0].experience[-1], sizes, own, [f.score[:, -1] for f in own]))
            knowing = [(f, f.others["model: true"]) for f in own if "model: true" in f.others]
            if len(knowing) > 1:
                sizes = np.array([float(size[f.environment]) for f, _ in knowing])
                curves = [score for _, score in knowing]
                ladders.append(_ladder(family, "true", 0.0, sizes, [f for f, _ in knowing], curves))
    return ladders


def _ladder(
    family: str, model: str, experience: float, sizes: Array, found: Sequence[Results], curves: Sequence[Array]
) -> Ladder:
    simulations = found[0].simulations
    score = np.stack(curves, axis=1)
    each = [_half(simulations, curve) for curve in curves]
    halves = np.array([one[: min(map(len, each))] for one in each])  # [K, 1 + R]; one seed has no resamples
    half = [estimate(one) if np.isfinite(one).all() else None for one in halves]
    there = complete(score.reshape(len(score), -1)).reshape(-1, *score.shape[1:])
    whole = np.isfinite(there).all() and len(there) > 0
    law = nothing("the score is not known everywhere")
    if whole:
        law = fit_resampled(simulations, resampled(there.mean(axis=1), 0))
    return Ladder(
        family,
        model,
        experience,
        sizes=sizes,
        names=[f.environment for f in found],
        simulations=simulations,
        score=score,
        half=half,
        growth=_growth(sizes, halves),
        mean_law=law,
    )


def _half(simulations: Array, score: Array) -> Array:
    """[1 + R] the simulations with which the mean score comes to a half for good; NaN if it never does, or always."""
    scores = complete(score)
    if not len(scores):
        return np.full(1, np.nan)
    means, logs = resampled(scores, 0), np.log(simulations)
    found = np.full(len(means), np.nan)
    for i, mean in enumerate(means):
        below = np.flatnonzero(mean < HALF)
        if len(below) and (last := int(below[-1])) + 1 < len(mean):
            part = (HALF - mean[last]) / (mean[last + 1] - mean[last])
            found[i] = np.exp(logs[last] + part * (logs[last + 1] - logs[last]))
    return found


def _growth(sizes: Array, halves: Array) -> dict[str, tuple[Estimate, float]]:
    """How the half grows with the size, by law."""
    known = np.isfinite(halves[:, 0])
    if known.sum() < FEWEST:
        return {}
    logs = np.log(halves[known])
    laws = {}
    for name, x in (("exponential", sizes[known]), ("power", np.log(sizes[known]))):
        table = np.stack([np.ones(len(x) - 1), x[:-1]], axis=1)
        line = np.linalg.pinv(table) @ np.nan_to_num(logs[:-1])
        wrong = float(np.exp(line[0, 0] + line[1, 0] * x[-1] - logs[-1, 0]))
        laws[name] = estimate(line[1]), wrong
    return laws

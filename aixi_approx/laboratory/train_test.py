"""Train against test: the simulations of the searches that a policy has learned from, against those of a decision.

What was found by long searches while learning need not be searched for again: the policy knows it. The score depends on
both numbers, and its level curves say how many simulations of a decision one while learning stands for. Jones (2021,
"Scaling Scaling Laws with Board Games", arXiv:2104.03113) found them to be lines for AlphaZero in Hex: with ten times
the training, 10^-1.2 times the search at test time gives the same score.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aixi_approx.laws.least_squares import Floats
from aixi_approx.laws.trade_off import contour


class TrainTest(NamedTuple):
    """What agents score after the most experience that are alike but for their simulations while they learned.

    S seeds, L numbers of simulations while learning, K when acting.
    """

    learner: str
    """Their planner, without its simulations."""
    train: Floats
    """float[L]: simulations while learning, ascending."""
    test: Floats
    """float[K]: simulations when acting, ascending; 0, the first if it is there, is the policy alone."""
    score: Floats
    """float[S, L, K]: NaN is unknown."""
    distillation: Floats
    """float[S, L]: what the policy alone loses of the score against the search that it has learned from."""


class LevelCurve(NamedTuple):
    """Where a mean score is reached, on a plane of simulations while learning and when acting."""

    level: float
    """Of the score."""
    test: list[float | None]
    """By number of simulations while learning, the least number when acting; None where it can't be told."""
    slopes: list[float | None]
    """From each number of simulations while learning to the next, log10 of the factor on those when acting over log10
    of that on those while learning: negative where training replaces search."""


def level_curve(train: Floats, test: Floats, *, mean_score: Floats, level: float | None = None) -> LevelCurve:
    """Return where a mean score is reached.

    Parameters
    ----------
    train : float[L]
        Simulations while learning, positive, ascending.
    test : float[K]
        Simulations when acting, ascending. 0, the policy alone, is no point of a curve.
    mean_score : float[L, K]
        NaN where it is unknown.
    level : float, default: half-way between the lowest score and the highest
        Which score.

    Returns
    -------
    LevelCurve
        Interpolated between simulations as in `laws.trade_off.contour`.

    Examples
    --------
    >>> score = np.array([[0.0, 0.5, 1.0], [0.5, 1.0, 1.0]])
    >>> level_curve(np.array([10, 100]), np.array([1, 10, 100]), mean_score=score, level=0.75)
    LevelCurve(level=0.75, test=[31.622776601683793, 3.1622776601683795], slopes=[-1.0])
    """
    train, test, mean_score = (np.asarray(each, dtype=float) for each in (train, test, mean_score))
    known = mean_score[np.isfinite(mean_score)]
    if level is None:
        level = float((known.min() + known.max()) / 2) if len(known) else np.nan
    searches = test > 0
    found = dict(contour(train, test[searches], mean_score=mean_score[:, searches], level=level))
    least = [found.get(float(n)) for n in train]
    slopes = [
        float(np.log10(after / before) / np.log10(more / few)) if before and after else None
        for before, after, few, more in zip(least, least[1:], train, train[1:], strict=False)
    ]
    return LevelCurve(level, least, slopes)

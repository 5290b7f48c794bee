"""The bootstrap over seeds: how results would vary with other seeds.

A resample draws one seed fewer than there are, with replacement: means over as many as there are would vary too little
(Hesterberg 2015, arXiv:1411.5279). With fewer than about ten seeds the intervals are still somewhat too narrow.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from aixi_approx.laws.estimate import Estimate

Floats = NDArray[np.float64]

RESAMPLES = 200
SURE = 0.975  # the share of resamples in which a statement must hold


def complete(y: Floats) -> Floats:
    """Return the seeds that have all points.

    Parameters
    ----------
    y : float[S, M]
        A row for each of S seeds, a column for each of M points.

    Returns
    -------
    float[*, M]
        The rows that are finite in every column in which any row is. What is not finite becomes NaN.
    """
    known = np.isfinite(y)
    needed = known.any(axis=0)
    return np.where(known, y, np.nan)[(known | ~needed).all(axis=1) & known.any(axis=1)]


def resampled(y: Floats, seed: int) -> Floats:
    """Return means over all seeds and over resamples of them.

    Parameters
    ----------
    y : float[S, M]
        A row for each seed.
    seed : int
        Of the resampling.

    Returns
    -------
    float[1 + RESAMPLES, M]
        The first row is the mean over all seeds. With a single seed there are no others.
    """
    seeds = len(y)
    if seeds == 1:
        return y
    drawn = np.random.default_rng(seed).integers(seeds, size=(RESAMPLES, seeds - 1))
    return np.concatenate([y.mean(axis=0, keepdims=True), y[drawn].mean(axis=1)])


def estimate(values: Floats) -> Estimate:
    """Return a value with its bootstrap interval.

    Parameters
    ----------
    values : float[1 + RESAMPLES]
        The value for all seeds, then for each resample.

    Returns
    -------
    Estimate
        The first value, and the interval that holds 95 % of the others, widened to hold the first. Without others the
        interval is infinite.
    """
    first = float(values[0])
    if len(values) == 1:
        return Estimate(first, -math.inf, math.inf)
    low, high = np.percentile(values[1:], [2.5, 97.5])
    return Estimate(first, min(first, float(low)), max(first, float(high)))

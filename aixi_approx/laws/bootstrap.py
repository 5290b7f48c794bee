"""The bootstrap over seeds: what else might have come out, had the seeds been others.

A resample draws one seed less than there are, with replacement: means of as many as there are would vary too little
(Hesterberg 2015, arXiv:1411.5279). With less than about ten seeds the intervals are still rather too narrow.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from aixi_approx.estimate import Estimate

Floats = NDArray[np.float64]

RESAMPLES = 200
SURE = 0.975  # the share of resamples in which something must be so


def complete(y: Floats) -> Floats:
    """Return the rows of float[S, M] that are finite wherever any of them is; what is not finite becomes NaN."""
    known = np.isfinite(y)
    needed = known.any(axis=0)
    return np.where(known, y, np.nan)[(known | ~needed).all(axis=1) & known.any(axis=1)]


def resampled(y: Floats, seed: int) -> Floats:
    """Return means over the seeds of float[S, M].

    Returns
    -------
    float[1 + RESAMPLES, M]
        The first is the mean over all seeds; there are no others if there is but one seed.
    """
    seeds = len(y)
    if seeds == 1:
        return y
    drawn = np.random.default_rng(seed).integers(seeds, size=(RESAMPLES, seeds - 1))
    return np.concatenate([y.mean(axis=0, keepdims=True), y[drawn].mean(axis=1)])


def estimate(values: Floats) -> Estimate:
    """Return the first of the values with the interval that holds 95 % of the others, widened to hold it too."""
    first = float(values[0])
    if len(values) == 1:
        return Estimate(first, -math.inf, math.inf)
    low, high = np.percentile(values[1:], [2.5, 97.5])
    return Estimate(first, min(first, float(low)), max(first, float(high)))

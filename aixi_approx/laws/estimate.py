"""Estimates: means with confidence intervals, and scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Estimate(NamedTuple):
    """A mean with its 95 % confidence interval."""

    mean: float
    low: float
    high: float


def normalised(reward: float, random: float | None, *, optimum: float | None) -> float:
    """Return the score of a reward: 0 for the random agent, 1 for the optimum; NaN where these are unknown or equal."""
    if random is None or optimum is None or optimum <= random:
        return math.nan
    return (reward - random) / (optimum - random)


def finite(value: float) -> float | None:
    """Return a number, or None if it is infinite or NaN, for JSON."""
    return float(value) if math.isfinite(value) else None


def average(rewards: Sequence[float], batches: int = 20) -> Estimate:
    """Return the mean of a series with a 95 % confidence interval, from the spread of batch means.

    Rewards of neighbouring cycles are correlated, so their own spread would give too small an interval; the means of
    long consecutive batches are nearly independent.

    Parameters
    ----------
    rewards : sequence of float
        The series, in order.
    batches : int, default: 20
        Number of batches, at least 2.

    Returns
    -------
    Estimate
        With an infinite interval if there are fewer than two values.
    """
    if batches < 2:
        raise ValueError(f"batches is {batches}: it must be at least 2")
    from scipy.special import stdtrit

    values = np.asarray(rewards, dtype=float)
    if len(values) == 0:
        return Estimate(math.nan, -math.inf, math.inf)
    mean = float(values.mean())
    if len(values) < 2:
        return Estimate(mean, -math.inf, math.inf)
    means = np.array([batch.mean() for batch in np.array_split(values, min(batches, len(values)))])
    half = float(stdtrit(len(means) - 1, 0.975) * means.std(ddof=1) / math.sqrt(len(means)))
    return Estimate(mean, mean - half, mean + half)

"""Which of several noisy means is the largest.

The return of a simulation is one of few values, often the same one: the mean of a few returns is no Gaussian, and means
tie. So a mean is taken for that of K independent returns, each distributed as in a random rollout, but tilted to the
mean of the search: every value weighted by exp(t value) (Cramer 1938). K is as large as the variance says; where it is
no whole number, both neighbours have their share. The mean is taken for Gaussian where that is nearly the same.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from aixi_approx.compilation import compiled
from aixi_approx.laboratory.regret import TIE
from aixi_approx.laboratory.rollout_returns import RolloutReturns

Numbers = NDArray[np.float64]

GAUSSIAN = ndtri((np.arange(400) + 0.5) / 400)  # 400 equally probable values
SKEWED, COARSE = 0.2, 3.0  # a mean is no Gaussian with more skewness, or with a deviation of fewer values
CLEAR = 8.0  # standard deviations beyond which nobody asks which mean is larger
NEVER = 1e-10  # less probable values are left out
DEVIATIONS, RETURNS = 12.0, 4.0  # the length of the possible sums that is looked at, in both units together
BLOCK = 512  # beliefs at a time
NEWTON = 100  # steps at most


class _Values(NamedTuple):
    """Distributions, one after another; V values in all."""

    row: NDArray[np.int64]  # [V] ascending
    value: Numbers  # [V] ascending within a row
    probability: Numbers  # [V]


def chances(mean: Numbers, deviation: Numbers, *, returns: RolloutReturns, tried: float = 1.0) -> Numbers:
    """Return how probably each action has the largest mean, ties being broken at random.

    Parameters
    ----------
    mean : float64[B, A]
        Expected mean return of each action, at each of B beliefs.
    deviation : float64[B, A]
        Its standard deviation.
    returns : RolloutReturns
        Of each action followed by random ones, over the same number of cycles.
    tried : float, default: 1.0
        Probability that another action was tried at all, if one was.

    Returns
    -------
    float64[B, A]
        Each row adds up to 1.
    """
    actions = mean.shape[1]
    result, clear = _clear(mean, deviation)
    unclear = np.flatnonzero(~clear if tried == 1.0 else np.ones_like(clear))
    for some in np.split(unclear, range(BLOCK, len(unclear), BLOCK)):
        rows = (some[:, None] * actions + np.arange(actions)).ravel()
        found = _means(returns._replace(probability=returns.probability[rows]), mean[some], deviation[some])
        first = np.searchsorted(found.row, np.arange(len(rows) + 1))
        result[some] = _largest(found.value, found.probability, first, actions, tried, TIE)
    return result


def gaussian_chances(mean: Numbers, deviation: Numbers) -> Numbers:
    """Return how probably each action has the largest mean if means are Gaussian, ties being broken at random.

    Parameters
    ----------
    mean, deviation : float64[B, A]
        As in `chances`.

    Returns
    -------
    float64[B, A]
        Each row adds up to 1.
    """
    result, clear = _clear(mean, deviation)
    mean, spread = mean[~clear], np.maximum(deviation[~clear], TIE)
    value = mean[:, :, None] + spread[:, :, None] * GAUSSIAN
    chance = np.ones(value.shape)
    for other in range(mean.shape[1]):
        smaller = ndtr((value - mean[:, other, None, None]) / spread[:, other, None, None])
        smaller[:, other] = 1.0
        chance *= smaller
    share = chance.mean(axis=2)
    result[~clear] = share / share.sum(axis=1, keepdims=True)
    return result


def _clear(mean: Numbers, deviation: Numbers) -> tuple[Numbers, NDArray[np.bool_]]:
    """Where it is beyond doubt which mean is the largest: 1 for that action, else 0; and whether it is, [B]."""
    best = mean.argmax(axis=1)[:, None]
    gap = np.take_along_axis(mean, best, axis=1) - mean
    spread = np.take_along_axis(deviation, best, axis=1) + deviation
    np.put_along_axis(gap, best, np.inf, axis=1)
    clear = np.all(gap > CLEAR * spread + TIE, axis=1)
    return np.where(clear[:, None], np.arange(mean.shape[1]) == best, 0.0), clear


def _means(returns: RolloutReturns, mean: Numbers, deviation: Numbers) -> _Values:
    """The distribution of each mean; a row is a belief and an action."""
    mean, deviation = mean.ravel(), deviation.ravel()
    place = np.arange(returns.probability.shape[1], dtype=np.float64)
    tilted = _tilt(returns.probability, (mean - returns.least) / returns.unit)
    centre = tilted @ place
    variance = np.maximum(0.0, tilted @ place**2 - centre**2)
    noise = deviation / returns.unit
    sure = (noise < TIE) | (variance < TIE)
    number = np.maximum(1.0, variance / np.where(sure, np.inf, noise) ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        skewness = (tilted @ place**3 - 3 * centre * variance - centre**3) / variance**1.5
    gaussian = ~sure & (np.abs(skewness) < SKEWED * np.sqrt(number)) & (np.sqrt(number * variance) > COARSE)
    parts = [
        _Values(np.flatnonzero(sure), mean[sure], np.ones(int(sure.sum()))),
        _Values(
            np.repeat(np.flatnonzero(gaussian), len(GAUSSIAN)),
            (mean[gaussian, None] + deviation[gaussian, None] * GAUSSIAN).ravel(),
            np.full(int(gaussian.sum()) * len(GAUSSIAN), 1 / len(GAUSSIAN)),
        ),
    ]
    few = ~sure & ~gaussian
    for count, share in ((np.floor(number), 1 - number % 1), (np.floor(number) + 1, number % 1)):
        length = np.minimum(count * place[-1] + 1, DEVIATIONS * np.sqrt(count * variance) + RETURNS * len(place))
        bits = np.ceil(np.log2(length))
        for size in np.unique(bits[few]).tolist():
            some = np.flatnonzero(few & (bits == size) & (share > 0))
            found = _sums(tilted[some], count[some], 1 << int(size))
            value = returns.least + returns.unit * found.value / count[some][found.row]
            parts.append(_Values(some[found.row], value, found.probability * share[some][found.row]))
    row, value, probability = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.lexsort((value, row))
    return _Values(row[order], value[order], probability[order])


def _sums(probability: Numbers, count: Numbers, size: int) -> _Values:
    """The distribution of the sum of so many draws from each row, in a window of so many values about its mean.

    The window is no smaller than the row.
    """
    width = probability.shape[1]
    place = np.arange(width)
    chance = np.fft.irfft(np.fft.rfft(probability, size) ** count[:, None], size)  # of a sum modulo the size
    least = np.clip(np.rint(count * (probability @ place) - size / 2), 0, np.maximum(0, count * (width - 1) + 1 - size))
    value = least[:, None] + (np.arange(size) - least[:, None]) % size
    row, column = np.nonzero(chance > NEVER)
    return _Values(row, value[row, column], chance[row, column])


@compiled
def _tilt(probability: Numbers, mean: Numbers) -> Numbers:
    """Weight distributions of 0, 1, 2, ... so that they have other means, as far as they can; Newton, safeguarded."""
    rows, width = probability.shape
    result = np.zeros((rows, width))
    for i in range(rows):
        low, high, t = -100.0, 100.0, 0.0
        there = np.flatnonzero(probability[i])
        least, most = there[0], there[-1]
        for _ in range(NEWTON):
            total, first, second = 0.0, 0.0, 0.0
            for j in there:
                weight = probability[i, j] * math.exp(t * (j - (most if t > 0.0 else least)))
                result[i, j] = weight
                total += weight
                first += weight * j
                second += weight * j * j
            first /= total
            variance = second / total - first * first
            result[i] /= total
            if abs(first - mean[i]) < 1e-9 * width or high - low < 1e-12:
                break
            if first < mean[i]:
                low = t
            else:
                high = t
            t = t + (mean[i] - first) / variance if variance > 1e-300 else high
            if not low < t < high:
                t = (low + high) / 2
    return result


@compiled
def _largest(
    value: Numbers, weight: Numbers, first: NDArray[np.int64], actions: int, tried: float, tie: float
) -> Numbers:
    """How probably each action's value is the largest; those of row r are at first[r] to first[r + 1]."""
    nodes = (len(first) - 1) // actions
    below = np.zeros(len(value) + len(first))  # of each row, the probability of smaller values, and all at its end
    for r in range(len(first) - 1):
        so_far = 0.0
        for i in range(first[r], first[r + 1]):
            below[i + r] = so_far
            so_far += weight[i]
        below[first[r + 1] + r] = so_far
    result = np.zeros((nodes, actions))
    for b in range(nodes):
        for a in range(actions):
            mine = b * actions + a
            for i in range(first[mine], first[mine + 1]):
                chance = weight[i]
                for r in range(b * actions, (b + 1) * actions):
                    if r != mine:
                        theirs = value[first[r] : first[r + 1]]
                        smaller = below[first[r] + r + np.searchsorted(theirs, value[i] - tie)]
                        not_larger = below[first[r] + r + np.searchsorted(theirs, value[i] + tie)]
                        chance *= 1.0 - tried + tried * (smaller + not_larger) / 2.0
                result[b, a] += chance
        result[b] /= result[b].sum()
    return result

"""Learning against search: how much search compensates for how much less learning, at the same score.

A contour is where the score has a given level. Jones (2021, "Scaling Scaling Laws with Board Games", arXiv:2104.03113)
found the contours of Hex to be straight lines of one slope k, near -1.2:

    log10 C_search = a + k log10 C_learn + c level
"""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass

import numpy as np

from aixi_approx.laws.bootstrap import SURE, complete, estimate, resampled
from aixi_approx.laws.estimate import Estimate
from aixi_approx.laws.least_squares import Floats

FEWEST = 4  # points of contours


@dataclass(frozen=True)
class TradeOff:
    """A line through the contours of the score.

    Attributes
    ----------
    k : Estimate or None
        The slope: -k factors of ten of search replace one of learning. None if it can't be told.
    a : Estimate or None
        The intercept.
    c : Estimate or None
        Factors of ten of search that raise the score by 1; None if there are contours of one level only.
    r2 : float
        The share of the variance of log10 C_search that the line explains; NaN if it does not vary.
    points : list of tuple of float
        Learn compute, search compute and level, for the mean over seeds.
    why : str
        What was found, or why nothing was, in one sentence.
    """

    k: Estimate | None
    a: Estimate | None
    _: KW_ONLY
    c: Estimate | None
    r2: float
    points: list[tuple[float, float, float]]
    why: str


def contour(x_learn: Floats, x_search: Floats, *, mean_score: Floats, level: float) -> list[tuple[float, float]]:
    """Return the smallest search compute that reaches a score, for each learn compute at which it can be told.

    The score between two search computes is taken to be linear in the logarithm, and never to fall: it is the largest
    up to there. A learn compute with which the level is never reached, or already at the smallest search compute, gives
    a bound and no point; neither does one whose score just before is unknown.

    Parameters
    ----------
    x_learn : float[E]
        Learn compute, positive.
    x_search : float[N]
        Search compute, positive, ascending.
    mean_score : float[E, N]
        NaN where it is unknown.
    level : float
        Of the score.

    Returns
    -------
    list of tuple of float
        Learn compute and search compute.

    Examples
    --------
    >>> score = np.array([[0, 0, 1], [0, 1, 0], [1, 1, 1]])
    >>> contour(np.array([1.0, 2.0, 4.0]), np.array([1.0, 10.0, 100.0]), mean_score=score, level=1)
    [(1.0, 100.0), (2.0, 10.0)]
    """
    log_search = _log_least_search(np.log10(x_search), np.asarray(mean_score, dtype=float), level)
    return [(float(x), float(10**y)) for x, y in zip(x_learn, log_search, strict=True) if np.isfinite(y)]


def _log_least_search(log_search: Floats, score: Floats, level: float) -> Floats:
    """log10 of the least search compute, float[...], for scores float[..., N]; NaN where there is no point."""
    known = np.isfinite(score)
    highest = np.maximum.accumulate(np.where(known, score, -np.inf), axis=-1)
    here = np.diff(highest >= level, axis=-1) & known[..., :-1]  # the one step, if any, in which the level is reached
    low, high = np.where(here, highest[..., :-1], 0), np.where(here, highest[..., 1:], 1)
    crossing = log_search[:-1] + (level - low) / (high - low) * np.diff(log_search)
    return np.where(here.any(axis=-1), np.where(here, crossing, 0).sum(axis=-1), np.nan)


def fit_trade_off(x_learn: Floats, x_search: Floats, *, score: Floats, levels: Floats, seed: int = 0) -> TradeOff:
    """Fit one slope to the contours of several levels, by least squares over all their points.

    Parameters
    ----------
    x_learn : float[E]
        Learn compute, ascending. Where it is not positive, the scores are left out.
    x_search : float[N]
        Search compute, likewise.
    score : float[S, E, N]
        For each seed. Points that no seed has (NaN) are left out, then seeds that lack a point. The contours are those
        of the mean over seeds.
    levels : float[L]
        Of the score. Choose them well apart: contours close to each other say nearly the same.
    seed : int, default: 0
        Of the bootstrap.

    Returns
    -------
    TradeOff
        The line. Whatever the numbers are, they raise nothing: `why` says what is wrong with them.

    Raises
    ------
    ValueError
        If the shapes do not match.
    """
    learn, search, score, levels = (np.asarray(each, dtype=float) for each in (x_learn, x_search, score, levels))
    if learn.ndim != 1 or search.ndim != 1 or score.ndim != 3 or score.shape[1:] != (len(learn), len(search)):
        raise ValueError(
            f"x_learn has shape {learn.shape}, x_search {search.shape}, score {score.shape}: "
            "they must be (E,), (N,) and (S, E, N)"
        )
    keep_learn, keep_search = np.isfinite(learn) & (learn > 0), np.isfinite(search) & (search > 0)
    learn, search, score = learn[keep_learn], search[keep_search], score[:, keep_learn][:, :, keep_search]
    scores = complete(score.reshape(len(score), learn.size * search.size))
    if scores.size == 0:
        return _untold("no seed has all the points")
    if (np.diff(learn) <= 0).any() or (np.diff(search) <= 0).any():
        return _untold("x_learn or x_search does not ascend")
    means = resampled(scores, seed).reshape(-1, len(learn), len(search))
    levels = np.unique(levels[np.isfinite(levels)])
    height = np.array([_log_least_search(np.log10(search), means, level) for level in levels])  # [L, B, E]
    height = height.reshape(len(levels), len(means), len(learn)).swapaxes(0, 1)
    there = np.isfinite(height)
    met = there[0].any(axis=1)  # levels that the mean over all seeds has points of
    levels, height, there = levels[met], height[:, met], there[:, met]
    points = [
        (float(learn[j]), float(10 ** height[0, i, j]), float(levels[i])) for i, j in np.argwhere(there[0]).tolist()
    ]
    several = len({x for x, _, _ in points})
    if len(points) < FEWEST or several < 2:
        return _untold(f"too few points: {len(points)} at {several} learn computes, and it takes {FEWEST} at 2", points)
    columns = [np.ones(height.shape[1:]), np.broadcast_to(np.log10(learn), height.shape[1:])]
    if len(levels) > 1:
        columns.append(np.broadcast_to(levels[:, None], height.shape[1:]))
    table = np.stack(columns, axis=-1).reshape(-1, len(columns)) * there.reshape(len(means), -1, 1)  # [B, L * E, C]
    height = np.where(there, height, 0).reshape(len(means), -1)
    told = (np.linalg.matrix_rank(table, tol=1e-9) == len(columns)) & (there.sum(axis=(1, 2)) >= FEWEST)
    if not told[0]:
        return _untold("learn compute and level can't be told apart: each level has points at one of them only", points)
    if told.mean() < SURE:
        return _untold(f"k can't be told: only {told.mean():.0%} of the resamples have enough points", points)
    line = (np.linalg.pinv(table[told]) @ height[told][..., None])[..., 0]
    y = height[0][there[0].ravel()]
    left = y - (table[0] @ line[0])[there[0].ravel()]
    spread = float(np.square(y - y.mean()).sum())
    r2 = 1 - float(np.square(left).sum()) / spread if spread > 0 else math.nan
    a, k, *rest = (estimate(line[:, i]) for i in range(len(columns)))
    interval = f"{k.low:.3g} to {k.high:.3g}" if len(means) > 1 else "one seed has no interval"
    why = f"k is {k.mean:.3g} ({interval}) over {len(points)} points of {len(levels)} contours"
    return TradeOff(k, a, c=rest[0] if rest else None, r2=r2, points=points, why=why)


def _untold(why: str, points: list[tuple[float, float, float]] | None = None) -> TradeOff:
    return TradeOff(None, None, c=None, r2=math.nan, points=points or [], why=why)

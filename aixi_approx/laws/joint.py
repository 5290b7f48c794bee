"""Scaling laws of two quantities: how the loss falls with experience and simulations together."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from aixi_approx.laws.bootstrap import complete, resampled
from aixi_approx.laws.curves import FAR, FEWEST
from aixi_approx.laws.extrapolation import END, LAST_VALUE, Comparison, Law, check_frozen, compare, halves, nothing
from aixi_approx.laws.least_squares import Floats

POWERS = np.geomspace(0.05, 3, 30)  # fine, as the bottleneck has a kink at which a walk on a coarse grid ends
EXPONENTS = np.geomspace(0.1, 10, 8)  # coarse, as there are four parameters, and odds have no kink


def joint_laws(middle: float) -> tuple[Law, ...]:
    """Return the forms of a loss over two quantities.

    Parameters
    ----------
    middle : float
        An experience in the middle of the grid, relative to which the bottleneck is written.
    """
    return (
        Law(
            "additive",  # each shortage costs the same, whatever the other
            "c + a E^-alpha + b N^-beta",
            coefficients=("c", "a", "b"),
            parameters=("alpha", "beta"),
            columns=lambda e, n, alpha, beta: [
                np.ones(len(e)),
                np.exp(-alpha * np.log(e)),
                np.exp(-beta * np.log(n)),
            ],
            grid=lambda e, n: [POWERS, POWERS],
            nonnegative=True,
        ),
        Law(
            "bottleneck",  # only the larger shortage counts; with experience `middle` both are equal at N0 simulations
            f"c + a max((E/{middle:g})^-alpha, (N/N0)^-beta)",
            coefficients=("c", "a"),
            parameters=("alpha", "beta", "N0"),
            columns=lambda e, n, alpha, beta, n0: [
                np.ones(len(e)),
                np.exp(-np.minimum(alpha * np.log(e / middle), beta * np.log(n / n0))),
            ],
            grid=lambda e, n: [POWERS, POWERS, np.geomspace(n.min() / 10, n.max() * 10, 10)],
            nonnegative=True,
        ),
        Law(
            "product",  # one compensates for the other
            "c + a E^-alpha N^-beta",
            coefficients=("c", "a"),
            parameters=("alpha", "beta"),
            columns=lambda e, n, alpha, beta: [np.ones(len(e)), np.exp(-alpha * np.log(e) - beta * np.log(n))],
            grid=lambda e, n: [POWERS, POWERS],
            nonnegative=True,
        ),
    )


def joint_odds(end: float) -> tuple[Law, ...]:
    """Return the forms of what a score misses of its end, over two quantities; it tends to 0 if either does.

    Parameters
    ----------
    end : float
        Of the score, positive.
    """

    def law(name: str, formula: str, missed: Callable[[Floats, Floats], Floats]) -> Law:
        return Law(
            name,
            formula,
            coefficients=(),
            parameters=("E0", "alpha", "N0", "beta"),
            columns=lambda *_: [],
            known=lambda e, n, e0, alpha, n0, beta: (
                end * missed(np.exp(alpha * np.log(e0 / e)), np.exp(beta * np.log(n0 / n)))
            ),
            grid=lambda e, n: [_places(e), EXPONENTS, _places(n), EXPONENTS],
        )

    return (
        law(
            "odds add",  # (end - score) / score = (E0/E)^alpha + (N0/N)^beta
            f"{end:g} - {end:g} / (1 + (E0/E)^alpha + (N0/N)^beta)",
            lambda a, b: 1 - 1 / (1 + a + b),
        ),
        law(
            "odds multiply",  # prediction and decision must both succeed, and do so independently
            f"{end:g} - {end:g} / ((1 + (E0/E)^alpha) (1 + (N0/N)^beta))",
            lambda a, b: 1 - 1 / ((1 + a) * (1 + b)),
        ),
    )


def _places(x: Floats) -> Floats:
    return np.geomspace(x.min() / FAR, x.max() * FAR, 16)


def fit_joint_law(
    experience: Floats,
    simulations: Floats,
    *,
    loss: Floats,
    end: float | None = None,
    frozen: str | None = None,
    seed: int = 0,
) -> Comparison:
    """Fit the laws of both quantities to a loss, and judge one by how well it extrapolates.

    A law is fitted to the small quadrant, the first ceil(K / 2) of the experiences with the first ceil(N / 2) of the
    simulations, and predicts all other points. Those within the nearer half of the others on both axes, rounded down
    but at least one, choose a law unless one is frozen; the rest judges it. The last-value forecast gives each point
    the value of the nearest one inside.

    Parameters
    ----------
    experience : float[K]
        Ascending, in cycles.
    simulations : float[N]
        Ascending.
    loss : float[S, K, N]
        For each seed, such as 1 - score. A row or column where either quantity is not positive is left out, and seeds
        that lack a point.
    end : float, optional
        What a score tends to that is 0 at first, if that is known; `loss` must then be the end minus the score. Laws of
        which both ends are known compete as well, and one of the null forecasts is that the end is reached.
    frozen : str, optional
        Name of the law that was chosen before the data.
    seed : int, default: 0
        Of the bootstrap.

    Returns
    -------
    Comparison
        All laws, of the loss, and the best one. Whatever the numbers are, they raise nothing: `why` says what is wrong
        with them.

    Raises
    ------
    ValueError
        If the shapes do not match, if the end is not positive and finite, or if no law has the frozen name.
    """
    e, n, loss = (np.asarray(each, dtype=float) for each in (experience, simulations, loss))
    if e.ndim != 1 or n.ndim != 1 or loss.ndim != 3 or loss.shape[1:] != (len(e), len(n)):
        raise ValueError(
            f"experience has shape {e.shape}, simulations {n.shape}, loss {loss.shape}: "
            "they must be (K,), (N,) and (S, K, N)"
        )
    if end is not None and not 0 < end < math.inf:
        raise ValueError(f"the end is {end}: it must be positive and finite")
    keep_e, keep_n = np.isfinite(e) & (e > 0), np.isfinite(n) & (n > 0)
    e, n, loss = e[keep_e], n[keep_n], loss[:, keep_e][:, :, keep_n]
    (half_e, near_e), (half_n, near_n) = halves(len(e)), halves(len(n))
    laws = joint_laws(e[half_e - 1] if len(e) else 1) + (joint_odds(end) if end else ())
    check_frozen(laws, frozen)
    if min(len(e), len(n)) < FEWEST:
        why = f"too few points: {len(e)} x {len(n)} of the {FEWEST} x {FEWEST} that it takes"
        return nothing(why, frozen=frozen)
    if (np.diff(e) <= 0).any() or (np.diff(n) <= 0).any():
        return nothing("experience or simulations do not ascend", frozen=frozen)
    seeds = complete(loss.reshape(len(loss), -1))
    if not np.isfinite(loss).any(axis=0).all() or len(seeds) == 0:
        return nothing("no seed has all the points", frozen=frozen)
    means = resampled(seeds, seed)
    row, column = (index.ravel() for index in np.indices((len(e), len(n))))
    inside = np.minimum(row, half_e - 1) * len(n) + np.minimum(column, half_n - 1)
    return compare(
        laws,
        (e[row], n[column]),
        means=means,
        small=inside == np.arange(len(inside)),
        near=(row < near_e) & (column < near_n),
        nulls={LAST_VALUE: means[:, inside]} | ({END: np.zeros_like(means)} if end else {}),
        frozen=frozen,
    )

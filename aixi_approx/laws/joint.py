"""Scaling laws of two quantities: how the loss falls with experience and simulations together."""

from __future__ import annotations

import math

import numpy as np

from aixi_approx.laws.bootstrap import complete
from aixi_approx.laws.curves import FEWEST
from aixi_approx.laws.extrapolation import Comparison, Law, compare, nothing
from aixi_approx.laws.least_squares import Floats

POWERS = np.geomspace(0.05, 3, 30)  # fine, as the bottleneck has a kink at which a walk on a coarse grid ends


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


def fit_joint_law(experience: Floats, simulations: Floats, *, loss: Floats, seed: int = 0) -> Comparison:
    """Fit the laws of both quantities to a loss, and find the one that extrapolates best.

    A law is fitted to the small quadrant, the first ceil(K / 2) of the experiences with the first ceil(N / 2) of the
    simulations, and predicts all other points. Persistence gives each of them the value of the nearest point inside.

    Parameters
    ----------
    experience : float[K]
        Ascending, in cycles.
    simulations : float[N]
        Ascending.
    loss : float[S, K, N]
        For each seed, such as 1 - score. A row or column where either quantity is not positive is left out, and seeds
        that lack a point.
    seed : int, default: 0
        Of the bootstrap.

    Returns
    -------
    Comparison
        All laws, and the best one. Whatever the numbers are, they raise nothing: `why` says what is wrong with them.

    Raises
    ------
    ValueError
        If the shapes do not match.
    """
    e, n, loss = (np.asarray(each, dtype=float) for each in (experience, simulations, loss))
    if e.ndim != 1 or n.ndim != 1 or loss.ndim != 3 or loss.shape[1:] != (len(e), len(n)):
        raise ValueError(
            f"experience has shape {e.shape}, simulations {n.shape}, loss {loss.shape}: "
            "they must be (K,), (N,) and (S, K, N)"
        )
    keep_e, keep_n = np.isfinite(e) & (e > 0), np.isfinite(n) & (n > 0)
    e, n, loss = e[keep_e], n[keep_n], loss[:, keep_e][:, :, keep_n]
    if min(len(e), len(n)) < FEWEST:
        return nothing(f"too few points: {len(e)} x {len(n)} of the {FEWEST} x {FEWEST} that it takes")
    if (np.diff(e) <= 0).any() or (np.diff(n) <= 0).any():
        return nothing("experience or simulations do not ascend")
    if not np.isfinite(loss).any(axis=0).all():
        return nothing("no seed has all the points")
    half_e, half_n = math.ceil(len(e) / 2), math.ceil(len(n) / 2)
    row, column = (index.ravel() for index in np.indices((len(e), len(n))))
    inside = np.minimum(row, half_e - 1) * len(n) + np.minimum(column, half_n - 1)
    return compare(
        joint_laws(e[half_e - 1]),
        (e[row], n[column]),
        y=complete(loss.reshape(len(loss), len(row))),
        small=inside == np.arange(len(inside)),
        stay=inside,
        rest="what lies outside of the small quadrant",
        seed=seed,
    )

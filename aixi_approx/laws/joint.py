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
    """Return the forms; the bottleneck is written relative to an experience in the middle."""
    return (
        Law(
            "additive",  # each lack costs what it costs, whatever the other
            "c + a E^-alpha + b N^-beta",
            ("c", "a", "b"),
            ("alpha", "beta"),
            lambda e, n, alpha, beta: [np.ones(len(e)), np.exp(-alpha * np.log(e)), np.exp(-beta * np.log(n))],
            lambda e, n: [POWERS, POWERS],
            nonnegative=True,
        ),
        Law(
            "bottleneck",  # only the greater lack counts; with experience `middle`, both are equal at N0 simulations
            f"c + a max((E/{middle:g})^-alpha, (N/N0)^-beta)",
            ("c", "a"),
            ("alpha", "beta", "N0"),
            lambda e, n, alpha, beta, n0: [
                np.ones(len(e)),
                np.exp(-np.minimum(alpha * np.log(e / middle), beta * np.log(n / n0))),
            ],
            lambda e, n: [POWERS, POWERS, np.geomspace(n.min() / 10, n.max() * 10, 10)],
            nonnegative=True,
        ),
        Law(
            "product",  # one makes up for the other
            "c + a E^-alpha N^-beta",
            ("c", "a"),
            ("alpha", "beta"),
            lambda e, n, alpha, beta: [np.ones(len(e)), np.exp(-alpha * np.log(e) - beta * np.log(n))],
            lambda e, n: [POWERS, POWERS],
            nonnegative=True,
        ),
    )


def fit_joint_law(experience: Floats, simulations: Floats, *, loss: Floats, seed: int = 0) -> Comparison:
    """Fit the laws of both quantities to a loss, and say which one foresees it.

    A law is fitted to the small quadrant, the first ceil(K / 2) of the experiences with the first ceil(N / 2) of the
    simulations, and predicts all other cells. Persistence gives each of them the value of the nearest cell inside.

    Parameters
    ----------
    experience
        float[K] ascending, in cycles.
    simulations
        float[N] ascending.
    loss
        float[S, K, N]; 1 - score, say. A row or column where either quantity isn't positive is left out, and seeds
        that lack a cell.
    seed
        Of the bootstrap.

    Raises
    ------
    ValueError
        If the shapes do not match. Whatever the numbers are, they raise nothing: `why` says what is wrong with them.
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

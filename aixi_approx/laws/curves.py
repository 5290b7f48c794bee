"""Scaling laws of one quantity: how something falls or rises with experience, or with simulations."""

from __future__ import annotations

import math

import numpy as np

from aixi_approx.laws.bootstrap import complete
from aixi_approx.laws.extrapolation import Comparison, Law, compare, nothing
from aixi_approx.laws.least_squares import Floats

FEWEST = 5  # points of a curve

CURVES = (
    Law(
        "power law",
        "a x^-b",
        coefficients=("a",),
        parameters=("b",),
        columns=lambda x, b: [x**-b],
        grid=lambda x: [np.linspace(-6, 6, 241)],
    ),
    Law(
        "power law with offset",
        "c + a x^-b",
        coefficients=("c", "a"),
        parameters=("b",),
        columns=lambda x, b: [np.ones(len(x)), x**-b],
        grid=lambda x: [np.linspace(0.02, 6, 240)],
    ),
    Law(
        "logarithm",
        "c + a ln x",
        coefficients=("c", "a"),
        parameters=(),
        columns=lambda x: [np.ones(len(x)), np.log(x)],
        grid=lambda x: [],
    ),
    Law(
        "logarithm over x",  # theory's: the cost of learning parameters (Rissanen 1984), the bias of UCT (Kocsis 2006)
        "(a + b ln x) / x",
        coefficients=("a", "b"),
        parameters=(),
        columns=lambda x: [1 / x, np.log(x) / x],
        grid=lambda x: [],
    ),
    Law(
        "exponential",
        "c + a exp(-x/b)",
        coefficients=("c", "a"),
        parameters=("b",),
        columns=lambda x, b: [np.ones(len(x)), np.exp(-x / b)],
        grid=lambda x: [np.geomspace(x[0] / 20, x[-1] * 20, 240)],
    ),
    Law(
        "sigmoid",
        "c + a / (1 + (x0/x)^b)",
        coefficients=("c", "a"),
        parameters=("x0", "b"),
        columns=lambda x, x0, b: [np.ones(len(x)), 1 / (1 + (x0 / x) ** b)],
        grid=lambda x: [np.geomspace(x[0] / 10, x[-1] * 10, 40), np.geomspace(0.1, 10, 30)],
    ),
)
"""Each serves both directions: a is positive where the first two, or the exponential, fall, and negative where they
rise; a curve that rises to c is c + a x^-b with a negative a."""


def fit_curve(x: Floats, y: Floats, *, seed: int = 0) -> Comparison:
    """Fit the laws of one quantity to a curve, and find the one that extrapolates best.

    The small half are the first ceil(K / 2) of K points. A law with more parameters than these is left out.

    Parameters
    ----------
    x : float[K]
        Ascending: experience in cycles, or simulations. Points where it is not positive are left out.
    y : float[S, K]
        A row for each seed. The laws are fitted to the mean over seeds. Points that no seed has (NaN) are left out,
        then seeds that lack a point.
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

    Examples
    --------
    >>> x = 2.0 ** np.arange(5, 14)
    >>> y = 0.3 + 4 * x**-0.7 + 0.001 * np.random.default_rng(1).normal(size=(10, 9))
    >>> found = fit_curve(x, y)
    >>> found.best.formula, {name: round(value.mean, 1) for name, value in found.best.parameters.items()}
    ('c + a x^-b', {'c': 0.3, 'a': 4.0, 'b': 0.7})
    >>> found.best.error.high < found.persistence.low
    True
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.ndim != 1 or y.ndim != 2 or y.shape[1] != len(x):
        raise ValueError(f"x has shape {x.shape} and y {y.shape}: they must be (K,) and (S, K)")
    there = np.isfinite(x) & (x > 0) & np.isfinite(y).any(axis=0)
    x, y = x[there], complete(y[:, there])
    if len(x) < FEWEST:
        return nothing(f"too few points: {len(x)} of the {FEWEST} that it takes")
    if (np.diff(x) <= 0).any():
        return nothing("x does not ascend")
    small = np.arange(len(x)) < math.ceil(len(x) / 2)
    return compare(
        CURVES, (x,), y=y, small=small, stay=np.full(len(x), small.sum() - 1), rest="the large half", seed=seed
    )

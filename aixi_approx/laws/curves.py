"""Scaling laws of one quantity: how something falls or rises with experience, with simulations, or with compute."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from aixi_approx.laws.bootstrap import complete, resampled
from aixi_approx.laws.extrapolation import END, LAST_VALUE, Comparison, Law, check_frozen, compare, halves, nothing
from aixi_approx.laws.least_squares import Floats

LINE = "a line to the end"
LAST_POINTS = 4  # that the line goes through, first and last
Null = Callable[[Floats, Floats], Floats]

FEWEST = 5  # points of a curve
FAR = 1000  # times beyond the points: with b = 1, a curve with its x0 there is within 1/1000 of one of its ends
STRETCHES = np.geomspace(0.1, 10, 30)  # from a rise over 19 factors of ten (from .1 to .9 of the end) to a step


def _places(x: Floats) -> Floats:
    """Where x0 of a curve with known ends is searched for."""
    return np.geomspace(x[0] / FAR, x[-1] * FAR, 120)


LOGARITHM = Law(
    "logarithm",
    "c + a ln x",
    coefficients=("c", "a"),
    parameters=(),
    columns=lambda x: [np.ones(len(x)), np.log(x)],
    grid=lambda x: [],
)
POWER_LAW = Law(
    "power law",
    "a x^-b",
    coefficients=("a",),
    parameters=("b",),
    columns=lambda x, b: [x**-b],
    grid=lambda x: [np.linspace(-6, 6, 241)],
)
LOGARITHM_OVER_X = Law(
    "logarithm over x",  # theory's: the cost of learning parameters (Rissanen 1984), the bias of UCT (Kocsis 2006)
    "(a + b ln x) / x",
    coefficients=("a", "b"),
    parameters=(),
    columns=lambda x: [1 / x, np.log(x) / x],
    grid=lambda x: [],
)
CURVES = (
    POWER_LAW,
    Law(
        "power law with offset",
        "c + a x^-b",
        coefficients=("c", "a"),
        parameters=("b",),
        columns=lambda x, b: [np.ones(len(x)), x**-b],
        grid=lambda x: [np.linspace(0.02, 6, 240)],
    ),
    LOGARITHM,
    LOGARITHM_OVER_X,
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
"""Nothing is known of their ends. Each serves both directions: a is positive where the first two, or the exponential,
fall, and negative where they rise; a curve that rises to c is c + a x^-b with a negative a."""

FALLING_TO_ZERO = (
    POWER_LAW,
    LOGARITHM_OVER_X,
    Law(
        "stretched exponential decay",
        "a exp(-(x/x0)^b)",
        coefficients=("a",),
        parameters=("x0", "b"),
        columns=lambda x, x0, b: [np.exp(-((x / x0) ** b))],
        grid=lambda x: [_places(x), STRETCHES],
    ),
)
"""What a loss does that vanishes."""


def rising_to(end: float) -> tuple[Law, ...]:
    """Return the forms of a score that is 0 at first, and tends to an end.

    Parameters
    ----------
    end : float
        Positive.
    """
    return (
        Law(
            "odds",  # score / (end - score) = (x/x0)^b
            f"{end:g} / (1 + (x0/x)^b)",
            coefficients=(),
            parameters=("x0", "b"),
            columns=lambda x, x0, b: [],
            known=lambda x, x0, b: end / (1 + (x0 / x) ** b),
            grid=lambda x: [_places(x), STRETCHES],
        ),
        Law(
            "stretched exponential",
            f"{end:g} (1 - exp(-(x/x0)^b))",
            coefficients=(),
            parameters=("x0", "b"),
            columns=lambda x, x0, b: [],
            known=lambda x, x0, b: end * -np.expm1(-((x / x0) ** b)),
            grid=lambda x: [_places(x), STRETCHES],
        ),
    )


def fit_curve(
    x: Floats, y: Floats, *, end: float | None = None, frozen: str | None = None, seed: int = 0
) -> Comparison:
    """Fit the laws of one quantity to a curve, and judge one by how well it extrapolates.

    The small half, to which the laws are fitted, are the first ceil(K / 2) of K points. Half of the others, rounded
    down, choose a law unless one is frozen, and the rest judges it. A law with more parameters than the small half has
    points is left out.

    Parameters
    ----------
    x : float[K]
        Ascending: experience in cycles, or simulations. Points where it is not positive are left out.
    y : float[S, K]
        A row for each seed. The laws are fitted to the mean over seeds. Points that no seed has (NaN) are left out,
        then seeds that lack a point.
    end : float, optional
        What y tends to, in its units, if that is known. A score rises from 0 to a positive end: laws with both ends
        known compete with those whose ends are free. A loss falls to 0: only laws that do so compete. That the end is
        reached at once is then a null forecast; and so is, for a score, a straight line in log x through the last
        points of the small half, up to the end.
    frozen : str, optional
        Name of the law that was chosen before the data.
    seed : int, default: 0
        Of the bootstrap.

    Returns
    -------
    Comparison
        All laws, and the best one. Whatever the numbers are, they raise nothing: `why` says what is wrong with them.

    Raises
    ------
    ValueError
        If the shapes do not match, if the end is negative or not finite, or if no law has the frozen name.

    Examples
    --------
    >>> x = 2.0 ** np.arange(5, 14)
    >>> y = 1 / (1 + (900 / x) ** 1.5) + 0.001 * np.random.default_rng(1).normal(size=(10, 9))
    >>> found = fit_curve(x, y, end=1)
    >>> found.best.formula, {name: float(f'{value.mean:.2g}') for name, value in found.best.parameters.items()}
    ('1 / (1 + (x0/x)^b)', {'x0': 900.0, 'b': 1.5})
    >>> found.best.error.high < min(null.low for null in found.nulls.values())
    True
    """
    x, means = seed_means(x, y, seed=seed)
    return fit_resampled(x, means, end=end, frozen=frozen)


def fit_resampled(x: Floats, means: Floats, *, end: float | None = None, frozen: str | None = None) -> Comparison:
    """Fit the laws of one quantity to means over seeds, as `fit_curve` does.

    It is for what is computed anew from the means of each resample, such as the best score for a compute.

    Parameters
    ----------
    x : float[K]
        Ascending. Points where it is not positive are left out.
    means : float[1 + R, K]
        The curve of all seeds, then of each of R resamples. Points that the first one lacks (NaN) are left out, then
        resamples that lack a point.
    end : float, optional
        As for `fit_curve`.
    frozen : str, optional
        Name of the law that was chosen before the data.

    Returns
    -------
    Comparison
        All laws, and the best one. Whatever the numbers are, they raise nothing: `why` says what is wrong with them.

    Raises
    ------
    ValueError
        If the shapes do not match, if the end is negative or not finite, or if no law has the frozen name.
    """
    if end is None:
        return compare_halves(CURVES, x, means=means, nulls={}, frozen=frozen)
    if not 0 <= end < math.inf:
        raise ValueError(f"the end is {end}: it must be finite, and not negative")
    laws = CURVES + rising_to(end) if end else FALLING_TO_ZERO
    nulls: dict[str, Null] = {END: lambda x, small: np.full(len(x), end)}
    if end:
        nulls[LINE] = lambda x, small: _line(x, small, end)
    return compare_halves(laws, x, means=means, nulls=nulls, frozen=frozen)


def _line(x: Floats, small: Floats, end: float) -> Floats:
    """float[B, K]: goes on from the small half as straight in log x as at its last points, up to the end."""
    last, before = small.shape[1] - 1, max(0, small.shape[1] - LAST_POINTS)
    rate = (small[:, last] - small[:, before]) / np.log(x[last] / x[before])
    return np.minimum(end, small[:, last, None] + rate[:, None] * np.log(x / x[last]))


def seed_means(x: Floats, y: Floats, *, seed: int) -> tuple[Floats, Floats]:
    """Return the points of a curve that some seed has, and means over seeds and over resamples of them.

    Parameters
    ----------
    x : float[K]
        The points.
    y : float[S, K]
        A row for each seed. Seeds that lack a point that another has are left out.
    seed : int
        Of the bootstrap.

    Returns
    -------
    tuple of float[M] and float[B, M]
        Without a complete seed, B is 0.

    Raises
    ------
    ValueError
        If the shapes do not match.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.ndim != 1 or y.ndim != 2 or y.shape[1] != len(x):
        raise ValueError(f"x has shape {x.shape} and y {y.shape}: they must be (K,) and (S, K)")
    there = np.isfinite(x) & (x > 0) & np.isfinite(y).any(axis=0)
    y = complete(y[:, there])
    return x[there], resampled(y, seed) if len(y) else y


def compare_halves(
    laws: Sequence[Law], x: Floats, *, means: Floats, nulls: Mapping[str, Null], frozen: str | None
) -> Comparison:
    """Fit laws to the small half of a curve, and let the other half choose and judge.

    Parameters
    ----------
    laws : sequence of Law
        The forms.
    x : float[K]
        As for `fit_resampled`.
    means : float[1 + R, K]
        As for `fit_resampled`. Without a row there is nothing to fit.
    nulls : mapping of str to callable
        Null forecasts beside the last value: functions of x, float[M], and the small half of the means, float[B, *],
        that return float[B, M] or float[M].
    frozen : str or None
        Name of the law that was chosen before the data.

    Returns
    -------
    Comparison
        All laws, and the best one.

    Raises
    ------
    ValueError
        If the shapes do not match, or if no law has the frozen name.
    """
    x, means = np.asarray(x, dtype=float), np.asarray(means, dtype=float)
    if x.ndim != 1 or means.ndim != 2 or means.shape[1] != len(x):
        raise ValueError(f"x has shape {x.shape} and means {means.shape}: they must be (K,) and (1 + R, K)")
    check_frozen(laws, frozen)
    there = np.isfinite(x) & (x > 0) & np.isfinite(means[:1]).all(axis=0)
    x, means = x[there], means[:, there]
    if len(x) < FEWEST:
        return nothing(f"too few points: {len(x)} of the {FEWEST} that it takes", frozen=frozen)
    if (np.diff(x) <= 0).any():
        return nothing("x does not ascend", frozen=frozen)
    means = means[np.isfinite(means).all(axis=1)]
    if len(means) == 0:
        return nothing("no seed has all the points", frozen=frozen)
    half, near = halves(len(x))
    index = np.arange(len(x))
    forecasts = {LAST_VALUE: means[:, [half - 1]]} | {name: null(x, means[:, :half]) for name, null in nulls.items()}
    return compare(
        laws,
        (x,),
        means=means,
        small=index < half,
        near=index < near,
        nulls={name: np.broadcast_to(forecast, means.shape) for name, forecast in forecasts.items()},
        frozen=frozen,
    )

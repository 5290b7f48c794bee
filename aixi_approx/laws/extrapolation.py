"""Laws compared by how well they extrapolate.

A law is fitted to the small half of the points and predicts the others; its error is the root mean square error there
(the extrapolation error of Alabdulmohsin, Neyshabur, Zhai 2022, arXiv:2209.06640). The law that describes a curve best
need not extrapolate it best. The baseline is persistence, the last-value forecast: everything stays as it is where the
small half ends. A law is the best one only if its error is less than nine tenths of that of persistence in at least
97.5 % of the resamples, and less than that of every other law that achieves this.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass

import numpy as np
from numpy.typing import NDArray

from aixi_approx.estimate import Estimate
from aixi_approx.laws.bootstrap import SURE, estimate, resampled
from aixi_approx.laws.least_squares import Columns, Floats, fit

MARGIN = 0.9  # of the error of persistence, which the error of the best law has to be below


@dataclass(frozen=True)
class Law:
    """A form of y(x): coefficients times columns, which depend on a few more parameters.

    Attributes
    ----------
    name : str
        What it is called.
    formula : str
        As it is written.
    coefficients : tuple of str
        Names of the C coefficients, which are linear.
    parameters : tuple of str
        Names of the P other parameters.
    columns : callable
        A function of the points and the parameters that returns a column for each coefficient.
    grid : callable
        A function of the points that returns where to search for each parameter, ascending.
    nonnegative : bool, default: False
        Whether no coefficient may be negative.
    """

    name: str
    formula: str
    _: KW_ONLY
    coefficients: tuple[str, ...]
    parameters: tuple[str, ...]
    columns: Columns
    grid: Callable[..., list[Floats]]
    nonnegative: bool = False

    def fit(self, points: Sequence[Floats], samples: Floats) -> Floats:
        """Fit the law to samples.

        Parameters
        ----------
        points : sequence of float[M]
            One array for each quantity that y depends on.
        samples : float[B, M]
            Values of y, finite.

        Returns
        -------
        float[B, C + P]
            Coefficients and parameters with the least squares, for each sample.
        """
        fitted = fit(
            lambda *at: self.columns(*points, *at), self.grid(*points), samples=samples, nonnegative=self.nonnegative
        )
        return np.concatenate([fitted.coefficients, fitted.parameters], axis=1)

    def predict(self, points: Sequence[Floats], fitted: Floats) -> Floats:
        """Return what a fitted law predicts.

        Parameters
        ----------
        points : sequence of float[M]
            One array for each quantity that y depends on.
        fitted : float[B, C + P]
            What `fit` returned.

        Returns
        -------
        float[B, M]
            Values of y.
        """
        values = [fitted[:, i, None] for i in range(fitted.shape[1])]
        with np.errstate(all="ignore"):
            columns = self.columns(*points, *values[len(self.coefficients) :])
            return np.asarray(sum(a * column for a, column in zip(values, columns, strict=False)))


@dataclass(frozen=True)
class LawFit:
    """A law fitted to all points.

    Attributes
    ----------
    law : Law
        Which one.
    parameters : dict of str to Estimate
        By name, as in the formula, coefficients first; the mean is what fits the mean over seeds.
    error : Estimate
        The extrapolation error, in units of y.
    residual : float
        Root mean square residual of the law when it is fitted to all points, in units of y.
    """

    law: Law
    parameters: dict[str, Estimate]
    _: KW_ONLY
    error: Estimate
    residual: float

    @property
    def name(self) -> str:
        """What the law is called."""
        return self.law.name

    @property
    def formula(self) -> str:
        """The law as it is written."""
        return self.law.formula

    def predict(self, *points: Floats) -> Floats:
        """Return what the law predicts.

        Parameters
        ----------
        *points : float[M]
            One array for each quantity that y depends on.

        Returns
        -------
        float[M]
            Values of y.
        """
        fitted = np.array([[estimate.mean for estimate in self.parameters.values()]])
        predicted: Floats = self.law.predict([np.asarray(x, dtype=float) for x in points], fitted)[0]
        return predicted


@dataclass(frozen=True)
class Comparison:
    """Laws compared with each other and with the last-value forecast.

    Attributes
    ----------
    laws : list of LawFit
        The smallest extrapolation error first; empty if nothing can be fitted.
    best : LawFit or None
        The law with the smallest extrapolation error of those that beat persistence; None if none does.
    why : str
        How it was decided, in one sentence.
    persistence : Estimate
        The extrapolation error of the last-value forecast, in units of y.
    """

    laws: list[LawFit]
    best: LawFit | None
    _: KW_ONLY
    why: str
    persistence: Estimate


def nothing(why: str) -> Comparison:
    """Return a comparison of no laws.

    Parameters
    ----------
    why : str
        What is wrong with the data, in one sentence.
    """
    return Comparison([], None, why=why, persistence=Estimate(math.nan, -math.inf, math.inf))


def _estimates(law: Law, points: Sequence[Floats], fitted: Floats) -> dict[str, Estimate]:
    """What was fitted, by name; an interval that reaches the edge of the grid is open there."""
    estimates = {name: estimate(fitted[:, i]) for i, name in enumerate(law.coefficients + law.parameters)}
    for name, axis in zip(law.parameters, law.grid(*points), strict=True):
        mean, low, high = estimates[name]
        estimates[name] = Estimate(mean, low if low > axis[0] else -math.inf, high if high < axis[-1] else math.inf)
    return estimates


@np.errstate(all="ignore")  # numbers beyond 1e150 have infinite squares
def compare(
    laws: Sequence[Law],
    points: Sequence[Floats],
    *,
    y: Floats,
    small: NDArray[np.bool_],
    stay: NDArray[np.intp],
    rest: str,
    seed: int,
) -> Comparison:
    """Fit laws to the small points, let them predict the others, and find the one that does so best.

    Parameters
    ----------
    laws : sequence of Law
        The forms.
    points : sequence of float[M]
        One array for each quantity that y depends on.
    y : float[S, M]
        A row for each seed, finite.
    small : bool[M]
        Which points the laws are fitted to.
    stay : int[M]
        Index of the small point whose value persistence forecasts.
    rest : str
        What the other points are called.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Comparison
        All laws that have no more parameters than there are small points, and the best one.
    """
    if len(y) == 0:
        return nothing("no seed has all the points")
    means = resampled(y, seed)
    change, noise = np.ptp(means[0]), np.ptp(means[1:] - means[0], axis=1)
    rounding = 1e-12 * np.abs(means).max()
    if change <= max(rounding, np.percentile(noise, 95) if len(noise) else 0):
        return nothing("nothing to fit: it changes by less than its interval")

    def error(predicted: Floats) -> Floats:
        return np.sqrt(np.square(predicted - means[:, ~small]).mean(axis=1))

    inside, outside = [p[small] for p in points], [p[~small] for p in points]
    staying = error(means[:, stay[~small]])
    fits: list[LawFit] = []
    errors: dict[str, Floats] = {}
    for law in laws:
        if len(law.coefficients) + len(law.parameters) > small.sum():
            continue
        errors[law.name] = error(law.predict(outside, law.fit(inside, means[:, small])))
        fitted = law.fit(points, means)
        residual = float(np.sqrt(np.square(law.predict(points, fitted[:1]) - means[0]).mean()))
        estimates = _estimates(law, points, fitted)
        fits.append(LawFit(law, estimates, error=estimate(errors[law.name]), residual=residual))
    fits.sort(key=lambda each: each.error.mean)
    return _judged(fits, errors, staying, rest)


def _judged(fits: list[LawFit], errors: dict[str, Floats], staying: Floats, rest: str) -> Comparison:
    """The comparison of fits, the best first, by the errors that they and persistence have in each resample."""

    def surely(less: Floats, more: Floats) -> bool:
        return len(less) > 1 and bool(less[0] < more[0] and (less[1:] < more[1:]).mean() >= SURE)

    best = next((each for each in fits if surely(errors[each.name], MARGIN * staying)), None)
    chosen = best or fits[0]
    judged = f"predicts {rest} to {chosen.error.mean:.3g}, the last-value forecast to {staying[0]:.3g}"
    if best:
        others = [each.name for each in fits if each is not best and not surely(errors[best.name], errors[each.name])]
        why = f"{best.name} {judged}" + (f"; within the noise as good: {', '.join(others)}" if others else "")
    elif len(staying) == 1:
        why = f"one seed has no interval: the best ({chosen.name}) {judged}"
    elif chosen.error.mean < staying[0]:
        why = f"no law surely beats the last-value forecast: the best ({chosen.name}) {judged}"
    else:
        why = f"no law fits: the best ({chosen.name}) {judged}"
    return Comparison(fits, best, why=why, persistence=estimate(staying))

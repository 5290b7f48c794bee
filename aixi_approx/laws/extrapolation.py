"""Laws compared by how well they extrapolate.

A law is fitted to the small half of the points and predicts the others; its error is the root mean square error there
(the extrapolation error of Alabdulmohsin, Neyshabur, Zhai 2022, arXiv:2209.06640). The law that describes a curve best
need not extrapolate it best. One law is judged, against null forecasts that take no law, such as the last value:

- Frozen, it was named before the data, and all points outside of the small half judge it.
- Otherwise it is chosen by the mean over all seeds: its error at the nearer ones of these points is the smallest. The
  farther ones judge it. They have chosen nothing.

It holds only if its error is less than nine tenths of that of every null forecast in at least 97.5 % of the resamples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx.laws.bootstrap import SURE, estimate
from aixi_approx.laws.estimate import Estimate
from aixi_approx.laws.least_squares import Columns, Floats, Known, fit

MARGIN = 0.9  # of the error of a null forecast, which the error of the best law has to be below
LAST_VALUE = "the last value"  # of the small half: everything stays as it is there
END = "the end"  # that is known: everything is there already


@dataclass(frozen=True)
class Law:
    """A form of y(x): coefficients times columns, and a known term; these depend on a few more parameters.

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
    known : callable, optional
        A function of the points and the parameters that returns what is added to the columns. A law without
        coefficients has nothing else.
    nonnegative : bool, default: False
        Whether no coefficient may be negative.
    """

    name: str
    formula: str
    _: KW_ONLY
    coefficients: tuple[str, ...]
    parameters: tuple[str, ...]
    columns: Columns = field(compare=False)
    grid: Callable[..., list[Floats]] = field(compare=False)
    known: Known | None = field(default=None, compare=False)
    nonnegative: bool = False

    @property
    def size(self) -> int:
        """How many numbers are fitted."""
        return len(self.coefficients) + len(self.parameters)

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
        known = self.known
        fitted = fit(
            lambda *at: self.columns(*points, *at),
            self.grid(*points),
            samples=samples,
            known=(lambda *at: known(*points, *at)) if known else None,
            nonnegative=self.nonnegative,
        )
        return np.concatenate([fitted.coefficients, fitted.parameters], axis=1)

    @np.errstate(all="ignore")
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
        at = values[len(self.coefficients) :]
        predicted = np.zeros((len(fitted), len(points[0])))
        for a, column in zip(values, self.columns(*points, *at), strict=False):
            predicted += a * column
        return predicted + self.known(*points, *at) if self.known else predicted


class Foreseen(NamedTuple):
    """What a law predicts at M points, with the 95 % interval of its fit over seeds; of other laws it says nothing."""

    mean: Floats
    """float[M]: by the law that fits the mean over all seeds."""
    low: Floats
    """float[M]: -infinity if there are no resamples."""
    high: Floats
    """float[M]: likewise."""


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
        The extrapolation error at the points that judge, in units of y: of the law fitted to the small half.
    residual : float
        Root mean square residual of the law when it is fitted to all points, in units of y.
    fitted : float[1 + R, C + P]
        Coefficients and parameters fitted to all points, of the mean over seeds and of each resample.
    fitted_small : float[1 + R, C + P]
        The same, fitted to the small half alone.
    """

    law: Law
    parameters: dict[str, Estimate]
    _: KW_ONLY
    error: Estimate
    residual: float
    fitted: Floats = field(repr=False, compare=False)
    fitted_small: Floats = field(repr=False, compare=False)

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
        return self.forecast(*points).mean

    def forecast(self, *points: Floats, small: bool = False) -> Foreseen:
        """Return what the law predicts, with intervals.

        Parameters
        ----------
        *points : float[M]
            One array for each quantity that y depends on.
        small : bool, default: False
            Whether by the fit to the small half alone, of which `error` is the error, and not by that to all points.

        Returns
        -------
        Foreseen
            Values of y.
        """
        fitted = self.fitted_small if small else self.fitted
        predicted = self.law.predict([np.asarray(x, dtype=float) for x in points], fitted)
        each = [estimate(column) for column in predicted.T]
        return Foreseen(*np.array(each, dtype=float).reshape(-1, 3).T)


@dataclass(frozen=True)
class Comparison:
    """Laws compared with each other and with null forecasts.

    Attributes
    ----------
    laws : list of LawFit
        First the one that was frozen or chosen, then the others by their extrapolation errors, which were found
        afterwards; empty if nothing can be fitted.
    best : LawFit or None
        The first law if it surely beats every null forecast.
    why : str
        How it was decided, in one sentence.
    nulls : dict of str to Estimate
        Extrapolation errors of the null forecasts by name, at the points that judge, in units of y.
    frozen : str or None, default: None
        Name of the law that was chosen before the data.
    points_fitted, points_choosing, points_judging : int, default: 0
        How many points the laws were fitted to, how many of the others chose one, and how many judged it.
    """

    laws: list[LawFit]
    best: LawFit | None
    _: KW_ONLY
    why: str
    nulls: dict[str, Estimate] = field(default_factory=dict)
    frozen: str | None = None
    points_fitted: int = 0
    points_choosing: int = 0
    points_judging: int = 0

    @property
    def persistence(self) -> Estimate:
        """The extrapolation error of the last-value forecast, in units of y; NaN if nothing can be fitted."""
        return self.nulls.get(LAST_VALUE, Estimate(math.nan, -math.inf, math.inf))

    @property
    def tried(self) -> int:
        """How many laws were fitted."""
        return len(self.laws)


def nothing(why: str, *, frozen: str | None = None) -> Comparison:
    """Return a comparison of no laws.

    Parameters
    ----------
    why : str
        What is wrong with the data, in one sentence.
    frozen : str, optional
        Name of the law that was chosen before the data.
    """
    return Comparison([], None, why=why, frozen=frozen)


def check_frozen(laws: Sequence[Law], frozen: str | None) -> None:
    """Raise an error if a law is frozen that there is not.

    Parameters
    ----------
    laws : sequence of Law
        Those that there are.
    frozen : str or None
        Name of the law that was chosen before the data.

    Raises
    ------
    ValueError
        If no law has the name.
    """
    names = [law.name for law in laws]
    if frozen is not None and frozen not in names:
        raise ValueError(f"no law is called {frozen!r}: there are {', '.join(names)}")


def halves(count: int) -> tuple[int, int]:
    """Return where the small half of an axis ends, and where the nearer half of the rest does.

    Parameters
    ----------
    count : int
        K points of the axis, at least 2.

    Returns
    -------
    tuple of int
        ceil(K / 2), and half of the others more, rounded down but at least one.
    """
    small = math.ceil(count / 2)
    return small, small + max(1, (count - small) // 2)


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
    means: Floats,
    small: NDArray[np.bool_],
    near: NDArray[np.bool_],
    nulls: Mapping[str, Floats],
    frozen: str | None = None,
) -> Comparison:
    """Fit laws to the small points, choose one unless it is frozen, and judge it by what it predicts.

    Parameters
    ----------
    laws : sequence of Law
        The forms. Those with more parameters than there are small points are left out.
    points : sequence of float[M]
        One array for each quantity that y depends on.
    means : float[1 + R, M]
        Values of y, finite: the mean over all seeds, then R resamples.
    small : bool[M]
        Which points the laws are fitted to.
    near : bool[M]
        Which of the others choose a law if none is frozen; the rest judges it.
    nulls : mapping of str to float[1 + R, M]
        Null forecasts by name.
    frozen : str, optional
        Name of one of the laws, chosen before the data. All points that are not small judge it.

    Returns
    -------
    Comparison
        All laws, and the best one, if it holds.
    """
    change, noise = np.ptp(means[0]), np.ptp(means[1:] - means[0], axis=1)
    rounding = 1e-12 * np.abs(means).max()
    if change <= max(rounding, np.percentile(noise, 95) if len(noise) else 0):
        return nothing("nothing to fit: it changes by less than its interval", frozen=frozen)
    laws = [law for law in laws if law.size <= small.sum()]
    if not laws or (frozen and frozen not in [law.name for law in laws]):
        why = f"too few points: {small.sum()} in the small half, and {frozen or 'any law'} takes more"
        return nothing(why, frozen=frozen)
    choosing, judging = ~small & near, ~small & ~near
    if frozen or not choosing.any() or not judging.any():
        choosing, judging = np.zeros_like(small), ~small

    def errors(predicted: Floats, where: NDArray[np.bool_]) -> Floats:
        return np.sqrt(np.square(predicted - means)[:, where].mean(axis=1))

    fits: list[LawFit] = []
    judged: dict[str, Floats] = {}
    nearby: dict[str, float] = {}
    for law in laws:
        fitted_small = law.fit([p[small] for p in points], means[:, small])
        predicted = law.predict(points, fitted_small)
        judged[law.name] = errors(predicted, judging)
        if choosing.any():
            nearby[law.name] = float(np.nan_to_num(errors(predicted, choosing)[0], nan=np.inf))
        fitted = law.fit(points, means)
        fits.append(
            LawFit(
                law,
                _estimates(law, points, fitted),
                error=estimate(judged[law.name]),
                residual=float(np.sqrt(np.square(law.predict(points, fitted[:1]) - means[0]).mean())),
                fitted=fitted,
                fitted_small=fitted_small,
            )
        )
    first = frozen or (min(nearby, key=lambda name: nearby[name]) if nearby else None)
    fits.sort(key=lambda each: (each.name != first, float(np.nan_to_num(each.error.mean, nan=np.inf))))
    null_errors = {name: errors(forecast, judging) for name, forecast in nulls.items()}
    best, why = _decided(fits, judged, null_errors, frozen=frozen, choosing=choosing.sum(), judging=judging.sum())
    return Comparison(
        fits,
        best,
        why=why,
        nulls={name: estimate(each) for name, each in null_errors.items()},
        frozen=frozen,
        points_fitted=int(small.sum()),
        points_choosing=int(choosing.sum()),
        points_judging=int(judging.sum()),
    )


def _decided(
    fits: list[LawFit],
    errors: dict[str, Floats],
    nulls: dict[str, Floats],
    *,
    frozen: str | None,
    choosing: int,
    judging: int,
) -> tuple[LawFit | None, str]:
    """The best law, if there is one, and how it was decided, by the errors in each resample."""

    def surely(less: Floats, more: Floats) -> bool:
        return len(less) > 1 and bool(less[0] < more[0] and (less[1:] < more[1:]).mean() >= SURE)

    first = fits[0]
    error = errors[first.name]
    named = "frozen before the data" if frozen else f"chosen among {len(fits)} laws by {_points(choosing, 'nearer')}"
    others = ", ".join(f"{name} to {each[0]:.3g}" for name, each in nulls.items())
    told = f"{first.name}, {named}, predicts {_points(judging, 'outside' if frozen else 'farther')} to {error[0]:.3g}, "
    told += others
    if not frozen and not choosing:
        told = f"{first.name} of {len(fits)} laws predicts it to {error[0]:.3g}, {others}"
        return None, f"one point can't both choose a law and judge it: the nearest, {told}"
    if len(error) == 1:
        return None, f"too few seeds for an interval: {told}"
    if all(surely(error, MARGIN * each) for each in nulls.values()):
        like = [each.name for each in fits[1:] if not surely(error, errors[each.name])]
        after = f"; of {len(fits) - 1} others, found afterwards, within the noise as good: {', '.join(like) or 'none'}"
        return first, told + after
    ahead = all(error[0] < each[0] for each in nulls.values())
    verdict = "it does not surely beat " if ahead else "it does not beat "
    lost = [name for name, each in nulls.items() if not (surely(error, MARGIN * each) if ahead else error[0] < each[0])]
    return None, f"no law holds: {told}; {verdict}{' and '.join(lost)}" + (
        f"; {len(fits) - 1} others were fitted afterwards" if frozen else ""
    )


def _points(count: int, where: str) -> str:
    return f"the {where} point" if count == 1 else f"the {count} {where} points"

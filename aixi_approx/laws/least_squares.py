"""Separable least squares: a few parameters are searched for, the others follow, for many samples at once.

A model y = known + sum of coefficients times columns is linear in the coefficients, which have a closed form as soon as
the columns and the known term are; only the few parameters on which these depend have to be searched for (Golub,
Pereyra 1973). They start at the best point of a grid. From there each sample descends by damped Gauss-Newton steps
(Levenberg 1944, Marquardt 1963), which follow narrow and curved valleys, as that of a sigmoid may be. Where a law has
kinks, or at the edges of the grid, these may end early; then the sample walks to the best of the neighbouring points,
and halves its step where it stands at the best one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Columns = Callable[..., list[Floats]]
Known = Callable[..., Floats]

STEPS = 100  # of the descent and of the walk at most; 10 to 40 of either do as a rule
DIFFERENCE = 1e-5  # in steps of the grid, of forward differences: wrong by about 1e-5, rounding included
DAMPING = (1e-2, 1e-10, 1e8)  # at first; at least, so that equations can be solved; at most, where no step helps
ENOUGH = 1e-10  # of the squares: the descent ends with a step that gains less
NEAR = 1e-4  # in steps of the grid: the walk ends there
DEPENDENT = 1e-7  # a column of which less, relatively, is new beside those before it counts as none


class Fitted(NamedTuple):
    """The fits of B samples."""

    parameters: Floats
    """float[B, P]: those that were searched for."""
    coefficients: Floats
    """float[B, C]: the linear ones."""


def fit(
    columns: Columns,
    grid: Sequence[Floats],
    *,
    samples: Floats,
    known: Known | None = None,
    nonnegative: bool = False,
) -> Fitted:
    """Return the parameters and coefficients with the smallest sum of squared residuals, for each sample.

    Parameters
    ----------
    columns : callable
        A function of P arrays float[..., 1] of parameters; it returns the C columns, each float[M] or float[..., M].
        C may be 0 if there is a known term.
    grid : sequence of float[*]
        P ascending arrays; nothing is searched for outside of them.
    samples : float[B, M]
        Finite.
    known : callable, optional
        A function of the same parameters that returns what is added to the columns, float[M] or float[..., M].
    nonnegative : bool, default: False
        Whether no coefficient may be negative.

    Returns
    -------
    Fitted
        Parameters float[B, P] and coefficients float[B, C].
    """
    scale = 2.0 ** np.ceil(np.log2(np.abs(samples).max() or 1.0))  # a power of two: nothing is rounded
    problem = _Problem(columns, grid, known=known, nonnegative=nonnegative, scale=scale)
    samples = samples / scale
    corners = [np.arange(len(axis)) for axis in grid]
    place = np.array(list(product(*corners)), dtype=float)[None]  # [1, T, P] the points, in steps of the grid
    gain, _ = problem.solve(place, samples)
    here = _pick(place, gain.argmax(axis=1))
    if grid:
        here = _walk(problem, _descend(problem, here, samples), samples)
    _, found = problem.solve(here[:, None], samples)
    parameters = np.concatenate([np.empty((len(samples), 0)), *problem.parameters(here)], axis=1)
    return Fitted(parameters, found[:, 0] * scale)


class _Problem:
    """What is fitted, at places in steps of the grid."""

    def __init__(
        self, columns: Columns, grid: Sequence[Floats], *, known: Known | None, nonnegative: bool, scale: float
    ) -> None:
        self.columns, self.grid, self.known, self.nonnegative, self.scale = columns, grid, known, nonnegative, scale
        self.end = np.array([len(axis) - 1 for axis in grid], dtype=float)

    def parameters(self, place: Floats) -> list[Floats]:
        """What stands at places float[..., P], also between the points of the grid: one float[..., 1] for each axis."""
        return [np.interp(place[..., i, None], np.arange(len(axis)), axis) for i, axis in enumerate(self.grid)]

    def at(self, place: Floats) -> tuple[list[Floats], Floats | None]:
        """The columns, and the known term in units of the scaled samples."""
        parameters = self.parameters(place)
        known = np.array(self.known(*parameters), ndmin=3) / self.scale if self.known else None
        return self.columns(*parameters), known

    def solve(self, place: Floats, samples: Floats) -> tuple[Floats, Floats]:
        """As `_solve`, at places float[B, T, P] or float[1, T, P]."""
        return _solve(*self.at(place), samples, self.nonnegative)

    def residuals(self, place: Floats, samples: Floats) -> Floats:
        """float[B, T, M] with the best coefficients."""
        columns, known = self.at(place)
        _, coefficients = _solve(columns, known, samples, self.nonnegative)
        left = samples[:, None] if known is None else samples[:, None] - known
        for i, column in enumerate(columns):
            left = left - coefficients[..., i, None] * column
        return np.asarray(np.broadcast_to(left, (*place.shape[:2], samples.shape[1])))


def _descend(problem: _Problem, here: Floats, samples: Floats) -> Floats:
    """Where Levenberg's and Marquardt's steps lead from places float[B, P]; the derivatives are differences."""
    start, least, most = DAMPING
    here, damping = here.copy(), np.full(len(here), start)
    identity = np.eye(here.shape[1])
    active = np.arange(len(here))
    for _ in range(STEPS):
        at, y = here[active], samples[active]
        side = np.where(at + DIFFERENCE > problem.end, -DIFFERENCE, DIFFERENCE)
        around = np.concatenate([at[:, None], at[:, None] + side[:, None] * identity], axis=1)
        left = problem.residuals(around, y)
        now, slopes = left[:, 0], ((left[:, 1:] - left[:, :1]) / side[..., None]).swapaxes(1, 2)  # [B, M], [B, M, P]
        downhill = -(slopes.swapaxes(1, 2) @ now[..., None])[..., 0]
        held = ((at <= 0) & (downhill < 0)) | ((at >= problem.end) & (downhill > 0))
        slopes, downhill = np.where(held[:, None], 0, slopes), np.where(held, 0, downhill)
        curvature = slopes.swapaxes(1, 2) @ slopes
        ridge = np.einsum("bii->bi", curvature) * damping[active, None] + least
        step = np.linalg.solve(curvature + ridge[..., None] * identity, downhill[..., None])[..., 0]
        there = np.clip(at + step, 0, problem.end)
        loss, other = (now**2).sum(axis=1), (problem.residuals(there[:, None], y)[:, 0] ** 2).sum(axis=1)
        better = other < loss
        here[active[better]] = there[better]
        damping[active] = np.maximum(damping[active] * np.where(better, 0.2, 10), least)
        active = active[np.where(better, loss - other > ENOUGH * loss, damping[active] < most)]
        if len(active) == 0:
            break
    return here


def _walk(problem: _Problem, here: Floats, samples: Floats) -> Floats:
    """Where steps to the best neighbours lead from places float[B, P]."""
    here = here.copy()
    axes = np.eye(len(problem.grid))
    around = np.concatenate([0 * axes[:1], axes, -axes])
    step = np.full(len(samples), 0.5)
    for _ in range(STEPS):
        walking = np.flatnonzero(step >= NEAR)
        if len(walking) == 0:
            break
        place = np.clip(here[walking, None] + step[walking, None, None] * around, 0, problem.end)
        gain, _ = problem.solve(place, samples[walking])
        best = gain.argmax(axis=1)
        here[walking] = _pick(place, best)
        step[walking[best == 0]] /= 2
    return here


def _pick(array: Floats, index: NDArray[np.intp]) -> Floats:
    """[B, P] of [B, T, P], or of [1, T, P] that all samples share, at index[B]."""
    picked: Floats = array[np.arange(len(index)) if len(array) > 1 else 0, index]
    return picked


def _solve(columns: list[Floats], known: Floats | None, samples: Floats, nonnegative: bool) -> tuple[Floats, Floats]:
    """What the squares of the samples lose, float[B, T], and the coefficients, float[B, T, C].

    The best nonnegative coefficients are the best of some of the columns, all others being 0.
    """
    start = np.zeros((1, 1))  # what they lose by the known term alone
    if known is not None:
        start = 2 * _products(known, samples) - (known**2).sum(axis=-1)
    gain, best = _project(columns, known, samples)
    if nonnegative and not (valid := np.asarray((best >= 0).all(axis=-1))).all():
        gain, best = np.where(valid, gain, 0), np.where(valid[..., None], best, 0)
        for size in range(1, len(columns)):
            for some in combinations(range(len(columns)), size):
                other, part = _project([columns[i] for i in some], known, samples)
                all_of_it = np.zeros((*part.shape[:-1], len(columns)))
                all_of_it[..., some] = part
                better = (part >= 0).all(axis=-1) & (other > gain)
                gain, best = np.where(better, other, gain), np.where(better[..., None], all_of_it, best)
    gain = start + gain
    return gain, np.broadcast_to(best, (*gain.shape, len(columns)))


def _project(columns: list[Floats], known: Floats | None, samples: Floats) -> tuple[Floats, Floats]:
    """As `_solve` without a sign: the columns made orthogonal one after the other (modified Gram-Schmidt).

    The gain is that of the columns, beyond that of the known term.
    """
    if not columns:
        return np.zeros((1, 1)), np.empty((1, 1, 0))
    units: list[Floats] = []
    shares: dict[tuple[int, int], Floats] = {}
    for j, column in enumerate(np.array(column, ndmin=3, copy=None) for column in columns):
        rest = column
        for i, unit in enumerate(units):
            shares[i, j] = (unit * rest).sum(axis=-1)
            rest = rest - shares[i, j][..., None] * unit
        length = np.sqrt((rest**2).sum(axis=-1))
        new = length > DEPENDENT * np.sqrt((column**2).sum(axis=-1))
        shares[j, j] = np.where(new, length, np.inf)
        units.append(rest / shares[j, j][..., None])
    along = [_products(unit, samples) for unit in units]
    if known is not None:
        along = [part - (unit * known).sum(axis=-1) for part, unit in zip(along, units, strict=True)]
    coefficients = [np.empty(0)] * len(columns)
    for j in reversed(range(len(columns))):
        after = sum((shares[j, i] * coefficients[i] for i in range(j + 1, len(columns))), start=np.zeros(1))
        coefficients[j] = (along[j] - after) / shares[j, j]
    gain = sum((part**2 for part in along), start=np.zeros(1))
    return gain, np.stack(np.broadcast_arrays(*coefficients), axis=-1)


def _products(unit: Floats, samples: Floats) -> Floats:
    """Scalar products float[B, T] of float[B, T, M], or of float[1, T, M] that all samples share, with float[B, M]."""
    products: Floats = samples @ unit[0].T if len(unit) == 1 else (unit @ samples[:, :, None])[..., 0]
    return products

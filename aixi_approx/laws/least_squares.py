"""Separable least squares: a few parameters are searched for, the others follow, for many samples at once.

A model y = sum of coefficients times columns is linear in the coefficients, which have a closed form as soon as the
columns are known; only the few parameters on which the columns depend have to be searched for (Golub, Pereyra 1973).
They start at the best point of a grid. From there each sample walks to the best of the neighbouring points, and
halves its step where it stands at the best one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Columns = Callable[..., list[Floats]]

STEPS = 100  # of the walk at most; 20 to 40 do unless the valley is narrow and curved, as that of a sigmoid may be
NEAR = 1e-4  # in steps of the grid: the walk ends there
DEPENDENT = 1e-7  # a column of which less, relatively, is new beside those before it counts as none


class Fitted(NamedTuple):
    """The fits of B samples."""

    parameters: Floats
    """float[B, P]: those that were searched for."""
    coefficients: Floats
    """float[B, C]: the linear ones."""


def fit(columns: Columns, grid: Sequence[Floats], *, samples: Floats, nonnegative: bool = False) -> Fitted:
    """Return the parameters and coefficients with the smallest sum of squared residuals, for each sample.

    Parameters
    ----------
    columns : callable
        A function of P arrays float[..., 1] of parameters; it returns the C columns, each float[M] or float[..., M].
    grid : sequence of float[*]
        P ascending arrays; nothing is searched for outside of them.
    samples : float[B, M]
        Finite.
    nonnegative : bool, default: False
        Whether no coefficient may be negative.

    Returns
    -------
    Fitted
        Parameters float[B, P] and coefficients float[B, C].
    """
    largest = np.abs(samples).max(axis=1, keepdims=True)
    scale = np.where(largest > 0, largest, 1)
    samples = samples / scale
    corners = [np.arange(len(axis)) for axis in grid]
    place = np.array(list(product(*corners)), dtype=float)[None]  # [1, T, P] the points, in steps of the grid
    gain, coefficients = _solve(columns(*_parameters(grid, place)), samples, nonnegative)
    best = gain.argmax(axis=1)
    here, found = _pick(place, best), _pick(coefficients, best)
    around = np.array(list(product((0, -1, 1), repeat=len(grid))), dtype=float)
    step = np.full(len(samples), 0.5 if grid else 0.0)
    for _ in range(STEPS):
        walking = np.flatnonzero(step >= NEAR)
        if len(walking) == 0:
            break
        place = here[walking, None] + step[walking, None, None] * around
        place = np.clip(place, 0, [len(axis) - 1 for axis in grid])
        gain, coefficients = _solve(columns(*_parameters(grid, place)), samples[walking], nonnegative)
        best = gain.argmax(axis=1)
        here[walking], found[walking] = _pick(place, best), _pick(coefficients, best)
        step[walking[best == 0]] /= 2
    parameters = np.concatenate([np.empty((len(samples), 0)), *_parameters(grid, here)], axis=1)
    return Fitted(parameters, found * scale)


def _pick(array: Floats, index: NDArray[np.intp]) -> Floats:
    """[B, ...] of [B, T, ...], or of [1, T, ...] that all samples share, at index[B]."""
    picked: Floats = array[np.arange(len(index)) if len(array) > 1 else 0, index]
    return picked


def _parameters(grid: Sequence[Floats], place: Floats) -> list[Floats]:
    """What stands on the grid at places between its points, one float[..., 1] for each axis."""
    return [np.interp(place[..., i, None], np.arange(len(axis)), axis) for i, axis in enumerate(grid)]


def _solve(columns: list[Floats], samples: Floats, nonnegative: bool) -> tuple[Floats, Floats]:
    """What the squares of the samples lose, float[B, T], and the coefficients, float[B, T, C].

    The best nonnegative coefficients are the best of some of the columns, all others being 0.
    """
    gain, best = _project(columns, samples)
    if not nonnegative:
        return gain, best
    valid = np.asarray((best >= 0).all(axis=-1))
    if valid.all():
        return gain, best
    gain, best = np.where(valid, gain, 0), np.where(valid[..., None], best, 0)
    for size in range(1, len(columns)):
        for some in combinations(range(len(columns)), size):
            other, part = _project([columns[i] for i in some], samples)
            all_of_it = np.zeros((*part.shape[:-1], len(columns)))
            all_of_it[..., some] = part
            better = (part >= 0).all(axis=-1) & (other > gain)
            gain, best = np.where(better, other, gain), np.where(better[..., None], all_of_it, best)
    return gain, best


def _project(columns: list[Floats], samples: Floats) -> tuple[Floats, Floats]:
    """As `_solve` without a sign: the columns made orthogonal one after the other (modified Gram-Schmidt)."""
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
    coefficients = [np.empty(0)] * len(columns)
    for j in reversed(range(len(columns))):
        known = sum((shares[j, i] * coefficients[i] for i in range(j + 1, len(columns))), start=np.zeros(1))
        coefficients[j] = (along[j] - known) / shares[j, j]
    gain = sum((part**2 for part in along), start=np.zeros(1))
    return gain, np.stack(np.broadcast_arrays(*coefficients), axis=-1)


def _products(unit: Floats, samples: Floats) -> Floats:
    """Scalar products float[B, T] of float[B, T, M], or of float[1, T, M] that all samples share, with float[B, M]."""
    products: Floats = samples @ unit[0].T if len(unit) == 1 else (unit @ samples[:, :, None])[..., 0]
    return products

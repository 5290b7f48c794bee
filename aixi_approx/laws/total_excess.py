"""Laws of the total excess log loss of a predictor: what it has paid, in all, for what it did not know yet."""

from __future__ import annotations

import math

import numpy as np

from aixi_approx.laws.curves import LOGARITHM, compare_halves, seed_means
from aixi_approx.laws.extrapolation import Comparison, Law, nothing
from aixi_approx.laws.least_squares import Floats

LAST_RATE = "the last rate"  # of the small half: the total goes on as between its last two points
LEAVES = "leaves"

POWER = Law(
    "power",  # rises ever more slowly, without an end: each new rarity costs
    "a x^b",
    coefficients=("a",),
    parameters=("b",),
    columns=lambda x, b: [x**b],
    grid=lambda x: [np.linspace(0, 1, 201)],
)


def cost_of_leaves(leaves: float) -> Law:
    """Return the law of a source that is a finite tree: half a bit for each parameter whenever x doubles.

    That is what parameters cost at least (Rissanen 1984, 1986) and what context-tree weighting pays for them at most,
    but for a constant (Willems, Shtarkov, Tjalkens 1995, theorem 2).

    Parameters
    ----------
    leaves : float
        Of the tree, each of which has one parameter.
    """
    return Law(
        LEAVES,
        f"c + {leaves / 2:g} log2 x",
        coefficients=("c",),
        parameters=(),
        columns=lambda x: [np.ones(len(x))],
        known=lambda x: leaves / 2 * np.log2(x),
        grid=lambda x: [],
    )


def fit_total_excess(
    experience: Floats,
    total: Floats,
    *,
    leaves: float | None = None,
    frozen: str | None = None,
    seed: int = 0,
) -> Comparison:
    """Fit the laws of the total excess log loss, and judge one by how well it extrapolates.

    The null forecasts are that the total stays (the last value), so that nothing is lost any more, and that the last
    rate goes on: a straight line through the last two points of the small half.

    Parameters
    ----------
    experience : float[K]
        Ascending, in cycles. Points where it is not positive are left out.
    total : float[S, K]
        For each seed, log loss of all percepts up to there above that of the true environment, in bits. Points that no
        seed has (NaN) are left out, then seeds that lack a point.
    leaves : float, optional
        Of the best tree in hindsight at the end of the small half, ceil(K / 2) points. Without it, or if it is NaN,
        the law "leaves" is left out.
    frozen : str, optional
        Name of the law that was chosen before the data.
    seed : int, default: 0
        Of the bootstrap.

    Returns
    -------
    Comparison
        All laws, and the best one, judged as by `fit_curve`. Whatever the numbers are, they raise nothing: `why` says
        what is wrong with them.

    Raises
    ------
    ValueError
        If the shapes do not match, or if no law has the frozen name.
    """
    x, means = seed_means(experience, total, seed=seed)
    laws = [LOGARITHM, POWER]
    if leaves is not None and math.isfinite(leaves):
        laws.append(cost_of_leaves(leaves))
    elif frozen == LEAVES:
        return nothing("the number of leaves is unknown", frozen=frozen)
    return compare_halves(laws, x, means=means, nulls={LAST_RATE: _last_rate}, frozen=frozen)


def _last_rate(x: Floats, small: Floats) -> Floats:
    """float[B, K]: the straight line through the last two points of the small half."""
    last = small.shape[1] - 1
    rate = (small[:, last] - small[:, last - 1]) / (x[last] - x[last - 1])
    return np.asarray(small[:, last, None] + rate[:, None] * (x - x[last]))

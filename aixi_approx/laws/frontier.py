"""The compute-optimal frontier: the best score for each amount of total compute, over all ways to split it.

    total compute = learning from E cycles + T decisions of N simulations

For each amount the best E and N are looked up on the surface of scores (the isoFLOP curves of Hoffmann et al. 2022,
arXiv:2203.15556, and the frontier of Jones 2021, arXiv:2104.03113). The best of many noisy numbers is too large: half
of the seeds choose, and the other half say what the choice is worth; then the other way round.

Up to its edge all splits were measured. Beyond it more learning, or more search, could be bought than was measured:
there the frontier is the best of what was.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from aixi_approx.laws.bootstrap import complete, resampled
from aixi_approx.laws.least_squares import Floats

POINTS = 25  # of the frontier
FINE = 8  # steps between two points of the surface, which is taken to be linear in logarithms between them


class Frontier(NamedTuple):
    """The best score for each amount of compute, and how it is reached: for all seeds, then for resamples of them."""

    compute: Floats
    """float[M]: total compute, in equal steps of its logarithm."""
    edge: float
    """Up to this amount all splits were measured: the most learning with the least search, and the other way round."""
    score: Floats
    """float[1 + R, M]: the best score."""
    experience: Floats
    """float[1 + R, M]: cycles of learning that give it."""
    simulations: Floats
    """float[1 + R, M]: simulations of a decision that give it."""
    share: Floats
    """float[1 + R, M]: of what this split takes, the share that goes to learning. Where more buys nothing more, a split
    takes less than the amount."""


class Surface:
    """Compute and scores between the points at which they were measured.

    Parameters
    ----------
    experience : float[E]
        Ascending, positive.
    simulations : float[N]
        Ascending, positive.
    learning : float[E]
        Compute of learning from so many cycles, positive.
    deciding : float[E, N]
        Compute of a decision, positive.
    decisions : float
        How many are made with what was learned, positive.
    """

    def __init__(
        self, experience: Floats, simulations: Floats, *, learning: Floats, deciding: Floats, decisions: float
    ) -> None:
        self._e, self._n = _weights(len(experience)), _weights(len(simulations))
        self.experience = np.exp(self._e @ np.log(experience))
        self.simulations = np.exp(self._n @ np.log(simulations))
        self.learning = np.exp(self._e @ np.log(learning))
        self.compute = self.learning[:, None] + decisions * np.exp(self.between(np.log(deciding)))
        self._order = self.compute.ravel().argsort(kind="stable")

    def between(self, values: Floats) -> Floats:
        """Return values float[..., E, N] on the fine grid, float[..., E', N']."""
        fine: Floats = self._e @ values @ self._n.T
        return fine

    def best(self, score: Floats, compute: Floats) -> tuple[np.ndarray, np.ndarray]:
        """Return where the score is largest that so much compute can buy.

        Parameters
        ----------
        score : float[E, N]
            At the measured points.
        compute : float[M]
            At least the smallest that there is.

        Returns
        -------
        tuple of int[M]
            Rows and columns of the fine grid.
        """
        ordered = self.between(score).ravel()[self._order]
        highest = np.maximum.accumulate(ordered)
        new = np.concatenate([[True], highest[1:] > highest[:-1]])
        place = np.maximum.accumulate(np.where(new, np.arange(len(ordered)), 0))
        most = np.searchsorted(self.compute.ravel()[self._order], compute * (1 + 1e-9), side="right") - 1
        return np.unravel_index(self._order[place[np.maximum(most, 0)]], self.compute.shape)  # type: ignore[return-value]


def _weights(count: int) -> Floats:
    """[FINE * (K - 1) + 1, K] how K points are mixed at those between them."""
    place = np.linspace(0, count - 1, FINE * (count - 1) + 1)
    return np.maximum(0, 1 - np.abs(place[:, None] - np.arange(count)))


def find_frontier(
    experience: Floats,
    simulations: Floats,
    *,
    score: Floats,
    learning: Floats,
    deciding: Floats,
    decisions: float,
    compute: Floats | None = None,
    seed: int = 0,
) -> Frontier | None:
    """Find the best score for each amount of compute.

    Parameters
    ----------
    experience, simulations, learning, deciding, decisions
        As in `Surface`.
    score : float[S, E, N]
        For each seed; seeds that lack a point are left out.
    compute : float[M], optional
        Amounts. By default `POINTS`, in equal steps of the logarithm from the cheapest point to the most expensive.
    seed : int, default: 0
        Of the resampling.

    Returns
    -------
    Frontier or None
        None where the surface, or what it costs, is not known. A single seed chooses and judges.

    Examples
    --------
    >>> e = n = np.array([1.0, 10.0, 100.0])
    >>> score = np.array([[0, 0, 0], [0, 0.5, 0.6], [0, 0.6, 1.0]])
    >>> found = find_frontier(e, n, score=score[None], learning=e, deciding=np.tile(n, (3, 1)), decisions=1)
    >>> round(found.edge), found.score[0, [0, -1]].tolist(), found.share[0, -1].round(2)
    (101, [0.0, 1.0], np.float64(0.5))
    """
    shape = len(experience), len(simulations)
    scores = complete(score.reshape(len(score), math.prod(shape)))
    if not (len(scores) and np.isfinite(scores).all() and min(shape) > 1):
        return None
    if not (np.isfinite(learning).all() and np.isfinite(deciding).all() and min(learning.min(), deciding.min()) > 0):
        return None
    surface = Surface(experience, simulations, learning=learning, deciding=deciding, decisions=decisions)
    if compute is None:
        compute = np.geomspace(surface.compute.min(), surface.compute.max(), POINTS)
    halves = (scores[::2], scores[1::2]) if len(scores) > 1 else (scores, scores)
    means = [resampled(half, seed + number).reshape(-1, *shape) for number, half in enumerate(halves)]
    found: list[list[Floats]] = []
    for choosing, saying in (means, means[::-1]):
        for chooses, says in zip(choosing, saying, strict=False):  # a half of one seed has no resamples
            row, column = surface.best(chooses, compute)
            share = surface.learning[row] / surface.compute[row, column]
            logs = np.log(surface.experience[row]), np.log(surface.simulations[column])
            found.append([surface.between(says)[row, column], *logs, share])
    both = np.array(found).reshape(2, -1, 4, len(compute)).mean(axis=0)
    edge = float(min(surface.compute[-1, 0], surface.compute[0, -1]))
    return Frontier(compute, edge, both[:, 0], np.exp(both[:, 1]), np.exp(both[:, 2]), both[:, 3])

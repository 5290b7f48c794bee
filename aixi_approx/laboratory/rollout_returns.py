"""The returns of random rollouts, exactly: their distribution, at each belief, over one cycle, two, and so on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from aixi_approx.pomdp.solution import Solution

Numbers = NDArray[np.float64]

NEAR = 1e-9  # of the largest reward: one that is as near to a multiple is one
ROOM = 1 << 26  # numbers that all distributions may hold together: half a gigabyte


class RolloutReturns(NamedTuple):
    """The return of an action followed by random ones: R values that lie evenly apart, from `least` on."""

    probability: Numbers
    """float64[B * A, R]: of each value, for belief * A + action."""
    least: float
    """The smallest value."""
    unit: float
    """From one value to the next."""

    @property
    def values(self) -> Numbers:
        """float64[R]: what can be returned, ascending."""
        return self.least + self.unit * np.arange(self.probability.shape[1], dtype=np.float64)

    def mean(self) -> Numbers:
        """Return the mean of each row, float64[B * A]."""
        return self.probability @ self.values

    def variance(self) -> Numbers:
        """Return the variance of each row, float64[B * A]."""
        return np.maximum(0.0, self.probability @ self.values**2 - self.mean() ** 2)

    def of_random_action(self, actions: int) -> RolloutReturns:
        """Return the returns where the first action is random, too: rows are then beliefs.

        Parameters
        ----------
        actions : int
            How many there are.
        """
        rows = self.probability.reshape(-1, actions, self.probability.shape[1])
        return self._replace(probability=rows.mean(axis=1))


def rollout_returns(solution: Solution, horizon: int) -> list[RolloutReturns]:
    """Return the distributions of the returns of random actions over 1, 2, ..., `horizon` cycles.

    Parameters
    ----------
    solution : Solution
        Of the environment.
    horizon : int
        Number of cycles, at least 1.

    Raises
    ------
    ValueError
        If there are too many beliefs and returns to hold in memory.
    """
    graph, pomdp = solution.graph, solution.pomdp
    actions, rows = len(pomdp.actions), len(graph.reward)
    reward = pomdp.coding.rewards_of(graph.percept // len(pomdp.observations))
    least, unit = float(reward.min()), _unit(reward - reward.min())
    place = np.rint((reward - least) / unit).astype(np.int64)
    top = int(place.max())
    if rows * horizon * (top * (horizon + 1) / 2 + 1) > ROOM:
        raise ValueError(
            f"{pomdp.name}: {graph.size} beliefs and the returns of {horizon} cycles are too many to follow: "
            "take a shorter horizon or a smaller environment"
        )
    row = np.repeat(np.arange(rows), np.diff(graph.first))
    steps = []  # by reward
    for i in np.unique(place).tolist():
        some = place == i
        parts = (graph.probability[some], (row[some], graph.node[some]))
        steps.append((i, csr_array(parts, shape=(rows, graph.size))))
    behind, found = np.ones((graph.size, 1)), list[RolloutReturns]()
    for cycles in range(1, horizon + 1):
        width = behind.shape[1]
        here = np.zeros((rows, width + top))
        for i, step in steps:
            here[:, i : i + width] += step @ behind
        found.append(RolloutReturns(here, cycles * least, unit))
        behind = found[-1].of_random_action(actions).probability
    return found


def _unit(above: NDArray[np.float64]) -> float:
    """The largest number of which all these are multiples, up to rounding; 1 if all are 0. It is Euclid's algorithm."""
    unit, near = 0.0, NEAR * float(above.max())
    for each in np.unique(above).tolist():
        while each > near:
            rest = unit % each if unit else 0.0
            unit, each = each, rest if rest < each - near else 0.0
    return unit or 1.0

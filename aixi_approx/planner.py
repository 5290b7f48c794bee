"""The planner interface: what an agent asks of its search, and what a search returns."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from aixi_approx.coding import Bits
from aixi_approx.randomness import Stream, below

MAX_HORIZON, MAX_SIMULATIONS = 10_000, 1 << 30


class SearchResult(NamedTuple):
    """What a search found at its root."""

    action: int
    value: NDArray[np.float64]  # [A] mean return of each action over the horizon, NaN where never tried
    visits: NDArray[np.int64]  # [A] simulations that began with each action
    simulations: int
    error: NDArray[np.float64] | None = None  # [A] the exact value lies within value +- error; None where unknown


class Planner(Protocol):
    """What an agent asks of its search. `RhoUCT` is one."""

    def search(self, predictor: Any, random: Stream, simulations: int | None = None) -> SearchResult:
        """Search from the present history of the knowledge that it is for, and leave it unchanged."""

    def advance(self, action: int, percept: Bits) -> None:
        """Hear of a cycle that the predictor has learned."""

    def forget(self) -> None:
        """Hear that the predictor's history has become another one."""


def best_action(value: NDArray[np.float64], random: Stream, rounding: float = 0.0) -> int:
    """Return the action with the largest value, but for rounding; one of them at random if there are several."""
    best = np.flatnonzero(value >= np.nanmax(value) - rounding)
    return int(best[below(random, len(best))])

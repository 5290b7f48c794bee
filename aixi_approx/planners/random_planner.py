"""The random agent: it knows nothing, and acts by chance. What every other agent is compared with."""

from __future__ import annotations

import numpy as np

from aixi_approx.coding import Bits, Coding
from aixi_approx.planner import SearchResult
from aixi_approx.randomness import Stream, below


class NoLearner:
    """What the random agent knows."""

    def __init__(self, coding: Coding) -> None:
        self.action_bits, self.percept_bits = coding.action_bits, coding.percept_bits

    def learn(self, cycle: Bits) -> float:
        """Learn nothing; return 0, because nothing was predicted."""
        return 0.0

    def extend(self, bits: Bits) -> None:
        """Remember nothing."""

    def restart(self) -> None:
        """Take no notice."""

    def mark(self) -> int:
        """Return 0: there is but one point."""
        return 0

    def revert(self, mark: int) -> None:
        """Stay at it."""


class RandomPlanner:
    """Takes each action with the same probability.

    Parameters
    ----------
    actions
        Number of actions.
    """

    def __init__(self, actions: int) -> None:
        self.actions = actions

    def search(self, predictor: NoLearner, random: Stream, simulations: int | None = None) -> SearchResult:
        """Draw an action."""
        value = np.full(self.actions, np.nan)
        return SearchResult(below(random, self.actions), value, np.zeros(self.actions, dtype=np.int64), 0)

    def forget(self) -> None:
        """Nothing is kept."""

    def advance(self, action: int, percept: Bits) -> None:
        """Nothing is kept."""

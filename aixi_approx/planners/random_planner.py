"""The random agent: it learns nothing and acts at random. Every other agent is compared with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from aixi_approx.coding import Bits, Coding
from aixi_approx.planner import Planner, SearchResult
from aixi_approx.randomness import Stream, below


class NoLearner:
    """A learner that learns nothing: the random agent's substitute for a predictor.

    Parameters
    ----------
    coding : Coding
        Bits of the environment.
    """

    def __init__(self, coding: Coding) -> None:
        self.action_bits, self.percept_bits = coding.action_bits, coding.percept_bits

    def learn(self, cycle: Bits) -> float:
        """Learn nothing; return 0, because nothing was predicted."""
        return 0.0

    def extend(self, bits: Bits) -> None:
        """Remember nothing."""

    def restart(self) -> None:
        """Do nothing."""

    def mark(self) -> int:
        """Return 0: there is only one point."""
        return 0

    def revert(self, mark: int) -> None:
        """Do nothing."""

    def keep(self) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Do nothing."""


class RandomPlanner(Planner):
    """Takes each action with the same probability.

    Parameters
    ----------
    coding : Coding
        Bits and actions of the environment.
    """

    model_free = True

    def __init__(self, coding: Coding) -> None:
        self.coding = coding

    def learner(self) -> NoLearner:
        """Return something that learns nothing."""
        return NoLearner(self.coding)

    def search(self, predictor: NoLearner, random: Stream, *, simulations: int | None = None) -> SearchResult:
        """Draw an action."""
        value = np.full(self.coding.actions, np.nan)
        return SearchResult(below(random, len(value)), value, np.zeros(len(value), dtype=np.int64), 0)

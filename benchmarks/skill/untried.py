"""The policy that is learned, without a trial: searches follow it as far as it predicts well, whatever they earn."""

from __future__ import annotations

from aixi_approx.rollouts.learned import MOST, LearnedPolicy


class Untried(LearnedPolicy):
    """Is always followed."""

    def trust(self, simulations: int) -> float:
        """Return how far a search is to follow it, 0 to `MOST`."""
        return MOST * max(0.0, 1.0 - self._standing.loss)

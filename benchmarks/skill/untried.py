"""The policy that is learned, without a trial: searches follow it as far as it predicts well, whatever they earn."""

from __future__ import annotations

from aixi_approx.rollouts.learned import LearnedPolicy


class Untried(LearnedPolicy):
    """Always helps."""

    def helps(self, simulations: int) -> float:
        """Return 1, whatever was earned."""
        return 1.0

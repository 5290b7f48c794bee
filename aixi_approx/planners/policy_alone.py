"""Acting by a policy that was learned, without any search: from a teacher, or from what other planners decided."""

from __future__ import annotations

from typing import Any

from aixi_approx.coding import Coding
from aixi_approx.planner import SearchResult
from aixi_approx.planners.guided_planner import GuidedPlanner
from aixi_approx.randomness import Stream
from aixi_approx.rollout import Rollout


class PolicyAlone(GuidedPlanner):
    """Does what its policy predicts of itself.

    Parameters
    ----------
    coding : Coding
        Bits of the environment.
    policy : Rollout
        That learns.
    """

    options = ("policy",)
    needs_policy = True

    def __init__(self, coding: Coding, *, policy: Rollout) -> None:
        super().__init__(coding, policy=policy)

    def search(self, predictor: Any, random: Stream, *, simulations: int | None = None) -> SearchResult:
        """Ask the policy."""
        return self.guide.act_alone(random)

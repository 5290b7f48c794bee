"""Acting by a policy that was learned, without any search: from a teacher, or from what other planners decided."""

from __future__ import annotations

from typing import Any

from aixi_approx.coding import Bits, Coding
from aixi_approx.planner import Planner, SearchResult
from aixi_approx.planners.guide import Guide
from aixi_approx.randomness import Stream
from aixi_approx.rollout import Rollout


class PolicyAlone(Planner):
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
        self.guide = Guide(coding, None, policy=policy)
        self.reads_history, self.policy = self.guide.reads_history, policy

    def search(self, predictor: Any, random: Stream, *, simulations: int | None = None) -> SearchResult:
        """Ask the policy."""
        return self.guide.act_alone(random)

    def distil(self, action: int) -> float:
        """Let the policy learn an action; return its log loss in bits."""
        return self.guide.distil(action)

    def advance(self, action: int, percept: Bits, *, learned: bool = True) -> None:
        """Go on to the history after a real cycle."""
        self.guide.advance(action, percept, learned=learned)

    def mark(self) -> int:
        """Remember this point; return its number."""
        return self.guide.mark()

    def revert(self, mark: int) -> None:
        """Go back to a mark, exactly; forget it and all later ones."""
        self.guide.revert(mark)

"""What planners with a guide have in common: they tell it what happens, and ask it what is to be learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aixi_approx.coding import Bits, Coding
from aixi_approx.planner import Lesson, Planner, SearchResult
from aixi_approx.planners.guide import Guide
from aixi_approx.randomness import Stream
from aixi_approx.rollout import Rollout


class GuidedPlanner(Planner):
    """Base class of planners that a policy or a rollout policy guides. A subclass has the search.

    Parameters
    ----------
    coding, rollout, policy, lessons
        As in `Guide`.
    """

    def __init__(
        self,
        coding: Coding,
        *,
        rollout: Rollout | None = None,
        policy: Rollout | None = None,
        lessons: str | None = None,
    ) -> None:
        self.guide = Guide(coding, rollout, policy=policy, lessons=lessons)
        self.reads_history, self.policy = self.guide.reads_history, policy

    @property
    def horizon(self) -> int:
        """Cycles that it looks ahead, the present one included."""
        return 1

    def guided_share(self, trust: float) -> float:
        """Return the share of simulations that act as the policy does, if it is to be followed so far."""
        return trust if self.guide.acts else 0.0

    def lesson(self, result: SearchResult | None, random: Stream) -> Lesson:
        """Return what is to be done after a search, and whether the policy learns that."""
        return self.guide.lesson(result, random)

    def distil(self, action: int) -> float:
        """Let the policy learn an action; return its log loss in bits."""
        return self.guide.distil(action)

    def advance(self, action: int, percept: Bits, *, learned: bool = True) -> None:
        """Go on to the history after a real cycle."""
        self.guide.advance(
            action, percept, learned=learned, horizon=self.horizon, simulations=self.simulations // self.searches
        )

    def keep(self) -> dict[str, Any]:
        """Return what its policy, or its rollout policy, knows."""
        return self.guide.keep()

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take on the state that `keep` has returned."""
        self.guide.restore(kept)
        self.forget()

    def mark(self) -> int:
        """Remember this point; return its number."""
        return self.guide.mark()

    def revert(self, mark: int) -> None:
        """Go back to a mark, exactly; forget it and all later ones."""
        self.guide.revert(mark)

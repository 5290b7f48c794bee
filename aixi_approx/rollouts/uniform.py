"""Uniform rollouts, as in JAIR 2011: every action with the same probability."""

from __future__ import annotations

from aixi_approx.predictor_abi import UNIFORM, RolloutAddresses
from aixi_approx.rollout import Rollout


class Uniform(Rollout):
    """Takes each action with the same probability.

    Compiled planners do this themselves, without a call: its addresses are zero.
    """

    def choose(self, u: float) -> int:
        """Return an action, given a number drawn uniformly from [0, 1)."""
        return int(u * self.coding.actions)

    @property
    def addresses(self) -> RolloutAddresses:
        """No addresses: planners choose uniformly at random themselves."""
        return UNIFORM

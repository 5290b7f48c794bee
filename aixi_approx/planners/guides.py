"""What guides a search: a policy that learns its decisions, and one that acts beyond the tree; often they are the same."""

from __future__ import annotations

from typing import Any

from aixi_approx.coding import Bits, Coding, encode
from aixi_approx.predictor_abi import RolloutAddresses
from aixi_approx.rollout import Rollout
from aixi_approx.rollouts.uniform import Uniform


class Guides:
    """Policy and rollout policy of a planner, kept at the same point of the history.

    Parameters
    ----------
    coding : Coding
        Bits of the environment.
    policy : Rollout or None
        That learns.
    rollout : Rollout or None
        That acts beyond the tree; by default the policy, or else uniformly at random.
    """

    def __init__(self, coding: Coding, policy: Any | None, rollout: Rollout | None) -> None:
        self._coding, self.policy = coding, policy
        self.rollout = rollout or policy or Uniform(coding)
        both = (self.policy, self.rollout) if policy not in (None, self.rollout) else (self.rollout,)
        self._readers = [each for each in both if each.reads_history]
        self._marks: list[list[int]] = []
        self._distilled = False

    @property
    def read_history(self) -> bool:
        """Whether one of them reads the history."""
        return bool(self._readers)

    @property
    def prior(self) -> RolloutAddresses:
        """Where the policy is found; without one, all zero."""
        return RolloutAddresses(0, 0, 0, 0, 0) if self.policy is None else self.policy.addresses

    def distil(self, action: int) -> float:
        """Let the policy learn the action that is about to be taken; return its log loss in bits."""
        if self.policy is None:
            return 0.0
        self._distilled = True
        return float(self.policy.learn(action))

    def advance(self, action: int, percept: Bits) -> None:
        """Go on to the history after a real cycle."""
        for reader in self._readers:
            if reader is not self.policy or not self._distilled:
                reader.extend(encode(action, self._coding.action_bits))
            reader.extend(percept)
        self._distilled = False

    def mark(self) -> int:
        """Remember this point; return its number."""
        self._marks.append([reader.mark() for reader in self._readers])
        return len(self._marks) - 1

    def revert(self, mark: int) -> None:
        """Go back to a mark, exactly; forget it and all later ones."""
        for reader, own in zip(self._readers, self._marks[mark], strict=True):
            reader.revert(own)
        del self._marks[mark:]

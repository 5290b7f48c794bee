"""What guides a search: a policy that learns its decisions, or a rollout policy that does not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aixi_approx.coding import Bits, Coding, encode
from aixi_approx.planner import Lesson, SearchResult
from aixi_approx.planner_spec import ALL, BETTER, DRAWN, EXPLORED, LESSONS
from aixi_approx.randomness import Stream, draw
from aixi_approx.rollout import Rollout
from aixi_approx.rollouts.uniform import Uniform
from aixi_approx.validation import check_choice

SHARPNESS = 2.0  # power of the probabilities of a policy that acts alone


class Guide:
    """The policy of a planner and what it is for.

    With a policy that learns and a uniform rollout, the policy guides the search within the tree only.

    Parameters
    ----------
    coding : Coding
        Bits of the environment.
    rollout : Rollout or None
        That acts beyond the tree; by default the policy, or else uniformly at random.
    policy : Rollout or None
        That learns the decisions of the search.
    lessons : str, default: "all"
        Which of them: `all`; `better`, those of which the search is sure; with `explored`, random actions, too; with
        `drawn`, actions are drawn from what the search makes of the policy.

    Raises
    ------
    ValueError
        If there is a policy and the rollout policy is another one that is not uniform, or it lacks what it needs.
    """

    def __init__(
        self,
        coding: Coding,
        rollout: Rollout | None,
        *,
        policy: Any | None,
        lessons: str | None = None,
    ) -> None:
        for each in (policy, rollout):
            theirs = None if each is None else (each.coding.actions, each.coding.action_bits, each.coding.percept_bits)
            if theirs not in (None, (coding.actions, coding.action_bits, coding.percept_bits)):
                name = type(each).__name__
                raise ValueError(f"{name} was made for another environment: its actions or percepts are others")
        if lessons is not None and policy is None:
            raise ValueError("lessons mean nothing without a policy: name one, or leave them out")
        self.lessons = check_choice("lessons", ALL if lessons is None else lessons, LESSONS)
        if policy is not None and rollout not in (None, policy) and not isinstance(rollout, Uniform):
            raise ValueError("a policy that learns acts beyond the tree, too: leave the rollout out, or take uniform")
        if policy is not None:
            policy.check_learner()
        self._coding, self.policy = coding, policy
        self.rollout = rollout or policy or Uniform(coding)
        self._reader = policy or self.rollout
        self._distilled: int | None = None

    @property
    def reads_history(self) -> bool:
        """Whether it has to be given all real cycles."""
        return bool(self._reader.reads_history)

    @property
    def acts(self) -> bool:
        """Whether actions beyond the tree are its own, and not uniformly random."""
        return self.rollout is self._reader

    def trust(self, simulations: int) -> float:
        """Return how far a search is to follow the policy, 0 to 1; one that does not learn always is followed."""
        if self.policy is None:
            return 1.0
        trust, helps = float(self.policy.trust), float(self.policy.helps(simulations))
        for what, value in (("trust is", trust), (f"helps({simulations}) returned", helps)):
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"{type(self.policy).__name__}.{what} {value}: it must lie in 0 to 1")
        return trust * helps

    def addresses(self) -> NDArray[np.int64]:
        """Return where compiled code finds the policy, or else the rollout policy; nothing of it has failed yet."""
        self._reader.fault = None
        return self._reader.addresses.array()

    def raise_fault(self) -> None:
        """Raise what failed."""
        self._reader.raise_fault()

    def act_alone(self, random: Stream) -> SearchResult:
        """Decide without a search, as the policy does, in proportion to the squares of its probabilities.

        The most probable action alone can be wrong for ever, where the last bits of the history come back after it. A
        policy that has had no lesson yet is uniform.
        """
        if self.policy is None:
            raise ValueError("an agent without a policy can't decide without simulations: give it some, or a policy")
        chance = self.policy.checked_prediction() ** SHARPNESS
        if getattr(self.policy, "lessons", 1) == 0:
            chance[:] = 1.0
        action = _drawn(chance, random)
        actions = len(chance)
        return SearchResult(action, np.full(actions, np.nan), np.zeros(actions, dtype=np.int64), 0)

    def lesson(self, result: SearchResult | None, random: Stream) -> Lesson:
        """Return what is to be done after a search, and whether the policy learns that."""
        if result is None:
            return Lesson(None, self.policy is not None and self.lessons == EXPLORED)
        if self.policy is None or np.isnan(result.value).all():  # it acted alone
            return Lesson(result.action, False)
        if self.lessons == DRAWN:
            return Lesson(_drawn(improved(self.policy.checked_prediction(), result), random), True)
        better = self.lessons != BETTER or is_better(self.policy.checked_prediction(), result)
        return Lesson(result.action, better)

    def distil(self, action: int) -> float:
        """Let the policy learn the action that is about to be taken; return its log loss in bits."""
        if self.policy is None:
            return 0.0
        loss = float(self.policy.learn(action))
        if not 0.0 <= loss < math.inf:
            raise ValueError(
                f"{type(self.policy).__name__}.learn({action}) returned {loss}: it must be bits, 0 or more"
            )
        self._distilled = action
        return loss

    def advance(self, action: int, percept: Bits, *, learned: bool, horizon: int = 1, simulations: int = 0) -> None:
        """Go on to the history after a real cycle.

        If it was learned, its reward counts for or against the policy, over blocks of as many cycles as a search looks
        ahead, and for searches of so many simulations.
        """
        if self._distilled not in (None, action):
            raise ValueError(f"the policy has learned the action {self._distilled}, and {action} was taken")
        if self.policy is not None and learned:
            self.policy.earn(self._coding.percept(percept)[1], block=horizon, simulations=simulations)
        if self.reads_history:
            if self._distilled is None:
                self._reader.extend(encode(action, self._coding.action_bits))
            self._reader.extend(percept)
        self._distilled = None

    def keep(self) -> dict[str, Any]:
        """Return what the policy knows, or the rollout policy if that reads the history; nothing of one that does not.

        Raises
        ------
        ValueError
            If it can't be kept, or an action was learned and not taken yet.
        """
        if self._distilled is not None:
            raise ValueError("an agent can be kept between two cycles, not within one")
        return {"reader": self._reader.keep()} if self.reads_history else {}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take on the state that `keep` has returned."""
        if self.reads_history != bool(kept):
            raise ValueError("one of the two has a policy that reads the history, and the other has none")
        if self.reads_history:
            self._reader.restore(kept["reader"])
        self._distilled = None

    def mark(self) -> int:
        """Remember this point; return its number."""
        return self._reader.mark()

    def revert(self, mark: int) -> None:
        """Go back to a mark, exactly; forget it and all later ones."""
        self._reader.revert(mark)
        self._distilled = None


def is_better(prediction: NDArray[np.float64], result: SearchResult) -> bool:
    """Return whether a search is sure of what it found, against what a policy does instead.

    Parameters
    ----------
    prediction : float64[A]
        Probability of each action by the policy.
    result : SearchResult
        Of a search. Its values are taken as they are if it does not say how far they are noise.

    Returns
    -------
    bool
        If the value of its action is ahead of that of the most probable other one by a standard error of their
        difference; not only where the two disagree, or the policy would learn its own opinion from noise.
    """
    deviation = result.deviation
    if result.error is not None or deviation is None or len(prediction) == 1:
        return True
    other = prediction.copy()
    other[result.action] = -1.0
    rival = int(other.argmax())
    gain = result.value[result.action] - result.value[rival]
    return bool(gain > np.hypot(deviation[result.action], deviation[rival]))


def improved(prediction: NDArray[np.float64], result: SearchResult) -> NDArray[np.float64]:
    """Return what a search makes of a policy: its probabilities times exp(value / noise), float64[A].

    The noise is the root mean square of the standard errors, so that chance does not turn the policy; an action that
    was not tried is worth the mean of the policy (completed values; Danihelka et al. 2022). Where values are exact, it
    is the action that was found.
    """
    known, deviation = ~np.isnan(result.value), result.deviation
    found = np.zeros(len(prediction))
    found[result.action] = 1.0
    if result.error is not None or deviation is None or not known.any():
        return found
    noise = deviation[known & np.isfinite(deviation)]
    if not len(noise):
        return prediction
    unit = float(np.sqrt((noise**2).mean()))
    if unit == 0.0:
        return found
    share = prediction if prediction[known].any() else np.ones(len(prediction))
    mean = float(result.value[known] @ share[known] / share[known].sum())
    value = np.where(known, result.value, mean)
    weight = prediction * np.exp(np.minimum(0.0, (value - value[prediction > 0.0].max()) / unit))
    return weight / weight.sum()


def _drawn(weight: NDArray[np.float64], random: Stream) -> int:
    """Draw an action in proportion to its weight."""
    u = draw(random) * weight.sum()
    return int(min(np.searchsorted(np.cumsum(weight), u, side="right"), len(weight) - 1))

"""What a model expects to perceive after an action: the probability of each percept, and of each of its two fields.

A predictor knows one bit at a time. The percepts are found by following both bits wherever the path is still probable
enough; what is less probable is left out, and its probability is said. The predictor is unchanged afterwards.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from aixi_approx.coding import Bits, Coding, encode
from aixi_approx.environment import Percept
from aixi_approx.predictor import Predictor

LEAST = 1e-3  # probability of a path that is still followed
WHOLE_BITS = 12  # of a reward, all of whose codes are followed; of a longer one, those that are likely enough


class ExpectedPercept(NamedTuple):
    """A percept, and the probability that it comes next."""

    observation: int
    reward: float
    probability: float


class Prediction(NamedTuple):
    """What a model expects to perceive after an action.

    Attributes
    ----------
    percepts : tuple of ExpectedPercept
        Those that were followed, the likeliest first.
    rest : float
        Probability of all others.
    rewards : tuple of (float, float)
        Each reward, and its probability; ascending. All of them, unless a reward has more than 12 bits.
    """

    percepts: tuple[ExpectedPercept, ...]
    rest: float
    rewards: tuple[tuple[float, float], ...]

    @property
    def reward(self) -> float:
        """Expected reward of the next cycle."""
        return math.fsum(reward * p for reward, p in self.rewards) / math.fsum(p for _, p in self.rewards)

    @property
    def observations(self) -> tuple[tuple[int, float], ...]:
        """Each observation of `percepts`, and its probability with any of their rewards; the likeliest first."""
        total: dict[int, float] = {}
        for observation, _, p in self.percepts:
            total[observation] = total.get(observation, 0.0) + p
        return tuple(sorted(total.items(), key=lambda pair: -pair[1]))

    @property
    def entropy(self) -> float:
        """Bits of surprise to expect; what was left out counts as a single percept, so that it is at least so much."""
        chances = [percept.probability for percept in self.percepts] + [self.rest]
        return -math.fsum(p * math.log2(p) for p in chances if p > 0) + 0.0


class Surprise(NamedTuple):
    """The surprise of a percept, in bits: the log loss of the model, by field. The reward is predicted first."""

    reward: float
    observation: float

    @property
    def total(self) -> float:
        """Of the whole percept."""
        return self.reward + self.observation


def predict_percept(predictor: Predictor, coding: Coding, *, action: int, least: float = LEAST) -> Prediction:
    """Return what a predictor expects to perceive if an action is taken now.

    Parameters
    ----------
    predictor : Predictor
        At the start of a cycle. It is unchanged afterwards.
    coding : Coding
        Of its environment.
    action : int
        The action.
    least : float, default: 0.001
        Probability below which a path is not followed.

    Returns
    -------
    Prediction
        Rewards and observations beyond the declared ones have codes that a model may expect, too; of rewards, the
        largest takes their place, as in a search.

    Examples
    --------
    >>> from aixi_approx import make
    >>> from aixi_approx.predictors import TrueModel
    >>> tiger = make("tiger")
    >>> seen = predict_percept(TrueModel(tiger), tiger.coding, action=0)        # listen
    >>> seen.reward, [(tiger.observations[o], round(p, 9)) for o, p in seen.observations]
    (-1.0, [('left', 0.5), ('right', 0.5)])
    """
    leaves: list[tuple[int, float]] = []
    rewards: dict[float, float] = {}
    rare = 0.0 if coding.reward_bits <= WHOLE_BITS else 2.0**-WHOLE_BITS

    def follow(read: int, code: int, p: float, likelier: bool = False) -> None:
        """Follow the percept bits after `read` of them, which have the probability p; or only the likelier ones."""
        if read == coding.reward_bits and not likelier:
            reward = coding.reward(code)
            rewards[reward] = rewards.get(reward, 0.0) + p
        if read == coding.percept_bits:
            leaves.append((code, p))
            return
        if read >= coding.reward_bits and p < least and not likelier:
            return
        one, enough = predictor.predict(), least if read >= coding.reward_bits else rare
        ways = [(bit, p * share) for bit, share in ((0, 1.0 - one), (1, one)) if p * share >= enough and share > 0]
        if likelier or not ways:  # the probability is spread too thin: the likelier bit stands for both
            ways = [(int(one > 0.5), p * max(one, 1.0 - one))]
        for bit, chance in ways:
            mark = predictor.mark()
            try:
                predictor.update(bit)
                follow(read + 1, 2 * code + bit, chance, likelier or chance < enough)
            finally:
                predictor.revert(mark)

    start = predictor.mark()
    try:
        predictor.extend(encode(action, coding.action_bits))
        follow(0, 0, 1.0)
        if not leaves:
            follow(0, 0, 1.0, likelier=True)
    finally:
        predictor.revert(start)
    seen = 1 << coding.observation_bits
    total: dict[tuple[int, float], float] = {}
    for code, p in leaves:
        reward, observation = divmod(code, seen)
        percept = observation, coding.reward(reward)
        total[percept] = total.get(percept, 0.0) + p
    percepts = [ExpectedPercept(*percept, p) for percept, p in total.items()]
    percepts.sort(key=lambda percept: (-percept.probability, percept.observation, percept.reward))
    rest = max(0.0, 1.0 - math.fsum(percept.probability for percept in percepts))
    return Prediction(tuple(percepts), rest if rest > 1e-12 else 0.0, tuple(sorted(rewards.items())))


def surprise(predictor: Predictor, coding: Coding, *, action: int, percept: Percept) -> Surprise:
    """Return how much a percept would surprise a predictor, by field.

    Parameters
    ----------
    predictor : Predictor
        At the start of a cycle. It is unchanged afterwards.
    coding : Coding
        Of its environment.
    action : int
        The action that was taken.
    percept : Percept
        What came.

    Raises
    ------
    ValueError
        If it is impossible, for a predictor that knows what is.
    """
    bits: Bits = coding.cycle(action, *percept)
    losses = [0.0, 0.0]
    mark = predictor.mark()
    try:
        predictor.extend(bits[: coding.action_bits])
        for i, bit in enumerate(bits[coding.action_bits :].tolist()):
            losses[i >= coding.reward_bits] -= math.log2(predictor.update(bit))
    finally:
        predictor.revert(mark)
    return Surprise(losses[0] + 0.0, losses[1] + 0.0)

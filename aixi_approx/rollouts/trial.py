"""A trial of a policy: whether searches that it guides earn more than searches that it does not.

A search that follows a policy looks deeper where the policy goes, and finds more there: it can prefer what it is used
to over what is better, and teach that to the policy again. Values of searches don't show it; what is earned does. So
blocks of cycles are decided with the policy and without, in proportion to how probable it is, by the mean returns of
both so far, that it helps: at least one block in ten of each kind. Both means forget, as the policy gets better.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from aixi_approx.randomness import TRIAL, draw, stream

LATEST = 30  # blocks of a kind that its mean is about
LEAST = 0.1  # share of each kind


class Earned(NamedTuple):
    """Returns of the blocks of a kind."""

    blocks: int = 0
    mean: float = 0.0
    variance: float = 0.0

    def with_one_more(self, value: float) -> Earned:
        """Return what it is with the return of another block."""
        rate = 1 / min(self.blocks + 1, LATEST)
        difference = value - self.mean
        mean = self.mean + rate * difference
        variance = (1 - rate) * (self.variance + rate * difference * difference)
        return Earned(self.blocks + 1, mean, variance)

    @property
    def noise(self) -> float:
        """Variance of the mean."""
        return self.variance / min(max(self.blocks, 1), LATEST)


class Trial(NamedTuple):
    """Where a trial stands.

    Examples
    --------
    >>> trial = Trial()
    >>> for _ in range(200):                       # a policy that earns 2 a cycle, where 1 is earned without it
    ...     trial = trial.after(2.0 if trial.guided else 1.0, 5)
    >>> trial.helps, trial.without.blocks + trial.guided_ones.blocks
    (True, 40)
    """

    without: Earned = Earned()
    guided_ones: Earned = Earned()
    guided: bool = True  # whether the policy guides the searches of the present block
    cycles: int = 0  # of the present block
    earned: float = 0.0  # in it

    @property
    def helps(self) -> bool:
        """Whether the policy has earned as much as was earned without it, or more; True as long as nobody knows."""
        return not self.known or self.guided_ones.mean >= self.without.mean

    @property
    def known(self) -> bool:
        """Whether there are blocks of both kinds to compare."""
        return min(self.without.blocks, self.guided_ones.blocks) >= 2

    @property
    def chance(self) -> float:
        """Probability that it helps."""
        if not self.known:
            return 0.5
        gain, noise = self.guided_ones.mean - self.without.mean, self.guided_ones.noise + self.without.noise
        if noise == 0.0:
            return 0.5 if gain == 0.0 else float(gain > 0.0)
        return 0.5 * (1.0 + math.erf(gain / math.sqrt(2.0 * noise)))

    def after(self, reward: float, block: int) -> Trial:
        """Return where it stands after another cycle, if blocks have so many cycles."""
        earned, cycles = self.earned + reward, self.cycles + 1
        if cycles < block:
            return self._replace(earned=earned, cycles=cycles)
        kind = "guided_ones" if self.guided else "without"
        done = self._replace(**{kind: getattr(self, kind).with_one_more(earned)}, earned=0.0, cycles=0)
        number = done.without.blocks + done.guided_ones.blocks
        share = min(1.0 - LEAST, max(LEAST, done.chance))
        return done._replace(guided=draw(stream(number, TRIAL)) < share)

"""Rewards of any size as integers: multiples of a unit, within a range.

The unit is 1 if the known rewards are integers in a small enough range. Otherwise it is the first of 0.5, 0.2, 0.1,
0.05, ... of which all of them are multiples, or else the first of 2, 5, 10, .... If there is none, it is the smallest
unit with at most MAX_STEPS steps over the range, and rewards are rounded.
"""

from __future__ import annotations

from collections.abc import Collection

MAX_STEPS = 255  # units from the smallest reward to the largest: 8 bits
LADDER = sorted(m * 10.0**k for k in range(-6, 10) for m in (1, 2, 5))
NEAR = 1e-6  # of a unit; a reward this close to a multiple counts as one


class RewardScale:
    """A mapping from rewards to integers.

    >>> scale = RewardScale([-0.5, 0, 2])
    >>> scale.unit, scale.least, scale.most, scale.exact
    (0.5, -1, 4, True)
    >>> scale.level(1.5), scale.level(7.0), scale.clipped
    (3, 4, 1)

    Attributes
    ----------
    unit : float
        The reward that the integer 1 stands for.
    least, most : int
        The range, in units.
    exact : bool
        Whether all known rewards are multiples of the unit.
    clipped : int
        Number of rewards beyond the range so far.

    Parameters
    ----------
    rewards : collection of float
        The known rewards, at least one.
    limits : (float, float), optional
        The range. By default, that of `rewards`.
    unit : float, optional
        The unit. By default, chosen for `rewards`.

    Raises
    ------
    ValueError
        If a reward is infinite, NaN, or beyond 5e9.
    """

    def __init__(
        self, rewards: Collection[float], limits: tuple[float, float] | None = None, *, unit: float | None = None
    ) -> None:
        low, high = limits or (min(rewards), max(rewards))
        if not all(abs(reward) <= LADDER[-1] for reward in (*rewards, low, high)):
            raise ValueError(f"rewards from {min(rewards)} to {max(rewards)} are too large, or not numbers")
        known = {reward for reward in rewards if low <= reward <= high} | {low, high}
        self.unit = unit or _unit(known, high - low)
        self.least, self.most = round(low / self.unit), round(high / self.unit)
        self.exact = all(_multiple(reward, self.unit) for reward in known)
        self.clipped = 0

    def level(self, reward: float) -> int:
        """Return the nearest integer number of units; a reward beyond the range is clipped and counted.

        Raises
        ------
        ValueError
            If the reward is NaN.
        """
        if reward != reward:  # NaN
            raise ValueError("the reward is not a number (NaN)")
        level = round(min(max(reward / self.unit, self.least - 1), self.most + 1))
        if self.least <= level <= self.most:
            return level
        self.clipped += 1
        return min(max(level, self.least), self.most)

    def __str__(self) -> str:
        """Return a short description of what is lost within the range, or an empty string."""
        parts = [f"counted in units of {self.unit:g}"] if self.unit != 1 else []
        if not self.exact:
            parts.append(f"rounded by at most {self.unit / 2:g}")
        return f"rewards are {' and '.join(parts)}" if parts else ""


def _multiple(reward: float, unit: float) -> bool:
    return abs(reward / unit - round(reward / unit)) <= NEAR


def _unit(rewards: Collection[float], spread: float) -> float:
    fit = [unit for unit in LADDER if spread / unit <= MAX_STEPS + NEAR]
    finer = [unit for unit in reversed(fit) if unit <= 1]
    coarser = [unit for unit in fit if 1 < unit <= spread]
    for unit in (*finer, *coarser):
        if all(_multiple(reward, unit) for reward in rewards):
            return unit
    return fit[0]

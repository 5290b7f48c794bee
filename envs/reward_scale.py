"""Which rewards an environment pays, as a set of values that each have a code; and what is said where one is not in it.

A reward that was declared is trusted, a reward that was seen in random play is a guess about the rest. So nothing is
lost silently: a reward that is none of the values stops the run in one line, unless clipping was asked for.

- Few known rewards (MAX_VALUES or fewer) are the values.
- More, or a declared range, are a grid: the multiples of a unit. The unit is 1 if the known rewards are whole and the
  range is small enough. Otherwise it is the first of 0.5, 0.2, 0.1, 0.05, ... of which all of them are multiples, or
  else the first of 2, 5, 10, .... If there is none, it is the smallest unit with at most MAX_VALUES values, and rewards
  are rounded.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from aixi_approx.environment import MAX_REWARD, Environment

MAX_VALUES = 256  # of a grid whose unit is chosen here, and of a set: 8 bits
MOST_VALUES = 1 << 16  # of a grid whose unit is asked for: the values are kept in a table
LADDER = sorted(m * 10.0**k for k in range(-6, 10) for m in (1, 2, 5))
NEAR = 1e-6  # of a unit; a reward this close to a multiple counts as one
SAME = 2e-7  # of a reward; those that differ by less, and are not whole, are the same: float32 has 24 bits


class Declared(NamedTuple):
    """Rewards that a user has declared: single values, and ranges of which each has a grid."""

    values: tuple[float, ...]
    ranges: tuple[tuple[float, float], ...]

    @classmethod
    def read(cls, text: str) -> Declared:
        """Return what is written as `-10..20`, `-1,0,100` or `-1..0,100`.

        Raises
        ------
        ValueError
            If it is nothing of the kind.
        """
        values, ranges = [], []
        try:
            for part in text.strip("()[] ").split(","):
                low, dots, high = part.partition("..")
                if not dots:
                    values.append(float(part))
                elif float(low) < float(high):
                    ranges.append((float(low), float(high)))
                else:
                    raise ValueError
            if not all(map(math.isfinite, (*values, *sum(ranges, ())))) or (not ranges and len(set(values)) < 2):
                raise ValueError
        except ValueError:
            raise ValueError(
                f"rewards={text}: write the range as rewards=-10..20, all values as rewards=-1,0,100, or both as "
                "rewards=-1..0,100"
            ) from None
        return cls(tuple(sorted(set(values))), tuple(sorted(ranges)))


class RewardScale:
    """The rewards that have a code, in ascending order, and the nearest of them to any reward.

    >>> scale = RewardScale([-0.5, 0, 2])
    >>> scale.values, scale.coded(2.0000000001), scale.coded(7.0)
    ((-0.5, 0.0, 2.0), 2.0, 7.0)
    >>> scale.fault(7.0, "?")
    'which random play has not seen: add ?rewards=-0.5,0,2,7 to its name'
    >>> RewardScale([0.3], declared=Declared.read("0..1")).values[:4]
    (0.0, 0.1, 0.2, 0.3)

    Attributes
    ----------
    values : tuple of float
        The rewards that have a code, ascending.
    unit : float or None
        The distance of the values of a grid; None where they are a set.
    rounds : bool
        Whether rewards between the values of a grid are rounded to them.
    clipped : int
        Number of rewards beyond the values so far, where clipping was asked for.

    Parameters
    ----------
    rewards : collection of float
        The known rewards, at least one.
    declared : Declared, optional
        What the user has declared. By default, the known rewards are all there are.
    unit : float, optional
        The distance of the values, of which there is a grid then. By default, chosen for the known rewards.
    certain : bool, default: False
        Whether the known rewards are all there are, and not only what random play has seen.
    clip : bool, default: False
        Whether a reward that is none of the values becomes the nearest one.

    Raises
    ------
    ValueError
        If a reward is infinite, NaN, or beyond 2^31; if a known one was not declared; or if the unit is too small.
    """

    def __init__(
        self,
        rewards: Collection[float],
        declared: Declared | None = None,
        *,
        unit: float | None = None,
        certain: bool = False,
        clip: bool = False,
    ) -> None:
        single, ranges = declared or ((), ())
        if not all(abs(reward) <= MAX_REWARD for reward in (*rewards, *single, *sum(ranges, ()))):
            raise ValueError(f"rewards from {min(rewards)} to {max(rewards)} are too large, or not numbers")
        known = _distinct(rewards)
        self.declared, self.certain, self.clip, self.clipped = declared, certain or declared is not None, clip, 0
        if declared is None and unit is None and len(known) <= MAX_VALUES:
            self.unit, self.rounds, self.values = None, False, known
            return
        if declared is None:
            single, ranges = (), ((known[0], known[-1]),)
        if not ranges and unit is None:
            self.unit, self.rounds, self.values = None, False, single
        else:
            ranges = ranges or ((single[0], single[-1]),)
            within = {r for r in known if any(low <= r <= high for low, high in ranges)} | set(sum(ranges, ()))
            self.unit = unit or _unit(within, ranges, most=max(MAX_VALUES - len(single), 2 * len(ranges)))
            if sum(map(len, _steps(ranges, self.unit))) > MOST_VALUES:
                raise ValueError(f"unit is {self.unit:g}: that makes more than {MOST_VALUES:,} values of reward")
            self.rounds = unit is not None or not all(_multiple(reward, self.unit) for reward in within)
            self.values = _distinct([*single, *(k * self.unit for steps in _steps(ranges, self.unit) for k in steps)])
        if not clip and (missed := [reward for reward in known if not self._near(reward)]):
            raise ValueError(f"random play got {missed[0]:g}, {self.fault(missed[0], '?')}")

    def coded(self, reward: float) -> float:
        """Return the value that a reward has here; or the reward itself if it has none and clipping is not asked for.

        Raises
        ------
        ValueError
            If the reward is NaN.
        """
        if reward != reward:  # NaN
            raise ValueError("the reward is not a number (NaN)")
        if self._near(reward):
            return self._nearest(reward)
        if not self.clip:
            return reward
        self.clipped += 1
        return self._nearest(reward)

    def fault(self, reward: float, joint: str) -> str:
        """Return what is wrong with a reward, and which option mends it, after `joint`: ? or &; nothing if it is coded.

        The reward stands in front of it.
        """
        if reward in self.values:
            return ""
        inside = self.values[0] < reward < self.values[-1]
        if inside and self.declared and any(low < reward < high for low, high in self.declared.ranges):
            return (
                f"which lies between multiples of {self.unit:g}: round it by {joint}unit={self.unit:g}, or a finer one"
            )
        if self.declared:
            what = f"which rewards={self._option(())} does not declare"
            return f"{what}: write rewards={self._option([reward])}, or &clip=True"
        what = "which its table does not have" if self.certain else "which random play has not seen"
        return f"{what}: add {joint}rewards={self._option([reward])} to its name"

    def guess(self, joint: str) -> str:
        """Return what of the values is a guess, what comes of it, and the option that mends it; or nothing."""
        if self.certain:
            return ""
        low, high = self.values[0], self.values[-1]
        if low == high:
            seen = f"all rewards are {low:g}"
        elif self.unit is None and len(self.values) <= 8:
            seen = f"the rewards are {', '.join(f'{value:g}' for value in self.values)}"
        elif self.unit is None:
            seen = f"the rewards are {len(self.values)} values from {low:g} to {high:g}"
        else:
            seen = f"the rewards lie in {low:g} to {high:g}"
        other = "is clipped, as asked for" if self.clip else f"will stop the run: declare it by {joint}rewards="
        return f"{seen} as far as random play has seen, and another one {other}"

    def __str__(self) -> str:
        """Return a short description of what is lost within the range, or an empty string."""
        return f"rewards are rounded to multiples of {self.unit:g}" if self.rounds else ""

    def _nearest(self, reward: float) -> float:
        i = bisect_left(self.values, reward)
        return min(self.values[max(i - 1, 0) : i + 1], key=lambda value: abs(value - reward))

    def _near(self, reward: float) -> bool:
        """Whether a reward has a code."""
        value = self._nearest(reward)
        slack = (NEAR + 0.5 * self.rounds) * (self.unit or 0.0)
        return abs(value - reward) <= slack or _same(value, reward)

    def _option(self, more: Collection[float]) -> str:
        """The values as the option declares them, and some more."""
        if self.declared:
            single, ranges = self.declared
            parts = [*(f"{low:.12g}..{high:.12g}" for low, high in ranges), *map(_written, _distinct([*single, *more]))]
            return ",".join(parts)
        if self.unit is None and len(self.values) <= 16:  # as many as one would type
            return ",".join(map(_written, _distinct([*self.values, *more])))
        return f"{_written(min(self.values[0], *more))}..{_written(max(self.values[-1], *more))}"


def declare(environment: Environment, values: Sequence[float]) -> None:
    """Say in an environment which rewards there are, ascending: whole numbers without a gap by their ends."""
    ends = values[0], values[-1]
    if list(values) == list(range(int(ends[0]), int(ends[1]) + 1)):
        environment.min_reward, environment.max_reward = int(ends[0]), int(ends[1])
    else:
        environment.rewards = tuple(values)


def _written(reward: float) -> str:
    return f"{reward:.12g}"


def _plain(reward: float) -> float:
    """A reward as one would write it, 0.1 where float32 has 0.10000000149, if that is as good as the same."""
    short = float(f"{reward:.6g}")
    return short if _same(short, reward) else float(reward)


def _same(one: float, other: float) -> bool:
    """Whether two rewards differ by rounding at most."""
    return one == other or (abs(one - other) <= SAME * abs(one) and not (one % 1 == other % 1 == 0))


def _distinct(rewards: Iterable[float]) -> tuple[float, ...]:
    """Rewards in ascending order, those that differ by rounding only once."""
    found: list[float] = []
    for reward in sorted(set(map(_plain, rewards))):
        if not found or not _same(reward, found[-1]):
            found.append(reward)
    return tuple(found)


def _multiple(reward: float, unit: float) -> bool:
    return abs(reward / unit - round(reward / unit)) <= NEAR


def _steps(ranges: Iterable[tuple[float, float]], unit: float) -> list[range]:
    """The multiples of a unit in each of some ranges, those next to its ends included."""
    return [range(round(low / unit), round(high / unit) + 1) for low, high in ranges]


def _unit(rewards: Collection[float], ranges: Collection[tuple[float, float]], *, most: int) -> float:
    """The unit that makes at most so many values, and rewards exact if there is one."""
    fit = [unit for unit in LADDER if sum(map(len, _steps(ranges, unit))) <= most]
    finer = [unit for unit in reversed(fit) if unit <= 1]
    coarser = [unit for unit in fit if 1 < unit <= max(high - low for low, high in ranges)]
    for unit in (*finer, *coarser):
        if all(_multiple(reward, unit) for reward in rewards):
            return unit
    return fit[0]

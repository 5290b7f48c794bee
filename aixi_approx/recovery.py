"""Recovery: what an agent reaches in each of several environments that come one after the other, and how soon.

Counted are the cycles in which it did not act at random. The score is 0 for the random agent of the environment of that
time, and 1 for the best one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx.environment import Environment
from aixi_approx.envs.change import Change, Part
from aixi_approx.interaction import Row, finite, normalised
from aixi_approx.solver import best_reward

WINDOW = 500  # cycles that a score is the mean of, or a quarter of the time if that is less
TOLERANCE = 0.1  # below the score before the change: then the agent has recovered


class Phase(NamedTuple):
    """The time of one environment; None where something is not known, or never was so."""

    environment: str
    begins: int  # cycle
    ends: int  # the cycle after the last
    random_reward: float | None
    optimum: float | None
    reward_first: float | None  # per cycle, in the first window
    reward_last: float | None  # in the last window
    score_before: float | None  # in the last window of the environment before
    score_first: float | None
    score_last: float | None
    recovered: int | None  # cycles until the score over a window is that of before the change, but for TOLERANCE


def reach(environment: Environment) -> tuple[float | None, float | None]:
    """Return the reward per cycle of the random agent and of the best one, None where not known."""
    inner = environment.inner if isinstance(environment, Part) else environment
    return environment.random_reward, best_reward(inner)


def phases(rows: Sequence[Row], change: Change) -> list[Phase]:
    """Return what came of each environment in the cycles of an agent's life.

    Parameters
    ----------
    rows
        The cycles from the first on.
    change
        The environments, as they were reset before the first cycle. Those that were not come to are left out.
    """
    found: list[Phase] = []
    ends = [*change.begins[1:], len(rows)]
    for part, begins, end in zip(change.parts, change.begins, ends, strict=True):
        lived = rows[begins:end]
        if not lived:
            break
        random, optimum = reach(part)
        window = max(1, min(WINDOW, len(lived) // 4))
        rewards = running(lived, window)
        scores = np.array([normalised(reward, random, optimum) for reward in rewards.tolist()])
        before = found[-1].score_last if found else None
        enough = [] if before is None else np.flatnonzero(scores >= before - TOLERANCE).tolist()
        found.append(
            Phase(
                environment=part.name,
                begins=begins,
                ends=begins + len(lived),
                random_reward=random,
                optimum=optimum,
                reward_first=finite(rewards[0]),
                reward_last=finite(rewards[-1]),
                score_before=before,
                score_first=finite(scores[0]),
                score_last=finite(scores[-1]),
                recovered=enough[0] + window if enough else None,
            )
        )
    return found


def running(rows: Sequence[Row], window: int) -> NDArray[np.float64]:
    """Return the mean reward of each `window` consecutive cycles, those with a random action left out.

    Returns
    -------
    float64[cycles - window + 1]
        NaN where all actions were random.
    """
    chosen = np.array([not row.explored for row in rows])
    reward = np.where(chosen, [row.reward for row in rows], 0)
    total, count = (np.cumsum([0, *values]) for values in (reward, chosen))
    with np.errstate(invalid="ignore"):
        return np.asarray((total[window:] - total[:-window]) / (count[window:] - count[:-window]))

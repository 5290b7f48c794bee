"""Recovery: what an agent reaches in each of several environments that come one after the other, and how soon.

Counted are the cycles in which it did not act at random. The score is 0 for the random agent of the environment of that
time, and 1 for the best one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx.envs.switching import Switching
from aixi_approx.estimate import finite, normalised
from aixi_approx.interaction import Row
from aixi_approx.pomdp.solver import reward_range

WINDOW = 500  # cycles that a score is the mean of, or a quarter of the time if that is less
TOLERANCE = 0.1  # below the score before the change: then the agent has recovered


class Phase(NamedTuple):
    """The time of one environment; None where something is not known, or never was so."""

    environment: str
    onset: int  # cycle
    end: int  # the cycle after the last
    random_reward: float | None
    optimum: float | None
    reward_first: float | None  # per cycle, in the first window
    reward_last: float | None  # in the last window
    score_before: float | None  # in the last window of the environment before
    score_first: float | None
    score_last: float | None
    recovered: int | None  # cycles until the score over a window is that of before the change, but for TOLERANCE


def phases(rows: Sequence[Row], switching: Switching) -> list[Phase]:
    """Return what came of each environment in the cycles of an agent's life.

    Parameters
    ----------
    rows
        The cycles from the first on.
    switching
        The environments, as they were reset before the first cycle. Those that were not come to are left out.
    """
    found: list[Phase] = []
    ends = [*switching.onsets[1:], len(rows)]
    for stage, onset, end in zip(switching.stages, switching.onsets, ends, strict=True):
        lived = rows[onset:end]
        if not lived:
            break
        random, optimum = reward_range(stage)
        window = max(1, min(WINDOW, len(lived) // 4))
        rewards = running(lived, window)
        scores = np.array([normalised(reward, random, optimum=optimum) for reward in rewards.tolist()])
        before = found[-1].score_last if found else None
        enough = [] if before is None else np.flatnonzero(scores >= before - TOLERANCE).tolist()
        found.append(
            Phase(
                environment=stage.name,
                onset=onset,
                end=onset + len(lived),
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

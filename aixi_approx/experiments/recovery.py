"""Recovery: what an agent reaches in each environment of a sequence, and how soon.

Only cycles without a random action count. The score is 0 for the random agent of the present environment, and 1 for the
best one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx.envs.switching import Switching
from aixi_approx.interaction import Row
from aixi_approx.laws.estimate import finite, normalised
from aixi_approx.pomdp.solver import reward_range

WINDOW = 500  # cycles over which a score is averaged; a quarter of the phase if that is less
TOLERANCE = 0.1  # an agent has recovered when its score is within this of that before the change


class Phase(NamedTuple):
    """The time spent in one environment; None for anything unknown, or that never happened."""

    environment: str
    onset: int  # cycle
    end: int  # the cycle after the last
    random_reward: float | None
    optimum: float | None
    reward_first: float | None  # per cycle, in the first window
    reward_last: float | None  # in the last window
    score_before: float | None  # in the last window of the previous environment
    score_first: float | None
    score_last: float | None
    recovered: int | None  # cycles until the score over a window is back to that before the change, up to TOLERANCE


def phases(rows: Sequence[Row], switching: Switching) -> list[Phase]:
    """Return the results of an agent in each environment of a sequence.

    Parameters
    ----------
    rows : sequence of Row
        All cycles from the first one on.
    switching : Switching
        The environments, as they were reset before the first cycle. Those that were not reached are left out.
    """
    found: list[Phase] = []
    ends = [*switching.onsets[1:], len(rows)]
    for stage, onset, end in zip(switching.stages, switching.onsets, ends, strict=True):
        spent = rows[onset:end]
        if not spent:
            break
        random, optimum = reward_range(stage)
        window = max(1, min(WINDOW, len(spent) // 4))
        rewards = running(spent, window)
        scores = np.array([normalised(reward, random, optimum=optimum) for reward in rewards.tolist()])
        before = found[-1].score_last if found else None
        enough = [] if before is None else np.flatnonzero(scores >= before - TOLERANCE).tolist()
        found.append(
            Phase(
                environment=stage.name,
                onset=onset,
                end=onset + len(spent),
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
    """Return the mean reward over each `window` consecutive cycles, without those with a random action.

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

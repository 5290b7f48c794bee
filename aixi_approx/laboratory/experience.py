"""Experience: the cycles that an agent has lived through, gathered once and learned from by any predictor.

What an agent does while it learns depends on its search; what a predictor knows afterwards depends on nothing but the
cycles. So one life serves predictors of every depth, and every search on top of them.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from aixi_approx.builder import build_agent
from aixi_approx.environment import Settings
from aixi_approx.envs import make
from aixi_approx.interaction import Row, interact
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.predictors.true_model import TrueModel

Cycle = tuple[int, int, int]  # action, observation, reward


class TrainingRun(NamedTuple):
    """Whose experience it is: MC-AIXI with these settings, in an environment."""

    environment: str
    settings: Settings
    seed: int


class Segment(NamedTuple):
    """Some cycles of a life, one after the other, and what they took."""

    cycles: list[Cycle]
    entropy: float | None
    """Log loss of the true environment at these percepts, bits in all; None where it is not known."""
    simulations: int
    seconds: float


def collect(subject: TrainingRun, past: Sequence[Cycle], until: int) -> Segment:
    """Let an agent live on, and return what is new.

    Parameters
    ----------
    subject
        Who, where, and with which seed.
    past
        Cycles that it has lived through from the first on. They are replayed without a search.
    until
        Number of cycles in all.
    """
    environment = make(subject.environment)
    environment.checked_reset(subject.seed)
    agent = build_agent(environment, settings=subject.settings, seed=subject.seed)
    rows = interact(agent, environment, until, past=[Row(t, *cycle, 0, 0.0, 0) for t, cycle in enumerate(past)])
    deque(islice(rows, len(past)), maxlen=0)
    began = time.perf_counter()
    new = list(rows)
    seconds = time.perf_counter() - began
    cycles = [(row.action, row.observation, row.reward) for row in new]
    entropy = None
    if isinstance(environment, POMDP):
        entropy = _entropy(environment, past, cycles)
    return Segment(cycles, entropy, sum(row.simulations for row in new), seconds)


def _entropy(pomdp: POMDP, past: Sequence[Cycle], cycles: Sequence[Cycle]) -> float:
    model = TrueModel(pomdp)
    for cycle in past:
        model.extend(pomdp.coding.cycle(*cycle))
    return sum(model.learn(pomdp.coding.cycle(*cycle)) for cycle in cycles)

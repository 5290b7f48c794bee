"""Estimates of how long the parts of a study take, in seconds of one worker."""

from __future__ import annotations

import math
import time
from collections import deque

from aixi_approx.builder import build_agent
from aixi_approx.envs import make
from aixi_approx.interaction import interact
from aixi_approx.laboratory.condition import Group, TrainingRun

CYCLE_SECONDS = 1e-3  # of a cycle, beside its search; about
ANALYSIS_SECONDS = 2e-2  # of the analysis of a decision; about
PILOT_CYCLES, PILOT_SIMULATIONS = 200, 300


class Cost:
    """Estimates, from the speed of a search that is tried out once in each environment."""

    def __init__(self) -> None:
        self._paces: dict[str, float] = {}

    def segment(self, run: TrainingRun, lived: int, until: int) -> float:
        """Return about how long a training run takes from one cycle to another."""
        settings = run.settings
        random = settings.epsilon * (until - lived)
        if settings.decay < 1:
            random = settings.epsilon * (settings.decay**lived - settings.decay**until) / (1 - settings.decay)
        greedy = until - lived - random
        return CYCLE_SECONDS / 4 * (until - lived) + greedy * settings.simulations * self._pace(run)

    def group(self, group: Group) -> float:
        """Return about how long the conditions of a checkpoint take."""
        own = group.checkpoint.run.settings.horizon
        learning = CYCLE_SECONDS / 100 * group.checkpoint.experience
        analyses = len(group.settings) * group.sampled_decisions * ANALYSIS_SECONDS
        cycles = sum(setting.cycles for setting in group.settings) * CYCLE_SECONDS
        searches = sum(
            setting.cycles * (setting.planner.simulations or 0) * (setting.planner.horizon or own) / own
            for setting in group.settings
        )
        return learning + analyses + cycles + searches * self._pace(group.checkpoint.run)

    def _pace(self, run: TrainingRun) -> float:
        """Seconds of a simulation in an environment."""
        name = run.environment
        if name not in self._paces:
            self._paces[name] = pilot(run)
        return self._paces[name]


def pilot(run: TrainingRun) -> float:
    """Try out how many seconds a simulation takes early in a training run."""
    environment, settings = make(run.environment), run.settings
    environment.checked_reset(run.seed)
    agent = build_agent(environment, settings=settings._replace(epsilon=1.0, decay=1.0), seed=run.seed)
    deque(interact(agent, environment, cycles=PILOT_CYCLES), maxlen=0)
    seconds = math.inf
    for _ in range(3):  # the first compiles
        agent.planner.forget()
        began = time.perf_counter()
        agent.act(explore=False, simulations=PILOT_SIMULATIONS)
        seconds = min(seconds, time.perf_counter() - began)
    return seconds / PILOT_SIMULATIONS

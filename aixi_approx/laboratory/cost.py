"""Estimates of how long the parts of a study take, in seconds of one worker."""

from __future__ import annotations

import math
import time
from collections import deque

from aixi_approx.builder import CTW, TRUE, build_agent, options_taken
from aixi_approx.envs import make
from aixi_approx.interaction import interact
from aixi_approx.laboratory.condition import Group, TrainingRun
from aixi_approx.laboratory.measurement import NO_MODEL, SHUFFLED
from aixi_approx.planner_spec import PlannerSpec
from aixi_approx.planners import planner_class

CYCLE_SECONDS = 1e-3  # of a cycle, beside its search; about
LESSON_SECONDS = 2e-5  # of a cycle that a policy takes in; about
ANALYSIS_SECONDS = 2e-2  # of the analysis of a decision; about
PILOT_CYCLES, PILOT_SIMULATIONS, FEW_SIMULATIONS = 200, 300, 20
BUILT_IN = (CTW, TRUE, SHUFFLED, NO_MODEL)


class Cost:
    """Estimates in seconds, from the speed of a search that is tried out once in each environment."""

    def __init__(self) -> None:
        self._paces: dict[tuple[str, str], float] = {}

    def segment(self, run: TrainingRun, start: int, *, until: int) -> float:
        """Return about how many seconds a training run takes from cycle `start` to cycle `until`."""
        settings, planner = run.settings, PlannerSpec.parse(run.learner)
        random = settings.epsilon * (until - start)
        if settings.decay < 1:
            random = settings.epsilon * (settings.decay**start - settings.decay**until) / (1 - settings.decay)
        greedy = until - start - random
        decision = planner.seconds or 0.0
        if "simulations" in options_taken(planner):
            decision = (planner.simulations or settings.simulations) * self._pace(run)
        return CYCLE_SECONDS / 4 * (until - start) + greedy * decision

    def group(self, group: Group) -> float:
        """Return about how many seconds the conditions of a checkpoint take."""
        own = group.checkpoint.run.settings.horizon
        run, model = group.checkpoint.run, group.checkpoint.model
        learning = CYCLE_SECONDS / 100 * group.checkpoint.experience
        analyses = len(group.settings) * group.sampled_decisions * ANALYSIS_SECONDS
        cycles = sum(setting.cycles * (CYCLE_SECONDS + (setting.planner.seconds or 0)) for setting in group.settings)
        searches = sum(
            setting.cycles * (setting.planner.simulations or 0) * (setting.planner.horizon or own) / own
            for setting in group.settings
        )
        taught = [setting.planner for setting in group.settings if _has_policy(setting.planner)]
        learning += LESSON_SECONDS * group.checkpoint.experience * len(taught)
        alone = sum("simulations" not in options_taken(planner) for planner in taught)
        learner = PlannerSpec.parse(run.learner)
        searches += alone * group.sampled_decisions * (learner.simulations or run.settings.simulations)
        slowness = 1.0
        if model not in BUILT_IN:  # one of the user's own, which may be Python
            slowness = max(1.0, self._pace(run, model) / self._pace(run))
        searching = searches * self._pace(run) if searches else 0.0
        return cycles + slowness * (learning + analyses + searching)

    def _pace(self, run: TrainingRun, model: str = CTW) -> float:
        """Seconds of a simulation in an environment, with a model."""
        key = run.environment, model
        if key not in self._paces:
            self._paces[key] = pilot(run) if model == CTW else pilot(run, model)
        return self._paces[key]


def _has_policy(planner: PlannerSpec) -> bool:
    return planner.policy is not None or planner_class(planner.name).needs_policy


def pilot(run: TrainingRun, model: str = CTW) -> float:
    """Measure how many seconds a simulation takes early in a training run.

    Parameters
    ----------
    run : TrainingRun
        Its environment, settings and seed are used.
    model : str, default: "ctw"
        What predicts.

    Returns
    -------
    float
        Of the fastest of three searches.
    """
    environment, settings = make(run.environment), run.settings
    environment.checked_reset(run.seed)
    agent = build_agent(environment, model, settings=settings._replace(epsilon=1.0, decay=1.0), seed=run.seed)
    deque(interact(agent, environment, cycles=PILOT_CYCLES), maxlen=0)
    simulations = PILOT_SIMULATIONS if model == CTW else FEW_SIMULATIONS
    seconds = math.inf
    for _ in range(3):  # the first compiles
        agent.planner.forget()
        began = time.perf_counter()
        agent.act(explore=False, simulations=simulations)
        seconds = min(seconds, time.perf_counter() - began)
    return seconds / simulations

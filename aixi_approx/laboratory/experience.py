"""Experience: the cycles of a training run, collected once and learned from by any predictor.

What an agent does while it learns depends on its search; what a predictor knows afterwards depends only on the cycles.
So one training run serves predictors of every kind and depth, and every search that uses them. What a policy knows
depends on which cycles were lessons to that of the learner, too. Of a learner without a policy none was, although what
its searches found could be learned: which of its actions were random is not kept.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from copy import deepcopy
from itertools import islice
from typing import NamedTuple

from aixi_approx.builder import build_agent
from aixi_approx.environment import Environment
from aixi_approx.envs import make
from aixi_approx.interaction import Row, interact, step_again
from aixi_approx.laboratory.condition import Cycle, TrainingRun
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.predictor import Predictor
from aixi_approx.predictors.true_model import TrueModel


class Segment(NamedTuple):
    """Consecutive cycles of a training run, and what they cost."""

    cycles: list[Cycle]
    """In order."""
    entropy: float | None
    """Log loss of the true environment at these percepts, in bits, summed; None if the environment is no POMDP."""
    simulations: int
    """Of all searches."""
    bits: int | None
    """That the predictor predicted or learned, of all searches and all that was learned; None if not counted."""
    visits: int | None
    """Nodes of the predictor visited for these; None if not counted."""
    seconds: float
    """Of all cycles."""


def collect(run: TrainingRun, past: Sequence[Cycle], *, until: int) -> Segment:
    """Continue a training run.

    Parameters
    ----------
    run : TrainingRun
        Which one.
    past : sequence of Cycle
        Its cycles so far, from the first on. They are replayed without a search.
    until : int
        Number of cycles in all.

    Returns
    -------
    Segment
        The cycles that are new.

    Raises
    ------
    EnvironmentFault
        If the environment fails, or does not repeat the percepts of the past.
    """
    environment = make(run.environment)
    environment.checked_reset(run.seed)
    agent = build_agent(environment, planner=run.learner, settings=run.settings, seed=run.seed)
    recorded = [Row(t, *cycle[:3], 0, 0.0, 0, cycle.lesson) for t, cycle in enumerate(past)]
    rows = interact(agent, environment, cycles=until, past=recorded)
    deque(islice(rows, len(past)), maxlen=0)
    before, began = work_of(agent.predictor), time.perf_counter()
    new = list(rows)
    seconds, after = time.perf_counter() - began, work_of(agent.predictor)
    cycles = [Cycle(row.action, row.observation, row.reward, row.lesson) for row in new]
    entropy = _entropy(environment, past, cycles) if isinstance(environment, POMDP) else None
    bits, visits = (None if None in pair else pair[1] - pair[0] for pair in zip(before, after, strict=True))  # type: ignore[operator]
    return Segment(cycles, entropy, sum(row.simulations for row in new), bits, visits, seconds)


def work_of(learner: object) -> tuple[int | None, int | None]:
    """Return the bits that a predictor predicted or learned so far, and the nodes visited; None where not counted.

    Parameters
    ----------
    learner : Learner
        A predictor, or what learns without a model, of which nothing is known.
    """
    statistics = learner.statistics() if isinstance(learner, Predictor) else None
    return (statistics.bits, statistics.visits) if statistics else (None, None)


def left_by(run: TrainingRun, cycles: Sequence[Cycle]) -> Callable[[], Environment]:
    """Return what makes environments in the state in which some cycles of a training run left theirs.

    Parameters
    ----------
    run : TrainingRun
        Which one.
    cycles : sequence of Cycle
        From the first on.

    Returns
    -------
    callable
        Without arguments. Each environment that it returns is another one; all go on with the same randomness.

    Raises
    ------
    EnvironmentFault
        There and then, or when an environment is made: if it does not answer as it did.
    """

    def replay() -> Environment:
        environment = make(run.environment)
        environment.checked_reset(run.seed)
        for number, cycle in enumerate(cycles):
            step_again(environment, cycle.action, cycle=number, recorded=cycle.percept)
        return environment

    first = replay()
    return (lambda: deepcopy(first)) if isinstance(first, POMDP) else replay  # others may not bear to be copied


def _entropy(pomdp: POMDP, past: Sequence[Cycle], cycles: Sequence[Cycle]) -> float:
    model = TrueModel(pomdp)
    for cycle in past:
        model.extend(pomdp.coding.cycle(cycle.action, *cycle.percept))
    return sum(model.learn(pomdp.coding.cycle(cycle.action, *cycle.percept)) for cycle in cycles)

"""A recorded run as data for a page: what happened, what the agent thought, how its trees grew.

A run has more cycles than anybody looks at. Kept is the curve of all; every cycle of stretches, which lie closer
together where the agent is young and changes fast; and in these some decisions with all that can be said about them.
What is left out is said.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from aixi_approx._version import __version__
from aixi_approx.environment import Environment, EnvironmentFault
from aixi_approx.experiments.experiment import Experiment
from aixi_approx.interaction import Row
from aixi_approx.introspection.context_trees import HasTrees, describe_trees
from aixi_approx.introspection.vocabulary import Vocabulary
from aixi_approx.laws.estimate import average, finite, normalised
from aixi_approx.pomdp.solver import reward_range
from aixi_approx.viewer.recorded_run import EVALUATED, LEARNING, RecordedRun
from aixi_approx.viewer.replay import Replayed, replay

FORMAT = 1  # of the data
STEPS = 20_000  # cycles of a run that are all kept
MOMENTS = 120  # decisions that are explained
WINDOW = 8  # of these in a row
STRETCH = 200  # cycles that are kept in a row of a longer run
STAGES = 10  # of the context trees
POINTS = 400  # of the curve
AHEAD = 3  # cycles that an explanation plans
QUERIES = 10_000  # of a model, to split the regret of a decision: some milliseconds
NAMED = 4_096  # observations; if there are more, their names are left out


def mind(
    run: RecordedRun,
    *,
    moments: int = MOMENTS,
    watch: Callable[[int], object] | None = None,
    threads: int = 1,
) -> dict[str, Any]:
    """Return a recorded run as data for a page, with values that JSON has.

    Parameters
    ----------
    run : RecordedRun
        The run.
    moments : int, default: 120
        Decisions that are explained, at most.
    watch : callable, optional
        Is told how many cycles have been done again.
    threads : int, default: 1
        Number of threads for independent searches.

    Returns
    -------
    dict
        Environment, agent, parts, curve, score, and of the cycles that are kept: steps, pictures, moments, trees.

    Raises
    ------
    ValueError
        If the run can't be repeated; see `replay`.
    """
    learned, evaluated = len(run.learning), len(run.evaluation)
    wanted = _moments(learned, evaluated, moments)
    kept = _stretches(learned, evaluated, wanted)
    stages = set(spaced(learned, STAGES)) if learned else set()
    scenes = _Scenes(kept, stages)
    for count, done in enumerate(replay(run, wanted, steps=AHEAD, queries=QUERIES, threads=threads), 1):
        scenes.add(done)
        if watch:
            watch(count)
    assert scenes.last is not None, "a recorded run has a cycle"
    environment = scenes.last.environment
    return {
        "format": FORMAT,
        "version": __version__,
        "environment": described(environment, run.experiment.environment),
        "agent": agent_in_words(run.experiment),
        "parts": [
            {"name": name, "first": first, "cycles": len(rows)}
            for name, first, rows in ((LEARNING, 0, run.learning), (EVALUATED, learned, run.evaluation))
            if rows
        ],
        "curve": curve(run.learning, run.evaluation),
        "score": score(run.evaluation, environment),
        **scenes.as_json(),
        "thinned": _left_out(run.cycles, len(kept), len(wanted)),
    }


class _Scenes:
    """What is kept of the cycles, as columns."""

    def __init__(self, kept: set[int], stages: set[int]) -> None:
        self.kept, self.stages = kept, stages
        self.last: Replayed | None = None
        self.steps: dict[str, list[Any]] = {name: [] for name in STEP}
        self.pictures: dict[str, int] = {}
        self.moments: dict[str, Any] = {}
        self.trees: list[dict[str, Any]] = []
        self._total, self._count = 0.0, 0
        self._draws = True  # until that fails

    def add(self, done: Replayed) -> None:
        """Take in a cycle."""
        if self.last is None or self.last.part != done.part:
            self._total, self._count = 0.0, 0
        self.last, row = done, done.row
        self._total, self._count = self._total + row.reward, self._count + 1
        if done.explanation is not None:
            self.moments[str(row.cycle)] = done.explanation.as_json()
        if row.cycle in self.kept:
            picture = self._picture(done.environment)
            for name, value in zip(STEP, (*step(row), self._total / self._count, picture), strict=True):
                self.steps[name].append(value)
        if done.part == LEARNING and row.cycle + 1 in self.stages and isinstance(done.agent.predictor, HasTrees):
            self.trees.append(describe_trees(done.agent.predictor, done.environment).as_json())

    def _picture(self, environment: Environment) -> int:
        """The number of the picture of an environment, -1 if it draws none."""
        try:
            picture = picture_of(environment) if self._draws else None
        except EnvironmentFault as fault:  # it may be played all the same
            print(f"{fault}: the page has no pictures from here on", file=sys.stderr)
            self._draws, picture = False, None
        return -1 if picture is None else self.pictures.setdefault(picture, len(self.pictures))

    def as_json(self) -> dict[str, Any]:
        """Return all of it."""
        return {
            "steps": self.steps,
            "pictures": list(self.pictures),
            "moments": self.moments,
            "trees": self.trees,
        }


STEP = ("cycle", "action", "observation", "reward", "explored", "loss", "mean", "picture")  # columns


def step(row: Row) -> tuple[int, int, int, float, int, float]:
    """Return what a page shows of every cycle: the first columns of `STEP`."""
    return row.cycle, row.action, row.observation, row.reward, row.explored, row.log_loss


def picture_of(environment: Environment) -> str | None:
    """Return the picture of an environment, or None if it draws none."""
    picture = environment.checked_render()
    return None if picture == Environment.render(environment) else picture


def described(environment: Environment, name: str) -> dict[str, Any]:
    """Return what a page says of an environment."""
    words, coding = Vocabulary(environment.actions, environment.observations), environment.coding
    random, optimum = reward_range(environment)
    seen = len(environment.observations)
    return {
        "name": name,
        "rules": environment.rules,
        "actions": [words.action(i) for i in range(len(environment.actions))],
        "observations": [words.observation(i) for i in range(seen if seen <= NAMED else 0)],
        "rewards": coding.rewards_in_words(),
        "random_reward": random,
        "optimum": optimum,
        "hidden": environment.hidden,
    }


def agent_in_words(experiment: Experiment) -> list[list[str]]:
    """Return what a page says of an agent: pairs of a label and a text."""
    settings, spec = experiment.settings, experiment.planner
    horizon, simulations = spec.horizon or settings.horizon, spec.simulations or settings.simulations
    told = {
        "model": experiment.model,
        "planner": spec.title,
        "policy": spec.policy or "",
        "context": f"{spec.depth or settings.depth} bits" if experiment.model != "true" else "",
        "looks ahead": f"{horizon} cycles",
        "simulations": f"{simulations:,} while learning, {experiment.schedule.evaluation_simulations:,} evaluated",
        "exploration": f"{settings.epsilon:g} x {settings.decay:g}^cycle",
        "seed": str(experiment.seed),
    }
    return [[label, text] for label, text in told.items() if text]


def curve(learning: Sequence[Row], evaluation: Sequence[Row]) -> dict[str, list[Any]]:
    """Return means over stretches of cycles: of the reward, and of the log loss where the agent learned."""
    share = len(learning) / max(1, len(learning) + len(evaluation))
    points: list[tuple[int, float, float | None]] = []
    for rows, most in ((learning, round(POINTS * share)), (evaluation, POINTS - round(POINTS * share))):
        for part in np.array_split(np.arange(len(rows)), max(1, min(most, len(rows)))):
            here = [rows[i] for i in part.tolist()]
            if here:
                loss = sum(row.log_loss for row in here) / len(here) if rows is learning else None
                points.append((here[0].cycle, sum(row.reward for row in here) / len(here), loss))
    return {name: [point[i] for point in points] for i, name in enumerate(("cycle", "reward", "loss"))}


def score(evaluation: Sequence[Row], environment: Environment) -> dict[str, float | None] | None:
    """Return what the evaluation came to, None if there was none."""
    if not evaluation:
        return None
    reward, (random, optimum) = average([row.reward for row in evaluation]), reward_range(environment)
    return {
        "reward": reward.mean,
        "low": finite(reward.low),
        "high": finite(reward.high),
        "score": finite(normalised(reward.mean, random, optimum=optimum)),
    }


def _moments(learned: int, evaluated: int, most: int) -> set[int]:
    """The cycles whose decisions are explained: rows of them, the closer together the younger the agent."""
    cycles = learned + evaluated
    if cycles <= most:
        return set(range(cycles))
    later = min(evaluated, most // 3 if learned else most)
    earlier = min(learned, most - later)
    begins = spaced(learned, max(1, earlier // WINDOW)) if earlier else []
    windows = (range(max(0, end - WINDOW), end) for end in begins)
    return {cycle for window in windows for cycle in window} | set(range(learned, learned + later))


def _stretches(learned: int, evaluated: int, wanted: Iterable[int]) -> set[int]:
    """The cycles that are kept: all, or stretches around those that are explained."""
    cycles = learned + evaluated
    if cycles <= STEPS:
        return set(range(cycles))
    around = ((max(0, cycle - STRETCH // 2), min(cycles, cycle + STRETCH // 2)) for cycle in wanted)
    return {cycle for begin, end in around for cycle in range(begin, end)}


def spaced(cycles: int, count: int) -> list[int]:
    """Up to so many numbers of cycles, from a few to all, each about the same number of times the one before."""
    return sorted({round(number) for number in np.geomspace(min(cycles, WINDOW), cycles, count)})


def _left_out(cycles: int, kept: int, explained: int) -> str:
    """What is left out, in words."""
    if explained == cycles:
        return ""
    told = f"Of {cycles:,} cycles, {explained:,} decisions are explained"
    return f"{told}, and {kept:,} cycles can be stepped through." if kept < cycles else f"{told}."

"""What an agent has learned from, of a recorded run or a saved agent, so that its context trees can grow once more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from aixi_approx.builder import build_agent, load
from aixi_approx.coding import Bits
from aixi_approx.environment import Environment, Settings
from aixi_approx.envs import make
from aixi_approx.experiments.experiment import Experiment
from aixi_approx.experiments.running import run
from aixi_approx.experiments.watching import Watcher, unwatched
from aixi_approx.interaction import Row
from aixi_approx.introspection.context_trees import RULES, HasTrees, TreeInWords, cycles_learned, describe_trees
from aixi_approx.viewer.recorded_run import agent_at_start, check_recipe, recorded_run

EARLIEST = 0.01  # share of the cycles after which the first of several stages is


class Experience(NamedTuple):
    """A predictor as it was before learning, and what it learned.

    Attributes
    ----------
    environment : Environment
        Where that was.
    predictor : HasTrees
        Is changed by `grow`.
    cycles : uint8[n, cycle_bits]
        As bits.
    before : int
        Cycles that the predictor knew before.
    final : HasTrees or None
        The predictor as it is, where it can't be grown again because it took in cycles that it did not learn.
    """

    environment: Environment
    predictor: Any
    cycles: Bits
    before: int = 0
    final: HasTrees | None = None


def experience_of_run(folder: Path | str, *, trust: bool = False) -> Experience:
    """Return what the agent of a recorded run learned from.

    Parameters
    ----------
    folder : Path or str
        That of `aixi run ... --out`. The run need not have ended.
    trust : bool, default: False
        Whether code may be run that the folder names and that is not part of this package, such as my_env.py:Lake.

    Raises
    ------
    ValueError
        If the folder holds no run, one of another version, one that is broken, has no cycle yet or needs `trust`, or
        if the agent has no context trees.
    """
    recorded = recorded_run(folder, trust=trust)
    agent, environment = agent_at_start(recorded)
    predictor = _with_trees(agent.predictor, folder)
    if not recorded.learning:
        raise ValueError(f"{folder} holds a run without a cycle of learning: let it run first")
    cycles = cycles_of(recorded.learning, environment, where=recorded.folder / "learning.csv")
    return Experience(environment, predictor, cycles, before=len(predictor.history()) // cycles.shape[1])


def experience_of_agent(path: Path | str, *, trust: bool = False) -> Experience:
    """Return what a saved agent learned from: its history.

    Parameters
    ----------
    path : Path or str
        The file of `Agent.save`, or `agent.aixi` in the folder of a run.
    trust : bool, default: False
        Whether code may be run that the file names and that is not part of this package.

    Raises
    ------
    ValueError
        If the file is no agent, is damaged or needs `trust`, or if the agent has no context trees or learned nothing.
    OSError
        If it can't be read.
    """
    recipe = check_recipe(path, trust=trust)
    predictor = _with_trees(load(path, trust=True).predictor, path)
    bits = predictor.history()
    environment = make(recipe.environment)
    new = build_agent(environment, recipe.model, planner=recipe.planner, settings=recipe.settings)
    cycle_bits = environment.coding.cycle_bits
    if len(bits) < cycle_bits:
        raise ValueError(f"{path} holds an agent that has learned nothing: let it run first")
    whole = len(bits) // cycle_bits * cycle_bits
    learned_all = cycles_learned(predictor.best_nodes()) == whole // cycle_bits
    final = None if learned_all else predictor
    return Experience(environment, new.predictor, bits[:whole].reshape(-1, cycle_bits), final=final)


def experience_of_learning(
    environment: Environment, *, settings: Settings, cycles: int, seed: int = 0, watch: Watcher = unwatched
) -> Experience:
    """Let the default agent learn in an environment, and return what it learned from.

    Parameters
    ----------
    environment : Environment
        One that `make` has made.
    settings : Settings
        Of the agent.
    cycles : int
        Of learning.
    seed : int, default: 0
        All that happens is a function of it.
    watch : Watcher, optional
        Receives the rows as they come.
    """
    learned = list[Row]()

    def collect(part: str, rows: Iterable[Row], *, cycles: int, environment: Environment) -> Iterator[Row]:
        for row in watch(part, rows, cycles=cycles, environment=environment):
            learned.append(row)
            yield row

    schedule = environment.schedule._replace(cycles=cycles)
    run(Experiment(environment.title, settings, schedule, evaluate=0, seed=seed), watch=collect)
    predictor = build_agent(environment, settings=settings, seed=seed).predictor
    return Experience(environment, predictor, cycles_of(learned, environment, where=environment.title))


def cycles_of(rows: Iterable[Row], environment: Environment, *, where: Path | str) -> Bits:
    """Return the cycles of rows as bits, uint8[n, cycle_bits]; ValueError, which says where, if one makes no sense."""
    coding, cycles = environment.coding, []
    for number, row in enumerate(rows, start=2):
        try:
            cycles.append(coding.cycle(row.action, row.observation, row.reward))
        except ValueError as error:
            raise ValueError(f"{where}, line {number}: {error}: the file is broken") from error
    return np.array(cycles, np.uint8).reshape(-1, coding.cycle_bits)


def stages(cycles: int, count: int) -> list[int]:
    """Return after how many cycles to look at what grows: at equal ratios, the first after one in a hundred.

    >>> stages(15_000, 5), stages(15_000, 1), stages(3, 5)
    ([150, 474, 1500, 4743, 15000], [15000], [1, 3])
    """
    count = min(count, cycles)
    shares = np.geomspace(EARLIEST, 1.0, count) if count > 1 else [1.0]
    return sorted({max(1, round(cycles * share)) for share in shares})


def grow(experience: Experience, at: Sequence[int], *, rules: int = RULES) -> Iterator[TreeInWords]:
    """Learn again, and pass on the trees in words as they were after some numbers of cycles, ascending.

    Parameters
    ----------
    experience : Experience
        Its predictor is changed.
    at : sequence of int
        The numbers of cycles.
    rules : int, default: 8
        Of each field at most.
    """
    if experience.final is not None:
        yield describe_trees(experience.final, experience.environment, rules=rules)
        return
    done = 0
    for until in at:
        experience.predictor.learn(experience.cycles[done:until].ravel())
        done = until
        yield describe_trees(experience.predictor, experience.environment, rules=rules)


def _with_trees(predictor: Any, where: Path | str) -> HasTrees:
    if not isinstance(predictor, HasTrees):
        raise ValueError(f"{where}: its agent has no context trees that could be read: take one of the model ctw")
    return predictor

"""A run in a folder, opened for reading: its experiment, its rows, and the agent as it was at the beginning."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from aixi_approx.agent import KIND, Agent
from aixi_approx.archive import named, read_archive
from aixi_approx.builder import outside
from aixi_approx.environment import Environment, Settings
from aixi_approx.envs import make
from aixi_approx.experiments.experiment import Experiment, prepared_agent
from aixi_approx.experiments.recording import Recorded, recorded_options
from aixi_approx.interaction import Row
from aixi_approx.planner_spec import PlannerSpec

LEARNING, EVALUATED = "learning", "evaluation"


class Recipe(NamedTuple):
    """How a saved agent was made."""

    environment: str
    model: str
    planner: PlannerSpec
    settings: Settings


class RecordedRun(NamedTuple):
    """A run that was recorded.

    Attributes
    ----------
    folder : Path
        Where it stands.
    experiment : Experiment
        What it is a run of.
    learning, evaluation : list of Row
        Its rows so far. The cycles of the evaluation have the numbers that follow.
    """

    folder: Path
    experiment: Experiment
    learning: list[Row]
    evaluation: list[Row]

    @property
    def cycles(self) -> int:
        """How many there are, those of the evaluation included."""
        return len(self.learning) + len(self.evaluation)


def recorded_run(folder: Path | str, *, trust: bool = False) -> RecordedRun:
    """Return the run that a folder holds, whether it has ended or not.

    Parameters
    ----------
    folder : Path or str
        That of `aixi run ... --out`.
    trust : bool, default: False
        Whether code may be run that the folder names and that is not part of this package, such as my_env.py:Lake.

    Raises
    ------
    ValueError
        If the folder holds no run, one of another version, one that was changed or damaged, has no cycle yet, or needs
        `trust`.
    """
    folder = Path(folder)
    options, recorded = recorded_options(folder), Recorded(folder)
    try:
        experiment = Experiment.from_json(options)
        world, model, planner = experiment.environment, experiment.model, experiment.planner
        check_trusted(folder, world, model=model, planner=planner, trust=trust)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{folder / 'manifest.json'} is not the manifest of a run: name another folder") from error
    run = RecordedRun(folder, experiment, recorded.rows(LEARNING), recorded.rows(EVALUATED))
    if run.evaluation and run.evaluation[0].cycle != len(run.learning):
        raise ValueError(
            f"{folder} holds an evaluation after {run.evaluation[0].cycle} cycles of learning, and rows of "
            f"{len(run.learning)}: rows are missing; the command that made the run completes it"
        )
    if not run.cycles:
        raise ValueError(f"{folder} holds a run without a cycle: let it run first")
    return run


def agent_at_start(run: RecordedRun, *, threads: int = 1) -> tuple[Agent, Environment]:
    """Return the agent of a run as it was before the first cycle, and its environment.

    Parameters
    ----------
    run : RecordedRun
        The run.
    threads : int, default: 1
        Number of threads for independent searches.

    Raises
    ------
    ValueError
        If it began with knowledge, or with a teacher, that are not any more what they were.
    """
    environment = make(run.experiment.environment)
    agent, options = prepared_agent(run.experiment, environment, threads=threads)
    recorded = recorded_options(run.folder)
    for name, what in (("knowledge", run.experiment.start), ("trace", run.experiment.teacher)):
        if options.get(name) != recorded.get(name):
            raise ValueError(f"{run.folder} began with another state of {what}: put that back")
    return agent, environment


def check_trusted(where: Path | str, environment: str, *, model: str, planner: PlannerSpec, trust: bool) -> None:
    """Raise ValueError if names stand for code that is not of this package, and it is not trusted."""
    found = outside([environment], [model], planners=[planner])
    if found and not trust:
        raise ValueError(f"{where} names {', '.join(found)}, code outside this package: --trust runs it")


def check_recipe(path: Path | str, *, trust: bool) -> Recipe:
    """Return how a saved agent was made.

    Parameters
    ----------
    path : Path or str
        The file of `Agent.save`, or `agent.aixi` in the folder of a run.
    trust : bool
        Whether code may be run that the file names and that is not part of this package.

    Raises
    ------
    ValueError
        If the file is no agent, is damaged or needs `trust`.
    OSError
        If it can't be read.
    """
    recipe = read_archive(path, kind=KIND).content["recipe"]
    with named(Path(path)):
        found = Recipe(
            recipe["environment"], recipe["model"], PlannerSpec(**recipe["planner"]), Settings(**recipe["settings"])
        )
        check_trusted(path, found.environment, model=found.model, planner=found.planner, trust=trust)
    return found

"""An experiment: everything that determines the result of a run, and the agent as it is before the first cycle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

from aixi_approx.agent import Agent
from aixi_approx.builder import CTW, as_spec, build_agent, refuse_untaken, replaced_settings
from aixi_approx.display.tables import table
from aixi_approx.environment import Environment, Schedule, Settings
from aixi_approx.envs import make, name_of
from aixi_approx.envs.restarting import named
from aixi_approx.experiments.teacher import begin_with, digest, read_trace, teach
from aixi_approx.interaction import MAX_CYCLES
from aixi_approx.planner_spec import DEFAULT, PlannerSpec
from aixi_approx.validation import as_integer

EVALUATION_CYCLES, FEWEST_CYCLES = 2_000, 100  # of an evaluation, unless something else is asked for


class Experiment(NamedTuple):
    """Everything that determines the result of a run. `Experiment.of` needs no more than an environment.

    Examples
    --------
    >>> from aixi_approx import run
    >>> experiment = Experiment.of("tiger", cycles=200, depth=16, simulations=10, evaluation_simulations=10)
    >>> result = run(experiment)
    >>> result.random_reward < result.reward.mean < result.optimum
    True
    """

    environment: str
    settings: Settings
    schedule: Schedule
    planner: PlannerSpec = PlannerSpec()
    model: str = CTW
    evaluate: int = 2_000  # cycles
    learn_in_evaluation: bool = False
    seed: int = 0
    teacher: str | None = None  # folder of a run whose actions the policy learns first
    start: str | None = None  # file of an agent, or folder of a run, whose knowledge it begins with

    @classmethod
    def of(
        cls,
        environment: Environment | str | Any,
        *,
        model: str = CTW,
        planner: PlannerSpec | str = DEFAULT,
        policy: str | None = None,
        discount: float | None = None,
        cycles: int | None = None,
        depth: int | None = None,
        horizon: int | None = None,
        simulations: int | None = None,
        epsilon: float | None = None,
        decay: float | None = None,
        most_memory: int | None = None,
        evaluate: int | None = None,
        evaluation_simulations: int | None = None,
        learn_in_evaluation: bool = False,
        seed: int = 0,
        teacher: Path | str | None = None,
        start: Path | str | None = None,
    ) -> Self:
        """Return the experiment in an environment, whose own settings stand wherever nothing is given.

        Parameters
        ----------
        environment : Environment, str or class
            Its name, or what has one: a class that stands in a file, or an instance that was made by name.
        model, planner
            As in `build_agent`.
        policy : str, optional
            What learns the decisions of the searches: `learned`, or one of your own.
        discount : float, optional
            The environment begins anew with probability 1 - discount after every cycle.
        cycles : int, optional
            Of learning.
        depth, horizon, simulations, epsilon, decay, most_memory
            As in `build_agent`.
        evaluate : int, default: 2000, or `cycles` if that is less, but at least 100
            Cycles of greedy evaluation.
        evaluation_simulations : int, optional
            Of a search in the evaluation; 0 lets the policy act alone.
        learn_in_evaluation : bool, default: False
            Whether it goes on learning there.
        seed : int, default: 0
            The result is a function of it.
        teacher : Path or str, optional
            Folder of a run whose actions the policy learns first.
        start : Path or str, optional
            A saved agent, or the folder of a run, whose knowledge it begins with.

        Raises
        ------
        ValueError
            If there is no such environment, or an option means nothing to such an agent.
        """
        made = make(named(name_of(environment), discount))
        spec = as_spec(planner)
        if policy is not None:
            refuse_untaken(["policy"], spec, model=model)
            spec = spec._replace(policy=policy)
        settings = replaced_settings(
            made.settings,
            spec,
            model=model,
            depth=depth,
            horizon=horizon,
            simulations=simulations,
            epsilon=epsilon,
            decay=decay,
            most_memory=most_memory,
        )
        schedule = made.schedule
        if cycles is not None:
            schedule = schedule._replace(cycles=as_integer("cycles", cycles, 0, MAX_CYCLES))
        if evaluation_simulations is not None:
            refuse_untaken(["evaluation_simulations"], spec, model=model)
            schedule = schedule._replace(evaluation_simulations=evaluation_simulations)
        if evaluate is None:
            short = cycles is not None and 0 < cycles < EVALUATION_CYCLES
            evaluate = max(FEWEST_CYCLES, schedule.cycles) if short else EVALUATION_CYCLES
        return cls(
            made.title,
            settings,
            schedule,
            spec,
            model,
            as_integer("evaluate", evaluate, 0, MAX_CYCLES),
            learn_in_evaluation,
            seed,
            None if teacher is None else str(teacher),
            None if start is None else str(start),
        )

    def _repr_html_(self) -> str:
        """Return all fields, for a notebook."""
        own = {**self._asdict(), "planner": str(self.planner)}
        parts = [own.pop("settings"), own.pop("schedule")]
        rows: list[Any] = [*own.items()]
        for part in parts:
            rows += [type(part).__name__.lower(), *part._asdict().items()]
        return table("An experiment", rows)

    def as_json(self) -> dict[str, Any]:
        """Return all fields, as JSON values."""
        parts = {"settings": self.settings._asdict(), "schedule": self.schedule._asdict()}
        given = {"teacher": self.teacher, "start": self.start}
        paths = {name: None if path is None else str(path) for name, path in given.items()}
        return {**self._asdict(), **parts, "planner": self.planner.as_json(), **paths}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the experiment that `as_json` has written."""
        given = {name: content[name] for name in cls._fields}
        given["settings"], given["schedule"] = Settings(**given["settings"]), Schedule(**given["schedule"])
        return cls(**{**given, "planner": PlannerSpec(**given["planner"])})


def new_agent(experiment: Experiment, environment: Environment, *, threads: int = 1) -> Agent:
    """Return the agent of an experiment as it is before it knows anything."""
    return build_agent(
        environment,
        experiment.model,
        planner=experiment.planner,
        settings=experiment.settings,
        seed=experiment.seed,
        threads=threads,
    )


def prepared_agent(
    experiment: Experiment, environment: Environment, *, threads: int = 1
) -> tuple[Agent, dict[str, Any]]:
    """Return the agent of an experiment as it is before its first cycle, and all that determines the run.

    Parameters
    ----------
    experiment : Experiment
        With the knowledge that it begins with and the teacher of its policy, if any.
    environment : Environment
        Where it lives.
    threads : int, default: 1
        Number of threads for independent searches.

    Returns
    -------
    Agent
    dict of str to object
        The experiment as JSON values, and what tells the knowledge and the lessons from others.
    """
    agent, options = new_agent(experiment, environment, threads=threads), experiment.as_json()
    if experiment.start is not None:
        options["knowledge"] = begin_with(agent, experiment.start)
    if experiment.teacher is not None:
        trace = read_trace(experiment.teacher, environment)
        teach(agent, trace)
        options["trace"], options["taught"] = digest(trace), sum(not row.explored for row in trace)
    return agent, options

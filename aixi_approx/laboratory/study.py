"""A study: which agents learn for how long, and how much they search; as data, in a short TOML or Python file.

    environments = ["tiger", "locks:1"]
    experience = [100, 1000, 10000]          # cycles of learning
    simulations = [1, 10, 100, 1000]         # of a decision
    seeds = 10

    [settings."locks:1"]                     # of the agents there, where they differ from the environment's own
    depth = 40

In Python the same is `study = Study(("tiger", "locks:1"), (100, 1000, 10000), (1, 10, 100, 1000), 10, ...)`.

The plane is experience x simulations, at the environment's own depth and horizon, by the first method. Other depths are
tried at each experience as predictors, and after the most experience as agents, at all simulations; so are other
horizons, methods and models. Given the true environment, where it is a POMDP, there is nothing to learn: it stands at
experience 0.
"""

from __future__ import annotations

import functools
import runpy
import tomllib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from aixi_approx.builder import METHODS, MODEL_FREE, build_agent, parsed
from aixi_approx.environment import Settings
from aixi_approx.envs import make
from aixi_approx.laboratory.condition import CTW, MODELS, TRUE, Cell, Trial
from aixi_approx.laboratory.experience import TrainingRun
from aixi_approx.planner import MAX_SIMULATIONS
from aixi_approx.planners.expectimax import MAX_HORIZON
from aixi_approx.planners.root_parallel import RULES
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.predictors.context_tree import MAX_DEPTH
from aixi_approx.validation import as_integer

NAMES = ("environments", "methods", "models")
NUMBERS = {  # and the most that each can be: horizons, with which it is known what a decision loses
    "experience": 1 << 30,
    "simulations": MAX_SIMULATIONS,
    "depths": MAX_DEPTH,
    "horizons": MAX_HORIZON,
}
TABLE = '"tiger" = { depth = 40 }'


class Study(NamedTuple):
    """What is to be measured."""

    environments: tuple[str, ...]
    experience: tuple[int, ...]
    """Cycles of learning, ascending."""
    simulations: tuple[int, ...]
    """Of a decision, ascending."""
    seeds: int
    depths: tuple[int, ...] = ()
    """Bits of context, besides the environment's own."""
    horizons: tuple[int, ...] = ()
    """Cycles that a search looks ahead, besides the environment's own number."""
    methods: tuple[str, ...] = ("rhouct",)
    """Of planning, as in `build_planner`. The first is that of the plane."""
    models: tuple[str, ...] = (CTW,)
    """What predicts: `ctw`, which learns; `true`, the environment itself; `shuffled`, a control that learns nothing."""
    cycles: int = 100
    """Of a trial; they are greedy, and nothing is learned."""
    probes: int = 20
    """Decisions of these that are accounted for."""
    settings: Mapping[str, Mapping[str, float]] = {}
    """Of the agents in an environment, where they differ from its own: the fields of `Settings`."""

    def subject(self, environment: str, seed: int) -> TrainingRun:
        """Return the agent whose experience is learned from."""
        own: dict[str, Any] = dict(self.settings.get(environment, {}))
        return TrainingRun(environment, _declared(environment).settings._replace(**own), seed)

    def subjects(self) -> list[TrainingRun]:
        """Return all agents, seed after seed."""
        return [self.subject(name, seed) for seed in range(self.seeds) for name in self.environments]

    def cells(self, subject: TrainingRun) -> Iterator[Cell]:
        """Yield what is to be measured with the experience of an agent."""
        depth, horizon = subject.settings.depth, subject.settings.horizon
        first, *others = self.methods
        plane = self._searches(horizon, first)
        at_last = [trial for h in self.horizons if h != horizon for trial in self._searches(h, first)]
        at_last += [trial for method in others for trial in self._searches(horizon, method)]
        most = self.experience[-1]

        def cell(experience: int, model: str, depth: int, trials: list[Trial]) -> Cell:
            return Cell(subject, experience, model, depth, self.cycles, self.probes, tuple(trials))

        for model in self.models:
            if model == TRUE:
                if _declared(subject.environment).is_pomdp:
                    yield cell(0, model, depth, plane + at_last)
            elif model != CTW:
                yield cell(most, model, depth, plane)
            else:
                for experience in self.experience:
                    last = experience == most
                    yield cell(experience, model, depth, plane + (at_last if last else []))
                    for other in self.depths:
                        if other != depth:
                            yield cell(experience, model, other, plane if last else [])

    def _searches(self, horizon: int, method: str) -> list[Trial]:
        """All budgets of a method: at least a simulation for each of its searches, and none where they don't count."""
        name, number = parsed(method)
        if name in ("expectimax", "seconds"):
            return [Trial(horizon, method, 0)]
        return [Trial(horizon, method, n) for n in self.simulations if name not in RULES or n >= number]

    def options(self) -> dict[str, Any]:
        """Return all of it as JSON has it."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in self._asdict().items()}


class Declared(NamedTuple):
    """What a study has to know of an environment."""

    settings: Settings
    is_pomdp: bool


@functools.cache
def _declared(environment: str) -> Declared:
    made = make(environment)  # which may take seconds
    return Declared(made.settings, isinstance(made, POMDP))


SMALL = Study((), (100, 300, 1_000, 3_000, 10_000), (1, 3, 10, 30, 100, 300, 1_000), seeds=12, models=(CTW, TRUE))
FULL = SMALL._replace(
    experience=(30, *SMALL.experience, 30_000), simulations=(*SMALL.simulations, 3_000, 10_000), seeds=20
)
GRIDS = {"small": SMALL, "full": FULL}


def read_study(path: Path) -> Study:
    """Return the study that stands in a file.

    Raises
    ------
    ValueError
        If there is none, or it makes no sense, with one line that says what can be done.
    """
    if path.suffix == ".toml":
        try:
            given = tomllib.loads(path.read_text())
        except OSError as error:
            raise ValueError(f"{path} can't be read: {error.strerror}") from error
        except ValueError as error:
            raise ValueError(f"{path} is not TOML: {_line(error)}") from error
        return study_of(given, str(path))
    try:
        study = runpy.run_path(str(path)).get("study")
    except Exception as error:
        raise ValueError(f"{path} can't be run: {type(error).__name__}: {_line(error)}") from error
    if not isinstance(study, Study):
        raise ValueError(f"{path} has no study: write `study = Study(...)` in it")
    return checked(study, str(path))


def study_of(given: Mapping[str, Any], where: str) -> Study:
    """Return the study of a mapping, as `Study.options` has it or a TOML file; `where` is for messages."""
    unknown = [name for name in given if name not in Study._fields]
    if unknown:
        raise ValueError(f"{where}: a study has no {unknown[0]!r}: it has {', '.join(Study._fields)}")
    if missing := [name for name in Study._fields[:4] if name not in given]:
        raise ValueError(f"{where}: {missing[0]} is missing: a study has {', '.join(Study._fields[:4])}")
    return checked(Study(**given), where)


def checked(study: Study, where: str) -> Study:
    """Return a study that makes sense, with all environments by their full names.

    Raises
    ------
    ValueError
        If it makes none, with one line that begins with `where` and says what can be done.
    """
    try:
        study = _with_lists(study)
        _check_numbers(study)
        study = _with_full_names(study)
        _check_agents(study)
    except ValueError as error:
        raise ValueError(f"{where}: {_line(error)}") from error
    return study


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _with_lists(study: Study) -> Study:
    lists: dict[str, Any] = {}
    for name in (*NAMES, *NUMBERS):
        value = getattr(study, name)
        if not isinstance(value, list | tuple):
            raise ValueError(f"{name} is {value!r}: write a list")
        if not value and name not in ("depths", "horizons"):
            raise ValueError(f"{name} is empty: name at least one")
        if name in NAMES and not all(isinstance(each, str) for each in value):
            raise ValueError(f"{name} are {list(value)}: write names")
        lists[name] = tuple(value)
    return study._replace(**lists)


def _check_numbers(study: Study) -> None:
    for name, most in NUMBERS.items():
        values = getattr(study, name)
        if not all(type(value) is int and 1 <= value <= most for value in values):
            raise ValueError(f"{name} are {list(values)}: write whole numbers, 1 to {most:,}")
        if any(a >= b for a, b in pairwise(values)):
            raise ValueError(f"{name} are {list(values)}: write them in order, the smallest first, none twice")
    for name in ("seeds", "cycles", "probes"):
        value = getattr(study, name)
        if type(value) is not int or value < 1:
            raise ValueError(f"{name} is {value!r}: write a whole number, 1 at least")
    if study.probes > study.cycles:
        raise ValueError(f"there are {study.probes} probes in {study.cycles} cycles: take more cycles")


def _with_full_names(study: Study) -> Study:
    study = study._replace(environments=tuple(make(name).title for name in study.environments))
    for name in NAMES:
        if len(set(getattr(study, name))) < len(getattr(study, name)):
            raise ValueError(f"{name} has one twice")
    if not isinstance(study.settings, Mapping):
        raise ValueError(f"settings is {study.settings!r}: write a table for each environment, as in {TABLE}")
    settings = {}
    for name, own in study.settings.items():
        title = make(name).title
        if title not in study.environments or title in settings:
            raise ValueError(f"there are settings for {name}, which is not among the environments, or settled already")
        if not isinstance(own, Mapping):
            raise ValueError(f"settings of {name} is {own!r}: write a table, as in {TABLE}")
        if unknown := [field for field in own if field not in Settings._fields]:
            raise ValueError(f"no setting {unknown[0]!r}: there are {', '.join(Settings._fields)}")
        if wrong := [field for field, value in own.items() if type(value) not in (int, float)]:
            raise ValueError(f"settings of {name}: {wrong[0]} is {own[wrong[0]]!r}: write a number")
        settings[title] = dict(own)
    return study._replace(settings=settings)


def _check_agents(study: Study) -> None:
    """See that all agents can be made."""
    for model in study.models:
        if model not in MODELS:
            raise ValueError(f"there is no model {model!r}: there are {', '.join(MODELS)}")
    if CTW not in study.models:
        raise ValueError(f"models are {list(study.models)}: name {CTW}, too, the agents that learn")
    if parsed(study.methods[0])[0] == "seconds":
        raise ValueError(
            f"the first method is {study.methods[0]}: begin with one that counts simulations, such as rhouct"
        )
    for method in study.methods:
        name, number = parsed(method)
        if name in MODEL_FREE:
            raise ValueError(f"{method} has no model: there are {', '.join(METHODS)}")
        if name in RULES and number > study.simulations[-1]:
            raise ValueError(f"{method} needs a simulation for each search: name more than {study.simulations[-1]}")
    for title in study.environments:
        environment, settings = make(title), study.subject(title, 0).settings
        try:
            as_integer("horizon", settings.horizon, 1, MAX_HORIZON)
            build_agent(environment, settings=settings)
        except ValueError as error:
            raise ValueError(f"settings of {title}: {error}") from error

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

import runpy
import tomllib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from aixi_approx.builder import METHODS, MODEL_FREE, parsed
from aixi_approx.cell import CTW, MODELS, TRUE, Cell, Trial
from aixi_approx.environment import Settings
from aixi_approx.envs import make
from aixi_approx.experience import Subject
from aixi_approx.pomdp import POMDP
from aixi_approx.voting import RULES


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
    models: tuple[str, ...] = (CTW, TRUE)
    """What predicts: `ctw`, which learns; `true`, the environment itself; `shuffled`, a control that learns nothing."""
    cycles: int = 100
    """Of a trial; they are greedy, and nothing is learned."""
    probes: int = 20
    """Decisions of these that are accounted for."""
    settings: Mapping[str, Mapping[str, float]] = {}
    """Of the agents in an environment, where they differ from its own: the fields of `Settings`."""

    def subject(self, environment: str, seed: int) -> Subject:
        """Return the agent whose experience is learned from."""
        given: Mapping[str, Any] = self.settings.get(environment, {})
        return Subject(environment, make(environment).settings._replace(**given), seed)

    def subjects(self) -> list[Subject]:
        """Return all agents, seed after seed."""
        return [self.subject(name, seed) for seed in range(self.seeds) for name in self.environments]

    def cells(self, subject: Subject) -> Iterator[Cell]:
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
                if isinstance(make(subject.environment), POMDP):
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


SMALL = Study((), (100, 300, 1_000, 3_000, 10_000), (1, 3, 10, 30, 100, 300, 1_000), seeds=6)
FULL = Study((), (30, 100, 300, 1_000, 3_000, 10_000, 30_000), (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000), seeds=20)
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
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"{path} is not TOML: {error}") from error
        return study_of(given, str(path))
    try:
        study = runpy.run_path(str(path)).get("study")
    except Exception as error:
        raise ValueError(f"{path} can't be run: {type(error).__name__}: {error}") from error
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
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    return checked(Study(**values), where)


def checked(study: Study, where: str) -> Study:
    """Return a study that makes sense; else raise ValueError, with one line that says what can be done."""
    for name in ("environments", "experience", "simulations", "depths", "horizons", "methods", "models"):
        value = getattr(study, name)
        if not isinstance(value, tuple):
            raise ValueError(f"{where}: {name} is {value!r}: write a list")
        if not value and name not in ("depths", "horizons"):
            raise ValueError(f"{where}: {name} is empty: name at least one")
        if len(set(value)) < len(value):
            raise ValueError(f"{where}: {name} has one twice")
    for name in ("experience", "simulations", "depths", "horizons"):
        values = getattr(study, name)
        if not all(isinstance(value, int) and value >= 1 for value in values):
            raise ValueError(f"{where}: {name} are {list(values)}: write whole numbers, 1 at least")
        if any(a > b for a, b in pairwise(values)):
            raise ValueError(f"{where}: {name} are {list(values)}: write them in order, the smallest first")
    for name in ("seeds", "cycles", "probes"):
        value = getattr(study, name)
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{where}: {name} is {value!r}: write a whole number, 1 at least")
    if study.probes > study.cycles:
        raise ValueError(f"{where}: there are {study.probes} probes in {study.cycles} cycles: take more cycles")
    for model in study.models:
        if model not in MODELS:
            raise ValueError(f"{where}: there is no model {model!r}: there are {', '.join(MODELS)}")
    for method in study.methods:
        if parsed(method)[0] in MODEL_FREE:
            raise ValueError(f"{where}: {method} has no model: there are {', '.join(METHODS)}")
    study = study._replace(environments=tuple(make(name).title for name in study.environments))
    for environment, settings in study.settings.items():
        if environment not in study.environments:
            raise ValueError(f"{where}: there are settings for {environment}, which is not among the environments")
        if unknown := [name for name in settings if name not in Settings._fields]:
            raise ValueError(f"{where}: no setting {unknown[0]!r}: there are {', '.join(Settings._fields)}")
    return study

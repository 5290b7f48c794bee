"""A study: which agents learn for how long, and how much they search; as data, in a short TOML or Python file.

    environments = ["tiger", "locks:1"]
    experience = [100, 1000, 10000]          # cycles of learning
    simulations = [1, 10, 100, 1000]         # of a decision
    seeds = 10

    [settings."locks:1"]                     # of the agents there, where they differ from the environment's own
    depth = 40

In Python the same is `study = Study(("tiger", "locks:1"), (100, 1000, 10000), (1, 10, 100, 1000), 10, ...)`.

The plane is experience x simulations, for each model that learns, at the environment's own depth and horizon, by the
first planner. Other depths, horizons and planners are slices: measured after the most experience, at all simulations,
each with the others at their first value. Axes that `cross` names are crossed with the plane and with each other
instead. The true environment, where it is a POMDP, has nothing to learn: it stands at experience 0.
"""

from __future__ import annotations

import runpy
import tomllib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, Self

from aixi_approx import planners, predictors
from aixi_approx.builder import CTW, TRUE, build_agent, build_planner, outside
from aixi_approx.display.tables import in_words, table
from aixi_approx.environment import Settings
from aixi_approx.envs import make, name_of
from aixi_approx.laboratory.axes import AXES, Axis, check_axes
from aixi_approx.laboratory.condition import Checkpoint, Group, Setting, TrainingRun
from aixi_approx.laboratory.known import Declared, Known, Traits, declared, traits
from aixi_approx.laboratory.measurement import NO_MODEL, SHUFFLED
from aixi_approx.laws.curves import CURVES, FALLING_TO_ZERO, rising_to
from aixi_approx.laws.joint import joint_laws, joint_odds
from aixi_approx.laws.total_excess import LEAVES, LOGARITHM, POWER
from aixi_approx.planner import MAX_SIMULATIONS
from aixi_approx.planner_spec import DEFAULT, PlannerSpec
from aixi_approx.planners.expectimax import MAX_HORIZON
from aixi_approx.predictors.context_tree import MAX_DEPTH
from aixi_approx.validation import as_integer

NAMES = ("environments", "planners", "models", "learners", "cross")
NUMBERS = {  # and the most that each can be: horizons, with which the regret of a decision is known
    "experience": 1 << 30,
    "simulations": MAX_SIMULATIONS,
    "depths": MAX_DEPTH,
    "horizons": MAX_HORIZON,
}
PLAIN = (str, int, float, list, tuple, dict, type(None))  # what is no environment, but perhaps the name of one
RISING = tuple(law.name for law in CURVES + rising_to(1.0))
HYPOTHESES = {  # the laws that a quantity may be said to follow
    "frontier": RISING,
    "learning": RISING,
    "search": RISING,
    "joint": tuple(law.name for law in joint_laws(1.0) + joint_odds(1.0)),
    "missed": tuple(law.name for law in FALLING_TO_ZERO),
    "prediction": (LOGARITHM.name, POWER.name, LEAVES),
}
OPTIONAL = ("depths", "horizons", "cross")  # lists that may be empty
TABLE = '"tiger" = { depth = 40 }'


class Study(NamedTuple):
    """What is to be measured. `checked` sees that it makes sense, and completes names; so does the laboratory."""

    environments: tuple[str, ...]
    """Names. Classes and instances that have one are accepted."""
    experience: tuple[int, ...]
    """Cycles of learning, ascending."""
    simulations: tuple[int, ...]
    """Of a decision, ascending."""
    seeds: int
    """Agents for each environment and learner."""
    depths: tuple[int, ...] = ()
    """Bits of context, besides the environment's own."""
    horizons: tuple[int, ...] = ()
    """Cycles that a search looks ahead, besides the environment's own number."""
    planners: tuple[str, ...] = (DEFAULT,)
    """As in `build_planner`, without horizon and simulations. The first is that of the plane."""
    models: tuple[str, ...] = (CTW,)
    """What predicts: `ctw` and others that learn, each with a plane of its own; `true`, the environment itself;
    `shuffled`, a control that learns only how often each percept comes. With `true` alone, only search is measured."""
    learners: tuple[str, ...] = (DEFAULT,)
    """The planners that agents learn with. One without a model, such as q-learning, is measured as it is."""
    cross: tuple[str, ...] = ()
    """Which of `depths`, `horizons` and `planners` are crossed with the plane and with each other."""
    cycles: int = 100
    """Of an evaluation, which is greedy and in which nothing is learned."""
    sampled_decisions: int = 20
    """Decisions of an evaluation whose regret is split into its parts."""
    warm_up: int = 10
    """Cycles of an evaluation, which goes on where learning ended, before the others, that are not counted: where the
    agent comes to is to depend on how it acts now, not on how it explored."""
    first_seed: int = 0
    """The seeds are this and those after it: to test on fresh ones what was found on others."""
    settings: Mapping[str, Mapping[str, float]] = {}
    """Of the agents in an environment, where they differ from its own: fields of `Settings`, by its name."""
    vary: Mapping[str, tuple[float, ...]] = {}
    """Fields of `Settings` of the agents that learn, such as epsilon, and values that are tried beside their own: each
    is an axis."""
    hypotheses: Mapping[str, str] = {}
    """By quantity, the law that it is said to follow, before anything is measured: it can't be changed afterwards."""
    axes: tuple[Axis, ...] = ()
    """Of your own; in a Python file."""
    known: Known | None = None
    """What was known of environments and planners when it was measured, in a study that was read from its folder; if it
    is not given, they are asked."""

    def _repr_html_(self) -> str:
        """Return what is to be measured, for a notebook: all that is not as it is by default."""
        defaults = self._field_defaults
        given = {name: value for name, value in self._asdict().items() if value != defaults.get(name, ())}
        rows = [
            (name, ", ".join(map(in_words, value)) if isinstance(value, tuple) else value)
            for name, value in given.items()
            if name != "known"
        ]
        return table("A study", rows)

    def runs(self) -> list[TrainingRun]:
        """Return all training runs, seed after seed."""
        runs = []
        for seed in self.all_seeds:
            for name in self.environments:
                own = [TrainingRun(name, learner, seed, self.agent_settings(name)) for learner in self.learners]
                runs += own
                runs += [
                    axis.of_run(own[self.learners.index(self.base_learner)], value)
                    for axis in self.all_axes
                    if axis.run
                    for value in axis.values
                ]
        return runs

    @property
    def all_seeds(self) -> range:
        """The seeds of the agents."""
        return range(self.first_seed, self.first_seed + self.seeds)

    def agent_settings(self, environment: str) -> Settings:
        """Return the settings of the agents in an environment."""
        own: dict[str, Any] = dict(self.settings.get(environment, {}))
        return self.declared(environment).settings._replace(**own)

    def declared(self, environment: str) -> Declared:
        """Return what an environment of the study declares."""
        return self.known.environments[environment] if self.known else declared(environment)

    def traits(self, planner: str) -> Traits:
        """Return what a planner or learner of the study is like, by its short text."""
        return self.known.planners[planner] if self.known else traits(planner)

    def searching(self, planner: str, horizon: int) -> PlannerSpec:
        """Return a planner that looks so many cycles ahead; as it is, if it does not look ahead, as a policy alone."""
        spec = PlannerSpec.parse(planner)
        return spec._replace(horizon=horizon) if "horizon" in self.traits(planner).options else spec

    def all_known(self) -> Known:
        """Return what is known of all environments and planners."""
        return self.known or Known.by_asking(self.environments, self.all_planners)

    @property
    def all_planners(self) -> tuple[str, ...]:
        """The planners that decide and those that agents learn with."""
        return tuple(dict.fromkeys((*self.planners, *self.learners)))

    @property
    def outside(self) -> list[str]:
        """Environments, models, planners and policies that are not of this package."""
        models = (model for model in self.models if model != SHUFFLED)
        return outside(self.environments, models, planners=map(PlannerSpec.parse, self.all_planners))

    def marks(self, run: TrainingRun) -> Sequence[int]:
        """Return the cycles at which the segments of a training run end, ascending."""
        return self.experience

    def groups(self, run: TrainingRun) -> Iterator[Group]:
        """Yield the conditions that are measured with the experience of a training run."""
        depth, horizon = run.settings.depth, run.settings.horizon
        first, most = self.planners[0], self.experience[-1]

        def group(experience: int, model: str, depth: int, settings: list[Setting]) -> Group:
            distinct = tuple(dict.fromkeys(settings))  # other horizons are none to a planner without one
            checkpoint = Checkpoint(run, experience, model, depth)
            return Group(checkpoint, distinct, self.sampled_decisions, self.warm_up)

        if self.traits(run.learner).model_free:
            for experience in self.experience:
                yield group(experience, NO_MODEL, 0, [Setting(PlannerSpec.parse(run.learner), self.cycles)])
            return
        depths = [depth, *(other for other in self.depths if other != depth)]
        horizons = [horizon, *(other for other in self.horizons if other != horizon)]
        crossed_horizons = horizons if "horizons" in self.cross else [horizon]
        crossed_planners = self.planners if "planners" in self.cross else (first,)
        plane = [s for h in crossed_horizons for planner in crossed_planners for s in self._searches(h, planner)]
        slices = [s for h in horizons if h not in crossed_horizons for s in self._searches(h, first)]
        slices += [s for p in self.planners if p not in crossed_planners for s in self._searches(horizon, p)]
        for axis in self.all_axes:
            varied = [
                axis.of_setting(s, v) for v in axis.values for s in self._searches(horizon, first) if axis.setting
            ]
            plane, slices = (plane + varied, slices) if axis.name in self.cross else (plane, slices + varied)
        if run.axes:
            everywhere = run.axes[0][0] in self.cross
            for experience in self.experience if everywhere else (most,):
                yield group(experience, self.base_model, depth, plane)
            return
        for model in self.models:
            if model == TRUE:
                if self.declared(run.environment).is_pomdp:
                    yield group(0, TRUE, depth, plane + slices)
            elif model == SHUFFLED:
                yield group(most, SHUFFLED, depth, plane)
            else:
                base = model == self.base_model
                for experience in self.experience:
                    last = base and experience == most
                    yield group(experience, model, depth, plane + (slices if last else []))
                    for other in depths[1:] if base else ():
                        yield group(experience, model, other, plane if last or "depths" in self.cross else [])

    @property
    def all_axes(self) -> tuple[Axis, ...]:
        """Those of your own, and those of settings that vary."""
        varied = (Axis(name, tuple(values), run=_setting_to(name)) for name, values in self.vary.items())
        return (*self.axes, *varied)

    @property
    def learning_models(self) -> tuple[str, ...]:
        """The models that learn, each of which has a plane."""
        return tuple(model for model in self.models if model not in (TRUE, SHUFFLED))

    @property
    def planes(self) -> tuple[str, ...]:
        """The models that have a plane: those that learn, or, if none does, the true one at experience 0."""
        return self.learning_models or (TRUE,)

    @property
    def base_model(self) -> str:
        """The first model that has a plane, of which there are slices."""
        return self.planes[0]

    @property
    def base_learner(self) -> str:
        """The first learner with a model, if any: the one whose experience the planes are measured on."""
        with_model = (name for name in self.learners if not self.traits(name).model_free)
        return next(with_model, self.learners[0])

    def _searches(self, horizon: int, planner: str) -> list[Setting]:
        """All budgets of a planner: at least a simulation for each search; one without, if it does not count them."""
        spec = self.searching(planner, horizon)
        if "simulations" not in self.traits(planner).options:
            return [Setting(spec, self.cycles)]
        budgets = [n for n in self.simulations if n >= (spec.searches or 1)]
        return [Setting(spec._replace(simulations=n), self.cycles) for n in budgets]

    def as_json(self) -> dict[str, Any]:
        """Return the study as JSON, without axes of your own: their values are coordinates of what was measured."""
        content = {name: list(value) if isinstance(value, tuple) else value for name, value in self._asdict().items()}
        del content["axes"], content["known"]
        return content

    def obstacle(self, earlier: Self) -> str:
        """Return why this study can't continue an earlier one: a field, and what it was; empty if it can."""
        for name in WRITTEN:
            was, wanted = getattr(earlier, name), getattr(self, name)
            if name == "vary":
                kept = all(set(values) <= set(wanted.get(field, ())) for field, values in was.items())
            elif name in (
                "environments",
                "simulations",
                "depths",
                "horizons",
                "planners",
                "models",
                "learners",
                "cross",
            ):
                kept = set(was) <= set(wanted)
            elif name == "settings":
                kept = all(was.get(each, {}) == wanted.get(each, {}) for each in earlier.environments)
            elif name == "experience":  # a training run can be continued
                kept = was == wanted[: len(was)]
            else:
                kept = was <= wanted if name == "seeds" else was == wanted
            if not kept or (name == "planners" and was[0] != wanted[0]):
                return f"other {name}, {', '.join(map(str, was)) if isinstance(was, tuple) else was}"
        for name in earlier.environments:
            if self.declared(name) != earlier.declared(name):
                return f"{name} as it was, with other settings of its own"
        return ""


WRITTEN = Study._fields[:-2]  # in a file, and in the folder


def _setting_to(name: str) -> Callable[[TrainingRun, Any], TrainingRun]:
    return lambda run, value: run._replace(settings=run.settings._replace(**{name: value}))


SMALL = Study((), (100, 300, 1_000, 3_000, 10_000), (1, 3, 10, 30, 100, 300, 1_000), seeds=12, models=(CTW, TRUE))
FULL = SMALL._replace(
    experience=(30, *SMALL.experience, 30_000), simulations=(*SMALL.simulations, 3_000, 10_000), seeds=20
)
GRIDS = {"small": SMALL, "full": FULL}


def read_study(path: Path) -> Study:
    """Return the study that a file holds.

    Parameters
    ----------
    path : Path
        A TOML file, or a Python file in which the study is called `study`.

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
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise ValueError(f"{path} can't be run: {type(error).__name__}: {_line(error)}") from error
    if not isinstance(study, Study):
        raise ValueError(f"{path} has no study: write `study = Study(...)` in it")
    return checked(study, str(path))


def study_of(given: Mapping[str, Any], where: str) -> Study:
    """Return the study of a mapping.

    Parameters
    ----------
    given : mapping of str to Any
        As `Study.as_json` returns it, or a TOML file has it.
    where : str
        Where it comes from, for messages.

    Raises
    ------
    ValueError
        If it makes no sense, with one line that begins with `where` and says what can be done.
    """
    try:
        study = _of_fields(given)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    return checked(study, where)


def _of_fields(given: Mapping[str, Any]) -> Study:
    if unknown := [name for name in given if name not in WRITTEN]:
        raise ValueError(f"a study has no {unknown[0]!r}: it has {', '.join(WRITTEN)}")
    if missing := [name for name in Study._fields[:4] if name not in given]:
        raise ValueError(f"{missing[0]} is missing: a study has {', '.join(Study._fields[:4])}")
    return Study(**given)


def checked(study: Study, where: str) -> Study:
    """Return a study that makes sense, with full names of environments, planners and models.

    Parameters
    ----------
    study : Study
        Whose fields may have wrong types.
    where : str
        Where it comes from, for messages.

    Raises
    ------
    ValueError
        If it makes no sense, with one line that begins with `where` and says what can be done.
    """
    try:
        study = _with_lists(study._replace(known=None))
        _check_numbers(study)
        study = _with_tables(_with_full_names(study), lambda name: make(name).title)
        _check_agents(study)
    except ValueError as error:
        raise ValueError(f"{where}: {_line(error)}") from error
    return study


def study_in(manifest: Mapping[str, Any], where: str) -> Study:
    """Return the study of a folder, without any of its environments, models and planners: their code is not run.

    Parameters
    ----------
    manifest : mapping of str to Any
        Of the folder.
    where : str
        The file, for messages.

    Raises
    ------
    ValueError
        If it is no study.
    """
    try:
        study = _with_lists(_of_fields(manifest["study"]))
        _check_numbers(study)
        study = _with_tables(study, str)
        for planner in study.all_planners:
            PlannerSpec.parse(planner)
        check_axes(study.all_axes)
    except ValueError as error:
        raise ValueError(f"{where}: {_line(error)}") from error
    known = Known.from_json(manifest.get("known"), study.environments, study.all_planners)
    if known is None and not study.outside:
        known = study.all_known()
    if known is None:
        raise ValueError(f"{where} does not say what its environments and planners are like: name another folder")
    return study._replace(known=known)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _with_lists(study: Study) -> Study:
    lists: dict[str, Any] = {}
    for name in (*NAMES, *NUMBERS):
        value = getattr(study, name)
        if not isinstance(value, list | tuple):
            raise ValueError(f"{name} is {value!r}: write a list")
        if not value and name not in OPTIONAL:
            raise ValueError(f"{name} is empty: name at least one")
        if name == "environments":
            value = [each if isinstance(each, PLAIN) else name_of(each) for each in value]
        if name in NAMES and not all(isinstance(each, str) for each in value):
            raise ValueError(f"{name} are {list(value)}: write names")
        if name in NAMES and (odd := [each for each in value if not each.isprintable()]):
            raise ValueError(f"{name} has {odd[0]!r}: write a name without control characters")
        lists[name] = tuple(value)
    return study._replace(**lists)


def _check_numbers(study: Study) -> None:
    for name, most in NUMBERS.items():
        values = getattr(study, name)
        if not all(type(value) is int and 1 <= value <= most for value in values):
            raise ValueError(f"{name} are {list(values)}: write whole numbers, 1 to {most:,}")
        if any(a >= b for a, b in pairwise(values)):
            raise ValueError(f"{name} are {list(values)}: write them in order, the smallest first, none twice")
    for name in ("seeds", "cycles"):
        value = getattr(study, name)
        if type(value) is not int or value < 1:
            raise ValueError(f"{name} is {value!r}: write a whole number, 1 at least")
    for name in ("sampled_decisions", "warm_up", "first_seed"):
        value = getattr(study, name)
        if type(value) is not int or value < 0:
            raise ValueError(f"{name} is {value!r}: write a whole number, 0 at least")
    if study.sampled_decisions > study.cycles:
        raise ValueError(
            f"there are {study.sampled_decisions} sampled_decisions in {study.cycles} cycles: take more cycles"
        )


def _with_full_names(study: Study) -> Study:
    return study._replace(
        environments=tuple(make(name).title for name in study.environments),
        planners=tuple(map(_full_planner, study.planners)),
        learners=tuple(map(_full_planner, study.learners)),
        models=tuple(name if name == SHUFFLED else predictors.REGISTRY.find(name).title for name in study.models),
    )


def _with_tables(study: Study, title: Callable[[str], str]) -> Study:
    """See that tables make sense; `title` returns the full name of an environment."""
    for name in NAMES:
        if len(set(getattr(study, name))) < len(getattr(study, name)):
            raise ValueError(f"{name} has one twice")
    if not isinstance(study.settings, Mapping):
        raise ValueError(f"settings is {study.settings!r}: write a table for each environment, as in {TABLE}")
    if not isinstance(study.vary, Mapping):
        raise ValueError(f"vary is {study.vary!r}: write a table, as in vary = {{ epsilon = [0.1, 0.3] }}")
    if unknown := [field for field in study.vary if field not in Settings._fields]:
        raise ValueError(f"vary has {unknown[0]!r}: there are {', '.join(Settings._fields)}")
    for field, values in study.vary.items():
        if not isinstance(values, list | tuple) or not all(type(value) in (int, float) for value in values):
            raise ValueError(f"vary has {values!r} for {field}: write a list of numbers")
    settings = {}
    for name, own in study.settings.items():
        full = title(name)
        if full not in study.environments or full in settings:
            raise ValueError(f"there are settings for {name}, which is not among the environments, or has some already")
        if not isinstance(own, Mapping):
            raise ValueError(f"settings of {name} is {own!r}: write a table, as in {TABLE}")
        if unknown := [field for field in own if field not in Settings._fields]:
            raise ValueError(f"no setting {unknown[0]!r}: there are {', '.join(Settings._fields)}")
        if wrong := [field for field, value in own.items() if type(value) not in (int, float)]:
            raise ValueError(f"settings of {name}: {wrong[0]} is {own[wrong[0]]!r}: write a number")
        settings[full] = dict(own)
    if not isinstance(study.hypotheses, Mapping):
        raise ValueError(
            f'hypotheses is {study.hypotheses!r}: write a table, as in hypotheses = {{ frontier = "odds" }}'
        )
    for quantity, law in study.hypotheses.items():
        if quantity not in HYPOTHESES:
            raise ValueError(f"no law is about {quantity!r}: there are {', '.join(HYPOTHESES)}")
        if law not in HYPOTHESES[quantity]:
            raise ValueError(f"no law of {quantity} is called {law!r}: there are {', '.join(HYPOTHESES[quantity])}")
    vary = {field: tuple(values) for field, values in study.vary.items()}
    return study._replace(settings=settings, vary=vary)


def _full_planner(text: str) -> str:
    """The one short text of a planner."""
    spec = PlannerSpec.parse(text)
    return str(spec._replace(name=planners.REGISTRY.find(spec.name).title))


def _check_agents(study: Study) -> None:
    """See that all agents can be made."""
    known = all(declared(each).is_pomdp for each in study.environments)
    if not study.learning_models and not (study.models == (TRUE,) and known and not study.all_axes):
        raise ValueError(f"models are {list(study.models)}: name {CTW}, too, or another one that learns")
    if SHUFFLED in study.models and CTW not in study.models:
        raise ValueError(f"{SHUFFLED} is a control of {CTW}: name {CTW}, too")
    check_axes(study.all_axes)
    axes = (*AXES, *(axis.name for axis in study.all_axes))
    if unknown := [axis for axis in study.cross if axis not in axes]:
        raise ValueError(f"cross has {unknown[0]!r}: there are {', '.join(axes)}")
    for planner in study.planners:
        spec = PlannerSpec.parse(planner)
        if planners.planner_class(spec.name).model_free:
            names = [name for name in planners.PLANNERS if not planners.planner_class(name).model_free]
            raise ValueError(f"{planner} has no model: there are {', '.join(names)}; or name it among the learners")
        if spec.horizon or spec.simulations:
            raise ValueError(f"{planner}: horizon and simulations of a planner are axes of the study: leave them out")
        if (spec.searches or 1) > study.simulations[-1]:
            raise ValueError(f"{planner} needs a simulation for each search: name more than {study.simulations[-1]}")
    if PlannerSpec.parse(study.planners[0]).seconds is not None:
        raise ValueError(
            f"the first planner is {study.planners[0]}: begin with one that counts simulations, such as dpuct"
        )
    for title in study.environments:
        environment, settings = make(title), study.agent_settings(title)
        try:
            for field, values in study.vary.items():
                for value in values:
                    own: dict[str, Any] = {field: value}
                    build_agent(environment, planner=study.base_learner, settings=settings._replace(**own))
            as_integer("horizon", settings.horizon, 1, MAX_HORIZON)
            for learner in study.learners:
                build_agent(environment, planner=learner, settings=settings)
            for model in study.learning_models:
                predictors.make_predictor(model, environment, settings=settings)
            for model in (CTW, TRUE) if TRUE in study.models and declared(title).is_pomdp else (CTW,):
                for planner in study.planners:
                    searches = PlannerSpec.parse(planner).searches or 1
                    enough = settings._replace(simulations=searches)
                    build_planner(environment, planner, model=model, settings=enough)
        except ValueError as error:
            raise ValueError(f"settings of {title}: {error}") from error
    for run in study._replace(seeds=1).runs() if study.all_axes else ():
        deque(study.groups(run), maxlen=0)  # where an axis fails that can't be applied

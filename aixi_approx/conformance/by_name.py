"""Checks by name: an environment, a model, a planner or a rollout policy, whichever a name stands for."""

from __future__ import annotations

import inspect
import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import NamedTuple

from aixi_approx import envs, planners, predictors, rollouts
from aixi_approx.builder import CTW, as_spec, build_planner
from aixi_approx.conformance.diagnostic import FAILED, Diagnostic, until_failure
from aixi_approx.conformance.environment import check_environment
from aixi_approx.conformance.planner import examine_planner
from aixi_approx.conformance.predictor import check_bits, examine_predictor
from aixi_approx.conformance.rollout import examine_rollout
from aixi_approx.environment import Environment
from aixi_approx.planner import Planner
from aixi_approx.planner_spec import JOINS, OPTIONS
from aixi_approx.predictor import Predictor
from aixi_approx.registry import Registry, class_in_file
from aixi_approx.rollout import Rollout
from aixi_approx.validation import as_integer

ENVIRONMENT, MODEL, PLANNER, ROLLOUT = "environment", "model", "planner", "rollout policy"
REGISTRIES = {
    ENVIRONMENT: envs.REGISTRY,
    MODEL: predictors.REGISTRY,
    PLANNER: planners.REGISTRY,
    ROLLOUT: rollouts.REGISTRY,
}
CYCLES = {ENVIRONMENT: 1_000, MODEL: 30, PLANNER: 10, ROLLOUT: 10}
HORIZON, SIMULATIONS = 3, 100  # at most, of a planner that is checked: to be wrong it need not be good


class Report(NamedTuple):
    """What came of the checks of what a name stands for."""

    name: str
    kind: str  # environment, model, planner or rollout policy
    environment: str  # that it was checked in
    diagnostics: list[Diagnostic]

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return all(diagnostic.result != FAILED for diagnostic in self.diagnostics)


def check(
    name: str, *, environment: str | None = None, model: str | None = None, cycles: int | None = None, seed: int = 0
) -> Report:
    """Find out what a name stands for, and check it.

    Parameters
    ----------
    name : str
        Of an environment, a model, a planner or a rollout policy: one of a table, a class in a file, or an entry
        point; a planner with options or without. Where it could be several, an environment comes first.
    environment : str, default: "tiger"
        Where a model, a planner or a policy is checked.
    model : str, default: "ctw"
        What a planner plans on.
    cycles : int, optional
        Of random play; 1,000 for an environment, 30 for a model, 10 for a planner or policy if not given.
    seed : int, default: 0
        All that is random is a function of it.

    Raises
    ------
    ValueError
        If there is nothing of that name, it can't be built, or an option means nothing to it.

    Examples
    --------
    >>> check("ctw").passed, check("uniform").kind
    (True, 'rollout policy')
    """
    kind = kind_of(name)
    if environment and kind == ENVIRONMENT:
        raise ValueError(f"{name} is an environment itself: give no other")
    if model and kind != PLANNER:
        raise ValueError(f"{name} is no planner, which plans on a model: give no model")
    cycles = as_integer("cycles", CYCLES[kind] if cycles is None else cycles, 1, 1 << 31)
    if kind == ENVIRONMENT:
        return Report(name, kind, name, check_environment(name, cycles=cycles, seed=seed))
    world = envs.make(environment or "tiger")
    steps: Iterator[Diagnostic]
    component: Planner | Predictor | Rollout
    if kind == PLANNER:
        component, steps = _planner(name, world, model, cycles, seed)
    elif kind == MODEL:
        component = predictor = predictors.make_predictor(name, world)
        steps = _model(predictor, world, cycles, seed)
    else:
        learns = rollouts.REGISTRY.find(name).kind.learns
        component = rollout = (rollouts.make_policy if learns else rollouts.make_rollout)(name, world)
        steps = examine_rollout(rollout, cycles=cycles, seed=seed)
    return Report(name, kind, world.title, until_failure(steps, {type(component).__module__}))


def kind_of(name: str) -> str:
    """Return what a name stands for: environment, model, planner or rollout policy.

    Raises
    ------
    ValueError
        If there is nothing of that name.

    Examples
    --------
    >>> [kind_of(name) for name in ("tiger", "true", "majority:8", "uni")]
    ['environment', 'model', 'planner', 'rollout policy']
    """
    is_text = name.partition("?")[0].lower().endswith(envs.FILES)
    if is_text or name.startswith(("gym:", "open_spiel:")) or ">" in name:
        return ENVIRONMENT
    first = name.partition("?")[0].partition("+")[0]
    path, is_file, rest = first.partition(".py:")
    if is_file:
        return _kind_in_file(f"{path}.py", rest.partition(":")[0])
    known = first.partition(":")[0].replace("_", "-").lower()
    if known in (*JOINS, *OPTIONS):
        return PLANNER
    names = {kind: registry.names() for kind, registry in REGISTRIES.items()}
    for kind, those in names.items():
        if known in those:
            return kind
    for kind, those in names.items():
        if any(other.startswith(known) for other in those):
            return kind
    return _not_found(name)


def _kind_in_file(path: str, class_name: str) -> str:
    with redirect_stdout(io.StringIO()):  # it is run again when it is checked
        found = class_in_file(path, class_name)
    for kind, registry in REGISTRIES.items():
        if inspect.isclass(found) and issubclass(found, registry.base):
            return kind
    *some, last = [registry.base.__name__ for registry in REGISTRIES.values()]
    bases = f"aixi_approx.{', '.join(some)} or {last}"
    raise ValueError(f"{path}:{class_name}: there is no class of that name derived from {bases}")


def _not_found(name: str) -> str:
    """Raise what the tables say of a name that none of them has: what is nearest, or what there is."""
    errors: dict[Registry, str] = {}
    for registry in REGISTRIES.values():
        try:
            registry.find(name)
        except ValueError as error:
            errors[registry] = str(error)
    near = [error for error in errors.values() if error.endswith("?")]
    if near:
        raise ValueError(near[0])
    first = next(iter(errors.values()))
    names = ", ".join(other for registry in list(errors)[1:] for other in registry.names())
    raise ValueError(f"{first}; and no model, planner or rollout policy: there are {names}")


def _model(predictor: Predictor, world: Environment, cycles: int, seed: int) -> Iterator[Diagnostic]:
    yield check_bits(predictor, world)
    yield from examine_predictor(predictor, cycles=cycles, seed=seed, actions=world.coding.actions)


def _planner(
    name: str, world: Environment, model: str | None, cycles: int, seed: int
) -> tuple[Planner, Iterator[Diagnostic]]:
    spec, own = as_spec(name), world.settings
    simulations = max(spec.searches or 1, min(own.simulations, SIMULATIONS))
    settings = own._replace(horizon=min(own.horizon, HORIZON), simulations=simulations)
    planner = build_planner(world, spec, model=model or CTW, settings=settings)
    predictor = None
    if planner.learner() is None:
        predictor = predictors.make_predictor(model or CTW, world, settings=settings)
    elif model:
        raise ValueError(f"{name} has no model: give none")
    return planner, examine_planner(planner, predictor, environment=world.title, cycles=cycles, seed=seed)

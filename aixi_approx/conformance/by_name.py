"""Checks by name: an environment, a model, a planner or a rollout policy, whichever a name stands for."""

from __future__ import annotations

import inspect
import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import NamedTuple

from aixi_approx import envs, planners, predictors, rollouts
from aixi_approx.builder import CTW, as_spec, build_planner
from aixi_approx.conformance.diagnostic import FAILED, PASSED, Diagnostic, until_failure
from aixi_approx.conformance.environment import check_environment
from aixi_approx.conformance.planner import examine_planner
from aixi_approx.conformance.predictor import check_bits, examine_predictor
from aixi_approx.conformance.rollout import examine_rollout
from aixi_approx.environment import Settings
from aixi_approx.planner_spec import JOINS, OPTIONS
from aixi_approx.registry import Registry, class_in_file
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
        If there is nothing of that name, or an option means nothing to what there is.

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
    environment = environment or "tiger"
    world = envs.make(environment)
    if kind == PLANNER:
        steps, module = _planner(name, environment, model or CTW, cycles, seed), _module(as_spec(name).name, kind)
    elif kind == MODEL:
        steps, module = _model(name, environment, cycles, seed), _module(name, kind)
    else:
        steps, module = _rollout(name, environment, cycles, seed), _module(name, kind)
    return Report(name, kind, world.title, until_failure(steps, {module}))


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
    if name.startswith("gym:") or ">" in name:
        return ENVIRONMENT
    first = name.partition("+")[0]
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
    first, *others = errors.values()
    names = ", ".join(other for registry in list(errors)[1:] for other in registry.names())
    raise ValueError(f"{first}; and no model, planner or rollout policy: there are {names}")


def _module(name: str, kind: str) -> str:
    """The module that a class stands in."""
    return str(REGISTRIES[kind].find(name).kind.__module__)


def _settings(environment: str) -> Settings:
    own = envs.make(environment).settings
    return own._replace(horizon=min(own.horizon, HORIZON), simulations=min(own.simulations, SIMULATIONS))


def _model(name: str, environment: str, cycles: int, seed: int) -> Iterator[Diagnostic]:
    world = envs.make(environment)
    predictor = predictors.make(name, world)
    yield check_bits(predictor, world)
    yield from examine_predictor(predictor, cycles=cycles, seed=seed, actions=world.coding.actions)


def _planner(name: str, environment: str, model: str, cycles: int, seed: int) -> Iterator[Diagnostic]:
    world, settings = envs.make(environment), _settings(environment)
    planner = build_planner(world, name, model=model, settings=settings)
    predictor = None if planner.learner() else predictors.make(model, world, settings=settings)
    on = "without a model" if predictor is None else f"on the model {model}"
    yield Diagnostic("for_environment", PASSED, f"made for {world.title}, {on}")
    yield from examine_planner(planner, predictor, environment=environment, cycles=cycles, seed=seed)


def _rollout(name: str, environment: str, cycles: int, seed: int) -> Iterator[Diagnostic]:
    world = envs.make(environment)
    rollout = rollouts.make(name, world)
    yield Diagnostic("for_environment", PASSED, f"made for {world.title}")
    yield from examine_rollout(rollout, cycles=cycles, seed=seed)

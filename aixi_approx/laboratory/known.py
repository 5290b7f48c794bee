"""What a study has to know of its environments and planners; kept in its folder, so that reading it needs none of them.

A folder may come from somebody else, and to make an environment is to run its code. So what is in a folder is read
without; what goes on with it is told which code stands outside this package, and has to be trusted.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from aixi_approx import planners
from aixi_approx.builder import options_taken
from aixi_approx.environment import Settings
from aixi_approx.envs import make
from aixi_approx.laboratory.shapes import fits
from aixi_approx.planner_spec import PlannerSpec
from aixi_approx.pomdp.definition import POMDP


class Declared(NamedTuple):
    """What a study has to know of an environment."""

    settings: Settings
    """Its own."""
    is_pomdp: bool
    """Whether it has a true model."""


class Traits(NamedTuple):
    """What a study has to know of a planner."""

    model_free: bool
    """Whether it has no model."""
    needs_policy: bool
    """Whether it acts by a policy."""
    options: frozenset[str]
    """That it takes, as `options_taken` has them."""


_SETTINGS = {name: (float, None) if value is None else float for name, value in Settings()._asdict().items()}
_DECLARED = {"settings": _SETTINGS, "is_pomdp": bool}
_TRAITS = {"model_free": bool, "needs_policy": bool, "options": [str]}


@functools.cache
def declared(environment: str) -> Declared:
    """Return what an environment declares, which may take seconds: it is made.

    Parameters
    ----------
    environment : str
        Its name.
    """
    made = make(environment)
    return Declared(made.settings, isinstance(made, POMDP))


@functools.cache
def traits(planner: str) -> Traits:
    """Return what a planner is like; its class is loaded.

    Parameters
    ----------
    planner : str
        A short text.
    """
    spec = PlannerSpec.parse(planner)
    kind = planners.planner_class(spec.name)
    return Traits(kind.model_free, kind.needs_policy, frozenset(options_taken(spec)))


class Known(NamedTuple):
    """What is known of the environments and the planners of a study, by their names in it."""

    environments: Mapping[str, Declared]
    planners: Mapping[str, Traits]

    @classmethod
    def by_asking(cls, environments: tuple[str, ...], names: tuple[str, ...]) -> Self:
        """Return what environments and planners say of themselves."""
        return cls({name: declared(name) for name in environments}, {name: traits(name) for name in names})

    @classmethod
    def from_json(cls, content: Any, environments: tuple[str, ...], names: tuple[str, ...]) -> Self | None:
        """Return what `as_json` returned; None if it is something else, or not about these environments and planners.

        Parameters
        ----------
        content : Any
            The JSON.
        environments, names : tuple of str
            Environments, and planners.
        """
        shape = {"environments": dict.fromkeys(environments, _DECLARED), "planners": dict.fromkeys(names, _TRAITS)}
        if not fits(content, shape):
            return None
        worlds = {
            name: Declared(Settings(**each["settings"]), each["is_pomdp"])
            for name, each in content["environments"].items()
        }
        kinds = {
            name: Traits(**{**each, "options": frozenset(each["options"])})
            for name, each in content["planners"].items()
        }
        return cls(worlds, kinds)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        worlds = {
            name: {**each._asdict(), "settings": each.settings._asdict()} for name, each in self.environments.items()
        }
        kinds = {name: {**each._asdict(), "options": sorted(each.options)} for name, each in self.planners.items()}
        return {"environments": worlds, "planners": kinds}

"""Conditions: what a study measures, each with its coordinates.

A training run is an agent that learns. A checkpoint is what a predictor has learned from its first cycles. A setting is
a way to decide with it, for some cycles. A condition is a checkpoint and a setting; its coordinates are its place in the
study, and from them follow the name of its file, the fields of its row, and where it is looked up. A new axis is a field
of one of the three.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self
from urllib.parse import quote

from aixi_approx.environment import Settings
from aixi_approx.planner_spec import PlannerSpec

SAFE = ":>@?= +"  # in the name of a file, beside letters and digits

Cycle = tuple[int, int, int]  # action, observation, reward


class TrainingRun(NamedTuple):
    """An agent that learns in an environment from nothing."""

    environment: str
    learner: str  # the planner that it learns with, as short text
    seed: int
    settings: Settings

    @property
    def coordinates(self) -> dict[str, Any]:
        """Where it stands in a study."""
        return {"environment": self.environment, "learner": self.learner, "seed": self.seed}


class Checkpoint(NamedTuple):
    """A predictor after some experience."""

    run: TrainingRun
    experience: int  # cycles of the run that it has learned
    model: str  # what predicts
    depth: int  # bits of context

    @property
    def coordinates(self) -> dict[str, Any]:
        """Where it stands in a study."""
        own = {"experience": self.experience, "model": self.model, "depth": self.depth}
        return {**self.run.coordinates, **own}


class Setting(NamedTuple):
    """A way to decide, and for how long."""

    planner: PlannerSpec  # with its horizon, and its simulations where it counts them
    cycles: int  # of greedy evaluation
    learn: bool = False  # whether the predictor goes on learning meanwhile

    @property
    def coordinates(self) -> dict[str, Any]:
        """Where it stands in a study; simulations are 0 for a planner that does not count them."""
        planner = self.planner
        return {
            "planner": planner.title,
            "horizon": planner.horizon or 0,
            "simulations": planner.simulations or 0,
            "cycles": self.cycles,
            "learn": self.learn,
        }

    @classmethod
    def at(cls, row: Mapping[str, Any]) -> Self:
        """Return the setting with the coordinates of a row."""
        planner = PlannerSpec.parse(row["planner"])
        planner = planner._replace(horizon=row["horizon"] or None, simulations=row["simulations"] or None)
        return cls(planner, row["cycles"], row["learn"])


class Group(NamedTuple):
    """The conditions of one checkpoint, which are measured together."""

    checkpoint: Checkpoint
    settings: tuple[Setting, ...]
    sampled_decisions: int  # of each evaluation, whose regret is analysed


def file_name(coordinates: Mapping[str, Any], *more: object) -> str:
    """Return the name of the file of what has these coordinates."""
    return "-".join(quote(str(part), safe=SAFE) for part in (*coordinates.values(), *more)) + ".json"

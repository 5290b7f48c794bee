"""Conditions: what a study measures, each with its coordinates.

A training run is an agent that learns. A checkpoint is what a predictor has learned from its first cycles. A setting
is a way to decide with it, for some cycles. A condition is a checkpoint and a setting. Its coordinates are its place in
the study: from them follow the name of its file, the fields of its row, and where it is looked up. A new axis is a
field of one of the three.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, Self
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
    axes: tuple[tuple[str, Any], ...] = ()  # name and value of axes of your own

    @property
    def coordinates(self) -> dict[str, Any]:
        """Where it stands in a study."""
        own = {"environment": self.environment, "learner": self.learner, "seed": self.seed}
        return {**own, **({"run_axes": dict(self.axes)} if self.axes else {})}


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
    axes: tuple[tuple[str, Any], ...] = ()  # name and value of axes of your own

    @property
    def coordinates(self) -> dict[str, Any]:
        """Where it stands in a study; simulations are 0 for a planner that does not count them."""
        planner = self.planner
        own = {
            "planner": planner.title,
            "horizon": planner.horizon or 0,
            "simulations": planner.simulations or 0,
            "cycles": self.cycles,
            "learn": self.learn,
        }
        return {**own, **({"axes": dict(self.axes)} if self.axes else {})}

    @classmethod
    def at(cls, row: Mapping[str, Any]) -> Self:
        """Return the setting with the coordinates of a row."""
        planner = PlannerSpec.parse(row["planner"])
        planner = planner._replace(horizon=row["horizon"] or None, simulations=row["simulations"] or None)
        return cls(planner, row["cycles"], row["learn"], tuple(row.get("axes", {}).items()))


class Group(NamedTuple):
    """The conditions of one checkpoint, which are measured together."""

    checkpoint: Checkpoint
    settings: tuple[Setting, ...]
    sampled_decisions: int  # of each evaluation, whose regret is analysed


def file_name(coordinates: Mapping[str, Any], *more: object) -> str:
    """Return the name of the file of what has these coordinates."""
    parts: list[object] = []
    for part in (*coordinates.values(), *more):
        parts += [f"{name}={value}" for name, value in part.items()] if isinstance(part, Mapping) else [part]
    return "-".join(quote(str(part), safe=SAFE) for part in parts) + ".json"


class Plan(Protocol):
    """What a laboratory asks of a study: which conditions there are. It can be written as JSON, and grow."""

    @property
    def seeds(self) -> int:
        """Number of training runs that differ in nothing but their seed."""

    def runs(self) -> list[TrainingRun]:
        """Return all training runs, seed after seed."""

    def marks(self, run: TrainingRun) -> Sequence[int]:
        """Return the cycles that the segments of a training run end at, ascending."""

    def groups(self, run: TrainingRun) -> Iterator[Group]:
        """Yield the conditions that are measured with the experience of a training run."""

    def as_json(self) -> dict[str, Any]:
        """Return all of it as JSON has it."""

    def with_seeds(self, seeds: int) -> Self:
        """Return the same study with another number of seeds."""

    def obstacle(self, earlier: Self) -> str:
        """Return what keeps this study from continuing an earlier one, or nothing: the field, and what it was."""

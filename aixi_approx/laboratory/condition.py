"""Conditions: what a study measures, each with its coordinates.

A training run is an agent that learns. A checkpoint is what a predictor has learned from the first cycles of a run. A
setting is a way to decide with it, for some cycles. A condition is a checkpoint and a setting. Its coordinates are its
place in the study: they determine the name of its file, the fields of its row, and where it is looked up. A new axis is
a field of one of the three.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, Self
from urllib.parse import quote

from aixi_approx.environment import Percept, Settings
from aixi_approx.planner_spec import PlannerSpec

SAFE = ":>@?= +"  # in the name of a file, besides letters, digits and -_.~


class Cycle(NamedTuple):
    """What happened in a cycle of a training run."""

    action: int
    observation: int
    reward: float
    lesson: int = 0
    """1 if the policy of the learner learned the action. Without a policy it is always 0."""

    @property
    def percept(self) -> Percept:
        """What the environment answered."""
        return Percept(self.observation, self.reward)


class TrainingRun(NamedTuple):
    """An agent that learns in an environment, from the first cycle on."""

    environment: str
    """Its full name."""
    learner: str
    """The planner that it learns with, as a short text."""
    seed: int
    """Of the agent and of the environment."""
    settings: Settings
    """Of the agent."""
    axes: tuple[tuple[str, Any], ...] = ()
    """Name and value of axes of your own."""

    @property
    def coordinates(self) -> dict[str, Any]:
        """Its place in a study."""
        own = {"environment": self.environment, "learner": self.learner, "seed": self.seed}
        return {**own, **({"run_axes": dict(self.axes)} if self.axes else {})}


class Checkpoint(NamedTuple):
    """A predictor after some experience."""

    run: TrainingRun
    """Where its experience comes from."""
    experience: int
    """Cycles of the run that it has learned."""
    model: str
    """What predicts."""
    depth: int
    """Bits of context."""

    @property
    def coordinates(self) -> dict[str, Any]:
        """Its place in a study."""
        own = {"experience": self.experience, "model": self.model, "depth": self.depth}
        return {**self.run.coordinates, **own}


class Setting(NamedTuple):
    """A way to decide, and for how long."""

    planner: PlannerSpec
    """With its horizon, and its simulations if it counts them."""
    cycles: int
    """Of greedy evaluation."""
    learn: bool = False
    """Whether the predictor continues to learn meanwhile."""
    axes: tuple[tuple[str, Any], ...] = ()
    """Name and value of axes of your own."""

    @property
    def coordinates(self) -> dict[str, Any]:
        """Its place in a study; horizon and simulations are 0 for a planner that has none."""
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
        """Return the setting that has the coordinates of a row: the inverse of `coordinates`.

        Parameters
        ----------
        row : mapping of str to Any
            With the fields of `coordinates`, and possibly others.

        Raises
        ------
        ValueError
            If the planner can't be read.
        KeyError
            If a field is missing.
        """
        planner = PlannerSpec.parse(row["planner"])
        planner = planner._replace(horizon=row["horizon"] or None, simulations=row["simulations"] or None)
        return cls(planner, row["cycles"], row["learn"], tuple(row.get("axes", {}).items()))


class Group(NamedTuple):
    """The conditions of one checkpoint, which are measured together."""

    checkpoint: Checkpoint
    """What decides."""
    settings: tuple[Setting, ...]
    """How."""
    sampled_decisions: int
    """Decisions of each evaluation whose regret is split into its parts."""
    warm_up: int | None = None
    """Cycles at the beginning of each evaluation that are not counted. The evaluation goes on in the environment as
    learning left it. None: as that of a run, it begins in an environment that is reset, and all cycles count."""


def file_name(coordinates: Mapping[str, Any], *more: object) -> str:
    """Return the name of a file; other coordinates have another one.

    Parameters
    ----------
    coordinates : mapping of str to Any
        Of what the file holds, the environment first.
    *more : object
        Further parts of the name.

    Returns
    -------
    str
        All parts, with dashes between them. Within a part, characters that a file name can't have are percent-encoded,
        and so is the dash in all parts but the first.

    Examples
    --------
    >>> file_name({"environment": "kuhn-poker", "learner": "q-learning", "seed": 0}, 1000)
    'kuhn-poker-q%2Dlearning-0-1000.json'
    """
    parts: list[object] = []
    for part in (*coordinates.values(), *more):
        parts += [f"{name}={value}" for name, value in part.items()] if isinstance(part, Mapping) else [part]
    first, *others = (quote(str(part), safe=SAFE) for part in parts)
    return "-".join([first, *(part.replace("-", "%2D") for part in others)]) + ".json"


class Plan(Protocol):
    """What a laboratory needs of a study: which conditions there are. It can be written as JSON, and grow."""

    @property
    def seeds(self) -> int:
        """How many agents there are of each kind; `_replace` changes it."""

    def _replace(self, *, seeds: int) -> Self: ...

    def runs(self) -> list[TrainingRun]:
        """Return all training runs, seed after seed."""

    def marks(self, run: TrainingRun) -> Sequence[int]:
        """Return the cycles at which the segments of a training run end, ascending."""

    def groups(self, run: TrainingRun) -> Iterator[Group]:
        """Yield the conditions that are measured with the experience of a training run."""

    def as_json(self) -> dict[str, Any]:
        """Return the study as JSON."""

    def obstacle(self, earlier: Self) -> str:
        """Return why this study can't continue an earlier one: what was different there; empty if it can."""

"""Axes of your own: what else a study varies, beside experience, simulations, depth, horizon, planner and model.

An axis has a name, some values, and a function that applies a value: to a training run, if it is about learning, or to
a setting, if it is about deciding. In a study file in Python:

    def explore(run, epsilon):
        return run._replace(settings=run.settings._replace(epsilon=epsilon, decay=1.0))

    study = Study(..., axes=(Axis("epsilon", (0.1, 0.3), run=explore),))

Each value is measured after the most experience, at all simulations, with everything else as on the plane; at each
experience if `cross` names the axis. Its name and value are coordinates: they stand in the names of files and in rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from aixi_approx.laboratory.condition import Setting, TrainingRun


class Axis(NamedTuple):
    """Something that a study varies.

    Attributes
    ----------
    name : str
        Of the axis.
    values : tuple of int, float or str
        That it takes. The plane itself is measured without it.
    run : callable, optional
        Takes a training run and a value, and returns the run with that value.
    setting : callable, optional
        Takes a setting and a value, and returns the setting with that value. An axis has one of the two.
    """

    name: str
    values: tuple[Any, ...]
    run: Callable[[TrainingRun, Any], TrainingRun] | None = None
    setting: Callable[[Setting, Any], Setting] | None = None

    def of_run(self, run: TrainingRun, value: Any) -> TrainingRun:
        """Return a training run with a value, which becomes a coordinate."""
        return self.run(run, value)._replace(axes=((self.name, value),)) if self.run else run

    def of_setting(self, setting: Setting, value: Any) -> Setting:
        """Return a setting with a value, which becomes a coordinate."""
        return self.setting(setting, value)._replace(axes=((self.name, value),)) if self.setting else setting


def check_axes(axes: tuple[Axis, ...]) -> None:
    """Raise ValueError if an axis makes no sense."""
    for axis in axes:
        if not isinstance(axis, Axis):
            raise ValueError(f"axes has {axis!r:.60}: write Axis(name, values, run=... or setting=...)")
        if not axis.values or not all(isinstance(value, int | float | str) for value in axis.values):
            raise ValueError(f"axis {axis.name}: values are {axis.values!r}: write numbers or texts, at least one")
        if (axis.run is None) == (axis.setting is None):
            raise ValueError(f"axis {axis.name}: give it one of run and setting")

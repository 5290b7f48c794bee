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
from typing import Any, NamedTuple, TypeVar

from aixi_approx.laboratory.condition import Setting, TrainingRun
from aixi_approx.validation import describe_error

AXES = ("depths", "horizons", "planners")  # of every study
T = TypeVar("T", TrainingRun, Setting)


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
        return self._applied(self.run, run, value)._replace(axes=((self.name, value),)) if self.run else run

    def of_setting(self, setting: Setting, value: Any) -> Setting:
        """Return a setting with a value, which becomes a coordinate."""
        if not self.setting:
            return setting
        return self._applied(self.setting, setting, value)._replace(axes=((self.name, value),))

    def _applied(self, function: Callable[[T, Any], T], to: T, value: Any) -> T:
        """What a function of the user's own makes of a run or a setting."""
        try:
            changed = function(to, value)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            told = describe_error(error, {getattr(function, "__module__", "")})
            raise ValueError(f"axis {self.name}: the value {value!r} can't be applied: {told}") from error
        if not isinstance(changed, type(to)):
            raise ValueError(f"axis {self.name}: its function returned {changed!r:.60}: return a {type(to).__name__}")
        return changed


def check_axes(axes: tuple[Axis, ...]) -> None:
    """Raise ValueError if an axis makes no sense."""
    if not isinstance(axes, list | tuple):
        raise ValueError(f"axes is {axes!r:.60}: write a tuple")
    names = [axis.name for axis in axes if isinstance(axis, Axis)]
    for axis in axes:
        if not isinstance(axis, Axis):
            raise ValueError(f"axes has {axis!r:.60}: write Axis(name, values, run=... or setting=...)")
        if not isinstance(axis.name, str) or not axis.name or names.count(axis.name) > 1 or axis.name in AXES:
            raise ValueError(
                f"axes has the name {axis.name!r}: give each a name of its own, other than {' and '.join(AXES)}"
            )
        values = axis.values if isinstance(axis.values, list | tuple) else ()
        if not values or not all(isinstance(value, int | float | str) and value == value for value in values):
            raise ValueError(f"axis {axis.name}: values are {axis.values!r}: write numbers or texts, at least one")
        if len(set(values)) < len(values):
            raise ValueError(f"axis {axis.name}: values are {axis.values!r}: write none twice")
        if (axis.run is None) == (axis.setting is None):
            raise ValueError(f"axis {axis.name}: give it one of run and setting")

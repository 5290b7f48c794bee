"""The shapes of what a study's files hold: fields, and the types of their values.

A checksum tells what was damaged, but files of other hands have one, too; so whatever is read is compared with the
shape of what is written. A shape is a type, a list of one shape or of as many as there are values, a tuple of shapes of
which one fits, a mapping from the names of fields to shapes, or None. The name of a field that may be missing ends in a
question mark.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from aixi_approx.laboratory.condition import Cycle
from aixi_approx.laboratory.regret import RegretParts
from aixi_approx.predictors.context_tree import BestTree

UNKNOWN = (float, None)
_PARTS = ({part: UNKNOWN for part in RegretParts._fields}, None)  # noqa: C420
_ENDS = [UNKNOWN, UNKNOWN]
_AXES = {"run_axes?": dict, "axes?": dict}
ROW = {
    **_AXES,
    "planner": str,
    "horizon": int,
    "simulations": int,
    "cycles": int,
    "learn": bool,
    "reward": float,
    "reward_low": UNKNOWN,
    "reward_high": UNKNOWN,
    "regret": UNKNOWN,
    "wrong": UNKNOWN,
    "boundary": UNKNOWN,
    "within_horizon": _PARTS,
    "long_run": _PARTS,
    "simple_regret": UNKNOWN,
    "bounds": ({"prediction": _ENDS, "decision": _ENDS, "simple_regret": _ENDS}, None),
    "certified": UNKNOWN,
    "searched": float,
    "bits": UNKNOWN,
    "visits": UNKNOWN,
    "seconds": float,
}
LEARNED = {
    "log_loss?": float,
    "seconds?": float,
    "best_tree?": {field: float for field in BestTree._fields},  # noqa: C420
    "nodes?": UNKNOWN,
    "bits?": UNKNOWN,
    "visits?": UNKNOWN,
}
WORLD = {"random_reward": UNKNOWN, "optimum": UNKNOWN, "receding_reward": UNKNOWN}
CONDITIONS = {"coordinates": dict, "world": WORLD, "learned": LEARNED, "rows": [ROW]}
SEGMENT = {
    "coordinates": dict,
    "experience": int,
    "cycles": list,
    "entropy": UNKNOWN,
    "simulations": int,
    "bits": UNKNOWN,
    "visits": UNKNOWN,
    "seconds": float,
}


def fits(value: Any, shape: Any) -> bool:
    """Return whether something read from JSON has a shape; a number that is not finite fits none.

    >>> fits({"a": [1, 2.5], "b": None}, {"a": [float], "b": (str, None), "c?": int})
    True
    >>> fits({"a": [True]}, {"a": [float]}), fits(float("nan"), float)
    (False, False)
    """
    if isinstance(shape, tuple):
        return any(fits(value, one) for one in shape)
    if isinstance(shape, list):
        if not isinstance(value, list) or len(value) != len(shape) > 1:
            return False
        return all(fits(each, shape[i % len(shape)]) for i, each in enumerate(value))
    if isinstance(shape, Mapping):
        if not isinstance(value, Mapping):
            return False
        names = {name.removesuffix("?"): one for name, one in shape.items()}
        needed = {name for name in shape if not name.endswith("?")}
        return needed <= value.keys() <= names.keys() and all(fits(value[name], names[name]) for name in value)
    if shape is None:
        return value is None
    if shape is float:
        return type(value) in (int, float) and math.isfinite(value)
    return type(value) is shape


def are_cycles(values: Sequence[Any]) -> bool:
    """Return whether all of these, of which there may be very many, are cycles as they are written."""
    if not values:
        return True
    if set(map(type, values)) != {list} or set(map(len, values)) != {len(Cycle._fields)}:
        return False
    return set(map(type, chain.from_iterable(values))) == {int} and {cycle[-1] for cycle in values} <= {0, 1}

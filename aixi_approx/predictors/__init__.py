"""The predictors, by name. A new one is a file here and a line in the table.

A predictor of your own goes by `my_predictor.py:Mine`, one of an installed package by an entry point of the group
`aixi_approx.predictors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aixi_approx._lazy import lazy
from aixi_approx.registry import Registry

if TYPE_CHECKING:
    from aixi_approx.environment import Environment, Settings
    from aixi_approx.predictor import Predictor
    from aixi_approx.predictors.context_tree import ContextTree as ContextTree
    from aixi_approx.predictors.context_tree import FactoredContextTree as FactoredContextTree
    from aixi_approx.predictors.true_model import TrueModel as TrueModel

PREDICTORS = {
    "ctw": "context_tree:FactoredContextTree",
    "true": "true_model:TrueModel",
}
REGISTRY = Registry(
    "model",
    package=__name__,
    table=PREDICTORS,
    base="aixi_approx.predictor:Predictor",
    group="aixi_approx.predictors",
)

__getattr__, __dir__, __all__ = lazy(
    __name__, {"context_tree": ("ContextTree", "FactoredContextTree"), "true_model": ("TrueModel",)}
)


def predictor_class(name: str) -> type[Predictor]:
    """Return the class of a predictor.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    kind: type[Predictor] = REGISTRY.find(name).kind
    return kind


def make_predictor(name: str, environment: Environment, *, settings: Settings | None = None) -> Predictor:
    """Return a new predictor for an environment.

    Parameters
    ----------
    name : str
        One of `PREDICTORS`, a class in a file, or an entry point.
    environment : Environment
        What it is to predict.
    settings : Settings, default: those of the environment
        Where its `options` are taken from.

    Raises
    ------
    ValueError
        If there is none of that name, or it can't be built for this environment.

    Examples
    --------
    >>> from aixi_approx.envs import make
    >>> make_predictor("ctw", make("tiger")).depth
    96
    """
    settings = environment.settings if settings is None else settings
    kind = predictor_class(name)
    if unknown := [option for option in kind.options if option not in settings._fields]:
        what = f"options has {unknown[0]!r}: it is a tuple of fields of Settings: {', '.join(settings._fields)}"
        raise ValueError(f"{name}: {what}")
    options = {option: getattr(settings, option) for option in kind.options}
    predictor: Predictor = REGISTRY.build(name, environment, **options)
    return predictor

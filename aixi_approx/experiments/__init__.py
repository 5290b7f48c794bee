"""Experiments: a single run of an agent, recorded as it proceeds, and its recovery from changes."""

from typing import TYPE_CHECKING

from aixi_approx._lazy import lazy

if TYPE_CHECKING:
    from aixi_approx.experiments.experiment import Experiment as Experiment
    from aixi_approx.experiments.experiment import RunResult as RunResult
    from aixi_approx.experiments.experiment import run as run

__getattr__, __dir__, __all__ = lazy(__name__, {"experiment": ("Experiment", "RunResult", "run")})

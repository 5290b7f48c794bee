"""Experiments: a single run of an agent, recorded as it proceeds, and its recovery from changes."""

from typing import TYPE_CHECKING

from aixi_approx._lazy import lazy

if TYPE_CHECKING:
    from aixi_approx.experiments.collection import Collection as Collection
    from aixi_approx.experiments.experiment import Experiment as Experiment
    from aixi_approx.experiments.progress import show_progress as show_progress
    from aixi_approx.experiments.recording import recorded_rows as recorded_rows
    from aixi_approx.experiments.result import RunResult as RunResult
    from aixi_approx.experiments.running import run as run

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "collection": ("Collection",),
        "experiment": ("Experiment",),
        "result": ("RunResult",),
        "running": ("run",),
        "progress": ("show_progress",),
        "recording": ("recorded_rows",),
    },
)

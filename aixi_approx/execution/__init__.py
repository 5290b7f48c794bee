"""Execution: tasks on the processes of this machine or on a cluster, and result folders that survive interruptions."""

from typing import TYPE_CHECKING

from aixi_approx._lazy import lazy

if TYPE_CHECKING:
    from aixi_approx.execution.engines import engine as engine
    from aixi_approx.execution.folder import JsonLines as JsonLines

__getattr__, __dir__, __all__ = lazy(__name__, {"engines": ("engine",), "folder": ("JsonLines",)})

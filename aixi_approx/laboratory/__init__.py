"""The laboratory: how agents scale with experience and search, and where their losses come from."""

from typing import TYPE_CHECKING

from aixi_approx._lazy import lazy

if TYPE_CHECKING:
    from aixi_approx.laboratory.axes import Axis as Axis
    from aixi_approx.laboratory.results import Results as Results
    from aixi_approx.laboratory.results import find_results as find_results
    from aixi_approx.laboratory.runner import Laboratory as Laboratory
    from aixi_approx.laboratory.store import read_rows as read_rows
    from aixi_approx.laboratory.study import Study as Study
    from aixi_approx.laboratory.study import read_study as read_study

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "axes": ("Axis",),
        "results": ("Results", "find_results"),
        "runner": ("Laboratory",),
        "store": ("read_rows",),
        "study": ("Study", "read_study"),
    },
)

"""Laws: forms of dependence that are fitted to data, and judged by how well they extrapolate."""

from typing import TYPE_CHECKING

from aixi_approx._lazy import lazy

if TYPE_CHECKING:
    from aixi_approx.laws.curves import fit_curve as fit_curve
    from aixi_approx.laws.curves import fit_resampled as fit_resampled
    from aixi_approx.laws.extrapolation import Comparison as Comparison
    from aixi_approx.laws.frontier import Frontier as Frontier
    from aixi_approx.laws.frontier import find_frontier as find_frontier
    from aixi_approx.laws.joint import fit_joint_law as fit_joint_law
    from aixi_approx.laws.total_excess import fit_total_excess as fit_total_excess
    from aixi_approx.laws.trade_off import TradeOff as TradeOff
    from aixi_approx.laws.trade_off import fit_trade_off as fit_trade_off

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "curves": ("fit_curve", "fit_resampled"),
        "extrapolation": ("Comparison",),
        "frontier": ("Frontier", "find_frontier"),
        "joint": ("fit_joint_law",),
        "total_excess": ("fit_total_excess",),
        "trade_off": ("TradeOff", "fit_trade_off"),
    },
)

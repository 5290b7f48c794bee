"""The law of compute in one picture: the score over all that was computed, one curve for all, and what it was spent on.

The law is that of a dose and its response (Hill 1910, "The possible effects of the aggregation of the molecules of
haemoglobin on its dissociation curves", Journal of Physiology 40): the odds score / (1 - score) are (C / C50)^gamma,
where C is the total compute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import LogLocator, NullFormatter

from aixi_approx.display.palette import BLACK, GREY, line_styles
from aixi_approx.display.picture import Picture
from aixi_approx.laboratory.plot_parts import SMALL, WIDTH, finish, short
from aixi_approx.laboratory.results import Array
from aixi_approx.laws.bootstrap import estimate
from aixi_approx.laws.estimate import Estimate
from aixi_approx.laws.extrapolation import Comparison
from aixi_approx.laws.frontier import Frontier

HEIGHT = 8.4  # inches
HEADLINE = 14  # points, of the headline
POINT = 6  # size of a marker, points
FINE = 300  # points of a smooth line
ROWS = 7  # of the table, at least
OF = {"bits": "bits predicted or learned", "visits": "visits to nodes"}
COLUMNS = (0.0, 0.04, 0.31, 0.72)  # of the table: marker, name and both numbers


class LawCurve(NamedTuple):
    """The score in one environment over total compute, and the law of it."""

    label: str
    """Of the environment."""
    compute: Array
    """float[M]: total compute of learning and of deciding, positive, ascending."""
    score: Array
    """float[M]: the best mean score that it buys: 0 for the random agent, 1 for the best one."""
    low: Array
    """float[M]: where its 95 % interval begins."""
    high: Array
    """float[M]: where it ends."""
    fitted: int
    """The law was fitted to so many points, the first; it foresees the others."""
    law: Callable[[Array], Array]
    """From compute, float[K], to score, float[K]."""
    c50: Estimate
    """The compute with a score of one half."""
    gamma: Estimate
    """How steeply the odds rise."""
    share: Array
    """float[M]: the part of the compute, 0 to 1, that goes to learning where the score is best; NaN is unknown."""
    share_low: Array
    """float[M]: where its interval begins."""
    share_high: Array
    """float[M]: where it ends."""
    unit: str
    """Of the compute, in the plural, such as "bits"."""


def law_curve(label: str, found: Frontier, *, law: Comparison, unit: str, end: float = 1.0) -> LawCurve | None:
    """Return what is drawn of a compute-optimal frontier; None if no odds were fitted to it.

    Parameters
    ----------
    label : str
        Of the environment.
    found : Frontier
        The best score for each amount of compute.
    law : Comparison
        Of the laws that were fitted to it.
    unit : str
        Of the compute.
    end : float, default: 1.0
        The score that is drawn as 1.
    """
    odds = next((fit for fit in law.laws if fit.name == "odds"), None)
    if odds is None:
        return None
    score, share = (np.array([estimate(column) for column in each.T]).T for each in (found.score / end, found.share))
    share = np.where(np.isfinite(share), share, np.nan)  # one seed has no interval
    fitted = {name: estimate(column) for name, column in zip(odds.parameters, odds.fitted_small.T, strict=True)}
    return LawCurve(
        label,
        found.compute,
        score=score[0],
        low=score[1],
        high=score[2],
        fitted=law.points_fitted,
        law=lambda compute: odds.forecast(compute, small=True).mean / end,
        c50=fitted["x0"],
        gamma=fitted["b"],
        share=share[0],
        share_low=share[1],
        share_high=share[2],
        unit=unit,
    )


def draw_law(curves: Sequence[LawCurve]) -> Picture:
    """Draw the score over total compute in several environments, and all of them on one line.

    Parameters
    ----------
    curves : sequence of LawCurve
        One at least, with the same unit.

    Returns
    -------
    Picture
        Three panels: the score over compute, the odds over scaled compute, the share of learning; and a table.

    Raises
    ------
    ValueError
        If there are no curves, or their units differ.
    """
    units = {curve.unit for curve in curves}
    if len(units) != 1:
        raise ValueError(f"the units are {', '.join(sorted(units)) or 'none'}: they must be one")
    figure = Picture(figsize=(WIDTH, HEIGHT), layout=ConstrainedLayoutEngine(hspace=0.05, wspace=0.03))
    grid = figure.add_gridspec(2, 2, width_ratios=(1.5, 1), height_ratios=(1.75, 1))
    scores, odds, shares, table = (figure.add_subplot(grid[i, j]) for i, j in product(range(2), range(2)))
    shares.sharex(scores)
    hollow = line_styles(len(curves))
    styles = [{"color": style["color"], "marker": style["marker"], "markersize": POINT} for style in hollow]
    everything = np.concatenate([curve.compute for curve in curves])
    limits = float(everything.min()) / 1.5, float(everything.max()) * 1.5
    _scores(scores, curves, styles)
    _odds(odds, curves, styles)
    _shares(shares, curves, hollow)
    _table(table, curves, styles)
    (unit,) = units
    for axes in (scores, shares):
        axes.set(xscale="log", xlim=limits)
        axes.xaxis.set_major_locator(LogLocator())
        axes.xaxis.set_major_formatter(lambda value, _: short(value))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.grid(alpha=0.3)
    shares.set_xlabel(f"total compute, {OF.get(unit, unit)}: learning and deciding")
    scores.set_xlabel(f"total compute, {OF.get(unit, unit)}: learning and deciding")
    figure.suptitle("What an agent achieves with all that it computes", fontsize=HEADLINE, fontweight="bold")
    finish((scores, odds, shares))
    return figure


def _scores(axes: Axes, curves: Sequence[LawCurve], styles: Sequence[dict[str, Any]]) -> None:
    """Measured scores, and the law: solid where it was fitted, dashed where it foresees."""
    for curve, style in zip(curves, styles, strict=True):
        first, last = float(curve.compute[0]), float(curve.compute[-1])
        border = float(curve.compute[curve.fitted - 1]) if curve.fitted else first
        for begin, end, dashes in ((first, border, "-"), (border, last, (0, (4, 2)))):
            if begin < end:
                x = np.geomspace(begin, end, FINE)
                axes.plot(x, curve.law(x), color=style["color"], ls=dashes, lw=1.8)
        for some, face in ((slice(curve.fitted), style["color"]), (slice(curve.fitted, None), "white")):
            _points(axes, curve.compute[some], curve.score[some], (curve.low[some], curve.high[some]), face, style)
    means = np.concatenate([curve.score for curve in curves])
    bottom = min(0.0, float(np.nanmin(means)))
    axes.axhline(1, color=BLACK, lw=0.8, ls=":")
    axes.axhline(0, color=BLACK, lw=0.8, ls=":")
    axes.set_ylim(bottom - 0.06, 1.12)  # intervals may be cut off
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0, random", "¼", "½", "¾", "1, best"])
    axes.set_ylabel("how much of the way from acting at random\nto the best possible")
    axes.set_title("score over total compute")
    axes.plot([], [], color=GREY, marker="o", ms=POINT, ls="-", label="measured, and the law fitted to it")
    axes.plot([], [], color=GREY, marker="o", ms=POINT, mfc="white", ls=(0, (4, 2)), label="foreseen, and measured")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2, fontsize=SMALL, frameon=False, handlelength=4)


def _odds(axes: Axes, curves: Sequence[LawCurve], styles: Sequence[dict[str, Any]]) -> None:
    """All curves as one: the odds over the compute relative to that of one half, to the power gamma."""
    left_out, total, ends = 0, 0, [1.0]
    for curve, style in zip(curves, styles, strict=True):
        with np.errstate(over="ignore"):
            x = (curve.compute / curve.c50.mean) ** curve.gamma.mean
        there = (curve.low > 0) & (curve.high < 1) & np.isfinite(x) & (x > 0)
        left_out, total = left_out + int((~there).sum()), total + len(x)
        y = np.array([value[there] / (1 - value[there]) for value in (curve.score, curve.low, curve.high)])
        early = np.flatnonzero(there) < curve.fitted
        for some, face in ((early, style["color"]), (~early, "white")):
            _points(axes, x[there][some], y[0, some], (y[1, some], y[2, some]), face, style)
        ends += [*x[there], *y[0]]
    ends = [min(ends) / 2, max(ends) * 2]
    axes.plot(ends, ends, color=BLACK, lw=1.2, zorder=1, label="the law")
    axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(numticks=8))
        axis.set_major_formatter(lambda value, _: _odds_text(value))
        axis.set_minor_formatter(NullFormatter())
    axes.set(
        xlabel=f"(compute / compute for ½)$^\\gamma$\n{left_out} of {total} points left out: intervals reach 0 or 1",
        ylabel="odds: score / (1 - score)",
        title="each scaled by its own law",
    )
    axes.grid(alpha=0.3)


def _odds_text(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"1/{1 / value:,.0f}"


def _shares(axes: Axes, curves: Sequence[LawCurve], styles: Sequence[dict[str, Any]]) -> None:
    """The share of learning where the score is best, with bands."""
    for curve, style in zip(curves, styles, strict=True):
        there = np.isfinite(curve.share)
        axes.plot(
            curve.compute[there],
            curve.share[there],
            lw=1.5,
            **{**style, "markerfacecolor": style["color"]},
            mec="white",
        )
        axes.fill_between(
            curve.compute[there],
            np.clip(curve.share_low[there], 0, 1),
            np.clip(curve.share_high[there], 0, 1),
            color=style["color"],
            alpha=0.15,
            lw=0,
        )
    axes.set_ylim(-0.04, 1.04)
    axes.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    axes.set(ylabel="share of learning", title="the best share of the compute to learn with; the rest decides")


def _table(axes: Axes, curves: Sequence[LawCurve], styles: Sequence[dict[str, Any]]) -> None:
    """What the lines stand for, and the two numbers of each law."""
    axes.set(xlim=(0, 1), ylim=(max(len(curves), ROWS) + 0.5, -1.3))
    axes.axis("off")
    unit = curves[0].unit
    for x, text in ((COLUMNS[2], f"{unit} for ½"), (COLUMNS[3], r"steepness $\gamma$")):
        axes.text(x, -0.6, text, fontsize=SMALL, fontweight="bold", va="center")
    for i, (curve, style) in enumerate(zip(curves, styles, strict=True)):
        texts = (curve.label, _interval(curve.c50, _compute), _interval(curve.gamma, "{:.2f}".format))
        axes.plot([COLUMNS[0]], [i + 0.2], clip_on=False, **style)
        for x, text in zip(COLUMNS[1:], texts, strict=True):
            axes.text(x, i + 0.2, text, fontsize=SMALL, va="center")


def _compute(value: float) -> str:
    """Two digits and a unit."""
    return short(float(f"{value:.2g}"))


def _interval(estimate: Estimate, text: Callable[[float], str]) -> str:
    if not (np.isfinite(estimate.low) and np.isfinite(estimate.high)):
        return text(estimate.mean)
    return f"{text(estimate.mean)} ({text(estimate.low)} to {text(estimate.high)})"


def _points(axes: Axes, x: Array, y: Array, interval: tuple[Array, Array], face: str, style: dict[str, Any]) -> None:
    """Points with their intervals."""
    lengths = np.nan_to_num(np.maximum([y - interval[0], interval[1] - y], 0), posinf=0)
    axes.errorbar(x, y, lengths, ls="", elinewidth=1, mfc=face, mew=1.3, **style)

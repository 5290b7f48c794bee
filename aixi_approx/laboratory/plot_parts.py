"""What the pictures of a study have in common: sizes, lines with intervals, axes, legends beside what is drawn.

A page shows a picture 900 pixels wide or so. At `WIDTH`, letters of `SMALL` points are then ten pixels high.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from string import ascii_lowercase
from typing import Any

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.contour import ContourSet
from matplotlib.ticker import LogLocator, NullFormatter
from matplotlib.transforms import ScaledTranslation

from aixi_approx.display.palette import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILION
from aixi_approx.laboratory.results import Array, mean_over_seeds, seed_mean
from aixi_approx.laws.extrapolation import Comparison

EITHER = "prediction or decision"  # a part of the regret of which it can't be told which of both it is
PART_COLOURS = {  # in the order in which bars are stacked
    "prediction": BLUE,
    EITHER: "#4D4D4D",
    "decision": ORANGE,
    "distillation": PURPLE,
    "horizon": GREEN,
    "exploration": "#E0E0E0",
}
EXPERIENCE, SIMULATIONS, SCORE = "experience, cycles", "simulations of a decision", "score: 0 random, 1 best"
WIDTH = 10.0  # of a picture, inches
SMALL, TITLE = 8, 9  # points: of the smallest letters, of titles of panels
BELOW, NEAR = 31, 19  # points from a panel down to its legend: there are numbers and a label between, or only numbers
BAR = 0.7  # width
TICKS = 12  # of an axis, at most
SAME = 0.005  # lines that differ by less are one, to the eye
FAR = 300  # times the least, beyond which a logarithmic axis has numbers at powers of ten only
LETTERS = 148  # of a line of text across a picture
HANDLE = 9  # letters that the line beside a label of a legend takes
ROOM, MARGIN = 0.13, 0.05  # of the width of a panel: between labels of contours, and from its edge
OUTLINE = (patheffects.withStroke(linewidth=2.5, foreground="black"),)  # of what is white, on any colour


def line(axes: Axes, x: Array, *, values: Array, style: Mapping[str, Any], label: str) -> None:
    """Draw a line through means over seeds, with their intervals.

    Parameters
    ----------
    axes : Axes
        Where.
    x : float[K]
        Of the points.
    values : float[S, K]
        NaN where a seed is missing.
    style : mapping of str to Any
        As `palette.line_styles` returns them.
    label : str
        In the legend.
    """
    there = np.isfinite(values).any(axis=0)
    if not there.any():
        return
    mean, low, high = estimates(values[:, there])
    axes.plot(x[there], mean, lw=1.5, label=label, **style)
    axes.fill_between(
        x[there],
        np.where(np.isfinite(low), low, mean),
        np.where(np.isfinite(high), high, mean),
        color=style["color"],
        alpha=0.15,
        lw=0,
    )


def score_axis(axes: Axes, *scores: Array) -> None:
    """Make the vertical axis one of scores: all means are visible, intervals may be cut off, a line marks the best.

    Parameters
    ----------
    axes : Axes
        Which.
    *scores : float[S, ...]
        What is drawn.
    """
    means = [float(seed_mean(score).min()) for score in scores if np.isfinite(seed_mean(score)).all()]
    axes.axhline(1, color="black", lw=0.8, ls=":")
    axes.set_ylim(min([0, *means]) - 0.1, 1.15)


def law(axes: Axes, x: Array, *, comparison: Comparison, per_unit: bool = False) -> None:
    """Draw the law that extrapolates best, if there is one.

    Parameters
    ----------
    axes : Axes
        Where.
    x : float[K]
        From the first to the last of these.
    comparison : Comparison
        Of laws.
    per_unit : bool, default: False
        Whether the law is that of a total, of which the share of each unit of x is drawn.
    """
    if comparison.best:
        fine = np.geomspace(x[0], x[-1], 200)
        label = f"law: {comparison.best.formula}"
        axes.plot(
            fine, comparison.best.predict(fine) / (fine if per_unit else 1), ":", color=VERMILION, lw=2.5, label=label
        )


def estimates(values: Array) -> Array:
    """Return means over seeds with their intervals.

    Parameters
    ----------
    values : float[S, K]
        NaN where a seed is missing.

    Returns
    -------
    float[3, K]
        Mean, low and high.
    """
    return np.array([mean_over_seeds(values[:, i]) for i in range(values.shape[1])]).T


def bars(estimated: Array) -> Array:
    """Return the lengths of error bars.

    Parameters
    ----------
    estimated : float[3, K]
        Mean, low and high.

    Returns
    -------
    float[2, K]
        Down and up; 0 where an interval is infinite.
    """
    mean, low, high = estimated
    lengths = np.array([mean - low, high - mean])
    return np.where(np.isfinite(lengths), np.maximum(lengths, 0), 0)


def short(value: float) -> str:
    """Return a number in a few characters.

    Parameters
    ----------
    value : float
        The number.

    Examples
    --------
    >>> short(300), short(30_000), short(2_000_000)
    ('300', '30k', '2M')
    """
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def log_if_positive(axes: Axes, *curves: Array) -> None:
    """Make the vertical axis logarithmic, unless some mean is not positive, which can happen by chance.

    Parameters
    ----------
    axes : Axes
        Which.
    *curves : float[S, K]
        What is drawn already.
    """
    means = np.concatenate([seed_mean(curve) for curve in curves])
    if (means[np.isfinite(means)] > 0).all():
        axes.set_yscale("log")
        plain_log(axes.yaxis)


def plain_log(axis: Axis) -> None:
    """Give a logarithmic axis plain numbers: 0.1 and 0.2, not powers of ten.

    Parameters
    ----------
    axis : Axis
        Which; its limits are final.
    """
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1,) if high > FAR * low else (1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def legend(axes: Axes, beside: int = 2) -> None:
    """Add a legend below a panel, where nothing is drawn, or say that there is nothing to see.

    Parameters
    ----------
    axes : Axes
        The panel; what its horizontal axis is called is said already.
    beside : int, default: 2
        How many panels stand side by side.
    """
    labels = axes.get_legend_handles_labels()[1]
    if not labels:
        say(axes, "nothing was measured yet")
        return
    columns = max(1, LETTERS // beside // (HANDLE + max(map(len, labels))))
    down = ScaledTranslation(0, -(BELOW if axes.get_xlabel() else NEAR) / 72, axes.figure.dpi_scale_trans)
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        bbox_transform=axes.transAxes + down,
        ncols=columns,
        fontsize=SMALL,
        frameon=False,
        borderaxespad=0,
        columnspacing=1.2,
        handlelength=2.2,
    )


def finish(panels: Sequence[Axes]) -> None:
    """Give panels their letters, a, b, c and so on, and all text of them its size.

    Parameters
    ----------
    panels : sequence of Axes
        In the order in which they are read. One alone needs no letter; where there are more than letters, their
        titles have to tell them.
    """
    lettered = 1 < len(panels) <= len(ascii_lowercase)
    for axes, letter in zip(panels, ascii_lowercase if lettered else repeat(""), strict=False):
        axes.set_title(letter, loc="left", fontsize=TITLE + 1, fontweight="bold")
        axes.title.set_fontsize(TITLE)
        axes.xaxis.label.set_fontsize(TITLE)
        axes.yaxis.label.set_fontsize(TITLE)
        axes.tick_params(labelsize=SMALL, which="both")


def label_contours(axes: Axes, lines: ContourSet) -> None:
    """Write levels on contours, in white with a dark edge, which can be read on any colour.

    A level stands where its contour is far from the others and from labels; one that finds no room is not written.

    Parameters
    ----------
    axes : Axes
        Where the contours are; its limits are final.
    lines : ContourSet
        The contours.
    """
    lines.set_path_effects([*OUTLINE])
    to_panel = axes.transData - axes.transAxes
    pieces = [path.to_polygons(closed_only=False) for path in lines.get_paths()]
    places = [_along([to_panel.transform(np.asarray(piece)) for piece in each]) for each in pieces]
    written = np.empty((0, 2))
    for i, (level, here) in enumerate(zip(lines.levels, places, strict=True)):
        others = np.concatenate([place for j, place in enumerate(places) if j != i] or [written])
        inside = here[((here > MARGIN) & (here < 1 - MARGIN)).all(axis=1)]
        inside = inside[_distance(inside, written) > ROOM]
        if len(inside):
            best = inside[np.argmax(np.minimum(_distance(inside, others), _distance(inside, written) / 2))]
            written = np.concatenate([written, best[None]])
            axes.text(
                best[0], best[1], f"{level:.2f}", transform=axes.transAxes, ha="center", va="center", fontsize=SMALL,
                color="white", path_effects=OUTLINE,
            )  # fmt: skip


def _along(pieces: Sequence[Array]) -> Array:
    """float[K, 2]: points close together along lines of straight pieces, each float[M, 2]."""
    steps = np.linspace(0, 1, 9)[:, None, None]
    found = [((1 - steps) * piece[:-1] + steps * piece[1:]).reshape(-1, 2) for piece in pieces]
    return np.concatenate(found) if found else np.empty((0, 2))


def _distance(points: Array, others: Array) -> Array:
    """float[K]: how far points [K, 2] are from the nearest of others; infinite if there are none."""
    gaps = np.linalg.norm(points[:, None] - others[None], axis=-1)
    return np.asarray(gaps.min(axis=1, initial=np.inf))


def say_same(axes: Axes, curves: Iterable[Array]) -> None:
    """Say where all lines of a panel are one, if they are.

    Parameters
    ----------
    axes : Axes
        The panel, with room for a line of text in the middle.
    curves : iterable of float[...]
        The heights of the lines.
    """
    values = np.concatenate([np.ravel(curve) for curve in curves])
    values = values[np.isfinite(values)]
    if len(values) and np.ptp(values) < SAME:
        axes.text(
            0.5, 0.5, f"all at {values.mean():.2f}", transform=axes.transAxes, ha="center", fontsize=SMALL, color=BLACK
        )


def scale(axis: Axis, x: Array, *, label: str) -> None:
    """Make an axis logarithmic, with a tick at each point, or at some of them if there are many.

    Parameters
    ----------
    axis : Axis
        Which.
    x : float[K]
        The points.
    label : str
        Of the axis.
    """
    if x[0] > 0:  # 0 is the experience of an agent that is given the environment
        (axis.axes.set_xscale if axis is axis.axes.xaxis else axis.axes.set_yscale)("log")
    shown = x[:: -(-len(x) // TICKS)]
    axis.set_ticks(shown, [short(value) for value in shown])
    axis.set_ticks([], minor=True)
    axis.set_label_text(label)


def edges(x: Array) -> Array:
    """Return the limits of rectangles around points on a logarithmic axis.

    Parameters
    ----------
    x : float[K]
        The points, positive, ascending.

    Returns
    -------
    float[K + 1]
        Half-way between them.
    """
    if len(x) == 1:
        return np.array([x[0] / 2, x[0] * 2]) if x[0] > 0 else np.array([-0.5, 0.5])
    logs = np.log(x)
    between = (logs[1:] + logs[:-1]) / 2
    return np.exp(np.concatenate([[2 * logs[0] - between[0]], between, [2 * logs[-1] - between[-1]]]))


def say(axes: Axes, text: str) -> None:
    """Write a text instead of drawing something.

    Parameters
    ----------
    axes : Axes
        Where.
    text : str
        Perhaps of several lines.
    """
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=TITLE, color=GREY)
    axes.set(xticks=[], yticks=[])

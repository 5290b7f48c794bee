"""What the pictures of a study have in common: lines with intervals, axes, legends."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis

from aixi_approx.laboratory.results import Array, mean_over_seeds, seed_mean
from aixi_approx.laws.extrapolation import Comparison

COLOURS = {
    "prediction": "tab:blue",
    "decision": "tab:orange",
    "distillation": "tab:red",
    "horizon": "tab:green",
    "exploration": "lightgray",
}
EXPERIENCE, SIMULATIONS, SCORE = "experience, cycles", "simulations of a decision", "score: 0 random, 1 best"
BAR = 0.7  # width
TICKS = 12  # of an axis, at most


def line(axes: Axes, x: Array, *, values: Array, colour: Any, label: str, style: str = "-") -> None:
    """Draw a line through means over seeds, with their intervals.

    Parameters
    ----------
    axes : Axes
        Where.
    x : float[K]
        Of the points.
    values : float[S, K]
        NaN where a seed is missing.
    colour : str or tuple
        As Matplotlib takes it.
    label : str
        In the legend.
    style : str, default: "-"
        Of the line.
    """
    there = np.isfinite(values).any(axis=0)
    if not there.any():
        return
    mean, low, high = estimates(values[:, there])
    axes.plot(x[there], mean, f"{style}o", ms=3, lw=1.5, color=colour, label=label)
    axes.fill_between(
        x[there],
        np.where(np.isfinite(low), low, mean),
        np.where(np.isfinite(high), high, mean),
        color=colour,
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


def law(axes: Axes, x: Array, *, comparison: Comparison) -> None:
    """Draw the law that extrapolates best, if there is one.

    Parameters
    ----------
    axes : Axes
        Where.
    x : float[K]
        From the first to the last of these.
    comparison : Comparison
        Of laws.
    """
    if comparison.best:
        fine = np.geomspace(x[0], x[-1], 200)
        axes.plot(fine, comparison.best.predict(fine), ":", color="red", lw=1.5, label=comparison.best.formula)


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
    >>> short(300), short(30_000)
    ('300', '30k')
    """
    return f"{value / 1_000:g}k" if value >= 1_000 else f"{value:g}"


def log_if_positive(axes: Axes, *curves: Array) -> None:
    """Make the vertical axis logarithmic, unless some mean is not positive, which can happen by chance.

    Parameters
    ----------
    axes : Axes
        Which.
    *curves : float[S, K]
        What is drawn.
    """
    means = np.concatenate([seed_mean(curve) for curve in curves])
    if (means[np.isfinite(means)] > 0).all():
        axes.set_yscale("log")


def legend(axes: Axes) -> None:
    """Add a legend, or say that there is nothing to see."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=7)
    else:
        say(axes, "nothing was measured yet")


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
    logs = np.log(x)
    if len(x) == 1:
        return np.array([x[0] / 2, x[0] * 2])
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
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=9, color="gray")
    axes.set(xticks=[], yticks=[])

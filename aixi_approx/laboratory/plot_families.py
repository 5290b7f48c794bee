"""The picture of the results in all environments, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from aixi_approx.display.palette import BLACK, GREY, line_styles
from aixi_approx.display.picture import Picture
from aixi_approx.laboratory.plot_parts import (
    BAR,
    EXPERIENCE,
    PART_COLOURS,
    SCORE,
    SIMULATIONS,
    SMALL,
    WIDTH,
    bars,
    finish,
    legend,
    line,
    log_if_positive,
    plain_log,
    say,
    say_same,
    scale,
    score_axis,
)
from aixi_approx.laboratory.regret import PARTS
from aixi_approx.laboratory.results import Results, seed_mean

HEX = -1.2  # k of Jones 2021, in Hex
WIDE = (-3.0, 0.5)  # the axis of k, at least
HEIGHT = 3.9  # of a panel, inches


def draw_all(found: Sequence[Results]) -> Picture:
    """Draw what was measured in all environments, with all models, side by side.

    Parameters
    ----------
    found : sequence of Results
        Of one study.

    Returns
    -------
    Picture
        Six panels.
    """
    figure = Picture(figsize=(WIDTH, 3 * HEIGHT), layout="constrained")
    panels = figure.subplots(3, 2).flatten()
    learning, search, predictor, regret, trade_off, extrapolation = panels
    styles = line_styles(len(found))
    for f, style in zip(found, styles, strict=True):
        line(learning, f.experience, values=f.score[:, :, -1], style=style, label=f.label)
        line(search, f.simulations, values=f.score[:, -1], style=style, label=f.label)
        line(predictor, f.experience, values=f.excess[f.depth], style=style, label=f.label)
    learning.set(ylabel=SCORE, title=f"learning: score with {found[0].simulations[-1]:,.0f} simulations")
    search.set(ylabel=SCORE, title=f"search: score after {found[0].experience[-1]:,.0f} cycles")
    log_if_positive(predictor, *(f.excess[f.depth] for f in found))
    predictor.set(ylabel="bits per percept, mean up to there", title="predictor: log loss above the entropy")
    for axes in (learning, predictor):
        scale(axes.xaxis, found[0].experience, label=EXPERIENCE)
    scale(search.xaxis, found[0].simulations, label=SIMULATIONS)
    names = [f.label for f in found]
    _regret(regret, found, names)
    _trade_off(trade_off, found, names, styles)
    _laws(extrapolation, found, names)
    for axes in (learning, search):
        score_axis(axes, *(f.score for f in found))
    say_same(learning, (seed_mean(f.score[:, :, -1]) for f in found))
    say_same(search, (seed_mean(f.score[:, -1]) for f in found))
    handles: dict[str, Any] = {}
    for axes in (learning, search, predictor):
        axes.grid(alpha=0.3)
        lines, labels = axes.get_legend_handles_labels()
        handles |= dict(zip(labels, lines, strict=True))
        if not labels:
            say(axes, "nothing is known")
    if handles:
        figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=5, fontsize=SMALL)
    finish(panels)
    return figure


def _regret(axes: Axes, found: Sequence[Results], names: Sequence[str]) -> None:
    """The parts of the regret at the least and the most of both."""
    width = BAR / 2
    parts = [part for part in PART_COLOURS if part != "exploration" and any(part in f.parts for f in found)]
    for k, corner in enumerate((0, -1)):
        above, below = np.zeros(len(found)), np.zeros(len(found))
        place = np.arange(len(found)) + (k - 0.5) * width
        for part in parts:
            index = PARTS.index(part)
            mean = np.array([float(seed_mean(f.long_run[:, corner, corner, index])) / f.span for f in found])
            mean = np.nan_to_num(mean)
            left = np.where(mean >= 0, above, below)
            label = part if k else None
            axes.barh(place, mean, width * 0.9, left, color=PART_COLOURS[part], label=label, alpha=1 if k else 0.5)
            above, below = above + np.maximum(mean, 0), below + np.minimum(mean, 0)
    for i, f in enumerate(found):
        if np.isnan(f.long_run / f.span).all():
            axes.text(0, i, " not known", fontsize=SMALL, va="center", color=GREY)
    axes.axvline(0, color=BLACK, lw=0.8)
    axes.set_yticks(range(len(found)), names)
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.margins(x=0.05)
    axes.use_sticky_edges = False  # else a bar ends at the frame
    axes.autoscale_view()
    simulations = found[0].simulations[0]
    least = f"{found[0].experience[0]:,.0f} cycles, {simulations:,.0f} simulation{'s' * int(simulations != 1)}"
    axes.set(xlabel="score lost: 0 best, 1 random", title=f"regret: {least} (pale); the most")
    legend(axes)
    axes.grid(alpha=0.3, axis="x")


def _trade_off(axes: Axes, found: Sequence[Results], names: Sequence[str], styles: Sequence[dict[str, Any]]) -> None:
    axes.set_xlim(*WIDE)
    for i, (f, style) in enumerate(zip(found, styles, strict=True)):
        if k := f.trade_off.k:
            axes.set_xlim(min(axes.get_xlim()[0], k.mean - 0.5), max(axes.get_xlim()[1], k.mean + 0.5))
            axes.errorbar([k.mean], [i], xerr=bars(np.array(k)[:, None]), fmt=style["marker"], color=style["color"])
        else:
            axes.text(WIDE[1], i, "can't be told ", fontsize=SMALL, ha="right", va="center", color=GREY)
    axes.axvline(HEX, color=BLACK, lw=0.8, ls=":", label="Hex (Jones 2021)")
    axes.set_yticks(range(len(found)), names)
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.set(xlabel="k: factors of ten of search for one of experience", title="trade-off of search for learning")
    legend(axes)
    axes.grid(alpha=0.3)


def _laws(axes: Axes, found: Sequence[Results], names: Sequence[str]) -> None:
    """Error of the best law over that of the last-value forecast, for each quantity."""
    markers = "osD^vP"
    for i, f in enumerate(found):
        for marker, (what, law) in zip(markers, f.laws.items(), strict=True):
            if law.laws and law.persistence.mean > 0:
                ratio = (law.best or law.laws[0]).error.mean / law.persistence.mean
                label = what.split(",")[0]
                new = label not in axes.get_legend_handles_labels()[1]
                filled = "black" if law.best else "white"
                axes.plot([ratio], [i], marker, color=BLACK, mfc=filled, ms=6, label=label if new else None)
    axes.axvline(1, color="black", lw=0.8, ls=":")
    axes.set_yticks(range(len(found)), names)
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.set(
        xscale="log",
        xlabel="error of the law / of the last-value forecast",
        title="laws: extrapolation (hollow: no law holds)",
    )
    if axes.get_legend_handles_labels()[0]:
        plain_log(axes.xaxis)
        legend(axes)
    axes.grid(alpha=0.3)

"""The picture of ladders: each size a step, the mean over the sizes, and where the steps stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from aixi_approx.display.palette import BLACK, VERMILION, ordered_styles
from aixi_approx.display.picture import Picture
from aixi_approx.laboratory.ladder import HALF, Ladder
from aixi_approx.laboratory.plot_parts import (
    SCORE,
    SIMULATIONS,
    WIDTH,
    bars,
    finish,
    legend,
    line,
    say,
    scale,
    score_axis,
)
from aixi_approx.laboratory.results import seed_mean

HEIGHT = 4.6  # of a row of panels, inches
MEAN: dict[str, Any] = {"color": BLACK, "marker": "", "linestyle": "-", "linewidth": 3}


def draw_ladders(ladders: Sequence[Ladder]) -> Picture | None:
    """Draw the sizes of families: their scores over simulations, and the simulations for a half over the size.

    Parameters
    ----------
    ladders : sequence of Ladder
        Of one study.

    Returns
    -------
    Picture or None
        Two panels for each ladder; None if there are none.
    """
    if not ladders:
        return None
    figure = Picture(figsize=(WIDTH, HEIGHT * len(ladders)), layout="constrained")
    panels = figure.subplots(len(ladders), 2, squeeze=False)
    for ladder, (steps, places) in zip(ladders, panels, strict=True):
        learned = f"after {ladder.experience:,.0f} cycles" if ladder.experience else "given the environment"
        _steps(steps, ladder)
        steps.set_title(f"{ladder.family}, {learned}: each size a step")
        _places(places, ladder)
        places.set_title("where the steps are")
    finish(list(panels.flat))
    return figure


def _steps(axes: Axes, ladder: Ladder) -> None:
    scale(axes.xaxis, ladder.simulations, label=SIMULATIONS)
    for k, style in enumerate(ordered_styles(len(ladder.names))):
        line(axes, ladder.simulations, values=ladder.score[:, k], style=style, label=ladder.names[k])
    mean = seed_mean(ladder.score).mean(axis=0)
    if np.isfinite(mean).any():
        axes.plot(ladder.simulations, mean, label="mean over the sizes", **MEAN)
    axes.set_ylabel(SCORE)
    score_axis(axes, ladder.score)
    legend(axes)
    axes.grid(alpha=0.3)


def _places(axes: Axes, ladder: Ladder) -> None:
    known = [(size, half) for size, half in zip(ladder.sizes, ladder.half, strict=True) if half is not None]
    axes.set(xlabel="size", ylabel="simulations for half of the way", yscale="log")
    if not known:
        say(axes, "no size comes from below a half\nto above with these simulations")
        return
    sizes, halves = np.array([size for size, _ in known]), np.array([half for _, half in known])
    axes.errorbar(sizes, halves[:, 0], bars(halves.T), fmt="o", color=BLACK, label=f"score {HALF:g}, 95 %")
    if "exponential" in ladder.growth:
        rate, wrong = ladder.growth["exponential"]
        last = halves[-1, 0] * wrong  # what the law says of the last size, to which it was not fitted
        fine = np.linspace(sizes[0], sizes[-1], 50)
        label = f"exp({rate.mean:.3g} size), fitted to all but the last: {wrong:.2g} times that"
        axes.plot(fine, last * np.exp(rate.mean * (fine - sizes[-1])), "--", color=VERMILION, label=label)
    legend(axes)
    axes.grid(alpha=0.3)

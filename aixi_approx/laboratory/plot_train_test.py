"""The picture of train against test: the score by simulations while learning and when acting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aixi_approx.laboratory.plot_parts import edges, scale, short
from aixi_approx.laboratory.results import Results, levels_of, seed_mean
from aixi_approx.laboratory.train_test import TrainTest, level_curve

COLUMNS = 3  # of panels, at most
WIDTH, HEIGHT = 5.0, 4.2  # of a panel


def draw_train_test(found: Sequence[Results]) -> Figure | None:
    """Draw the scores of agents that learned with several numbers of simulations, and their level curves.

    Parameters
    ----------
    found : sequence of Results
        Of one study.

    Returns
    -------
    Figure or None
        A panel for each environment, model and kind of learner; None where all agents learned alike.
    """
    planes = [(f, plane) for f in found for plane in f.train_test]
    if not planes:
        return None
    columns = min(COLUMNS, len(planes))
    rows = -(-len(planes) // columns)
    figure = Figure(figsize=(WIDTH * columns, HEIGHT * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for axes, (f, plane) in zip(panels, planes, strict=False):
        _plane(axes, plane)
        several = f"\n{plane.learner}" if len(f.train_test) > 1 else ""
        axes.set_title(f"{f.label}, {f.experience[-1]:,.0f} cycles{several}", fontsize=10)
        axes.tick_params(labelsize=8, which="both")
    for axes in list(panels)[len(planes) :]:
        axes.remove()
    return figure


def _plane(axes: Axes, plane: TrainTest) -> None:
    """The score as colours; lines where it is the same. The policy alone has a row of its own below."""
    mean = seed_mean(plane.score).T
    alone = plane.test[0] == 0
    searches = plane.test[1:] if alone else plane.test
    factor = searches[1] / searches[0] if len(searches) > 1 else 2.0
    place = np.concatenate([[searches[0] / factor], searches]) if alone else searches
    scale(axes.xaxis, plane.train, label="simulations while learning")
    scale(axes.yaxis, place, label="simulations when acting")
    axes.set_yticks(place, ["alone" if n == 0 else short(n) for n in plane.test])
    mesh = axes.pcolormesh(edges(plane.train), edges(place), mean, cmap="viridis")
    axes.figure.colorbar(mesh, ax=axes, label="score: 0 random, 1 best")
    if alone:
        axes.axhline(edges(place)[1], color="white", lw=2)
    searching = mean[1:] if alone else mean
    levels = levels_of(searching)
    if levels and np.isfinite(searching).all() and min(searching.shape) > 1:
        lines = axes.contour(plane.train, searches, searching, levels=levels, colors="white", linewidths=1)
        axes.clabel(lines, fmt="%.2f", fontsize=7)
    curve = level_curve(plane.train, plane.test, mean_score=mean.T)
    points = [(n, least) for n, least in zip(plane.train, curve.test, strict=True) if least]
    if points:
        axes.plot(*zip(*points, strict=True), "o-", color="red", ms=4, label=f"score {curve.level:.2f}")
        axes.legend(fontsize=7)

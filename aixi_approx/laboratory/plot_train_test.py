"""The picture of train against test: the score by simulations while learning and when acting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from aixi_approx.display.picture import Picture
from aixi_approx.laboratory.plot_parts import SMALL, WIDTH, edges, finish, label_contours, scale, short
from aixi_approx.laboratory.results import LEVELS, Results, levels_of, seed_mean
from aixi_approx.laboratory.train_test import TrainTest, level_curve

COLUMNS = 2  # of panels, at most
HEIGHT = 4.2  # of a panel, inches
NEAR = (LEVELS[1] - LEVELS[0]) / 2  # of the way from the smallest score to the largest: levels too close to draw both
THICK = (patheffects.withStroke(linewidth=5, foreground="black"),)  # the edge of the thick line


def draw_train_test(found: Sequence[Results]) -> Picture | None:
    """Draw the scores of agents that learned with several numbers of simulations, and their level curves.

    Parameters
    ----------
    found : sequence of Results
        Of one study.

    Returns
    -------
    Picture or None
        A panel for each environment, model and kind of learner; None where all agents learned alike.
    """
    planes = [(f, plane) for f in found for plane in f.train_test]
    if not planes:
        return None
    columns = min(COLUMNS, len(planes))
    rows = -(-len(planes) // columns)
    figure = Picture(figsize=(WIDTH / COLUMNS * columns, HEIGHT * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    means = np.concatenate([seed_mean(plane.score).ravel() for _, plane in planes])
    colours = Normalize(min(0.0, float(np.min(means, initial=0.0, where=np.isfinite(means)))), 1.0)
    for axes, (f, plane) in zip(panels, planes, strict=False):
        _plane(axes, plane, colours, title=f"{f.label}, {f.experience[-1]:,.0f} cycles", several=len(f.train_test) > 1)
    for axes in panels[len(planes) :]:
        axes.remove()
    finish(panels[: len(planes)])
    bar = figure.colorbar(ScalarMappable(colours, "viridis"), ax=panels[: len(planes)], location="bottom", aspect=40)
    bar.set_label("score: 0 random, 1 best", fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)
    return figure


def _plane(axes: Axes, plane: TrainTest, colours: Normalize, *, title: str, several: bool) -> None:
    """The score as colours; lines where it is the same. The policy alone has a row of its own below."""
    mean = seed_mean(plane.score).T
    alone = plane.test[0] == 0
    searches = plane.test[1:] if alone else plane.test
    factor = searches[1] / searches[0] if len(searches) > 1 else 2.0
    place = np.concatenate([[searches[0] / factor], searches]) if alone else searches
    scale(axes.xaxis, plane.train, label="simulations while learning")
    scale(axes.yaxis, place, label="simulations when acting")
    axes.set_yticks(place, ["alone" if n == 0 else short(n) for n in plane.test])
    axes.pcolormesh(edges(plane.train), edges(place), mean, cmap="viridis", norm=colours)
    if alone:
        axes.axhline(edges(place)[1], color="white", lw=2)
    curve = level_curve(plane.train, plane.test, mean_score=mean.T)
    searching = mean[1:] if alone else mean
    near = NEAR * float(np.ptp(searching)) if np.isfinite(searching).all() else 0.0
    levels = [level for level in levels_of(searching) if abs(level - curve.level) > near]
    if levels and np.isfinite(searching).all() and min(searching.shape) > 1:
        lines = axes.contour(plane.train, searches, searching, levels=levels, colors="white", linewidths=1)
        label_contours(axes, lines)
    points = [(n, least) for n, least in zip(plane.train, curve.test, strict=True) if least]
    titles = [title, *([plane.learner] if several else [])]
    if points:
        label = f"score {curve.level:.2f}"
        axes.plot(*zip(*points, strict=True), "o-", color="white", ms=5, lw=2.5, path_effects=THICK, label=label)
        titles.append(f"thick line: {label}")
    axes.set_title("\n".join(titles))

"""Pictures of JAIR 2011 once more: ours beside the paper's curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from aixi_approx.display.palette import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, ordered_styles
from aixi_approx.display.picture import Picture
from aixi_approx.envs import make
from aixi_approx.jair2011.published import (
    DOMAINS,
    EXPERIENCE,
    PACMAN_CYCLES,
    PACMAN_EXPERIENCE,
    PACMAN_LEARNING,
    PACMAN_RECENT,
    SIMULATIONS,
)
from aixi_approx.jair2011.study import PACMAN, Q_LEARNING, RHOUCT
from aixi_approx.jair2011.tables import Point, over_experience, over_simulations, table_cell
from aixi_approx.laboratory.plot_parts import SMALL, TITLE, WIDTH, finish, legend, short
from aixi_approx.laws.estimate import Estimate, normalised

Style = dict[str, Any]  # of a line, as Matplotlib takes it
OURS: Style = {"color": BLUE, "marker": "o", "markersize": 4, "linestyle": "-"}
BASELINE: Style = {"color": GREY, "marker": "s", "markersize": 4, "linestyle": "-"}
PAPER: Style = {"color": ORANGE, "marker": "^", "markersize": 4, "linestyle": "--"}
OTHERS: tuple[Style, ...] = (
    {"color": GREEN, "marker": "D", "markersize": 4, "linestyle": "--"},
    {"color": PURPLE, "marker": "X", "markersize": 5, "linestyle": "--"},
)
NAMES = {RHOUCT: "MC-AIXI (rhoUCT)", Q_LEARNING: "Q-learning"}  # of learners, in words
RECENT = 5_000  # cycles that a learning curve is averaged over
COLUMNS = 3  # of panels, at most
HEIGHT = 2.75  # of a panel, inches


def learning_curves(found: Sequence[Point]) -> Picture:
    """Draw figure 7: reward per cycle over experience.

    Parameters
    ----------
    found : sequence of Point
        The points.

    Returns
    -------
    Picture
        A figure, of which a notebook shows a PNG.
    """
    figure, panels = _panels(found)
    for name, axes in panels.items():
        paper = DOMAINS[name]
        simulations = table_cell(found, name, planner=RHOUCT).simulations
        ours, baseline = (
            over_experience(found, name, planner=planner, simulations=simulations) for planner in (RHOUCT, Q_LEARNING)
        )
        _line(axes, [p.experience for p in ours], [p.reward for p in ours])
        _line(axes, [p.experience for p in baseline], [p.reward for p in baseline], BASELINE, "Q-learning, ours, 95 %")
        seen = [p.reward.mean for p in ours] + list(paper.learning)
        curves = {"MC-AIXI": paper.learning, "U-Tree": paper.utree, "Active-LZ": paper.active_lz}
        for (label, values), style in zip(curves.items(), (PAPER, *OTHERS), strict=True):
            axes.plot(EXPERIENCE[: len(values)], values, lw=1, label=f"{label}, paper", **style)
        environment = make(name)
        if environment.optimum is not None:
            axes.axhline(environment.optimum, color=BLACK, lw=0.8, ls=":", label="best achievable")
        _scale(axes, seen, paper.optimum, environment.random_reward)
        bottom = axes.get_ylim()[0]
        curves["Q-learning"] = tuple(p.reward.mean for p in baseline)
        below = [
            f"below: {label}, {min(v):.2g} to {max(v):.2g}" for label, v in curves.items() if v and max(v) < bottom
        ]
        axes.set(title=f"{name} ({simulations:,} simulations)", xlabel="\n".join(below))
    return _finish(figure, panels, "experience, cycles", "reward per cycle of the greedy agent")


def search_curves(found: Sequence[Point]) -> Picture:
    """Draw figure 8: normalised reward over simulations.

    Parameters
    ----------
    found : sequence of Point
        The points.

    Returns
    -------
    Picture
        A figure, of which a notebook shows a PNG.
    """
    figure, panels = _panels(found)
    for name, axes in panels.items():
        environment, experience = make(name), table_cell(found, name, planner=RHOUCT).experience
        ours = over_simulations(found, name, experience=experience)

        def score(reward: float, environment: Any = environment) -> float:
            return normalised(reward, environment.random_reward, optimum=environment.optimum)

        scores = [Estimate(*(score(r) for r in p.reward)) for p in ours]
        _line(axes, [p.simulations for p in ours], scores)
        values = DOMAINS[name].search
        axes.plot(SIMULATIONS[: len(values)], values, lw=1, label="MC-AIXI, paper (its own scale)", **PAPER)
        axes.axhline(1, color=BLACK, lw=0.8, ls=":", label="best achievable")
        axes.set_title(f"{name} ({experience:,} cycles)")
        means = [s.mean for s in scores]
        axes.set_ylim(min(0.2, *means) - 0.05, max(1.0, *means, *values) + 0.08)
    return _finish(figure, panels, "simulations of a search", "score: 0 random, 1 best")


def pacman_curves(found: Sequence[Point], learning: Mapping[str, Sequence[float]]) -> Picture:
    """Draw figures 9 and 10: Pac-Man after learning, and while it learns.

    Parameters
    ----------
    found : sequence of Point
        The points.
    learning : mapping of str to sequence of int
        The reward of each cycle of learning, by the name of the training run.

    Returns
    -------
    Picture
        A figure, of which a notebook shows a PNG.
    """
    figure = Picture(figsize=(WIDTH, 5.2), layout="constrained")
    figure.suptitle("Pac-Man", fontsize=TITLE + 2)
    left, right = figure.subplots(1, 2)
    for simulations, style in zip(PACMAN_LEARNING, ordered_styles(len(PACMAN_LEARNING)), strict=True):
        if ours := over_experience(found, PACMAN, planner=RHOUCT, simulations=simulations):
            _line(left, [p.experience for p in ours], [p.reward for p in ours], style, f"ours, {simulations:,}")
        paper = {**style, "markersize": 4, "markerfacecolor": style["color"], "linestyle": "--", "lw": 1}
        left.plot(PACMAN_EXPERIENCE, PACMAN_LEARNING[simulations], label=f"paper, {simulations:,}", **paper)
    baseline = over_experience(found, PACMAN, planner=Q_LEARNING, simulations=min(PACMAN_LEARNING))
    label = "Q-learning, ours"
    _line(left, [p.experience for p in baseline], [p.reward for p in baseline], BASELINE, label)
    left.set(ylabel="reward per cycle of the greedy agent", title="after learning; bands: 95 %, by simulations")
    for name, rewards in learning.items():
        recent = np.convolve(rewards, np.full(RECENT, 1 / RECENT), mode="valid")[::100]
        colour = (BASELINE if Q_LEARNING in name else OURS)["color"]
        right.plot(RECENT + 100 * np.arange(len(recent)), recent, color=colour, lw=1, label=_in_words(name))
    thousands = 1_000 * np.array(PACMAN_CYCLES)
    right.plot(thousands, PACMAN_RECENT, lw=1, label="MC-AIXI, paper", **PAPER)
    title = f"while learning, {min(PACMAN_LEARNING):,} simulations"
    right.set(ylabel=f"reward per cycle, mean of the last {RECENT:,}", title=title)
    left.set_xscale("log")
    for axes in (left, right):
        axes.set_xlabel("experience, cycles")
        axes.xaxis.set_major_formatter(lambda value, _: short(value))
        axes.grid(alpha=0.3)
        legend(axes)
    finish((left, right))
    return figure


def _in_words(name: str) -> str:
    """The name of a training run, such as "rhouct, seed 0", as a reader understands it."""
    learner, _, seed = name.partition(", seed ")
    return f"{NAMES.get(learner, learner)}, ours, agent {int(seed) + 1}" if seed else learner


def _panels(found: Sequence[Point]) -> tuple[Picture, dict[str, Axes]]:
    names = [name for name in DOMAINS if any(p.environment == name for p in found)]
    columns = min(COLUMNS, len(names))
    rows = -(-len(names) // columns)
    figure = Picture(figsize=(WIDTH / COLUMNS * columns, HEIGHT * rows + 0.6), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).flatten()
    for axes in grid[len(names) :]:
        axes.set_axis_off()
    return figure, dict(zip(names, grid, strict=False))


def _scale(axes: Axes, seen: Sequence[float], best: float, random: float | None) -> None:
    """Show all values, and at least a tenth of the way from the random agent to the best."""
    low, high = min(seen), max(*seen, best)
    if random is not None:
        low = min(low, best - 0.1 * (best - random))
    room = 0.1 * (high - low)
    axes.set_ylim(low - 2 * room, high + room)


def _line(
    axes: Axes,
    x: Sequence[int],
    estimates: Sequence[Estimate],
    style: Mapping[str, Any] = OURS,
    label: str = "MC-AIXI, ours, 95 %",
) -> None:
    """A line through estimates, with their intervals."""
    mean, low, high = np.array(estimates).reshape(-1, 3).T
    axes.plot(x, mean, lw=1.5, label=label, **style)
    axes.fill_between(x, low, high, color=style["color"], alpha=0.15, lw=0)


def _finish(figure: Picture, panels: dict[str, Axes], across: str, up: str) -> Picture:
    handles: dict[str, Any] = {}
    for axes in panels.values():
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: short(value))
        axes.grid(alpha=0.3)
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    finish([*panels.values()])
    for axes in panels.values():
        axes.xaxis.label.set_fontsize(SMALL)
    columns = max(1, int(figure.get_figwidth() / 3))
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=columns, fontsize=SMALL)
    figure.supxlabel(across, fontsize=TITLE)
    figure.supylabel(up, fontsize=TITLE)
    return figure

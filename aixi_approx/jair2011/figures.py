"""Pictures of JAIR 2011 once more: ours beside the paper's curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aixi_approx.envs import make
from aixi_approx.estimate import Estimate, normalised
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

OURS, PAPER, OTHERS, BASELINE = "tab:blue", "tab:orange", ("tab:green", "tab:purple"), "tab:gray"
RECENT = 5_000  # cycles that a learning curve is averaged over


def learning_curves(found: Sequence[Point], path: Path) -> None:
    """Draw figure 7: reward per cycle over experience.

    Parameters
    ----------
    found : sequence of Point
        The points.
    path : Path
        Where to write.
    """
    figure, panels = _panels(found)
    for name, axes in panels.items():
        paper = DOMAINS[name]
        simulations = table_cell(found, name, planner=RHOUCT).simulations
        ours, baseline = (
            over_experience(found, name, planner=planner, simulations=simulations) for planner in (RHOUCT, Q_LEARNING)
        )
        _line(axes, [p.experience for p in ours], [p.reward for p in ours])
        _line(axes, [p.experience for p in baseline], [p.reward for p in baseline], BASELINE, "Q-learning, ours")
        seen = [p.reward.mean for p in ours] + list(paper.learning)
        curves = {"MC-AIXI": paper.learning, "U-Tree": paper.utree, "Active-LZ": paper.active_lz}
        for (label, values), colour in zip(curves.items(), (PAPER, *OTHERS), strict=True):
            axes.plot(EXPERIENCE[: len(values)], values, "--o", ms=3, lw=1, color=colour, label=f"{label}, paper")
        environment = make(name)
        if environment.optimum is not None:
            axes.axhline(environment.optimum, color="black", lw=0.8, ls=":", label="best achievable")
        _scale(axes, seen, paper.optimum, environment.random_reward)
        bottom = axes.get_ylim()[0]
        below = [f"{label}: {min(v):.2g} to {max(v):.2g}" for label, v in curves.items() if v and max(v) < bottom]
        if below:
            axes.text(0.97, 0.04, f"below: {'; '.join(below)}", transform=axes.transAxes, ha="right", fontsize=7)
        axes.set(xscale="log", title=f"{name} ({simulations:,} simulations)")
    _finish(figure, panels, "experience, cycles", "reward per cycle, greedy", path)


def search_curves(found: Sequence[Point], path: Path) -> None:
    """Draw figure 8: normalised reward over simulations.

    Parameters
    ----------
    found : sequence of Point
        The points.
    path : Path
        Where to write.
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
        axes.plot(
            SIMULATIONS[: len(values)], values, "--o", ms=3, lw=1, color=PAPER, label="MC-AIXI, paper (its own scale)"
        )
        axes.axhline(1, color="black", lw=0.8, ls=":", label="best achievable")
        axes.set(xscale="log", title=f"{name} ({experience:,} cycles)")
        axes.set_ylim(min(0.2, *(s.mean for s in scores)) - 0.05, 1.08)
    _finish(figure, panels, "simulations of a search", "score: 0 random, 1 best", path)


def pacman_curves(found: Sequence[Point], learning: Mapping[str, Sequence[int]], *, path: Path) -> None:
    """Draw figures 9 and 10: Pac-Man after learning, and while it learns.

    Parameters
    ----------
    found : sequence of Point
        The points.
    learning : mapping of str to sequence of int
        The reward of each cycle of learning, by the name of the training run.
    path : Path
        Where to write.
    """
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for simulations, colour in zip(PACMAN_LEARNING, ("tab:blue", "tab:orange", "tab:green", "tab:red"), strict=True):
        if ours := over_experience(found, PACMAN, planner=RHOUCT, simulations=simulations):
            _line(left, [p.experience for p in ours], [p.reward for p in ours], colour, f"ours, {simulations:,}")
        values = PACMAN_LEARNING[simulations]
        left.plot(PACMAN_EXPERIENCE, values, "--", lw=1, color=colour, alpha=0.7, label=f"paper, {simulations:,}")
    baseline = over_experience(found, PACMAN, planner=Q_LEARNING, simulations=min(PACMAN_LEARNING))
    _line(left, [p.experience for p in baseline], [p.reward for p in baseline], BASELINE, "Q-learning, ours")
    left.set(xscale="log", xlabel="experience, cycles", ylabel="reward per cycle, greedy", title="after learning")
    left.legend(title="simulations", fontsize=7)
    for name, rewards in learning.items():
        recent = np.convolve(rewards, np.full(RECENT, 1 / RECENT), mode="valid")[::100]
        colour = BASELINE if Q_LEARNING in name else OURS
        right.plot(RECENT + 100 * np.arange(len(recent)), recent, color=colour, lw=1, label=f"ours, {name}")
    thousands = 1_000 * np.array(PACMAN_CYCLES)
    right.plot(thousands, PACMAN_RECENT, "--o", ms=3, lw=1, color=PAPER, label="paper")
    right.set(xlabel="cycles", ylabel=f"reward per cycle, last {RECENT:,}", title="while learning, 500 simulations")
    right.legend(fontsize=7)
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=130)


def _panels(found: Sequence[Point]) -> tuple[Figure, dict[str, Axes]]:
    names = [name for name in DOMAINS if any(p.environment == name for p in found)]
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(3.6 * columns, 2.9 * rows + 0.5), layout="constrained")
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
    axes: Axes, x: Sequence[int], estimates: Sequence[Estimate], colour: str = OURS, label: str = "ours, 95 %"
) -> None:
    """A line through estimates, with their intervals."""
    mean, low, high = np.array(estimates).reshape(-1, 3).T
    axes.plot(x, mean, "-o", ms=3, lw=1.5, color=colour, label=label)
    axes.fill_between(x, low, high, color=colour, alpha=0.2, lw=0)


def _finish(figure: Figure, panels: dict[str, Axes], across: str, up: str, path: Path) -> None:
    handles: dict[str, Any] = {}
    for axes in panels.values():
        axes.grid(alpha=0.3)
        axes.title.set_fontsize(9)
        axes.tick_params(labelsize=7)
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    columns = max(1, int(figure.get_figwidth() / 2))
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=columns, fontsize=8)
    figure.supxlabel(across, fontsize=9)
    figure.supylabel(up, fontsize=9)
    figure.savefig(path, dpi=130)

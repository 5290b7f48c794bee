"""The picture of the results in one environment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aixi_approx.laboratory.plot_parts import (
    BAR,
    COLOURS,
    EXPERIENCE,
    SCORE,
    SIMULATIONS,
    bars,
    edges,
    estimates,
    law,
    legend,
    line,
    log_if_positive,
    say,
    scale,
    score_axis,
    short,
)
from aixi_approx.laboratory.regret import PARTS
from aixi_approx.laboratory.results import Array, Results, seed_mean

LINES = 4  # of a sheaf, at most


def draw_one(f: Results) -> Figure:
    """Draw what was measured in one environment, with one model.

    Parameters
    ----------
    f : Results
        All or a part of it measured.

    Returns
    -------
    Figure
        Eight panels: the score, where the regret comes from, laws.
    """
    figure = Figure(figsize=(17, 8.2), layout="constrained")
    panels = figure.subplots(2, 4)
    seeds = f"{f.seeds} agents, 95 % over them" if f.seeds > 1 else "1 agent" if f.seeds else "no agent yet"
    figure.suptitle(f"{f.label}: horizon {f.horizon}, depth {f.depth}; {seeds}")
    surface, by_experience, by_simulations, trade_off = panels[0]
    predictor, search, simple_regret, others = panels[1]
    _surface(surface, f)
    _regret(by_experience, f.experience, parts=f.long_run[:, :, -1] / f.span, shown=f.parts)
    by_experience.set(xlabel="experience, cycles", title=f"regret with {f.simulations[-1]:,.0f} simulations")
    _regret(by_simulations, f.simulations, parts=f.long_run[:, -1] / f.span, shown=f.parts)
    by_simulations.set(xlabel="simulations of a decision", title=f"regret after {f.experience[-1]:,.0f} cycles")
    _trade_off(trade_off, f)
    _predictor(predictor, f)
    _search(search, f)
    _simple_regret(simple_regret, f)
    _others(others, f)
    for axes in panels.flat:
        axes.title.set_fontsize(10)
        axes.tick_params(labelsize=8, which="both")
    return figure


def _surface(axes: Axes, f: Results) -> None:
    named, values = (
        ("score: 0 random, 1 best", f.score) if np.isfinite(f.score).any() else ("reward per cycle", f.reward)
    )
    mean = seed_mean(values).T
    axes.set_title("surface")
    scale(axes.xaxis, f.experience, label=EXPERIENCE)
    scale(axes.yaxis, f.simulations, label=SIMULATIONS)
    mesh = axes.pcolormesh(edges(f.experience), edges(f.simulations), mean, cmap="viridis")
    axes.figure.colorbar(mesh, ax=axes, label=named)
    if f.levels and np.isfinite(mean).all() and min(mean.shape) > 1:
        lines = axes.contour(
            f.experience, f.simulations, mean, levels=sorted(set(f.levels)), colors="white", linewidths=1
        )
        axes.clabel(lines, fmt="%.2f", fontsize=7)


def _regret(axes: Axes, x: Array, *, parts: Array, shown: Sequence[str]) -> None:
    """What is lost, part upon part, of those that are shown; what is negative stands below the line."""
    if np.isnan(parts).all():
        say(axes, "the values of actions\nin the true environment are not known")
        return
    place = np.arange(len(x))
    above, below = np.zeros(len(x)), np.zeros(len(x))
    for name in (name for name in COLOURS if name in shown):
        mean = np.nan_to_num(seed_mean(parts[..., PARTS.index(name)]))
        bottom = np.where(mean >= 0, above, below)
        label = f"{name}, while it learns" if name == "exploration" else name
        axes.bar(
            place, mean, BAR, bottom, color=COLOURS[name], label=label, hatch="//" if name == "exploration" else None
        )
        above, below = above + np.maximum(mean, 0), below + np.minimum(mean, 0)
    greedy = parts[..., :-1].sum(axis=-1)
    if np.isfinite(greedy).any():
        estimated = estimates(greedy)
        axes.errorbar(place, estimated[0], bars(estimated), fmt="_k", ms=9, lw=1, label="sum, when greedy")
    axes.axhline(0, color="black", lw=0.8)
    axes.set_ylim(top=1.45 * max(0.1, float(above.max())))  # the legend stands above the bars
    axes.set_xticks(place, [short(value) for value in x])
    axes.set(ylabel="score lost")
    legend(axes)


def _trade_off(axes: Axes, f: Results) -> None:
    trade = f.trade_off
    title = "search that compensates for learning"
    if not trade.points:
        say(axes, "no contour of the score\ncan be told from these points")
        axes.set(title=title)
        return
    learn, search, level = (np.array(each) for each in zip(*trade.points, strict=True))
    scale(axes.xaxis, f.experience, label=EXPERIENCE)
    scale(axes.yaxis, f.simulations, label="simulations for the score")
    axes.set_title(title)
    for i, value in enumerate(np.unique(level)):
        here = level == value
        colour = colormaps["viridis"](i / max(1, len(np.unique(level)) - 1))
        axes.plot(learn[here], search[here], "o", color=colour, ms=4, label=f"score {value:.2f}")
        if trade.k and trade.a:
            rest = trade.c.mean * value if trade.c else 0
            x = np.array([f.experience[0], f.experience[-1]])
            axes.plot(x, 10 ** (trade.a.mean + trade.k.mean * np.log10(x) + rest), "-", color=colour, lw=0.8)
    axes.set_xlim(f.experience[0] / 1.5, f.experience[-1] * 1.5)
    axes.set_ylim(f.simulations[0] / 1.5, f.simulations[-1] * 1.5)
    if trade.k:
        axes.set_title(f"{title}\nk = {trade.k.mean:.2f} ({trade.k.low:.2f} to {trade.k.high:.2f})")
    legend(axes)
    axes.grid(alpha=0.3)


def _predictor(axes: Axes, f: Results) -> None:
    scale(axes.xaxis, f.experience, label=EXPERIENCE)
    axes.set(ylabel="bits per percept, up to there", title="predictor: log loss above the entropy")
    if all(np.isnan(values).all() for values in f.excess.values()):
        say(axes, "the entropy of the environment\nis not known")
        return
    log_if_positive(axes, *f.excess.values())
    for i, (depth, values) in enumerate(f.excess.items()):
        line(axes, f.experience, values=values, colour=f"C{i}", label=f"depth {depth}")
    if np.isfinite(f.allowance).any():
        axes.plot(f.experience, seed_mean(f.allowance), "--k", lw=1, label="theory allows (depth as above)")
    law(axes, f.experience, comparison=f.predictor_law)
    legend(axes)
    axes.grid(alpha=0.3, which="both")


def _search(axes: Axes, f: Results) -> None:
    scale(axes.xaxis, f.simulations, label=SIMULATIONS)
    values = _measured(axes, f, "search")
    _sheaf(axes, f.simulations, values.swapaxes(0, 1), f.experience, "cycles")
    knowing = f.others.get("model: true")
    if knowing is not None and np.isfinite(knowing).any():
        line(axes, f.simulations, values=knowing, colour="black", label="given the environment", style="--")
    if values is f.score:
        score_axis(axes, f.score)
        law(axes, f.simulations, comparison=f.search_law)
    legend(axes)
    axes.grid(alpha=0.3)


def _simple_regret(axes: Axes, f: Results) -> None:
    scale(axes.xaxis, f.simulations, label=SIMULATIONS)
    axes.set(ylabel=f"reward within {f.horizon} cycles", title="search: simple regret, by its own model")
    if np.isnan(f.simple_regret).all():
        say(axes, "exact expectimax on the model\nis too much work")
        return
    _sheaf(axes, f.simulations, f.simple_regret.swapaxes(0, 1), f.experience, "cycles")
    law(axes, f.simulations, comparison=f.simple_regret_law)
    mean = seed_mean(f.simple_regret)
    if (mean <= 0).any():
        axes.set_yscale("symlog", linthresh=max(1e-3, float(np.nanmax(mean)) / 1e3))
        axes.set_ylim(bottom=0)
    else:
        axes.set_yscale("log")
    legend(axes)
    axes.grid(alpha=0.3)


def _others(axes: Axes, f: Results) -> None:
    """The score of variants, or over experience if there are none."""
    others = {label: score for label, score in f.others.items() if label != "model: true" and np.isfinite(score).any()}
    if others:
        scale(axes.xaxis, f.simulations, label=SIMULATIONS)
        axes.set(ylabel=SCORE, title=f"variants, after {f.experience[-1]:,.0f} cycles")
        line(axes, f.simulations, values=f.score[:, -1], colour="C0", label="as elsewhere")
        for i, (label, score) in enumerate(others.items(), start=1):
            line(axes, f.simulations, values=score, colour=f"C{i}", label=label)
    else:
        scale(axes.xaxis, f.experience, label=EXPERIENCE)
        values = _measured(axes, f, "learning")
        _sheaf(axes, f.experience, values.transpose(2, 0, 1), f.simulations, "simulations")
        if values is f.score:
            score_axis(axes, f.score)
            law(axes, f.experience, comparison=f.learning_law)
    legend(axes)
    axes.grid(alpha=0.3)


def _measured(axes: Axes, f: Results, what: str) -> Array:
    """The score, or the reward where there is none, with the axis and the title for it."""
    scored = np.isfinite(f.score).any()
    axes.set(ylabel=SCORE if scored else "reward per cycle", title=f"{what}: {'score' if scored else 'reward'}")
    return f.score if scored else f.reward


def _sheaf(axes: Axes, x: Array, curves: Array, at: Array, unit: str) -> None:
    """Some of many curves [L, S, K], the first and the last among them, from light to dark."""
    chosen = np.unique(np.linspace(0, len(curves) - 1, LINES).round().astype(int))
    for i, number in enumerate(chosen):
        colour = colormaps["plasma"](0.85 * (1 - i / max(1, len(chosen) - 1)))
        label = f"{at[number]:,.0f} {unit.removesuffix('s') if at[number] == 1 else unit}"
        line(axes, x, values=curves[number], colour=colour, label=label)

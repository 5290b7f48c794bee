"""The picture of the results in one environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.layout_engine import ConstrainedLayoutEngine

from aixi_approx.display.palette import BLACK, line_styles, ordered_styles
from aixi_approx.display.picture import Picture
from aixi_approx.laboratory.plot_parts import (
    BAR,
    EITHER,
    EXPERIENCE,
    PART_COLOURS,
    SCORE,
    SIMULATIONS,
    SMALL,
    WIDTH,
    bars,
    edges,
    estimates,
    finish,
    label_contours,
    law,
    legend,
    line,
    log_if_positive,
    plain_log,
    say,
    scale,
    score_axis,
    short,
)
from aixi_approx.laboratory.regret import PARTS
from aixi_approx.laboratory.results import SAME, Array, Results, seed_mean

LINES = 4  # of a sheaf, at most
HEIGHT = 3.9  # of a panel with its legend, inches
KNOWING = {"color": BLACK, "marker": "X", "markersize": 5, "linestyle": "--"}  # an agent given the environment


def draw_one(f: Results) -> Picture:
    """Draw what was measured in one environment, with one model.

    Parameters
    ----------
    f : Results
        All or a part of it measured.

    Returns
    -------
    Picture
        Eight panels: the score, where the regret comes from, laws.
    """
    figure = Picture(figsize=(WIDTH, 4 * HEIGHT), layout=ConstrainedLayoutEngine(wspace=0.04, hspace=0.03))
    panels = figure.subplots(4, 2).flatten()
    seeds = f"{f.seeds} agents, bands: 95 % over them" if f.seeds > 1 else "1 agent" if f.seeds else "no agent yet"
    figure.suptitle(f"{f.label}: horizon {f.horizon}, depth {f.depth}; {seeds}", fontsize=11)
    surface, trade_off, by_experience, by_simulations, predictor, simple_regret, search, others = panels
    _surface(surface, f)
    _trade_off(trade_off, f)
    by_experience.set(xlabel=EXPERIENCE, title=f"regret with {f.simulations[-1]:,.0f} simulations")
    _regret(by_experience, f.experience, shown=f.parts, **_sure(f, np.s_[:, :, -1]))
    by_simulations.set(xlabel=SIMULATIONS, title=f"regret after {f.experience[-1]:,.0f} cycles")
    _regret(by_simulations, f.simulations, shown=f.parts, **_sure(f, np.s_[:, -1]))
    _predictor(predictor, f)
    _simple_regret(simple_regret, f)
    _search(search, f)
    _others(others, f)
    finish(panels)
    return figure


def _sure(f: Results, index: tuple[Any, ...]) -> dict[str, Array]:
    """The parts of the score lost, with what is sure of prediction and decision, and what may be either."""
    parts = f.long_run[index] / f.span
    sure, either = parts.copy(), np.zeros(parts.shape[:-1])
    for part in ("prediction", "decision"):
        place, (low, high) = PARTS.index(part), np.moveaxis(f.bounds[part][index], -1, 0) / f.span
        sure[..., place] = np.clip(0, low, high)  # as much as it is at least, whether it costs or compensates
        either += parts[..., place] - sure[..., place]
    return {"parts": sure, "either": either} if (np.abs(np.nan_to_num(either)) > SAME).any() else {"parts": parts}


def _surface(axes: Axes, f: Results) -> None:
    named, values = (
        ("score: 0 random, 1 best", f.score) if np.isfinite(f.score).any() else ("reward per cycle", f.reward)
    )
    mean = seed_mean(values).T
    axes.set_title(
        "score by experience and simulations" if values is f.score else "reward by experience and simulations"
    )
    scale(axes.xaxis, f.experience, label=EXPERIENCE)
    scale(axes.yaxis, f.simulations, label=SIMULATIONS)
    mesh = axes.pcolormesh(edges(f.experience), edges(f.simulations), mean, cmap="viridis")
    axes.figure.colorbar(mesh, ax=axes).set_label(named, fontsize=SMALL)
    if f.levels and np.isfinite(mean).all() and min(mean.shape) > 1:
        lines = axes.contour(
            f.experience, f.simulations, mean, levels=sorted(set(f.levels)), colors="white", linewidths=1
        )
        label_contours(axes, lines)


def _regret(axes: Axes, x: Array, *, parts: Array, shown: Sequence[str], either: Array | None = None) -> None:
    """What is lost, part upon part, of those that are shown; what is negative stands below the line.

    `either`, float[S, K], is lost through prediction or decision, and is in neither of these parts.
    """
    if np.isnan(parts).all():
        say(axes, "the values of actions\nin the true environment are not known")
        return
    place = np.arange(len(x))
    above, below = np.zeros(len(x)), np.zeros(len(x))
    pieces = {name: parts[..., PARTS.index(name)] for name in shown}
    if either is not None:
        pieces[EITHER] = either
    hatches = {"exploration": "//", EITHER: ".."}
    labels = {"exploration": "exploration, while it learns"}
    for name in (name for name in PART_COLOURS if name in pieces):
        mean = np.nan_to_num(seed_mean(pieces[name]))
        bottom = np.where(mean >= 0, above, below)
        style: dict[str, Any] = {
            "color": PART_COLOURS[name],
            "hatch": hatches.get(name),
            "edgecolor": "white",
            "linewidth": 0.5,
        }
        if name == "exploration":
            style["edgecolor"] = BLACK
        axes.bar(place, mean, BAR, bottom, label=labels.get(name, name), **style)
        above, below = above + np.maximum(mean, 0), below + np.minimum(mean, 0)
    greedy = parts[..., :-1].sum(axis=-1) + (0 if either is None else either)
    if np.isfinite(greedy).any():
        estimated = estimates(greedy)
        axes.errorbar(place, estimated[0], bars(estimated), fmt="_k", ms=9, lw=1, label="sum, when greedy")
    axes.axhline(0, color="black", lw=0.8)
    high, low = max(0.1, float(above.max())), float(below.min())  # intervals may be cut off
    axes.set_ylim(low - 0.05 * (high - low), high + 0.15 * (high - low))
    axes.set_xticks(place, [short(value) for value in x])
    axes.set(ylabel="score lost: 0 best, 1 random")
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
    levels = np.unique(level)
    for value, style in zip(levels, ordered_styles(len(levels)), strict=True):
        here = level == value
        axes.plot(learn[here], search[here], **{**style, "linestyle": ""}, label=f"score {value:.2f}")
        if trade.k and trade.a:
            rest = trade.c.mean * value if trade.c else 0
            x = np.array([f.experience[0], f.experience[-1]])
            axes.plot(x, 10 ** (trade.a.mean + trade.k.mean * np.log10(x) + rest), "-", color=style["color"], lw=0.8)
    axes.set_xlim(f.experience[0] / 1.5, f.experience[-1] * 1.5)
    axes.set_ylim(f.simulations[0] / 1.5, f.simulations[-1] * 1.5)
    if trade.k:
        interval = f" ({trade.k.low:.2f} to {trade.k.high:.2f})" if np.isfinite(trade.k.high) else ""
        axes.set_title(f"{title}\nk = {trade.k.mean:.2f}{interval}")
    legend(axes)
    axes.grid(alpha=0.3)


def _predictor(axes: Axes, f: Results) -> None:
    scale(axes.xaxis, f.experience, label=EXPERIENCE)
    axes.set(ylabel="bits per percept, mean up to there", title="predictor: log loss above the entropy")
    if all(np.isnan(values).all() for values in f.excess.values()):
        say(axes, "the entropy of the environment\nis not known")
        return
    for (depth, values), style in zip(f.excess.items(), line_styles(len(f.excess)), strict=True):
        line(axes, f.experience, values=values, style=style, label=f"depth {depth}")
    if np.isfinite(f.allowance).any():
        axes.plot(f.experience, seed_mean(f.allowance), "--k", lw=1, label="theory allows (depth as above)")
    law(axes, f.experience, comparison=f.predictor_law, per_unit=True)
    log_if_positive(axes, *f.excess.values())
    legend(axes)
    axes.grid(alpha=0.3, which="both")


def _search(axes: Axes, f: Results) -> None:
    scale(axes.xaxis, f.simulations, label=SIMULATIONS)
    values = _measured(axes, f, "search")
    _sheaf(axes, f.simulations, values.swapaxes(0, 1), f.experience, "cycles")
    knowing = f.others.get("model: true")
    if knowing is not None and np.isfinite(knowing).any():
        line(axes, f.simulations, values=knowing, style=KNOWING, label="given the environment")
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
        plain_log(axes.yaxis)
    legend(axes)
    axes.grid(alpha=0.3)


def _others(axes: Axes, f: Results) -> None:
    """The score of variants, or over experience if there are none."""
    others = {label: score for label, score in f.others.items() if label != "model: true" and np.isfinite(score).any()}
    if others:
        scale(axes.xaxis, f.simulations, label=SIMULATIONS)
        axes.set(ylabel=SCORE, title=f"variants, after {f.experience[-1]:,.0f} cycles")
        variants = {"as elsewhere": f.score[:, -1], **others}
        for (label, score), style in zip(variants.items(), line_styles(len(variants)), strict=True):
            line(axes, f.simulations, values=score, style=style, label=label)
        score_axis(axes, *variants.values())
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
    for number, style in zip(chosen, ordered_styles(len(chosen)), strict=True):
        label = f"{at[number]:,.0f} {unit.removesuffix('s') if at[number] == 1 else unit}"
        line(axes, x, values=curves[number], style=style, label=label)

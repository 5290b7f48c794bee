"""Pictures of a study: one of each environment, and one of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from aixi_approx.account import PARTS
from aixi_approx.comparison import Comparison
from aixi_approx.findings import Array, Findings, across, estimate

COLOURS = {"prediction": "tab:blue", "decision": "tab:orange", "horizon": "tab:green", "exploration": "lightgray"}
HEX = -1.2  # k of Jones 2021, in Hex
WIDE = (-3.0, 0.5)  # the axis of k, at least
LINES = 4  # of a sheaf, at most
TICKS = 12  # of an axis, at most
EXPERIENCE, SIMULATIONS, SCORE = "experience, cycles", "simulations of a decision", "score: 0 random, 1 best"
BAR = 0.7


def draw_one(f: Findings) -> Figure:
    """Draw all that was found in one environment."""
    figure = Figure(figsize=(17, 8.2), layout="constrained")
    panels = figure.subplots(2, 4)
    seeds = f"{f.seeds} agents, 95 % over them" if f.seeds > 1 else "1 agent" if f.seeds else "no agent yet"
    figure.suptitle(f"{f.environment}: horizon {f.horizon}, depth {f.depth}; {seeds}")
    surface, by_experience, by_simulations, trade_off = panels[0]
    predictor, search, missed, others = panels[1]
    _surface(surface, f)
    _account(by_experience, f.experience, f.long_run[:, :, -1] / f.span)
    by_experience.set(xlabel="experience, cycles", title=f"account with {f.simulations[-1]:,.0f} simulations")
    _account(by_simulations, f.simulations, f.long_run[:, -1] / f.span)
    by_simulations.set(xlabel="simulations of a decision", title=f"account after {f.experience[-1]:,.0f} cycles")
    _trade_off(trade_off, f)
    _predictor(predictor, f)
    _search(search, f)
    _missed(missed, f)
    _others(others, f)
    for axes in panels.flat:
        axes.title.set_fontsize(10)
        axes.tick_params(labelsize=8, which="both")
    return figure


def _surface(axes: Axes, f: Findings) -> None:
    named, values = (
        ("score: 0 random, 1 best", f.score) if np.isfinite(f.score).any() else ("reward per cycle", f.reward)
    )
    mean = across(values).T
    axes.set_title("surface")
    _scale(axes.xaxis, f.experience, EXPERIENCE)
    _scale(axes.yaxis, f.simulations, SIMULATIONS)
    mesh = axes.pcolormesh(_edges(f.experience), _edges(f.simulations), mean, cmap="viridis")
    axes.figure.colorbar(mesh, ax=axes, label=named)
    if f.levels and np.isfinite(mean).all() and min(mean.shape) > 1:
        lines = axes.contour(
            f.experience, f.simulations, mean, levels=sorted(set(f.levels)), colors="white", linewidths=1
        )
        axes.clabel(lines, fmt="%.2f", fontsize=7)


def _edges(x: Array) -> Array:
    """Limits of cells around points on a logarithmic axis."""
    logs = np.log(x)
    if len(x) == 1:
        return np.array([x[0] / 2, x[0] * 2])
    between = (logs[1:] + logs[:-1]) / 2
    return np.exp(np.concatenate([[2 * logs[0] - between[0]], between, [2 * logs[-1] - between[-1]]]))


def _account(axes: Axes, x: Array, parts: Array) -> None:
    """What is missed, part upon part; what is negative stands below the line."""
    if np.isnan(parts).all():
        _say(axes, "no account: the values of actions\nin the true environment are not known")
        return
    place = np.arange(len(x))
    above, below = np.zeros(len(x)), np.zeros(len(x))
    for name, colour in COLOURS.items():
        mean = np.nan_to_num(across(parts[..., PARTS.index(name)]))
        bottom = np.where(mean >= 0, above, below)
        label = f"{name}, while it learns" if name == "exploration" else name
        axes.bar(place, mean, BAR, bottom, color=colour, label=label, hatch="//" if name == "exploration" else None)
        above, below = above + np.maximum(mean, 0), below + np.minimum(mean, 0)
    greedy = parts[..., :-1].sum(axis=-1)
    if np.isfinite(greedy).any():
        mean, low, high = _estimates(greedy)
        axes.errorbar(place, mean, _bars(mean, low, high), fmt="_k", ms=9, lw=1, label="sum, when greedy")
    axes.axhline(0, color="black", lw=0.8)
    axes.set_xticks(place, [_short(value) for value in x])
    axes.set(ylabel="score missed")
    _legend(axes)


def _trade_off(axes: Axes, f: Findings) -> None:
    trade = f.trade_off
    title = "search that makes up for learning"
    if not trade.points:
        _say(axes, "no contour of the score\ncan be told from these points")
        axes.set(title=title)
        return
    learn, search, level = (np.array(each) for each in zip(*trade.points, strict=True))
    _scale(axes.xaxis, f.experience, EXPERIENCE)
    _scale(axes.yaxis, f.simulations, "simulations for the score")
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
    _legend(axes)
    axes.grid(alpha=0.3)


def _predictor(axes: Axes, f: Findings) -> None:
    _scale(axes.xaxis, f.experience, EXPERIENCE)
    axes.set(ylabel="bits per percept, up to there", title="predictor: log loss above the entropy")
    if all(np.isnan(values).all() for values in f.excess.values()):
        _say(axes, "the entropy of the environment\nis not known")
        return
    _log_if_positive(axes, *f.excess.values())
    for i, (depth, values) in enumerate(f.excess.items()):
        _line(axes, f.experience, values, f"C{i}", f"depth {depth}")
    if np.isfinite(f.allowance).any():
        axes.plot(f.experience, across(f.allowance), "--k", lw=1, label="theory allows (depth as above)")
    _law(axes, f.experience, f.predictor_law)
    _legend(axes)
    axes.grid(alpha=0.3, which="both")


def _search(axes: Axes, f: Findings) -> None:
    _scale(axes.xaxis, f.simulations, SIMULATIONS)
    axes.set(ylabel=SCORE, title="search: score")
    values = f.score
    if np.isnan(values).all():
        values = f.reward
        axes.set(ylabel="reward per cycle", title="search: reward")
    chosen = np.unique(np.linspace(0, len(f.experience) - 1, LINES).round().astype(int))
    for i, e in enumerate(chosen):
        _line(
            axes,
            f.simulations,
            values[:, e],
            colormaps["plasma"](0.85 * (1 - i / max(1, len(chosen) - 1))),
            f"{f.experience[e]:,.0f} cycles",
        )
    knowing = f.others.get("model: true")
    if knowing is not None and np.isfinite(knowing).any():
        _line(axes, f.simulations, knowing, "black", "given the environment", "--")
    if values is f.score:
        _score_axis(axes, f.score)
        _law(axes, f.simulations, f.search_law)
    _legend(axes)
    axes.grid(alpha=0.3)


def _missed(axes: Axes, f: Findings) -> None:
    _scale(axes.xaxis, f.simulations, SIMULATIONS)
    axes.set(ylabel=f"reward within {f.horizon} cycles", title="search: value missed, by its own model")
    if np.isnan(f.missed).all():
        _say(axes, "exact expectimax on the model\nis too much work")
        return
    chosen = np.unique(np.linspace(0, len(f.experience) - 1, LINES).round().astype(int))
    for i, e in enumerate(chosen):
        colour = colormaps["plasma"](0.85 * (1 - i / max(1, len(chosen) - 1)))
        _line(axes, f.simulations, f.missed[:, e], colour, f"{f.experience[e]:,.0f} cycles")
    _law(axes, f.simulations, f.missed_law)
    mean = across(f.missed)
    if (mean <= 0).any():
        axes.set_yscale("symlog", linthresh=max(1e-3, float(np.nanmax(mean)) / 1e3))
        axes.set_ylim(bottom=0)
    else:
        axes.set_yscale("log")
    _legend(axes)
    axes.grid(alpha=0.3)


def _others(axes: Axes, f: Findings) -> None:
    """The score by other means, or over experience if there are none."""
    others = {label: score for label, score in f.others.items() if label != "model: true" and np.isfinite(score).any()}
    if others:
        _scale(axes.xaxis, f.simulations, SIMULATIONS)
        axes.set(ylabel=SCORE, title=f"by other means, after {f.experience[-1]:,.0f} cycles")
        _line(axes, f.simulations, f.score[:, -1], "C0", "as elsewhere")
        for i, (label, score) in enumerate(others.items(), start=1):
            _line(axes, f.simulations, score, f"C{i}", label)
    else:
        _scale(axes.xaxis, f.experience, EXPERIENCE)
        axes.set(ylabel=SCORE, title="learning: score")
        values = f.score
        if np.isnan(values).all():
            values = f.reward
            axes.set(ylabel="reward per cycle", title="learning: reward")
        chosen = np.unique(np.linspace(0, len(f.simulations) - 1, LINES).round().astype(int))
        for i, n in enumerate(chosen):
            colour = colormaps["plasma"](0.85 * (1 - i / max(1, len(chosen) - 1)))
            _line(axes, f.experience, values[:, :, n], colour, f"{f.simulations[n]:,.0f} simulations")
        if values is f.score:
            _score_axis(axes, f.score)
            _law(axes, f.experience, f.learning_law)
    _legend(axes)
    axes.grid(alpha=0.3)


def draw_all(found: Sequence[Findings]) -> Figure:
    """Draw what was found in all environments, side by side."""
    figure = Figure(figsize=(15, 8.4), layout="constrained")
    (learning, search, account), (predictor, trade_off, foreseen) = figure.subplots(2, 3)
    for i, f in enumerate(found):
        _line(learning, f.experience, f.score[:, :, -1], f"C{i}", f.environment)
        _line(search, f.simulations, f.score[:, -1], f"C{i}", f.environment)
        _line(predictor, f.experience, f.excess[f.depth], f"C{i}", f.environment)
    learning.set(ylabel=SCORE, title=f"learning: score with {found[0].simulations[-1]:,.0f} simulations")
    search.set(ylabel=SCORE, title=f"search: score after {found[0].experience[-1]:,.0f} cycles")
    _log_if_positive(predictor, *(f.excess[f.depth] for f in found))
    predictor.set(ylabel="bits per percept, up to there", title="predictor: log loss above the entropy")
    for axes in (learning, predictor):
        _scale(axes.xaxis, found[0].experience, EXPERIENCE)
    _scale(search.xaxis, found[0].simulations, SIMULATIONS)
    names = [f.environment for f in found]
    _family_account(account, found, names)
    _family_trade_off(trade_off, found, names)
    _family_laws(foreseen, found, names)
    for axes in (learning, search):
        _score_axis(axes, *(f.score for f in found))
    handles: dict[str, Any] = {}
    for axes in (learning, search, predictor):
        axes.grid(alpha=0.3)
        lines, labels = axes.get_legend_handles_labels()
        handles |= dict(zip(labels, lines, strict=True))
        if not labels:
            _say(axes, "nothing is known")
    if handles:
        figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=8, fontsize=8)
    for axes in figure.axes:
        axes.title.set_fontsize(10)
        axes.tick_params(labelsize=8, which="both")
    return figure


def _family_account(axes: Axes, found: Sequence[Findings], names: Sequence[str]) -> None:
    """The account at the least and the most of both."""
    width = BAR / 2
    for k, corner in enumerate((0, -1)):
        above, below = np.zeros(len(found)), np.zeros(len(found))
        for part in ("prediction", "decision", "horizon"):
            index = PARTS.index(part)
            mean = np.array([float(across(f.long_run[:, corner, corner, index])) / f.span for f in found])
            mean = np.nan_to_num(mean)
            bottom = np.where(mean >= 0, above, below)
            place = np.arange(len(found)) + (k - 0.5) * width
            label = part if k else None
            axes.bar(place, mean, width * 0.9, bottom, color=COLOURS[part], label=label, alpha=1 if k else 0.5)
            above, below = above + np.maximum(mean, 0), below + np.minimum(mean, 0)
    axes.axhline(0, color="black", lw=0.8)
    axes.set_xticks(range(len(found)), names, rotation=30, ha="right")
    axes.set(ylabel="score missed", title="account: the least of both (pale) and the most")
    axes.margins(y=0.12)
    axes.legend(fontsize=7, ncols=3, loc="upper center")


def _family_trade_off(axes: Axes, found: Sequence[Findings], names: Sequence[str]) -> None:
    axes.set_xlim(*WIDE)
    for i, f in enumerate(found):
        if k := f.trade_off.k:
            axes.set_xlim(min(axes.get_xlim()[0], k.mean - 0.5), max(axes.get_xlim()[1], k.mean + 0.5))
            mean, low, high = (np.array([value]) for value in k)
            axes.errorbar(mean, [i], xerr=_bars(mean, low, high), fmt="o", color=f"C{i}")
        else:
            axes.text(WIDE[1], i, "can't be told ", fontsize=7, ha="right", va="center", color="gray")
    axes.axvline(HEX, color="black", lw=0.8, ls=":", label="Hex (Jones 2021)")
    axes.set_yticks(range(len(found)), names)
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.set(xlabel="k: factors of ten of search for one of experience", title="trade-off of search for learning")
    axes.legend(fontsize=7, loc="lower left")
    axes.grid(alpha=0.3)


def _family_laws(axes: Axes, found: Sequence[Findings], names: Sequence[str]) -> None:
    """Error of the best law over that of staying put, for each quantity."""
    markers = "osD^v"
    for i, f in enumerate(found):
        for marker, (what, law) in zip(markers, f.laws.items(), strict=True):
            if law.laws and law.persistence.mean > 0:
                ratio = (law.best or law.laws[0]).error.mean / law.persistence.mean
                label = what.split(",")[0]
                new = label not in axes.get_legend_handles_labels()[1]
                filled = "black" if law.best else "white"
                axes.plot([ratio], [i], marker, color="black", mfc=filled, ms=6, label=label if new else None)
    axes.axvline(1, color="black", lw=0.8, ls=":")
    axes.set_yticks(range(len(found)), names)
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.set(
        xscale="log", xlabel="error of the law / of staying put", title="laws: extrapolation (hollow: no law holds)"
    )
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=7, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.16))
    axes.grid(alpha=0.3)


def _line(axes: Axes, x: Array, values: Array, colour: Any, label: str, style: str = "-") -> None:
    """A line through the means over seeds, with their intervals."""
    there = np.isfinite(values).any(axis=0)
    if not there.any():
        return
    mean, low, high = _estimates(values[:, there])
    axes.plot(x[there], mean, f"{style}o", ms=3, lw=1.5, color=colour, label=label)
    axes.fill_between(
        x[there],
        np.where(np.isfinite(low), low, mean),
        np.where(np.isfinite(high), high, mean),
        color=colour,
        alpha=0.15,
        lw=0,
    )


def _score_axis(axes: Axes, *scores: Array) -> None:
    """Show all means; intervals may be cut off. A line marks the best."""
    means = [float(across(score).min()) for score in scores if np.isfinite(across(score)).all()]
    axes.axhline(1, color="black", lw=0.8, ls=":")
    axes.set_ylim(min([0, *means]) - 0.1, 1.15)


def _law(axes: Axes, x: Array, law: Comparison) -> None:
    """The law that foresees best, if any does."""
    if law.best:
        fine = np.geomspace(x[0], x[-1], 200)
        axes.plot(fine, law.best.predict(fine), ":", color="red", lw=1.5, label=law.best.formula)


def _estimates(values: Array) -> Array:
    """[3, K] mean, low and high of values [S, K]."""
    return np.array([estimate(values[:, i]) for i in range(values.shape[1])]).T


def _bars(mean: Array, low: Array, high: Array) -> Array:
    """[2, K] how far the intervals go down and up; nowhere where they are infinite."""
    bars = np.array([mean - low, high - mean])
    return np.where(np.isfinite(bars), np.maximum(bars, 0), 0)


def _short(value: float) -> str:
    """A number in a few characters.

    >>> _short(300), _short(30_000)
    ('300', '30k')
    """
    return f"{value / 1_000:g}k" if value >= 1_000 else f"{value:g}"


def _log_if_positive(axes: Axes, *curves: Array) -> None:
    """Make the vertical axis logarithmic, unless some mean is not positive, as it may be by luck."""
    means = np.concatenate([across(curve) for curve in curves])
    if (means[np.isfinite(means)] > 0).all():
        axes.set_yscale("log")


def _legend(axes: Axes) -> None:
    """A legend of what there is."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=7)
    else:
        _say(axes, "nothing was measured yet")


def _scale(axis: Axis, x: Array, label: str) -> None:
    """Make an axis logarithmic, with a tick at each point; at some of them if they are many."""
    (axis.axes.set_xscale if axis is axis.axes.xaxis else axis.axes.set_yscale)("log")
    shown = x[:: -(-len(x) // TICKS)]
    axis.set_ticks(shown, [_short(value) for value in shown])
    axis.set_ticks([], minor=True)
    axis.set_label_text(label)


def _say(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=9, color="gray")
    axes.set(xticks=[], yticks=[])

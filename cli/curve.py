"""The reward of an agent while it learns, as a picture, beside what can be reached."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from aixi_approx.envs.change import Change
from aixi_approx.recovery import reach, running

if TYPE_CHECKING:
    from aixi_approx.environment import Environment
    from aixi_approx.interaction import Row

POINTS = 2_000  # of a curve


def draw(rows: Sequence[Row], environment: Environment, result: dict[str, Any], path: Path) -> None:
    """Draw a run.

    Parameters
    ----------
    rows
        The cycles of learning, the first first.
    environment
        As it was reset before them, so that it knows when it changes.
    result
        What `run` returned.
    path
        Where to write; the ending says in which format.
    """
    window = max(1, len(rows) // 40)
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    ends = window - 1 + np.arange(len(rows) - window + 1)
    some = slice(None, None, max(1, len(ends) // POINTS))
    every = running([row._replace(explored=0) for row in rows], window)
    axes.plot(ends[some], every[some], color="tab:gray", lw=1, label="all cycles")
    axes.plot(ends[some], running(rows, window)[some], color="tab:blue", label="cycles without a random action")
    labelled: set[str] = set()
    parts = list(zip(environment.parts, environment.begins, strict=True)) if isinstance(environment, Change) else []
    for i, (part, begins) in enumerate(parts or [(environment, 0)]):
        end = min(parts[i + 1][1] if i + 1 < len(parts) else len(rows), len(rows))
        random, best = reach(part)
        for value, style, label in ((best, ":", "best achievable"), (random, "--", "random agent")):
            if value is not None and begins < end:
                axes.hlines(
                    value, begins, end, color="black", lw=0.9, ls=style, label="" if label in labelled else label
                )
                labelled.add(label)
        if i and begins < len(rows):
            axes.axvline(begins, color="tab:red", lw=0.8, label="change" if i == 1 else "")
        if parts and begins < len(rows):
            height = 1.02 + 0.05 * (i % 3)  # so that neighbours can be read
            axes.text(begins, height, part.name, fontsize=8, transform=axes.get_xaxis_transform())
    if result["reward"] is not None:
        spread = [[result["reward"] - result["reward_low"]], [result["reward_high"] - result["reward"]]]
        axes.errorbar([len(rows)], [result["reward"]], spread, fmt="o", color="tab:green", ms=4, label="greedy, 95 %")
    axes.set(xlabel="cycle", ylabel=f"reward per cycle, mean over {window:,} cycles")
    axes.set_title("" if parts else Path(result["environment"]).name)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=6, fontsize=8)
    figure.savefig(path, dpi=130)

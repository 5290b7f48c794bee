"""The reward of an agent while it learns, as a picture, beside what can be reached."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from aixi_approx.cli.options import written
from aixi_approx.experiments.recovery import running
from aixi_approx.laboratory.palette import BLACK, BLUE, GREY, ORANGE, VERMILION

if TYPE_CHECKING:
    from aixi_approx.interaction import Row

POINTS = 2_000  # of a curve


def draw(rows: Sequence[Row], result: dict[str, Any], *, path: Path) -> None:
    """Draw a run.

    Parameters
    ----------
    rows
        The cycles of learning, the first first.
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
    axes.plot(ends[some], every[some], color=GREY, lw=1, alpha=0.6, label="all cycles")
    axes.plot(ends[some], running(rows, window)[some], color=BLUE, label="cycles without a random action")
    whole = {**result, "onset": 0, "end": len(rows)}
    labelled: set[str] = set()
    for i, phase in enumerate(result["phases"] or [whole]):
        for part, style, label in (("optimum", ":", "best achievable"), ("random_reward", "--", "random agent")):
            if phase[part] is not None:
                said = "" if label in labelled else label
                axes.hlines(phase[part], phase["onset"], phase["end"], color="black", lw=0.9, ls=style, label=said)
                labelled.add(label)
        if i:
            axes.axvline(phase["onset"], color=VERMILION, lw=0.8, label="change" if i == 1 else "")
        if result["phases"]:
            height = 1.02 + 0.05 * (i % 3)  # so that neighbours can be read
            axes.text(phase["onset"], height, phase["environment"], fontsize=8, transform=axes.get_xaxis_transform())
    if result["reward"] is not None:
        spread = [[result["reward"] - result["reward_low"]], [result["reward_high"] - result["reward"]]]
        axes.errorbar(
            [len(rows)], [result["reward"]], spread, fmt="D", color=ORANGE, ms=5, mec=BLACK, label="greedy, 95 %"
        )
    axes.set(xlabel="cycle", ylabel=f"reward per cycle, mean over {window:,} cycles")
    axes.set_title("" if result["phases"] else Path(result["environment"]).name)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=6, fontsize=7)
    with written(path):
        figure.savefig(path, dpi=130)

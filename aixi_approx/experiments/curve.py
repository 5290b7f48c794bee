"""The reward of an agent while it learns, as a picture, beside what can be reached."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aixi_approx.display.palette import BLACK, BLUE, GREY, ORANGE, VERMILION
from aixi_approx.display.picture import Picture
from aixi_approx.experiments.recovery import Phase, running

if TYPE_CHECKING:
    from aixi_approx.experiments.result import RunResult
    from aixi_approx.interaction import Row

POINTS = 2_000  # of a curve


def draw_curve(rows: Sequence[Row], result: RunResult) -> Picture:
    """Draw the reward of an agent while it learned, beside what can be reached.

    Parameters
    ----------
    rows : sequence of Row
        The cycles of learning, from the first on.
    result : RunResult
        What `run` returned.

    Returns
    -------
    Picture
        A figure, of which a notebook shows a PNG.
    """
    window = max(1, len(rows) // 40)
    figure = Picture(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    ends = window - 1 + np.arange(len(rows) - window + 1)
    some = slice(None, None, max(1, len(ends) // POINTS))
    every = running([row._replace(explored=0) for row in rows], window)
    axes.plot(ends[some], every[some], color=GREY, lw=1, alpha=0.6, label="all cycles")
    axes.plot(ends[some], running(rows, window)[some], color=BLUE, label="cycles without a random action")
    ends_known = {"optimum": (":", "best achievable"), "random_reward": ("--", "random agent")}
    stages: list[tuple[Phase | RunResult, int, int]] = [(phase, phase.onset, phase.end) for phase in result.phases]
    labelled: set[str] = set()
    for i, (stage, onset, end) in enumerate(stages or [(result, 0, len(rows))]):
        for part, (style, label) in ends_known.items():
            if (known := getattr(stage, part)) is not None:
                said = "" if label in labelled else label
                axes.hlines(known, onset, end, color="black", lw=0.9, ls=style, label=said)
                labelled.add(label)
        if i:
            axes.axvline(onset, color=VERMILION, lw=0.8, label="change" if i == 1 else "")
    for i, phase in enumerate(result.phases):
        height = 1.02 + 0.05 * (i % 3)  # so that neighbours can be read
        above = axes.get_xaxis_transform()
        axes.text(phase.onset, height, phase.environment, fontsize=8, transform=above, parse_math=False)
    if result.reward is not None and np.isfinite(result.reward).all():
        mean, low, high = result.reward
        spread = [[mean - low], [high - mean]]
        axes.errorbar([len(rows)], [mean], spread, fmt="D", color=ORANGE, ms=5, mec=BLACK, label="greedy, 95 %")
    axes.set(xlabel="cycle", ylabel=f"reward per cycle, mean over {window:,} cycles")
    if not result.phases:
        axes.set_title(Path(result.experiment.environment).name, parse_math=False)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=6, fontsize=7)
    return figure

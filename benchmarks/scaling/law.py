"""Agency scales with compute: the law of the frontier in fifteen environments, its tables and its picture.

    .venv/bin/python benchmarks/scaling/law.py                         # from the rows that are committed: seconds
    .venv/bin/python benchmarks/scaling/law.py study/ held_out/        # from studies, whose rows it keeps

The hypotheses stand in families.toml and held_out.toml. They were written there before the first agent of these studies
was made; the laws themselves had been found on other seeds of the seven environments of families.toml.

1. The score on the compute-optimal frontier is 1 / (1 + (C50/C)^gamma), with C the bits that the predictor predicted or
   learned in a life of learning and in 1,000 decisions. Fitted to the lower half of log C, it foresees the upper half
   with a third of the error of the last value or less, on average; it has the smaller error in eight of ten
   environments; and a smaller error, on average, than a straight line in log C that ends at the best score.
2. Over experience and simulations together, chances multiply: 1 / ((1 + (E0/E)^alpha) (1 + (N0/N)^beta)), fitted to the
   small quadrant, has a smaller error than the last value in seven of ten environments.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aixi_approx.laboratory import Laboratory, find_results
from aixi_approx.laboratory.plot_law import LawCurve, draw_law
from aixi_approx.laboratory.results import Results, seed_mean
from aixi_approx.laws.bootstrap import estimate
from aixi_approx.laws.curves import fit_resampled
from aixi_approx.laws.extrapolation import Comparison
from aixi_approx.laws.frontier import Frontier, find_frontier
from aixi_approx.laws.joint import fit_joint_law

HERE = Path(__file__).resolve().parent
ROWS = HERE.parent / "results" / "scaling" / "surfaces.json"
PICTURE = HERE.parent.parent / "docs" / "law.png"
DECISIONS = (100, 1_000, 10_000)
LINE = "a line"  # null forecast: straight in log C, to the end
HALF_WAY = 0.5  # of the score


def surface_of(f: Results, held_out: bool) -> dict[str, Any]:
    """What the law of the frontier needs of a study in one environment."""
    return {
        "environment": f.environment,
        "held_out": held_out,
        "horizon": f.horizon,
        "end": f.end,
        "experience": f.experience.tolist(),
        "simulations": f.simulations.tolist(),
        "score": np.round(f.score, 6).tolist(),
        "learning": seed_mean(f.learning["bits"]).tolist(),
        "deciding": np.round(seed_mean(f.bits), 3).tolist(),
    }


def frontier_of(surface: dict[str, Any], decisions: float) -> Frontier:
    """The frontier of a surface."""
    names = ("experience", "simulations", "score", "learning", "deciding")
    e, n, score, learning, deciding = (np.array(surface[name], dtype=float) for name in names)
    found = find_frontier(e, n, score=score, learning=learning, deciding=deciding, decisions=decisions)
    assert found is not None, surface["environment"]
    return found


def frontier_law(surface: dict[str, Any], decisions: float) -> Comparison:
    """The law of the frontier, frozen before the data."""
    found = frontier_of(surface, decisions)
    return fit_resampled(found.compute, found.score, end=surface["end"], frozen="odds")


def half_way(surface: dict[str, Any], decisions: float) -> Comparison:
    """The same from half of the way on: fitted to all points up to the first at which the score is a half."""
    found = frontier_of(surface, decisions)
    fitted = max(5, int(np.argmax(found.score[0] >= HALF_WAY)) + 1)
    again = np.arange(min(len(found.compute), 2 * fitted))  # the small half are these points
    return fit_resampled(found.compute[again], found.score[:, again], end=surface["end"], frozen="odds")


def joint_law(surface: dict[str, Any]) -> Comparison:
    """The law of experience and simulations together, frozen before the data."""
    e, n, score = (np.array(surface[name], dtype=float) for name in ("experience", "simulations", "score"))
    end = surface["end"]
    return fit_joint_law(e, n, loss=end - score, end=end, frozen="odds multiply")

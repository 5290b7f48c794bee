"""What search is worth in each family of environments, given the true environment in place of a learned model.

    python benchmarks/environments/search.py [FAMILY ...] [--rows FILE] [--picture FILE]

AImu and its one-ply version in all sizes, 95 % intervals within an evaluation of some thousand cycles. Rows that stand
in FILE are not computed again. Ten minutes on two cores for all families.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import track

from aixi_approx.display.palette import BLACK, line_styles
from aixi_approx.environment import Schedule
from aixi_approx.envs import ENVIRONMENTS, make
from aixi_approx.execution.folder import JsonLines
from aixi_approx.experiments.experiment import Experiment
from aixi_approx.experiments.running import compile_kernels, run
from aixi_approx.laboratory.plot_parts import TITLE, WIDTH, finish, legend, say_same, short
from aixi_approx.laws.estimate import normalised
from aixi_approx.planner_spec import PlannerSpec

Cell = tuple[str, str, int]  # environment, planner, simulations

CYCLES = {100: 20_000, 1_000: 5_000, 10_000: 2_000}  # of evaluation, by simulations
ONE_PLY = 10_000  # simulations
BESIDE = 1.4  # where the cross of the 1-ply agent stands in a picture
COLUMNS = 3  # of panels, at most
ROWS = Path(__file__).parents[1] / "results" / "search.jsonl"


def cells(family: str) -> Iterator[Cell]:
    """What is to be measured in a family."""
    for size in make(family).sizes:
        yield f"{family}:{size}", "one-ply", ONE_PLY
        for simulations in CYCLES:
            yield f"{family}:{size}", "rhouct", simulations


def measure(cell: Cell) -> dict[str, Any]:
    """Evaluate an agent that knows the environment."""
    name, planner, simulations = cell
    environment = make(name)
    settings, schedule = environment.settings, Schedule(0, evaluation_simulations=simulations)
    experiment = Experiment(name, settings, schedule, PlannerSpec(planner), "true", evaluate=CYCLES[simulations])
    result = run(experiment).as_json()
    found = {field: result[field] for field in ("reward", "reward_low", "reward_high", "random_reward", "optimum")}
    return {
        **dict(zip(("environment", "planner", "simulations"), cell, strict=True)),
        "states": environment.size,
        "horizon": settings.horizon,
        "cycles": result["evaluate"],
        **found,
        "seconds": result["evaluation_seconds"],
    }


def text(row: dict[str, Any]) -> str:
    """The score of a row, or its reward where the optimum is not known."""
    half = (row["reward_high"] - row["reward_low"]) / 2
    if row["optimum"] is None:
        return f"({row['reward']:.2f} ± {half:.2f})"
    span = row["optimum"] - row["random_reward"]
    return f"{normalised(row['reward'], row['random_reward'], optimum=row['optimum']):.3f} ± {half / span:.3f}"


def table(rows: dict[Cell, dict[str, Any]], families: list[str]) -> str:
    """Return the table, in Markdown."""
    head = ["environment", "states", "horizon", "optimum", "random", "1-ply", *(f"{n:,}" for n in CYCLES), "gain"]
    lines = [f"| {' | '.join(head)} |", "|---|" + "--:|" * (len(head) - 1)]
    for family in families:
        for size in make(family).sizes:
            name = f"{family}:{size}"
            row = rows[name, "rhouct", 100]
            optimum = "unknown" if row["optimum"] is None else f"{row['optimum']:.4f}"
            values = [text(rows[name, "one-ply", ONE_PLY]), *(text(rows[name, "rhouct", n]) for n in CYCLES)]
            gain = ""
            if row["optimum"] is not None:
                gained = rows[name, "rhouct", 10_000]["reward"] - row["reward"]
                gain = f"{round(gained / (row['optimum'] - row['random_reward']), 2) + 0.0:+.2f}"
            line = [
                name,
                f"{row['states']:,}",
                str(row["horizon"]),
                optimum,
                f"{round(row['random_reward'], 4) + 0.0:.4f}",
                *values,
            ]
            lines.append(f"| {' | '.join([*line, gain])} |")
    return "\n".join(lines)


def draw(rows: dict[Cell, dict[str, Any]], families: list[str], *, path: Path) -> None:
    """Draw the score over simulations, a panel for each family."""
    columns = min(COLUMNS, len(families))
    height = -(-len(families) // columns)
    figure = Figure(figsize=(WIDTH / COLUMNS * columns, 3.4 * height + 0.6), layout="constrained")
    panels = figure.subplots(height, columns, squeeze=False, sharey=True).flatten()
    for axes in panels[len(families) :]:
        axes.set_axis_off()
    for axes, family in zip(panels, families, strict=False):
        known = [size for size in make(family).sizes if rows[f"{family}:{size}", "rhouct", 100]["optimum"] is not None]
        means = []
        for size, style in zip(known, line_styles(len(known)), strict=True):
            found = [rows[f"{family}:{size}", "rhouct", n] for n in CYCLES]
            scores = [
                [normalised(row[part], row["random_reward"], optimum=row["optimum"]) for row in found]
                for part in ("reward", "reward_low", "reward_high")
            ]
            means.append(np.array(scores[0]))
            axes.plot(list(CYCLES), scores[0], label=size, **style)
            axes.fill_between(list(CYCLES), *scores[1:], color=style["color"], alpha=0.15, lw=0)
            other = rows[f"{family}:{size}", "one-ply", ONE_PLY]
            score = normalised(other["reward"], other["random_reward"], optimum=other["optimum"])
            axes.plot([BESIDE * ONE_PLY], [score], "x", ms=5, color=style["color"])
        axes.axhline(1, color=BLACK, lw=0.8, ls=":")
        axes.set(xscale="log", title=family, ylim=(-0.1, 1.25))
        axes.xaxis.set_major_formatter(lambda value, _: short(value))
        axes.grid(alpha=0.3)
        say_same(axes, means)
        legend(axes, beside=COLUMNS)
    finish(panels[: len(families)])
    across = "simulations of a search, given the true environment; a cross is the 1-ply agent with 10,000; bands: 95 %"
    figure.supxlabel(across, fontsize=TITLE)
    figure.supylabel("score: 0 random, 1 best", fontsize=TITLE)
    figure.savefig(path, dpi=130)


def main() -> None:
    """Measure what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    every = [name for name in ENVIRONMENTS if make(name).sizes]
    parser.add_argument("families", nargs="*", default=every, metavar="FAMILY")
    parser.add_argument("--rows", type=Path, default=ROWS)
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    lines = JsonLines(given.rows)
    rows = {(row["environment"], row["planner"], row["simulations"]): row for row in lines.read()}
    missing = [cell for family in given.families for cell in cells(family) if cell not in rows]
    for planner in ("rhouct", "one-ply"):
        compile_kernels("true", planner)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        pairs = zip(missing, pool.map(measure, missing), strict=True)
        for cell, row in track(pairs, "searching", len(missing), console=Console(stderr=True)):
            lines.append(row)
            rows[cell] = row
    print(table(rows, given.families))
    if given.picture:
        draw(rows, given.families, path=given.picture)


if __name__ == "__main__":
    main()

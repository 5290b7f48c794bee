"""Agency scales with compute: the law of the frontier in fifteen environments, its tables and its picture.

    .venv/bin/python benchmarks/scaling/law.py                     # from the rows that are committed: a minute or two
    .venv/bin/python benchmarks/scaling/law.py study/ held_out/    # from studies, whose rows it keeps

The hypotheses stand in families.toml and held_out.toml. They were written there before the first agent of these studies
was made; the laws themselves had been found on other seeds of the seven environments of families.toml.

1. The score on the compute-optimal frontier is 1 / (1 + (C50/C)^gamma), with C the bits that the predictor predicted or
   learned in a life of learning and in 1,000 decisions. Fitted to the lower half of log C, it foresees the upper half
   with a third of the error of the last value or less, on average; it has the smaller error in eight of ten
   environments; and a smaller error, on average, than a straight line in log C that ends at the best score.
2. Over experience and simulations together, chances multiply: 1 / ((1 + (E0/E)^alpha) (1 + (N0/N)^beta)), fitted to the
   small quadrant, has a smaller error than the last value in seven of ten environments.

From where to where log C goes was left open. The law was found with a range from the cheapest point of the plane to the
most expensive: the first tables. A second range was fixed while the agents were learning, before a result was read:
only up to where all splits were measured, so that no edge of the plane is taken for the end of a law. That is the
harder question, and has a table of its own; that it is not the first was decided after ten agents had been read. The
question from half of the way on was added afterwards.
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
from aixi_approx.laboratory.plot_law import LawCurve, draw_law, law_curve
from aixi_approx.laboratory.results import Results, seed_mean
from aixi_approx.laws.bootstrap import estimate
from aixi_approx.laws.curves import fit_resampled
from aixi_approx.laws.extrapolation import Comparison
from aixi_approx.laws.frontier import POINTS, Frontier, find_frontier
from aixi_approx.laws.joint import fit_joint_law

HERE = Path(__file__).resolve().parent
ROWS = HERE.parent / "results" / "scaling" / "surfaces.json"
PICTURE = HERE.parent.parent / "docs" / "law.png"
DECISIONS = (100, 1_000, 10_000)
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


def frontier_of(surface: dict[str, Any], decisions: float, *, to_edge: bool = False) -> Frontier:
    """The frontier of a surface, or only as far as all splits were measured."""
    names = ("experience", "simulations", "score", "learning", "deciding")
    e, n, score, learning, deciding = (np.array(surface[name], dtype=float) for name in names)

    def find(compute: Any = None) -> Frontier:
        found = find_frontier(
            e, n, score=score, learning=learning, deciding=deciding, decisions=decisions, compute=compute
        )
        assert found is not None, surface["environment"]
        return found

    found = find()
    return find(np.geomspace(found.compute[0], found.edge, POINTS)) if to_edge else found


def frontier_law(surface: dict[str, Any], decisions: float, *, to_edge: bool = False) -> Comparison:
    """The law of the frontier, frozen before the data."""
    found = frontier_of(surface, decisions, to_edge=to_edge)
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


def told(law: Comparison) -> dict[str, float]:
    """The errors of the frozen law and of the null forecasts, by name."""
    return {"law": law.laws[0].error.mean, **{name: error.mean for name, error in law.nulls.items()}}


def frontier_table(surfaces: Sequence[dict[str, Any]], decisions: float, *, to_edge: bool = False) -> list[str]:
    """Errors of the law beyond the lower half of log C, and of what has to be beaten."""
    reach = ", up to where all splits were measured" if to_edge else ""
    lines = [
        f"With {decisions:,.0f} decisions{reach}: root mean square error beyond what was fitted",
        "",
        "| environment | fitted up to score | law | last value | the end | a line to it | holds | C50, bits | gamma |",
        "|---|--:|--:|--:|--:|--:|---|--:|--:|",
    ]
    errors = []
    for surface in surfaces:
        found, law = (f(surface, decisions, to_edge=to_edge) for f in (frontier_of, frontier_law))
        name = surface["environment"] + (" (held out)" if surface["held_out"] else "")
        if not law.laws:
            lines.append(f"| {name} | | | | | | {law.why} | | |")
            continue
        each = told(law)
        errors.append(list(each.values()))
        fit, half = law.laws[0], found.score[0, law.points_fitted - 1]
        c50, gamma = (estimate(column) for column in fit.fitted_small.T)
        lines.append(
            f"| {name} | {half:.2f} | {' | '.join(f'{error:.3f}' for error in each.values())} | "
            f"{'yes' if law.best else 'no'} | {c50.mean:.2g} ({c50.low:.2g} to {c50.high:.2g}) | "
            f"{gamma.mean:.2f} ({gamma.low:.2f} to {gamma.high:.2f}) |"
        )
    if not errors:
        return lines
    table = np.array(errors)
    mean = table.mean(axis=0)
    lines.append(f"| **mean of {len(table)}** | | {' | '.join(f'{error:.3f}' for error in mean)} | | | |")
    wins = (table[:, :1] < table[:, 1:]).sum(axis=0)
    lines += [
        "",
        f"The law is {mean[1] / mean[0]:.1f} times as near as the last value on average, and nearer in {wins[0]} of "
        f"{len(table)} environments; {mean[2] / mean[0]:.1f} times as near as the end, nearer in {wins[1]}; "
        f"{mean[3] / mean[0]:.1f} times as near as a line to the end, nearer in {wins[2]}.",
    ]
    return lines


def half_way_table(surfaces: Sequence[dict[str, Any]], decisions: float) -> list[str]:
    """The same, fitted to all points up to half of the way: found afterwards, as a harder question."""
    errors = []
    for surface in surfaces:
        law = half_way(surface, decisions)
        if law.laws:
            errors.append(list(told(law).values()))
    if not errors:
        return []
    mean, wins = np.mean(errors, axis=0), (np.array(errors)[:, :1] < np.array(errors)[:, 1:]).sum(axis=0)
    return [
        f"Fitted up to half of the way, with {decisions:,.0f} decisions (found after): mean errors of the law "
        f"{mean[0]:.3f}, the last value {mean[1]:.3f}, the end {mean[2]:.3f}, a line to the end {mean[3]:.3f}; the "
        f"law is nearer in {wins[0]}, {wins[1]} and {wins[2]} of {len(errors)}.",
    ]


def joint_table(surfaces: Sequence[dict[str, Any]]) -> list[str]:
    """Errors of the joint law outside of the small quadrant."""
    lines = [
        "Experience and simulations together: root mean square error outside of the small quadrant",
        "",
        "| environment | chances multiply | last value | the end | holds | odds add, after | the best of all, after |",
        "|---|--:|--:|--:|---|--:|---|",
    ]
    errors = []
    for surface in surfaces:
        law = joint_law(surface)
        name = surface["environment"] + (" (held out)" if surface["held_out"] else "")
        if not law.laws:
            lines.append(f"| {name} | | | | {law.why} | | |")
            continue
        each = list(told(law).values())
        errors.append(each)
        add = next(fit for fit in law.laws if fit.name == "odds add")
        best = min(law.laws, key=lambda fit: fit.error.mean)
        lines.append(
            f"| {name} | {' | '.join(f'{error:.3f}' for error in each)} | {'yes' if law.best else 'no'} | "
            f"{add.error.mean:.3f} | {best.name} {best.error.mean:.3f} |"
        )
    if not errors:
        return lines
    table = np.array(errors)
    lines.append(f"| **mean of {len(table)}** | {' | '.join(f'{error:.3f}' for error in table.mean(axis=0))} | | | |")
    wins = (table[:, :1] < table[:, 1:]).sum(axis=0)
    lines += ["", f"Nearer than the last value in {wins[0]} of {len(table)}, than the end in {wins[1]}."]
    return lines


def split_table(surfaces: Sequence[dict[str, Any]]) -> list[str]:
    """The best share of learning where the score comes to a half and to .9, for so many decisions."""
    head = [f"at {level}, T = {count:,}" for count in DECISIONS for level in (0.5, 0.9)]
    lines = [
        "The share of total compute best spent on learning, where the score is first .5 and .9; 95 % over seeds",
        "",
        f"| environment | {' | '.join(head)} |",
        "|---|" + "--:|" * len(head),
    ]
    for surface in surfaces:
        cells = []
        for count in DECISIONS:
            found = frontier_of(surface, count)
            for level in (0.5, 0.9):
                there = np.flatnonzero(found.score[0] >= level)
                share = estimate(found.share[:, there[0]]) if len(there) else None
                cells.append(f"{share.mean:.2f} ({share.low:.2f} to {share.high:.2f})" if share else "not reached")
        lines.append(f"| {surface['environment']} | {' | '.join(cells)} |")
    return lines


def curve_of(surface: dict[str, Any], decisions: float) -> LawCurve | None:
    """What is drawn of a surface."""
    found, law = frontier_of(surface, decisions), frontier_law(surface, decisions)
    return law_curve(surface["environment"], found, law=law, unit="bits")


def main() -> None:
    """Collect rows, if folders are named; print the tables; draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", nargs="*", type=Path, help="folders of the studies, that of families.toml first")
    parser.add_argument("--rows", type=Path, default=ROWS)
    parser.add_argument("--picture", type=Path, default=PICTURE)
    arguments = parser.parse_args()
    if arguments.studies:
        found = [(f, bool(k)) for k, path in enumerate(arguments.studies) for f in find_results(Laboratory(path))]
        rows = [json.dumps(surface_of(f, held_out)) for f, held_out in found]
        arguments.rows.parent.mkdir(parents=True, exist_ok=True)
        arguments.rows.write_text("[\n" + ",\n".join(rows) + "\n]\n")
    if not arguments.rows.exists():
        sys.exit(f"there is no {arguments.rows}: name the folders of the studies")
    surfaces = json.loads(arguments.rows.read_text())
    for decisions in DECISIONS:
        print("\n".join(frontier_table(surfaces, decisions)) + "\n")
    print("\n".join(frontier_table(surfaces, 1_000, to_edge=True)) + "\n")
    print("\n".join(half_way_table(surfaces, 1_000)) + "\n")
    print("\n".join(joint_table(surfaces)) + "\n")
    print("\n".join(split_table(surfaces)))
    curves = [curve_of(surface, 1_000) for surface in surfaces if not surface["held_out"]]
    if told_apart := [curve for curve in curves if curve]:
        draw_law(told_apart).savefig(arguments.picture, dpi=120)


if __name__ == "__main__":
    main()

"""Whether a policy takes off, stays on a plateau or forgets its teacher: 20 seeds.

    python benchmarks/skill/take_off.py [ENVIRONMENT ...] [--picture docs/skill-take-off.png]

Given the true environment, agents live for 2,000 cycles and learn a policy: from zero; after 400 cycles of a teacher
that takes the best action half of the time, else a random one; after 400 cycles of a perfect teacher; and after such a
teacher without learning any more (frozen). Losses as in pupil.py, of the agent while it lives and of its policy alone
afterwards. A quarter of an hour on two cores; rows that stand in benchmarks/results/skill/take_off.jsonl are not
measured again. `--quick`: some seconds.

Written down before the first full run:

1. The trial of the policy (rollouts/trial.py) is what leaves plateaus: with the rule `follow`, dpuct never loses .02
   more over the last 1,000 cycles than without a policy; without the trial (untried.py) it does somewhere.
2. A perfect teacher is not forgotten by `follow`: the loss over the last 1,000 cycles is below half of that without a
   policy where that is above .05, from locks:3 to cheese-maze.
3. With the old search and learned rollouts alone, lessons `better` forget less of a perfect teacher than lessons `all`:
   the loss of the policy alone after 2,000 cycles.
"""

from __future__ import annotations

from pathlib import Path
from statistics import mean
from typing import NamedTuple

import numpy as np
from pupil import FOLDER, Pupil, gathered, losses_at, measure, seconds_of, written

from exact_regret import Row, arguments, complete, markdown, over, save, shown  # isort: skip
from matplotlib.figure import Figure

from aixi_approx.display.palette import BLACK, line_styles
from aixi_approx.laboratory.plot_parts import SAME, SMALL, WIDTH, legend

ALONE = "policy-alone"
UNTRIED = f"policy:{Path(__file__).parent / 'untried.py'}:Untried"
FOLLOW, PRIOR = "dpuct+policy:learned", "dpuct+policy:learned+rule:prior"
ROLLOUTS = "rhouct+policy:learned"
NEW = {"dpuct": "dpuct", "follow": FOLLOW, "follow, untried": f"dpuct+{UNTRIED}", "prior": PRIOR}
OLD = {
    "rhouct": "rhouct",
    "rollouts, all": f"{ROLLOUTS}+lessons:all",
    "rollouts, better": f"{ROLLOUTS}+lessons:better",
}
WORLDS = (  # environment, simulations, planners
    ("locks:3", 30, NEW),
    ("locks:4", 100, NEW),
    ("cheese-maze", 30, NEW),
    ("nim:32-perfect", 100, OLD),
    ("corridor:8", 100, OLD),
    ("locks:3", 300, OLD),
)
TEACHERS = {"from zero": (0, 1.0, False), "half good": (400, 0.5, False), "perfect": (400, 1.0, False)}
TEACHERS |= {"perfect, frozen": (400, 1.0, True)}
SEEDS, MARKS, DECISIONS = 20, "100, 300, 1000, 2000", 100


class Start(NamedTuple):
    """A row of the table."""

    environment: str
    simulations: int
    planner: str
    teacher: str


def starts(names: list[str]) -> dict[Start, tuple[str, tuple[int, float, bool]]]:
    """Return all rows, with the text of the planner and the teacher's numbers."""
    found = {}
    for name, simulations, named in WORLDS:
        for label, planner in named.items():
            for teacher, numbers in TEACHERS.items():
                plain = "policy" not in planner
                if name in names and not (plain and teacher != "from zero"):
                    found[Start(name, simulations, label, teacher)] = (planner, numbers)
    return found


def pupils(names: list[str], quick: bool) -> dict[Start, list[Pupil]]:
    """Return the pupils of each row."""
    return {
        start: [
            Pupil(
                environment=start.environment,
                model="true",
                learner=planner.replace(str(Path(__file__).parents[2]) + "/", ""),
                simulations=5 if quick else start.simulations,
                marks="5, 10" if quick else MARKS,
                actors=written([(ALONE, 0)]) if "policy" in planner else "",
                decisions=5 if quick else DECISIONS,
                seed=seed,
                taught=min(taught, 5) if quick else taught,
                quality=quality,
                frozen=frozen,
            )
            for seed in range(2 if quick else SEEDS)
        ]
        for start, (planner, (taught, quality, frozen)) in starts(names).items()
    }


def table(found: dict[Start, list[Row]]) -> str:
    """Return the losses, in Markdown."""
    marks = [result["cycles"] for result in next(iter(found.values()))[0]["results"]]
    head = ["environment", "simulations", "search", "teacher", *(f"to {mark:,}" for mark in marks), "policy alone"]
    lines = []
    for start, rows in found.items():
        lived = [shown(over([row["results"][i]["loss"] for row in rows])) for i in range(len(marks))]
        alone = shown(over(losses_at(rows, f"{ALONE}@0"))) if rows[0]["actors"] else ""
        lines.append([start.environment, f"{start.simulations:,}", start.planner, start.teacher, *lived, alone])
    return markdown(head, lines)


def verdicts(found: dict[Start, list[Row]]) -> str:
    """Return what became of the hypotheses, as a list."""
    last = {start: over([row["results"][-1]["loss"] for row in rows]) for start, rows in found.items()}
    lines = []
    for start, loss in last.items():
        plain = last.get(start._replace(planner="dpuct", teacher="from zero"))
        if plain is None or start.planner not in ("follow", "follow, untried"):
            continue
        if start.teacher == "from zero":
            more = loss.mean - plain.mean
            lines.append(f"- 1, {start.environment}, {start.planner}: {more:+.3f} against no policy, limit +.020")
        elif start.teacher == "perfect" and plain.mean > 0.05:
            share = loss.mean / plain.mean
            lines.append(f"- 2, {start.environment}, {start.planner}: {share:.2f} of the loss without, limit .50")
    for start, rows in found.items():
        if start.planner == "rollouts, all" and start.teacher == "perfect":
            other = found[start._replace(planner="rollouts, better")]
            actor = f"{ALONE}@0"
            each = [a - b for a, b in zip(losses_at(rows, actor), losses_at(other, actor), strict=True)]
            lines.append(f"- 3, {start.environment}: all loses {shown(over(each))} more than better, in pairs of seeds")
    return "\n".join(lines)


def draw(found: dict[Start, list[Row]], path: Path) -> None:
    """Draw the losses over cycles, a panel for each environment and search."""
    groups: dict[tuple[str, int], list[Start]] = {}
    for start in found:
        groups.setdefault((start.environment, start.simulations), []).append(start)
    rows = -(-len(groups) // 3)
    figure = Figure(figsize=(WIDTH, 3.4 * rows + 0.9), layout="constrained")
    panels = figure.subplots(rows, 3, squeeze=False, sharex=True).flatten()
    lines = dict(zip(TEACHERS, ("-", "-.", "--", ":"), strict=True))
    for axes, ((name, simulations), own) in zip(panels, groups.items(), strict=False):
        labels = list(dict.fromkeys(start.planner for start in own))
        styles = dict(zip(labels, line_styles(len(labels)), strict=True))
        curves = []
        for start in own:
            marks = [result["cycles"] for result in found[start][0]["results"]]
            curves.append([mean(row["results"][i]["loss"] for row in found[start]) for i in range(len(marks))])
            style = {**styles[start.planner], "linestyle": lines[start.teacher]}
            axes.plot(marks, curves[-1], lw=1.3, **style)
        for label, style in styles.items():
            axes.plot([], [], label="no policy" if label in ("dpuct", "rhouct") else label, **style)
        top = axes.get_ylim()[1]
        axes.set(title=f"{name}, {simulations} simulations", xscale="log", ylim=(-0.03 * top, 1.05 * top))
        if np.ptp(curves, axis=0).max() < SAME:
            axes.text(0.5, 0.5, "all lines are one", transform=axes.transAxes, ha="center", fontsize=SMALL)
        axes.xaxis.set_tick_params(labelbottom=True)
        legend(axes, beside=3)
    for axes in panels[len(groups) :]:
        axes.set_axis_off()
    shapes = [panels[0].plot([], [], color=BLACK, ls=line)[0] for line in lines.values()]
    figure.legend(
        shapes,
        [teacher if teacher == "from zero" else f"{teacher} teacher" for teacher in lines],
        loc="outside upper center",
        ncols=4,
    )
    figure.supxlabel("cycles of the agent's own life")
    figure.supylabel("loss: 0 best, 1 random")
    save(figure, panels[: len(groups)], path)


def main() -> None:
    """Measure what is missing, and print the table and what became of the hypotheses."""
    given = arguments(__doc__, "take_off", FOLDER)
    names = given.environments or (["locks:3"] if given.quick else [name for name, *_ in WORLDS])
    wanted = pupils(names, given.quick)
    rows = complete(given.rows, [each for own in wanted.values() for each in own], measure, seconds_of)
    groups = gathered(rows, "environment", "simulations", "learner", "taught", "quality", "frozen")
    found = {}
    for start, own in wanted.items():
        key = own[0]
        found[start] = groups[key.environment, key.simulations, key.learner, key.taught, key.quality, key.frozen]
    print(table(found))
    print(f"\n{verdicts(found)}")
    if given.picture:
        draw(found, given.picture)


if __name__ == "__main__":
    main()

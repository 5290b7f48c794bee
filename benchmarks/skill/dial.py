"""The dial from prediction to search: what each way of acting loses, over the operations that a decision takes.

    python benchmarks/skill/dial.py [ENVIRONMENT ...] [--picture docs/skill-dial.png]

On the true model pupils learn for 1,000 cycles with 100 simulations, by the search that follows its own policy. On a
model that learns, too, it is 5,000 cycles with 30, exploring as the settings of the environment say. Then all points of
the dial act with the same model and policy. Ten seeds, losses as in pupil.py. A quarter of an hour on two cores; rows
that stand in benchmarks/results/skill/dial.jsonl are not measured again. `--quick`: some seconds.
"""

from __future__ import annotations

from pathlib import Path
from statistics import mean

import numpy as np
from pupil import FOLDER, Actor, Pupil, gathered, losses_at, measure, seconds_of, written

from exact_regret import COLOURS, MARKERS, Row, arguments, complete, half, in_words, known, markdown, over, save, shown  # isort: skip
from matplotlib.figure import Figure

from aixi_approx.display.palette import GREY, PURPLE
from aixi_approx.laboratory.plot_parts import WIDTH
from aixi_approx.laws.estimate import Estimate

CATT = ("cheese-maze", "kuhn-poker", "4x4-grid", "tiger", "biased-rps")  # the domains of Catt et al. 2023
DEEP = ("locks:2", "locks:4", "corridor:8", "corridor:12", "nim:32-perfect", "nim:48-perfect")
WIDE = ("rocksample:3-2", "tic-tac-toe")
LEARNABLE = (*CATT, "locks:1", "locks:2", "corridor:4", "nim:16-perfect", "rocksample:2-1")
QUICK = ("tiger",)
COLUMNS = 4  # of panels, at most
FOLLOW, PRIOR = "dpuct+policy:learned", "dpuct+policy:learned+rule:prior"
ROLLOUTS, SELF, ALONE = "rhouct+policy:learned", "self-aixi", "policy-alone"
PLAIN, OLD = "dpuct", "rhouct"
DIAL = (ALONE, SELF, ROLLOUTS, PRIOR, FOLLOW, PLAIN, OLD)  # from prediction to search
LABELS = {
    ALONE: "policy alone",
    SELF: "Self-AIXI",
    FOLLOW: "search that follows its policy",
    PLAIN: "search (DP-UCT)",
    OLD: "search of JAIR 2011 (rhoUCT)",
}
SHORT = {FOLLOW: "follow", PRIOR: "prior", ROLLOUTS: "rollouts"}  # in tables
STYLES = dict(zip(DIAL, zip((*COLOURS, PURPLE, GREY), (*MARKERS, "P", "X"), strict=True), strict=True))
FEW: tuple[Actor, ...] = (
    (ALONE, 0),
    *((planner, n) for planner in DIAL[1:] for n in (10, 100)),
)
MANY = {"true": (*FEW, (PLAIN, 1_000), (PLAIN, 10_000), (OLD, 1_000), (OLD, 10_000)), "ctw": (*FEW, (PLAIN, 1_000))}
SEEDS, DECISIONS = 10, 100
LEARNING = {"true": (100, "100, 1000"), "ctw": (30, "1000, 5000")}  # simulations, marks


def pupils(model: str, names: tuple[str, ...], quick: bool) -> list[Pupil]:
    """Return the pupils of a model."""
    simulations, marks = LEARNING[model]
    return [
        Pupil(
            environment=name,
            model=model,
            learner=FOLLOW,
            simulations=3 if quick else simulations,
            marks="5, 10" if quick else marks,
            actors=written(FEW[:5] if quick else MANY[model]),
            decisions=5 if quick else DECISIONS,
            seed=seed,
        )
        for name in names
        for seed in range(2 if quick else SEEDS)
    ]


def table(rows: list[Row]) -> str:
    """Return the losses of all actors after the last cycle, in Markdown; the reward in brackets without an optimum."""
    groups = gathered(rows, "environment")
    actors = list(rows[0]["results"][-1]["actors"])
    solved = {name for (name,) in groups if known(name).optimum is not None}
    lines = []
    for (name,), own in groups.items():
        losses = [f"{mean(losses_at(own, actor)):.3f}" for actor in actors]
        lines.append([name, *(losses if name in solved else (f"({text})" for text in losses))])
    lines.append(["mean", *(shown(mean_of(rows, actor, solved)) for actor in actors)])
    return markdown(["environment", *map(titled, actors)], lines)


def titled(actor: str) -> str:
    """Return what an actor is called in a table: its short name and its simulations."""
    planner, _, n = actor.partition("@")
    return f"{SHORT.get(planner, planner)} {int(n):,}" if int(n) else planner


def worse(rows: list[Row], actor: str, rival: str) -> str:
    """Return the environments in which an actor loses more than a rival beyond the intervals of both, in words."""
    found = []
    for (name,), own in gathered(rows, "environment").items():
        ours, theirs = (over(losses_at(own, each)) for each in (actor, rival))
        if ours.low > theirs.high:
            found.append(f"{name} ({ours.mean:.3f} against {theirs.mean:.3f})")
    return f"- {titled(actor)} is worse than {titled(rival)}, beyond both intervals, in {', '.join(found) or 'none'}"


def mean_of(rows: list[Row], actor: str, solved: set[str]) -> Estimate:
    """Return the mean loss of an actor over environments with an optimum, its interval from the spread of seeds."""
    each = (losses_at(own, actor) for (name,), own in gathered(rows, "environment").items() if name in solved)
    return over([mean(seed) for seed in zip(*each, strict=True)])


def draw_means(everything: dict[str, list[Row]], path: Path) -> None:
    """Draw the mean losses over simulations, a panel for each model."""
    figure = Figure(figsize=(WIDTH, 4.3), layout="constrained")
    titles = {"true": "who knows the rules", "ctw": "who has learned them"}
    for axes, (model, rows) in zip(figure.subplots(1, 2, sharey=True), everything.items(), strict=True):
        solved = {row["environment"] for row in rows if known(row["environment"]).optimum is not None}
        for planner, label in LABELS.items():
            actors = [actor for actor in rows[0]["results"][-1]["actors"] if actor.partition("@")[0] == planner]
            at = [max(1, int(actor.partition("@")[2])) for actor in actors]
            means = [mean_of(rows, actor, solved) for actor in actors]
            style = {"color": STYLES[planner][0], "marker": STYLES[planner][1], "capsize": 3}
            axes.errorbar(at, [one.mean for one in means], [half(one) for one in means], label=label, **style)
        axes.set(xscale="log", ylim=(0, None), title=f"{titles[model]}: {len(solved)} environments")
        axes.set_xticks([1, 10, 100, 1_000, 10_000], ["none", "10", "100", "1k", "10k"])
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    figure.supxlabel("simulations of a decision")
    figure.supylabel("mean loss: 0 best, 1 random")
    save(figure, figure.axes, path)


def draw(rows: list[Row], path: Path) -> None:
    """Draw the losses over the operations of a decision, a panel for each environment and model."""
    groups = gathered(rows, "model", "environment")
    columns = min(COLUMNS, len(groups))
    height = -(-len(groups) // columns)
    figure = Figure(figsize=(WIDTH / COLUMNS * columns, 2.1 * height + 1), layout="constrained")
    panels = figure.subplots(height, columns, squeeze=False, sharey=True).flatten()
    for axes in panels[len(groups) :]:
        axes.set_axis_off()
    for axes, ((model, name), own) in zip(panels, groups.items(), strict=False):
        for planner, size in zip(DIAL, np.linspace(8, 3.5, len(DIAL)), strict=True):  # what coincides is all seen
            actors = [actor for actor in own[0]["results"][-1]["actors"] if actor.partition("@")[0] == planner]
            work = "bits" if model == "ctw" else "made"
            at = [max(1.0, mean(losses_at(own, actor, what=work))) for actor in actors]
            losses = [mean(losses_at(own, actor)) for actor in actors]
            axes.plot(
                at, losses, color=STYLES[planner][0], marker=STYLES[planner][1], ms=size, lw=1, label=in_words(planner)
            )
        axes.set_xscale("log")
        axes.set_yscale("symlog", linthresh=0.01, linscale=0.6)
        axes.set(ylim=(-0.005, 2), yticks=(0, 0.01, 0.1, 1))
        axes.set_yticklabels(("0", "0.01", "0.1", "1"))
        axes.set_title(f"{name}, {'known' if model == 'true' else 'learned'}")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=columns)
    figure.supxlabel("simulations of a decision (rules known), or bits predicted for it (learned); 1 stands for none")
    figure.supylabel("loss: 0 best, 1 random\n(linear below 0.01)")
    save(figure, panels[: len(groups)], path)


def main() -> None:
    """Measure what is missing, and print the tables."""
    given = arguments(__doc__, "dial", FOLDER)
    everything: dict[str, list[Row]] = {}
    for model, names in (("true", (*CATT, *DEEP, *WIDE)), ("ctw", LEARNABLE)):
        chosen = tuple(given.environments or (QUICK if given.quick else names))
        rows = complete(given.rows, pupils(model, chosen, given.quick), measure, seconds_of)
        everything[model] = rows
        simulations, marks = LEARNING[model]
        cycles = marks.rpartition(", ")[2]
        print(f"\n{'The true model' if model == 'true' else 'A model that learns'}: losses after {cycles} cycles with")
        print(f"{simulations} simulations, and their mean over environments with an optimum.\n\n{table(rows)}\n")
        for n in (10, 100):
            if not given.quick:
                print(worse(rows, f"{FOLLOW}@{n}", f"{PLAIN}@{n}"))
    if given.picture:
        draw([row for rows in everything.values() for row in rows], given.picture)
        draw_means(everything, given.picture.with_stem(f"{given.picture.stem}-mean"))


if __name__ == "__main__":
    main()

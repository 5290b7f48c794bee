"""The dial from prediction to search: what each way of acting loses, over the operations that a decision takes.

    python benchmarks/skill/dial.py [ENVIRONMENT ...] [--picture docs/skill-dial.png]

On the true model pupils learn for 1,000 cycles with 100 simulations, by the search that follows its own policy. On a
model that learns, too, it is 5,000 cycles with 30, exploring as the settings of the environment say. Then all points of
the dial act with the same model and policy. Ten seeds, losses as in pupil.py. Half an hour on two cores; rows that
stand in benchmarks/results/skill/dial.jsonl are not measured again. `--quick`: some seconds.
"""

from __future__ import annotations

from pathlib import Path
from statistics import mean

from pupil import FOLDER, Actor, Pupil, gathered, losses_at, measure, seconds_of, written

from exact_regret import COLOURS, MARKERS, Row, arguments, complete, known, markdown, over, shown  # isort: skip
from matplotlib.figure import Figure

CATT = ("cheese-maze", "kuhn-poker", "4x4-grid", "tiger", "biased-rps")  # the domains of Catt et al. 2023
DEEP = ("locks:2", "locks:4", "corridor:8", "corridor:12", "nim:32-perfect", "nim:48-perfect")
WIDE = ("rocksample:3-2", "tic-tac-toe")
LEARNABLE = (*CATT, "locks:1", "locks:2", "corridor:4", "nim:16-perfect", "rocksample:2-1")
QUICK = ("tiger",)
FOLLOW, PRIOR = "dpuct+policy:learned", "dpuct+policy:learned+rule:prior"
ROLLOUTS, SELF, ALONE = "rhouct+policy:learned", "self-aixi", "policy-alone"
PLAIN, OLD = "dpuct", "rhouct"
DIAL = (ALONE, SELF, ROLLOUTS, PRIOR, FOLLOW, PLAIN, OLD)  # from prediction to search
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
    for actor in actors:
        planner, _, n = actor.partition("@")
        cells = []
        for (name,), own in groups.items():
            text = shown(over(losses_at(own, actor)))
            cells.append(text if name in solved else f"({text})")
        each = (losses_at(own, actor) for (name,), own in groups.items() if name in solved)
        means = over([mean(seed) for seed in zip(*each, strict=True)])
        lines.append([planner, f"{int(n):,}", *cells, f"**{shown(means)}**"])
    return markdown(["planner", "simulations", *(name for (name,) in groups), "mean"], lines)


def draw(rows: list[Row], path: Path) -> None:
    """Draw the losses over the operations of a decision, a panel for each environment and model."""
    groups = gathered(rows, "model", "environment")
    columns = min(5, len(groups))
    height = -(-len(groups) // columns)
    figure = Figure(figsize=(2.7 * columns, 2.2 * height + 1), layout="constrained")
    panels = figure.subplots(height, columns, squeeze=False, sharey=True).flatten()
    for axes in panels[len(groups) :]:
        axes.set_axis_off()
    colours = dict(zip(DIAL, (*COLOURS, "#CC79A7", "0.4"), strict=True))
    markers = dict(zip(DIAL, (*MARKERS, "P", "X"), strict=True))
    for axes, ((model, name), own) in zip(panels, groups.items(), strict=False):
        for planner in DIAL:
            actors = [actor for actor in own[0]["results"][-1]["actors"] if actor.partition("@")[0] == planner]
            work = "bits" if model == "ctw" else "made"
            at = [max(1.0, mean(losses_at(own, actor, what=work))) for actor in actors]
            losses = [mean(losses_at(own, actor)) for actor in actors]
            axes.plot(at, losses, color=colours[planner], marker=markers[planner], ms=4, lw=1, label=planner)
        axes.set_xscale("log")
        axes.set_yscale("symlog", linthresh=0.01, linscale=0.6)
        axes.set(ylim=(-0.005, 2), yticks=(0, 0.01, 0.1, 1))
        axes.set_yticklabels(("0", "0.01", "0.1", "1"))
        axes.set_title(f"{name}, {'true model' if model == 'true' else 'learned'}", fontsize=8)
        axes.grid(alpha=0.3)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    figure.supxlabel("simulations of a decision (true model), bits predicted for it (learned); 1 stands for none")
    figure.supylabel("loss: 0 best, 1 random (linear below 0.01)")
    figure.savefig(path, dpi=130)


def main() -> None:
    """Measure what is missing, and print the tables."""
    given = arguments(__doc__, "dial", FOLDER)
    everything: list[Row] = []
    for model, names in (("true", (*CATT, *DEEP, *WIDE)), ("ctw", LEARNABLE)):
        chosen = tuple(given.environments or (QUICK if given.quick else names))
        rows = complete(given.rows, pupils(model, chosen, given.quick), measure, seconds_of)
        everything += rows
        simulations, marks = LEARNING[model]
        cycles = marks.rpartition(", ")[2]
        print(f"\n{'The true model' if model == 'true' else 'A model that learns'}: losses after {cycles} cycles with")
        print(f"{simulations} simulations, and their mean over environments with an optimum.\n\n{table(rows)}")
    if given.picture:
        draw(everything, given.picture)


if __name__ == "__main__":
    main()

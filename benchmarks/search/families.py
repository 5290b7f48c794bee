"""What a search loses in all environments with exact solutions, the families among them, given the true environment.

    python benchmarks/search/families.py [ENVIRONMENT ...] [--picture docs/search-families.png]

The old search with several constants of UCB, and the new one, at three numbers of simulations; ten seeds each, and the
mean loss (see exact_regret.py) with its 95 % interval. A picture of all, and one of the means beside it, FILE-mean.
About a quarter of an hour on two cores; rows that stand in benchmarks/results/search/families.jsonl are not measured
again. `--quick`: 20 seconds.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from exact_regret import (
    COLOURS,
    MARKERS,
    SEEDS,
    Cell,
    Row,
    arguments,
    complete,
    decisions_for,
    half,
    in_words,
    losses,
    markdown,
    measure,
    over,
    save,
    seconds_of,
    shown,
)
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aixi_approx.envs import ENVIRONMENTS, make
from aixi_approx.laboratory.plot_parts import WIDTH
from aixi_approx.laws.estimate import Estimate

BUDGETS = (100, 1_000, 10_000)
CONSTANTS = (0.7, 0.35, 0.2)  # of UCB, besides the old planner's own
SINGLE = (  # hex is hex:3-perfect, of its family
    *("tiger", "extended-tiger", "cheese-maze", "4x4-grid", "kuhn-poker", "biased-rps", "1d-maze", "tic-tac-toe"),
)
TOO_LARGE = ("rocksample:4-3", "rocksample:4-4", "rocksample:5-5", "rocksample:7-8")  # no optimum: in targets.py
QUICK = ("tiger", "locks:1", "rocksample:3-2", "rocksample:4-3")
BEST = "the best constant"
SIZES = (8, 6.5, 5, 3.5)  # of markers, so that those which coincide are all seen
COLUMNS = 5  # of panels, at most
Key = tuple[str, str, int]  # environment, planner, simulations


class Planners(NamedTuple):
    """The short texts of the planners."""

    old: str
    constants: tuple[str, ...]  # the old one among them
    new: str
    sampled: str

    def every(self) -> list[str]:
        """Return all of them, each once."""
        return list(dict.fromkeys((*self.constants, self.new, self.sampled)))


class Losses:
    """The losses of all rows, each a list over seeds."""

    def __init__(self, rows: list[Row], planners: Planners) -> None:
        self.rows: dict[Key, Row] = {(row["environment"], row["planner"], row["simulations"]): row for row in rows}
        self.environments = list(dict.fromkeys(row["environment"] for row in rows))
        self.planners = planners
        self.budgets = sorted({row["simulations"] for row in rows})

    @property
    def known(self) -> list[str]:
        """The environments with an optimum."""
        return [name for name in self.environments if self.first(name)["optimum"] is not None]

    def first(self, name: str) -> Row:
        """Return a row of an environment, with what all of them have in common."""
        return self.rows[name, self.planners.old, self.budgets[0]]

    def price(self, name: str) -> float:
        """Return the loss of the horizon, 0 where it is unknown."""
        return self.first(name)["price"] or 0.0

    def of(self, name: str, planner: str, simulations: int) -> list[float]:
        """Return the losses of a planner in an environment, or of the best constant there."""
        if planner != BEST:
            return losses(self.rows[name, planner, simulations])
        return min((self.of(name, constant, simulations) for constant in self.planners.constants), key=mean)

    def mean(self, planner: str, simulations: int) -> Estimate:
        """Return the mean loss over the environments with an optimum, its interval from the spread of seeds."""
        return over([mean(seed) for seed in zip(*(self.of(n, planner, simulations) for n in self.known), strict=True)])

    def text(self, name: str, planner: str, simulations: int) -> str:
        """Return a loss with its interval, or the reward in brackets where there is no optimum."""
        if planner == BEST:
            return shown(over(self.of(name, planner, simulations)))
        row = self.rows[name, planner, simulations]
        return shown(over(losses(row))) if losses(row) else f"({shown(over(row['rewards']), 2)})"


def each_environment(found: Losses) -> str:
    """Return the table of losses in each environment."""
    planners = (found.planners.old, BEST, found.planners.new, found.planners.sampled)
    columns = [(planner, simulations) for planner in dict.fromkeys(planners) for simulations in found.budgets]
    head = ["environment", "horizon", "its loss"]
    head += [f"{planner} {simulations:,}" for planner, simulations in columns]
    lines = []
    for name in found.environments:
        row = found.first(name)
        price = "unknown" if row["price"] is None else f"{abs(round(row['price'], 3)):.3f}"
        values = [found.text(name, planner, simulations) for planner, simulations in columns]
        lines.append([name, str(row["horizon"]), price, *values])
    return markdown(head, lines)


def means(found: Losses) -> str:
    """Return the table of mean losses."""
    planners = found.planners.every()
    planners.insert(len(found.planners.constants), BEST)
    return markdown(
        ["planner", *(f"{simulations:,}" for simulations in found.budgets)],
        [[planner, *(shown(found.mean(planner, n), 4) for n in found.budgets)] for planner in planners],
    )


def verdicts(found: Losses) -> str:
    """Return the comparisons in words, as a list."""
    old = found.planners.old
    lines = []
    for planner in dict.fromkeys((found.planners.new, found.planners.sampled)):
        for few, many in zip(found.budgets, found.budgets[1:], strict=False):
            ours, theirs = found.mean(planner, few), found.mean(old, many)
            verdict = "yes" if ours.high < theirs.low else "no" if ours.low > theirs.high else "undecided"
            lines.append(
                f"- {planner} with {few:,} better than {old} with {many:,} in the mean: {verdict}, "
                f"{shown(ours, 4)} against {shown(theirs, 4)}"
            )
        for rival in (old, BEST):
            worse, better = [], 0
            for name in found.known:
                for n in found.budgets:
                    ours, theirs = over(found.of(name, planner, n)), over(found.of(name, rival, n))
                    better += ours.high < theirs.low
                    if ours.low > theirs.high:
                        price = found.price(name)
                        excused = f", the horizon's own {price:.3f}" if price > 0.001 else ""
                        worse.append(f"{name} {n:,} ({ours.mean:.3f} against {theirs.mean:.3f}{excused})")
            lines.append(
                f"- {planner} better than {rival} with as many simulations, beyond both intervals, in {better} of "
                f"{len(found.known) * len(found.budgets)} cells; worse in {len(worse)}: {', '.join(worse) or 'none'}"
            )
    for constant in found.planners.constants[1:]:
        cells, enough = 0, []
        for name in found.known:
            for n in found.budgets:
                ours, theirs = over(found.of(name, found.planners.new, n)), over(found.of(name, old, n))
                if ours.high < theirs.low:
                    cells += 1
                    if ours.high >= over(found.of(name, constant, n)).low:
                        enough.append(f"{name} {n:,}")
        lines.append(
            f"- of the {cells} cells in which {found.planners.new} is better than {old}, {constant} alone is as good "
            f"in {len(enough)}: {', '.join(enough) or 'none'}"
        )
    for planner in dict.fromkeys((old, found.planners.new, found.planners.sampled)):
        rises = []
        for name in found.known:
            for few, many in combinations(found.budgets, 2):
                before, later = over(found.of(name, planner, few)), over(found.of(name, planner, many))
                if later.low > max(before.high, found.price(name)):
                    rises.append(f"{name} {few:,} to {many:,} ({before.mean:.3f} to {later.mean:.3f})")
        lines.append(
            f"- the loss of {planner} rises with simulations, beyond both intervals and the horizon's own loss: "
            f"{', '.join(rises) or 'nowhere'}"
        )
    return "\n".join(lines)


def styles(planners: Planners) -> dict[str, dict[str, str]]:
    """Return the colour, the marker, the line and the label of each planner that is drawn."""
    names = {planners.old: (0, "-"), BEST: (3, "--"), planners.new: (1, "-"), planners.sampled: (2, "--")}
    return {
        name: {"color": COLOURS[i], "marker": MARKERS[i], "ls": line, "label": titled(name, planners)}
        for name, (i, line) in names.items()
    }


def titled(planner: str, planners: Planners) -> str:
    """Return what a planner is called in a picture."""
    return f"{in_words(planners.old).partition(',')[0]}, the best constant" if planner == BEST else in_words(planner)


def draw_curve(axes: Axes, budgets: list[int], estimates: list[Estimate], **style: Any) -> None:
    """Draw means with their intervals over simulations."""
    means, halves = [estimate.mean for estimate in estimates], [half(estimate) for estimate in estimates]
    axes.errorbar(budgets, means, halves, **style)


def draw_means(found: Losses, path: Path) -> None:
    """Draw the mean loss over simulations."""
    figure = Figure(figsize=(WIDTH * 0.7, 4.0), layout="constrained")
    axes = figure.subplots()
    for planner, style in styles(found.planners).items():
        draw_curve(axes, found.budgets, [found.mean(planner, n) for n in found.budgets], **style)
    axes.set(xscale="log", ylim=(0, None), xlabel="simulations of a search, given the true environment")
    axes.set(ylabel="mean loss: 0 best, 1 random", title=f"{len(found.known)} environments with an optimum")
    figure.legend(loc="outside upper center", ncols=2)
    save(figure, [axes], path)


def draw(found: Losses, path: Path) -> None:
    """Draw the loss over simulations, a panel for each environment."""
    shown_planners = styles(found.planners)
    columns = min(COLUMNS, len(found.known))
    rows = -(-len(found.known) // columns)
    figure = Figure(figsize=(WIDTH / COLUMNS * columns, 1.8 * rows + 0.9), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).flatten()
    for axes in panels[len(found.known) :]:
        axes.set_axis_off()
    for axes, name in zip(panels, found.known, strict=False):
        axes.axhspan(0, max(0.0, found.price(name)), color="0.85", lw=0, label="the horizon's own loss")
        for (planner, style), size in zip(shown_planners.items(), SIZES, strict=True):
            estimates = [over(found.of(name, planner, n)) for n in found.budgets]
            draw_curve(axes, found.budgets, estimates, lw=1.2, **{**style, "ms": size})
        axes.set_xscale("log")
        axes.set_yscale("symlog", linthresh=0.01, linscale=0.6)
        axes.set(ylim=(-0.005, 2), yticks=(0, 0.01, 0.1, 1))
        axes.set_title(name)
        axes.set_yticklabels(("0", "0.01", "0.1", "1"))
    for axes in panels[max(0, len(found.known) - columns) : len(found.known)]:
        axes.xaxis.set_tick_params(labelbottom=True)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=columns)
    figure.supxlabel("simulations of a search, given the true environment")
    figure.supylabel("loss: 0 best, 1 random\n(linear below 0.01)")
    save(figure, panels[: len(found.known)], path)


def main() -> None:
    """Measure what is missing, and print tables and verdicts."""
    given = arguments(__doc__, "families")
    every = [f"{family}:{size}" for family in ENVIRONMENTS for size in make(family).sizes]
    every = [name for name in every if name not in TOO_LARGE]
    names = given.environments or (QUICK if given.quick else [*every, *SINGLE])
    constants = (given.old, *(f"{given.old}+ucb:{constant}" for constant in CONSTANTS))
    planners = Planners(given.old, constants, given.new, given.sampled)
    seeds, budgets = (2, (10, 30)) if given.quick else (SEEDS, BUDGETS)
    cells = [
        Cell(name, planner, n, seeds, 5 if given.quick else decisions_for(name, n))
        for name in names
        for planner in planners.every()
        for n in budgets
    ]
    found = Losses(complete(given.rows, cells, measure, seconds_of), planners)
    print(each_environment(found))
    if found.known:
        print(f"\nMean loss over the {len(found.known)} environments with an optimum. The best constant is the best of")
        print(f"{', '.join(constants)} in each environment and budget, chosen")
        print(f"after the fact by the same seeds, which favours it.\n\n{means(found)}\n\n{verdicts(found)}")
        if given.picture:
            draw(found, given.picture)
            draw_means(found, given.picture.with_stem(f"{given.picture.stem}-mean"))


if __name__ == "__main__":
    main()

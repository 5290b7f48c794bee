"""How the loss of a search falls with its simulations, and which of three forms foretells it.

    python benchmarks/search/decay.py [ENVIRONMENT ...] [--picture docs/search-decay.png]

The loss of exact_regret.py beyond that of the horizon, from 1 to 10,000 simulations. Each form is fitted to the lower
two thirds, in the logarithm of the simulations, and judged on the last third, beside the guess that nothing changes any
more. Fits and errors are in log(loss + 0.001): an error of 0.7 is a factor of two, and losses far below 0.001 count as
none. About six minutes on two cores; rows that stand in benchmarks/results/search/decay.jsonl are not measured again.
`--quick`: ten seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
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
)
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.optimize import least_squares

from aixi_approx.laboratory.plot_parts import WIDTH

ENVIRONMENTS = ("tiger", "locks:2", "cheese-maze", "nim:24-perfect", "bandit:3", "rocksample:3-2")
SIMULATIONS = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000)
TIMES = 4  # as many decisions as in the other programs
FLOOR = 1e-3  # of a loss
NULL = "stays"
SIZES = (4, 7, 5)  # of markers: what is drawn later shows what it lies on
RATES, POWERS = (1e-4, 1e-3, 1e-2, 0.1), (0.25, 0.5, 1.0)  # to begin a fit with

Numbers = NDArray[np.float64]
FORMS: dict[str, tuple[Callable[..., Numbers], list[tuple[float, ...]]]] = {  # and where fits begin, after a
    "exponential": (lambda n, a, b: a * np.exp(-b * n), [(b,) for b in RATES]),
    "stretched": (lambda n, a, b, c: a * np.exp(-((b * n) ** c)), [(b, c) for b in RATES for c in POWERS]),
    "power": (lambda n, a, b: a * n**-b, [(b,) for b in POWERS]),
}


class Curve(NamedTuple):
    """The loss of a planner in an environment over simulations."""

    environment: str
    planner: str
    simulations: Numbers
    loss: Numbers  # beyond that of the horizon
    half: Numbers  # of its 95 % interval
    price: float  # the loss of the horizon


class Fit(NamedTuple):
    """A form, fitted to the lower part of a curve."""

    form: str
    foretells: Callable[[Numbers], Numbers]
    error: float  # on the upper part, root mean square


def visible(loss: Numbers) -> Numbers:
    """Return losses on the scale of fits and errors."""
    return np.log(np.maximum(loss, 0) + FLOOR)


def fit(curve: Curve) -> list[Fit]:
    """Fit all forms to the lower two thirds of a curve, and judge them on the rest."""
    n, loss = curve.simulations, curve.loss
    lower = n <= n[-1] ** (2 / 3)
    forms: dict[str, Callable[[Numbers], Numbers]] = {NULL: lambda some: np.full(len(some), loss[lower][-1])}
    for name, (form, starts) in FORMS.items():

        def misfit(logs: Numbers, form: Callable[..., Numbers] = form) -> Numbers:
            return visible(form(n[lower], *np.exp(logs))) - visible(loss[lower])

        first = max(float(loss[0]), FLOOR)
        tries = [least_squares(misfit, np.log((first, *start)), loss="soft_l1", bounds=(-15, 5)) for start in starts]
        found = np.exp(min(tries, key=lambda one: one.cost).x)
        forms[name] = lambda some, form=form, found=found: form(some, *found)
    upper = ~lower
    return [
        Fit(name, foretells, float(np.sqrt(np.mean((visible(foretells(n[upper])) - visible(loss[upper])) ** 2))))
        for name, foretells in forms.items()
    ]


def curves(rows: list[Row]) -> list[Curve]:
    """Return the curve of each environment and planner."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["environment"], row["planner"]), []).append(row)
    return [_curve(*key, rows) for key, rows in found.items()]


def _curve(environment: str, planner: str, rows: list[Row]) -> Curve:
    price = rows[0]["price"] or 0.0
    estimates = [over(losses(row)) for row in rows]
    return Curve(
        environment,
        planner,
        np.array([row["simulations"] for row in rows], dtype=float),
        np.array([estimate.mean - price for estimate in estimates]),
        np.array([half(estimate) for estimate in estimates]),
        price,
    )


def table(found: list[tuple[Curve, list[Fit]]]) -> str:
    """Return the losses at three places of each curve, and the error of each form; and how often a form is best."""
    forms = [NULL, *FORMS]
    lines, wins = [], Counter[str]()
    for curve, fits in found:
        best = min(fits, key=lambda one: one.error).form
        wins[best] += 1
        lower = curve.loss[curve.simulations <= curve.simulations[-1] ** (2 / 3)]
        ends = [f"{value:.4f}" for value in (curve.loss[0], lower[-1], curve.loss[-1])]
        errors = {one.form: f"{one.error:.2f}" for one in fits}
        lines.append([curve.environment, curve.planner, f"{curve.price:.3f}", *ends, *map(errors.get, forms), best])
    n = found[0][0].simulations
    last = n[n <= n[-1] ** (2 / 3)][-1]
    head = ["environment", "planner", "horizon's loss", *(f"beyond it, {at:,.0f}" for at in (n[0], last, n[-1]))]
    count = ", ".join(f"{name} {wins[name]}" for name in forms)
    return f"{markdown([*head, *(f'error: {name}' for name in forms), 'best'], lines)}\n\nBest: {count}."


def draw(found: list[tuple[Curve, list[Fit]]], path: Path) -> None:
    """Draw the losses and, thin, what the forms foretell of them."""
    names = list(dict.fromkeys(curve.environment for curve, _ in found))
    planners = list(dict.fromkeys(curve.planner for curve, _ in found))
    styles = dict(zip(FORMS, ("--", "-.", ":"), strict=True))
    columns = min(3, len(names))
    figure = Figure(figsize=(WIDTH / 3 * columns, 2.9 * -(-len(names) // columns) + 0.8), layout="constrained")
    panels = figure.subplots(-(-len(names) // columns), columns, squeeze=False, sharey=True).flatten()
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    places = dict(zip(names, panels, strict=False))
    for curve, fits in found:
        axes, which = places[curve.environment], planners.index(curve.planner)
        colour, n = COLOURS[which], curve.simulations
        axes.errorbar(
            n,
            np.maximum(curve.loss, 0) + FLOOR,
            curve.half,
            color=colour,
            marker=MARKERS[which],
            ls="",
            ms=SIZES[which % len(SIZES)],
        )
        dense = np.geomspace(n[0], n[-1], 200)
        for one in fits:
            if one.form != NULL:
                axes.plot(dense, one.foretells(dense) + FLOOR, color=colour, ls=styles[one.form], lw=0.9)
        axes.axvline(n[-1] ** (2 / 3), color="0.6", lw=0.8)
        axes.set(title=curve.environment, xscale="log", yscale="log", ylim=(FLOOR / 2, 3))
        axes.yaxis.set_major_formatter("{x:g}")
    for which, planner in enumerate(planners):
        panels[0].plot([], [], color=COLOURS[which], marker=MARKERS[which], ls="", label=in_words(planner))
    for name, style in styles.items():
        panels[0].plot([], [], color="0.3", ls=style, lw=0.9, label=name)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=columns)
    figure.supxlabel("simulations of a search; forms are fitted left of the grey line")
    figure.supylabel("loss beyond the horizon's, + 0.001")
    save(figure, panels[: len(names)], path)


def main() -> None:
    """Measure what is missing, fit, and print the table."""
    given = arguments(__doc__, "decay")
    planners = list(dict.fromkeys((given.old, given.new, given.sampled)))
    names = given.environments or (ENVIRONMENTS[:2] if given.quick else ENVIRONMENTS)
    cells = [
        Cell(name, planner, n, 2 if given.quick else SEEDS, 5 if given.quick else decisions_for(name, n, TIMES))
        for name in names
        for planner in planners
        for n in (SIMULATIONS[:6] if given.quick else SIMULATIONS)
    ]
    found = [(curve, fit(curve)) for curve in curves(complete(given.rows, cells, measure, seconds_of))]
    print(table(found))
    if given.picture:
        draw(found, given.picture)


if __name__ == "__main__":
    main()

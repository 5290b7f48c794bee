"""What learned rollouts are worth in the cheese maze, beside figure 11 of JAIR 2011.

    python benchmarks/skill/rollouts.py [--picture docs/skill-rollouts.png]

MC-AIXI learns for 5,000 cycles, and a policy with it, with the old search and rollouts that follow the policy. Then the
same model is searched with rollouts that follow this policy, and with uniform ones. Ten seeds, losses as in pupil.py.
Three minutes on two cores; `--quick`: some seconds.

Written down before the first full run: learned rollouts are worth at least five times the simulations, by interpolation
of the mean losses, at every number of simulations up to 100.
"""

from __future__ import annotations

from pathlib import Path
from statistics import mean

import numpy as np
from pupil import FOLDER, Pupil, losses_at, measure, seconds_of, written

from exact_regret import COLOURS, Row, arguments, complete, half, markdown, over, save, shown  # isort: skip
from matplotlib.figure import Figure

from aixi_approx.laboratory.plot_parts import WIDTH

UNIFORM, LEARNED = "rhouct", "rhouct+policy:learned"
SIMULATIONS = (10, 30, 100, 300, 1_000, 3_000)
SEEDS, DECISIONS, CYCLES = 10, 100, 5_000


def worth(rows: list[Row], budgets: tuple[int, ...]) -> dict[int, str]:
    """Return how many times the simulations uniform rollouts need to lose as little, as far as it is within reach."""
    uniform = [mean(losses_at(rows, f"{UNIFORM}@{n}")) for n in budgets]
    found = {}
    for n in budgets:
        loss = mean(losses_at(rows, f"{LEARNED}@{n}"))
        enough = [i for i, other in enumerate(uniform) if other <= loss]
        if not enough:
            found[n] = f"over {budgets[-1] / n:.1f}"
        elif enough[0] == 0:
            found[n] = f"under {budgets[0] / n:.1f}"
        else:
            i = enough[0]
            part = (uniform[i - 1] - loss) / (uniform[i - 1] - uniform[i])
            found[n] = f"{np.exp((1 - part) * np.log(budgets[i - 1]) + part * np.log(budgets[i])) / n:.1f}"
    return found


def table(rows: list[Row], budgets: tuple[int, ...]) -> str:
    """Return the losses, in Markdown."""
    times = worth(rows, budgets)
    lines = [
        [
            f"{n:,}",
            *(shown(over(losses_at(rows, f"{planner}@{n}"))) for planner in (UNIFORM, LEARNED)),
            times[n],
        ]
        for n in budgets
    ]
    return markdown(["simulations", "uniform rollouts", "learned rollouts", "worth times the simulations"], lines)


def draw(rows: list[Row], budgets: tuple[int, ...], path: Path) -> None:
    """Draw the losses over simulations."""
    figure = Figure(figsize=(WIDTH * 0.6, 3.8), layout="constrained")
    axes = figure.subplots()
    for planner, colour, marker in ((UNIFORM, COLOURS[0], "o"), (LEARNED, COLOURS[1], "s")):
        estimates = [over(losses_at(rows, f"{planner}@{n}")) for n in budgets]
        label = "uniform rollouts" if planner == UNIFORM else "learned rollouts"
        means, halves = [one.mean for one in estimates], [half(one) for one in estimates]
        axes.errorbar(budgets, means, halves, color=colour, marker=marker, capsize=3, label=label)
    axes.set(xscale="log", ylim=(0, None), xlabel="simulations of a search, given a learned model")
    axes.set(ylabel="loss: 0 best, 1 random", title="Cheese maze, after 5,000 cycles")
    figure.legend(loc="outside upper center", ncols=2)
    save(figure, [axes], path)


def main() -> None:
    """Measure what is missing, and print the table."""
    given = arguments(__doc__, "rollouts", FOLDER)
    budgets = SIMULATIONS[:2] if given.quick else SIMULATIONS
    pupils = [
        Pupil(
            environment="cheese-maze",
            model="ctw",
            learner=LEARNED,
            simulations=3 if given.quick else 100,
            marks="20" if given.quick else str(CYCLES),
            actors=written([(planner, n) for planner in (UNIFORM, LEARNED) for n in budgets]),
            decisions=5 if given.quick else DECISIONS,
            seed=seed,
        )
        for seed in range(2 if given.quick else SEEDS)
    ]
    rows = complete(given.rows, pupils, measure, seconds_of)
    print(table(rows, budgets))
    if given.picture:
        draw(rows, budgets, given.picture)


if __name__ == "__main__":
    main()

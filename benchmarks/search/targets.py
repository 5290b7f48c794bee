"""The environments in which the old search failed, at the numbers of simulations that a new one is meant to need.

    python benchmarks/search/targets.py [ENVIRONMENT ...]

The score is 1 minus the loss of exact_regret.py, ten seeds, with its 95 % interval; the reward per cycle in brackets
where there is no optimum. About 25 minutes on two cores, most of them with 100,000 simulations; rows that stand in
benchmarks/results/search/targets.jsonl are not measured again. `--quick`: ten seconds.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from exact_regret import (
    SEEDS,
    Cell,
    Row,
    arguments,
    complete,
    decisions_for,
    half,
    losses,
    markdown,
    measure,
    over,
    seconds_of,
)

from aixi_approx.laws.estimate import Estimate

GROWING = (100, 1_000, 10_000, 100_000)


class Target(NamedTuple):
    """An environment and a number of simulations; a horizon if it is not that of the environment."""

    environment: str
    simulations: int
    horizon: int | None = None

    def planner(self, name: str) -> str:
        """Return the short text of a planner with this horizon."""
        return f"{name}+horizon:{self.horizon}" if self.horizon else name


TARGETS = [
    *(Target(f"locks:{size}", 10_000) for size in (2, 3, 4, 5, 6)),
    *(Target(f"locks:{size}", 1_000) for size in (2, 3, 4)),
    *(Target("extended-tiger", 1_000, horizon) for horizon in (4, 5)),
    Target("tiger", 500),
    *(Target(name, 2_500) for name in ("tic-tac-toe", "tic-tac-toe-first")),
    *(Target(name, 1_000) for name in ("nim:32-perfect", "corridor:8", "nim:48-perfect")),
]
SIZES = [
    *(f"bandit:{size}" for size in (2, 3, 4, 6, 10)),
    *(f"rocksample:{size}" for size in ("2-1", "3-2", "4-3", "4-4", "5-5", "7-8")),
]
LADDERS = [Target(name, n) for name in SIZES for n in GROWING]
QUICK = [Target("locks:2", 50), Target("extended-tiger", 50, 5), *(Target("rocksample:4-3", n) for n in (10, 50))]


def worth(row: Row) -> Estimate:
    """Return the score, or the reward per cycle where there is no optimum."""
    return over([1 - loss for loss in losses(row)] or row["rewards"])


def text(row: Row) -> str:
    """Return a score, or a reward in brackets, with half its interval."""
    estimate = worth(row)
    shown = f"{estimate.mean:.3f} ± {half(estimate):.3f}"
    return shown if losses(row) else f"({shown})"


def table(targets: list[Target], planners: list[str], rows: dict[tuple[Target, str], Row]) -> str:
    """Return the scores beside what the horizon allows and what the score of a planner is of that."""
    head = ["environment", "simulations", "horizon", "it allows", *planners]
    head += [f"{planner}, of what it allows" for planner in planners] + [f"{planner}, reward" for planner in planners]
    lines = []
    for target in targets:
        found = [rows[target, planner] for planner in planners]
        price = found[0]["price"]
        allows = None if price is None else 1 - price
        lines.append(
            [
                target.environment,
                f"{target.simulations:,}",
                str(found[0]["horizon"]),
                "unknown" if allows is None else f"{allows:.3f}",
                *(text(row) for row in found),
                *("" if allows is None else f"{worth(row).mean / allows:.3f}" for row in found),
                *(f"{over(row['rewards']).mean:.4f}" for row in found),
            ]
        )
    return markdown(head, lines)


def ladders(targets: list[Target], planners: list[str], rows: dict[tuple[Target, str], Row]) -> str:
    """Return the scores over simulations, and whether they fall anywhere beyond both intervals."""
    budgets = sorted({target.simulations for target in targets})
    lines = []
    for name in dict.fromkeys(target.environment for target in targets):
        for planner in planners:
            found = [rows[Target(name, n), planner] for n in budgets]
            steps = zip(pairwise(budgets), pairwise(map(worth, found)), strict=True)
            falls = [f"falls to {many:,}" for (_, many), (before, later) in steps if later.high < before.low]
            price = found[0]["price"]
            allows = "unknown" if price is None else f"{1 - price:.3f}"
            lines.append([name, planner, allows, *(text(row) for row in found), ", ".join(falls) or "rises or stays"])
    return markdown(
        ["environment", "planner", "horizon allows", *(f"{n:,}" for n in budgets), "with simulations"], lines
    )


def main() -> None:
    """Measure what is missing, and print the tables."""
    given = arguments(__doc__, "targets")
    planners = list(dict.fromkeys((given.old, given.new, given.sampled)))
    chosen, grown = (QUICK[:2], QUICK[2:]) if given.quick else (TARGETS, LADDERS)
    if given.environments:
        chosen, grown = ([one for one in some if one.environment in given.environments] for some in (chosen, grown))
    seeds = 2 if given.quick else SEEDS
    keys = [(target, planner) for target in (*chosen, *grown) for planner in planners]
    cells = [
        Cell(
            target.environment,
            target.planner(planner),
            target.simulations,
            seeds,
            5 if given.quick else decisions_for(target.environment, target.simulations),
        )
        for target, planner in keys
    ]
    rows = dict(zip(keys, complete(given.rows, cells, measure, seconds_of), strict=True))
    if chosen:
        print(table(chosen, planners, rows))
    if grown:
        print(f"\n{ladders(grown, planners, rows)}")


if __name__ == "__main__":
    main()

"""What context trees buy a policy: zeta beside a table from the last cycle to the action, both acting alone.

    python benchmarks/skill/rival.py [ENVIRONMENT ...]

Given the true environment, dpuct decides with 100 simulations for 1,000 cycles, without being guided. Both policies
learn its decisions and then act without a search. Ten seeds, losses as in pupil.py. Two minutes on two cores;
`--quick`: some seconds.

Written down before the first full run: zeta loses less in the mean; where the last cycle is all that matters (4x4-grid,
nim, locks) the table is as good or, knowing what matters, better.
"""

from __future__ import annotations

from pathlib import Path
from statistics import mean

from pupil import FOLDER, Pupil, gathered, losses_at, measure, seconds_of, written

from exact_regret import arguments, complete, known, markdown, over, shown  # isort: skip

NAMES = (
    *("cheese-maze", "kuhn-poker", "4x4-grid", "tiger", "biased-rps", "locks:2", "locks:4", "corridor:8"),
    *("nim:32-perfect", "nim:48-perfect", "rocksample:3-2", "tic-tac-toe"),
)
TABLE = f"{Path(__file__).parent.relative_to(Path(__file__).parents[2])}/table.py:LastCycle"
POLICIES = {"zeta": "learned", "last cycle": TABLE}
SEEDS, CYCLES, SIMULATIONS, DECISIONS = 10, 1_000, 100, 200


def main() -> None:
    """Measure what is missing, and print the table."""
    given = arguments(__doc__, "rival", FOLDER)
    names = given.environments or (NAMES[3:4] if given.quick else NAMES)
    pupils = [
        Pupil(
            environment=name,
            model="true",
            learner=f"dpuct+policy:{policy}+rollout:uniform+rule:spread",
            simulations=SIMULATIONS,
            marks="30" if given.quick else str(CYCLES),
            actors=written([(f"policy-alone+policy:{policy}", 0)]),
            decisions=20 if given.quick else DECISIONS,
            seed=seed,
        )
        for name in names
        for policy in POLICIES.values()
        for seed in range(2 if given.quick else SEEDS)
    ]
    rows = gathered(complete(given.rows, pupils, measure, seconds_of), "environment", "learner")
    found = {
        (name, label): losses_at(own, own[0]["actors"])
        for label, policy in POLICIES.items()
        for (name, learner), own in rows.items()
        if f"policy:{policy}+" in learner
    }
    lines = [[name, *(shown(over(found[name, label])) for label in POLICIES)] for name in names]
    solved = [name for name in names if known(name).optimum is not None]
    means = [
        over([mean(seed) for seed in zip(*(found[name, label] for name in solved), strict=True)]) for label in POLICIES
    ]
    print(markdown(["environment", *POLICIES], [*lines, ["mean", *map(shown, means)]]))


if __name__ == "__main__":
    main()

"""Plans, carried out: whether the score to expect is the one that comes.

    .venv/bin/python benchmarks/scaling/plan.py study/         # of families.toml; ten minutes on two cores

Hypothesis, written down before the first run: in three environments, each with a small and a large budget of bits for
learning and 1,000 decisions, fresh agents that learn and search as `aixi scale study/ --plan` says score within the
interval that it gives; the mean of twenty agents has an interval of its own, so that the two have to overlap. And the
compute that they take is within a fifth of the budget.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from aixi_approx.execution.engines import engine
from aixi_approx.laboratory import Laboratory, Study, find_results
from aixi_approx.laboratory.budget import advise
from aixi_approx.laboratory.results import mean_over_seeds, seed_mean

BUDGETS = {"tiger": (1e6, 1e7), "corridor:4": (2e6, 1e7), "nim:16-perfect": (1e6, 5e6)}
FIRST_SEED, SEEDS = 100, 20


def main() -> None:
    """Plan, carry out, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path, help="folder of the study of families.toml")
    folder = parser.parse_args().study
    laboratory = Laboratory(folder)
    found = {f.environment: f for f in find_results(laboratory)}
    print("| environment | budget | cycles | simulations | share of learning | to expect | came | compute it took |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for name, budgets in BUDGETS.items():
        f = found[name]
        for budget in budgets:
            plan = advise(f, budget)
            cycles, simulations = round(plan.experience.mean), max(1, round(plan.simulations.mean))
            study = Study(
                (name,),
                experience=(cycles,),
                simulations=(simulations,),
                seeds=SEEDS,
                first_seed=FIRST_SEED,
                planners=laboratory.study.planners[:1],
                learners=laboratory.study.learners[:1],
                cycles=laboratory.study.cycles,
                settings={name: laboratory.study.settings[name]},
            )
            with tempfile.TemporaryDirectory() as trial, engine(None) as place:
                carried_out = Laboratory(Path(trial) / "study", study)
                carried_out.run(place)
                (came,) = find_results(carried_out)
            score = mean_over_seeds(came.score[:, 0, 0])
            took = seed_mean(came.learning["bits"])[0] + f.decisions * seed_mean(came.bits)[0, 0]
            expected = f"{plan.score.mean:.3f} ({plan.score.low:.3f} to {plan.score.high:.3f})"
            inside = "" if plan.score.low <= score.high and score.low <= plan.score.high else " (outside)"
            print(
                f"| {name} | {budget:.0e} | {cycles:,} | {simulations:,} | {plan.share.mean:.2f} | {expected} | "
                f"{score.mean:.3f} ± {score.high - score.mean:.3f}{inside} | {np.round(took / budget, 2)} of it |",
                flush=True,
            )


if __name__ == "__main__":
    main()

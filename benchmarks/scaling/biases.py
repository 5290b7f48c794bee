"""Two biases of trials, before and after.

    .venv/bin/python benchmarks/scaling/biases.py study/       # of families.toml; five minutes on two cores

What agents have learned after 10,000 cycles is tried out three times, with the same searches: in an environment that is
reset, of which a learned model is not told (as studies did before version 0.7); in the environment as learning left it;
and there, after ten cycles that do not count. The first decisions in a reset environment are made in a false belief,
and are booked as prediction. Where an evaluation begins also shifts the rewards, by the boundary term: the value of
where it begins less that of where it ends.

What a model misses by its search lies between bounds, as expectimax on it leaves out what is improbable.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from aixi_approx.envs import make
from aixi_approx.execution.engines import engine
from aixi_approx.execution.tasks import Task, run_all
from aixi_approx.laboratory import Laboratory
from aixi_approx.laboratory.condition import Checkpoint, Cycle, Group, Setting, TrainingRun
from aixi_approx.laboratory.measurement import measure
from aixi_approx.laws.estimate import average
from aixi_approx.planner_spec import PlannerSpec
from aixi_approx.pomdp.solver import reward_range

EXPERIENCE, SIMULATIONS, CYCLES, SAMPLED, SEEDS = 10_000, 1_000, 50, 10, 10
WAYS = {"reset": None, "goes on": 0, "after ten cycles": 10}
EXACT = Setting(PlannerSpec.parse("expectimax"), CYCLES)


def try_out(run: TrainingRun, past: list[Cycle]) -> dict[str, Any]:
    """The rows of the three ways, and that of the best agent in an environment that is reset."""
    planner = PlannerSpec.parse("rhouct")._replace(horizon=run.settings.horizon, simulations=SIMULATIONS)
    checkpoint = Checkpoint(run, EXPERIENCE, "ctw", run.settings.depth)
    setting = Setting(planner, CYCLES)
    rows: dict[str, Any] = {
        way: measure(Group(checkpoint, (setting,), SAMPLED, warm_up), past)["rows"][0] for way, warm_up in WAYS.items()
    }
    exact = EXACT._replace(planner=EXACT.planner._replace(horizon=run.settings.horizon))
    knowing = Group(Checkpoint(run, 0, "true", run.settings.depth), (exact,), 1, None)
    return {"environment": run.environment, **rows, "best": measure(knowing, [])["rows"][0]}


def main() -> None:
    """Try out, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path, help="folder of the study of families.toml")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    arguments = parser.parse_args()
    laboratory = Laboratory(arguments.study)
    study, found = laboratory.study, []
    runs = [
        run
        for run in study.runs()
        if run.learner == study.base_learner and run.seed < study.first_seed + arguments.seeds
    ]
    marks = [mark for mark in study.experience if mark <= EXPERIENCE]
    with engine(None) as place:
        tasks = (Task(try_out, (run, laboratory.store.past(run, marks))) for run in runs)

        def finish(task: Task, result: Any) -> Any:
            found.append(result)
            print(f"\r{len(found)} of {len(runs)}", end="", file=sys.stderr)
            return iter(())

        run_all(place, tasks, finish=finish, watch=lambda: None)
    print(file=sys.stderr)
    print(
        "| environment | score, reset | goes on | after ten cycles | by rewards, reset | boundary | missed | bounds |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for name in study.environments:
        own = [each for each in found if each["environment"] == name]
        random, best = reward_range(make(name))
        assert random is not None
        assert best is not None

        def score(way: str, own: list[Any] = own, span: float = best - random) -> str:
            value = average([1 - each[way]["regret"] / span for each in own], batches=len(own))
            return f"{value.mean:.4f} ± {value.high - value.mean:.4f}"

        by_reward = average([(each["best"]["reward"] - random) / (best - random) for each in own], batches=len(own))
        boundary = np.mean([each["best"]["boundary"] for each in own]) / (best - random)
        row = [each["after ten cycles"] for each in own]
        missed = np.mean([each["simple_regret"] for each in row])
        low, high = np.mean([each["bounds"]["simple_regret"] for each in row], axis=0)
        cells = [
            *map(score, WAYS),
            f"{by_reward.mean:.3f}",
            f"{boundary:.3f}",
            f"{missed:.4f}",
            f"{low:.4f} to {high:.4f}",
        ]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()

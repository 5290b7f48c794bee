"""What an agent learns from nothing in the two smallest sizes of each family of environments.

    python benchmarks/environments/learning.py [FAMILY ...] [--seeds 3] [--out DIR]

MC-AIXI with the settings of the environment; then 5,000 greedy cycles in which it does not learn. The mean over agents,
with its 95 % interval. What stands in DIR is not done again. A quarter of an hour on two cores for all families.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.progress import track

from aixi_approx import average
from aixi_approx.envs import ENVIRONMENTS, make
from aixi_approx.experiments.experiment import Experiment
from aixi_approx.experiments.running import compile_kernels, run
from aixi_approx.laws.estimate import Estimate, normalised
from aixi_approx.planner_spec import PlannerSpec
from aixi_approx.pomdp.solver import best_reward

CYCLES = 5_000  # of evaluation


def learn(job: tuple[str, int, Path]) -> Estimate:
    """Return what an agent reaches in an environment; a run that is there already is not done again."""
    name, seed, folder = job
    made = make(name)
    experiment = Experiment(name, made.settings, made.schedule, PlannerSpec("rhouct"), evaluate=CYCLES, seed=seed)
    reward = run(experiment, folder / f"{name}-{seed}").reward
    assert reward
    return reward


def main() -> None:
    """Let the agents learn, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    every = [name for name in ENVIRONMENTS if make(name).sizes]
    parser.add_argument("families", nargs="*", default=every, metavar="FAMILY")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("families"))
    given = parser.parse_args()
    names = [f"{family}:{size}" for family in given.families for size in make(family).sizes[:2]]
    compile_kernels()
    jobs = [(name, seed, given.out) for name in names for seed in range(given.seeds)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = track(pool.map(learn, jobs), "learning", len(jobs), console=Console(stderr=True))
        rewards = dict(zip(jobs, found, strict=True))
    print("| environment | experience | depth | horizon | simulations | reward, 95 % | random | optimum | score |")
    print("|---|" + "--:|" * 8)
    for name in names:
        environment = make(name)
        s, random, best = environment.settings, environment.random_reward, best_reward(environment)
        reached = average([reward.mean for job, reward in rewards.items() if job[0] == name])
        score, half = normalised(reached.mean, random, optimum=best), (reached.high - reached.low) / 2
        ends = f"{random:.3f} | {'unknown' if best is None else f'{best:.3f}'} | {score:.3f}"
        print(f"| {name} | {environment.schedule.cycles:,} | {s.depth} | {s.horizon} | {s.simulations} ", end="")
        print(f"| {reached.mean:.3f} ± {half:.3f} | {ends} |")


if __name__ == "__main__":
    main()

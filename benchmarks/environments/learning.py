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
from aixi_approx.estimate import normalised
from aixi_approx.experiments.experiment import Experiment, compile_kernels, run
from aixi_approx.pomdp.solver import best_reward

CYCLES = 5_000  # of evaluation


def measure(task: tuple[str, int, Path]) -> float:
    """Return the reward per cycle of an agent, when it has learned."""
    name, seed, folder = task
    environment = make(name)
    experiment = Experiment(name, environment.settings, environment.schedule, evaluate=CYCLES, seed=seed)
    reward = run(experiment, folder / f"{name}-{seed}").reward
    assert reward is not None
    return reward.mean


def main() -> None:
    """Let the agents learn, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    every = [name for name in ENVIRONMENTS if make(name).sizes]
    parser.add_argument("families", nargs="*", default=every, metavar="FAMILY")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("families"))
    given = parser.parse_args()
    names = [f"{family}:{size}" for family in given.families for size in make(family).sizes[:2]]
    tasks = [(name, seed, given.out) for name in names for seed in range(given.seeds)]
    compile_kernels()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found_all = track(pool.map(measure, tasks), "learning", len(tasks), console=Console(stderr=True))
        rewards = dict(zip(tasks, found_all, strict=True))
    print("| environment | experience | depth | horizon | simulations | reward, 95 % | random | optimum | score |")
    print("|---|" + "--:|" * 8)
    for name in names:
        environment = make(name)
        s, random, best = environment.settings, environment.random_reward, best_reward(environment)
        found = average([rewards[task] for task in tasks if task[0] == name])
        score, half = normalised(found.mean, random, optimum=best), (found.high - found.low) / 2
        ends = f"{random:.3f} | {'unknown' if best is None else f'{best:.3f}'} | {score:.3f}"
        print(f"| {name} | {environment.schedule.cycles:,} | {s.depth} | {s.horizon} | {s.simulations} ", end="")
        print(f"| {found.mean:.3f} ± {half:.3f} | {ends} |")


if __name__ == "__main__":
    main()

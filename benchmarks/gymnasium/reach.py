"""What our agent reaches in environments of Gymnasium.

    python benchmarks/gymnasium/reach.py [--seeds 3]

MC-AIXI learns from nothing and is then evaluated greedily; the mean over seeds, with its 95 % interval. The command of
each row stands in it. Random agents are evaluated, too, where their reward is not known exactly.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from rich.console import Console
from rich.progress import track

from aixi_approx import average, make
from aixi_approx.experiments.experiment import Experiment
from aixi_approx.experiments.running import compile_kernels, run
from aixi_approx.laws.estimate import normalised
from aixi_approx.planner_spec import PlannerSpec
from aixi_approx.pomdp.solver import best_reward

TASKS: dict[str, dict[str, float]] = {  # what is other than by default
    "gym:FrozenLake-v1?is_slippery=False": {},
    "gym:FrozenLake-v1": {"cycles": 40_000, "horizon": 12, "simulations": 30, "decay": 0.9999},
    "gym:CliffWalking-v1": {},
    "gym:Taxi-v4": {"simulations": 20},
    "gym:Blackjack-v1": {"horizon": 4},
    "gym:CartPole-v1?end=-10&bins=4": {"cycles": 10_000, "simulations": 50},
}
EVALUATE = 2_000  # cycles
RANDOM = 50_000  # cycles of a random agent


def measure(job: tuple[str, int | None]) -> float:
    """Return the reward per cycle of an agent with some seed, or of the random agent."""
    name, seed = job
    made, task = make(name), dict(TASKS[name])
    schedule = made.schedule._replace(cycles=int(task.pop("cycles", made.schedule.cycles)))
    experiment = Experiment(name, made.settings._replace(**task), schedule, PlannerSpec("rhouct"), evaluate=EVALUATE)  # type: ignore[arg-type]
    if seed is None:
        nothing = schedule._replace(cycles=0)
        experiment = experiment._replace(schedule=nothing, planner=PlannerSpec("random"), evaluate=RANDOM)
    reward = run(experiment._replace(seed=seed or 0)).reward
    assert reward
    return reward.mean


def command(name: str) -> str:
    """Return what a user would type."""
    given: dict[str, Any] = dict(TASKS[name])
    quoted = f"'{name}'" if "?" in name else name
    if "decay" in given:
        given["exploration"] = f"{make(name).settings.epsilon} {given.pop('decay')}"
    return " ".join([f"aixi run {quoted}", *(f"--{option} {value}" for option, value in given.items())])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--seeds", type=int, default=3)
    seeds = range(parser.parse_args().seeds)
    compile_kernels()
    chance = {name: make(name).random_reward for name in TASKS}
    tasks = [(name, seed) for name in TASKS for seed in (None, *seeds) if seed is not None or chance[name] is None]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = track(pool.map(measure, tasks), "learning", len(tasks), console=Console(stderr=True))
        rewards = dict(zip(tasks, found, strict=True))
    print("| command | random | reached, 95 % | best | score |\n|---|--:|--:|--:|--:|")
    for name in TASKS:
        reached, best = average([rewards[name, seed] for seed in seeds]), best_reward(make(name))
        random = rewards[name, None] if chance[name] is None else chance[name]
        score = normalised(reached.mean, random, optimum=best)
        ends = "unknown | " if best is None else f"{best:.4f} | {score:.3f}"
        print(f"| `{command(name)}` | {random:.4f} | {reached.mean:.4f} ± {reached.high - reached.mean:.4f} | {ends} |")


if __name__ == "__main__":
    main()

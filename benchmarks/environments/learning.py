"""What an agent learns from nothing in the two smallest sizes of each family of environments.

    python benchmarks/environments/learning.py [FAMILY ...] [--seeds 3] [--out DIR]

MC-AIXI with the settings of the environment; then 5,000 greedy cycles in which it does not learn. The mean over agents,
with its 95 % interval. What stands in DIR is not done again. A quarter of an hour on two cores for all families.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from aixi_approx import average
from aixi_approx.envs import ENVIRONMENTS, make
from aixi_approx.estimate import normalised
from aixi_approx.jair2011.sweep import Progress, carry_out
from aixi_approx.jair2011.training_run import Life, Trial
from aixi_approx.pomdp.solver import best_reward

CYCLES = 5_000  # of evaluation


def lives(name: str, seeds: int) -> list[Life]:
    """Return the agents that live in an environment."""
    settings = make(name).settings
    trial = Trial(settings.cycles, "rhouct", settings.evaluation_simulations, CYCLES)
    return [Life(name, settings, (trial,), seed) for seed in range(seeds)]


def show(progress: list[Progress]) -> None:
    """Say how far it is."""
    done = sum(life.done for life in progress) / sum(life.total for life in progress)
    print(f"\rlearning: {done:.0%}", end="\n" if done == 1 else "", file=sys.stderr, flush=True)


def main() -> None:
    """Let the agents live, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    every = [name for name in ENVIRONMENTS if make(name).sizes]
    parser.add_argument("families", nargs="*", default=every, metavar="FAMILY")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("families"))
    given = parser.parse_args()
    names = [f"{family}:{size}" for family in given.families for size in make(family).sizes[:2]]
    rows = carry_out([life for name in names for life in lives(name, given.seeds)], given.out, watch=show)
    print("| environment | experience | depth | horizon | simulations | reward, 95 % | random | optimum | score |")
    print("|---|" + "--:|" * 8)
    for name in names:
        environment = make(name)
        s, random, best = environment.settings, environment.random_reward, best_reward(environment)
        found = average([row["reward"] for row in rows if row["environment"] == name])
        score, half = normalised(found.mean, random, optimum=best), (found.high - found.low) / 2
        ends = f"{random:.3f} | {'unknown' if best is None else f'{best:.3f}'} | {score:.3f}"
        print(f"| {name} | {s.cycles:,} | {s.depth} | {s.horizon} | {s.simulations} ", end="")
        print(f"| {found.mean:.3f} ± {half:.3f} | {ends} |")


if __name__ == "__main__":
    main()

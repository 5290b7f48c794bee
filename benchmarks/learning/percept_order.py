"""What it changes to write the reward before the observation, or after it.

    python benchmarks/learning/percept_order.py [--seeds 8]

Log loss in bits per percept on the last tenth of some random cycles, mean over seeds.
"""

from __future__ import annotations

import argparse

import numpy as np

from aixi_approx import make
from aixi_approx.predictors import FactoredContextTree

NAMES = (
    "coin-flip",
    "1d-maze",
    "cheese-maze",
    "tiger",
    "extended-tiger",
    "4x4-grid",
    "biased-rps",
    "kuhn-poker",
)


def log_loss(name: str, cycles: int, reward_first: bool, seed: int) -> float:
    """Return the log loss of the last tenth of a random life."""
    environment = make(name)
    environment.reset(seed)
    coding = environment.coding
    life = []
    for action in np.random.default_rng(seed).integers(coding.actions, size=cycles):
        cycle = coding.cycle(int(action), *environment.step(int(action)))
        start, middle = coding.action_bits, coding.action_bits + coding.reward_bits
        order = cycle if reward_first else np.concatenate([cycle[:start], cycle[middle:], cycle[start:middle]])
        life.append(order)
    tree = FactoredContextTree(environment.settings.depth, coding.action_bits, coding.percept_bits)
    tree.learn(np.concatenate(life[: cycles * 9 // 10]))
    return tree.learn(np.concatenate(life[cycles * 9 // 10 :])) / (cycles - cycles * 9 // 10)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--seeds", type=int, default=8)
    seeds = range(parser.parse_args().seeds)
    budgets = (1_000, 2_500, 10_000)
    print("| environment |", " | ".join(f"{b:,} cycles: observation, reward first" for b in budgets), "|")
    print("|---|" + "--:|" * len(budgets))
    for name in NAMES:
        cells = []
        for cycles in budgets:
            means = [np.mean([log_loss(name, cycles, first, seed) for seed in seeds]) for first in (False, True)]
            cells.append(", ".join(f"{mean:.3f}" for mean in means))
        print(f"| {name} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()

"""How near the best achievable the agent comes at the experience and simulations of JAIR 2011, Tables 3 and 5.

    python benchmarks/learning/near_optimal.py [ENVIRONMENT ...] [--seeds 3] [--processes 2]

Learning is with 500 simulations a search as in Table 3, evaluation with those of Table 5, greedy, without learning. A
run is a row of benchmarks/results/near_optimal.jsonl as soon as it has ended; runs whose row is there are not done
again. The paper evaluates for 5,000 cycles; where chance then moves the score by more than 5 %, we do for longer.
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from aixi_approx.envs import make
from aixi_approx.run import Experiment, run

RESULTS = Path(__file__).parents[1] / "results" / "near_optimal.jsonl"

# Experience and simulations of Table 5, epsilon and its decay of Table 3, cycles of evaluation. Kuhn poker has
# 5,000,000 cycles of experience in the paper; figure 7 has it at its best after 50,000, and that many take hours.
PAPER = {
    "1d-maze": (5_000, 250, 0.9, 0.99, 5_000),
    "cheese-maze": (2_500, 500, 0.999, 0.9999, 5_000),
    "tiger": (25_000, 25_000, 0.99, 0.9999, 5_000),
    "4x4-grid": (25_000, 500, 0.9, 0.9999, 5_000),
    "biased-rps": (10_000, 5_000, 0.999, 0.99999, 20_000),
    "kuhn-poker": (100_000, 250, 0.99, 0.9999, 100_000),
    "extended-tiger": (50_000, 25_000, 0.99, 0.99999, 5_000),
}


def experiment(name: str, seed: int) -> Experiment:
    """Return the run of one environment and seed."""
    cycles, simulations, epsilon, decay, evaluate = PAPER[name]
    settings = make(name).settings._replace(
        cycles=cycles, simulations=500, evaluation_simulations=simulations, epsilon=epsilon, decay=decay
    )
    return Experiment(name, settings, evaluate=evaluate, seed=seed)


def main() -> None:
    """Run what is not there yet and print the table of all that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("environments", nargs="*", metavar="ENVIRONMENT", help=f"some of {', '.join(PAPER)}")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    names = chosen.environments or list(PAPER)
    if unknown := set(names) - set(PAPER):
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(PAPER)}")
    rows = [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []
    done = {(row["environment"], row["seed"]) for row in rows}
    todo = [(name, seed) for name in names for seed in range(chosen.seeds) if (name, seed) not in done]
    with ProcessPoolExecutor(chosen.processes) as pool:
        for i, future in enumerate(as_completed([pool.submit(run, experiment(*one)) for one in todo]), 1):
            row = future.result()
            rows.append(row)
            with RESULTS.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(f"{i} of {len(todo)}: {row['environment']}, seed {row['seed']}: {row['reward']:.3f}", flush=True)
    print(
        "\n| environment | experience | simulations | reward per cycle, each seed | random | best | score, worst seed |"
    )
    print("|---|--:|--:|---|--:|--:|--:|")
    for name in names:
        mine = sorted((row for row in rows if row["environment"] == name), key=lambda row: row["seed"])[: chosen.seeds]
        rewards = ", ".join(f"{r['reward']:.3f} ± {r['reward_high'] - r['reward']:.3f}" for r in mine)
        print(
            f"| {name} | {PAPER[name][0]:,} | {PAPER[name][1]:,} | {rewards} | {mine[0]['random_reward']:.3f} "
            f"| {mine[0]['optimum']:.4f} | {min(row['score'] for row in mine):.3f} |"
        )


if __name__ == "__main__":
    main()

"""Harder environments with everything on: plain search, search with a policy, and the policy alone.

    python benchmarks/skill/harder.py [ENVIRONMENT ...]

Agents learn a model with the settings of the environment, and are evaluated for 1,000 cycles without learning: dpuct;
dpuct with a policy that learns its decisions; and that policy without any search. Reward per cycle, three seeds. Rows
that stand in benchmarks/results/skill/harder.jsonl are not measured again; about a quarter of an hour on two cores;
`--quick`: some seconds.
"""

from __future__ import annotations

from statistics import mean
from typing import NamedTuple

from pupil import FOLDER, gathered

from exact_regret import Row, arguments, complete, markdown, over, shown  # isort: skip

from aixi_approx.envs import make
from aixi_approx.experiments.experiment import Experiment
from aixi_approx.experiments.running import run
from aixi_approx.planner_spec import PlannerSpec

CYCLES = {  # of learning
    "rocksample:3-2": 10_000,
    "bandit:3": 10_000,
    "tic-tac-toe": 30_000,
    "kuhn-poker": 20_000,
    "gym:FrozenLake-v1": 20_000,
    "gym:Taxi-v4": 10_000,
}
WAYS = {"dpuct": ("dpuct", 100), "with a policy": ("dpuct+policy:learned", 100), "alone": ("dpuct+policy:learned", 0)}
SEEDS, EVALUATE, SIMULATIONS = 3, 1_000, 100


class Life(NamedTuple):
    """An agent, and how it is evaluated."""

    environment: str
    way: str
    cycles: int
    evaluate: int
    simulations: int
    seed: int


def live(life: Life) -> Row:
    """Let an agent learn, and evaluate it."""
    environment = make(life.environment)
    planner, simulations = WAYS[life.way]
    settings = environment.settings._replace(simulations=life.simulations)
    schedule = environment.schedule._replace(
        cycles=life.cycles, evaluation_simulations=min(simulations, life.simulations)
    )
    spec = PlannerSpec.parse(planner)
    found = run(Experiment(life.environment, settings, schedule, spec, evaluate=life.evaluate, seed=life.seed))
    assert found.reward is not None
    known = {"reward": found.reward.mean, "random": found.random_reward, "optimum": found.optimum}
    known |= {"log_loss": found.log_loss_end, "surprise": found.surprise_end}
    return {**life._asdict(), **known, "seconds": found.learning_seconds + found.evaluation_seconds}


def seconds_of(life: Life) -> float:
    """Return about how long it takes: a rough guess, for the bar."""
    return (life.cycles + life.evaluate) * life.simulations * 2e-5


def table(rows: list[Row]) -> str:
    """Return the rewards, in Markdown."""
    lines = []
    for (name, cycles), own in gathered(rows, "environment", "cycles").items():
        ways = gathered(own, "way")
        cells = [shown(over([row["reward"] for row in ways[(way,)]])) for way in WAYS]
        ends = ["" if own[0][end] is None else f"{own[0][end]:.3f}" for end in ("random", "optimum")]
        bits = [row["surprise"] for row in ways[("alone",)] if row["surprise"] is not None]
        lines.append([name, f"{cycles:,}", ends[0], *cells, ends[1], f"{mean(bits):.2f}" if bits else ""])
    head = ["environment", "cycles", "random", *WAYS, "optimum", "bits a lesson"]
    return markdown(head, lines)


def main() -> None:
    """Measure what is missing, and print the table."""
    given = arguments(__doc__, "harder", FOLDER)
    names = given.environments or (["rocksample:3-2"] if given.quick else list(CYCLES))
    lives = [
        Life(
            name,
            way,
            30 if given.quick else CYCLES[name],
            20 if given.quick else EVALUATE,
            5 if given.quick else SIMULATIONS,
            seed,
        )
        for name in names
        for way in WAYS
        for seed in range(2 if given.quick else SEEDS)
    ]
    print(table(complete(given.rows, lives, live, seconds_of)))


if __name__ == "__main__":
    main()

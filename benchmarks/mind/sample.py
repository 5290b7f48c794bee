"""Data for the page from a short real run; what no part of the package says yet is made up, plausibly.

python benchmarks/mind/sample.py tiger --cycles 2000 --html /tmp/tiger.html
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from typing import Any

import aixi_approx as aixi
from aixi_approx.environment import Percept
from aixi_approx.introspection.vocabulary import word
from aixi_approx.viewer.judge import Judge
from aixi_approx.viewer.page import write_page

BUCKETS = 120  # of the curve
QUERIES = 20_000  # of the model, for the parts of a regret


def tree(cycle: int, environment: aixi.Environment) -> dict[str, Any]:
    """A tree, made up."""
    leaves = 2 + int(math.log2(cycle + 1) ** 2)
    names = [str(o) for o in environment.observations[:4]]
    rules = [
        {
            "when": f"1 cycle ago: action = {environment.actions[i % len(environment.actions)]}; "
            f"{1 + i % 3} cycles ago: observation = {names[i % len(names)]}",
            "then": f"observation = {names[(i + 1) % len(names)]}",
            "count": 1 + cycle // (i + 2),
            "probability": 0.999 / (1 + 0.1 * i),
        }
        for i in range(min(leaves, 20))
    ]
    return {
        "cycle": cycle,
        "leaves": leaves,
        "bits": 3.7 * leaves,
        "depth": 12,
        "sentences": [
            "The reward depends on the action, and on the observation of the cycle before.",
            "The observation depends on the action and on the observations of the last three cycles.",
            f"{leaves} contexts are told apart; the deepest looks 12 bits back, into the second cycle before.",
        ],
        "fields": [
            {"name": "reward", "leaves": leaves // 2, "rules": rules[: len(rules) // 2]},
            {"name": "observation", "leaves": leaves - leaves // 2, "rules": rules},
        ],
    }


def sample(name: str, *, cycles: int, kept: int = 1000, full: int = 300, simulations: int = 20) -> dict[str, Any]:
    """Data of a run: `cycles` of learning and a fifth as many of evaluation, of which the last `kept` are kept."""
    environment = aixi.make(name)
    agent = aixi.build_agent(environment, seed=1)
    environment.checked_reset(1)
    parts = [
        {"name": "learning", "first": 0, "cycles": cycles},
        {"name": "evaluation", "first": cycles, "cycles": cycles // 5},
    ]
    total = cycles + cycles // 5
    judge = Judge(environment, horizon=environment.settings.horizon, queries=QUERIES)
    columns: dict[str, list[Any]] = {
        each: [] for each in ("cycle", "action", "observation", "reward", "explored", "loss", "mean", "picture")
    }
    pictures: dict[str, int] = {}
    moments: dict[str, Any] = {}
    rewards, losses, trees = [], [], []
    due: dict[str, Any] = {}

    def decided(decision: Any) -> None:
        if agent.cycle % max(1, kept // full) == 0 and (agent.cycle < kept // 3 or agent.cycle >= total - kept):
            truth = judge.truth(agent, decision)
            due[str(agent.cycle)] = agent.explain(decision, simulations=simulations, truth=truth).as_json()

    for part in parts:
        learn = part["name"] == "learning"
        sum_of = 0.0
        for i, row in enumerate(
            aixi.interact(
                agent,
                environment,
                cycles=part["cycles"],
                learn=learn,
                simulations=simulations,
                decided=decided,
            )
        ):
            cycle = part["first"] + i
            sum_of += row.reward
            rewards.append(row.reward)
            losses.append(row.log_loss if learn else None)
            keep = cycle < kept // 3 or cycle >= total - (kept - kept // 3)
            if keep:
                picture = environment.render()
                values = (
                    cycle,
                    row.action,
                    row.observation,
                    row.reward,
                    row.explored,
                    row.log_loss,
                    sum_of / (i + 1),
                    pictures.setdefault(picture, len(pictures)),
                )
                for column, value in zip(columns.values(), values, strict=True):
                    column.append(value)
                if str(cycle) in due:
                    came = {"observation": row.observation, "reward": row.reward}
                    bits = dict.fromkeys(("surprise", "surprise_reward", "surprise_observation"), row.log_loss)
                    moments[str(cycle)] = {**due[str(cycle)], "came": came | bits}
            judge.observe(row.action, Percept(row.observation, row.reward))
            if learn and (cycle + 1) & cycle == 0 and cycle:
                trees.append(tree(cycle + 1, environment))
    size = max(1, total // BUCKETS)
    curve: dict[str, list[Any]] = {"cycle": [], "reward": [], "loss": []}
    for first in range(0, total, size):
        piece = slice(first, first + size)
        lost = [each for each in losses[piece] if each is not None]
        curve["cycle"].append(first)
        curve["reward"].append(sum(rewards[piece]) / len(rewards[piece]))
        curve["loss"].append(sum(lost) / len(lost) if lost else None)
    final = rewards[cycles:]
    mean = sum(final) / len(final)
    random = environment.random_reward
    best = environment.optimum
    settings = environment.settings
    return {
        "format": 1,
        "version": aixi.__version__,
        "environment": {
            "name": name,
            "rules": environment.rules,
            "actions": list(map(word, environment.actions)),
            "observations": list(map(word, environment.observations)) if len(environment.observations) <= 4096 else [],
            "rewards": agent.coding.rewards_in_words(),
            "random_reward": random,
            "optimum": best,
            "hidden": environment.hidden,
        },
        "agent": [
            ["model", "ctw"],
            ["planner", "dpuct"],
            ["depth", str(settings.depth)],
            ["horizon", str(settings.horizon)],
            ["simulations", str(simulations)],
            ["exploration", f"{settings.epsilon} times {settings.decay} per cycle"],
            ["seed", "1"],
        ],
        "parts": parts,
        "curve": curve,
        "score": {
            "reward": mean,
            "low": mean - 0.2,
            "high": mean + 0.2,
            "score": (mean - random) / (best - random) if best is not None and random is not None else None,
        },
        "steps": columns,
        "pictures": list(pictures),
        "moments": moments,
        "trees": trees,
        "thinned": f"Of {total} cycles {len(columns['cycle'])} are kept, and {len(moments)} full moments.",
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environment")
    parser.add_argument("--cycles", type=int, default=2000)
    parser.add_argument("--kept", type=int, default=1000)
    parser.add_argument("--full", type=int, default=300)
    parser.add_argument("--simulations", type=int, default=20)
    parser.add_argument("--html", required=True)
    given = parser.parse_args()
    began = time.time()
    data = sample(
        given.environment, cycles=given.cycles, kept=given.kept, full=given.full, simulations=given.simulations
    )
    write_page(data, given.html)
    print(f"{given.environment}: {time.time() - began:.1f} s", file=sys.stderr)

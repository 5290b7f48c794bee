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
from aixi_approx.coding import decode, encode
from aixi_approx.pomdp.belief import after, first_belief
from aixi_approx.viewer.page import write_page

LEAST = 1e-4  # probability of a percept that is looked at
BUCKETS = 120


def percepts(agent: aixi.Agent, action: int) -> list[tuple[int, float, float]]:
    """What the model expects after an action: observation, reward, probability, the likeliest first."""
    predictor, coding = agent.predictor, agent.coding
    found: dict[tuple[int, float], float] = {}
    mark = predictor.mark()
    for bit in encode(action, coding.action_bits):
        predictor.append(bit)

    def go(bits: list[int], p: float) -> None:
        if p < LEAST or len(found) > 200:
            return
        if len(bits) == coding.percept_bits:
            key = (decode(bits[coding.reward_bits :]), coding.reward(decode(bits[: coding.reward_bits])))
            found[key] = found.get(key, 0) + p
            return
        one = predictor.predict()
        for bit in (int(one >= 0.5), int(one < 0.5)):
            if (one if bit else 1 - one) * p < LEAST:
                continue
            here = predictor.mark()
            predictor.append(bit)
            go([*bits, bit], p * (one if bit else 1 - one))
            predictor.revert(here)

    go([], 1.0)
    predictor.revert(mark)
    return sorted(((o, r, p) for (o, r), p in found.items()), key=lambda each: -each[2])


def entropy(probabilities: Any) -> float:
    return -sum(p * math.log2(p) for p in probabilities if p > 0)


def marginal(listed: list[tuple[int, float, float]], field: int) -> list[list[float]]:
    sums: dict[float, float] = {}
    for each in listed:
        sums[each[field]] = sums.get(each[field], 0) + each[2]
    return [[value, p] for value, p in sorted(sums.items(), key=lambda each: -each[1])][:8]


def moment(agent: aixi.Agent, environment: aixi.Environment, decision: Any, belief: Any) -> dict[str, Any]:
    """The full explanation of a decision, at its history."""
    search, actions = decision.search, []
    for a, name in enumerate(environment.actions):
        listed = percepts(agent, a)
        value = None if search is None or not math.isfinite(search.value[a]) else float(search.value[a])
        deviation = None if search is None or search.deviation is None else float(search.deviation[a])
        actions.append(
            {
                "action": a,
                "name": str(name),
                "value": value,
                "deviation": deviation if deviation is None or math.isfinite(deviation) else None,
                "visits": 0 if search is None else int(search.visits[a]),
                "prior": None,
                "reward": sum(r * p for _, r, p in listed),
                "entropy": entropy(p for _, _, p in listed),
                "rest": max(0.0, 1 - sum(p for _, _, p in listed[:8])),
                "percepts": [list(each) for each in listed[:8]],
                "observations": marginal(listed, 0),
                "rewards": marginal(listed, 1),
            }
        )
    chosen = actions[decision.action]
    words = [f"It does {chosen['name']}" + (", at random, to explore." if decision.explored else ".")]
    for other in actions:
        if other is not chosen and other["value"] is not None and other["percepts"]:
            o, r, p = other["percepts"][0]
            seen = environment.observations[o] if o < len(environment.observations) else f"code {o}"
            words.append(
                f"{other['name']} would be worth {other['value']:.3g}: it expects to see {seen} for {r:g} with probability {p:.2f}."
            )
    truth = None
    if belief is not None:
        shown: dict[str, float] = {}
        for s, p in zip(belief.state, belief.probability, strict=True):
            for name, q in environment.possible(int(s)):
                shown[str(name)] = shown.get(str(name), 0) + float(p) * q
        within = [None if a["value"] is None else a["value"] + 0.1 * (i - 0.5) for i, a in enumerate(actions)]
        values = [v for v in within if v is not None]
        lost = max(values) - (within[decision.action] or 0) if values else 0.0
        names = ("horizon", "prediction", "decision", "distillation", "exploration", "total")
        parts = dict(zip(names, (0.0, 0.7 * lost, 0.3 * lost, 0.0, 0.0, lost), strict=True))
        likely = sorted(shown.items(), key=lambda each: -each[1])[:40]
        truth = {
            "belief": [list(each) for each in likely],
            "within": within if values else None,
            "long_run": None,
            "regret": parts if values else None,
        }
    first = chosen["percepts"][0] if chosen["percepts"] else (0, 0, 1.0)
    line = [
        {
            "action": decision.action,
            "observation": first[0],
            "reward": first[1],
            "probability": first[2],
            "value": chosen["value"] or 0.0,
        }
        for _ in range(environment.settings.horizon)
    ]
    return {
        "cycle": agent.cycle,
        "action": decision.action,
        "explored": bool(decision.explored),
        "simulations": 0 if search is None else int(search.simulations),
        "horizon": environment.settings.horizon,
        "actions": actions,
        "line": line,
        "came": None,
        "truth": truth,
        "words": words,
    }


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
    known = isinstance(environment, aixi.POMDP) and environment.size and environment.size < 3000
    belief = first_belief(environment) if known else None
    columns: dict[str, list[Any]] = {
        each: [] for each in ("cycle", "action", "observation", "reward", "explored", "loss", "mean", "picture")
    }
    pictures: dict[str, int] = {}
    moments: dict[str, Any] = {}
    rewards, losses, trees = [], [], []
    due: dict[str, Any] = {"moment": None}

    def decided(decision: Any) -> None:
        due["moment"] = None
        if agent.cycle % max(1, kept // full) == 0 and (agent.cycle < kept // 3 or agent.cycle >= total - kept):
            due["moment"] = moment(agent, environment, decision, due["belief"])

    for part in parts:
        learn = part["name"] == "learning"
        due["belief"] = belief
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
                next_moment = due["moment"]
                if next_moment is not None:
                    p = sum(
                        p
                        for o, r, p in next_moment["actions"][row.action]["percepts"]
                        if (o, r) == (row.observation, row.reward)
                    )
                    bits = -math.log2(max(p, LEAST))
                    next_moment["came"] = {
                        "observation": row.observation,
                        "reward": row.reward,
                        "surprise": bits,
                        "surprise_reward": 0.3 * bits,
                        "surprise_observation": 0.7 * bits,
                    }
                    next_moment["cycle"] = cycle
                    moments[str(cycle)] = next_moment
            if belief is not None:
                came = (row.observation, row.reward)
                belief = next(f.belief for f in after(environment, belief, action=row.action) if f.percept == came)
                due["belief"] = belief
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
            "actions": list(map(str, environment.actions)),
            "observations": list(map(str, environment.observations)) if len(environment.observations) <= 4096 else [],
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
            ["exploration", f"{settings.epsilon} × {settings.decay} per cycle"],
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

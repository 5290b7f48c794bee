"""What a search saves that stops where its choice is certain, and whether it still makes the same choice.

    python benchmarks/search/stopping.py [ENVIRONMENT ...]

A search without a stop decides; at each of its decisions one with `stop:certain` searches, too, from the same history
with the same random numbers. Choices of the same value are counted as well: by the exact values within the horizon
where the model is the true one, else by the values that the search without a stop found, up to 1e-9. More than a
thousand decisions for each model and number of simulations. About five minutes on two cores; rows that stand in
benchmarks/results/search/stopping.jsonl are not measured again. `--quick`: 20 seconds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from exact_regret import Row, arguments, complete, known, markdown, seconds_per_simulation
from learned import learned, on_model

from aixi_approx.agent import Decision
from aixi_approx.builder import CTW, build_agent, build_planner, options_taken
from aixi_approx.environment import Percept
from aixi_approx.envs import make
from aixi_approx.interaction import evaluate
from aixi_approx.planner import SearchResult
from aixi_approx.planner_spec import STOPS
from aixi_approx.randomness import EVALUATION, stream

TRUE = "true"
ENVIRONMENTS = {
    TRUE: ("tiger", "locks:2", "cheese-maze", "nim:24-perfect", "bandit:3", "rocksample:2-1", "tic-tac-toe"),
    CTW: ("tiger", "locks:1", "cheese-maze", "kuhn-poker", "biased-rps", "4x4-grid"),
}
EXPERIENCE = 5_000  # cycles, on a learned model
BUDGETS = (1_000, 10_000)
SEEDS, DECISIONS = 2, 100
SAME = 1e-9  # difference of values


class Pair(NamedTuple):
    """Two searches that are compared."""

    model: str
    environment: str
    simulations: int
    seed: int
    experience: int
    decisions: int
    without: str  # planners: without a stop,
    stopping: str  # and with one
    teacher: str  # that the model was learned with


def compare(pair: Pair) -> Row:
    """Compare two searches at the decisions of the one without a stop."""
    name, environment = pair.environment, make(pair.environment)
    if pair.model == TRUE:
        agent = build_agent(environment, TRUE, planner=pair.without, seed=pair.seed)
    else:
        agent = on_model(name, learned(name, pair.experience, pair.seed, pair.teacher), pair.without, pair.seed)
    stopping = build_planner(environment, pair.stopping, model=pair.model)
    results: list[tuple[SearchResult, SearchResult]] = []

    def decided(decision: Decision) -> None:
        stopping.forget()
        random = stream(agent.seed, EVALUATION, agent.cycle)  # as in `Agent.act`
        assert decision.search
        results.append((decision.search, stopping.search(agent.predictor, random, simulations=pair.simulations)))

    rows = list(
        evaluate(
            agent, environment, cycles=pair.decisions, seed=pair.seed, simulations=pair.simulations, decided=decided
        )
    )
    solution, node, worth = known(name).solution, 0, []
    for row, (full, _) in zip(rows, results, strict=True):
        if pair.model == TRUE and solution:
            worth.append(solution.action_values(node, environment.settings.horizon))
            node = solution.follow(node, row.action, percept=Percept(row.observation, row.reward))
        else:
            worth.append(full.value)
    choices = [
        (values[full.action], values[early.action]) for values, (full, early) in zip(worth, results, strict=True)
    ]
    return {
        **pair._asdict(),
        "same": sum(full.action == early.action for full, early in results),
        "equal": int(sum(np.isclose(one, other, rtol=0, atol=SAME) for one, other in choices)),
        "lost": float(sum(one - other for one, other in choices)),
        "made_without": sum(full.simulations for full, _ in results),
        "made": sum(early.simulations for _, early in results),
    }


def seconds_of_pair(pair: Pair) -> float:
    """Return about how long a pair takes, at most if searches end early."""
    each = seconds_per_simulation(pair.environment, pair.without, pair.model)
    seconds = 2 * pair.decisions * pair.simulations * each
    if pair.model != TRUE:
        own = make(pair.environment).settings.simulations
        seconds += pair.experience * own * seconds_per_simulation(pair.environment, pair.teacher, pair.model)
    return seconds


def table(rows: list[Row]) -> str:
    """Return the shares and the simulations of each environment, and of all of a model."""
    groups: dict[tuple[str, str, int], list[Row]] = {}
    for row in rows:
        for name in (row["environment"], "all"):
            groups.setdefault((row["model"], name, row["simulations"]), []).append(row)
    lines = []
    for (model, name, simulations), group in sorted(groups.items(), key=lambda one: (one[0][0], one[0][1] == "all")):
        total = {key: sum(row[key] for row in group) for key in ("decisions", "same", "equal", "lost")}
        made = {key: sum(row[key] for row in group) / total["decisions"] for key in ("made_without", "made")}
        lines.append(
            [
                f"{model}, {name}",
                f"{simulations:,}",
                f"{total['decisions']:,}",
                f"{total['same'] / total['decisions']:.4f}",
                f"{total['equal'] / total['decisions']:.4f}",
                f"{total['lost'] / total['decisions'] + 0.0:.2g}",
                f"{made['made_without']:,.0f}",
                f"{made['made']:,.0f}",
            ]
        )
    head = ["model, environment", "simulations", "decisions", "same action", "same value", "lost per decision"]
    return markdown([*head, "made without stop", "made with stop"], lines)


def main() -> None:
    """Compare what is missing, and print the table."""
    given = arguments(__doc__, "stopping")
    takes_stop = "stop" in options_taken(given.new)  # another planner is compared with itself
    without, stopping = (f"{given.new}+stop:{stop}" if takes_stop else given.new for stop in STOPS)
    pairs = [
        Pair(
            model,
            name,
            simulations,
            seed,
            EXPERIENCE // 25 if given.quick else EXPERIENCE,
            10 if given.quick else DECISIONS,
            without,
            stopping,
            given.old,
        )
        for model, names in ENVIRONMENTS.items()
        for name in (names[:2] if given.quick else names)
        if not given.environments or name in given.environments
        for seed in range(1 if given.quick else SEEDS)
        for simulations in ((50,) if given.quick else BUDGETS)
    ]
    print(table(complete(given.rows, pairs, compare, seconds_of_pair)))


if __name__ == "__main__":
    main()

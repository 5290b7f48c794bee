"""Model or decision: plain search on the model of an agent that had a policy, and guided search on it.

    python benchmarks/skill/exchange.py [ENVIRONMENT ...]

Two agents learn as in harder.py, one with a policy and one without. Then only the planner is exchanged: on the model of
each, dpuct decides for 1,000 cycles without a policy; and on that of the first, guided by its policy, too. Reward per
cycle, three seeds. Three minutes on two cores; `--quick`: some seconds.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from harder import CYCLES, EVALUATE, SEEDS, SIMULATIONS
from pupil import FOLDER, gathered

from exact_regret import Row, arguments, complete, markdown, over, shown  # isort: skip

from aixi_approx.agent import Agent
from aixi_approx.builder import build_agent, build_planner
from aixi_approx.envs import make
from aixi_approx.interaction import evaluate, interact

GUIDED, PLAIN = "dpuct+policy:learned", "dpuct"
WAYS = ((PLAIN, PLAIN), (GUIDED, PLAIN), (GUIDED, GUIDED))  # how it learned, how it decides


class Exchange(NamedTuple):
    """An agent, and the planners that decide with its model."""

    environment: str
    learner: str
    planners: str
    cycles: int
    evaluate: int
    simulations: int
    seed: int


def measure(exchange: Exchange) -> Row:
    """Let an agent learn, and let planners decide with its model."""
    environment = make(exchange.environment)
    settings = environment.settings._replace(simulations=exchange.simulations)
    agent = build_agent(environment, planner=exchange.learner, settings=settings, seed=exchange.seed)
    environment.checked_reset(exchange.seed)
    deque(interact(agent, environment, cycles=exchange.cycles), maxlen=0)
    rewards = {}
    for text in exchange.planners.split(", "):
        policy = agent.planner.policy if text == GUIDED else None
        planner = build_planner(environment, text, settings=settings, policy=policy)
        actor = Agent(environment.coding, agent.predictor, planner=planner, seed=exchange.seed)
        rows = list(
            evaluate(
                actor,
                environment,
                cycles=exchange.evaluate,
                seed=exchange.seed,
                simulations=exchange.simulations,
            )
        )
        rewards[text] = sum(row.reward for row in rows) / len(rows)
    return {**exchange._asdict(), "rewards": rewards}


def seconds_of(exchange: Exchange) -> float:
    """Return about how long it takes: a rough guess, for the bar."""
    return (exchange.cycles + 2 * exchange.evaluate) * exchange.simulations * 4e-5


def main() -> None:
    """Measure what is missing, and print the table."""
    given = arguments(__doc__, "exchange", FOLDER)
    names = given.environments or ["rocksample:3-2"]
    cells = [
        Exchange(
            name,
            learner,
            ", ".join(planner for own, planner in WAYS if own == learner),
            30 if given.quick else CYCLES.get(name, 10_000),
            20 if given.quick else EVALUATE,
            5 if given.quick else SIMULATIONS,
            seed,
        )
        for name in names
        for learner in (PLAIN, GUIDED)
        for seed in range(2 if given.quick else SEEDS)
    ]
    rows = gathered(complete(given.rows, cells, measure, seconds_of), "environment", "learner")
    lines = [
        [name, *(shown(over([row["rewards"][planner] for row in rows[name, own]])) for own, planner in WAYS)]
        for name in names
    ]
    head = ["learned without, acts without", "learned with a policy, acts without", "learned with, acts with"]
    print(markdown(["environment", *head], lines))


if __name__ == "__main__":
    main()

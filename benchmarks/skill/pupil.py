"""Agents that learn a policy, and what all ways to act by it lose: shared by the programs of this folder.

A pupil lives in an environment for some cycles and learns a policy from its own decisions, or watches a teacher first.
At some cycles it is stopped, and planners decide with its model and a copy of its policy, each from the start of the
same evaluation; nothing of that is left in the pupil. What their decisions lose is exact where the environment can be
solved, as in benchmarks/search/exact_regret.py: 0 for the best agent, 1 for the random one.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "search"))  # exact_regret, which it shares

from exact_regret import Known, Row, known, play

from aixi_approx import planners
from aixi_approx.agent import Agent
from aixi_approx.builder import TRUE, as_spec, build_agent, build_planner
from aixi_approx.envs import make
from aixi_approx.randomness import below, draw, stream

FOLDER = Path(__file__).parents[1] / "results" / "skill"
SEPARATOR = ", "  # of planners and numbers, in a row
TEACHING = 0x7EAC  # names the random stream of teachers
Actor = tuple[str, int]  # a planner, as a short text, and its simulations: 0 for a policy alone


class Pupil(NamedTuple):
    """An agent that learns, and what is measured of it."""

    environment: str
    model: str
    learner: str  # the planner that it learns with
    simulations: int  # while learning
    marks: str  # cycles at which it is stopped
    actors: str  # planner@simulations
    decisions: int  # of each actor
    seed: int
    epsilon: float = -1.0  # exploration while learning; that of the environment if negative
    taught: int = 0  # cycles of a teacher that it watches first
    quality: float = 1.0  # share of the teacher's actions that are the best; the others are random
    frozen: bool = False  # it learns nothing after the teacher

    @property
    def all_actors(self) -> list[Actor]:
        """The planners that act, with their simulations."""
        return [(text, int(n)) for text, _, n in (each.partition("@") for each in self.actors.split(SEPARATOR) if each)]

    def actors_at(self, mark: int) -> list[Actor]:
        """The planners that act at a mark: all at the last one, before only those that use the policy."""
        last = mark == max(self.all_marks)
        return [(planner, n) for planner, n in self.all_actors if last or uses_policy(planner)]

    @property
    def all_marks(self) -> list[int]:
        """The cycles at which it is stopped."""
        return list(map(int, self.marks.split(SEPARATOR)))


def uses_policy(planner: str) -> bool:
    """Return whether a planner acts by a policy."""
    spec = as_spec(planner)
    return spec.policy is not None or planners.planner_class(spec.name).needs_policy


def written(actors: Sequence[Actor]) -> str:
    """Return actors as they stand in a row."""
    return SEPARATOR.join(f"{planner}@{simulations}" for planner, simulations in actors)


def measure(pupil: Pupil) -> Row:
    """Let a pupil learn, and measure all actors at all marks."""
    rules = known(pupil.environment)
    environment = make(pupil.environment)
    settings = environment.settings._replace(simulations=pupil.simulations)
    if pupil.model == TRUE or pupil.epsilon >= 0:
        settings = settings._replace(epsilon=max(0.0, pupil.epsilon), decay=1.0)
    agent = build_agent(environment, pupil.model, planner=pupil.learner, settings=settings, seed=pupil.seed)
    if pupil.taught:
        watch(agent, rules, pupil)
    environment.checked_reset(pupil.seed)
    results, losses, surprises, node, began = [], [], [], 0, 0
    for t in range(max(pupil.all_marks) + 1):
        if t in pupil.all_marks:
            own = {"loss": mean(losses[began:]) if losses[began:] else None, "lessons": len(surprises)}
            own |= {"surprise": sum(surprises), "trust": trust_of(agent, pupil)}
            acted = {f"{name}@{n}": act(agent, rules, pupil, name, n) for name, n in pupil.actors_at(t)}
            results.append({"cycles": t, **own, "actors": acted})
            began = t
        if t == max(pupil.all_marks):
            break
        decision = agent.act()
        if rules.solution or pupil.model == TRUE:
            losses.append(loss_of(rules, rules.worth(node, decision.action, predictor=agent.predictor)))
        if decision.lesson and not pupil.frozen:
            surprises.append(agent.distil(decision.action))
        percept = environment.checked_step(decision.action)
        agent.observe(decision.action, percept)
        if rules.solution:
            node = rules.solution.follow(node, decision.action, percept=percept)
    return {**pupil._asdict(), "results": results}


def trust_of(agent: Agent, pupil: Pupil) -> float:
    """Return how far the searches of an agent follow its policy, once it is evaluated."""
    if agent.planner.policy is None:
        return 0.0
    with agent.evaluation():
        return float(agent.planner.policy.trust * agent.planner.policy.helps(pupil.simulations))


def loss_of(rules: Known, reward: float) -> float:
    """Return what a reward per cycle loses: 0 best, 1 random; the reward itself if that is unknown."""
    return reward if rules.optimum is None else (rules.optimum - reward) / (rules.optimum - rules.random)


def act(agent: Agent, rules: Known, pupil: Pupil, planner: str, simulations: int) -> dict[str, float]:
    """Let a planner decide with the model of a pupil and a copy of its policy."""
    environment, spec = make(pupil.environment), as_spec(planner)
    if "simulations" in planners.planner_class(spec.name).options:
        spec = spec._replace(simulations=max(1, simulations))
    policy = agent.planner.policy if uses_policy(planner) else None
    made = build_planner(environment, spec, model=pupil.model, policy=policy)
    actor = Agent(environment.coding, agent.predictor, planner=made, seed=pupil.seed)
    bits = bits_of(actor)
    began = time.process_time()
    played = play(actor, rules, decisions=pupil.decisions, simulations=simulations)
    seconds = time.process_time() - began
    return {
        "loss": loss_of(rules, played.reward),
        "made": played.made / pupil.decisions,
        "bits": (bits_of(actor) - bits) / pupil.decisions,
        "seconds": seconds / pupil.decisions,
    }


def bits_of(agent: Agent) -> float:
    """Return the bits that model and policy have predicted or learned."""
    counts = [p.statistics().bits for p in (agent.predictor, agent.planner.policy) if hasattr(p, "statistics")]
    return sum(count or 0 for count in counts)


def watch(agent: Agent, rules: Known, pupil: Pupil) -> None:
    """Let a pupil watch a teacher, who knows the best actions and takes them more or less often."""
    if rules.solution is None:
        raise ValueError(f"{pupil.environment} is not solved: there is no teacher")
    environment, random, node = make(pupil.environment), stream(pupil.seed, TEACHING), 0
    environment.checked_reset(pupil.seed + TEACHING)
    for _ in range(pupil.taught):
        values = rules.solution.action_values(node)
        best = np.flatnonzero(values >= values.max() - 1e-9)
        action = int(best[below(random, len(best))])
        if draw(random) >= pupil.quality:
            action = below(random, len(values))
        percept = environment.checked_step(action)
        agent.watch(action, percept, lesson=True)
        node = rules.solution.follow(node, action, percept=percept)


def seconds_of(pupil: Pupil) -> float:
    """Return about how long it takes: a rough guess, for the bar."""
    learning = max(pupil.all_marks) * pupil.simulations
    acting = len(pupil.all_marks) * pupil.decisions * sum(n for _, n in pupil.all_actors)
    return 0.5 + (learning + acting) * (5e-6 if pupil.model == TRUE else 2e-5)


def gathered(rows: Sequence[Row], *fields: str) -> dict[tuple[Any, ...], list[Row]]:
    """Return rows by some of their fields, in the order in which they came."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[field] for field in fields), []).append(row)
    return groups


def losses_at(rows: Sequence[Row], actor: str, mark: int = -1, what: str = "loss") -> list[float]:
    """Return what an actor lost at a mark, one number for each seed."""
    return [row["results"][mark]["actors"][actor][what] for row in rows]

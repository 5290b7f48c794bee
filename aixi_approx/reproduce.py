"""JAIR 2011 once more: which lives are led for its tables and figures, and the tables made of their rows.

Learning is as in its table 3. An agent is evaluated for 5,000 cycles as in the paper for its table 6, for fewer on the
curves, whose points are means over seeds. Where the budgets of the paper would take hours, `FRUGAL` spends less, never
more; `PRINTED` spends what stands in its table 5.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from aixi_approx.envs import make
from aixi_approx.interaction import Estimate, average
from aixi_approx.jair2011 import (
    DOMAINS,
    EVALUATION_CYCLES,
    EXPERIENCE,
    LEARNING_SIMULATIONS,
    PACMAN_EXPERIENCE,
    PACMAN_LEARNING,
    SIMULATIONS,
)
from aixi_approx.life import Life, Trial

CURVE_CYCLES = 1_500  # of evaluation, for each seed and point of a curve
WHOLE, ONE_PLY = 0, 1  # plies of a trial
PACMAN = "pacman"


class Budget(NamedTuple):
    """What is spent on one environment."""

    experience: int  # cycles of learning
    learning_simulations: int
    simulations: int  # in evaluation
    most_simulations: int  # on the curve over simulations


PRINTED = {
    name: Budget(d.experience, LEARNING_SIMULATIONS, d.simulations, SIMULATIONS[len(d.search) - 1])
    for name, d in DOMAINS.items()
} | {PACMAN: Budget(250_000, LEARNING_SIMULATIONS, 500, 5_000)}

FRUGAL = PRINTED | {
    "1d-maze": PRINTED["1d-maze"]._replace(most_simulations=1_000),
    "cheese-maze": PRINTED["cheese-maze"]._replace(most_simulations=1_000),
    "4x4-grid": PRINTED["4x4-grid"]._replace(most_simulations=1_000),
    "tiger": PRINTED["tiger"]._replace(simulations=2_500),
    "extended-tiger": PRINTED["extended-tiger"]._replace(simulations=2_500),
    "tic-tac-toe": Budget(500_000, 50, 500, 1_000),
    "kuhn-poker": Budget(100_000, LEARNING_SIMULATIONS, 250, 5_000),
}


def lives(environments: Sequence[str], seeds: int, budgets: dict[str, Budget] = FRUGAL) -> list[Life]:
    """Return the lives that the tables and figures are made of."""
    return [
        Life(name, _settings(name, budgets[name]), _trials(name, budgets[name]), seed)
        for name in environments
        for seed in range(seeds)
    ]


def _settings(name: str, budget: Budget) -> Any:
    settings = make(name).settings._replace(simulations=budget.learning_simulations)
    if name == PACMAN:
        return settings
    paper = DOMAINS[name]
    return settings._replace(depth=paper.depth, horizon=paper.horizon, epsilon=paper.epsilon, decay=paper.decay)


def _trials(name: str, budget: Budget) -> tuple[Trial, ...]:
    experience, _, simulations, most = budget
    if name == PACMAN:
        learning = [Trial(e, WHOLE, simulations, EVALUATION_CYCLES) for e in PACMAN_EXPERIENCE]
        return (
            *learning,
            *(Trial(experience, WHOLE, s, EVALUATION_CYCLES) for s in PACMAN_LEARNING if s > simulations),
        )
    table = [Trial(experience, plies, simulations, EVALUATION_CYCLES) for plies in (WHOLE, ONE_PLY)]
    learning = [Trial(e, WHOLE, simulations, CURVE_CYCLES) for e in EXPERIENCE if e < experience]
    search = [Trial(experience, WHOLE, s, CURVE_CYCLES) for s in SIMULATIONS if s <= most and s != simulations]
    return tuple(table + learning + search)


# ------------------------------------------------------------------------------------------------ what came of it


class Point(NamedTuple):
    """The reward of one kind of evaluation over all seeds."""

    environment: str
    experience: int
    plies: int
    simulations: int
    cycles: int  # of evaluation, all seeds together
    seeds: int
    reward: Estimate  # per cycle
    seconds: float  # per cycle


def points(rows: Iterable[dict[str, Any]]) -> list[Point]:
    """Join the rows of different seeds."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        key = (row["environment"], *(row[field] for field in Trial._fields))
        groups.setdefault(key, []).append(row)
    found = []
    for (name, experience, plies, simulations, cycles), group in groups.items():
        rewards = [row["reward"] for row in group]
        reward = average(rewards)
        if len(group) == 1:
            reward = Estimate(rewards[0], group[0]["reward_low"], group[0]["reward_high"])
        all_cycles = cycles * len(group)
        seconds = sum(row["seconds"] for row in group) / all_cycles
        found.append(Point(name, experience, plies, simulations, all_cycles, len(group), reward, seconds))
    return found


def table_cell(found: Sequence[Point], name: str, plies: int) -> Point:
    """Return the point of an environment that table 6 is about."""
    mine = [p for p in found if p.environment == name and p.plies == plies]
    return max(mine, key=lambda p: (p.cycles / p.seeds, p.experience))


def curve(found: Sequence[Point], name: str, over: str) -> list[Point]:
    """Return the points of an environment over its experience or its simulations, whole horizon, in order."""
    best = table_cell(found, name, WHOLE)
    fixed = {"experience": "simulations", "simulations": "experience"}[over]
    mine = [p for p in found if p.environment == name and p.plies == WHOLE]
    return sorted((p for p in mine if getattr(p, fixed) == getattr(best, fixed)), key=lambda p: float(getattr(p, over)))


def tables(found: Sequence[Point]) -> str:
    """Return tables 5 and 6, and figure 9 if there is Pac-Man, in Markdown: ours beside the paper's."""
    parts = []
    if names := [name for name in DOMAINS if any(p.environment == name for p in found)]:
        parts += [_table_5(found, names), _table_6(found, names)]
    if pacman := [p for p in found if p.environment == PACMAN]:
        parts.append(_figure_9(pacman))
    return "\n\n".join(parts)


def _table_5(found: Sequence[Point], names: Sequence[str]) -> str:
    lines = [
        "Table 5: what was spent",
        "",
        "| environment | experience: paper | ours | simulations: paper | ours | seconds a search: paper | ours | 1/s |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name in names:
        paper, ours = DOMAINS[name], table_cell(found, name, WHOLE)
        lines.append(
            f"| {name} | {paper.experience:,} | {ours.experience:,} | {paper.simulations:,} | {ours.simulations:,} "
            f"| {paper.search_seconds} | {ours.seconds:.4f} | {ours.simulations / ours.seconds:,.0f} |"
        )
    return "\n".join(lines)


def _table_6(found: Sequence[Point], names: Sequence[str]) -> str:
    cycles = table_cell(found, names[0], WHOLE)
    lines = [
        f"Table 6: reward per cycle, {EVALUATION_CYCLES:,} greedy cycles, seeds: {cycles.seeds}",
        "",
        "| environment | rhoUCT: paper | ours, 95 % | 1-ply: paper | ours, 95 % | best | score | at the paper's |",
        "|---|--:|--:|--:|--:|--:|--:|---|",
    ]
    for name in names:
        paper, environment = DOMAINS[name], make(name)
        ours = [table_cell(found, name, plies).reward for plies in (WHOLE, ONE_PLY)]
        score = normalised(ours[0].mean, environment.random_reward, environment.optimum)
        said = [verdict(reward, figure) for reward, figure in zip(ours, (paper.rhouct, paper.one_ply), strict=True)]
        lines.append(
            f"| {name} | {paper.rhouct:.2f} | {_with_interval(ours[0])} | {paper.one_ply:.2f} "
            f"| {_with_interval(ours[1])} | {environment.optimum:.4f} | {score:.3f} | {', '.join(said)} |"
        )
    return "\n".join(lines)


def _figure_9(pacman: Sequence[Point]) -> str:
    lines = [
        f"Figure 9: Pac-Man, reward per cycle, {EVALUATION_CYCLES:,} greedy cycles, seeds: {pacman[0].seeds}",
        "",
        "| experience | simulations | paper | ours, 95 % |",
        "|--:|--:|--:|--:|",
    ]
    for p in sorted(pacman, key=lambda p: (p.experience, p.simulations)):
        paper = PACMAN_LEARNING[p.simulations][PACMAN_EXPERIENCE.index(p.experience)]
        lines.append(f"| {p.experience:,} | {p.simulations:,} | {paper:.2f} | {_with_interval(p.reward)} |")
    return "\n".join(lines)


def verdict(reward: Estimate, figure: float) -> str:
    """Say how a reward compares with a figure of the paper, which has two digits after the point."""
    if round(reward.mean, 2) >= figure:
        return "yes"
    return "within" if reward.high >= figure else "no"


def normalised(reward: float, random: float | None, optimum: float | None) -> float:
    """Return the score: 0 for the random agent, 1 for the best achievable."""
    if random is None or optimum is None:
        return math.nan
    return (reward - random) / (optimum - random)


def _with_interval(reward: Estimate) -> str:
    return f"{reward.mean:.3f} ± {reward.high - reward.mean:.3f}"

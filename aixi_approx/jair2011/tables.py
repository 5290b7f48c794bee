"""JAIR 2011 once more: which lives are led for its tables and figures, and the tables made of their rows.

Learning is as in its table 3. Evaluations are greedy, of 5,000 cycles for table 6 as in the paper and of fewer on the
curves, whose points are means over seeds. The paper doesn't say whether agents learn while they are evaluated; those of
the code that its authors released do. So do ours for table 6, and they don't on the curves. Where the budgets of the
paper would take hours, `FRUGAL` spends less, never more; `PRINTED` spends what stands in its table 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from aixi_approx.environment import Settings
from aixi_approx.envs import make
from aixi_approx.estimate import Estimate, average, normalised
from aixi_approx.jair2011.published import (
    DOMAINS,
    EVALUATION_CYCLES,
    EXPERIENCE,
    LEARNING_SIMULATIONS,
    PACMAN_EXPERIENCE,
    PACMAN_LEARNING,
    SIMULATIONS,
)
from aixi_approx.jair2011.training_run import Life, Trial

CURVE_CYCLES = 600  # of evaluation, for each seed and point of a curve
MANY = 1 << 30
RHOUCT, ONE_PLY, Q_LEARNING = "rhouct", "one-ply", "q-learning"
PACMAN = "pacman"


class Budget(NamedTuple):
    """What is spent on one environment."""

    experience: int  # cycles of learning
    learning_simulations: int
    simulations: int  # in evaluation
    most_simulations: int  # on the curve over simulations
    least_experience: int = EXPERIENCE[0]  # on the curve over experience
    most_seeds: int = MANY


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
    "tic-tac-toe": Budget(500_000, 20, 500, 250, least_experience=50_000, most_seeds=1),
    "kuhn-poker": Budget(100_000, LEARNING_SIMULATIONS, 250, 5_000),
    PACMAN: PRINTED[PACMAN]._replace(most_seeds=1),
}


def lives(environments: Sequence[str], seeds: int, budgets: dict[str, Budget] = FRUGAL) -> list[Life]:
    """Return the lives that the tables and figures are made of: MC-AIXI, and Q-learning as the baseline."""
    chosen = []
    for name in environments:
        budget = budgets[name]
        settings = _settings(name, budget)
        for planner in (RHOUCT, Q_LEARNING):
            trials = _trials(name, budget, planner)
            chosen += [Life(name, settings, trials, seed, planner) for seed in range(min(seeds, budget.most_seeds))]
    return chosen


def _settings(name: str, budget: Budget) -> Settings:
    settings = make(name).settings._replace(simulations=budget.learning_simulations)
    if name == PACMAN:
        return settings
    paper = DOMAINS[name]
    return settings._replace(depth=paper.depth, horizon=paper.horizon, epsilon=paper.epsilon, decay=paper.decay)


def _trials(name: str, budget: Budget, planner: str) -> tuple[Trial, ...]:
    experience, _, simulations, most, least, _ = budget
    marks, cycles = (PACMAN_EXPERIENCE, EVALUATION_CYCLES) if name == PACMAN else (EXPERIENCE, CURVE_CYCLES)
    learned = sorted({e for e in marks if least <= e <= experience} | {experience})
    learning = [Trial(e, planner, simulations, cycles) for e in learned]
    if planner == Q_LEARNING:
        return tuple(learning)
    if name == PACMAN:
        search = [Trial(experience, RHOUCT, s, cycles) for s in PACMAN_LEARNING if s > simulations]
        return (*learning, *search, *(Trial(experience, RHOUCT, s, cycles, True) for s in (simulations, most)))
    table = [Trial(experience, by, simulations, EVALUATION_CYCLES, True) for by in (RHOUCT, ONE_PLY)]
    search = [Trial(experience, RHOUCT, s, cycles) for s in SIMULATIONS if s <= most and s != simulations]
    return tuple(table + learning + search)


# ------------------------------------------------------------------------------------------------ what came of it


class Point(NamedTuple):
    """The reward of one kind of evaluation over all seeds."""

    environment: str
    experience: int
    planner: str
    simulations: int
    cycles: int  # of evaluation, all seeds together
    learn: bool
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
    for (name, experience, planner, simulations, cycles, learn), group in groups.items():
        rewards = [row["reward"] for row in group]
        reward = average(rewards)
        if len(group) == 1:
            reward = Estimate(rewards[0], group[0]["reward_low"], group[0]["reward_high"])
        all_cycles = cycles * len(group)
        seconds = sum(row["seconds"] for row in group) / all_cycles
        found.append(Point(name, experience, planner, simulations, all_cycles, learn, len(group), reward, seconds))
    return found


def table_cell(found: Sequence[Point], name: str, planner: str) -> Point:
    """Return the point of an environment that stands in table 6."""
    return next(p for p in found if (p.environment, p.planner, p.learn) == (name, planner, True))


def over_experience(found: Sequence[Point], name: str, planner: str, simulations: int) -> list[Point]:
    """Return the points of a curve over experience, in order."""
    key = (name, planner, simulations, False)
    mine = [p for p in found if (p.environment, p.planner, p.simulations, p.learn) == key]
    return sorted(mine, key=lambda p: p.experience)


def over_simulations(found: Sequence[Point], name: str, experience: int) -> list[Point]:
    """Return the points of a curve over simulations, in order."""
    key = (name, RHOUCT, experience, False)
    mine = [p for p in found if (p.environment, p.planner, p.experience, p.learn) == key]
    return sorted(mine, key=lambda p: p.simulations)


def tables(found: Sequence[Point]) -> str:
    """Return tables 5 and 6, and figure 9 if there is Pac-Man, in Markdown: ours beside the paper's."""
    parts = []
    if names := [name for name in DOMAINS if any(p.environment == name for p in found)]:
        parts += [_table_5(found, names), _table_6(found, names)]
    if pacman := [p for p in found if (p.environment, p.planner) == (PACMAN, RHOUCT)]:
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
        paper, ours = DOMAINS[name], table_cell(found, name, RHOUCT)
        lines.append(
            f"| {name} | {paper.experience:,} | {ours.experience:,} | {paper.simulations:,} | {ours.simulations:,} "
            f"| {paper.search_seconds} | {ours.seconds:.4f} | {ours.simulations / ours.seconds:,.0f} |"
        )
    return "\n".join(lines)


def _table_6(found: Sequence[Point], names: Sequence[str]) -> str:
    lines = [
        f"Table 6: reward per cycle, {EVALUATION_CYCLES:,} greedy cycles of each agent",
        "",
        "| environment | agents | rhoUCT: paper | ours, 95 % | 1-ply: paper | ours, 95 % | rhoUCT, not learning | best "
        "| score | at the paper's |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    for name in names:
        paper, environment = DOMAINS[name], make(name)
        cells = [table_cell(found, name, planner) for planner in (RHOUCT, ONE_PLY)]
        ours = [cell.reward for cell in cells]
        frozen = over_experience(found, name, RHOUCT, cells[0].simulations)[-1].reward
        score = normalised(ours[0].mean, environment.random_reward, environment.optimum)
        said = [conclusions(reward, figure) for reward, figure in zip(ours, (paper.rhouct, paper.one_ply), strict=True)]
        lines.append(
            f"| {name} | {cells[0].seeds} | {paper.rhouct:.2f} | {_with_interval(ours[0])} | {paper.one_ply:.2f} "
            f"| {_with_interval(ours[1])} | {_with_interval(frozen)} | {environment.optimum:.4f} | {score:.3f} "
            f"| rhoUCT {said[0]}, 1-ply {said[1]} |"
        )
    return "\n".join(lines)


def _figure_9(pacman: Sequence[Point]) -> str:
    lines = [
        f"Figure 9: Pac-Man, reward per cycle, {EVALUATION_CYCLES:,} greedy cycles, agents: {pacman[0].seeds}",
        "",
        "| experience | simulations | paper | ours, 95 % | learning meanwhile |",
        "|--:|--:|--:|--:|---|",
    ]
    for p in sorted(pacman, key=lambda p: (p.experience, p.simulations, p.learn)):
        paper = PACMAN_LEARNING[p.simulations][PACMAN_EXPERIENCE.index(p.experience)]
        learning = "yes" if p.learn else "no"
        lines.append(
            f"| {p.experience:,} | {p.simulations:,} | {paper:.2f} | {_with_interval(p.reward)} | {learning} |"
        )
    return "\n".join(lines)


def conclusions(reward: Estimate, figure: float) -> str:
    """Say how a reward compares with a figure of the paper, which has two digits after the point."""
    if round(reward.mean, 2) >= figure:
        return "yes"
    return "within" if reward.high >= figure else "no"


def _with_interval(reward: Estimate) -> str:
    return f"{reward.mean:.3f} ± {reward.high - reward.mean:.3f}"

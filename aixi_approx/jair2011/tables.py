"""Tables 5 and 6 of JAIR 2011, and figure 9 as a table: ours beside the paper's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from aixi_approx.envs import make
from aixi_approx.jair2011.published import DOMAINS, EVALUATION_CYCLES, PACMAN_EXPERIENCE, PACMAN_LEARNING
from aixi_approx.jair2011.study import ONE_PLY, PACMAN, Q_LEARNING, RHOUCT
from aixi_approx.laws.estimate import Estimate, average, normalised


class Point(NamedTuple):
    """The reward of one kind of evaluation over all seeds."""

    environment: str
    """Its name."""
    experience: int
    """Cycles of learning."""
    planner: str
    """That decides."""
    simulations: int
    """Of a decision; 0 for a planner without."""
    cycles: int
    """Of evaluation, all seeds together."""
    learn: bool
    """Whether agents learn meanwhile."""
    seeds: int
    """How many agents."""
    reward: Estimate
    """Per cycle."""
    seconds: float
    """Per cycle."""


def points(rows: Iterable[Mapping[str, Any]]) -> list[Point]:
    """Join the rows of different seeds.

    Parameters
    ----------
    rows : iterable of mapping
        As `Laboratory.rows` returns them.

    Returns
    -------
    list of Point
        In the order of the first rows. With one seed, the interval is that within its evaluation.
    """
    fields = ("environment", "experience", "planner", "simulations", "cycles", "learn")
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[field] for field in fields), []).append(row)
    found = []
    for (name, experience, planner, simulations, cycles, learn), group in groups.items():
        rewards = [row["reward"] for row in group]
        reward = average(rewards)
        if len(group) == 1:
            reward = Estimate(rewards[0], group[0]["reward_low"], group[0]["reward_high"])
        seconds = sum(row["seconds"] for row in group) / len(group)
        found.append(
            Point(name, experience, planner, simulations, cycles * len(group), learn, len(group), reward, seconds)
        )
    return found


def table_cell(found: Sequence[Point], name: str, *, planner: str) -> Point:
    """Return the point of an environment and a planner in table 6.

    Raises
    ------
    StopIteration
        If there is none.
    """
    return next(p for p in found if (p.environment, p.planner, p.learn) == (name, planner, True))


def over_experience(found: Sequence[Point], name: str, *, planner: str, simulations: int) -> list[Point]:
    """Return the points of a curve over experience, ascending; Q-learning has no simulations.

    Parameters
    ----------
    found : sequence of Point
        All points.
    name : str
        Of the environment.
    planner : str
        That decides.
    simulations : int
        Of a decision.
    """
    key = (name, planner, 0 if planner == Q_LEARNING else simulations, False)
    mine = [p for p in found if (p.environment, p.planner, p.simulations, p.learn) == key]
    return sorted(mine, key=lambda p: p.experience)


def over_simulations(found: Sequence[Point], name: str, *, experience: int) -> list[Point]:
    """Return the points of a curve over simulations, ascending.

    Parameters
    ----------
    found : sequence of Point
        All points.
    name : str
        Of the environment.
    experience : int
        Cycles of learning.
    """
    key = (name, RHOUCT, experience, False)
    mine = [p for p in found if (p.environment, p.planner, p.experience, p.learn) == key]
    return sorted(mine, key=lambda p: p.simulations)


def tables(found: Sequence[Point]) -> str:
    """Return tables 5 and 6, and figure 9 if there is Pac-Man, in Markdown: ours beside the paper's.

    Parameters
    ----------
    found : sequence of Point
        Of all environments that are to stand in them.
    """
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
        paper, ours = DOMAINS[name], table_cell(found, name, planner=RHOUCT)
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
        cells = [table_cell(found, name, planner=planner) for planner in (RHOUCT, ONE_PLY)]
        ours = [cell.reward for cell in cells]
        frozen = over_experience(found, name, planner=RHOUCT, simulations=cells[0].simulations)[-1].reward
        score = normalised(ours[0].mean, environment.random_reward, optimum=environment.optimum)
        said = [
            compare_with_paper(reward, figure)
            for reward, figure in zip(ours, (paper.rhouct, paper.one_ply), strict=True)
        ]
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


def compare_with_paper(reward: Estimate, figure: float) -> str:
    """Say how a reward compares with a number of the paper.

    Parameters
    ----------
    reward : Estimate
        Ours.
    figure : float
        The paper's, which has two digits after the point.

    Returns
    -------
    str
        "yes" if ours, rounded, is at least the paper's; "within" if our interval reaches it; else "no".
    """
    if round(reward.mean, 2) >= figure:
        return "yes"
    return "within" if reward.high >= figure else "no"


def _with_interval(reward: Estimate) -> str:
    return f"{reward.mean:.3f} ± {reward.high - reward.mean:.3f}"

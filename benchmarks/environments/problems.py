"""Problems of the literature: bounds of their discounted values beside published ones, and agents on ten of them.

    python benchmarks/environments/problems.py [PROBLEM ...] [--rows FILE]
    python benchmarks/environments/problems.py [PROBLEM ...] --agents [--rows FILE] [--picture FILE]

Without --agents: all files of benchmarks/problems, RockSample 4-4 with its exit, and 4x3 with the slip that the
published file has. Bounds are those of `aixi solve` with a gap of 0.001 in at most 30 s; for an agent that does not see
its rewards, where these tell it something, those of `aixi solve --reward-unseen` in at most 20 s. Seconds are those of
the processor. A published value agrees if it lies between the bounds, to its last digit.

With --agents, in an environment of its own for each of two seeds: the agent that knows the problem (true, dpuct) with
10, 100 and 1,000 simulations; and the agent that learns it (ctw, dpuct, 200 simulations), after 1,000 and 10,000 cycles
of experience, and after 30,000 if the first seed's 10,000 let expect that those take less than a minute. Depth, horizon
and exploration are what every file gets, `environment.settings`: a context of 8 cycles within 32 to 96 bits, a horizon
of 10, and a random action with probability 0.99 * 0.9998^t. Evaluated is over 2,000 cycles without learning or
exploration. A score is 0 for the agent that acts at random and 1 for the policy that the solver found. The intervals
are those of the evaluation; they do not say how agents of other seeds would do.

What was expected, written before any agent ran:

1. Knowing the problem, 1,000 simulations reach a score of 0.95 on at least eight of ten.
2. In no problem are 1,000 simulations surely worse than 10.
3. 10,000 cycles of experience reach a score of 0.8 on at least five of ten.
4. In heaven-hell the learning agent does not reach 0.5: the priest has to be remembered for eight cycles, and from the
   start to heaven by way of the priest it is further than the horizon.
5. Tiger and tiger-3-doors are learned only to what listening for ever earns.

What stands in FILE is not done again. Some minutes without --agents, a quarter of an hour with it, on one core.
"""

from __future__ import annotations

import argparse
import math
import re
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import track

from aixi_approx.builder import build_agent
from aixi_approx.display.palette import BLACK, line_styles
from aixi_approx.environment import Settings
from aixi_approx.envs import make
from aixi_approx.envs.from_cassandra import CassandraFile
from aixi_approx.execution.folder import JsonLines
from aixi_approx.experiments.running import compile_kernels
from aixi_approx.interaction import Row, evaluate, interact
from aixi_approx.laboratory.plot_parts import SCORE, TITLE, WIDTH, finish, scale
from aixi_approx.laws.estimate import Estimate, average, normalised
from aixi_approx.pomdp.cassandra import read_text
from aixi_approx.pomdp.discounted import DiscountedPOMDP
from aixi_approx.pomdp.solver import compile_point_based, point_based, solve
from aixi_approx.pomdp.to_cassandra import reward_tells

Json = dict[str, Any]
Cell = tuple[int, str, int, int]  # seed, agent, simulations, cycles of experience

BENCHMARKS = Path(__file__).parents[1]
PROBLEMS, RESULTS = BENCHMARKS / "problems", BENCHMARKS / "results"
FAMILY = "rocksample:4-4-exit"
SLIPPED = "4x3.POMDP with the slip"  # of the file that the published value is of
RIGHT, SLIP = "T: east : bottom-3 : bottom-3 0.1", "T: east : bottom-3 : bottom-2 0.1"
NOTE = "none: in the authors' file the sensor has a shorter range, and what is impossible costs 100"  # of FAMILY
GAP, SECONDS, UNSEEN_SECONDS = 0.001, 30.0, 20.0

TEN = ("tiger", "paint", "shuttle", "cheese", "4x3", "network", "heaven-hell", "t-maze", "voicemail", "tiger-3-doors")
SIMULATIONS = (10, 100, 1_000)  # of the agent that knows the problem
LEARNING = 200  # simulations of the agent that learns it
EXPERIENCE, LONGER = (1_000, 10_000), 30_000  # cycles
MINUTE = 60.0  # seconds that the longer experience may take
EVALUATION, SEEDS = 2_000, 2
KNOWS, LEARNS = "knows", "learns"  # the two agents


def environment_of(problem: str) -> DiscountedPOMDP:
    """Return the environment that a problem of the table stands for."""
    if problem == SLIPPED:
        text = (PROBLEMS / "4x3.POMDP").read_text()
        assert text.count(RIGHT) == 1
        inner = CassandraFile(read_text(text.replace(RIGHT, SLIP), name=problem), name=problem)
        return DiscountedPOMDP(inner, discount=inner.discount)
    made = make(problem if problem == FAMILY else str(PROBLEMS / problem))
    assert isinstance(made, DiscountedPOMDP)
    return made


# ------------------------------------------------------------------------------------------------------- bounds


def published(environment: DiscountedPOMDP) -> str:
    """Return what the comment of a file says of the published value."""
    if not isinstance(environment.inner, CassandraFile):
        return NOTE
    said = " ".join(" ".join(environment.inner.problem.comments).split())
    found = re.search(r"Published value: (.*?)(?:\.(?: [A-Z]|$)|$)", said)
    assert found, f"{environment.title} says nothing of a published value"
    return found[1]


def number(said: str) -> str:
    """Return the number that the words begin with, as it is printed, or nothing."""
    found = re.match(r"-?\d+(\.\d+)?", said)
    return found[0] if found else ""


def lies_within(printed: str, lower: float, *, upper: float) -> bool:
    """Whether a printed number can be that of something between two bounds.

    >>> lies_within("3.29", 3.2862, upper=3.2866), lies_within("3.29", 3.27, upper=3.2849)
    (True, False)
    """
    half = 0.5 * 10.0 ** -len(printed.partition(".")[2])
    return lower - half <= float(printed) <= upper + half


def bound(problem: str) -> Json:
    """Bound what can be earned in a problem, seeing its rewards and, where this differs, not seeing them."""
    environment = environment_of(problem)
    inner, value = environment.inner, environment.discounted_value
    began = time.process_time()
    solution = solve(environment, gap=GAP, seconds=SECONDS)
    spent = time.process_time() - began
    row = {
        "problem": problem,
        "states": inner.size,
        "actions": len(inner.actions),
        "observations": len(inner.observations),
        "discount": environment.discount,
        "lower": value(solution.lower),
        "upper": value(solution.upper),
        "seconds": spent,
        "nodes": len(solution.controller.action),
        "unseen_lower": None,
        "unseen_upper": None,
        "unseen_seconds": None,
    }
    if reward_tells(inner.tables, actions=len(inner.actions)):
        compile_point_based()
        began = time.process_time()
        solver = point_based(environment, reward_seen=False)
        solver.improve(UNSEEN_SECONDS, gap=GAP)
        spent = time.process_time() - began
        row |= {"unseen_lower": solver.lower, "unseen_upper": solver.upper, "unseen_seconds": spent}
    said = published(environment)
    row |= {"published": said, "agrees": None, "agrees_unseen": None}
    if printed := number(said):
        row["agrees"] = lies_within(printed, row["lower"], upper=row["upper"])
        if row["unseen_lower"] is not None:
            row["agrees_unseen"] = lies_within(printed, row["unseen_lower"], upper=row["unseen_upper"])
    return row


def bounds_table(rows: Sequence[Json]) -> str:
    """Return the table of bounds, in Markdown."""
    head = ["problem", "states", "actions", "observations", "discount", "a policy earns", "no agent exceeds"]
    head += ["seconds", "policy, nodes", "rewards unseen", "published", "agrees"]
    lines = [f"| {' | '.join(head)} |", "|---|" + "--:|" * (len(head) - 2) + "---|"]
    for row in rows:
        unseen = ""
        if row["unseen_lower"] is not None:
            unseen = f"{row['unseen_lower']:.4f} to {row['unseen_upper']:.4f}"
        agrees = ""
        if row["agrees"] is not None:
            agrees = "yes" if row["agrees"] else "if rewards are unseen" if row["agrees_unseen"] else "no"
        cells = [row["problem"], row["states"], row["actions"], row["observations"], f"{row['discount']:g}"]
        cells += [f"{row['lower']:.4f}", f"{row['upper']:.4f}", f"{row['seconds']:.2f}", f"{row['nodes']:,}", unseen]
        lines.append(f"| {' | '.join(map(str, [*cells, number(row['published']), agrees]))} |")
    return "\n".join(lines)


# ------------------------------------------------------------------------------------------------------- agents


def rewards(rows: Iterator[Row]) -> list[float]:
    """Return the rewards of cycles."""
    return [row.reward for row in rows]


def agent_rows(problem: str) -> Iterator[Json]:
    """Evaluate the agents in a problem, seed by seed, and yield a row for each evaluation."""
    environment, other = environment_of(problem), environment_of(problem)
    settings, steps = environment.settings, [*EXPERIENCE, LONGER]

    def row(cell: Cell, found: Sequence[float], seconds: float) -> Json:
        known = dict(zip(("problem", "seed", "agent", "simulations", "cycles"), (problem, *cell), strict=True))
        values = dict(zip(("value", "low", "high"), map(environment.discounted_value, average(found)), strict=True))
        return {**known, "evaluated": len(found), **values, "seconds": seconds}

    for seed in range(SEEDS):
        for simulations in SIMULATIONS:
            began = time.process_time()
            agent = build_agent(environment, "true", settings=settings._replace(epsilon=0.0), seed=seed)
            found = rewards(evaluate(agent, other, cycles=EVALUATION, seed=seed, simulations=simulations))
            yield row((seed, KNOWS, simulations, 0), found, time.process_time() - began)
        agent = build_agent(environment, settings=settings._replace(simulations=LEARNING), seed=seed)
        environment.checked_reset(seed)
        spent, lived = 0.0, 0
        while steps[-1] > lived:
            cycles = next(each for each in steps if each > lived)
            began = time.process_time()
            deque(interact(agent, environment, cycles=cycles - lived), maxlen=0)
            spent, lived = spent + time.process_time() - began, cycles
            found = rewards(evaluate(agent, other, cycles=EVALUATION, seed=seed, simulations=LEARNING))
            yield row((seed, LEARNS, LEARNING, cycles), found, spent)
            expected = spent * searches(LONGER, settings) / searches(cycles, settings)
            if (seed, cycles) == (0, EXPERIENCE[-1]) and expected > MINUTE:
                steps = [*EXPERIENCE]


def searches(cycles: int, settings: Settings) -> float:
    """Return how many of the first cycles an agent searches in, on average: those in which it does not explore."""
    return cycles - settings.epsilon * (1 - settings.decay**cycles) / (1 - settings.decay)


class Scores:
    """What the agents reached in one problem, over all seeds, as scores."""

    def __init__(self, problem: str, rows: Sequence[Json], best: float) -> None:
        self.environment, self.problem, self.best = environment_of(problem), problem, best
        value = self.environment.discounted_value
        random = self.environment.random_reward
        assert random is not None
        always = np.eye(len(self.environment.actions)).tolist()
        self.random, self.blind = value(random), value(max(map(self.environment.mixed_reward, always)))
        self.rows = [row for row in rows if row["problem"] == problem]

    def score(self, value: float) -> float:
        """Return the score of a discounted value."""
        return normalised(value, self.random, optimum=self.best)

    def of(self, agent: str, simulations: int, *, cycles: int) -> Estimate | None:
        """Return the mean score of the seeds, or None where not all of them got so far."""
        found = [r for r in self.rows if (r["agent"], r["simulations"], r["cycles"]) == (agent, simulations, cycles)]
        if len(found) < SEEDS:
            return None
        mean = float(np.mean([row["value"] for row in found]))
        half = math.hypot(*((row["high"] - row["low"]) / 2 for row in found)) / len(found)
        return Estimate(*map(self.score, (mean, mean - half, mean + half)))

    def knows(self) -> dict[int, Estimate | None]:
        """Return the scores of the agent that knows the problem, by simulations."""
        return {n: self.of(KNOWS, n, cycles=0) for n in SIMULATIONS}

    def learns(self) -> dict[int, Estimate | None]:
        """Return the scores of the agent that learns it, by cycles of experience."""
        return {n: self.of(LEARNS, LEARNING, cycles=n) for n in (*EXPERIENCE, LONGER)}


def agents_table(found: Sequence[Scores]) -> str:
    """Return the table of scores, in Markdown."""
    steps = [n for n in (*EXPERIENCE, LONGER) if any(each.learns()[n] for each in found)]
    head = ["problem", "random", "best", "one action"]
    head += [*(f"knows, {n:,}" for n in SIMULATIONS), *(f"learns, {n:,}" for n in steps)]
    lines = [f"| {' | '.join(head)} |", "|---|" + "--:|" * (len(head) - 1)]
    for each in found:
        exact = (each.random, each.best, each.score(each.blind))
        cells = [each.problem, *(f"{round(value, 3) + 0.0:.3f}" for value in exact)]  # and not -0.000
        learns = each.learns()
        for score in (*each.knows().values(), *(learns[n] for n in steps)):
            cells.append("" if score is None else f"{score.mean:.3f} ± {score.high - score.mean:.3f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(found: Sequence[Scores], path: Path) -> None:
    """Draw the score over simulations, and over experience."""
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    styles = line_styles(len(found))
    for each, style in zip(found, styles, strict=True):
        draw_line(left, each.knows(), style, each.problem.partition(".")[0])
        draw_line(right, each.learns(), style, each.problem.partition(".")[0])
    scale(left.xaxis, np.array(SIMULATIONS), label="simulations of a decision")
    steps = [n for n in (*EXPERIENCE, LONGER) if any(each.learns()[n] for each in found)]
    scale(right.xaxis, np.array(steps), label="experience, cycles")
    left.set(title="an agent that knows the problem", ylabel=SCORE)
    right.set(title=f"an agent that learns it, {LEARNING} simulations")
    for axes in (left, right):
        axes.axhline(1, color=BLACK, lw=0.8, ls=":")
        axes.grid(alpha=0.3)
    left.set_ylim(-0.1, 1.15)
    finish([left, right])
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=TITLE, frameon=False)
    figure.savefig(path, dpi=130)


def draw_line(axes: Axes, scores: dict[int, Estimate | None], style: Json, label: str) -> None:
    """Draw the line of a problem, with its intervals."""
    x = [n for n, score in scores.items() if score]
    mean, low, high = zip(*(score for score in scores.values() if score), strict=True)
    axes.plot(x, mean, label=label, **style)
    axes.fill_between(x, low, high, color=style["color"], alpha=0.15, lw=0)


# ------------------------------------------------------------------------------------------------------ program


def measure_bounds(names: Sequence[str], lines: JsonLines) -> list[Json]:
    """Bound what is missing, and return the rows of all names."""
    rows = {row["problem"]: row for row in lines.read()}
    missing = [name for name in names if name not in rows]
    if missing:
        compile_point_based()
        solve(environment_of("paint.POMDP"), gap=GAP)  # loads what is compiled
    for name in track(missing, "bounds", console=Console(stderr=True)):
        rows[name] = bound(name)
        lines.append(rows[name])
    return [rows[name] for name in names]


def measure_agents(names: Sequence[str], lines: JsonLines) -> list[Json]:
    """Evaluate the agents that are missing, and return all rows."""
    rows = lines.read()
    known = {row["problem"] for row in rows}
    missing = [name for name in names if name not in known]
    for model in ("true", "ctw"):
        compile_kernels(model)
    for name in track(missing, "agents", console=Console(stderr=True)):
        new = list(agent_rows(name))
        for row in new:
            lines.append(row)
        rows += new
    return rows


def main() -> None:
    """Measure what is missing, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("problems", nargs="*", metavar="PROBLEM", help="Such as tiger.POMDP.")
    parser.add_argument("--agents", action="store_true")
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    every = sorted([*(path.name for path in PROBLEMS.glob("*.*DP")), SLIPPED, FAMILY])
    names = given.problems or ([f"{name}.POMDP" for name in TEN] if given.agents else every)
    if unknown := sorted({*names} - {*every}):
        parser.error(f"there is no problem {unknown[0]}: name one of {', '.join(every)}")
    if not given.agents:
        print(bounds_table(measure_bounds(names, JsonLines(given.rows or RESULTS / "problems.jsonl"))))
        return
    best = {row["problem"]: row["lower"] for row in measure_bounds(names, JsonLines(RESULTS / "problems.jsonl"))}
    rows = measure_agents(names, JsonLines(given.rows or RESULTS / "problems_agents.jsonl"))
    found = [Scores(name, rows, best[name]) for name in names]
    print(agents_table(found))
    if given.picture:
        draw(found, given.picture)


if __name__ == "__main__":
    main()

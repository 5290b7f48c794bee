"""What a search is worth on a learned model, beside figure 8 of JAIR 2011.

    python benchmarks/search/learned.py [ENVIRONMENT ...] [--picture docs/search-learned.png]

MC-AIXI learns with the settings of the environment and the old search. Then it learns no more, and both searches, the
old one with two other constants of UCB as well, decide on this same model, each from the start of the same evaluation.
The score is 1 minus the loss of exact_regret.py, by the true environment: what the search does not lose the model may.
Five seeds. Eight minutes on two cores without tic-tac-toe; rows that stand in benchmarks/results/search/learned.jsonl
are not measured again. `--quick`: 20 seconds.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from exact_regret import (
    COLOURS,
    MARKERS,
    Row,
    arguments,
    complete,
    half,
    in_words,
    known,
    markdown,
    over,
    play,
    save,
    seconds_per_simulation,
    shown,
)
from matplotlib.figure import Figure

from aixi_approx.agent import Agent
from aixi_approx.builder import CTW, build_agent, build_planner
from aixi_approx.display.palette import GREY
from aixi_approx.envs import make
from aixi_approx.interaction import interact
from aixi_approx.jair2011.published import DOMAINS
from aixi_approx.jair2011.published import SIMULATIONS as PAPER_SIMULATIONS
from aixi_approx.laboratory.plot_parts import WIDTH
from aixi_approx.laws.estimate import Estimate, normalised
from aixi_approx.planner import Learner

EXPERIENCE = {
    "locks:1": 30_000,
    "tiger": 10_000,
    "cheese-maze": 10_000,
    "kuhn-poker": 5_000,
    "biased-rps": 5_000,
    "1d-maze": 5_000,
    "4x4-grid": 5_000,
    "extended-tiger": 20_000,
    "tic-tac-toe": 10_000,
}
QUICK = {"tiger": 200, "kuhn-poker": 200}
SIMULATIONS = (30, 100, 300, 1_000, 3_000)
SEEDS, DECISIONS = 5, 200
CONSTANTS = (0.7, 0.35)  # of UCB, besides the old planner's own
SEPARATOR = ", "  # of planners and numbers, in a row


class Pupil(NamedTuple):
    """An agent that learns, and what is measured with its model."""

    environment: str
    experience: int  # cycles
    seed: int
    teacher: str  # the planner that it learns with
    planners: str
    simulations: str
    decisions: int


@lru_cache(maxsize=1)
def learned(name: str, experience: int, seed: int, teacher: str) -> Learner:
    """Return the predictor of an agent that has learned in an environment, exploring as its settings say."""
    environment = make(name)
    agent = build_agent(environment, planner=teacher, seed=seed)
    environment.checked_reset(seed)
    deque(interact(agent, environment, cycles=experience), maxlen=0)
    return agent.predictor


def on_model(name: str, predictor: Learner, planner: str, seed: int) -> Agent:
    """Return an agent that decides by a planner on a predictor that is there already."""
    environment = make(name)
    return Agent(environment.coding, predictor, planner=build_planner(environment, planner), seed=seed)


def measure_pupil(pupil: Pupil) -> Row:
    """Let an agent learn, and measure all searches on its model."""
    rules = known(pupil.environment)
    predictor = learned(pupil.environment, pupil.experience, pupil.seed, pupil.teacher)
    results = []
    for planner in pupil.planners.split(SEPARATOR):
        agent = on_model(pupil.environment, predictor, planner, pupil.seed)
        for n in map(int, pupil.simulations.split(SEPARATOR)):
            played = play(agent, rules, decisions=pupil.decisions, simulations=n)
            score = normalised(played.reward, rules.random, optimum=rules.optimum)
            results.append({"planner": planner, "simulations": n, "score": score, **played._asdict()})
    return {**pupil._asdict(), "results": results}


def seconds_of_pupil(pupil: Pupil) -> float:
    """Return about how long it takes, if a learned model is half as fast as a new one."""
    own = make(pupil.environment).settings.simulations
    seconds = pupil.experience * own * seconds_per_simulation(pupil.environment, pupil.teacher, CTW)
    searched = pupil.decisions * sum(map(int, pupil.simulations.split(SEPARATOR)))
    for planner in pupil.planners.split(SEPARATOR):
        seconds += searched * seconds_per_simulation(pupil.environment, planner, CTW)
    return 2 * seconds


Scores = dict[tuple[str, str, int], Estimate]  # by environment, planner and simulations


def scores(rows: list[Row]) -> Scores:
    """Return the mean score over seeds of all searches."""
    found: dict[tuple[str, str, int], list[float]] = {}
    for row in rows:
        for one in row["results"]:
            found.setdefault((row["environment"], one["planner"], one["simulations"]), []).append(one["score"])
    return {key: over(values) for key, values in found.items()}


def table(found: Scores, experience: dict[str, int]) -> str:
    """Return the scores, in Markdown."""
    planners, budgets = (list(dict.fromkeys(key[part] for key in found)) for part in (1, 2))
    lines = [
        [name, f"{cycles:,}", planner, *(shown(found[name, planner, n]) for n in budgets)]
        for name, cycles in experience.items()
        for planner in planners
    ]
    return markdown(["environment", "experience", "planner", *(f"{n:,}" for n in budgets)], lines)


def draw(found: Scores, path: Path) -> None:
    """Draw the scores over simulations, and those of the paper."""
    names, planners, budgets = (list(dict.fromkeys(key[part] for key in found)) for part in range(3))
    order = [0, *range(2, len(planners)), 1]  # the old search first, the new one last: in the colours of families.py
    styles = {planner: (COLOURS[i], MARKERS[i]) for planner, i in zip(planners, order, strict=True)}
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(WIDTH / 3 * columns, 2.6 * rows + 0.9), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).flatten()
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    for axes, name in zip(panels, names, strict=False):
        for (planner, (colour, marker)), size in zip(styles.items(), np.linspace(7, 3.5, len(styles)), strict=True):
            estimates = [found[name, planner, n] for n in budgets]
            means, halves = [one.mean for one in estimates], [half(one) for one in estimates]
            axes.errorbar(budgets, means, halves, color=colour, marker=marker, ms=size, lw=1.2)
        if name in DOMAINS:
            published = DOMAINS[name].search
            axes.plot(PAPER_SIMULATIONS[: len(published)], published, color=GREY, ls="--", marker="x", ms=4)
        axes.axhline(1, color="black", lw=0.8, ls=":")
        axes.set(title=name, xscale="log", ylim=(-0.2, 1.2))
    for axes in panels[: len(names)]:
        axes.xaxis.set_tick_params(labelbottom=True)  # the panel below may be empty
    for planner, (colour, marker) in styles.items():
        panels[0].plot([], [], color=colour, marker=marker, label=in_words(planner))
    panels[0].plot([], [], color=GREY, ls="--", marker="x", label="JAIR 2011, figure 8, after more experience")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    figure.supxlabel("simulations of a search, given a learned model")
    figure.supylabel("score: 0 random, 1 best")
    save(figure, panels[: len(names)], path)


def main() -> None:
    """Measure what is missing, and print the table."""
    given = arguments(__doc__, "learned")
    experience = QUICK if given.quick else EXPERIENCE
    if given.environments:
        experience = {name: experience.get(name, 10_000) for name in given.environments}
    pupils = [
        Pupil(
            name,
            cycles,
            seed,
            given.old,
            SEPARATOR.join(dict.fromkeys((given.old, *(f"{given.old}+ucb:{c}" for c in CONSTANTS), given.new))),
            SEPARATOR.join(map(str, SIMULATIONS[:2] if given.quick else SIMULATIONS)),
            10 if given.quick else DECISIONS,
        )
        for name, cycles in experience.items()
        for seed in range(2 if given.quick else SEEDS)
    ]
    found = scores(complete(given.rows, pupils, measure_pupil, seconds_of_pupil))
    print(table(found, experience))
    if given.picture:
        draw(found, given.picture)


if __name__ == "__main__":
    main()

"""What came of a run, in words: the table that `aixi run` prints, and that a notebook shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from aixi_approx.display.words import number, size
from aixi_approx.experiments.recovery import TOLERANCE, Phase
from aixi_approx.experiments.tally import WINDOW
from aixi_approx.laws.estimate import finite

if TYPE_CHECKING:
    from aixi_approx.experiments.result import RunResult

Cells = tuple[str, str, str]  # what, how much, a remark


class Section(NamedTuple):
    """Some lines of a table, and what stands above them."""

    head: Cells
    lines: list[Cells]


def title(result: RunResult) -> str:
    """Return the environment of a run and how long the agent learned there."""
    experiment = result.experiment
    known = result.phases and experiment.evaluate
    where = f", evaluated in {result.phases[-1].environment}" if known else ""
    return f"{experiment.environment} after {experiment.schedule.cycles:,} cycles{where}"


def sections(result: RunResult) -> Iterator[Section]:
    """Yield the parts of the table, but for the time that the run took."""
    yield Section(("reward per cycle", "", ""), [*_rewards(result)])
    for phase in result.phases:
        yield _phase(phase)
    if result.lessons is not None:
        yield Section(("policy", "", "bits per action"), [*_policy(result, result.lessons, result.taught or 0)])
    if result.log_loss_start is not None:
        yield Section(("log loss", "", "bits per percept"), [*_log_loss(result)])
    yield Section(("cost", "", ""), [*_cost(result)])


def _rewards(result: RunResult) -> Iterator[Cells]:
    evaluated = result.experiment.evaluate
    if evaluated and result.reward is not None:
        mean, low, high = map(number, map(finite, result.reward))
        yield "this agent", mean, f"95 % in {low} to {high}"
    if result.reward is not None and result.discount is not None:
        value = result.reward.mean / (1 - result.discount)
        yield "discounted value", number(value), f"by {result.discount:g}"
    unknown = "not a POMDP" + ": --planner random finds out" * (result.experiment.planner.name != "random")
    yield "random agent", number(result.random_reward), unknown if result.random_reward is None else ""
    yield "best achievable", number(result.optimum), ""
    if evaluated and result.score is not None:
        yield "score", number(result.score), "0 = random, 1 = best"


def _phase(phase: Phase) -> Section:
    """What became of an agent in one of several environments."""
    lines = [
        ("at first", number(phase.score_first), f"reward {number(phase.reward_first)}"),
        ("at last", number(phase.score_last), f"reward {number(phase.reward_last)}"),
    ]
    if phase.onset:
        before = phase.score_before
        text = f"after {phase.recovered:,} cycles" if phase.recovered else "not within this time"
        known = before is not None and phase.score_last is not None
        lines.append(("recovered", "", f"{text}, to {(before or 0) - TOLERANCE:.3f}" if known else "unknown"))
    return Section((phase.environment, "score", f"cycles {phase.onset:,} to {phase.end - 1:,}"), lines)


def _policy(result: RunResult, lessons: int, taught: int) -> Iterator[Cells]:
    of_teacher = f"and {taught:,} of a teacher" if taught else ""
    yield "lessons", f"{lessons:,}", of_teacher if lessons + taught else "so it acts at random"
    if result.surprise_start is not None:
        window = min(WINDOW, lessons)
        if lessons > window:
            yield "at the start", number(result.surprise_start), f"first {window:,} lessons"
        yield "at the end", number(result.surprise_end), f"last {window:,} lessons"


def _log_loss(result: RunResult) -> Iterator[Cells]:
    cycles = result.experiment.schedule.cycles
    window = min(WINDOW, cycles)
    if cycles > window:
        yield "at the start", number(result.log_loss_start), f"first {window:,} cycles"
    yield "at the end", number(result.log_loss_end), f"last {window:,} cycles"


def _cost(result: RunResult) -> Iterator[Cells]:
    if result.nodes is not None:
        yield "context-tree nodes", f"{result.nodes:,}", "" if result.memory is None else size(result.memory)
    simulations = result.simulations_learning + result.simulations_evaluation
    if simulations and result.simulations_per_decision is not None:
        yield "simulations", f"{simulations:,}", f"{result.simulations_per_decision:,.0f} a decision"

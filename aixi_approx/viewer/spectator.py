"""Who watches a run for a live page: tells a broadcast what happens, and lets the agent explain itself now and then.

It must not slow the agent. A cycle costs it some additions; all else is paid from an allowance: a tenth of the time
that passes, and all that the run is held up so that a person can follow. The agent acts as it would without it.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from aixi_approx._version import __version__
from aixi_approx.agent import Agent, Decision
from aixi_approx.environment import Environment, Percept
from aixi_approx.experiments.experiment import Experiment
from aixi_approx.experiments.recording import recorded_rows
from aixi_approx.experiments.result import RunResult
from aixi_approx.experiments.watching import Watcher, ended, unwatched
from aixi_approx.interaction import Row
from aixi_approx.introspection.context_trees import HasTrees, describe_trees
from aixi_approx.introspection.explanation import Truth
from aixi_approx.laws.estimate import finite
from aixi_approx.randomness import EVALUATION, stream
from aixi_approx.viewer.broadcast import Broadcast
from aixi_approx.viewer.judge import Judge
from aixi_approx.viewer.recorded_run import EVALUATED, LEARNING
from aixi_approx.viewer.scenes import (
    AHEAD,
    FORMAT,
    POINTS,
    QUERIES,
    STAGES,
    agent_in_words,
    described,
    picture_of,
    spaced,
    step,
)

SHARE = 0.1  # of the time, that may be spent on pictures and explanations
CREDIT = 1.0  # seconds of it that are saved up at most
EVERY = 0.25  # seconds from one explanation to the next, at least
EVERY_PACED = 0.05  # where the run is held up
STRETCH = 8  # cycles of a fast run that are shown in a row, the last of them explained
SLOW = 1 / 30  # seconds a cycle, of a run of which every cycle is shown
SMOOTH = 0.1  # weight of the last cycle in what a cycle takes
STATUS_SECONDS = 1.0
SLOWEST = 0.01  # cycles a second that a run may be held up to
PACE = 5.0  # cycles a second of the evaluation while somebody watches
BEHIND = 50_000  # cycles that a judge may have to catch up with
CATCH_UP = 0.02  # seconds that it may do so at a time
THINNED = "Of a fast run, stretches of some cycles are kept, four a second; the curve has all cycles."


class Spectator:
    """Watches a run: `run(experiment, watch=spectator.watch, perceived=spectator.perceived)`.

    Parameters
    ----------
    experiment : Experiment
        What is run.
    environment : Environment
        One of its own; it is asked what it is, and is not changed.
    folder : Path, optional
        Where the run is recorded, if it is.
    pace : float, optional
        Cycles a second, at most. By default, learning is not held up, and the evaluation only while somebody watches,
        to 5 cycles a second.
    show : Watcher, optional
        That watches the run, too, such as `show_progress`.

    Attributes
    ----------
    broadcast : Broadcast
        That it tells.
    cycles : int
        That it saw.

    Raises
    ------
    ValueError
        If the pace is less than 0.01.
    """

    def __init__(
        self,
        experiment: Experiment,
        environment: Environment,
        *,
        folder: Path | None = None,
        pace: float | None = None,
        show: Watcher = unwatched,
    ) -> None:
        if pace is not None and not pace >= SLOWEST:
            raise ValueError(f"pace is {pace:g}: it must be {SLOWEST} cycles a second or more")
        self._experiment, self._folder, self._pace, self._show = experiment, folder, pace, show
        learned, evaluated = experiment.schedule.cycles, experiment.evaluate
        parts = ((LEARNING, 0, learned), (EVALUATED, learned, evaluated))
        self.broadcast = Broadcast(
            {
                "format": FORMAT,
                "version": __version__,
                "environment": described(environment, experiment.environment),
                "agent": agent_in_words(experiment),
                "parts": [{"name": name, "first": first, "cycles": cycles} for name, first, cycles in parts if cycles],
                "score": None,
                "thinned": THINNED,
            }
        )
        self.cycles = 0
        self._width = max(1, math.ceil((learned + evaluated) / POINTS))  # cycles of a point of the curve
        self._environment = environment
        self._truths = _Truths(environment, experiment)
        self._stages = deque(spaced(learned, STAGES)) if learned else deque()
        self._agent: Agent | None = None
        self._part = self._fault = ""
        self._credit, self._now = CREDIT, time.perf_counter()
        self._due = 0.0  # time of the next explanation, or stretch
        self._held = 0.0  # time of the last cycle, where the run is held up
        self._left = 0  # cycles of the stretch that is shown
        self._cycle_seconds = SLOW
        self._said, self._said_at = self._now, 0  # time of the last status, and cycles then
        self._explains = self._draws = True  # until that fails

    def watch(self, part: str, rows: Iterable[Row], *, cycles: int, environment: Environment) -> Iterator[Row]:
        """Pass rows on, and tell of them; see `Watcher`."""
        self._part, self._total, self._count = part, 0.0, 0
        whole = self._experiment.schedule.cycles if part == LEARNING else self._experiment.evaluate
        losses = part == LEARNING or self._experiment.learn_in_evaluation
        self._curve = _Curve(self.broadcast, self._width, losses=losses)
        self._truths.restart(environment)
        if part == LEARNING and self._folder and cycles < whole:
            for row in recorded_rows(self._folder / f"{part}.csv")[: whole - cycles]:
                self._truths.add(row)
                self._curve.add(row)
        self._now = time.perf_counter()
        with ended(self._show(part, rows, cycles=cycles, environment=environment)) as shown:
            for row in shown:
                self._see(row, environment)
                yield row
        self._curve.end()
        if part == LEARNING and self._agent is not None and self.broadcast.listeners:
            self._tell_tree(self._agent)

    def perceived(self, agent: Agent, decision: Decision, *, percept: Percept) -> None:
        """Let the agent explain what it decided, if somebody watches and it is time."""
        self._agent = agent
        began = time.perf_counter()
        due = self._left == 1 if self._fast else began >= self._due
        if not (due and self._explains and self._credit > 0 and self.broadcast.listeners):
            return
        try:
            self.broadcast.tell("moment", self._moment(agent, decision, percept))
            if self._stages and self._part == LEARNING and agent.cycle >= self._stages[0]:
                self._tell_tree(agent)
        except Exception as error:  # what can't explain itself may still act
            self._explains, self._fault = False, f"; it can't explain itself: {error}"
        now = time.perf_counter()
        self._due = now + (EVERY_PACED if self._period else EVERY)
        self._credit -= now - began

    def tell_result(self, result: RunResult) -> None:
        """Tell what came of the run, and that it has ended."""
        if result.reward is not None:
            reward = {"reward": result.reward.mean, "score": result.score}
            interval = {"low": finite(result.reward.low), "high": finite(result.reward.high)}
            self.broadcast.tell("score", {**reward, **interval})
        self.broadcast.end()

    @property
    def _period(self) -> float:
        """Seconds from one cycle to the next, at least."""
        if self._pace is not None:
            return 1 / self._pace
        return 1 / PACE if self._part == EVALUATED and self.broadcast.listeners else 0.0

    @property
    def _fast(self) -> bool:
        """Whether the run is too fast for each of its cycles to be shown."""
        return max(self._cycle_seconds, self._period) < SLOW

    def _see(self, row: Row, environment: Environment) -> None:
        """Take in a cycle."""
        now = time.perf_counter()
        passed, self._now = now - self._now, now
        self._credit = min(CREDIT, self._credit + SHARE * passed)
        self._cycle_seconds += SMOOTH * (passed - self._cycle_seconds)
        self.cycles += 1
        self._count += 1
        self._total += row.reward
        self._truths.add(row)
        self._curve.add(row)
        if self._fast and not self._left and now >= self._due:
            self._left = STRETCH
        if self._left or not self._fast:
            self.broadcast.tell("step", (*step(row), self._total / self._count, self._picture(environment)))
            self._left = max(0, self._left - 1)
            if self._fast and not self._left:
                self._due = now + EVERY
        if now - self._said > STATUS_SECONDS:
            self.broadcast.tell("status", self._status(now))
        if period := self._period:
            self._hold_up(period)

    def _picture(self, environment: Environment) -> str | None:
        if not self._draws or self._credit <= 0:
            return None
        began = time.perf_counter()
        try:
            return picture_of(environment)
        except Exception:  # it may be played all the same
            self._draws = False
            return None
        finally:
            self._credit -= time.perf_counter() - began

    def _hold_up(self, period: float) -> None:
        """Wait until some time after the cycle before, so that a person can follow."""
        now = time.perf_counter()
        self._held = max(now, self._held + period)
        idle = self._held - now
        if idle > 0:
            time.sleep(idle)
            self._credit = min(CREDIT, self._credit + idle)

    def _status(self, now: float) -> str:
        speed = (self.cycles - self._said_at) / (now - self._said)
        self._said, self._said_at = now, self.cycles
        return f"live: {self._part}, {speed:,.3g} cycles a second{self._fault}"

    def _moment(self, agent: Agent, decision: Decision, percept: Percept) -> Any:
        if decision.search is None:
            search = agent.search(stream(agent.seed, EVALUATION, agent.cycle))
            decision = decision._replace(search=search)
        truth = self._truths.truth(agent, decision)
        return agent.explain(decision, percept=percept, steps=AHEAD, truth=truth)

    def _tell_tree(self, agent: Agent) -> None:
        """Tell of the context trees as they are now."""
        while self._stages and self._stages[0] <= agent.cycle:
            self._stages.popleft()
        if isinstance(agent.predictor, HasTrees):
            self.broadcast.tell("tree", describe_trees(agent.predictor, self._environment))


class _Curve:
    """Means over stretches of cycles, told as they are complete."""

    def __init__(self, broadcast: Broadcast, width: int, *, losses: bool) -> None:
        self._broadcast, self._losses, self._width = broadcast, losses, width
        self._first, self._count, self._reward, self._loss = 0, 0, 0.0, 0.0

    def add(self, row: Row) -> None:
        """Take in a cycle."""
        if not self._count:
            self._first = row.cycle
        self._count += 1
        self._reward += row.reward
        self._loss += row.log_loss
        if self._count == self._width:
            self.end()

    def end(self) -> None:
        """Tell of what there is, if anything."""
        if self._count:
            loss = self._loss / self._count if self._losses else None
            self._broadcast.tell("point", (self._first, self._reward / self._count, loss))
        self._count, self._reward, self._loss = 0, 0.0, 0.0


class _Truths:
    """A judge who catches up with the history when he is asked."""

    def __init__(self, environment: Environment, experiment: Experiment) -> None:
        self._horizon = experiment.planner.horizon or experiment.settings.horizon
        self._title = environment.title
        self._judge = Judge(environment, horizon=self._horizon, queries=QUERIES)
        self._behind: deque[Row] = deque()
        self._able = True

    def restart(self, environment: Environment) -> None:
        """Begin again where an environment begins."""
        if environment.title != self._title:
            self._title = environment.title
            self._judge = Judge(environment, horizon=self._horizon, queries=QUERIES)
        self._judge.restart()
        self._behind.clear()
        self._able = True

    def add(self, row: Row) -> None:
        """Take note of a cycle."""
        if self._able:
            self._behind.append(row)
            if len(self._behind) > BEHIND:
                self._able = False
                self._behind.clear()

    def truth(self, agent: Agent, decision: Decision) -> Truth | None:
        """Return what is true where an agent has decided, unless there is too much to catch up with."""
        until = time.perf_counter() + CATCH_UP
        while self._behind and time.perf_counter() < until:
            row = self._behind.popleft()
            self._judge.observe(row.action, Percept(row.observation, row.reward))
        return self._judge.truth(agent, decision) if self._able and not self._behind else None

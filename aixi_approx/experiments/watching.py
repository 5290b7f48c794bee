"""Who watches a run: receives its rows as they come, or is told of its decisions."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from aixi_approx.agent import Agent, Decision
from aixi_approx.environment import Environment, Percept
from aixi_approx.interaction import Row


class Watcher(Protocol):
    """A function that watches a run: it receives the rows as they come, and passes them on."""

    def __call__(self, part: str, rows: Iterable[Row], *, cycles: int, environment: Environment) -> Iterator[Row]:
        """Pass on the rows of a part, `learning` or `evaluation`; `cycles` of them are to come.

        When a row arrives, the environment is in the state after its cycle. It must not be changed.
        """


def unwatched(part: str, rows: Iterable[Row], *, cycles: int, environment: Environment) -> Iterator[Row]:
    """Pass the rows on without watching them."""
    return iter(rows)


@contextmanager
def ended(rows: Iterator[Row]) -> Iterator[Iterator[Row]]:
    """Let what passes rows on end, whatever happens: a display that an error leaves behind would hide the cursor."""
    try:
        yield rows
    finally:
        if isinstance(rows, Generator):
            rows.close()


class Timed:
    """Rows, with the time in seconds that it took to make them, not counting what watches them."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = iter(rows)
        self.seconds = 0.0

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        began = time.perf_counter()
        try:
            return next(self.rows)
        finally:
            self.seconds += time.perf_counter() - began


class Confidant(Protocol):
    """A function that is told what an agent decides, and what comes of it."""

    def __call__(self, agent: Agent, decision: Decision, *, percept: Percept) -> None:
        """Take note of a cycle of an agent, which still stands at the decision, and must be left as it is."""


class Told:
    """Tells a function what an agent decides and perceives, and how long that took in all, in seconds."""

    def __init__(self, agent: Agent, perceived: Confidant) -> None:
        self.agent, self.perceived = agent, perceived
        self.seconds = 0.0

    def __call__(self, decision: Decision, percept: Percept) -> None:
        """Tell of a cycle."""
        began = time.perf_counter()
        self.perceived(self.agent, decision, percept=percept)
        self.seconds += time.perf_counter() - began

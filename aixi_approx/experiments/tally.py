"""What a run comes to, added up cycle by cycle, so that the cycles need not be remembered."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from aixi_approx.interaction import Row
from aixi_approx.validation import as_integer

WINDOW = 1_000  # cycles, or lessons, over which losses at the start and at the end are averaged


class Ends:
    """The first and the last of many numbers, and how many there are."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[float] = []
        self.last: deque[float] = deque(maxlen=WINDOW)

    def add(self, number: float) -> None:
        """Add a number."""
        if self.count < WINDOW:
            self.first.append(number)
        self.last.append(number)
        self.count += 1

    @property
    def means(self) -> tuple[float | None, float | None]:
        """The mean of the first ones, and of the last ones; None if there are none."""
        if not self.count:
            return None, None
        return sum(self.first) / len(self.first), sum(self.last) / len(self.last)

    def keep(self) -> dict[str, Any]:
        """Return all of it, as values that an archive can hold."""
        return {"count": self.count, "first": np.array(self.first, float), "last": np.array(self.last, float)}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take on what `keep` has returned."""
        count, first, last = as_integer("count", kept["count"], 0, 1 << 62), kept["first"], kept["last"]
        for numbers in (first, last):
            if not (isinstance(numbers, np.ndarray) and numbers.dtype == np.float64):
                raise ValueError("these are no losses")
            if numbers.shape != (min(count, WINDOW),) or not np.isfinite(numbers).all():
                raise ValueError("these are not as many losses as there were")
        self.count, self.first, self.last = count, first.tolist(), deque(last.tolist(), maxlen=WINDOW)


class Tally:
    """What is known of some cycles of a run.

    Attributes
    ----------
    cycles, searched, simulations : int
        Cycles; those without a random action; simulations of all searches.
    log_loss : Ends
        Bits per percept.
    surprise : Ends
        Bits per action that the policy learned; as many as lessons.
    """

    def __init__(self) -> None:
        self.cycles = self.searched = self.simulations = 0
        self.log_loss, self.surprise = Ends(), Ends()

    def add(self, row: Row) -> None:
        """Add a cycle."""
        self.cycles += 1
        self.searched += not row.explored
        self.simulations += row.simulations
        self.log_loss.add(row.log_loss)
        if row.lesson:
            self.surprise.add(row.surprise)

    def counted(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Pass rows on, and add them."""
        for row in rows:
            self.add(row)
            yield row

    def keep(self) -> dict[str, Any]:
        """Return all of it, as values that an archive can hold."""
        counts = [self.cycles, self.searched, self.simulations]
        return {"counts": counts, "log_loss": self.log_loss.keep(), "surprise": self.surprise.keep()}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take on what `keep` has returned."""
        self.cycles, self.searched, self.simulations = (as_integer("count", n, 0, 1 << 62) for n in kept["counts"])
        self.log_loss.restore(kept["log_loss"])
        self.surprise.restore(kept["surprise"])

"""The time that a computation may take."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager


class OutOfTime(Exception):
    """A computation was to end by now."""


class Clock:
    """Ends a computation from within.

    Parameters
    ----------
    seconds : float, default: inf
        From now on.
    """

    def __init__(self, seconds: float = math.inf) -> None:
        self.end = time.perf_counter() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left, not negative."""
        return max(0.0, self.end - time.perf_counter())

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let what is done inside not count."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.end += time.perf_counter() - began

    def check(self) -> None:
        """Raise OutOfTime if the time is over."""
        if time.perf_counter() > self.end:
            raise OutOfTime


ENDLESS = Clock()

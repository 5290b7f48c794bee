"""Time slices: Ctrl-C is not noticed inside a compiled loop, so a search is cut into chunks."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator


class TimeSlices:
    """Cuts searches into chunks of about equal duration, estimated from the previous chunks.

    Parameters
    ----------
    seconds : float, default: 0.05
        Intended duration of a chunk.

    Examples
    --------
    >>> [count for count, left in TimeSlices(0.0)(66)]    # after a first chunk of 64, as few as possible
    [64, 1, 1]
    """

    def __init__(self, seconds: float = 0.05) -> None:
        self.seconds = seconds
        self._chunk = 64

    def __call__(self, simulations: int, end: float = math.inf) -> Iterator[tuple[int, int]]:
        """Yield how many simulations to run now, and how many were left before them.

        Parameters
        ----------
        simulations : int
            Total number.
        end : float, optional
            When to stop early, as a value of `time.perf_counter`. The first chunk is then a single simulation, and
            every other chunk is planned to take at most half of the remaining time.
        """
        left, now = simulations, time.perf_counter()
        if end < math.inf:
            self._chunk = 1
        while left > 0:
            count = min(self._chunk, left)
            yield count, left
            left -= count
            began, now = now, time.perf_counter()
            if now >= end:
                return
            rate = count / max(1e-9, now - began)
            self._chunk = max(1, min(2 * self._chunk, int(rate * min(self.seconds, (end - now) / 2))))


def format_duration(seconds: float) -> str:
    """Return a duration in words.

    >>> format_duration(90), format_duration(1e9)
    ('2 minutes', '32 years')
    """
    for unit, length in (("years", 31_557_600), ("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.0f} {unit}" if seconds < 1e6 * length else f"{seconds / length:.0e} {unit}"
    return f"{seconds:.0f} second{'' if round(seconds) == 1 else 's'}"

"""Time slices: Ctrl-C is not noticed inside a compiled loop, so a search is cut into chunks.

Only the main thread notices it at all. What searches in other threads tells them by an event, which they look at
between chunks.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_thread = threading.local()  # whose `stop` is the event that ends the searches of a thread


@contextmanager
def ended_by(stop: threading.Event) -> Iterator[None]:
    """Let an event end the searches that this thread makes in a `with` block, as Ctrl-C would: KeyboardInterrupt."""
    _thread.stop = stop
    try:
        yield
    finally:
        del _thread.stop


def end_if_told() -> None:
    """Raise KeyboardInterrupt if this thread is in a block of `ended_by` whose event is set."""
    if (stop := getattr(_thread, "stop", None)) and stop.is_set():
        raise KeyboardInterrupt


class TimeSlices:
    """Cuts searches into chunks of about equal duration, estimated from the previous chunks.

    The first is a single simulation, as nothing is known of how long it takes, and each is twice the last at most.

    Parameters
    ----------
    seconds : float, default: 0.05
        Intended duration of a chunk.

    Examples
    --------
    >>> [count for count, left in TimeSlices(9.0)(10)]
    [1, 2, 4, 3]
    """

    def __init__(self, seconds: float = 0.05) -> None:
        self.seconds = seconds
        self._chunk = 1

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
            end_if_told()
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

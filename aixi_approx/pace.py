"""The pace of a search: Ctrl-C is not seen inside a compiled loop, so a search is cut into chunks."""

from __future__ import annotations

import time
from collections.abc import Iterator


class Pace:
    """Cuts searches into chunks that take about the same time, learned from those that went before.

    Parameters
    ----------
    seconds
        Time that a chunk should take.

    Examples
    --------
    >>> [count for count, left in Pace(0.0)(66)]    # after a first chunk of 64, as few as can be
    [64, 1, 1]
    """

    def __init__(self, seconds: float = 0.05) -> None:
        self.seconds = seconds
        self._chunk = 64

    def __call__(self, simulations: int) -> Iterator[tuple[int, int]]:
        """Yield how many simulations to run now, and how many are left before them."""
        left = simulations
        while left > 0:
            count = min(self._chunk, left)
            began = time.perf_counter()
            yield count, left
            rate = count / max(1e-9, time.perf_counter() - began)
            self._chunk = max(1, min(2 * self._chunk, int(rate * self.seconds)))
            left -= count

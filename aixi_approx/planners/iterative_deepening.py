"""Iterative deepening with a time limit: a search that would take too long is refused before it starts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from math import inf, log
from typing import TypeVar

from aixi_approx.planners.time_slices import format_duration

Values = TypeVar("Values")

ROUNDING = 1e-9  # values of exact searches that differ by less count as equal
HUGE = 1e300  # a cap on the growth of the work, close to the largest float
CHEAP = 0.05  # of the time limit: a horizon that takes less is searched, if only for a better estimate of the growth


class TooSlow(ValueError):
    """An exact search would take longer than the time limit allows."""


def deepen(
    search: Callable[[int], Iterator[int]],
    horizon: int,
    *,
    time_limit: float,
    most: float,
    remedy: str,
    max_work: float = inf,
) -> None:
    """Search to horizon 1, 2, ..., up to the requested one, unless it would take longer than the time limit.

    The time for a horizon is extrapolated from the previous ones, assuming that the work grows by a constant factor, up
    to a bound. A search that takes longer than estimated is stopped at the time limit. Times depend on the machine;
    with an infinite time limit and limited work, the same searches are refused everywhere.

    Parameters
    ----------
    search : callable
        Searches to a horizon and yields, at least every 50 ms or so, the work done since the last yield.
    horizon : int
        The requested horizon.
    time_limit : float
        Seconds.
    most : float
        Upper bound of the work for the requested horizon, in the units that are yielded; may be infinite.
    remedy : str
        What the user can do about a refusal, for the message.
    max_work : float, default: inf
        Largest amount of work for a horizon.

    Raises
    ------
    TooSlow
        With a one-line message that states about how long it would take.
    """
    work = [0]
    for deep in range(1, horizon + 1):
        began = time.perf_counter()
        work.append(0)
        for done in search(deep):
            work[-1] += done
            if work[-1] > max_work:
                raise TooSlow(_message(f"horizon {deep} alone takes more than {max_work:,.0f} steps", horizon, remedy))
            if time.perf_counter() - began > time_limit:
                raise TooSlow(_message(f"horizon {deep} alone takes longer than {time_limit:g} s", horizon, remedy))
        if deep == horizon or work[-2] == 0:
            continue
        each = (time.perf_counter() - began) / work[-1]
        growth = work[-1] / work[-2]
        following = min(most, work[-1] * growth) * each
        times = growth ** (horizon - deep) if (horizon - deep) * log(growth) < log(HUGE) else HUGE
        last = min(most, work[-1] * times) * each
        if last > time_limit and following > CHEAP * time_limit:
            raise TooSlow(
                _message(
                    f"it would take about {format_duration(last)} a decision, more than {time_limit:g} s",
                    horizon,
                    remedy,
                )
            )


def _message(what: str, horizon: int, remedy: str) -> str:
    return f"expectimax to horizon {horizon}: {what}: {remedy}"

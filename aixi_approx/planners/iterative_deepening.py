"""Iterative deepening with a time limit: what would take too long is refused before it begins."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from math import inf, log
from typing import TypeVar

from aixi_approx.planners.time_slices import format_duration

Values = TypeVar("Values")

ROUNDING = 1e-9  # values of exact searches that differ by less are the same
HUGE = 1e300  # no work grows by more: powers of floats end there
CHEAP = 0.05  # of the time limit: a horizon that takes less is searched, if only to know the growth better


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
    """Search to horizon 1, 2, ..., and to the one that is asked for if that takes no longer than the time limit.

    The time of a horizon is estimated from those before it, as if the work grew by the same factor each time, but to
    no more than a bound. A search that belies its estimate is broken off when the time is over. Time depends on the
    machine; with an infinite time limit and limited work the same is refused everywhere.

    Parameters
    ----------
    search
        Searches to a horizon and yields now and then, after about 50 ms at the latest, the work done since.
    horizon
        The one that is asked for.
    time_limit
        Seconds.
    most
        An upper bound of the work at the horizon that is asked for, in the units of what is yielded, or infinity.
    remedy
        What the user can do, for the message.
    max_work
        The most work that a horizon may take.

    Raises
    ------
    TooSlow
        With one line that says about how long it would take.
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

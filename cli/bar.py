"""A progress bar for the cycles of an agent."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from aixi_approx.cli.options import progress

if TYPE_CHECKING:
    from aixi_approx.interaction import Row

RECENT = 1_000  # cycles that the running reward is taken over


def bar(part: str, rows: Iterable[Row], *, cycles: int) -> Iterator[Row]:
    """Pass rows on behind a progress bar."""
    if not cycles:
        return
    columns = (
        "reward {task.fields[reward]:+.3f}",
        "{task.fields[speed]:,.0f} cycles/s",
        "{task.fields[work]:,.0f} sims/s",
    )
    began = drawn = time.perf_counter()
    total = work = 0
    recent: deque[float] = deque(maxlen=RECENT)
    with progress(*columns) as bar:
        task = bar.add_task(part, total=cycles, reward=0.0, speed=0.0, work=0.0)
        for row in rows:
            total += 1
            work += row.simulations
            recent.append(row.reward)
            now = time.perf_counter()
            if now - drawn > 0.1 or total == cycles:
                drawn = now
                seconds = now - began
                reward = sum(recent) / len(recent)
                bar.update(task, completed=total, reward=reward, speed=total / seconds, work=work / seconds)
            yield row

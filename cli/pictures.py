"""`aixi run --watch`: the evaluation in pictures."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aixi_approx.environment import Environment
    from aixi_approx.interaction import Row

PACE = 0.1  # seconds from a picture to the next, at least


def watch(rows: Iterable[Row], cycles: int, *, environment: Environment) -> Iterator[Row]:
    """Pass rows on and draw on stderr what came of each: in place and slowly on a terminal, else below each other."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(stderr=True)
    if not console.is_terminal:
        yield from _draw(rows, cycles, environment, lambda picture: print(f"{picture}\n", file=sys.stderr))
        return
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:

        def show(picture: str) -> None:
            live.update(Text.from_ansi(picture, no_wrap=True, overflow="crop"), refresh=True)

        yield from _draw(_paced(rows), cycles, environment, show)


def _draw(rows: Iterable[Row], cycles: int, environment: Environment, show: Callable[[str], None]) -> Iterator[Row]:
    """Show a line about each row, and the environment as it is then."""
    total = 0.0
    for count, row in enumerate(rows, 1):
        total += row.reward
        line = f"{count:,} of {cycles:,}  {environment.actions[row.action]}"
        show(f"{line}  reward {row.reward:+}  mean {total / count:+.3f}\n{environment.checked_render()}")
        yield row


def _paced(rows: Iterable[Row]) -> Iterator[Row]:
    """Pass rows on, none sooner than `PACE` after the one before."""
    due = 0.0
    for row in rows:
        time.sleep(max(0.0, due - time.perf_counter()))
        due = time.perf_counter() + PACE
        yield row

"""How far a run is: a bar in a terminal, and in a notebook."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress

    from aixi_approx.environment import Environment
    from aixi_approx.interaction import Row

RECENT = 1_000  # cycles that the running reward is taken over
PACE = 0.1  # seconds from one state of a bar to the next, at least
COLUMNS = ("reward {task.fields[reward]:+.3f}", "{task.fields[speed]:,.0f} cycles/s", "{task.fields[work]:,.0f} sims/s")


class State(NamedTuple):
    """How far a part of a run is."""

    done: int  # cycles
    reward: float  # mean of the last `RECENT` cycles
    speed: float  # cycles per second
    work: float  # simulations per second


class _Show(Protocol):
    """Shows a state, in place of the one before."""

    def __call__(self, state: State) -> None: ...


def show_progress(
    part: str, rows: Iterable[Row], *, cycles: int, environment: Environment | None = None
) -> Iterator[Row]:
    """Pass rows on behind a progress bar: in a notebook below the cell, else on stderr.

    It is a `Watcher`: `run(experiment, watch=show_progress)`. Rows of `interact` pass through it just as well.

    Parameters
    ----------
    part : str
        What is shown beside the bar.
    rows : iterable of Row
        Are passed on as they come.
    cycles : int
        How many rows there will be. With none, nothing is shown.
    environment : Environment, optional
        Is not used.

    Examples
    --------
    >>> from aixi_approx import build_agent, interact, make
    >>> coin = make("coin-flip")
    >>> rows = interact(build_agent(coin, seed=1), coin, cycles=4)
    >>> len(list(show_progress("learning", rows, cycles=4)))
    4
    """
    if not cycles:
        return
    began = shown = time.perf_counter()
    done = work = 0
    recent: deque[float] = deque(maxlen=RECENT)
    with (_in_notebook if notebook() else _in_terminal)(part, cycles) as show:
        for row in rows:
            done += 1
            work += row.simulations
            recent.append(row.reward)
            now = time.perf_counter()
            if now - shown > PACE or done == cycles:
                shown, seconds = now, now - began
                show(State(done, sum(recent) / len(recent), done / seconds, work / seconds))
            yield row


def notebook() -> bool:
    """Return whether what is displayed now is seen in a notebook: IPython runs here, as a kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


def terminal_bar(*columns: str) -> Progress:
    """Return a progress bar on stderr: description, bar, share, the given columns, time left."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description:<10}", markup=False),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        *(TextColumn(column, markup=False) for column in columns),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
    )


@contextmanager
def _in_terminal(part: str, cycles: int) -> Iterator[_Show]:
    with terminal_bar(*COLUMNS) as bar:
        task = bar.add_task(part, total=cycles, reward=0.0, speed=0.0, work=0.0)

        def show(state: State) -> None:
            bar.update(task, completed=state.done, reward=state.reward, speed=state.speed, work=state.work)

        yield show


@contextmanager
def _in_notebook(part: str, cycles: int) -> Iterator[_Show]:
    """Speeds are not told there: a notebook that is run again is to look the same."""
    from IPython.display import HTML, display

    def html(state: State) -> HTML:
        bar = f'<progress max="{cycles}" value="{state.done}"></progress>'
        return HTML(f"{escape(part)} {bar} {state.done:,} of {cycles:,} cycles, reward {state.reward:+.3f}")

    handle = display(html(State(0, 0.0, 0.0, 0.0)), display_id=True)
    yield lambda state: handle.update(html(state))

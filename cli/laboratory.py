"""Running a laboratory behind a progress bar, for the commands that do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from aixi_approx.cli.options import notice
from aixi_approx.cli.signals import can_go_on
from aixi_approx.experiments.progress import terminal_bar

if TYPE_CHECKING:
    from aixi_approx.laboratory.runner import Laboratory

LONG = 12 * 3_600  # seconds that are not begun without asking
YEAR = 31_557_600

on = click.option(
    "--on", metavar="ENGINE", help="Where: 4 (processes), dask://HOST:8786, mpi, here.  [default: one process a core]"
)
yes = click.option("--yes", is_flag=True, help="Begin what takes more than half a day without asking.")


def run_laboratory(
    laboratory: Laboratory[Any], on: str | None, *, yes: bool, fewer: str, longest: float | None = None
) -> None:
    """Measure what is missing, and say before how long it will take.

    Parameters
    ----------
    laboratory : Laboratory
        With the study.
    on : str, optional
        The engine, as `engine` takes it.
    yes : bool
        Whether to begin, however long it takes.
    fewer : str
        What to do if it takes too long.
    longest : float, default: half a day
        Seconds that are begun without asking.

    Raises
    ------
    click.ClickException
        If it would take longer, and nobody says yes.
    """
    from aixi_approx.execution.engines import engine
    from aixi_approx.planners.time_slices import format_duration

    can_go_on(f"the same command goes on with {laboratory.folder}")
    with notice("compiling the search, once; it is kept for next time ..."):
        todo = laboratory.todo()
    if not todo.checkpoints:
        return
    with engine(on) as place:
        workers = max(1, place.workers())
        seconds = todo.seconds / workers
        what = f"{_count(todo.checkpoints, 'checkpoint')} of {_count(todo.agents, 'agent')}"
        where = f"on {_count(workers, 'worker')}, to {laboratory.folder}"
        print(f"{what}: about {format_duration(seconds)} {where}", file=sys.stderr)
        longest = LONG if longest is None else longest
        if seconds > longest and not yes and not (sys.stdin.isatty() and click.confirm("Begin?", err=True)):
            raise click.ClickException(f"it would take about {format_duration(seconds)}: {fewer}")
        with terminal_bar() as bar:
            task = bar.add_task("measuring", total=seconds)
            laboratory.run(place, progress=lambda done, total: bar.update(task, completed=done, total=total))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"

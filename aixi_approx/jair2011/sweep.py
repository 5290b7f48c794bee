"""Many lives, carried out side by side by several processes, resumable at any time."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aixi_approx._version import __version__
from aixi_approx.execution.folder import open_folder, write_atomically
from aixi_approx.execution.processes import Processes
from aixi_approx.execution.tasks import Task, run_all
from aixi_approx.jair2011.training_run import Life, live, work


class Progress(NamedTuple):
    """How far one life is."""

    name: str
    done: float  # in the units of `life.work`
    total: float


Watcher = Callable[[list[Progress]], None]


def unwatched(progress: list[Progress]) -> None:
    """Watch nothing."""


def carry_out(
    lives: Sequence[Life], folder: Path, processes: int | None = None, watch: Watcher = unwatched
) -> list[dict[str, Any]]:
    """Carry out some lives, or what is missing of them, the longest first.

    Parameters
    ----------
    lives
        Each is written to a folder of its own name in `folder`.
    folder
        Where to write, and to go on from.
    processes
        How many at a time; as many as there are cores if not given.
    watch
        Is told now and then how far all lives are.

    Returns
    -------
    list of dict
        The rows of all trials, in the order of the lives. They do not depend on the number of processes.

    Raises
    ------
    ValueError
        If the folder holds something else than a study of this version, or a life that differs.
    """
    manifest_path = folder / "study.json"
    if open_folder(manifest_path, "study") is None:
        write_atomically(manifest_path, {"version": __version__})
    totals = [work(life) for life in lives]
    done = multiprocessing.get_context("spawn").Array("d", len(lives), lock=False)
    rows: dict[int, list[dict[str, Any]]] = {}

    def finish(task: Task, result: list[dict[str, Any]]) -> Iterable[Task]:
        *_, i = task.arguments
        rows[i], done[i] = result, totals[i]
        return ()

    def look() -> None:
        watch([Progress(life.name, *pair) for life, *pair in zip(lives, done, totals, strict=True)])

    order = sorted(range(len(lives)), key=lambda i: -totals[i])
    with Processes(processes, _share, (done,)) as pool:
        run_all(pool.engine(), [Task(_live, (lives[i], folder / lives[i].name, i)) for i in order], finish, look)
    return [row for i in range(len(lives)) for row in rows[i]]


# ------------------------------------------------------------------------------------------------ in the processes


_done: Any = None  # work done of each life, shared with the parent


def _share(done: Any) -> None:
    global _done
    _done = done


def _live(life: Life, folder: Path, number: int) -> list[dict[str, Any]]:
    def tick(work: float) -> None:
        _done[number] += work

    return live(life, folder, tick)

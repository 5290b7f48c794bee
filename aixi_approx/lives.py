"""A study: many lives, carried out side by side by several processes, resumable at any time."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from aixi_approx import __version__
from aixi_approx.life import Life, live, work
from aixi_approx.recording import claim, write_whole

LOOK_SECONDS = 0.3  # between two looks at how far the processes are


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
    if claim(manifest_path, "study") is None:
        write_whole(manifest_path, {"version": __version__})
    totals = [work(life) for life in lives]
    context = multiprocessing.get_context("spawn")
    done = context.Array("d", len(lives), lock=False)
    stop = context.Event()
    order = sorted(range(len(lives)), key=lambda i: -totals[i])
    with ProcessPoolExecutor(processes or os.cpu_count(), context, _begin, (done, stop)) as pool:
        try:
            with _later():  # the processes never hear it
                futures = {i: pool.submit(_live, lives[i], folder / lives[i].name, i) for i in order}
            pending = set(futures.values())
            while pending:
                finished, pending = wait(pending, LOOK_SECONDS, FIRST_EXCEPTION)
                for future in finished:
                    future.result()
                for i, future in futures.items():
                    if future.done():
                        done[i] = totals[i]
                watch([Progress(life.name, *pair) for life, *pair in zip(lives, done, totals, strict=True)])
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return [row for i in range(len(lives)) for row in futures[i].result()]


@contextmanager
def _later() -> Iterator[None]:
    """Hear Ctrl-C at the end only; processes that are begun meanwhile are deaf to it for good.

    They inherit that it is blocked in this thread. Another thread may get it all the same, and hand it to the handler.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, before)
    if heard:
        raise KeyboardInterrupt


# ------------------------------------------------------------------------------------------------ in the processes


_done: Any = None  # work done of each life, shared with the parent
_stop: Any = None  # set by the parent when all is to stop


class _Stopped(Exception):
    """The study was stopped."""


def _begin(done: Any, stop: Any) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    global _done, _stop
    _done, _stop = done, stop


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _live(life: Life, folder: Path, number: int) -> list[dict[str, Any]]:
    def tick(work: float) -> None:
        _done[number] += work
        if _stop.is_set():
            raise _Stopped

    return live(life, folder, tick)

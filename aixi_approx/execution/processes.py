"""Processes of this machine, as an executor: deaf to Ctrl-C, and gone when the process that began them is."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from aixi_approx.execution.tasks import Engine

Result = TypeVar("Result")


class Processes(ProcessPoolExecutor):
    """Processes that are deaf to Ctrl-C, and end when this one ends, even if it is killed.

    Parameters
    ----------
    count
        How many; one for each core if not given.
    begin, arguments
        What each of them calls first.
    """

    def __init__(
        self, count: int | None = None, begin: Callable[..., None] | None = None, *, arguments: tuple[Any, ...] = ()
    ) -> None:
        context = multiprocessing.get_context("spawn")
        listener, self._line = context.Pipe(duplex=False)
        self.count = count or cores()
        super().__init__(self.count, context, _begin, (listener, begin, arguments))

    def submit(self, function: Callable[..., Result], /, *arguments: Any, **options: Any) -> Future[Result]:
        """Submit a task; this may begin a process."""
        with _later():
            return super().submit(function, *arguments, **options)

    def stop(self) -> None:
        """End all processes at once."""
        self._line.close()

    def engine(self) -> Engine:
        """Return these processes as an engine."""
        return Engine(self, lambda: self.count, self.stop)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _begin(listener: Connection, begin: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    """Begin a process of the pool."""
    threading.Thread(target=_end_with, args=(listener,), daemon=True).start()
    sys.stdout = sys.stderr  # what a task prints is no result
    if begin:
        begin(*arguments)


def _end_with(listener: Connection) -> None:
    """End this process when the other end of a line is closed, on purpose or because its process has ended."""
    listener.poll(None)
    os._exit(1)


@contextmanager
def _later() -> Iterator[None]:
    """Hear Ctrl-C at the end only; processes that are begun meanwhile are deaf to it for good.

    They inherit that it is blocked in this thread. Another thread may get it all the same, and hand it to the handler,
    which runs in the main thread.
    """
    heard: list[int] = []
    main = threading.current_thread() is threading.main_thread()
    if main:
        before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if main:
            signal.signal(signal.SIGINT, before)
    if heard:
        raise KeyboardInterrupt

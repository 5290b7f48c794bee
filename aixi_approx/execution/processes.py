"""Processes of this machine, as an executor: they ignore Ctrl-C, and end with the process that started them."""

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
    """A pool of processes that ignore Ctrl-C, and end when this process ends, even if it is killed.

    Parameters
    ----------
    count : int, optional
        Number of processes; by default, one per core.
    begin : callable, optional
        What each process calls first.
    arguments : tuple, default: ()
        The arguments of `begin`.
    """

    def __init__(
        self, count: int | None = None, begin: Callable[..., None] | None = None, *, arguments: tuple[Any, ...] = ()
    ) -> None:
        context = multiprocessing.get_context("spawn")
        listener, self._line = context.Pipe(duplex=False)
        self.count = count or cores()
        super().__init__(self.count, context, _begin, (listener, begin, arguments))

    def submit(self, function: Callable[..., Result], /, *arguments: Any, **options: Any) -> Future[Result]:
        """Submit a task; this may start a process."""
        with _later():
            return super().submit(function, *arguments, **options)

    def stop(self) -> None:
        """End all processes immediately."""
        self._line.close()

    def engine(self) -> Engine:
        """Return these processes as an engine."""
        return Engine(self, lambda: self.count, self.stop)


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _begin(listener: Connection, begin: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    """Initialise a process of the pool."""
    threading.Thread(target=_end_with, args=(listener,), daemon=True).start()
    sys.stdout = sys.stderr  # keep what tasks print out of the results
    if begin:
        begin(*arguments)


def _end_with(listener: Connection) -> None:
    """End this process when the other end of a pipe is closed, on purpose or because its process has ended."""
    listener.poll(None)
    os._exit(1)


@contextmanager
def _later() -> Iterator[None]:
    """Defer Ctrl-C to the end of the block; processes that are started in it ignore Ctrl-C for good.

    They inherit the signal mask of this thread, which blocks it. Another thread may still receive the signal and pass
    it to the handler, which runs in the main thread.
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

"""Processes of this machine, as an executor: they leave signals to the process that started them, and end with it.

Ctrl-C and the end of a session reach all processes of a terminal: what they stop is for one process to say.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from aixi_approx.execution.tasks import Engine

Result = TypeVar("Result")

BLOCKED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LATER_SECONDS = 1.0  # ample for another process to close a pipe
ENDED = 128 + signal.SIGTERM  # exit code of a process that was to end


class Processes(ProcessPoolExecutor):
    """A pool of processes that are deaf to Ctrl-C, and end when this process ends, even if it is killed.

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
        with _later():  # it may start a process that cleans up after the others
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
        return Engine(self, lambda: self.count, self.stop, lost=self._lost)

    def _lost(self) -> str:
        """How a process ended that was not to end, by its exit code."""
        processes = [*(self._processes or {}).values()]
        self.shutdown()
        codes = {process.exitcode for process in processes} - {None, 0, ENDED, -signal.SIGTERM}
        if code := min(codes, key=abs, default=0):  # type: ignore[arg-type]
            if code > 0:
                return f"a worker is gone: code of an environment, a model or a planner ended it with exit code {code}"
            return f"a worker is gone: killed, out of memory or crashed ({signal.Signals(-code).name})"
        return Engine._field_defaults["lost"]()


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _begin(listener: Connection, begin: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    """Initialise a process of the pool."""
    for end in (lambda: _end_with(listener), _end_on_request):
        threading.Thread(target=end, daemon=True).start()
    sys.stdout = sys.stderr  # keep what tasks print out of the results
    with contextlib.suppress(OSError, ValueError, AttributeError):  # there may be no stderr
        os.dup2(sys.stderr.fileno(), 1)  # nor what code in C prints
    if begin:
        begin(*arguments)


def _end_with(listener: Connection) -> None:
    """End this process when the other end of a pipe is closed, on purpose or because its process has ended."""
    listener.poll(None)
    os._exit(ENDED)


def _end_on_request() -> None:
    """End this process some time after a SIGTERM: if others were sent it, too, the one that started it comes first."""
    signal.sigwait({signal.SIGTERM})
    time.sleep(LATER_SECONDS)
    os._exit(ENDED)


@contextmanager
def _later() -> Iterator[None]:
    """Defer signals to the end of the block; processes that are started in it have them blocked for good.

    They inherit the signal mask of this thread. Another thread may still receive a signal and pass it to the handler,
    which runs in the main thread.
    """
    heard: list[int] = []
    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in BLOCKED} if main else {}
    before = {number: handler for number, handler in before.items() if callable(handler)}
    for number in before:
        signal.signal(number, lambda number, _: heard.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in before.items():
            signal.signal(number, handler)
    if heard:
        signal.raise_signal(heard[0])

"""Where work is carried out: by processes of this machine, by a Dask cluster, by MPI.

Work is tasks. A task is a function of its arguments alone, so what comes out depends neither on where tasks are carried
out nor on their order. Results come back to this process, which alone writes files: a task can be given up at any time.

All that is needed of a place is a `concurrent.futures.Executor`.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from aixi_approx import __version__

AHEAD = 2  # tasks in the hands of the workers, for each worker: it need not wait for the next one
LOOK_SECONDS = 0.3  # between two looks at how far they are
CLUSTER_SECONDS = 8  # to wait for a cluster to answer, and for its first worker
PLACES = "processes:4 (or just 4), here, dask://HOST:8786, mpi"

Result = TypeVar("Result")


class Task(NamedTuple):
    """A call that any worker can make."""

    function: Callable[..., Any]  # of a module, so that workers find it by name
    arguments: tuple[Any, ...]  # and what it returns: all that can be pickled


class Engine(NamedTuple):
    """A place where tasks are carried out."""

    executor: Executor
    workers: Callable[[], int]  # how many tasks it carries out at a time; of a cluster this may change
    stop: Callable[[], None]  # gives up all that has not ended
    losses: tuple[type[Exception], ...] = (BrokenExecutor, CancelledError)  # what it raises when workers are gone


@contextmanager
def engine(where: str | None = None) -> Iterator[Engine]:
    """Start an engine, and end it.

    Parameters
    ----------
    where
        processes:4, or just 4
            So many processes of this machine; one for each core if nothing is given.
        here
            This process, one task after the other: to debug.
        dask://HOST:8786
            The workers of a Dask cluster, by the address of its scheduler. They carry out tasks in threads, which take
            turns: start them with one thread each. They never hear Ctrl-C; a task that runs then comes to its end
            there, unheard.
        mpi
            The other processes of `mpiexec -n 4 python -m mpi4py.futures -m aixi_approx.cli ...`.

    Raises
    ------
    ValueError
        If there is no such place, it does not answer, or workers have another version of this package.
    """
    kind, _, rest = (where or "processes").partition(":")
    if kind.isdecimal() and not rest:
        kind, rest = "processes", kind
    if kind == "processes" and (not rest or rest.isdecimal()):
        if rest and not int(rest):
            raise ValueError(f"{where}: at least one process is needed")
        with Processes(int(rest) if rest else None) as pool:
            yield pool.engine()
    elif where == "here":
        yield Engine(Here(), lambda: 1, lambda: None)
    elif kind in ("dask", "tcp", "tls") and rest.strip("/"):
        with _dask(_address(f"{'tcp' if kind == 'dask' else kind}:{rest}")) as cluster:
            yield cluster
    elif where == "mpi":
        with _mpi() as world:
            yield world
    else:
        raise ValueError(f"no engine {where!r}: there are {PLACES}")


def run_all(
    engine: Engine,
    tasks: Iterable[Task],
    finish: Callable[[Task, Any], Iterable[Task]],
    watch: Callable[[], None] = lambda: None,
) -> None:
    """Carry out tasks, the first given first, and what follows from one before those that were given after it.

    Parameters
    ----------
    engine
        Where.
    tasks
        What to begin with. A task is made when a worker is about to be free for it.
    finish
        Is told, in this process, of each task and its result as soon as it is there. Returns what follows from it,
        which is made when a worker is about to be free, too.
    watch
        Is called now and then, and at the end.

    Raises
    ------
    RuntimeError
        If workers are gone: killed, out of memory, out of reach.
    Exception
        What a task or `finish` raises. What has not ended is given up then, as it is at Ctrl-C; `finish` has been told
        of all that has ended before.
    """
    waiting = [iter(tasks)]
    begun: dict[Future[Any], Task] = {}
    try:
        while True:
            room = AHEAD * max(1, engine.workers()) - len(begun)
            for task in islice(_drawn(waiting), max(0, room)):
                begun[engine.executor.submit(task.function, *task.arguments)] = task
            if not begun:
                watch()
                return
            ended, _ = wait_for(begun, LOOK_SECONDS, FIRST_COMPLETED)
            for future in sorted((future for future in begun if future in ended), key=_failed):
                waiting.append(iter(finish(begun.pop(future), future.result())))
            watch()
    except engine.losses as error:
        engine.stop()
        raise RuntimeError(
            "a worker is gone: killed, out of memory or out of reach; what had ended before is kept"
        ) from error
    except BaseException:
        engine.stop()
        raise


def _drawn(waiting: list[Iterator[Task]]) -> Iterator[Task]:
    """Draw tasks from the last iterator, and from those before it once that is at its end."""
    while waiting:
        if task := next(waiting[-1], None):
            yield task
        else:
            waiting.pop()


def _failed(future: Future[Any]) -> bool:
    return future.cancelled() or future.exception() is not None


# ---------------------------------------------------------------------------------------------------- this machine


class Here(Executor):
    """Carries out a task when it is submitted."""

    def submit(self, function: Callable[..., Result], /, *arguments: Any, **options: Any) -> Future[Result]:
        """Carry out a task."""
        future: Future[Result] = Future()
        try:
            future.set_result(function(*arguments, **options))
        except Exception as error:
            future.set_exception(error)
        return future


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
        self, count: int | None = None, begin: Callable[..., None] | None = None, arguments: tuple[Any, ...] = ()
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


# ------------------------------------------------------------------------------------------------ other machines


@contextmanager
def _dask(address: str) -> Iterator[Engine]:
    try:
        from distributed import Client, KilledWorker
        from distributed.comm import CommClosedError
    except ImportError:
        raise ValueError("dask is not installed: pip install 'aixi_approx[dask]'") from None
    try:
        client = Client(address, timeout=CLUSTER_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"no Dask scheduler answers at {address}: does it run, by 'dask scheduler'? ({error})"
        ) from None
    with client:
        try:
            client.wait_for_workers(1, CLUSTER_SECONDS)
        except TimeoutError:
            raise ValueError(
                f"the Dask scheduler at {address} has no workers: start some, 'dask worker {address}'"
            ) from None
        for worker, found in client.run(_version(), on_error="return").items():
            if found != __version__:
                has = f"aixi_approx {found}" if isinstance(found, str) else f"no aixi_approx ({found})"
                raise ValueError(f"the Dask worker {worker} has {has}: install {__version__} there, as it is here")
        executor = client.get_executor(pure=False)
        yield Engine(
            executor,
            lambda: sum(client.nthreads().values()),
            lambda: executor.shutdown(wait=False),
            (KilledWorker, CommClosedError, CancelledError),
        )


def _address(given: str) -> str:
    """Return the address of a scheduler with its port."""
    try:
        port = urlsplit(given).port
    except ValueError as error:
        raise ValueError(f"{given} is no address of a Dask scheduler: {error}") from None
    return given if port else f"{given.rstrip('/')}:8786"


def _version() -> Callable[[], str]:
    """Return a function that is sent to a worker as it stands: the worker need not have this module."""

    def version() -> str:
        from aixi_approx import __version__

        return __version__

    return version


@contextmanager
def _mpi() -> Iterator[Engine]:
    try:
        from mpi4py import MPI  # noqa: F401
        from mpi4py.futures import MPIPoolExecutor
    except (ImportError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"mpi is not installed: pip install 'aixi_approx[mpi]' ({reason})") from None
    if "mpi4py.futures" not in sys.orig_argv:
        raise ValueError("mpi: start it as 'mpiexec -n 4 python -m mpi4py.futures -m aixi_approx.cli ...'")
    with MPIPoolExecutor() as executor:
        yield Engine(executor, lambda: executor.num_workers, lambda: executor.shutdown(wait=False, cancel_futures=True))

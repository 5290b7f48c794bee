"""Tasks: calls that any worker can make, and the loop that runs them.

A task is a pure function of its arguments, so results depend neither on where tasks run nor on their order. Results
return to this process, the only one that writes files: a task can be abandoned at any time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future
from concurrent.futures import wait as wait_for
from itertools import islice
from typing import Any, NamedTuple

AHEAD = 2  # tasks submitted per worker, so that none waits for its next one
LOOK_SECONDS = 0.3  # between two checks of their progress
LACK_SECONDS = 5.0  # without any worker, after which it is said
LOST_SECONDS = 120.0  # without any worker, after which nothing more is expected: one that is restarted is there by then


class Task(NamedTuple):
    """A call that any worker can make."""

    function: Callable[..., Any]  # at module level, so that workers find it by name
    arguments: tuple[Any, ...]  # can be pickled, as can the result


class Engine(NamedTuple):
    """A place where tasks run."""

    executor: Executor
    workers: Callable[[], int]  # number of tasks that run at a time; this may change in a cluster
    stop: Callable[[], None]  # abandons all unfinished tasks
    losses: tuple[type[Exception], ...] = (BrokenExecutor, CancelledError)  # what it raises when workers are lost
    lost: Callable[[], str] = lambda: "a worker is gone: killed, out of memory or out of reach"  # what is said then


def run_all(
    engine: Engine,
    tasks: Iterable[Task],
    *,
    finish: Callable[[Task, Any], Iterable[Task]],
    watch: Callable[[], None] = lambda: None,
) -> None:
    """Run tasks in order; the tasks that follow from a result run before the remaining ones.

    Parameters
    ----------
    engine : Engine
        Where to run them.
    tasks : iterable of Task
        The initial tasks. Each is drawn when a worker is about to be free for it.
    finish : callable
        Called in this process with each task and its result, as soon as it is available. Returns the tasks that follow
        from it, which are drawn in the same way.
    watch : callable, optional
        Called now and then, and at the end.

    Raises
    ------
    RuntimeError
        If workers are lost: killed, out of memory, or out of reach; if there is none for a while; if a task was ended
        by something else than an error.
    Exception
        Whatever a task or `finish` raises. Unfinished tasks are then abandoned, as on Ctrl-C; `finish` has been called
        with all results that were available before.
    """
    waiting = [iter(tasks)]
    begun: dict[Future[Any], Task] = {}
    patience = _Patience()
    try:
        while True:
            workers = engine.workers()
            patience.see(workers)
            room = AHEAD * max(1, workers) - len(begun)
            for task in islice(_drawn(waiting), max(0, room)):
                begun[engine.executor.submit(task.function, *task.arguments)] = task
            if not begun:
                watch()
                return
            ended, _ = wait_for(begun, LOOK_SECONDS, FIRST_COMPLETED)
            for future in sorted((future for future in begun if future in ended), key=_failed):
                waiting.append(iter(finish(begun.pop(future), _result(future))))
            watch()
    except engine.losses as error:
        engine.stop()
        raise RuntimeError(f"{engine.lost()}; what had ended before is kept") from error
    except BaseException:
        engine.stop()
        raise


def _drawn(waiting: list[Iterator[Task]]) -> Iterator[Task]:
    """Draw tasks from the last iterator, and from those before it once it is exhausted."""
    while waiting:
        if task := next(waiting[-1], None):
            yield task
        else:
            waiting.pop()


class _Patience:
    """Waits for workers, not for ever, and says so."""

    def __init__(self) -> None:
        self._seen, self._told = time.monotonic(), False

    def see(self, workers: int) -> None:
        """Take in how many workers there are; raise RuntimeError if there was none for too long."""
        now = time.monotonic()
        if workers:
            self._seen, self._told = now, False
        elif now - self._seen > LOST_SECONDS:
            raise RuntimeError(f"no worker is left, for {LOST_SECONDS:.0f} seconds; what had ended before is kept")
        elif now - self._seen > LACK_SECONDS and not self._told:
            self._told = True
            print(f"no worker is left: waiting {LOST_SECONDS:.0f} seconds for another one", file=sys.stderr, flush=True)


def _result(future: Future[Any]) -> Any:
    """What a task returned. What is no error, such as SystemExit, is not to end this process without a word."""
    error = None if future.cancelled() else future.exception()
    if error is None or isinstance(error, Exception | KeyboardInterrupt):
        return future.result()
    raise RuntimeError(f"a task ended with {type(error).__name__}: {error}") from error


def _failed(future: Future[Any]) -> bool:
    return future.cancelled() or future.exception() is not None

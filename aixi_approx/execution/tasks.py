"""Tasks: calls that any worker can make, and the loop that has them made.

A task is a function of its arguments alone, so what comes out depends neither on where tasks are carried out nor on
their order. Results come back to this process, which alone writes files: a task can be given up at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future
from concurrent.futures import wait as wait_for
from itertools import islice
from typing import Any, NamedTuple

AHEAD = 2  # tasks in the hands of the workers, for each worker: it need not wait for the next one
LOOK_SECONDS = 0.3  # between two looks at how far they are


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


def run_all(
    engine: Engine,
    tasks: Iterable[Task],
    *,
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

"""Engines by name: the processes of this machine, a Dask cluster, or MPI.

An engine needs only a `concurrent.futures.Executor`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any, TypeVar

from aixi_approx.execution.cluster import address, dask, mpi
from aixi_approx.execution.processes import Processes
from aixi_approx.execution.tasks import Engine

PLACES = "processes:4 (or just 4), here, dask://HOST:8786, mpi"

Result = TypeVar("Result")


@contextmanager
def engine(where: str | None = None) -> Iterator[Engine]:
    """Start an engine, and shut it down at the end of the `with` block.

    Parameters
    ----------
    where : str, optional
        processes:4, or just 4
            That many processes of this machine; by default, one per core.
        here
            This process, one task after another: for debugging.
        dask://HOST:8786
            The workers of a Dask cluster, by the address of its scheduler. They run tasks in threads, which take turns,
            so start them with one thread each. Ctrl-C does not reach them; a task that is running then finishes, and
            its result is discarded.
        mpi
            The other processes of `mpiexec -n 4 python -m mpi4py.futures -m aixi_approx.cli ...`.

    Raises
    ------
    ValueError
        If there is no such engine, it does not answer, or workers have another version of this package.
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
        yield Engine(InProcess(), lambda: 1, lambda: None)
    elif kind in ("dask", "tcp", "tls") and rest.strip("/"):
        with dask(address(f"{'tcp' if kind == 'dask' else kind}:{rest}")) as cluster:
            yield cluster
    elif where == "mpi":
        with mpi() as world:
            yield world
    else:
        raise ValueError(f"no engine {where!r}: there are {PLACES}")


class InProcess(Executor):
    """An executor that runs each task when it is submitted."""

    def submit(self, function: Callable[..., Result], /, *arguments: Any, **options: Any) -> Future[Result]:
        """Run a task."""
        future: Future[Result] = Future()
        try:
            future.set_result(function(*arguments, **options))
        except Exception as error:
            future.set_exception(error)
        return future

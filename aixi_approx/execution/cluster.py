"""Other machines: the workers of a Dask cluster or of MPI."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from urllib.parse import urlsplit

from aixi_approx._version import __version__
from aixi_approx.execution.tasks import Engine

CLUSTER_SECONDS = 8  # time to wait for a cluster to answer, and for its first worker


@contextmanager
def dask(address: str) -> Iterator[Engine]:
    """Connect to a Dask cluster by the address of its scheduler.

    Raises
    ------
    ValueError
        If Dask is not installed, no scheduler answers, it has no workers, or one has another version of this package.
    """
    try:
        from distributed import Client, KilledWorker
        from distributed.comm import CommClosedError
    except ImportError:
        raise ValueError("dask is not installed: pip install 'dask[distributed]'") from None
    try:
        client = Client(address, timeout=CLUSTER_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"no Dask scheduler answers at {address}: was it started, with 'dask scheduler'? ({error})"
        ) from None
    with _quiet("distributed"), client:
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
            lambda: f"the Dask scheduler at {address} or a worker of it is gone: killed, out of memory or out of reach",
        )


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Keep a library, each part of which has a logger, from reporting errors itself: those that matter are raised."""
    loggers = [logging.getLogger(each) for each in logging.root.manager.loggerDict if each.partition(".")[0] == name]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled


def address(given: str) -> str:
    """Return the address of a scheduler, with a port."""
    try:
        port = urlsplit(given).port
    except ValueError as error:
        raise ValueError(f"{given} is not an address of a Dask scheduler: {error}") from None
    return given if port else f"{given.rstrip('/')}:8786"


def _version() -> Callable[[], str]:
    """Return a function that is pickled by value: a worker can run it without this module."""

    def version() -> str:
        from aixi_approx import __version__

        return __version__

    return version


@contextmanager
def mpi() -> Iterator[Engine]:
    """Connect to the other processes of MPI.

    Raises
    ------
    ValueError
        If mpi4py is not installed, or this process was not started by it.
    """
    try:
        from mpi4py import MPI  # noqa: F401
        from mpi4py.futures import MPIPoolExecutor
    except (ImportError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"mpi is not installed: pip install mpi4py ({reason})") from None
    if "mpi4py.futures" not in sys.orig_argv:
        raise ValueError("mpi: start it as 'mpiexec -n 4 python -m mpi4py.futures -m aixi_approx.cli ...'")
    with MPIPoolExecutor() as executor:
        yield Engine(executor, lambda: executor.num_workers, lambda: executor.shutdown(wait=False, cancel_futures=True))

"""Fixtures of several test files."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from small_runs import FREQUENCY, WORLDS

# A shell that starts the tests in the background has them, and the programs that they start, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("cold", deadline=None)  # a first example may compile
settings.load_profile("cold")


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a Dask cluster whose workers are threads of this process."""
    import distributed

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp://", dashboard_address=":0"
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def own_predictor(tmp_path: Path) -> str:
    """The name of a small predictor in a file of its own."""
    (tmp_path / "my_predictor.py").write_text(FREQUENCY)
    return f"{tmp_path}/my_predictor.py:Frequency"


@pytest.fixture
def worlds(tmp_path: Path) -> str:
    """The path of a file with small environments: Lake, Plain and Trap."""
    (tmp_path / "worlds.py").write_text(WORLDS)
    return f"{tmp_path}/worlds.py"

"""The same seed gives the same bytes: whatever hash seed, threads, cache, compiler or interruptions there are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aixi_approx.environment import Schedule, Settings
from aixi_approx.experiments.experiment import Experiment
from aixi_approx.experiments.running import run
from aixi_approx.planner_spec import PlannerSpec

SETTINGS = Settings(depth=16, horizon=2, simulations=12, epsilon=0.3, decay=0.99)
AGENTS = [
    ("kuhn-poker", "ctw", "dpuct+majority:2+policy:learned"),
    ("kuhn-poker", "true", "pooled:2"),
    ("tiger", "ctw", "rhouct+majority:2"),
    ("tiger>biased-rps@20", "ctw", "one-ply+pooled:3"),
]
FILES = ("learning.csv", "evaluation.csv", "agent.aixi")
CODE = """
import sys
from pathlib import Path
from aixi_approx.environment import Schedule, Settings
from aixi_approx.experiments.experiment import Experiment
from aixi_approx.experiments.running import run
from aixi_approx.planner_spec import PlannerSpec
for number, experiment in enumerate({experiments}):
    run(experiment, Path(sys.argv[1]) / str(number), threads={threads})
"""


def experiments() -> list[Experiment]:
    """Runs of some agents with independent searches."""
    schedule = Schedule(40, evaluation_simulations=6)
    return [
        Experiment(environment, SETTINGS, schedule, PlannerSpec.parse(planner), model, evaluate=10, seed=2)
        for environment, model, planner in AGENTS
    ]


def content(folder: Path) -> list[dict[str, bytes]]:
    """What the runs in a folder came to."""
    return [{name: (folder / str(i) / name).read_bytes() for name in FILES} for i in range(len(AGENTS))]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, bytes]]:
    """The runs in this process."""
    folder = tmp_path_factory.mktemp("expected")
    for number, experiment in enumerate(experiments()):
        run(experiment, folder / str(number))
    return content(folder)


@pytest.mark.parametrize(
    ("threads", "environment"),
    [
        (1, {"PYTHONHASHSEED": "1"}),
        (2, {"PYTHONHASHSEED": "2"}),
        (3, {"NUMBA_CACHE_DIR": "/proc/none"}),  # where nothing can be kept
        (1, {"NUMBA_DISABLE_JIT": "1"}),
        (2, {"OMP_NUM_THREADS": "1", "PYTHONOPTIMIZE": "1", "LC_ALL": "C"}),
    ],
    ids=lambda each: "-".join(each) if isinstance(each, dict) else str(each),
)
def test_other_processes_come_to_the_same_bytes(
    threads: int, environment: dict[str, str], expected: list[dict[str, bytes]], tmp_path: Path
) -> None:
    code = CODE.format(experiments=experiments(), threads=threads)
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], env={**os.environ, **environment}, check=True)
    assert content(tmp_path) == expected


@pytest.mark.parametrize("cycles", [13, 40])
@pytest.mark.parametrize("snapshot", [True, False])
def test_what_went_on_comes_to_the_same_bytes(
    cycles: int, snapshot: bool, expected: list[dict[str, bytes]], tmp_path: Path
) -> None:
    for number, experiment in enumerate(experiments()):
        folder = tmp_path / str(number)
        run(experiment._replace(schedule=experiment.schedule._replace(cycles=cycles), evaluate=4), folder, threads=2)
        if not snapshot:
            (folder / "agent.aixi").unlink()
        run(experiment, folder)
    assert content(tmp_path) == expected

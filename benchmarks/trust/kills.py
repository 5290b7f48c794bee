"""Kill runs at random moments, let them go on, and compare what they come to with runs that nobody killed.

    .venv/bin/python benchmarks/trust/kills.py [--kills 1000] [--seed 0]

Every run is one of several agents, with a snapshot after every few cycles, so that many kills hit one that is being
written. A process is killed by SIGKILL, SIGTERM or SIGINT after a random time, and another one goes on in its folder,
until the run is complete. Rows, agent and result have to be those of the run that was not killed, byte for byte (but
for the seconds). Nothing may be printed, and no other file may be left.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from aixi_approx.environment import Schedule, Settings
from aixi_approx.execution.folder import read_checked
from aixi_approx.experiments import running as module
from aixi_approx.experiments.experiment import Experiment
from aixi_approx.experiments.running import run
from aixi_approx.planner_spec import PlannerSpec

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
SETTINGS = Settings(depth=32, horizon=3, simulations=20, epsilon=0.3, decay=0.999)
KINDS = [
    ("tiger", "ctw", "dpuct"),
    ("kuhn-poker", "ctw", "dpuct+policy:learned"),
    ("pacman", "ctw", "rhouct"),
    ("cheese-maze", "true", "dpuct"),
    ("tiger>biased-rps@100", "ctw", "aiqi"),
    ("biased-rps", "ctw", "q-learning"),
]
DONE, FAILED = 0, 3


def experiment_of(kind: tuple[str, str, str]) -> Experiment:
    """A run of some seconds at most."""
    environment, model, planner = kind
    schedule = Schedule(400, evaluation_simulations=20)
    return Experiment(environment, SETTINGS, schedule, PlannerSpec.parse(planner), model, evaluate=60, seed=1)


def lasting(folder: Path) -> dict[str, object]:
    """All that a run comes to, but for what depends on the time."""
    found: dict[str, object] = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".json"}
    found.pop("agent-previous.aixi", None)
    result = read_checked(folder / "result.json")
    return {**found, "result": {name: value for name, value in result.items() if "seconds" not in name}}


def start(experiment: Experiment, folder: Path) -> int:
    """A process that runs an experiment; its number."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS[1:])  # not while Python puts itself in order
    process = os.fork()
    if process:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return process
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        run(experiment, folder)
    except KeyboardInterrupt:
        os._exit(130)
    except BaseException as error:
        print(f"{folder}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(FAILED)
    os._exit(DONE)


def main() -> None:
    """Kill, and print what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    module.SNAPSHOT_SECONDS, module.SNAPSHOT_SHARE = 0.002, 1
    rng, counts = random.Random(given.seed), Counter[str]()
    with tempfile.TemporaryDirectory() as base:
        whole, seconds = {}, {}
        for i, kind in enumerate(KINDS):
            run(experiment_of(kind), Path(base) / f"warm{i}")
            began = time.perf_counter()
            run(experiment_of(kind), Path(base) / f"whole{i}")
            seconds[kind] = time.perf_counter() - began
            whole[kind] = lasting(Path(base) / f"whole{i}")
        while sum(counts[each.name] for each in SIGNALS) < given.kills:
            kind, folder = rng.choice(KINDS), Path(base) / "run"
            while True:
                process = start(experiment_of(kind), folder)
                time.sleep(rng.uniform(0.0, 0.4 * seconds[kind]))
                how = rng.choice(SIGNALS)
                drafts = any(folder.glob("*.draft")) if folder.exists() else False
                os.kill(process, how)
                _, status = os.waitpid(process, 0)
                code = os.waitstatus_to_exitcode(status)
                if code == DONE:
                    break
                if code == FAILED:
                    counts["failed"] += 1
                    break
                counts[how.name] += 1
                counts["within a write"] += drafts
            counts["runs"] += 1
            if code == DONE:
                counts["different"] += lasting(folder) != whole[kind]
                counts["left over"] += len(list(folder.glob("*.draft")))
            shutil.rmtree(folder)
    for name in (*(each.name for each in SIGNALS), "within a write", "runs", "failed", "different", "left over"):
        print(f"{name:<16}{counts[name]:>8,}")
    sys.exit(1 if counts["failed"] or counts["different"] or counts["left over"] else 0)


if __name__ == "__main__":
    main()

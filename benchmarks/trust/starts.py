"""Start the same run twice at the same moment in one folder, again and again.

    .venv/bin/python benchmarks/trust/starts.py [--pairs 1000]

One of the two runs. The other says that another process writes there; or, if it comes so late that the first is
through, it finds the complete run. The rows are those of a run that was alone.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from aixi_approx.environment import Schedule, Settings
from aixi_approx.experiments.experiment import Experiment
from aixi_approx.experiments.running import run

EXPERIMENT = Experiment(
    "coin-flip", Settings(depth=8, horizon=2, simulations=10), Schedule(60, evaluation_simulations=10), evaluate=20
)
RAN, REFUSED, FAILED = range(3)


def start(folder: Path, gate: int) -> int:
    """A process that runs the experiment as soon as the gate opens; its number."""
    process = os.fork()
    if process:
        return process
    os.read(gate, 1)
    try:
        run(EXPERIMENT, folder)
    except ValueError as error:
        os._exit(REFUSED if "another process writes to" in str(error) else FAILED)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(FAILED)
    os._exit(RAN)


def main() -> None:
    """Start pairs, and print what came of them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=1_000)
    given = parser.parse_args()
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as base:
        run(EXPERIMENT, Path(base) / "alone")
        rows = (Path(base) / "alone" / "learning.csv").read_bytes()
        for _ in range(given.pairs):
            folder, (gate, opener) = Path(base) / "run", os.pipe()
            pair = [start(folder, gate) for _ in range(2)]
            os.write(opener, b"12")
            codes = sorted(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in pair)
            counts["one ran, the other said so"] += codes == [RAN, REFUSED]
            counts["one after the other"] += codes == [RAN, RAN]
            counts["failed"] += FAILED in codes or codes == [REFUSED, REFUSED]
            counts["different rows"] += (folder / "learning.csv").read_bytes() != rows
            os.close(gate)
            os.close(opener)
            shutil.rmtree(folder)
    for name in ("one ran, the other said so", "one after the other", "failed", "different rows"):
        print(f"{name:<28}{counts[name]:>6,}")
    sys.exit(1 if counts["failed"] or counts["different rows"] else 0)


if __name__ == "__main__":
    main()

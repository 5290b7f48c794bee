"""What a page costs: the time of a run with its default length, and that of building and writing its page afterwards.

    python benchmarks/mind/cost.py [NAME ...]

A run that is shown is the same run: nothing is recorded for the page while it is under way. The table has the time of
the run, of the page, and the share of the second in the first.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from aixi_approx.experiments import Experiment, run
from aixi_approx.viewer.page import write_page
from aixi_approx.viewer.recorded_run import recorded_run
from aixi_approx.viewer.scenes import mind

NAMES = ("tiger", "kuhn-poker", "cheese-maze", "pacman", "locks:2")


def main(names: list[str]) -> None:
    """Print a row for each environment."""
    print("| environment | cycles | run, s | page, s | share | MB |\n|---|--:|--:|--:|--:|--:|")
    for name in names or NAMES:
        run(Experiment.of(name, cycles=20, evaluate=5))  # compiles what is not compiled yet
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            run(Experiment.of(name), Path(folder))
            ran = time.perf_counter()
            recorded, page = recorded_run(folder), Path(folder) / "mind.html"
            write_page(mind(recorded), page)
            drawn = time.perf_counter() - ran
            ran -= began
            size = page.stat().st_size / 1e6
        print(
            f"| {name} | {recorded.cycles:,} | {ran:.1f} | {drawn:.1f} | {drawn / ran:.1%} | {size:.2f} |", flush=True
        )


if __name__ == "__main__":
    main(sys.argv[1:])

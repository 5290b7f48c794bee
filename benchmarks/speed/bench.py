"""How fast the search and the predictor are, one thread, side by side with pyaixi in the same run.

    python benchmarks/speed/bench.py [--text FILE] [--quick]

Simulations per second: some random cycles of experience, then searches from the history they end with, each from
nothing (no memo carried over), the median of several. pyaixi is timed between them by `peer_pyaixi.py` if it is
installed; its speed does not depend on the number of simulations. Nanoseconds per bit: `aixi predict` on a text, by
default the English of Python's own documentation (pydoc_data/topics.py, about 750 kB).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from aixi_approx import make
from aixi_approx.planners import RhoUCT
from aixi_approx.predictors import FactoredContextTree
from aixi_approx.randomness import stream

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results" / "speed.json"

# Environment, depth, horizon, random cycles of experience, simulations of a search. Depths and horizons are those that
# speeds of other implementations are known for, not all those of `aixi run`.
SEARCHES = [
    ("tiger", 96, 5, (2_000, 25_000), (500, 2_500, 25_000)),
    ("extended-tiger", 96, 4, (2_000,), (500, 25_000)),
    ("biased-rps", 32, 4, (2_000,), (500, 5_000)),
    ("kuhn-poker", 32, 4, (2_000,), (500, 5_000)),
    ("cheese-maze", 96, 5, (2_000,), (500, 5_000)),
]
DEPTHS = (16, 48, 96, 500)
PEER_SIMULATIONS = 100


def experienced(name: str, depth: int, cycles: int) -> FactoredContextTree:
    """Return a predictor that has learned from random cycles."""
    environment = make(name)
    environment.reset(1)
    coding = environment.coding
    tree = FactoredContextTree(depth, coding.action_bits, coding.percept_bits)
    for action in np.random.default_rng(1).integers(coding.actions, size=cycles):
        tree.learn(coding.cycle(int(action), *environment.step(int(action))))
    return tree


def search_speed(planner: RhoUCT, tree: FactoredContextTree, repeats: int) -> float:
    """Return simulations per second of CPU time, the median over searches from nothing."""
    rates = []
    for repeat in range(repeats + 1):
        planner.forget()
        began = time.process_time()
        planner.search(tree, stream(repeat))
        rates.append(planner.simulations / (time.process_time() - began))
    return median(rates[1:])  # the first warms up


def peer_speed(name: str, depth: int, horizon: int, cycles: int) -> float | None:
    """Return simulations per second of pyaixi, or None if it is not installed."""
    command = [sys.executable, str(HERE / "peer_pyaixi.py"), name]
    numbers = [str(n) for n in (depth, horizon, PEER_SIMULATIONS, cycles)]
    done = subprocess.run(command + numbers, capture_output=True, text=True, check=False)
    return float(json.loads(done.stdout)["simulations_per_second"]) if done.returncode == 0 else None


def searches(repeats: int) -> list[dict[str, Any]]:
    """Time the searches, and pyaixi between them; print a table."""
    print("| environment | D | m | experience | simulations | ours, 1/s | without memo | pyaixi, 1/s | ratio |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    rows = []
    for name, depth, horizon, experiences, budgets in SEARCHES:
        for cycles in experiences:
            tree = experienced(name, depth, cycles)
            peers = [peer_speed(name, depth, horizon, min(cycles, 2_000)) for _ in range(3)]
            peer = median(p for p in peers if p is not None) if None not in peers else None
            for budget in budgets:
                coding = make(name).coding
                with_memo, without = (
                    search_speed(
                        RhoUCT(coding, horizon, simulations=budget, memo=memo), tree, max(3, repeats * 500 // budget)
                    )
                    for memo in (True, False)
                )
                rows.append(
                    {
                        "environment": name,
                        "depth": depth,
                        "horizon": horizon,
                        "experience": cycles,
                        "simulations": budget,
                        "per_second": with_memo,
                        "per_second_without_memo": without,
                        "pyaixi": peer,
                    }
                )
                beside = f"{peer:.0f} | {with_memo / peer:,.0f}" if peer else "not installed |"
                print(
                    f"| {name} | {depth} | {horizon} | {cycles:,} | {budget:,} "
                    f"| {with_memo / 1000:,.0f}k | {without / 1000:,.0f}k | {beside} |",
                    flush=True,
                )
    return rows


def predictions(text: Path) -> list[dict[str, Any]]:
    """Time `aixi predict` on a text at several depths; print a table."""
    print(f"\n{text.name}, {text.stat().st_size:,} bytes\n")
    print("| depth | trees | ns per bit | bits per byte | nodes per bit | memory, MB |")
    print("|--:|--:|--:|--:|--:|--:|")
    rows = []
    for trees in (8, 1):
        for depth in DEPTHS:
            command = ["predict", str(text), "--depth", str(depth), "--trees", str(trees), "--json"]
            program = f"from aixi_approx.cli import main; main({command!r})"
            done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
            row = json.loads(done.stdout)
            rows.append(row)
            print(
                f"| {depth} | {trees} | {row['nanoseconds_per_bit']:.0f} | {row['bits_per_byte']:.4f} "
                f"| {row['nodes'] / row['bytes'] / 8:.3f} | {row['memory'] / 1e6:.0f} |",
                flush=True,
            )
    return rows


def main() -> None:
    """Time everything, print the tables, write them to results/speed.json."""
    import pydoc_data.topics

    parser = argparse.ArgumentParser(description="Speed of search and predictor, one thread.")
    parser.add_argument("--text", type=Path, default=Path(pydoc_data.topics.__file__))
    parser.add_argument("--quick", action="store_true", help="few repeats, for a look")
    chosen = parser.parse_args()
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}, {time.strftime('%Y-%m-%d')}; CPU time of one thread\n")
    rows = searches(repeats=5 if chosen.quick else 60)
    RESULTS.write_text(
        json.dumps({"machine": machine, "searches": rows, "predictions": predictions(chosen.text)}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()

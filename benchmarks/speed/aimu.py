"""How fast AImu searches, one thread, side by side with pomdp_py on Tiger in the same run.

    python benchmarks/speed/aimu.py [--python INTERPRETER] [--quick]

Both are given the true environment and the exact belief, and search from nothing with random rollouts. INTERPRETER is
one that has pomdp-py (`pip install pomdp-py`); the one that runs this file if not given. The ratio is that of simulated
cycles per second, because the simulations of pomdp_py are up to one cycle longer. Median of several, CPU time.
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

from aixi_approx import make
from aixi_approx.planners import POUCT
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.predictors import TrueModel
from aixi_approx.randomness import stream

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results" / "aimu.json"

HORIZONS = (10, 3)
BUDGETS = (500, 10_000, 100_000)


def speed(pomdp: POMDP, horizon: int, simulations: int, repeats: int) -> float:
    """Return simulations per second of CPU time."""
    planner, model, rates = POUCT(pomdp, horizon, simulations=simulations), TrueModel(pomdp), []
    for repeat in range(repeats + 1):
        began = time.process_time()
        planner.search(model, stream(repeat))
        rates.append(simulations / (time.process_time() - began))
    return median(rates[1:])  # the first warms up


def peer_speed(python: str, horizon: int, simulations: int, repeats: int) -> dict[str, Any] | None:
    """Return what pomdp_py achieves, or None if it is not installed there."""
    numbers = [str(n) for n in (horizon, simulations, repeats)]
    if subprocess.run([python, "-c", "import pomdp_py"], capture_output=True, check=False).returncode:
        return None
    done = subprocess.run(
        [python, str(HERE / "peer_pomdp_py.py"), *numbers], capture_output=True, text=True, check=True
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def main() -> None:
    """Time everything, print the table, write it to results/aimu.json."""
    parser = argparse.ArgumentParser(description="Speed of AImu beside pomdp_py, one thread.")
    parser.add_argument("--python", default=sys.executable, help="interpreter that has pomdp-py")
    parser.add_argument("--quick", action="store_true", help="few repeats, for a look")
    chosen = parser.parse_args()
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}, {time.strftime('%Y-%m-%d')}; CPU time of one thread\n")
    print("| environment | horizon | simulations | AImu, 1/s | pomdp_py, 1/s | ratio |")
    print("|---|--:|--:|--:|--:|--:|")
    tiger = make("tiger")
    assert isinstance(tiger, POMDP)
    rows = []
    for horizon in HORIZONS:
        for budget in BUDGETS:
            ours = speed(tiger, horizon, budget, max(5, (300_000 if chosen.quick else 2_000_000) // budget))
            peer = peer_speed(chosen.python, horizon, budget, 1 if chosen.quick else 3)
            rows.append({"horizon": horizon, "simulations": budget, "per_second": ours, "pomdp_py": peer})
            beside = "not installed |"
            if peer:
                theirs = peer["simulations_per_second"]
                beside = f"{theirs / 1000:,.0f}k | {ours * horizon / (theirs * peer['steps']):,.0f}"
            print(f"| tiger | {horizon} | {budget:,} | {ours / 1000:,.0f}k | {beside} |", flush=True)
    RESULTS.write_text(json.dumps({"machine": machine, "environment": "tiger", "searches": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()

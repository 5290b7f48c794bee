"""How soon Ctrl-C, SIGTERM and SIGHUP end a command: milliseconds to the line that says so, and to its end.

    python benchmarks/trust/signals.py              # a few minutes
    python benchmarks/trust/signals.py --tries 1    # of each signal in each command

The signal is sent at a random moment: while a command works, or while it starts, with and without compiled code in the
cache. Each must end with the exit code of the signal, and with one line on stderr.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

AIXI = str(Path(sys.executable).with_name("aixi"))
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LONG = ["--simulations", "20000000"]
COMMANDS = {  # that work for longer than they are given
    "run, dpuct, ctw": ["run", "tiger", *LONG],
    "run, dpuct, true": ["run", "tiger", "--model", "true", *LONG],
    "run, rhouct, ctw": ["run", "tiger", "--planner", "rhouct", *LONG],
    "run, rhouct, true": ["run", "tiger", "--planner", "rhouct", "--model", "true", *LONG],
    "run, two threads": ["run", "coin-flip", "--planner", "majority:2", "--threads", "2", *LONG],
    "run, expectimax, ctw": [
        "run",
        "tiger",
        "--planner",
        "expectimax",
        "--horizon",
        "6",
        "--prune",
        "0.002",
        "--exploration",
        "0",
        "1",
    ],
    "run, expectimax, true": ["run", "kuhn-poker", "--planner", "expectimax", "--model", "true", "--horizon", "9"],
    "run, long horizon": ["run", "tiger", "--horizon", "100", "--depth", "900", *LONG],
    "run, short cycles": ["run", "tiger", "--cycles", "10000000", "--out", "out"],
    "solve": ["solve", "rocksample:4-3", "--max-beliefs", "10000000"],
    "scale": ["scale", "tiger", "--seeds", "500", "--yes", "--out", "study"],
    "predict": ["predict", "data"],
}
BUSY_SECONDS = 3.0, 6.0  # after which a command is at work
START_SECONDS = 0.06, 2.0  # in which it imports, and compiles
DATA_BYTES = 20_000_000


class Heard(NamedTuple):
    """How a command ended."""

    heard: float
    """Milliseconds until the line was there."""
    ended: float
    """Until the process was gone."""
    wrong: str


def stop(command: list[str], number: int, *, after: float, **environment: str) -> Heard:
    """Start a command, send it a signal after some seconds, and see how it ends."""
    with tempfile.TemporaryDirectory() as place:
        if "data" in command:
            (Path(place) / "data").write_bytes(random.randbytes(DATA_BYTES))
        process = subprocess.Popen(
            [AIXI, *command],
            cwd=place,
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: [signal.signal(each, signal.SIG_DFL) for each in SIGNALS],
        )
        time.sleep(after)
        began = time.perf_counter()
        process.send_signal(number)
        assert process.stderr
        err, heard = "", 0.0
        for line in process.stderr:
            err += line
            heard = heard or ("aixi: stopped" in line) * 1000 * (time.perf_counter() - began)
        process.wait()
        ended = 1000 * (time.perf_counter() - began)
    wrong = ""
    if process.returncode != 128 + number:
        wrong = f"exit code {process.returncode}: {err[-300:]!r}"
    elif "Traceback" in err or err.count("aixi: stopped") != 1 or not err.splitlines()[-1].startswith("aixi: stopped"):
        wrong = repr(err[-300:])
    elif "--out" in command and "goes on" not in err:
        wrong = f"it does not say how to go on: {err[-300:]!r}"
    return Heard(heard, ended, wrong)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=3)
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--only", default="", help="commands whose names have this in them")
    given = parser.parse_args()
    random.seed(0)
    print(
        f"{'':32}{'heard, ms':>16}{'ended, ms':>16}\n{'':32}{'median':>8}{'worst':>8}{'median':>8}{'worst':>8}   wrong"
    )
    for what, command in COMMANDS.items():
        for number in SIGNALS if given.only in what else ():
            tell(what, number, [stop(command, number, after=random.uniform(*BUSY_SECONDS)) for _ in range(given.tries)])
    for number in SIGNALS if given.only in "start-up" else ():
        command = COMMANDS["run, short cycles"]
        moments = [random.uniform(*START_SECONDS) for _ in range(given.starts)]
        tell("start-up", number, [stop(command, number, after=moment) for moment in moments])
        with tempfile.TemporaryDirectory() as cache:
            found = [stop(command, number, after=4 * moment, NUMBA_CACHE_DIR=cache) for moment in moments[:5]]
        tell("compiling", number, found)


def tell(what: str, number: int, found: list[Heard]) -> None:
    """Print a line."""
    times = [(statistics.median(each), max(each)) for each in list(zip(*found, strict=True))[:2]]
    wrong = [each.wrong for each in found if each.wrong]
    name, told = signal.Signals(number).name, "".join(f"{each:8.0f}" for pair in times for each in pair)
    print(f"{what:24}{name:8}{told}   {len(wrong)} of {len(found)}", flush=True)
    for each in wrong:
        print(f"    {each}", flush=True)


if __name__ == "__main__":
    main()

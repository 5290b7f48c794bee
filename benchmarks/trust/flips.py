"""Damage the files of a run and of a study, a bit or an end at a time, and see what comes of it.

    .venv/bin/python benchmarks/trust/flips.py [--bits 10000] [--seed 0]

Bits are drawn from all bits of all files; one end in ten is a truncation. With a damaged file the run is gone on with,
or the study read and gone on with. It may be refused with a line that names the file, healed (the same rows, agent and
result in the end), or harmless. Anything else is a failure: another exception, another result, a silent loss. Compiled
code in the cache is damaged by cache.py.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aixi_approx.environment import Schedule, Settings
from aixi_approx.execution.engines import engine
from aixi_approx.execution.folder import read_checked
from aixi_approx.experiments.experiment import Experiment
from aixi_approx.experiments.running import run
from aixi_approx.laboratory import Laboratory, Study
from aixi_approx.planner_spec import PlannerSpec

SETTINGS = Settings(depth=16, horizon=2, simulations=8, epsilon=0.3, decay=0.99)
RUN = Experiment(
    "kuhn-poker",
    SETTINGS,
    Schedule(60, evaluation_simulations=4),
    PlannerSpec.parse("dpuct+policy:learned"),
    evaluate=15,
    seed=1,
)
STUDY = Study(("coin-flip",), experience=(20, 40), simulations=(5,), seeds=1, cycles=10, sampled_decisions=2)


def run_again(folder: Path) -> Any:
    """What a run comes to when it goes on; without a result, unless that is what was damaged."""
    run(RUN, folder)
    result = read_checked(folder / "result.json")
    files = [(folder / name).read_bytes() for name in ("learning.csv", "evaluation.csv", "agent.aixi")]
    return files, {name: value for name, value in result.items() if "seconds" not in name}


def study_again(folder: Path) -> Any:
    """What a study comes to when it goes on."""
    laboratory = Laboratory(folder, STUDY)
    with engine("here") as here:
        laboratory.run(here)
    return [{name: value for name, value in row.items() if name != "seconds"} for row in laboratory.rows()]


def main() -> None:
    """Damage, and print what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bits", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng, counts = random.Random(given.seed), Counter[tuple[str, str]]()
    with tempfile.TemporaryDirectory() as base:
        wholes: list[tuple[Path, Callable[[Path], Any], Any]] = []
        for name, again in (("run", run_again), ("study", study_again)):
            folder = Path(base) / name
            wholes.append((folder, again, again(folder)))
        files = [
            (folder, again, expected, path)
            for folder, again, expected in wholes
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != "agent-previous.aixi"
        ]
        sizes = [path.stat().st_size for *_, path in files]
        for _ in range(given.bits):
            folder, again, expected, path = rng.choices(files, sizes)[0]
            copy = Path(shutil.copytree(folder, Path(base) / "copy"))
            kind = "study cell" if path.parent != folder else path.name
            if path.name != "result.json" and (copy / "result.json").exists():
                (copy / "result.json").unlink()
            target = copy / path.relative_to(folder)
            content = bytearray(target.read_bytes())
            place = rng.randrange(len(content))
            if rng.random() < 0.1:
                del content[place:]
            else:
                content[place] ^= 1 << rng.randrange(8)
            target.write_bytes(content)
            try:
                with contextlib.redirect_stderr(io.StringIO()):
                    found = again(copy)
                counts[kind, "the same in the end" if found == expected else "DIFFERENT"] += 1
            except ValueError as error:
                named = path.name in str(error) or str(copy) in str(error)
                counts[kind, "refused" if named and "\n" not in str(error) else "WITHOUT A NAME"] += 1
                if not named:
                    print(f"{path.name}: {error}", file=sys.stderr)
            except Exception as error:
                counts[kind, "FAILED"] += 1
                print(f"{path.name}, byte {place}: {type(error).__name__}: {error}", file=sys.stderr)
            shutil.rmtree(copy)
    for (kind, what), count in sorted(counts.items()):
        print(f"{kind:<16}{what:<22}{count:>7,}")
    sys.exit(1 if any(what.isupper() for _, what in counts) else 0)


if __name__ == "__main__":
    main()

"""Damage compiled code on disk, and see that it is noticed, that it heals, and that the result is the same.

python benchmarks/trust/cache.py 10000 40

The first number is how many single bits are flipped, and how many ends are cut off, in the files of one small run, each
checked alone; the second how many runs meet a folder in which about a third of the files are damaged in a random way.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aixi_approx import compilation

RUN = ["run", "tiger", "--cycles", "50", "--simulations", "20", "--evaluate", "20", "--json"]
CLOCK = ("learning_seconds", "evaluation_seconds")  # of a result: what differs from run to run


def run(folder: Path) -> tuple[dict[str, Any], str]:
    """The result of a run that keeps compiled code in a folder, and what it said of it."""
    process = subprocess.run(
        [sys.executable, "-m", "aixi_approx.cli", *RUN],
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode or "Traceback" in process.stderr:
        sys.exit(f"exit code {process.returncode}: {process.stderr}")
    result = json.loads(process.stdout)
    said = [line for line in process.stderr.splitlines() if line.startswith("aixi_approx: ")]
    return {name: value for name, value in result.items() if name not in CLOCK}, "\n".join(said)


def flipped(file: bytes, bit: int) -> bytes:
    """A file with one bit changed."""
    changed = bytearray(file)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


DAMAGE: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "bit": lambda file, chance: flipped(file, chance.randrange(8 * len(file))),
    "end": lambda file, chance: file[: chance.randrange(len(file))],
    "zeros": lambda file, chance: bytes(len(file)),
    "noise": lambda file, chance: chance.randbytes(len(file)),
    "hole": lambda file, chance: file[: (cut := chance.randrange(len(file)))] + file[cut + 1 + chance.randrange(99) :],
}


def noticed(file: bytes) -> bool:
    """Whether a file is known to be damaged, by what looks at it before it is used."""
    try:
        compilation._unseal(file, bytes(compilation._HASH))
    except compilation._Damaged:
        return True
    return False


def alone(files: dict[Path, bytes], count: int, *, chance: random.Random) -> None:
    """Check damaged contents, without using any."""
    contents = list(files.values())
    assert not any(map(noticed, contents)), "files without damage are said to be damaged"
    began, total = time.perf_counter(), sum(map(len, contents))
    for file in contents:
        noticed(file)
    seconds = time.perf_counter() - began
    print(f"{len(files)} files, {total:,} bytes, all hashed in {1000 * seconds:.1f} ms")
    found: Counter[str] = Counter()
    for file in chance.choices(contents, weights=[len(file) for file in contents], k=count):  # uniform over the bits
        found["single bits flipped"] += noticed(flipped(file, chance.randrange(8 * len(file))))
        found["ends cut off"] += noticed(file[: chance.randrange(len(file))])
    for what, number in found.items():
        print(f"{what:22}{count:8,}  noticed {number:8,}")
    assert set(found.values()) == {count}
    shortest = min(contents, key=len)
    ends, bits = range(len(shortest)), range(8 * len(shortest))
    every = [noticed(shortest[:end]) for end in ends] + [noticed(flipped(shortest, bit)) for bit in bits]
    print(f"{'all of one file':22}{len(every):8,}  noticed {sum(every):8,}")
    assert all(every)


def in_runs(folder: Path, runs: int, *, wanted: dict[str, Any], chance: random.Random) -> None:
    """Let runs meet damaged files; none crashes, and all have the same result."""
    done: Counter[str] = Counter()
    healed = 0
    for _ in range(runs):
        for path in sorted(folder.rglob("*.nbi")):
            if chance.random() < 1 / 3:
                kind = chance.choice(list(DAMAGE))
                path.write_bytes(DAMAGE[kind](path.read_bytes() or b"x", chance))  # may be damaged for a while
                done[kind] += 1
        result, said = run(folder)
        assert result == wanted, "another result"
        assert said.count("\n") == 0, f"said more than once: {said}"
        healed += "is damaged" in said
    print(f"{runs} runs, {done.total()} damaged files ({', '.join(f'{done[kind]} {kind}' for kind in DAMAGE)}):")
    print(f"the same result each time; {healed} said that compiled code was damaged")
    assert not list(folder.rglob("*.draft"))


def main(bits: int, runs: int) -> None:
    """Damage files alone, and those that runs meet."""
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        wanted, _ = run(folder)
        assert run(folder) == (wanted, "")
        alone({path: path.read_bytes() for path in folder.rglob("*.nbi")}, bits, chance=chance)
        in_runs(folder, runs, wanted=wanted, chance=chance)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

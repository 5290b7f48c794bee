"""Kill a small study at random times, resume it each time, and compare its rows with those of one that was left alone.

python benchmarks/scaling/kill.py 20
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STUDY = """
environments = ["tiger", "coin-flip", "1d-maze"]
experience = [50, 200, 500]
simulations = [1, 10, 30]
seeds = 3
models = ["ctw", "true"]
learners = ["rhouct", "q-learning"]
cycles = 60

[settings]
tiger = { horizon = 3, depth = 24, simulations = 20 }
coin-flip = { horizon = 3, depth = 24, simulations = 20 }
1d-maze = { horizon = 3, depth = 24, simulations = 20 }
"""


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Start the study, or resume it, on two processes."""
    command = [str(Path(sys.executable).with_name("aixi")), "scale", "study.toml", "--on", "2", "--out", folder.name]
    return subprocess.Popen(
        command, cwd=folder.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def rows(folder: Path) -> dict[str, object]:
    """What was measured, except for the seconds, by file; all are complete."""
    left = list(folder.rglob("*.draft"))
    assert not left, f"{left} are left"
    return {path.name: timeless(json.loads(path.read_text())) for path in files(folder)}


def files(folder: Path) -> list[Path]:
    """The files of experience and conditions."""
    return sorted(folder.glob("*/*.json"))


def timeless(content: object) -> object:
    """All but the seconds."""
    if isinstance(content, dict):
        return {name: timeless(value) for name, value in content.items() if name != "seconds"}
    return [timeless(value) for value in content] if isinstance(content, list) else content


def session(leader: int) -> list[str]:
    """The living processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(path.parent.name)
    return found


def main(kills: int) -> None:
    """Kill it so many times, each after some files more; whenever it ends compare it and begin anew, and at the end."""
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as root:
        whole, killed = Path(root) / "whole", Path(root) / "killed"
        (whole.parent / "study.toml").write_text(STUDY)
        began = time.perf_counter()
        assert start(whole).wait() == 0
        seconds = time.perf_counter() - began
        wanted = rows(whole)
        print(f"left alone: {len(wanted)} files in {seconds:.1f} s")
        done, ends, kept = 0, 0, []
        while done < kills or not ends:
            process = start(killed)
            there, wait = len(files(killed)), chance.randrange(12)
            while done < kills and process.poll() is None and len(files(killed)) < there + wait:
                time.sleep(0.005)
            try:
                assert process.wait(chance.uniform(0, 0.3) if done < kills else None) == 0
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                done += 1
                kept.append(len(files(killed)))
                for _ in range(100):
                    if not session(process.pid):
                        break
                    time.sleep(0.1)
                else:
                    sys.exit(f"after kill {done}, processes {session(process.pid)} are left")
            else:
                ends += 1
                assert rows(killed) == wanted, "other rows"
                if done < kills:
                    shutil.rmtree(killed)
        print(f"killed {done} times, with {kept} files there; ended {ends} times, each time with the same rows")


if __name__ == "__main__":
    main(int(sys.argv[1]))

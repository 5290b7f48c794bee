"""Tasks for test_execution.py and test_runner.py, in a module that workers find by name; the processes of a session."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import NamedTuple


class Cell(NamedTuple):
    """An argument and a result of a kind of its own."""

    name: str
    size: int
    call: tuple = (len, "a tuple that begins with a function is a tuple nevertheless")


def measure(cell: Cell, parents: list[Cell]) -> Cell:
    """Return something that tells what came in."""
    assert all(type(each) is Cell for each in (cell, *parents))
    assert cell.call == Cell._field_defaults["call"]
    return cell._replace(size=cell.size**2 + sum(parent.size for parent in parents))


def touch(folder: Path, name: str) -> str:
    (folder / name).touch()
    return name


def hold(folder: Path, name: str) -> None:
    """Run until told to go on."""
    (folder / name).touch()
    for _ in range(600):
        if (folder / "go").exists():
            break
        time.sleep(0.1)
    (folder / f"{name} ended").touch()


def fail() -> None:
    raise LookupError("no such cell")


def die(folder: Path, name: str) -> None:
    """Be killed once something else is there."""
    while not (folder / name).exists():
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)


def run_study(folder: Path) -> None:
    """Run the study of a folder in this process."""
    from aixi_approx.execution.engines import engine
    from aixi_approx.laboratory.runner import Laboratory

    with engine("here") as place:
        Laboratory(folder).run(place)


def leave(how: str) -> None:
    """End the process that does this."""
    if how == "exit":
        os._exit(5)
    if how == "quit":
        sys.exit(4)
    os.kill(os.getpid(), signal.SIGKILL if how == "kill" else signal.SIGABRT)


def session(leader: int) -> list[str]:
    """The processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(path.parent.name)
    return found

"""A run in a folder: a manifest, rows written as they come, a result. What was stopped is gone on with.

    DIR/manifest.json     all options, the seed, versions, the machine
    DIR/learning.csv      a row for each cycle of learning
    DIR/evaluation.csv    a row for each cycle of evaluation
    DIR/result.json       what `aixi run --json` prints

All that is random in a run is a function of the seed and the cycle, so the rows are all that has to be kept: a run
that was stopped, by Ctrl-C or killed, is replayed from its rows without searching, and goes on from there.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from aixi_approx import __version__
from aixi_approx.interaction import Row


class Recording:
    """A folder that holds one run.

    Parameters
    ----------
    folder
        Is made if it is not there. If it holds a run with the same options, that run is gone on with.
    options
        All that the run is a function of; values as JSON has them.

    Raises
    ------
    ValueError
        If the folder holds something else: a run with other options or of another version, or other files.
    OSError
        If it can't be written.
    """

    def __init__(self, folder: Path, options: Mapping[str, Any]) -> None:
        self.folder = folder
        manifest_path = folder / "manifest.json"
        if there := claim(manifest_path, "run", "options"):
            self._check(there, options)
            weakref.finalize(self, os.close, lock(folder))
            return
        manifest = {
            "version": __version__,
            "options": dict(options),
            **circumstances("numba", "numpy"),
        }
        write_whole(manifest_path, manifest)
        weakref.finalize(self, os.close, lock(folder))

    def _check(self, manifest: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        was, now = _flat(manifest["options"]), _flat(options)
        for name, value in now.items():
            if was.get(name) != value:
                raise ValueError(
                    f"{self.folder} holds a run with {name} {was.get(name)}, not {value}: name another folder"
                )

    def rows(self, part: str) -> list[Row]:
        """Return the whole rows that are there of a part, `learning` or `evaluation`."""
        path = self.folder / f"{part}.csv"
        if not path.exists():
            return []
        lines = path.read_text().split("\n")[1:-1]  # what follows the last line end was not written whole
        rows = []
        for number, line in enumerate(lines, start=2):
            try:
                rows.append(_parse(line))
            except ValueError as error:
                raise ValueError(f"{path}, line {number}: {line!r} is not a row of a run: {error}") from error
        return rows

    def write(self, part: str, rows: Iterable[Row], there: int) -> Iterator[Row]:
        """Write rows as they come and pass them on; the first `there` of them are written already."""
        path = self.folder / f"{part}.csv"
        header = ",".join(Row._fields) + "\n"
        if there:
            with path.open("r+") as file:  # cut off a row that was not written whole
                kept = "".join(line for line, _ in zip(file, range(there + 1)))  # noqa: B905
                file.seek(len(kept))
                file.truncate()
        else:
            path.write_text(header)
        with path.open("a", buffering=1) as file:  # whole lines reach the system at once
            for i, row in enumerate(rows):
                if i >= there:
                    file.write(",".join(map(repr, row)) + "\n")
                yield row

    def result(self) -> dict[str, Any] | None:
        """Return the result if the run came to its end."""
        path = self.folder / "result.json"
        return json.loads(path.read_text()) if path.exists() else None

    def finish(self, result: Mapping[str, Any]) -> None:
        """Write the result."""
        write_whole(self.folder / "result.json", result)


def circumstances(*libraries: str) -> dict[str, Any]:
    """Return on what something is done, and when: versions of Python and of libraries, the machine, the time."""
    return {
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in libraries},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "begun": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def claim(manifest_path: Path, what: str, *needed: str) -> dict[str, Any] | None:
    """Return the manifest of what a folder holds, with its version and all that is needed; or make it and return None.

    Raises
    ------
    ValueError
        If the folder holds something else: other files, another version, or is none.
    """
    folder = manifest_path.parent
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file: name another folder")
    if not manifest_path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        if any(path.suffix != ".draft" for path in folder.iterdir()):
            raise ValueError(f"{folder} is not empty and holds no {what}: name another folder")
        return None
    try:
        manifest: dict[str, Any] = json.loads(manifest_path.read_text())
        version, *_ = (manifest[name] for name in ("version", *needed))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{manifest_path} is not the manifest of a {what}: name another folder") from error
    if version != __version__:
        raise ValueError(f"{folder} was written by version {version}: name another folder")
    return manifest


def lock(folder: Path) -> int:
    """Keep a folder to this process until the descriptor that is returned is closed; ValueError if another has it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ValueError(f"another process writes to {folder}: wait for it, or name another folder") from None
    return descriptor


class Lines:
    """A file of JSON objects, one a line. A line is there whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[dict[str, Any]]:
        """Return the objects that are there."""
        if not self.path.exists():
            return []
        text = self.path.read_text()
        lines = text.split("\n")[:-1]  # what follows the last line end was not written whole
        objects = []
        for number, line in enumerate(lines, start=1):
            try:
                objects.append(json.loads(line))
            except ValueError as error:
                raise ValueError(f"{self.path}, line {number}: {line[:60]!r} is not a JSON object") from error
        return objects

    def append(self, content: Mapping[str, Any]) -> None:
        """Write an object at the end, over what was not written whole."""
        line = (json.dumps(content) + "\n").encode()
        with self.path.open("ab+") as file:
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


def write_whole(path: Path, content: Mapping[str, Any], indent: int | None = 2) -> None:
    """Write a JSON file so that it is there whole or not at all; what only programs read takes no indent."""
    draft = path.with_suffix(".draft")
    try:
        with draft.open("w") as file:
            file.write(json.dumps(content, indent=indent) + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _flat(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options without the folders that they stand in."""
    flat: dict[str, Any] = {}
    for name, value in options.items():
        flat.update(_flat(value) if isinstance(value, Mapping) else {name: value})
    return flat


def _parse(line: str) -> Row:
    cycle, action, observation, reward, explored, log_loss, simulations = line.split(",")
    return Row(int(cycle), int(action), int(observation), int(reward), int(explored), float(log_loss), int(simulations))

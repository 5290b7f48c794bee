"""Result folders: locked by one process, with atomic writes and their provenance."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from aixi_approx._version import __version__


def provenance(*libraries: str) -> dict[str, Any]:
    """Return where and when something is run: the versions of Python and of libraries, the machine, the time."""
    return {
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in libraries},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "begun": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def open_folder(manifest_path: Path, what: str, *needed: str) -> dict[str, Any] | None:
    """Return the manifest in a folder; if there is none, make the folder and return None.

    Parameters
    ----------
    manifest_path : Path
        The manifest, in the folder.
    what : str
        What the folder holds, for messages: "run" or "study".
    *needed : str
        The keys that the manifest must have, besides its version.

    Raises
    ------
    ValueError
        If the folder is a file, holds other files or a broken manifest, or was written by another version.
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
        version = manifest["version"]
        if version == __version__ and not set(needed) <= set(manifest):
            raise KeyError(needed)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{manifest_path} is not the manifest of a {what}: name another folder") from error
    if version != __version__:
        raise ValueError(
            f"{folder} was written by version {version}: read it with that version "
            f"(pip install aixi_approx=={version}), or name another folder"
        )
    return manifest


def lock(folder: Path) -> int:
    """Lock a folder until the returned descriptor is closed; ValueError if another process has locked it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ValueError(f"another process writes to {folder}: wait for it, or name another folder") from None
    return descriptor


class JsonLines:
    """A file of JSON objects, one per line. Lines are written atomically."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[dict[str, Any]]:
        """Return the complete objects of the file.

        Raises
        ------
        ValueError
            If a line is not a JSON object.
        """
        if not self.path.exists():
            return []
        text = self.path.read_text()
        lines = text.split("\n")[:-1]  # text after the last newline is an incomplete line
        objects = []
        for number, line in enumerate(lines, start=1):
            try:
                objects.append(json.loads(line))
            except ValueError as error:
                raise ValueError(f"{self.path}, line {number}: {line[:60]!r} is not a JSON object") from error
        return objects

    def append(self, content: Mapping[str, Any]) -> None:
        """Append an object, replacing an incomplete last line."""
        line = (json.dumps(content) + "\n").encode()
        with self.path.open("ab+") as file:
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


def write_atomically(path: Path, content: Mapping[str, Any], *, indent: int | None = 2) -> None:
    """Write a JSON file atomically; pass `indent=None` for files that only programs read."""
    draft = path.with_suffix(".draft")
    try:
        with draft.open("w") as file:
            file.write(json.dumps(content, indent=indent) + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)

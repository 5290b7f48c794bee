"""Result folders: locked by one process, with atomic writes, checksums and their provenance.

A file is written under another name, synced, and renamed: it is there whole or not at all. A JSON file ends with
`"check"`, the CRC-32 of all that stands before it, so that what was changed or damaged is noticed when it is read. That
is no signature: it tells of accidents, not of malice.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
import zlib
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from aixi_approx._version import __version__
from aixi_approx.archive import DRAFT, replace_file

CHECK = "check"  # last key of a JSON file
LOCK = ".lock"  # file that is locked where folders can't be

if sys.platform == "win32":
    import msvcrt

    def _locked(folder: Path) -> int:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            os.close(descriptor)
            raise BlockingIOError from None
        return descriptor

else:
    import fcntl

    def _locked(folder: Path) -> int:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise
        return descriptor


def provenance(*libraries: str) -> dict[str, Any]:
    """Return where and when something is run: the versions of Python and of libraries, the machine, the time."""
    return {
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in libraries},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "begun": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def open_folder(manifest_path: Path, what: str, *needed: str) -> dict[str, Any] | None:
    """Return the manifest in a folder; None if there is no such folder yet, or an empty one.

    Parameters
    ----------
    manifest_path : Path
        The manifest, in the folder.
    what : str
        What the folder holds, for messages: "run" or "study".
    *needed : str
        The keys that the manifest must have, besides its version, each with an object.

    Raises
    ------
    ValueError
        If the folder is a file, holds other files or a broken manifest, or was written by another version.
    """
    folder = manifest_path.parent
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file: name another folder")
    if not manifest_path.exists():
        if folder.exists() and any(path.suffix != DRAFT and path.name != LOCK for path in folder.iterdir()):
            raise ValueError(f"{folder} is not empty and holds no {what}: name another folder")
        return None
    broken = f"{manifest_path} is not the manifest of a {what}: name another folder"
    try:
        manifest: dict[str, Any] = json.loads(manifest_path.read_bytes())
        version = manifest["version"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(broken) from error
    if version != __version__:
        raise ValueError(
            f"{folder} was written by version {version}: read it with that version, or name another folder"
        )
    if not all(isinstance(manifest.get(key), dict) for key in needed):
        raise ValueError(broken)
    return read_checked(manifest_path)


def lock(folder: Path) -> int:
    """Make a folder if there is none, and lock it until the returned descriptor is closed.

    It has to be locked before anything is read from it, or written to it.

    Raises
    ------
    ValueError
        If another process has locked it, or it is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file: name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return _locked(folder)
    except BlockingIOError:
        raise ValueError(f"another process writes to {folder}: wait for it, or name another folder") from None


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


def read_checked(path: Path) -> dict[str, Any]:
    """Return what `write_atomically` has written to a JSON file.

    Raises
    ------
    ValueError
        If the file is not one, or was changed or damaged since.
    """
    try:
        content = json.loads(path.read_bytes())
        check = content.pop(CHECK)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} is broken: it is not what was written here") from error
    if check != _checksum(content):
        raise ValueError(f"{path} was changed or damaged: what it holds is not what was written")
    return dict(content)


def write_atomically(path: Path, content: Mapping[str, Any], *, indent: int | None = 2) -> None:
    """Write a JSON file whole or not at all, with a checksum; `indent=None` for files that only programs read."""
    checked = {**content, CHECK: _checksum(content)}
    replace_file(path, lambda draft: draft.write_text(json.dumps(checked, indent=indent) + "\n"))


def _checksum(content: Mapping[str, Any]) -> str:
    return f"{zlib.crc32(json.dumps(content).encode()):08x}"

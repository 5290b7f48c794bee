"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

DRAFT = ".draft"  # ending of a file that is being written


def replace_file(path: Path, write: Callable[[Path], object], *, previous: Path | None = None) -> None:
    """Write a file whole or not at all: under another name first, synced, then renamed, and the folder synced.

    Parameters
    ----------
    path : Path
        The file. What stood there is there until the new one is complete.
    write : callable
        Is given the path to write to.
    previous : Path, optional
        Where to keep what stood there. At any time, one of the two is whole.

    Raises
    ------
    OSError
        If it can't be written, with its name.
    """
    draft = path.with_name(path.name + DRAFT)
    try:
        write(draft)
        _sync(draft)
        if previous is not None and path.exists():
            path.replace(previous)
        draft.replace(path)
        _sync(path.parent)
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise
    finally:
        draft.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Wait until a file, or what was renamed in a folder, is on the disk."""
    if os.name == "nt" and path.is_dir():  # a folder can't be opened there
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Recording a run in a folder: a manifest, rows written as they come, and a result. Interrupted runs can be resumed.

    DIR/manifest.json         all options, the seed, versions, the machine
    DIR/learning.csv          a row for each cycle of learning
    DIR/evaluation.csv        a row for each cycle of evaluation
    DIR/agent.aixi            the agent, its environment and the sums of a run, after some cycle of learning
    DIR/agent-previous.aixi   the same, earlier
    DIR/result.json           what `aixi run --json` prints

All randomness in a run is a function of the seed and the cycle, so the rows are enough: an interrupted run is replayed
from its rows without searching, and continues from there. Snapshots of the agent make that short: only the rows after
the last one are replayed. A snapshot that is damaged, or does not belong to the rows, is passed over.

Each row ends with `check`, the CRC-32 of all bytes of the file before it. So the last one speaks for the whole file,
and where it is wrong the first wrong one names the row that was changed.
"""

from __future__ import annotations

import mmap
import os
import sys
import weakref
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from aixi_approx._version import __version__
from aixi_approx.agent import KIND
from aixi_approx.archive import previous_of, read_archive, write_archive
from aixi_approx.execution.folder import lock, open_folder, provenance, read_checked, write_atomically
from aixi_approx.interaction import Row

HEADER = (",".join((*Row._fields, "check")) + "\n").encode()
CHECK_DIGITS = 8
GROWS = {("schedule", "cycles"), ("evaluate",)}  # options that a run can be made longer by


class Written(NamedTuple):
    """How far a file of rows is complete."""

    rows: int = 0
    size: int = 0  # bytes up to the end of the last row
    check: int = 0  # CRC-32 of them


NOTHING = Written()


class Recorded:
    """What a folder holds of one run.

    Parameters
    ----------
    folder : Path
        The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, part: str) -> Path:
        """Return the file of the rows of a part, `learning` or `evaluation`."""
        return self.folder / f"{part}.csv"

    def rows(self, part: str, *, after: Written = NOTHING) -> list[Row]:
        """Return the complete recorded rows of a part, those after some point.

        Raises
        ------
        ValueError
            If the file was changed or damaged.
        """
        return recorded_rows(self.path(part), after=after)

    def snapshots(self) -> Iterator[tuple[dict[str, Any], Written]]:
        """Return the snapshots that belong to the rows, the last one first, and how far the rows were then."""
        path = self.folder / "agent.aixi"
        for each in filter(Path.exists, (path, previous_of(path))):
            try:
                content = read_archive(each, kind=KIND).content
                at = Written(*map(int, content["rows"]))
                with (
                    self.path("learning").open("rb") as file,
                    mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as rows,
                    memoryview(rows)[: at.size] as so_far,
                ):
                    lines = np.count_nonzero(np.frombuffer(so_far, np.uint8) == ord("\n"))
                    fits = lines == at.rows + 1 and len(so_far) == at.size and zlib.crc32(so_far) == at.check
                fits &= content["kept"]["cycle"] == at.rows
                if fits:
                    yield content, at
            except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
                fits = False
            if not fits:
                print(f"{each} is damaged, or belongs to other rows: going on from an earlier point", file=sys.stderr)


class Recording(Recorded):
    """A folder that holds one run, and is written to.

    Parameters
    ----------
    folder : Path
        Is created if it does not exist. If it holds a run with the same options, that run is resumed; if it holds one
        that is shorter, this is made longer, and what the shorter one came to is kept under another name.
    options : mapping
        All that determines the run, as JSON values.

    Raises
    ------
    ValueError
        If the folder holds something else: a run with other options or of another version, or other files; or if
        another process writes to it.
    OSError
        If it cannot be written.
    """

    def __init__(self, folder: Path, options: Mapping[str, Any]) -> None:
        super().__init__(folder)
        self._manifest_path = folder / "manifest.json"
        weakref.finalize(self, os.close, lock(folder))
        there = open_folder(self._manifest_path, "run", "options")
        self._shorter: Mapping[str, Any] | None = None  # options of a run that is there and is to be made longer
        self._options = options
        if there is None:
            self._write_manifest()
        elif self._grows(there["options"], options):
            self._shorter = there["options"]

    def _write_manifest(self) -> None:
        content = {"version": __version__, "options": dict(self._options), **provenance("numba", "numpy")}
        write_atomically(self._manifest_path, content)

    def _grows(self, there: Mapping[str, Any], options: Mapping[str, Any]) -> bool:
        """Whether the run is to be made longer; ValueError if it is another one."""
        was, now = _flat(there), _flat(options)
        grows = False
        for path in now | was:
            before, after = was.get(path), now.get(path)
            if before == after:
                continue
            if path not in GROWS or not isinstance(before, int) or not isinstance(after, int) or after < before:
                if path == ("knowledge",):
                    raise ValueError(
                        f"{self.folder} holds a run that began with another state of what --from names: "
                        "put that back, or name another folder"
                    )
                longer = ", or more of them" if path in GROWS else ""
                raise ValueError(
                    f"{self.folder} holds a run with {path[-1]} {before}, not {after}: take the same{longer}, "
                    "or name another folder"
                )
            grows = True
        return grows

    @property
    def _learns_longer(self) -> bool:
        return self._shorter is not None and self._shorter["schedule"] != self._options["schedule"]

    def _make_longer(self) -> None:
        """Keep what a shorter run came to under another name, as what is longer is about to be written."""
        if self._shorter is None:
            return
        length = f"{self._shorter['schedule']['cycles']}-{self._shorter['evaluate']}"
        for path in (self.folder / name for name in ["result.json"] + ["evaluation.csv"] * self._learns_longer):
            if path.exists():
                path.replace(path.with_stem(f"{path.stem}-{length}"))
        self._write_manifest()
        self._shorter = None

    def rows(self, part: str, *, after: Written = NOTHING) -> list[Row]:
        """Return the complete recorded rows of a part; none of an evaluation that is to be done anew."""
        if part == "evaluation" and self._learns_longer:
            return []
        return super().rows(part, after=after)

    def write(
        self, part: str, rows: Iterable[Row], *, there: int, before: int = 0
    ) -> Iterator[tuple[Row, Written | None]]:
        """Write rows as they come, and pass them on with how far the file is then.

        Parameters
        ----------
        part : str
            `learning` or `evaluation`.
        rows : iterable of Row
            The first `there` of them are in the file; how far it was in the midst of them is not known any more.
        before : int, default: 0
            Rows in the file that are not among them.
        """
        if part == "evaluation":
            self._make_longer()
        path = self.path(part)
        at = _complete(path)._replace(rows=before + there)
        with path.open("r+b" if path.exists() else "wb", buffering=0) as file:
            file.seek(at.size)
            file.truncate()  # an incomplete row
            if not at.size:
                at = _write(file, HEADER, at, rows=0)
            for i, row in enumerate(rows):
                if i >= there:
                    self._make_longer()
                    text = (",".join(map(repr, row)) + ",").encode()
                    at = _write(file, b"%s%08x\n" % (text, zlib.crc32(text, at.check)), at, rows=1)
                yield row, at if i >= there - 1 else None

    def keep(self, content: Mapping[str, Any], at: Written) -> None:
        """Write a snapshot: what an agent has in an archive, and what is known of the run after so many rows."""
        path = self.folder / "agent.aixi"
        write_archive(path, {**content, "rows": list(at)}, kind=KIND, previous=previous_of(path))

    def check(self) -> None:
        """Raise ValueError if a file of rows was changed or damaged."""
        for part in ("learning", "evaluation"):
            _complete(self.path(part))

    def result(self) -> dict[str, Any] | None:
        """Return the result if the run has finished."""
        path = self.folder / "result.json"
        return read_checked(path) if path.exists() and self._shorter is None else None

    def finish(self, result: Mapping[str, Any]) -> None:
        """Write the result."""
        write_atomically(self.folder / "result.json", result)


def recorded_options(folder: Path) -> dict[str, Any]:
    """Return the options of the run that a folder holds.

    Raises
    ------
    ValueError
        If it holds none, or one of another version.
    """
    manifest = open_folder(folder / "manifest.json", "run", "options") if folder.is_dir() else None
    if manifest is None:
        raise ValueError(f"{folder} holds no run: name the folder of `aixi run ... --out`")
    options = manifest["options"]
    if not isinstance(options, dict):
        raise ValueError(f"{folder / 'manifest.json'} is not the manifest of a run: name another folder")
    return options


def recorded_rows(path: Path, *, after: Written = NOTHING) -> list[Row]:
    """Return the complete rows of a file, those after some point; none if there is no file.

    Raises
    ------
    ValueError
        If the file was changed or damaged; the first row that was is named.
    """
    end = _complete(path).size
    if not end:
        return []
    with path.open("rb") as file:
        start = max(after.size, len(HEADER))
        file.seek(start)
        lines = file.read(end - start).split(b"\n")[:-1]
    rows = []
    for number, line in enumerate(lines, start=after.rows + 2):
        try:
            rows.append(_parse(line.decode()))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {line[:80]!r} is not a row of a run: {error}") from error
    return rows


def _complete(path: Path) -> Written:
    """How far a file of rows is complete, which has to be as it was written; nothing if it does not begin to be one."""
    if not path.exists() or HEADER.startswith(_beginning(path)):
        return NOTHING
    if _beginning(path)[: len(HEADER)] != HEADER:
        converted = b"\r\n" in _beginning(path)
        mend = "its line ends were converted, convert them back" if converted else "take another copy"
        raise ValueError(f"{path} does not begin with {HEADER.decode().strip()}: {mend}")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        end = content.rfind(b"\n") + 1
        last = end - 1 - CHECK_DIGITS
        whole = memoryview(content)
        try:
            before = zlib.crc32(whole[:last])
            check = zlib.crc32(whole[last:end], before)
        finally:
            whole.release()
        if end > len(HEADER) and content[last : end - 1] != b"%08x" % before:
            raise ValueError(f"{path}, line {_first_wrong(content[:end])}{MEND}")
    return Written(size=end, check=check)


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(HEADER) + 1)


MEND = (
    " was changed or damaged: remove this line and all after it, and the run goes on from there; or take another copy"
)


def _first_wrong(content: bytes) -> int:
    """The number of the first line whose check is not that of what stands before it."""
    check = zlib.crc32(HEADER)
    lines = content[len(HEADER) :].splitlines(keepends=True)
    for number, line in enumerate(lines, start=2):
        text = line[: -CHECK_DIGITS - 1]
        if line[-CHECK_DIGITS - 1 :] != b"%08x\n" % zlib.crc32(text, check):
            return number
        check = zlib.crc32(line, check)
    return len(lines) + 1


def _write(file: Any, text: bytes, at: Written, *, rows: int) -> Written:
    """Write to a file of rows; how far it is then. What can't be written whole is told with its name."""
    done = 0
    while done < len(text):
        try:
            done += file.write(text[done:])
        except OSError as error:
            error.filename = file.name
            raise
    return Written(at.rows + rows, at.size + len(text), zlib.crc32(text, at.check))


def _flat(options: Mapping[str, Any], above: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Return nested options by their paths."""
    flat: dict[tuple[str, ...], Any] = {}
    for name, value in options.items():
        path = (*above, name)
        flat.update(_flat(value, path) if isinstance(value, Mapping) else {path: value})
    return flat


def _parse(line: str) -> Row:
    cycle, action, observation, reward, explored, log_loss, simulations, lesson, surprise, _ = line.split(",")
    return Row(
        int(cycle),
        int(action),
        int(observation),
        float(reward) if "." in reward or "e" in reward else int(reward),
        int(explored),
        float(log_loss),
        int(simulations),
        int(lesson),
        float(surprise),
    )

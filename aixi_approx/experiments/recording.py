"""Recording a run in a folder: a manifest, rows written as they come, and a result. Interrupted runs can be resumed.

    DIR/manifest.json     all options, the seed, versions, the machine
    DIR/learning.csv      a row for each cycle of learning
    DIR/evaluation.csv    a row for each cycle of evaluation
    DIR/result.json       what `aixi run --json` prints

All randomness in a run is a function of the seed and the cycle, so only the rows have to be kept: an interrupted run is
replayed from its rows without searching, and continues from there.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from aixi_approx._version import __version__
from aixi_approx.execution.folder import lock, open_folder, provenance, read_checked, write_atomically
from aixi_approx.interaction import Row


class Recording:
    """A folder that holds one run.

    Parameters
    ----------
    folder : Path
        Is created if it does not exist. If it holds a run with the same options, that run is resumed.
    options : mapping
        All that determines the run, as JSON values.

    Raises
    ------
    ValueError
        If the folder holds something else: a run with other options or of another version, or other files.
    OSError
        If it cannot be written.
    """

    def __init__(self, folder: Path, options: Mapping[str, Any]) -> None:
        self.folder = folder
        manifest_path = folder / "manifest.json"
        weakref.finalize(self, os.close, lock(folder))
        if there := open_folder(manifest_path, "run", "options"):
            self._check(there, options)
            return
        manifest = {
            "version": __version__,
            "options": dict(options),
            **provenance("numba", "numpy"),
        }
        write_atomically(manifest_path, manifest)

    def _check(self, manifest: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        was, now = _flat(manifest["options"]), _flat(options)
        for path in now | was:
            if was.get(path) != now.get(path):
                name = path[-1]
                raise ValueError(
                    f"{self.folder} holds a run with {name} {was.get(path)}, not {now.get(path)}: name another folder"
                )

    def rows(self, part: str) -> list[Row]:
        """Return the complete recorded rows of a part, `learning` or `evaluation`."""
        return recorded_rows(self.folder / f"{part}.csv")

    def write(self, part: str, rows: Iterable[Row], *, there: int) -> Iterator[Row]:
        """Write rows as they come and pass them on; the first `there` of them have been written before."""
        path = self.folder / f"{part}.csv"
        header = ",".join(Row._fields) + "\n"
        if there:
            with path.open("r+") as file:  # cut off an incomplete row
                kept = "".join(line for line, _ in zip(file, range(there + 1)))  # noqa: B905
                file.seek(len(kept))
                file.truncate()
        else:
            path.write_text(header)
        with path.open("a", buffering=1) as file:  # complete lines reach the system immediately
            for i, row in enumerate(rows):
                if i >= there:
                    file.write(",".join(map(repr, row)) + "\n")
                yield row

    def result(self) -> dict[str, Any] | None:
        """Return the result if the run has finished."""
        path = self.folder / "result.json"
        return read_checked(path) if path.exists() else None

    def finish(self, result: Mapping[str, Any]) -> None:
        """Write the result."""
        write_atomically(self.folder / "result.json", result)


def recorded_rows(path: Path) -> list[Row]:
    """Return the complete rows of a file; none if there is no file.

    Raises
    ------
    ValueError
        If a line is not a row.
    """
    if not path.exists():
        return []
    try:
        text = path.read_text()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a file of rows: {error}") from error
    lines = text.split("\n")[1:-1]  # what stands after the last newline is an incomplete row
    rows = []
    for number, line in enumerate(lines, start=2):
        try:
            rows.append(_parse(line))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {line!r} is not a row of a run: {error}") from error
    return rows


def _flat(options: Mapping[str, Any], above: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Return nested options by their paths."""
    flat: dict[tuple[str, ...], Any] = {}
    for name, value in options.items():
        path = (*above, name)
        flat.update(_flat(value, path) if isinstance(value, Mapping) else {path: value})
    return flat


def _parse(line: str) -> Row:
    cycle, action, observation, reward, explored, log_loss, simulations, lesson, surprise = line.split(",")
    return Row(
        int(cycle),
        int(action),
        int(observation),
        int(reward),
        int(explored),
        float(log_loss),
        int(simulations),
        int(lesson),
        float(surprise),
    )

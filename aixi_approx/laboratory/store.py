"""The folder of a study.

    DIR/study.json                                  what is measured; versions, the machine
    DIR/experience/tiger-rhouct-0-1000.json         cycles of a training run up to the 1,000th, from the mark before
    DIR/conditions/tiger-rhouct-0-1000-ctw-96.json  what a predictor of depth 96 has learned after 1,000 cycles, and a
                                                    row for each setting that it was evaluated with

Files are named by coordinates, and written whole or not at all, so that a study may be killed at any time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

from aixi_approx._version import __version__
from aixi_approx.execution.folder import open_folder, provenance, read_checked, write_atomically
from aixi_approx.laboratory.condition import Checkpoint, Cycle, Setting, TrainingRun, file_name
from aixi_approx.laboratory.experience import Segment
from aixi_approx.laboratory.regret import RegretParts
from aixi_approx.laboratory.shapes import CONDITIONS, SEGMENT, are_cycles, fits

MANIFEST = "study.json"
BOUNDED = ("prediction", "decision", "simple_regret")
NO_SETTING = dict.fromkeys(("planner", "horizon", "simulations", "cycles", "learn"))
Rows = dict[Setting, dict[str, Any]]


class Conditions(NamedTuple):
    """What was measured at a checkpoint, as in `measure`."""

    learned: dict[str, Any]
    """What learning came to."""
    rows: Rows
    """For each setting."""
    world: dict[str, Any]
    """What is known of the environment."""


class Store:
    """A folder that holds a study.

    Parameters
    ----------
    folder : Path
        Nothing is written to it before `prepare` is called.

    Raises
    ------
    ValueError
        If the folder holds something else: other files, or a study of another version; later, if a file is broken.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = open_folder(folder / MANIFEST, "study", "study") if folder.exists() else None
        if self.manifest and not isinstance(self.manifest["study"], Mapping):
            raise ValueError(f"{folder / MANIFEST} is not the manifest of a study: name another folder")

    def prepare(self, study: Mapping[str, Any], known: Mapping[str, Any] | None = None) -> None:
        """Make the folder, and write to its manifest what is measured.

        Parameters
        ----------
        study, known : mapping of str to Any
            As JSON; what is known of its environments and planners.
        """
        for part in ("experience", "conditions"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        content = {"study": study, "known": known or {}}
        if self.manifest is None or any(self.manifest.get(name) != each for name, each in content.items()):
            self.manifest = {"version": __version__, **content, **provenance("numba", "numpy", "scipy")}
            write_atomically(self.folder / MANIFEST, self.manifest)
            self.manifest = read_checked(self.folder / MANIFEST)

    @property
    def empty(self) -> bool:
        """Whether nothing has been measured yet."""
        return not (self.folder / "conditions").exists()

    def past(self, run: TrainingRun, marks: Sequence[int]) -> list[Cycle]:
        """Return the cycles of a training run, as far as they are there.

        Parameters
        ----------
        run : TrainingRun
            Which one.
        marks : sequence of int
            The cycles at which its segments end, ascending.

        Returns
        -------
        list of Cycle
            In order.

        Raises
        ------
        ValueError
            If a file is broken.
        """
        cycles: list[Cycle] = []
        for mark in self.marks(run, marks):
            path = self._segment_path(run, mark)
            content = _content(path, SEGMENT)
            if content["coordinates"] != run.coordinates or not are_cycles(content["cycles"]):
                raise _broken(path)
            cycles += [Cycle(*cycle) for cycle in content["cycles"]]
            if not len(cycles) == mark == content["experience"]:
                raise _broken(path)
        return cycles

    def marks(self, run: TrainingRun, marks: Sequence[int]) -> Iterator[int]:
        """Return those of the marks, ascending, up to which the cycles of a training run are there."""
        return takewhile(lambda mark: self._segment_path(run, mark).exists(), marks)

    def add_segment(self, run: TrainingRun, until: int, *, segment: Segment) -> None:
        """Write a segment of a training run, which ends at `until` cycles."""
        content = {"coordinates": run.coordinates, "experience": until, **segment._asdict()}
        write_atomically(self._segment_path(run, until), content, indent=None)

    def segment(self, run: TrainingRun, until: int) -> dict[str, Any] | None:
        """Return a segment: its coordinates, and all of it but the cycles; None if it is not there."""
        path = self._segment_path(run, until)
        if not path.exists():
            return None
        content = _content(path, SEGMENT)
        if content["coordinates"] != run.coordinates or content["experience"] != until:
            raise _broken(path)
        del content["cycles"]
        return content

    def conditions(self, checkpoint: Checkpoint) -> Conditions | None:
        """Return what was measured at a checkpoint.

        Returns
        -------
        Conditions or None
            None if nothing is there.

        Raises
        ------
        ValueError
            If the file is broken.
        """
        path = self._conditions_path(checkpoint)
        if not path.exists():
            return None
        content = _content(path, CONDITIONS)
        if content["coordinates"] != checkpoint.coordinates:
            raise _broken(path)
        try:
            rows = {Setting.at(row): row for row in content["rows"]}
        except (ValueError, TypeError):
            raise _broken(path) from None
        return Conditions(content["learned"], rows, content["world"])

    def add_conditions(self, checkpoint: Checkpoint, measured: Mapping[str, Any]) -> None:
        """Write what `measure` returned for a checkpoint; rows that are there already are kept."""
        there = self.conditions(checkpoint)
        rows = [*there.rows.values()] if there else []
        content = {"coordinates": checkpoint.coordinates, **measured, "rows": rows + measured["rows"]}
        write_atomically(self._conditions_path(checkpoint), content, indent=None)

    def _segment_path(self, run: TrainingRun, mark: int) -> Path:
        return self.folder / "experience" / file_name(run.coordinates, mark)

    def _conditions_path(self, checkpoint: Checkpoint) -> Path:
        return self.folder / "conditions" / file_name(checkpoint.coordinates)


def read_rows(folder: str | Path) -> list[dict[str, Any]]:
    """Return everything that a study measured, as flat rows: `pandas.DataFrame(read_rows("study/"))` is a table.

    Parameters
    ----------
    folder : str or Path
        Of the study. Nothing is run, and no environment is needed.

    Returns
    -------
    list of dict
        A row for each condition, in the order of the files' names; for a checkpoint that no search was tried on, one
        row without a setting. The checkpoint is environment, learner, seed, experience, model, depth; the setting is
        planner, horizon, simulations, cycles, learn. What was measured has the names of `measure`: reward, regret,
        certified and so on. Fields within other fields are joined to them: learned is ``learned_log_loss``,
        ``learned_nodes``, ...; the parts of a regret are ``long_run_prediction``, ``long_run_decision``, ..., bounds
        ``bounds_prediction_low``, ...; axes of your own are ``run_axes_NAME`` and ``axes_NAME``.

    Raises
    ------
    ValueError
        If the folder holds no study, or a file in it is broken.
    """
    folder = Path(folder)
    if not (folder / MANIFEST).exists():
        raise ValueError(f"{folder} holds no study")
    rows = []
    for path in sorted((folder / "conditions").glob("*.json")):
        content = _content(path, CONDITIONS)
        if file_name(content["coordinates"]) != path.name:
            raise _broken(path)
        above = {**_flat(content["coordinates"]), **_flat({"learned": content["learned"]})}
        rows += [{**above, **_flat(_with_parts(row))} for row in content["rows"]] or [{**above, **NO_SETTING}]
    return rows


def _with_parts(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row in which the parts of a regret that is not known are there, too."""
    unknown = dict.fromkeys(RegretParts._fields)
    bounds = row["bounds"] or dict.fromkeys(BOUNDED, (None, None))
    ends = {what: dict(zip(("low", "high"), between, strict=True)) for what, between in bounds.items()}
    return {**row, **{kind: row[kind] or unknown for kind in ("within_horizon", "long_run")}, "bounds": ends}


def _flat(content: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping whose fields are joined to those of the mappings in it."""
    flat: dict[str, Any] = {}
    for name, value in content.items():
        parts = _flat(value) if isinstance(value, Mapping) else None
        flat |= {name: value} if parts is None else {f"{name}_{part}": each for part, each in parts.items()}
    return flat


def _content(path: Path, shape: Mapping[str, Any]) -> dict[str, Any]:
    """What a JSON file of a shape holds."""
    try:
        content = read_checked(path)
    except ValueError:
        raise _broken(path) from None
    if not fits(content, shape):
        raise _broken(path)
    return content


def _broken(path: Path) -> ValueError:
    return ValueError(f"{path} is broken: remove it, and what stood in it is done again")

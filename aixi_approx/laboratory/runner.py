"""The laboratory: carries out a study in a folder, on any engine, and goes on with one that was stopped.

    DIR/study.json                        what is measured; versions, the machine
    DIR/experience/tiger-0-1000.json      cycles of the agent with seed 0 up to the 1,000th, from the mark before
    DIR/cells/tiger-0-1000-ctw-96.json    what a predictor of depth 96 knows after 1,000 cycles, and all trials of it

Files are written by this process alone, each whole or not at all, so that a study may be killed at any time; what
was under way is done again. A cell depends on nothing but its study and the cycles of one agent: engines and order
change nothing but the seconds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from aixi_approx._version import __version__
from aixi_approx.execution.folder import lock, open_folder, provenance, write_atomically
from aixi_approx.execution.tasks import Engine, Task, run_all
from aixi_approx.laboratory.condition import Cell, Trial, measure, pilot
from aixi_approx.laboratory.experience import Cycle, TrainingRun, collect
from aixi_approx.laboratory.study import Study, study_of

CYCLE_SECONDS = 1e-3  # of a cycle, beside its search; about
ACCOUNT_SECONDS = 2e-2  # of the account of a decision; about
AXES = ("environments", "simulations", "depths", "horizons", "methods", "models")

Watcher = Callable[[float, float], None]


def unwatched(done: float, total: float) -> None:
    """Watch nothing."""


class Todo(NamedTuple):
    """How much of a study is missing."""

    cells: int
    agents: int
    seconds: float  # of one worker; about


class Laboratory:
    """A folder, and the study that is carried out in it.

    Parameters
    ----------
    folder
        Is made if it is not there. Nothing is written to it before something is carried out.
    study
        What is to be measured: all that is in the folder already, or more. If not given, what is there.

    Raises
    ------
    ValueError
        If the folder holds something else: another study, one of another version, or other files; here and later,
        if a file in it is broken.
    """

    def __init__(self, folder: Path, study: Study | None = None) -> None:
        self.folder = folder
        self._written: Study | None = None
        path = folder / "study.json"
        if study is None and not path.exists():
            raise ValueError(f"{folder} holds no study: name environments, or a folder that holds one")
        there = open_folder(path, "study", "study") if folder.exists() else None
        if there:
            if not isinstance(there["study"], Mapping):
                raise ValueError(f"{path} is not the manifest of a study: name another folder")
            self._written = study_of(there["study"], str(path))
            study = study or self._written
            _check_growth(folder, self._written, study)
        assert study is not None
        self.study = study
        self._paces: dict[str, float] = {}

    # -------------------------------------------------------------------------------------------- carrying out

    def missing(self) -> dict[TrainingRun, list[Cell]]:
        """Return the cells that are still to be carried out, each with the trials that are missing."""
        found: dict[TrainingRun, list[Cell]] = {}
        for subject in self.study.subjects():
            for cell in self.study.cells(subject):
                done = self._read(cell)
                trials = tuple(trial for trial in cell.trials if not done or trial not in done["trials"])
                if trials or not done:
                    found.setdefault(subject, []).append(cell._replace(trials=trials))
        return found

    def todo(self) -> Todo:
        """Return how much is missing. Something is tried out first, which takes a while.

        Where nothing is there yet, each seed is taken for as much work as the first: they may be very many.
        """
        times, missing = 1, {}
        if (self.folder / "cells").exists():
            missing = self.missing()
        else:
            times = self.study.seeds
            missing = {s: [*self.study.cells(s)] for s in self.study._replace(seeds=1).subjects()}
        cells = sum(len(cells) for cells in missing.values())
        seconds = sum(self._seconds(subject, cells) for subject, cells in missing.items())
        return Todo(times * cells, times * len(missing), times * seconds)

    def carry_out(self, engine: Engine, watch: Watcher = unwatched) -> None:
        """Carry out what is missing.

        Parameters
        ----------
        engine
            Where.
        watch
            Is told now and then how much of the work is done, and how much it is.

        Raises
        ------
        ValueError
            If another process carries out something in this folder, or an environment can't do what is asked for.
        RuntimeError
            If workers are gone.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = lock(self.folder)
        try:
            self._write_study()
            self._carry_out(engine, watch)
        finally:
            os.close(descriptor)

    def _write_study(self) -> None:
        for part in ("experience", "cells"):
            (self.folder / part).mkdir(exist_ok=True)
        if self._written != self.study:
            write_atomically(self.folder / "study.json", _manifest(self.study))
            self._written = self.study

    def _carry_out(self, engine: Engine, watch: Watcher) -> None:
        missing = self.missing()
        total = sum(self._seconds(subject, cells) for subject, cells in missing.items())
        done = 0.0

        def finish(task: Task, result: Any) -> Iterator[Task]:
            nonlocal done
            if task.function is measure:
                cell = task.arguments[0]
                self._write(cell, result)
                done += self._cell_seconds(cell)
                return iter(())
            subject, past, until = task.arguments
            write_atomically(self._stretch_path(subject, until), result._asdict(), indent=None)
            done += self._gather_seconds(subject, len(past), until)
            return self._tasks(subject, missing[subject], len(past))

        def first() -> Iterator[Task]:
            for subject, cells in missing.items():
                yield from self._tasks(subject, cells, -1)

        run_all(engine, first(), finish, lambda: watch(done, total))

    def _tasks(self, subject: TrainingRun, cells: list[Cell], before: int) -> Iterator[Task]:
        """What can be done with the cycles that an agent has lived through, and could not be done before."""
        past = self.past(subject)
        if len(past) < max(cell.experience for cell in cells):
            mark = min(mark for mark in self.study.experience if mark > len(past))
            yield Task(collect, (subject, past, mark))
        for cell in cells:
            if before < cell.experience <= len(past):
                yield Task(measure, (cell, past[: cell.experience]))

    def _seconds(self, subject: TrainingRun, cells: list[Cell]) -> float:
        lived, most = max(self._marks(subject), default=0), max(cell.experience for cell in cells)
        return self._gather_seconds(subject, lived, max(lived, most)) + sum(self._cell_seconds(c) for c in cells)

    def _gather_seconds(self, subject: TrainingRun, lived: int, until: int) -> float:
        settings = subject.settings
        random = settings.epsilon * (until - lived)
        if settings.decay < 1:
            random = settings.epsilon * (settings.decay**lived - settings.decay**until) / (1 - settings.decay)
        greedy = until - lived - random
        return CYCLE_SECONDS / 4 * (until - lived) + greedy * settings.simulations * self._pace(subject)

    def _cell_seconds(self, cell: Cell) -> float:
        own = cell.subject.settings.horizon
        searches = sum(trial.simulations * trial.horizon / own for trial in cell.trials)
        others = len(cell.trials) * (cell.cycles * CYCLE_SECONDS + cell.probes * ACCOUNT_SECONDS)
        return CYCLE_SECONDS / 100 * cell.experience + others + cell.cycles * searches * self._pace(cell.subject)

    def _pace(self, subject: TrainingRun) -> float:
        """Seconds of a simulation in an environment."""
        name = subject.environment
        if name not in self._paces:
            self._paces[name] = pilot(subject)
        return self._paces[name]

    # -------------------------------------------------------------------------------------------- what is there

    def past(self, subject: TrainingRun) -> list[Cycle]:
        """Return the cycles that an agent has lived through, as far as they are there."""
        cycles: list[Cycle] = []
        for mark in self._marks(subject):
            path = self._stretch_path(subject, mark)
            cycles += [tuple(cycle) for cycle in _content(path, "cycles")["cycles"]]
            if len(cycles) != mark:
                raise _broken(path)
        return cycles

    def _marks(self, subject: TrainingRun) -> Iterator[int]:
        """The experiences up to which the cycles of an agent are there."""
        return takewhile(lambda mark: self._stretch_path(subject, mark).exists(), self.study.experience)

    def cells(self) -> list[dict[str, Any]]:
        """Return what was measured, in the order of the study.

        For each cell that is there: environment, seed, experience, model, depth, and what `measure` says of it, with
        those trials that belong to the study.
        """
        found = []
        for subject in self.study.subjects():
            for cell in self.study.cells(subject):
                if there := self._read(cell):
                    rows = there["trials"]
                    found.append(
                        _of(cell) | there | {"trials": [rows[trial] for trial in cell.trials if trial in rows]}
                    )
        return found

    def stretches(self) -> list[dict[str, Any]]:
        """Return, for each stretch of experience, environment, seed, experience at its end, and all but its cycles."""
        found = []
        for subject in self.study.subjects():
            for mark in self.study.experience:
                path = self._stretch_path(subject, mark)
                if path.exists():
                    content = _content(path, "cycles")
                    del content["cycles"]
                    found.append(
                        {"environment": subject.environment, "seed": subject.seed, "experience": mark, **content}
                    )
        return found

    def _read(self, cell: Cell) -> dict[str, Any] | None:
        """What is there of a cell, its trials by what they are."""
        path = self._cell_path(cell)
        if not path.exists():
            return None
        content = _content(path, "trials")
        try:
            return content | {
                "trials": {Trial(*(row[field] for field in Trial._fields)): row for row in content["trials"]}
            }
        except (KeyError, TypeError):
            raise _broken(path) from None

    def _write(self, cell: Cell, result: dict[str, Any]) -> None:
        there = self._read(cell)
        before = [*there["trials"].values()] if there else []
        write_atomically(self._cell_path(cell), result | {"trials": before + result["trials"]}, indent=None)

    def _cell_path(self, cell: Cell) -> Path:
        return self.folder / "cells" / f"{_named(cell.subject)}-{cell.experience}-{cell.model}-{cell.depth}.json"

    def _stretch_path(self, subject: TrainingRun, mark: int) -> Path:
        return self.folder / "experience" / f"{_named(subject)}-{mark}.json"


def _named(subject: TrainingRun) -> str:
    return f"{quote(subject.environment, safe=':>@?= ')}-{subject.seed}"


def _of(cell: Cell) -> dict[str, Any]:
    where = {"environment": cell.subject.environment, "seed": cell.subject.seed}
    return where | {"experience": cell.experience, "model": cell.model, "depth": cell.depth}


def _content(path: Path, rows: str) -> dict[str, Any]:
    """What a JSON file holds, with rows of that name."""
    try:
        content = json.loads(path.read_text())
    except ValueError:
        raise _broken(path) from None
    if not (isinstance(content, dict) and isinstance(content.get(rows), list)):
        raise _broken(path)
    return content


def _broken(path: Path) -> ValueError:
    return ValueError(f"{path} is broken: remove it, and what stood in it is done again")


def _check_growth(folder: Path, before: Study, now: Study) -> None:
    """See that a study takes in one that is there."""
    for name in Study._fields:
        was, wanted = getattr(before, name), getattr(now, name)
        if name in AXES:
            taken_in = set(was) <= set(wanted)
        elif name == "settings":
            taken_in = all(was.get(each, {}) == wanted.get(each, {}) for each in before.environments)
        elif name == "experience":  # an agent that has lived can live on
            taken_in = was == wanted[: len(was)]
        else:
            taken_in = was <= wanted if name == "seeds" else was == wanted
        if not taken_in or (name == "methods" and was[0] != wanted[0]):
            told = ", ".join(map(str, was)) if isinstance(was, tuple) else str(was)
            raise ValueError(
                f"{folder} holds a study with other {name}, {told}: name another folder, or go on with what is there, "
                f"aixi scale {folder}"
            )


def _manifest(study: Study) -> dict[str, Any]:
    return {
        "version": __version__,
        "study": study.options(),
        **provenance("numba", "numpy", "scipy"),
    }

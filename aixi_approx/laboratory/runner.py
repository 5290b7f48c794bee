"""The laboratory: runs a study in a folder, on any engine, and continues one that was stopped.

Only this process writes files, each completely or not at all, so a study can be killed at any time; what was in
progress is done again. A measurement depends on nothing but the study and the cycles of one training run: engines and
order change nothing but the seconds.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar, cast

from aixi_approx.display.tables import table
from aixi_approx.execution.folder import lock
from aixi_approx.execution.tasks import Engine, Task, run_all
from aixi_approx.laboratory.condition import Cycle, Group, Plan, TrainingRun
from aixi_approx.laboratory.cost import Cost
from aixi_approx.laboratory.experience import Segment, collect
from aixi_approx.laboratory.measurement import measure
from aixi_approx.laboratory.size import check_size
from aixi_approx.laboratory.store import MANIFEST, Store
from aixi_approx.laboratory.study import Study, checked, study_in

OnProgress = Callable[[float, float], None]
AnyPlan = TypeVar("AnyPlan", bound=Plan)


def silent(done: float, total: float) -> None:
    """Report no progress."""


def _collect(run: TrainingRun, past: Sequence[Cycle], until: int) -> Segment:
    """As `collect`: a task has no keywords."""
    return collect(run, past, until=until)


class Todo(NamedTuple):
    """How much of a study is missing."""

    checkpoints: int
    """With something to measure."""
    agents: int
    """Training runs that they belong to."""
    seconds: float
    """Of one worker, approximately."""


class Laboratory(Generic[AnyPlan]):
    """A folder, and the study that is run in it.

    Parameters
    ----------
    folder : Path or str
        Is made if it is not there. Nothing is written to it before `run`.
    study : Study or another Plan, optional
        What is to be measured: what is in the folder already, or more. If not given, what is there.
    read : callable, optional
        Returns another Plan than a Study from its JSON, and raises ValueError if it makes no sense.
    trust : bool, default: False
        Whether code outside this package that only the folder names may be run: its environments, models, planners and
        policies. To read what was measured, nothing is run.

    Raises
    ------
    ValueError
        If the study makes no sense, or is absurdly large, or the folder holds something else: another study, one of
        another version, or other files; here and later, if a file in it is broken.

    Examples
    --------
    >>> import tempfile
    >>> from aixi_approx.execution import engine
    >>> from aixi_approx.laboratory import Study
    >>> study = Study(("coin-flip",), experience=(20,), simulations=(5,), seeds=2, cycles=10, sampled_decisions=2)
    >>> with tempfile.TemporaryDirectory() as folder, engine("here") as here:
    ...     laboratory = Laboratory(Path(folder) / "study", study)
    ...     laboratory.run(here)
    ...     len(laboratory.rows())
    2
    """

    def __init__(
        self,
        folder: Path | str,
        study: AnyPlan | None = None,
        *,
        read: Callable[[Any, str], AnyPlan] | None = None,
        trust: bool = False,
    ) -> None:
        self.folder = folder = Path(folder)
        self._unseen = study is None and not trust  # by whoever runs it
        if isinstance(study, Study):
            study = cast(AnyPlan, checked(study, "the study"))
        if study is None and not (folder / MANIFEST).exists():
            raise ValueError(f"{folder} holds no study: name environments, or a folder that holds one")
        self.store = Store(folder)
        if self.store.manifest:
            where = str(folder / MANIFEST)
            manifest = self.store.manifest
            written = read(manifest["study"], where) if read else cast(AnyPlan, study_in(manifest, where))
            study = study or written
            if obstacle := study.obstacle(written):
                command = f", aixi scale {folder}" if isinstance(study, Study) else ""
                raise ValueError(
                    f"{folder} holds a study with {obstacle}: name another folder, or go on with what is there{command}"
                )
        assert study is not None
        check_size(study)
        self.study: AnyPlan = study
        self._cost = Cost()

    def missing(self) -> dict[TrainingRun, list[Group]]:
        """Return what is still to be measured with the experience of each training run.

        Raises
        ------
        ValueError
            If a file is broken.
        """
        found: dict[TrainingRun, list[Group]] = {}
        for run in self.study.runs():
            for group in self.study.groups(run):
                there = self.store.conditions(group.checkpoint)
                settings = tuple(setting for setting in group.settings if not there or setting not in there.rows)
                if settings or not there:
                    found.setdefault(run, []).append(group._replace(settings=settings))
        return found

    def _begin(self) -> None:
        """See that what is missing can be measured: run the code that the study names, if that is allowed."""
        if not isinstance(self.study, Study) or self.study.known is None:
            return
        where = str(self.folder / MANIFEST)
        if self._unseen and (outside := self.study.outside):
            raise ValueError(
                f"{where} names code outside this package, {', '.join(outside)}, which would be run: if you "
                "know it, say --trust (in Python: trust=True)"
            )
        study = checked(self.study, where)
        if obstacle := study.obstacle(self.study):
            raise ValueError(f"{self.folder} holds a study with {obstacle}: name another folder")
        self.study = study  # type: ignore[assignment]

    def todo(self) -> Todo:
        """Return how much is missing. A search is tried out first, which takes a while.

        Where nothing is there yet, each seed is taken for as much work as the first: there may be very many.
        """
        if self.store.empty:
            times = Counter(run._replace(seed=0) for run in self.study.runs())
            missing = {run: [*self.study.groups(run)] for run in times}
        else:
            missing = self.missing()
            times = Counter(missing.keys())
        if missing:
            self._begin()
        return Todo(
            checkpoints=sum(times[run] * len(groups) for run, groups in missing.items()),
            agents=sum(times.values()),
            seconds=sum(times[run] * self._seconds(run, groups) for run, groups in missing.items()),
        )

    def run(self, engine: Engine, *, progress: OnProgress = silent) -> None:
        """Measure what is missing.

        Parameters
        ----------
        engine : Engine
            Where.
        progress : callable, optional
            Is called now and then with how much of the work is done, and how much there is.

        Raises
        ------
        ValueError
            If another process runs something in this folder, or an environment can't do what is asked for.
        RuntimeError
            If workers are gone.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = lock(self.folder)
        try:
            if Store(self.folder).manifest != self.store.manifest:
                raise ValueError(f"another process has changed the study in {self.folder} meanwhile: start again")
            known = self.study.all_known().as_json() if isinstance(self.study, Study) else {}
            self.store.prepare(self.study.as_json(), known)
            self._run(engine, progress)
        finally:
            os.close(descriptor)

    def _run(self, engine: Engine, progress: OnProgress) -> None:
        missing = self.missing()
        if missing:
            self._begin()
        total = sum(self._seconds(run, groups) for run, groups in missing.items())
        done = 0.0

        def finish(task: Task, result: Any) -> Iterator[Task]:
            nonlocal done
            if task.function is measure:
                group = task.arguments[0]
                self.store.add_conditions(group.checkpoint, result)
                done += self._cost.group(group)
                return iter(())
            run, past, until = task.arguments
            self.store.add_segment(run, until, segment=result)
            done += self._cost.segment(run, len(past), until=until)
            return self._tasks(run, missing[run], len(past))

        def first() -> Iterator[Task]:
            for run, groups in missing.items():
                yield from self._tasks(run, groups, -1)

        run_all(engine, first(), finish=finish, watch=lambda: progress(done, total))

    def _tasks(self, run: TrainingRun, groups: list[Group], before: int) -> Iterator[Task]:
        """What can be done with the cycles of a training run, and could not be done before."""
        marks = self.study.marks(run)
        past = self.store.past(run, marks)
        if len(past) < max(group.checkpoint.experience for group in groups):
            mark = min(mark for mark in marks if mark > len(past))
            yield Task(_collect, (run, past, mark))
        for group in groups:
            experience = group.checkpoint.experience
            if before < experience <= len(past):
                yield Task(measure, (group, past[:experience]))

    def _seconds(self, run: TrainingRun, groups: list[Group]) -> float:
        there = max(self.store.marks(run, self.study.marks(run)), default=0)
        most = max(group.checkpoint.experience for group in groups)
        return self._cost.segment(run, there, until=max(there, most)) + sum(map(self._cost.group, groups))

    def __repr__(self) -> str:
        """Return the folder, and how many agents are measured there, in a line."""
        return f"<Laboratory in {self.folder}: {len(self.study.runs()):,} agents>"

    def _repr_html_(self) -> str:
        """Return how much of the study was measured, and the study, for a notebook."""
        total = sum(1 for run in self.study.runs() for _ in self.study.groups(run))
        left = total if self.store.empty else sum(map(len, self.missing().values()))
        rows = [("checkpoints measured", total - left), ("checkpoints in all", total)]
        html = table(f"Study in {self.folder}", rows)
        return html + self.study._repr_html_() if isinstance(self.study, Study) else html

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each condition of the study that was measured, in the order of the study.

        Returns
        -------
        list of dict
            The coordinates of the checkpoint, and the row of `measure`.

        Raises
        ------
        ValueError
            If a file is broken.
        """
        found = []
        for run in self.study.runs():
            for group in self.study.groups(run):
                if there := self.store.conditions(group.checkpoint):
                    rows = there.rows
                    found += [
                        {**group.checkpoint.coordinates, **rows[setting]}
                        for setting in group.settings
                        if setting in rows
                    ]
        return found

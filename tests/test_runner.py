"""A study in a folder: the same rows wherever, in whatever order, and however often it is stopped; what is refused."""

from __future__ import annotations

import json
import multiprocessing
import random
import shutil
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest
from worker_tasks import carry_out

from aixi_approx._version import __version__
from aixi_approx.execution import tasks as module
from aixi_approx.execution.engines import Engine, InProcess, engine
from aixi_approx.laboratory.condition import Trial, measure
from aixi_approx.laboratory.experience import collect
from aixi_approx.laboratory.runner import Laboratory
from aixi_approx.laboratory.study import Study

HERE = Engine(InProcess(), lambda: 1, lambda: None)
SHORT = {"depth": 8, "horizon": 2, "simulations": 5}
STUDY = Study(
    ("tiger", "coin-flip"),
    experience=(20, 60),
    simulations=(1, 4),
    seeds=2,
    depths=(6,),
    horizons=(1,),
    methods=("rhouct", "expectimax"),
    models=("ctw", "shuffled", "true"),
    cycles=8,
    probes=2,
    settings={"tiger": SHORT, "coin-flip": SHORT},
)
SMALL = Study(("tiger",), (20, 60), (1, 4), 1, cycles=6, probes=2, settings={"tiger": SHORT})
GROWN = {
    "seeds": {"seeds": 2},
    "simulations": {"simulations": (1, 2, 4, 8)},
    "experience": {"experience": (20, 60, 70, 90)},
    "environments": {"environments": ("coin-flip", "tiger"), "settings": {"tiger": SHORT, "coin-flip": SHORT}},
    "methods": {"methods": ("rhouct", "one-ply", "majority:4", "expectimax")},
    "models": {"models": ("true", "shuffled", "ctw")},
    "depths": {"depths": (2, 20)},
    "horizons": {"horizons": (1, 3)},
    "several": {"seeds": 2, "simulations": (1, 3, 4), "experience": (20, 60, 80), "models": ("true", "ctw")},
}


def timeless(content: Any) -> Any:
    """All but the seconds."""
    if isinstance(content, dict):
        return {name: timeless(value) for name, value in content.items() if name != "seconds"}
    return [timeless(value) for value in content] if isinstance(content, list) else content


def describe_error(folder: Path, study: Study | None = None) -> list[Any]:
    """All that a study has measured, but for the seconds; read from whole files, besides which there are none."""
    laboratory = Laboratory(folder, study)
    assert not laboratory.missing()
    for path in folder.rglob("*.*"):
        assert path.suffix == ".json", f"{path} is left"
        json.loads(path.read_text())
    return [timeless(each) for each in (laboratory.cells(), laboratory.stretches())]


@pytest.fixture(scope="module")
def as_integer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study that was not stopped, carried out in this process."""
    folder = tmp_path_factory.mktemp("whole") / "new" / "folder"
    Laboratory(folder, STUDY).carry_out(HERE)
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    Laboratory(folder, SMALL).carry_out(HERE)
    return folder


class Watched(Executor):
    """Carries out tasks here, and remembers them. If it is lazy it does so when it is told to, the last task first."""

    def __init__(self, lazy: bool = False) -> None:
        self.tasks: list[tuple[Any, ...]] = []
        self.lazy, self.waiting = lazy, list[Callable[[], None]]()

    def submit(self, function: Callable, /, *arguments: Any, **options: Any) -> Future:
        self.tasks.append((function, *arguments))
        future: Future = Future()
        self.waiting.append(lambda: future.set_result(function(*arguments)))
        if not self.lazy:
            self.carry_out_last()
        return future

    def carry_out_last(self, *_: Any) -> None:
        if self.waiting:
            self.waiting.pop()()


# ---------------------------------------------------------------------------------------------------- the same rows


def test_what_is_measured_is_all_that_was_asked_for(as_integer: Path) -> None:
    cells, stretches = describe_error(as_integer)
    ctw, seeds, names = 2 * 2, 2, 2  # depths x experience
    assert len(cells) == names * seeds * (ctw + 2)
    assert len(stretches) == names * seeds * 2
    where = [(c["environment"], c["seed"], c["experience"], c["model"], c["depth"]) for c in cells]
    assert len(set(where)) == len(where)
    for (name, seed, *rest), cell in zip(where, cells, strict=True):
        laboratory = Laboratory(as_integer)
        (asked,) = (
            each
            for each in laboratory.study.cells(laboratory.study.subject(name, seed))
            if [each.experience, each.model, each.depth] == rest
        )
        assert [Trial(*(row[field] for field in Trial._fields)) for row in cell["trials"]] == [*asked.trials]
        past = laboratory.past(asked.subject)[: asked.experience]
        if seed == 1 and name == "tiger":
            alone = timeless(measure(asked, past))
            assert {key: cell[key] for key in alone} == alone


def test_the_cycles_are_those_of_one_life(as_integer: Path) -> None:
    laboratory = Laboratory(as_integer)
    for subject in laboratory.study.subjects()[:2]:
        assert laboratory.past(subject) == collect(subject, [], 60).cycles


@pytest.mark.parametrize("where", ["2", "dask"])
def test_rows_depend_not_on_the_engine(where: str, tmp_path: Path, as_integer: Path, cluster: str) -> None:
    with engine(cluster if where == "dask" else where) as place:
        Laboratory(tmp_path, STUDY).carry_out(place)
    assert describe_error(tmp_path) == describe_error(as_integer)


def test_rows_depend_not_on_the_order(tmp_path: Path, as_integer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.001)
    last = Watched(lazy=True)
    study = STUDY._replace(environments=STUDY.environments[::-1], models=STUDY.models[::-1])
    Laboratory(tmp_path, study).carry_out(Engine(last, lambda: 50, lambda: None), last.carry_out_last)
    assert [function for function, *_ in last.tasks[:8]] == 4 * [collect, measure], "all agents begin at a time"
    assert describe_error(tmp_path, STUDY) == describe_error(as_integer)


def test_progress_adds_up(tmp_path: Path) -> None:
    laboratory = Laboratory(tmp_path, SMALL)
    looks: list[tuple[float, float]] = []
    foreseen = laboratory.todo().seconds
    laboratory.carry_out(HERE, lambda done, total: looks.append((done, total)))
    assert looks == sorted(looks)
    assert looks[-1] == pytest.approx((foreseen, foreseen))
    assert 1e-3 < foreseen < 100
    assert laboratory.todo().seconds == 0


# ---------------------------------------------------------------------------------------------------- stops


def test_a_study_that_is_killed_again_and_again(tmp_path: Path, as_integer: Path) -> None:
    """At random times after it has written some files; they are not written again."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["aixi_approx.laboratory.runner"])
    chance = random.Random(1)
    folder, before = tmp_path / "killed", dict[Path, int]()
    begin(folder, STUDY)
    for _ in range(5):
        child = context.Process(target=carry_out, args=(folder,))
        child.start()
        wanted = len(files(folder)) + chance.randrange(5)
        while child.is_alive() and len(files(folder)) < wanted:
            time.sleep(0.002)
        time.sleep(0.05 * chance.random())
        assert child.is_alive(), "it is done before it is killed"
        child.kill()
        child.join()
        now = files(folder)
        assert {path: now[path] for path in before} == before
        before = now
    assert len(before) > 5
    Laboratory(folder).carry_out(HERE)
    assert describe_error(folder) == describe_error(as_integer)
    assert {path: files(folder)[path] for path in before} == before


def begin(folder: Path, study: Study) -> None:
    """Stop a study when its first task is done."""

    def stop(*_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Laboratory(folder, study).carry_out(HERE, stop)


def files(folder: Path) -> dict[Path, int]:
    """The whole files, and when they were written."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.json") if path.name != "study.json"}


def test_one_process_at_a_time(tmp_path: Path) -> None:
    def another(*_: float) -> None:
        with pytest.raises(ValueError, match=f"another process writes to {tmp_path}: wait for it, or name another"):
            Laboratory(tmp_path).carry_out(HERE)
        assert Laboratory(tmp_path, SMALL).cells() is not None, "it can be read all the same"

    Laboratory(tmp_path, SMALL).carry_out(HERE, another)
    Laboratory(tmp_path).carry_out(HERE, another)


def test_what_had_ended_before_a_failure_is_kept(tmp_path: Path, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(done: float, total: float) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Laboratory(tmp_path, SMALL).carry_out(HERE, stop)
    kept = files(tmp_path)
    assert 0 < len(kept) < len(files(small))
    Laboratory(tmp_path).carry_out(HERE)
    assert describe_error(tmp_path) == describe_error(small)
    assert {path: files(tmp_path)[path] for path in kept} == kept


# ---------------------------------------------------------------------------------------------------- growth


@pytest.mark.parametrize("more", GROWN.values(), ids=GROWN)
def test_a_grown_study_is_the_one_done_at_once(more: dict[str, Any], tmp_path: Path, small: Path) -> None:
    grown, at_once, study = tmp_path / "grown", tmp_path / "at once", SMALL._replace(**more)
    shutil.copytree(small, grown)
    before, there = files(grown), Laboratory(grown).cells()
    Laboratory(grown, study)
    assert describe_error(grown) == describe_error(small), "nothing is changed before something is carried out"
    place = Watched()
    Laboratory(grown, study).carry_out(Engine(place, lambda: 1, lambda: None))
    Laboratory(at_once, study).carry_out(HERE)
    assert describe_error(grown) == describe_error(at_once)
    done = {(row["seed"], row["experience"], row["model"], row["depth"]): row for row in there}
    for function, what, *rest in place.tasks:
        if function is measure:
            was = done.get((what.subject.seed, what.experience, what.model, what.depth))
            if was and what.subject.environment == "tiger":
                assert not {*what.trials} & {Trial(*(row[f] for f in Trial._fields)) for row in was["trials"]}
        else:
            assert (what.environment, what.seed, rest[1]) not in {("tiger", 0, 20), ("tiger", 0, 60)}
    stretches = {path: when for path, when in before.items() if path.parent.name == "experience"}
    assert stretches
    assert {path: files(grown)[path] for path in stretches} == stretches
    assert json.loads((grown / "study.json").read_text())["study"]["seeds"] == study.seeds
    place.tasks.clear()
    Laboratory(grown).carry_out(Engine(place, lambda: 1, lambda: None))
    assert not place.tasks


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"environments": ("coin-flip",), "settings": {}}, "environments, tiger"),
        ({"experience": (20,)}, "experience, 20, 60"),
        ({"experience": (20, 40, 60)}, "experience, 20, 60"),
        ({"simulations": (1, 8)}, "simulations, 1, 4"),
        ({"methods": ("one-ply", "rhouct")}, "methods, rhouct"),
        ({"models": ("true",)}, "models, ctw"),
        ({"cycles": 7}, "cycles, 6"),
        ({"probes": 3}, "probes, 2"),
        ({"settings": {}}, "settings, "),
        ({"settings": {"tiger": {**SHORT, "epsilon": 0.5}}}, "settings, "),
    ],
)
def test_another_study_is_refused(changes: dict[str, Any], named: str, small: Path) -> None:
    before = files(small)
    with pytest.raises(ValueError, match="holds a study with other ") as raised:
        Laboratory(small, SMALL._replace(**changes))
    assert f"{small} holds a study with other {named}" in str(raised.value)
    assert str(raised.value).endswith(f": name another folder, or go on with what is there, aixi scale {small}")
    assert files(small) == before


def test_fewer_seeds_are_refused(tmp_path: Path) -> None:
    begin(tmp_path, STUDY)
    with pytest.raises(ValueError, match="holds a study with other seeds, 2: "):
        Laboratory(tmp_path, STUDY._replace(seeds=1))


# ---------------------------------------------------------------------------------------------------- what is refused


def test_nothing_is_written_before_something_is_carried_out(tmp_path: Path) -> None:
    laboratory = Laboratory(tmp_path / "new", SMALL)
    assert laboratory.missing()
    assert laboratory.cells() == laboratory.stretches() == []
    Laboratory(tmp_path / "new", SMALL._replace(seeds=3))
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("notes.txt", "mine", "is not empty and holds no study: name another folder"),
        ("manifest.json", "{}", "is not empty and holds no study: name another folder"),
        ("study.json", "{", "study.json is not the manifest of a study: name another folder"),
        ("study.json", "[]", "study.json is not the manifest of a study: name another folder"),
        ("study.json", '{"version": "0.0.1", "study": {}}', "was written by version 0.0.1: name another folder"),
        ("study.json", '{"version": "VERSION", "study": 3}', "study.json is not the manifest of a study"),
        ("study.json", '{"version": "VERSION", "study": {}}', "study.json: environments is missing"),
        ("study.json", '{"version": "VERSION", "study": {"seed": 1}}', "study.json: a study has no 'seed'"),
    ],
)
def test_another_folder_is_refused(name: str, content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content.replace("VERSION", __version__))
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        Laboratory(tmp_path, SMALL)
    assert message in str(raised.value)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_no_study_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"{tmp_path} holds no study: name environments, or a folder that holds one"):
        Laboratory(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="file is a file: name another folder"):
        Laboratory(tmp_path / "file", SMALL)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "3", "null", "{}", '{"trials": 3, "cycles": 3}', '{"trials": [{}], "cycles": []}', "\x00"],
)
@pytest.mark.parametrize("path", ["cells/tiger-0-60-ctw-8.json", "experience/tiger-0-60.json"])
def test_a_broken_file_is_named(path: str, content: str, tmp_path: Path, small: Path) -> None:
    folder = tmp_path / "study"
    shutil.copytree(small, folder)
    (folder / path).write_text(content)
    message = f"{folder / path} is broken: remove it, and what stood in it is done again"
    laboratory = Laboratory(folder, SMALL._replace(simulations=(1, 4, 5)))
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        laboratory.carry_out(HERE)
    assert str(raised.value) == message
    (folder / path).unlink()
    laboratory.carry_out(HERE)
    assert not laboratory.missing()


def test_names_in_file_names(tmp_path: Path) -> None:
    """Two environments never share a file, and a file is in its folder."""
    names = ["a/b.py:C", "a_b.py:C", "gym:X-v1?a=1", "gym:X-v1?a=1/2", "tiger>nim:3-perfect@100", "../up.py:D:3", "%2F"]
    laboratory = Laboratory(tmp_path, SMALL)
    subjects = [SMALL.subject("tiger", 0)._replace(environment=name) for name in names]
    paths = [laboratory._stretch_path(subject, 20) for subject in subjects]
    assert len(set(paths)) == len(paths)
    for path in paths:
        assert path.parent == tmp_path / "experience"
        path.parent.mkdir(exist_ok=True)
        path.touch()

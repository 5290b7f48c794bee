"""A study in a folder: the same rows wherever, in whatever order, and however often it is stopped; what is refused."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_runs import timeless
from worker_tasks import run_study, session

from aixi_approx._version import __version__
from aixi_approx.environment import EnvironmentFault
from aixi_approx.envs import make
from aixi_approx.execution import tasks as module
from aixi_approx.execution.engines import Engine, InProcess, engine
from aixi_approx.execution.folder import write_atomically
from aixi_approx.laboratory import runner as runner_module
from aixi_approx.laboratory.condition import Setting
from aixi_approx.laboratory.experience import collect
from aixi_approx.laboratory.measurement import measure
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
    planners=("dpuct", "expectimax"),
    models=("ctw", "shuffled", "true"),
    cycles=8,
    sampled_decisions=2,
    settings={"tiger": SHORT, "coin-flip": SHORT},
)
SMALL = Study(("tiger",), (20, 60), (1, 4), 1, cycles=6, sampled_decisions=2, settings={"tiger": SHORT})
GROWN = {
    "seeds": {"seeds": 2},
    "simulations": {"simulations": (1, 2, 4, 8)},
    "experience": {"experience": (20, 60, 70, 90)},
    "environments": {"environments": ("coin-flip", "tiger"), "settings": {"tiger": SHORT, "coin-flip": SHORT}},
    "planners": {"planners": ("dpuct", "one-ply", "majority:4", "expectimax")},
    "models": {"models": ("true", "shuffled", "ctw")},
    "depths": {"depths": (2, 20)},
    "horizons": {"horizons": (1, 3)},
    "learners": {"learners": ("q-learning", "dpuct", "dpuct+simulations:2")},
    "skill": {
        "learners": ("dpuct", "dpuct+policy:learned+simulations:3", "self-aixi"),
        "planners": ("dpuct", "policy-alone", "dpuct+policy:learned", "self-aixi"),
    },
    "crossed": {"horizons": (1, 2, 3), "depths": (4,), "cross": ("horizons", "depths")},
    "several": {"seeds": 2, "simulations": (1, 3, 4), "experience": (20, 60, 80), "models": ("true", "ctw")},
}


def all_of(folder: Path, study: Study | None = None) -> list[Any]:
    """All that a study has measured, but for the seconds; read from whole files, besides which there are none."""
    laboratory = Laboratory(folder, study)
    assert not laboratory.missing()
    for path in folder.rglob("*.*"):
        assert path.suffix == ".json", f"{path} is left"
        json.loads(path.read_text())
    conditions, segments = [], []
    for run in laboratory.study.runs():
        segments += [laboratory.store.segment(run, mark) for mark in laboratory.study.marks(run)]
        for group in laboratory.study.groups(run):
            there = laboratory.store.conditions(group.checkpoint)
            assert there
            learned, rows, world = there
            kept = [rows[setting] for setting in group.settings]
            conditions.append({**group.checkpoint.coordinates, "learned": learned, "rows": kept, "world": world})
    assert laboratory.rows() == [
        {name: value for name, value in (*c.items(), *row.items()) if name not in ("learned", "rows", "world")}
        for c in conditions
        for row in c["rows"]
    ]
    return timeless([conditions, segments])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study that was not stopped, carried out in this process."""
    folder = tmp_path_factory.mktemp("whole") / "new" / "folder"
    Laboratory(folder, STUDY).run(HERE)
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    Laboratory(folder, SMALL).run(HERE)
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
            self.run_last()
        return future

    def run_last(self, *_: Any) -> None:
        if self.waiting:
            self.waiting.pop()()


# ---------------------------------------------------------------------------------------------------- the same rows


def test_what_is_measured_is_all_that_was_asked_for(whole: Path) -> None:
    conditions, segments = all_of(whole)
    ctw, seeds, names = 2 * 2, 2, 2  # depths x experience
    assert len(conditions) == names * seeds * (ctw + 2)
    assert len(segments) == names * seeds * 2
    laboratory = Laboratory(whole)
    groups = [group for run in laboratory.study.runs() for group in laboratory.study.groups(run)]
    coordinates = [group.checkpoint.coordinates for group in groups]
    assert len({tuple(each.values()) for each in coordinates}) == len(coordinates)
    assert len(list((whole / "conditions").iterdir())) == len(coordinates)
    for group, condition in zip(groups, conditions, strict=True):
        assert {name: condition[name] for name in group.checkpoint.coordinates} == group.checkpoint.coordinates
        assert [Setting.at(row) for row in condition["rows"]] == [*group.settings]
        run = group.checkpoint.run
        if run.seed == 1 and run.environment == "tiger":
            past = laboratory.store.past(run, laboratory.study.marks(run))[: group.checkpoint.experience]
            alone = timeless(measure(group, past))
            assert {key: condition[key] for key in alone} == alone


def test_the_cycles_are_those_of_one_run(whole: Path) -> None:
    laboratory = Laboratory(whole)
    for run in laboratory.study.runs()[:2]:
        past = laboratory.store.past(run, laboratory.study.marks(run))
        assert past == collect(run, [], until=60).cycles


@pytest.mark.parametrize("where", ["2", "dask"])
def test_rows_depend_not_on_the_engine(where: str, tmp_path: Path, whole: Path, cluster: str) -> None:
    with engine(cluster if where == "dask" else where) as place:
        Laboratory(tmp_path, STUDY).run(place)
    assert all_of(tmp_path) == all_of(whole)


def test_rows_depend_not_on_the_order(tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.001)
    last = Watched(lazy=True)
    study = STUDY._replace(environments=STUDY.environments[::-1], models=STUDY.models[::-1])
    Laboratory(tmp_path, study).run(Engine(last, lambda: 50, lambda: None), progress=last.run_last)
    assert [function for function, *_ in last.tasks[:8]] == 4 * [runner_module._collect, measure], (
        "all agents begin at a time"
    )
    assert all_of(tmp_path, STUDY) == all_of(whole)


def test_progress_adds_up(tmp_path: Path) -> None:
    laboratory = Laboratory(tmp_path, SMALL)
    looks: list[tuple[float, float]] = []
    foreseen = laboratory.todo().seconds
    laboratory.run(HERE, progress=lambda done, total: looks.append((done, total)))
    assert looks == sorted(looks)
    assert looks[-1] == pytest.approx((foreseen, foreseen))
    assert 1e-3 < foreseen < 100
    assert laboratory.todo().seconds == 0


# ---------------------------------------------------------------------------------------------------- axes


def rows_of(folder: Path, study: Study) -> list[dict[str, Any]]:
    """The rows of a study, which is run first."""
    laboratory = Laboratory(folder, study)
    laboratory.run(HERE)
    return timeless(laboratory.rows())


def test_models_that_learn_do_not_depend_on_each_other(tmp_path: Path, small: Path, own_predictor: str) -> None:
    """Each has a full plane, on the same experience."""
    both = rows_of(tmp_path / "both", SMALL._replace(models=("ctw", own_predictor, "true")))
    by_model = {model: [row for row in both if row["model"] == model] for model in ("ctw", own_predictor, "true")}
    assert by_model["ctw"] == timeless(Laboratory(small).rows())
    assert by_model[own_predictor] == rows_of(tmp_path / "own", SMALL._replace(models=(own_predictor,)))
    plane = {(row["experience"], row["simulations"]) for row in by_model["ctw"]}
    assert plane == {(20, 1), (20, 4), (60, 1), (60, 4)}
    assert {(row["experience"], row["simulations"]) for row in by_model[own_predictor]} == plane
    segments = sorted(path.name for path in (tmp_path / "both" / "experience").iterdir())
    assert segments == ["tiger-dpuct-0-20.json", "tiger-dpuct-0-60.json"]


@pytest.mark.parametrize("learner", ["q-learning", "random", "dpuct+simulations:30", "one-ply"])
def test_learners_do_not_depend_on_each_other(learner: str, tmp_path: Path) -> None:
    greedy = SMALL._replace(settings={"tiger": {**SHORT, "epsilon": 0.5}})
    together = rows_of(tmp_path / "both", greedy._replace(learners=("dpuct", learner)))
    alone = rows_of(tmp_path / "alone", greedy._replace(learners=(learner,)))
    assert [row for row in together if row["learner"] == learner] == alone
    assert [row for row in together if row["learner"] == "dpuct"] == rows_of(tmp_path / "dpuct", greedy)
    model = "none" if learner in ("q-learning", "random") else "ctw"
    assert {row["model"] for row in alone} == {model}
    assert {row["planner"] for row in alone} == ({"dpuct"} if model == "ctw" else {learner})
    laboratory = Laboratory(tmp_path / "alone")
    (run,) = laboratory.study.runs()
    segments = [laboratory.store.segment(run, mark) for mark in (20, 60)]
    searched = sum(segment["simulations"] for segment in segments if segment)
    assert searched == collect(run, [], until=60).simulations
    assert (searched > 0) == (model == "ctw")


def test_a_study_grown_from_slices_to_a_product_keeps_what_is_there(tmp_path: Path) -> None:
    slices = SMALL._replace(horizons=(1, 3), depths=(4,), planners=("dpuct", "expectimax"))
    before = rows_of(tmp_path, slices)
    product = slices._replace(cross=("depths", "horizons", "planners"))
    place = Watched()
    laboratory = Laboratory(tmp_path, product)
    laboratory.run(Engine(place, lambda: 1, lambda: None))
    after = timeless(laboratory.rows())
    assert all(row in after for row in before)
    measured = sum(len(task[1].settings) for task in place.tasks if task[0] is measure)
    assert measured == len(after) - len(before)
    assert len(after) == 2 * 2 * 3 * 3, "experience x depths x horizons x (two budgets and expectimax)"
    assert all(function is measure for function, *_ in place.tasks), "no experience is collected again"


def test_an_environment_given_as_a_class_is_the_one_of_its_name(tmp_path: Path, small: Path) -> None:
    laboratory = Laboratory(small, SMALL._replace(environments=(make("tiger"),)))  # type: ignore[arg-type]
    assert laboratory.study == SMALL
    assert not laboratory.missing()
    with pytest.raises(ValueError, match=r"^the study: no environment 'tigre'"):
        Laboratory(tmp_path / "new", SMALL._replace(environments=("tigre",), settings={}))


# ---------------------------------------------------------------------------------------------------- stops


def test_a_study_that_is_killed_again_and_again(tmp_path: Path, whole: Path) -> None:
    """At random times after it has written some files; they are not written again."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["aixi_approx.laboratory.runner"])
    chance = random.Random(1)
    folder, before = tmp_path / "killed", dict[Path, int]()
    begin(folder, STUDY)
    for _ in range(5):
        child = context.Process(target=run_study, args=(folder,))
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
    Laboratory(folder).run(HERE)
    assert all_of(folder) == all_of(whole)
    assert {path: files(folder)[path] for path in before} == before


def begin(folder: Path, study: Study) -> None:
    """Stop a study when its first task is done."""

    def stop(*_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Laboratory(folder, study).run(HERE, progress=stop)


def files(folder: Path) -> dict[Path, int]:
    """The whole files, and when they were written."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.json") if path.name != "study.json"}


SCRIPT = """
import pathlib, sys
from aixi_approx.execution import engine
from aixi_approx.laboratory import Laboratory, Study

if __name__ == "__main__":
    settings = {"tiger": {"depth": 16, "horizon": 3, "simulations": 20, "epsilon": 0.5, "decay": 0.99}}
    study = Study(("tiger",), EXPERIENCE, (20,), 2, cycles=300, sampled_decisions=2, settings=settings)
    print("begun", flush=True)
    with engine("2") as place:
        Laboratory(pathlib.Path(sys.argv[1]), study).run(place)
"""


def started(folder: Path, experience: tuple[int, ...]) -> subprocess.Popen[str]:
    """A script that runs a study on two processes, in a session of its own."""
    script = folder.parent / "study.py"
    script.write_text(SCRIPT.replace("EXPERIENCE", repr(experience)))
    command = [sys.executable, str(script), str(folder)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder.parent, start_new_session=True, stdout=pipe, stderr=pipe, text=True)


def ends(leader: int) -> bool:
    """Whether all processes of a session end within half a minute: they have to see that they are alone."""
    for _ in range(300):
        if not session(leader):
            return True
        time.sleep(0.1)
    return False


def test_a_study_whose_process_is_killed_leaves_none_behind(tmp_path: Path) -> None:
    """Killed with its processes left alone, it ends them; what was written is gone on from."""
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    process = started(undisturbed, (200, 400))
    assert process.communicate()[1] == ""
    assert process.returncode == 0
    for delay in (0.0, 0.05, 0.15):
        process = started(killed, (200, 400))
        while process.poll() is None and not files(killed):
            time.sleep(0.01)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert ends(process.pid)
    Laboratory(killed).run(HERE)
    assert all_of(killed) == all_of(undisturbed)


@pytest.mark.parametrize("delay", [0.0, 0.5, 1.0, 1.5])
def test_a_study_that_is_interrupted_ends_quietly(delay: float, tmp_path: Path) -> None:
    """Ctrl-C reaches the processes too, perhaps before they have begun."""
    process = started(tmp_path / "out", (10**6,))
    try:
        assert process.stdout
        process.stdout.readline()
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGINT)
        errors = process.communicate(timeout=60)[1]
        reports = errors.count("Traceback") - errors.count("During handling of the above exception")
        assert reports <= 1  # that of the script itself
        assert ends(process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


FRAIL = """
from aixi_approx import Environment, Percept

class Frail(Environment):
    '''Fails at its 31st cycle.'''
    actions = observations = ("a", "b")
    min_reward, max_reward = 0, 1
    def reset(self, seed):
        self.cycles = 0
    def step(self, action):
        self.cycles += 1
        if self.cycles > 30:
            raise LookupError("worn out")
        return Percept(0, 0)
"""


@pytest.mark.parametrize("where", ["here", "2"])
def test_an_error_in_a_process_is_raised(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aixi_approx.laboratory.cost.pilot", lambda run: 1e-6)  # it would fail here
    (tmp_path / "frail.py").write_text(FRAIL)
    study = SMALL._replace(environments=(f"{tmp_path}/frail.py:Frail",), settings={})
    laboratory = Laboratory(tmp_path / "study", study)
    with engine(where) as place, pytest.raises(EnvironmentFault, match="worn out") as raised:
        laboratory.run(place)
    assert "\n" not in str(raised.value)
    assert laboratory.store.segment(study.runs()[0], 20) is not None, "what had ended before is kept"


@given(stops=st.lists(st.integers(0, 12), max_size=4), order=st.permutations(("dpuct", "expectimax", "majority:4")))
@settings(deadline=None, max_examples=10)
def test_stopped_anywhere_and_asked_in_any_order(
    stops: list[int], order: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("stopped")
    study = SMALL._replace(seeds=2, cycles=3, learners=("dpuct", "q-learning"), cross=("planners",))
    for stop in stops:
        left = stop

        def tick(done: float, total: float) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt

        with contextlib.suppress(KeyboardInterrupt):
            Laboratory(folder, study._replace(planners=("dpuct",))).run(HERE, progress=tick)
    rest = tuple(planner for planner in order if planner != "dpuct")
    grown = study._replace(planners=("dpuct", *rest))
    Laboratory(folder, grown).run(HERE)
    found = sorted(timeless(Laboratory(folder).rows()), key=str)
    key = frozenset(grown.planners)
    if key not in UNDISTURBED:
        other = tmp_path_factory.mktemp("undisturbed")
        Laboratory(other, grown).run(HERE)
        UNDISTURBED[key] = sorted(timeless(Laboratory(other).rows()), key=str)
    assert found == UNDISTURBED[key]


UNDISTURBED: dict[frozenset[str], list[dict[str, Any]]] = {}


def test_one_process_at_a_time(tmp_path: Path) -> None:
    def another(*_: float) -> None:
        with pytest.raises(ValueError, match=f"another process writes to {tmp_path}: wait for it, or name another"):
            Laboratory(tmp_path).run(HERE)
        assert Laboratory(tmp_path, SMALL).rows() is not None, "it can be read all the same"

    Laboratory(tmp_path, SMALL).run(HERE, progress=another)
    Laboratory(tmp_path).run(HERE, progress=another)


def test_what_had_ended_before_a_failure_is_kept(tmp_path: Path, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(done: float, total: float) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Laboratory(tmp_path, SMALL).run(HERE, progress=stop)
    kept = files(tmp_path)
    assert 0 < len(kept) < len(files(small))
    Laboratory(tmp_path).run(HERE)
    assert all_of(tmp_path) == all_of(small)
    assert {path: files(tmp_path)[path] for path in kept} == kept


# ---------------------------------------------------------------------------------------------------- growth


@pytest.mark.parametrize("more", GROWN.values(), ids=GROWN)
def test_a_grown_study_is_the_one_done_at_once(more: dict[str, Any], tmp_path: Path, small: Path) -> None:
    grown, at_once, study = tmp_path / "grown", tmp_path / "at once", SMALL._replace(**more)
    shutil.copytree(small, grown)
    before, there = files(grown), Laboratory(grown).rows()
    Laboratory(grown, study)
    assert all_of(grown) == all_of(small), "nothing is changed before something is carried out"
    place = Watched()
    Laboratory(grown, study).run(Engine(place, lambda: 1, lambda: None))
    Laboratory(at_once, study).run(HERE)
    assert all_of(grown) == all_of(at_once)
    done = {(*list(row.values())[:6], Setting.at(row)) for row in there}
    assert len(done) == len(there) > 0
    for function, what, *rest in place.tasks:
        if function is measure:
            assert not {(*what.checkpoint.coordinates.values(), setting) for setting in what.settings} & done
        else:
            assert (*what.coordinates.values(), rest[1]) not in {("tiger", "dpuct", 0, n) for n in (20, 60)}
    segments = {path: when for path, when in before.items() if path.parent.name == "experience"}
    assert segments
    assert {path: files(grown)[path] for path in segments} == segments
    assert json.loads((grown / "study.json").read_text())["study"]["seeds"] == study.seeds
    place.tasks.clear()
    Laboratory(grown).run(Engine(place, lambda: 1, lambda: None))
    assert not place.tasks


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"environments": ("coin-flip",), "settings": {}}, "environments, tiger"),
        ({"experience": (20,)}, "experience, 20, 60"),
        ({"experience": (20, 40, 60)}, "experience, 20, 60"),
        ({"simulations": (1, 8)}, "simulations, 1, 4"),
        ({"planners": ("one-ply", "dpuct")}, "planners, dpuct"),
        ({"models": ("true", "OWN")}, "models, ctw"),
        ({"cycles": 7}, "cycles, 6"),
        ({"sampled_decisions": 3}, "sampled_decisions, 2"),
        ({"settings": {}}, "settings, "),
        ({"settings": {"tiger": {**SHORT, "epsilon": 0.5}}}, "settings, "),
    ],
)
def test_another_study_is_refused(changes: dict[str, Any], named: str, small: Path, own_predictor: str) -> None:
    before = files(small)
    if "models" in changes:
        changes = {"models": ("true", own_predictor)}
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
    assert laboratory.rows() == []
    assert {laboratory.store.segment(run, mark) for run in SMALL.runs() for mark in (20, 60)} == {None}
    assert {laboratory.store.conditions(group.checkpoint) for run in SMALL.runs() for group in SMALL.groups(run)} == {
        None
    }
    Laboratory(tmp_path / "new", SMALL._replace(seeds=3))
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("notes.txt", "mine", "is not empty and holds no study: name another folder"),
        ("manifest.json", "{}", "is not empty and holds no study: name another folder"),
        ("study.json", "{", "study.json is not the manifest of a study: name another folder"),
        ("study.json", "[]", "study.json is not the manifest of a study: name another folder"),
        ("study.json", '{"version": "0.0.1", "study": {}}', "was written by version 0.0.1: "),
        ("study.json", '{"version": "0.3.0"}', "was written by version 0.3.0: "),
        ("study.json", '{"version": "VERSION"}', "study.json is not the manifest of a study: name another folder"),
        ("study.json", '{"study": {}}', "study.json is not the manifest of a study: name another folder"),
        ("study.json", '{"version": "VERSION", "study": 3}', "study.json is not the manifest of a study"),
        ("study.json", '{"version": "VERSION", "study": {}}', "study.json: environments is missing"),
        ("study.json", '{"version": "VERSION", "study": {"seed": 1}}', "study.json: a study has no 'seed'"),
    ],
)
def test_another_folder_is_refused(name: str, content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content.replace("VERSION", __version__))
    if "environments" in message or "seed" in message:
        write_atomically(tmp_path / name, json.loads((tmp_path / name).read_text()))
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        Laboratory(tmp_path, SMALL)
    assert message in str(raised.value)
    assert str(raised.value).endswith("name another folder") or "study.json: " in str(raised.value)
    assert "\n" not in str(raised.value)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_no_study_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"{tmp_path} holds no study: name environments, or a folder that holds one"):
        Laboratory(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="file is a file: name another folder"):
        Laboratory(tmp_path / "file", SMALL)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "3", "null", "{}", '{"rows": 3, "cycles": 3}', '{"rows": [{}], "cycles": []}', "\x00"],
)
@pytest.mark.parametrize("path", ["conditions/tiger-dpuct-0-60-ctw-8.json", "experience/tiger-dpuct-0-60.json"])
def test_a_broken_file_is_named(path: str, content: str, tmp_path: Path, small: Path) -> None:
    folder = tmp_path / "study"
    shutil.copytree(small, folder)
    (folder / path).write_text(content)
    message = f"{folder / path} is broken: remove it, and what stood in it is done again"
    laboratory = Laboratory(folder, SMALL._replace(simulations=(1, 4, 5)))
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        laboratory.run(HERE)
    assert str(raised.value) == message
    (folder / path).unlink()
    laboratory.run(HERE)
    assert not laboratory.missing()


def test_names_in_file_names(tmp_path: Path) -> None:
    """Two environments never share a file, and a file is in its folder."""
    names = ["a/b.py:C", "a_b.py:C", "gym:X-v1?a=1", "gym:X-v1?a=1/2", "tiger>nim:3-perfect@100", "../up.py:D:3", "%2F"]
    store, (run,) = Laboratory(tmp_path, SMALL).store, SMALL.runs()
    paths = [store._segment_path(run._replace(environment=name), 20) for name in names]
    assert len(set(paths)) == len(paths)
    for path in paths:
        assert path.parent == tmp_path / "experience"
        path.parent.mkdir(exist_ok=True)
        path.touch()

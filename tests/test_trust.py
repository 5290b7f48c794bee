"""What strangers write, and what goes wrong, is told in one line; no code of theirs is run unasked."""

from __future__ import annotations

import copy
import json
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest
from small_runs import WORLDS
from worker_tasks import leave

from aixi_approx.cli import main
from aixi_approx.cli.options import plain
from aixi_approx.environment import EnvironmentFault
from aixi_approx.envs import make
from aixi_approx.execution import tasks as tasks_module
from aixi_approx.execution.engines import engine
from aixi_approx.execution.folder import read_checked, write_atomically
from aixi_approx.execution.tasks import Engine, Task, run_all
from aixi_approx.laboratory import size
from aixi_approx.laboratory.runner import Laboratory
from aixi_approx.laboratory.store import read_rows
from aixi_approx.laboratory.study import Study

AIXI = str(Path(sys.executable).with_name("aixi"))
Captured = pytest.CaptureFixture[str]


def refused(arguments: list[str], capsys: Captured) -> str:
    """The one line of a command that is refused."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    out, err = capsys.readouterr()
    lines = [line for line in err.splitlines() if not line.startswith(("compiling ", "learning ", "evaluation "))]
    assert (stop.value.code, out, len(lines)) == (2, "", 1), err
    return lines[0]


# ---------------------------------------------------------------------------------------------------- studies of others


@pytest.fixture(scope="module")
def of_another(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study in environments of a file, with a planner of a file; the seed that it lacks was taken out."""
    place = tmp_path_factory.mktemp("stranger")
    (place / "worlds.py").write_text(WORLDS)
    names = (f"{place}/worlds.py:Lake", "tiger")
    settings = {name: {"depth": 6, "horizon": 2, "simulations": 3} for name in names}
    study = Study(names, (10, 30), (1, 3), 2, models=("ctw", "true"), cycles=6, sampled_decisions=2, settings=settings)
    with engine("here") as here:
        Laboratory(place / "study", study).run(here)
    return place / "study"


@pytest.fixture
def evil(of_another: Path, tmp_path: Path) -> Path:
    """The same where each environment would leave a trace if it were imported."""
    folder = tmp_path / "study"
    shutil.copytree(of_another, folder)
    (of_another.parent / "worlds.py").write_text(f"open({str(tmp_path / 'run')!r}, 'w').close()\n{WORLDS}")
    return folder


def test_a_report_runs_no_code_of_the_study(evil: Path, tmp_path: Path, capsys: Captured) -> None:
    main(["scale", str(evil)])  # nothing is missing
    assert "there is no score there to expect" in refused(["scale", str(evil), "--plan", "1e7"], capsys)
    main(["scale", str(evil), "--report", "--json"])
    results = {each["environment"]: each for each in json.loads(capsys.readouterr().out)["results"]}
    assert results["tiger"]["optimum"] == pytest.approx(1.083789)
    assert len(read_rows(evil)) == len(Laboratory(evil).rows()) > 0
    assert not (tmp_path / "run").exists()


def test_to_go_on_with_code_of_others_takes_trust(evil: Path, tmp_path: Path, capsys: Captured) -> None:
    lost = sorted((evil / "conditions").glob("*Lake*"))
    for path in lost:
        path.unlink()
    told = refused(["scale", str(evil), "--on", "here"], capsys)
    name = Laboratory(evil).study.environments[0]
    assert told == (
        f"aixi: {evil}/study.json names code outside this package, {name}, which would be run: if you know it, say "
        "--trust (in Python: trust=True)"
    )
    with engine("here") as here, pytest.raises(ValueError, match="--trust"):
        Laboratory(evil).run(here)
    assert not (tmp_path / "run").exists()
    main(["scale", str(evil), "--on", "here", "--trust"])
    assert (tmp_path / "run").exists()
    assert all(path.exists() for path in lost)


@pytest.mark.parametrize(
    ("field", "names", "outside"),
    [
        ("environments", ["folder/evil.py:Evil"], "folder/evil.py:Evil"),
        ("environments", ["gym:evilmod:Env"], "gym:evilmod:Env"),
        ("environments", ["tiger>evil.py:Evil@10"], "evil.py:Evil"),
        ("environments", ["installed"], "installed"),
        ("models", ["ctw", "evil.py:Model"], "evil.py:Model"),
        ("planners", ["dpuct", "evil.py:Planner+ucb:1.0"], "evil.py:Planner"),
        ("planners", ["dpuct+policy:evil.py:Policy"], "evil.py:Policy"),
        ("learners", ["dpuct", "evil.py:Planner"], "evil.py:Planner"),
    ],
)
def test_whatever_stands_outside(field: str, names: list[str], outside: str, tmp_path: Path, capsys: Captured) -> None:
    """None of it is there, so it would be another message if it were looked for."""
    study = Study(("tiger",), (10,), (1,), 1, cycles=2, sampled_decisions=0)
    content = {**study.as_json(), field: names}
    known = study.all_known().as_json()
    worlds = dict.fromkeys(content["environments"], known["environments"]["tiger"])
    kinds = dict.fromkeys((*content["planners"], *content["learners"]), known["planners"]["dpuct"])
    (tmp_path / "s").mkdir()
    manifest = {**_versions(), "study": content, "known": {"environments": worlds, "planners": kinds}}
    write_atomically(tmp_path / "s" / "study.json", manifest)
    assert f"names code outside this package, {outside}, " in refused(["scale", str(tmp_path / "s")], capsys)
    main(["scale", str(tmp_path / "s"), "--report"])


def _versions() -> dict[str, str]:
    from aixi_approx._version import __version__

    return {"version": __version__}


def test_characters_that_control_a_terminal_are_written_out(tmp_path: Path, capsys: Captured) -> None:
    assert plain("a\x1b]0;b\x07\u009b\u202ec") == r"a\x1b]0;b\x07\x9b\u202ec"
    (tmp_path / "red.py").write_text("raise ValueError('\\x1b[31mred')")
    told = refused(["solve", f"{tmp_path}/red.py:Red"], capsys)
    assert r"\x1b[31mred" in told
    manifest = {**_versions(), "study": Study(("\x1b[31mtiger",), (10,), (1,), 1).as_json(), "known": {}}
    (tmp_path / "s").mkdir()
    write_atomically(tmp_path / "s" / "study.json", manifest)
    told = refused(["scale", str(tmp_path / "s"), "--report"], capsys)
    assert told.isprintable()
    assert "write a name without control characters" in told


# ---------------------------------------------------------------------------------------------------- damage


def places(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to all values of a JSON object."""
    found = [path] if path else []
    if isinstance(content, dict | list):
        inner = content.items() if isinstance(content, dict) else enumerate(content)
        found += [place for key, value in inner for place in places(value, (*path, key))]
    return found


def changed(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at a place; without it, if the value is `places`."""
    content = inner = copy.deepcopy(content)
    for key in path[:-1]:
        inner = inner[key]
    if value is places:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return content


def test_what_has_a_checksum_may_be_wrong_all_the_same(of_another: Path, tmp_path: Path) -> None:
    """Each value of a cell and of a segment replaced by others, or taken out: refused, or read as it is written."""
    folder = tmp_path / "study"
    shutil.copytree(of_another, folder)
    chance = random.Random(0)
    cell = next((folder / "conditions").glob("tiger*-30-ctw-6.json"))
    segment = next((folder / "experience").glob("tiger*-10.json"))
    refusals = 0
    for path in (cell, segment):
        content = read_checked(path)
        sample = [place for place in places(content) if len(place) < 3 or chance.random() < 0.3]
        for place in sample:
            for value in (None, float("nan"), "text", [], {}, True, places):
                write_atomically(path, changed(content, place, value), indent=None)
                try:
                    rows = Laboratory(folder).rows()
                    past = [Laboratory(folder).store.past(run, (10, 30)) for run in Laboratory(folder).study.runs()]
                    flat = read_rows(folder)
                except ValueError as error:
                    assert str(error) == f"{path} is broken: remove it, and what stood in it is done again"  # noqa: PT017
                    refusals += 1
                else:
                    assert value is None or value in ({}, []) or value is places, (place, value)
                    assert rows is not None
                    assert past
                    assert flat
        write_atomically(path, content, indent=None)
    assert refusals > 300


def test_every_truncation_and_flipped_bits(of_another: Path, tmp_path: Path) -> None:
    """Of a cell, a segment and the manifest: refused in a line that names the file, or the same as before."""
    folder = tmp_path / "study"
    shutil.copytree(of_another, folder)
    laboratory = Laboratory(folder)
    before = (laboratory.rows(), read_rows(folder))
    chance = random.Random(1)
    paths = [next((folder / part).glob("tiger*")) for part in ("conditions", "experience")] + [folder / "study.json"]
    for path in paths:
        whole = path.read_bytes()
        cuts = [whole[:length] for length in chance.sample(range(len(whole)), 60)]
        for _ in range(150):
            flipped = bytearray(whole)
            flipped[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
            cuts.append(bytes(flipped))
        for damaged in cuts:
            path.write_bytes(damaged)
            try:
                found = Laboratory(folder)
                for run in found.study.runs():
                    found.store.past(run, found.study.marks(run))
                after = (found.rows(), read_rows(folder))
            except ValueError as error:
                assert str(folder) in str(error)  # noqa: PT017
            else:
                assert after == before
        path.write_bytes(whole)


def test_what_is_swapped_is_noticed(of_another: Path, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    shutil.copytree(of_another, folder)
    one, other = sorted((folder / "conditions").glob("tiger*-30-ctw-6.json"))
    shutil.copyfile(one, other)
    for read in (lambda: Laboratory(folder).rows(), lambda: read_rows(folder)):
        with pytest.raises(ValueError, match="is broken: remove it"):
            read()


# ---------------------------------------------------------------------------------------------------- absurd sizes


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("reproduce --seeds 99999999", r"the study has [\d,]+ conditions or more, above 1,000,000: they would take "),
        ("scale tiger --seeds 99999999", r"[\d,]+ GB of disk and [\d,]+ years of one core at least: take fewer seeds"),
    ],
)
def test_what_is_absurd_is_refused_before_it_is_made(
    arguments: str, told: str, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    began = time.perf_counter()
    assert re.search(told, refused(arguments.split(), capsys))
    assert time.perf_counter() - began < 30, "it is made"
    assert not list(tmp_path.iterdir())


def test_an_absurd_grid_or_experience_is_refused(tmp_path: Path) -> None:
    many = tuple(range(1, 3_000))
    for study, told in (
        (Study(("tiger",), many, many, 1), "conditions or more, above"),
        (Study(("tiger",), (1 << 30,), (1,), 1), r"an experience of 1,073,741,824 cycles would take 161 GB of memory"),
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(size.os, "sysconf", lambda name: 1 << 16)  # 4 GB
            with pytest.raises(ValueError, match=told):
                Laboratory(tmp_path / "study", study)


# ---------------------------------------------------------------------------------------------------- misbehaviour

WILD = """
import ctypes, os
import numpy as np
from aixi_approx import Environment, Percept

class Own(BaseException):
    pass

class Mute:
    def __repr__(self):
        raise LookupError

def fail(error):
    raise error

def deep(self):
    return deep(self)

def loud(self):
    os.write(1, b"by the descriptor\\n")
    ctypes.CDLL(None).puts(b"by the library of C")
    return 1

WAYS = {{
    "Text": lambda self: "1", "Bytes": lambda self: b"1", "Nan": lambda self: 1e999 - 1e999,
    "Nothing": lambda self: None,
    "Infinite": lambda self: 1e999, "Numbers": lambda self: np.array([0, 1]), "Silent": lambda self: Mute(),
    "Half": lambda self: 0.5, "Raises": lambda self: fail(Own("gone")), "Ends": lambda self: fail(SystemExit(3)),
    "Empty": lambda self: fail(ValueError()), "Deep": deep, "Hard": lambda self: os._exit(7), "Loud": loud,
    "Numpy": lambda self: np.int8(1), "Yes": lambda self: True, "NumpyYes": lambda self: np.bool_(True),
}}

for name, way in WAYS.items():
    class Wild(Environment):
        actions = observations = ("a", "b")
        min_reward, max_reward = 0, 1
        way = way
        def reset(self, seed):
            pass
        def step(self, action):
            return Percept(0, self.way())
    Wild.__name__ = name
    globals()[name] = Wild
""".replace("{{", "{").replace("}}", "}")


@pytest.fixture
def wild(tmp_path: Path) -> str:
    (tmp_path / "wild.py").write_text(WILD)
    return f"{tmp_path}/wild.py"


@pytest.mark.parametrize("name", ["Text", "Bytes", "Nan", "Nothing", "Infinite", "Numbers", "Silent"])
def test_a_reward_that_is_no_number(name: str, wild: str, capsys: Captured) -> None:
    told = refused(["run", f"{wild}:{name}", "--planner", "random", "--cycles", "3"], capsys)
    assert "which is not Percept(observation, reward): two numbers" in told


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Half", "gave the reward 0.5"),
        ("Raises", r"step\(.\) failed: Own: gone \(wild.py, line "),
        ("Ends", r"step\(.\) failed: SystemExit: 3"),
        ("Empty", r"step\(.\) failed: ValueError \(wild.py"),
        ("Deep", r"step\(.\) failed: RecursionError"),
    ],
)
def test_what_a_step_raises(name: str, told: str, wild: str) -> None:
    environment = make(f"{wild}:{name}")
    with pytest.raises(EnvironmentFault, match=told):
        environment.checked_step(1)


@pytest.mark.parametrize("name", ["Numpy", "Yes", "NumpyYes"])
def test_a_reward_that_is_as_good_as_a_number(name: str, wild: str) -> None:
    percept = make(f"{wild}:{name}").checked_step(1)
    assert percept == (0, 1)
    assert [type(each) for each in percept] == [int, int]


def test_what_an_environment_prints_or_ends(wild: str, tmp_path: Path) -> None:
    """By the descriptor of stdout, from C, and `os._exit`: in the program itself."""
    command = [AIXI, "run", f"{wild}:Loud", "--planner", "random", "--cycles", "3", "--evaluate", "3", "--json"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(run.stdout)["reward"] == 1.0
    assert "by the descriptor" in run.stderr
    assert "by the library of C" in run.stderr
    run = subprocess.run([AIXI, "run", f"{wild}:Hard", "--planner", "random"], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (2, "")
    told = "aixi: the program was ended by os._exit(7) in code of an environment or of an agent"
    assert run.stderr.splitlines()[-1] == told


def test_errors_name_their_file(tmp_path: Path, capsys: Captured) -> None:
    for name in ("study.toml", "study.py", "world.py"):
        (tmp_path / name).write_bytes(bytes(range(256)))
        what = f"{tmp_path}/{name}"
        told = refused(["run", f"{what}:World"] if name == "world.py" else ["scale", what], capsys)
        assert what in told
    for arguments in (["envs"], ["run", "coin-flip", "--cycles", "3", "--evaluate", "3", "--json"]):
        with Path("/dev/full").open("w") as disk:
            full = subprocess.run([AIXI, *arguments], stdout=disk, stderr=subprocess.PIPE, text=True)
        assert full.returncode == 2
        assert full.stderr.splitlines()[-1] == "aixi: stdout: No space left on device"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError(), "aixi: ValueError"),
        (RuntimeError(""), "aixi: RuntimeError"),
        (MemoryError(), "aixi: out of memory: ask for less"),
        (OSError(28, "No space left on device"), "aixi: No space left on device"),
        (OSError(), "aixi: OSError"),
    ],
)
def test_an_error_without_words_is_told(
    error: Exception, told: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("aixi_approx.pomdp.solver.solutions", fail)
    assert refused(["solve", "tiger"], capsys).startswith(told)


# ---------------------------------------------------------------------------------------------------- workers


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("exit", "a worker is gone: code of an environment, a model or a planner ended it with exit code 5"),
        ("kill", r"a worker is gone: killed, out of memory or crashed \(SIGKILL\)"),
        ("abort", "crashed .SIGABRT"),
        ("quit", "a task ended with SystemExit: 4"),
    ],
)
def test_how_a_worker_ended(how: str, told: str) -> None:
    with engine("2") as place, pytest.raises(RuntimeError, match=told):
        run_all(place, [Task(time.sleep, (0.2,)), Task(leave, (how,))], finish=lambda *_: ())


class Absent(Executor):
    """Nothing is ever done."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        return Future()


def test_it_does_not_wait_for_ever_for_workers(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(tasks_module, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(tasks_module, "LACK_SECONDS", 0.05)
    monkeypatch.setattr(tasks_module, "LOST_SECONDS", 0.3)
    workers = iter([0] * 30 + [1] + [0] * 100_000)
    stopped = []
    place = Engine(Absent(), lambda: next(workers), lambda: stopped.append(True))
    with pytest.raises(RuntimeError, match="no worker is left, for 0 seconds; what had ended before is kept"):
        run_all(place, [Task(abs, (1,))], finish=lambda *_: ())
    assert stopped
    assert "no worker is left: waiting 0 seconds for another one\n" in capsys.readouterr().err

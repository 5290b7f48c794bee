"""A run in a folder: rows are read as they were written; what was stopped anywhere comes to the same bytes."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aixi_approx.builder import build_agent
from aixi_approx.environment import Environment, EnvironmentFault, Schedule, Settings
from aixi_approx.envs import make
from aixi_approx.execution.folder import write_atomically
from aixi_approx.experiments.experiment import Experiment, run
from aixi_approx.experiments.recording import Recording
from aixi_approx.interaction import Row, interact
from aixi_approx.planners.rho_uct import RhoUCT

PARTS = ("learning", "evaluation")
FILES = {"manifest.json", "learning.csv", "evaluation.csv", "result.json"}
SHORT = Settings(depth=12, horizon=3, simulations=8, epsilon=0.5, decay=0.97)
SCHEDULE = Schedule(40, evaluation_simulations=4)
TIGER = Experiment("tiger", SHORT, SCHEDULE, evaluate=25, seed=3)

MINE = """
import os, pathlib, signal
from aixi_approx import Environment, Percept
class Mine(Environment):
    actions, observations, min_reward, max_reward = (0, 1, 2), (0, 1), 0, 1
    def reset(self, seed):
        self.cycle = 0
    def step(self, action):
        self.cycle += 1
        {extra}
        return Percept(self.cycle % 2, int(self.cycle % 3 == 0))
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was not stopped."""
    folder = tmp_path_factory.mktemp("whole") / "new" / "folder"
    run(TIGER, folder)
    return folder


def own(folder: Path, extra: str = "pass", cycles: int = 1000) -> Experiment:
    """A run in an environment that stands in a file of the folder and does something else besides."""
    (folder / "mine.py").write_text(MINE.format(extra=extra))
    return Experiment(f"{folder}/mine.py:Mine", SHORT, SCHEDULE._replace(cycles=cycles), evaluate=20)


def lasting(folder: Path) -> dict[str, Any]:
    """All that a folder holds, but for what depends on the time."""
    result = json.loads((folder / "result.json").read_text())
    texts = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".json"}
    others = {path.name for path in folder.iterdir()} - FILES
    return {**texts, "result": {n: value for n, value in result.items() if "seconds" not in n}, "others": others}


def no_search(*_: Any) -> None:
    raise AssertionError("there was a search")


# What is written.


def test_rows_are_read_as_they_were_written(whole: Path) -> None:
    seen: dict[str, list[Row]] = {}

    def watch(part: str, rows: Iterable[Row], cycles: int, environment: Environment) -> Iterator[Row]:
        seen[part] = list(rows)
        return iter(seen[part])

    result = run(TIGER, watch=watch)
    plain = json.loads(json.dumps(result.as_json()))
    assert {name: value for name, value in plain.items() if "seconds" not in name} == lasting(whole)["result"]
    recording = Recording(whole, TIGER.as_json())
    assert {part: recording.rows(part) for part in PARTS} == seen
    assert [len(seen[part]) for part in PARTS] == [40, 25]
    assert {row.simulations for row in seen["learning"]} == {0, 8}
    assert {row.simulations for row in seen["evaluation"]} == {4}
    assert {path.name for path in whole.iterdir()} == FILES
    assert json.loads((whole / "manifest.json").read_text())["options"] == TIGER.as_json()


def test_a_row_is_in_its_file_before_the_next_cycle(tmp_path: Path) -> None:
    """So that a process that ends, in whatever way, has lost nothing but the cycle it was in."""
    seen = []

    def watch(part: str, rows: Iterable[Row], cycles: int, environment: Environment) -> Iterator[Row]:
        for number, row in enumerate(rows):
            seen.append((tmp_path / "run" / f"{part}.csv").read_bytes().count(b"\n") - number)
            yield row

    run(TIGER, tmp_path / "run", watch=watch)
    assert len(seen) == 65
    assert min(seen) >= 1, "the header, and the rows before this one"


def test_write_whole_leaves_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for content in ({"a": 1}, {"a": [2, None]}):
        write_atomically(tmp_path / "x.json", content)
        assert json.loads((tmp_path / "x.json").read_text()) == content
    with pytest.raises(TypeError):
        write_atomically(tmp_path / "x.json", {"a": {1}})
    assert json.loads((tmp_path / "x.json").read_text()) == content
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


# What was stopped.


@settings(deadline=None, max_examples=60)
@given(part=st.sampled_from(PARTS), size=st.integers(0, 1200), tidy=st.booleans(), later=st.booleans())
@example(part="learning", size=0, tidy=False, later=False)  # an empty file
@example(part="learning", size=70, tidy=True, later=False)  # the header only
@example(part="evaluation", size=70, tidy=True, later=False)
@example(part="evaluation", size=9999, tidy=True, later=False)  # all but the result
@example(part="learning", size=9999, tidy=False, later=True)
def test_it_goes_on_from_anywhere(whole: Path, part: str, size: int, tidy: bool, later: bool) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(shutil.copytree(whole, Path(place) / "copy"))
        (folder / "result.json").unlink()
        if part == "learning" and not later:  # a power cut may lose the end of one file and keep a later one
            (folder / "evaluation.csv").unlink()
        content = (folder / f"{part}.csv").read_bytes()[:size]
        content = content[: content.rfind(b"\n") + 1] if tidy else content
        (folder / f"{part}.csv").write_bytes(content)
        result = run(TIGER, folder)
        assert lasting(folder) == lasting(whole)
        assert result.as_json() == json.loads((folder / "result.json").read_text())


def test_rows_that_are_there_are_not_searched_for(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "copy"))
    (folder / "result.json").unlink()
    monkeypatch.setattr(RhoUCT, "search", no_search)
    run(TIGER, folder)
    assert lasting(folder) == lasting(whole)


def test_a_finished_run_is_not_run_again(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.read_bytes() for path in whole.iterdir()}
    monkeypatch.setattr("aixi_approx.environment.Environment.checked_step", no_search)
    found = run(TIGER, whole)
    assert found.as_json() == json.loads((whole / "result.json").read_text())  # its seconds too
    assert found.experiment == TIGER
    assert {path: path.read_bytes() for path in whole.iterdir()} == before


def test_a_full_disk_at_the_very_beginning(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no space left"):
        run(TIGER, tmp_path / "folder")
    monkeypatch.undo()
    run(TIGER, tmp_path / "folder")
    assert lasting(tmp_path / "folder") == lasting(whole)


def test_a_killed_process(tmp_path: Path) -> None:
    run(own(tmp_path), tmp_path / "whole")
    mark = tmp_path / "mark"
    mark.touch()
    kill = f"if self.cycle == 900 and os.path.exists('{mark}'): os.kill(os.getpid(), signal.SIGKILL)"
    experiment = own(tmp_path, kill)
    imports = "import pathlib; from aixi_approx.experiments.experiment import *"
    code = f"{imports}; run({experiment!r}, pathlib.Path('{tmp_path}/killed'))"
    process = subprocess.run([sys.executable, "-c", code], check=False)
    assert process.returncode == -signal.SIGKILL
    left = (tmp_path / "killed" / "learning.csv").read_bytes()
    assert 1000 < len(left) < len((tmp_path / "whole" / "learning.csv").read_bytes())
    mark.unlink()
    run(experiment, tmp_path / "killed")
    assert lasting(tmp_path / "killed") == lasting(tmp_path / "whole")


def test_ctrl_c_and_the_same_command_again(tmp_path: Path) -> None:
    arguments = f"run coin-flip --cycles 1000000 --simulations 50 --seed 5 --out {tmp_path}/out".split()
    # A shell that starts the tests in the background has them, and what they start, ignore Ctrl-C.
    code = "import signal; signal.signal(2, signal.default_int_handler); import aixi_approx.cli as c; c.main({})"
    path, before = tmp_path / "out" / "learning.csv", ""
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-c", code.format(arguments)], stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while not path.exists() or path.stat().st_size < len(before) + 1000:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130, err
        lines = [line for line in err.splitlines() if not line.startswith(("learning ", "compiling "))]
        assert lines == [f"aixi: stopped; the same command goes on from {tmp_path / 'out'}"]
        text = path.read_text()
        assert text.startswith(before)
        assert text.endswith("\n")
        before = text
    environment = make("coin-flip")
    environment.reset(5)
    agent = build_agent(environment, settings=environment.settings._replace(simulations=50), seed=5)
    rows = [",".join(map(repr, row)) for row in interact(agent, environment, cycles=before.count("\n") - 1)]
    assert before.splitlines()[1:] == rows


# What is refused.


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("notes.txt", "hello", "not empty and holds no run"),
        ("manifest.json", "{}", "folder"),
        ("manifest.json", "[]", "folder"),
        ("manifest.json", "hello", "folder"),
        (
            "manifest.json",
            '{"version": "0.0.0", "options": {}}',
            r"version 0.0.0: read it with that version \(pip install aixi_approx==0.0.0\), or name another folder",
        ),
    ],
)
def test_what_is_no_run_of_ours_is_refused(tmp_path: Path, file: str, text: str, message: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / file).write_text(text)
    with pytest.raises(ValueError, match=message):
        run(TIGER, tmp_path / "folder")
    assert [path.read_text() for path in (tmp_path / "folder").iterdir()] == [text]


@pytest.mark.parametrize(
    "part",
    [
        {"seed": 4},
        {"evaluate": 26},
        {"planner": {"name": "dpuct", "ucb": 1.0}},
        {"environment": "Tiger"},
        {"decay": 0.5},
    ],
)
def test_other_options_are_refused(whole: Path, part: dict[str, Any]) -> None:
    options = {**TIGER.as_json(), **part}
    if "decay" in part:
        options = {**TIGER.as_json(), "settings": {**SHORT._asdict(), **part}}
    before = {path: path.read_bytes() for path in whole.iterdir()}
    named = "ucb" if "planner" in part else next(iter(part))
    with pytest.raises(ValueError, match=f"holds a run with .*{named}"):
        Recording(whole, options)
    assert {path: path.read_bytes() for path in whole.iterdir()} == before


def test_an_environment_that_does_not_repeat_itself_is_noticed(tmp_path: Path) -> None:
    experiment = own(tmp_path, "return Percept(os.urandom(1)[0] % 2, 0)", cycles=60)
    run(experiment, tmp_path / "out")
    (tmp_path / "out" / "result.json").unlink()
    with pytest.raises(EnvironmentFault, match=r"not a function of its seed"):
        run(experiment, tmp_path / "out")


@pytest.mark.parametrize(("row", "message"), [("7,3,0,0,1,0.5,0,0,0.0", "action"), ("7,zero", r"learning\.csv")])
def test_a_row_that_was_tampered_with_is_refused(tmp_path: Path, row: str, message: str) -> None:
    experiment = own(tmp_path, cycles=30)
    run(experiment, tmp_path / "out")
    (tmp_path / "out" / "result.json").unlink()
    path = tmp_path / "out" / "learning.csv"
    lines = path.read_text().split("\n")
    path.write_text("\n".join([*lines[:8], row, *lines[9:]]))
    with pytest.raises(ValueError, match=message):
        run(experiment, tmp_path / "out")


def test_two_do_not_write_to_one_folder(tmp_path: Path) -> None:
    first = Recording(tmp_path, {"seed": 1})
    with pytest.raises(ValueError, match="another process writes"):
        Recording(tmp_path, {"seed": 1})
    del first
    Recording(tmp_path, {"seed": 1})

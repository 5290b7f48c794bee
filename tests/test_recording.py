"""A run in a folder: rows are read as they were written; what was stopped anywhere comes to the same bytes."""

import contextlib
import itertools
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aixi_approx.builder import build_agent, load
from aixi_approx.environment import Environment, EnvironmentFault, Schedule, Settings
from aixi_approx.envs import make
from aixi_approx.execution.folder import read_checked, write_atomically
from aixi_approx.experiments import running as running_module
from aixi_approx.experiments.experiment import Experiment
from aixi_approx.experiments.recording import Recording
from aixi_approx.experiments.running import run
from aixi_approx.experiments.tally import Tally
from aixi_approx.interaction import Row, interact
from aixi_approx.planners.rho_uct import RhoUCT

PARTS = ("learning", "evaluation")
FILES = {"manifest.json", "learning.csv", "evaluation.csv", "agent.aixi", "result.json"}
EARLIER = "agent-previous.aixi"  # may be of any time
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
    result = read_checked(folder / "result.json")
    texts = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".json"}
    texts.pop(EARLIER, None)
    others = {path.name for path in folder.iterdir()} - FILES - {EARLIER}
    return {**texts, "result": {n: value for n, value in result.items() if "seconds" not in n}, "others": others}


def sealed(rows: Iterable[str]) -> str:
    """A file of rows, with their checks."""
    text = ",".join((*Row._fields, "check")) + "\n"
    for row in rows:
        text += f"{row},"
        text += f"{zlib.crc32(text.encode()):08x}\n"
    return text


def unsealed(text: str) -> list[str]:
    """The rows of a file, without their checks."""
    return [line.rpartition(",")[0] for line in text.splitlines()[1:]]


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
    assert {path.name for path in whole.iterdir()} - {EARLIER} == FILES
    assert read_checked(whole / "manifest.json")["options"] == TIGER.as_json()


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
        assert read_checked(tmp_path / "x.json") == content
    with pytest.raises(TypeError):
        write_atomically(tmp_path / "x.json", {"a": {1}})
    assert read_checked(tmp_path / "x.json") == content
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
        assert result.as_json() == read_checked(folder / "result.json")


def test_what_a_power_cut_leaves_behind_the_rows_is_cut_off(whole: Path, tmp_path: Path) -> None:
    """A block of the disk that was never written is longer than the rows to come."""
    folder = Path(shutil.copytree(whole, tmp_path / "copy"))
    for name in ("result.json", "evaluation.csv"):
        (folder / name).unlink()
    rows = (folder / "learning.csv").read_bytes().splitlines(keepends=True)[:31]
    (folder / "learning.csv").write_bytes(b"".join(rows) + bytes(1 << 16))
    run(TIGER, folder)
    assert (folder / "learning.csv").read_bytes() == (whole / "learning.csv").read_bytes()
    assert (folder / "evaluation.csv").read_bytes() == (whole / "evaluation.csv").read_bytes()


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
    assert found.as_json() == read_checked(whole / "result.json")  # its seconds too
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
    imports = "import pathlib; from aixi_approx.experiments.experiment import *; from aixi_approx.experiments.running import run"
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
    assert [line.rpartition(",")[0] for line in before.splitlines()[1:]] == rows


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
            r"version 0.0.0: read it with that version, or name another folder",
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
        {"evaluate": 24},
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


def test_an_option_that_is_not_given_is_another_one(whole: Path) -> None:
    options = {name: value for name, value in TIGER.as_json().items() if name != "evaluate"}
    with pytest.raises(ValueError, match="holds a run with evaluate 25, not None"):
        Recording(whole, options)


def test_an_environment_that_does_not_repeat_itself_is_noticed(tmp_path: Path) -> None:
    experiment = own(tmp_path, "return Percept(os.urandom(1)[0] % 2, 0)", cycles=60)
    run(experiment, tmp_path / "out")
    (tmp_path / "out" / "result.json").unlink()
    with pytest.raises(EnvironmentFault, match=r"not a function of its seed"):
        run(experiment, tmp_path / "out")


@pytest.mark.parametrize(("row", "message"), [("7,3,0,0,1,0.5,0,0,0.0", "action"), ("7,zero", r"learning\.csv")])
def test_a_row_that_makes_no_sense_is_refused(tmp_path: Path, row: str, message: str) -> None:
    experiment = own(tmp_path, cycles=30)
    run(experiment, tmp_path / "out")
    (tmp_path / "out" / "result.json").unlink()
    (tmp_path / "out" / "agent.aixi").unlink()
    path = tmp_path / "out" / "learning.csv"
    lines = unsealed(path.read_text())
    path.write_text(sealed([*lines[:7], row, *lines[8:]]))
    with pytest.raises(ValueError, match=message):
        run(experiment, tmp_path / "out")


def altered(line: bytes, field: int) -> bytes:
    """A row with another number in a field."""
    fields = line.split(b",")
    fields[field] = b"%d" % (int(float(fields[field])) + 1)
    return b",".join(fields)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("field", range(len(Row._fields)), ids=Row._fields)
def test_a_changed_row_is_named(whole: Path, part: str, field: int, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "copy"))
    (folder / "result.json").unlink()
    lines = (folder / f"{part}.csv").read_bytes().split(b"\n")
    lines[6] = altered(lines[6], field)
    (folder / f"{part}.csv").write_bytes(b"\n".join(lines))
    with pytest.raises(ValueError, match=rf"{part}\.csv, line 7 was changed or damaged: remove this line"):
        run(TIGER, folder)
    (folder / f"{part}.csv").write_bytes(b"\n".join([*lines[:6], b""]))  # what the message says
    run(TIGER, folder)
    assert lasting(folder) == lasting(whole)


@pytest.mark.parametrize("part", PARTS)
def test_other_line_ends_and_another_header_are_refused(whole: Path, part: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "copy"))
    (folder / "result.json").unlink()
    path = folder / f"{part}.csv"
    content = path.read_bytes()
    for changed, message in (
        (content.replace(b"\n", b"\r\n"), "its line ends were converted, convert them back"),
        (content.replace(b"reward", b"income"), "does not begin with cycle,action"),
    ):
        path.write_bytes(changed)
        with pytest.raises(ValueError, match=message):
            run(TIGER, folder)
        assert path.read_bytes() == changed


@settings(deadline=None, max_examples=150)
@given(file=st.sampled_from(sorted(FILES)), place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_healed_or_harmless(whole: Path, file: str, place: float, bit: int) -> None:
    with tempfile.TemporaryDirectory() as base:
        folder = Path(shutil.copytree(whole, Path(base) / "copy"))
        if file != "result.json":
            (folder / "result.json").unlink()
        content = bytearray((folder / file).read_bytes())
        content[int(place * len(content))] ^= 1 << bit
        (folder / file).write_bytes(content)
        with contextlib.suppress(ValueError):
            run(TIGER, folder)
            assert lasting(folder)["result"] == lasting(whole)["result"]
            assert lasting(folder)["agent.aixi"] == lasting(whole)["agent.aixi"]


# What is made longer.


@pytest.mark.parametrize("agent", [True, False])
def test_a_run_is_made_longer(whole: Path, agent: bool, tmp_path: Path) -> None:
    short = TIGER._replace(schedule=SCHEDULE._replace(cycles=23), evaluate=11)
    run(short, tmp_path)
    came_to = (tmp_path / "result.json").read_bytes(), (tmp_path / "evaluation.csv").read_bytes()
    if not agent:
        (tmp_path / "agent.aixi").unlink()
    run(short._replace(evaluate=25), tmp_path)
    assert len((tmp_path / "evaluation.csv").read_bytes().splitlines()) == 26
    run(TIGER, tmp_path)
    assert {**lasting(tmp_path), "others": 0} == {
        **lasting(whole),
        "evaluation-23-25.csv": (tmp_path / "evaluation-23-25.csv").read_bytes(),
        "others": 0,
    }
    assert (tmp_path / "evaluation-23-25.csv").read_bytes().startswith(came_to[1])
    assert read_checked(tmp_path / "result-23-25.json")["evaluate"] == 25
    with pytest.raises(ValueError, match="holds a run with cycles 40, not 23: take the same, or more of them"):
        run(short, tmp_path)


# Snapshots.


def test_a_run_goes_on_from_its_snapshot_alone(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "copy"))
    (folder / "result.json").unlink()
    (folder / "evaluation.csv").unlink()
    steps = []
    step = Environment.checked_step
    monkeypatch.setattr(Environment, "checked_step", lambda self, a: (steps.append(a), step(self, a))[1])
    run(TIGER, folder)
    assert len(steps) == 25, "only those of the evaluation"
    assert lasting(folder) == lasting(whole)


@pytest.mark.parametrize("damage", ["cut", "other", "both"])
def test_a_snapshot_that_does_not_fit_is_passed_over(
    whole: Path, damage: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "copy"))
    (folder / "result.json").unlink()
    run(TIGER._replace(seed=4), tmp_path / "other")
    for name in ("agent.aixi", EARLIER):
        if damage == "cut":
            (folder / name).write_bytes((whole / "agent.aixi").read_bytes()[:-64])
        elif damage == "other" or name == EARLIER:
            shutil.copy(tmp_path / "other" / "agent.aixi", folder / name)
        else:
            (folder / name).write_bytes(b"")
    run(TIGER, folder)
    assert lasting(folder) == {**lasting(whole), "others": lasting(folder)["others"]} | {
        "agent.aixi": lasting(folder)["agent.aixi"]
    }
    assert capfd.readouterr().err.count("is damaged, or belongs to other rows: going on from an earlier point") == 2
    if damage == "cut":
        assert load(whole / "agent.aixi").cycle == 40


def test_killed_while_a_snapshot_is_written(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_module, "SNAPSHOT_SECONDS", 0.0)
    monkeypatch.setattr(running_module, "SNAPSHOT_SHARE", 0)
    replace = Path.replace
    for moment in range(30):
        folder, count = tmp_path / str(moment), itertools.count()

        def stop(self: Path, target: Path) -> Path:
            if ".aixi" in self.name and next(count) == moment:  # noqa: B023
                raise KeyboardInterrupt
            return replace(self, target)

        monkeypatch.setattr(Path, "replace", stop)
        with pytest.raises(KeyboardInterrupt):
            run(TIGER, folder)
        monkeypatch.setattr(Path, "replace", replace)
        run(TIGER, folder)
        assert lasting(folder) == lasting(whole)


def test_an_agent_that_cannot_be_kept_runs_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from aixi_approx.predictors import FactoredContextTree\n"
        "class Mine(FactoredContextTree):\n"
        "    def keep(self):\n        raise ValueError('no')\n"
    )
    experiment = TIGER._replace(model=f"{tmp_path}/mine.py:Mine")
    run(experiment, tmp_path / "out")
    before = lasting(tmp_path / "out")
    assert "agent.aixi" not in before
    (tmp_path / "out" / "result.json").unlink()
    run(experiment, tmp_path / "out")
    assert lasting(tmp_path / "out") == before


def test_what_an_agent_knows_is_a_start(whole: Path, tmp_path: Path) -> None:
    fresh = run(TIGER._replace(settings=SHORT._replace(epsilon=0.0)))
    knowing = TIGER._replace(settings=SHORT._replace(epsilon=0.0), start=str(whole))
    result = run(knowing, tmp_path / "out")
    assert result.log_loss_start < 0.8 * fresh.log_loss_start
    shutil.copytree(whole, tmp_path / "copy")
    (tmp_path / "out" / "result.json").unlink()
    assert run(knowing, tmp_path / "out").reward == result.reward
    for change, message in (
        ({"environment": "1d-maze"}, "it lived with other actions, observations or rewards"),
        ({"settings": SHORT._replace(depth=13)}, "a context tree of depth 12 .* is not one of depth 13"),
        ({"start": str(tmp_path)}, "there is no file .*agent.aixi: name one"),
        ({"start": str(whole / "learning.csv")}, "learning.csv is no file of this package"),
    ):
        with pytest.raises(ValueError, match=message):
            run(knowing._replace(**change))


def test_two_do_not_write_to_one_folder(tmp_path: Path) -> None:
    first = Recording(tmp_path, {"seed": 1})
    with pytest.raises(ValueError, match="another process writes"):
        Recording(tmp_path, {"seed": 1})
    del first
    Recording(tmp_path, {"seed": 1})


def test_a_display_ends_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal may come while a row is added up, outside the display: it must not stay on the screen."""
    ended, counted = [], Tally.counted

    def display(part: str, rows: Iterable[Row], *, cycles: int, environment: Environment) -> Iterator[Row]:
        try:
            yield from rows
        finally:
            ended.append(part)

    def stopped(tally: Tally, rows: Iterable[Row]) -> Iterator[Row]:
        if getattr(rows, "__name__", "") != "display":
            yield from counted(tally, rows)
        for _ in rows:
            raise KeyboardInterrupt

    monkeypatch.setattr(Tally, "counted", stopped)
    with pytest.raises(KeyboardInterrupt) as stop:  # whose traceback keeps all frames, as that of a signal does
        run(TIGER, watch=display)
    assert ended == ["learning", "evaluation"], stop

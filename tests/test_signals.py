"""Ctrl-C, SIGTERM and SIGHUP: heard soon, wherever a command is, and told in one line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from worker_tasks import session

from aixi_approx.cli import main, signals
from aixi_approx.cli.signals import SIGNALS, Ear, Stopped, can_go_on
from aixi_approx.envs import make
from aixi_approx.planner import SearchResult
from aixi_approx.planners.dp_uct import DPUCT
from aixi_approx.planners.root_parallel import RootParallel
from aixi_approx.planners.time_slices import TimeSlices, ended_by
from aixi_approx.predictors.context_tree import FactoredContextTree
from aixi_approx.randomness import stream

AIXI = str(Path(sys.executable).with_name("aixi"))
SOON = 2.0  # seconds; the real figure is a tenth of a second, in benchmarks/trust/signals.py
LONG = ["--simulations", "20000000"]  # more than a decision takes in a minute

DEAF = """
from aixi_approx import Environment, Percept
import {imported}

class Deaf(Environment):
    actions = observations = ("a", "b")
    min_reward, max_reward = 0, 1
    def reset(self, seed):
        pass
    def step(self, action):
        print("at work", flush=True)
        {work}
        return Percept(0, 0)
"""


class Program:
    """A command that runs by itself, in a session of its own."""

    def __init__(self, arguments: list[str], place: Path, *, ignored: tuple[int, ...] = ()) -> None:
        def prepare() -> None:
            for number in SIGNALS:
                signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)

        self.process = subprocess.Popen(
            [AIXI, *arguments],
            cwd=place,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=prepare,
        )

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until it has come so far."""
        for _ in range(1200):
            if condition():
                return
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.05)
        raise AssertionError("it takes a minute")

    def stopped_by(self, number: int, *, group: bool = False) -> tuple[list[str], float]:
        """Send it a signal; return the lines of stderr, and how long it took to end."""
        began = time.perf_counter()
        (os.killpg if group else os.kill)(self.process.pid, number)
        try:
            out, err = self.process.communicate(timeout=60)
        except BaseException:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise
        seconds = time.perf_counter() - began
        assert out == ""
        assert self.process.returncode == 128 + number, err
        return [line for line in err.splitlines() if not line.startswith(("learning ", "compiling "))], seconds


def begun(path: Path) -> Callable[[], bool]:
    return lambda: path.exists() and path.stat().st_size > 500


@pytest.mark.parametrize("number", SIGNALS)
def test_a_run_says_how_to_go_on(number: int, tmp_path: Path) -> None:
    program = Program(["run", "coin-flip", "--cycles", "1000000", "--out", "out"], tmp_path)
    program.until(begun(tmp_path / "out" / "learning.csv"))
    lines, seconds = program.stopped_by(number)
    assert lines == ["aixi: stopped; the same command goes on from out"]
    assert seconds < SOON


@pytest.mark.parametrize(
    "options",
    [
        ["--planner", "majority:2", "--threads", "2"],
        ["--planner", "rhouct"],
        ["--planner", "rhouct", "--model", "true"],
    ],
    ids=" ".join,
)
def test_a_long_search_is_stopped(options: list[str], tmp_path: Path) -> None:
    """Every decision takes a minute or more; a random one of the first cycle is written at once."""
    arguments = ["run", "tiger", *options, *LONG, "--exploration", "0.5", "1", "--seed", "6", "--out", "out"]
    program = Program(arguments, tmp_path)
    program.until((tmp_path / "out" / "learning.csv").exists)
    time.sleep(1)
    lines, seconds = program.stopped_by(signal.SIGINT)
    assert lines == ["aixi: stopped; the same command goes on from out"]
    assert seconds < SOON


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("seconds", [0.15, 0.3, 0.6])
def test_a_start_is_stopped(number: int, seconds: float, tmp_path: Path) -> None:
    """While it imports or compiles."""
    program = Program(["run", "tiger", *LONG, "--out", "out"], tmp_path)
    time.sleep(seconds)
    if not Path(f"/proc/{program.process.pid}/task").exists() or not _listens(program.process.pid):
        pytest.skip("this machine has not come so far in that time")
    lines, seconds = program.stopped_by(number)
    assert lines == ["aixi: stopped; the same command goes on from out"]
    assert seconds < SOON


def _listens(pid: int) -> bool:
    """Whether Linux says that a process handles SIGTERM."""
    (caught,) = (
        int(line.split()[1], 16) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "SigCgt" in line
    )
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def test_code_that_never_comes_back_to_python_is_ended(tmp_path: Path) -> None:
    (tmp_path / "deaf.py").write_text(
        DEAF.format(imported="hashlib", work="hashlib.pbkdf2_hmac('sha256', b'', b'', 10**8)")
    )
    program = Program(["run", "deaf.py:Deaf", "--planner", "random", "--out", "out"], tmp_path)
    assert program.process.stderr
    while program.process.stderr.readline() != "at work\n":
        pass
    lines, seconds = program.stopped_by(signal.SIGTERM)
    assert lines[-1] == "aixi: stopped; the same command goes on from out"
    assert seconds < SOON


@pytest.mark.parametrize(("number", "group"), [*((each, True) for each in SIGNALS), (signal.SIGTERM, False)])
def test_a_study_and_its_processes_end(number: int, group: bool, tmp_path: Path) -> None:
    """Whether the signal reaches all of them, as from a terminal, or one."""
    program = Program(["scale", "tiger", "--seeds", "200", "--on", "2", "--yes", "--out", "study"], tmp_path)
    program.until(lambda: any(tmp_path.glob("study/experience/*.json")))
    lines, seconds = program.stopped_by(number, group=group)
    lines = [line for line in lines if not line.startswith(("measuring", "1,200 checkpoints"))]
    assert lines == ["aixi: stopped; the same command goes on with study"]
    assert seconds < SOON
    for _ in range(100):  # the others see that it has ended
        if not session(program.process.pid):
            return
        time.sleep(0.1)
    raise AssertionError("a process is left")


def test_what_was_ignored_stays_ignored(tmp_path: Path) -> None:
    """As with nohup, and in the background of a script."""
    ignored = (signal.SIGINT, signal.SIGHUP)
    program = Program(["run", "coin-flip", "--cycles", "1000000", "--out", "out"], tmp_path, ignored=ignored)
    program.until(begun(tmp_path / "out" / "learning.csv"))
    for number in ignored:
        program.process.send_signal(number)
    size = (tmp_path / "out" / "learning.csv").stat().st_size
    program.until(lambda: (tmp_path / "out" / "learning.csv").stat().st_size > size)
    program.stopped_by(signal.SIGTERM)


def test_a_signal_in_a_destructor_is_heard(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing can be raised."""

    class Destructor:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            for _ in range(1000):  # the signal is handled in here
                pass

    def wait() -> None:
        Destructor()
        time.sleep(30)

    with pytest.raises(SystemExit) as stop, Ear([]):
        wait()
    assert stop.value.code == 143
    assert capsys.readouterr().err == "aixi: stopped\n"


def test_an_error_that_a_signal_has_brought_about_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    def load() -> None:
        try:
            os.kill(os.getpid(), signal.SIGHUP)
            time.sleep(30)
        except Stopped as heard:
            raise ImportError("numpy.core.multiarray failed to import") from heard

    with pytest.raises(SystemExit) as stop, Ear(["run", "tiger", "--out=there"]):
        load()
    assert stop.value.code == 129
    assert capsys.readouterr().err == "aixi: stopped; the same command goes on from there\n"


def test_handlers_are_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    main(["--version"])

    def stop() -> None:
        can_go_on("somehow")
        raise KeyboardInterrupt

    with pytest.raises(SystemExit), Ear([]):
        stop()
    assert [signal.getsignal(number) for number in SIGNALS] == before
    with Ear([]):
        assert signals._how == [""], "what was said before is of another command"


def test_a_search_in_a_thread_ends_when_it_is_told() -> None:
    stop = threading.Event()
    seen = []

    def search() -> None:
        for count, _ in TimeSlices(9.0)(100):
            seen.append(count)
            if len(seen) == 3:
                stop.set()

    with pytest.raises(KeyboardInterrupt), ended_by(stop):
        search()
    assert seen == [1, 2, 4]
    assert [count for count, _ in TimeSlices(9.0)(3)] == [1, 2], "another search is its own affair"


def test_one_thread_that_fails_stops_the_others() -> None:
    class Failing(DPUCT):
        def search(self, *_: object, **__: object) -> SearchResult:
            time.sleep(0.5)
            raise LookupError("failed")

    coding = make("coin-flip").coding
    predictor = FactoredContextTree(8, coding.action_bits, coding.percept_bits)
    long = DPUCT(coding, horizon=20, simulations=40_000_000)
    parallel = RootParallel([long, Failing(coding, horizon=20)], searches=2)
    again = DPUCT(coding, horizon=20, simulations=100)
    again.search(predictor, stream(2))  # which compiles
    began = time.perf_counter()
    with pytest.raises(LookupError, match="failed"):
        parallel.search(predictor, stream(1))
    assert time.perf_counter() - began < 0.5 + SOON
    found = [each.search(predictor, stream(2), simulations=100).value for each in (long, again)]
    assert np.array_equal(*found), "nothing of the search that was stopped is left"


def test_chunks_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is seen between two: none is meant to take longer than the twentieth of a second."""
    assert TimeSlices().seconds <= 0.05
    assert DPUCT.CHUNK_SECONDS <= 0.05
    clock, chunks = [0.0], []
    monkeypatch.setattr("aixi_approx.planners.time_slices.time.perf_counter", lambda: clock[0])
    for count, _ in TimeSlices(0.0101)(2_000):
        chunks.append(count)
        clock[0] += 0.001 * count  # each simulation takes a millisecond
    assert chunks[:5] == [1, 2, 4, 8, 10]
    assert max(chunks) == 10


SWALLOWS = """
import time
from aixi_approx import Environment, Percept
class Swallows(Environment):
    actions, observations, min_reward, max_reward = (0, 1), (0,), 0, 1
    def reset(self, seed):
        pass
    def step(self, action):
        try:
            open("begun", "w").close()
            time.sleep(60)
        except BaseException:
            time.sleep(60)
        return Percept(0, 0)
"""


def test_a_signal_that_was_swallowed_comes_again(tmp_path: Path) -> None:
    (tmp_path / "swallows.py").write_text(SWALLOWS)
    program = Program(["run", "swallows.py:Swallows", "--cycles", "5", "--planner", "random"], tmp_path)
    program.until((tmp_path / "begun").exists)
    lines, seconds = program.stopped_by(signal.SIGINT)
    assert lines == ["aixi: stopped"]
    assert 0.9 < seconds < 1 + SOON

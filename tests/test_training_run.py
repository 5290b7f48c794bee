"""A life and a study: the same rows however often they are stopped, in whatever order and by however many processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worker_tasks import session

from aixi_approx.builder import mc_aixi
from aixi_approx.environment import Settings
from aixi_approx.envs import make
from aixi_approx.estimate import average
from aixi_approx.execution.folder import JsonLines
from aixi_approx.interaction import evaluate, interact
from aixi_approx.jair2011.sweep import carry_out
from aixi_approx.jair2011.training_run import Life, Trial, live, work

QUICK = Settings(depth=16, horizon=3, simulations=8, epsilon=0.5, decay=0.99)
TRIALS = (
    Trial(60, "rhouct", 20, 30),
    Trial(20, "rhouct", 8, 30),
    Trial(60, "one-ply", 20, 30),
    Trial(60, "rhouct", 20, 30, True),
    Trial(0, "rhouct", 5, 10),
)


def life(trials: tuple[Trial, ...] = TRIALS, seed: int = 1, name: str = "tiger", planner: str = "rhouct") -> Life:
    return Life(name, QUICK, trials, seed, planner)


def timeless(rows: list[dict]) -> list[dict]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


@pytest.fixture(scope="module")
def as_integer(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict], str]:
    """The rows of the life, and what it learned from, when nothing stops it."""
    folder = tmp_path_factory.mktemp("whole") / "life"
    rows = live(life(), folder)
    return timeless(rows), (folder / "learning.csv").read_text()


def test_a_row_is_what_learning_and_evaluating_by_hand_gives(as_integer: tuple[list[dict], str]) -> None:
    environment = make("tiger")
    environment.reset(1)
    agent = mc_aixi(environment, 1, depth=16, horizon=3, simulations=8, epsilon=0.5, decay=0.99)
    learned = list(interact(agent, environment, 60))
    reward = average([row.reward for row in evaluate(agent, make("tiger"), 30, 1, 20)])
    row = as_integer[0][0]
    assert (row["reward"], row["reward_low"], row["reward_high"]) == tuple(reward)
    assert (row["environment"], row["seed"], row["experience"], row["simulations"]) == ("tiger", 1, 60, 20)
    lines = as_integer[1].splitlines()[1:]
    assert [line.split(",")[1] for line in lines] == [str(row.action) for row in learned]


def test_planners_and_experience_make_a_difference(as_integer: tuple[list[dict], str]) -> None:
    rewards = [(row["reward"], row["reward_low"]) for row in as_integer[0]]
    assert len(set(rewards)) == len(rewards)


@given(stops=st.lists(st.integers(1, 120), max_size=4), trials=st.permutations(TRIALS))
@settings(deadline=None, max_examples=15)
def test_stopped_anywhere_and_asked_in_any_order(
    stops: list[int], trials: list[Trial], as_integer: tuple[list[dict], str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("stopped") / "life"
    for stop in stops:
        count = 0

        def tick(work: float, stop: int = stop) -> None:
            nonlocal count
            count += 1
            if count == stop:
                raise KeyboardInterrupt

        with contextlib.suppress(KeyboardInterrupt):
            live(life(tuple(trials[:2])), folder, tick)
    rows = timeless(live(life(tuple(trials)), folder))
    assert sorted(rows, key=str) == sorted(as_integer[0], key=str)
    assert [Trial(*(row[field] for field in Trial._fields)) for row in rows] == trials
    assert (folder / "learning.csv").read_text() == as_integer[1]


def test_what_is_there_is_not_done_again(tmp_path: Path) -> None:
    first = live(life(), tmp_path / "life")
    ticks: list[float] = []
    assert live(life(), tmp_path / "life", ticks.append) == first
    assert not ticks


def test_the_work_of_a_life_is_about_what_it_says(tmp_path: Path) -> None:
    ticks: list[float] = []
    live(life(), tmp_path / "life", ticks.append)
    assert sum(ticks) == pytest.approx(work(life()), rel=0.3)


def test_a_folder_of_another_life_is_refused(tmp_path: Path) -> None:
    live(life((Trial(5, "rhouct", 1, 1),)), tmp_path / "life")
    with pytest.raises(ValueError, match="holds a run with seed 1, not 2"):
        live(life((Trial(5, "rhouct", 1, 1),), seed=2), tmp_path / "life")


def test_the_number_of_processes_changes_nothing(as_integer: tuple[list[dict], str], tmp_path: Path) -> None:
    lives = [life(), life(seed=2), life(name="coin-flip", planner="q-learning")]
    seen: list[list] = []
    one, two = (carry_out(lives, tmp_path / str(n), n, seen.append) for n in (1, 2))
    assert timeless(one) == timeless(two)
    assert timeless(one)[: len(TRIALS)] == as_integer[0]
    assert all(done == total for _, done, total in seen[-1])
    assert [name for name, _, _ in seen[-1]] == ["tiger-rhouct-1", "tiger-rhouct-2", "coin-flip-q-learning-1"]


def test_an_error_in_a_process_is_raised(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no environment 'tigre': did you mean tiger"):
        carry_out([life(), life(name="tigre")], tmp_path)


def test_a_study_that_is_killed_goes_on(tmp_path: Path) -> None:
    """Killed with its processes left alone, it ends them; what they wrote is gone on from."""
    trials = (Trial(400, "rhouct", 20, 300), Trial(200, "rhouct", 20, 300))
    code = (
        "import sys, pathlib\nfrom aixi_approx.jair2011.sweep import carry_out\nfrom test_life import *\n"
        "if __name__ == '__main__': carry_out([life(TRIALS), life(TRIALS, 2)], pathlib.Path(sys.argv[1]), 2)"
    ).replace("TRIALS", repr(trials))
    script = tmp_path / "study.py"
    script.write_text(code)
    as_integer = carry_out([life(trials), life(trials, 2)], tmp_path / "whole", 2)
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(__file__)}
    for delay in (0.0, 0.05, 0.15):
        command = [sys.executable, str(script), str(tmp_path / "killed")]
        process = subprocess.Popen(command, env=environment, start_new_session=True)
        rows = tmp_path / "killed" / "tiger-rhouct-1" / "learning.csv"
        while process.poll() is None and not rows.exists():
            time.sleep(0.01)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert ends(process.pid)
    again = carry_out([life(trials), life(trials, 2)], tmp_path / "killed", 2)
    assert timeless(again) == timeless(as_integer)
    for name in ("tiger-rhouct-1", "tiger-rhouct-2"):
        texts = [(tmp_path / folder / name / "learning.csv").read_text() for folder in ("whole", "killed")]
        assert texts[0] == texts[1]


@pytest.mark.parametrize("delay", [0.0, 0.5, 1.0, 1.5])
def test_a_study_that_is_interrupted_ends_quietly(delay: float, tmp_path: Path) -> None:
    """Ctrl-C reaches the processes too, perhaps before they have begun."""
    script = tmp_path / "study.py"
    script.write_text(
        "import pathlib\nfrom aixi_approx.jair2011.sweep import carry_out\nfrom test_life import *\n"
        "if __name__ == '__main__':\n    print('begun', flush=True)\n"
        "    carry_out([life((Trial(10**6, 'rhouct', 20, 300),), i) for i in range(3)], pathlib.Path('out'), 2)"
    )
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(__file__)}
    process = subprocess.Popen(
        [sys.executable, str(script)],
        env=environment,
        cwd=tmp_path,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
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


def ends(leader: int) -> bool:
    """Whether all processes of a session end within half a minute: they have to see that they are alone."""
    for _ in range(300):
        if not session(leader):
            return True
        time.sleep(0.1)
    return False


def test_lines(tmp_path: Path) -> None:
    lines = JsonLines(tmp_path / "lines.jsonl")
    assert lines.read() == []
    lines.append({"a": 1})
    with lines.path.open("a") as file:
        file.write('{"a": 2')  # not written whole
    assert lines.read() == [{"a": 1}]
    lines.append({"a": 3})
    assert lines.read() == [{"a": 1}, {"a": 3}]
    assert [json.loads(line) for line in lines.path.read_text().splitlines()] == lines.read()
    lines.path.write_text('{"a": 1}\nnonsense\n')
    with pytest.raises(ValueError, match=r"lines.jsonl, line 2: 'nonsense' is not a JSON object"):
        lines.read()

"""Playing by hand: what is said, asked and counted, and that the agent beside is the one of `aixi run`."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aixi_approx import make
from aixi_approx.cli import main
from aixi_approx.interaction import evaluation_seed

Captured = pytest.CaptureFixture[str]

OWN = '''from aixi_approx import Environment, Percept
class Doors(Environment):
    """Which door?"""
    actions = ("q", "Quiet", "queue")
    observations = ("shut", ("wide", "open"))
    min_reward, max_reward = 0, 10
    def reset(self, seed):
        self.cycle = 0
    def step(self, action):
        print("step", action)
        self.cycle += 1
        return Percept(action % 2, 5 if self.cycle < 4 else 11)
class Silent(Doors):
    actions = ("a", "b")
'''


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(OWN)
    return tmp_path


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> Any:
    """What is printed when somebody plays: (stdout, stderr)."""

    def play(environment: str, said: str, *options: str) -> tuple[str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{word}\n" for word in said.split(","))))
        main(["play", environment, *options])
        return capsys.readouterr()

    return play


@pytest.fixture
def result(played: Any) -> Any:
    def play(environment: str, said: str, *options: str) -> dict[str, Any]:
        out, _ = played(environment, said, "--json", *options)
        assert out.count("\n") == 1
        return json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))

    return play


def by_hand(name: str, actions: list[int], seed: int = 0) -> list[int]:
    """The rewards of some actions."""
    environment = make(name)
    environment.reset(evaluation_seed(seed))
    return [environment.step(action).reward for action in actions]


@pytest.mark.parametrize("seed", ["0", "3"])
def test_what_is_played_is_the_environment(seed: str, result: Any) -> None:
    actions = [1, 0, 1, 1, 0, 0, 1]
    rewards = by_hand("kuhn-poker", actions, int(seed))
    found = result("kuhn", ",".join(map(str, actions)), "--seed", seed)
    assert (found["cycles"], found["reward"]) == (7, sum(rewards) / 7)
    assert (found["random_reward"], found["optimum"]) == (pytest.approx(-2 / 15), pytest.approx(1 / 18))
    assert found["score"] == pytest.approx((sum(rewards) / 7 + 2 / 15) / (1 / 18 + 2 / 15))


@pytest.mark.parametrize("options", [("--model", "true"), ("--model", "ctw", "--cycles", "300")])
def test_the_agent_beside_is_that_of_a_run(options: tuple[str, ...], result: Any, capsys: Captured) -> None:
    found = result("biased-rps", ",".join("0" * 20), "--simulations", "20", "--seed", "2", *options)
    learning = () if "--cycles" in options else ("--cycles", "0")
    arguments = ["run", "biased-rps", *options, *learning, "--evaluate", "20", "--evaluation-simulations", "20"]
    main([*arguments, "--seed", "2", "--json"])
    run = json.loads(capsys.readouterr().out)
    assert (found["agent_reward"], found["agent_score"]) == (run["reward"], pytest.approx(run["score"]))
    assert (found["model"], found["learned"]) == (options[1], run["schedule"]["cycles"])


def test_what_is_no_action_takes_no_cycle(result: Any, played: Any) -> None:
    assert result("tiger", "0,0,2") == result("tiger", "l,open,7,,?,LISTEN,x,open-r,q,0,0")
    _, err = played("tiger", "open,x,-1,,q")
    assert [line.strip() for line in err.splitlines() if "'" in line and "tiger's" not in line] == [
        "'open' is several actions: which one: open-left, open-right?",
        "'x' is no action: there are listen, open-left, open-right",
        "'-1' is no action: there are listen, open-left, open-right",
    ]


def test_all_that_is_needed_to_play_is_said(played: Any) -> None:
    out, err = played("tiger", "listen,?,1,q")
    rules = "A tiger is behind one of two doors, gold behind the other.\n\nListening costs 1 and reveals"
    assert err.count(rules) == 2
    assert err.count("actions: 0 listen, 1 open-left, 2 open-right\nrewards: -100 to 10\n") == 2
    assert err.count("An agent that knows the rules plays beside you, in a game of its own.\n") == 2
    heard = make("tiger")
    heard.reset(evaluation_seed(0))
    first, second = heard.step(0), heard.step(1)
    lines = [line for line in err.splitlines() if "you see" in line]
    side = heard.observations[first.observation]
    assert lines[0] == f"      reward   -1   mean: you   -1.000, agent   -1.000   you see: {side}"
    assert lines[1].startswith(f"      reward {second.reward:+4}   mean: you {(second.reward - 1) / 2:+8.3f}, agent ")
    assert lines[1].endswith("   you see: nothing")
    table = [line.split("  ") for line in out.splitlines()]
    assert [row[0] for row in table] == [
        "after 2 cycles",
        "you",
        "the agent",
        "a random agent",
        "best achievable",
    ]
    assert [row[-1].strip() for row in table[3:]] == ["0.000", "1.000"]
    assert f"{(second.reward - 1) / 2:.3f}" in out.splitlines()[1]


def test_what_is_hidden_stays_hidden(played: Any) -> None:
    said = "listen,listen,listen"
    assert "[ tiger ]" not in played("tiger", said)[1]
    _, revealed = played("tiger", said, "--reveal")
    assert revealed.index("[ tiger ]") < revealed.index("   1> "), "it is revealed before the first action"
    _, board = played("tic-tac-toe", "4")
    assert len([line for line in board.splitlines() if line[:6].isspace() and set(line[6:]) <= set("-XO ")]) == 3


def test_the_blind_are_told_numbers_only(played: Any) -> None:
    out, err = played("tiger", "0,2,left,listen,?,q", "--blind", "--cycles", "50")
    for word in ("tiger", "listen costs", "Listening", "open-", "left '", "gold"):
        assert word not in err, word
    assert err.count("Actions 0 to 2, observations 0 to 2, rewards: -100 to 10: find out what they mean.") == 2
    assert err.count("An agent that has learned from 50 cycles plays beside you, in a game of its own.") == 2
    assert "'left' is no action: there are 0, 1, 2" in err
    assert "after 2 cycles" in out
    _, board = played("tic-tac-toe", "4", "--blind", "--cycles", "0")
    assert "X" not in board


def test_it_ends_after_the_rounds_asked_for(result: Any) -> None:
    assert result("coin", "heads,h,1,1,1,1", "--rounds", "3")["cycles"] == 3


def test_nothing_played_is_no_number(result: Any, played: Any) -> None:
    assert {name: value for name, value in result("tiger", "q").items() if value is None} == dict.fromkeys(
        ["reward", "score", "agent_reward", "agent_score"]
    )
    assert "unknown" in played("tiger", "")[0]


def test_an_environment_of_ones_own(place: Path, played: Any, result: Any) -> None:
    """It is no POMDP, prints, and has an action named q; the game then ends with the input."""
    options = ("--cycles", "3", "--simulations", "2")
    out, err = played("own.py:Doors", "q,qui,queue", *options)
    assert err.count("you see: shut") == 2
    assert err.count("you see: wide open") == 1
    assert "step 2" in err
    assert "step" not in out
    assert [line.split() for line in out.splitlines()][3:] == [
        ["a", "random", "agent", "unknown", "unknown"],
        ["best", "achievable", "unknown", "unknown"],
    ]
    found = result("own.py:Silent", "b,q,b", *options)
    assert (found["cycles"], found["reward"], found["score"], found["model"]) == (1, 5, None, "ctw")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("tigre", "aixi: no environment 'tigre': did you mean tiger?"),
        ("tiger --blind --reveal", "aixi play: --blind hides what --reveal shows: give one of them"),
        ("tiger --model true --cycles 3", "aixi play: the model true has nothing to learn: give no --cycles"),
        (
            "own.py:Doors --model true",
            "aixi: Doors is no POMDP, so its true model is not known: leave the model at ctw",
        ),
        ("own.py:Doors --cycles 0 --simulations 1", "aixi: Doors: step(0) gave the reward 11, declared are whole numb"),
        ("tiger --rounds 0", "aixi play: Invalid value for '--rounds': 0 is not in the range"),
    ],
)
@pytest.mark.usefixtures("place")
def test_what_is_wrong_is_one_line(
    arguments: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("0\n" * 9))
    with pytest.raises(SystemExit) as stop:
        main(["play", *arguments.split()])
    out, err = capsys.readouterr()
    assert (stop.value.code, out) == (2, "")
    assert err.splitlines()[-1].startswith(message)


PROGRAM = [str(Path(sys.executable).with_name("aixi")), "play", "coin"]


def test_the_program_plays_through_a_pipe() -> None:
    run = subprocess.run([*PROGRAM, "--json"], input="heads\ntails\nq\n", capture_output=True, text=True, check=True)
    assert json.loads(run.stdout)["cycles"] == 2
    assert "   1> heads\n      reward" in run.stderr, "what was said cannot be seen in the record"


def test_the_program_plays_on_a_terminal() -> None:
    """What is typed is shown once, and Ctrl-D ends the game."""
    master, terminal = os.openpty()
    with subprocess.Popen(PROGRAM, stdin=terminal, stdout=subprocess.PIPE, stderr=terminal, text=True) as process:
        os.close(terminal)
        seen = b""
        for prompt, typed in ((b"1> ", b"heads\n"), (b"2> ", b"\x04")):
            while not seen.endswith(prompt):
                seen += os.read(master, 1 << 16)
            os.write(master, typed)
        out, _ = process.communicate()
    seen += os.read(master, 1 << 16)
    os.close(master)
    assert process.returncode == 0
    assert seen.count(b"heads\r\n") - seen.count(b"you see: heads\r\n") - seen.count(b"1 heads\r\n") == 1
    assert seen.endswith(b"   2> \r\n")
    assert out.startswith("after 1 cycle ")

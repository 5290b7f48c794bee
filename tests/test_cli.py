"""The command line: what it says of itself, what it refuses and how, and what its commands print."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from itertools import combinations
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from aixi_approx import average, evaluate, interact, make, mc_aixi, solve
from aixi_approx.cli import COMMANDS, aixi, main
from aixi_approx.envs import ENVIRONMENTS
from aixi_approx.envs.cheese_maze import CheeseMaze, walls
from aixi_approx.experiments.running import compile_kernels
from aixi_approx.pomdp import controller, policy_picture
from aixi_approx.predictors.context_tree import FactoredContextTree

Captured = pytest.CaptureFixture[str]
SHORT = ["--cycles", "20", "--evaluate", "5", "--simulations", "2", "--evaluation-simulations", "2"]

ECHO = '''from aixi_approx import Environment, Percept
class Echo(Environment):
    """Pays 1 for the action that was taken last time."""
    actions = observations = ("zero", "one")
    min_reward, max_reward = 0, 1
    def reset(self, seed):
        self.last = self.cycle = 0
    def step(self, action):
        self.cycle += 1
        reward, self.last = int(action == self.last), action
        return Percept(action, reward)
'''

WRONG_IMPORTS = "from aixi_approx import Outcome, Settings\nfrom aixi_approx.envs.coin_flip import CoinFlip\n"
WRONG = {  # classes, what they hold, and what the line must say of them
    "Late(Echo)": ("step = lambda self, a: (0, 7) if self.cycle == 4 else Echo.step(self, a)", "gave the reward 7,"),
    "Raises(Echo)": ("def step(self, action): raise KeyError('two\\nlines')", "failed: KeyError: 'two"),
    "Lines(Echo)": ("def step(self, action): raise ValueError('two\\nlines')", "ValueError: two lines"),
    "Nothing(Echo)": ("step = lambda self, action: None", "returned None, which is not Percept"),
    "Half(Echo)": ("step = lambda self, a: (0, 0.5)", "reward 0.5, declared are whole numbers from 0 to 1"),
    "RaisesInReset(Echo)": ("reset = lambda self, seed: 1 / 0", "ZeroDivisionError"),
    "NoSettings(Echo)": ("settings = None", "NoSettings"),
    "HalfSettings(Echo)": ("settings = Settings(depth=3.5)", "depth is 3.5: it must be a whole number"),
    "TextSettings(Echo)": ("settings = Settings(depth='deep')", "depth"),
    "HugeRewards(Echo)": ("max_reward = 2**70", "HugeRewards"),
    "NoStep(Environment)": ("reset = lambda self, seed: None", "it can't be built: TypeError"),
    "Stranger": ("pass", "there is no class of that name derived from aixi_approx.Environment"),
    "Coin(CoinFlip)": ("outcomes = lambda self, s, a: [Outcome(0.6, s, 'heads', 1)] * 2", "[0.6, 0.6] are not a"),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> Path:
    """The current folder, with files to stumble over."""
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "empty": "",
        "other/notes.txt": "not a run",
        "foreign/manifest.json": "{}",
        "echo.py": ECHO,
        "wrong.py": ECHO + WRONG_IMPORTS + "".join(f"class {head}:\n    {body}\n" for head, (body, _) in WRONG.items()),
        "raises_on_import.py": "raise KeyError('early')",
        "exits_on_import.py": "import sys; sys.exit(0)",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    for model, planner in (("ctw", "dpuct"), ("ctw", "expectimax"), ("true", "dpuct")):
        compile_kernels(model, planner)  # so that no notice of it comes in between
    main(["run", "coin-flip", *SHORT, "--out", "done"])
    capsys.readouterr()
    return tmp_path


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}


def refused(arguments: list[str], capsys: Captured) -> str:
    """The one line with which the command line refuses. A bar may stand above it if there was something to do."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    out, err = capsys.readouterr()
    bars = err.startswith("learning ") and "evaluation " not in err
    line = err.splitlines()[bars]
    assert (stop.value.code, out, err.splitlines()[bars:]) == (2, "", [line])
    assert line.startswith("aixi")
    return line


def printed(arguments: list[str], capsys: Captured) -> dict[str, Any]:
    """The one object on stdout, in the JSON of the standard: it has no NaN and no Infinity."""
    main([*arguments, "--json"])
    out, _ = capsys.readouterr()
    assert out.count("\n") == 1
    return json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: Captured) -> None:
    context = click.Context(aixi)
    assert aixi.list_commands(context) == list(COMMANDS)
    command = aixi.get_command(context, name)
    assert command
    main([name, "--help"])
    page = capsys.readouterr().out
    assert f"aixi {name}" in page.split("Example")[1]
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{parameter.opts[0]} has no help"
            assert parameter.opts[0] in page
        else:
            assert parameter.make_metavar(context).strip("[]") in str(command.help)


def test_overview_is_whole(capsys: Captured) -> None:
    main(["--help"])
    page = capsys.readouterr().out
    main([])
    assert "".join(capsys.readouterr()) == page, "without arguments there is something else"
    assert not [line for line in page.splitlines() if line.endswith("...") and "Usage" not in line], "it is cut off"


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from aixi_approx.cli import main; main(['--help']); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(run.stdout.splitlines()[-1].split())
    assert "aixi_approx.cli" in modules
    assert not modules & {"matplotlib", "numba", "numpy", "rich", "scipy"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("run tigre", "no environment 'tigre': did you mean tiger?"),
        ("run", "Missing argument 'ENVIRONMENT'"),
        ("run tiger --deph 3", "--deph"),
        ("run tiger --depth 0", "'--depth': 0 is not in the range"),
        ("run tiger --depth -1", "'--depth': -1 is not in the range"),
        ("run tiger --depth 10000000", "depth is 10000000"),
        ("run tiger --exploration 1.01 1", "'--exploration': 1.01 is not in the range"),
        ("run tiger --exploration 0.5 -0.1", "'--exploration': -0.1 is not in the range"),
        ("run tiger --exploration nan 1", "epsilon is nan"),
        ("run tiger --cycles 2 --evaluate 2 --ucb inf", "ucb"),
        ("run tiger --cycles 2 --evaluate 2 --evaluation-simulations 1000000000000000", "simulations"),
        ("run tiger --model truth", "no model 'truth': did you mean true?"),
        ("run tiger --planner uct", "no planner 'uct': did you mean dpuct?"),
        ("run tiger --planner uct --depth 3", "no planner 'uct'"),
        (
            "run tiger --planner seconds:soon",
            "planner 'seconds:soon': seconds is 'soon': it must be a number of seconds above 0",
        ),
        ("run tiger --planner majority:9 --simulations 8", "9 searches can't share 8 simulations"),
        ("run tiger --planner pooled:9 --evaluation-simulations 8", "evaluation_simulations is 8: it must lie in 9 to"),
        (
            "run tiger --model true --planner q-learning",
            "q-learning has no model: leave it at ctw, or plan with dpuct, rhouct",
        ),
        ("run tiger --model true --planner random", "random has no model"),
        ("run echo.py:Echo --model true", "Echo is no POMDP, so its true model is not known: leave the model at ctw"),
        ("run tiger --prune 0.1", "--prune means nothing to dpuct with the model ctw: leave it out"),
        ("run tiger --planner expectimax --prune 2", "'--prune': 2.0 is not in the range"),
        ("run tiger --memory-cycles 2", "--memory-cycles means nothing to dpuct with the model ctw: leave it out"),
        ("run tiger --planner q-learning --memory-cycles -2", "'--memory-cycles': -2 is not in the range"),
        (
            "run tiger --planner expectimax --prune 0 --horizon 3 --exploration 0 0",
            "expectimax to horizon 3: it would take",
        ),
        ("run tiger --planner expectimax --horizon 12 --cycles 50", "it would take about"),
        ("solve echo.py", "which class of echo.py? Say echo.py:MyClass"),
        ("run coin-flip --out done --planner random", "done holds a run with"),
        ("run coin-flip --out empty/below", "empty/below: Not a directory"),
        ("run coin-flip --out other", "other is not empty and holds no run"),
        ("run coin-flip --out foreign", "foreign"),
        ("run coin-flip --out done --seed 1", "done holds a run with"),
        ("run absent.py:Echo", "no file 'absent.py'"),
        ("run raises_on_import.py:Echo", "raises_on_import.py: KeyError: 'early'"),
        ("run exits_on_import.py:Echo", "exits_on_import.py"),
        ("run wrong.py:Absent", "wrong.py:Absent: there is no class of that name"),
        *((f"run wrong.py:{head.split('(')[0]}", message) for head, (_, message) in WRONG.items()),
        ("solve tigre", "did you mean tiger?"),
        ("solve echo.py:Echo", "echo.py:Echo has no finite definition (it is not a POMDP), so it can't be solved"),
        ("solve echo.py:Echo", "`aixi run echo.py:Echo` shows what an agent reaches; solvable are coin-flip, 1d-maze"),
        ("solve tiger --merge 0", "merge is 0.0: it must lie in 1e-15 to 1"),
        ("solve tiger --merge 1e-10 --max-beliefs 9", "more than 9 beliefs can be reached, merged at 1e-10: leave the"),
        ("solve tiger --horizon 0", "'--horizon': 0 is not in the range"),
        ("solve tiger --picture tiger.doc", "tiger.doc: a picture ends in .png, .svg, .pdf"),
        ("solve tiger --picture absent/tiger.png", "absent/tiger.png: there is no folder absent to write it to"),
        ("predict absent", "absent: No such file or directory"),
        ("predict other", "other: Is a directory"),
        ("predict empty", "empty is empty"),
        ("predict echo.py --trees 3", "'3' is not one of '1', '8'"),
    ],
)
def test_bad_input_is_one_line(arguments: str, message: str, place: Path, capsys: Captured) -> None:
    before = files(place)
    arguments += " --cycles 9" * ("wrong.py" in arguments)
    assert message in refused(arguments.split(), capsys)
    assert files(place) == before


def test_after_a_fault_the_folder_holds_whole_rows(place: Path, capsys: Captured) -> None:
    arguments = ["run", "wrong.py:Late", *SHORT, "--out", "late"]
    assert "gave the reward 7, declared are whole numbers from 0 to 1" in refused(arguments, capsys)
    assert {path.name for path in files(place / "late")} == {"manifest.json", "learning.csv"}
    lines = (place / "late" / "learning.csv").read_text().split("\n")
    assert [line.split(",")[0] for line in lines] == ["cycle", "0", "1", "2", "3", ""]


def test_ctrl_c_says_so(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(FactoredContextTree, "learn", interrupt)
    for arguments in (["predict", "echo.py"], ["run", "echo.py:Echo"]):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 130
        assert capsys.readouterr().err.splitlines()[-1] == "aixi: stopped"


def test_the_installed_program_refuses_alike() -> None:
    program = [str(Path(sys.executable).with_name("aixi")), "run", "tigre"]
    run = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "aixi: no environment 'tigre': did you mean tiger?\n"


def test_run_is_a_function_of_the_seed(capsys: Captured) -> None:
    arguments = ["run", "coin-flip", "--cycles", "200", "--evaluate", "100", "--simulations", "20"]
    results = [printed([*arguments, "--seed", seed], capsys) for seed in ("1", "1", "2")]
    for result in results:
        del result["seed"], result["learning_seconds"], result["evaluation_seconds"]
    first, again, other = results
    assert first == again
    assert first != other
    assert (first["random_reward"], first["optimum"], first["simulations_evaluation"]) == (0.5, 0.7, 50_000)


@pytest.mark.parametrize(("cycles", "evaluate"), [("0", "0"), ("0", "5"), ("5", "0"), ("5", "1")])
def test_json_of_hardly_any_cycles_is_json(cycles: str, evaluate: str, capsys: Captured) -> None:
    result = printed(["run", "coin-flip", "--cycles", cycles, "--evaluate", evaluate], capsys)
    assert (result["reward"] is None) == (evaluate == "0")
    assert (result["log_loss_end"] is None) == (cycles == "0")


def test_ones_own_environment_runs(place: Path, capsys: Captured) -> None:
    assert ECHO.count("\n") < 20
    result = printed(["run", "echo.py:Echo", "--cycles", "200", "--evaluate", "100", "--simulations", "50"], capsys)
    assert (result["reward"] > 0.9, result["random_reward"]) == (True, None)
    main(["run", "echo.py:Echo", *SHORT])
    out, err = capsys.readouterr()
    assert "unknown" in out
    assert {line.split()[0] for line in err.splitlines()} == {"learning", "evaluation"}


def test_what_an_environment_prints_is_no_result(place: Path, capsys: Captured) -> None:
    (place / "loud.py").write_text(
        "from aixi_approx.envs.coin_flip import CoinFlip\nprint('loaded')\nclass Loud(CoinFlip):\n"
        "    def __init__(self):\n        print('built')\n        super().__init__()\n"
        "    def step(self, action):\n        print('step')\n        return super().step(action)\n"
    )
    assert printed(["run", "loud.py:Loud", *SHORT], capsys)["optimum"] == 0.7
    assert printed(["solve", "loud.py:Loud"], capsys)["states"] == 1


def test_envs_has_all(capsys: Captured) -> None:
    listed = printed(["envs"], capsys)
    assert [name.partition(":")[0] for name in listed] == list(ENVIRONMENTS)
    known = [environment for environment in listed.values() if environment["optimum"] is not None]
    assert len(known) == len(listed) - 1, "only the optimum of pacman is unknown"
    assert all(environment["random_reward"] < environment["optimum"] for environment in known)
    main(["envs"])
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines() if line.strip()} >= set(listed)


def test_solve_tells_the_bounds_and_the_policy(capsys: Captured) -> None:
    result = printed(["solve", "tiger", "--horizon", "2"], capsys)
    assert (result["lower"], result["upper"]) == pytest.approx((595 / 549,) * 2, abs=1e-9)
    assert (result["states"], result["policy_beliefs"]) == (2, 5)
    assert result["action_values"] == pytest.approx({"listen": -2, "open-left": -46, "open-right": -46})
    policy = result["policy"]
    assert [node["action"] for node in policy] == ["listen", "listen", "listen", "open-right", "open-left"]
    assert policy[1]["belief"] == pytest.approx({"left": 0.85, "right": 0.15})
    there = {"observation": "left", "reward": -1, "probability": pytest.approx(0.745), "node": 3}
    assert policy[1]["next"][0] == there
    main(["solve", "tiger", "--horizon", "2"])
    out, err = capsys.readouterr()
    for part in ("1.083788707", "-30.333333333", "left 0.85, right 0.15", "left -1 (0.75) → 3", "-2.000000000   best"):
        assert part in out
    assert "aixi solve tiger --picture policy.png" in out.splitlines()[-1]
    assert err == ""


@pytest.mark.parametrize("name", ["kuhn-poker", "4x4-grid", "cheese-maze"])
def test_a_policy_in_json_is_a_machine(name: str, capsys: Captured) -> None:
    for node in (policy := printed(["solve", name], capsys)["policy"]):
        percepts = [(edge["observation"], edge["reward"]) for edge in node["next"]]
        assert len(set(percepts)) == len(percepts)
        assert sum(edge["probability"] for edge in node["next"]) == pytest.approx(1)
        assert all(0 <= edge["node"] < len(policy) for edge in node["next"])
        assert sum(node["belief"].values()) == pytest.approx(1)


def test_a_long_policy_is_cut_short(capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(controller, "FOLDED", 0)
    main(["solve", "tic-tac-toe", "--picture", str(tmp_path / "policy.svg")])
    assert "and 574 more nodes: --json has all" in capsys.readouterr().out
    assert "the first 12 of its 584 nodes" in (tmp_path / "policy.svg").read_text()
    assert len(printed(["solve", "tic-tac-toe"], capsys)["policy"]) == 584


@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_the_picture_is_a_picture(ending: str, magic: bytes, tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / f"tiger.{ending}"
    main(["solve", "tiger", "--picture", str(file)])
    assert str(file) in capsys.readouterr().out.splitlines()[-1]
    assert file.read_bytes().startswith(magic)
    assert file.stat().st_size > 5_000


@pytest.mark.parametrize("name", ["tiger", "kuhn-poker", "cheese-maze", "extended-tiger"])
def test_boxes_lie_apart(name: str) -> None:
    solution = solve(make(name))
    boxes, layer = policy_picture._unplaced(solution, len(solution.controller.action))
    boxes, _ = policy_picture._placed(boxes, layer, [len(lanes) for lanes in policy_picture._lanes(boxes, layer)])
    for one, other in combinations(boxes, 2):
        beside = one.x + one.width < other.x or other.x + other.width < one.x
        assert beside or one.y - one.height > other.y or other.y - other.height > one.y


def bits_per_byte(data: bytes, folder: Path, capsys: Captured, *options: str) -> float:
    (folder / "data").write_bytes(data)
    result = printed(["predict", str(folder / "data"), *options], capsys)
    assert (result["bytes"], result["bits_per_byte"]) == (len(data), result["code_length"] / len(data))
    return float(result["bits_per_byte"])


def test_predict_knows_order_from_chance(tmp_path: Path, capsys: Captured) -> None:
    assert bits_per_byte(bytes(2000), tmp_path, capsys) < 0.1
    chance = np.random.default_rng(1).bytes(20_000)
    assert 8 <= bits_per_byte(chance, tmp_path, capsys, "--depth", "16") < 8.3


@pytest.mark.parametrize(("trees", "order"), [(1, "msb"), (1, "lsb"), (8, "msb"), (8, "lsb")])
def test_predict_is_the_code_length_of_the_tree(trees: int, order: str, tmp_path: Path, capsys: Captured) -> None:
    data = b"".join(b"%d bottles of beer; " % i for i in range(1000))  # longer than what is learned at a time
    bits = np.unpackbits(np.frombuffer(data, np.uint8)).reshape(-1, 8)
    bits = bits[:, :: 1 if order == "msb" else -1].ravel()
    expected = FactoredContextTree(20, 0, trees).learn(bits) / len(data)
    found = bits_per_byte(data, tmp_path, capsys, "--depth", "20", "--trees", str(trees), "--bit-order", order)
    assert found == pytest.approx(expected, rel=1e-12)


def test_a_file_may_have_the_name_of_a_library(place: Path, capsys: Captured) -> None:
    (place / "rich.py").write_text(ECHO.replace("from aixi", "import beside\nfrom aixi"))
    (place / "beside.py").write_text("")
    main(["run", "rich.py:Echo", *SHORT])
    assert "this agent" in capsys.readouterr().out


def test_without_the_memo_all_is_the_same(capsys: Captured) -> None:
    arguments = ["run", "tiger", *SHORT]
    with_memo, without = (printed([*arguments, switch], capsys) for switch in ("--memo", "--no-memo"))
    different = {name for name in with_memo if with_memo[name] != without[name]}
    assert different <= {"planner", "learning_seconds", "evaluation_seconds"}


def test_agents_without_a_model_claim_no_log_loss(capsys: Captured) -> None:
    for planner in ("random", "q-learning"):
        arguments = ["run", "coin-flip", "--cycles", "60", "--evaluate", "40", "--planner", planner]
        result = printed(arguments, capsys)
        assert [result[name] for name in ("log_loss_start", "log_loss_end", "nodes", "memory")] == [None] * 4
        main(arguments)
        table = capsys.readouterr().out
        assert "this agent" in table
        assert "log loss" not in table
        assert "nodes" not in table


def test_aiqi_says_how_large_it_is(capsys: Captured) -> None:
    arguments = ["run", "tiger", "--cycles", "60", "--evaluate", "40", "--planner", "aiqi", "--depth", "20"]
    fine, coarse = (printed([*arguments, "--levels", levels], capsys) for levels in ("1024", "4"))
    assert (fine["planner"], coarse["planner"]) == ({"name": "aiqi", "levels": 1024}, {"name": "aiqi", "levels": 4})
    assert fine["nodes"] > coarse["nodes"] > 0
    assert (fine["log_loss_end"], fine["simulations_learning"]) == (None, 0)
    main(arguments)
    assert "context-tree nodes" in capsys.readouterr().out


def test_the_true_model_loses_no_more_than_the_entropy(capsys: Captured) -> None:
    result = printed(["run", "coin-flip", "--model", "true", "--cycles", "2000", "--evaluate", "100"], capsys)
    assert result["log_loss_end"] == pytest.approx(0.8813, abs=0.07)
    assert (result["model"], result["nodes"]) == ("true", None)


def test_learning_in_the_evaluation_is_asked_for(capsys: Captured) -> None:
    arguments = ["run", "coin-flip", *SHORT, "--cycles", "0", "--evaluate", "300", "--evaluation-simulations", "50"]
    still, learning = (printed([*arguments, *more], capsys) for more in ([], ["--learn-in-evaluation"]))
    assert (still["learn_in_evaluation"], learning["learn_in_evaluation"]) == (False, True)
    assert learning["reward"] > 0.62 > 0.6 > still["reward"]


def test_five_lines_of_python_do_the_same(capsys: Captured) -> None:
    options = {"cycles": 60, "simulations": 5, "evaluation_simulations": 7}
    environment = make("tiger")
    environment.schedule = environment.schedule._replace(evaluation_simulations=7)
    agent = mc_aixi(environment, simulations=5, seed=0)
    list(interact(agent, environment, cycles=60))
    mean = average([row.reward for row in evaluate(agent, environment, cycles=40)]).mean
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    assert printed(["run", "tiger", "--planner=rhouct", "--evaluate=40", *arguments], capsys)["reward"] == mean


# The evaluation in pictures.

MAZE = ["run", "cheese-maze", *SHORT]
PICTURE = r"(\d) of 5  (up|right|down|left)  reward ([+-]\d+)  mean ([+-]\d+\.\d{3})\n((?:#[ #*@]{5}#\n){5})\n"


def test_watch_shows_every_cycle_and_changes_nothing(place: Path, capsys: Captured) -> None:
    main([*MAZE, "--json", "--out", "unwatched"])
    unwatched = json.loads(capsys.readouterr().out)
    main([*MAZE, "--json", "--out", "watched", "--watch"])
    out, err = capsys.readouterr()
    assert {name for name, value in json.loads(out).items() if value != unwatched[name]} <= {
        "learning_seconds",
        "evaluation_seconds",
    }
    for part in ("learning.csv", "evaluation.csv"):
        assert (place / "watched" / part).read_bytes() == (place / "unwatched" / part).read_bytes()

    bar, pictures = err.split("\n", 1)
    assert bar.startswith("learning ")
    shown = re.findall(PICTURE, pictures)
    assert re.sub(PICTURE, "", pictures) == ""
    rows = [line.split(",") for line in (place / "watched" / "evaluation.csv").read_text().splitlines()[1:]]
    assert [int(number) for number, *_ in shown] == [1, 2, 3, 4, 5]
    assert [(CheeseMaze.actions.index(action), int(reward)) for _, action, reward, *_ in shown] == [
        (int(action), int(reward)) for _, action, _, reward, *_ in rows
    ]
    assert float(shown[-1][3]) == pytest.approx(unwatched["reward"], abs=5e-4)
    for (*_, frame), (_, _, observation, *_) in zip(shown, rows, strict=True):
        lines = frame.splitlines()
        (cell,) = [(r, c) for r, line in enumerate(lines) for c, what in enumerate(line) if what == "@"]
        assert walls(cell) == int(observation), "the picture is not of the state after the cycle"


def test_watch_takes_its_time_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes this for a terminal
    began = time.perf_counter()
    result = printed([*MAZE, "--watch"], capsys)
    assert time.perf_counter() - began > 4 * 0.1 > 2 * result["evaluation_seconds"]


def test_watch_has_nothing_to_show(place: Path, capsys: Captured) -> None:
    main(["run", "coin-flip", *SHORT, "--out", "done", "--watch"])
    out, err = capsys.readouterr()
    assert ("nothing was done again, nor watched" in out, err) == (True, "")
    result = printed([*MAZE, "--evaluate", "0", "--watch"], capsys)
    assert result["reward"] is None


def test_watch_refuses_a_wrong_picture_in_one_line(place: Path, capsys: Captured) -> None:
    (place / "blind.py").write_text(ECHO + "    render = None\n")
    assert "Echo: render() failed" in refused(["run", "blind.py:Echo", *SHORT, "--watch"], capsys)
    main(["run", "blind.py:Echo", *SHORT])


def test_watch_is_stopped_by_ctrl_c_and_goes_on(tmp_path: Path) -> None:
    """On a terminal of its own; afterwards the cursor is there again, and the same command ends the run."""
    aixi_program = str(Path(sys.executable).with_name("aixi"))
    arguments = [aixi_program, *MAZE, "--evaluate", "30", "--out", str(tmp_path / "out"), "--watch"]
    master, terminal = os.openpty()
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=terminal, text=True) as process:
        os.close(terminal)
        seen = b""
        while b"3 of 30" not in seen:
            seen += os.read(master, 1 << 16)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate()
    while b"stopped" not in seen:
        seen += os.read(master, 1 << 16)
    os.close(master)
    assert (process.returncode, out) == (130, "")
    assert seen.rfind(b"\x1b[?25h") > seen.rfind(b"\x1b[?25l") > 0, "the cursor stays hidden"
    assert f"aixi: stopped; the same command goes on from {tmp_path}/out".encode() in seen
    rows = (tmp_path / "out" / "evaluation.csv").read_text().splitlines()
    assert 3 < len(rows) < 31
    main(arguments[1:-1])
    assert (tmp_path / "out" / "evaluation.csv").read_text().splitlines()[: len(rows)] == rows


def test_a_vote_and_a_time(capsys: Captured) -> None:
    run = ["run", "coin-flip", *SHORT]
    alone, shared = (
        printed([*run, "--planner", "majority:2", *threads], capsys) for threads in ([], ["--threads", "2"])
    )
    assert (alone["threads"], shared["threads"], shared["planner"]) == (
        1,
        2,
        {"name": "dpuct", "join": "majority", "searches": 2},
    )
    kept = set(alone) - {"threads", "learning_seconds", "evaluation_seconds"}
    assert {name: alone[name] for name in kept} == {name: shared[name] for name in kept}
    timed = printed([*run[:6], "--planner", "seconds:1e-9", "--exploration", "0", "1"], capsys)
    assert timed["simulations_learning"] == timed["schedule"]["cycles"]


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ("--model true --depth 9", "--depth means nothing to dpuct with the model true"),
        ("--planner q-learning --depth 9", "--depth means nothing to q-learning"),
        ("--planner q-learning --horizon 9", "--horizon means nothing to q-learning"),
        ("--planner random --simulations 9", "--simulations means nothing to random"),
        (
            "--planner expectimax --evaluation-simulations 9",
            "--evaluation-simulations means nothing to expectimax with",
        ),
        ("--planner expectimax --model true --ucb 1", "--ucb means nothing to expectimax with the model true"),
        ("--threads 2", "--threads means nothing to dpuct with the model ctw"),
        ("--planner seconds:0.01 --simulations 9", "--simulations means nothing to seconds:0.01 with the model ctw"),
        ("--planner q-learning --threads 1", "--threads means nothing to q-learning"),
        ("--planner aiqi --simulations 9", "--simulations means nothing to aiqi"),
        ("--planner q-learning --levels 9", "--levels means nothing to q-learning"),
    ],
)
def test_an_option_that_the_agent_would_not_heed_is_refused(options: str, part: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["run", "tiger", *options.split()])
    assert stop.value.code == 2
    err = capsys.readouterr().err
    assert part in err
    assert err.count("\n") == 1


def test_a_short_run_has_a_short_evaluation(capsys: Captured) -> None:
    arguments = ["run", "tiger", "--simulations", "3", "--evaluation-simulations", "3"]
    assert printed([*arguments, "--cycles", "150"], capsys)["evaluate"] == 150
    assert printed([*arguments, "--cycles", "5"], capsys)["evaluate"] == 100
    assert printed([*arguments, "--cycles", "5", "--evaluate", "7"], capsys)["evaluate"] == 7
    coin = ["run", "coin-flip", "--planner", "random"]
    assert printed([*coin, "--cycles", "0"], capsys)["evaluate"] == 2_000
    assert printed([*coin, "--cycles", "3000"], capsys)["evaluate"] == 2_000


def test_why_the_random_agent_is_unknown(place: Path, capsys: Captured) -> None:
    arguments = ["run", "echo.py:Echo", "--cycles", "20", "--evaluate", "20"]
    for planner, reason in (("one-ply", "not a POMDP: --planner random finds out"), ("random", "not a POMDP")):
        main([*arguments, "--planner", planner])
        (line,) = (line for line in capsys.readouterr().out.splitlines() if "random agent" in line)
        assert line.split(maxsplit=2)[2].strip() == f"unknown   {reason}"

"""`aixi scale`: what it refuses and how, how it is stopped and goes on, and what comes out of the smallest studies."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from small_runs import FREQUENCY

from aixi_approx.cli import laboratory as cli_laboratory
from aixi_approx.cli import main, scale
from aixi_approx.execution.engines import engine
from aixi_approx.laboratory.cost import pilot
from aixi_approx.laboratory.runner import Laboratory
from aixi_approx.laboratory.store import Store, read_rows
from aixi_approx.laboratory.study import GRIDS, Study, read_study

Captured = pytest.CaptureFixture[str]

TINY = """
environments = [{names}]
experience = {experience}
simulations = {simulations}
seeds = {seeds}
cycles = 6
sampled_decisions = 2
{more}
[settings]
{settings}
"""
BROKEN = "conditions/coin-flip-dpuct-0-20-ctw-8.json"
LAKE = '''from aixi_approx import Environment, Percept
print("loaded")
class Lake(Environment):
    """Pays 1 for the action that was taken last time."""
    actions = observations = ("zero", "one")
    min_reward, max_reward = 0, 1
    def reset(self, seed):
        self.last = 0
    def step(self, action):
        print("a step")
        reward, self.last = int(action == self.last), action
        return Percept(action, reward)
'''


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_env.py").write_text(LAKE)
    return tmp_path


def study_file(
    *names: str, experience: Any = (20, 60), simulations: Any = (1, 4), seeds: int = 2, more: str = "", depth: int = 8
) -> str:
    """Write a study to a file and return its name."""
    setting = f"{{ horizon = 2, depth = {depth}, simulations = 4 }}"
    Path("tiny.toml").write_text(
        TINY.format(
            names=", ".join(f'"{name}"' for name in names),
            experience=list(experience),
            simulations=list(simulations),
            seeds=seeds,
            more=more,
            settings="\n".join(f'"{name}" = {setting}' for name in names),
        )
    )
    return "tiny.toml"


def refused(arguments: list[str], capsys: Captured) -> str:
    """The one line with which the command line refuses."""
    with pytest.raises(SystemExit) as stop:
        main(["scale", *arguments])
    out, err = capsys.readouterr()
    *before, line = err.splitlines()
    assert (stop.value.code, out) == (2, "")
    assert all(re.match(r"\d+ checkpoints? of \d+ agents?: about |loaded", each) for each in before), before
    assert line.startswith("aixi")
    return line


def printed(arguments: list[str], capsys: Captured) -> dict[str, Any]:
    """The one object on stdout, in the JSON of the standard: it has no NaN and no Infinity."""
    main(["scale", *arguments, "--json"])
    out, _ = capsys.readouterr()
    assert out.count("\n") == 1
    return json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


# ---------------------------------------------------------------------------------------------------- what is refused


def test_help_has_examples_and_imports_nothing_heavy() -> None:
    code = "import sys; from aixi_approx.cli import main\ntry: main(['scale', '--help'])\nfinally: print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *text, modules = run.stdout.splitlines()
    assert not set(modules.split()) & {"matplotlib", "numba", "numpy", "rich", "scipy"}
    examples = "\n".join(text).split("Examples:")[1]
    assert examples.count("aixi scale ") >= 4
    assert all(
        f"--{option}" in "\n".join(text)
        for option in ("envs", "grid", "models", "planners", "learners", "cross", "seeds", "out", "on", "report", "yes")
    )


def test_the_grids_are_those_of_the_study() -> None:
    assert set(scale.GRIDS) == set(GRIDS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "aixi scale: name an environment, a file that holds a study, or the folder of one ('aixi scale --help'"),
        ("--envs ,", "aixi scale: name an environment, a file"),
        ("tigre", "no environment 'tigre': did you mean tiger?"),
        ("--envs tiger,tigre", "no environment 'tigre': did you mean tiger?"),
        ("tiger tiger", "aixi: the study: environments has one twice"),
        ("tiger --plan 1e6", "aixi scale: study-tiger holds no study to plan with: run it first, without --plan"),
        ("tiger --unit bytes", "aixi scale: Invalid value for '--unit': 'bytes' is not one of"),
        ("empty", "aixi: empty holds no study: name environments, or a folder that holds one"),
        ("other", "aixi: other holds no study: name environments, or a folder that holds one"),
        ("other --report", "aixi: other holds no study: name environments, or a folder that holds one"),
        ("tiger --out other", "aixi: other is not empty and holds no study: name another folder"),
        ("tiger --out my_env.py", "aixi: my_env.py is a file: name another folder"),
        ("tiger --report", "aixi scale: study-tiger holds no study to report on: leave --report out"),
        ("tiger --report --out empty", "aixi scale: empty holds no study to report on: leave --report out"),
        ("absent.toml", "aixi scale: there is no file absent.toml"),
        ("broken.toml", "aixi: broken.toml is not TOML: "),
        ("my_env.py", "aixi: my_env.py has no study: write `study = Study(...)` in it"),
        ("my_env.py:Pond", "my_env.py:Pond: there is no class of that name"),
        ("tiger --grid huge", "'huge' is not one of 'small', 'full'"),
        ("tiger --seeds 0", "'--seeds': 0 is not in the range"),
        ("tiny.toml --grid small", "aixi scale: tiny.toml says what is measured: leave --grid out"),
        ("done --grid small", "aixi scale: done says what is measured: leave --seeds, --grid and --out out"),
        ("done --seeds 3", "aixi scale: done says what is measured: leave --seeds, --grid and --out out"),
        (
            "tiny.toml --seeds 1 --out done",
            "aixi: done holds a study with other seeds, 2: name another folder, or go on",
        ),
        ("old", "aixi: old was written by version 0.3.0: "),
        ("tiger --out old", "aixi: old was written by version 0.3.0: "),
        ("tiger --cross seeds", "aixi: the study: cross has 'seeds': there are depths, horizons, planners"),
        ("tiger --learners mcts", "aixi: the study: no planner 'mcts': there are dpuct"),
        ("pacman --models true", "aixi: the study: models are ['true']: name ctw, too, or another one that learns"),
        (
            "tiger --planners dpuct+horizon:2",
            "aixi: the study: dpuct+horizon:2: horizon and simulations of",
        ),
        ("done --models ctw", "aixi scale: done says what is measured: leave --seeds, --models, --grid and --out out"),
        ("broken", "aixi: broken/study.json is not the manifest of a study: name another folder"),
        ("tiger --out broken", "aixi: broken/study.json is not the manifest of a study: name another folder"),
        ("tiny.toml --on 0", "aixi: 0: at least one process is needed"),
        ("tiny.toml --on tigre", "aixi: no engine 'tigre': there are processes:4 (or just 4), here, dask://HOST:8786"),
        ("tiny.toml --on dask://localhost:1", "aixi: no Dask scheduler answers at tcp://localhost:1: was it started, "),
        ("done --on dask://localhost:1", "aixi: no Dask scheduler answers at tcp://localhost:1: was it started, "),
        (
            "broken-file",
            "aixi: broken-file/conditions/coin-flip-dpuct-0-20-ctw-8.json is broken: remove it, and what stood in it",
        ),
        (
            "broken-file --report",
            "aixi: broken-file/conditions/coin-flip-dpuct-0-20-ctw-8.json is broken: remove it, and what",
        ),
    ],
)
def test_bad_input_is_one_line(
    arguments: str, message: str, place: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aixi_approx.execution.cluster.CLUSTER_SECONDS", 0.2)
    for name, text in {
        "other/notes.txt": "not a study",
        "broken.toml": "experience = [",
        "broken/study.json": "{",
        "old/study.json": '{"version": "0.3.0"}',
    }.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(text)
    (place / "empty").mkdir()
    file = study_file("coin-flip")
    for name in ("done", "broken-file"):
        begun(place / name, read_study(Path(file)))
    (place / "broken-file" / BROKEN).write_text("{")
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    line = refused(arguments.split(), capsys)
    assert message in line
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file() and path.suffix != ".pyc"} == before


def begun(folder: Path, study: Study) -> None:
    """Write the folder of a study, and no more."""

    def stop(*_: float) -> None:
        raise KeyboardInterrupt

    with engine("here") as here, pytest.raises(KeyboardInterrupt):
        Laboratory(folder, study).run(here, progress=stop)


def test_a_name_that_is_a_folder_too(place: Path, capsys: Captured) -> None:
    """A folder that holds no study does not stand in the way of the environment of its name."""
    (place / "tiger").mkdir()
    (place / "tiger/notes.txt").touch()
    assert "study-tiger holds no study to report on" in refused(["tiger", "--report"], capsys)
    assert "tiger/ holds no study" in refused(["tiger/", "--report"], capsys).replace("tiger holds", "tiger/ holds")


def test_what_would_take_days_is_not_begun_unasked(
    place: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setattr("aixi_approx.laboratory.cost.pilot", lambda run: 1.0)
    line = refused(["tiger", "--grid", "full", "--on", "here"], capsys)
    assert re.fullmatch(r"aixi: it would take about \d+ (days|years): take a smaller grid, or say --yes", line)
    assert not list(place.glob("study*")), "a smaller grid is not refused for what was never begun"
    monkeypatch.setattr(cli_laboratory, "LONG", -1)
    monkeypatch.setattr("aixi_approx.laboratory.cost.pilot", pilot)
    file = study_file("coin-flip", seeds=1)
    assert "it would take about 0 seconds" in refused([file, "--on", "here"], capsys)
    main(["scale", file, "--on", "here", "--yes"])
    assert "Written: study-tiny/report.md" in capsys.readouterr().out


# ---------------------------------------------------------------------------------------------------- what comes out


def test_from_the_first_to_the_last(place: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """A study is reported on before anything is there, carried out, gone on with, grown."""
    file = study_file("coin-flip", "tiger")
    study = read_study(Path(file))
    Store(place / "study-tiny").prepare(study.as_json(), study.all_known().as_json())
    main(["scale", "study-tiny", "--report"])
    out, _ = capsys.readouterr()
    assert out.count("with 4 simulations and horizon 2, nothing was measured yet.") == 2
    main(["scale", file, "--on", "here"])
    out, err = capsys.readouterr()
    assert re.match(r"(compiling .*\n)?8 checkpoints of 4 agents: about \d+ \w+ on 1 worker, to study-tiny\n", err), err
    assert "laws" in err
    assert out.count("After 60 cycles, with 4 simulations and horizon 2, the agent scores ") == 2
    written = re.search("Written: (.*)\\.", out)
    assert written
    names = ["report.md", "coin-flip.png", "tiger.png", "all.png", "law.png"]
    assert written[1].split(", ") == [f"study-tiny/{name}" for name in names]
    for name in names[1:]:
        assert (place / "study-tiny" / name).read_bytes()[:4] == b"\x89PNG"
    report = (place / "study-tiny/report.md").read_text()
    for line in (line.strip() for line in out.splitlines() if line.startswith("  ")):
        assert f"- {line}\n" in report
    done = {path: path.stat().st_mtime_ns for path in (place / "study-tiny").rglob("*.json")}
    monkeypatch.setattr(scale, "_draw", lambda found, folder: [])  # once is enough
    again = printed(["study-tiny"], capsys)
    assert {path: path.stat().st_mtime_ns for path in (place / "study-tiny").rglob("*.json")} == done
    assert set(again) == {"folder", "results", "ladders"}
    assert [each["environment"] for each in again["results"]] == ["coin-flip", "tiger"]
    for each in again["results"]:
        assert all(f"  {sentence}\n" in out for sentence in each["conclusions"])
    grown = printed([file, "--seeds", "3", "--on", "here"], capsys)
    assert Laboratory(place / "study-tiny").study.seeds == 3
    new = {path: path.stat().st_mtime_ns for path in (place / "study-tiny").rglob("*.json") if path.stem != "study"}
    assert {path: when for path, when in new.items() if path in done} == {
        path: when for path, when in done.items() if path.stem != "study"
    }
    assert len(new) == 1.5 * (len(done) - 1)
    assert grown["results"][0]["score"] != again["results"][0]["score"]


def test_a_budget_is_planned_with_a_study_that_is_there(place: Path, capsys: Captured) -> None:
    """By what was measured; in an environment that is no POMDP, and with too little, it says why not."""
    file = study_file("tiger", experience=(20, 60, 200), simulations=(1, 4, 16), seeds=4)
    assert refused([file, "--plan", "1e5"], capsys) == (
        "aixi scale: study-tiny holds no study to plan with: run it first, without --plan "
        "('aixi scale --help' shows how)"
    )
    laboratory = Laboratory(place / "study-tiny", read_study(Path(file)))
    with engine("here") as here:
        laboratory.run(here)
    main(["scale", "study-tiny", "--plan", "2e4", "--decisions", "50"])
    out, _ = capsys.readouterr()
    assert out.startswith("tiger: 2e+04 bits, 50 decisions\n")
    assert all(f"  {label}" in out for label in ("learn from", "search", "share of learning", "score to expect"))
    main(["scale", "study-tiny", "--plan", "2e4", "--decisions", "50", "--json"])
    plan = json.loads(capsys.readouterr()[0])["plan"]["tiger"]
    assert plan["share"]["low"] <= plan["share"]["mean"] <= plan["share"]["high"]
    assert plan["unit"] == "bits"
    assert "study-tiny" not in {path.name for path in (place / "study-tiny").glob("*.png")}, "nothing is drawn"
    line = refused(["study-tiny", "--plan", "5"], capsys)
    assert "tiger: 5 bits buy nothing that was measured: learning and 1,000 decisions take" in line
    assert "--plan is -3: name a positive number of bits" in refused(["study-tiny", "--plan", "-3"], capsys)


def test_a_ladder_is_a_study_of_its_sizes(place: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_laboratory, "run_laboratory", lambda *_, **__: None)
    assert "there is no ladder 'moon': there are locks, corridor" in refused(["--ladder", "moon"], capsys)
    assert "--ladder says what the environments are: leave tiger out" in refused(["tiger", "--ladder", "nim"], capsys)
    monkeypatch.setattr(
        scale,
        "run_laboratory",
        lambda laboratory, *_, **__: laboratory.store.prepare(
            laboratory.study.as_json(), laboratory.study.all_known().as_json()
        ),
    )
    monkeypatch.setattr(scale, "_draw", lambda found, folder: [])
    main(["scale", "--ladder", "hex", "--models", "true", "--seeds", "2"])
    study = Laboratory(place / "study-ladder-hex").study
    assert (study.environments, study.models, study.seeds) == (("hex:2-perfect", "hex:3-perfect"), ("true",), 2)


def test_search_alone_is_measured_given_the_environment(place: Path, capsys: Captured) -> None:
    """The plane is that of the true model, at experience 0."""
    file = study_file("tiger", "t-maze:1", more='models = ["true"]\nplanners = ["rhouct"]', seeds=2)
    found = printed([file, "--on", "here"], capsys)
    for each in found["results"]:
        assert (each["model"], each["experience"]) == ("true", [0.0])
        assert each["score"][0][-1]["mean"] is not None
    assert not list((place / "study-tiny/experience").iterdir()), "nothing is learned from"


def test_axes_from_the_command_line(place: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """Models, planners and learners with commas between them; what was measured without them stays."""
    (place / "my_predictor.py").write_text(FREQUENCY)
    monkeypatch.setattr(scale, "_draw", lambda found, folder: [])
    file = study_file("tiger", seeds=1)
    alone = printed([file, "--on", "here"], capsys)
    axes = ["--models", "ctw, my_predictor.py:Frequency,true", "--planners", "dpuct,one-ply,dpuct+ucb:0.7"]
    axes += ["--learners", "dpuct,q-learning", "--cross", "planners"]
    found = printed([file, *axes, "--on", "here"], capsys)
    assert [each["model"] for each in found["results"]] == ["ctw", "my_predictor.py:Frequency"]
    assert found["results"][0]["score"] == alone["results"][0]["score"]
    assert set(found["results"][0]["others"]) == {"one-ply", "dpuct+ucb:0.7", "model: true", "learner: q-learning"}
    rows = read_rows(place / "study-tiny")
    assert {row["learner"] for row in rows} == {"dpuct", "q-learning"}
    planes = {(row["model"], row["experience"], row["planner"], row["simulations"]) for row in rows}
    for model in ("ctw", "my_predictor.py:Frequency"):
        for planner in ("dpuct", "one-ply", "dpuct+ucb:0.7"):
            assert {(model, e, planner, n) for e in (20, 60) for n in (1, 4)} <= planes
    report = (place / "study-tiny/report.md").read_text()
    assert "| tiger | my_predictor.py:Frequency | " in report
    assert "aixi scale study-tiny" in refused([file, "--on", "here"], capsys), "a smaller study is another one"


LEAST = {
    "one experience": {"experience": [30]},
    "one number of simulations": {"simulations": [3]},
    "one point of one seed": {"experience": [30], "simulations": [3], "seeds": 1},
    "expectimax": {"more": 'planners = ["expectimax"]\ndepths = [4]'},
    "skill": {
        "more": 'planners = ["dpuct+policy:learned", "policy-alone"]\n'
        'learners = ["dpuct+policy:learned+simulations:3", "dpuct+policy:learned+simulations:30"]'
    },
}


@pytest.mark.parametrize("least", LEAST.values(), ids=LEAST)
def test_the_least_studies(least: dict[str, Any], place: Path, capsys: Captured) -> None:
    found = printed([study_file("tiger", **least), "--on", "here"], capsys)
    (tiger,) = found["results"]
    assert tiger["score"][-1][-1]["mean"] <= 1
    assert tiger["conclusions"]
    skill = "policy-alone" in least.get("more", "")
    assert [plane["train"] for plane in tiger["train_test"]] == [[3, 30]] * skill
    assert (place / "study-tiny/train_test.png").exists() == skill
    assert ("Train against test" in (place / "study-tiny/report.md").read_text()) == skill


@pytest.mark.parametrize(
    "name", ["my_env.py:Lake", "rocksample:4-3", "./deep/my_env.py:Lake", "gym:FrozenLake-v1?is_slippery=False"]
)
def test_environments_of_which_little_is_known(name: str, place: Path, capsys: Captured) -> None:
    """What is known is told; what is not is said; what the environment prints is no result."""
    (place / "deep").mkdir()
    (place / "deep/my_env.py").write_text(LAKE)
    found = printed([study_file(name), "--on", "here", "--out", "new/folder"], capsys)
    (it,) = found["results"]
    text = (place / "new/folder/report.md").read_text()
    assert f"## {name}" in text
    assert list((place / "new/folder").glob("*.png"))
    assert all("nan" not in sentence for sentence in it["conclusions"])
    if name.startswith("rocksample"):
        assert it["within_horizon"]["prediction"][-1][-1]["mean"] is not None
    if it["long_run"]["prediction"][-1][-1]["mean"] is None:
        told = "What prediction and decision cost in the long run can't be told: the environment has no exact solution"
        assert any(sentence.startswith(told) for sentence in it["conclusions"])
    if "Lake" in name and ":Lake" in name:
        assert it["conclusions"][0] == f"There are no scores in {name}: its optimum is not known."
        assert "The surface: reward per cycle" in text
        assert it["reward"][-1][-1]["mean"] is not None


# ---------------------------------------------------------------------------------------------------- Ctrl-C


def test_ctrl_c_says_how_to_go_on(place: Path, capsys: Captured) -> None:
    """The signal goes to all processes, as a terminal sends it; what an environment prints in them is no result."""
    file = study_file("my_env.py:Lake", experience=(50, 300, 900), simulations=(1, 30), seeds=4)
    program = [str(Path(sys.executable).with_name("aixi")), "scale", file, "--on", "2", "--json"]
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        for _ in range(600):
            if list(place.glob("study-tiny/conditions/*.json")) or process.poll() is not None:
                break
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, out) == (130, ""), err
    assert err.endswith("aixi: stopped; the same command goes on with study-tiny\n")
    assert "Traceback" not in err
    kept = {path: path.stat().st_mtime_ns for path in place.glob("study-tiny/*/*.json")}
    laboratory = Laboratory(place / "study-tiny")
    assert laboratory.missing()
    assert kept
    capsys.readouterr()
    printed([file, "--on", "here"], capsys)
    assert not laboratory.missing()
    assert {path: path.stat().st_mtime_ns for path in kept} == kept

"""Recorded runs, done again: any decision as it was, a page of it all, and one line where that can't be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from aixi_approx import POMDP, Percept, Schedule, Settings, make
from aixi_approx.cli import main
from aixi_approx.experiments import running as running_module
from aixi_approx.experiments.experiment import Experiment
from aixi_approx.experiments.running import run
from aixi_approx.interaction import Row, interact
from aixi_approx.introspection.explanation import Explanation
from aixi_approx.planner_spec import PlannerSpec
from aixi_approx.pomdp.belief import believe
from aixi_approx.viewer import scenes
from aixi_approx.viewer.page import write_page
from aixi_approx.viewer.recorded_run import recorded_run
from aixi_approx.viewer.replay import replay

SHORT = Settings(depth=12, horizon=3, simulations=12, epsilon=0.5, decay=0.97)
SCHEDULE = Schedule(40, evaluation_simulations=20)
CASES = {
    "tiger": {},
    "learns on": {"learn_in_evaluation": True},
    "policy": {"planner": PlannerSpec.parse("dpuct+policy:learned")},
    "alone": {"planner": PlannerSpec.parse("dpuct+policy:learned"), "schedule": Schedule(40, evaluation_simulations=0)},
    "drawn": {"planner": PlannerSpec.parse("dpuct+policy:learned+lessons:drawn")},
    "knows": {"model": "true"},
    "pooled": {"planner": PlannerSpec.parse("rhouct+pooled:3")},
    "no model": {"planner": PlannerSpec("q-learning")},
    "returns": {"planner": PlannerSpec("aiqi")},
    "changes": {"environment": "coin-flip>tiger@25"},
    "discount": {"environment": "tiger?discount=0.9"},
    "no POMDP": {"environment": "pacman"},
}
Captured = pytest.CaptureFixture[str]


def experiment(**how: Any) -> Experiment:
    return Experiment(
        **{"environment": "tiger", "settings": SHORT, "schedule": SCHEDULE, "evaluate": 12, "seed": 3, **how}
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recorded run."""
    path = tmp_path_factory.mktemp("recorded") / "run"
    run(experiment(), path)
    return path


@pytest.mark.parametrize("case", CASES)
def test_each_decision_is_explained_as_it_was(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose decisions are explained while it is under way says the same of each as its recording does later."""
    told: dict[int, Explanation] = {}

    def telling(agent: Any, environment: Any, **how: Any) -> Any:
        def decided(decision: Any) -> None:
            told[agent.cycle] = agent.explain(decision, simulations=how.get("simulations"), steps=2)

        return interact(agent, environment, **{**how, "decided": decided})

    with monkeypatch.context() as patch:
        patch.setattr(running_module, "interact", telling)
        patch.setattr("aixi_approx.interaction.interact", telling)
        run(experiment(**CASES[case]), tmp_path / "told")
    run(experiment(**CASES[case]), tmp_path / "plain")
    for part in ("learning", "evaluation"):
        assert (tmp_path / "told" / f"{part}.csv").read_bytes() == (tmp_path / "plain" / f"{part}.csv").read_bytes()
    recorded = recorded_run(tmp_path / "plain")
    again = [each for each in replay(recorded, range(recorded.cycles), steps=2, queries=10) if each.explanation]
    assert [each.row for each in again] == recorded.learning + recorded.evaluation
    assert len(told) == len(again) == 52
    for each in again:
        assert each.explanation is not None
        was = told[each.row.cycle]
        assert each.explanation._replace(came=None, truth=None).as_json() == was.as_json()
        assert each.explanation.came is not None
        assert (each.explanation.came.observation, each.explanation.came.reward) == each.row[2:4]
        if each.row.log_loss and each.explanation.came.surprise:
            assert each.explanation.came.surprise.total == pytest.approx(each.row.log_loss)
        if each.explanation.truth and each.explanation.truth.regret:
            assert each.explanation.truth.regret["total"] >= -1e-9


@pytest.mark.parametrize("first", [0, 44])
def test_the_truth_is_that_of_the_history_before(folder: Path, first: int) -> None:
    """Of learning since the start, of the evaluation since the environment was reset."""
    recorded, tiger = recorded_run(folder), make("tiger")
    assert isinstance(tiger, POMDP)
    for each in replay(recorded, range(52), first=first):
        rows = (
            recorded.learning[: each.row.cycle] if each.row.cycle < 40 else recorded.evaluation[: each.row.cycle - 40]
        )
        belief = believe(tiger, [(row.action, Percept(row.observation, row.reward)) for row in rows])
        assert each.explanation is not None
        assert each.explanation.truth is not None
        twin = {str(tiger.states[s]): p for s, p in zip(belief.state, belief.probability, strict=True)}
        assert dict(each.explanation.truth.belief) == {name: pytest.approx(p) for name, p in twin.items()}


def test_a_snapshot_is_a_short_cut(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = recorded_run(folder)
    far = [each.explanation.as_json() for each in replay(recorded, [45]) if each.explanation]
    steps = list(replay(recorded, [45], first=45))
    assert steps[0].row.cycle == 40, "the snapshot after learning was not used"
    assert [each.explanation.as_json() for each in steps if each.explanation] == far
    early = [each.explanation.as_json() for each in replay(recorded, [7], first=7) if each.explanation]
    assert early == [each.explanation.as_json() for each in replay(recorded, [7]) if each.explanation]


def test_a_run_that_has_not_ended_is_done_again_as_far_as_it_is(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, part := tmp_path / "part")
    (part / "evaluation.csv").unlink()
    (part / "result.json").unlink()
    lines = (part / "learning.csv").read_text().splitlines(keepends=True)
    (part / "learning.csv").write_text("".join(lines[:21]))
    assert [each.row.cycle for each in replay(recorded_run(part))] == list(range(20))


def test_a_page_has_all_of_a_short_run(folder: Path) -> None:
    recorded = recorded_run(folder)
    data = scenes.mind(recorded)
    json.dumps(data, allow_nan=False)
    rows = recorded.learning + recorded.evaluation
    columns = zip(*(data["steps"][name] for name in scenes.STEP[:6]), strict=True)
    assert list(columns) == [scenes.step(row) for row in rows]
    assert sorted(map(int, data["moments"])) == list(range(52))
    assert data["thinned"] == ""
    assert [part["cycles"] for part in data["parts"]] == [40, 12]
    assert data["steps"]["mean"][39] == pytest.approx(sum(row.reward for row in recorded.learning) / 40)
    assert data["steps"]["mean"][40] == recorded.evaluation[0].reward
    assert sum(data["curve"]["reward"]) / 52 == pytest.approx(sum(row.reward for row in rows) / 52)
    assert data["trees"][-1]["cycle"] == 40
    assert data["score"]["reward"] == pytest.approx(sum(row.reward for row in recorded.evaluation) / 12)
    assert all(0 <= picture < len(data["pictures"]) for picture in data["steps"]["picture"])
    assert data == scenes.mind(recorded)


def test_of_a_long_run_some_is_kept_and_that_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenes, "STEPS", 30)
    monkeypatch.setattr(scenes, "STRETCH", 6)
    data = scenes.mind(recorded_run(folder), moments=24)
    kept, explained = len(data["steps"]["cycle"]), len(data["moments"])
    assert 0 < explained <= 24 < kept < 52
    assert {*map(int, data["moments"])} <= {*data["steps"]["cycle"]}
    assert {0, 39, 40} & {*map(int, data["moments"])} == {0, 39, 40}, (
        "the beginning, the end of learning, what came of it"
    )
    assert f"{explained:,} decisions are explained" in data["thinned"]
    assert f"{kept:,} cycles can be stepped through" in data["thinned"]


@pytest.mark.parametrize(
    ("learned", "evaluated"), [(0, 1), (1, 0), (5, 0), (119, 0), (500, 30), (15_000, 2_000), (1_000_000, 0), (0, 5_000)]
)
def test_what_is_kept_lies_in_the_run(learned: int, evaluated: int) -> None:
    cycles = learned + evaluated
    wanted = scenes._moments(learned, evaluated, scenes.MOMENTS)
    kept = scenes._stretches(learned, evaluated, wanted)
    assert wanted <= kept <= set(range(cycles))
    assert min(cycles, scenes.MOMENTS // 3) <= len(wanted) <= scenes.MOMENTS
    assert len(kept) == cycles if cycles <= scenes.STEPS else len(kept) <= scenes.STEPS
    assert {0, cycles - 1} <= wanted if not evaluated else learned in wanted


def changed(folder: Path, tmp_path: Path, change: str) -> str:
    """A recorded run of which something is wrong; what to ask for."""
    shutil.copytree(folder, bad := tmp_path / "run")
    manifest = json.loads((bad / "manifest.json").read_text())
    if change == "version":
        (bad / "manifest.json").write_text(json.dumps({**manifest, "version": "0.3.0"}))
    elif change == "environment":
        experiment_ = experiment(environment="tiger", evaluate=12)
        shutil.rmtree(bad)
        run(experiment_._replace(seed=4), bad)
        shutil.copy(folder / "learning.csv", bad / "learning.csv")
        (bad / "agent.aixi").unlink()
    elif change == "row":
        text = (bad / "learning.csv").read_text()
        (bad / "learning.csv").write_text(text.replace("\n7,", "\n8,"))
    elif change == "empty":
        shutil.rmtree(bad)
        bad.mkdir()
    elif change == "manifest":
        (bad / "manifest.json").write_text("{")
    return str(bad)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("version", "was written by version 0.3.0"),
        ("environment", "the environment is not a function of its seed, or has changed"),
        ("row", "line 9 was changed or damaged"),
        ("empty", "holds no run"),
        ("manifest", "is not the manifest of a run"),
    ],
)
def test_what_cannot_be_done_again_is_one_line(
    folder: Path, tmp_path: Path, capsys: Captured, change: str, message: str
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["explain", changed(folder, tmp_path, change)])
    out, err = capsys.readouterr()
    assert (stop.value.code, out, err.count("\n")) == (2, "", 1)
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cycle", "52"], "has the cycles 0 to 51: there is no cycle 52"),
        (["--cycle", "-1"], "-1 is not in the range"),
        (["--depth", "8"], "--depth is for a new agent"),
        (["--decisions", "0"], "0 is not in the range"),
    ],
)
def test_a_wrong_question_is_one_line(folder: Path, capsys: Captured, arguments: list[str], message: str) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["explain", str(folder), *arguments])
    out, err = capsys.readouterr()
    assert (stop.value.code, out, err.count("\n")) == (2, "", 1)
    assert message in err


@pytest.mark.parametrize(
    ("what", "message"),
    [("nowhere/", "there is no folder nowhere/"), ("x.aixi", "x.aixi"), ("nowhere", "nowhere"), ("tigre", "tiger")],
)
def test_what_is_not_there_is_one_line(what: str, capsys: Captured, message: str) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["explain", what])
    out, err = capsys.readouterr()
    assert (stop.value.code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_the_command_prints_decisions_of_a_run(folder: Path, capsys: Captured) -> None:
    main(["explain", str(folder), "--cycle", "45", "--decisions", "2"])
    out = capsys.readouterr().out
    assert "cycle 44: " in out
    assert "cycle 45: " in out
    main(["explain", str(folder), "--cycle", "45", "--json"])
    told = json.loads(capsys.readouterr().out)["decisions"]
    again = [each.explanation.as_json() for each in replay(recorded_run(folder), [45]) if each.explanation]
    assert told == json.loads(json.dumps(again))


def test_it_explains_a_saved_agent_and_a_new_one(folder: Path, capsys: Captured) -> None:
    main(["explain", str(folder / "agent.aixi"), "--json"])
    (told,) = json.loads(capsys.readouterr().out)["decisions"]
    assert (told["cycle"], told["truth"], told["came"]) == (40, None, None)
    main(["explain", "coin-flip", "--cycles", "20", "--simulations", "5", "--decisions", "3", "--json", "--seed", "2"])
    first = capsys.readouterr().out
    assert [each["cycle"] for each in json.loads(first)["decisions"]] == [27, 28, 29]
    main(["explain", "coin-flip", "--cycles", "20", "--simulations", "5", "--decisions", "3", "--json", "--seed", "2"])
    assert capsys.readouterr().out == first


def test_code_of_others_is_run_if_it_is_trusted(worlds: str, tmp_path: Path, capsys: Captured) -> None:
    main(["run", f"{worlds}:Lake", "--cycles", "10", "--simulations", "5", "--out", str(tmp_path / "lake")])
    capsys.readouterr()
    for what in ("lake", "lake/agent.aixi"):
        with pytest.raises(SystemExit):
            main(["explain", str(tmp_path / what)])
        assert "code outside this package: --trust runs it" in capsys.readouterr().err
        main(["explain", str(tmp_path / what), "--trust"])
        assert "It does" in capsys.readouterr().out


def test_a_run_writes_its_page(tmp_path: Path, capsys: Captured) -> None:
    page = tmp_path / "mind.html"
    arguments = ["run", "coin-flip", "--cycles", "30", "--simulations", "5", "--html", str(page)]
    main(arguments)
    assert f"stands in {page}" in capsys.readouterr().out
    text = page.read_text()
    main([*arguments, "--out", str(tmp_path / "run")])
    assert page.read_text() == text, "a run that is kept has another page"
    main([*arguments, "--out", str(tmp_path / "run"), "--json"])
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["environment"] == "coin-flip"


def test_rows_of_another_machine_may_miss_by_rounding(folder: Path) -> None:
    recorded = recorded_run(folder)
    near = [row._replace(log_loss=row.log_loss + 1e-9) for row in recorded.learning]
    assert len(list(replay(recorded._replace(learning=near)))) == 52
    far: list[Row] = [*near[:9], near[9]._replace(log_loss=near[9].log_loss + 0.1), *near[10:]]
    with pytest.raises(ValueError, match=r"cycle 9 was recorded with a log loss of"):
        list(replay(recorded._replace(learning=far)))
    other = [*near[:9], near[9]._replace(explored=1 - near[9].explored), *near[10:]]
    with pytest.raises(ValueError, match=r"cycle 9 was recorded with action"):
        list(replay(recorded._replace(learning=other), [9]))


def test_of_searches_by_time_no_more_is_said_than_is_known(tmp_path: Path) -> None:
    run(experiment(planner=PlannerSpec.parse("rhouct+seconds:0.001")), tmp_path / "run")
    recorded = recorded_run(tmp_path / "run")
    for each in replay(recorded, range(52)):
        told = each.explanation
        assert told is not None
        assert [each.value for each in told.actions] == [None] * 3
        assert (told.action, told.explored, told.line) == (each.row.action, bool(each.row.explored), ())
        assert told.sentences()[0].startswith("It tries" if told.explored else "It does")
        assert told.truth is not None
        assert told.truth.regret is not None
        assert [part for part, loss in told.truth.regret.items() if loss == loss] == ["total"]


def test_rows_that_are_missing_are_told(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, part := tmp_path / "part")
    rows = (part / "learning.csv").read_bytes()
    (part / "learning.csv").write_bytes(rows[:-7])
    with pytest.raises(ValueError, match="holds an evaluation after 40 cycles of learning, and rows of 39"):
        recorded_run(part)


FAULTY = """
import random
from aixi_approx import Environment, Percept
class Faulty(Environment):
    actions, observations, min_reward, max_reward = (0, 1), (0, 1), 0, 1
    def reset(self, seed):
        self.cycle = 0
    def step(self, action):
        self.cycle += 1
        return Percept({percept}, 0)
    def render(self):
        return 1 / {render}
"""


def test_a_result_is_printed_even_if_the_page_fails(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "faulty.py").write_text(FAULTY.format(percept="random.randrange(2)", render=1))
    run_it = ["run", f"{tmp_path}/faulty.py:Faulty", "--cycles", "40", "--simulations", "5"]
    with pytest.raises(SystemExit):
        main([*run_it, "--html", str(tmp_path / "page.html")])
    out, err = capsys.readouterr()
    assert "reward per cycle" in out
    assert "is not a function of its seed" in err
    assert not (tmp_path / "page.html").exists()


def test_a_page_without_pictures_is_a_page(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "faulty.py").write_text(FAULTY.format(percept="self.cycle % 2", render=0))
    run_it = ["run", f"{tmp_path}/faulty.py:Faulty", "--cycles", "40", "--simulations", "5"]
    main([*run_it, "--html", str(tmp_path / "page.html")])
    assert "the page has no pictures from here on" in capsys.readouterr().err
    assert (tmp_path / "page.html").exists()


def test_where_a_page_can_not_be_is_said_at_once(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "folder.html").mkdir()
    for arguments, message in (
        ([str(tmp_path / "folder.html")], "is a folder: name a file in it"),
        ([str(tmp_path / "none" / "a.html")], "there is no folder"),
        ([str(tmp_path / "a.png")], "a page ends in .html"),
        ([str(tmp_path / "a.html"), "--cycles", "0", "--evaluate", "0"], "there are none"),
    ):
        with pytest.raises(SystemExit):
            main(["run", "coin-flip", "--html", *arguments])
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert message in err


def test_a_page_is_written_where_a_link_leads(folder: Path, tmp_path: Path) -> None:
    target, link = tmp_path / "target.html", tmp_path / "link.html"
    target.write_text("old")
    link.symlink_to(target)
    write_page(scenes.mind(recorded_run(folder)), link)
    assert link.is_symlink()
    assert target.read_text() == link.read_text() != "old"


@pytest.mark.parametrize("command", ["explain", "tree"])
def test_an_empty_name_is_none(command: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit):
        main([command, ""])
    assert "it is empty" in capsys.readouterr().err

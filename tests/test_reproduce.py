"""JAIR 2011 once more: what is asked for, how rows become tables, and the command at a small size."""

from __future__ import annotations

import json
import multiprocessing
import random
import time
from pathlib import Path
from typing import Any

import pytest
from small_runs import timeless

from aixi_approx._version import __version__
from aixi_approx.cli import main
from aixi_approx.envs import make
from aixi_approx.execution.engines import engine
from aixi_approx.execution.folder import write_atomically
from aixi_approx.jair2011 import study as module
from aixi_approx.jair2011 import tables as tables_module
from aixi_approx.jair2011.published import DOMAINS, EXPERIENCE, PACMAN_EXPERIENCE, PACMAN_LEARNING, SIMULATIONS
from aixi_approx.jair2011.study import FRUGAL, PRINTED, Budget, PaperStudy
from aixi_approx.jair2011.tables import (
    compare_with_paper,
    over_experience,
    over_simulations,
    points,
    table_cell,
    tables,
)
from aixi_approx.laboratory.condition import file_name
from aixi_approx.laboratory.runner import Laboratory
from aixi_approx.laboratory.study import Study
from aixi_approx.laws.estimate import Estimate


def test_curves_of_the_paper_fit_their_axes() -> None:
    for domain in DOMAINS.values():
        assert len(domain.learning) <= len(EXPERIENCE)
        assert len(domain.utree) <= len(EXPERIENCE)
        assert len(domain.active_lz) <= len(EXPERIENCE)
        assert len(domain.search) <= len(SIMULATIONS)
    assert {len(values) for values in PACMAN_LEARNING.values()} == {len(PACMAN_EXPERIENCE)}


def test_the_optimum_of_our_environments_is_the_line_of_the_paper() -> None:
    """Within what can be read off figure 7."""
    for name, domain in DOMAINS.items():
        assert make(name).optimum == pytest.approx(domain.optimum, rel=0.015)


def test_never_more_is_spent_than_in_the_paper() -> None:
    for name, frugal in FRUGAL.items():
        assert all(ours <= paper for ours, paper in zip(frugal[:4], PRINTED[name][:4], strict=True)), name


@pytest.mark.parametrize(("full", "budgets"), [(False, FRUGAL), (True, PRINTED)])
def test_training_runs(full: bool, budgets: dict[str, Budget]) -> None:
    study = PaperStudy(tuple(budgets), 2, full)
    runs = study.runs()
    assert len({file_name(run.coordinates) for run in runs}) == len(runs)
    for run in runs:
        budget = budgets[run.environment]
        assert run.seed < budget.most_seeds
        marks, groups = study.marks(run), list(study.groups(run))
        assert list(marks) == sorted(set(marks))
        assert {group.checkpoint.experience for group in groups} <= set(marks)
        assert max(group.checkpoint.experience for group in groups) == budget.experience == marks[-1]
        assert all(len(set(group.settings)) == len(group.settings) for group in groups)
        assert run.settings.simulations == budget.learning_simulations
        if run.environment in DOMAINS:
            paper = DOMAINS[run.environment]
            exploration = (run.settings.epsilon, run.settings.decay)
            assert (run.settings.depth, run.settings.horizon, *exploration) == paper[:4]
    assert PaperStudy.from_json(json.loads(json.dumps(study.as_json())), "here") == study


def row(name: str, reward: float, **other: float) -> dict:
    setting = {"experience": 100, "planner": "rhouct", "simulations": 10, "cycles": 50, "learn": True}
    interval = {"reward": reward, "reward_low": reward - 1, "reward_high": reward + 1, "seconds": 0.1}
    return {"environment": name, "learner": "rhouct"} | setting | interval | other


def test_points_join_seeds() -> None:
    found = points([row("tiger", 1.0), row("tiger", 2.0), row("tiger", 3.0), row("tiger", 0.5, simulations=20)])
    assert len(found) == 2
    joined, single = found
    assert (joined.reward.mean, joined.seeds, joined.cycles, joined.seconds) == (2.0, 3, 150, pytest.approx(0.1))
    assert joined.reward.high - 2 == pytest.approx(4.302653 / 3**0.5, abs=1e-5)  # Student's t, two degrees of freedom
    assert (single.reward, single.seeds) == (Estimate(0.5, -0.5, 1.5), 1)


@pytest.mark.parametrize(
    ("reward", "figure", "said"),
    [
        (Estimate(0.496, 0.4, 0.497), 0.50, "yes"),
        (Estimate(0.494, 0.4, 0.51), 0.50, "within"),
        (Estimate(0.494, 0.4, 0.497), 0.50, "no"),
        (Estimate(-1.0, -2, 0), -0.97, "within"),
        (Estimate(3.0, 2.5, 3.5), -0.97, "yes"),
    ],
)
def test_comparison(reward: Estimate, figure: float, said: str) -> None:
    assert compare_with_paper(reward, figure) == said


def test_curves_and_cells_are_picked_out() -> None:
    rows = [
        row("tiger", 1.0),
        row("tiger", 2.0, planner="one-ply"),
        *(row("tiger", 3.0, experience=e, learn=False) for e in (100, 10)),
        row("tiger", 4.0, simulations=5, learn=False),
        row("tiger", 5.0, planner="q-learning", simulations=0, learn=False),
        row("coin-flip", 6.0),
    ]
    found = points(rows)
    assert table_cell(found, "tiger", planner="rhouct").reward.mean == 1
    assert table_cell(found, "tiger", planner="one-ply").reward.mean == 2
    assert [p.experience for p in over_experience(found, "tiger", planner="rhouct", simulations=10)] == [10, 100]
    assert [p.reward.mean for p in over_experience(found, "tiger", planner="q-learning", simulations=10)] == [5]
    assert [p.simulations for p in over_simulations(found, "tiger", experience=100)] == [5, 10]


def test_tables_hold_the_figures() -> None:
    rows = [
        row("tiger", 1.25),
        row("tiger", 0.75, planner="flat"),
        row("tiger", 1.0, learn=False),
        row("pacman", 1.5, experience=250_000, simulations=500, learn=False),
    ]
    text = tables(points(rows))
    assert "| tiger | 25,000 | 100 | 25,000 | 10 | 10.6 | 0.1000 | 100 |" in text
    assert "| tiger | 1 | 1.12 | 1.250 ± 1.000 | 1.11 | 0.750 ± 1.000 | 1.000 ± 1.000 | 1.0838 " in text
    assert "| 1.005 | rhoUCT yes, 1-ply within |" in text
    assert "| 250,000 | 500 | 1.47 | 1.500 ± 1.000 | no |" in text


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch)


def shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the study small; tiger has greedy cycles, so that learning depends on its search."""
    budget = Budget(60, 5, 10, 25, least_experience=0)
    monkeypatch.setattr(module, "FRUGAL", {"coin-flip": budget, "tiger": budget, "pacman": budget})
    monkeypatch.setattr(module, "EXPERIENCE", (20, 60))
    monkeypatch.setattr(module, "CURVE_CYCLES", 20)
    monkeypatch.setattr(module, "SEGMENT", 25)
    monkeypatch.setitem(DOMAINS, "tiger", DOMAINS["tiger"]._replace(epsilon=0.5, decay=0.99))
    for place in (module, tables_module):
        monkeypatch.setattr(place, "EVALUATION_CYCLES", 30)
        monkeypatch.setattr(place, "PACMAN_EXPERIENCE", (20, 60))
        monkeypatch.setattr(place, "PACMAN_LEARNING", {10: (1.0, 2.0), 25: (3.0, 4.0)})


@pytest.mark.usefixtures("small")
def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["reproduce", "tiger", "--seeds", "2", "--out", str(tmp_path / "out")]
    main(arguments)
    first = capsys.readouterr().out
    assert "Table 5" in first
    assert "Table 6: reward per cycle, 30 greedy cycles of each agent" in first
    assert (tmp_path / "out" / "tables.md").read_text() in first + "\n"
    for name in ("learning.png", "search.png"):
        assert (tmp_path / "out" / name).stat().st_size > 10_000
    main([*arguments, "--on", "1"])
    assert capsys.readouterr().out == first
    main([*arguments, "--json"])
    found = json.loads(capsys.readouterr().out)["points"]
    assert {p["environment"] for p in found} == {"tiger"}
    assert {p["seeds"] for p in found} == {2}


@pytest.mark.usefixtures("small")
def test_a_folder_with_something_else_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "study.json").write_text('{"version": "0.0.1"}')
    (tmp_path / "older").mkdir()
    (tmp_path / "older" / "study.json").write_text('{"version": "0.3.0"}')
    for folder, message in (
        (tmp_path, "is not empty and holds no study: name another folder"),
        (tmp_path / "mine.txt", "is a file: name another folder"),
        (tmp_path / "old", "was written by version 0.0.1: "),
        (tmp_path / "older", "was written by version 0.3.0: "),
    ):
        with pytest.raises(SystemExit) as stop:
            main(["reproduce", "tiger", "--out", str(folder)])
        assert stop.value.code == 2
        *_, line = capsys.readouterr().err.splitlines()
        assert line.startswith("aixi")
        assert message in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.txt", "old", "older"]


# ---------------------------------------------------------------------------------------------- stops, growth, folders

STUDY = PaperStudy(("tiger",), 2)


def rows_of(folder: Path, study: PaperStudy, where: str = "here") -> list[dict[str, Any]]:
    """The rows of a study, which is run first."""
    laboratory = Laboratory(folder, study, read=PaperStudy.from_json)
    with engine(where) as place:
        laboratory.run(place)
    assert not laboratory.missing()
    return timeless(laboratory.rows())


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The rows of a study that nothing stops."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        shrink(monkeypatch)
        return rows_of(tmp_path_factory.mktemp("wanted"), STUDY)


def test_all_that_the_tables_need_is_measured(wanted: list[dict[str, Any]]) -> None:
    rhouct = {(r["experience"], r["planner"], r["simulations"], r["cycles"], r["learn"]) for r in wanted if r["depth"]}
    curves = {(e, "rhouct", 10, 20, False) for e in (20, 60)} | {(60, "rhouct", 25, 20, False)}
    assert rhouct == curves | {(60, "rhouct", 10, 30, True), (60, "flat", 10, 30, True)}
    baseline = [row for row in wanted if row["learner"] == "q-learning"]
    assert {(row["planner"], row["simulations"], row["model"]) for row in baseline} == {("q-learning", 0, "none")}
    assert {row["experience"] for row in baseline} == {20, 60}
    assert len(wanted) == 2 * (5 + 2)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("stops", [[1], [2, 3], [1, 1, 1, 1, 4], [5, 6], [11]])
def test_a_study_that_is_stopped_gives_the_same_rows(
    stops: list[int], tmp_path: Path, wanted: list[dict[str, Any]]
) -> None:
    for stop in stops:
        left = stop

        def tick(done: float, total: float) -> None:
            nonlocal left
            left -= 1
            if not left:
                raise KeyboardInterrupt

        laboratory = Laboratory(tmp_path, STUDY, read=PaperStudy.from_json)
        with engine("here") as here, pytest.raises(KeyboardInterrupt):
            laboratory.run(here, progress=tick)
        assert laboratory.missing()
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*.json")}
    assert kept
    assert rows_of(tmp_path, STUDY) == wanted
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


@pytest.mark.usefixtures("small")
def test_a_study_that_is_killed_gives_the_same_rows(tmp_path: Path, wanted: list[dict[str, Any]]) -> None:
    """At random times after it has written some files; the process has forked, and with it the small budgets."""
    context, chance = multiprocessing.get_context("fork"), random.Random(1)
    killed = 0
    for _ in range(4):
        child = context.Process(target=rows_of, args=(tmp_path / "study", STUDY))
        child.start()
        more = len(list((tmp_path / "study").glob("*/*.json"))) + chance.randrange(1, 4)
        while child.is_alive() and len(list((tmp_path / "study").glob("*/*.json"))) < more:
            time.sleep(0.001)
        killed += child.is_alive()
        child.kill()
        child.join()
    assert killed, "it is done before it is killed"
    assert rows_of(tmp_path / "study", STUDY) == wanted


@pytest.mark.usefixtures("small")
def test_the_number_of_processes_changes_nothing(tmp_path: Path, wanted: list[dict[str, Any]]) -> None:
    study = STUDY._replace(environments=("tiger", "pacman"), seeds=1)
    one, two = (rows_of(tmp_path / where, study, where) for where in ("here", "2"))
    assert one == two
    assert [row for row in one if row["environment"] == "tiger"] == [row for row in wanted if row["seed"] == 0]


@pytest.mark.usefixtures("small")
def test_a_grown_study_keeps_its_rows(tmp_path: Path, wanted: list[dict[str, Any]]) -> None:
    """More seeds, other environments; and what is there is not done again."""
    first = rows_of(tmp_path, STUDY._replace(seeds=1))
    assert first == [row for row in wanted if row["seed"] == 0]
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*.json")}
    assert rows_of(tmp_path, STUDY) == wanted
    assert rows_of(tmp_path, STUDY._replace(environments=("pacman", "tiger")))
    assert rows_of(tmp_path, STUDY._replace(seeds=1)) == first, "fewer are there, too"
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_agents_that_learn_otherwise_are_another_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In tic-tac-toe they learn with fewer simulations, unless the study is full."""
    study = PaperStudy(("tic-tac-toe", "tiger"), 1)
    laboratory = Laboratory(tmp_path / "study", study, read=PaperStudy.from_json)
    laboratory.store.prepare(study.as_json())
    with pytest.raises(ValueError, match="holds a study with agents that learn otherwise in tic-tac-toe: ") as raised:
        Laboratory(tmp_path / "study", study._replace(full=True), read=PaperStudy.from_json)
    assert "aixi scale" not in str(raised.value)
    for other in (study._replace(environments=("tiger", "kuhn-poker"), full=True), study._replace(seeds=3)):
        assert Laboratory(tmp_path / "study", other, read=PaperStudy.from_json).missing()


@pytest.mark.parametrize("content", [{}, {"seeds": 1}, {"environments": 3, "seeds": 1, "full": False}, []])
def test_another_manifest_is_refused(content: Any) -> None:
    with pytest.raises(ValueError, match=r"^here is not that of a reproduction of JAIR 2011: name another folder$"):
        PaperStudy.from_json(content, "here")


def test_folders_of_the_two_commands_are_not_confused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, study in (
        ("paper", PaperStudy(("tiger",)).as_json()),
        ("scale", Study(("tiger",), (1,), (1,), 1).as_json()),
    ):
        Path(name).mkdir()
        write_atomically(tmp_path / name / "study.json", {"version": __version__, "study": study})
    for arguments, message in (
        (["scale", "paper"], "paper/study.json: a study has no 'paper': it has environments"),
        (["reproduce", "tiger", "--out", "scale"], "scale/study.json is not that of a reproduction of JAIR 2011"),
    ):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 2
        assert message in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.usefixtures("small")
def test_pacman_has_a_picture_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["reproduce", "pacman", "--seeds", "1", "--out", str(tmp_path)])
    printed = capsys.readouterr().out
    assert "Figure 9" in printed
    assert "Table 6" not in printed
    assert (tmp_path / "pacman.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tigre"], "tigre is not in the paper: there are 1d-maze, cheese-maze"),
        (["tiger", "--seeds", "0"], "Invalid value for '--seeds': 0 is not in the range x>=1"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["reproduce", *arguments])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1

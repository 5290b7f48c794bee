"""JAIR 2011 once more: what is asked for, how rows become tables, and the command at a small size."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import aixi_approx.jair2011.tables as reproduction
from aixi_approx.cli import main
from aixi_approx.envs import make
from aixi_approx.estimate import Estimate
from aixi_approx.jair2011.published import DOMAINS, EXPERIENCE, PACMAN_EXPERIENCE, PACMAN_LEARNING, SIMULATIONS
from aixi_approx.jair2011.tables import (
    FRUGAL,
    PRINTED,
    Budget,
    conclusions,
    lives,
    over_experience,
    over_simulations,
    points,
    table_cell,
    tables,
)


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


@pytest.mark.parametrize("budgets", [FRUGAL, PRINTED])
def test_lives(budgets: dict[str, Budget]) -> None:
    chosen = lives(list(budgets), 2, budgets)
    assert len({life.name for life in chosen}) == len(chosen)
    for life in chosen:
        budget = budgets[life.environment]
        assert len(set(life.trials)) == len(life.trials)
        assert max(trial.experience for trial in life.trials) == budget.experience
        assert life.settings.simulations == budget.learning_simulations
        if life.environment in DOMAINS:
            paper = DOMAINS[life.environment]
            exploration = (life.settings.epsilon, life.settings.decay)
            assert (life.settings.depth, life.settings.horizon, *exploration) == paper[:4]


def row(name: str, reward: float, **other: float) -> dict:
    trial = {"experience": 100, "planner": "rhouct", "simulations": 10, "cycles": 50, "learn": True}
    interval = {"reward": reward, "reward_low": reward - 1, "reward_high": reward + 1, "seconds": 5.0}
    return {"environment": name, "life": "rhouct"} | trial | interval | other


def test_points_join_seeds() -> None:
    found = points([row("tiger", 1.0), row("tiger", 2.0), row("tiger", 3.0), row("tiger", 0.5, simulations=20)])
    assert len(found) == 2
    joined, single = found
    assert (joined.reward.mean, joined.seeds, joined.cycles, joined.seconds) == (2.0, 3, 150, 0.1)
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
def test_verdict(reward: Estimate, figure: float, said: str) -> None:
    assert conclusions(reward, figure) == said


def test_curves_and_cells_are_picked_out() -> None:
    rows = [
        row("tiger", 1.0),
        row("tiger", 2.0, planner="one-ply"),
        *(row("tiger", 3.0, experience=e, learn=False) for e in (100, 10)),
        row("tiger", 4.0, simulations=5, learn=False),
        row("tiger", 5.0, planner="q-learning", learn=False),
        row("coin-flip", 6.0),
    ]
    found = points(rows)
    assert table_cell(found, "tiger", "rhouct").reward.mean == 1
    assert table_cell(found, "tiger", "one-ply").reward.mean == 2
    assert [p.experience for p in over_experience(found, "tiger", "rhouct", 10)] == [10, 100]
    assert [p.reward.mean for p in over_experience(found, "tiger", "q-learning", 10)] == [5]
    assert [p.simulations for p in over_simulations(found, "tiger", 100)] == [5, 10]


def test_tables_hold_the_figures() -> None:
    rows = [
        row("tiger", 1.25),
        row("tiger", 0.75, planner="one-ply"),
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
    budget = Budget(60, 5, 10, 25, least_experience=0)
    monkeypatch.setattr(reproduction, "FRUGAL", {"coin-flip": budget, "tiger": budget, "pacman": budget})
    monkeypatch.setattr(reproduction, "EXPERIENCE", (20, 60))
    monkeypatch.setattr(reproduction, "CURVE_CYCLES", 20)
    monkeypatch.setattr(reproduction, "EVALUATION_CYCLES", 30)
    monkeypatch.setattr(reproduction, "PACMAN_EXPERIENCE", (20, 60))
    monkeypatch.setattr(reproduction, "PACMAN_LEARNING", {10: (1.0, 2.0), 25: (3.0, 4.0)})


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
    main(arguments)
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
    for folder, message in (
        (tmp_path, "is not empty and holds no study: name another folder"),
        (tmp_path / "mine.txt", "is a file: name another folder"),
        (tmp_path / "old", "was written by version 0.0.1: name another folder"),
    ):
        with pytest.raises(SystemExit) as stop:
            main(["reproduce", "tiger", "--out", str(folder)])
        assert stop.value.code == 2
        assert message in capsys.readouterr().err.splitlines()[-1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.txt", "old"]


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

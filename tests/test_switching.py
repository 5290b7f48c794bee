"""A sequence of environments is its environments, one after the other, in the bits of all; recovery is right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import play

from aixi_approx.cli import main
from aixi_approx.environment import EnvironmentFault
from aixi_approx.envs import make
from aixi_approx.envs.switching import Start, Switching, parse
from aixi_approx.experiments.recovery import TOLERANCE, phases, running
from aixi_approx.interaction import Row
from aixi_approx.laws.estimate import normalised


def change(name: str) -> Switching:
    made = make(name)
    assert isinstance(made, Switching)
    return made


NAME = "tiger>coin-flip@70>kuhn@100~150>tiger@200"


def test_it_is_its_environments_one_after_the_other() -> None:
    whole = change(NAME)
    actions = np.random.default_rng(1).integers(3, size=260).tolist()
    percepts = play(whole, 5, actions)
    begins, seeds = [*whole.onsets, 260], whole.seeds
    for i, name in enumerate(("tiger", "coin-flip", "kuhn-poker", "tiger")):
        alone = make(name)
        alone.reset(seeds[i])
        for t in range(begins[i], begins[i + 1]):
            assert alone.step(actions[t] % len(alone.actions)) == percepts[t]
    assert play(whole, 5, actions) == percepts
    assert play(whole, 6, actions) != percepts


def test_two_environments_of_a_kind_have_seeds_of_their_own() -> None:
    assert len(set(change(NAME).seeds)) == 4


def test_the_seed_decides_when_it_changes() -> None:
    whole, found = change(NAME), []
    for seed in range(300):
        whole.reset(seed)
        assert whole.onsets[:2] + whole.onsets[3:] == [0, 70, 200]
        found.append(whole.onsets[2])
    assert (min(found), max(found)) == (100, 150)


def test_all_are_written_in_the_same_bits() -> None:
    whole = change(NAME)
    coding = whole.coding
    assert (coding.actions, coding.min_reward, coding.max_reward) == (3, -100, 10)
    assert coding.observation_bits == 4  # of Kuhn poker
    assert all(part.coding == coding for part in whole.stages)
    assert whole.actions == ("listen/tails/pass", "open-left/heads/bet", "open-right/tails/pass")
    assert whole.schedule.cycles == 200 + make("tiger").schedule.cycles
    assert whole.settings.depth == 96


def test_random_reward_is_of_the_actions_of_the_sequence() -> None:
    tiger, coin, _, _ = change(NAME).stages
    assert tiger.random_reward == make("tiger").random_reward
    assert coin.random_reward == pytest.approx(2 / 3 * 0.3 + 1 / 3 * 0.7)  # tails is two of three actions
    assert change("pacman>tiger@9").stages[0].random_reward is None
    assert change("4x4-grid>coin-flip@9").stages[1].random_reward == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("tiger>kuhn", "when does 'kuhn' start? Write >kuhn@10000, or @8000~12000"),
        ("tiger>kuhn@x", "when does 'kuhn' start? Write >kuhn@10000"),
        ("tiger>absent@5", "no environment 'absent'"),
        ("tiger>kuhn@0", "@0 is too early: write a cycle after 0"),
        ("tiger>kuhn@9~5", "@9~5: write the earlier cycle first"),
        ("tiger>kuhn@9>tiger@9", "@9 is too early: write a cycle after 9"),
        ("tiger>kuhn@2~9>tiger@9", "@9 is too early: write a cycle after 9"),
        (">kuhn@9", "no environment before the first '>': write tiger>kuhn@9"),
    ],
)
def test_a_name_that_makes_no_sense(name: str, part: str) -> None:
    with pytest.raises(EnvironmentFault) as error:
        make(name)
    assert part in str(error.value)


def test_a_name_with_spaces() -> None:
    assert parse("tiger > kuhn @ 5 > tiger @ 7~9") == (
        ["tiger", "kuhn", "tiger"],
        [Start(0, 0), Start(5, 5), Start(7, 9)],
    )


# Recovery.


def rows(rewards: list[int], explored: list[bool] | None = None) -> list[Row]:
    explored = explored or [False] * len(rewards)
    return [Row(t, 0, 0, r, int(e), 0.0, 0) for t, (r, e) in enumerate(zip(rewards, explored, strict=True))]


@given(st.lists(st.tuples(st.integers(-5, 5), st.booleans()), min_size=1, max_size=30), st.integers(1, 30))
def test_running_mean_of_chosen_cycles(lived: list[tuple[int, bool]], window: int) -> None:
    window = min(window, len(lived))
    found = running(rows([r for r, _ in lived], [e for _, e in lived]), window)
    assert len(found) == len(lived) - window + 1
    for first, value in enumerate(found):
        chosen = [reward for reward, explored in lived[first : first + window] if not explored]
        assert np.isnan(value) if not chosen else value == pytest.approx(np.mean(chosen))


def test_phases_of_a_life() -> None:
    whole = change("coin-flip>coin-flip@40>coin-flip@80")
    early, late = [1] * 40, [0] * 12 + [1] * 28
    first, second, third = phases(rows(early + late + [0] * 40), whole)
    score = normalised(1, 0.5, optimum=0.7)
    assert (first.onset, first.end, second.onset, second.end, third.end) == (0, 40, 40, 80, 120)
    assert first.score_last == pytest.approx(score)
    assert (second.reward_first, second.reward_last) == (0, 1)
    assert first.recovered is None
    # The window is of 10 cycles; 9.6 of 10 rewards are enough, so that the first is cycles 12 to 21.
    assert score - normalised(0.9, 0.5, optimum=0.7) > TOLERANCE
    assert second.recovered == 22
    assert third.recovered is None


def test_phases_that_were_not_come_to_are_left_out() -> None:
    whole = change("coin-flip>coin-flip@40>coin-flip@80")
    assert [(p.onset, p.end) for p in phases(rows([1] * 50), whole)] == [(0, 40), (40, 50)]
    assert phases([], whole) == []


def test_an_environment_whose_optimum_is_not_known_has_rewards_only() -> None:
    phase = phases(rows([1] * 50), change("pacman>coin-flip@40"))[0]
    assert (phase.reward_last, phase.score_last, phase.recovered) == (1, None, None)


def test_a_run_with_a_change_goes_on_where_it_was_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = [
        "run",
        "coin-flip>kuhn@60~90",
        "--cycles",
        "150",
        "--simulations",
        "5",
        "--evaluate",
        "40",
        "--depth",
        "4",
    ]
    main([*command, "--out", "whole"])
    shown = capsys.readouterr().out
    assert "evaluated in kuhn" in shown
    assert "recovered" in shown
    main([*command, "--out", "part"])
    for name, keep in (("learning", 77), ("evaluation", 0)):
        lines = (tmp_path / "part" / f"{name}.csv").read_text().splitlines(keepends=True)
        (tmp_path / "part" / f"{name}.csv").write_text("".join(lines[: keep + 1]))
    (tmp_path / "part" / "result.json").unlink()
    main([*command, "--out", "part"])
    for name in ("learning", "evaluation"):
        assert (tmp_path / "part" / f"{name}.csv").read_text() == (tmp_path / "whole" / f"{name}.csv").read_text()


def test_the_reward_over_the_cycles_as_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    life = ["--cycles", "60", "--simulations", "5", "--evaluate", "20", "--depth", "4", "--out"]
    for name, folder in (("coin-flip>1d-maze@30", "change"), ("pacman", "pacman")):
        for picture in ("first.svg", "again.svg"):  # of a run that is complete, too
            main(["run", name, *life, folder, "--picture", picture])
        drawn = [(tmp_path / picture).read_text() for picture in ("first.svg", "again.svg")]
        assert all(text.startswith("<?xml") and "reward per cycle" in text for text in drawn)
        assert drawn[0].count("<path") == drawn[1].count("<path")
    with pytest.raises(SystemExit):
        main(["run", "tiger", "--picture", "curve.txt"])
    assert "curve.txt: a picture ends in .png, .svg, .pdf" in capsys.readouterr().err


def test_its_rules_are_those_of_its_environments() -> None:
    rules = change("coin-flip>tiger@5~9").rules
    assert make("coin-flip").rules in rules
    assert f"From cycle 5 on: tiger\n\n{make('tiger').rules}" in rules


def test_it_is_evaluated_in_the_environment_that_it_came_to(capsys: pytest.CaptureFixture[str]) -> None:
    """Not in one that it never met."""
    short = ["--simulations", "5", "--evaluate", "30", "--depth", "4", "--cycles"]
    for cycles, where, best in (("40", "coin-flip", "0.700"), ("60", "kuhn-poker", "0.056")):
        main(["run", "coin-flip>kuhn@50", *short, cycles])
        shown = capsys.readouterr().out
        assert f"after {cycles} cycles, evaluated in {where}\n" in shown
        assert best in shown
    main(["run", "coin-flip>kuhn@50", *short, "40", "--evaluate", "0"])
    assert "evaluated" not in capsys.readouterr().out


def test_recovery_is_unknown_where_a_score_is(capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", "pacman>coin-flip@20", "--cycles", "60", "--simulations", "2", "--evaluate", "0", "--depth", "4"])
    assert next(line for line in capsys.readouterr().out.splitlines() if "recovered" in line).split()[1:] == ["unknown"]


def test_full_names() -> None:
    assert change("TIGER > lock:2 @ 7 > kuhn @ 9~12").title == "tiger>locks:2@7>kuhn-poker@9~12"
    assert make("kuhn").title == "kuhn-poker"

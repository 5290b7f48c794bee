"""What a budget is best spent on, and ladders of sizes: on made-up surfaces, whose laws are known."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from test_results import made_up

from aixi_approx.laboratory.budget import advise
from aixi_approx.laboratory.ladder import LADDERS, find_ladders, ladder_study
from aixi_approx.laboratory.plot_ladder import draw_ladders
from aixi_approx.laboratory.report import report
from aixi_approx.laboratory.results import Results
from aixi_approx.laboratory.study import checked

CYCLES, COUNTS = 10.0 ** np.arange(1, 6), 10.0 ** np.arange(6)


def of_chances(e0: float = 300.0, n0: float = 30.0, environment: str = "made-up", noise: float = 0.005) -> Results:
    """Chances to learn and to find that multiply; a cycle takes a bit, and a simulation, too."""
    score = 1 / (1 + e0 / CYCLES[:, None]) / (1 + n0 / COUNTS)
    loss = 1 - score + noise * np.random.default_rng(0).normal(size=(10, len(CYCLES), len(COUNTS)))
    took = {unit: np.tile(CYCLES, (10, 1)) for unit in ("bits", "visits", "seconds")}
    cost = np.tile(COUNTS, (10, len(CYCLES), 1))
    return made_up(
        loss,
        environment=environment,
        experience=CYCLES,
        simulations=COUNTS,
        learning=took,
        bits=cost,
        visits=cost,
        seconds=cost,
        others={"model: true": np.tile(1 / (1 + n0 / COUNTS), (10, 1))},
    )


def test_a_budget_is_split_as_the_surface_says() -> None:
    f = dataclasses.replace(of_chances(), decisions=100.0)
    for budget in (3e3, 3e4, 3e5):
        advice = advise(f, budget)
        e, n = (np.geomspace(each[0], each[-1], 400) for each in (CYCLES, COUNTS))
        cost = e[:, None] + 100 * n
        score = np.where(cost <= budget, 1 / (1 + 300 / e[:, None]) / (1 + 30 / n), 0)
        assert advice.source.startswith("measured")
        assert advice.score.mean == pytest.approx(score.max(), abs=0.06)  # linear between a factor of ten
        assert advice.experience.mean + 100 * advice.simulations.mean <= 1.05 * budget
        assert advice.share.low <= advice.share.mean <= advice.share.high
        assert advice.share.mean == pytest.approx(advice.experience.mean / budget, rel=0.5)


def test_more_than_was_measured_is_foreseen_by_the_law() -> None:
    short = of_chances(e0=3e3, n0=100)
    most = float(CYCLES[-1] + 1_000 * COUNTS[-1])
    advice = advise(short, 10 * most)
    assert advice.source.startswith("beyond")
    assert advice.enough is None
    assert advise(short, most).score.mean < advice.score.mean <= 1
    assert advice.simulations.mean == pytest.approx(10 * advise(short, most).simulations.mean)
    done = of_chances(e0=1, n0=0.1)
    assert advise(done, 10 * most).enough is not None


@pytest.mark.parametrize("decisions", [1.0, 1e4])
def test_too_little_buys_nothing(decisions: float) -> None:
    f = dataclasses.replace(of_chances(), decisions=decisions)
    with pytest.raises(ValueError, match=r"made-up: 5 bits buy nothing that was measured: .* decisions take"):
        advise(f, 5)


def test_what_is_not_known_can_not_be_planned() -> None:
    f = dataclasses.replace(of_chances(), optimum=None)
    with pytest.raises(ValueError, match="there is no score there to expect"):
        advise(f, 1e5)


def test_frontier_and_its_law_are_told() -> None:
    f = of_chances()
    assert f.frontier_law.laws
    assert "Total compute of learning and 100 decisions" in report([f])
    frozen = dataclasses.replace(of_chances(), hypotheses={"frontier": "odds"})
    assert frozen.frontier_law.frozen == "odds"
    assert "frozen before" in report([frozen])


# ---------------------------------------------------------------------------------------------------------- ladders


def test_the_sizes_of_a_ladder_make_a_study() -> None:
    for family, steps in LADDERS.items():
        study = checked(ladder_study(family)._replace(seeds=1), "the ladder")
        assert len(study.environments) == len(steps)
        for step in steps:
            assert step.horizon is None or study.agent_settings(step.environment).horizon == step.horizon
    with pytest.raises(ValueError, match="there is no ladder 'moon': there are locks, corridor"):
        ladder_study("moon")


def steps_of(halves: dict[str, float]) -> list[Results]:
    return [of_chances(n0=half, environment=name, noise=0) for name, half in halves.items()]


def test_the_simulations_for_a_half_and_how_they_grow() -> None:
    halves = {f"nim:{n}-perfect": float(np.exp(0.25 * n)) for n in (8, 16, 24, 32)}
    learned, knowing = find_ladders(steps_of(halves))
    assert (learned.model, knowing.model) == ("ctw", "true")
    assert knowing.sizes.tolist() == [8, 16, 24, 32]
    for half, true in zip(knowing.half, halves.values(), strict=True):
        assert half is not None
        assert half.mean == pytest.approx(true, rel=0.4)  # linear between points a factor of ten apart
    rate, wrong = knowing.growth["exponential"]
    assert rate.mean == pytest.approx(0.25, abs=0.02)
    assert 0.5 < wrong < 2
    power, far = knowing.growth["power"]
    assert power.mean > 2
    assert far < 0.7
    text = report(steps_of(halves))
    assert "## Ladder of nim, given the environment\n" in text
    assert "exp(0.2" in text
    figure = draw_ladders([learned, knowing])
    assert figure is not None
    assert [axes.get_title() for axes in figure.axes][2:] == [
        "nim, given the environment: each size a step",
        "where the steps are",
    ]


def test_one_size_is_no_ladder() -> None:
    assert find_ladders(steps_of({"nim:8-perfect": 3.0, "tiger": 4.0})) == []
    assert draw_ladders([]) is None


def test_a_half_that_is_never_reached_is_none() -> None:
    never = steps_of({"locks:1": 1e9, "locks:2": 1e-9})
    assert draw_ladders(find_ladders(never)) is not None
    for ladder in find_ladders(never):
        assert ladder.half == [None, None]
        assert ladder.growth == {}


def test_seeds_that_lack_points_are_no_fault() -> None:
    found = steps_of({"locks:1": 10.0, "locks:2": 30.0})
    lacking: Any = found[1].regret.copy()
    lacking[1:] = np.nan
    found[1] = dataclasses.replace(found[1], regret=lacking, reward=np.where(np.isnan(lacking), np.nan, 1 - lacking))
    assert len(find_ladders(found)) == 2

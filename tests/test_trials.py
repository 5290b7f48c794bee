"""Where a trial begins: in the environment as learning left it, after cycles that do not count. What learning costs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_runs import cycles_of, random_run, timeless

from aixi_approx.builder import build_agent
from aixi_approx.environment import EnvironmentFault
from aixi_approx.envs import make
from aixi_approx.execution import engine
from aixi_approx.interaction import interact
from aixi_approx.laboratory import Laboratory, Study
from aixi_approx.laboratory.condition import Checkpoint, Group, Setting, TrainingRun
from aixi_approx.laboratory.experience import collect, left_by
from aixi_approx.laboratory.measurement import exact, measure
from aixi_approx.laboratory.regret import TIE, TrueValues, best, bounds, split
from aixi_approx.laboratory.study import checked
from aixi_approx.planner_spec import PlannerSpec


def trial(
    run: TrainingRun, experience: int, planner: str, cycles: int = 50, warm_up: int | None = 10, model: str = "ctw"
) -> dict:
    spec = PlannerSpec.parse(planner)
    checkpoint = Checkpoint(run, experience, model, run.settings.depth)
    group = Group(checkpoint, (Setting(spec, cycles),), min(10, cycles), warm_up)
    return measure(group, cycles_of(run, experience))["rows"][0]


def test_an_agent_that_is_not_told_of_a_reset_begins_in_a_false_belief() -> None:
    """It knows corridor:2 by heart, and loses nothing where it goes on; in a reset one its first decision is wrong."""
    rows = {
        warm_up: [
            trial(random_run("corridor:2", seed, simulations=3), 3_000, "rhouct+horizon:4+simulations:300", 50, warm_up)
            for seed in (0, 1, 3)
        ]
        for warm_up in (None, 0, 10)
    }
    assert [row["wrong"] for row in rows[None]] == pytest.approx([1 / 50] * 3)
    assert [row["wrong"] for row in rows[0]] == [row["wrong"] for row in rows[10]] == [0, 0, 0]


@pytest.mark.parametrize("name", ["corridor:2", "tiger"])
def test_the_boundary_term_is_what_rewards_and_regrets_differ_by(name: str) -> None:
    """Reward + regret - optimum is the boundary term, on average."""
    solution = exact(name)
    assert solution is not None
    left = []
    for seed in range(12):
        row = trial(random_run(name, seed, simulations=3), 200, "rhouct+horizon:3+simulations:10", 60)
        left.append(row["reward"] + row["regret"] - solution.lower - row["boundary"])
    assert abs(np.mean(left)) < 3 * np.std(left, ddof=1) / np.sqrt(12) + 1e-9


def test_cycles_that_do_not_count_are_acted_all_the_same() -> None:
    """A trial of 30 cycles after ten is the rest of one of 40."""
    run = random_run("tiger", 2, simulations=3)
    late, whole = trial(run, 100, "rhouct+simulations:20", 30, 10), trial(run, 100, "rhouct+simulations:20", 40, 0)
    early = trial(run, 100, "rhouct+simulations:20", 10, 0)
    for what in ("reward", "regret", "wrong", "searched", "bits", "visits"):
        assert 30 * late[what] + 10 * early[what] == pytest.approx(40 * whole[what])


def test_a_true_model_begins_where_the_environment_does() -> None:
    run = random_run("tiger")
    one, other = (timeless(trial(run, 0, "rhouct+simulations:9", 20, warm_up, "true")) for warm_up in (0, None))
    assert one == other


@pytest.mark.parametrize("name", ["tiger", "pacman"])
def test_an_environment_goes_on_as_learning_left_it(name: str) -> None:
    """As often as it is asked for, each time the same."""
    run = random_run(name, 3)
    past, more = cycles_of(run, 40), cycles_of(run, 60)[40:]
    again = left_by(run, past)
    for _ in range(2):
        environment = again()
        assert [environment.checked_step(cycle.action) for cycle in more] == [cycle.percept for cycle in more]


def test_an_environment_that_is_another_one_now_is_no_place_to_go_on() -> None:
    run = random_run("tiger", 3)
    past = [cycle._replace(reward=cycle.reward - 1) for cycle in cycles_of(run, 4)]
    with pytest.raises(EnvironmentFault, match="cycle 0 was recorded with percept"):
        left_by(run, past)


def test_true_values_begin_after_what_was_lived() -> None:
    run = random_run("tiger", 1)
    pomdp, solution, (*past, last) = make("tiger"), exact("tiger"), cycles_of(run, 8)
    for known in (solution, None):
        begun, followed = (TrueValues(pomdp, 2, solution=known) for _ in range(2))  # type: ignore[arg-type]
        begun.begin([(cycle.action, cycle.percept) for cycle in past])
        for cycle in past:
            followed.observe(cycle.action, cycle.percept)
        for _ in range(2):
            assert begun.within() == pytest.approx(followed.within())
            if known:
                assert begun.long_run() == pytest.approx(followed.long_run())
                assert begun.relative_value() == followed.relative_value()
            begun.observe(last.action, last.percept)
            begun.restart()


# ---------------------------------------------------------------------------------------------- what learning costs


def test_a_segment_counts_what_its_agent_predicted_and_learned() -> None:
    """Searches included; a run in two segments costs what one does."""
    run = random_run("tiger", 0, epsilon=0.5, simulations=20)
    environment = make("tiger")
    environment.checked_reset(run.seed)
    agent = build_agent(environment, planner=run.learner, settings=run.settings, seed=run.seed)
    list(interact(agent, environment, cycles=50))
    whole, first = collect(run, [], until=50), collect(run, [], until=20)
    second = collect(run, first.cycles, until=50)
    statistics = agent.predictor.statistics()
    assert (whole.bits, whole.visits) == (statistics.bits, statistics.visits)
    assert whole.bits is not None
    assert whole.bits > 50 * environment.coding.percept_bits, "or no search was counted"
    assert first.bits is not None
    assert second.bits is not None
    assert first.bits + second.bits == whole.bits
    assert collect(random_run("tiger")._replace(learner="q-learning"), [], until=9).bits is None


# ---------------------------------------------------------------------------------------------- bounds


@given(st.integers(0, 10_000), st.integers(2, 5))
@settings(max_examples=100, deadline=None)
def test_bounds_hold_whichever_action_the_model_prefers(seed: int, actions: int) -> None:
    random = np.random.default_rng(seed)
    values, model, error = random.integers(0, 4, actions) * 1.0, random.normal(size=actions), random.random(actions)
    search = int(random.integers(actions))
    low, high = model - error, model + error
    between = bounds(values, search, within=best(values), possible=high >= low.max() - TIE)
    for _ in range(20):
        truth = random.uniform(low, high)
        parts = split(values, search, within=best(values), model=truth >= truth.max())
        assert between.prediction.low - 1e-9 <= parts.prediction <= between.prediction.high + 1e-9
        assert between.decision.low - 1e-9 <= parts.decision <= between.decision.high + 1e-9


@pytest.mark.parametrize("experience", [10, 300])
def test_what_is_told_lies_between_its_bounds(experience: int) -> None:
    for name in ("tiger", "corridor:2"):
        row = trial(random_run(name, 1), experience, "rhouct+horizon:4+simulations:10", 20)
        for what, value in (*row["long_run"].items(), ("simple_regret", row["simple_regret"])):
            if what in row["bounds"]:
                low, high = row["bounds"][what]
                assert low - 1e-9 <= value <= high + 1e-9


# ---------------------------------------------------------------------------------------------- two more controls


def test_an_agent_whose_search_is_random_scores_nothing_and_loses_by_decision() -> None:
    """One simulation tries one action, any: with a model that knows, all is lost by decision."""
    name = "locks:1"
    rows = [trial(random_run(name, seed), 0, "rhouct+horizon:3+simulations:1", 200, 10, "true") for seed in range(6)]
    solution, span = exact(name), exact(name).lower - make(name).random_reward  # type: ignore[union-attr]
    assert solution is not None
    scores = [1 - row["regret"] / span for row in rows]
    assert np.mean(scores) == pytest.approx(0, abs=3 * np.std(scores, ddof=1) / np.sqrt(6))
    for row in rows:
        parts = row["long_run"]
        assert parts["prediction"] == 0
        assert parts["decision"] + parts["horizon"] == pytest.approx(parts["total"])
    assert np.mean([row["long_run"]["decision"] for row in rows]) > 0.8 * span


# ---------------------------------------------------------------------------------------------- studies


def test_hypotheses_and_fresh_seeds(tmp_path: Path) -> None:
    """A hypothesis is there before the data, or it is none; the seeds are those that were asked for."""
    base = Study(("coin-flip",), (20,), (5,), seeds=2, first_seed=7, cycles=5, sampled_decisions=1)
    study = checked(base._replace(hypotheses={"frontier": "odds"}, vary={"epsilon": (0.5,)}), "it")
    assert [run.seed for run in study.runs()] == [7, 7, 8, 8]
    assert [run.settings.epsilon for run in study.runs()][1::2] == [0.5, 0.5]
    laboratory = Laboratory(tmp_path / "study", study)
    with engine("here") as here:
        laboratory.run(here)
    assert Laboratory(tmp_path / "study").study._replace(known=None) == study._replace(known=None)
    for other in ({}, {"frontier": "sigmoid"}):
        with pytest.raises(ValueError, match="holds a study with other hypotheses"):
            Laboratory(tmp_path / "study", study._replace(hypotheses=other))
    with pytest.raises(ValueError, match="other first_seed"):
        Laboratory(tmp_path / "study", study._replace(first_seed=8))
    grown = Laboratory(tmp_path / "study", study._replace(vary={"epsilon": (0.5, 0.7)}))
    assert len(grown.missing()) == 2

"""Measurement: a function of its arguments; and the four controls of the regret.

A perfect predictor loses nothing by prediction, a perfect search nothing by decision, on a useless predictor no search
helps, and where no search is needed a short one is as good as a long one.
"""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_runs import cycles_of, random_run, timeless

from aixi_approx.agent import Agent
from aixi_approx.builder import build_agent, build_planner
from aixi_approx.envs import make
from aixi_approx.interaction import evaluate, interact
from aixi_approx.laboratory import measurement as module
from aixi_approx.laboratory import regret
from aixi_approx.laboratory.condition import Checkpoint, Cycle, Group, Setting, TrainingRun
from aixi_approx.laboratory.cost import Cost, pilot
from aixi_approx.laboratory.measurement import exact, measure
from aixi_approx.laboratory.regret import PARTS, TIE, TrueValues
from aixi_approx.laws.estimate import average
from aixi_approx.planner_spec import PlannerSpec
from aixi_approx.predictors.context_tree import FactoredContextTree


def by(horizon: int, planner: str, simulations: int, cycles: int = 20, learn: bool = False) -> Setting:
    """With so many simulations, or a planner that counts none."""
    spec = PlannerSpec.parse(planner)._replace(horizon=horizon or None, simulations=simulations or None)
    return Setting(spec, cycles, learn)


def group_of(
    run: TrainingRun,
    experience: int,
    settings: Sequence[Setting],
    model: str = "ctw",
    sampled: int = 10,
    depth: int | None = None,
) -> Group:
    checkpoint = Checkpoint(run, experience, model, run.settings.depth if depth is None else depth)
    return Group(checkpoint, tuple(settings), sampled)


def measured(
    run: TrainingRun,
    experience: int,
    settings: Sequence[Setting],
    model: str = "ctw",
    cycles: int = 20,
    sampled: int = 10,
    **given: Any,
) -> dict[str, Any]:
    """What came of a checkpoint, with evaluations of so many cycles."""
    of_cycles = [each._replace(cycles=cycles) for each in settings]
    return measure(group_of(run, experience, of_cycles, model, sampled, **given), cycles_of(run, experience))


def test_a_beginner_is_tried_out() -> None:
    assert 0 < pilot(random_run("coin-flip")) < 1


def test_what_a_policy_costs_is_foreseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """That it takes in the experience, and the searches that it is compared with, if it acts alone."""
    monkeypatch.setattr("aixi_approx.laboratory.cost.pilot", lambda run: 1e-4)
    cost = Cost()

    def seconds(planner: str, simulations: int, experience: int, learner: str) -> float:
        way = by(0 if planner == "policy-alone" else 3, planner, simulations)
        return cost.group(group_of(random_run("tiger")._replace(learner=learner), experience, [way]))

    few, many = (seconds("policy-alone", 0, 100, f"dpuct+simulations:{n}+policy:learned") for n in (3, 303))
    assert many - few == pytest.approx(10 * 300 * 1e-4)
    plain, guided = (
        [seconds(planner, 5, n, "dpuct") for n in (100, 10_100)] for planner in ("dpuct", "dpuct+policy:learned")
    )
    assert guided[1] - guided[0] > 2 * (plain[1] - plain[0]) > 0


# ---------------------------------------------------------------------------------------------- what is learned


@pytest.mark.parametrize("name", ["tiger", "corridor:2"])
def test_a_predictor_knows_what_the_agent_itself_knew(name: str) -> None:
    run = random_run(name, 1, epsilon=0.9, simulations=3)
    environment = make(name)
    environment.checked_reset(run.seed)
    agent = build_agent(environment, planner=run.learner, settings=run.settings, seed=run.seed)
    rows = list(interact(agent, environment, cycles=60))
    result = measured(run, 60, [])
    assert result["learned"]["log_loss"] == pytest.approx(sum(row.log_loss for row in rows))
    assert result["learned"]["nodes"] == agent.predictor.statistics().nodes
    tree = result["learned"]["best_tree"]
    assert result["learned"]["log_loss"] <= tree["bits"] + 1e-9 <= tree["fixed"] + tree["allowance"] + 2e-9
    assert result["learned"]["bits"] == 60 * environment.coding.percept_bits
    assert result["learned"]["visits"] >= result["learned"]["bits"]
    assert measured(run, 30, [])["learned"]["log_loss"] == pytest.approx(sum(row.log_loss for row in rows[:30]))
    other = measured(run, 60, [], depth=3)
    twin = FactoredContextTree(3, environment.coding.action_bits, environment.coding.percept_bits)
    expected = sum(twin.learn(environment.coding.cycle(cycle.action, *cycle.percept)) for cycle in cycles_of(run, 60))
    assert other["learned"]["log_loss"] == pytest.approx(expected)


def test_shuffled_percepts_are_the_same_percepts_at_random() -> None:
    run = random_run("corridor:2")
    past = cycles_of(run, 200)
    mixed = module._shuffled(past, seed=0)
    assert [cycle[0] for cycle in mixed] == [cycle[0] for cycle in past]
    assert sorted(cycle[1:] for cycle in mixed) == sorted(cycle[1:] for cycle in past)
    assert mixed == module._shuffled(past, seed=0) != module._shuffled(past, seed=1)
    assert sum(a != b for a, b in zip(mixed, past, strict=True)) > 50
    result = measured(run, 200, [], model="shuffled")
    assert result["learned"]["log_loss"] > 1.1 * measured(run, 200, [])["learned"]["log_loss"]
    assert "best_tree" not in result["learned"]


# ---------------------------------------------------------------------------------------------- parts of the regret

SETTINGS = [
    by(3, "rhouct", 1),
    by(2, "rhouct", 12),
    by(3, "rhouct", 12),
    by(3, "pooled:2", 4),
    by(2, "one-ply", 9),
]


@pytest.mark.parametrize("model", ["ctw", "shuffled", "true"])
@pytest.mark.parametrize("name", ["tiger", "corridor:2", "matrix:dilemma-tft"])
def test_parts_add_up(name: str, model: str) -> None:
    """In the long run and within the horizon; then the horizon loses nothing. What was lost tells what was found."""
    epsilon = 0.25
    run = random_run(name, epsilon=epsilon, decay=1.0)
    rows = measured(run, 60, SETTINGS, model, sampled=20)["rows"]
    assert [Setting.at(row) for row in rows] == SETTINGS
    for row in rows:
        for kind in ("within_horizon", "long_run"):
            assert sum(row[kind][part] for part in PARTS) == pytest.approx(row[kind]["total"], rel=1e-12, abs=1e-12)
        assert row["within_horizon"]["horizon"] == pytest.approx(0, abs=TIE)
        assert row["within_horizon"]["total"] >= 0
        assert row["long_run"]["total"] >= 0
        explored = row["long_run"]["exploration"]
        assert row["long_run"]["total"] - explored == pytest.approx(row["regret"]), "all decisions are sampled here"
        assert model != "true" or explored == 0, "an agent that knows the environment need not explore"
    if model == "ctw":
        assert any(row["long_run"]["exploration"] > 0.01 for row in rows)
        later = measured(run._replace(settings=run.settings._replace(decay=0.9)), 60, SETTINGS)["rows"]
        for row, now in zip(measured(run, 60, SETTINGS)["rows"], later, strict=True):
            assert now["reward"] == row["reward"], "evaluations are greedy"
            expected = 0.9**60 * row["long_run"]["exploration"]
            assert now["long_run"]["exploration"] == pytest.approx(expected, rel=1e-6, abs=1e-9)


@given(seed=st.integers(0, 99), cycles=st.integers(1, 60), share=st.floats(0, 1))
@settings(deadline=None, max_examples=50)
def test_sampled_decisions_are_spread_evenly(seed: int, cycles: int, share: float) -> None:
    count = max(1, int(share * cycles))
    found = sorted(sampled(random_run("coin-flip", seed), cycles, count))
    assert len(found) == count
    for i, t in enumerate(found):
        assert i * cycles // count <= t < (i + 1) * cycles // count


def sampled(run: TrainingRun, cycles: int, count: int) -> set[int]:
    return module._sampled(group_of(run, 1, (), sampled=count, depth=8), by(1, "rhouct", 1, cycles))


def test_sampled_decisions_are_in_step_with_nothing() -> None:
    """Each cycle of a segment is as likely as the others, over the seeds."""
    run = random_run("coin-flip")
    found = [t for seed in range(600) for t in sampled(run._replace(seed=seed), 12, 3)]
    counts = np.bincount(found, minlength=12)
    assert abs(counts - 150).max() < 5 * math.sqrt(150)


@pytest.mark.parametrize(("name", "horizon"), [("corridor:2", 3), ("locks:1", 2), ("tiger", 2)])
def test_what_is_lost_in_the_long_run_is_the_reward_that_is_missed(name: str, horizon: int) -> None:
    """Reward + regret = optimum, but for where the evaluation begins and ends, and for chance."""
    solution = exact(name)
    assert solution is not None
    for model, simulations in (("ctw", 2), ("true", 8)):
        way = by(horizon, "rhouct", simulations)
        rows = [
            measured(random_run(name, seed), 100, [way], model, cycles=150, sampled=1)["rows"][0] for seed in range(8)
        ]
        sums = np.array([row["reward"] + row["regret"] for row in rows])
        reach = np.ptp([value for value in solution.value if math.isfinite(value)]) / 150
        assert sums.std(ddof=1) < abs(solution.lower) + 3, "or nothing is shown"
        assert abs(sums.mean() - solution.lower) < 3 * sums.std(ddof=1) / math.sqrt(8) + reach
        assert np.mean([row["regret"] for row in rows]) > 0


def test_the_true_model_remembers_more_than_its_depth() -> None:
    """What it says of a history is not what it says of another with the same last bits."""
    run = random_run("tiger")
    for way in (by(2, "rhouct", 5), by(2, "rhouct", 50)):
        deep, shallow = (measured(run, 1, [way], "true", 60, 60, depth=depth)["rows"][0] for depth in (200, 1))
        assert timeless(deep) == timeless(shallow)
        assert deep["within_horizon"]["decision"] == pytest.approx(deep["simple_regret"], abs=TIE)
        assert deep["simple_regret"] > 0


# ---------------------------------------------------------------------------------------------- four controls


@pytest.mark.parametrize(("name", "horizon"), [("tiger", 3), ("corridor:2", 4), ("locks:1", 2), ("kuhn-poker", 2)])
def test_a_perfect_predictor_loses_nothing_by_prediction(name: str, horizon: int) -> None:
    ways = [by(horizon, "rhouct", n) for n in (1, 3, 30)] + [by(horizon, "expectimax", 0)]
    for seed in range(2):
        for row in measured(random_run(name, seed), 1, ways, "true")["rows"]:
            assert row["certified"] == 1
            assert row["within_horizon"]["prediction"] == row["within_horizon"]["exploration"] == 0
            assert row["long_run"]["prediction"] == row["long_run"]["exploration"] == 0
            assert row["within_horizon"]["decision"] == pytest.approx(row["simple_regret"], abs=TIE)
            if row["planner"] == "expectimax":
                assert row["simple_regret"] < 1e-9
                assert row["within_horizon"]["decision"] == row["long_run"]["decision"] == 0
                assert row["long_run"]["horizon"] >= -TIE
    assert row["bits"] is row["visits"] is None


@pytest.mark.parametrize(
    ("name", "horizon"), [("coin-flip", 3), ("corridor:2", 4), ("matrix:dilemma-tft", 3), ("t-maze:1", 3), ("tiger", 1)]
)
@pytest.mark.parametrize("experience", [10, 100])
def test_a_perfect_search_loses_nothing_by_decision(name: str, horizon: int, experience: int, monkeypatch: Any) -> None:
    """Where the best action by the model is beyond doubt.

    What acts leaves out 1e-4. The analysis may leave out less, and know better; not so here. Leaving out less narrows
    what the values lie between: what is beyond doubt with 1e-2 is what is found with 1e-4.
    """
    monkeypatch.setattr(regret, "PRUNES", (1e-2, 1e-3, 1e-4))
    rows = [
        measured(random_run(name, seed), experience, [by(horizon, "expectimax", 0)], cycles=8, sampled=4)["rows"][0]
        for seed in range(2)
    ]
    for row in rows:
        if row["certified"] == 1:
            assert row["simple_regret"] <= TIE
            assert row["within_horizon"]["decision"] == row["long_run"]["decision"] == 0
        assert row["searched"] == 0
    assert any(row["certified"] == 1 for row in rows)


@pytest.mark.parametrize(("name", "horizon"), [("corridor:2", 4), ("t-maze:1", 3)])
def test_on_a_useless_predictor_no_search_helps(name: str, horizon: int) -> None:
    ways = [by(horizon, "rhouct", 1), by(horizon, "rhouct", 60)]
    gain = {}
    for model in ("shuffled", "ctw"):
        evaluations = [
            measured(random_run(name, seed), 300, ways, model, cycles=40, sampled=1)["rows"] for seed in range(5)
        ]
        gain[model] = np.array([most["reward"] - fewest["reward"] for fewest, most in evaluations])
    error = {model: some.std(ddof=1) / math.sqrt(len(some)) for model, some in gain.items()}
    assert gain["shuffled"].mean() < 2 * error["shuffled"]
    assert gain["ctw"].mean() > 4 * error["ctw"]


@pytest.mark.parametrize("model", ["ctw", "true"])
def test_where_no_search_is_needed_a_short_one_will_do(worlds: str, model: str) -> None:
    """What each action brings is certain: once each is tried the best is found. Fewer simulations don't get there."""
    ways = [by(1, "rhouct", n) for n in (1, 3, 4, 100)]
    fewest, *others = measured(random_run(f"{worlds}:Plain"), 3000 if model == "ctw" else 1, ways, model)["rows"]
    assert fewest["within_horizon"]["decision"] > 0.3
    assert fewest["simple_regret"] > 0.3
    for row in others:
        assert (
            row["simple_regret"]
            == row["within_horizon"]["decision"]
            == row["within_horizon"]["total"] - row["within_horizon"]["exploration"]
            == 0
        )
        assert row["reward"] == 1


def test_the_score_is_flat_where_no_search_is_needed() -> None:
    """In Coin Flip what an action brings is a matter of chance: a search has to see which is the more likely."""
    ways = [by(1, "rhouct", 50), by(1, "rhouct", 500)]
    evaluations = [measured(random_run("coin-flip", seed), 300, ways, cycles=40)["rows"] for seed in range(5)]
    assert max(row["within_horizon"]["decision"] for rows in evaluations for row in rows) <= 0.04 + 1e-9
    gain = np.array([most["reward"] - fewest["reward"] for fewest, most in evaluations])
    assert abs(gain.mean()) < 0.02


# ---------------------------------------------------------------------------------------------- functions


def test_a_measurement_is_a_function_of_its_arguments() -> None:
    """Twice, and in another process, which has done something else before."""
    run = random_run("corridor:2", 1)
    ways = [way._replace(cycles=15) for way in SETTINGS]
    groups = [group_of(run, 60, ways, model, 5, depth=24) for model in ("ctw", "shuffled", "true")]
    past = cycles_of(run, 70)
    here = [timeless(measure(group, past)) for group in groups]
    assert here == [timeless(measure(group, past[:60])) for group in groups]
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        there = list(pool.map(measure, groups[::-1], [past] * 3))[::-1]
    assert here == [timeless(result) for result in there]


def rows_of(name: str, model: str, ways: Sequence[Setting], sampled: int = 12, **given: int) -> list[dict[str, Any]]:
    result = measured(random_run(name), 60, ways, model, cycles=12, sampled=sampled, **given)
    rows: list[dict[str, Any]] = timeless(result)["rows"]
    return rows


@pytest.mark.parametrize(
    ("name", "model", "depth"),
    [("tiger", "ctw", 96), ("tiger", "true", 96), ("corridor:2", "ctw", 24), ("corridor:2", "ctw", 3)],
)
def test_a_setting_does_not_depend_on_others(name: str, model: str, depth: int) -> None:
    """Though what was found out at a context is kept for the next setting; with few bits many histories share one."""
    together = rows_of(name, model, SETTINGS, depth=depth)
    assert rows_of(name, model, SETTINGS[::-1], depth=depth) == together[::-1]
    for way, row in zip(SETTINGS, together, strict=True):
        assert rows_of(name, model, [way], depth=depth) == [row]


def test_nor_on_what_is_too_much_work_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """A good search comes to histories that take more work than those of a bad one."""
    monkeypatch.setattr(module, "MAX_QUERIES", 2_100)
    monkeypatch.setattr(regret, "PRUNES", (1e-2,))
    monkeypatch.setattr(TrueValues, "MAX_BELIEFS", 5)
    ways = [by(3, "rhouct", n) for n in (60, 1, 3)]
    together = rows_of("tiger", "ctw", ways, 6)
    assert rows_of("tiger", "ctw", ways[::-1], 6) == together[::-1]
    for way, row in zip(ways, together, strict=True):
        assert rows_of("tiger", "ctw", [way], 6) == [row]
    assert [row["simple_regret"] is None for row in together] == [True, False, False]
    assert [row["within_horizon"] is None for row in together] == [True, False, False]
    slow = together[0]["long_run"]
    assert slow["prediction"] is slow["decision"] is slow["horizon"] is None
    assert slow["total"] - slow["exploration"] >= 0
    assert together[0]["regret"] is not None


# ---------------------------------------------------------------------------------------------- what is not known


def test_without_an_exact_solution_there_is_no_long_run() -> None:
    assert exact("rocksample:3-2") is None
    rows = measured(random_run("rocksample:3-2", horizon=2), 60, SETTINGS[:2], cycles=4, sampled=2)["rows"]
    for row in rows:
        assert row["regret"] is row["long_run"] is None
        assert row["within_horizon"]["total"] >= 0
        assert row["simple_regret"] >= 0


def test_an_environment_that_is_no_pomdp_has_no_parts(worlds: str) -> None:
    run = random_run(f"{worlds}:Lake", depth=4)
    assert exact(run.environment) is None
    for row in measured(run, 50, [by(2, "rhouct", 1), by(2, "rhouct", 60)])["rows"]:
        assert row["regret"] is row["long_run"] is row["within_horizon"] is None
        assert row["simple_regret"] >= 0
        assert row["certified"] == 1
    assert row["reward"] > 0.9
    with pytest.raises(ValueError, match=r"^Lake is no POMDP, so its true model is not known: leave the model at ctw$"):
        measured(run, 50, [], "true")


def test_an_action_that_loses_for_ever_is_none_among_the_parts(worlds: str) -> None:
    """JSON has no infinity; the other parts are there."""
    run, yes, no = random_run(f"{worlds}:Trap"), Cycle(1, 0, 1), Cycle(0, 0, 0)
    ways = by(1, "rhouct", 60, 5), by(1, "rhouct", 1, 5)
    most, fewest = measure(group_of(run, 60, ways, sampled=5, depth=8), [yes, no] * 30)["rows"]
    assert most["reward"] == 1, "it keeps out"
    nothing = dict.fromkeys(("horizon", "prediction", "decision", "distillation"), 0)
    assert most["long_run"] == {**nothing, "exploration": None, "total": None}
    assert most["regret"] == 0
    assert fewest["reward"] < 1
    assert fewest["regret"] is fewest["long_run"]["decision"] is fewest["long_run"]["total"] is None
    assert most["within_horizon"]["total"] == pytest.approx(0.5), "within a cycle it is no more than the half of 1"


@pytest.mark.parametrize("planner", ["rhouct", "majority:3", "pooled:2", "one-ply"])
def test_what_a_decision_took(planner: str) -> None:
    """Bits and nodes are counted at the search alone, whatever the analysis asks for."""
    run, way = random_run("corridor:2"), by(3, planner, 12)
    few, many = (measured(run, 60, [way], cycles=20, sampled=sampled)["rows"][0] for sampled in (1, 20))
    compute = ("searched", "bits", "visits", "reward")
    assert [few[name] for name in compute] == [many[name] for name in compute]
    assert few["searched"] == 12
    percept = make("corridor:2").coding.percept_bits
    assert 12 <= few["bits"] <= 2 * 12 * 3 * percept
    assert few["visits"] >= few["bits"]


# ---------------------------------------------------------------------------------------------- what is evaluated

QUICK = {"depth": 16, "horizon": 3, "simulations": 8, "epsilon": 0.5, "decay": 0.99}


@pytest.mark.parametrize("learn", [False, True])
@pytest.mark.parametrize("planner", ["rhouct", "one-ply"])
def test_a_row_is_what_learning_and_evaluating_by_hand_gives(planner: str, learn: bool) -> None:
    run = random_run("tiger", 1, **QUICK)
    environment = make("tiger")
    environment.checked_reset(1)
    learned = build_agent(environment, settings=run.settings, seed=1)
    cycles = list(interact(learned, environment, cycles=60))
    search = build_planner(environment, f"{planner}+simulations:20", settings=run.settings)
    agent = Agent(environment.coding, learned.predictor, planner=search, seed=1)
    agent.cycle = 60
    rewards = [row.reward for row in evaluate(agent, make("tiger"), cycles=30, seed=1, learn=learn, simulations=20)]
    way = by(3, planner, 20, 30, learn)
    (row,) = measure(group_of(run, 60, [way], sampled=0), [Cycle(*row[1:4]) for row in cycles])["rows"]
    assert (row["reward"], row["reward_low"], row["reward_high"]) == pytest.approx(tuple(average(rewards)))
    assert (row["planner"], row["simulations"], row["cycles"], row["learn"]) == (planner, 20, 30, learn)


def test_planners_simulations_and_experience_make_a_difference() -> None:
    run = random_run("tiger", 1, **QUICK)
    at_60 = [by(3, "rhouct", 20), by(3, "one-ply", 20), by(3, "rhouct", 20, learn=True)]
    rows = [*measured(run, 60, at_60, cycles=30)["rows"], *measured(run, 20, [by(3, "rhouct", 8)], cycles=30)["rows"]]
    rows += measured(run, 0, [by(3, "rhouct", 5)], cycles=10)["rows"]
    rewards = [(row["reward"], row["reward_low"]) for row in rows]
    assert len(set(rewards)) == len(rewards)


@pytest.mark.parametrize("learner", ["q-learning", "q-learning+memory_cycles:1", "aiqi", "random"])
def test_a_learner_without_a_model_is_measured_as_it_is(learner: str) -> None:
    """Its regret is known; it has no parts, as there are no model and no search to blame."""
    run = random_run("corridor:2", 2, epsilon=0.5, decay=0.999)._replace(learner=learner)
    environment = make("corridor:2")
    environment.checked_reset(2)
    agent = build_agent(environment, planner=learner, settings=run.settings, seed=2)
    cycles = list(interact(agent, environment, cycles=300))
    rewards = [row.reward for row in evaluate(agent, make("corridor:2"), cycles=50, seed=2)]
    way = Setting(PlannerSpec.parse(learner), 50)
    result = measure(group_of(run, 300, [way], "none", 20, depth=0), cycles_of(run, 300))
    assert cycles_of(run, 300) == [(*row[1:4], 0) for row in cycles]
    assert result["learned"] == {}
    (row,) = result["rows"]
    assert Setting.at(row) == way
    assert row["reward"] == pytest.approx(sum(rewards) / 50)
    assert row["regret"] >= 0
    unknown = ("long_run", "within_horizon", "simple_regret", "certified", "bits", "visits")
    assert {row[name] for name in unknown} == {None}
    assert row["searched"] == 0


# ---------------------------------------------------------------------------------------------- policies

POLICY = "dpuct+policy:learned"


def skilled_run(name: str, seed: int = 1, learner: str = POLICY, **given: float) -> TrainingRun:
    """An agent that teaches itself, half of the time."""
    return random_run(name, seed, **{**QUICK, "decay": 1.0, **given})._replace(learner=learner)


@pytest.mark.parametrize("model", ["ctw", "shuffled"])
@pytest.mark.parametrize("lessons", ["all", "better", "explored", "drawn"])
@pytest.mark.parametrize("planner", ["policy-alone", POLICY, "self-aixi", "rhouct+policy:learned+majority:2"])
def test_a_policy_is_what_the_learner_itself_has_learned(planner: str, lessons: str, model: str) -> None:
    """Bit for bit, whatever uses it; on shuffled percepts it has learned the same actions, in other contexts."""
    run = skilled_run("tiger", learner=f"{POLICY}+lessons:{lessons}")
    environment = make("tiger")
    environment.checked_reset(1)
    agent = build_agent(environment, planner=run.learner, settings=run.settings, seed=1)
    rows = list(interact(agent, environment, cycles=60))
    cycles, checkpoint = cycles_of(run, 60), Checkpoint(run, 60, model, 16)
    known = module._shuffled(cycles, 1) if model == "shuffled" else cycles
    made = module._agent(
        checkpoint, PlannerSpec.parse(planner), environment=environment, learner=agent.predictor, cycles=known
    )
    assert made.planner.policy.lessons == agent.planner.policy.lessons == sum(row.lesson for row in rows) > 0
    same = made.planner.policy.snapshot() == agent.planner.policy.snapshot()
    assert same == (model == "ctw")
    way = by(0 if planner == "policy-alone" else 3, planner, 0 if planner == "policy-alone" else 8, 30)
    (row,) = measure(group_of(run, 60, [way], model), cycles)["rows"]
    assert Setting.at(row) == way
    if model == "ctw":
        search = agent.planner if planner == POLICY else made.planner
        twin = Agent(environment.coding, agent.predictor, planner=search, seed=1)
        twin.cycle = 60
        rewards = [row.reward for row in evaluate(twin, make("tiger"), cycles=30, seed=1, simulations=8)]
        assert row["reward"] == pytest.approx(sum(rewards) / 30)


def test_experience_without_lessons_teaches_nothing() -> None:
    """A policy that has learned nothing acts at random; one that has learned does not."""
    way = by(0, "policy-alone", 0, 200)
    rewards = {}
    for learner in (POLICY, "dpuct"):
        run = skilled_run("corridor:2", learner=learner, simulations=30, horizon=4)
        (row,) = measure(group_of(run, 300, [way], sampled=5), cycles_of(run, 300))["rows"]
        rewards[learner] = row["reward"]
        assert row["searched"] == 0
        assert row["within_horizon"]["distillation"] is not None
    assert abs(rewards["dpuct"] - make("corridor:2").random_reward) < 0.05
    assert rewards[POLICY] > rewards["dpuct"] + 0.1


def test_a_policy_that_was_taught_something_worse_than_the_search_loses_by_distillation(worlds: str) -> None:
    """All lessons are to say no; what the search finds is to say yes, as the model knows from the other cycles."""
    no, nor, yes = Cycle(0, 0, 0), Cycle(1, 0, 0), Cycle(2, 0, 1)
    run = random_run(f"{worlds}:Plain", simulations=20, horizon=1)._replace(learner=POLICY)
    ways = by(0, "policy-alone", 0), by(1, POLICY, 20)
    group = group_of(run, 120, ways, sampled=20, depth=8)
    alone, searching = measure(group, [no._replace(lesson=1), nor, yes] * 40)["rows"]
    for kind in ("within_horizon", "long_run"):
        parts = alone[kind]
        assert parts["decision"] == parts["prediction"] == parts["horizon"] == 0
        assert parts["distillation"] == pytest.approx(1 - alone["reward"])
        assert sum(parts[part] for part in PARTS) == pytest.approx(parts["total"], rel=1e-12, abs=1e-12)
        assert searching[kind]["distillation"] == 0
    assert alone["reward"] < 0.2
    assert searching["reward"] == 1
    assert alone["simple_regret"] == 0, "it is that of the search"
    (well,) = measure(group._replace(settings=ways[:1]), [no, nor, yes._replace(lesson=1)] * 40)["rows"]
    assert well["reward"] > 0.8
    assert well["within_horizon"]["distillation"] == pytest.approx(1 - well["reward"])


def test_the_search_that_taught_a_policy_is_where_the_policy_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """At each decision that is analysed it has the same history and the same policy."""
    made: list[Agent] = []
    states: list[tuple[bytes, bytes]] = []
    agent_of, search = module._agent, Agent.search
    run = skilled_run("tiger")
    cycles = cycles_of(run, 60)

    def noted(*given: Any, **options: Any) -> Agent:
        made.append(agent_of(*given, **options))
        return made[-1]

    def watched(agent: Agent, *given: Any, **options: Any) -> Any:
        if agent is not made[0]:
            states.append(tuple(each.planner.policy.snapshot() for each in made))
        return search(agent, *given, **options)

    monkeypatch.setattr(module, "_agent", noted)
    monkeypatch.setattr(Agent, "search", watched)
    measure(group_of(run, 60, [by(0, "policy-alone", 0)], sampled=7), cycles)
    assert len(states) == 7
    assert all(one == other for one, other in states)
    assert len(set(states)) > 5


def test_the_search_that_taught_a_policy_has_its_own_simulations(worlds: str) -> None:
    """With one of them it finds any action, with many the best: decision or distillation are to blame."""
    cycles = [Cycle(0, 0, 0, 1), Cycle(1, 0, 0), Cycle(2, 0, 1)] * 40
    lost = []
    for count in (1, 20):
        run = random_run(f"{worlds}:Plain", horizon=1)._replace(learner=f"rhouct+simulations:{count}+policy:learned")
        (row,) = measure(group_of(run, 120, [by(0, "policy-alone", 0)], sampled=20, depth=8), cycles)["rows"]
        lost.append(row["within_horizon"])
    few, many = lost
    assert few["decision"] > 0.3
    assert many["decision"] == 0
    assert few["decision"] + few["distillation"] == pytest.approx(many["distillation"])
    assert few["total"] == pytest.approx(many["total"])


def test_a_policy_that_is_analysed_does_the_same(worlds: str) -> None:
    """Nor does a setting depend on others, or on how many decisions are analysed."""
    run = skilled_run("tiger")
    ways = [by(0, "policy-alone", 0), by(3, POLICY, 8), by(2, POLICY, 3), by(3, "self-aixi", 8)]
    ways += [way._replace(learn=True) for way in ways]
    together = timeless(measure(group_of(run, 60, ways), cycles_of(run, 60)))["rows"]
    for way, row in zip(ways, together, strict=True):
        assert timeless(measure(group_of(run, 60, [way]), cycles_of(run, 60)))["rows"] == [row]
        (bare,) = timeless(measure(group_of(run, 60, [way], sampled=0), cycles_of(run, 60)))["rows"]
        for name in ("reward", "searched", "bits", "visits"):
            assert bare[name] == row[name]


def test_a_policy_on_the_true_model_has_learned_nothing() -> None:
    run = skilled_run("tiger")
    ways = [by(0, "policy-alone", 0), by(3, POLICY, 30), by(3, "self-aixi", 30)]
    alone, guided, one_ply = measure(group_of(run, 0, ways, "true"), [])["rows"]
    (plain,) = measure(group_of(run, 0, [by(3, "dpuct", 30)], "true"), [])["rows"]
    assert alone["reward"] < min(guided["reward"], one_ply["reward"])
    assert guided["reward"] == plain["reward"]
    assert alone["within_horizon"]["distillation"] > 0
    assert alone["within_horizon"]["prediction"] == 0


MODELS = ["ctw", "shuffled", "true", "own"]


@pytest.mark.parametrize("learn", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_what_is_analysed_changes_no_decision(model: str, learn: bool, own_predictor: str) -> None:
    """Nor anything else that is measured, but for the analysis itself and the seconds."""
    run, ways = random_run("corridor:2", 3, depth=12), [by(2, "rhouct", 12, 20, learn), by(2, "one-ply", 3, 20, learn)]
    model = own_predictor if model == "own" else model
    results = [measure(group_of(run, 60, ways, model, count), cycles_of(run, 60)) for count in (0, 10)]
    none, ten = ([timeless(row) for row in result["rows"]] for result in results)
    analysed = {"regret", "wrong", "boundary", "within_horizon", "long_run", "simple_regret", "bounds", "certified"}
    for a, b in zip(none, ten, strict=True):
        assert {name for name in a if a[name] != b[name]} == analysed
        assert {a[name] for name in analysed} == {None}
        assert None not in (b["regret"], b["within_horizon"], b["long_run"])


@pytest.mark.parametrize("model", ["ctw", "own"])
def test_a_setting_that_learns_does_not_depend_on_others(model: str, own_predictor: str) -> None:
    """What a predictor says at a context is another thing once it has learned something else."""
    run = random_run("corridor:2", 1, depth=3)
    ways = [by(2, "rhouct", n, 20, learn) for n in (12, 2) for learn in (False, True)]
    group = group_of(run, 60, ways, own_predictor if model == "own" else model)
    together = timeless(measure(group, cycles_of(run, 60)))["rows"]
    for way, row in zip(ways, together, strict=True):
        assert timeless(measure(group._replace(settings=(way,)), cycles_of(run, 60)))["rows"] == [row]


def test_a_predictor_of_your_own_is_measured_like_any_other(own_predictor: str) -> None:
    run = random_run("corridor:2", 1)
    result = measured(run, 200, [by(3, "rhouct", 1), by(3, "rhouct", 60)], own_predictor, depth=0)
    ctw = measured(run, 200, [])["learned"]["log_loss"]
    assert ctw < result["learned"]["log_loss"] < 200 * make("corridor:2").coding.percept_bits, "it learns a little"
    assert result["learned"]["nodes"] is None
    for row in result["rows"]:
        assert row["certified"] is not None
        assert row["within_horizon"]["total"] >= 0
        assert row["bits"] is row["visits"] is None

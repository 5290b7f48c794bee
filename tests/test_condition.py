"""Experience and cells: functions of their arguments; and the four controls of the account.

A perfect predictor loses nothing by prediction, a perfect search nothing by decision, on a useless predictor no search
helps, and where no search is needed a short one is as good as a long one.
"""

from __future__ import annotations

import functools
import math
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aixi_approx.builder import build_agent
from aixi_approx.environment import Percept
from aixi_approx.envs import make
from aixi_approx.interaction import interact
from aixi_approx.laboratory import condition as module
from aixi_approx.laboratory.condition import Cell, Trial, exact, measure, pilot
from aixi_approx.laboratory.experience import Cycle, Segment, TrainingRun, collect
from aixi_approx.laboratory.regret import PARTS, TIE, TrueValues
from aixi_approx.pomdp.belief import believe
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.predictors.context_tree import FactoredContextTree
from aixi_approx.predictors.true_model import TrueModel

WORLDS = """
from aixi_approx import Environment, Percept, POMDP
from aixi_approx.pomdp import Outcome

class Lake(Environment):
    '''No POMDP, for all that is said: what was done last is paid for.'''
    actions = observations = ("a", "b")
    min_reward, max_reward = 0, 1
    def reset(self, seed):
        self.last = seed % 2
    def step(self, action):
        reward, self.last = int(action == self.last), action
        return Percept(action, reward)

class Plain(POMDP):
    '''One of three actions pays, always: there is nothing to search for.'''
    actions, observations = ("no", "nor", "yes"), ("",)
    min_reward, max_reward = 0, 1
    def start(self):
        return {0: 1}
    def outcomes(self, state, action):
        return [Outcome(1, 0, "", int(action == "yes"))]

class Trap(Plain):
    '''Whoever says no gets nothing, then and ever after.'''
    actions = ("no", "yes")
    def outcomes(self, state, action):
        trapped = state or action == "no"
        return [Outcome(1, int(trapped), "", int(not trapped))]
"""


@pytest.fixture
def worlds(tmp_path: Path) -> str:
    (tmp_path / "worlds.py").write_text(WORLDS)
    return f"{tmp_path}/worlds.py"


def subject(environment: str, seed: int = 0, **given: float) -> TrainingRun:
    """A random agent, whose experience costs no search."""
    own = make(environment).settings._replace(epsilon=1.0, decay=1.0, simulations=1)
    return TrainingRun(environment, own._replace(**given), seed)


@functools.cache
def lived(who: TrainingRun, until: int) -> list[Cycle]:
    return collect(who, [], until).cycles


def carried_out(
    who: TrainingRun,
    experience: int,
    trials: list[Trial],
    model: str = "ctw",
    cycles: int = 20,
    probes: int = 10,
    **given: Any,
) -> dict[str, Any]:
    """A cell, and what came of it."""
    what = Cell(who, experience, model, who.settings.depth, cycles, probes, tuple(trials))._replace(**given)
    return measure(what, lived(who, experience))


def apart(result: dict[str, Any]) -> dict[str, Any]:
    """All but the seconds."""
    return {name: value for name, value in result.items() if name not in ("seconds", "trials")} | {
        "trials": [{name: value for name, value in row.items() if name != "seconds"} for row in result["trials"]]
    }


# ---------------------------------------------------------------------------------------------- experience


@pytest.mark.parametrize("name", ["tiger", "corridor:2", "pacman"])
def test_experience_may_be_gathered_in_stretches(name: str) -> None:
    who = subject(name, 3, epsilon=0.7, decay=0.99, simulations=5, horizon=2, depth=20)
    whole = collect(who, [], 40)
    for marks in ((7, 40), (1, 2, 39, 40)):
        past: list[Cycle] = []
        stretches: list[Segment] = []
        for mark in marks:
            stretches.append(collect(who, past, mark))
            past = past + stretches[-1].cycles
            assert len(past) == mark
        assert past == whole.cycles
        assert sum(stretch.simulations for stretch in stretches) == whole.simulations > 0
        if isinstance(make(name), POMDP):
            assert sum(stretch.entropy or 0.0 for stretch in stretches) == pytest.approx(whole.entropy)
        else:
            assert {whole.entropy, *(stretch.entropy for stretch in stretches)} == {None}


@given(name=st.sampled_from(["tiger", "corridor:2", "biased-rps"]), seed=st.integers(0, 99), middle=st.integers(0, 30))
@settings(deadline=None, max_examples=15)
def test_entropy_is_the_log_loss_of_the_truth(name: str, seed: int, middle: int) -> None:
    """By Bayes' rule, percept by percept."""
    pomdp, past = make(name), lived(subject(name, seed), 30)
    assert isinstance(pomdp, POMDP)
    history = [(action, Percept(observation, reward)) for action, observation, reward in past]
    loss = 0.0
    for t in range(middle, 30):
        belief, (action, percept) = believe(pomdp, history[:t]), history[t]
        loss -= math.log2(
            sum(
                p * outcome.probability
                for state, p in zip(*belief, strict=True)
                for outcome in pomdp.outcomes(pomdp.states[state], pomdp.actions[action])
                if (pomdp.observations.index(outcome.observation), outcome.reward) == tuple(percept)
            )
        )
    assert collect(subject(name, seed), past[:middle], 30).entropy == pytest.approx(loss, abs=1e-6)
    model = TrueModel(pomdp)
    assert collect(subject(name, seed), [], 30).entropy == pytest.approx(
        sum(model.learn(pomdp.coding.cycle(*cycle)) for cycle in past)
    )


def test_a_beginner_is_tried_out() -> None:
    assert 0 < pilot(subject("coin-flip")) < 1


# ---------------------------------------------------------------------------------------------- what is learned


@pytest.mark.parametrize("name", ["tiger", "corridor:2"])
def test_a_predictor_knows_what_the_agent_itself_knew(name: str) -> None:
    who = subject(name, 1, epsilon=0.9, simulations=3)
    environment = make(name)
    environment.checked_reset(who.seed)
    agent = build_agent(environment, settings=who.settings, seed=who.seed)
    rows = list(interact(agent, environment, 60))
    result = carried_out(who, 60, [])
    assert result["log_loss"] == pytest.approx(sum(row.log_loss for row in rows))
    assert result["nodes"] == agent.predictor.nodes
    tree = result["best_tree"]
    assert result["log_loss"] <= tree["bits"] + 1e-9 <= tree["fixed"] + tree["allowance"] + 2e-9
    assert result["bits"] == 60 * environment.coding.percept_bits
    assert result["visits"] >= result["bits"]
    assert carried_out(who, 30, [])["log_loss"] == pytest.approx(sum(row.log_loss for row in rows[:30]))
    other = carried_out(who, 60, [], depth=3)
    twin = FactoredContextTree(3, environment.coding.action_bits, environment.coding.percept_bits)
    expected = sum(twin.learn(environment.coding.cycle(*cycle)) for cycle in lived(who, 60))
    assert other["log_loss"] == pytest.approx(expected)


def test_shuffled_percepts_are_the_same_percepts_at_random() -> None:
    who = subject("corridor:2")
    past = lived(who, 200)
    mixed = module._shuffled(past, seed=0)
    assert [cycle[0] for cycle in mixed] == [cycle[0] for cycle in past]
    assert sorted(cycle[1:] for cycle in mixed) == sorted(cycle[1:] for cycle in past)
    assert mixed == module._shuffled(past, seed=0) != module._shuffled(past, seed=1)
    assert sum(a != b for a, b in zip(mixed, past, strict=True)) > 50
    result = carried_out(who, 200, [], model="shuffled")
    assert result["log_loss"] > 1.1 * carried_out(who, 200, [])["log_loss"]
    assert "best_tree" not in result


# ---------------------------------------------------------------------------------------------- the account in cells

TRIALS = [
    Trial(3, "rhouct", 1),
    Trial(2, "rhouct", 12),
    Trial(3, "rhouct", 12),
    Trial(3, "pooled:2", 4),
    Trial(2, "one-ply", 9),
]


@pytest.mark.parametrize("model", ["ctw", "shuffled", "true"])
@pytest.mark.parametrize("name", ["tiger", "corridor:2", "matrix:dilemma-tft"])
def test_parts_add_up(name: str, model: str) -> None:
    """In the long run and within the horizon; then the horizon loses nothing. What was lost tells what was found."""
    epsilon = 0.25
    who = subject(name, epsilon=epsilon, decay=1.0)
    rows = carried_out(who, 60, TRIALS, model, probes=20)["trials"]
    assert [Trial(*(row[field] for field in Trial._fields)) for row in rows] == TRIALS
    for row in rows:
        for kind in ("within", "long_run"):
            assert sum(row[kind][part] for part in PARTS) == pytest.approx(row[kind]["total"], rel=1e-12, abs=1e-12)
        assert row["within"]["horizon"] == pytest.approx(0, abs=TIE)
        assert row["within"]["total"] >= 0
        assert row["long_run"]["total"] >= 0
        explored = row["long_run"]["exploration"]
        assert row["long_run"]["total"] - explored == pytest.approx(row["regret"]), "all cycles are probes here"
        assert model != "true" or explored == 0, "who knows the environment has no need to explore"
    if model == "ctw":
        assert any(row["long_run"]["exploration"] > 0.01 for row in rows)
        later = carried_out(who._replace(settings=who.settings._replace(decay=0.9)), 60, TRIALS)["trials"]
        for row, now in zip(carried_out(who, 60, TRIALS)["trials"], later, strict=True):
            assert now["reward"] == row["reward"], "trials are greedy"
            expected = 0.9**60 * row["long_run"]["exploration"]
            assert now["long_run"]["exploration"] == pytest.approx(expected, rel=1e-6, abs=1e-9)


@given(seed=st.integers(0, 99), cycles=st.integers(1, 60), share=st.floats(0, 1))
@settings(deadline=None, max_examples=50)
def test_probes_are_spread_evenly(seed: int, cycles: int, share: float) -> None:
    probes = max(1, int(share * cycles))
    found = sorted(module._probes(Cell(subject("coin-flip", seed), 1, "ctw", 8, cycles, probes, ())))
    assert len(found) == probes
    for i, t in enumerate(found):
        assert i * cycles // probes <= t < (i + 1) * cycles // probes


def test_probes_are_in_step_with_nothing() -> None:
    """Each cycle of a stretch is as likely as the others, over the seeds."""
    who = subject("coin-flip")
    cells = [Cell(who._replace(seed=seed), 1, "ctw", 8, 12, 3, ()) for seed in range(600)]
    found = [t for cell in cells for t in module._probes(cell)]
    counts = np.bincount(found, minlength=12)
    assert abs(counts - 150).max() < 5 * math.sqrt(150)


@pytest.mark.parametrize(("name", "horizon"), [("corridor:2", 3), ("locks:1", 2), ("tiger", 2)])
def test_what_is_lost_in_the_long_run_is_the_reward_that_is_missed(name: str, horizon: int) -> None:
    """Reward + regret = optimum, but for where the trial begins and ends, and for chance."""
    solution = exact(name)
    assert solution is not None
    for model, simulations in (("ctw", 2), ("true", 8)):
        trial = Trial(horizon, "rhouct", simulations)
        rows = [
            carried_out(subject(name, seed), 100, [trial], model, cycles=150, probes=1)["trials"][0]
            for seed in range(8)
        ]
        sums = np.array([row["reward"] + row["regret"] for row in rows])
        reach = np.ptp([value for value in solution.value if math.isfinite(value)]) / 150
        assert sums.std(ddof=1) < abs(solution.lower) + 3, "or nothing is shown"
        assert abs(sums.mean() - solution.lower) < 3 * sums.std(ddof=1) / math.sqrt(8) + reach
        assert np.mean([row["regret"] for row in rows]) > 0


def test_the_true_model_remembers_more_than_its_depth() -> None:
    """What it says of a history is not what it says of another with the same last bits."""
    who = subject("tiger")
    for trial in (Trial(2, "rhouct", 5), Trial(2, "rhouct", 50)):
        deep, shallow = (carried_out(who, 1, [trial], "true", 60, 60, depth=depth)["trials"][0] for depth in (200, 1))
        assert apart({"trials": [deep]}) == apart({"trials": [shallow]})
        assert deep["within"]["decision"] == pytest.approx(deep["missed"], abs=TIE)
        assert deep["missed"] > 0


# ---------------------------------------------------------------------------------------------- four controls


@pytest.mark.parametrize(("name", "horizon"), [("tiger", 3), ("corridor:2", 4), ("locks:1", 2), ("kuhn-poker", 2)])
def test_a_perfect_predictor_loses_nothing_by_prediction(name: str, horizon: int) -> None:
    trials = [Trial(horizon, "rhouct", n) for n in (1, 3, 30)] + [Trial(horizon, "expectimax", 0)]
    for seed in range(2):
        for row in carried_out(subject(name, seed), 1, trials, "true")["trials"]:
            assert row["sure"] == 1
            assert row["within"]["prediction"] == row["within"]["exploration"] == 0
            assert row["long_run"]["prediction"] == row["long_run"]["exploration"] == 0
            assert row["within"]["decision"] == pytest.approx(row["missed"], abs=TIE)
            if row["method"] == "expectimax":
                assert row["missed"] < 1e-9
                assert row["within"]["decision"] == row["long_run"]["decision"] == 0
                assert row["long_run"]["horizon"] >= -TIE
    assert row["bits"] is row["visits"] is None


@pytest.mark.parametrize(
    ("name", "horizon"), [("coin-flip", 3), ("corridor:2", 4), ("matrix:dilemma-tft", 3), ("t-maze:1", 3), ("tiger", 1)]
)
@pytest.mark.parametrize("experience", [10, 100])
def test_a_perfect_search_loses_nothing_by_decision(name: str, horizon: int, experience: int, monkeypatch: Any) -> None:
    """Where the best action by the model is beyond doubt.

    What acts leaves out 1e-4. The judge may leave out less, and know better; not so here. Leaving out less narrows
    what the values lie between: what is beyond doubt with 1e-2 is what is found with 1e-4.
    """
    monkeypatch.setattr(module, "PRUNES", (1e-2, 1e-3, 1e-4))
    rows = [
        carried_out(subject(name, seed), experience, [Trial(horizon, "expectimax", 0)], cycles=8, probes=4)["trials"][0]
        for seed in range(2)
    ]
    for row in rows:
        if row["sure"] == 1:
            assert row["missed"] <= TIE
            assert row["within"]["decision"] == row["long_run"]["decision"] == 0
        assert row["searched"] == 0
    assert any(row["sure"] == 1 for row in rows)


@pytest.mark.parametrize(("name", "horizon"), [("corridor:2", 4), ("t-maze:1", 3)])
def test_on_a_useless_predictor_no_search_helps(name: str, horizon: int) -> None:
    trials = [Trial(horizon, "rhouct", 1), Trial(horizon, "rhouct", 60)]
    gain = {}
    for model in ("shuffled", "ctw"):
        cells = [
            carried_out(subject(name, seed), 300, trials, model, cycles=40, probes=1)["trials"] for seed in range(5)
        ]
        gain[model] = np.array([most["reward"] - fewest["reward"] for fewest, most in cells])
    error = {model: some.std(ddof=1) / math.sqrt(len(some)) for model, some in gain.items()}
    assert gain["shuffled"].mean() < 2 * error["shuffled"]
    assert gain["ctw"].mean() > 4 * error["ctw"]


@pytest.mark.parametrize("model", ["ctw", "true"])
def test_where_no_search_is_needed_a_short_one_will_do(worlds: str, model: str) -> None:
    """What each action brings is certain: once each is tried the best is found. Fewer simulations don't get there."""
    trials = [Trial(1, "rhouct", n) for n in (1, 3, 4, 100)]
    fewest, *others = carried_out(subject(f"{worlds}:Plain"), 3000 if model == "ctw" else 1, trials, model)["trials"]
    assert fewest["within"]["decision"] > 0.3
    assert fewest["missed"] > 0.3
    for row in others:
        assert row["missed"] == row["within"]["decision"] == row["within"]["total"] - row["within"]["exploration"] == 0
        assert row["reward"] == 1


def test_the_score_is_flat_where_no_search_is_needed() -> None:
    """In Coin Flip what an action brings is a matter of chance: a search has to see which is the more likely."""
    trials = [Trial(1, "rhouct", 50), Trial(1, "rhouct", 500)]
    cells = [carried_out(subject("coin-flip", seed), 300, trials, cycles=40)["trials"] for seed in range(5)]
    assert max(row["within"]["decision"] for rows in cells for row in rows) <= 0.04 + 1e-9
    gain = np.array([most["reward"] - fewest["reward"] for fewest, most in cells])
    assert abs(gain.mean()) < 0.02


# ---------------------------------------------------------------------------------------------- functions


def test_a_cell_is_a_function_of_its_arguments() -> None:
    """Twice, and in another process, which has done something else before."""
    who = subject("corridor:2", 1)
    cells = [Cell(who, 60, model, 24, 15, 5, tuple(TRIALS)) for model in ("ctw", "shuffled", "true")]
    past = lived(who, 70)
    here = [apart(measure(cell, past)) for cell in cells]
    assert here == [apart(measure(cell, past[:60])) for cell in cells]
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        there = list(pool.map(measure, cells[::-1], [past] * 3))[::-1]
    assert here == [apart(result) for result in there]


def rows_of(name: str, model: str, trials: list[Trial], probes: int = 12, **given: int) -> list[dict[str, Any]]:
    result = carried_out(subject(name), 60, trials, model, cycles=12, probes=probes, **given)
    rows: list[dict[str, Any]] = apart(result)["trials"]
    return rows


@pytest.mark.parametrize(
    ("name", "model", "depth"),
    [("tiger", "ctw", 96), ("tiger", "true", 96), ("corridor:2", "ctw", 24), ("corridor:2", "ctw", 3)],
)
def test_a_trial_does_not_depend_on_others(name: str, model: str, depth: int) -> None:
    """Though what was found out at a context is kept for the next trial; with few bits many histories have the same."""
    together = rows_of(name, model, TRIALS, depth=depth)
    assert rows_of(name, model, TRIALS[::-1], depth=depth) == together[::-1]
    for trial, row in zip(TRIALS, together, strict=True):
        assert rows_of(name, model, [trial], depth=depth) == [row]


def test_nor_on_what_is_too_much_work_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """A good search comes to histories that take more work than those of a bad one."""
    monkeypatch.setattr(module, "EFFORT", 2_100)
    monkeypatch.setattr(module, "PRUNES", (1e-2,))
    monkeypatch.setattr(TrueValues, "EFFORT", 5)
    trials = [Trial(3, "rhouct", n) for n in (60, 1, 3)]
    together = rows_of("tiger", "ctw", trials, 6)
    assert rows_of("tiger", "ctw", trials[::-1], 6) == together[::-1]
    for trial, row in zip(trials, together, strict=True):
        assert rows_of("tiger", "ctw", [trial], 6) == [row]
    assert [row["missed"] is None for row in together] == [True, False, False]
    assert [row["within"] is None for row in together] == [True, False, False]
    slow = together[0]["long_run"]
    assert slow["prediction"] is slow["decision"] is slow["horizon"] is None
    assert slow["total"] - slow["exploration"] >= 0
    assert together[0]["regret"] is not None


# ---------------------------------------------------------------------------------------------- what is not known


def test_without_an_exact_solution_there_is_no_long_run() -> None:
    assert exact("rocksample:3-2") is None
    rows = carried_out(subject("rocksample:3-2", horizon=2), 60, TRIALS[:2], cycles=4, probes=2)["trials"]
    for row in rows:
        assert row["regret"] is row["long_run"] is None
        assert row["within"]["total"] >= 0
        assert row["missed"] >= 0


def test_an_environment_that_is_no_pomdp_has_no_account(worlds: str) -> None:
    who = subject(f"{worlds}:Lake", depth=4)
    assert exact(who.environment) is None
    for row in carried_out(who, 50, [Trial(2, "rhouct", 1), Trial(2, "rhouct", 60)])["trials"]:
        assert row["regret"] is row["long_run"] is row["within"] is None
        assert row["missed"] >= 0
        assert row["sure"] == 1
    assert row["reward"] > 0.9
    with pytest.raises(
        ValueError, match=r"^Lake is no POMDP, so its true model is not known: leave the model true out$"
    ):
        carried_out(who, 50, [], "true")


def test_an_action_that_loses_for_ever_is_none_in_the_account(worlds: str) -> None:
    """JSON has no infinity; the other parts are there."""
    who, yes, no = subject(f"{worlds}:Trap"), (1, 0, 1), (0, 0, 0)
    trials = Trial(1, "rhouct", 60), Trial(1, "rhouct", 1)
    most, fewest = measure(Cell(who, 60, "ctw", 8, 5, 5, trials), [yes, no] * 30)["trials"]
    assert most["reward"] == 1, "it keeps out"
    assert most["long_run"] == {"horizon": 0, "prediction": 0, "decision": 0, "exploration": None, "total": None}
    assert most["regret"] == 0
    assert fewest["reward"] < 1
    assert fewest["regret"] is fewest["long_run"]["decision"] is fewest["long_run"]["total"] is None
    assert most["within"]["total"] == pytest.approx(0.5), "within a cycle it is no more than the half of 1"


@pytest.mark.parametrize("method", ["rhouct", "majority:3", "pooled:2", "one-ply"])
def test_what_a_decision_took(method: str) -> None:
    """Bits and nodes are counted at the search alone, whatever the judge asks for."""
    who, trial = subject("corridor:2"), Trial(3, method, 12)
    few, many = (carried_out(who, 60, [trial], cycles=20, probes=probes)["trials"][0] for probes in (1, 20))
    effort = ("searched", "bits", "visits", "reward")
    assert [few[name] for name in effort] == [many[name] for name in effort]
    assert few["searched"] == 12
    percept = make("corridor:2").coding.percept_bits
    assert 12 <= few["bits"] <= 2 * 12 * 3 * percept
    assert few["visits"] >= few["bits"]

"""A decision, explained: each number is that of a slow twin, and explaining changes nothing."""

from __future__ import annotations

import copy
import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import PlainPredictor, account, expectimax, true_expectimax

from aixi_approx import Percept, build_agent, interact, make
from aixi_approx.agent import Agent, Decision
from aixi_approx.coding import Coding, encode
from aixi_approx.introspection.explanation import Explanation
from aixi_approx.introspection.prediction import predict_percept, surprise
from aixi_approx.laboratory.regret import PARTS
from aixi_approx.pomdp.belief import after, believe
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.pomdp.solver import solve
from aixi_approx.predictors import FactoredContextTree, TrueModel
from aixi_approx.randomness import AGENT, EVALUATION, stream
from aixi_approx.viewer.judge import Judge

SMALL = Coding(3, 2, 2, 2, min_reward=-1, max_reward=2)
WORLDS = ("tiger", "t-maze:2", "cheese-maze", "biased-rps", "locks:1")
PLANNERS = (
    "dpuct",
    "rhouct",
    "dpuct+policy:learned",
    "one-ply+majority:3",
    "self-aixi",
    "q-learning",
    "aiqi",
    "random",
)


def lived(name: str, cycles: int, seed: int = 0, **how: Any) -> tuple[Agent, Any, list[tuple[int, Percept]]]:
    """An agent that has learned for some cycles, its environment and what happened."""
    environment = make(name)
    given = environment.settings._replace(simulations=40, horizon=how.pop("horizon", environment.settings.horizon))
    agent = build_agent(environment, how.pop("model", "ctw"), settings=given, seed=seed, **how)
    environment.reset(seed)
    rows = interact(agent, environment, cycles=cycles)
    return agent, environment, [(row.action, Percept(row.observation, row.reward)) for row in rows]


def state(agent: Agent) -> Any:
    """All that it knows."""

    def plain(kept: Any) -> Any:
        if isinstance(kept, dict):
            return {name: plain(each) for name, each in kept.items()}
        return bytes(kept) if isinstance(kept, memoryview | np.ndarray) else str(kept)

    return plain(agent.keep())


def all_percepts(coding: Coding, predictor: Any, action: int) -> dict[Percept, float]:
    """The probability of each percept, bit by bit; codes beyond the largest reward count as it."""
    chances: dict[Percept, float] = {}
    for bits in itertools.product((0, 1), repeat=coding.percept_bits):
        mark, p = predictor.mark(), 1.0
        for bit in encode(action, coding.action_bits):
            predictor.append(bit)
        for bit in bits:
            p *= predictor.update(bit)
        predictor.revert(mark)
        percept = Percept(*coding.percept(list(bits)))
        chances[percept] = chances.get(percept, 0.0) + p
    return chances


@settings(max_examples=25)
@given(st.lists(st.tuples(*[st.integers(0, n) for n in (2, 3, 3)]), min_size=1, max_size=12), st.integers(0, 2))
def test_a_prediction_is_that_of_plain_trees(history: list[tuple[int, int, int]], action: int) -> None:
    plain, fast = PlainPredictor(7, 2, 4), FactoredContextTree(7, 2, 4)
    for action_then, observation, code in history:
        bits = SMALL.cycle(action_then, observation, code - 1)
        assert fast.learn(bits) == pytest.approx(plain.learn(bits))
    before = fast.snapshot()
    told = predict_percept(fast, SMALL, action=action, least=0.0)
    twin = all_percepts(SMALL, plain, action)
    assert {Percept(o, r): pytest.approx(p) for o, r, p in told.percepts} == twin
    assert told.rest == pytest.approx(0.0, abs=1e-12)
    assert [p for *_, p in told.percepts] == sorted((p for *_, p in told.percepts), reverse=True)
    assert told.reward == pytest.approx(sum(percept.reward * p for percept, p in twin.items()))
    assert told.entropy == pytest.approx(-sum(p * math.log2(p) for p in twin.values()))
    for observation, p in told.observations:
        assert p == pytest.approx(sum(q for percept, q in twin.items() if percept.observation == observation))
    for percept, p in list(twin.items())[:4]:
        bits = surprise(fast, SMALL, action=action, percept=percept)
        reward = sum(q for other, q in twin.items() if other.reward == percept.reward)
        assert bits.total == pytest.approx(-math.log2(p))
        assert bits.reward == pytest.approx(-math.log2(reward))
    assert fast.snapshot() == before

    some = predict_percept(fast, SMALL, action=action, least=0.05)
    assert {*some.percepts} <= {*told.percepts} or len(some.percepts) == 1
    assert {each for each in told.percepts if each.probability >= 0.05} <= {*some.percepts}
    assert some.rest + sum(p for *_, p in some.percepts) == pytest.approx(1.0)
    assert some.entropy <= told.entropy + 1e-9


@pytest.mark.parametrize("name", WORLDS)
def test_a_true_model_expects_what_can_come(name: str) -> None:
    _, pomdp, past = lived(name, 30)
    belief = believe(pomdp, past)
    for action in range(len(pomdp.actions)):
        told = predict_percept(TrueModel(pomdp, belief=belief), pomdp.coding, action=action, least=0.0)
        twin = {future.percept: future.probability for future in after(pomdp, belief, action=action)}
        assert {Percept(o, r): pytest.approx(p) for o, r, p in told.percepts} == twin


def test_codes_beyond_the_largest_reward_count_as_it() -> None:
    tree, coding = FactoredContextTree(4, 2, 4), Coding(3, 2, 2, 2, min_reward=-1, max_reward=1)
    told = predict_percept(tree, coding, action=1)
    assert told.rewards == ((-1, pytest.approx(0.25)), (0, pytest.approx(0.25)), (1, pytest.approx(0.5)))
    assert {Percept(o, r): pytest.approx(p) for o, r, p in told.percepts} == all_percepts(coding, tree, 1)


def test_where_all_is_unlikely_the_likelier_bits_are_followed() -> None:
    told = predict_percept(FactoredContextTree(4, 2, 12), Coding(3, 2, 2, 10, -1, 2), action=0, least=0.2)
    assert [p for *_, p in told.percepts] == [pytest.approx(2.0**-12)] * 4  # the rewards are likely enough
    assert told.rest == pytest.approx(1 - 2.0**-10)


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("name", ["tiger", "locks:1"])
def test_explaining_changes_nothing(name: str, planner: str) -> None:
    """Neither the agent, nor the rows of a run of which every decision is explained."""
    agent, environment, _ = lived(name, 25, planner=planner)
    twin, world, _ = lived(name, 25, planner=planner)
    kept = state(twin)
    for _ in range(2):
        agent.explain()
    assert state(agent) == kept
    told: list[Explanation] = []
    rows = list(interact(agent, environment, cycles=15, decided=lambda decision: told.append(agent.explain(decision))))
    assert rows == list(interact(twin, world, cycles=15))
    assert [each.action for each in told] == [row.action for row in rows]
    assert [each.explored for each in told] == [bool(row.explored) for row in rows]
    json.dumps([each.as_json() for each in told], allow_nan=False)
    assert all(each.sentences() for each in told)


def test_nor_does_it_in_an_evaluation() -> None:
    agent, _, _ = lived("tiger", 25)
    kept = state(agent)
    with agent.evaluation():
        agent.observe(0, Percept(1, -1))
        agent.explain()
        assert agent.act(explore=False).action == agent.explain().action
    assert state(agent) == kept


@pytest.mark.parametrize("planner", ["dpuct", "rhouct", "dpuct+policy:learned"])
def test_it_has_the_numbers_of_its_own_search(planner: str) -> None:
    agent, environment, _ = lived("tiger", 60, planner=planner)
    decision = agent.act(explore=False)
    told = agent.explain(decision, steps=4)
    search = decision.search
    assert search is not None
    assert [each.value for each in told.actions] == search.value.tolist()
    assert [each.visits for each in told.actions] == search.visits.tolist()
    assert (told.action, told.found, told.simulations, told.horizon) == (decision.action, search.action, 40, 5)
    for each, p in zip(
        told.actions, agent.planner.policy.prediction if agent.planner.policy else [None] * 3, strict=True
    ):
        assert each.prior == p
    for each, deviation in zip(told.actions, np.asarray(search.deviation).tolist(), strict=True):
        assert each.deviation == (deviation if math.isfinite(deviation) else None)
    assert [each.name for each in told.actions] == ["listen", "open-left", "open-right"]

    twin = copy.deepcopy(agent)  # it lives what the other one imagined
    for step in told.line:
        assert step.action == decision.action
        expected = predict_percept(twin.predictor, environment.coding, action=step.action).percepts[0]
        assert tuple(expected) == (step.observation, step.reward, step.probability)
        assert decision.search is not None
        assert step.value == decision.search.value[step.action]
        twin.observe(step.action, Percept(step.observation, step.reward))
        decision = Decision(0, False, twin.search(stream(twin.seed, EVALUATION, twin.cycle)))
        assert decision.search is not None
        decision = decision._replace(action=decision.search.action)
    assert len(told.line) == 4


def test_a_line_is_no_longer_than_the_horizon() -> None:
    agent, _, _ = lived("tiger", 10, horizon=2)
    assert (len(agent.explain().line), len(agent.explain(steps=0).line)) == (2, 0)
    with pytest.raises(ValueError, match="steps"):
        agent.explain(steps=-1)


def test_an_explored_action_is_told_beside_what_the_search_says() -> None:
    agent, _, _ = lived("tiger", 10)
    agent.epsilon = 1.0
    agent.decay = 1.0
    decision = agent.act()
    assert decision.explored
    told = agent.explain(decision)
    assert told.found == agent.search(stream(agent.seed, EVALUATION, agent.cycle)).action
    assert "at random" in told.sentences()[0]


@pytest.mark.parametrize(
    ("name", "model"),
    [
        *((name, "true") for name in WORLDS),
        *((name, "ctw") for name in ("biased-rps", "1d-maze", "4x4-grid", "coin-flip")),
    ],
)
def test_a_judge_says_what_slow_twins_say(name: str, model: str) -> None:
    """Ten decisions beside exact values: belief, values within the horizon and of the long run, account of the loss."""
    agent, pomdp, past = lived(name, 40, model=model, horizon=2)
    assert isinstance(pomdp, POMDP)
    judge, solution = Judge(pomdp, horizon=2), solve(pomdp)
    for action, percept in past:
        judge.observe(action, percept)
    for _ in range(10):
        belief = believe(pomdp, past)
        start = {pomdp.states[s]: float(p) for s, p in zip(belief.state, belief.probability, strict=True)}
        decision = agent.act(explore=False)
        truth = judge.truth(agent, decision)
        assert truth is not None
        assert truth.within is not None
        assert truth.long_run is not None
        assert truth.regret is not None
        within, long_run = true_expectimax(pomdp, 2, start), solution.action_values(past)
        assert truth.within.tolist() == pytest.approx(within, abs=1e-8)
        assert truth.long_run.tolist() == pytest.approx(long_run.tolist(), abs=1e-8)
        assert sum(p for _, p in truth.belief) == pytest.approx(1.0)
        assert max(p for _, p in truth.belief) == pytest.approx(belief.probability.max())
        by_model = within if model == "true" else expectimax(pomdp.coding, agent.predictor, 2)
        best, first = ({a for a, v in enumerate(values) if v >= max(values) - 1e-6} for values in (within, by_model))
        parts = account(long_run.tolist(), best, first, decision.action, None, 0.0)
        assert {part: truth.regret[part] for part in (*PARTS, "total")} == pytest.approx(parts, abs=1e-6, nan_ok=True)
        told = agent.explain(decision, truth=truth)
        assert told.as_json()["truth"]["within"] == truth.within.tolist()
        optimal = pomdp.actions[int(np.argmax(long_run))]
        assert any(str(optimal) in line for line in told.sentences() if line.startswith("An agent that knows"))
        percept = pomdp.step(decision.action)
        agent.observe(decision.action, percept)
        judge.observe(decision.action, percept)
        past.append((decision.action, percept))


def test_the_loss_of_exploration_is_told_apart() -> None:
    agent, pomdp, past = lived("tiger", 0, model="true")
    judge = Judge(pomdp, horizon=5)
    found = agent.search(stream(0, AGENT, 0))
    truth = judge.truth(agent, Decision(1, True, found))
    assert truth is not None
    assert truth.regret is not None
    values = solve(pomdp).action_values(past)
    assert truth.regret["exploration"] == truth.regret["total"] == pytest.approx(values[0] - values[1])
    assert "by exploration" in agent.explain(Decision(1, True, found), truth=truth).sentences()[-1]


def test_nothing_is_known_of_what_is_no_pomdp() -> None:
    agent, pacman, _ = lived("pacman", 1)
    judge = Judge(pacman)
    judge.observe(0, Percept(0, 0))
    judge.restart()
    assert judge.truth(agent, agent.act()) is None


def test_names_that_are_missing_are_numbers() -> None:
    environment = make("tiger")
    made = build_agent(environment, simulations=5)
    agent = Agent(environment.coding, made.predictor, planner=made.planner)
    told = agent.explain(percept=Percept(1, -1))
    assert told.name.startswith("action ")
    assert "observation 1" in " ".join(told.sentences())
    assert told.came is not None
    assert told.came.surprise is not None
    assert told.came.surprise.total == pytest.approx(9.0)


RARE = """
from aixi_approx import POMDP, Outcome
class Rare(POMDP):
    actions, observations, rewards = ("safe", "risk"), ("x",), (-10000, 0, 1)
    def start(self):
        return {"s": 1}
    def outcomes(self, state, action):
        if action == "safe":
            return [Outcome(1, "s", "x", 0)]
        return [Outcome(0.0009, "s", "x", -10000), Outcome(0.9991, "s", "x", 1)]
"""


def test_a_rare_reward_counts(tmp_path: Path) -> None:
    (tmp_path / "rare.py").write_text(RARE)
    rare = make(f"{tmp_path}/rare.py:Rare")
    agent = build_agent(rare, "true", planner="rhouct", simulations=20, horizon=2)
    told = agent.explain()
    assert [each.prediction and each.prediction.reward for each in told.actions] == [0, pytest.approx(-8.0009)]
    assert told.actions[1].prediction is not None
    assert [percept.reward for percept in told.actions[1].prediction.percepts] == [1]
    assert told.actions[1].prediction.rest == pytest.approx(0.0009)


def test_searches_that_are_joined_look_as_far_ahead_as_one() -> None:
    agent, _, _ = lived("tiger", 10, planner="dpuct+majority:3", horizon=3)
    told = agent.explain()
    assert (told.horizon, len(told.line)) == (3, 3)


def test_what_an_exact_search_may_be_off_is_told() -> None:
    agent, _, _ = lived("tiger", 40, planner="expectimax+prune:0.01", horizon=2)
    told = agent.explain(steps=0)
    chosen = told.actions[told.action]
    assert chosen.error
    assert chosen.deviation is None
    assert f"+- {chosen.error:.2g}" in told.sentences()[0]


def test_who_has_no_policy_and_no_search_is_not_said_to_have() -> None:
    agent, _, _ = lived("tiger", 5, planner="random")
    assert agent.explain().sentences()[0].endswith(", without a search.")


def test_what_a_policy_loses_against_its_search_is_distillation() -> None:
    """Of a policy that acts alone, the account compares with the search that it has learned from."""
    agent, pomdp, past = lived("tiger", 60, planner="dpuct+policy:learned")
    judge = Judge(pomdp, horizon=5)
    for action, percept in past:
        judge.observe(action, percept)
    decision = agent.act(explore=False, simulations=0)
    truth = judge.truth(agent, decision)
    assert truth is not None
    assert truth.long_run is not None
    assert truth.regret is not None
    found = agent.search(stream(agent.seed, EVALUATION, agent.cycle)).action
    assert truth.regret["distillation"] == pytest.approx(truth.long_run[found] - truth.long_run[decision.action])
    assert truth.regret["exploration"] == pytest.approx(0.0)

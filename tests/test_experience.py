"""Experience: the same in one segment or in several; its entropy is the log loss of the truth."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_runs import cycles_of, random_run

from aixi_approx.builder import build_agent
from aixi_approx.environment import EnvironmentFault
from aixi_approx.envs import make
from aixi_approx.interaction import interact
from aixi_approx.laboratory.condition import Cycle
from aixi_approx.laboratory.experience import Segment, collect
from aixi_approx.pomdp.belief import believe
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.predictors.true_model import TrueModel

LESSONS = "dpuct+policy:learned+lessons:drawn"


@pytest.mark.parametrize("learner", ["rhouct", "one-ply+simulations:3", "q-learning", "aiqi", "random", LESSONS])
@pytest.mark.parametrize("name", ["tiger", "corridor:2", "pacman"])
def test_experience_may_be_collected_in_segments(name: str, learner: str) -> None:
    run = random_run(name, 3, epsilon=0.7, decay=0.99, simulations=5, horizon=2, depth=20)._replace(learner=learner)
    whole = collect(run, [], until=40)
    searches = learner in ("rhouct", "one-ply+simulations:3", LESSONS)
    assert {cycle.lesson for cycle in whole.cycles} == ({0, 1} if learner == LESSONS else {0})
    for marks in ((7, 40), (1, 2, 39, 40)):
        past: list[Cycle] = []
        segments: list[Segment] = []
        for mark in marks:
            segments.append(collect(run, past, until=mark))
            past = past + segments[-1].cycles
            assert len(past) == mark
        assert past == whole.cycles
        assert sum(segment.simulations for segment in segments) == whole.simulations
        assert (whole.simulations > 0) == searches
        if isinstance(make(name), POMDP):
            assert sum(segment.entropy or 0.0 for segment in segments) == pytest.approx(whole.entropy)
        else:
            assert {whole.entropy, *(segment.entropy for segment in segments)} == {None}


@pytest.mark.parametrize("learner", ["rhouct", "rhouct+simulations:3", "dpuct+policy:learned", "q-learning", "random"])
def test_experience_is_what_learning_by_hand_gives(learner: str) -> None:
    """A learner has the simulations of its settings, unless it has its own."""
    run = random_run("tiger", 1, epsilon=0.5, decay=0.99, simulations=8, horizon=3, depth=16)._replace(learner=learner)
    environment = make("tiger")
    environment.checked_reset(1)
    agent = build_agent(environment, planner=learner, settings=run.settings, seed=1)
    rows = list(interact(agent, environment, cycles=60))
    cycles = collect(run, [], until=60).cycles
    assert cycles == [(row.action, row.observation, row.reward, row.lesson) for row in rows]
    assert [cycle.lesson for cycle in cycles] == [int("policy" in learner and not row.explored) for row in rows]
    expected = {"rhouct": 8, "rhouct+simulations:3": 3, "dpuct+policy:learned": 8}.get(learner, 0)
    assert {row.simulations for row in rows if not row.explored} == {expected}


@given(name=st.sampled_from(["tiger", "corridor:2", "biased-rps"]), seed=st.integers(0, 99), middle=st.integers(0, 30))
@settings(deadline=None, max_examples=15)
def test_entropy_is_the_log_loss_of_the_truth(name: str, seed: int, middle: int) -> None:
    """By Bayes' rule, percept by percept."""
    pomdp, past = make(name), cycles_of(random_run(name, seed), 30)
    assert isinstance(pomdp, POMDP)
    history = [(cycle.action, cycle.percept) for cycle in past]
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
    assert collect(random_run(name, seed), past[:middle], until=30).entropy == pytest.approx(loss, abs=1e-6)
    model = TrueModel(pomdp)
    assert collect(random_run(name, seed), [], until=30).entropy == pytest.approx(
        sum(model.learn(pomdp.coding.cycle(cycle.action, *cycle.percept)) for cycle in past)
    )


def test_a_past_that_does_not_come_again_is_refused() -> None:
    run = random_run("tiger")
    past = cycles_of(run, 10)
    wrong = [cycle._replace(reward=cycle.reward - 1) for cycle in past]
    with pytest.raises(EnvironmentFault, match="the environment is not a function of its seed, or has changed"):
        collect(run, wrong, until=12)

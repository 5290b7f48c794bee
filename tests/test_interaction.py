"""The hook of the loop: told of each new decision, at the decision, before it is carried out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aixi_approx.agent import Decision
from aixi_approx.builder import build_agent
from aixi_approx.environment import Environment, Percept
from aixi_approx.envs import make
from aixi_approx.interaction import Row, evaluate, interact

MODELS = ["ctw", "true"]


class Counted:
    """An environment that counts its steps."""

    def __init__(self, environment: Environment) -> None:
        self.environment, self.steps = environment, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.environment, name)

    def checked_step(self, action: int) -> Percept:
        self.steps += 1
        return self.environment.checked_step(action)


def rows_of(model: str, cycles: int, past: list[Row] | None = None, **given: Any) -> list[Row]:
    environment = make("tiger")
    agent = build_agent(environment, model, settings=quick(environment), seed=3)
    return list(interact(agent, environment, cycles=cycles, past=past or [], **given))


def quick(environment: Environment) -> Any:
    return environment.settings._replace(depth=12, horizon=2, simulations=8, epsilon=0.5, decay=0.99)


@pytest.mark.parametrize("past", [0, 1, 7, 30])
@pytest.mark.parametrize("model", MODELS)
def test_each_new_decision_is_told_before_the_environment_steps(model: str, past: int) -> None:
    """With the predictor at the decision: it has taken in all cycles before, and not this one."""
    whole = rows_of(model, 30)
    environment = Counted(make("tiger"))
    agent = build_agent(environment.environment, model, settings=quick(environment.environment), seed=3)
    twin = build_agent(make("tiger"), model, settings=quick(make("tiger")), seed=3).predictor
    told: list[Decision] = []
    learned = 0

    def decided(decision: Decision) -> None:
        nonlocal learned
        t = past + len(told)
        assert agent.cycle == environment.steps == t
        for row in whole[learned:t]:
            twin.learn(environment.coding.cycle(*row[1:4]))
        learned = t
        predictions = []
        for predictor in (agent.predictor, twin):
            mark = predictor.mark()
            predictor.extend(environment.coding.cycle(0, 0, -1)[: environment.coding.action_bits])
            predictions.append(predictor.predict())
            predictor.revert(mark)
        assert predictions[0] == predictions[1]
        told.append(decision)

    rows = list(interact(agent, environment, cycles=30, past=whole[:past], decided=decided))  # type: ignore[arg-type]
    assert rows == whole, "it changes nothing"
    assert len(told) == 30 - past, "nothing is told of what was decided in the past"
    for decision, row in zip(told, rows[past:], strict=True):
        assert (decision.action, int(decision.explored)) == (row.action, row.explored)
        assert (decision.search.simulations if decision.search else 0) == row.simulations
        assert decision.explored == (decision.search is None)


@pytest.mark.parametrize("learn", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_so_it_is_in_an_evaluation(model: str, learn: bool) -> None:
    environment = make("tiger")
    agent = build_agent(environment, model, settings=quick(environment), seed=1)
    list(interact(agent, environment, cycles=20))
    wanted = list(evaluate(agent, make("tiger"), cycles=10, learn=learn, simulations=8))
    told: list[Decision] = []
    rows = list(evaluate(agent, make("tiger"), cycles=10, learn=learn, simulations=8, decided=told.append))
    assert rows == wanted
    assert [decision.action for decision in told] == [row.action for row in rows]
    assert not any(decision.explored for decision in told), "an evaluation is greedy"
    for decision in told:
        assert decision.search is not None
        assert 0 < decision.search.simulations <= 8
        assert np.nanmax(decision.search.value) >= decision.search.value[decision.action] - 1e-9


@pytest.mark.parametrize("past", [0, 7])
def test_what_came_is_told_before_it_is_learned(past: int) -> None:
    whole = rows_of("ctw", 20)
    environment = Counted(make("tiger"))
    agent = build_agent(environment.environment, "ctw", settings=quick(environment.environment), seed=3)
    told: list[tuple[Any, ...]] = []

    def perceived(decision: Decision, percept: Percept) -> None:
        assert (agent.cycle, environment.steps) == (past + len(told), past + len(told) + 1)
        bits = environment.coding.cycle(decision.action, *percept)
        mark = agent.predictor.mark()
        loss = agent.predictor.learn(bits)
        agent.predictor.revert(mark)
        told.append((decision.action, *percept, int(decision.explored), loss))

    rows = list(interact(agent, environment, cycles=20, past=whole[:past], perceived=perceived))  # type: ignore[arg-type]
    assert rows == whole, "it changes nothing"
    assert told == [row[1:6] for row in rows[past:]]


def test_what_the_hook_raises_is_raised_and_nothing_is_carried_out() -> None:
    environment = Counted(make("tiger"))
    agent = build_agent(environment.environment, settings=quick(environment.environment))

    def refuse(decision: Decision) -> None:
        raise LookupError(f"{decision.action}")

    with pytest.raises(LookupError):
        list(interact(agent, environment, cycles=3, decided=refuse))  # type: ignore[arg-type]
    assert (environment.steps, agent.cycle) == (0, 0)

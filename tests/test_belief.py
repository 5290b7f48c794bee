"""Beliefs against their twin: Bayes' rule written out over all paths of states."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aixi_approx.environment import Percept
from aixi_approx.envs import make
from aixi_approx.pomdp.belief import after, believe, first_belief
from aixi_approx.pomdp.definition import POMDP

POMDPS = {
    name: make(name) for name in ("tiger", "extended-tiger", "cheese-maze", "4x4-grid", "kuhn-poker", "tic-tac-toe")
}


def joint(pomdp: POMDP, actions: list[int]) -> dict[tuple[Percept, ...], dict[object, float]]:
    """P(percepts, last state) for a sequence of actions, from the readable definition."""
    paths: dict[tuple[Percept, ...], dict[object, float]] = {(): dict(pomdp.start())}
    for action in actions:
        longer: dict[tuple[Percept, ...], dict[object, float]] = defaultdict(lambda: defaultdict(float))
        for percepts, states in paths.items():
            for state, p in states.items():
                for o in pomdp.outcomes(state, pomdp.actions[action]):
                    percept = Percept(pomdp.observations.index(o.observation), o.reward)
                    longer[*percepts, percept][o.state] += p * o.probability
        paths = longer
    return paths


@given(name=st.sampled_from(sorted(POMDPS)), seed=st.integers(0, 10**6), length=st.integers(0, 4))
@settings(deadline=None, max_examples=40)
def test_beliefs_are_bayes_rule(name: str, seed: int, length: int) -> None:
    pomdp = POMDPS[name]
    pomdp.reset(seed)
    actions = [(seed >> 2 * i) % len(pomdp.actions) for i in range(min(length, 2 if name == "tic-tac-toe" else 4))]
    history = [(action, pomdp.step(action)) for action in actions]
    belief = believe(pomdp, history)
    states = joint(pomdp, actions)[tuple(percept for _, percept in history)]
    total = sum(states.values())
    expected = {pomdp.states.index(state): p / total for state, p in states.items() if p > 0}
    found = dict(zip(belief.state.tolist(), belief.probability.tolist(), strict=True))
    assert found == pytest.approx(expected, abs=1e-12)
    assert belief.state.tolist() == sorted(expected)
    for action in range(len(pomdp.actions)):
        futures = after(pomdp, belief, action=action)
        assert sum(future.probability for future in futures) == pytest.approx(1, abs=1e-12)
        assert len({future.percept for future in futures}) == len(futures)
        assert all(future.belief.probability.sum() == pytest.approx(1, abs=1e-12) for future in futures)
        mean = sum(
            p * o.probability * o.reward
            for s, p in found.items()
            for o in pomdp.outcomes(pomdp.states[s], pomdp.actions[action])
        )
        expected = sum(future.probability * future.percept.reward for future in futures)
        assert expected == pytest.approx(mean, abs=1e-9)


def test_a_history_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^cycle 1: Tiger can't answer action 0 with \(0, 10\) there$"):
        believe(POMDPS["tiger"], [(0, Percept(1, -1)), (0, Percept(0, 10))])
    assert first_belief(POMDPS["tiger"]).probability.tolist() == [0.5, 0.5]

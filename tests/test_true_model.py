"""The true model against brute force: the probability of percepts summed over all paths of states."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import true_expectimax
from test_belief import POMDPS, joint

from aixi_approx.conformance.predictor import check_predictor
from aixi_approx.envs import ENVIRONMENTS, make
from aixi_approx.planners.rho_uct import RhoUCT
from aixi_approx.pomdp.belief import believe
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.predictors.true_model import TrueModel
from aixi_approx.randomness import stream


@pytest.mark.parametrize("name", [name for name in ENVIRONMENTS if isinstance(make(name), POMDP)])
def test_keeps_to_the_interface(name: str) -> None:
    environment = make(name)
    check_predictor(TrueModel(environment), cycles=20, actions=len(environment.actions))


@given(name=st.sampled_from(sorted(POMDPS)), seed=st.integers(0, 10**6), length=st.integers(1, 4))
@settings(deadline=None, max_examples=40)
def test_log_loss_is_that_of_brute_force(name: str, seed: int, length: int) -> None:
    pomdp = POMDPS[name]
    pomdp.reset(seed)
    actions = [(seed >> 2 * i) % len(pomdp.actions) for i in range(min(length, 2 if name == "tic-tac-toe" else 4))]
    history = [(action, pomdp.step(action)) for action in actions]
    model = TrueModel(pomdp)
    loss = sum(model.learn(pomdp.coding.cycle(action, *percept)) for action, percept in history)
    total = sum(joint(pomdp, actions)[tuple(percept for _, percept in history)].values())
    assert loss == pytest.approx(-math.log2(total), abs=1e-9)
    belief = believe(pomdp, history)
    assert model.belief.state.tolist() == belief.state.tolist()
    assert model.belief.probability.tolist() == pytest.approx(belief.probability.tolist(), abs=1e-12)


def test_percepts_that_are_not_learned_still_tell_the_state() -> None:
    pomdp = make("tiger")
    learned, extended = TrueModel(pomdp), TrueModel(pomdp)
    cycle = pomdp.coding.cycle(0, 1, -1)
    learned.learn(cycle)
    extended.extend(cycle)
    assert learned.belief.probability.tolist() == extended.belief.probability.tolist() == [0.85, 0.15]


def test_what_cannot_be_is_refused_and_changes_nothing() -> None:
    pomdp = make("tiger")
    model = TrueModel(pomdp)
    with pytest.raises(ValueError, match="action bit"):
        model.predict()
    model.append(1)
    with pytest.raises(ValueError, match="no action 3: there are 0 to 2"):
        model.append(1)
    model.append(0)  # open the right door: the reward is -100, code 0, or 10, code 110
    assert model.predict() == pytest.approx(0.5)
    model.update(1)
    assert model.predict() == 1.0
    for refused in (model.update, model.append):
        with pytest.raises(ValueError, match="Tiger can't answer so: the probability of this bit is 0"):
            refused(0)
    assert [model.update(bit) for bit in (1, 0, 1, 1, 1, 0)] == [1.0] * 6
    with pytest.raises(ValueError, match="no mark 0"):
        model.revert(0)


@pytest.mark.parametrize(("name", "horizon"), [("tiger", 2), ("kuhn-poker", 2), ("1d-maze", 3)])
def test_rho_uct_plans_with_it(name: str, horizon: int) -> None:
    pomdp = make(name)
    model = TrueModel(pomdp)
    found = RhoUCT(pomdp.coding, horizon, simulations=40_000, ucb=0.3).search(model, stream(1))
    exact = np.array(true_expectimax(pomdp, horizon))
    scale = horizon * (pomdp.max_reward - pomdp.min_reward)
    assert exact[found.action] > exact.max() - 0.01 * scale
    assert abs(found.value[found.action] - exact.max()) < 0.01 * scale

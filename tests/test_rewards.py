"""Rewards that are listed one by one, actions that are legal in some states only, probabilities that were rounded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aixi_approx import (
    POMDP,
    EnvironmentFault,
    Outcome,
    Percept,
    Settings,
    build_agent,
    evaluate,
    interact,
    make,
    solve,
)
from aixi_approx.coding import Coding
from aixi_approx.environment import Environment
from aixi_approx.envs.tiger import Tiger
from aixi_approx.experiments.recording import Recording, recorded_rows
from aixi_approx.randomness import stream

SHORT = Settings(depth=8, horizon=3, simulations=100, epsilon=0.5)


class ListedTiger(Tiger):
    """The tiger, with its three rewards listed: 2 bits in place of 7."""

    rewards = (-100, -1, 10)


class Slot(POMDP):
    """A machine that costs 0.04, and pays 1/48 or 1."""

    actions, observations = ("pull", "wait"), ("nothing",)
    rewards = (1, -0.04, 1 / 48)

    def start(self) -> dict[str, float]:
        return {"here": 1.0}

    def outcomes(self, state: str, action: str) -> Iterable[Outcome]:
        if action == "wait":
            return [Outcome(1, state, "nothing", 1 / 48)]
        return [Outcome(0.25, state, "nothing", 1), Outcome(0.75, state, "nothing", -0.04)]


class Stairs(POMDP):
    """Three steps, up and down; down is not legal at the bottom, up not at the top, where staying pays 1."""

    actions, observations = ("up", "down", "stay"), (0, 1, 2)
    min_reward, max_reward = 0, 1

    def start(self) -> dict[int, float]:
        return {0: 1.0}

    def legal_in(self, state: int) -> Iterable[str]:
        return [a for a, fine in zip(self.actions, (state < 2, state > 0, state == 2), strict=True) if fine]

    def outcomes(self, state: int, action: str) -> Iterable[Outcome]:
        after = state + {"up": 1, "down": -1, "stay": 0}[action]
        assert 0 <= after <= 2, "nobody asks what an illegal action does"
        return [Outcome(1, after, after, int(action == "stay"))]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40, unique=True))
def test_each_listed_reward_has_a_code_of_its_own(rewards: list[float]) -> None:
    class Other(Slot):
        pass

    Other.rewards = tuple(rewards)
    coding = Environment.coding.fget(Other.__new__(Other))  # type: ignore[attr-defined]
    assert [coding.reward(coding.code(reward)) for reward in sorted(rewards)] == sorted(rewards)
    assert coding.reward_bits == max(1, (len(rewards) - 1).bit_length())
    codes = np.arange(1 << coding.reward_bits)
    assert coding.rewards_of(codes).tolist() == [coding.reward(code) for code in codes.tolist()]
    for code, reward in enumerate(sorted(rewards)):
        assert coding.percept(coding.cycle(0, 0, reward)[1:]) == (0, reward), code


def test_what_is_no_reward_has_no_code() -> None:
    coding = Coding(2, 1, 2, 1, min_reward=-1, max_reward=1, rewards=(-1, 0.3, 1))
    assert coding.code(0.1 + 0.2) == 1
    for wrong in (0, 0.3001, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=r"is none of -1, 0\.3, 1"):
            coding.code(wrong)
    with pytest.raises(ValueError, match=r"0\.5 does not lie in -1 to 1"):
        Coding(2, 1, 2, 1, min_reward=-1, max_reward=1).code(0.5)


@pytest.mark.parametrize("planner", ["dpuct", "rhouct", "expectimax", "one-ply", "flat"])
def test_on_the_true_model_listing_rewards_changes_no_value(planner: str) -> None:
    found = []
    for environment in (make("tiger"), ListedTiger()):
        agent = build_agent(environment, "true", planner=planner, settings=SHORT)
        found.append(agent.planner.search(agent.predictor, stream(5)))
    assert found[0].value.tolist() == found[1].value.tolist()
    assert found[0].action == found[1].action


@pytest.mark.parametrize(
    ("planner", "cycles"), [("dpuct", 200), ("rhouct", 200), ("expectimax", 200), ("aiqi", 3000), ("q-learning", 3000)]
)
def test_an_agent_learns_from_real_rewards_and_rows_keep_them(planner: str, cycles: int, tmp_path: Path) -> None:
    slot = Slot()
    agent = build_agent(slot, planner=planner, settings=SHORT._replace(epsilon=1.0, decay=1.0), seed=2)
    recording = Recording(tmp_path / "run", {"schedule": {"cycles": cycles}, "evaluate": 0})
    rows = [row for row, _ in recording.write("learning", interact(agent, slot, cycles=cycles), there=0)]
    assert {row.reward for row in rows} == {-0.04, 1 / 48, 1.0}
    assert recorded_rows(tmp_path / "run" / "learning.csv") == rows
    acted = [row.action for row in evaluate(agent, slot, cycles=50, simulations=50)]
    assert acted.count(0) > 40, "to pull pays 0.22, to wait 0.02"


def test_real_rewards_are_solved_for_exactly() -> None:
    solution = solve(Slot())
    assert solution.lower == pytest.approx(0.22, abs=1e-12)
    assert solution.upper == pytest.approx(0.22, abs=1e-12)
    assert Slot().random_reward == pytest.approx((0.22 + 1 / 48) / 2, abs=1e-12)
    assert solution.action_values(horizon=1).tolist() == pytest.approx([0.22, 1 / 48])
    assert solution.follow(0, 0, percept=Percept(0, -0.04)) == 0
    with pytest.raises(ValueError, match="can't answer"):
        solution.follow(0, 0, percept=Percept(0, 0.5))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rewards": (1, "2")}, "'2' in `rewards` is no number"),
        ({"rewards": (1, float("nan"))}, "nan in `rewards` is no number"),
        ({"rewards": 3}, "rewards is 3: write a tuple of numbers"),
        ({"rewards": (0, 1), "max_reward": 1}, "it declares `rewards` and `max_reward`: leave out the second"),
        ({"rewards": (1, -0.04)}, r"reward 0\.0208\d*, declared are -0.04, 1: add it to `rewards`"),
    ],
)
def test_wrong_rewards_are_one_line(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(EnvironmentFault, match=message):
        type("Wrong", (Slot,), wrong)()


def test_illegal_actions_stand_for_random_legal_ones() -> None:
    stairs = Stairs()
    assert solve(stairs).lower == pytest.approx(1)
    assert list(stairs.legal()) == [0]
    # From the middle, "stay" leads up and down with equal probability; at random: 1/4, 1/2, 1/4 of the time are spent
    # on the three steps of the walk in which the top is left in half of all cycles.
    stay = stairs.tables.first[1 * 3 + 2]
    middle = stairs.states.index(1)
    row = middle * 3 + 2
    assert stairs.tables.probability[slice(*stairs.tables.first[row : row + 2])].tolist() == [0.5, 0.5], stay
    share = np.linalg.lstsq(
        np.vstack([np.array([[0, 1, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]).T - np.eye(3), np.ones(3)]),
        np.array([0, 0, 0, 1.0]),
        rcond=None,
    )[0]
    assert stairs.random_reward == pytest.approx(share[2] / 2)


def test_no_legal_action_or_an_unknown_one_is_refused() -> None:
    for legal in ([], ["fly"]):
        with pytest.raises(EnvironmentFault, match="name at least one, and only those in `actions`"):
            type("Wrong", (Stairs,), {"legal_in": lambda self, state, legal=legal: legal})()


def test_rounded_probabilities_are_normalised_and_said() -> None:
    def outcomes(self: Slot, state: str, action: str) -> list[Outcome]:
        return [Outcome(p, state, "nothing", r) for p, r in ((0.33333, 1), (0.66666, -0.04))]

    rounded = type("Rounded", (Slot,), {"outcomes": outcomes})()
    assert rounded.tables.probability[:2].sum() == 1
    assert "divided by their sum" in rounded.approximations
    assert Slot().approximations == ""

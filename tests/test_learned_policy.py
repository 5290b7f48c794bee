"""A policy that is learned against its twin on plain trees; what it draws, how far it is trusted, undo."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_policy import PlainPolicy, taught

from aixi_approx.coding import Coding, bits_for, encode
from aixi_approx.envs import make
from aixi_approx.predictor_abi import FAILED, OPERATION, RANDOM_BITS
from aixi_approx.rollouts import make_policy
from aixi_approx.rollouts.learned import LearnedPolicy

GRID = 4_096

Step = tuple[str, int, list[int]]  # learn or extend, an action, the bits of a percept
CODINGS = st.builds(
    lambda actions, reward, observation: Coding(actions, bits_for(actions), reward, observation, 0, (1 << reward) - 1),
    actions=st.integers(1, 9),
    reward=st.integers(0, 2),
    observation=st.integers(1, 2),
)
DEPTHS = st.integers(1, 14)


def steps(most: int) -> Any:
    """Some cycles, of which most are lessons; they are fitted to a coding where they are used."""
    percept = st.lists(st.integers(0, 1), min_size=4, max_size=4)
    return st.lists(st.tuples(st.sampled_from(["learn"] * 3 + ["extend"]), st.integers(0, 8), percept), max_size=most)


def take(policy: LearnedPolicy | PlainPolicy, step: Step) -> float:
    """Take in a cycle; return the loss of the action, 0 if it was not learned."""
    coding, (what, number, percept) = policy.coding, step
    action, loss = number % coding.actions, 0.0
    if what == "learn":
        loss = policy.learn(action)
    else:
        policy.extend(encode(action, coding.action_bits))
    policy.extend(percept[: coding.percept_bits])
    return loss


def all_of(policy: LearnedPolicy) -> tuple[Any, ...]:
    """Everything that the future follows from."""
    return policy.snapshot(), policy.trust, policy.lessons, policy.prediction.tolist()


def by_address(policy: LearnedPolicy, operation: str, argument: int) -> float:
    addresses = policy.addresses
    return float(OPERATION(getattr(addresses, operation))(addresses.state, argument))


# ---------------------------------------------------------------------------------------------- the right numbers


@given(coding=CODINGS, depth=DEPTHS, past=steps(40))
@settings(deadline=None, max_examples=60)
def test_equals_the_plain_one(coding: Coding, depth: int, past: list[Step]) -> None:
    policy, plain = LearnedPolicy(coding, depth=depth), PlainPolicy(coding, depth)
    for step in past:
        assert take(policy, step) == pytest.approx(take(plain, step), rel=1e-9, abs=1e-12)
    assert policy.prediction == pytest.approx(plain.prediction, rel=1e-9)
    assert policy.trust == pytest.approx(plain.trust, abs=1e-9)
    assert policy.lessons == len(plain.losses)


@given(coding=CODINGS, depth=DEPTHS, past=steps(40))
@settings(deadline=None, max_examples=60)
def test_rules_no_action_out_and_none_in_that_there_is_not(coding: Coding, depth: int, past: list[Step]) -> None:
    policy = LearnedPolicy(coding, depth=depth)
    for step in past:
        take(policy, step)
    prediction = policy.prediction
    assert prediction.shape == (coding.actions,)
    assert (prediction > 0).all()
    assert prediction.sum() == pytest.approx(1, rel=1e-12)
    assert policy.choose(0.0) == coding.actions - 1, "a 1 where there can be one"


@given(coding=CODINGS, depth=DEPTHS, past=steps(30), action=st.integers(0, 8))
@settings(deadline=None, max_examples=60)
def test_a_lesson_costs_what_was_predicted(coding: Coding, depth: int, past: list[Step], action: int) -> None:
    policy = LearnedPolicy(coding, depth=depth)
    for step in past:
        take(policy, step)
    action %= coding.actions
    before = policy.prediction[action]
    assert policy.learn(action) == pytest.approx(-math.log2(before), rel=1e-12, abs=1e-12)


def test_the_context_is_the_history_before_the_action() -> None:
    """One bit of depth tells apart what came after a 1 and after a 0; the first action comes after zeros."""
    coding = Coding(2, 1, 0, 1, 0, 0)
    policy = LearnedPolicy(coding, depth=1)
    for bit in (1, 0) * 50:  # the action is the observation before it
        policy.learn(0 if policy.lessons == 0 else 1 - bit)
        policy.extend([bit])
    assert policy.prediction[0] > 0.95  # after 0
    policy.extend([0, 1])
    assert policy.prediction[1] > 0.95  # after 1
    other = LearnedPolicy(coding, depth=1)
    for _ in range(40):
        other.extend([1, 0])
    assert other.prediction.tolist() == [0.5, 0.5], "what is not learned is context"


def test_each_bit_of_an_action_is_predicted_after_those_before() -> None:
    coding = Coding(4, 2, 0, 1, 0, 0)
    policy = LearnedPolicy(coding, depth=3)
    for action in (0, 3) * 60:
        policy.learn(action)
        policy.extend([0])
    assert policy.prediction[[1, 2]].sum() < 0.1  # 01 and 10 never came


# ---------------------------------------------------------------------------------------------- drawing


@given(coding=CODINGS, depth=DEPTHS, past=steps(25))
@settings(deadline=None, max_examples=40)
def test_what_is_drawn_is_what_is_predicted(coding: Coding, depth: int, past: list[Step]) -> None:
    """On a grid of numbers; by address it is the same, and nothing has changed after it."""
    policy, plain = LearnedPolicy(coding, depth=depth), PlainPolicy(coding, depth)
    for step in past:
        take(policy, step)
        take(plain, step)
    before = all_of(policy)
    numbers = (np.arange(GRID) + 0.5) / GRID
    drawn = [policy.choose(u) for u in numbers.tolist()]
    counts = np.bincount(drawn, minlength=coding.actions)
    assert len(counts) == coding.actions
    assert np.all(abs(counts - GRID * policy.prediction) < 1 + 1e-6)
    assert drawn == sorted(drawn, reverse=True), "a 1 is drawn by small numbers"
    assert [drawn[i] for i in range(0, GRID, 97)] == [plain.choose(u) for u in numbers[::97].tolist()]
    for u, action in zip(numbers[::7].tolist(), drawn[::7], strict=True):
        assert by_address(policy, "choose", int(u * (1 << RANDOM_BITS))) == action
    for u in (0.0, 1 - 2.0**-53):
        assert 0 <= policy.choose(u) < coding.actions
    weights = np.full(coding.actions + 1, np.nan)
    assert by_address(policy, "weigh", weights.ctypes.data) == 0
    assert weights[:-1].tolist() == policy.prediction.tolist()
    assert np.isnan(weights[-1]), "it writes no more than it has to"
    assert all_of(policy) == before


@given(coding=CODINGS, depth=DEPTHS, past=steps(25), later=steps(6), u=st.floats(0, 1, exclude_max=True))
@settings(deadline=None, max_examples=60)
def test_life_goes_on_as_if_nothing_had_been_drawn(
    coding: Coding, depth: int, past: list[Step], later: list[Step], u: float
) -> None:
    asked, other = (LearnedPolicy(coding, depth=depth) for _ in range(2))
    for step in (*past, *later):
        asked.choose(u)
        weights = np.empty(coding.actions)
        by_address(asked, "weigh", weights.ctypes.data)
        assert take(asked, step) == take(other, step)
        asked.choose(1 - u if u else u)
    assert all_of(asked) == all_of(other)


@pytest.mark.parametrize("first", [0, 1])
def test_the_bits_that_were_drawn_are_no_context(first: int) -> None:
    """The kernel keeps its way through the tree for the last bit it was asked for, which comes after others now."""
    policy = taught("tiger")
    kernel, untouched = policy._kernel, policy.copy()._kernel
    for u in np.linspace(0, 0.99, 20).tolist():
        policy.choose(u)
        mark = kernel.mark()
        kernel.append(first)
        other = untouched.copy()
        other.append(first)
        assert kernel.predict() == other.predict()
        kernel.revert(mark)


def test_within_a_cycle_there_is_no_action() -> None:
    policy = taught("tiger")
    before = policy.snapshot()
    mark = policy.mark()
    policy.append(0)
    weights = np.empty(3)
    assert by_address(policy, "choose", 0) == by_address(policy, "weigh", weights.ctypes.data) == FAILED
    for ask in (lambda: policy.choose(0.5), lambda: policy.prediction, lambda: policy.learn(0)):
        with pytest.raises(ValueError, match="at the start of a cycle"):
            ask()
    policy.revert(mark)
    assert policy.snapshot() == before


@pytest.mark.parametrize("action", [-1, 3, 4])
def test_an_action_that_there_is_not_is_no_lesson(action: int) -> None:
    policy = taught("tiger")
    before = all_of(policy)
    with pytest.raises(ValueError, match=f"there is no action {action}: there are 0 to 2"):
        policy.learn(action)
    assert all_of(policy) == before


# ---------------------------------------------------------------------------------------------- trust


def test_trust_by_hand() -> None:
    """0.95 times what lessons cost less than guessing: the mean of the first 50, then a mean that forgets."""
    policy = LearnedPolicy(Coding(4, 2, 0, 1, 0, 0), depth=4)
    assert policy.trust == 0
    costs, mean = [], 1.0
    for lesson in range(200):
        costs.append(min(1.0, policy.learn(lesson % 7 % 4) / 2))
        policy.extend([0])
        mean = float(np.mean(costs)) if lesson < 50 else 0.98 * mean + 0.02 * costs[-1]
        assert policy.trust == pytest.approx(0.95 * (1 - mean), abs=1e-12)
    assert 0 < policy.trust < 0.95


def test_who_can_not_be_predicted_is_not_trusted() -> None:
    policy, random = LearnedPolicy(Coding(3, 2, 0, 1, 0, 0), depth=8), np.random.default_rng(1)
    for _ in range(400):
        policy.learn(int(random.integers(3)))
        policy.extend(random.integers(2, size=1).tolist())
    assert policy.trust < 0.1
    for _ in range(600):
        policy.learn(2)
        policy.extend(random.integers(2, size=1).tolist())
    assert policy.trust > 0.8, "what was long ago is forgotten"


def test_where_there_is_one_action_nothing_is_to_be_learned() -> None:
    policy = LearnedPolicy(Coding(1, 1, 0, 1, 0, 0), depth=3)
    for _ in range(60):
        assert policy.learn(0) == 0
        policy.extend([1])
    assert policy.prediction.tolist() == [1]
    assert policy.choose(0.0) == policy.choose(0.999) == 0


# ---------------------------------------------------------------------------------------------- undo


@given(coding=CODINGS, depth=DEPTHS, past=steps(20), imagined=steps(20), inner=steps(8), later=steps(8))
@settings(deadline=None, max_examples=80)
def test_what_is_reverted_leaves_no_trace(
    coding: Coding, depth: int, past: list[Step], imagined: list[Step], inner: list[Step], later: list[Step]
) -> None:
    policy, other = (LearnedPolicy(coding, depth=depth) for _ in range(2))
    for step in past:
        assert take(policy, step) == take(other, step)
    mark, before = policy.mark(), all_of(policy)
    for step in imagined:
        take(policy, step)
    second, between = policy.mark(), all_of(policy)
    for step in inner:
        take(policy, step)
        policy.mark()
    policy.revert(second)
    assert all_of(policy) == between
    policy.revert(mark)
    assert all_of(policy) == before == all_of(other)
    for gone in (second, mark):
        with pytest.raises(ValueError, match=f"there is no mark {gone}"):
            policy.revert(gone)
    for step in later:
        assert take(policy, step) == take(other, step)
    assert all_of(policy) == all_of(other)


def test_the_compiled_undo_is_the_same() -> None:
    policy = taught("tiger")
    before = all_of(policy)
    mark = by_address(policy, "mark", 0)
    for bit in (1, 0, *[1] * 9, 0, 1):
        assert by_address(policy, "append", bit) == 0
    assert by_address(policy, "revert", int(mark)) == 0
    assert all_of(policy) == before
    assert by_address(policy, "revert", int(mark)) == FAILED


@given(coding=CODINGS, depth=DEPTHS, past=steps(20), one=steps(10), two=steps(10))
@settings(deadline=None, max_examples=50)
def test_a_copy_is_independent(coding: Coding, depth: int, past: list[Step], one: list[Step], two: list[Step]) -> None:
    policy = LearnedPolicy(coding, depth=depth)
    for step in past:
        take(policy, step)
    mark, before = policy.mark(), all_of(policy)
    twin, third = policy.copy(), policy.copy()
    for step in one:
        take(policy, step)
    assert all_of(twin) == before
    for step in two:
        take(twin, step)
        take(third, step)
    assert all_of(twin) == all_of(third)
    policy.revert(mark)
    assert all_of(policy) == before
    with pytest.raises(ValueError, match="there is no mark"):
        twin.revert(0)
    assert twin.addresses.state != policy.addresses.state


# ---------------------------------------------------------------------------------------------- made by name


def test_it_reads_as_far_back_as_it_is_told() -> None:
    world = make("kuhn-poker")
    assert make_policy("learned", world, depth=7).depth == 7  # type: ignore[attr-defined]
    assert make_policy("learned", world).depth == world.settings.depth  # type: ignore[attr-defined]
    assert LearnedPolicy.for_environment(world).depth == world.settings.depth
    for depth in (0, 1 << 21, 2.5):
        with pytest.raises(ValueError, match="depth is"):
            LearnedPolicy(world.coding, depth=depth)  # type: ignore[arg-type]


def test_it_says_how_large_it_is() -> None:
    policy = taught("tiger")
    empty, full = LearnedPolicy(policy.coding, depth=12).statistics(), policy.statistics()
    assert 0 < empty.nodes < full.nodes  # type: ignore[operator]
    assert full.memory >= 32 * full.nodes  # type: ignore[operator]

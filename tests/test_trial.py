"""The trial of a policy: what was earned with it and without, and whether it is followed."""

from __future__ import annotations

import math
from statistics import mean, pvariance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aixi_approx import make
from aixi_approx.rollouts.learned import LearnedPolicy
from aixi_approx.rollouts.trial import LATEST, LEAST, Earned, Trial

REWARDS = st.lists(st.integers(-100, 100), max_size=80)
CODING = make("tiger").coding


@given(values=st.lists(st.floats(-100, 100), min_size=1, max_size=LATEST))
def test_the_first_blocks_count_alike(values: list[float]) -> None:
    earned = Earned()
    for value in values:
        earned = earned.with_one_more(value)
    assert earned.blocks == len(values)
    assert earned.mean == pytest.approx(mean(values), abs=1e-9)
    assert earned.variance == pytest.approx(pvariance(values), abs=1e-6)
    assert earned.noise == pytest.approx(pvariance(values) / len(values), abs=1e-6)


def test_what_is_long_ago_is_forgotten() -> None:
    earned = Earned()
    for value in [100.0] * LATEST + [0.0] * 5 * LATEST:
        earned = earned.with_one_more(value)
    assert earned.mean < 1


@given(rewards=REWARDS, block=st.integers(1, 7))
def test_every_block_counts_once_for_its_kind(rewards: list[int], block: int) -> None:
    trial, sums, kinds = Trial(), [], []
    for t, reward in enumerate(rewards):
        if t % block == 0:
            kinds.append(trial.guided)
        assert trial.guided == kinds[-1], "a block is of one kind"
        trial = trial.after(reward, block)
        if t % block == block - 1:
            sums.append(sum(rewards[t + 1 - block : t + 1]))
    done = kinds[: len(sums)]
    assert trial.guided_ones.blocks == sum(done)
    assert trial.without.blocks == len(done) - sum(done)
    if sum(done) <= LATEST and sum(done):
        assert trial.guided_ones.mean == pytest.approx(mean(s for s, k in zip(sums, done, strict=True) if k))
    assert (trial.cycles, trial.earned) == (len(rewards) % block, sum(rewards[len(sums) * block :]))


@pytest.mark.parametrize(("with_it", "without"), [(1.0, 0.0), (0.0, 1.0)])
def test_the_better_kind_is_taken_and_the_other_never_given_up(with_it: float, without: float) -> None:
    trial, guided = Trial(), []
    for t in range(3_000):
        guided.append(trial.guided)
        trial = trial.after((with_it if trial.guided else without) + (t % 7 - 3), 3)  # noise of a period
    share = mean(guided[600:])
    assert trial.helps == (with_it > without)
    assert share > 0.8 if with_it > without else share < 0.2
    assert min(share, 1 - share) > LEAST / 3


def test_chances() -> None:
    sure, unsure = Earned(20, 3.0, 0.0), Earned(20, 3.0, 20.0)
    assert Trial().chance == Trial(sure, Earned(1, 9.0, 0.0)).chance == 0.5
    assert Trial(sure, sure).chance == 0.5
    assert Trial(sure, Earned(20, 4.0, 0.0)).chance == 1
    assert Trial(Earned(20, 4.0, 0.0), sure).chance == 0
    one_deviation = Trial(unsure, Earned(20, 3.0 + math.sqrt(2), 20.0))
    assert one_deviation.chance == pytest.approx(0.8413, abs=1e-4)


@given(before=REWARDS, after=REWARDS, later=REWARDS)
def test_a_policy_takes_its_trial_back(before: list[int], after: list[int], later: list[int]) -> None:
    policy, other = (LearnedPolicy(CODING, depth=4) for _ in range(2))

    def earn(of: LearnedPolicy, rewards: list[int]) -> None:
        for reward in rewards:
            of.earn(reward, block=3, simulations=10)

    earn(policy, before)
    earn(other, before)
    mark = policy.mark()
    earn(policy, after)
    policy.revert(mark)
    earn(policy, later)
    earn(other, later)
    assert policy.snapshot() == other.snapshot()
    assert policy.helps(10) == other.helps(10)
    assert policy.copy().snapshot() == policy.snapshot()


def test_an_evaluation_takes_the_better_way_and_small_searches_follow_anyway() -> None:
    policy = LearnedPolicy(CODING, depth=4)
    for _ in range(400):
        policy.earn(-10 if policy.helps(100) else 10, block=2, simulations=100)
    policy.mark()
    assert [policy.helps(n) for n in (10, 99, 100, 1_000)] == [1, 1, 0, 0]
    fresh = LearnedPolicy(CODING, depth=4)
    fresh.mark()
    assert fresh.helps(100) == 1, "a policy is followed until there is something to compare"

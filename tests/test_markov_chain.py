"""The long run of a chain, against powers of its lazy version, which has the same long run."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from aixi_approx.pomdp.markov_chain import long_run_reward


def powers(step: np.ndarray, reward: np.ndarray) -> np.ndarray:
    """(I + P)/2 is not periodic, and its powers tend to the mean of those of P."""
    power = (np.eye(len(reward)) + step) / 2
    for _ in range(60):
        power = power @ power
        power /= power.sum(axis=1, keepdims=True)
    return power @ reward


@given(count=st.integers(1, 12), density=st.sampled_from([0.1, 0.2, 0.6]), seed=st.integers(0, 10**6))
@settings(deadline=None, max_examples=150)
def test_equals_powers(count: int, density: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    step = random.random((count, count)) * (random.random((count, count)) < density)
    step[np.arange(count), random.integers(count, size=count)] += 0.5  # few edges: transient, closed, periodic parts
    step /= step.sum(axis=1, keepdims=True)
    reward = random.integers(-9, 9, size=count).astype(float)
    assert long_run_reward(csr_array(step), reward) == pytest.approx(powers(step, reward), abs=1e-8)


def test_a_chain_that_hardly_ever_moves() -> None:
    step = csr_array(np.array([[1 - 4e-13, 3e-13, 1e-13], [0, 1, 0], [0, 0, 1.0]]))
    assert long_run_reward(step, np.array([5.0, 1, 0])) == pytest.approx([0.75, 1, 0], abs=1e-12)


def test_a_periodic_chain_and_an_absorbed_one() -> None:
    swap = csr_array(np.array([[0, 1.0], [1, 0]]))
    assert long_run_reward(swap, np.array([0.0, 1])) == pytest.approx([0.5, 0.5])
    ruin = csr_array(np.array([[1, 0, 0], [0.25, 0, 0.75], [0, 0, 1.0]]))
    assert long_run_reward(ruin, np.array([0.0, 100, 8])) == pytest.approx([0, 6, 8])

"""The compute-optimal frontier: a slow twin, known surfaces, and that nobody chooses with the numbers that judge."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aixi_approx.laws.frontier import FINE, POINTS, Surface, find_frontier

E, N = np.array([10.0, 100.0, 1_000.0]), np.array([1.0, 10.0, 100.0, 1_000.0])


def power_surface(e0: float = 100.0, n0: float = 30.0) -> np.ndarray:
    """Chances of learning and of finding that multiply."""
    result: np.ndarray = 1 / (1 + e0 / E[:, None]) / (1 + n0 / N)
    return result


def slow_best(score: np.ndarray, learning: np.ndarray, deciding: np.ndarray, decisions: float, budget: float) -> Any:
    """The best score of all points between the measured ones, one after the other, and the least compute of it."""
    best, cost = -math.inf, math.inf
    steps = [i / FINE for i in range(FINE)]
    rows = [(i, part) for i in range(len(E) - 1) for part in steps] + [(len(E) - 2, 1.0)]
    columns = [(j, part) for j in range(len(N) - 1) for part in steps] + [(len(N) - 2, 1.0)]
    for i, p in rows:
        for j, q in columns:
            corners = (
                (i, j, (1 - p) * (1 - q)),
                (i + 1, j, p * (1 - q)),
                (i, j + 1, (1 - p) * q),
                (i + 1, j + 1, p * q),
            )
            value = sum(weight * score[a, b] for a, b, weight in corners)
            each = math.exp(sum(weight * math.log(deciding[a, b]) for a, b, weight in corners))
            learn = math.exp((1 - p) * math.log(learning[i]) + p * math.log(learning[i + 1]))
            total = learn + decisions * each
            if total <= budget * (1 + 1e-9) and value > best:
                best, cost = value, total
    return best, cost


@given(st.integers(0, 10_000), st.sampled_from([1.0, 30.0, 5_000.0]))
@settings(max_examples=15, deadline=None)
def test_the_slow_twin_finds_the_same(seed: int, decisions: float) -> None:
    random = np.random.default_rng(seed)
    score = random.normal(size=(3, 4))
    learning, deciding = np.cumsum(random.uniform(1, 100, 3)), np.cumsum(random.uniform(1, 9, (3, 4)), axis=1)
    found = find_frontier(E, N, score=score[None], learning=learning, deciding=deciding, decisions=decisions)
    assert found is not None
    assert found.compute.shape == (POINTS,)
    for i in range(0, POINTS, 6):
        best, _ = slow_best(score, learning, deciding, decisions, found.compute[i])
        assert found.score[0, i] == pytest.approx(best, abs=1e-9)


def test_ends_are_the_cheapest_and_the_most_expensive_point() -> None:
    deciding = np.tile(N, (3, 1))
    found = find_frontier(E, N, score=power_surface()[None], learning=E, deciding=deciding, decisions=7)
    assert found is not None
    assert found.compute[[0, -1]] == pytest.approx([10 + 7, 1_000 + 7_000])
    assert found.edge == pytest.approx(min(1_000 + 7, 10 + 7_000))
    assert found.score[0, 0] == pytest.approx(power_surface()[0, 0])
    assert (np.diff(found.score[0]) >= 0).all()
    assert found.score[0, -1] == pytest.approx(power_surface()[-1, -1])
    assert (found.experience[0, -1], found.simulations[0, -1]) == pytest.approx((1_000, 1_000))
    assert found.share[0, -1] == pytest.approx(1 / 8)
    some = find_frontier(
        E, N, score=power_surface()[None], learning=E, deciding=deciding, decisions=7, compute=np.array([8_000.0])
    )
    assert some is not None
    assert some.score[0] == pytest.approx(found.score[0, -1:])


def test_more_decisions_leave_less_for_learning() -> None:
    shares = []
    for decisions in (1, 100, 10_000):
        found = find_frontier(
            E, N, score=power_surface()[None], learning=E * 50, deciding=np.tile(N, (3, 1)), decisions=decisions
        )
        assert found is not None
        shares.append(found.share[0].mean())
    assert shares[0] > shares[1] > shares[2]


def test_half_of_the_seeds_choose_and_the_others_say_what_it_is_worth() -> None:
    """Scores that are noise: the best of many is far above 0 where the same numbers choose and judge."""
    noise = np.random.default_rng(1).normal(size=(200, 10, 3, 4))
    most = [find(each).score[0, -1] for each in noise]
    assert np.mean([each.mean(axis=0).max() for each in noise]) > 0.3
    assert np.mean(most) == pytest.approx(0, abs=3 * np.std(most) / math.sqrt(len(most)))


def find(score: np.ndarray) -> Any:
    found = find_frontier(E, N, score=score, learning=E, deciding=np.tile(N, (3, 1)), decisions=3)
    assert found is not None
    return found


def test_intervals_hold_the_truth() -> None:
    """In nine of ten cases or more, with ten seeds."""
    random, inside = np.random.default_rng(2), 0
    truth = find(power_surface()[None]).score[0]
    for _ in range(40):
        found = find(power_surface() + 0.05 * random.normal(size=(10, 3, 4)))
        low, high = np.percentile(found.score[1:], [2.5, 97.5], axis=0)
        inside += int(low[20] <= truth[20] <= high[20])
    assert inside >= 34


@pytest.mark.parametrize("lack", ["a score", "a cost", "no cost", "all seeds", "one row"])
def test_what_is_not_known_gives_no_frontier(lack: str) -> None:
    score, learning, deciding = np.tile(power_surface(), (2, 1, 1)), E.copy(), np.tile(N, (3, 1))
    e = E
    if lack == "a score":
        score[:, 1, 1] = np.nan
    if lack == "a cost":
        deciding[2, 2] = np.nan
    if lack == "no cost":
        learning[0] = 0
    if lack == "all seeds":
        score = score[:0]
    if lack == "one row":
        e, score, learning, deciding = E[:1], score[:, :1], learning[:1], deciding[:1]
    assert find_frontier(e, N, score=score, learning=learning, deciding=deciding, decisions=1) is None


def test_a_surface_is_what_was_measured_where_it_was() -> None:
    surface = Surface(E, N, learning=E, deciding=np.tile(N, (3, 1)), decisions=2)
    assert surface.between(power_surface())[::FINE, ::FINE] == pytest.approx(power_surface())
    assert surface.experience[::FINE] == pytest.approx(E)
    assert surface.simulations[::FINE] == pytest.approx(N)
    assert surface.compute[::FINE, ::FINE] == pytest.approx(E[:, None] + 2 * N)

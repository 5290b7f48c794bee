"""Level curves on made-up planes of simulations while learning and when acting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aixi_approx.laboratory.train_test import level_curve

TRAIN, TEST = np.array([3.0, 10.0, 50.0, 300.0]), np.array([1.0, 3.0, 10.0, 30.0, 100.0, 300.0])


@given(
    a=st.floats(0.1, 1),
    b=st.floats(-1, 1),
    level=st.floats(0, 3),
    alone=st.booleans(),
)
@settings(deadline=None, max_examples=200)
def test_slopes_of_a_plane_are_its_own(a: float, b: float, level: float, alone: bool) -> None:
    """Of a score a log10 test + b log10 train it is -b/a; beyond the plane nothing can be told."""
    score = a * np.log10(TEST) + b * np.log10(TRAIN)[:, None]
    test, given_score = TEST, score
    if alone:  # whatever the policy scores alone
        test, given_score = np.array([0.0, *TEST]), np.concatenate([np.full((4, 1), 9.0), score], axis=1)
    curve = level_curve(TRAIN, test, mean_score=given_score, level=level)
    assert curve.level == level
    inside = (score[:, 0] + 1e-9 < level) & (level < score[:, -1] - 1e-9)
    outside = (score[:, 0] - 1e-9 > level) | (level > score[:, -1] + 1e-9)
    for i in range(4):
        if inside[i]:
            assert curve.test[i] == pytest.approx(10 ** ((level - b * np.log10(TRAIN[i])) / a))
        if outside[i]:
            assert curve.test[i] is None
    assert len(curve.slopes) == 3
    for i, slope in enumerate(curve.slopes):
        if inside[i] and inside[i + 1]:
            assert slope == pytest.approx(-b / a, abs=1e-6)
        if outside[i] or outside[i + 1]:
            assert slope is None


def test_the_level_is_half_way_between_the_lowest_and_the_highest() -> None:
    """The policy alone among them; what is unknown is not."""
    score = np.array([[0.0, 0.4, 1.0], [0.2, np.nan, 0.8]])
    assert level_curve(np.array([1, 2]), np.array([0, 1, 10]), mean_score=score).level == 0.5
    nothing = level_curve(np.array([1, 2]), np.array([0, 1, 10]), mean_score=score * np.nan)
    assert np.isnan(nothing.level)
    assert nothing[1:] == ([None, None], [None])


def test_a_level_that_is_not_crossed_has_no_points() -> None:
    flat = np.full((4, 6), 0.5)
    for score in (flat, flat + np.array([0, 1, 0, 1])[:, None]):
        curve = level_curve(TRAIN, TEST, mean_score=score)
        assert curve[1:] == ([None] * 4, [None] * 3)
    half = np.where(TEST >= 10, 1.0, 0.0) + np.array([0, 0, 5, 5])[:, None]
    curve = level_curve(TRAIN, TEST, mean_score=half, level=0.5)
    assert curve.test == [pytest.approx(10**0.5 * 3**0.5), pytest.approx(10**0.5 * 3**0.5), None, None]
    assert curve.slopes == [0, None, None], "the same of both"

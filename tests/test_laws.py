"""Scaling laws: known parameters come back, the right form extrapolates best, and nothing is claimed of noise."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit, nnls

from aixi_approx.estimate import Estimate
from aixi_approx.laws.bootstrap import RESAMPLES, estimate, resampled
from aixi_approx.laws.curves import CURVES, fit_curve
from aixi_approx.laws.extrapolation import compare
from aixi_approx.laws.joint import fit_joint_law, joint_laws
from aixi_approx.laws.least_squares import fit
from aixi_approx.laws.trade_off import contour, fit_trade_off

X = 2.0 ** np.arange(5, 14)  # 32 to 8192
LAWS = {law.name: law for law in CURVES}
# Each form with parameters whose shape shows in the small half, 32 to 512.
TRUE = {
    "power law": (lambda x, a, b: a * x**-b, {"a": 3, "b": 0.6}),
    "power law with offset": (lambda x, c, a, b: c + a * x**-b, {"c": 0.3, "a": 4, "b": 0.7}),
    "logarithm": (lambda x, c, a: c + a * np.log(x), {"c": 5, "a": -0.4}),
    "logarithm over x": (lambda x, a, b: (a + b * np.log(x)) / x, {"a": -20, "b": 30}),
    "exponential": (lambda x, c, a, b: c + a * np.exp(-x / b), {"c": 0.3, "a": 2, "b": 300}),
    "sigmoid": (lambda x, c, a, x0, b: c + a / (1 + (x0 / x) ** b), {"c": 0.1, "a": 0.8, "x0": 200, "b": 1.5}),
}
RISING = {
    "power law": {"a": 0.01, "b": -0.3},
    "power law with offset": {"c": 1, "a": -3, "b": 0.6},
    "logarithm": {"c": 0.1, "a": 0.1},
    "logarithm over x": {"a": -20, "b": 2},
    "exponential": {"c": 1, "a": -0.8, "b": 300},
    "sigmoid": {"c": 0.1, "a": 0.8, "x0": 200, "b": 1.5},
}


def noisy(y: np.ndarray, seeds: int, noise: float, seed: int = 0) -> np.ndarray:
    """Rows of a study: each seed is off by a constant of its own, and at each point by another."""
    random = np.random.default_rng(seed)
    apart = (seeds, *[1] * y.ndim)
    return y + noise * (random.normal(size=apart) + random.normal(size=(seeds, *y.shape)))


def holds(interval: Estimate, truth: float, slack: float = 1.0) -> bool:
    """Whether the truth lies in an interval, or not further out than its width times (slack - 1) / 2."""
    more = (slack - 1) / 2 * (interval.high - interval.low)
    return interval.low - more <= truth <= interval.high + more


@pytest.mark.parametrize("name", TRUE)
def test_parameters_come_back_and_the_right_form_extrapolates_best(name: str) -> None:
    form, falling = TRUE[name]
    for parameters in (falling, RISING[name]):
        y = form(X, **parameters)
        fitted = fit_curve(X, noisy(y, 20, 1e-3 * np.ptp(y)))
        assert fitted.best is not None
        assert fitted.laws[0].name == name, [(law.name, law.error) for law in fitted.laws]
        assert fitted.best.name == name
        assert [law.error.mean for law in fitted.laws] == sorted(law.error.mean for law in fitted.laws)
        for parameter, truth in parameters.items():
            assert holds(fitted.best.parameters[parameter], truth, 2), parameter
        assert fitted.best.error.high < fitted.persistence.low
        assert fitted.best.residual < 1e-3 * np.ptp(y)
        assert fitted.best.predict(X * 4) == pytest.approx(form(X * 4, **parameters), abs=0.01 * np.ptp(y))


@pytest.mark.parametrize("name", TRUE)
def test_without_noise_nothing_is_wrong(name: str) -> None:
    form, parameters = TRUE[name]
    y = form(X, **parameters)
    best = fit_curve(X, np.stack([y, y, y])).best
    assert best is not None
    assert best.name == name
    assert best.error.mean < 1e-3 * np.ptp(y)
    assert {key: value.mean for key, value in best.parameters.items()} == pytest.approx(parameters, rel=1e-3)


@pytest.mark.parametrize("name", ["power law with offset", "exponential", "sigmoid"])
@pytest.mark.parametrize("seed", range(3))
def test_separable_least_squares_against_curve_fit(name: str, seed: int) -> None:
    form, parameters = TRUE[name]
    y = noisy(form(X, **parameters), 1, 0.01, seed)
    slow, _ = curve_fit(form, X, y[0], p0=list(parameters.values()), maxfev=10_000)
    law = LAWS[name]
    found = dict(zip(law.coefficients + law.parameters, law.fit([X], y)[0], strict=True))
    assert [found[key] for key in parameters] == pytest.approx(slow, rel=2e-3)
    worse = np.square(form(X, *slow) - y).sum()
    assert np.square(law.predict([X], law.fit([X], y)) - y).sum() <= worse * (1 + 1e-6)


@given(st.integers(0, 10**6), st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_nonnegative_coefficients_against_nnls(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    columns, samples = random.normal(size=(count, 7)), random.normal(size=(4, 7))
    found = fit(lambda: list(columns), [], samples=samples, nonnegative=True).coefficients
    assert found == pytest.approx(np.array([nnls(columns.T, y)[0] for y in samples]), abs=1e-9)


def test_samples_are_fitted_each_for_itself() -> None:
    samples = noisy(TRUE["sigmoid"][0](X, **TRUE["sigmoid"][1]), 20, 0.02)
    law = LAWS["sigmoid"]
    alone = np.concatenate([law.fit([X], y[None]) for y in samples])
    assert law.fit([X], samples) == pytest.approx(alone, rel=0.05)
    assert law.predict([X], law.fit([X], samples)) == pytest.approx(law.predict([X], alone), abs=1e-5)


def test_extrapolation_error_by_hand() -> None:
    y = noisy(TRUE["logarithm"][0](X, 5, -0.4), 8, 0.1)
    fitted = fit_curve(X, y)
    mean = y.mean(axis=0)
    line = np.polyfit(np.log(X[:5]), mean[:5], 1)
    error = next(law.error.mean for law in fitted.laws if law.name == "logarithm")
    assert error == pytest.approx(math.sqrt(np.mean((np.polyval(line, np.log(X[5:])) - mean[5:]) ** 2)))
    assert fitted.persistence.mean == pytest.approx(math.sqrt(np.mean((mean[4] - mean[5:]) ** 2)))


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    form, truth = TRUE["power law with offset"]
    small, stay = np.arange(9) < 5, np.full(9, 4)
    found = []
    for seed in range(60):
        y = noisy(form(X, **truth), 20, 0.02, seed)
        found.append(
            compare([LAWS["power law with offset"]], [X], y=y, small=small, stay=stay, rest="", seed=seed)
            .laws[0]
            .parameters
        )
    for name in truth:
        assert sum(holds(each[name], truth[name]) for each in found) >= 50
        width = np.mean([each[name].high - each[name].low for each in found])
        assert 3.2 < width / np.std([each[name].mean for each in found]) < 4.8  # 3.92 of a normal distribution


@pytest.mark.parametrize("seeds", [2, 5, 20])
def test_resamples_vary_as_the_mean_does(seeds: int) -> None:
    y = np.random.default_rng(seeds).normal(size=(seeds, 2000))
    means = resampled(y, 1)
    assert means.shape == (1 + RESAMPLES, 2000)
    assert means[0] == pytest.approx(y.mean(axis=0))
    assert means[1:].std(axis=0).mean() == pytest.approx(y.std(axis=0, ddof=1).mean() / math.sqrt(seeds), rel=0.15)


def test_an_estimate_lies_in_its_interval() -> None:
    assert estimate(np.array([9.0, *range(101)])) == Estimate(9, 2.5, 97.5)
    assert estimate(np.array([999.0, *range(101)])) == Estimate(999, 2.5, 999)
    assert estimate(np.array([-9.0, *range(101)])) == Estimate(-9, -9, 97.5)
    assert estimate(np.array([3.0])) == Estimate(3, -math.inf, math.inf)


def test_nothing_is_claimed_of_noise() -> None:
    claims = [fit_curve(X, noisy(np.ones(9), 10, 0.1, seed), seed=seed) for seed in range(60)]
    nothing = sum(claim.why == "nothing to fit: it changes by less than its interval" for claim in claims)
    assert 50 <= nothing < 60  # 5 % of the time it does change by more
    assert sum(claim.best is not None for claim in claims) <= 1


def test_persistence_wins_where_the_curve_has_ended() -> None:
    random = np.random.default_rng(1)
    y = np.where(X < 200, 1.0 + 0.5 * np.cos(X), 0.3) + 0.01 * random.normal(size=(10, 9))
    fitted = fit_curve(X, y)
    assert fitted.best is None
    assert fitted.why.startswith(f"no law fits: the best ({fitted.laws[0].name}) predicts the large half to ")
    assert fitted.laws[0].error.mean > fitted.persistence.mean
    assert fitted.why.endswith(f", the last-value forecast to {fitted.persistence.mean:.3g}")


def test_what_may_be_luck_is_not_the_best() -> None:
    y = noisy(TRUE["power law"][0](X, 3, 0.6), 20, 0.1, 5)
    fitted = fit_curve(X, y)
    assert fitted.laws[0].error.mean < fitted.persistence.mean
    assert fitted.best is None
    assert fitted.why.startswith(
        f"no law surely beats the last-value forecast: the best ({fitted.laws[0].name}) predicts"
    )


def test_forms_that_can_not_be_told_apart_are_named() -> None:
    form, parameters = TRUE["power law"]
    fitted = fit_curve(X, noisy(form(X, **parameters), 20, 0.01))
    assert fitted.best is not None
    assert fitted.why.startswith(f"{fitted.best.name} predicts the large half to {fitted.best.error.mean:.3g}")
    assert "; within the noise as good: " in fitted.why
    assert "logarithm" not in fitted.why


def test_an_interval_is_open_where_the_search_ends() -> None:
    y = noisy(TRUE["logarithm"][0](X, 5, -0.4), 10, 0.001)
    power = next(law for law in fit_curve(X, y).laws if law.name == "power law with offset")
    assert power.parameters["b"] == Estimate(pytest.approx(0.02), -math.inf, pytest.approx(0.02))


@given(st.sampled_from(sorted(TRUE)), st.integers(-20, 20), st.integers(-10, 10), st.integers(0, 1000))
@settings(max_examples=4, deadline=None)
def test_units_do_not_matter(name: str, y_power: int, x_power: int, seed: int) -> None:
    y_unit, x_unit = 3.0**y_power, 2.0**x_power
    form, parameters = TRUE[name]
    y = noisy(form(X, **parameters), 6, 0.005, seed)
    one, other = fit_curve(X, y, seed=seed), fit_curve(X * x_unit, y * y_unit, seed=seed)
    assert (one.best and one.best.name) == (other.best and other.best.name)
    assert np.array(other.persistence) == pytest.approx(np.array(one.persistence) * y_unit)
    for law in one.laws:
        twin = next(each for each in other.laws if each.name == law.name)
        assert twin.error.mean == pytest.approx(law.error.mean * y_unit, rel=0.01)
        assert twin.residual == pytest.approx(law.residual * y_unit, rel=1e-3)
        assert twin.predict(X * x_unit) == pytest.approx(law.predict(X) * y_unit, rel=1e-3, abs=1e-3 * y_unit)
    if name in ("power law", "power law with offset", "exponential"):
        once, again = (next(law for law in each.laws if law.name == name).parameters for each in (one, other))
        unit = {"b": x_unit if name == "exponential" else 1, "c": y_unit}
        unit["a"] = y_unit * (1 if name == "exponential" else x_unit ** once["b"].mean)
        for parameter in parameters:
            assert again[parameter].mean == pytest.approx(once[parameter].mean * unit[parameter], rel=0.01)


def test_the_same_seed_gives_the_same() -> None:
    y = noisy(TRUE["sigmoid"][0](X, **TRUE["sigmoid"][1]), 5, 0.01)
    assert fit_curve(X, y, seed=3).laws == fit_curve(X, y, seed=3).laws
    one, other = fit_curve(X, y, seed=3).laws[0], fit_curve(X, y, seed=4).laws[0]
    assert one.error != other.error
    assert one.error.mean == other.error.mean


GOOD = noisy(TRUE["power law"][0](X, 3, 0.6), 5, 0.01)


@pytest.mark.parametrize(
    ("x", "y", "why"),
    [
        (X, np.full((5, 9), np.nan), "too few points: 0 of the 5 that it takes"),
        (X, np.empty((0, 9)), "too few points: 0 of the 5 that it takes"),
        (X[:2], GOOD[:, :2], "too few points: 2 of the 5 that it takes"),
        (X * [1, 1, 1, 1, 0, 0, 0, -1, np.nan], GOOD, "too few points: 4 of the 5 that it takes"),
        (X, np.full((5, 9), 0.1), "nothing to fit: it changes by less than its interval"),
        (X, np.zeros((5, 9)), "nothing to fit: it changes by less than its interval"),
        (X, np.full((1, 9), 0.1), "nothing to fit: it changes by less than its interval"),
        (X[::-1], GOOD, "x does not ascend"),
        (X * 0 + 1, GOOD, "x does not ascend"),
        (X, np.where(np.eye(5, 9, dtype=bool), np.inf, GOOD), "no seed has all the points"),
    ],
)
def test_what_can_not_be_fitted_is_said(x: np.ndarray, y: np.ndarray, why: str) -> None:
    fitted = fit_curve(x, y)
    assert (fitted.laws, fitted.best, fitted.why) == ([], None, why)
    assert math.isnan(fitted.persistence.mean)


def test_one_seed_has_no_interval() -> None:
    fitted = fit_curve(X, GOOD[:1])
    assert fitted.best is None
    assert fitted.why.startswith("one seed has no interval: the best (")
    assert all(law.error[1:] == (-math.inf, math.inf) for law in fitted.laws)


def test_what_is_missing_is_left_out() -> None:
    y = GOOD.copy()
    y[1, 3], y[:, 7], y[0, 7] = np.nan, np.nan, np.inf
    keep = np.arange(9) != 7
    assert fit_curve(X, y).laws == fit_curve(X[keep], GOOD[np.ix_([0, 2, 3, 4], keep)]).laws
    shifted = np.concatenate([[0], X])
    assert fit_curve(shifted, np.pad(GOOD, ((0, 0), (1, 0)))).laws == fit_curve(X, GOOD).laws


@pytest.mark.parametrize("y", [1e200 * GOOD, 1e-200 * GOOD, -GOOD, np.round(GOOD), GOOD - GOOD.mean()])
def test_odd_numbers_raise_nothing(y: np.ndarray) -> None:
    assert fit_curve(X, y).why


def test_few_points_have_few_laws() -> None:
    assert {law.name for law in fit_curve(X[:5], GOOD[:, :5]).laws} == {law.name for law in CURVES} - {"sigmoid"}


def test_shapes_must_match() -> None:
    with pytest.raises(ValueError, match=r"x has shape \(9,\) and y \(5, 8\): they must be \(K,\) and \(S, K\)"):
        fit_curve(X, GOOD[:, 1:])
    with pytest.raises(ValueError, match="they must be"):
        fit_joint_law(X, X, loss=GOOD)
    with pytest.raises(ValueError, match="they must be"):
        fit_trade_off(X, X, score=GOOD, levels=np.ones(1))


# Contours and their slope.

LEARN, SEARCH = 100.0 * 4 ** np.arange(6), 2.0 ** np.arange(3, 12)


def plodding_contour(learn: list, search: list, score: list, level: float) -> list[tuple[float, float]]:
    """A walk along each row."""
    points = []
    for x, row in zip(learn, score, strict=True):
        envelope = [max(row[: i + 1]) for i in range(len(row))]
        if envelope[0] >= level:
            continue
        for (left, low), (right, high) in pairwise(zip(search, envelope, strict=True)):
            if low < level <= high:
                share = (level - low) / (high - low)
                points.append((x, left ** (1 - share) * right**share))
    return points


@given(st.integers(0, 10**6), st.sampled_from([0.1, 0.3, 0.5, 0.9, 1.1]))
@settings(max_examples=50, deadline=None)
def test_contour_against_its_slow_twin(seed: int, level: float) -> None:
    score = np.round(np.random.default_rng(seed).random((6, 9)), 1)
    found, slow = (
        contour(LEARN, SEARCH, mean_score=score, level=level),
        plodding_contour(list(LEARN), list(SEARCH), score.tolist(), level),
    )
    assert [x for x, _ in found] == [x for x, _ in slow]
    assert [y for _, y in found] == pytest.approx([y for _, y in slow])


def test_contour_leaves_out_bounds_and_gaps() -> None:
    score = np.array(
        [[0.1, 0.2, 0.3], [0.6, 0.7, 0.8], [0.1, np.nan, 0.8], [np.nan, 0.4, 0.6], [np.nan] * 3, [0, 1, 0]]
    )
    assert contour(LEARN, np.array([1.0, 10, 100]), mean_score=score, level=0.5) == [
        (LEARN[3], pytest.approx(10**1.5)),
        (LEARN[5], pytest.approx(10**0.5)),
    ]


def surface(k: float) -> np.ndarray:
    """A score that depends on log C_search - k log C_learn alone."""
    both = np.log10(SEARCH)[None] - k * np.log10(LEARN)[:, None]
    return (both - both.mean()) / 4 + 0.5


LEVELS = np.array([0.3, 0.4, 0.5, 0.6])


@pytest.mark.parametrize("k", [-1.2, -0.5])
def test_trade_off_comes_back(k: float) -> None:
    exact = fit_trade_off(LEARN, SEARCH, score=np.stack([surface(k)] * 3), levels=LEVELS)
    assert exact.k is not None
    assert exact.c is not None
    assert exact.k == pytest.approx((k, k, k))
    assert exact.c == pytest.approx((4, 4, 4))
    assert exact.r2 == pytest.approx(1)
    once = contour(LEARN, SEARCH, mean_score=surface(k), level=0.4)
    assert [point[:2] for point in exact.points if point[2] == 0.4] == [pytest.approx(point) for point in once]
    noise = fit_trade_off(LEARN, SEARCH, score=noisy(surface(k), 12, 0.01), levels=LEVELS)
    assert noise.k is not None
    assert holds(noise.k, k, 1.5)
    assert 0 < noise.k.high - noise.k.low < 0.2
    assert 0.9 < noise.r2 < 1
    assert noise.why == (
        f"k is {noise.k.mean:.3g} ({noise.k.low:.3g} to {noise.k.high:.3g}) "
        f"over {len(noise.points)} points of 4 contours"
    )


def test_trade_off_against_lstsq() -> None:
    found = fit_trade_off(LEARN, SEARCH, score=noisy(surface(-1.2), 12, 0.05), levels=LEVELS)
    learn, search, level = np.array(found.points).T
    table = np.stack([np.ones(len(learn)), np.log10(learn), level], axis=1)
    line, left, *_ = np.linalg.lstsq(table, np.log10(search))
    assert found.a is not None
    assert found.k is not None
    assert found.c is not None
    assert [found.a.mean, found.k.mean, found.c.mean] == pytest.approx(line)
    assert found.r2 == pytest.approx(1 - left[0] / np.square(np.log10(search) - np.log10(search).mean()).sum())


def test_trade_off_of_one_level_or_one_seed() -> None:
    score = noisy(surface(-0.5), 12, 0.01)
    one = fit_trade_off(LEARN, SEARCH, score=score, levels=np.array([0.5, 7]))
    assert one.k is not None
    assert one.c is None
    assert holds(one.k, -0.5, 1.5)
    alone = fit_trade_off(LEARN, SEARCH, score=score[:1], levels=LEVELS)
    assert alone.k is not None
    assert alone.k[1:] == (-math.inf, math.inf)
    assert "(one seed has no interval)" in alone.why


@pytest.mark.parametrize(
    ("x", "score", "levels", "why"),
    [
        (LEARN, np.full((3, 6, 9), np.nan), LEVELS, "no seed has all the points"),
        (LEARN, np.empty((0, 6, 9)), LEVELS, "no seed has all the points"),
        (LEARN * 0, np.zeros((3, 6, 9)), LEVELS, "no seed has all the points"),
        (LEARN[::-1], np.zeros((3, 6, 9)), LEVELS, "x_learn or x_search does not ascend"),
        (LEARN, np.zeros((3, 6, 9)), LEVELS, "too few points: 0 at 0 learn computes, and it takes 4 at 2"),
        (LEARN, surface(-1.2)[None], LEVELS[:0], "too few points: 0 at 0 learn computes, and it takes 4 at 2"),
    ],
)
def test_no_trade_off(x: np.ndarray, score: np.ndarray, levels: np.ndarray, why: str) -> None:
    found = fit_trade_off(x, SEARCH, score=score, levels=levels)
    assert (found.k, found.a, found.c, found.points, found.why) == (None, None, None, [], why)


def test_slope_and_level_that_can_not_be_told_apart() -> None:
    score = np.zeros((4, 9))
    score[:, 4:] = np.array([0.35, 0.45, 0.55, 0.65])[:, None]
    score[:, 2] = score[:, 4] - 0.1  # each row passes one level
    score[:, :2], score[:, 3] = score[:, [2]], score[:, 2]
    found = fit_trade_off(LEARN[:4], SEARCH, score=np.stack([score] * 3), levels=LEVELS)
    assert found.k is None
    assert len(found.points) == 4
    assert found.why.startswith("learn compute and level can't be told apart")


def test_contours_of_too_few_resamples() -> None:
    score = np.zeros((3, 6, 9))  # at four learn computes, one seed of three takes the mean to the level
    score[0, :4, 4:] = 1
    found = fit_trade_off(LEARN, SEARCH, score=score, levels=np.array([0.3]))
    assert len(found.points) == 4
    assert found.k is None
    assert found.why.startswith("k can't be told: only ")


# Both quantities.

E, N = 100.0 * 8 ** np.arange(6), 4.0 ** np.arange(1, 7)
JOINT = {
    "additive": (
        lambda e, n: 0.02 + 4 * e**-0.5 + n**-0.4,
        {"c": 0.02, "a": 4, "b": 1, "alpha": 0.5, "beta": 0.4},
    ),
    "bottleneck": (
        lambda e, n: 0.02 + np.maximum(4 * e**-0.4, 2 * n**-0.6),
        {"c": 0.02, "a": 4 * E[2] ** -0.4, "alpha": 0.4, "beta": 0.6, "N0": (2 * E[2] ** 0.4 / 4) ** (1 / 0.6)},
    ),
    "product": (
        lambda e, n: 0.05 + 5 * e**-0.3 * n**-0.25,
        {"c": 0.05, "a": 5, "alpha": 0.3, "beta": 0.25},
    ),
}


@pytest.mark.parametrize("name", JOINT)
def test_joint_law_comes_back(name: str) -> None:
    form, parameters = JOINT[name]
    loss = form(E[:, None], N[None])
    fitted = fit_joint_law(E, N, loss=noisy(loss, 10, 0.003, 1))
    assert fitted.best is not None
    assert fitted.best.name == name
    assert {law.name for law in fitted.laws} == set(JOINT)
    for parameter, truth in parameters.items():
        assert holds(fitted.best.parameters[parameter], truth, 2), parameter
    row, column = (each.ravel() for each in np.indices(loss.shape))
    assert fitted.best.predict(E[row], N[column]) == pytest.approx(loss.ravel(), abs=0.01)
    assert f"{fitted.best.name} predicts what lies outside of the small quadrant to" in fitted.why


def test_joint_persistence_by_hand() -> None:
    loss = noisy(JOINT["product"][0](E[:, None], N[None, :5]), 3, 0.01)
    mean = loss.mean(axis=0)
    wrong = [mean[min(i, 2), min(j, 2)] - mean[i, j] for i in range(6) for j in range(5) if i > 2 or j > 2]
    found = fit_joint_law(E, N[:5], loss=loss)
    assert found.persistence.mean == pytest.approx(math.sqrt(np.mean(np.square(wrong))))
    additive = next(law for law in found.laws if law.name == "additive")
    assert all(additive.parameters[name].low >= 0 for name in "abc")


def test_joint_law_of_noise_and_of_little() -> None:
    assert fit_joint_law(E, N, loss=noisy(np.ones((6, 6)), 5, 0.1)).why.startswith("nothing to fit")
    assert fit_joint_law(E, N, loss=np.full((5, 6, 6), np.nan)).why == "no seed has all the points"
    assert fit_joint_law(E, N[:4], loss=np.ones((5, 6, 4))).why == "too few points: 6 x 4 of the 5 x 5 that it takes"
    assert fit_joint_law(E[::-1], N, loss=np.ones((5, 6, 6))).why == "experience or simulations do not ascend"


def test_joint_laws_fit_as_well_as_the_truth() -> None:
    e, n = (each.ravel() for each in np.broadcast_arrays(E[:, None], N[None]))
    for law in joint_laws(E[2]):
        samples = noisy(JOINT[law.name][0](e, n), 5, 0.02)
        fitted = law.fit([e, n], samples)
        truth = np.array([[JOINT[law.name][1][key] for key in law.coefficients + law.parameters]] * 5)
        assert law.predict([e, n], truth)[0] == pytest.approx(JOINT[law.name][0](e, n))
        best, true = (np.square(law.predict([e, n], each) - samples).sum(axis=1) for each in (fitted, truth))
        assert (best <= true).all()
        assert (fitted[:, : len(law.coefficients)] >= 0).all()

"""Scaling laws: known parameters come back, the right form extrapolates best, and nothing is claimed of noise."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit, least_squares, nnls

from aixi_approx.laws.bootstrap import RESAMPLES, estimate, resampled
from aixi_approx.laws.curves import CURVES, FALLING_TO_ZERO, LINE, fit_curve, fit_resampled, rising_to
from aixi_approx.laws.estimate import Estimate
from aixi_approx.laws.extrapolation import END, LAST_VALUE, MARGIN, Comparison, compare, halves
from aixi_approx.laws.joint import fit_joint_law, joint_laws, joint_odds
from aixi_approx.laws.least_squares import fit
from aixi_approx.laws.total_excess import LAST_RATE, fit_total_excess
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


def rms(wrong: np.ndarray) -> float:
    return math.sqrt(np.mean(np.square(wrong)))


@pytest.mark.parametrize("name", TRUE)
def test_parameters_come_back_and_the_right_form_extrapolates_best(name: str) -> None:
    form, falling = TRUE[name]
    for parameters in (falling, RISING[name]):
        y = form(X, **parameters)
        fitted = fit_curve(X, noisy(y, 20, 1e-3 * np.ptp(y)), frozen=name)
        assert fitted.best is not None
        assert fitted.best is fitted.laws[0]
        assert fitted.best.name == fitted.frozen == name
        assert [law.error.mean for law in fitted.laws] == sorted(law.error.mean for law in fitted.laws)
        for parameter, truth in parameters.items():
            assert holds(fitted.best.parameters[parameter], truth, 2), parameter
        assert fitted.best.error.high < fitted.persistence.low
        assert fitted.best.residual < 1e-3 * np.ptp(y)
        assert fitted.best.predict(X * 4) == pytest.approx(form(X * 4, **parameters), abs=0.01 * np.ptp(y))
        found = fit_curve(X, noisy(y, 20, 1e-3 * np.ptp(y)))
        assert found.best is not None
        assert name == found.best.name or name in found.why.split("within the noise as good: ")[1]


@pytest.mark.parametrize("name", TRUE)
def test_without_noise_nothing_is_wrong(name: str) -> None:
    form, parameters = TRUE[name]
    y = form(X, **parameters)
    best = fit_curve(X, np.stack([y, y, y]), frozen=name).best
    assert best is not None
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
    assert law.fit([X], samples) == pytest.approx(alone, rel=0.01)
    assert law.predict([X], law.fit([X], samples)) == pytest.approx(law.predict([X], alone), abs=1e-5)


@pytest.mark.parametrize(("frozen", "judging"), [(None, slice(7, 9)), ("logarithm", slice(5, 9))])
def test_extrapolation_error_by_hand(frozen: str | None, judging: slice) -> None:
    y = noisy(TRUE["logarithm"][0](X, 5, -0.4), 8, 0.1)
    fitted = fit_curve(X, y, frozen=frozen)
    mean = y.mean(axis=0)
    line = np.polyfit(np.log(X[:5]), mean[:5], 1)
    logarithm = next(law for law in fitted.laws if law.name == "logarithm")
    wrong = np.polyval(line, np.log(X)) - mean
    assert logarithm.error.mean == pytest.approx(rms(wrong[judging]))
    assert fitted.persistence.mean == pytest.approx(rms(mean[4] - mean[judging]))
    assert fitted.nulls == {LAST_VALUE: fitted.persistence}
    assert (fitted.points_fitted, fitted.points_choosing) == (5, judging.start - 5)
    assert fitted.points_judging == 9 - judging.start
    assert fitted.tried == len(fitted.laws) == len(CURVES)
    small, everything = logarithm.forecast(X[judging], small=True), logarithm.forecast(X[judging])
    assert small.mean == pytest.approx(np.polyval(line, np.log(X[judging])))
    assert everything.mean == pytest.approx(np.polyval(np.polyfit(np.log(X), mean, 1), np.log(X[judging])))
    assert everything.mean == pytest.approx(logarithm.predict(X[judging]))
    others = resampled(y, 0)[1:]
    lines = [np.polyval(np.polyfit(np.log(X), each, 1), np.log(X[judging])) for each in others]
    low, high = np.percentile(lines, [2.5, 97.5], axis=0)
    assert everything.low == pytest.approx(np.minimum(low, everything.mean))
    assert everything.high == pytest.approx(np.maximum(high, everything.mean))


COVERED = [
    (LAWS["power law with offset"], TRUE["power law with offset"][1], 0.02),
    (rising_to(1)[0], {"x0": 700, "b": 1.2}, 0.03),
    (rising_to(1)[1], {"x0": 700, "b": 0.8}, 0.03),
    (FALLING_TO_ZERO[2], {"a": 2, "x0": 300, "b": 0.7}, 0.03),
]


@pytest.mark.parametrize(("law", "truth", "noise"), COVERED, ids=[law.name for law, *_ in COVERED])
def test_intervals_hold_the_truth_about_as_often_as_they_say(law, truth, noise) -> None:
    y = law.predict([X], np.array([list(truth.values())]))[0]
    found = [law.fit([X], resampled(noisy(y, 20, noise, seed), seed)) for seed in range(60)]
    for i, name in enumerate(law.coefficients + law.parameters):
        intervals = [estimate(each[:, i]) for each in found]
        assert 50 <= sum(holds(each, truth[name]) for each in intervals) <= 60, name
        width = np.mean([each.high - each.low for each in intervals])
        assert 3.2 < width / np.std([each.mean for each in intervals]) < 4.8  # 3.92 of a normal distribution


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
    assert fitted.laws[0].error.mean > fitted.persistence.mean
    assert fitted.why == (
        f"no law holds: {fitted.laws[0].name}, chosen among 6 laws by the 2 nearer points, predicts the 2 farther "
        f"points to {fitted.laws[0].error.mean:.3g}, the last value to {fitted.persistence.mean:.3g}; it does not beat "
        "the last value"
    )


def test_what_may_be_luck_is_not_the_best() -> None:
    y = noisy(TRUE["power law"][0](X, 3, 0.6), 20, 0.1, 5)
    fitted = fit_curve(X, y, frozen="power law")
    assert fitted.laws[0].error.mean < fitted.persistence.mean
    assert fitted.best is None
    assert fitted.why.startswith("no law holds: power law, frozen before the data, predicts the 4 outside points to ")
    assert fitted.why.endswith("; it does not surely beat the last value; 5 others were fitted afterwards")


def test_forms_that_can_not_be_told_apart_are_named() -> None:
    form, parameters = TRUE["power law"]
    fitted = fit_curve(X, noisy(form(X, **parameters), 20, 0.01))
    assert fitted.best is not None
    assert fitted.why.startswith(f"{fitted.best.name}, chosen among 6 laws by the 2 nearer points, predicts the 2 ")
    told, others = fitted.why.split("; of 5 others, found afterwards, within the noise as good: ")
    assert told.endswith(f"to {fitted.best.error.mean:.3g}, the last value to {fitted.persistence.mean:.3g}")
    assert "power law" in others + fitted.best.name
    assert "logarithm," not in others + ","


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


# What chooses, and what judges.


@given(st.integers(0, 10**6), st.sampled_from([None, 1.0]))
@settings(max_examples=6, deadline=None)
def test_what_judges_chooses_nothing(seed: int, end: float | None) -> None:
    random = np.random.default_rng(seed)
    y = noisy(1 / (1 + (300 / X) ** random.uniform(0.5, 2)), 4, 0.03, seed)
    other = y.copy()
    other[:, 7:] += random.normal(size=2) * 10.0 ** random.integers(-2, 3)
    one, two = fit_curve(X, y, end=end), fit_curve(X, other, end=end)
    assert one.laws[0].name == two.laws[0].name
    assert one.laws[0].fitted_small == pytest.approx(two.laws[0].fitted_small)
    assert one.laws[0].error.mean != two.laws[0].error.mean
    wrong = {law.name: rms(law.forecast(X[5:7], small=True).mean - y[:, 5:7].mean(axis=0)) for law in one.laws}
    assert min(wrong, key=lambda name: wrong[name]) == one.laws[0].name


def test_what_is_near_chooses() -> None:
    chosen = set()
    for factor in (0.5, 0.9, 1, 1.1):
        y = 1 / (1 + (300 / X) ** 1.2)
        y[5:7] *= factor
        chosen.add(fit_curve(X, noisy(y, 4, 0.001), end=1).laws[0].name)
    assert len(chosen) > 1


def test_the_frozen_law_alone_is_judged() -> None:
    y = noisy(1 / (1 + (300 / X) ** 1.2), 10, 0.001)
    wrong = fit_curve(X, y, end=1, frozen="logarithm over x")
    assert wrong.best is None
    assert wrong.laws[0].name == "logarithm over x"
    assert wrong.laws[1].error.mean < MARGIN * wrong.persistence.mean  # found afterwards: it does not count
    errors = [law.error.mean for law in wrong.laws[1:]]
    assert errors == sorted(errors)
    assert wrong.why.endswith("; 7 others were fitted afterwards")


@pytest.mark.parametrize(
    ("count", "expected"), [(2, (1, 2)), (5, (3, 4)), (6, (3, 4)), (7, (4, 5)), (8, (4, 6)), (9, (5, 7))]
)
def test_halves(count: int, expected: tuple[int, int]) -> None:
    assert halves(count) == expected


def test_one_point_can_not_choose_and_judge() -> None:
    means = resampled(noisy(TRUE["power law"][0](X, 3, 0.6), 20, 0.001), 0)
    near = np.arange(9) < 8
    stays = {LAST_VALUE: np.broadcast_to(means[:, [7]], means.shape)}
    free = compare(CURVES, [X], means=means, small=near, near=near, nulls=stays)
    assert free.best is None
    assert free.why.startswith("one point can't both choose a law and judge it: the nearest, ")
    assert (free.points_fitted, free.points_choosing, free.points_judging) == (8, 0, 1)
    frozen = compare(CURVES, [X], means=means, small=near, near=near, nulls=stays, frozen="power law")
    assert frozen.best is not None
    assert frozen.why.startswith("power law, frozen before the data, predicts the outside point to ")


def test_a_frozen_law_must_exist_and_have_enough_points() -> None:
    with pytest.raises(ValueError, match="no law is called 'odds': there are power law, "):
        fit_curve(X, GOOD, frozen="odds")
    with pytest.raises(ValueError, match="no law is called 'odds add'"):
        fit_joint_law(E, N, loss=np.ones((2, 6, 6)), frozen="odds add")
    few = fit_curve(X[:5], GOOD[:, :5], frozen="sigmoid")
    assert (few.best, few.frozen) == (None, "sigmoid")
    assert few.why == "too few points: 3 in the small half, and sigmoid takes more"


# Known ends.

ENDS = {"odds": (0.8, {"x0": 400, "b": 1.2}), "stretched exponential": (0.8, {"x0": 900, "b": 0.8})}


@given(st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_a_known_term_against_brute_force(seed: int) -> None:
    random = np.random.default_rng(seed)
    x = np.arange(1, 9) / 4
    samples = random.normal(size=(3, 8)) * 10.0 ** random.integers(-3, 4)
    unit = np.abs(samples).max()
    signed = bool(random.integers(2))
    count = int(random.integers(3))
    powers = np.linspace(-1, 1, 41)

    def columns(b: np.ndarray) -> list[np.ndarray]:
        return [np.ones(8), x ** (b + 1)][:count]

    def known(b: np.ndarray) -> np.ndarray:
        return unit * np.exp(b * x)

    found = fit(columns, [powers], samples=samples, known=known, nonnegative=not signed)
    for y, (b,), coefficients in zip(samples, found.parameters, found.coefficients, strict=True):
        mine = y - known(b) - sum(a * column for a, column in zip(coefficients, columns(b), strict=True))
        slow = np.inf
        for power in [*powers, *np.clip(np.linspace(b - 0.05, b + 0.05, 41), -1, 1)]:  # the grid, and finely around
            table, left = np.array(columns(power)).reshape(count, 8).T, y - known(power)
            if not count:
                slow = min(slow, np.square(left).sum())
            elif signed:
                slow = min(slow, np.square(left - table @ np.linalg.lstsq(table, left)[0]).sum())
            else:
                slow = min(slow, nnls(table, left)[1] ** 2)
        assert np.square(mine).sum() <= slow * (1 + 1e-6)
        assert signed or (coefficients >= 0).all()


@pytest.mark.parametrize("index", [0, 1])
@given(st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_known_ends_against_curve_fit(index: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    law = rising_to(0.7)[index]
    truth = X[0] * 10 ** random.uniform(0, 2.4), random.uniform(0.5, 2)
    y = law.known(X, *truth) + 0.02 * random.normal(size=9)
    slow, _ = curve_fit(lambda x, log_x0, b: law.known(x, np.exp(log_x0), b), X, y, p0=[np.log(truth[0]), truth[1]])
    slow[0] = np.exp(slow[0])
    fitted = law.fit([X], y[None])
    left, other = np.square(law.predict([X], fitted) - y).sum(), np.square(law.known(X, *slow) - y).sum()
    assert left <= other * (1 + 1e-6)
    if left > other * (1 - 1e-6):  # the same valley
        assert law.predict([X], fitted)[0] == pytest.approx(law.known(X, *slow), abs=1e-3)


@pytest.mark.parametrize("name", ENDS)
def test_known_ends_come_back(name: str) -> None:
    end, truth = ENDS[name]
    law = next(law for law in rising_to(end) if law.name == name)
    y = noisy(law.known(X, **truth), 20, 0.003)
    for frozen in (name, None):
        fitted = fit_curve(X, y, end=end, frozen=frozen)
        assert fitted.best is not None
        assert fitted.best.name == name
        assert fitted.best.formula.startswith("0.8 ")
        assert fitted.tried == len(CURVES) + 2
        assert set(fitted.nulls) == {LAST_VALUE, END, LINE}
        assert all(fitted.best.error.high < null.low for null in fitted.nulls.values())
        for parameter, value in truth.items():
            assert holds(fitted.best.parameters[parameter], value, 1.5), parameter
        assert fitted.best.predict(X[-1:] * 1e6) == pytest.approx(end, abs=1e-3)
    mean = y.mean(axis=0)
    assert fitted.nulls[END].mean == pytest.approx(rms(end - mean[7:]))


def test_scores_may_leave_their_ends() -> None:
    law = rising_to(1)[0]
    y = noisy(law.known(X, 400, 2), 10, 0.03, 2)
    assert y.min() < 0
    assert y.max() > 1
    fitted = fit_curve(X, y, end=1, frozen="odds")
    assert fitted.laws[0].name == "odds"
    assert holds(fitted.laws[0].parameters["x0"], 400, 1.5)


def test_a_line_to_the_end_by_hand() -> None:
    """Through the fourth last and the last of the small half, straight in log x, and not beyond the end."""
    y = noisy(np.array([0.0, 0.1, 0.15, 0.3, 0.4, 0.55, 0.7, 0.9, 1.0]), 8, 0.003)
    mean = y.mean(axis=0)
    rate = (mean[4] - mean[1]) / math.log(X[4] / X[1])
    told = [min(1.0, mean[4] + rate * math.log(x / X[4])) for x in X[5:]]
    found = fit_curve(X, y, end=1, frozen="odds").nulls[LINE].mean
    assert found == pytest.approx(rms(np.array(told) - mean[5:]))


@pytest.mark.parametrize("end", [-1, math.nan, math.inf])
def test_an_end_must_be_one(end: float) -> None:
    with pytest.raises(ValueError, match="the end is "):
        fit_curve(X, GOOD, end=end)
    with pytest.raises(ValueError, match="the end is "):
        fit_joint_law(E, N, loss=np.ones((2, 6, 6)), end=end)


def test_the_end_wins_where_it_is_reached() -> None:
    score = noisy(1 / (1 + (100 / X) ** 3), 10, 0.003)
    score[:, 5:] = 1
    score[:, 4] = 0.9
    fitted = fit_curve(X, score, end=1)
    assert fitted.best is None
    assert fitted.nulls[END] == Estimate(0, 0, 0)
    assert fitted.persistence.mean == pytest.approx(0.1)
    assert fitted.why.endswith("; it does not beat the end and a line to the end")


def test_a_loss_that_vanishes() -> None:
    random = np.random.default_rng(3)
    decay = FALLING_TO_ZERO[2]
    truth = {"a": 2, "x0": 300, "b": 0.5}
    y = decay.predict([X], np.array([list(truth.values())]))[0] * (1 + 0.01 * random.normal(size=(10, 9)))
    for frozen in ("stretched exponential decay", None):
        fitted = fit_curve(X, y, end=0, frozen=frozen)
        assert fitted.best is not None
        assert fitted.best.name == "stretched exponential decay"
        assert {law.name for law in fitted.laws} == {law.name for law in FALLING_TO_ZERO}
        for parameter, value in truth.items():
            assert holds(fitted.best.parameters[parameter], value, 1.5), parameter
    y[:, 6:] = 0
    gone = fit_curve(X, y, end=0)
    assert gone.best is None
    assert gone.nulls[END] == Estimate(0, 0, 0)
    assert gone.why.endswith("; it does not beat the end")


def test_a_flat_curve_has_no_law() -> None:
    for end in (0.5, 0, None):
        flat = fit_curve(X, noisy(np.full(9, 0.5), 10, 0.05, 1), end=end, frozen="power law")
        assert (flat.laws, flat.best, flat.frozen) == ([], None, "power law")
        assert flat.why == "nothing to fit: it changes by less than its interval"


def test_resampled_means() -> None:
    y = noisy(1 / (1 + (300 / X) ** 1.2), 6, 0.01)
    means = resampled(y, 0)
    whole = fit_curve(X, y, end=1)
    assert fit_resampled(X, means, end=1) == whole
    holes = np.concatenate([means, np.full((1, 9), np.nan)])
    assert fit_resampled(X, holes, end=1) == whole
    gap = np.insert(means, 3, np.nan, axis=1)
    assert fit_resampled(np.insert(X, 3, 300), gap, end=1) == whole
    alone = fit_resampled(X, means[:1], end=1, frozen="odds")
    assert alone.best is None
    assert alone.why.startswith("too few seeds for an interval: odds, frozen before the data")
    assert np.isinf(alone.laws[0].forecast(X).high).all()
    with pytest.raises(ValueError, match="means"):
        fit_resampled(X, means[:, 1:])


# Total excess log loss.


@pytest.mark.parametrize(
    ("name", "total", "truth"),
    [
        ("logarithm", 30 + 25 * np.log(X), {"c": 30, "a": 25}),
        ("power", 5 * X**0.4, {"a": 5, "b": 0.4}),
        ("leaves", 40 + 8 * np.log2(X), {"c": 40}),
    ],
)
def test_totals_come_back(name: str, total: np.ndarray, truth: dict[str, float]) -> None:
    y = noisy(total, 20, 0.5)
    fitted = fit_total_excess(X, y, leaves=16, frozen=name)
    assert fitted.best is not None
    assert {law.name for law in fitted.laws} == {"logarithm", "power", "leaves"}
    for parameter, value in truth.items():
        assert holds(fitted.best.parameters[parameter], value, 1.5), parameter
    assert fitted.best.predict(X) == pytest.approx(total, rel=0.02)
    if name == "leaves":
        assert fitted.best.formula == "c + 8 log2 x"
        mean = y.mean(axis=0)
        c = np.mean(mean[:5] - 8 * np.log2(X[:5]))
        assert fitted.best.error.mean == pytest.approx(rms(c + 8 * np.log2(X[5:]) - mean[5:]))
    else:
        found = fit_total_excess(X, y)
        assert found.best is not None
        assert found.best.name == name
        assert "leaves" not in {law.name for law in found.laws}


def test_the_last_rate_by_hand() -> None:
    y = noisy(5 * X**0.5, 5, 1)
    mean = y.mean(axis=0)
    line = np.polyfit(X[3:5], mean[3:5], 1)
    fitted = fit_total_excess(X, y)
    assert fitted.nulls[LAST_RATE].mean == pytest.approx(rms(np.polyval(line, X[7:]) - mean[7:]))
    assert fitted.persistence.mean == pytest.approx(rms(mean[4] - mean[7:]))
    straight = fit_total_excess(X, noisy(3 * X, 5, 0.001), frozen="logarithm")
    assert straight.best is None
    assert straight.why.endswith("does not beat the last rate; 1 others were fitted afterwards")


def test_unknown_leaves() -> None:
    y = noisy(5 * X**0.5, 5, 1)
    assert fit_total_excess(X, y, leaves=math.nan).laws == fit_total_excess(X, y).laws
    frozen = fit_total_excess(X, y, leaves=math.nan, frozen="leaves")
    assert (frozen.best, frozen.why) == (None, "the number of leaves is unknown")


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
    assert fitted.why.startswith(f"too few seeds for an interval: {fitted.laws[0].name}, chosen among ")
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
    assert fitted.why.startswith(f"{name}, chosen among 3 laws by the 7 nearer points, predicts the 20 farther points")


ODDS = {"E0": 3000, "alpha": 0.9, "N0": 60, "beta": 0.7}


@pytest.mark.parametrize(("name", "end"), [("odds add", 1), ("odds multiply", 0.6)])
def test_joint_odds_come_back(name: str, end: float) -> None:
    a, b = (3000 / E[:, None]) ** 0.9, (60 / N[None]) ** 0.7
    loss = end - end / (1 + a + b if name == "odds add" else (1 + a) * (1 + b))
    fitted = fit_joint_law(E, N, loss=noisy(loss, 10, 0.002, 1), end=end, frozen=name)
    assert fitted.best is not None
    assert {law.name for law in fitted.laws} == {*JOINT, "odds add", "odds multiply"}
    assert fitted.laws[1].error.mean > fitted.best.error.mean
    for parameter, truth in ODDS.items():
        assert holds(fitted.best.parameters[parameter], truth, 2), parameter
    row, column = (each.ravel() for each in np.indices(loss.shape))
    assert fitted.best.predict(E[row], N[column]) == pytest.approx(loss.ravel(), abs=0.01)
    assert set(fitted.nulls) == {LAST_VALUE, END}
    assert fitted.points_fitted == 9
    assert fitted.points_judging == 27


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("seed", range(4))
def test_joint_odds_against_least_squares(index: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    law = joint_odds(1)[index]
    e, n = (each.ravel() for each in np.broadcast_arrays(E[:, None], N[None]))
    truth = np.array([10 ** random.uniform(2.5, 5), random.uniform(0.5, 2), 10 ** random.uniform(1, 3), 1])
    y = law.known(e, n, *truth) + 0.02 * random.normal(size=36)
    slow = least_squares(lambda at: law.known(e, n, *np.exp(at)) - y, np.log(truth))
    assert np.square(law.predict([e, n], law.fit([e, n], y[None])) - y).sum() <= 2 * slow.cost * (1 + 1e-4)


def joint_by_hand(loss: np.ndarray, frozen: str | None) -> Comparison:
    """Check which points judge, and that what they are chooses nothing."""
    mean = loss.mean(axis=0)
    judging = [(i, j) for i in range(6) for j in range(5) if i > 2 or j > 2]
    if not frozen:
        judging = [(i, j) for i, j in judging if i > 3 or j > 3]
    found = fit_joint_law(E, N[:5], loss=loss, frozen=frozen, end=1)
    wrong = [mean[min(i, 2), min(j, 2)] - mean[i, j] for i, j in judging]
    assert found.persistence.mean == pytest.approx(rms(np.array(wrong)))
    assert found.nulls[END].mean == pytest.approx(rms(np.array([mean[at] for at in judging])))
    for law in found.laws:
        row, column = np.array(judging).T
        foreseen = law.forecast(E[row], N[column], small=True).mean
        assert law.error.mean == pytest.approx(rms(foreseen - mean[row, column]))
    assert found.points_judging == len(judging)
    return found


def test_joint_errors_by_hand() -> None:
    loss = noisy(JOINT["product"][0](E[:, None], N[None, :5]), 3, 0.01)
    joint_by_hand(loss, "product")
    found = joint_by_hand(loss, None)
    loss[:, 4:] += 0.5
    loss[:, :, 4:] += 0.5
    assert fit_joint_law(E, N[:5], loss=loss, end=1).laws[0].name == found.laws[0].name
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

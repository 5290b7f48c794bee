"""What is made of the rows of a study: arrays, means and intervals, sentences, tables, pictures."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import statistics
import zlib
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy.stats import t as student

from aixi_approx.cli.scale import _draw
from aixi_approx.envs import make
from aixi_approx.laboratory.conclusions import SMALL, conclusions, plus
from aixi_approx.laboratory.condition import Checkpoint, Setting
from aixi_approx.laboratory.experience import Segment
from aixi_approx.laboratory.measurement import world
from aixi_approx.laboratory.plot_environment import draw_one
from aixi_approx.laboratory.plot_families import draw_all
from aixi_approx.laboratory.plot_train_test import draw_train_test
from aixi_approx.laboratory.regret import PARTS
from aixi_approx.laboratory.report import as_json, report
from aixi_approx.laboratory.results import LAWS, LEVELS, UNITS, Results, find_results, mean_over_seeds, seed_mean
from aixi_approx.laboratory.runner import Laboratory
from aixi_approx.laboratory.study import Study
from aixi_approx.laboratory.train_test import TrainTest
from aixi_approx.planner_spec import PlannerSpec
from aixi_approx.pomdp.solver import reward_range

NAN = math.nan
STUDY = Study(
    ("tiger", "coin-flip"),
    experience=(10, 100, 1000),
    simulations=(1, 20),
    seeds=3,
    depths=(6, 8),
    horizons=(1, 2),
    planners=("dpuct", "expectimax", "majority:4"),
    models=("ctw", "shuffled", "true"),
    settings={name: {"depth": 8, "horizon": 2} for name in ("tiger", "coin-flip")},
)
RUNS = {(run.environment, run.seed): run for run in STUDY.runs()}


# ---------------------------------------------------------------------------------------------------- made-up rows


def code(name: str, checkpoint: Checkpoint, setting: Setting | None = None) -> float:
    """A number that no other value of a study has."""
    return random_number(str((name, *checkpoint.coordinates.values(), setting and setting.coordinates)))


def random_number(text: str) -> float:
    return 0.1 + 0.8 * zlib.crc32(text.encode()) / 2**32


def a_row(checkpoint: Checkpoint, setting: Setting) -> dict[str, Any]:
    parts = (*PARTS, "total")
    return {
        **setting.coordinates,
        **{
            what: code(what, checkpoint, setting)
            for what in ("reward", "regret", "wrong", "simple_regret", "certified", "bits", "visits", "seconds")
        },
        "bounds": {
            what: [code(f"{what} {end}", checkpoint, setting) for end in ("low", "high")]
            for what in ("prediction", "decision", "simple_regret")
        },
        "within_horizon": {part: code(f"within_horizon {part}", checkpoint, setting) for part in parts},
        "long_run": {part: code(f"long_run {part}", checkpoint, setting) for part in parts},
        "searched": 1.0,
        **dict.fromkeys(("reward_low", "reward_high", "boundary")),
    }


def what_was_learned(checkpoint: Checkpoint) -> dict[str, Any]:
    if checkpoint.model in ("true", "none"):
        return {}
    learned = {"log_loss": code("log_loss", checkpoint), "nodes": 3, "bits": 1, "visits": 2, "seconds": 0.1}
    tree = {what: code(what, checkpoint) for what in ("leaves", "bits", "fixed", "allowance")}
    return {**learned, "best_tree": tree} if checkpoint.model == "ctw" else learned


def write(folder: Path, study: Study, lacks: Callable[[Checkpoint], bool] = lambda checkpoint: False) -> Laboratory:
    """Make a folder in which all was measured, but for the checkpoints that are to lack."""
    laboratory = Laboratory(folder, study)
    study, store = laboratory.study, laboratory.store
    store.prepare(study.as_json(), study.all_known().as_json())
    for run in study.runs():
        groups = [group for group in study.groups(run) if not lacks(group.checkpoint)]
        for checkpoint, ways, *_ in groups:
            rows = [a_row(checkpoint, setting) for setting in ways]
            known = {**world(run.environment, run.settings.horizon)}
            content = {"world": known, "learned": what_was_learned(checkpoint), "rows": rows}
            store.add_conditions(checkpoint, content)
        for mark in study.experience:
            if any(group.checkpoint.experience >= mark for group in groups):
                entropy, bits = (
                    random_number(f"{what} {run.environment} {run.seed} {mark}") for what in ("entropy", "bits")
                )
                store.add_segment(run, mark, segment=Segment([], entropy, 1, bits, 3, 0.1))  # type: ignore[arg-type]
    return Laboratory(folder)


def is_same(a: Any, b: Any) -> bool:
    return bool(np.isclose(a, b, equal_nan=True, rtol=1e-12))


LACKING: dict[str, Callable[[Checkpoint], bool]] = {
    "nothing": lambda checkpoint: False,
    "a seed": lambda checkpoint: checkpoint.run.seed == 1,
    "a checkpoint": lambda c: c.run.seed == 1 and c.experience == 100 and c.depth == 8,
    "the end": lambda checkpoint: checkpoint.experience == 1000,
    "an environment": lambda checkpoint: checkpoint.run.environment == "tiger",
    "all": lambda checkpoint: True,
}


def by(horizon: int, planner: str, simulations: int) -> Setting:
    """A setting of the study; 0 simulations for a planner that counts none."""
    spec = PlannerSpec.parse(planner)._replace(horizon=horizon, simulations=simulations or None)
    return Setting(spec, STUDY.cycles)


@pytest.mark.parametrize("lacks", LACKING.values(), ids=LACKING)
def test_all_is_where_it_belongs(lacks: Callable[[Checkpoint], bool], tmp_path: Path) -> None:
    """Each value is looked for anew, and is NaN only if its checkpoint lacks."""
    found = find_results(write(tmp_path, STUDY, lacks))
    assert [f.environment for f in found] == [*STUDY.environments]
    assert [(f.model, f.title) for f in found] == [("ctw", name) for name in STUDY.environments]
    for f in found:
        assert (f.depth, f.horizon) == (8, 2)
        assert [*f.experience, *f.simulations] == [*STUDY.experience, *STUDY.simulations]
        assert (f.random_reward, f.optimum) == reward_range(make(f.environment))

        def value(
            what: str,
            seed: int,
            experience: int,
            model: str,
            depth: int,
            setting: Setting | None,
            name: str = f.environment,
        ) -> float:
            checkpoint = Checkpoint(RUNS[name, seed], experience, model, depth)
            return NAN if lacks(checkpoint) else code(what, checkpoint, setting)

        def scored(*at: Any, f: Results = f, value: Callable[..., float] = value) -> float:
            return 1 - value("regret", *at) / (f.optimum - f.random_reward)

        for s, (e, mark), (n, count) in product(range(3), enumerate(STUDY.experience), enumerate(STUDY.simulations)):
            at = (s, mark, "ctw", 8, by(2, "dpuct", count))
            for what in ("reward", "regret", "wrong", "simple_regret", "certified", "bits", "visits", "seconds"):
                assert is_same(getattr(f, what)[s, e, n], value(what, *at)), what
            for what, (i, end) in product(f.bounds, enumerate(("low", "high"))):
                assert is_same(f.bounds[what][s, e, n, i], value(f"{what} {end}", *at))
            for what, (p, part) in product(("long_run", "within_horizon"), enumerate(PARTS)):
                assert is_same(getattr(f, what)[s, e, n, p], value(f"{what} {part}", *at))
            assert is_same(f.score[s, e, n], scored(*at))
        for s, (n, count) in product(range(3), enumerate(STUDY.simulations)):
            vote = by(2, "majority:4", count) if count >= 4 else None
            others = {
                "horizon 1": (s, 1000, "ctw", 8, by(1, "dpuct", count)),
                "depth 6": (s, 1000, "ctw", 6, by(2, "dpuct", count)),
                "expectimax": (s, 1000, "ctw", 8, by(2, "expectimax", 0)),
                "majority:4": (s, 1000, "ctw", 8, vote),
                "model: shuffled": (s, 1000, "shuffled", 8, by(2, "dpuct", count)),
                "model: true": (s, 0, "true", 8, by(2, "dpuct", count)),
            }
            assert list(others) == list(f.others)
            for label, at in others.items():
                assert is_same(f.others[label][s, n], NAN if at[-1] is None else scored(*at)), label
        assert list(f.excess) == [8, 6]
        for s, (e, mark) in product(range(3), enumerate(STUDY.experience)):
            lived = [random_number(f"entropy {f.environment} {s} {each}") for each in STUDY.experience[: e + 1]]
            for depth in (8, 6):
                excess = (value("log_loss", s, mark, "ctw", depth, None) - sum(lived)) / mark
                assert is_same(f.excess[depth][s, e], excess)
            took = [random_number(f"bits {f.environment} {s} {each}") for each in STUDY.experience[: e + 1]]
            assert is_same(f.learning["bits"][s, e], NAN if np.isnan(f.learning["bits"][s, e]) else sum(took))
            ours = (s, mark, "ctw", 8, None)
            allowed = (value("fixed", *ours) + value("allowance", *ours) - sum(lived)) / mark
            assert is_same(f.allowance[s, e], allowed)
            assert is_same(f.leaves[s, e], value("leaves", *ours))
        runs = [RUNS[f.environment, s] for s in range(3)]
        assert f.seeds == sum(not all(lacks(group.checkpoint) for group in STUDY.groups(run)) for run in runs)


def test_the_plane_of_a_planner_without_simulations(tmp_path: Path) -> None:
    (f,) = find_results(write(tmp_path, STUDY._replace(environments=("tiger",), planners=("expectimax",), settings={})))
    assert np.isfinite(f.reward).all()
    assert (f.reward[..., 0] == f.reward[..., 1]).all()


# ---------------------------------------------------------------------------------------------------- models, learners


def test_models_side_by_side(tmp_path: Path, own_predictor: str) -> None:
    """A plane, pictures and sentences for each; slices for the first; differences of the same training runs."""
    alone = STUDY._replace(environments=("tiger",), settings={"tiger": STUDY.settings["tiger"]})
    study = alone._replace(models=("ctw", own_predictor, "true", "shuffled"))
    (wanted,) = find_results(write(tmp_path / "alone", alone))
    ctw, own = find_results(write(tmp_path / "both", study))
    assert [(f.environment, f.model) for f in (ctw, own)] == [("tiger", "ctw"), ("tiger", own_predictor)]
    assert (ctw.title, own.title) == ("tiger", f"tiger, {own_predictor}")
    for each in dataclasses.fields(wanted):
        a, b = getattr(ctw, each.name), getattr(wanted, each.name)
        if isinstance(a, dict):
            assert list(a) == list(b) or set(a) == set(b)
            assert all(np.array_equal(a[key], b[key], equal_nan=True) for key in a)
        else:
            assert np.array_equal(a, b, equal_nan=True) if isinstance(a, np.ndarray) else a == b
    for s, (e, mark), (n, count) in product(range(3), enumerate(STUDY.experience), enumerate(STUDY.simulations)):
        at = Checkpoint(RUNS["tiger", s], mark, own_predictor, 8)
        assert is_same(own.reward[s, e, n], code("reward", at, by(2, "dpuct", count)))
        assert is_same(own.regret[s, e, n], code("regret", at, by(2, "dpuct", count)))
    assert own.others == {}
    assert list(own.excess) == [8]
    assert np.isfinite(own.excess[8]).all()
    assert np.isnan(own.allowance).all()
    assert np.isnan(own.leaves).all(), "it is no context tree"
    text = report([ctw, own])
    assert "## tiger\n" in text
    assert f"## tiger, {own_predictor}\n" in text
    assert text.count("Models compared on the experience of the same training runs") == 1
    (table,) = (table for table in tables(text) if table[0][:2] == ["environment", "model"])
    first, second = table[2:]
    assert first == ["tiger", "ctw", f"{plus(mean_over_seeds(ctw.score[:, -1, -1]))}", "", ""]
    assert second[:3] == ["tiger", own_predictor, plus(mean_over_seeds(own.score[:, -1, -1]))]
    assert second[3] == plus(mean_over_seeds(own.score[:, -1, -1] - ctw.score[:, -1, -1]))
    assert second[4] == plus(mean_over_seeds(own.excess[8][:, -1] - ctw.excess[8][:, -1]))
    assert "Models compared" not in report([wanted])
    assert [each["model"] for each in as_json([ctw, own])] == ["ctw", own_predictor]
    figures = [drawn(draw_one(f)) for f in (ctw, own)]
    assert (ctw.label, own.label) == ("tiger", "tiger, my_predictor.py:Frequency"), "a picture has no room for folders"
    for f, figure in zip((ctw, own), figures, strict=True):
        assert figure.get_suptitle().startswith(f"{f.label}: horizon")
    (named,) = drawn(draw_all([ctw, own])).legends
    assert [each.get_text() for each in named.get_texts()] == ["tiger", own.label]
    written = _draw([ctw, own], tmp_path)
    assert len({path.name for path in written}) == 4
    assert all(path.parent == tmp_path and path.stat().st_size > 10_000 for path in written)


def test_learners_are_variants_of_the_first_with_a_model(tmp_path: Path) -> None:
    learners = ("q-learning", "dpuct", "one-ply+simulations:30")
    study = STUDY._replace(environments=("tiger",), settings={"tiger": STUDY.settings["tiger"]}, learners=learners)
    (f,) = find_results(write(tmp_path, study))
    names = ["q-learning", "one-ply+simulations:30"]
    assert [label for label in f.others if label.startswith("learner")] == [f"learner: {name}" for name in names]
    for s, (n, count) in product(range(3), enumerate(STUDY.simulations)):
        run = RUNS["tiger", s]
        at = Checkpoint(run, 1000, "ctw", 8)
        assert is_same(f.regret[s, -1, n], code("regret", at, by(2, "dpuct", count)))
        other = Checkpoint(run._replace(learner=names[1]), 1000, "ctw", 8)
        free = Checkpoint(run._replace(learner=names[0]), 1000, "none", 0)
        for name, checkpoint, setting in (
            (names[1], other, by(2, "dpuct", count)),
            (names[0], free, Setting(PlannerSpec("q-learning"), STUDY.cycles)),
        ):
            assert is_same(f.others[f"learner: {name}"][s, n], 1 - code("regret", checkpoint, setting) / f.span)
    assert "learner: q-learning" in report([f])


SKILL = STUDY._replace(
    environments=("tiger",),
    settings={"tiger": STUDY.settings["tiger"]},
    simulations=(1, 10, 100),
    planners=("dpuct+policy:learned", "policy-alone"),
    models=("ctw",),
    depths=(),
    horizons=(),
    learners=tuple(f"dpuct+policy:learned+simulations:{n}" for n in (3, 30, 300)),
)


def skill(folder: Path, **given: Any) -> Results:
    (f,) = find_results(write(folder, SKILL._replace(**given)))
    return f


@pytest.mark.parametrize("alone", [True, False])
def test_train_against_test_is_read_where_it_belongs(alone: bool, tmp_path: Path) -> None:
    """In the order of the simulations, after the most experience; of a policy alone what it loses, too."""
    own = make("tiger").settings.simulations
    learners = (SKILL.learners[2], SKILL.learners[0], "dpuct+policy:learned", "one-ply", "q-learning")
    f = skill(tmp_path, learners=learners, planners=SKILL.planners[: 1 + alone])
    (plane,) = f.train_test
    budgets = {3.0: learners[1], float(own): learners[2], 300.0: learners[0]}
    assert (plane.learner, [*plane.train]) == ("dpuct+policy:learned", [*budgets])
    assert [*plane.test] == [0.0] * alone + [1.0, 10.0, 100.0]
    searches = [Setting(PlannerSpec.parse("policy-alone"), STUDY.cycles)] * alone
    searches += [by(2, "dpuct+policy:learned", n) for n in (1, 10, 100)]
    assert plane.score.shape == (3, 3, len(searches))
    for s, (i, learner) in product(range(3), enumerate(budgets.values())):
        run = RUNS["tiger", s]._replace(learner=str(PlannerSpec.parse(learner)))
        checkpoint = Checkpoint(run, 1000, "ctw", 8)
        for k, setting in enumerate(searches):
            assert is_same(plane.score[s, i, k], 1 - code("regret", checkpoint, setting) / f.span)
        lost = code("long_run distillation", checkpoint, searches[0]) / f.span if alone else NAN
        assert is_same(plane.distillation[s, i], lost)
    assert [f"learner: {PlannerSpec.parse(each)}" for each in learners[1:]] == [
        label for label in f.others if "learner" in label
    ]


@pytest.mark.parametrize(
    "given",
    [
        {"learners": SKILL.learners[:1]},
        {"learners": ("dpuct+policy:learned", "self-aixi+simulations:3", "q-learning", "random")},
        {"planners": ("policy-alone",)},
        {"planners": ("expectimax", "policy-alone")},
    ],
)
def test_one_budget_is_no_plane(given: dict[str, Any], tmp_path: Path) -> None:
    f = skill(tmp_path, **given)
    assert f.train_test == []
    assert "Train against test" not in report([f])
    assert draw_train_test([f]) is None
    assert as_json([f])[0]["train_test"] == []


def planes(score: Any, alone: bool = True) -> Results:
    """Made-up results with a plane [S, L, K] of powers of ten, the policy alone in front if it is there."""
    score = np.array(score, dtype=float)
    train, test = 10.0 ** np.arange(1, score.shape[1] + 1), 10.0 ** np.arange(score.shape[2] - alone)
    if alone:
        test = np.array([0.0, *test])
    plane = TrainTest("dpuct", train=train, test=test, score=score, distillation=score[:, :, 0] / 10)
    return made_up([[0.5, 0.2], [0.3, 0.1]], train_test=[plane])


def test_train_against_test_is_told() -> None:
    """The score is log10 test / 10 + log10 train / 20, the policy's alone 0.05: with ten times the training, half."""
    learn, act = np.meshgrid(np.arange(1, 4), np.arange(5), indexing="ij")
    score = np.concatenate([np.full((3, 1), 0.05), act / 10 + learn / 20], axis=1)
    f = planes(score + 0.001 * np.array([-1, 0, 1])[:, None, None])
    (table,) = (table for table in tables(report([f])) if table[0][0] == "while learning")
    columns = ["alone", "1", "10", "100", "1,000", "10,000", "distillation", "for 0.300", "slope"]
    assert table[0][1:] == columns
    assert [row[0] for row in table[2:]] == ["10", "100", "1,000"]
    half = f"{student.ppf(0.975, 2) * 0.001 / math.sqrt(3):.3f}"
    for i, row in enumerate(table[2:]):
        assert row[1:7] == [f"{mean:.3f} ± {half}" for mean in score[i]]
        assert row[7] == f"0.005 ± {float(half) / 10:.3f}"
        assert row[8] == f"{10 ** (2.5 - 0.5 * i):,.3g}"
        assert row[9] == ("-0.50" if i else "")
    assert "One slope for all levels" in report([f])
    assert "k = -0.5" in report([f])
    (data,) = json.loads(json.dumps(as_json([f]), allow_nan=False))
    (plane,) = data["train_test"]
    assert plane["level_curve"]["slopes"] == pytest.approx([-0.5, -0.5])
    assert plane["trade_off"]["k"]["mean"] == pytest.approx(-0.5)
    assert plane["score"][1][0]["mean"] == pytest.approx(0.05)
    figure = drawn(draw_train_test([f, made_up([[0.5]]), f]))
    panels = [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]
    assert [axes.get_title() for axes in panels] == ["made-up, 100 cycles\nthick line: score 0.30"] * 2
    for axes in panels:
        curve = next(line for line in axes.lines if str(line.get_label()).startswith("score"))
        assert curve.get_ydata() == pytest.approx(10 ** np.array([2.5, 2.0, 1.5]))
        assert [tick.get_text() for tick in axes.get_yticklabels()][:3] == ["alone", "1", "10"]


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("lacks", ["nothing", "all", "a row", "levels", "a column"])
def test_train_against_test_of_anything(lacks: str, alone: bool) -> None:
    score = np.random.default_rng(0).normal(size=(3, 2, 4))
    if lacks in ("all", "a row"):
        score[:, slice(None) if lacks == "all" else 1] = NAN
    if lacks == "levels":
        score[:] = 0.5
    if lacks == "a column":
        score = score[:, :, : 1 + alone]
    f = planes(score, alone)
    for head, *rows in tables(report([f])):
        assert all(len(row) == len(head) for row in rows)
        assert not any("nan" in cell for row in rows for cell in row)
    assert "can't be told: " in report([f])
    json.dumps(as_json([f]), allow_nan=False)
    drawn(draw_train_test([f]))


def test_the_picture_of_train_against_test_is_written(tmp_path: Path) -> None:
    f = planes(np.random.default_rng(0).normal(size=(3, 2, 4)))
    assert [path.name for path in _draw([f], tmp_path)] == ["made-up.png", "train_test.png"]


def test_only_learners_without_a_model(tmp_path: Path) -> None:
    study = STUDY._replace(environments=("tiger",), settings={}, learners=("q-learning",), models=("ctw",))
    (f,) = find_results(write(tmp_path, study))
    assert np.isnan(f.reward).all()
    assert np.isfinite(f.others["learner: q-learning"]).all()
    (says,) = conclusions(f)
    assert says.endswith("no agent with a model was measured.")
    assert "| learner: q-learning |" in report([f])
    drawn(draw_one(f))


# ---------------------------------------------------------------------------------------------------- means, intervals


@given(st.lists(st.lists(st.floats(-1e6, 1e6) | st.just(NAN), min_size=3, max_size=3), min_size=1, max_size=6))
@settings(deadline=None)
def test_means_and_intervals_over_seeds(values: list[list[float]]) -> None:
    array = np.array(values)
    for i, mean in enumerate(seed_mean(array)):
        there = [row[i] for row in values if not math.isnan(row[i])]
        assert is_same(mean, statistics.fmean(there) if there else NAN)
        told = mean_over_seeds(array[:, i])
        assert is_same(told.mean, mean)
        if len(there) < 2:
            assert (told.low, told.high) == (-math.inf, math.inf)
        else:
            half = student.ppf(0.975, len(there) - 1) * statistics.stdev(there) / math.sqrt(len(there))
            assert told.high - told.mean == pytest.approx(half, abs=1e-6)
            assert told.mean - told.low == pytest.approx(half, abs=1e-6)


# ---------------------------------------------------------------------------------------------------- made-up made_up


def made_up(loss: Any, parts: Any = None, **others: Any) -> Results:
    """What an agent in an environment with random reward 0 and optimum 1 would be like that loses [E, N] or [S, E, N].

    Parts [..., 5] are what its decisions lose; if they are not given, the decision does.
    """
    loss = np.array(loss, dtype=float)
    if loss.ndim == 2:
        loss = loss + 0.001 * np.array([-1, 0, 1])[:, None, None]
    if parts is None:
        parts = np.zeros((*loss.shape, len(PARTS)))
        parts[..., PARTS.index("decision")] = loss
    parts = np.array(parts, dtype=float)
    if parts.ndim == 3:
        parts = parts + 0.001 * np.array([-1, 0, 1])[:, None, None, None]
    s, e, n = loss.shape
    each, count = 10.0 ** np.arange(1, e + 1), 10.0 ** np.arange(n)
    given = {
        "environment": "made-up",
        "model": "ctw",
        "horizon": 4,
        "depth": 12,
        "experience": each,
        "simulations": count,
        "random_reward": 0.0,
        "optimum": 1.0,
        "reward": 1 - loss,
        "regret": loss,
        "long_run": parts,
        "within_horizon": parts * 2,
        "simple_regret": np.abs(loss),
        "certified": np.ones((s, e, n)),
        "wrong": np.abs(loss) / 2,
        "bounds": {
            **{part: np.stack([parts[..., PARTS.index(part)]] * 2, axis=-1) for part in ("prediction", "decision")},
            "simple_regret": np.stack([np.abs(loss), np.abs(loss) + 1], axis=-1),
        },
        "learning": {unit: np.cumsum(np.full((s, e), 50.0), axis=1) for unit in UNITS},
        "bits": loss * 100,
        "visits": loss * 1000,
        "seconds": loss / 1000,
        "excess": {12: loss[:, :, 0], 20: loss[:, :, 0] * 2},
        "allowance": loss[:, :, 0] * 3,
        "leaves": loss[:, :, 0],
        "others": {"horizon 9": 1 - loss[:, -1] / 2, "model: true": np.full((s, n), 0.9)},
    }
    return Results(**{**given, **others})


def corner(
    horizon: float,
    prediction: float,
    decision: float,
    seeds: tuple[float, ...] = (-1, 0, 1),
    distillation: float = 0.0,
) -> Results:
    """Findings whose regret at the most of both has these parts, of seeds that differ by so many hundredths."""
    parts = np.zeros((len(seeds), 2, 2, 5))
    for part, mean in zip(PARTS, (horizon, prediction, decision, distillation, 0.0), strict=True):
        parts[..., PARTS.index(part)] = mean + 0.01 * np.array(seeds)[:, None, None] * (mean != 0)
    return made_up(parts.sum(axis=-1), parts)


def sentence(f: Results, begins: str) -> str:
    (one,) = (each for each in conclusions(f) if each.startswith(begins))
    return one


def test_scores() -> None:
    f = made_up([[0.5, 0.2], [0.3, 0.1]])
    assert f.score == pytest.approx(1 - f.regret)
    assert seed_mean(f.score) == pytest.approx(np.array([[0.5, 0.8], [0.7, 0.9]]))
    low, high = 0.5, 0.9
    assert f.levels == pytest.approx([low + share * (high - low) for share in LEVELS])
    other = dataclasses.replace(f, random_reward=-3.0, optimum=1.0, reward=f.reward - 1)
    assert other.score == pytest.approx(1 - f.regret / 4)
    regret = f.regret.copy()
    regret[1, 1, 0] = NAN  # it was infinite, say: to leave it out would flatter
    lost = dataclasses.replace(other, regret=regret)
    assert lost.score == pytest.approx((other.reward + 3) / 4)
    reward = other.reward.copy()
    reward[1, 1, 0] = NAN  # not measured yet
    partial = dataclasses.replace(other, regret=regret, reward=reward)
    assert partial.score == pytest.approx(1 - regret / 4, nan_ok=True)
    for lack in ({"random_reward": None}, {"optimum": None}, {"optimum": 0.0}):
        assert np.isnan(dataclasses.replace(f, **lack).score).all()
        assert dataclasses.replace(f, **lack).levels == []
    assert made_up(np.full((3, 2, 2), 0.5)).levels == []


def test_laws_are_fitted_one_by_one_and_kept() -> None:
    f = made_up([[0.5, 0.2], [0.3, 0.1]])
    for fitted, law in enumerate(f.fit()):
        assert law == LAWS[fitted]
        assert [each for each in LAWS if each in f.__dict__] == [*LAWS[:fitted]]
    kept = {law: getattr(f, law) for law in LAWS}
    assert all(f.__dict__[law] is each for law, each in kept.items())
    assert [id(law) for law in f.laws.values()] == [id(kept[law]) for law in LAWS[:-1]]


# ---------------------------------------------------------------------------------------------------- sentences


WHERE = "After 100 cycles, with 10 simulations and horizon 4,"


def test_where_it_is() -> None:
    f = made_up([[0.5, 0.2], [0.3, 0.1]])
    half = student.ppf(0.975, 2) * 0.001 / math.sqrt(3)
    assert sentence(f, WHERE) == (
        f"{WHERE} the agent scores 0.900 ± {half:.3f}, where 0 is the random agent and 1 the best."
    )
    alone = made_up([[[0.5, 0.2], [0.3, 0.1]]])
    assert "scores 0.900, where" in sentence(alone, WHERE), "one seed has no interval"
    says, *_ = conclusions(made_up([[0.5], [0.3]]))
    assert says.startswith("After 100 cycles, with 1 simulation and horizon 4, the agent")


def test_nothing_was_measured_at_the_end() -> None:
    f = made_up([[0.5, 0.2], [0.3, NAN]])
    assert conclusions(f) == [f"{WHERE} nothing was measured yet."]


@pytest.mark.parametrize(
    ("lack", "why"),
    [
        ({"optimum": None}, "its optimum is not known"),
        ({"random_reward": None}, "the reward of the random agent is not known"),
        ({"optimum": None, "random_reward": None}, "its optimum is not known"),
        ({"optimum": 0.0}, "nothing there is better than to act at random"),
    ],
)
def test_there_are_no_scores(lack: dict[str, Any], why: str) -> None:
    f = dataclasses.replace(made_up([[0.5, 0.2], [0.3, 0.1]], **lack))
    first, second, *rest = conclusions(f)
    assert first == f"There are no scores in made-up: {why}."
    assert second == f"{WHERE} the agent earns 0.900 ± 0.002 per cycle."
    assert not any("score" in each or "nan" in each for each in rest)


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ((0.0, 0.3, 0.1), "What limits it there is prediction: of the score, it loses 0.300 ± H through prediction, "),
        ((0.0, 0.1, 0.3), "What limits it there is decision: of the score, it loses 0.100 ± H through prediction, "),
        ((0.3, 0.1, 0.2), "What limits it there is the horizon: of the score, it loses 0.100 ± H through prediction, "),
        (
            (0.01, 0.015, 0.0),
            "Nothing limits it there by more than 0.02, as far as can be told: it loses 0.015 ± H through prediction, ",
        ),
        ((0.0, -0.3, 0.1), "What limits it there is decision: of the score, it loses -0.300 ± H through prediction, "),
    ],
)
def test_what_limits(parts: tuple[float, float, float], says: str) -> None:
    f = corner(*parts)
    half = f"{student.ppf(0.975, 2) * 0.01 / math.sqrt(3):.3f}"
    horizon, _, decision = (f"{part:.3f} ± {half if part else '0.000'}" for part in parts)
    says = says.replace("H", half)
    assert sentence(f, says[:20]) == f"{says}{decision} through decision and {horizon} through the horizon."


def test_distillation_is_told_where_there_is_some() -> None:
    """In sentences, tables and pictures; without it there is no trace of it."""
    f, without = corner(0.0, 0.1, 0.1, distillation=0.3), corner(0.0, 0.1, 0.1)
    assert (f.parts, without.parts) == (PARTS, tuple(part for part in PARTS if part != "distillation"))
    says = "What limits it there is distillation: of the score, it loses 0.100 ± 0.025 through prediction, "
    more = "0.100 ± 0.025 through decision, 0.300 ± 0.025 through distillation and 0.000 ± 0.000 through the horizon."
    assert sentence(f, "What limits") == says + more
    by_head = {table[0][0]: table for table in tables(report([f]))}
    surely = ["prediction, sure", "decision, sure", "missed, sure", "wrong"]
    assert by_head["simulations"][0][1:-1] == [*PARTS, *surely, *(f"{part}, within" for part in PARTS[1:])]
    assert tables(report([f]))[0][2][6] == "0.300 ± 0.025"
    account = {axes.get_title(): axes for axes in draw_one(f).axes}["regret after 100 cycles"]
    assert "distillation" in legend(account)
    assert "distillation" in [text for axes in draw_all([f, without]).axes for text in legend(axes)]
    assert "distillation" not in " ".join([report([without]), *conclusions(without)])
    for figure in (draw_one(without), draw_all([without, without])):
        assert "distillation" not in [text for axes in figure.axes for text in legend(axes)]
    partial = corner(0.0, NAN, 0.1, distillation=NAN)
    assert "distillation" not in partial.parts, "it is not known to be any"
    assert set(as_json([without])[0]["long_run"]) == set(PARTS), "data has all"


def test_what_limits_is_not_sure() -> None:
    assert "is prediction, as far as can be told from these seeds: of" in sentence(
        corner(0, 0.3, 0, (-90, 0, 90)), "What"
    )
    assert "is prediction, as far as can be told from these seeds: of" in sentence(corner(0, 0.3, 0, (0,)), "What")


def test_one_part_makes_up_for_another() -> None:
    offsets = "compensates for a part of that: its errors happen to offset others."
    assert f"Prediction {offsets}" in conclusions(corner(0, -0.3, 0.5))
    assert f"The horizon {offsets}" in conclusions(corner(-0.3, 0, 0.5))
    assert not any(offsets in each for each in conclusions(corner(0, -0.3, 0.5, (-90, 0, 90))))


@pytest.mark.parametrize(
    ("unknown", "says"),
    [
        (
            ("prediction", "decision"),
            "Prediction and decision can't be told apart: exact expectimax on the model is too ",
        ),
        (
            ("horizon", "prediction"),
            "Prediction and horizon can't be told apart: exact expectimax on the environment is ",
        ),
        (
            PARTS,
            "What prediction and decision cost in the long run can't be told: the environment has no exact solution",
        ),
    ],
)
def test_what_limits_can_not_be_told(unknown: tuple[str, ...], says: str) -> None:
    f = corner(0.1, 0.2, 0.3)
    f.long_run[..., [PARTS.index(part) for part in unknown]] = NAN
    assert sentence(f, says[:12]).startswith(says)
    assert not any(
        each.startswith(("What limits", "Nothing limits")) or "costs more" in each for each in conclusions(f)
    )


def test_the_next_unit() -> None:
    """The grid goes up tenfold, so that the last step is what a factor of ten is worth."""
    steep, flat = made_up([[0.9, 0.5], [0.9, 0.1]]), made_up([[0.9, 0.9], [0.5, 0.1]])
    assert sentence(steep, "The next") == (
        "The next factor of ten is best spent on simulations: at the last step one was worth 0.800 ± 0.000 of the "
        "score, and one of experience 0.400 ± 0.000."
    )
    assert sentence(flat, "The next") == (
        "The next factor of ten is best spent on experience: at the last step one was worth 0.800 ± 0.000 of the "
        "score, and one of simulations 0.400 ± 0.000."
    )
    wide = dataclasses.replace(steep, simulations=np.array([1.0, 10**1.6]))
    assert "worth 0.500 ± 0.000 of the score, and one of experience 0.400" in sentence(wide, "The next")
    neither = made_up([[0.12, 0.11], [0.11, 0.1]])
    assert sentence(neither, "Neither") == (
        "Neither more experience nor more simulations would clearly pay: at the last step, a factor of ten was worth "
        "this much of the score: one of experience 0.010 ± 0.000 and one of simulations 0.010 ± 0.000."
    )
    noisy = made_up(np.array([[[0.9, 0.5], [0.9, x]] for x in (0.0, 0.2, 0.9)]))
    assert any(each.startswith("Neither") for each in conclusions(noisy))
    alone = made_up([[[0.9, 0.5], [0.9, 0.1]]])
    assert "can't be told from one agent." in sentence(alone, "Whether experience or simulations")
    for f in (made_up([[0.5], [0.1]]), made_up([[0.5, 0.1]]), made_up([[0.9, NAN], [0.9, 0.1]])):
        assert not any(each.startswith(("The next", "Neither", "Whether")) for each in conclusions(f))


def test_where_decision_costs_more_than_prediction() -> None:
    def over_simulations(*decision: float) -> list[str]:
        parts = np.zeros((2, len(decision), len(PARTS)))
        parts[..., PARTS.index("prediction")] = 0.2
        parts[..., PARTS.index("decision")] = decision
        f = made_up(parts.sum(axis=-1), parts)
        return [each for each in conclusions(f) if "costs more than" in each]

    fewer = "After 100 cycles, decision costs more than prediction with fewer than {} simulations, and not with more."
    assert over_simulations(0.5, 0.3, 0.1) == [fewer.format(100)]
    assert over_simulations(0.5, 0.1, 0.1, 0.0) == [fewer.format(10)]
    assert over_simulations(0.5, 0.4) == [
        "After 100 cycles, decision costs more than prediction with any number of simulations measured."
    ]
    assert over_simulations(0.1, 0.1) == over_simulations(0.1, 0.3) == over_simulations(0.5, 0.1, 0.3) == []
    assert over_simulations(0.5, NAN) == []


def power(k: float, noise: float = 0.001, e: int = 4, n: int = 6, seeds: int = 4) -> Results:
    """Its loss is a power of experience^-k times simulations, so that the contours have slope k."""
    each, count = np.meshgrid(10.0 ** np.arange(1, e + 1), 10.0 ** np.arange(n), indexing="ij")
    loss = 0.9 * (each**-k * count / 10) ** -0.1
    random = np.random.default_rng(0)
    return made_up(loss + noise * random.normal(size=(seeds, e, n)))


@pytest.mark.parametrize("k", [-1.0, -0.5, 0.5])
def test_the_trade_off(k: float) -> None:
    f = power(k)
    says = sentence(f, "At the same score")
    told = re.fullmatch(
        r"At the same score, an agent with ten times the experience needs (\S+) \((\S+) to (\S+)\) times the search: "
        r"k = (\S+), R2 = (\S+)\.",
        says,
    )
    assert told, says
    mean, low, high, slope, r2 = (float(number) for number in told.groups())
    assert low <= mean <= high
    assert mean == pytest.approx(10**k, rel=0.1)
    assert slope == pytest.approx(f.trade_off.k.mean, abs=0.005)
    assert r2 == pytest.approx(f.trade_off.r2, abs=0.005)
    alone = sentence(power(k, seeds=1), "At the same score")
    assert "inf" not in alone
    assert "(" not in alone


def test_no_trade_off() -> None:
    f = made_up([[0.5], [0.3]])
    assert sentence(f, "How much").startswith(
        "How much search compensates for less learning can't be told: too few points: "
    )
    assert f.trade_off.why in sentence(f, "How much")


def test_law_or_no_law() -> None:
    x = 10.0 ** np.arange(1, 8)
    random = np.random.default_rng(0)
    loss = 2.0 * x**-0.5 + 1e-4 * random.normal(size=(5, 7))
    f = made_up(np.stack([loss, loss], axis=-1))
    total = random.normal(size=(5, 7)) * 0.01 + np.array([1, 2, 3, 4, 400, 3, 8_000])
    f = dataclasses.replace(f, excess={12: total / f.experience})
    law = f.laws["score over experience, 10 simulations"]
    assert law.best
    says = sentence(f, "Score over experience, 10 simulations: ")
    error, last = f"{law.best.error.mean:.2g}", f"{law.persistence.mean:.2g}"
    assert says.endswith(
        f": {law.best.formula} extrapolates best, with an error of {error} where the last-value forecast has {last} "
        f"(found after, among {law.tried} laws)."
    )
    assert f.predictor_law.laws
    assert not f.predictor_law.best
    assert sentence(f, "Total excess") == f"Total excess log loss over experience, bits: {f.predictor_law.why}."
    assert not f.search_law.laws
    assert not any(each.startswith("Score over simulations") for each in conclusions(f)), "too few points are no news"


def test_sentences_are_sentences() -> None:
    for f in VARIANTS.values():
        for each in conclusions(f):
            assert each[0].isupper(), each
            assert each.endswith("."), each
            assert not re.search(r"nan|inf\b|None|  |-0\.000 ", each), each


# ---------------------------------------------------------------------------------------------------- tables, JSON


def thinned(f: Results, *at: Any) -> Results:
    """The same with nothing measured at some indices."""

    def thin(array: Any) -> Any:
        array = array.copy()
        array[at[: array.ndim]] = NAN
        return array

    arrays = {
        each.name: thin(getattr(f, each.name))
        for each in dataclasses.fields(f)
        if isinstance(getattr(f, each.name), np.ndarray) and getattr(f, each.name).ndim > 1
    }
    return dataclasses.replace(f, **arrays, excess={depth: thin(each) for depth, each in f.excess.items()})


def unsolved(f: Results) -> Results:
    """The same in an environment of which nothing is known."""
    nothing = {what: getattr(f, what) * NAN for what in ("regret", "long_run", "within_horizon", "allowance")}
    excess = {depth: each * NAN for depth, each in f.excess.items()}
    others = {label: each * NAN for label, each in f.others.items()}
    lack = {"random_reward": None, "optimum": None, "excess": excess, "others": others}
    return dataclasses.replace(f, environment="my_env.py:Lake", **nothing, **lack)


def intractable(f: Results) -> Results:
    """The same where exact expectimax is too much work."""
    parts = f.long_run.copy()
    parts[..., 1:3] = NAN
    return dataclasses.replace(
        f,
        long_run=parts,
        within_horizon=f.within_horizon * NAN,
        simple_regret=f.simple_regret * NAN,
        certified=f.certified * 0,
    )


FULL = power(-1.0, e=5, n=5)
VARIANTS = {
    "full": FULL,
    "partial": thinned(thinned(FULL, 1, slice(2, None)), slice(None), 4, 3),
    "without its end": thinned(FULL, slice(None), 4),
    "nothing": thinned(FULL, slice(None)),
    "one seed": power(-1.0, e=5, n=5, seeds=1),
    "one experience": power(-1.0, e=1, n=5),
    "one number of simulations": power(-1.0, e=5, n=1),
    "one point of one seed": power(-1.0, e=1, n=1, seeds=1),
    "unsolved": unsolved(FULL),
    "intractable": intractable(FULL),
    "constant": made_up(np.full((3, 2, 2), 0.5)),
    "perfect": made_up(np.zeros((3, 2, 2)), others={}),
    "worse than random": made_up([[2.5, 1.5], [1.5, 1.2]]),
}
BY_NAME = pytest.mark.parametrize("f", VARIANTS.values(), ids=VARIANTS)


def tables(text: str) -> list[list[list[str]]]:
    """The cells of the tables of a text in Markdown."""
    found: list[list[list[str]]] = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            assert line.endswith("|")
            found[-1].append([cell.strip() for cell in line[1:-1].split("|")])
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


@BY_NAME
def test_tables_have_columns(f: Results) -> None:
    text = report([f, f])
    assert text.count("## ") == 2
    for head, rule, *rows in tables(text):
        assert all(re.fullmatch("-+:?|-+", each) for each in rule)
        assert all(len(row) == len(head) == len(rule) for row in rows), head
        assert rows
        assert not any("nan" in cell or "inf)" in cell.replace("to inf)", "") for row in rows for cell in row)
    for each in conclusions(f):
        assert f"\n- {each}\n" in text + "\n"


def test_numbers_of_the_tables() -> None:
    f = power(-1.0, e=2, n=3)
    by_head = {table[0][0]: table for table in tables(report([f]))}
    surface = by_head["cycles"]
    assert surface[0] == ["cycles", "1", "10", "100"]
    assert [row[0] for row in surface[2:]] == ["10", "100"]
    for e, n in np.ndindex(2, 3):
        told = mean_over_seeds(f.score[:, e, n])
        assert surface[2 + e][1 + n] == f"{told.mean:.3f} ± {told.high - told.mean:.3f}"
    account = by_head["simulations"]
    shown = [part for part in PARTS if part != "distillation"]
    surely = ["prediction, sure", "decision, sure", "missed, sure", "wrong"]
    within = ["prediction, within", "decision, within", "exploration, within"]
    assert account[0][1:] == [*shown, *surely, *within, "certified"]
    for n, row in enumerate(account[2:]):
        parts = [mean_over_seeds(f.long_run[:, -1, n, p]) for p in (0, 1, 2, 4)]
        parts += [mean_over_seeds(f.within_horizon[:, -1, n, p]) for p in (1, 2, 4)]
        assert row[1:5] + row[9:-1] == [f"{part.mean:.3f} ± {part.high - part.mean:.3f}" for part in parts]
        for cell, what in zip(row[5:8], f.bounds, strict=True):
            assert cell == "{:.3f} to {:.3f}".format(*seed_mean(f.bounds[what])[-1, n])
        low, high = map(float, row[8].split("(")[1].rstrip(")").split(" to "))
        assert low <= float(row[8].split()[0]) <= high
        assert row[-1] == "1.00"
    summary = by_head["environment"]
    assert len(summary) > 2
    text = report([f])
    assert "95 % over 4 seeds" in text
    assert "95 % over 1 seed\n" in report([thinned(f, slice(1, None))])


def test_no_parts_of_what_is_not_known() -> None:
    text = report([VARIANTS["unsolved"]])
    assert (
        "The regret can't be split into its parts: the values of actions in the true environment are not known." in text
    )
    assert "The surface: reward per cycle, by experience" in text
    assert "simple regret over simulations" in text


@BY_NAME
def test_data_is_json(f: Results) -> None:
    (data,) = json.loads(json.dumps(as_json([f]), allow_nan=False))
    assert data["environment"] == f.environment
    assert data["conclusions"] == conclusions(f)
    for e, n in np.ndindex(*f.score.shape[1:]):
        mean = data["score"][e][n]["mean"]
        assert is_same(NAN if mean is None else mean, mean_over_seeds(f.score[:, e, n]).mean)
        for p, part in enumerate(PARTS):
            told, wanted = data["long_run"][part][e][n], mean_over_seeds(f.long_run[:, e, n, p])
            assert is_same(NAN if told["mean"] is None else told["mean"], wanted.mean)
            assert told["low"] is None or told["low"] == pytest.approx(wanted.low)
    assert set(data["laws"]) == set(f.laws)
    for what, law in f.laws.items():
        assert data["laws"][what]["best"] == (law.best.name if law.best else None)
    assert (data["trade_off"]["k"] is None) == (f.trade_off.k is None)


# ---------------------------------------------------------------------------------------------------- pictures


def drawn(figure: Figure) -> Figure:
    """Draw all, which must not warn; no panel says nothing."""
    figure.set_dpi(50)
    figure.draw_without_rendering()
    for axes in figure.axes:
        if axes.get_label() == "<colorbar>":
            assert axes.get_ylabel() or axes.get_xlabel()
            continue
        assert axes.get_title(), "it has no title"
        text = " ".join(each.get_text() for each in axes.texts)
        if "nothing" not in text and "known" not in text and "can be told" not in text and "too much" not in text:
            assert axes.get_ylabel() or axes.get_yticklabels(), axes.get_title()
            assert axes.get_xlabel() or len(axes.get_xticklabels()) > 0, axes.get_title()
            assert axes.get_legend() or axes.collections or figure.legends, axes.get_title()
    return figure


def legend(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()] if axes.get_legend() else []


@BY_NAME
def test_a_picture_is_drawn_of_anything(f: Results) -> None:
    figure = drawn(draw_one(f))
    assert f.label in figure.get_suptitle()
    seeds = {0: "no agent yet", 1: "1 agent"}.get(f.seeds, f"{f.seeds} agents")
    assert seeds in figure.get_suptitle()


def test_what_the_picture_shows() -> None:
    figure = draw_one(FULL)
    panels = {axes.get_title().split("\n")[0]: axes for axes in figure.axes}
    assert set(panels) - {""} == {
        "score by experience and simulations",
        "regret with 10,000 simulations",
        "regret after 100,000 cycles",
        "search that compensates for learning",
        "predictor: log loss above the entropy",
        "search: score",
        "search: simple regret, by its own model",
        "variants, after 100,000 cycles",
    }
    account = panels["regret after 100,000 cycles"]
    assert legend(account) == ["prediction", "decision", "horizon", "exploration, while it learns", "sum, when greedy"]
    decision = account.containers[1]
    assert [bar.get_height() for bar in decision] == pytest.approx(
        seed_mean(FULL.long_run)[-1, :, PARTS.index("decision")]
    )
    assert [tick.get_text() for tick in account.get_xticklabels()] == ["1", "10", "100", "1k", "10k"]
    predictor = panels["predictor: log loss above the entropy"]
    assert legend(predictor)[:3] == ["depth 12", "depth 20", "theory allows (depth as above)"]
    assert predictor.lines[0].get_ydata() == pytest.approx(seed_mean(FULL.excess[12]))
    search = panels["search: score"]
    assert legend(search)[:5] == ["10 cycles", "100 cycles", "10,000 cycles", "100,000 cycles", "given the environment"]
    assert search.lines[3].get_ydata() == pytest.approx(seed_mean(FULL.score)[-1])
    assert legend(panels["variants, after 100,000 cycles"]) == ["as elsewhere", "horizon 9"]


def test_all_environments_in_one_picture() -> None:
    found = [dataclasses.replace(f, environment=name) for name, f in VARIANTS.items() if f.experience.size == 5]
    found = [f for f in found if f.simulations.size == 5]
    figure = drawn(draw_all(found))
    learning, search, predictor, account, trade_off, laws = figure.axes
    shown = [f.environment for f in found if np.isfinite(f.score[:, :, -1]).any()]
    (named,) = figure.legends
    assert [text.get_text() for text in named.get_texts()] == shown
    assert [line.get_label() for line in learning.lines][:-1] == shown
    assert "nothing" not in shown
    for axes in (account, trade_off, laws):
        assert [tick.get_text() for tick in axes.get_yticklabels()] == [f.environment for f in found]
    assert [line.get_label() for line in predictor.lines] == shown
    assert [line.get_label() for line in search.lines][:-1] == [name for name in shown if name != "without its end"]
    drawn(draw_all([VARIANTS["nothing"], VARIANTS["unsolved"]]))
    assert 0 < SMALL < 1

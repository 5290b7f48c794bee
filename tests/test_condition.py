"""Coordinates: what a row says of its setting, what a file is called; the short text of a planner, read and written."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_runs import random_run

from aixi_approx.envs import ENVIRONMENTS
from aixi_approx.laboratory.condition import Checkpoint, Setting, file_name
from aixi_approx.planner_spec import DEFAULT, JOINS, LESSONS, RULES, PlannerSpec
from aixi_approx.planners import PLANNERS
from aixi_approx.predictors import PREDICTORS

NATURAL = st.integers(1, 1 << 30)
TEXT = string.ascii_letters + string.digits + "-_./ %?=@>"  # of names of files, without what a short text reads
OWN = st.builds("{}.py:{}".format, st.text(TEXT, min_size=1, max_size=12), st.sampled_from(["Mine", "Mine:8", "N:1-x"]))
OPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "horizon": NATURAL,
    "simulations": NATURAL,
    "seconds": st.floats(min_value=0, exclude_min=True, allow_infinity=False),
    "rule": st.sampled_from(RULES),
    "ucb": st.floats(allow_nan=False),
    "policy": st.sampled_from(["learned"]) | OWN,
    "lessons": st.sampled_from(LESSONS),
    "rollout": st.sampled_from(["uniform"]) | OWN,
    "memo": st.booleans(),
    "prune": st.floats(0, 1),
    "memory_cycles": st.integers(0, 1_000),
    "levels": NATURAL,
}


@st.composite
def specs(draw: Any) -> PlannerSpec:
    """Any specification that can be written; a name of one's own is not one of an option."""
    given = draw(st.fixed_dictionaries({}, optional=OPTIONS))
    join = draw(st.none() | st.sampled_from(JOINS))
    searches = draw(NATURAL) if join else None
    return PlannerSpec(draw(st.sampled_from([*PLANNERS]) | OWN), **given, join=join, searches=searches)


@given(spec=specs())
@settings(deadline=None, max_examples=300)
def test_a_short_text_is_read_as_it_was_written(spec: PlannerSpec) -> None:
    assert PlannerSpec.parse(str(spec)) == spec
    assert PlannerSpec.parse(spec.title) == spec._replace(horizon=None, simulations=None)
    assert str(PlannerSpec.parse(str(spec))) == str(spec)
    assert PlannerSpec(**json.loads(json.dumps(spec.as_json()))) == spec


@given(spec=specs(), cycles=NATURAL, learn=st.booleans())
@settings(deadline=None, max_examples=300)
def test_a_row_says_what_its_setting_was(spec: PlannerSpec, cycles: int, learn: bool) -> None:
    setting = Setting(spec, cycles, learn)
    row = json.loads(json.dumps({**setting.coordinates, "reward": 1.5}))
    assert Setting.at(row) == setting


@given(one=specs(), other=specs(), cycles=st.tuples(NATURAL, NATURAL), learn=st.booleans())
@settings(deadline=None, max_examples=100)
def test_other_settings_have_other_coordinates(
    one: PlannerSpec, other: PlannerSpec, cycles: tuple[int, int], learn: bool
) -> None:
    a, b = Setting(one, cycles[0], learn), Setting(other, cycles[1], False)
    assert (a == b) == (a.coordinates == b.coordinates)
    assert a.coordinates != a._replace(learn=not learn).coordinates
    assert a.coordinates != a._replace(cycles=cycles[0] + 1).coordinates
    if one.horizon:
        assert a.coordinates != a._replace(planner=one._replace(horizon=None)).coordinates


def test_what_is_no_setting_is_refused() -> None:
    row = Setting(PlannerSpec(DEFAULT, horizon=3), 10).coordinates
    for field in row:
        with pytest.raises(KeyError, match=field):
            Setting.at({name: value for name, value in row.items() if name != field})
    with pytest.raises(ValueError, match=r"rhouct\+colour:3"):
        Setting.at({**row, "planner": "rhouct+colour:3"})


# ---------------------------------------------------------------------------------------------------- names of files

ENVIRONMENT = st.sampled_from([*ENVIRONMENTS, "locks:1", "rocksample:3-2", "gym:X-v1?a=1", "tiger>nim:3@9"]) | OWN
LEARNER = specs().map(str)
MODEL = st.sampled_from([*PREDICTORS, "shuffled", "none"]) | OWN
CHECKPOINT = st.tuples(ENVIRONMENT, LEARNER, st.integers(0, 99), NATURAL, MODEL, st.integers(0, 99))


def checkpoint_at(environment: str, learner: str, seed: int, experience: int, model: str, depth: int) -> Checkpoint:
    run = random_run("coin-flip", seed)._replace(environment=environment, learner=learner)
    return Checkpoint(run, experience, model, depth)


@given(one=CHECKPOINT, other=CHECKPOINT, joined=st.tuples(*[st.text("a-:.", min_size=1, max_size=4)] * 3))
@settings(deadline=None, max_examples=300)
def test_other_coordinates_have_another_file(one: Any, other: Any, joined: tuple[str, str, str]) -> None:
    a, b = checkpoint_at(*one).coordinates, checkpoint_at(*other).coordinates
    assert list(a.values()) == list(one)
    assert (file_name(a) == file_name(b)) == (a == b)
    x, y, z = joined
    for first, second in (((f"{x}-{y}", z), (x, f"{y}-{z}")), ((x, f"{y}-0-{z}"), (f"{x}-{y}-0", z))):
        names = [file_name({**a, "environment": e, "learner": learner}) for e, learner in (first, second)]
        assert names[0] != names[1], "a dash in a name is not one between names"


@given(one=CHECKPOINT)
@settings(deadline=None, max_examples=100)
def test_a_file_is_in_its_folder(one: Any) -> None:
    path = Path("conditions") / file_name(checkpoint_at(*one).coordinates)
    assert path.parent == Path("conditions")
    assert path.suffix == ".json"
    assert path.with_suffix(".draft").stem == path.stem


def test_a_name_of_a_file_can_be_read() -> None:
    assert file_name(checkpoint_at("kuhn-poker", "rhouct", 0, 1000, "ctw", 42).coordinates) == (
        "kuhn-poker-rhouct-0-1000-ctw-42.json"
    )
    run = checkpoint_at("tiger", "rhouct+simulations:30", 3, 1, "ctw", 1).run
    assert file_name(run.coordinates, 1000) == "tiger-rhouct+simulations:30-3-1000.json"

"""The folder of a study, read without what made it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from small_runs import WORLDS, timeless

from aixi_approx.execution.engines import engine
from aixi_approx.laboratory import Laboratory, Study, read_rows
from aixi_approx.laboratory.condition import Cycle
from aixi_approx.laboratory.experience import collect
from aixi_approx.laboratory.regret import RegretParts
from aixi_approx.laboratory.store import BOUNDED, Store

COORDINATES = ["environment", "learner", "seed", "experience", "model", "depth"]
SETTING = ["planner", "horizon", "simulations", "cycles", "learn"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study in environments of which one is no POMDP, in a file that is gone."""
    place = tmp_path_factory.mktemp("rows")
    (place / "worlds.py").write_text(WORLDS)
    names = (f"{place}/worlds.py:Lake", f"{place}/worlds.py:Trap")
    study = Study(
        names,
        (10, 30),
        (1, 3),
        2,
        depths=(4,),
        planners=("dpuct", "expectimax"),
        models=("ctw", "true", "shuffled"),
        learners=("dpuct", "q-learning"),
        cycles=6,
        sampled_decisions=2,
        settings={name: {"depth": 6, "horizon": 2, "simulations": 3} for name in names},
    )
    laboratory = Laboratory(place / "study", study)
    with engine("here") as here:
        laboratory.run(here)
    (place / "wanted.json").write_text(json.dumps(timeless(laboratory.rows())))
    (place / "worlds.py").unlink()
    return place / "study"


def test_rows_are_flat_and_need_no_environment(folder: Path) -> None:
    """One for each condition, and one for a checkpoint without any; all that is there is in them."""
    wanted = json.loads((folder.parent / "wanted.json").read_text())
    rows = read_rows(folder)
    assert rows == read_rows(str(folder))
    assert [list(row)[:6] for row in rows] == [COORDINATES] * len(rows)
    found = [row for row in rows if row["planner"]]
    bare = [row for row in rows if not row["planner"]]
    assert {row["depth"] for row in bare} == {4}
    assert {row["experience"] for row in bare} == {10}
    assert {row[name] for row in bare for name in SETTING} == {None}
    assert len(bare) == 4, "a depth that is searched only after the most experience, of two agents in each"

    def key(row: dict) -> str:
        return str([row[name] for name in (*COORDINATES, *SETTING)])

    assert len({key(row) for row in found}) == len(found) == len(wanted)
    for row, other in zip(sorted(found, key=key), sorted(wanted, key=key), strict=True):
        for kind in ("within_horizon", "long_run"):
            parts = other.pop(kind) or dict.fromkeys(RegretParts._fields)
            other |= {f"{kind}_{part}": value for part, value in parts.items()}
        for what, ends in (other.pop("bounds") or dict.fromkeys(BOUNDED, (None, None))).items():
            other |= {f"bounds_{what}_{end}": value for end, value in zip(("low", "high"), ends, strict=True)}
        assert {name: row[name] for name in other} == other
        others = {name for name in row if name not in other}
        assert all(name == "seconds" or name.startswith("learned_") for name in others)
    assert not any(isinstance(value, dict | list) for row in rows for value in row.values())


def test_what_learning_came_to_is_in_each_row(folder: Path) -> None:
    for row in read_rows(folder):
        learned = {name for name in row if name.startswith("learned_")}
        if row["model"] in ("true", "none"):
            assert not learned
        else:
            assert {"learned_log_loss", "learned_nodes", "learned_bits", "learned_visits"} <= learned
            assert ("learned_best_tree_leaves" in learned) == (row["model"] == "ctw")
    one = {name: row for row in read_rows(folder) for name in [(*(row[c] for c in COORDINATES),)]}
    for path in (folder / "conditions").iterdir():
        content = json.loads(path.read_text())
        row = one[tuple(content["coordinates"].values())]
        assert content["learned"].get("log_loss") == row.get("learned_log_loss")


def test_what_is_not_known_has_its_fields_all_the_same(folder: Path) -> None:
    """So that tables have columns."""
    for row in read_rows(folder):
        if row["planner"]:
            parts = [f"{kind}_{part}" for kind in ("within_horizon", "long_run") for part in RegretParts._fields]
            assert set(parts) <= set(row)
            if "Lake" in row["environment"]:
                assert {row[part] for part in parts} == {None}


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"rows": 3}', '{"rows": []}', '{"rows": [3]}'])
def test_a_broken_file_is_named(content: str, folder: Path, tmp_path: Path) -> None:
    for part in ("study.json", "conditions"):
        (tmp_path / part).mkdir() if part == "conditions" else (tmp_path / part).touch()
    (tmp_path / "conditions" / "tiger-dpuct-0-1-ctw-1.json").write_text(content)
    with pytest.raises(ValueError, match=re.escape(f"{tmp_path}/conditions/tiger-dpuct-0-1-ctw-1.json is broken: ")):
        read_rows(tmp_path)


def test_experience_is_written_with_its_lessons(tmp_path: Path) -> None:
    """And a file in which a cycle is none is broken."""
    study = Study(("tiger",), (10, 25), (1,), 1, learners=("dpuct+policy:learned+simulations:3",), sampled_decisions=0)
    run = study._replace(settings={"tiger": {"epsilon": 0.5, "decay": 1.0}}).runs()[0]
    store, past = Store(tmp_path), list[Cycle]()
    store.prepare({}, {})
    for mark in (10, 25):
        segment = collect(run, past, until=mark)
        store.add_segment(run, mark, segment=segment)
        past = past + segment.cycles
    found = store.past(run, (10, 25))
    assert found == past
    assert all(type(cycle) is Cycle for cycle in found)
    assert {cycle.lesson for cycle in found} == {0, 1}
    path = tmp_path / "experience" / "tiger-dpuct+policy:learned+simulations:3-0-25.json"
    content = json.loads(path.read_text())
    assert content["cycles"][0] == [*past[10]]
    for wrong in (3, [1, 2], [1, 2, 3, 0, 0]):
        path.write_text(json.dumps({**content, "cycles": [wrong, *content["cycles"][1:]]}))
        with pytest.raises(ValueError, match=re.escape(f"{path} is broken: ")):
            store.past(run, (10, 25))


def test_a_folder_without_a_study_is_named(tmp_path: Path) -> None:
    for name in (tmp_path, tmp_path / "new"):
        with pytest.raises(ValueError, match=re.escape(f"{name} holds no study")):
            read_rows(name)

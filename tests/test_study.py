"""Studies: what is refused and how, what is in their cells; those of the repository are valid and run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aixi_approx.execution.engines import engine
from aixi_approx.laboratory.condition import Cell, Trial
from aixi_approx.laboratory.runner import Laboratory
from aixi_approx.laboratory.study import GRIDS, Study, checked, read_study, study_of

IMPORT = "from aixi_approx.laboratory.study import Study"
SCALING = sorted((Path(__file__).parents[1] / "benchmarks" / "scaling").glob("*.toml"))
STUDY = Study(("tiger", "corridor:2"), (10, 100), (1, 10), 2)

# ---------------------------------------------------------------------------------------------- refusals

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"environments": "tiger"}, "environments is 'tiger': write a list"),
    ({"environments": []}, "environments is empty: name at least one"),
    ({"environments": [["tiger"]]}, r"environments are .*: write names"),
    ({"environments": ["tigre"]}, "no environment 'tigre': did you mean tiger"),
    ({"environments": ["kuhn", "kuhn-poker"]}, "environments has one twice"),
    ({"environments": ["corridor:many"]}, ".*length"),
    ({"experience": 10}, "experience is 10: write a list"),
    ({"experience": []}, "experience is empty: name at least one"),
    ({"experience": [0, 10]}, r"experience are \[0, 10\]: write whole numbers, 1 to"),
    ({"experience": [10.0]}, r"experience are \[10.0\]: write whole numbers"),
    ({"experience": [True]}, r"experience are \[True\]: write whole numbers"),
    ({"experience": ["10"]}, r"experience are \['10'\]: write whole numbers"),
    ({"experience": [100, 10]}, r"experience are \[100, 10\]: write them in order"),
    ({"simulations": [1, 1]}, r"simulations are \[1, 1\]: write them in order, the smallest first, none twice"),
    ({"simulations": [1 << 31]}, "simulations are .*: write whole numbers, 1 to 1,073,741,824"),
    ({"depths": [0]}, "depths are .*: write whole numbers"),
    ({"horizons": [101]}, "horizons are .*: write whole numbers, 1 to 100"),
    ({"seeds": 0}, "seeds is 0: write a whole number, 1 at least"),
    ({"seeds": [1, 2]}, r"seeds is \[1, 2\]: write a whole number"),
    ({"cycles": 1.5}, "cycles is 1.5: write a whole number"),
    ({"probes": -1}, "probes is -1: write a whole number"),
    ({"cycles": 10, "probes": 11}, "there are 11 probes in 10 cycles: take more cycles"),
    ({"models": ["ctw", "truth"]}, "there is no model 'truth': there are ctw, shuffled, true"),
    ({"models": [1]}, r"models are \[1\]: write names"),
    ({"methods": []}, "methods is empty"),
    ({"methods": ["rhouct", "rhouct"]}, "methods has one twice"),
    ({"methods": ["mcts"]}, "no planner 'mcts': there are rhouct"),
    ({"methods": ["q-learning"]}, "q-learning has no model: there are rhouct"),
    ({"methods": ["majority:11"]}, "majority:11 needs a simulation for each search: name more than 10"),
    ({"settings": 3}, "settings is 3: write a table for each environment"),
    ({"settings": {"tiger": 3}}, "settings of tiger is 3: write a table"),
    ({"settings": {"locks:1": {}}}, "there are settings for locks:1, which is not among the environments"),
    ({"settings": {"tiger": {}, "Tiger": {}}}, "there are settings for Tiger, .* or settled already"),
    ({"settings": {"tiger": {"deep": 3}}}, "no setting 'deep': there are cycles, depth"),
    ({"settings": {"tiger": {"depth": "3"}}}, "settings of tiger: depth is '3': write a number"),
    ({"settings": {"tiger": {"depth": 0}}}, "settings of tiger: depth is 0: it must lie in 1 to"),
    ({"settings": {"tiger": {"depth": 2.5}}}, "settings of tiger: depth is 2.5: it must be a whole number"),
    ({"settings": {"tiger": {"horizon": 101}}}, "settings of tiger: horizon is 101: it must lie in 1 to 100"),
    ({"settings": {"tiger": {"simulations": 0}}}, "settings of tiger: simulations is 0"),
    ({"settings": {"tiger": {"epsilon": 1.1}}}, "settings of tiger: epsilon is 1.1: it must lie in 0 to 1"),
    ({"models": ["true"]}, r"models are \['true'\]: name ctw, too"),
    ({"methods": ["seconds:0.1", "rhouct"]}, "the first method is seconds:0.1: begin with one that counts"),
    ({"colour": "red"}, "a study has no 'colour': it has environments, experience"),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG, ids=lambda value: str(value)[:40])
def test_what_makes_no_sense_is_one_line_that_names_the_place(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^here: {message}") as refusal:
        study_of(STUDY.options() | wrong, "here")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", Study._fields[:4])
def test_what_is_missing(name: str) -> None:
    given = STUDY.options()
    del given[name]
    with pytest.raises(ValueError, match=f"^here: {name} is missing: a study has environments, experience, sim"):
        study_of(given, "here")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("no.toml", None, "can't be read: No such file or directory"),
        ("no.py", None, "can't be run: FileNotFoundError"),
        ("a.toml", "seeds = = 3", "is not TOML: Invalid value"),
        ("a.toml", b"seeds = '\xff'", "is not TOML: 'utf-8'"),
        ("a.toml", "seeds = 3", "environments is missing"),
        (
            "a.py",
            IMPORT + "\nstudy = Study(('tiger',), (1,))",
            "can't be run: TypeError: ",
        ),
        ("a.py", "study =", "can't be run: SyntaxError: invalid syntax"),
        ("a.py", "raise LookupError('one\\ntwo')", "can't be run: LookupError: one two"),
        ("a.py", "a = 1", "has no study: write `study = Study"),
        ("a.py", "study = 3", "has no study: write `study = Study"),
        (
            "a.py",
            IMPORT + "\nstudy = Study(('tiger',), (2, 1), (1,), 1)",
            r"experience are \[2, 1\]",
        ),
    ],
)
def test_files_that_hold_none(name: str, text: str | bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=rf"^\S*{name}:? {message}") as refusal:
        read_study(path)
    assert "\n" not in str(refusal.value)


# ---------------------------------------------------------------------------------------------- what there is


def test_toml_and_python_say_the_same(tmp_path: Path) -> None:
    toml, python = tmp_path / "a.toml", tmp_path / "a.py"
    toml.write_text(
        'environments = ["kuhn", "locks:1"]\nexperience = [10, 100]\nsimulations = [1]\nseeds = 3\n'
        "depths = [8]\n[settings]\nkuhn = { depth = 40 }\n"
    )
    python.write_text(
        IMPORT + "\n"
        "study = Study(['kuhn', 'locks:1'], [10, 100], (1,), 3, depths=[8], settings={'kuhn': {'depth': 40}})"
    )
    study = read_study(toml)
    assert read_study(python) == study
    assert study == Study(
        ("kuhn-poker", "locks:1"), (10, 100), (1,), 3, (8,), settings={"kuhn-poker": {"depth": 40}}
    ), "names are full names, in the settings too"
    assert [study.subject(name, 0).settings.depth for name in study.environments] == [
        40,
        study.subject("locks:1", 0)[1].depth,
    ]


@pytest.mark.parametrize("name", GRIDS)
def test_options_go_through_json_and_back(name: str) -> None:
    study = GRIDS[name]._replace(environments=("tiger",), horizons=(2,), settings={"tiger": {"epsilon": 0.5}})
    assert study_of(json.loads(json.dumps(study.options())), "here") == study == checked(study, "here")


def test_numbers_of_numpy_are_refused_in_a_line() -> None:
    """JSON has none of them."""
    with pytest.raises(ValueError, match=r"experience are .*: write whole numbers"):
        checked(STUDY._replace(experience=tuple(np.array([1, 2]))), "here")


# ---------------------------------------------------------------------------------------------- cells


def of(cell: Cell) -> tuple[int, str, int]:
    return cell.experience, cell.model, cell.depth


def test_the_plane() -> None:
    subjects = STUDY.subjects()
    assert [(s.environment, s.seed) for s in subjects] == [
        ("tiger", 0),
        ("corridor:2", 0),
        ("tiger", 1),
        ("corridor:2", 1),
    ], "seed after seed, so that a study that is stopped has some of each environment"
    depth, horizon = subjects[0].settings.depth, subjects[0].settings.horizon
    cells = list(STUDY.cells(subjects[0]))
    assert [of(cell) for cell in cells] == [(10, "ctw", depth), (100, "ctw", depth)]
    for cell in cells:
        assert cell.subject == subjects[0]
        assert (cell.cycles, cell.probes) == (100, 20)
        assert cell.trials == (Trial(horizon, "rhouct", 1), Trial(horizon, "rhouct", 10))


def test_slices() -> None:
    """Other depths are predictors at each experience; after the most, all else is tried as well."""
    study = checked(
        Study(
            ("tiger",),
            (10, 100),
            (1, 4, 9),
            1,
            depths=(8, 36),
            horizons=(1, 5),
            methods=("rhouct", "expectimax", "majority:5", "pooled:1", "one-ply", "seconds:0.01"),
            models=("ctw", "shuffled", "true"),
            cycles=7,
            probes=3,
            settings={"tiger": {"depth": 36, "horizon": 5}},
        ),
        "here",
    )
    plane = [("rhouct", 1), ("rhouct", 4), ("rhouct", 9)]
    other_methods = [
        *[("expectimax", 0), ("majority:5", 9)],
        *[("pooled:1", 1), ("pooled:1", 4), ("pooled:1", 9)],
        *[("one-ply", 1), ("one-ply", 4), ("one-ply", 9), ("seconds:0.01", 0)],
    ]
    all_of_it = [(5, *t) for t in plane] + [(1, *t) for t in plane] + [(5, *t) for t in other_methods]
    found = {of(cell): [tuple(trial) for trial in cell.trials] for cell in study.cells(study.subjects()[0])}
    assert found == {
        (10, "ctw", 36): [(5, *t) for t in plane],
        (10, "ctw", 8): [],
        (100, "ctw", 36): all_of_it,
        (100, "ctw", 8): [(5, *t) for t in plane],
        (100, "shuffled", 36): [(5, *t) for t in plane],
        (0, "true", 36): all_of_it,
    }
    cells = list(study.cells(study.subjects()[0]))
    assert len(cells) == len(found)
    assert all((cell.cycles, cell.probes) == (7, 3) for cell in cells)
    assert all(len(set(cell.trials)) == len(cell.trials) for cell in cells)


# ---------------------------------------------------------------------------------------------- those we have


@pytest.mark.parametrize("path", SCALING, ids=lambda path: path.stem)
def test_studies_of_the_repository_are_valid_and_run(path: Path, tmp_path: Path) -> None:
    study = read_study(path)
    first = study.environments[0]
    small = study._replace(
        environments=(first,),
        experience=tuple(min(200, cycles) for cycles in study.experience[:2]),
        simulations=(1, 10),
        seeds=1,
        depths=study.depths[:1],
        horizons=study.horizons[:1],
        cycles=4,
        probes=2,
        settings={name: own for name, own in study.settings.items() if name == first},
    )
    laboratory = Laboratory(tmp_path / "study", checked(small, "small"))
    with engine("here") as here:
        laboratory.carry_out(here)
    assert laboratory.missing() == {}
    cells = laboratory.cells()
    assert {cell["model"] for cell in cells} == set(study.models)
    assert [stretch["experience"] for stretch in laboratory.stretches()] == list(small.experience)
    for cell, planned in zip(cells, small.cells(small.subjects()[0]), strict=True):
        assert [Trial(*(row[field] for field in Trial._fields)) for row in cell["trials"]] == list(planned.trials)
        assert all(0 <= row["sure"] <= 1 for row in cell["trials"])


def test_there_are_some() -> None:
    assert SCALING


def test_only_a_pomdp_has_a_true_model() -> None:
    study = Study(("coin-flip", "pacman"), (10,), (1,), 1, models=("ctw", "true"))
    cells = {name: [cell.model for cell in study.cells(study.subject(name, 0))] for name in study.environments}
    assert cells == {"coin-flip": ["ctw", "true"], "pacman": ["ctw"]}

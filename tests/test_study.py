"""Studies: what is refused and how, which conditions there are; those of the repository are valid and run."""

from __future__ import annotations

import json
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aixi_approx.environment import Environment, Percept
from aixi_approx.envs import make
from aixi_approx.execution.engines import engine
from aixi_approx.laboratory.condition import Group, Setting
from aixi_approx.laboratory.runner import Laboratory
from aixi_approx.laboratory.study import AXES, GRIDS, Study, checked, read_study, study_of
from aixi_approx.planner_spec import PlannerSpec

IMPORT = "from aixi_approx.laboratory.study import Study"
STUDIES = sorted((Path(__file__).parents[1] / "benchmarks").glob("s[ck]*/*.toml"))
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
    ({"sampled_decisions": -1}, "sampled_decisions is -1: write a whole number"),
    ({"cycles": 10, "sampled_decisions": 11}, "there are 11 sampled_decisions in 10 cycles: take more cycles"),
    ({"models": ["ctw", "truth"]}, "no model 'truth': "),
    ({"models": [1]}, r"models are \[1\]: write names"),
    ({"planners": []}, "planners is empty"),
    ({"planners": ["rhouct", "rhouct"]}, "planners has one twice"),
    ({"planners": ["mcts"]}, "no planner 'mcts': there are dpuct"),
    ({"planners": ["q-learning"]}, "q-learning has no model: there are dpuct"),
    ({"planners": ["majority:11"]}, "majority:11 needs a simulation for each search: name more than 10"),
    ({"settings": 3}, "settings is 3: write a table for each environment"),
    ({"settings": {"tiger": 3}}, "settings of tiger is 3: write a table"),
    ({"settings": {"locks:1": {}}}, "there are settings for locks:1, which is not among the environments"),
    ({"settings": {"tiger": {}, "Tiger": {}}}, "there are settings for Tiger, .* or has some already"),
    ({"settings": {"tiger": {"deep": 3}}}, "no setting 'deep': there are depth, horizon"),
    ({"settings": {"tiger": {"depth": "3"}}}, "settings of tiger: depth is '3': write a number"),
    ({"settings": {"tiger": {"depth": 0}}}, "settings of tiger: depth is 0: it must lie in 1 to"),
    ({"settings": {"tiger": {"depth": 2.5}}}, "settings of tiger: depth is 2.5: it must be a whole number"),
    ({"settings": {"tiger": {"horizon": 101}}}, "settings of tiger: horizon is 101: it must lie in 1 to 100"),
    ({"settings": {"tiger": {"simulations": 0}}}, "settings of tiger: simulations is 0"),
    ({"settings": {"tiger": {"epsilon": 1.1}}}, "settings of tiger: epsilon is 1.1: it must lie in 0 to 1"),
    ({"environments": ["pacman"], "models": ["true"]}, r"models are \['true'\]: name ctw, too"),
    ({"planners": ["seconds:0.1", "rhouct"]}, "the first planner is seconds:0.1: begin with one that counts"),
    (
        {"planners": ["dpuct", "dpuct+memo:true"], "models": ["ctw", "true"]},
        r"settings of tiger: memo means nothing to dpuct\+memo:true with the model true: leave it out",
    ),
    ({"learners": []}, "learners is empty"),
    ({"learners": ["mcts"]}, "no planner 'mcts': there are dpuct"),
    ({"learners": ["rhouct+horizon:0"]}, r"planner 'rhouct\+horizon:0': horizon is '0'"),
    ({"learners": ["q-learning+ucb:1"]}, "settings of tiger: ucb means nothing to q-learning"),
    ({"models": ["shuffled", "no_file.py:Mine"]}, "no file 'no_file.py'"),
    ({"models": ["shuffled"]}, r"models are \['shuffled'\]: name ctw, too"),
    ({"planners": ["rhouct+horizon:3"]}, r"rhouct\+horizon:3: horizon and simulations of a planner are axes"),
    ({"planners": ["simulations:3"]}, "dpuct.simulations:3: horizon and simulations of a planner are axes"),
    ({"cross": ["seeds"]}, "cross has 'seeds': there are depths, horizons, planners"),
    ({"cross": "depths"}, "cross is 'depths': write a list"),
    ({"settings": {"tiger": {"cycles": 5}}}, "no setting 'cycles': there are depth, horizon"),
    ({"settings": {"tiger": {"evaluation_simulations": 5}}}, "no setting 'evaluation_simulations': there are"),
    ({"colour": "red"}, "a study has no 'colour': it has environments, experience"),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG, ids=lambda value: str(value)[:40])
def test_what_makes_no_sense_is_one_line_that_names_the_place(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^here: {message}") as refusal:
        study_of(STUDY.as_json() | wrong, "here")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", Study._fields[:4])
def test_what_is_missing(name: str) -> None:
    given = STUDY.as_json()
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
    assert study.agent_settings("kuhn-poker") == make("kuhn-poker").settings._replace(depth=40)
    assert [(run.environment, run.settings.depth) for run in study.runs()[:2]] == [
        ("kuhn-poker", 40),
        ("locks:1", make("locks:1").settings.depth),
    ]


@pytest.mark.parametrize("name", GRIDS)
def test_a_study_goes_through_json_and_back(name: str) -> None:
    study = GRIDS[name]._replace(environments=("tiger",), horizons=(2,), settings={"tiger": {"epsilon": 0.5}})
    assert study_of(json.loads(json.dumps(study.as_json())), "here") == study == checked(study, "here")


def test_numbers_of_numpy_are_refused_in_a_line() -> None:
    """JSON has none of them."""
    with pytest.raises(ValueError, match=r"experience are .*: write whole numbers"):
        checked(STUDY._replace(experience=tuple(np.array([1, 2]))), "here")


# ---------------------------------------------------------------------------------------------- conditions


def at(group: Group) -> tuple[int, str, int]:
    return group.checkpoint[1:]


def searches(group: Group) -> list[tuple[int, str, int]]:
    """Horizon, planner and simulations of each setting."""
    return [tuple(setting.coordinates[name] for name in ("horizon", "planner", "simulations")) for setting in group[1]]


def test_the_plane() -> None:
    runs = STUDY.runs()
    assert [(run.environment, run.learner, run.seed) for run in runs] == [
        ("tiger", "dpuct", 0),
        ("corridor:2", "dpuct", 0),
        ("tiger", "dpuct", 1),
        ("corridor:2", "dpuct", 1),
    ], "seed after seed, so that a study that is stopped has some of each environment"
    depth, horizon = runs[0].settings.depth, runs[0].settings.horizon
    groups = list(STUDY.groups(runs[0]))
    assert [at(group) for group in groups] == [(10, "ctw", depth), (100, "ctw", depth)]
    for group in groups:
        assert group.checkpoint.run == runs[0]
        assert group.sampled_decisions == 20
        assert group.settings == tuple(
            Setting(PlannerSpec("dpuct", horizon=horizon, simulations=count), 100) for count in (1, 10)
        )


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
            planners=("rhouct", "expectimax", "majority:5", "pooled:1", "one-ply", "seconds:0.01"),
            models=("ctw", "shuffled", "true"),
            cycles=7,
            sampled_decisions=3,
            settings={"tiger": {"depth": 36, "horizon": 5}},
        ),
        "here",
    )
    plane = [("rhouct", 1), ("rhouct", 4), ("rhouct", 9)]
    other_planners = [
        *[("expectimax", 0), ("majority:5", 9)],
        *[("pooled:1", 1), ("pooled:1", 4), ("pooled:1", 9)],
        *[("one-ply", 1), ("one-ply", 4), ("one-ply", 9), ("seconds:0.01", 0)],
    ]
    all_of_it = [(5, *t) for t in plane] + [(1, *t) for t in plane] + [(5, *t) for t in other_planners]
    groups = list(study.groups(study.runs()[0]))
    found = {at(group): searches(group) for group in groups}
    assert found == {
        (10, "ctw", 36): [(5, *t) for t in plane],
        (10, "ctw", 8): [],
        (100, "ctw", 36): all_of_it,
        (100, "ctw", 8): [(5, *t) for t in plane],
        (100, "shuffled", 36): [(5, *t) for t in plane],
        (0, "true", 36): all_of_it,
    }
    assert len(groups) == len(found)
    assert all(group.sampled_decisions == 3 for group in groups)
    assert all(setting.cycles == 7 and not setting.learn for group in groups for setting in group.settings)
    assert all(len(set(group.settings)) == len(group.settings) for group in groups)


CROSSED = Study(
    ("tiger",),
    (10, 100, 1000),
    (1, 4),
    1,
    depths=(8, 12),
    horizons=(1, 3),
    planners=("rhouct", "one-ply", "expectimax"),
    models=("ctw", "true"),
    settings={"tiger": {"depth": 36, "horizon": 5}},
)


@pytest.mark.parametrize("cross", [some for size in range(4) for some in combinations(AXES, size)])
def test_crossed_axes_are_a_full_product_and_the_others_slices(cross: tuple[str, ...]) -> None:
    study = checked(CROSSED._replace(cross=cross), "here")
    budgets = {"rhouct": (1, 4), "one-ply": (1, 4), "expectimax": (0,)}
    found = {(*at(g), *s) for g in study.groups(study.runs()[0]) for s in searches(g)}

    def product_of(depths: Any, horizons: Any, planners: Any, where: Any) -> set[Any]:
        """Of these, on the plane or after the most experience."""
        return {
            (*point, depth, horizon, planner, n)
            for point in where
            for depth, horizon, planner in product(depths, horizons, planners)
            for n in budgets[planner]
        }

    axes = {"depths": (36, 8, 12), "horizons": (5, 1, 3), "planners": ("rhouct", "one-ply", "expectimax")}
    crossed = [axes[axis] if axis in cross else axes[axis][:1] for axis in AXES]
    plane = [(experience, "ctw") for experience in (10, 100, 1000)]
    wanted = product_of(*crossed, plane)
    for axis in set(AXES) - set(cross):
        only = [axes[each] if each == axis else axes[each][:1] for each in AXES]
        if axis == "depths":  # at all crossed searches
            only = [axes["depths"], *crossed[1:]]
        wanted |= product_of(*only, plane[-1:])
    true = product_of(*[crossed[0][:1], *crossed[1:]], [(0, "true")])
    for axis in {"horizons", "planners"} - set(cross):
        true |= product_of(*[axes[each] if each == axis else axes[each][:1] for each in AXES], [(0, "true")])
    assert found == wanted | true
    uncrossed = {(*at(g), *s) for g in CROSSED.groups(CROSSED.runs()[0]) for s in searches(g)}
    assert uncrossed <= found, "crossing an axis keeps what was measured before"
    assert all(len(set(g.settings)) == len(g.settings) for g in study.groups(study.runs()[0]))


def test_models_that_learn_have_a_plane_each_and_the_first_has_slices(own_predictor: str) -> None:
    study = checked(CROSSED._replace(models=(own_predictor, "true", "ctw", "shuffled")), "here")
    groups = {at(group): searches(group) for group in study.groups(study.runs()[0])}
    assert study.base_model == own_predictor
    plane = [(5, "rhouct", 1), (5, "rhouct", 4)]
    for experience in study.experience:
        assert groups[experience, "ctw", 36] == plane
        assert groups[experience, own_predictor, 36][:2] == plane
    assert len(groups[1000, own_predictor, 36]) == 2 + 4 + 3
    assert groups[1000, "shuffled", 36] == plane
    assert {(model, depth) for _, model, depth in groups if depth != 36} == {(own_predictor, 8), (own_predictor, 12)}
    alone = checked(CROSSED._replace(models=("ctw",), depths=(), horizons=(), planners=("rhouct",)), "here")
    for group in alone.groups(alone.runs()[0]):
        assert groups[at(group)] == searches(group)


def test_learners_have_runs_of_their_own() -> None:
    learners = ("q-learning", "one-ply+simulations:30", "random", "rhouct")
    study = checked(CROSSED._replace(seeds=2, learners=learners), "here")
    assert [(run.learner, run.seed) for run in study.runs()] == [(name, seed) for seed in (0, 1) for name in learners]
    assert study.base_learner == "one-ply+simulations:30"
    for run in study.runs():
        groups = list(study.groups(run))
        if run.learner in ("q-learning", "random"):
            assert [at(group) for group in groups] == [(experience, "none", 0) for experience in study.experience]
            assert {g.settings for g in groups} == {(Setting(PlannerSpec(run.learner), 100),)}
        else:
            alone = CROSSED._replace(learners=(run.learner,))
            assert [g[1:] for g in groups] == [g[1:] for g in alone.groups(run)]


def test_a_policy_alone_has_no_horizon_and_no_simulations() -> None:
    """Nor is it measured twice where horizons are crossed, with nothing to cross."""
    learners = ("dpuct+policy:learned+simulations:3", "dpuct+policy:learned+simulations:30")
    planners = ("dpuct+policy:learned", "policy-alone", "self-aixi")
    study = checked(CROSSED._replace(planners=planners, learners=learners, models=("ctw",)), "here")
    for run in study.runs():
        *_, most = [searches(group) for group in study.groups(run) if group.checkpoint.depth == 36]
        guided = [(h, planners[0], n) for h in (5, 1, 3) for n in (1, 4)]
        assert most == [*guided, (0, "policy-alone", 0), (5, "self-aixi", 1), (5, "self-aixi", 4)]
    crossed = checked(study._replace(cross=("horizons", "planners")), "here")
    for group in crossed.groups(crossed.runs()[0]):
        if group.settings:
            assert searches(group).count((0, "policy-alone", 0)) == 1
            assert len(group.settings) == 3 * 2 * 2 + 1


def test_names_are_made_full() -> None:
    """So that what is asked for in two ways is the same, and is not measured twice."""
    given = {"environments": ["kuhn"], "planners": ["rho", "rhouct+majority:4"], "models": ["ct"], "learners": ["q-l"]}
    study = checked(STUDY._replace(**given), "here")
    assert (study.environments, study.planners) == (("kuhn-poker",), ("rhouct", "rhouct+majority:4"))
    assert (study.models, study.learners) == (("ctw",), ("q-learning",))
    with pytest.raises(ValueError, match="here: planners has one twice"):
        checked(STUDY._replace(planners=("rhouct", "majority:4", "dpuct+majority:4")), "here")


def test_an_environment_may_be_a_class_or_an_instance(worlds: str) -> None:
    from aixi_approx.envs.tiger import Tiger
    from aixi_approx.registry import class_in_file

    own = class_in_file(worlds, "Plain")
    study = checked(STUDY._replace(environments=(Tiger, make("locks:1"), own)), "here")
    names = [study.environments[0], "locks:1", f"{worlds}:Plain"]
    assert list(study.environments) == names
    assert [make(name).actions for name in names] == [Tiger.actions, make("locks:1").actions, own.actions]
    assert study_of(json.loads(json.dumps(study.as_json())), "here") == study


def test_an_environment_without_a_name_is_refused_in_a_line() -> None:
    class Sized(Environment):
        """Can't be made by name: it takes a size."""

        def __init__(self, size: int) -> None:
            self.actions = self.observations = tuple(range(size))

        def reset(self, seed: int) -> None: ...

        def step(self, action: int) -> Percept:
            return Percept(0, 0)

    for given in (Sized(3), Sized, 3, 0.5, None, ["tiger"], {}, ""):
        with pytest.raises(ValueError, match=r"^here: ") as refusal:
            checked(STUDY._replace(environments=(given,)), "here")
        assert "\n" not in str(refusal.value)
    with pytest.raises(ValueError, match=r"Sized has no name by which other processes can make it: write it to a file"):
        Laboratory(Path("nowhere"), STUDY._replace(environments=(Sized(3),)))


# ---------------------------------------------------------------------------------------------- those we have


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
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
        sampled_decisions=2,
        settings={name: own for name, own in study.settings.items() if name == first},
    )
    laboratory = Laboratory(tmp_path / "study", checked(small, "small"))
    with engine("here") as here:
        laboratory.run(here)
    assert laboratory.missing() == {}
    runs = small.runs()
    assert [run.learner for run in runs] == [*study.learners]
    assert {row["model"] for row in laboratory.rows()} - {"none"} == set(study.models)
    for run in runs:
        segments = [laboratory.store.segment(run, mark) for mark in small.experience]
        assert [segment and segment["experience"] for segment in segments] == list(small.experience)
    groups = [group for run in runs for group in small.groups(run)]
    planned = [(group.checkpoint.coordinates, setting) for group in groups for setting in group.settings]
    rows = laboratory.rows()
    assert [(dict(list(row.items())[:6]), Setting.at(row)) for row in rows] == planned
    assert all(row["model"] == "none" or 0 <= row["certified"] <= 1 for row in rows)
    for group in groups:
        assert laboratory.store.conditions(group.checkpoint) is not None


def test_there_are_some() -> None:
    assert {path.parent.name for path in STUDIES} == {"scaling", "skill"}


def test_only_a_pomdp_has_a_true_model() -> None:
    study = Study(("coin-flip", "pacman"), (10,), (1,), 1, models=("ctw", "true"))
    models = {run.environment: [g.checkpoint.model for g in study.groups(run)] for run in study.runs()}
    assert models == {"coin-flip": ["ctw", "true"], "pacman": ["ctw"]}

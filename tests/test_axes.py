"""Axes of a study that live outside the package: they are coordinates, and change what they say and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aixi_approx.cli import main
from aixi_approx.execution import engine
from aixi_approx.laboratory import Laboratory, Study, find_results, read_rows, read_study
from aixi_approx.laboratory.experience import collect

MINE = Path(__file__).parent / "extensions" / "my_axis.py"


def measured(folder: Path, study: Study) -> Laboratory[Study]:
    laboratory = Laboratory(folder, study)
    with engine("here") as here:
        laboratory.run(here)
    assert not laboratory.missing()
    return laboratory


def plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("seconds", "axes", "planner")}


def test_a_value_is_what_it_says_and_all_else_is_as_on_the_plane(tmp_path: Path) -> None:
    study = read_study(MINE)
    laboratory = measured(tmp_path / "study", study)
    rows = laboratory.rows()
    base = [row for row in rows if "axes" not in row and "run_axes" not in row]
    other_base = measured(tmp_path / "plain", study._replace(axes=())).rows()
    assert [*map(plain, base)] == [*map(plain, other_base)]
    constant = [row for row in rows if row.get("axes") == {"constant": 0.1}]
    other = measured(tmp_path / "other", study._replace(axes=(), planners=("dpuct", "dpuct+ucb:0.1")))
    twins = [row for row in other.rows() if row["planner"] == "dpuct+ucb:0.1"]
    assert [*map(plain, constant)] == [*map(plain, twins)]
    assert len(constant) == study.seeds * len(study.simulations)
    for run in study.runs():
        if run.axes:
            ((name, epsilon),) = run.axes
            assert (name, run.settings.epsilon, run.settings.decay) == ("epsilon", epsilon, 1.0)
            marks = study.marks(run)
            assert laboratory.store.past(run, marks) == collect(run._replace(axes=()), [], until=marks[-1]).cycles
    (found,) = find_results(laboratory)
    assert {"epsilon 0.2", "epsilon 0.9", "constant 0.1"} <= set(found.others)
    assert {row.get("run_axes_epsilon") for row in read_rows(tmp_path / "study")} == {None, 0.2, 0.9}


def test_an_axis_may_be_crossed_with_the_plane(tmp_path: Path) -> None:
    study = read_study(MINE)
    laboratory = measured(tmp_path, study._replace(cross=("epsilon", "constant")))
    counted: dict[Any, int] = {}
    for row in laboratory.rows():
        key = (str(row.get("run_axes")), str(row.get("axes")))
        counted[key] = counted.get(key, 0) + 1
    each = study.seeds * len(study.experience) * len(study.simulations)
    assert counted == {
        (run, setting): each
        for run in ("None", "{'epsilon': 0.2}", "{'epsilon': 0.9}")
        for setting in ("None", "{'constant': 0.1}")
    }


def test_the_command_line_takes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["scale", str(MINE), "--out", str(tmp_path / "out"), "--on", "here"])
    assert "| epsilon 0.9 |" in (tmp_path / "out" / "report.md").read_text()
    main(["scale", str(MINE), "--out", str(tmp_path / "out"), "--on", "here"])  # resumed: nothing is missing
    capsys.readouterr()


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        ("('a', (1,))", "write Axis"),
        ("Axis('a', ())", "axis a: values are"),
        ("Axis('a', ([],), setting=print)", "axis a: values are"),
        ("Axis('a', (1,))", "axis a: give it one of run and setting"),
        ("Axis('a', 3, run=print)", "axis a: values are 3"),
        ("Axis('a', (1, 1), run=print)", r"axis a: values are \(1, 1\): write none twice"),
        ("Axis('a', (float('nan'),), run=print)", "axis a: values are"),
        ("Axis('', (1,), run=print)", "axes has the name ''"),
        ("Axis('depths', (1,), run=print)", "axes has the name 'depths'"),
        ("Axis('a', (1,), run=explore), Axis('a', (2,), run=explore)", "axes has the name 'a'"),
        ("Axis('a', (1,), run=lambda run, value: None)", "axis a: its function returned None: return a TrainingRun"),
        ("Axis('a', (1,), setting=lambda s, value: None)", "axis a: its function returned None: return a Setting"),
        (
            "Axis('a', (0,), run=lambda run, value: 1 / value)",
            "axis a: the value 0 can't be applied: ZeroDivisionError",
        ),
        ("Axis('a', (1,), run=3)", "axis a: the value 1 can't be applied: TypeError"),
        ("Axis('a', (1,), run=print, setting=print)", "axis a: give it one of run and setting"),
    ],
)
def test_what_makes_no_sense_is_one_line(axis: str, message: str, tmp_path: Path) -> None:
    text = MINE.read_text()
    begin = text.index("    axes=(")
    (tmp_path / "study.py").write_text(f"{text[:begin]}    axes=({axis},),\n)\n")
    with pytest.raises(ValueError, match=message) as caught:
        read_study(tmp_path / "study.py")
    assert "\n" not in str(caught.value)

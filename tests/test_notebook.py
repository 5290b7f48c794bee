"""What a notebook needs: parameters that editors see, runs in one call, tables of pandas, figures that show."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

import aixi_approx as aixi
from aixi_approx.experiments import progress as bars
from aixi_approx.experiments import recorded_rows
from aixi_approx.planner_spec import PlannerSpec

SMALL = {"cycles": 40, "evaluate": 20, "simulations": 5, "evaluation_simulations": 5}
FIELDS = aixi.Settings._fields


@pytest.mark.parametrize(
    ("function", "more"),
    [
        (aixi.build_agent, ["planner", "seed", "threads"]),
        (aixi.mc_aixi, ["ucb", "memo", "seed"]),
        (aixi.Experiment.of, ["planner", "model", "policy", "cycles", "evaluate", "evaluation_simulations", "seed"]),
    ],
)
def test_editors_see_all_parameters(function: Any, more: list[str]) -> None:
    parameters = inspect.signature(function).parameters
    assert not any(each.kind in (each.VAR_KEYWORD, each.VAR_POSITIONAL) for each in parameters.values())
    own = [field for field in FIELDS if function is not aixi.mc_aixi or field != "most_memory"]
    for name in [*own, *more]:
        assert parameters[name].kind == inspect.Parameter.KEYWORD_ONLY
        assert parameters[name].annotation, name


@pytest.mark.parametrize("field", FIELDS)
def test_a_parameter_is_a_setting(field: str) -> None:
    value = {"epsilon": 0.5, "decay": 0.9, "most_memory": 1 << 20}.get(field, 4)
    tiger = aixi.make("tiger")
    settings = tiger.settings._replace(**{field: value})
    by_name = aixi.build_agent(tiger, **{field: value}, seed=1)
    assert by_name.recipe == aixi.build_agent(tiger, settings=settings, seed=1).recipe
    assert by_name.recipe != aixi.build_agent(tiger, seed=1).recipe
    assert aixi.Experiment.of("tiger", **{field: value}).settings == settings


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"depth": 0}, "depth is 0: it must lie in 1 to"),
        ({"horizon": 1.5}, "horizon is 1.5: it must be a whole number"),
        ({"simulations": -1}, "simulations is -1: it must lie in 1 to"),
        ({"epsilon": 2}, "epsilon is 2: it must lie in 0 to 1"),
        ({"decay": "x"}, "decay is x: it must lie in 0 to 1"),
        ({"most_memory": 3}, "most_memory is 3: it must lie in 65536 to"),
        (
            {"planner": "q-learning", "horizon": 3},
            "horizon means nothing to q-learning with the model ctw: leave",
        ),
        ({"planner": "dpuct+horizon:3", "horizon": 4}, "horizon is in the planner dpuct+horizon:3, too: leave one out"),
        ({"planner": 3}, "3 is no planner: give its name, or a PlannerSpec"),
        ({"cycles": -1}, "cycles is -1: it must lie in 0 to"),
        ({"evaluate": "all"}, "evaluate is 'all': it must be a whole number"),
        ({"evaluation_simulations": 0}, "evaluation_simulations is 0, and no policy can act alone"),
        ({"planner": "random", "evaluation_simulations": 5}, "evaluation_simulations means nothing to random"),
        ({"planner": "q-learning", "policy": "learned"}, "policy means nothing to q-learning"),
        (
            {"planner": "dpuct+policy:learned", "policy": "learned"},
            "policy is in the planner dpuct+policy:learned,",
        ),
        ({"discount": 2}, "'2' is no discount"),
        ({"model": "absent"}, "absent"),
    ],
)
def test_what_is_wrong_is_one_line(given: dict[str, Any], message: str) -> None:
    ways = [lambda: aixi.run(aixi.Experiment.of("tiger", **{**SMALL, **given}))]
    if given.keys() <= inspect.signature(aixi.build_agent).parameters.keys():
        ways.append(lambda: aixi.build_agent("tiger", **given))
    if "planner" in given and "simulations" not in given:
        small = {name: value for name, value in SMALL.items() if "simulations" not in name}
        ways[0] = lambda: aixi.run(aixi.Experiment.of("tiger", **{**small, **given}))
    for way in ways:
        with pytest.raises(ValueError, match=re.escape(message)) as error:
            way()
        assert "\n" not in str(error.value)


def test_an_experiment_is_what_the_environment_says() -> None:
    tiger = aixi.make("tiger")
    whole = aixi.Experiment.of("tiger")
    assert whole == aixi.Experiment("tiger", tiger.settings, tiger.schedule)
    assert aixi.Experiment.of(tiger) == whole
    assert aixi.Experiment.of("tiger", discount=0.9).environment == "tiger?discount=0.9"
    assert [aixi.Experiment.of("tiger", cycles=n).evaluate for n in (0, 5, 500, 5_000)] == [2_000, 100, 500, 2_000]
    learned = aixi.Experiment.of("tiger", policy="learned", planner="self-aixi", start=Path("x"))
    assert (learned.planner, learned.start) == (PlannerSpec("self-aixi", policy="learned"), "x")


def test_an_environment_of_a_cell_has_no_name_to_run_by() -> None:
    cell: dict[str, Any] = {"__name__": "__main__", "aixi": aixi}
    exec("class Here(aixi.Environment):\n    def __init__(self, size): ...", cell)
    with pytest.raises(ValueError, match=r"write it to a file, and name it my_env.py:MyClass"):
        aixi.Experiment.of(cell["Here"])


def test_a_run_keeps_its_rows_and_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    experiment = aixi.Experiment.of("tiger", **SMALL)
    rows = aixi.Collection(aixi.show_progress)
    result = aixi.run(experiment, watch=rows)
    shown = capsys.readouterr().err
    assert "learning" in shown
    assert "evaluation" in shown
    assert aixi.run(experiment, tmp_path / "run").reward == result.reward
    assert capsys.readouterr().err == "", "nothing is shown unless asked for"
    assert recorded_rows(tmp_path / "run" / "learning.csv") == rows.learning
    table = rows.frame()
    assert [*table.columns[:3]] == ["part", "cycle", "action"]
    assert table.groupby("part")["reward"].mean()["evaluation"] == pytest.approx(result.reward.mean)
    assert aixi.frame(rows.learning)["reward"].tolist() == [row.reward for row in rows.learning]
    assert isinstance(result.draw(rows.learning), Figure)
    assert isinstance(result.draw([]), Figure)


def test_a_policy_is_a_table() -> None:
    table = aixi.solve(aixi.make("tiger")).frame()
    assert table[table.node == 3].action.unique().tolist() == ["open-right"]
    assert table.groupby("node").probability.sum().tolist() == pytest.approx([1] * 5)


def test_rows_without_names_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^\(1, 2\) is no row: give mappings"):
        aixi.frame([(1, 2)])


def test_without_pandas_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ValueError, match=r"^a DataFrame is one of pandas, which is not installed: pip install pandas$"):
        aixi.frame([])


def test_a_figure_is_a_png() -> None:
    picture = aixi.solve(aixi.make("tiger")).draw()
    assert isinstance(picture, Figure)
    assert picture._repr_png_().startswith(b"\x89PNG")


def test_text_with_dollars_is_no_formula() -> None:
    class Shop(aixi.POMDP):
        """Costs."""

        actions, observations = ("pay $_{", "pay $2}$"), ("$\\frac",)
        min_reward, max_reward = 0, 1

        def start(self) -> dict[Any, float]:
            return {"$^": 1.0}

        def outcomes(self, state: Any, action: Any) -> list[aixi.Outcome]:
            return [aixi.Outcome(1.0, state, self.observations[0], 1)]

    assert aixi.solve(Shop()).draw()._repr_png_()


def test_importing_the_package_loads_no_pictures() -> None:
    code = """
        import sys
        import aixi_approx as aixi
        aixi.build_agent("coin-flip"); aixi.Experiment.of("coin-flip")
        assert not {"matplotlib", "pandas", "rich", "IPython"} & {*sys.modules}, "loaded"
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


def test_outside_of_a_kernel_there_is_no_notebook() -> None:
    assert not bars.notebook()

"""`aixi scale`: how an agent scales with experience and search, what its decisions lose, and the laws of it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aixi_approx.cli.forecast import show_forecast
from aixi_approx.cli.laboratory import on as on_option
from aixi_approx.cli.laboratory import run_laboratory
from aixi_approx.cli.laboratory import yes as yes_option
from aixi_approx.cli.options import as_json, at_least, print_json, written
from aixi_approx.cli.plan import show_plan
from aixi_approx.experiments.progress import terminal_bar

if TYPE_CHECKING:
    from aixi_approx.laboratory.results import Results
    from aixi_approx.laboratory.runner import Laboratory
    from aixi_approx.laboratory.study import Study

GRIDS = ("small", "full")  # as in study.py, which --help need not load
UNITS = ("bits", "visits", "seconds")  # as in results.py
DPI = 120  # of pictures


@click.command("scale", short_help="How an agent scales with experience and search; where its losses come from; laws.")
@click.argument("what", nargs=-1, metavar="[ENVIRONMENTS]")
@click.option("--envs", help="Environments, with commas between them, in place of arguments.")
@click.option(
    "--grid", type=click.Choice(GRIDS), help="Of experience and simulations in environments.  [default: small]"
)
@click.option(
    "--models", "--model", help="What predicts, with commas between: ctw, true, shuffled or my_model.py:MyClass."
)
@click.option("--planners", help="What decides, with commas between, as in `aixi run`; the first on the whole plane.")
@click.option("--learners", help="What agents learn with, with commas between, as in `aixi run`.  [default: dpuct]")
@click.option("--cross", help="Axes crossed with the plane, with commas between: depths, horizons, planners.")
@click.option("--seeds", type=at_least(1), help="Agents in each environment.  [default: 12, of the full grid 20]")
@click.option(
    "--ladder", metavar="FAMILY", help="The sizes of a family: locks, corridor, nim, t-maze, hex, rocksample."
)
@click.option("--plan", "budget", type=float, metavar="COMPUTE", help="Say how so much compute is best spent.")
@click.option(
    "--decisions", type=at_least(1), default=1_000, show_default=True, help="To be made with what was learned."
)
@click.option("--unit", type=click.Choice(UNITS), default="bits", show_default=True, help="Of compute.")
@click.option("--forecast", is_flag=True, help="The curve of search without running it, given the environment.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write to, or to resume from.")
@on_option
@click.option("--report", "only_report", is_flag=True, help="Only report on what is there.")
@yes_option
@click.option("--trust", is_flag=True, help="Run code outside the package that the folder of a study names.")
@as_json
def command(
    what: tuple[str, ...],
    envs: str | None,
    grid: str | None,
    models: str | None,
    planners: str | None,
    learners: str | None,
    cross: str | None,
    seeds: int | None,
    ladder: str | None,
    budget: float | None,
    decisions: int,
    unit: str,
    forecast: bool,
    out: Path | None,
    on: str | None,
    only_report: bool,
    yes: bool,
    trust: bool,
    as_json: bool,
) -> None:
    """Measure how the score of MC-AIXI grows with experience and with search, and where its losses come from.

    Agents with several seeds learn in each of the ENVIRONMENTS. At several points a copy of what they have learned is
    kept, and searches of several sizes decide with it. What the decisions lose is split into prediction, decision,
    distillation, horizon and exploration. For each amount of total compute, that of learning and that of --decisions,
    the best split is found, and the law that the score follows; laws are judged by how well they extrapolate. Several
    models are compared on the same experience; learners that differ in their simulations are compared, train against
    test.

    In place of environments, name a TOML or Python file that says what is measured, or the folder of a study, to resume
    it.

    To read the folder of a study runs no code that it names; to go on with one that names code outside this package
    takes --trust.

    Pictures, tables and conclusions are written to the folder. The same command resumes what was stopped, and one that
    asks for more adds to what is there: more seeds, simulations or environments, or experience beyond the most.

    \b
    Examples:
      aixi scale tiger
      aixi scale tiger --models ctw,my_ngram.py:NGram --planners rhouct,one-ply,rhouct+ucb:0.7
      aixi scale --envs locks:1,locks:2,tiger --grid full --seeds 20 --out study/
      aixi scale study/ --report
      aixi scale study/ --plan 1e7 --decisions 500
      aixi scale --ladder nim --models true
      aixi scale --forecast locks:3
      aixi scale benchmarks/scaling/families.toml --on dask://host:8786
    """
    from aixi_approx.laboratory.conclusions import conclusions
    from aixi_approx.laboratory.ladder import find_ladders
    from aixi_approx.laboratory.report import as_json as results_as_json
    from aixi_approx.laboratory.report import ladders_as_json, report
    from aixi_approx.laboratory.results import find_results

    named = [*what, *_names(envs or "")]
    if forecast:
        others: dict[str, Any] = {
            "grid": grid,
            "models": models,
            "planners": planners,
            "learners": learners,
            "cross": cross,
        }
        others |= {"seeds": seeds, "ladder": ladder, "plan": budget, "on": on, "report": only_report or None}
        if ignored := [name for name, value in others.items() if value is not None]:
            raise click.UsageError(f"--forecast runs nothing, and takes no --{ignored[0]}: leave it out")
        show_forecast(named, horizon=None, as_json=as_json, out=out)
        return
    if budget is not None and only_report:
        raise click.UsageError("--plan writes no report: leave one of --plan and --report out")
    if budget is not None and not 0 < budget < float("inf"):
        raise click.UsageError(f"--plan is {budget:g}: name a positive number of {unit}")
    with redirect_stdout(sys.stderr):  # what an environment prints is no result
        if only_report and len(named) == 1 and not Path(named[0]).exists() and not _is_environment(named[0]):
            raise click.UsageError(f"there is no study {named[0]}: name the folder of one")
        lists = {"models": models, "planners": planners, "learners": learners, "cross": cross}
        given: dict[str, Any] = {name: tuple(_names(text)) for name, text in lists.items() if text is not None}
        given |= {} if seeds is None else {"seeds": seeds}
        laboratory = _laboratory(named, grid, given, out, ladder=ladder, trust=trust)
        if budget is not None and not (laboratory.folder / "study.json").exists():
            raise click.UsageError(f"{laboratory.folder} holds no study to plan with: run it first, without --plan")
        if not only_report and budget is None:
            run_laboratory(laboratory, on, yes=yes, fewer="take a smaller grid, or say --yes")
        elif not (laboratory.folder / "study.json").exists():
            raise click.UsageError(f"{laboratory.folder} holds no study to report on: leave --report out")
        found = find_results(laboratory)
        found = [replace(f, decisions=float(decisions), unit=unit) for f in found]
        if budget is None:
            _fit(found)
    if budget is not None:
        show_plan(found, budget, as_json=as_json)
        return
    text = report(found)
    files = [laboratory.folder / "report.md", *_draw(found, laboratory.folder)]
    with written(files[0]):
        files[0].write_text(text + "\n")
    if as_json:
        ladders = ladders_as_json(find_ladders(found))
        print_json({"folder": str(laboratory.folder), "results": results_as_json(found), "ladders": ladders})
        return
    for f in found:
        print(f"{f.title}\n")
        for sentence in conclusions(f):
            print(f"  {sentence}")
        print()
    print(f"Written: {', '.join(map(str, files))}.")


def _names(text: str) -> list[str]:
    """Names with commas between them."""
    return [name.strip() for name in text.split(",") if name.strip()]


def _laboratory(
    named: Sequence[str], grid: str | None, given: dict[str, Any], out: Path | None, *, ladder: str | None, trust: bool
) -> Laboratory[Study]:
    """The folder that is worked in, with the study that is asked for."""
    from aixi_approx.laboratory.ladder import ladder_study
    from aixi_approx.laboratory.runner import Laboratory
    from aixi_approx.laboratory.study import FULL, SMALL, checked, read_study

    study: Study
    if ladder is not None:
        if named:
            raise click.UsageError(f"--ladder says what the environments are: leave {named[0]} out")
        study = ladder_study(ladder, {"small": SMALL, "full": FULL}[grid or "small"])
        return Laboratory(out or Path(f"study-ladder-{ladder}"), checked(study._replace(**given), "the study"))
    if not named:
        raise click.UsageError("name an environment, a file that holds a study, or the folder of one")
    first = Path(named[0])
    options = ", ".join(f"--{name}" for name in ("seeds", *(n for n in given if n != "seeds"), "grid"))
    if len(named) == 1 and ((first / "study.json").exists() or (first.is_dir() and not _is_environment(named[0]))):
        if given or out or grid:
            raise click.UsageError(f"{first} says what is measured: leave {options} and --out out")
        return Laboratory(first, trust=trust)
    if len(named) > 1 and (alone := [name for name in named if name.endswith((".toml", ".py"))]):
        raise click.UsageError(f"{alone[0]} says what is measured: name nothing else")
    if len(named) == 1 and first.suffix in (".toml", ".py"):
        if not first.is_file():
            raise click.UsageError(f"there is no file {first}")
        if grid:
            raise click.UsageError(f"{first} says what is measured: leave --grid out")
        study, name = read_study(first), first.stem
    else:
        study = {"small": SMALL, "full": FULL}[grid or "small"]._replace(environments=tuple(named))
        name = "-".join(named).replace("/", "_")
    return Laboratory(out or Path(f"study-{name}"), checked(study._replace(**given), "the study"))


def _is_environment(name: str) -> bool:
    from aixi_approx.environment import EnvironmentFault
    from aixi_approx.envs import make

    try:
        make(name)
    except EnvironmentFault:
        return False
    return True


def _fit(found: Sequence[Results]) -> None:
    """Fit all laws, behind a bar."""
    from aixi_approx.laboratory.results import LAWS

    with terminal_bar("{task.fields[now]}") as bar:
        task = bar.add_task("laws", total=len(found) * len(LAWS), now="")
        for f in found:
            for law in f.fit():
                bar.update(task, now=f"{f.title}: {law.replace('_', ' ')}")
                bar.advance(task)
        bar.update(task, now="")


def _file(title: str) -> str:
    """A title as the name of a file."""
    return title.replace("/", "_").replace(":", "-").replace(", ", "-")


def _draw(found: Sequence[Results], folder: Path) -> list[Path]:
    """Draw each environment, all, their law, ladders, and train against test; return the files."""
    from aixi_approx.laboratory.ladder import find_ladders
    from aixi_approx.laboratory.plot_environment import draw_one
    from aixi_approx.laboratory.plot_families import draw_all
    from aixi_approx.laboratory.plot_ladder import draw_ladders
    from aixi_approx.laboratory.plot_law import draw_law, law_curve
    from aixi_approx.laboratory.plot_train_test import draw_train_test

    pictures = {folder / f"{_file(f.title)}.png": draw_one(f) for f in found}
    if len(found) > 1:
        pictures[folder / "all.png"] = draw_all(found)
    curves = [law_curve(f.label, f.frontier, law=f.frontier_law, unit=f.unit, end=f.end) for f in found if f.frontier]
    if told := [curve for curve in curves if curve]:
        pictures[folder / "law.png"] = draw_law(told)
    if ladders := draw_ladders(find_ladders(found)):
        pictures[folder / "ladders.png"] = ladders
    if train_test := draw_train_test(found):
        pictures[folder / "train_test.png"] = train_test
    for path, figure in pictures.items():
        with written(path):
            figure.savefig(path, dpi=DPI)
    return [*pictures]

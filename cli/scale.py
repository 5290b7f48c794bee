"""`aixi scale`: how an agent scales with experience and search, what its decisions lose, and the laws of it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aixi_approx.cli.options import as_json, at_least, notice, print_json, progress
from aixi_approx.planners.time_slices import format_duration

if TYPE_CHECKING:
    from aixi_approx.laboratory.results import Results
    from aixi_approx.laboratory.runner import Laboratory
    from aixi_approx.laboratory.study import Study

GRIDS = ("small", "full")  # as in study.py, which --help need not load
DPI = 120  # of pictures
LONG = 12 * 3_600  # seconds that are not begun without asking


@click.command("scale", short_help="How an agent scales with experience and search; where its losses come from; laws.")
@click.argument("what", nargs=-1, metavar="[ENVIRONMENTS]")
@click.option("--envs", help="Environments, with commas between them, in place of arguments.")
@click.option(
    "--grid", type=click.Choice(GRIDS), help="Of experience and simulations in environments.  [default: small]"
)
@click.option("--seeds", type=at_least(1), help="Agents in each environment.  [default: 12, of the full grid 20]")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write to, or to go on from.")
@click.option(
    "--on", metavar="ENGINE", help="Where: 4 (processes), dask://HOST:8786, mpi, here.  [default: one process a core]"
)
@click.option("--report", "only_report", is_flag=True, help="Only report on what is there.")
@click.option("--yes", is_flag=True, help="Begin what takes more than half a day without asking.")
@as_json
def command(
    what: tuple[str, ...],
    envs: str | None,
    grid: str | None,
    seeds: int | None,
    out: Path | None,
    on: str | None,
    only_report: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Measure how the score of MC-AIXI grows with experience and with search, and account for what it misses.

    Agents with several seeds learn in each of the ENVIRONMENTS. At several points of their life what they have learned
    is frozen, and searches of several sizes decide with it. What the decisions lose is split into prediction, decision,
    horizon and exploration; laws are fitted, and judged by what they foresee.

    In place of environments, name a TOML or Python file that says what is measured, or the folder of a study, which is
    gone on with.

    Pictures, tables and the verdict are written to the folder. The same command goes on with what was stopped, and one
    that asks for more with what is there: more seeds, simulations or environments, or experience beyond the most.

    \b
    Examples:
      aixi scale tiger
      aixi scale --envs locks:1,locks:2,tiger --grid full --seeds 20 --out study/
      aixi scale study/ --report
      aixi scale benchmarks/scaling/families.toml --on dask://host:8786
    """
    from aixi_approx.laboratory.conclusions import conclusions
    from aixi_approx.laboratory.report import as_data, report
    from aixi_approx.laboratory.results import find

    named = [*what, *(name.strip() for name in (envs or "").split(",") if name.strip())]
    with redirect_stdout(sys.stderr):  # what an environment prints is no result
        if only_report and len(named) == 1 and not Path(named[0]).exists() and not _is_environment(named[0]):
            raise click.UsageError(f"there is no study {named[0]}: name the folder of one")
        laboratory = _laboratory(named, grid, seeds, out)
        if not only_report:
            try:
                _carry_out(laboratory, on, yes)
            except KeyboardInterrupt:
                print(f"aixi: stopped; the same command goes on with {laboratory.folder}", file=sys.stderr)
                sys.exit(130)
        elif not (laboratory.folder / "study.json").exists():
            raise click.UsageError(f"{laboratory.folder} holds no study to report on: leave --report out")
        found = find(laboratory)
        _fit(found)
    text = report(found)
    written = [laboratory.folder / "report.md", *_draw(found, laboratory.folder)]
    written[0].write_text(text + "\n")
    if as_json:
        print_json({"folder": str(laboratory.folder), "findings": as_data(found)})
        return
    for f in found:
        print(f"{f.environment}\n")
        for sentence in conclusions(f):
            print(f"  {sentence}")
        print()
    print(f"Written: {', '.join(map(str, written))}.")


def _laboratory(named: Sequence[str], grid: str | None, seeds: int | None, out: Path | None) -> Laboratory:
    """The folder that is worked in, with the study that is asked for."""
    from aixi_approx.laboratory.runner import Laboratory
    from aixi_approx.laboratory.study import FULL, SMALL, checked, read_study

    if not named:
        raise click.UsageError("name an environment, a file that holds a study, or the folder of one")
    first = Path(named[0])
    if len(named) == 1 and ((first / "study.json").exists() or (first.is_dir() and not _is_environment(named[0]))):
        if seeds or out or grid:
            raise click.UsageError(f"{first} says what is measured: leave --seeds, --grid and --out out")
        return Laboratory(first)
    if len(named) > 1 and (alone := [name for name in named if name.endswith((".toml", ".py"))]):
        raise click.UsageError(f"{alone[0]} says what is measured: name nothing else")
    study: Study
    if len(named) == 1 and first.suffix in (".toml", ".py"):
        if not first.is_file():
            raise click.UsageError(f"there is no file {first}")
        if grid:
            raise click.UsageError(f"{first} says what is measured: leave --grid out")
        study, name = read_study(first), first.stem
    else:
        study = {"small": SMALL, "full": FULL}[grid or "small"]._replace(environments=tuple(named))
        name = "-".join(named).replace("/", "_")
    study = checked(study if seeds is None else study._replace(seeds=seeds), "the study")
    return Laboratory(out or Path(f"study-{name}"), study)


def _is_environment(name: str) -> bool:
    from aixi_approx.environment import EnvironmentFault
    from aixi_approx.envs import make

    try:
        make(name)
    except EnvironmentFault:
        return False
    return True


def _carry_out(laboratory: Laboratory, on: str | None, yes: bool) -> None:
    """Do what is missing, behind a bar; say before how long it will take."""
    from aixi_approx.execution.engine import engine

    with notice("compiling the search, once; it is kept for next time ..."):
        todo = laboratory.todo()
    if not todo.cells:
        return
    with engine(on) as place:
        workers = max(1, place.workers())
        seconds = todo.seconds / workers
        told = f"{_count(todo.cells, 'cell')} of {_count(todo.agents, 'agent')}"
        place_told = f"about {format_duration(seconds)} on {_count(workers, 'worker')}, to {laboratory.folder}"
        print(f"{told}: {place_told}", file=sys.stderr)
        if seconds > LONG and not yes and not (sys.stdin.isatty() and click.confirm("Begin?", err=True)):
            raise click.ClickException(
                f"it would take about {format_duration(seconds)}: take a smaller grid, or say --yes"
            )
        with progress() as bar:
            task = bar.add_task("measuring", total=seconds)
            laboratory.carry_out(place, lambda done, total: bar.update(task, completed=done, total=total))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def _fit(found: Sequence[Results]) -> None:
    """Fit all laws, behind a bar."""
    from aixi_approx.laboratory.results import LAWS

    with progress("{task.fields[now]}") as bar:
        task = bar.add_task("laws", total=len(found) * len(LAWS), now="")
        for f in found:
            for law in f.fit():
                bar.update(task, now=f"{f.environment}: {law.replace('_', ' ')}")
                bar.advance(task)
        bar.update(task, now="")


def _draw(found: Sequence[Results], folder: Path) -> list[Path]:
    """Draw a picture of each environment, and one of all; return the files."""
    from aixi_approx.laboratory.plot_environment import draw_one
    from aixi_approx.laboratory.plot_families import draw_all

    pictures = {folder / f"{f.environment.replace('/', '_').replace(':', '-')}.png": draw_one(f) for f in found}
    if len(found) > 1:
        pictures[folder / "all.png"] = draw_all(found)
    for path, figure in pictures.items():
        figure.savefig(path, dpi=DPI)
    return [*pictures]

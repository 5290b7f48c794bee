"""`aixi reproduce`: the tables and figures of JAIR 2011, ours beside the paper's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aixi_approx.cli.laboratory import YEAR, run_laboratory
from aixi_approx.cli.laboratory import on as on_option
from aixi_approx.cli.options import as_json, at_least, print_json, written

if TYPE_CHECKING:
    from aixi_approx.jair2011.study import PaperStudy
    from aixi_approx.jair2011.tables import Point
    from aixi_approx.laboratory.runner import Laboratory

DPI = 130  # of pictures


@click.command("reproduce", short_help="JAIR 2011, tables 5 and 6, figures 7 to 10, ours beside the paper's.")
@click.argument("environments", nargs=-1, metavar="[ENVIRONMENT]...")
@click.option("--pacman", is_flag=True, help="Pac-Man, too: figures 9 and 10. Takes hours.")
@click.option(
    "--seeds",
    type=at_least(1),
    default=3,
    show_default=True,
    help="Agents in each environment; but one in tic-tac-toe and Pac-Man, unless --full.",
)
@click.option("--full", is_flag=True, help="Experience and simulations as printed in the paper. Takes hours.")
@on_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("reproduction"),
    show_default=True,
    help="Folder to write to, or to resume from.",
)
@as_json
def command(
    environments: tuple[str, ...],
    pacman: bool,
    seeds: int,
    full: bool,
    on: str | None,
    out: Path,
    as_json: bool,
) -> None:
    """Let agents learn in the environments of JAIR 2011, and print its tables 5 and 6 with ours beside them.

    They learn in all eight except Pac-Man, or only in [ENVIRONMENT]... if given.

    Figures 7 and 8 are drawn in DIR/learning.png and DIR/search.png, 9 and 10 in DIR/pacman.png; the tables stand in
    DIR/tables.md, every cycle of learning in DIR/experience and every evaluation in DIR/conditions. The same command
    resumes what was stopped; when all is there it only prints.

    \b
    Examples:
      aixi reproduce
      aixi reproduce tiger kuhn-poker --seeds 5 --out two/
      aixi reproduce pacman --seeds 1
    """
    from aixi_approx.jair2011.published import DOMAINS
    from aixi_approx.jair2011.study import FRUGAL, PACMAN, PaperStudy
    from aixi_approx.jair2011.tables import points, tables
    from aixi_approx.laboratory.runner import Laboratory

    names = list(environments) or list(DOMAINS)
    if pacman and PACMAN not in names:
        names.append(PACMAN)
    if unknown := set(names) - set(FRUGAL):
        raise click.UsageError(f"{sorted(unknown)[0]} is not in the paper: there are {', '.join(FRUGAL)}")
    study = PaperStudy(tuple(names), seeds, full)
    laboratory = Laboratory(out, study, read=PaperStudy.from_json)
    run_laboratory(laboratory, on, yes=False, fewer="take fewer seeds, or name fewer environments", longest=YEAR)
    found = points(sorted(laboratory.rows(), key=lambda row: (names.index(row["environment"]), _place(row))))
    text, file = tables(found), out / "tables.md"
    with written(file):
        file.write_text(text + "\n")
    files = [file, *_draw(found, laboratory)]
    if as_json:
        print_json({"points": [{**p._asdict(), "reward": p.reward._asdict()} for p in found]})
        return
    print(text)
    print(f"\nWritten: {', '.join(map(str, files))}.")


def _place(row: Mapping[str, Any]) -> int:
    """Where a row stands among those of its environment: what table 6 is made of comes first."""
    return int(not row["learn"] or row["environment"] == "pacman")


def _draw(found: Sequence[Point], laboratory: Laboratory[PaperStudy]) -> list[Path]:
    """Draw what there are points for; return the files."""
    from aixi_approx.jair2011.figures import learning_curves, pacman_curves, search_curves
    from aixi_approx.jair2011.study import PACMAN

    files, out = [], laboratory.folder
    if any(p.environment != PACMAN for p in found):
        files += [out / "learning.png", out / "search.png"]
        for draw, file in zip((learning_curves, search_curves), files, strict=True):
            with written(file):
                draw(found).savefig(file, dpi=DPI)
    study, store = laboratory.study, laboratory.store
    if runs := [run for run in study.runs() if run.environment == PACMAN]:
        files.append(out / "pacman.png")
        learning = {
            f"{run.learner}, seed {run.seed}": [cycle.reward for cycle in store.past(run, study.marks(run))]
            for run in runs
        }
        with written(files[-1]):
            pacman_curves(found, learning).savefig(files[-1], dpi=DPI)
    return files

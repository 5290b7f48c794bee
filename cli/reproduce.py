"""`aixi reproduce`: the tables and figures of JAIR 2011, ours beside the paper's."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aixi_approx.cli.options import as_json, at_least, notice, print_json, progress

if TYPE_CHECKING:
    from aixi_approx.jair2011.sweep import Progress
    from aixi_approx.jair2011.tables import Point
    from aixi_approx.jair2011.training_run import Life


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
@click.option("--processes", type=at_least(1), help="How many agents at a time.  [default: one for each core]")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("reproduction"),
    show_default=True,
    help="Folder to write to, or to go on from.",
)
@as_json
def command(
    environments: tuple[str, ...],
    pacman: bool,
    seeds: int,
    full: bool,
    processes: int | None,
    out: Path,
    as_json: bool,
) -> None:
    """Let agents live in the environments of JAIR 2011, and print its tables 5 and 6 with ours beside them.

    They live in all eight but Pac-Man, or only in [ENVIRONMENT]... if given.

    Figures 7 and 8 are drawn in DIR/learning.png and DIR/search.png, 9 and 10 in DIR/pacman.png; the tables stand in
    DIR/tables.md, every cycle of learning and every evaluation in a folder for each agent. The same command goes on
    with what was stopped; when all is there it only prints.

    \b
    Examples:
      aixi reproduce
      aixi reproduce tiger kuhn-poker --seeds 5 --out two/
      aixi reproduce pacman --seeds 1
    """
    from aixi_approx.experiments.run import compile_kernels
    from aixi_approx.jair2011.published import DOMAINS
    from aixi_approx.jair2011.sweep import carry_out
    from aixi_approx.jair2011.tables import FRUGAL, PACMAN, PRINTED, lives, points, tables

    names = list(environments) or list(DOMAINS)
    if pacman and PACMAN not in names:
        names.append(PACMAN)
    if unknown := set(names) - set(FRUGAL):
        raise click.UsageError(f"{sorted(unknown)[0]} is not in the paper: there are {', '.join(FRUGAL)}")
    with notice("compiling the search, once; it is kept for next time ..."):
        compile_kernels()
    chosen = lives(names, seeds, PRINTED if full else FRUGAL)
    try:
        with progress("{task.fields[running]}") as bar:
            task = bar.add_task("reproduce", total=None, running="")

            def watch(all_progress: list[Progress]) -> None:
                done, total = sum(p.done for p in all_progress), sum(p.total for p in all_progress)
                running = [p.name for p in all_progress if 0 < p.done < p.total]
                ended = sum(p.done >= p.total for p in all_progress)
                text = f"{ended} of {len(all_progress)} agents{': ' * bool(running)}{', '.join(running[:4])}"
                bar.update(task, completed=done, total=total, running=text)

            rows = carry_out(chosen, out, processes, watch)
    except KeyboardInterrupt:
        print(f"aixi: stopped; the same command goes on from {out}", file=sys.stderr)
        sys.exit(130)
    found = points(rows)
    written = [out / "tables.md"]
    text = tables(found)
    written[0].write_text(text + "\n")
    written += _draw(found, chosen, out)
    if as_json:
        print_json({"points": [{**p._asdict(), "reward": p.reward._asdict()} for p in found]})
        return
    print(text)
    print(f"\nWritten: {', '.join(map(str, written))}.")


def _draw(found: Sequence[Point], chosen: Sequence[Life], out: Path) -> list[Path]:
    """Draw what there are points for; return the files."""
    from aixi_approx.experiments.recording import Recording
    from aixi_approx.jair2011.figures import learning_curves, pacman_curves, search_curves
    from aixi_approx.jair2011.tables import PACMAN

    files = []
    if any(p.environment != PACMAN for p in found):
        files += [out / "learning.png", out / "search.png"]
        learning_curves(found, files[0])
        search_curves(found, files[1])
    if mine := [life for life in chosen if life.environment == PACMAN]:
        files.append(out / "pacman.png")
        learning = {
            life.name: [row.reward for row in Recording(out / life.name, life.options()).rows("learning")]
            for life in mine
        }
        pacman_curves(found, learning, files[-1])
    return files

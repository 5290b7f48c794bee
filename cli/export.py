"""`aixi export`: an environment as a file for other programs."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path

import click

from aixi_approx.cli.options import notice, written


@click.command("export", short_help="Write an environment for pomdp-solve, SARSOP and others: a .POMDP file.")
@click.argument("environment")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--discount",
    type=click.FloatRange(0, 1, min_open=True),
    help="The discount that the file names.  [default: that of the environment, or 0.95]",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def command(environment: str, file: Path, discount: float | None, force: bool) -> None:
    """Write ENVIRONMENT to FILE in Cassandra's format, which pomdp-solve, SARSOP, pomdp_py and R's pomdp read.

    ENVIRONMENT is one of `aixi envs`, or my_env.py:MyClass, if it is a finite POMDP. An agent that sees the
    observations of the file is in the same process as one of ours: where rewards tell more than observations do, the
    observations of the file contain them, and comments in the file say so.

    \b
    Examples:
      aixi export tiger tiger.POMDP
      aixi export rocksample:4-4 rocks.POMDP --discount 0.99 --force
    """
    from aixi_approx.envs import make
    from aixi_approx.pomdp.cassandra import write_text
    from aixi_approx.pomdp.definition import POMDP
    from aixi_approx.pomdp.to_cassandra import problem_of

    if file.suffix.lower() != ".pomdp":
        raise click.ClickException(f"{file}: a file in this format ends in .POMDP")
    if file.exists() and not force:
        raise click.ClickException(f"{file} is there already: --force writes over it")
    with redirect_stdout(sys.stderr):  # what an environment prints is no result
        pomdp = make(environment)
    if not isinstance(pomdp, POMDP):
        what = "has no finite definition (it is not a POMDP), so it can't be written down"
        raise click.ClickException(f"{environment} {what}: `aixi envs` shows those that have states")
    with notice(f"writing {pomdp.title} ...", after=2):
        problem = problem_of(pomdp, discount=discount)
        with written(file):
            file.write_text(write_text(problem), encoding="utf-8")
    sizes = f"{len(problem.states):,} states, {len(problem.actions)} actions, {len(problem.observations)} observations"
    print(f"{file}: {sizes}, discount {problem.discount:g}")

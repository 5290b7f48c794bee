"""`aixi selftest`: whether this installation keeps on this machine what it promises."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from aixi_approx.cli.options import as_json, print_diagnostic, print_json, working


@click.command("selftest", short_help="Try on this machine what the package promises, in a minute.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="Whose disk is tried.  [default: the current folder]",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Histories, runs and damage are a function of it.")
@as_json
def command(folder: Path, seed: int, as_json: bool) -> None:
    """Try on this machine what the package promises, in about a minute.

    \b
    exactness    predictor and search, beside slow ones that follow the definition
    determinism  a run in two processes, with other hash seeds and threads
    crash        a run that is killed and resumed, beside one that was left alone
    cache        where compiled code is kept; damage of it is noticed and mended
    disk         a folder can be written to, synced and locked; free space

    Nothing is left behind but compiled code. Notes are not faults. The exit code is 0 if all is well, 2 if anything
    failed; then each line says what to do.

    \b
    Examples:
      aixi selftest
      aixi selftest --folder /scratch/results --json
    """
    with working("loading"):
        from aixi_approx._version import __version__
        from aixi_approx.conformance.installation import Installation
        from aixi_approx.execution.folder import provenance

    diagnostics = []
    with Installation(folder, seed=seed) as installation:
        for attempt in installation.attempts():
            with working(f"{attempt.check}: {attempt.what}"):
                diagnostics.append(attempt.run())
            if not as_json:
                print_diagnostic(diagnostics[-1])
                sys.stdout.flush()
    failed = sum(diagnostic.result == "failed" for diagnostic in diagnostics)
    if as_json:
        content = {
            "version": __version__,
            **provenance("numba", "numpy"),
            "folder": str(folder.resolve()),
            "seed": seed,
        }
        listed = [diagnostic._asdict() for diagnostic in diagnostics]
        print_json({**content, "passed": not failed, "diagnostics": listed})
    else:
        print(f"\n{f'{failed} of {len(diagnostics)} failed' if failed else 'all is well'}")
    if failed:
        sys.exit(2)

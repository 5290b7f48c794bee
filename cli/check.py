"""`aixi check`: whether an environment is what it says it is."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

import click

from aixi_approx.cli.options import as_json, at_least, notice, print_json

if TYPE_CHECKING:
    from aixi_approx.conformance.diagnostic import Diagnostic


@click.command("check", short_help="Say what is wrong with an environment, and how to mend it.")
@click.argument("environment")
@click.option("--cycles", type=at_least(1), default=1_000, show_default=True, help="Cycles of each random play.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the first play; the next ones follow.")
@as_json
def command(environment: str, cycles: int, seed: int, as_json: bool) -> None:
    """Play in ENVIRONMENT at random, and say what is wrong with it and how to mend it.

    ENVIRONMENT is a name that `aixi envs` lists, or my_file.py:MyClass. Checked are what it declares, what its steps
    return, that all is a function of the seed (again, in a new instance, beside another, in another process), its
    pictures and, where it is a finite POMDP, its definition and optimum. Notes are no faults. The exit code is 0 if
    all was passed, 2 if anything failed.

    \b
    Examples:
      aixi check my_env.py:Lake
      aixi check tiger --cycles 10000 --json
    """
    from aixi_approx.conformance.environment import check_environment

    with notice(f"checking {environment}: ten random plays of {cycles:,} cycles ...", after=2):
        findings = check_environment(environment, cycles, seed=seed)
    failed = sum(finding.result == "failed" for finding in findings)
    if as_json:
        all_of_them = [finding._asdict() for finding in findings]
        print_json({"environment": environment, "passed": not failed, "seed": seed, "findings": all_of_them})
    else:
        _print(environment, findings, failed)
    if failed:
        sys.exit(2)


def _print(environment: str, findings: list[Diagnostic], failed: int) -> None:
    """Print a line for each finding, folded on a terminal only."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 1 << 30
    for check, result, message in findings:
        line = f"{'FAILED' if result == 'failed' else result:8}{check:14}{' '.join(message.split())}"
        folded = textwrap.fill(line, width, subsequent_indent=" " * 22, break_on_hyphens=False)
        click.echo(click.style(folded, fg="red") if result == "failed" else folded)
    passed = sum(finding.result == "passed" for finding in findings)
    print(f"\n{environment}: {passed} passed, {failed} failed" if failed else f"\n{environment}: all {passed} passed")

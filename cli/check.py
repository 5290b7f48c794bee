"""`aixi check`: whether an environment, a model, a planner or a rollout policy is what it is meant to be."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from aixi_approx.cli.options import as_json, at_least, notice, print_diagnostic, print_json

if TYPE_CHECKING:
    from aixi_approx.conformance.by_name import Report


@click.command("check", short_help="Say what is wrong with an environment, model, planner or rollout policy.")
@click.argument("name")
@click.option("--env", "environment", metavar="ENVIRONMENT", help="Where all but environments are checked.  [tiger]")
@click.option("--model", metavar="MODEL", help="What a planner plans on.  [default: ctw]")
@click.option(
    "--cycles",
    type=at_least(1),
    help="Cycles of each random play.  [default: 1000 for an environment, 30 for a model, else 10]",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the first play; the next ones follow.")
@as_json
def command(
    name: str, environment: str | None, model: str | None, cycles: int | None, seed: int, as_json: bool
) -> None:
    """Test what NAME stands for, and report what is wrong with it and how to fix it.

    NAME is an environment, a model, a planner or a rollout policy: one of `aixi envs` or of `aixi run --help`,
    my_file.py:MyClass, or what an installed package offers. Of an environment is checked what it declares, what its
    steps return, that all is a function of the seed (again, in a new instance, beside another, in another process), its
    pictures and, where it is a finite POMDP, its definition and optimum; of the others, that they do what their base
    class asks for, from Python and from compiled code, and that it can be undone. Notes are not faults. The exit code
    is 0 if all checks passed, 2 if anything failed.

    \b
    Examples:
      aixi check my_env.py:Lake
      aixi check tiger --cycles 10000 --json
      aixi check my_ngram.py:NGram --env kuhn-poker
      aixi check my_planner.py:Mine --model true
    """
    from aixi_approx.conformance.by_name import check

    with notice(f"checking {name} ...", after=2):
        report = check(name, environment=environment, model=model, cycles=cycles, seed=seed)
    if as_json:
        diagnostics = [diagnostic._asdict() for diagnostic in report.diagnostics]
        print_json({**report._asdict(), "passed": report.passed, "seed": seed, "diagnostics": diagnostics})
    else:
        _print(report)
    if not report.passed:
        sys.exit(2)


def _print(report: Report) -> None:
    """Print what came of the checks."""
    for diagnostic in report.diagnostics:
        print_diagnostic(diagnostic)
    passed, failed = (sum(each.result == what for each in report.diagnostics) for what in ("passed", "failed"))
    count = f"{passed} passed, {failed} failed" if failed else f"all {passed} passed"
    print(f"\n{report.name}: {count}")

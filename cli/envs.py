"""`aixi envs`: the environments."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import click

from aixi_approx.cli.options import as_json, notice, print_json
from aixi_approx.display.words import number

if TYPE_CHECKING:
    from aixi_approx.environment import Environment


@click.command("envs", short_help="List the environments, or show the page of one.")
@click.argument("environment", required=False)
@click.option("--pages", is_flag=True, help="Print the pages of all, as Markdown.")
@as_json
def command(environment: str | None, pages: bool, as_json: bool) -> None:
    """List the environments, or show the page of ENVIRONMENT: its rules, its bits, what can be reached, a few cycles.

    Those of installed packages come last: what they name as entry points of the group `aixi_approx.environments`.

    \b
    Examples:
      aixi envs
      aixi envs tiger
      aixi envs --json
    """
    from aixi_approx.cli.page import HEAD, at_its_smallest, page
    from aixi_approx.envs import ENVIRONMENTS, installed, make

    if environment and pages:
        raise click.UsageError("give a name, or --pages for all")
    if as_json and pages:
        raise click.UsageError("the pages are Markdown: give no --json")
    if environment and as_json:
        title, made = at_its_smallest(environment)
        print_json({title: _describe(made)})
        return
    if environment or pages:
        names = [environment] if environment else list(ENVIRONMENTS)
        print("\n".join([*([HEAD] if pages else []), *map(page, names)]), end="")
        return

    with notice("solving what has no optimum written down ..."):
        rows = {name: _describe(made) for name, made in map(at_its_smallest, ENVIRONMENTS)}
    for name in installed():
        try:
            with redirect_stdout(sys.stderr):  # what it prints is no row
                rows[name] = _describe(make(name))
        except Exception as error:  # whatever is wrong with it, the others are listed
            what = error if isinstance(error, ValueError) else f"{name}: {type(error).__name__}: {error}"
            print("aixi envs:", " ".join(str(what).split()), file=sys.stderr)
    if as_json:
        print_json(rows)
        return

    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("environment", no_wrap=True)
    for column in ("actions", "bits", "states", "random", "optimum"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("hidden")
    for name, row in rows.items():
        table.add_row(
            name,
            str(row["actions"]),
            f"{row['action_bits']}+{row['reward_bits']}+{row['observation_bits']}",
            "unknown" if row["states"] is None else f"{row['states']:,}",
            number(row["random_reward"]),
            number(row["optimum"], 4),
            row["hidden"],
        )
    Console(emoji=False).print(table)
    print("bits of a cycle: action + reward + observation. random: reward per cycle of an")
    print("agent that acts at random; optimum: the largest possible. Families are shown at")
    print("their smallest size. `aixi envs NAME` has the rules; --json tells more.")


def _describe(environment: Environment) -> dict[str, Any]:
    from aixi_approx.pomdp.solver import best_reward

    coding = environment.coding
    return {
        "actions": coding.actions,
        "observations": len(environment.observations),
        "action_bits": coding.action_bits,
        "reward_bits": coding.reward_bits,
        "observation_bits": coding.observation_bits,
        "states": environment.size,
        "hidden": environment.hidden,
        "random_reward": environment.random_reward,
        "optimum": best_reward(environment),
        "settings": environment.settings._asdict(),
        "schedule": environment.schedule._asdict(),
    }

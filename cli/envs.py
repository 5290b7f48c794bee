"""`aixi envs`: the environments."""

from __future__ import annotations

import click

from aixi_approx.cli.options import as_json, print_json


@click.command("envs")
@as_json
def command(as_json: bool) -> None:
    """List the environments: size, rewards per cycle, what is hidden.

    \b
    Example:
      aixi envs --json
    """
    from aixi_approx.envs import ENVIRONMENTS, make
    from aixi_approx.pomdp import POMDP

    found = {name: make(name) for name in ENVIRONMENTS}
    if as_json:
        print_json(
            {
                name: {
                    "actions": len(environment.actions),
                    "observations": len(environment.observations),
                    "action_bits": environment.coding.action_bits,
                    "observation_bits": environment.coding.observation_bits,
                    "reward_bits": environment.coding.reward_bits,
                    "states": len(environment.states) if isinstance(environment, POMDP) else None,
                    "hidden": environment.hidden,
                    "random_reward": environment.random_reward if isinstance(environment, POMDP) else None,
                    "optimum": environment.optimum,
                    "settings": environment.settings._asdict(),
                }
                for name, environment in found.items()
            }
        )
        return

    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("environment", no_wrap=True)
    for column in ("actions", "bits", "states", "random", "optimum"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("hidden")
    for name, environment in found.items():
        coding = environment.coding
        finite = isinstance(environment, POMDP)
        table.add_row(
            name,
            str(coding.actions),
            f"{coding.action_bits}+{coding.reward_bits}+{coding.observation_bits}",
            f"{len(environment.states)}" if finite else "",
            f"{environment.random_reward:.3f}" if finite else "",
            "unknown" if environment.optimum is None else f"{environment.optimum:.4f}",
            environment.hidden,
        )
    Console().print(table)
    print("bits of a cycle: action + reward + observation; random: reward per cycle of an agent that acts at random;")
    print("optimum: the largest that is possible. 'aixi envs --json' tells more.")

"""`aixi solve`: the best that any agent can reach in an environment, and how."""

from __future__ import annotations

import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aixi_approx.cli.options import as_json, at_least, notice, number, picture, print_json

if TYPE_CHECKING:
    from aixi_approx.pomdp.solution import Solution

SHOWN = 30  # nodes of a policy in a table


@click.command("solve", short_help="The best that any agent can reach, exactly, and how.")
@click.argument("environment")
@click.option(
    "--horizon", type=at_least(1), help="Print values over this many cycles, and what it is worth to look so far ahead."
)
@picture("Draw the policy to this file: .png, .svg or .pdf.")
@click.option(
    "--merge",
    type=float,
    default=1e-10,
    show_default=True,
    help="Beliefs that differ by less are one; more makes fewer beliefs, with wider bounds.",
)
@click.option(
    "--max-beliefs", type=at_least(1), default=100_000, show_default=True, help="Give up where there are more."
)
@as_json
def command(
    environment: str, horizon: int | None, picture: Path | None, merge: float, max_beliefs: int, as_json: bool
) -> None:
    """Print the largest reward per cycle that any agent can reach in ENVIRONMENT, and a policy that reaches it.

    The optimum lies between two bounds: the lower one is what the policy earns in the long run, the upper one holds
    for every agent, also for one that knows all about the environment but what is hidden. ENVIRONMENT is one of
    `aixi envs`, or my_env.py:MyClass, if it is a finite POMDP.

    \b
    Examples:
      aixi solve tiger
      aixi solve tiger --picture tiger.png
      aixi solve kuhn-poker --horizon 4 --json
    """
    from aixi_approx.envs import make
    from aixi_approx.pomdp.definition import POMDP

    with redirect_stdout(sys.stderr):  # what an environment prints is no result
        pomdp = make(environment)
    environment = pomdp.title
    if not isinstance(pomdp, POMDP):
        raise click.ClickException(_refusal(environment))

    from aixi_approx.pomdp.solver import solve

    began = time.perf_counter()
    with notice(f"solving {environment}: following all that can be believed ...", after=2):
        solution = solve(pomdp, merge=merge, max_beliefs=max_beliefs)
        values = solution.action_values(horizon=horizon).tolist() if horizon else None
    seconds = time.perf_counter() - began
    if picture:
        from aixi_approx.cli.picture import draw

        draw(solution, environment, path=picture)
    if as_json:
        print_json(_result(solution, environment, merge, seconds, horizon, values))
    else:
        _print(solution, environment, seconds, horizon, values)
        print(f"picture of the policy: {picture or f'aixi solve {environment} --picture policy.png'}")


def _refusal(environment: str) -> str:
    from aixi_approx.envs import ENVIRONMENTS, make
    from aixi_approx.pomdp.definition import POMDP

    solvable = ", ".join(name for name in ENVIRONMENTS if isinstance(make(name), POMDP))
    return (
        f"{environment} has no finite definition (it is not a POMDP), so it can't be solved; `aixi run {environment}` "
        f"shows what an agent reaches; solvable are {solvable}"
    )


def _result(
    solution: Solution, name: str, merge: float, seconds: float, horizon: int | None, values: list[float] | None
) -> dict[str, Any]:
    from aixi_approx.cli.policy import belief, edges, word

    actions = [word(action) for action in solution.pomdp.actions]
    policy = [
        {
            "action": actions[action],
            "belief": belief(solution, node),
            "next": [edge._asdict() | {"observation": word(edge.observation)} for edge in edges(solution, node)],
        }
        for node, action in enumerate(solution.controller.action)
    ]
    return {
        "environment": name,
        "lower": solution.lower,
        "upper": solution.upper,
        "random_reward": solution.pomdp.random_reward,
        "states": solution.pomdp.size,
        "beliefs": solution.graph.size,
        "policy_beliefs": solution.beliefs,
        "merge": merge,
        "seconds": seconds,
        "horizon": horizon,
        "action_values": None if values is None else dict(zip(actions, values, strict=True)),
        "receding_reward": None if horizon is None else solution.receding_reward(horizon),
        "policy": policy,
        "approximations": solution.pomdp.approximations,
    }


def _print(solution: Solution, name: str, seconds: float, horizon: int | None, values: list[float] | None) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from aixi_approx.cli.policy import chance, describe, title, word

    nodes = len(solution.controller.action)
    digits = 9
    print(f"{name}: reward per cycle in the long run\n")
    print(f"  the policy below     {number(solution.lower, digits):>14}   lower bound of the optimum")
    print(f"  no agent exceeds     {number(solution.upper, digits):>14}   upper bound")
    print(f"  a random agent       {number(solution.pomdp.random_reward, digits):>14}\n")
    if solution.lower < solution.pomdp.random_reward:
        print("  beliefs were merged so coarsely that the policy is worse than chance: give a smaller --merge\n")
    print(f"  states {solution.pomdp.size:,}, beliefs {solution.graph.size:,}; {seconds:.2f} s")
    print(
        f"  the policy goes through {solution.beliefs:,} of the beliefs, written in {nodes:,} node{'s' * (nodes > 1)}\n"
    )
    if values is not None and horizon is not None:
        print(f"  the most that can be expected from the first {horizon:,} cycles")
        width = max(len(word(action)) for action in solution.pomdp.actions)
        for action, value in zip(solution.pomdp.actions, values, strict=True):
            print(f"    {word(action):{width}}  {number(value, digits):>14}{'   best' * (value >= max(values) - 1e-6)}")
        receding = solution.receding_reward(horizon)
        print(f"  to take the best in each cycle anew, as far ahead, earns {receding:.{digits}f} a cycle")
        print()
    print(f"{title(solution)}, from node 0; states and percepts with their probability there")
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("node", justify="right", no_wrap=True)
    for column in ("action", "state", "percept → next node"):
        table.add_column(column)
    for i in range(min(nodes, SHOWN)):
        node = describe(solution, i)
        leads = "\n".join(f"{arrow.label} ({chance(arrow.probability)}) → {arrow.node}" for arrow in node.arrows)
        table.add_row(str(i), node.action, ", ".join(node.belief), leads)
    Console(highlight=False, markup=False).print(table)
    if nodes > SHOWN:
        print(f"and {nodes - SHOWN:,} more nodes: --json has all")
    if solution.pomdp.approximations:
        print(f"Not as in the original: {solution.pomdp.approximations}.")

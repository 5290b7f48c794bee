"""`aixi solve`: the best that any agent can reach in an environment, and how."""

from __future__ import annotations

import shlex
import signal
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aixi_approx.cli.options import as_json, at_least, discount, moving, notice, picture, print_json, written
from aixi_approx.cli.signals import answered, can_go_on
from aixi_approx.display.words import number

if TYPE_CHECKING:
    from aixi_approx.pomdp.definition import POMDP
    from aixi_approx.pomdp.solution import Solution

COMPILING = "compiling the solver, once; it is kept for next time ..."


@click.command("solve", short_help="The best that any agent can reach, and how.")
@click.argument("environment")
@click.option(
    "--gap",
    type=click.FloatRange(min=0),
    default=0.001,
    show_default=True,
    help="End when the bounds are this close: in reward per cycle or, with a discount, in discounted value.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="End after these; compilation, on first use, is not counted.",
)
@discount
@click.option(
    "--horizon", type=at_least(1), help="Print values over this many cycles, and what it is worth to look so far ahead."
)
@picture("Draw the policy to this file: .png, .svg or .pdf.")
@click.option(
    "--merge",
    type=float,
    help="Merge beliefs that differ by less.  [default: cells of beliefs are split where the gap is made]",
)
@click.option("--max-beliefs", type=at_least(1), default=100_000, show_default=True, help="That may be followed.")
@click.option(
    "--reward-unseen",
    is_flag=True,
    help="Bound what an agent reaches that does not see its rewards, as many published values; needs a discount.",
)
@as_json
def command(
    environment: str,
    gap: float,
    seconds: float,
    discount: float | None,
    horizon: int | None,
    picture: Path | None,
    merge: float | None,
    max_beliefs: int,
    reward_unseen: bool,
    as_json: bool,
) -> None:
    """Print the largest reward per cycle that any agent can reach in ENVIRONMENT, and a policy that reaches it.

    The optimum lies between two bounds: the lower one is what the policy earns in the long run, the upper one holds
    for every agent, even one that knows everything about the environment except what is hidden. Where all that can be
    believed can be followed, they meet. Where it can't, they come closer as long as one waits; Ctrl-C ends it with what
    is proved so far. ENVIRONMENT is one of `aixi envs`, my_env.py:MyClass, or a file such as tiger.POMDP, if it is a
    finite POMDP.

    With a discount g, which a file has and --discount gives, the environment begins anew with probability 1 - g after
    every cycle, and the discounted value is printed beside the reward per cycle, which is 1 - g of it.

    \b
    Examples:
      aixi solve tiger
      aixi solve tiger --discount 0.95
      aixi solve tiger --picture tiger.png
      aixi solve benchmarks/problems/paint.POMDP --gap 0.00001
      aixi solve benchmarks/problems/network.POMDP --reward-unseen
      aixi solve kuhn-poker --horizon 4 --json
    """
    from aixi_approx.envs import make
    from aixi_approx.envs.restarting import named
    from aixi_approx.pomdp.definition import POMDP
    from aixi_approx.pomdp.policy_in_words import readable

    with redirect_stdout(sys.stderr):  # what an environment prints is no result
        pomdp = make(named(environment, discount))
    environment = pomdp.title
    if not isinstance(pomdp, POMDP):
        raise click.ClickException(_refusal(environment))
    if reward_unseen:
        _print_unseen(pomdp, gap, seconds, as_json)
        return

    from aixi_approx.pomdp.solver import solve

    began = time.perf_counter()
    if merge is not None:
        with notice(f"solving {environment}: following all that can be believed ...", after=2):
            solution, stopped = solve(pomdp, merge=merge, max_beliefs=max_beliefs), False
    else:
        solution, stopped = _tighten(pomdp, gap, seconds, max_beliefs)
    spent = time.perf_counter() - began
    values = solution.action_values(horizon=horizon).tolist() if horizon else None
    if picture:
        with written(picture):
            solution.draw().savefig(picture)
    if as_json:
        print_json(_result(solution, environment, merge, spent, horizon, values))
    else:
        _print(solution, environment, spent, horizon, values)
        if readable(solution):
            print(f"picture of the policy: {picture or f'aixi solve {shlex.quote(environment)} --picture policy.png'}")
        if solution.gap > gap and merge is None:
            why = "stopped" if stopped else f"{seconds:g} s are over" if spent >= seconds else "no more beliefs allowed"
            print(f"{why}, the gap is {solution.gap:.3g}: --seconds and --max-beliefs allow for more")
    if stopped:
        sys.exit(128 + signal.SIGINT)


def _tighten(pomdp: POMDP, gap: float, seconds: float, max_beliefs: int) -> tuple[Solution, bool]:
    """Solve, and show the bounds meanwhile; return the best solution, and whether it was stopped by a signal."""
    from aixi_approx.pomdp.policy_iteration import blind_solution
    from aixi_approx.pomdp.solver import solutions

    title, solution = pomdp.title, blind_solution(pomdp)
    try:
        with moving(f"solving {title}") as say:

            def watch(lower: float, upper: float, beliefs: int) -> None:
                value = pomdp.discounted_value if pomdp.begins_anew else float
                known = f"at least {value(lower):.6g}, at most {value(upper):.6g}"
                say(f"{known}, {beliefs:,} beliefs")
                can_go_on(f"proved so far: {known}")

            watch(solution.lower, solution.upper, solution.beliefs)
            for solution in solutions(pomdp, max_beliefs=max_beliefs, seconds=seconds, watch=watch):
                if solution.gap <= gap:
                    break
    except KeyboardInterrupt:
        answered()
        return solution, True
    finally:
        can_go_on("")
    return solution, False


def _print_unseen(pomdp: POMDP, gap: float, seconds: float, as_json: bool) -> None:
    """Print bounds for an agent that does not see its rewards."""
    from aixi_approx.pomdp.discounted import DiscountedPOMDP
    from aixi_approx.pomdp.solver import compile_point_based, point_based

    if not isinstance(pomdp, DiscountedPOMDP):
        raise click.UsageError("--reward-unseen is for discounted values: give a --discount")
    title = pomdp.title
    with notice(COMPILING):
        compile_point_based()
    began = time.perf_counter()
    solver, end = point_based(pomdp, reward_seen=False), "time"
    with moving(f"solving {title}, rewards unseen") as say:
        while end == "time" and time.perf_counter() - began < seconds:
            end = solver.improve(seconds=0.0, gap=gap)
            known = f"at least {solver.lower:.6g}, at most {solver.upper:.6g}"
            say(known)
            can_go_on(f"proved so far: {known}")
    can_go_on("")
    spent = time.perf_counter() - began
    if as_json:
        bounds = {"lower_value": solver.lower, "upper_value": solver.upper}
        print_json({"environment": title, "discount": pomdp.discount, "reward_seen": False, **bounds, "seconds": spent})
        return
    print(f"{title}: discounted value, if rewards are not seen\n")
    print(f"  a policy earns       {number(solver.lower, 9):>14}   lower bound of the optimum")
    print(f"  no agent exceeds     {number(solver.upper, 9):>14}   upper bound\n")
    print(f"  states {pomdp.inner.size:,}, beliefs {solver.points:,}; {spent:.2f} s")


def _refusal(environment: str) -> str:
    from aixi_approx.envs import ENVIRONMENTS, make
    from aixi_approx.pomdp.definition import POMDP

    solvable = ", ".join(name for name in ENVIRONMENTS if isinstance(make(name), POMDP))
    return (
        f"{environment} has no finite definition (it is not a POMDP), so it can't be solved; "
        f"`aixi run {shlex.quote(environment)}` shows what an agent reaches; solvable are {solvable}"
    )


def _result(
    solution: Solution, name: str, merge: float | None, seconds: float, horizon: int | None, values: list[float] | None
) -> dict[str, Any]:
    from aixi_approx.display.words import word
    from aixi_approx.pomdp.policy_in_words import belief, policy_edges, readable

    pomdp, controller = solution.pomdp, solution.controller
    actions = [word(action) for action in pomdp.actions]
    policy: list[dict[str, Any]] | None = None
    if readable(solution):
        policy = [
            {
                "action": actions[action],
                "belief": belief(solution, node),
                "next": [
                    edge._asdict() | {"observation": word(edge.observation)} for edge in policy_edges(solution, node)
                ],
            }
            for node, action in enumerate(controller.action)
        ]
    anew = pomdp.begins_anew
    return {
        "environment": name,
        "lower": solution.lower,
        "upper": solution.upper,
        "random_reward": pomdp.random_reward,
        "discount": pomdp.discount if anew else None,
        "lower_value": pomdp.discounted_value(solution.lower) if anew else None,
        "upper_value": pomdp.discounted_value(solution.upper) if anew else None,
        "exact": solution.exact,
        "states": pomdp.size,
        "beliefs": solution.graph.size if solution.values else solution.beliefs,
        "policy_beliefs": solution.beliefs,
        "policy_nodes": len(controller.action),
        "merge": merge,
        "seconds": seconds,
        "horizon": horizon,
        "action_values": None if values is None else dict(zip(actions, values, strict=True)),
        "receding_reward": None if horizon is None else solution.receding_reward(horizon),
        "policy": policy,
        "approximations": pomdp.approximations,
    }


def _print(solution: Solution, name: str, seconds: float, horizon: int | None, values: list[float] | None) -> None:
    from aixi_approx.display.words import word
    from aixi_approx.pomdp.policy_in_words import readable

    pomdp, nodes, digits = solution.pomdp, len(solution.controller.action), 9
    anew = pomdp.begins_anew
    print(f"{name}: reward per cycle in the long run" + f", and value discounted by {pomdp.discount:g}" * anew + "\n")

    def line(who: str, reward: float | None, remark: str) -> str:
        value = f"   {number(pomdp.discounted_value(reward), digits):>14}" if anew and reward is not None else ""
        return f"  {who:18} {number(reward, digits):>16}{value}   {remark}".rstrip()

    print(line("the policy" + " below" * readable(solution), solution.lower, "lower bound of the optimum"))
    print(line("no agent exceeds", solution.upper, "upper bound"))
    print(line("a random agent", pomdp.random_reward, "") + "\n")
    if solution.lower < (pomdp.random_reward or 0.0) - 1e-9 * max(1.0, abs(solution.lower)):
        print("  beliefs were merged so coarsely that the policy is worse than chance: give it more time\n")
    beliefs = solution.graph.size if solution.values else solution.beliefs
    print(f"  states {pomdp.size:,}, beliefs {beliefs:,}; {seconds:.2f} s")
    print(
        f"  the policy goes through {solution.beliefs:,} of the beliefs, written in {nodes:,} node{'s' * (nodes > 1)}\n"
    )
    if values is not None and horizon is not None:
        print(f"  the most that can be expected from the first {horizon:,} cycles")
        width = max(len(word(action)) for action in pomdp.actions)
        for action, value in zip(pomdp.actions, values, strict=True):
            print(f"    {word(action):{width}}  {number(value, digits):>14}{'   best' * (value >= max(values) - 1e-6)}")
        receding = solution.receding_reward(horizon)
        print(f"  to take the best in each cycle anew, as far ahead, earns {receding:.{digits}f} a cycle")
        print()
    if readable(solution):
        _print_policy(solution)
    else:
        print(f"  the policy has {nodes:,} nodes, more than anybody reads\n")
    if pomdp.approximations:
        print(f"Not as in the original: {pomdp.approximations}.")


def _print_policy(solution: Solution) -> None:
    """Print the nodes of a policy as a table."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from aixi_approx.display.words import two_digits
    from aixi_approx.pomdp.policy_in_words import BEGINNING, SHOWN, describe, policy_title

    nodes = len(solution.controller.action)
    print(f"{policy_title(solution)}, from node 0; states and percepts with their probability there, over all visits")
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("node", justify="right", no_wrap=True)
    for column in ("action", "state", "percept → next node"):
        table.add_column(column)
    shown = nodes if nodes <= SHOWN else BEGINNING
    for i in range(shown):
        node = describe(solution, i)
        leads = "\n".join(f"{arrow.label} ({two_digits(arrow.probability)}) → {arrow.node}" for arrow in node.arrows)
        table.add_row(str(i), node.action, ", ".join(node.belief), leads)
    Console(highlight=False, markup=False).print(table)
    if nodes > shown:
        print(f"and {nodes - shown:,} more nodes: --json has all")

"""The page of an environment: rules, bits, what can be reached and by looking how far ahead, a few cycles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aixi_approx.display.words import number, word
from aixi_approx.environment import facts
from aixi_approx.envs import make
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.pomdp.solver import best_reward, solve_soon
from aixi_approx.randomness import below, stream

if TYPE_CHECKING:
    from aixi_approx.environment import Environment
    from aixi_approx.pomdp.solution import Solution

CYCLES = 5  # that are drawn, but of large pictures only 2
LARGE = 8  # lines of a picture
AHEAD = (1, 2, 3, 4, 6, 8, 12)  # cycles
HEAD = """# The environments

Rewards are per cycle, in the long run, and exact. *Looking m cycles ahead* is what an agent earns that knows the
environment and searches perfectly, but plans afresh in every cycle for the next m rewards only. It shows how deep a
search has to be. Below the action of a cycle are what the agent observed, its reward, and the environment after it.
`aixi envs NAME` prints one page, `aixi envs --pages` this file.
"""


def page(name: str) -> str:
    """Return the page of an environment, in Markdown."""
    title, environment = at_its_smallest(name)
    solution = solve_soon(environment) if isinstance(environment, POMDP) else None
    parts = [f"## {title}", environment.rules, _facts(environment, solution)]
    if environment.sizes:
        parts.append(_sizes(title.partition(":")[0], environment.sizes))
    parts.append(_cycles(environment, solution))
    return "\n\n".join(parts) + "\n"


def at_its_smallest(name: str) -> tuple[str, Environment]:
    """Return an environment and its name; of a family, for which no parameters are given, the smallest."""
    environment = make(name)
    if environment.sizes and ":" not in environment.title:
        environment = make(f"{environment.title}:{environment.sizes[0]}")
    return environment.title, environment


def _facts(environment: Environment, solution: Solution | None) -> str:
    rows = {
        **facts(environment),
        "reward of a random agent": number(environment.random_reward, 4),
        "best achievable": number(solution.lower if solution else environment.optimum, 4),
    }
    if solution:
        ahead = ", ".join(f"{m}: {round(solution.receding_reward(m), 9) + 0.0:.4g}" for m in AHEAD)
        rows["looking m cycles ahead"] = f"{ahead} (m: reward)"
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items() if value)])


def _sizes(family: str, sizes: tuple[str, ...]) -> str:
    lines = ["| size | states | bits of a percept | random | best achievable |", "|---|--:|--:|--:|--:|"]
    for size in sizes:
        made = make(f"{family}:{size}")
        states = "unknown" if made.size is None else f"{made.size:,}"
        ends = f"{number(made.random_reward, 4)} | {number(best_reward(made), 4)}"
        lines.append(f"| {family}:{size} | {states} | {made.coding.percept_bits} | {ends} |")
    return "\n".join(lines)


def _cycles(environment: Environment, solution: Solution | None) -> str:
    """Some cycles of an optimal agent, or of a random one where the optimum is not known."""
    lines = [f"The first cycles of {'an optimal' if solution else 'a random'} agent:", "", "```"]
    environment.checked_reset(0)
    random, node = stream(0), 0
    picture = environment.checked_render()
    lines.append(picture)
    for _ in range(CYCLES if len(picture.splitlines()) < LARGE else 2):
        action = solution.optimal_actions(node)[0] if solution else below(random, len(environment.actions))
        percept = environment.checked_step(action)
        if solution:
            node = solution.follow(node, action, percept=percept)
        seen = word(environment.observations[percept.observation])
        took = f"{word(environment.actions[action])}: {seen}, {percept.reward + 0.0:+.12g}"
        lines += ["", took, environment.checked_render()]
    return "\n".join([*lines, "```"])

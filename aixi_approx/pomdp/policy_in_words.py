"""A finite-state controller in words: what is done, what is believed, and where percepts lead."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, NamedTuple

from aixi_approx.display.tables import table
from aixi_approx.display.words import listed, number, some, two_digits, word

if TYPE_CHECKING:
    from aixi_approx.pomdp.solution import Solution

SHOWN, BEGINNING = 30, 10  # nodes of a policy in a table, and of one that has more
READABLE = 1_000  # nodes of a policy whose behaviour is found out


class Arrow(NamedTuple):
    """All percepts that lead from a node to the same next node."""

    label: str
    probability: float
    node: int


class Node(NamedTuple):
    """A node of a controller, for people."""

    action: str
    belief: list[str]
    arrows: list[Arrow]


class Edge(NamedTuple):
    """A percept in a node, and the next node."""

    observation: Hashable
    reward: float
    probability: float
    node: int


def policy_title(solution: Solution) -> str:
    """Return what the policy is, as far as it is known."""
    gap = solution.upper - solution.lower
    return "an optimal policy" if gap <= 1e-6 * max(1, abs(solution.lower)) else "a policy, optimal up to the bounds"


def readable(solution: Solution) -> bool:
    """Return whether a policy is so small that its behaviour is found out soon, and somebody may read it."""
    return len(solution.controller.action) <= READABLE


def policy_edges(solution: Solution, node: int) -> list[Edge]:
    """Return the percepts that can come in a node."""
    controller, observations = solution.controller, solution.pomdp.observations
    found = []
    for i in range(*controller.first[node : node + 2].tolist()):
        code, observation = divmod(int(controller.percept[i]), len(observations))
        probability, after = float(solution.run.probability[i]), int(controller.node[i])
        reward = solution.pomdp.coding.reward(code)
        found.append(Edge(observations[observation], reward, probability, after))
    return found


def belief(solution: Solution, node: int) -> dict[str, float]:
    """Return the probability of each state in a node, the likeliest first."""
    first, state, probability = solution.run.belief
    here = range(*first[node : node + 2].tolist())
    known: dict[str, float] = {}
    for i in here:
        for name, share in solution.pomdp.possible(state[i]):
            known[word(name)] = known.get(word(name), 0.0) + share * float(probability[i])
    return dict(sorted(known.items(), key=lambda pair: -round(pair[1], 9)))


def describe(solution: Solution, node: int) -> Node:
    """Return a node in words."""
    states = [f"{name} {two_digits(p)}" for name, p in belief(solution, node).items()]
    action = solution.pomdp.actions[solution.controller.action[node]]
    return Node(word(action), some(states), _arrows(policy_edges(solution, node), len(solution.pomdp.observations)))


def rows(solution: Solution) -> list[dict[str, Any]]:
    """Return the policy as a table: a row for each percept that can come in a node, in the order of the nodes."""
    actions = [word(solution.pomdp.actions[action]) for action in solution.controller.action]
    return [
        {
            "node": node,
            "action": action,
            "observation": word(edge.observation),
            "reward": edge.reward,
            "probability": edge.probability,
            "next": edge.node,
        }
        for node, action in enumerate(actions)
        for edge in policy_edges(solution, node)
    ]


def html(solution: Solution) -> str:
    """Return the bounds, and the first nodes of the policy in words, for a notebook."""
    pomdp, nodes = solution.pomdp, len(solution.controller.action)
    name, anew, digits = pomdp.title or pomdp.name, pomdp.begins_anew, 6
    who = {
        "the policy below" if readable(solution) else "the policy": solution.lower,
        "no agent exceeds": solution.upper,
        "a random agent": pomdp.random_reward,
    }
    columns = ["", "reward per cycle"]
    bounds = [[each, number(reward, digits)] for each, reward in who.items()]
    if anew:
        columns.append(f"value discounted by {pomdp.discount:g}")
        for row, reward in zip(bounds, who.values(), strict=True):
            row.append(number(pomdp.discounted_value(reward), digits))
    beliefs = solution.graph.size if solution.values else solution.beliefs
    note = f"{pomdp.size:,} states, {beliefs:,} beliefs. {pomdp.approximations}"
    parts = [table(f"The best that any agent can reach in {name}", bounds, columns=columns, note=note)]
    if readable(solution):
        shown = nodes if nodes <= SHOWN else BEGINNING
        told = [(i, describe(solution, i)) for i in range(shown)]
        lines = [
            (i if first else None, node.action * first, ", ".join(node.belief) * first, arrow.label,
             two_digits(arrow.probability), arrow.node)
            for i, node in told
            for first, arrow in zip([True] + [False] * len(node.arrows), node.arrows, strict=False)
        ]  # fmt: skip
        heads = ("node", "action", "state", "percept", "probability", "next node")
        left = f"And {nodes - shown:,} more nodes; frame() has them all." if shown < nodes else ""
        parts.append(table(f"{policy_title(solution)}, from node 0", lines, columns=heads, note=left))
    return "".join(parts)


def _arrows(found: list[Edge], observations: int) -> list[Arrow]:
    """Group percepts by the next node; say no more of many of them than what makes the difference."""
    groups: dict[int, list[Edge]] = {}
    for edge in found:
        groups.setdefault(edge.node, []).append(edge)

    def apart(part: str) -> bool:
        """Whether the observation, or the reward, tells the next node alone."""
        values: list[set[Any]] = [{getattr(edge, part) for edge in group} for group in groups.values()]
        return sum(map(len, values)) == len(set().union(*values))

    arrows = []
    for node, group in groups.items():
        rewards = [f"{edge.reward:+.12g}" if edge.reward else "0" for edge in group]
        names = [word(edge.observation) for edge in group]
        if observations == 1:
            label = "reward " + listed(rewards)
        elif len(group) <= 2:
            label = listed(f"{name} {reward}" for name, reward in zip(names, rewards, strict=True))
        elif len(groups) == 1:
            label = "anything"
        elif apart("observation"):
            label = listed(names)
        elif apart("reward"):
            label = "reward " + listed(rewards)
        else:
            label = listed(f"{name} {reward}" for name, reward in zip(names, rewards, strict=True))
        arrows.append(Arrow(label, min(1.0, sum(edge.probability for edge in group)), node))
    return arrows

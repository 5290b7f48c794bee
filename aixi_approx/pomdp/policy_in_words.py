"""A finite-state controller in words: what is done, what is believed, and where percepts lead."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, NamedTuple

from aixi_approx.words import chance, listed, some, word

if TYPE_CHECKING:
    from aixi_approx.pomdp.solution import Solution


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


def title(solution: Solution) -> str:
    """Return what the policy is, as far as it is known."""
    gap = solution.upper - solution.lower
    return "an optimal policy" if gap <= 1e-6 * max(1, abs(solution.lower)) else "a policy, optimal up to the bounds"


def edges(solution: Solution, node: int) -> list[Edge]:
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
    states = [f"{name} {chance(p)}" for name, p in belief(solution, node).items()]
    action = solution.pomdp.actions[solution.controller.action[node]]
    return Node(word(action), some(states), _arrows(edges(solution, node), len(solution.pomdp.observations)))


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

"""Beliefs: what a history tells about the state of a finite POMDP, exactly.

A belief is a distribution over states; after an action and a percept it is Bayes' rule. What can follow a belief is
grouped by percept, so that a filter, a tree of futures and a graph of beliefs are all made of `after`.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx.environment import Percept
from aixi_approx.pomdp import POMDP


class Belief(NamedTuple):
    """A distribution over the states of a POMDP."""

    state: NDArray[np.int64]  # [K] states that are possible, ascending
    probability: NDArray[np.float64]  # [K] positive, sums to 1


class Future(NamedTuple):
    """One of the percepts that can follow an action, and what is believed then."""

    percept: Percept
    probability: float
    belief: Belief


def first_belief(pomdp: POMDP) -> Belief:
    """Return the belief before anything has happened."""
    return Belief(np.arange(len(pomdp.tables.start)), pomdp.tables.start)


def after(pomdp: POMDP, belief: Belief, action: int) -> list[Future]:
    """Return the percepts of positive probability that can follow an action, in a fixed order."""
    tables, actions = pomdp.tables, len(pomdp.actions)
    row = belief.state * actions + action
    count = tables.first[row + 1] - tables.first[row]
    # The outcomes of all possible states, one after the other.
    outcome = np.repeat(tables.first[row] - np.cumsum(count) + count, count) + np.arange(count.sum())
    weight = np.repeat(belief.probability, count) * tables.probability[outcome]
    percept = tables.reward[outcome] * len(pomdp.observations) + tables.observation[outcome]
    order = np.lexsort((tables.state[outcome], percept))
    outcome, weight, percept = outcome[order], weight[order], percept[order]
    state = tables.state[outcome]
    new_percept = np.diff(percept, prepend=percept[0] - 1) != 0
    head = np.flatnonzero(new_percept | (np.diff(state, prepend=-1) != 0))  # of each (percept, state)
    joint = np.add.reduceat(weight, head)
    ends = [*np.flatnonzero(new_percept[head]).tolist(), len(head)]
    futures = []
    for first, end in pairwise(ends):
        at = outcome[head[first]]
        probability = float(joint[first:end].sum())
        believed = Belief(state[head[first:end]], joint[first:end] / probability)
        futures.append(Future(Percept(int(tables.observation[at]), int(tables.reward[at])), probability, believed))
    return futures


def expected_reward(pomdp: POMDP, belief: Belief, action: int) -> float:
    """Return the expected reward of an action."""
    return sum(future.probability * future.percept.reward for future in after(pomdp, belief, action))


def believe(pomdp: POMDP, history: Iterable[tuple[int, Percept]]) -> Belief:
    """Return the belief after a history of actions and percepts.

    Raises
    ------
    ValueError
        If the history cannot have come from this environment.
    """
    belief = first_belief(pomdp)
    for cycle, (action, percept) in enumerate(history):
        for future in after(pomdp, belief, action):
            if future.percept == percept:
                belief = future.belief
                break
        else:
            raise ValueError(f"cycle {cycle}: {pomdp.name} can't answer action {action} with {tuple(percept)} there")
    return belief

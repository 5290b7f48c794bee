"""Beliefs: what a history says about the state of a finite POMDP, exactly.

A belief is a distribution over states, updated by Bayes' rule after each action and percept. `branch` computes what can
follow many beliefs at once, grouped by percept; filters, expectimax trees and graphs of beliefs are built on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from aixi_approx.environment import Percept
from aixi_approx.pomdp.definition import POMDP, outcomes_at


class Belief(NamedTuple):
    """A distribution over the states of a POMDP."""

    state: NDArray[np.int64]  # [K] possible states, ascending
    probability: NDArray[np.float64]  # [K] positive, sums to 1


class HasBelief(Protocol):
    """A predictor that knows the environment and keeps a belief over its states, as `TrueModel` does."""

    @property
    def pomdp(self) -> POMDP:
        """The environment that the belief is about."""

    @property
    def belief(self) -> Belief:
        """The belief at the start of the present cycle."""


class SameEnvironment:
    """Checks that a belief is about the right environment, once for each predictor.

    Parameters
    ----------
    pomdp : POMDP
        The environment.
    """

    def __init__(self, pomdp: POMDP) -> None:
        self.pomdp = pomdp
        self._known = pomdp

    def check(self, predictor: HasBelief) -> None:
        """Raise ValueError if a predictor has no belief, or a belief about another environment."""
        other = getattr(predictor, "pomdp", None)
        if other is self._known:
            return
        if other is None:
            raise ValueError(f"{type(predictor).__name__} has no belief to plan on: take a planner for learned models")
        if not all(map(np.array_equal, self.pomdp.tables, other.tables)):
            mine, its = (each.title or each.name for each in (self.pomdp, other))
            raise ValueError(
                f"the planner is for {mine}, the belief is about {its}: make both for the same environment"
            )
        self._known = other


class Beliefs(NamedTuple):
    """B beliefs, one after another, with K possible states in all."""

    first: NDArray[np.int64]  # [B + 1] belief i is at first[i] to first[i + 1]
    state: NDArray[np.int64]  # [K] possible states, ascending within a belief
    probability: NDArray[np.float64]  # [K] positive, sums to 1 within a belief


class Branches(NamedTuple):
    """What can follow many beliefs and actions; E branches, ordered by belief, action, reward, observation."""

    row: NDArray[np.int64]  # [E] belief * actions + action
    percept: NDArray[np.int64]  # [E] code of the reward * observations + observation
    probability: NDArray[np.float64]  # [E] positive, sums to 1 within a row
    belief: Beliefs  # [E] the belief after the percept


class Future(NamedTuple):
    """A percept that can follow an action, and the belief after it."""

    percept: Percept
    probability: float
    belief: Belief


def first_belief(pomdp: POMDP) -> Belief:
    """Return the belief before the first cycle."""
    return Belief(np.arange(len(pomdp.tables.start)), pomdp.tables.start)


def branch(pomdp: POMDP, beliefs: Beliefs, *, actions: NDArray[np.int64]) -> Branches:
    """Return the percepts of positive probability that can follow each of the beliefs and each of the actions."""
    tables, count = pomdp.tables, len(pomdp.actions)
    believer = np.repeat(np.arange(len(beliefs.first) - 1), np.diff(beliefs.first))
    # First all pairs (possible state, action), then all their outcomes.
    position, outcome = outcomes_at(tables, (beliefs.state[:, None] * count + actions).ravel())
    row = (believer[:, None] * count + actions).ravel()[position]
    weight = np.repeat(beliefs.probability, len(actions))[position] * tables.probability[outcome]
    percept = tables.code[outcome] * len(pomdp.observations) + tables.observation[outcome]
    state = tables.state[outcome]
    positive = weight > 0  # a product of small probabilities may be none
    row, weight, percept, state = row[positive], weight[positive], percept[positive], state[positive]
    # Sum up the paths to each (row, percept, state), and those to each (row, percept).
    order = np.lexsort((state, percept, row))
    row, percept, state = row[order], percept[order], state[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (np.diff(row) != 0) | (np.diff(percept) != 0)
    apart = new.copy()
    apart[1:] |= np.diff(state) != 0
    joint = np.add.reduceat(weight[order], np.flatnonzero(apart))
    first = np.append(np.flatnonzero(new[apart]), len(joint))
    probability = np.add.reduceat(joint, first[:-1])
    believed = Beliefs(first, state[apart], joint / np.repeat(probability, np.diff(first)))
    return Branches(row[new], percept[new], probability, believed)


def after(pomdp: POMDP, belief: Belief, *, action: int) -> list[Future]:
    """Return the percepts of positive probability that can follow an action, sorted by reward, then observation."""
    branches = branch(pomdp, Beliefs(np.array([0, len(belief.state)]), *belief), actions=np.array([action]))
    _, state, probability = branches.belief
    parts = pairwise(branches.belief.first.tolist())
    coding, futures = pomdp.coding, []
    for code, p, (first, end) in zip(branches.percept.tolist(), branches.probability.tolist(), parts, strict=True):
        reward, observation = divmod(code, len(pomdp.observations))
        futures.append(
            Future(Percept(observation, coding.reward(reward)), p, Belief(state[first:end], probability[first:end]))
        )
    return futures


def believe(pomdp: POMDP, history: Iterable[tuple[int, Percept]]) -> Belief:
    """Return the belief after a history of actions and percepts.

    Raises
    ------
    ValueError
        If the history cannot have come from this environment.
    """
    belief = first_belief(pomdp)
    for cycle, (action, percept) in enumerate(history):
        for future in after(pomdp, belief, action=action):
            if future.percept == percept:
                belief = future.belief
                break
        else:
            raise ValueError(f"cycle {cycle}: {pomdp.name} can't answer action {action} with {tuple(percept)} there")
    return belief

"""Discounted POMDPs as environments that begin anew.

With probability 1 - g after every cycle the environment begins anew, and the agent sees it. A reward that comes t
cycles after a beginning is then received with probability g^t, and there are 1 - g beginnings per cycle: the reward per
cycle in the long run is exactly (1 - g) times the expected discounted sum of rewards from the start (Puterman 1994,
section 5.3). So agents, planners and the exact solver, which know of no discount, have the discounted value as their
aim.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx.coding import bits_for
from aixi_approx.environment import Environment, EnvironmentFault
from aixi_approx.pomdp.controller import Controller
from aixi_approx.pomdp.definition import POMDP, Outcome, Tables, outcomes_at

RESTART = "restart"  # what is observed in the last cycle before a beginning, in place of all else
BEGINNING = "beginning"  # the state that stands for the distribution of the initial state
PART = 1 << 18  # outcomes that become those of a discounted one together: what that takes fits into 100 MB


class Anew(Environment):
    """What `inner` is if it begins anew with probability 1 - discount after every cycle."""

    begins_anew = True
    inner: Environment

    @property
    def name(self) -> str:
        """Name for tables and messages."""
        return f"{self.inner.name}, discounted"

    @property
    def rules(self) -> str:
        """Those of what begins anew, and that it does."""
        share = f"{1 - self.discount:.6g}"
        anew = f"After every cycle it begins anew with probability {share}; the observation is then {RESTART!r}."
        return f"{self.inner.rules}\n\n{anew}"


class DiscountedPOMDP(Anew, POMDP):
    """A POMDP that begins anew with probability 1 - discount after every cycle.

    Where there are several initial states, a single one stands for their distribution, and leads where they would: the
    agent knows no more after a beginning than what `start` says.

    Parameters
    ----------
    inner : POMDP
        What begins anew; it is not changed.
    discount : float
        Of its rewards, from 0 to 1, both excluded.

    Raises
    ------
    EnvironmentFault
        If the discount is out of range.

    Examples
    --------
    >>> from aixi_approx import make, solve
    >>> tiger = make("tiger?discount=0.95")
    >>> solution = solve(tiger)
    >>> round(solution.lower, 6), round(tiger.discounted_value(solution.lower), 4)
    (0.968568, 19.3714)
    """

    inner: POMDP

    def __init__(self, inner: POMDP, *, discount: float) -> None:
        if not 0 < discount < 1:
            raise EnvironmentFault(f"{inner.name}: discount is {discount}: it lies in 0 to 1, both excluded")
        if RESTART in inner.observations:
            raise EnvironmentFault(f"{inner.name}: it has an observation {RESTART!r} of its own: rename it")
        self.inner, self.discount = inner, discount
        self.actions, self.observations = inner.actions, (*inner.observations, RESTART)
        self.declare_rewards([inner.coding])
        if inner.observation_bits:
            self.observation_bits = max(inner.observation_bits, bits_for(len(self.observations)))
        self.hidden, self.difficulty = inner.hidden, inner.difficulty
        self.settings, self.schedule, self.approximations = inner.settings, inner.schedule, inner.approximations
        self._several = len(inner.tables.start) > 1
        super().__init__()

    def start(self) -> dict[Any, float]:
        """Return the one initial state."""
        return {self.states[0]: 1.0}

    def outcomes(self, state: Any, action: Any) -> Iterable[Outcome]:
        """Return what the tables say, which are made of those of what begins anew."""
        row = self._number[state] * len(self.actions) + self.actions.index(action)
        t = self.tables
        for i in range(*t.first[row : row + 2].tolist()):
            seen, reward = self.observations[t.observation[i]], self._coding.reward(int(t.code[i]))
            yield Outcome(float(t.probability[i]), self.states[t.state[i]], seen, reward)

    @functools.cached_property
    def _number(self) -> dict[Any, int]:
        return {state: i for i, state in enumerate(self.states)}

    def lifted(self, controller: Controller) -> Controller:
        """Return a controller of what begins anew, which begins anew with it."""
        old = len(self.inner.observations)
        source = np.repeat(np.arange(len(controller.action)), np.diff(controller.first))
        code, observation = np.divmod(controller.percept, old)
        again = np.unique(np.stack([source, code * (old + 1) + old]), axis=1)
        source = np.concatenate([source, again[0]])
        percept = np.concatenate([code * (old + 1) + observation, again[1]])
        order = np.lexsort((percept, source))
        return Controller(
            action=controller.action,
            first=np.searchsorted(source[order], np.arange(len(controller.action) + 1)),
            percept=percept[order],
            node=np.concatenate([controller.node, np.zeros(again.shape[1], dtype=np.int64)])[order],
        )

    def legal_in(self, state: Any) -> Any:
        """Return what is legal there in what begins anew; all, at a beginning that several states are possible at."""
        return self.actions if state == BEGINNING else self.inner.legal_in(state)

    def possible(self, state: int) -> list[tuple[Any, float]]:
        """Return the initial states for the one that stands for their distribution."""
        if not self._several or state:
            return super().possible(state)
        return list(zip(self.inner.states, self.inner.tables.start.tolist(), strict=False))

    def render(self) -> str:
        """Draw the state as it is drawn in what begins anew."""
        if self._several and self.current == 0:
            return "it begins anew"
        shown = copy.copy(self.inner)
        shown.current = self.current - self._several
        return shown.render()

    def _build(self) -> tuple[list[Any], Tables]:
        """The beginning first, then the states of what begins anew, a part at a time, since there can be many."""
        inner, actions, later = self.inner.tables, len(self.actions), int(self._several)
        if self._several and BEGINNING in self.inner.states:
            raise EnvironmentFault(f"{self.inner.name}: it has a state {BEGINNING!r} of its own: rename it")
        states = [BEGINNING] * self._several + self.inner.states
        parts = []
        if self._several:
            initial = np.repeat(np.arange(len(inner.start)), actions)
            at, outcome = outcomes_at(inner, np.arange(len(initial)))
            parts.append(self._part(at % actions, outcome, inner.start[initial[at]] * inner.probability[outcome]))
        ends = np.searchsorted(inner.first[::actions], np.arange(PART, len(inner.state), PART))
        for begin, end in pairwise(np.unique([0, *ends, len(self.inner.states)]).tolist()):
            row, outcome = outcomes_at(inner, np.arange(begin * actions, end * actions))
            parts.append(self._part(row + (begin + later) * actions, outcome, inner.probability[outcome]))
        columns = [list(each) for each in zip(*parts, strict=True)]
        del parts
        row, state, observation, code, share = (np.concatenate(columns.pop(0)) for _ in _Rows._fields)
        first = np.searchsorted(row, np.arange(len(states) * actions + 1))
        del row
        return states, Tables(
            start=np.ones(1),
            first=first,
            probability=share,
            state=state,
            observation=observation,
            reward=self._coding.rewards_of(code),
            code=code,
        )

    def _part(self, row: NDArray[np.int64], outcome: NDArray[np.int64], share: NDArray[np.float64]) -> _Rows:
        """What some outcomes of what begins anew, with their rows and probabilities here, become."""
        inner, nothing = self.inner.tables, np.zeros_like(row)
        state, code = inner.state[outcome] + int(self._several), inner.code[outcome]
        return _merged(
            _Rows(row, state, inner.observation[outcome], code, self.discount * share),
            _Rows(row, nothing, nothing + len(self.inner.observations), code, (1 - self.discount) * share),
        )


class _Rows(NamedTuple):
    """Outcomes, one after another, each with its row of a table."""

    row: NDArray[np.int64]
    state: NDArray[np.int64]
    observation: NDArray[np.int64]
    code: NDArray[np.int64]
    share: NDArray[np.float64]


def _merged(goes: _Rows, anew: _Rows) -> _Rows:
    """The outcomes of going on and of beginning anew, ordered by row; equal ones are one."""
    both = [np.concatenate(pair) for pair in zip(goes, anew, strict=True)]
    order = np.lexsort(both[3::-1])
    *keys, share = (each[order] for each in both)
    new = np.ones(len(share), dtype=bool)
    new[1:] = np.any([np.diff(key) != 0 for key in keys], axis=0)
    return _Rows._make([*(key[new] for key in keys), np.add.reduceat(share, np.flatnonzero(new))])

"""Q-learning (Watkins, Dayan 1992): the baseline without a model of the environment.

    Q(s, a)  <-  Q(s, a) + alpha (r + gamma max over a' of Q(s', a') - Q(s, a))

The state s consists of the last k cycles, actions and percepts, as if the environment were a Markov process in them; s'
is the state one cycle later. This corresponds to a predictor with a context of k cycles, except that every state is
learned separately.

An agent has `ActionValues` in place of a predictor, and `QLearning` as its planner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aixi_approx.coding import Bits, Coding, decode
from aixi_approx.planner import Planner, SearchResult, best_action
from aixi_approx.randomness import Stream
from aixi_approx.validation import as_integer

State = tuple[bytes, ...]  # the last cycles, as bits

DISCOUNT = 0.99  # gamma, as in JAIR 2011 for the model-free competitor (section 7.2)
RATE = 0.8  # alpha is 1 / n^RATE at the n-th visit of (s, a), a polynomial rate (Even-Dar, Mansour 2003)
MEMORY_CYCLES, MAX_MEMORY = 2, 1_000


class ActionValues:
    """What a Q-learner learns: the value of each action in each state that it has visited, 0 before the first visit.

    Parameters
    ----------
    coding : Coding
        Bits and rewards of the environment.
    memory_cycles : int, default: 2
        k, the number of cycles in a state; 0 or more.

    Examples
    --------
    >>> from aixi_approx import make
    >>> coding = make("coin-flip").coding
    >>> values = ActionValues(coding, memory_cycles=0)
    >>> values.learn(coding.cycle(1, 1, 1))    # bet on heads, and win
    0.0
    >>> values.here.tolist()
    [0.0, 1.0]
    """

    def __init__(self, coding: Coding, memory_cycles: int = MEMORY_CYCLES) -> None:
        self.coding = coding
        self.action_bits, self.percept_bits = coding.action_bits, coding.percept_bits
        self._memory = as_integer("memory_cycles", memory_cycles, 0, MAX_MEMORY)
        self._state: State = ()
        self._values: dict[State, list[float]] = {}
        self._visits: dict[State, list[int]] = {}
        self._marks: list[tuple[State, dict[State, list[float]], dict[State, list[int]]]] = []

    @property
    def here(self) -> np.ndarray:
        """Value of each action in the present state, float64[A]."""
        return np.array(self._row(self._state))

    def learn(self, cycle: Bits) -> float:
        """Learn from a cycle and move to the state after it; return 0, because nothing was predicted."""
        state, action = self._state, decode(cycle[: self.action_bits])
        reward = self.coding.percept(cycle[self.action_bits :])[1]
        self.extend(cycle)
        values = self._values.setdefault(state, [0.0] * self.coding.actions)
        visits = self._visits.setdefault(state, [0] * self.coding.actions)
        visits[action] += 1
        aim = reward + DISCOUNT * max(self._row(self._state))
        values[action] += (aim - values[action]) / visits[action] ** RATE
        return 0.0

    def extend(self, bits: Bits) -> None:
        """Move to the state after a cycle, without learning."""
        if self._memory:
            self._state = (*self._state, bits.tobytes())[-self._memory :]

    def restart(self) -> None:
        """Ignore a reset of the environment: the state keeps the last cycles."""

    def mark(self) -> int:
        """Remember this point; return its number."""
        values = {state: list(row) for state, row in self._values.items()}
        visits = {state: list(row) for state, row in self._visits.items()}
        self._marks.append((self._state, values, visits))
        return len(self._marks) - 1

    def revert(self, mark: int) -> None:
        """Return to a mark, exactly; forget it and all later ones."""
        self._state, self._values, self._visits = self._marks[mark]
        del self._marks[mark:]

    def keep(self) -> dict[str, Any]:
        """Return all that it knows."""
        table = [[_written(state), *pair] for state, pair in self._pairs().items()]
        return {"memory_cycles": self._memory, "state": _written(self._state), "table": table}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take on the state that `keep` has returned."""
        if kept["memory_cycles"] != self._memory:
            raise ValueError(f"its states are {kept['memory_cycles']} cycles long, not {self._memory}")
        if any(len(row) != self.coding.actions for _, *pair in kept["table"] for row in pair):
            raise ValueError(f"it does not have {self.coding.actions} actions")
        table = {_read(state): ([*map(float, values)], [*map(int, visits)]) for state, values, visits in kept["table"]}
        self._state = _read(kept["state"])
        self._values = {state: values for state, (values, _) in table.items()}
        self._visits = {state: visits for state, (_, visits) in table.items()}

    def _pairs(self) -> dict[State, tuple[list[float], list[int]]]:
        return {state: (list(values), list(self._visits[state])) for state, values in self._values.items()}

    def _row(self, state: State) -> list[float]:
        return self._values.get(state, [0.0] * self.coding.actions)


def _written(state: State) -> list[str]:
    return [cycle.hex() for cycle in state]


def _read(state: Sequence[str]) -> State:
    return tuple(map(bytes.fromhex, state))


class QLearning(Planner):
    """Takes the action with the largest value, or a random one of several.

    Parameters
    ----------
    coding : Coding
        Bits and rewards of the environment.
    memory_cycles : int, default: 2
        As in `ActionValues`.
    """

    options = ("memory_cycles",)
    model_free = True

    def __init__(self, coding: Coding, *, memory_cycles: int = MEMORY_CYCLES) -> None:
        self._values = ActionValues(coding, memory_cycles)

    def learner(self) -> ActionValues:
        """Return the action values that it plans with."""
        return self._values

    def search(self, predictor: ActionValues, random: Stream, *, simulations: int | None = None) -> SearchResult:
        """Look the values up."""
        value = predictor.here
        return SearchResult(best_action(value, random), value, np.zeros(len(value), dtype=np.int64), 0)

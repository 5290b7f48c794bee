"""Q-learning without a model of the environment (Watkins, Dayan 1992): the baseline that predicts nothing.

    Q(s, a)  <-  Q(s, a) + alpha (r + gamma max over a' of Q(s', a') - Q(s, a))

Its state s is the last k cycles, actions and percepts, as if the environment were a Markov process in these; s' is the
same one cycle later. It is what a depth of k cycles of context is to a predictor, but every state is learned apart.

An agent has `ActionValues` where others have a predictor, and `QLearning` as its planner.
"""

from __future__ import annotations

import numpy as np

from aixi_approx.coding import Bits, Coding, decode
from aixi_approx.planner import Planner, SearchResult, best_action
from aixi_approx.randomness import Stream
from aixi_approx.validation import as_integer

State = tuple[bytes, ...]  # the last cycles, as bits

DISCOUNT = 0.99  # gamma, as JAIR 2011 has it for the model-free competitor (section 7.2)
RATE = 0.8  # alpha is 1 / n^RATE at the n-th visit of (s, a), a polynomial rate (Even-Dar, Mansour 2003)
MEMORY_CYCLES, MAX_MEMORY = 2, 1_000


class ActionValues:
    """What a Q-learner knows: the value of each action in each state that it has been in.

    Values are 0 before the first visit.

    Parameters
    ----------
    coding
        Bits and rewards of the environment.
    memory_cycles
        k, the number of cycles that a state is made of; 0 or more.

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
        """Value of each action in the present state."""
        return np.array(self._row(self._state))

    def learn(self, cycle: Bits) -> float:
        """Learn from one cycle, and go on to the state after it; return 0, because nothing was predicted."""
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
        """Go on to the state after one cycle without learning."""
        if self._memory:
            self._state = (*self._state, bits.tobytes())[-self._memory :]

    def restart(self) -> None:
        """The last cycles go on: an agent that has no model takes no notice."""

    def mark(self) -> int:
        """Remember this point; return its number."""
        values = {state: list(row) for state, row in self._values.items()}
        visits = {state: list(row) for state, row in self._visits.items()}
        self._marks.append((self._state, values, visits))
        return len(self._marks) - 1

    def revert(self, mark: int) -> None:
        """Go back to a mark, exactly; forget it and all later ones."""
        self._state, self._values, self._visits = self._marks[mark]
        del self._marks[mark:]

    def _row(self, state: State) -> list[float]:
        return self._values.get(state, [0.0] * self.coding.actions)


class QLearning(Planner):
    """Takes the action of the largest value, one of them at random if there are several.

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
        """Return the values of actions, which it plans with."""
        return self._values

    def search(self, predictor: ActionValues, random: Stream, *, simulations: int | None = None) -> SearchResult:
        """Look the values up."""
        value = predictor.here
        return SearchResult(best_action(value, random), value, np.zeros(len(value), dtype=np.int64), 0)

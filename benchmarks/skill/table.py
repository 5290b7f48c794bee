"""The simplest policy that learns: a table from the last cycle to what was done after it."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aixi_approx.coding import Coding, encode
from aixi_approx.rollout import Rollout


class LastCycle(Rollout):
    """Counts the actions after each action and percept, and adds a half to each count."""

    reads_history = learns = True

    def __init__(self, coding: Coding) -> None:
        super().__init__(coding)
        self.bits = [0] * coding.cycle_bits
        self.counts: dict[tuple[int, ...], NDArray[np.float64]] = defaultdict(lambda: np.full(coding.actions, 0.5))
        self.lessons: list[tuple[tuple[int, ...], int]] = []
        self.marks: list[tuple[int, int]] = []

    @property
    def here(self) -> tuple[int, ...]:
        """The last cycle."""
        return tuple(self.bits[-self.coding.cycle_bits :])

    @property
    def prediction(self) -> NDArray[np.float64]:
        """Probability of each action now, float64[A]."""
        counts = self.counts[self.here]
        return counts / counts.sum()

    @property
    def trust(self) -> float:
        """It guides no search."""
        return 0.0

    def choose(self, u: float) -> int:
        """Return an action, given a number drawn uniformly from [0, 1)."""
        return min(int(np.searchsorted(np.cumsum(self.prediction), u, side="right")), self.coding.actions - 1)

    def learn(self, action: int) -> float:
        """Count an action, and append it; return its log loss, in bits."""
        loss = -math.log2(self.prediction[action])
        self.counts[self.here][action] += 1
        self.lessons.append((self.here, action))
        self.bits += encode(action, self.coding.action_bits)
        return loss

    def append(self, bit: int) -> None:
        """Take in the next bit of the history."""
        self.bits.append(bit)

    def mark(self) -> int:
        """Remember this point; return its number."""
        self.marks.append((len(self.bits), len(self.lessons)))
        return len(self.marks) - 1

    def revert(self, mark: int) -> None:
        """Go back to a mark, exactly; forget it and all later ones."""
        length, lessons = self.marks[mark]
        for here, action in self.lessons[lessons:]:
            self.counts[here][action] -= 1
        del self.bits[length:], self.lessons[lessons:], self.marks[mark:]

    def copy(self) -> Any:
        """Return an independent policy in the same state, without marks."""
        twin = LastCycle(self.coding)
        twin.bits = list(self.bits)
        twin.counts.update({here: counts.copy() for here, counts in self.counts.items()})
        return twin

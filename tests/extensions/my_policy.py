"""A policy of one's own that learns the decisions of a search: by the last percept, on dictionaries."""

import math

import numpy as np

from aixi_approx import Rollout
from aixi_approx.coding import Coding, encode


class Reflex(Rollout):
    """Does after each percept what was best after the same percept before."""

    reads_history = learns = True

    def __init__(self, coding: Coding) -> None:
        super().__init__(coding)
        self.bits: list[int] = []
        self.lessons: list[tuple[tuple[int, ...], int]] = []  # percept and action
        self.marks: list[tuple[int, int]] = []

    @property
    def prediction(self) -> np.ndarray:
        here = self.percept()
        counts = np.ones(self.coding.actions)
        for percept, action in self.lessons:
            counts[action] += percept == here
        return counts / counts.sum()

    @property
    def trust(self) -> float:
        return len(self.lessons) / (len(self.lessons) + 10)

    def percept(self) -> tuple[int, ...]:
        return tuple(self.bits[-self.coding.percept_bits :])

    def choose(self, u: float) -> int:
        return min(int(np.searchsorted(np.cumsum(self.prediction), u, side="right")), self.coding.actions - 1)

    def learn(self, action: int) -> float:
        loss = -math.log2(self.prediction[action])
        self.lessons.append((self.percept(), action))
        self.bits += encode(action, self.coding.action_bits)
        return loss

    def append(self, bit: int) -> None:
        self.bits.append(bit)

    def mark(self) -> int:
        self.marks.append((len(self.bits), len(self.lessons)))
        return len(self.marks) - 1

    def revert(self, mark: int) -> None:
        length, lessons = self.marks[mark]
        del self.bits[length:], self.lessons[lessons:], self.marks[mark:]

"""Rollout policies of one's own: one that looks at nothing, one that reads the history."""

from aixi_approx import Rollout
from aixi_approx.coding import Coding, decode


class Polite(Rollout):
    """Takes action 0 nine times out of ten."""

    def choose(self, u: float) -> int:
        return 0 if u < 0.9 else int((u - 0.9) * 10 * self.coding.actions)


class Again(Rollout):
    """Takes the action of the last cycle three times out of four."""

    reads_history = True

    def __init__(self, coding: Coding) -> None:
        super().__init__(coding)
        self.bits: list[int] = []

    def choose(self, u: float) -> int:
        if u >= 0.75 or not self.bits:
            return int(4 * u * self.coding.actions) % self.coding.actions
        last = self.bits[-self.coding.cycle_bits :]
        return decode(last[: self.coding.action_bits])

    def append(self, bit: int) -> None:
        self.bits.append(bit)

    def mark(self) -> int:
        return len(self.bits)

    def revert(self, mark: int) -> None:
        del self.bits[mark:]

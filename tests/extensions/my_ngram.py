"""A predictor of one's own: counts of what followed the last n bits."""

from aixi_approx import Predictor


class NGram(Predictor):
    """KT estimators, one for each percept bit and each n bits before it."""

    independent_bits = True

    def __init__(self, action_bits: int, percept_bits: int, n: int = 8) -> None:
        self.action_bits, self.percept_bits, self.n = action_bits, percept_bits, n
        self.counts: dict[tuple[int, ...], list[int]] = {}
        self.history: list[int] = []
        self.learned: list[tuple[list[int], int]] = []
        self.marks: list[tuple[int, int]] = []

    def here(self) -> list[int]:
        position = len(self.history) % (self.action_bits + self.percept_bits)
        return self.counts.setdefault((position, *self.history[-self.n :]), [0, 0])

    def predict(self) -> float:
        return (self.here()[1] + 0.5) / (sum(self.here()) + 1)

    def update(self, bit: int) -> float:
        count, p = self.here(), self.predict()
        count[bit] += 1
        self.learned.append((count, bit))
        self.history.append(bit)
        return p if bit else 1 - p

    def append(self, bit: int) -> None:
        self.history.append(bit)

    def mark(self) -> int:
        self.marks.append((len(self.history), len(self.learned)))
        return len(self.marks) - 1

    def revert(self, mark: int) -> None:
        length, learned = self.marks[mark]
        for count, bit in reversed(self.learned[learned:]):
            count[bit] -= 1
        del self.history[length:], self.learned[learned:], self.marks[mark:]

"""A planner of one's own: as many random futures after each action, and the action with the best mean."""

import numpy as np

from aixi_approx import Planner
from aixi_approx.coding import Coding, encode
from aixi_approx.planner import SearchResult, best_action
from aixi_approx.predictor import Predictor
from aixi_approx.randomness import Stream, below, draw


class Mine(Planner):
    """Random shooting."""

    options = ("horizon", "simulations")

    def __init__(self, coding: Coding, *, horizon: int = 3, simulations: int = 60) -> None:
        self.coding, self.horizon, self.simulations = coding, horizon, simulations

    def search(self, predictor: Predictor, random: Stream, *, simulations: int | None = None) -> SearchResult:
        total = np.zeros((2, self.coding.actions))
        for i in range(simulations or self.simulations):
            total[:, i % self.coding.actions] += self.imagine(predictor, random, i % self.coding.actions), 1
        value = np.divide(*total, out=np.full(self.coding.actions, np.nan), where=total[1] > 0)
        visits = total[1].astype(np.int64)
        return SearchResult(best_action(value, random), value, visits, int(visits.sum()))

    def imagine(self, predictor: Predictor, random: Stream, action: int) -> int:
        mark, total = predictor.mark(), 0
        for _ in range(self.horizon):
            predictor.extend(encode(action, self.coding.action_bits))
            bits: list[int] = []
            for _ in range(self.coding.percept_bits):
                bits.append(int(draw(random) < predictor.predict()))
                predictor.update(bits[-1])
            total += self.coding.percept(bits)[1]
            action = below(random, self.coding.actions)
        predictor.revert(mark)
        return total

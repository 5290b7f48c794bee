"""The slow, obvious twin of `LearnedPolicy`, and policies that were taught something."""

from __future__ import annotations

import copy
import functools
import math

import numpy as np
from reference import PlainTrees

from aixi_approx.coding import Coding, encode
from aixi_approx.envs import make
from aixi_approx.rollout import Rollout
from aixi_approx.rollouts.learned import LearnedPolicy

MOST, LATEST = 0.95, 50  # written down again, so that a change of one of them is seen


class PlainPolicy(Rollout):
    """Plain context trees that predict the bits of actions; those of percepts are context."""

    reads_history = learns = True

    def __init__(self, coding: Coding, depth: int) -> None:
        super().__init__(coding)
        self.trees = PlainTrees(depth, coding.percept_bits, coding.action_bits)  # the roles exchanged
        self.trees.history = [0] * coding.percept_bits
        self.losses: list[float] = []  # of all lessons, as parts of those of guessing
        self.marks: list[tuple[PlainTrees, list[float]]] = []

    @property
    def prediction(self) -> np.ndarray:
        """Bit by bit; a bit is certainly 0 where there is no action with a 1 there."""
        found, history = [], self.trees.history
        for action in range(self.coding.actions):
            self.trees.history, p = list(history), 1.0
            for place in reversed(range(self.coding.action_bits)):
                bit = action >> place & 1
                possible = (action >> place | 1) << place < self.coding.actions
                one = self.trees.predict() if possible else 0.0
                p *= one if bit else 1 - one
                self.trees.append(bit)
            found.append(p)
        self.trees.history = history
        return np.array(found)

    @property
    def trust(self) -> float:
        first = self.losses[:LATEST]
        mean = sum(first) / len(first) if first else 1.0
        for loss in self.losses[LATEST:]:
            mean = (1 - 1 / LATEST) * mean + loss / LATEST
        return MOST * max(0.0, 1 - mean)

    def choose(self, u: float) -> int:
        """Bit by bit is action by action from the last one, as a 1 comes first."""
        for action, p in reversed(list(enumerate(self.prediction.tolist()))):
            u -= p
            if u < 0:
                return action
        return 0

    def learn(self, action: int) -> float:
        loss = -math.log2(self.prediction[action])
        self.losses.append(min(1.0, loss / max(1.0, math.log2(self.coding.actions))))
        for bit in encode(action, self.coding.action_bits):
            self.trees.update(bit)
        return loss

    def append(self, bit: int) -> None:
        self.trees.append(bit)

    def mark(self) -> int:
        self.marks.append((copy.deepcopy(self.trees), list(self.losses)))
        return len(self.marks) - 1

    def revert(self, mark: int) -> None:
        self.trees, self.losses = self.marks[mark]
        del self.marks[mark:]


@functools.cache
def _taught(name: str, cycles: int, depth: int) -> LearnedPolicy:
    world = make(name)
    world.reset(1)
    policy, random = LearnedPolicy(world.coding, depth=depth), np.random.default_rng(cycles)
    observation = 0
    for _ in range(cycles):
        best = observation % world.coding.actions
        action = best if random.random() < 0.8 else int(random.integers(world.coding.actions))
        policy.learn(action)
        percept = world.step(action)
        observation = percept.observation
        policy.extend(world.coding.cycle(action, *percept)[world.coding.action_bits :])
    return policy


def taught(name: str, cycles: int = 150, depth: int = 12) -> LearnedPolicy:
    """A policy that was mostly taught the number of the last observation."""
    return _taught(name, cycles, depth).copy()

"""Training runs that cost little, and their cycles."""

from __future__ import annotations

import functools
from typing import Any

from aixi_approx.envs import make
from aixi_approx.laboratory.condition import Cycle, TrainingRun
from aixi_approx.laboratory.experience import collect


def random_run(environment: str, seed: int = 0, **given: float) -> TrainingRun:
    """A random agent, whose experience costs no search."""
    own = make(environment).settings._replace(epsilon=1.0, decay=1.0, simulations=1)
    return TrainingRun(environment, "rhouct", seed, own._replace(**given))


@functools.cache
def cycles_of(run: TrainingRun, until: int) -> list[Cycle]:
    return collect(run, [], until=until).cycles


def timeless(content: Any) -> Any:
    """All but the seconds."""
    if isinstance(content, dict):
        return {name: timeless(value) for name, value in content.items() if name != "seconds"}
    return [timeless(value) for value in content] if isinstance(content, list) else content


FREQUENCY = '''
from aixi_approx import Predictor

class Frequency(Predictor):
    """Predicts each bit of a percept by how often it was 1 so far after the last action, whatever came before."""
    def __init__(self, action_bits, percept_bits):
        self.action_bits, self.percept_bits = action_bits, percept_bits
        self.history, self.counts, self.undo, self.marks = [], {}, [], []
    def place(self):
        t = len(self.history) % (self.action_bits + self.percept_bits)
        return t, tuple(self.history[len(self.history) - t:][: self.action_bits])
    def predict(self):
        zeros, ones = self.counts.get(self.place(), (0, 0))
        return (ones + 0.5) / (zeros + ones + 1)
    def update(self, bit):
        p, place = self.predict(), self.place()
        old = self.counts.get(place, (0, 0))
        self.undo.append((len(self.history), place, old))
        self.counts[place] = (old[0] + (not bit), old[1] + bit)
        self.history.append(bit)
        return p if bit else 1 - p
    def append(self, bit):
        self.history.append(bit)
    def mark(self):
        self.marks.append((len(self.history), len(self.undo)))
        return len(self.marks) - 1
    def revert(self, mark):
        length, count = self.marks[mark]
        while len(self.undo) > count:
            _, place, old = self.undo.pop()
            self.counts[place] = old
        del self.history[length:], self.marks[mark:]
'''

WORLDS = """
from aixi_approx import Environment, Percept, POMDP
from aixi_approx.pomdp import Outcome

class Lake(Environment):
    '''No POMDP, for all that is said: what was done last is paid for.'''
    actions = observations = ("a", "b")
    min_reward, max_reward = 0, 1
    def reset(self, seed):
        self.last = seed % 2
    def step(self, action):
        reward, self.last = int(action == self.last), action
        return Percept(action, reward)

class Plain(POMDP):
    '''One of three actions pays, always: there is nothing to search for.'''
    actions, observations = ("no", "nor", "yes"), ("",)
    min_reward, max_reward = 0, 1
    def start(self):
        return {0: 1}
    def outcomes(self, state, action):
        return [Outcome(1, 0, "", int(action == "yes"))]

class Trap(Plain):
    '''Whoever says no gets nothing, then and ever after.'''
    actions = ("no", "yes")
    def outcomes(self, state, action):
        trapped = state or action == "no"
        return [Outcome(1, int(trapped), "", int(not trapped))]
"""

"""AIQI: universal induction over the distribution of returns (Kim, Lee 2026): an agent without a model of percepts.

    psi(z | h, a)    probability that the rewards of the next m cycles, the action a first, add up to z

    action  =  argmax over a of the mean of psi(. | h, a)

psi is a context-tree mixture (FAC-CTW; Veness et al., JAIR 2011, section 5.9) over the bits of the return, as the model
of MC-AIXI is one over the bits of percepts. Its context is the same: the last bits of the history, the action in
question included. The return of a cycle is known m - 1 cycles after it, and is learned then. It is what the agent
really earned, with all that it did at random in these cycles: psi describes the agent that it was, and follows as it
gets better and explores less.

It differs from the paper in four points.

- There, returns stand in the history, between actions and percepts, one in each period of at least m cycles, so that
  it is known before the next; each of the m positions in a period has a predictor of its own, which learns a return
  once in a period. Here a lesson is a copy of its context, followed by the return. The history holds no returns, there
  is no period, and one predictor learns a return every cycle.
- There, rewards are discounted. Here, as in all planners of this package, the return is the sum of m rewards.
- There, returns are always rounded. Here they are whole numbers, and are rounded only where there would be too many.
- There, the agent explores forever, with a fixed probability. Here it explores as any agent does.

An agent has a `ReturnTree` in place of a predictor, and `AIQI` as its planner.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx._context_tree import ContextTreeKernel
from aixi_approx.coding import Bits, Coding, bits_for, encode
from aixi_approx.planner import MAX_HORIZON, Planner, SearchResult, best_action
from aixi_approx.predictor import Statistics
from aixi_approx.randomness import Stream
from aixi_approx.validation import as_integer

LEVELS, MAX_LEVELS, MAX_DEPTH = 1 << 10, 1 << 16, 1 << 20


class Awaited(NamedTuple):
    """A cycle whose return is not known yet."""

    context: Bits  # the last bits of the history, up to its action
    before: float  # the rewards of all cycles before it


class ReturnTree:
    """What AIQI learns: the distribution of the return of the next m cycles, given the history and an action.

    The possible returns are numbered from the smallest, and these numbers learned bit by bit, the highest first, each
    bit in a tree of its own. If there are more returns than levels, every level stands for a range of them, all equally
    wide up to rounding, and counts as its middle.

    A return is learned if all its m cycles are, in one life of the environment: what is only taken in (`extend`), and
    a reset (`restart`), end the lessons that are under way. The history goes on, as that of a predictor does.

    Parameters
    ----------
    coding : Coding
        Bits and rewards of the environment.
    horizon : int
        m, the number of cycles that a return is the sum of.
    depth : int
        Bits of context of each bit of a return, 1 to 2^20: those of the return before it, then the last of the history.
    levels : int, default: 1024
        Into how many a return is divided at most.

    Attributes
    ----------
    returns : float64[levels]
        What each level stands for, ascending.

    Examples
    --------
    >>> from aixi_approx import make
    >>> coding = make("coin-flip").coding
    >>> tree = ReturnTree(coding, horizon=2, depth=1)
    >>> for _ in range(20):
    ...     loss = tree.learn(coding.cycle(1, 1, 1))    # bet on heads, and win
    >>> tree.returns.tolist()
    [0.0, 1.0, 2.0]
    >>> tree.distribution(1).round(2).tolist()
    [0.02, 0.01, 0.98]
    """

    def __init__(self, coding: Coding, *, horizon: int, depth: int, levels: int = LEVELS) -> None:
        self.coding = coding
        self.action_bits, self.percept_bits = coding.action_bits, coding.percept_bits
        self.horizon = as_integer("horizon", horizon, 1, MAX_HORIZON)
        levels = as_integer("levels", levels, 2, MAX_LEVELS)
        self._smallest = horizon * coding.min_reward
        width = horizon * (coding.max_reward - coding.min_reward)
        # Whole returns lie 1 apart, others are divided evenly.
        self._unit = width / (levels - 1) or 1.0 if coding.rewards else 1
        self._count = levels if coding.rewards and width else int(width) + 1
        self._levels = min(levels, self._count)
        self._bits = bits_for(self._levels)
        edges = [-(-level * self._count // self._levels) for level in range(self._levels + 1)]  # where levels begin
        middle = np.array([(low + high - 1) / 2 for low, high in pairwise(edges)])
        self.returns = self._smallest + self._unit * middle
        self.depth = as_integer("depth", depth, 1, MAX_DEPTH)
        # Its cycles are lessons: a context, and a return.
        self._kernel = ContextTreeKernel(self.depth, self.depth, self._bits)
        self._kernel.codes = self._levels
        self._context: Bits = np.zeros(depth, dtype=np.uint8)
        self._as_reward: type[float] = float if coding.rewards else int
        self._earned = self._as_reward(0)  # in all cycles
        self._lessons: deque[Awaited] = deque()
        self._marks: list[tuple[int, Bits, float, tuple[Awaited, ...]]] = []

    @property
    def values(self) -> NDArray[np.float64]:
        """Expected return of each action now, float64[A]."""
        return np.array([(self.distribution(a) * self.returns).sum() for a in range(self.coding.actions)])

    @property
    def lessons(self) -> int:
        """Returns that were learned."""
        return int(self._kernel.length // (self.depth + self._bits))

    def level(self, value: float) -> int:
        """Return the level of a return."""
        return round((value - self._smallest) / self._unit) * self._levels // self._count

    def distribution(self, action: int) -> NDArray[np.float64]:
        """Return psi: the probability of each level if this action is taken now, float64[levels]."""
        weights = np.empty(self._levels)
        mark = self._kernel.mark()
        try:
            self._take(self._context_after(_as_bits(action, self.action_bits)))
            if self._kernel.weigh(weights) < 0:
                raise MemoryError("no memory to predict a return")
        finally:
            self._kernel.revert(mark)
        return weights

    def learn(self, cycle: Bits) -> float:
        """Take in a cycle, and learn the return that is known with it; return 0, because no percept was predicted."""
        self._lessons.append(Awaited(self._context_after(cycle[: self.action_bits]), self._earned))
        self._earned += self.coding.percept(cycle[self.action_bits :])[1]
        self._context = self._context_after(cycle)
        if len(self._lessons) == self.horizon:
            context, before = self._lessons.popleft()
            self._take(np.concatenate([context, _as_bits(self.level(self._earned - before), self._bits)]))
        return 0.0

    def extend(self, bits: Bits) -> None:
        """Take in a cycle without learning; the returns it belongs to are not learned either."""
        self._context = self._context_after(bits)
        self._lessons.clear()

    def restart(self) -> None:
        """Take note that the environment was reset: returns that are not known yet never will be."""
        self._lessons.clear()

    def mark(self) -> int:
        """Remember this point; return its number."""
        self._marks.append((self._kernel.mark(), self._context, self._earned, tuple(self._lessons)))
        return len(self._marks) - 1

    def revert(self, mark: int) -> None:
        """Go back to a mark, exactly; forget it and all later ones."""
        own, self._context, self._earned, lessons = self._marks[mark]
        self._lessons = deque(lessons)
        self._kernel.revert(own)
        del self._marks[mark:]

    def bound_memory(self, most: int) -> None:
        """Take at most so many bytes, as in `FactoredContextTree`."""
        self._kernel.limit(most)

    def keep(self) -> dict[str, Any]:
        """Return all that it knows. The arrays are views, true until something is changed."""
        lessons = [[lesson.context, lesson.before] for lesson in self._lessons]
        shape = [self.horizon, self._levels]
        return {
            "shape": shape,
            "kernel": self._kernel.keep(),
            "context": self._context.copy(),
            "earned": self._earned,
            "lessons": lessons,
        }

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take on the state that `keep` has returned."""
        if kept["shape"] != [self.horizon, self._levels]:
            raise ValueError(f"its returns have another horizon or other levels: {kept['shape']}")
        context, earned = np.array(kept["context"], dtype=np.uint8), self._as_reward(kept["earned"])
        lessons = deque(
            Awaited(np.array(each, dtype=np.uint8), self._as_reward(before)) for each, before in kept["lessons"]
        )
        if any(len(each) != self.depth for each in (context, *(lesson.context for lesson in lessons))):
            raise ValueError("its contexts have another depth")
        self._kernel.restore(kept["kernel"])
        self._context, self._earned, self._lessons = context, earned, lessons

    def statistics(self) -> Statistics:
        """Return the size of the trees, and the work they did."""
        return Statistics(self._kernel.nodes, self._kernel.memory, *self._kernel.work)

    def snapshot(self) -> bytes:
        """Return the state that all predictions follow from, as bytes."""
        lessons = [(context.tobytes(), before - self._earned) for context, before in self._lessons]
        return bytes(self._kernel.snapshot()) + self._context.tobytes() + repr(lessons).encode()

    def _context_after(self, bits: Bits) -> Bits:
        return np.concatenate([self._context, bits])[len(bits) :]

    def _take(self, bits: Bits) -> None:
        """Append a context, and learn the return after it, if there is one."""
        if len(bits) > self._kernel.room or self._kernel.learn(bits)[1] < len(bits):
            raise MemoryError(f"no memory for more than {self.lessons:,} returns")


def _as_bits(value: int, bits: int) -> Bits:
    return np.array(encode(value, bits), dtype=np.uint8)


class AIQI(Planner):
    """Takes the action with the largest expected return, or a random one of several.

    Parameters
    ----------
    coding : Coding
        Bits and rewards of the environment.
    horizon, depth, levels
        As in `ReturnTree`.
    """

    options = ("horizon", "depth", "levels")
    model_free = bounds_memory = True

    def __init__(self, coding: Coding, *, horizon: int, depth: int, levels: int = LEVELS) -> None:
        self._tree = ReturnTree(coding, horizon=horizon, depth=depth, levels=levels)

    def bound_memory(self, most: int) -> None:
        """Let what it learns take at most so many bytes, as in `FactoredContextTree`."""
        self._tree.bound_memory(most)

    def learner(self) -> ReturnTree:
        """Return the distribution of returns that it plans with."""
        return self._tree

    def search(self, predictor: ReturnTree, random: Stream, *, simulations: int | None = None) -> SearchResult:
        """Predict the return of each action."""
        value = predictor.values
        return SearchResult(best_action(value, random), value, np.zeros(len(value), dtype=np.int64), 0)

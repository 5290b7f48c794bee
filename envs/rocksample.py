"""RockSample: a rover among good and bad rocks, with a sensor that gets worse with distance; a family."""

from collections.abc import Iterable
from itertools import product
from math import dist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aixi_approx.environment import Settings
from aixi_approx.pomdp.definition import POMDP, Outcome, Tables
from aixi_approx.randomness import below, stream
from aixi_approx.validation import as_integer

EXIT, DISCOUNT = "exit", 0.95  # how the task of the paper ends, and its discount
Cell = tuple[int, int]  # column from the west, row from the south
State = tuple[Cell, tuple[bool, ...]]  # cell of the rover, which rocks are good

MOVES = {"north": (0, 1), "south": (0, -1), "east": (1, 0), "west": (-1, 0)}
HALF = 20  # distance from a rock, in cells, at which the sensor is half as efficient
LAYOUTS: tuple[tuple[int, tuple[Cell, ...]], ...] = (  # side and rocks, as in the authors' software ZMDP
    (4, ((3, 1), (2, 1), (1, 3), (1, 0))),
    (5, ((2, 4), (0, 4), (3, 3), (2, 2), (4, 1))),
    (5, ((1, 0), (2, 1), (1, 2), (2, 2), (4, 2), (0, 3), (3, 4))),
    (7, ((2, 0), (0, 1), (3, 1), (6, 3), (2, 4), (3, 4), (5, 5), (1, 6))),
    (11, ((0, 3), (0, 7), (1, 8), (2, 4), (3, 3), (3, 8), (4, 3), (5, 8), (6, 1), (9, 3), (9, 9))),
)
MOST_BYTES = 1 << 30  # of tables


class RockSample(POMDP):
    """RockSample[n, k] (Smith, Simmons 2004, Heuristic Search Value Iteration for POMDPs), played over and over.

    A rover starts in the middle of the west edge of n x n cells, k of which hold a rock, good or bad with equal
    probability. It moves north, south, east or west. Sampling the rock in its cell pays 10 if the rock is good, which
    makes it bad, and costs 10 if it is bad. Checking a rock costs nothing and shows whether it is good, correctly with
    probability (1 + 2^(-d/20)) / 2 at a Euclidean distance of d cells. Leaving by the east edge pays 10; the rover is
    then back at its start, among rocks of new quality. Nothing else pays, costs or shows anything: at the other edges,
    or when sampling where there is no rock, the rover stays where it is.

    The rocks are the first k of the authors' layouts 4-4, 5-5, 5-7 or 7-8, or of 11-11 as it is used since (Silver,
    Veness 2010), the first of these that has enough; for other sizes they lie in random cells other than the start,
    always the same ones for the same n and k. Sizes whose tables would take more than 1 GB are refused: 11-11-exit,
    247,809 states, takes 0.76 GB, and twice that while it is built; 15-15 would take 27.

    In the paper the task ends at the exit, and rewards are discounted by 0.95: that is rocksample:7-8-exit, in
    which nothing happens any more after the exit until it begins anew, with probability 0.05 in every cycle.
    Without `-exit` the task never ends, and the price of a rock is time: going straight to the exit earns 10/n per
    cycle, and in 2-1, 3-1 and 3-2 nothing is better. The authors' files have sensors of a shorter range in 4-4 and
    5-5, and there an action that is impossible here ends the task with -100.
    """

    observations = ("nothing", "good", "bad")
    min_reward, max_reward = -10, 10
    hidden = "which rocks are good, where the rover is"
    difficulty = "memory of moves and checks; a search that reaches the exit, past cycles without reward"
    sizes = ("2-1", "3-2", "4-3", "4-4", "5-5", "7-8")

    def __init__(self, size: int = 3, rocks: int = 2, *end: str) -> None:
        self.side = as_integer("the side of the grid", size, 2, 20)
        self.count = as_integer("the number of rocks", rocks, 1, min(60, size * size - 1))
        if end not in ((), (EXIT,)):
            given = "-".join(map(str, end))
            raise ValueError(f"{given!r} is no way to end: write {EXIT}, as in rocksample:7-8-{EXIT}, or leave it out")
        memory = foreseen(size, rocks, ends=bool(end))
        if memory > MOST_BYTES:
            what = f"its tables would take about {memory / MOST_BYTES:,.3g} GB, more than 1"
            remedy = "take fewer rocks" if end else f"take fewer rocks, or end at the exit: {size}-{rocks}-{EXIT}"
            raise ValueError(f"{what}: {remedy}")
        self.home = (0, size // 2)
        self.rocks = self.layout()
        self.actions = (*MOVES, "sample", *(f"check-{i}" for i in range(1, rocks + 1)))
        self.settings = Settings(depth=30 * size, horizon=4 * size, simulations=100)
        self.anew = {(self.home, good): 0.5**rocks for good in product((False, True), repeat=rocks)}
        over: State = ((size, self.home[1]), (False,) * rocks)
        after = {over: 1.0} if end else self.anew
        self.exits = [Outcome(p, state, "nothing", 10) for state, p in after.items()]
        self.over, self.ends = over, bool(end)
        if end:
            self.discount = DISCOUNT
        super().__init__()

    def layout(self) -> tuple[Cell, ...]:
        """Return the cells of the rocks."""
        for side, cells in LAYOUTS:
            if side == self.side and len(cells) >= self.count:
                return cells[: self.count]
        free = [(x, y) for x in range(self.side) for y in range(self.side) if (x, y) != self.home]
        random = stream(self.side, self.count)
        return tuple(free.pop(below(random, len(free))) for _ in range(self.count))

    def start(self) -> dict[State, float]:
        """Start in the middle of the west edge, among rocks of any quality."""
        return self.anew

    def outcomes(self, state: State, action: str) -> Iterable[Outcome]:
        """Move, sample or check."""
        cell, good = state
        if state == self.over:
            return [Outcome(1, state, "nothing", 0)]
        if action in MOVES:
            return self.moved(state, action)
        if action == "sample":
            if cell not in self.rocks:
                return [Outcome(1, state, "nothing", 0)]
            rock = self.rocks.index(cell)
            return [Outcome(1, (cell, (*good[:rock], False, *good[rock + 1 :])), "nothing", 10 if good[rock] else -10)]
        rock = int(action.removeprefix("check-")) - 1
        right = self._right(cell, self.rocks[rock])
        p = right if good[rock] else 1 - right
        return [Outcome(p, state, "good", 0), Outcome(1 - p, state, "bad", 0)]

    def _right(self, cell: Cell, rock: Cell) -> float:
        """Probability that a check is right."""
        return (1 + 2 ** (-dist(cell, rock) / HALF)) / 2

    def moved(self, state: State, action: str) -> list[Outcome]:
        """Return the outcomes of a move."""
        (x, y), good = state
        x, y = x + MOVES[action][0], y + MOVES[action][1]
        if x == self.side:
            return self.exits
        inside = x >= 0 and 0 <= y < self.side
        return [Outcome(1, ((x, y), good) if inside else state, "nothing", 0)]

    def _build(self) -> tuple[list[Any], Tables]:
        """All at once, since there can be many states; as the walk through `start` and `outcomes` has it.

        A state is written as a number, column, row and rocks, 1 for a good one, as digits.
        """
        side, count, good = self.side, self.count, 1 << self.count
        cell, rocks = np.divmod(np.arange(side * side * good), good)
        x, y = np.divmod(cell, side)
        after, reward = np.empty((5, len(cell) + 1), dtype=np.int64), np.zeros((5, len(cell) + 1), dtype=np.int64)
        after[:] = np.arange(len(cell) + 1)
        for i, (dx, dy) in enumerate(MOVES.values()):
            inside = (x + dx >= 0) & (x + dx < side) & (y + dy >= 0) & (y + dy < side)
            after[i, :-1] += np.where(inside, (dx * side + dy) * good, 0)
        for i, (column, row) in enumerate(self.rocks):
            bit = 1 << count - 1 - i
            here = np.flatnonzero(cell == column * side + row)
            after[4, here] &= ~bit
            reward[4, here] = np.where(rocks[here] & bit, 10, -10)
        leaves = np.append(x == side - 1, False)
        east, over = list(MOVES).index("east"), len(cell)
        reward[east, leaves] = 10
        if self.ends:
            after[east, leaves] = over
        order, number = _walk(after, home=(self.home[0] * side + self.home[1]) * good, initial=good)
        return self._named(order), self._filled(order, number[after[:, order]], reward[:, order], leaves[order])

    def _named(self, order: NDArray[np.int64]) -> list[State]:
        """The states, by name; they share their parts."""
        cells = [(x, y) for x in range(self.side) for y in range(self.side)] + [self.over[0]]
        goods = list(product((False, True), repeat=self.count))
        cell, rocks = np.divmod(order, len(goods))
        return [(cells[c], goods[g]) for c, g in zip(cell.tolist(), rocks.tolist(), strict=True)]

    def _filled(
        self, order: NDArray[np.int64], after: NDArray[np.int64], reward: NDArray[np.int64], leaves: NDArray[np.bool_]
    ) -> Tables:
        """The tables, from what follows moves and samples in each state, in order, and which leave by the exit."""
        codes = {value: self._coding.code(value) for value in (-10, 0, 10)}
        count, good, actions = len(order), 1 << self.count, len(self.actions)
        east, anew = list(MOVES).index("east"), leaves & (not self.ends)
        cell, rocks = np.divmod(order, good)
        going = cell < self.side**2  # not over
        chance = np.empty((self.count, count))  # of seeing that a rock is good
        outcomes = np.ones((count, actions), dtype=np.int64)
        outcomes[anew, east] = good
        for i, rock in enumerate(self.rocks):
            right = [self._right((x, y), rock) for x in range(self.side) for y in range(self.side)] + [1.0]
            sure = np.array(right)[cell]
            chance[i] = np.where(rocks >> self.count - 1 - i & 1, sure, 1 - sure)
            outcomes[going, 5 + i] = ((chance[i] != 0).astype(np.int64) + (1 - chance[i] != 0))[going]
        first = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(outcomes)])
        at = first[:-1].reshape(count, actions)
        probability, seen = np.ones(first[-1]), np.zeros(first[-1], dtype=np.int64)
        state = np.repeat(np.arange(count), outcomes.sum(axis=1))
        code = np.full(first[-1], codes[0])
        for i in range(5):
            state[at[:, i]] = after[i]
            code[at[:, i]] = np.array([codes[-10], codes[0], codes[10]])[reward[i] // 10 + 1]
        every = at[anew, east][:, None] + np.arange(good)
        probability[every], state[every], code[every] = 0.5**self.count, np.arange(good), codes[10]
        for i in range(self.count):
            for name, p in ("good", chance[i]), ("bad", 1 - chance[i]):
                chosen = going & (p != 0)
                place = at[chosen, 5 + i] + ((chance[i][chosen] != 0) if name == "bad" else 0)
                probability[place], seen[place] = p[chosen], self.observations.index(name)
        return Tables(
            start=np.full(good, 0.5**self.count),
            first=first,
            probability=probability,
            state=state,
            observation=seen,
            reward=self._coding.rewards_of(code),
            code=code,
        )

    def render(self) -> str:
        """Draw the grid, north at the top: R is the rover, left of what its cell holds; * a good rock, o a bad one."""
        here, good = self.states[self.current]
        marks = dict(zip(self.rocks, ("*" if g else "o" for g in good), strict=True))
        rows = []
        for y in reversed(range(self.side)):
            cells = (("R" if (x, y) == here else " ") + marks.get((x, y), ".") for x in range(self.side))
            rows.append("".join(cells) + " >")
        return "\n".join(rows)


def _walk(after: NDArray[np.int64], *, home: int, initial: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number the states in the order in which a walk finds them, from `initial` ones on; return these, and back."""
    number = np.full(after.shape[1], -1)
    order, found = [home + np.arange(initial)], 0
    while len(order[-1]):
        number[order[-1]] = found + np.arange(len(order[-1]))
        found += len(order[-1])
        fresh = after[:, order[-1]].T.ravel()
        fresh, earliest = np.unique(fresh[number[fresh] < 0], return_index=True)
        order.append(fresh[np.argsort(earliest)])
    return np.concatenate(order), number


def foreseen(size: int, rocks: int, *, ends: bool) -> int:
    """Return how many bytes the tables take: five numbers for each outcome; with a discount, there are two of them.

    Parameters
    ----------
    size, rocks : int
        As in `RockSample`.
    ends : bool
        Whether it ends at the exit.
    """
    states = size * size << rocks
    outcomes = states * (5 + 2 * rocks) + (states * (10 + 3 * rocks) if ends else size << 2 * rocks)
    return 40 * outcomes + 8 * states * (5 + rocks) * (1 + ends)

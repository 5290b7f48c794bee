"""RockSample: a rover among good and bad rocks, with a sensor that gets worse with distance; a family."""

from collections.abc import Iterable
from itertools import product
from math import dist

from aixi_approx.environment import Settings
from aixi_approx.pomdp.definition import POMDP, Outcome
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
)


class RockSample(POMDP):
    """RockSample[n, k] (Smith, Simmons 2004, Heuristic Search Value Iteration for POMDPs), played over and over.

    A rover starts in the middle of the west edge of n x n cells, k of which hold a rock, good or bad with equal
    probability. It moves north, south, east or west. Sampling the rock in its cell pays 10 if the rock is good, which
    makes it bad, and costs 10 if it is bad. Checking a rock costs nothing and shows whether it is good, correctly with
    probability (1 + 2^(-d/20)) / 2 at a Euclidean distance of d cells. Leaving by the east edge pays 10; the rover is
    then back at its start, among rocks of new quality. Nothing else pays, costs or shows anything: at the other edges,
    or when sampling where there is no rock, the rover stays where it is.

    The rocks are the first k of the authors' layouts 4-4, 5-5, 5-7 or 7-8, the first of these that has enough; for
    other sizes they lie in random cells other than the start, always the same ones for the same n and k.

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

    def __init__(self, size: int = 3, rocks: int = 2, end: str = "") -> None:
        self.side = as_integer("the side of the grid", size, 2, 12)
        self.count = as_integer("the number of rocks", rocks, 1, min(8, size * size - 1))
        self.home = (0, size // 2)
        self.rocks = self.layout()
        self.actions = (*MOVES, "sample", *(f"check-{i}" for i in range(1, rocks + 1)))
        self.settings = Settings(depth=30 * size, horizon=4 * size, simulations=100)
        self.anew = {(self.home, good): 0.5**rocks for good in product((False, True), repeat=rocks)}
        if end not in ("", EXIT):
            raise ValueError(f"{end!r} is no way to end: write {EXIT}, as in rocksample:7-8-{EXIT}, or leave it out")
        over: State = ((size, self.home[1]), (False,) * rocks)
        after = {over: 1.0} if end else self.anew
        self.exits = [Outcome(p, state, "nothing", 10) for state, p in after.items()]
        self.over = over
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
        right = (1 + 2 ** (-dist(cell, self.rocks[rock]) / HALF)) / 2
        p = right if good[rock] else 1 - right
        return [Outcome(p, state, "good", 0), Outcome(1 - p, state, "bad", 0)]

    def moved(self, state: State, action: str) -> list[Outcome]:
        """Return the outcomes of a move."""
        (x, y), good = state
        x, y = x + MOVES[action][0], y + MOVES[action][1]
        if x == self.side:
            return self.exits
        inside = x >= 0 and 0 <= y < self.side
        return [Outcome(1, ((x, y), good) if inside else state, "nothing", 0)]

    def render(self) -> str:
        """Draw the grid, north at the top: R is the rover, left of what its cell holds; * a good rock, o a bad one."""
        here, good = self.states[self.current]
        marks = dict(zip(self.rocks, ("*" if g else "o" for g in good), strict=True))
        rows = []
        for y in reversed(range(self.side)):
            cells = (("R" if (x, y) == here else " ") + marks.get((x, y), ".") for x in range(self.side))
            rows.append("".join(cells) + " >")
        return "\n".join(rows)

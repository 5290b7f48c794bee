"""RockSample: a rover among rocks, good or bad, with a sensor that sees less from afar; a family."""

from collections.abc import Iterable
from itertools import product
from math import dist

from aixi_approx.environment import Settings
from aixi_approx.pomdp.definition import POMDP, Outcome
from aixi_approx.randomness import below, stream
from aixi_approx.validation import as_integer

Cell = tuple[int, int]  # column from the west, row from the south
State = tuple[Cell, tuple[bool, ...]]  # where the rover is, which rocks are good

MOVES = {"north": (0, 1), "south": (0, -1), "east": (1, 0), "west": (-1, 0)}
HALF = 20  # cells away from a rock at which the sensor is half as efficient
LAYOUTS: tuple[tuple[int, tuple[Cell, ...]], ...] = (  # of the authors, in their software ZMDP: side, rocks
    (4, ((3, 1), (2, 1), (1, 3), (1, 0))),
    (5, ((2, 4), (0, 4), (3, 3), (2, 2), (4, 1))),
    (5, ((1, 0), (2, 1), (1, 2), (2, 2), (4, 2), (0, 3), (3, 4))),
    (7, ((2, 0), (0, 1), (3, 1), (6, 3), (2, 4), (3, 4), (5, 5), (1, 6))),
)


class RockSample(POMDP):
    """RockSample[n, k] (Smith, Simmons 2004, Heuristic Search Value Iteration for POMDPs), over and over.

    A rover starts in the middle of the west edge of n x n cells, k of which hold a rock, good or bad with equal
    chance. It goes north, south, east or west. To sample the rock where it is pays 10 if the rock is good, which is
    bad from then on, and costs 10 if it is bad. To check a rock costs nothing and shows whether it is good, rightly
    with probability (1 + 2^(-d/20)) / 2 at d cells from it as the crow flies. To leave by the east edge pays 10; the
    rover is at its start again, among rocks of new quality. Nothing else pays, costs or shows anything: at the other
    edges, or to sample where there is no rock, the rover stays where it is.

    The rocks are the first k of the authors' own for 4-4, 5-5, 5-7 or 7-8, the first of these that has enough; else
    they lie in cells other than the start, drawn from a stream that n and k name.

    In the paper it ends at the exit, and rewards are discounted. Here there is no end, and what a rock costs is time:
    to go straight to the exit earns 10/n per cycle, and in 2-1, 3-1 and 3-2 nothing is better. The authors' files have
    sensors of a shorter range in 4-4 and 5-5, and what is impossible here ends it there, with -100.
    """

    observations = ("nothing", "good", "bad")
    min_reward, max_reward = -10, 10
    hidden = "which rocks are good, where the rover is"
    difficulty = (
        "memory of moves and of what was checked; a search that looks up to the exit, past cycles that pay nothing"
    )
    sizes = ("2-1", "3-2", "4-3", "4-4", "5-5", "7-8")

    def __init__(self, size: int = 3, rocks: int = 2) -> None:
        self.side = as_integer("the side of the grid", size, 2, 12)
        self.count = as_integer("the number of rocks", rocks, 1, min(8, size * size - 1))
        self.home = (0, size // 2)
        self.rocks = self.layout()
        self.actions = (*MOVES, "sample", *(f"check-{i}" for i in range(1, rocks + 1)))
        self.settings = Settings(depth=30 * size, horizon=4 * size, simulations=100)
        self.anew = {(self.home, good): 0.5**rocks for good in product((False, True), repeat=rocks)}
        self.exits = [Outcome(p, state, "nothing", 10) for state, p in self.anew.items()]
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
        """Stand in the middle of the west edge, among rocks of any quality."""
        return self.anew

    def outcomes(self, state: State, action: str) -> Iterable[Outcome]:
        """Move, sample or check."""
        cell, good = state
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
        """Return what comes of a move."""
        (x, y), good = state
        x, y = x + MOVES[action][0], y + MOVES[action][1]
        if x == self.side:
            return self.exits
        inside = x >= 0 and 0 <= y < self.side
        return [Outcome(1, ((x, y), good) if inside else state, "nothing", 0)]

    def render(self) -> str:
        """Draw the grid, north above. R is the rover, left of what lies in its cell: * a good rock, o a bad one."""
        here, good = self.states[self.current]
        marks = dict(zip(self.rocks, ("*" if g else "o" for g in good), strict=True))
        rows = []
        for y in reversed(range(self.side)):
            cells = (("R" if (x, y) == here else " ") + marks.get((x, y), ".") for x in range(self.side))
            rows.append("".join(cells) + " >")
        return "\n".join(rows)

"""4x4-grid (Veness et al. 2011, section 7.1): find the corner of a grid without seeing anything."""

from collections.abc import Iterable

from aixi_approx.environment import Settings
from aixi_approx.pomdp.definition import POMDP, Outcome

Cell = tuple[int, int]  # row, column

SIDE = 4
GOAL = (SIDE - 1, SIDE - 1)
MOVES = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}


class Grid4x4(POMDP):
    """The agent moves up, down, left or right on a grid of 4 by 4 cells; a move off the grid leaves it where it is.

    It observes nothing. Entering the bottom right corner pays 1; in the same cycle the agent is placed in one of the
    other fifteen cells at random, as at the start. Alternating right and down leads to the corner from any cell, in
    62/15 cycles on average.
    """

    actions = tuple(MOVES)
    observations = ("nothing",)
    min_reward, max_reward = 0, 1
    hidden = "the cell"
    difficulty = "hardly any: down and right lead to the corner from anywhere, and the next reward alone shows it"
    optimum = 15 / 62
    settings = Settings(depth=96, horizon=12, epsilon=0.9, decay=0.9999)

    def start(self) -> dict[Cell, float]:
        """Place the agent in a cell other than the goal."""
        cells = [(row, column) for row in range(SIDE) for column in range(SIDE) if (row, column) != GOAL]
        return {cell: 1 / len(cells) for cell in cells}

    def outcomes(self, cell: Cell, action: str) -> Iterable[Outcome]:
        """Move to the next cell, if there is one."""
        row, column = (min(max(x + step, 0), SIDE - 1) for x, step in zip(cell, MOVES[action], strict=True))
        if (row, column) == GOAL:
            return [Outcome(p, anew, "nothing", 1) for anew, p in self.start().items()]
        return [Outcome(1, (row, column), "nothing", 0)]

    def render(self) -> str:
        """Draw the grid: @ is the agent, * the goal."""
        marks = {GOAL: "*", self.states[self.current]: "@"}
        return "\n".join(" ".join(marks.get((row, column), ".") for column in range(SIDE)) for row in range(SIDE))

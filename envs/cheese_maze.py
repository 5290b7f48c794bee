"""Cheese maze (McCallum 1996): a mouse that sees only the walls around it looks for cheese."""

from collections.abc import Iterable

from aixi_approx.environment import Schedule, Settings
from aixi_approx.pomdp.definition import POMDP, Outcome

Cell = tuple[int, int]  # row, column

MAZE = (
    "#######",
    "#     #",
    "# # # #",
    "# #*# #",  # the star is the cheese
    "#######",
)
MOVES = {"up": (-1, 0), "right": (0, 1), "down": (1, 0), "left": (0, -1)}
FREE = [(row, column) for row, line in enumerate(MAZE) for column, what in enumerate(line) if what == " "]


def neighbour(cell: Cell, move: str) -> Cell:
    """Return the next cell in a direction, which may be a wall."""
    return cell[0] + MOVES[move][0], cell[1] + MOVES[move][1]


def look(cell: Cell) -> str:
    """Return the content of a cell."""
    return MAZE[cell[0]][cell[1]]


def walls(cell: Cell) -> int:
    """Return the sum of 8, 4, 2 and 1 for a wall above, to the right, below and to the left.

    >>> walls((1, 1)), walls((1, 2)), walls((2, 1))
    (9, 10, 5)
    """
    return sum(bit for bit, move in zip((8, 4, 2, 1), MOVES, strict=True) if look(neighbour(cell, move)) == "#")


class CheeseMaze(POMDP):
    """A mouse moves up, right, down or left in a maze of eleven cells and sees the walls around it.

    The observation is the sum of 8, 4, 2 and 1 for a wall above, to the right, below and to the left of the mouse.

    A move into a free cell costs 1. Bumping into a wall costs 10, and the mouse stays where it is. Entering the cheese
    pays 10, less 1 for the move; in the same cycle the mouse is placed in one of the other ten cells at random, as at
    the start, and sees its new cell. The paper leaves open whether the last move costs anything and how a new round
    starts: of the possible readings, this one has the optimum closest to the line in its figure 7, 10/4.3 - 1. The best
    mouse goes up and right when it knows no better, and needs 4.3 moves per cheese.
    """

    actions = tuple(MOVES)
    observations = tuple(range(16))
    min_reward, max_reward = -10, 9
    hidden = "which of the cells that look alike"
    difficulty = "memory of the path since the last cheese; a search to depth 5"
    optimum = 57 / 43
    settings = Settings(depth=96, horizon=8, epsilon=0.999, decay=0.9999)
    schedule = Schedule(cycles=2500)

    def start(self) -> dict[Cell, float]:
        """Place the mouse in a cell without cheese."""
        return {cell: 1 / len(FREE) for cell in FREE}

    def outcomes(self, cell: Cell, action: str) -> Iterable[Outcome]:
        """Move to the next cell, bump into a wall, or eat the cheese."""
        onto = neighbour(cell, action)
        if look(onto) == "#":
            return [Outcome(1, cell, walls(cell), -10)]
        if look(onto) == "*":
            return [Outcome(p, anew, walls(anew), 10 - 1) for anew, p in self.start().items()]
        return [Outcome(1, onto, walls(onto), -1)]

    def render(self) -> str:
        """Draw the maze: @ is the mouse, * the cheese."""
        lines = [list(line) for line in MAZE]
        row, column = self.states[self.current]
        lines[row][column] = "@"
        return "\n".join("".join(line) for line in lines)

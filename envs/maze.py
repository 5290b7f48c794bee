"""1d-maze (Cassandra, Kaelbling, Littman 1994): find the goal in a corridor without seeing anything."""

from collections.abc import Iterable

from aixi_approx.environment import Schedule, Settings
from aixi_approx.pomdp.definition import POMDP, Outcome

CELLS, GOAL = 4, 2


class Maze1D(POMDP):
    """Four cells lie in a row; the goal is the third from the left.

    The agent starts in one of the other three and moves left or right; at the end of the row it stays where it is. It
    observes nothing. Entering the goal pays 1; in the same cycle the agent is placed in one of the other three cells at
    random. The paper does not say what happens after the goal; this rule gives its optimum. Right, right, left takes
    the agent to the goal from any cell, in two cycles on average.
    """

    actions = ("left", "right")
    observations = ("nothing",)
    min_reward, max_reward = 0, 1
    hidden = "the cell"
    difficulty = "memory of the last two cycles; a search to depth 2"
    optimum = 1 / 2
    settings = Settings(depth=32, horizon=10, epsilon=0.9, decay=0.99)
    schedule = Schedule(cycles=5000)

    def start(self) -> dict[int, float]:
        """Place the agent in a cell other than the goal."""
        return {cell: 1 / (CELLS - 1) for cell in range(CELLS) if cell != GOAL}

    def outcomes(self, cell: int, action: str) -> Iterable[Outcome]:
        """Move one cell to the left or right, if there is one."""
        cell = max(cell - 1, 0) if action == "left" else min(cell + 1, CELLS - 1)
        if cell == GOAL:
            return [Outcome(p, anew, "nothing", 1) for anew, p in self.start().items()]
        return [Outcome(1, cell, "nothing", 0)]

    def render(self) -> str:
        """Draw the row: @ is the agent, * the goal."""
        here = self.states[self.current]
        return "".join("@" if cell == here else "*" if cell == GOAL else "." for cell in range(CELLS))

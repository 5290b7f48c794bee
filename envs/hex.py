"""Hex (Hein 1942, Nash 1952) on a small board; a family."""

import functools

from aixi_approx.environment import Schedule, Settings
from aixi_approx.envs.board import EMPTY, MINE, Boards, put
from aixi_approx.envs.duel import Duel
from aixi_approx.validation import as_integer

STEPS = ((-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0))  # rows and columns to the six neighbours


@functools.cache
def connected(board: str, side: int, *, player: str) -> bool:
    """Whether a chain of a player's marks connects its sides: top and bottom for X, left and right for O."""
    across = 0 if player == MINE else 1  # the coordinate, row or column, that runs between the player's sides
    mine = {divmod(place, side) for place, mark in enumerate(board) if mark == player}
    reached = [place for place in mine if place[across] == 0]
    for row, column in reached:  # grows as marks are reached
        near = {(row + down, column + right) for down, right in STEPS}
        reached += near & mine.difference(reached)
    return any(place[across] == side - 1 for place in reached)


class Hex(Duel):
    """The board has n rows of n hexagons, each row shifted to the right by half a hexagon from the one above.

    The players take turns putting a mark on a free hexagon. The agent, X, wins with a chain from the top row to the
    bottom row; the opponent, O, wins with one from the left side to the right. On a full board exactly one of the two
    has a chain, and the player who moves first can force a win (Gale 1979; Nash).

    Games follow one another. A cycle is a move of the agent and the opponent's reply. Winning pays 1, losing costs 1,
    and a move onto a taken hexagon loses the game. When a game has ended, the next one starts in the same cycle, and
    the agent sees its board: a fair coin decides who moves first. The random opponent takes any free hexagon; the
    perfect one takes any that forces a win, or any at all where there is none. Against the perfect opponent the optimum
    is 0.

    The observation is the board, two bits for each hexagon. A board of 4 by 4 would have too many states.
    """

    difficulty = (
        "a search as deep as the game, 2 cycles at n = 2 and 5 at n = 3; experience with each board, to learn it"
    )
    sizes = ("2-random", "2-perfect", "3-random", "3-perfect")

    def __init__(self, side: int = 3, opponent: str = "perfect") -> None:
        self.side = as_integer("the side of the board", side, 2, 3)
        squares = self.side**2
        self.new = EMPTY * squares
        self.actions = tuple(range(squares))
        self.observations = Boards(squares)
        self.settings = Settings(depth=32, horizon=2, simulations=100)
        self.schedule = Schedule(evaluation_simulations=200)
        if side == 3:
            self.settings = Settings(depth=64, horizon=5, simulations=50, decay=0.9998)
            self.schedule = Schedule(cycles=30_000, evaluation_simulations=200)
        super().__init__(opponent)

    def moves(self, board: str) -> list[int]:
        """Return the free hexagons."""
        return [place for place, mark in enumerate(board) if mark == EMPTY]

    def move(self, board: str, action: int, *, player: str) -> str:
        """Return the board with one more mark."""
        return put(board, action, mark=player)

    def won(self, board: str, player: str) -> bool:
        """Whether a player's marks connect its two sides."""
        return connected(board, self.side, player=player)

    def render(self) -> str:
        """Draw the board."""
        board = self.states[self.current]
        return "\n".join(" " * row + " ".join(board[row * self.side :][: self.side]) for row in range(self.side))

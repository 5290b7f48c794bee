"""Hex (Hein 1942, Nash 1952) on a small board, a family."""

import functools

from aixi_approx.environment import Schedule, Settings
from aixi_approx.envs.board import EMPTY, MINE, Boards, put
from aixi_approx.envs.duel import Duel
from aixi_approx.validation import as_integer

STEPS = ((-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0))  # row and column to the six neighbours


@functools.cache
def connected(board: str, side: int, *, player: str) -> bool:
    """Whether there is a chain of a player's marks, from top to bottom for X, from left to right for O."""
    across = 0 if player == MINE else 1  # which of row and column goes from one side of the player's to the other
    mine = {divmod(place, side) for place, mark in enumerate(board) if mark == player}
    reached = [place for place in mine if place[across] == 0]
    for row, column in reached:  # grows as marks are reached
        near = {(row + down, column + right) for down, right in STEPS}
        reached += near & mine.difference(reached)
    return any(place[across] == side - 1 for place in reached)


class Hex(Duel):
    """The board has n rows of n hexagons, each row half a hexagon further right than the one above it.

    The players put their marks on free hexagons by turns. The agent, X, wins with a chain from the top row to the
    bottom row, the opponent, O, with one from the left side to the right. Of a full board exactly one of the two is
    true, and who moves first has a won game (Gale 1979; Nash).

    Game follows game. A cycle is a move of the agent and the answer to it; to win pays 1, to lose costs 1, and a move
    onto a hexagon that is taken loses the game. When a game has ended, the next begins in the same cycle, and the agent
    sees its board: a fair coin decides who moves first. The random opponent takes any hexagon that is free, the perfect
    one any that wins whatever the agent does, and any at all where there is none. Against that one the optimum is 0.

    The observation is the board, two bits for each hexagon. A board of 4 by 4 would have too many states.
    """

    difficulty = "search as deep as the game, 2 cycles at n = 2 and 5 at n = 3; to learn it, experience with each board"
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
        """Return the hexagons that are free."""
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

"""Game boards: one mark per square, as a string, row by row."""

from collections.abc import Sequence
from typing import Any

from aixi_approx.coding import bits_for

EMPTY, MINE, THEIRS = MARKS = "-XO"  # a free square, the agent's mark, the opponent's


def put(board: str, square: int, *, mark: str) -> str:
    """Return the board with a mark put on a square."""
    return board[:square] + mark + board[square + 1 :]


class Boards(Sequence[str]):
    """All boards by number: each square takes the same number of bits, the first square the highest ones.

    A value that stands for no mark is read as a question mark. Boards are computed on request, not stored.

    >>> Boards(9).index("-------XO"), Boards(9)[6]
    (6, '-------XO')
    """

    def __init__(self, squares: int, marks: str = MARKS) -> None:
        self.squares, self.marks, self.bits = squares, marks, bits_for(len(marks))

    def __len__(self) -> int:
        return 1 << self.bits * self.squares

    def __getitem__(self, number: Any) -> Any:
        marks = self.marks.ljust(1 << self.bits, "?")
        places = range(self.bits * (self.squares - 1), -1, -self.bits)
        return "".join(marks[number >> place & len(marks) - 1] for place in places)

    def __contains__(self, board: object) -> bool:
        return isinstance(board, str) and len(board) == self.squares and set(board) <= set(self.marks)

    def index(self, board: str, *_: int) -> int:
        """Return the number of a board."""
        number = 0
        for mark in board:
            number = (number << self.bits) + self.marks.index(mark)
        return number

"""Duels: games that one of two players wins, against an opponent that plays at random or perfectly."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from aixi_approx.envs.board import MINE, THEIRS
from aixi_approx.pomdp.definition import POMDP, Outcome
from aixi_approx.validation import check_choice

OPPONENTS = ("random", "perfect")


class Duel(POMDP):
    """Base class of games without draws. A subclass defines the initial board, the moves, and who has won.

    Games follow one another. A cycle is a move of the agent and the opponent's reply. Winning pays 1; losing costs 1,
    and so does an illegal move, which loses the game. When a game has ended, the next one starts in the same cycle, and
    the agent sees its board: a fair coin decides who moves first.

    The random opponent takes any of its moves. The perfect one takes any move that forces a win, or any move at all
    where there is none. Against it the optimum is 0: one side, the first or the second to move, can force a win; the
    coin gives this side to each player half of the time; and neither a perfect opponent nor the best agent loses a won
    game.
    """

    min_reward, max_reward = -1, 1
    hidden = "nothing"
    new: Any  # the initial board

    def __init__(self, opponent: str) -> None:
        self.opponent = check_choice("the opponent", opponent, OPPONENTS)
        self.optimum = 0.0 if opponent == "perfect" else None
        self._winning: dict[tuple[Any, str], list[Any]] = {}
        super().__init__()

    @abstractmethod
    def moves(self, board: Any) -> Sequence[Any]:
        """Return the actions that either player can take on a board."""

    @abstractmethod
    def move(self, board: Any, action: Any, *, player: str) -> Any:
        """Return the board after a player's move: X is the agent, O the opponent."""

    @abstractmethod
    def won(self, board: Any, player: str) -> bool:
        """Whether the player who has just moved has won."""

    def winning(self, board: Any, player: str) -> list[Any]:
        """Return the moves with which the player to move forces a win."""
        if (board, player) not in self._winning:
            other = THEIRS if player == MINE else MINE
            after = {action: self.move(board, action, player=player) for action in self.moves(board)}
            self._winning[board, player] = [
                action for action, then in after.items() if self.won(then, player) or not self.winning(then, other)
            ]
        return self._winning[board, player]

    def answers(self, board: Any) -> Sequence[Any]:
        """Return the moves that the opponent chooses from, all with the same probability."""
        winning = self.winning(board, THEIRS) if self.opponent == "perfect" else []
        return winning or self.moves(board)

    def start(self) -> dict[Any, float]:
        """Flip the coin for the first move."""
        first = self.answers(self.new)
        return {self.new: 1 / 2, **{self.move(self.new, action, player=THEIRS): 1 / 2 / len(first) for action in first}}

    def outcomes(self, board: Any, action: Any) -> Iterable[Outcome]:
        """Move, let the opponent reply, and start a new game if this one has ended."""
        if action not in self.moves(board):
            return self.anew(-1, 1)
        mine = self.move(board, action, player=MINE)
        if self.won(mine, MINE):
            return self.anew(1, 1)
        after = [self.move(mine, answer, player=THEIRS) for answer in self.answers(mine)]
        goes_on = [theirs for theirs in after if not self.won(theirs, THEIRS)]
        lost = self.anew(-1, 1 - len(goes_on) / len(after))
        return [*lost, *(Outcome(1 / len(after), theirs, theirs, 0) for theirs in goes_on)]

    def anew(self, reward: int, probability: float) -> list[Outcome]:
        """Return the outcomes of the end of a game."""
        return [Outcome(probability * p, board, board, reward) for board, p in self.start().items()]

"""Tic-tac-toe against an opponent that plays at random (Veness et al. 2011, section 7.1)."""

from collections.abc import Iterable

from aixi_approx.environment import Schedule, Settings
from aixi_approx.envs.board import EMPTY, MINE, THEIRS, Boards, put
from aixi_approx.pomdp.definition import POMDP, Outcome

NEW = EMPTY * 9  # a board: nine squares, row by row
LINES = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]


def won(board: str, mark: str) -> bool:
    """Whether there is a line of three of these marks."""
    return any(board[i] == board[j] == board[k] == mark for i, j, k in LINES)


class TicTacToe(POMDP):
    """Game after game against an opponent that puts its mark on a free square at random.

    The squares are 0 to 8, row by row; the agent's marks are X, the opponent's O, and - is a free square.

    A cycle is a move of the agent and the answer to it. To win pays 2, a draw 1, to lose costs 2; a move onto a square
    that is taken changes nothing and costs 3. When a game has ended, the next begins in the same cycle, and the agent
    sees its board: a fair coin decides who moves first. The paper says neither who does, nor what an illegal move
    changes; with the coin the optimum is the nearest to the line in its figure 7, and the other does not matter to it.
    The best player gets 1.946 for a game of 3.180 cycles, on average.

    The observation is the board after all that, two bits for each square, so that only 3^9 of the 4^9 codes can be.
    """

    actions = tuple(range(9))
    observations = Boards(9)
    min_reward, max_reward = -3, 2
    hidden = "nothing"
    difficulty = (
        "much experience, for there are thousands of boards; a search 4 deep with nine moves and as many answers"
    )
    optimum = 235397 / 384603  # 0.6120519
    settings = Settings(depth=64, horizon=9, simulations=100, epsilon=0.9999, decay=0.999999)
    schedule = Schedule(cycles=50_000, evaluation_simulations=500)

    def start(self) -> dict[str, float]:
        """Flip the coin for the first move."""
        return {NEW: 1 / 2, **{put(NEW, square, mark=THEIRS): 1 / 18 for square in range(9)}}

    def outcomes(self, board: str, action: int) -> Iterable[Outcome]:
        """Put a mark, let the opponent answer, begin anew when the game has ended."""
        if board[action] != EMPTY:
            return [Outcome(1, board, board, -3)]
        mine = put(board, action, mark=MINE)
        if won(mine, MINE):
            return self.anew(2, 1)
        free = [square for square in range(9) if mine[square] == EMPTY]
        if not free:
            return self.anew(1, 1)
        found: list[Outcome] = []
        for square in free:
            theirs = put(mine, square, mark=THEIRS)
            if won(theirs, THEIRS):
                found += self.anew(-2, 1 / len(free))
            elif EMPTY not in theirs:
                found += self.anew(1, 1 / len(free))
            else:
                found.append(Outcome(1 / len(free), theirs, theirs, 0))
        return found

    def anew(self, reward: int, probability: float) -> list[Outcome]:
        """Return what comes of the end of a game."""
        return [Outcome(probability * p, board, board, reward) for board, p in self.start().items()]

    def render(self) -> str:
        """Draw the board."""
        board = self.states[self.current]
        return "\n".join(" ".join(board[row : row + 3]) for row in (0, 3, 6))


class TicTacToeFirst(TicTacToe):
    """Tic-tac-toe in which the agent always moves first.

    It may be what the paper has. Its agents get 0.60 and 0.59 with 2,500 simulations; rhoUCT and 1-ply Monte Carlo get
    about that here, given the true model, but 0.54 and 0.51 where a coin decides. The optimum is 0.02 above the line.
    """

    optimum = 383 / 609  # 0.6288998

    def start(self) -> dict[str, float]:
        """Begin with an empty board."""
        return {NEW: 1}

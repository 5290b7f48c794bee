"""Tic-tac-toe against an opponent that plays at random (Veness et al. 2011, section 7.1)."""

from collections.abc import Iterable

from aixi_approx.environment import Schedule, Settings
from aixi_approx.envs.board import EMPTY, MINE, THEIRS, Boards, put
from aixi_approx.pomdp.definition import POMDP, Outcome

NEW = EMPTY * 9  # the initial board: nine squares, row by row
LINES = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]


def won(board: str, mark: str) -> bool:
    """Whether there is a line of three of these marks."""
    return any(board[i] == board[j] == board[k] == mark for i, j, k in LINES)


class TicTacToe(POMDP):
    """A series of games against an opponent that puts its mark on a random free square.

    The squares are 0 to 8, row by row. X is the agent's mark, O the opponent's, and - a free square.

    A cycle is a move of the agent and the opponent's reply. Winning pays 2, a draw pays 1, and losing costs 2; a move
    onto a taken square changes nothing and costs 3. When a game has ended, the next one starts in the same cycle, and
    the agent sees its board: a fair coin decides who moves first. The paper states neither who moves first nor what an
    illegal move changes; with the coin the optimum is the closest to the line in its figure 7, and illegal moves do not
    affect it. The best player earns 1.946 per game of 3.180 cycles, on average.

    The observation is the board at the end of the cycle, two bits for each square, so that only 3^9 of the 4^9 codes
    are possible.
    """

    actions = tuple(range(9))
    observations = Boards(9)
    min_reward, max_reward = -3, 2
    hidden = "nothing"
    difficulty = (
        "a lot of experience, because there are thousands of boards; a search to depth 4 with nine moves and replies"
    )
    optimum = 235397 / 384603  # 0.6120519
    settings = Settings(depth=64, horizon=9, simulations=100, epsilon=0.9999, decay=0.999999)
    schedule = Schedule(cycles=50_000, evaluation_simulations=500)

    def start(self) -> dict[str, float]:
        """Flip the coin for the first move."""
        return {NEW: 1 / 2, **{put(NEW, square, mark=THEIRS): 1 / 18 for square in range(9)}}

    def outcomes(self, board: str, action: int) -> Iterable[Outcome]:
        """Make a move, let the opponent reply, and start a new game if this one has ended."""
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
        """Return the outcomes of the end of a game."""
        return [Outcome(probability * p, board, board, reward) for board, p in self.start().items()]

    def render(self) -> str:
        """Draw the board."""
        board = self.states[self.current]
        return "\n".join(" ".join(board[row : row + 3]) for row in (0, 3, 6))


class TicTacToeFirst(TicTacToe):
    """Tic-tac-toe in which the agent always moves first.

    This may be the variant of the paper. Its agents earn 0.60 and 0.59 with 2,500 simulations; given the true model,
    rhoUCT and 1-ply Monte Carlo earn about that here, but 0.54 and 0.51 where a coin decides. The optimum is 0.02 above
    the line of the paper.
    """

    optimum = 383 / 609  # 0.6288998

    def start(self) -> dict[str, float]:
        """Start with an empty board."""
        return {NEW: 1}

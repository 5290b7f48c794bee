"""Nim with one heap (Bouton 1902; the subtraction game of Berlekamp, Conway and Guy 1982); a family."""

from aixi_approx.environment import Schedule, Settings
from aixi_approx.envs.duel import Duel
from aixi_approx.validation import as_integer


class Nim(Duel):
    """From a heap of n stones the players take turns taking one, two or three; whoever takes the last stone wins.

    Games follow one another. A cycle is a move of the agent and the opponent's reply. Winning pays 1, losing costs 1.
    When a game has ended, the next one starts in the same cycle, and the agent sees its heap: a fair coin decides who
    moves first. Taking more stones than there are takes all of them. The random opponent takes any number. The perfect
    one takes the number that forces a win, or any number where none does.

    The player to move loses against perfect play if the number of stones is a multiple of four: whatever is left, the
    other player moves on to the next multiple. From any other heap of more than four stones, exactly one number wins.
    So the coin decides whether the agent or the opponent can force a win: against the perfect opponent the optimum is
    0, and a single wrong move out of n / 4 loses a won game.
    """

    actions = (1, 2, 3)
    difficulty = "a search n / 4 cycles deep, past moves without reward, for the only line of play that wins"
    sizes = ("8-random", "8-perfect", "16-perfect", "24-perfect", "32-perfect", "48-perfect")

    def __init__(self, stones: int = 16, opponent: str = "perfect") -> None:
        self.new = as_integer("the number of stones", stones, 4, 200)
        self.observations = tuple(range(self.new + 1))
        self.settings = Settings(depth=32, horizon=self.new // 4 + 1, simulations=100, decay=0.999)
        self.schedule = Schedule(cycles=10_000, evaluation_simulations=1_000)
        super().__init__(opponent)

    def moves(self, stones: int) -> tuple[int, ...]:
        """Return all three actions."""
        return self.actions

    def move(self, stones: int, action: int, *, player: str) -> int:
        """Return the number of stones left."""
        return max(stones - action, 0)

    def won(self, stones: int, player: str) -> bool:
        """Whether the last stone is taken."""
        return stones == 0

    def render(self) -> str:
        """Draw the stones, in fours."""
        fours, rest = divmod(self.states[self.current], 4)
        return " ".join(["oooo"] * fours + ["o" * rest] * (rest > 0))

"""Nim with one heap (Bouton 1902; the subtraction game of Berlekamp, Conway and Guy 1982), a family."""

from aixi_approx.environment import Schedule, Settings
from aixi_approx.envs.duel import Duel
from aixi_approx.validation import as_integer


class Nim(Duel):
    """From a heap of n stones the players take one, two or three by turns; who takes the last stone wins.

    Game follows game. A cycle is a move of the agent and the answer to it; to win pays 1, to lose costs 1. When a game
    has ended, the next begins in the same cycle, and the agent sees its heap: a fair coin decides who moves first. To
    take more than there is is to take all. The random opponent takes any number. The perfect one takes the number that
    wins, and any where none does.

    Who is to move loses against perfect play if the number of stones is a multiple of four: whatever is left, the other
    goes on to the next multiple. With four stones or more exactly one number wins from anywhere else. So each game is
    won for either the agent or the opponent, by the coin: against the perfect opponent the optimum is 0, and one wrong
    move out of n / 4 loses a won game.
    """

    actions = (1, 2, 3)
    difficulty = "a search n / 4 cycles deep, past moves that pay nothing, for the one line of play that wins"
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
        """Return the number of stones that are left."""
        return max(stones - action, 0)

    def won(self, stones: int, player: str) -> bool:
        """Whether the last stone is taken."""
        return stones == 0

    def render(self) -> str:
        """Draw the stones, in fours."""
        fours, rest = divmod(self.states[self.current], 4)
        return " ".join(["oooo"] * fours + ["o" * rest] * (rest > 0))

"""Coin flip: bet on a biased coin. The smallest environment, for quick trials; it is not in the paper."""

from collections.abc import Iterable

from aixi_approx.environment import Schedule, Settings
from aixi_approx.pomdp.definition import POMDP, Outcome


class CoinFlip(POMDP):
    """A coin shows heads with probability 0.7.

    The agent bets on a side before each flip, then sees the result. A correct bet pays 1, a wrong one nothing.
    """

    actions = ("tails", "heads")
    observations = ("tails", "heads")
    min_reward, max_reward = 0, 1
    hidden = "nothing"
    difficulty = "none: no memory, no search, hardly any experience"
    optimum = 0.7
    settings = Settings(depth=8, horizon=2, epsilon=0.9, decay=0.99)
    schedule = Schedule(cycles=1000)

    def start(self) -> dict[str, float]:
        """Return the only state: a coin has no memory."""
        return {"coin": 1}

    def outcomes(self, state: str, action: str) -> Iterable[Outcome]:
        """Flip the coin."""
        return [Outcome(p, state, side, int(side == action)) for side, p in (("tails", 0.3), ("heads", 0.7))]

    def render(self) -> str:
        """Draw the coin, which is in the air."""
        return "( tails 30 %, heads 70 % )"

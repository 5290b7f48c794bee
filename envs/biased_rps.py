"""Biased rock-paper-scissors (Farias, Moallemi, Van Roy, Weissman 2010): exploit an opponent with a habit."""

from collections.abc import Iterable

from aixi_approx.environment import Schedule, Settings
from aixi_approx.pomdp.definition import POMDP, Outcome

BEATS = {"rock": "scissors", "paper": "rock", "scissors": "paper"}


class BiasedRPS(POMDP):
    """The opponent repeats rock after winning a round with rock; otherwise it plays each move with probability 1/3.

    The agent sees the opponent's move. Winning a round pays 1, losing it costs 1. It is best to play scissors, so that
    rock wins, and paper after it has won.
    """

    actions = ("rock", "paper", "scissors")
    observations = ("rock", "paper", "scissors")
    min_reward, max_reward = -1, 1
    hidden = "who won (the reward shows it)"
    difficulty = "memory of one round; a search to depth 2, to see why it pays to lose on purpose"
    optimum = 1 / 4
    settings = Settings(depth=32, horizon=4, epsilon=0.999, decay=0.99999)
    schedule = Schedule(evaluation_simulations=5_000)

    def start(self) -> dict[str, float]:
        """Start with an opponent that has not won yet."""
        return {"plays at random": 1}

    def outcomes(self, state: str, action: str) -> Iterable[Outcome]:
        """Play a round."""
        plays = {"rock": 1} if state == "repeats rock" else dict.fromkeys(BEATS, 1 / 3)
        return [self.result(action, other, probability=p) for other, p in plays.items()]

    def result(self, action: str, other: str, *, probability: float) -> Outcome:
        """Return the outcome of a round in which the opponent plays `other`."""
        reward = (BEATS[action] == other) - (BEATS[other] == action)
        state = "repeats rock" if other == "rock" and reward == -1 else "plays at random"
        return Outcome(probability, state, other, reward)

    def render(self) -> str:
        """Say what the opponent is going to do."""
        return f"the opponent {self.states[self.current]}"

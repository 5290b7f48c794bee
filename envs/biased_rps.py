"""Biased rock-paper-scissors (Farias, Moallemi, Van Roy, Weissman 2010): exploit an opponent with a habit."""

from collections.abc import Iterable

from aixi_approx.environment import Schedule, Settings
from aixi_approx.pomdp.definition import POMDP, Outcome

BEATS = {"rock": "scissors", "paper": "rock", "scissors": "paper"}


class BiasedRPS(POMDP):
    """The opponent repeats rock after a round that it won with rock; else it plays at random, each with 1/3.

    The agent sees what the opponent plays; winning a round pays 1, losing it costs 1. Best is scissors, to let rock
    win, and paper after it has.
    """

    actions = ("rock", "paper", "scissors")
    observations = ("rock", "paper", "scissors")
    min_reward, max_reward = -1, 1
    hidden = "who won (the reward tells)"
    difficulty = "memory of one round; a search 2 deep: to lose on purpose, and why"
    optimum = 1 / 4
    settings = Settings(depth=32, horizon=4, epsilon=0.999, decay=0.99999)
    schedule = Schedule(evaluation_simulations=5_000)

    def start(self) -> dict[str, float]:
        """Begin with an opponent that has not won yet."""
        return {"plays at random": 1}

    def outcomes(self, state: str, action: str) -> Iterable[Outcome]:
        """Play a round."""
        plays = {"rock": 1} if state == "repeats rock" else dict.fromkeys(BEATS, 1 / 3)
        return [self.result(action, other, probability=p) for other, p in plays.items()]

    def result(self, action: str, other: str, *, probability: float) -> Outcome:
        """Return what comes of a round in which the opponent plays `other`."""
        reward = (BEATS[action] == other) - (BEATS[other] == action)
        state = "repeats rock" if other == "rock" and reward == -1 else "plays at random"
        return Outcome(probability, state, other, reward)

    def render(self) -> str:
        """Say what the opponent is about to do."""
        return f"the opponent {self.states[self.current]}"

"""Tiger (Kaelbling, Littman, Cassandra 1995): listen for the tiger before opening a door."""

from collections.abc import Iterable

from aixi_approx.environment import Schedule, Settings
from aixi_approx.pomdp.definition import POMDP, Outcome


class Tiger(POMDP):
    """A tiger is behind one of two doors, gold behind the other.

    Listening costs 1 and reveals the tiger's side, correctly with probability 0.85. Opening the tiger's door costs 100,
    the other door pays 10; then the tiger is placed behind a door at random, and nothing is heard.
    """

    actions = ("listen", "open-left", "open-right")
    observations = ("nothing", "left", "right")
    min_reward, max_reward = -100, 10
    hidden = "where the tiger is"
    difficulty = (
        "memory of what was heard; exploration of doors that often cost 100; looking a single cycle ahead, but well"
    )
    optimum = 595 / 549
    settings = Settings(depth=96, horizon=5, simulations=100, epsilon=0.99, decay=0.9998)
    schedule = Schedule(cycles=15_000, evaluation_simulations=2_500)

    def start(self) -> dict[str, float]:
        """Place the tiger behind a door."""
        return {"left": 1 / 2, "right": 1 / 2}

    def outcomes(self, state: str, action: str) -> Iterable[Outcome]:
        """Listen, or open a door."""
        other = {"left": "right", "right": "left"}[state]
        if action == "listen":
            return [Outcome(0.85, state, state, -1), Outcome(0.15, state, other, -1)]
        reward = -100 if action == f"open-{state}" else 10
        return [Outcome(1 / 2, tiger, "nothing", reward) for tiger in ("left", "right")]

    def render(self) -> str:
        """Draw what is behind the doors."""
        return "[ tiger ] [ gold ]" if self.states[self.current] == "left" else "[ gold ] [ tiger ]"

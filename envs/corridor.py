"""Corridor: a door at one end and its key at the other, n steps apart; a family."""

from collections.abc import Iterable
from itertools import product

from aixi_approx.environment import Schedule, Settings
from aixi_approx.pomdp.definition import POMDP, Outcome
from aixi_approx.validation import as_integer

State = tuple[int, str]  # steps from the door, what the agent holds: nothing or key

SLIP = 0.2  # probability that a step fails


class Corridor(POMDP):
    """A corridor has a door at its left end; the key to the door lies n steps away, at the right end.

    The agent starts at the door, without the key. In each cycle it takes a step to the left or right. The floor is
    slippery: a step fails with probability 0.2, and always against a wall; the agent then stays where it is. It takes
    the key on reaching it, and opens the door on returning with the key. Opening the door pays 1, and the agent starts
    again, without the key. Nothing else pays, and nothing costs anything but time: a step the wrong way has to be taken
    back. The agent feels whether it moved and whether it has the key; it does not see where it is.

    Between two openings of the door at least 2n steps succeed, n to the key and n back, and each takes 5/4 cycles on
    average. So the optimum is 1 / (2n * 5/4) = 2 / (5n), reached by going right without the key and left with it. A
    random walk needs n(n + 1) steps to cover n, and earns 2 / (5n(n + 1)).
    """

    actions = ("left", "right")
    observations = tuple(product(("stood", "moved"), ("nothing", "key")))
    min_reward, max_reward = 0, 1
    hidden = "the position in the corridor"
    difficulty = "a search deeper than 2n, past as many cycles without reward; exploration: a random walk to the key"
    sizes = ("2", "4", "6", "8", "12")

    def __init__(self, length: int = 4) -> None:
        self.length = as_integer("the length of the corridor", length, 1, 100)
        self.optimum = 2 / (5 * length)
        self.settings = Settings(depth=12 * length, horizon=3 * length)
        self.schedule = Schedule(cycles=10_000)
        super().__init__()

    def start(self) -> dict[State, float]:
        """Start at the door, without the key."""
        return {(0, "nothing"): 1}

    def outcomes(self, state: State, action: str) -> Iterable[Outcome]:
        """Take a step; at the ends, take the key or open the door."""
        place, hand = state
        ahead = place + (1 if action == "right" else -1)
        stay = Outcome(SLIP, state, ("stood", hand), 0)
        if not 0 <= ahead <= self.length:
            return [stay._replace(probability=1)]
        if ahead == 0 and hand == "key":
            return [stay, Outcome(1 - SLIP, (0, "nothing"), ("moved", "nothing"), 1)]
        if ahead == self.length:
            hand = "key"
        return [stay, Outcome(1 - SLIP, (ahead, hand), ("moved", hand), 0)]

    def render(self) -> str:
        """Draw the corridor: | is the door, k the key, A the agent, K the agent with the key."""
        place, hand = self.states[self.current]
        cells = ["."] * self.length + ["." if hand == "key" else "k"]
        cells[place] = "K" if hand == "key" else "A"
        return "|" + " ".join(cells)

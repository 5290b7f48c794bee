"""T-maze: a sign at the start, a junction n steps later; a family (after Bakker 2002)."""

from collections.abc import Iterable

from aixi_approx.environment import Schedule, Settings
from aixi_approx.pomdp.definition import POMDP, Outcome
from aixi_approx.validation import as_integer

State = tuple[int, str]  # steps from the start, the direction to turn at the junction


class TMaze(POMDP):
    """A sign at the start of a corridor tells which way to turn at the junction n steps later.

    At the start the agent sees the sign, left or right with equal probability. Beyond it, all of the corridor looks the
    same; the junction looks different. A step forward costs nothing. Turning at the junction pays 4 in the direction of
    the sign, and costs 1 in the other; then the agent is back at the start and sees the next sign. Walking into a wall,
    by turning before the junction or going forward there, costs 1 and changes nothing.

    In the first cycle the sign has not been seen yet. Turns are at least n + 1 cycles apart, and none pays more than 4.
    So the optimum is 4/(n + 1), reached by remembering the sign; guessing earns (3/2)/(n + 1).

    In Bakker's T-maze (Reinforcement Learning with Long Short-Term Memory, NIPS 2002) the costs are 0.1, and the agent
    can go back. Here it cannot, so that looking one cycle ahead is enough, and memory is all that is needed.
    """

    actions = ("forward", "left", "right")
    observations = ("left", "right", "corridor", "junction")
    min_reward, max_reward = -1, 4
    hidden = "the sign, once passed, and the position in the corridor"
    difficulty = "memory of n + 1 cycles; hardly any search"
    sizes = ("1", "2", "4", "8", "16", "32")

    def __init__(self, length: int = 4) -> None:
        self.length = as_integer("the length of the corridor", length, 1, 100)
        self.optimum = 4 / (length + 1)
        self.settings = Settings(depth=7 * (length + 2), horizon=2, epsilon=0.99, decay=0.999)
        self.schedule = Schedule(cycles=20_000)
        super().__init__()

    def start(self) -> dict[State, float]:
        """Start at the sign, which has not been seen yet."""
        return {(0, "left"): 1 / 2, (0, "right"): 1 / 2}

    def outcomes(self, state: State, action: str) -> Iterable[Outcome]:
        """Move forward, or turn."""
        place, way = state
        if place == self.length and action != "forward":
            reward = 4 if action == way else -1
            return [Outcome(p, anew, self.seen(anew), reward) for anew, p in self.start().items()]
        if place < self.length and action == "forward":
            return [Outcome(1, (place + 1, way), self.seen((place + 1, way)), 0)]
        return [Outcome(1, state, self.seen(state), -1)]

    def seen(self, state: State) -> str:
        """Return what the agent sees."""
        place, way = state
        if place == 0:
            return way
        return "junction" if place == self.length else "corridor"

    def render(self) -> str:
        """Draw the maze: A is the agent, + the direction of the sign, - the other."""
        place, way = self.states[self.current]
        corridor = "".join("A" if i == place else "." for i in range(self.length + 1))
        ends = "+-" if way == "left" else "-+"
        return "\n".join([f"{' ' * self.length}{ends[0]}", corridor, f"{' ' * self.length}{ends[1]}"])

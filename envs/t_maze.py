"""T-maze: a sign at the start, a junction n steps later; a family (after Bakker 2002)."""

from collections.abc import Iterable

from aixi_approx.environment import Schedule, Settings
from aixi_approx.pomdp.definition import POMDP, Outcome
from aixi_approx.validation import as_integer

State = tuple[int, str]  # steps from the start, the way to turn at the junction


class TMaze(POMDP):
    """A corridor with a sign at its start, which tells the way to turn at the junction n steps later.

    At the start the agent sees the sign, left or right with equal chance; further on all of the corridor looks the
    same, and the junction as such. A step forward costs nothing. To turn at the junction pays 4 if that is the way
    of the sign, and costs 1 if not; then it begins anew, and the agent sees the next sign. To walk into a wall, by
    turning before the junction or going forward there, costs 1 and changes nothing.

    In the first cycle the sign was not seen yet. No turn comes sooner than n + 1 cycles after the last one, and none
    pays more than 4. So the optimum is 4/(n + 1), reached by who remembers the sign; to guess earns 3/2 of 1/(n + 1).

    In Bakker's T-maze (Reinforcement Learning with Long Short-Term Memory, NIPS 2002) the costs are 0.1, and the agent
    can go back. Here it can't, so that to look one cycle ahead is enough, and memory is all that it takes.
    """

    actions = ("forward", "left", "right")
    observations = ("left", "right", "corridor", "junction")
    min_reward, max_reward = -1, 4
    hidden = "the sign, once passed, and the place in the corridor"
    difficulty = "memory of n + 1 cycles; hardly any search"
    sizes = ("1", "2", "4", "8", "16", "32")

    def __init__(self, length: int = 4) -> None:
        self.length = as_integer("the length of the corridor", length, 1, 100)
        self.optimum = 4 / (length + 1)
        self.settings = Settings(depth=7 * (length + 2), horizon=2, epsilon=0.99, decay=0.999)
        self.schedule = Schedule(cycles=20_000)
        super().__init__()

    def start(self) -> dict[State, float]:
        """Stand at the start, the sign not seen yet."""
        return {(0, "left"): 1 / 2, (0, "right"): 1 / 2}

    def outcomes(self, state: State, action: str) -> Iterable[Outcome]:
        """Go forward, or turn."""
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
        """Draw the maze: A is the agent, + the way of the sign, - the other."""
        place, way = self.states[self.current]
        corridor = "".join("A" if i == place else "." for i in range(self.length + 1))
        ends = "+-" if way == "left" else "-+"
        return "\n".join([f"{' ' * self.length}{ends[0]}", corridor, f"{' ' * self.length}{ends[1]}"])

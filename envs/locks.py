"""Locks: extended tiger with n locks on the doors; a family (after Veness et al. 2011, section 7.1)."""

from collections.abc import Iterable

from aixi_approx.environment import Schedule, Settings
from aixi_approx.pomdp.definition import POMDP, Outcome
from aixi_approx.validation import as_integer

State = tuple[int, str]  # number of open locks, door of the tiger

OTHER = {"left": "right", "right": "left"}


class Locks(POMDP):
    """A tiger is behind one of two doors, gold behind the other; both doors have the same n locks.

    While all locks are shut, listening costs 1 and reveals the tiger's side, correctly with probability 0.85. Unlocking
    opens one more lock and costs nothing. With all locks open, opening a door costs 100 for the tiger and pays 30 for
    the gold; then all locks are shut again, and the tiger is placed behind a door at random. Any other action
    (listening with a lock open, opening a door with a lock shut, unlocking when all are open) changes nothing and costs
    10. Only listening reveals anything. With one lock this is extended tiger, where the agent stands up instead of
    unlocking.

    It is best to listen until one side leads by two, then to unlock n times and open the other door.
    """

    actions = ("unlock", "listen", "open-left", "open-right")
    observations = ("nothing", "left", "right")
    min_reward, max_reward = -100, 30
    hidden = "where the tiger is, how many locks are open"
    difficulty = (
        "memory of what was heard and of n cycles of unlocking; a search to depth n + 2, past n cycles without reward"
    )
    sizes = ("1", "2", "3", "4", "6")

    def __init__(self, locks: int = 2) -> None:
        self.locks = as_integer("the number of locks", locks, 1, 20)
        self.settings = Settings(
            depth=12 * (locks + 4), horizon=locks + 2, simulations=100, epsilon=0.99, decay=0.99995
        )
        self.schedule = Schedule(cycles=60_000, evaluation_simulations=10_000)
        super().__init__()

    def start(self) -> dict[State, float]:
        """Shut all locks and place the tiger behind a door."""
        return {(0, "left"): 1 / 2, (0, "right"): 1 / 2}

    def outcomes(self, state: State, action: str) -> Iterable[Outcome]:
        """Listen, open a lock or a door."""
        is_open, tiger = state
        if action == "listen" and is_open == 0:
            return [Outcome(0.85, state, tiger, -1), Outcome(0.15, state, OTHER[tiger], -1)]
        if action == "unlock" and is_open < self.locks:
            return [Outcome(1, (is_open + 1, tiger), "nothing", 0)]
        if action.startswith("open") and is_open == self.locks:
            reward = -100 if action == f"open-{tiger}" else 30
            return [Outcome(p, anew, "nothing", reward) for anew, p in self.start().items()]
        return [Outcome(1, state, "nothing", -10)]

    def render(self) -> str:
        """Draw what is behind the doors, and the locks: o is open, x is shut."""
        is_open, tiger = self.states[self.current]
        doors = "[ tiger ] [ gold ]" if tiger == "left" else "[ gold ] [ tiger ]"
        return f"{doors}  locks: {'o' * is_open}{'x' * (self.locks - is_open)}"

"""A bandit with a safe arm and a better one that moves now and then (after Robbins 1952), a family."""

from collections.abc import Iterable

from aixi_approx.environment import Schedule, Settings
from aixi_approx.pomdp.definition import POMDP, Outcome
from aixi_approx.validation import as_integer

SAFE, GOOD = 0.5, 0.8  # probability that an arm pays
LASTS = 0.95  # probability that the good arm stays for one more cycle


class Bandit(POMDP):
    """A safe arm pays 1 with probability 0.5. Of k others one pays with probability 0.8, the rest never do.

    After each cycle, with probability 0.05, the good one of the k is drawn anew. The agent sees that it is, not which.

    To try the others costs at first, since the next is good with probability 1/k only. With k up to 15 it is best all
    the same: one after the other, round after round, until one pays, and that one until the draw. The more arms fail in
    a round, the likelier is the next, and after it all are as likely as before: so to go on is worth it if to begin
    was. With more arms it is best never to leave the safe one.

    What the search earns: let s = 0.8 and q = 0.95. The good arm is at place j of the round, 0 to k - 1 with the same
    probability, fails m times, with probability s (1 - s)^m, and pays first in cycle j + k m, which comes before the
    draw with probability q^(j + k m); from then on it pays s a cycle, 1 + s q / (1 - q) in all. Summed over j and
    m with their probabilities, and divided by the 1 / (1 - q) cycles between two draws, that is

        s (1 - q^k) (1 - q + q s) / (k (1 - q) (1 - (1 - s) q^k))  a cycle.
    """

    observations = ("as before", "drawn anew")
    min_reward, max_reward = 0, 1
    hidden = "which arm is good"
    difficulty = (
        "exploration that pays only cycles later, the later the more arms; memory of what was tried since the draw"
    )
    sizes = ("2", "3", "4", "6", "10")

    def __init__(self, others: int = 3) -> None:
        k = as_integer("the number of arms that may be good", others, 2, 100)
        self.others = tuple(range(1, k + 1))
        self.actions = ("safe", *self.others)
        rounds = (1 - LASTS**k) / (1 - (1 - GOOD) * LASTS**k)
        self.optimum = max(SAFE, GOOD * rounds * (1 - LASTS + LASTS * GOOD) / (k * (1 - LASTS)))
        cycle_bits = k.bit_length() + 2
        self.settings = Settings(
            depth=(2 * k + 1) * cycle_bits, horizon=2 * k, simulations=200, epsilon=0.99, decay=0.9998
        )
        self.schedule = Schedule(cycles=20_000)
        super().__init__()

    def start(self) -> dict[int, float]:
        """Draw the good arm."""
        return dict.fromkeys(self.others, 1 / len(self.others))

    def outcomes(self, good: int, arm: int | str) -> Iterable[Outcome]:
        """Pull an arm, then draw the good one anew, perhaps."""
        pays = SAFE if arm == "safe" else GOOD if arm == good else 0
        for reward, p in ((1, pays), (0, 1 - pays)):
            yield Outcome(p * LASTS, good, "as before", reward)
            for anew, q in self.start().items():
                yield Outcome(p * (1 - LASTS) * q, anew, "drawn anew", reward)

    def render(self) -> str:
        """Draw the arms: the safe one, then the others, the good one as $."""
        good = self.states[self.current]
        return "s | " + " ".join("$" if arm == good else "." for arm in self.others)

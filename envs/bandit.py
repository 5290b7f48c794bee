"""Bandit: a safe arm, and a better one that moves now and then (after Robbins 1952); a family."""

from collections.abc import Iterable

from aixi_approx.environment import Schedule, Settings
from aixi_approx.pomdp.definition import POMDP, Outcome
from aixi_approx.validation import as_integer

SAFE, GOOD = 0.5, 0.8  # probability that an arm pays
LASTS = 0.95  # probability that the good arm stays for one more cycle


class Bandit(POMDP):
    """A safe arm pays 1 with probability 0.5. One of k other arms pays 1 with probability 0.8; the rest never pay.

    After each cycle, with probability 0.05, the good arm is drawn anew among the k. The agent sees when this happens,
    but not which arm is drawn.

    Trying the other arms costs reward at first, because each is good with probability 1/k only. For k up to 15 it is
    still best to try them in turn, round after round, until one pays, and to stay with that one until the next draw.
    Each arm that fails in a round makes the remaining ones more likely; after a full round, all are equally likely
    again. So if the search is worth starting, it is worth continuing. With more than 15 arms it is best never to leave
    the safe one.

    The reward of the search: let s = 0.8 and q = 0.95. The good arm is at position j of the round (0 to k - 1, equally
    likely), fails m times before it first pays, with probability s (1 - s)^m, and first pays in cycle j + k m, which
    comes before the next draw with probability q^(j + k m). From then on it pays s per cycle, 1 + s q / (1 - q) in
    total. Summed over j and m with their probabilities, and divided by the 1 / (1 - q) cycles between two draws:

        s (1 - q^k) (1 - q + q s) / (k (1 - q) (1 - (1 - s) q^k))  per cycle.
    """

    observations = ("as before", "drawn anew")
    min_reward, max_reward = 0, 1
    hidden = "which arm is good"
    difficulty = (
        "exploration that pays only after several cycles, more of them with more arms; memory of the arms tried so far"
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
        """Pull an arm; then, with probability 0.05, draw the good one anew."""
        pays = SAFE if arm == "safe" else GOOD if arm == good else 0
        for reward, p in ((1, pays), (0, 1 - pays)):
            yield Outcome(p * LASTS, good, "as before", reward)
            for anew, q in self.start().items():
                yield Outcome(p * (1 - LASTS) * q, anew, "drawn anew", reward)

    def render(self) -> str:
        """Draw the arms: the safe one, then the others, with the good one as $."""
        good = self.states[self.current]
        return "s | " + " ".join("$" if arm == good else "." for arm in self.others)

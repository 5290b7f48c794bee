"""A bandit with a safe arm and one that is better, somewhere else every now and then: a family (after Thompson 1933)."""

from collections.abc import Iterable

from aixi_approx.bounds import whole
from aixi_approx.environment import Settings
from aixi_approx.pomdp import POMDP, Outcome

SAFE, GOOD = 0.5, 0.8  # probability that an arm pays
LASTS = 0.95  # probability that the good arm stays for one more cycle


class Bandit(POMDP):
    """A safe arm pays 1 with probability 0.5. Of k others one is good and pays 1 with probability 0.8, the rest nothing.

    After each cycle the good arm is drawn anew, any of the k, with probability 0.05. The agent sees that it is, not
    which it is.

    To try the others costs at first: the next is good with probability 1/k, so that it pays less than the safe arm. Best
    is to try one after the other, round and round until one pays, and to stay with that until the draw; or never to
    leave the safe arm, if k is more than 25. Let s = 0.8 and q = 0.95. The good arm stands at place j = 0, ..., k - 1 of
    the round and first pays after j + k m cycles, m its failures before, if the draw comes no earlier; from then on it
    earns s a cycle. So between two draws, 1 / (1 - q) cycles apart, the sum of rewards is

        mean over j of q^j * sum over m of s (1 - s)^m q^(k m) * (1 + q s / (1 - q))

    on average, and the reward per cycle is s (1 - q^k) (1 - q + q s) / (k (1 - q) (1 - (1 - s) q^k)).
    """

    observations = ("as before", "drawn anew")
    min_reward, max_reward = 0, 1
    hidden = "which arm is good"
    takes = "exploration that pays only cycles later, the later the more arms; memory of what was tried since the draw"
    sizes = ("2", "3", "4", "6", "10")

    def __init__(self, others: int = 3) -> None:
        k = whole("the number of arms that may be good", others, 2, 100)
        self.others = tuple(range(1, k + 1))
        self.actions = ("safe", *self.others)
        rounds = (1 - LASTS**k) / (1 - (1 - GOOD) * LASTS**k)
        self.optimum = max(SAFE, GOOD * rounds * (1 - LASTS + LASTS * GOOD) / (k * (1 - LASTS)))
        self.settings = Settings(horizon=6)
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

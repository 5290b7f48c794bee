"""Kuhn poker (Kuhn 1950): a game of three cards against an opponent in equilibrium."""

from collections.abc import Iterable
from itertools import permutations

from aixi_approx.environment import Schedule, Settings
from aixi_approx.pomdp.definition import POMDP, Outcome

Round = tuple[str, str, str]  # the agent's card, the opponent's card, the opponent's move: pass or bet

CARDS = ("jack", "queen", "king")  # in ascending order
ALPHA = 0.7 / 3
BETS = {"jack": ALPHA, "queen": 0, "king": 3 * ALPHA}  # probability that the opponent bets with a card
CALLS = {"jack": 0, "queen": ALPHA + 1 / 3, "king": 1}  # and that it calls a bet after passing


class KuhnPoker(POMDP):
    """The agent is the second player; a cycle is a round.

    Both players put in a chip and get a card. The opponent passes or bets a second chip. Then the agent, who knows its
    own card and the opponent's move, passes or bets: passing after a bet gives up the round; after betting on a pass,
    it is up to the opponent to call or to give up. If nobody gave up, the higher card wins. The reward is the number of
    chips that the agent has won or lost: -2, -1, 1 or 2, the reading of the paper that gives its optimum, 1/18.

    The agent acts on the round that the percept of the last cycle has shown: the observation is its card and the
    opponent's move of the NEXT round, the reward is that of this one. In the first cycle it has seen nothing.

    The opponent plays one of the equilibrium strategies, the one with alpha = 0.7/3. The optimum is the same against
    all of them and is reached by betting with the king and passing otherwise. An observation has 4 bits in the paper,
    although 3 would do.
    """

    actions = ("pass", "bet")
    observations = tuple((card, move) for card in CARDS for move in ("pass", "bet"))
    observation_bits = 4
    min_reward, max_reward = -2, 2
    hidden = "the opponent's card"
    difficulty = "a lot of experience, because the rewards are small compared to their noise; hardly any search"
    optimum = 1 / 18
    settings = Settings(depth=42, horizon=2, simulations=100, epsilon=0.99, decay=0.9999)
    schedule = Schedule(cycles=50_000)

    def start(self) -> dict[Round, float]:
        """Deal the cards and let the opponent move."""
        rounds: dict[Round, float] = {}
        for mine, other in permutations(CARDS, 2):
            rounds[mine, other, "pass"] = (1 - BETS[other]) / 6
            rounds[mine, other, "bet"] = BETS[other] / 6
        return {state: p for state, p in rounds.items() if p > 0}

    def outcomes(self, state: Round, action: str) -> Iterable[Outcome]:
        """Finish the round and deal the next."""
        return [
            Outcome(p * q, anew, (anew[0], anew[2]), reward)
            for reward, p in self.winnings(state, action).items()
            for anew, q in self.start().items()
        ]

    def winnings(self, state: Round, action: str) -> dict[int, float]:
        """Return the probability of each reward of a round."""
        mine, other, move = state
        sign = 1 if CARDS.index(mine) > CARDS.index(other) else -1
        if (move, action) == ("pass", "pass"):
            return {sign: 1}
        if (move, action) == ("bet", "pass"):
            return {-1: 1}
        if (move, action) == ("bet", "bet"):
            return {2 * sign: 1}
        return {2 * sign: CALLS[other], 1: 1 - CALLS[other]}

    def render(self) -> str:
        """Say who holds which card, and the opponent's move."""
        mine, other, move = self.states[self.current]
        return f"agent: {mine}, opponent: {other}, who {'bets' if move == 'bet' else 'passes'}"

"""Repeated matrix games against small automata, a family (Axelrod 1984)."""

from collections.abc import Iterable
from typing import NamedTuple

from aixi_approx.bounds import one_of
from aixi_approx.environment import Settings
from aixi_approx.pomdp import POMDP, Outcome


class Game(NamedTuple):
    """Two actions, and what they pay to the agent and to the opponent: [agent's action][opponent's]."""

    actions: tuple[str, str]
    agent: tuple[tuple[int, int], tuple[int, int]]
    opponent: tuple[tuple[int, int], tuple[int, int]]


GAMES = {
    "dilemma": Game(("cooperate", "defect"), ((3, 0), (5, 1)), ((3, 5), (0, 1))),
    "stag": Game(("stag", "hare"), ((4, 1), (3, 2)), ((4, 3), (1, 2))),
    "chicken": Game(("swerve", "straight"), ((3, 2), (4, 1)), ((3, 4), (2, 1))),
    "pennies": Game(("heads", "tails"), ((1, -1), (-1, 1)), ((-1, 1), (1, -1))),
    "battle": Game(("bach", "stravinsky"), ((2, 0), (0, 1)), ((1, 0), (0, 2))),
}
PLANS = ("cooperate", "defect", "tft", "grim", "pavlov")
OPPONENTS = (*PLANS, "random", "any")
ENDS = 1 / 20  # probability that a match ends after a round

State = tuple[str, int]  # the opponent and its next action; that of the random one is not decided yet, and stands as 0


class MatrixGame(POMDP):
    """A game of two actions each, round after round; a match ends after each round with probability 1/20.

    The agent sees what the opponent played, and whether the match has ended and the next begins, with an opponent that
    has forgotten all.

    ========  ===================  =======================  ============================================
    game      actions              the agent's payoffs      source
    ========  ===================  =======================  ============================================
    dilemma   cooperate, defect    3 0 / 5 1                Axelrod 1984: R, S / T, P
    stag      stag, hare           4 1 / 3 2                ranks, as in Rapoport and Guyer 1966
    chicken   swerve, straight     3 2 / 4 1                ranks, as in Rapoport and Guyer 1966
    pennies   heads, tails         1 -1 / -1 1              von Neumann and Morgenstern 1944
    battle    bach, stravinsky     2 0 / 0 1                Osborne and Rubinstein 1994
    ========  ===================  =======================  ============================================

    A row of the payoffs is an action of the agent, a column one of the opponent. The opponent's payoffs are the same
    with the players exchanged, but in pennies, where it wins what the agent loses, and in battle, where it is paid 1
    for meeting at bach and 2 at stravinsky. The opponents, in all games:

    cooperate, defect   always play the first action; always the second
    random              plays either, with probability 1/2
    tft                 tit for tat: the first action, then what the agent played last
    grim                the first action until the agent has played the second, from then on the second
    pavlov              the first action, then the same again where its payoff was above the mean of the four, else the
                        other (win-stay, lose-shift: Nowak and Sigmund 1993)
    any                 in each match one of these, but for random; the agent is not told which

    """

    observations = tuple((move, end) for move in (0, 1) for end in ("goes on", "ends"))
    sizes = ("dilemma-tft", "stag-grim", "chicken-pavlov", "battle-tft", "pennies-any", "dilemma-any")
    takes = "memory of the match; looking ahead past what pays at once; against any, finding out who plays, unharmed"

    def __init__(self, game: str = "dilemma", opponent: str = "any") -> None:
        self.game = GAMES[one_of("the game", game, GAMES)]
        self.opponent = one_of("the opponent", opponent, OPPONENTS)
        self.actions = self.game.actions
        self.observations = tuple((move, end) for move in self.actions for end in ("goes on", "ends"))
        payoffs = sum(self.game.agent, ())
        self.min_reward, self.max_reward = min(payoffs), max(payoffs)
        self.hidden = "who the opponent is" if opponent == "any" else "what the opponent remembers of the match"
        self.settings = Settings(cycles=10_000, depth=36, horizon=6, simulations=200, decay=0.9995)
        super().__init__()

    def start(self) -> dict[State, float]:
        """Begin a match."""
        opponents = PLANS if self.opponent == "any" else (self.opponent,)
        return {(opponent, int(opponent == "defect")): 1 / len(opponents) for opponent in opponents}

    def outcomes(self, state: State, action: str) -> Iterable[Outcome]:
        """Play a round, and begin a match if this one ends."""
        opponent, planned = state
        mine = self.actions.index(action)
        for move in (0, 1) if opponent == "random" else (planned,):
            p = 1 / 2 if opponent == "random" else 1
            reward, seen = self.game.agent[mine][move], self.actions[move]
            yield Outcome(p * (1 - ENDS), (opponent, self.plan(opponent, mine, move)), (seen, "goes on"), reward)
            for anew, q in self.start().items():
                yield Outcome(p * ENDS * q, anew, (seen, "ends"), reward)

    def plan(self, opponent: str, mine: int, move: int) -> int:
        """Return what an opponent plays next, after a round of the agent's action and its own."""
        if opponent == "tft":
            return mine
        if opponent == "grim":
            return max(mine, move)
        if opponent == "pavlov":
            wins = 4 * self.game.opponent[mine][move] > sum(sum(self.game.opponent, ()))
            return move if wins else 1 - move
        return int(opponent == "defect")

    def render(self) -> str:
        """Say who plays, and what it is about to play."""
        opponent, planned = self.states[self.current]
        about = "either" if opponent == "random" else self.actions[planned]
        return f"the opponent: {opponent}, about to play {about}"

"""Repeated matrix games against small automata; a family (Axelrod 1984)."""

from collections.abc import Iterable
from typing import NamedTuple

from aixi_approx.environment import Schedule, Settings
from aixi_approx.pomdp.definition import POMDP, Outcome
from aixi_approx.validation import check_choice


class Game(NamedTuple):
    """Two actions, and the payoffs of the agent and the opponent: [agent's action][opponent's action]."""

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

State = tuple[str, int]  # the opponent and the action it plays next, 0 or 1; always 0 for the random one


class MatrixGame(POMDP):
    """A game with two actions per player, played in matches: after each round the match ends with probability 0.05.

    The agent sees what the opponent played, and whether the match ends. Then the next match starts, against an opponent
    that remembers nothing. A row of the payoffs is an action of the agent, a column one of the opponent:

    | game | actions | payoffs | source |
    |---|---|---|---|
    | dilemma | cooperate, defect | 3 0 / 5 1 | Axelrod 1984: R, S / T, P of the prisoner's dilemma |
    | stag | stag, hare | 4 1 / 3 2 | the stag hunt, by ranks |
    | chicken | swerve, straight | 3 2 / 4 1 | by ranks |
    | pennies | heads, tails | 1 -1 / -1 1 | matching pennies |
    | battle | bach, stravinsky | 2 0 / 0 1 | Osborne and Rubinstein 1994 |

    The opponent is paid as the agent would be in its place, except that in pennies it wins what the agent loses, and in
    battle it prefers stravinsky. The opponents are the same in all games:

    | opponent | plays |
    |---|---|
    | cooperate | the first action |
    | defect | the second action |
    | tft | tit for tat: the first action, then the agent's last action |
    | grim | the first action until the agent has played the second, then always the second |
    | pavlov | the first action; then the same again if it was paid more than the mean of its payoffs, else the other |
    | random | either action, each with probability 1/2 |
    | any | as one of these except random, drawn for each match; the agent does not know which |

    Pavlov is the win-stay, lose-shift of Nowak and Sigmund (Nature 364, 1993).

    In dilemma-any it is best to defect at first. With an opponent that still cooperates, it is best to defect until the
    match ends; with the others, one more round of cooperation tells tft and pavlov from grim, which forgives nothing.
    An agent that looks at most 20 cycles ahead does not pay for this knowledge, and cooperates with all who do.
    """

    sizes = ("dilemma-tft", "stag-grim", "chicken-pavlov", "battle-tft", "pennies-any", "dilemma-any")
    difficulty = "memory of the match; looking past immediate rewards; against any, paying to identify the opponent"

    def __init__(self, game: str = "dilemma", opponent: str = "any") -> None:
        self.game = GAMES[check_choice("the game", game, GAMES)]
        self.opponent = check_choice("the opponent", opponent, OPPONENTS)
        self.actions = self.game.actions
        self.observations = tuple((move, end) for move in self.actions for end in ("goes on", "ends"))
        payoffs = sum(self.game.agent, ())
        self.min_reward, self.max_reward = min(payoffs), max(payoffs)
        self.hidden = "who the opponent is" if opponent == "any" else "what the opponent remembers of the match"
        self.settings = Settings(depth=36, horizon=6, simulations=200, decay=0.9995)
        self.schedule = Schedule(cycles=10_000)
        super().__init__()

    def start(self) -> dict[State, float]:
        """Start a match."""
        opponents = PLANS if self.opponent == "any" else (self.opponent,)
        return {(opponent, int(opponent == "defect")): 1 / len(opponents) for opponent in opponents}

    def outcomes(self, state: State, action: str) -> Iterable[Outcome]:
        """Play a round, and start a new match if this one ends."""
        opponent, planned = state
        mine = self.actions.index(action)
        for move in (0, 1) if opponent == "random" else (planned,):
            p = 1 / 2 if opponent == "random" else 1
            reward, seen = self.game.agent[mine][move], self.actions[move]
            yield Outcome(p * (1 - ENDS), (opponent, self.plan(opponent, mine, move=move)), (seen, "goes on"), reward)
            for anew, q in self.start().items():
                yield Outcome(p * ENDS * q, anew, (seen, "ends"), reward)

    def plan(self, opponent: str, mine: int, *, move: int) -> int:
        """Return what an opponent plays next, after a round with the agent's action `mine` and its own `move`."""
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

"""Games of OpenSpiel as environments: `open_spiel:GAME?option=value&...` (Lanctot et al., OpenSpiel, arXiv 1908.09453).

    open_spiel:kuhn_poker    open_spiel:kuhn_poker(players=3)    "open_spiel:tic_tac_toe?opponent=perfect&player=1"

Options go to OpenSpiel as parameters of the game. Four are ours:

    player=0           the seat of the agent
    opponent=uniform   how all others play: `uniform`, any legal action as likely as the other; or `perfect`
    equal=False        games last as many cycles as they have turns of the agent; by default, all last equally long
    rewards=-1,0,1     where the tree is too large to be walked: all rewards there are, or their range

What becomes of a game here:

- A cycle is a turn of the agent, and all that others and chance do until it is its turn again. The observation is what
  the agent knows then: its information state, or the position, in a game where all see everything.
- Game follows game. What counts is the reward per cycle, so that an agent would rather lose slowly, and win quickly, if
  games were as long as they happen to be. Therefore all games take as many cycles as the agent can have turns; after an
  earlier end it waits, and sees "over". The reward per cycle times that number is the return of a game. With
  `equal=False`, or where the tree is not known, the next game begins in the cycle that ends one.
- The agent waits in the first cycle of all, too, so that it has seen what it holds before it first acts.
- An action that is not legal stands for one that is drawn uniformly from those that are.
- A perfect opponent plays by backward induction where all is seen, and else, in games of two with zero sum, a strategy
  of an equilibrium (`Tree.perfect`).
- A tree of at most 100,000 histories, or positions, is walked, and the game is then a finite POMDP: `aixi solve` knows
  the best, and `--model true` plays on its rules. Otherwise it is played as it is; an observation has the bits of
  OpenSpiel's tensor if they are bits, and few enough.

`Bot` is the other way: an agent of ours as a player in OpenSpiel's own evaluation.
"""

from __future__ import annotations

import ast
import difflib
import functools
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aixi_approx.environment import Environment, EnvironmentFault, Percept, Schedule, Settings

try:
    import pyspiel

    from aixi_approx.envs.open_spiel_tree import ENDED, MAX_NODES, Node, Policy, Tree, total
except ModuleNotFoundError as error:
    if error.name != "pyspiel":
        raise
    raise EnvironmentFault("games of OpenSpiel need it installed: pip install open_spiel") from None

from aixi_approx.envs.reward_scale import Declared, RewardScale, declare
from aixi_approx.pomdp.definition import POMDP, Outcome
from aixi_approx.randomness import ENVIRONMENT, below, draw, stream
from aixi_approx.validation import check_choice

if TYPE_CHECKING:
    from aixi_approx.agent import Agent

OVER = "over"  # the observation while there is no game
MAX_BITS = 62  # of a tensor: Python counts at most 2^63 - 1 members of a sequence
SCOUTING = 1_000  # cycles of random play, to see rewards and whether a tensor is of bits
OPPONENTS = ("uniform", "perfect")

State = tuple[int, int, float]  # a node, the turn of the agent in this game, and what was paid before it; or
# (ENDED, cycles to wait, what is still to be paid)


class OfOpenSpiel(Environment):
    """What is said of any of them.

    Attributes
    ----------
    game : pyspiel.Game
        The game.
    player : int
        The seat of the agent.
    turns : int
        The cycles of each game; 0 if it lasts as long as it happens to.
    over : int
        The number of the observation while there is no game.
    native : list of int
        The number that OpenSpiel has for each action.
    """

    game: Any
    player: int
    turns = 0
    over = 0
    native: list[int]
    hidden = "what the agent's seat does not see"
    difficulty = "as hard as the game and the opponent are"
    schedule = Schedule(20_000)

    @property
    def name(self) -> str:
        """The game with its parameters, and the options."""
        return self.title or f"open_spiel:{self.game}"

    @property
    def rules(self) -> str:
        """What OpenSpiel calls it, who plays, and what an observation is."""
        kind = self.game.get_type()
        lasts = f"Each game takes {self.turns} cycles." if self.turns else "Games follow each other without a pause."
        return (
            f"{kind.long_name}, by OpenSpiel ({self.game}), with {self.game.num_players()} players, of which the agent "
            f"is number {self.player}. {lasts}\n\nAn observation is what the agent knows at its turn."
        )

    def seen(self, state: Any) -> int:
        """Return the number of the observation of a state of OpenSpiel in which it is the agent's turn."""
        raise NotImplementedError

    def told(self, reward: float) -> float:
        """Return what a reward is here."""
        return reward


class OpenSpielTree(OfOpenSpiel, POMDP):
    """A game whose tree was walked.

    Parameters
    ----------
    tree
        The tree.
    policy
        How the others play.
    player
        The seat of the agent.
    equal
        Whether all games last equally long.
    """

    def __init__(self, tree: Tree, policy: Policy, *, player: int, equal: bool) -> None:
        self.game, self.tree, self.policy, self.player = tree.game, tree, policy, player
        own = {i: node for i, node in enumerate(tree.nodes) if node.player == player}
        if not own:
            raise ValueError(f"player {player} never has a turn")
        self.turns = tree.turns(player) if equal else 0
        self.native = sorted({action for node in own.values() for action in node.actions})
        names = tree.names(player)
        self.actions = tuple(names[action] for action in self.native)
        if len(set(self.actions)) < len(self.actions):
            self.actions = tuple(self.native)
        self.position = {action: i for i, action in enumerate(self.native)}
        self.observations = (*dict.fromkeys(node.seen for node in own.values()), OVER)
        self.number = {seen: i for i, seen in enumerate(self.observations)}
        self.over = self.number[OVER]
        self.after: dict[int, dict[tuple[int, float], float]] = {}
        declare(self, self._rewards(own))
        super().__init__()
        self.settings = _settings(self.coding.cycle_bits, tree.turns(player))

    def seen(self, state: Any) -> int:
        """Return the number of the observation of a state of OpenSpiel in which it is the agent's turn."""
        return self.number[self.tree.seen(state, self.player)]

    def start(self) -> dict[State, float]:
        """Wait for a cycle."""
        return {(ENDED, 1, 0.0): 1.0}

    def legal_in(self, state: State) -> Sequence[Hashable]:
        """Return the actions that are legal at a node; all while there is no game."""
        if state[0] == ENDED:
            return self.actions
        return [self.actions[self.position[action]] for action in self.tree.nodes[state[0]].actions]

    def outcomes(self, state: State, action: Hashable) -> Iterable[Outcome]:
        """Return what can come of an action until it is the agent's turn again; no outcome if it is not legal."""
        i, turn, paid = state
        if i == ENDED:
            return self._wait(1.0, turn - 1, paid)
        node, found = self.tree.nodes[i], list[Outcome]()
        k = node.actions.index(self.native[self.actions.index(action)])
        for (j, gained), p in self._follow(node.after[k]).items():
            reward = total(paid, node.gains[k][self.player], gained)
            if j == ENDED:
                found += self._wait(p, self.turns - turn, reward)
            else:
                found.append(Outcome(p, (j, turn + 1, 0.0), self.tree.nodes[j].seen, reward))
        return found

    def render(self) -> str:
        """Return what OpenSpiel draws of a history that leads here."""
        i = self.states[self.current][0]
        return OVER if i == ENDED else str(self.tree.state(self.tree.nodes[i]))

    def _wait(self, chance: float, cycles: int, reward: float) -> list[Outcome]:
        """What comes of a cycle that paid this: more waiting, or the next game."""
        if cycles > 0:
            return [Outcome(chance, (ENDED, cycles, 0.0), OVER, reward)]
        found = []
        for (j, gained), p in self._follow(0).items():
            if j == ENDED:  # a game without a turn of the agent
                found.append(Outcome(chance * p, (ENDED, self.turns or 1, gained), OVER, reward))
            else:
                found.append(Outcome(chance * p, (j, 1, gained), self.tree.nodes[j].seen, reward))
        return found

    def _follow(self, start: int) -> dict[tuple[int, float], float]:
        """Where others and chance lead from a node: (node of the agent or ENDED, what is paid), and the probability."""
        if start not in self.after:
            self.after[start] = self.tree.until(self.player, start, policy=self.policy)
        return self.after[start]

    def _rewards(self, own: Mapping[int, Node]) -> list[float]:
        """All rewards that a cycle may have against any opponents, so that agents can change them."""
        policy = self.tree.uniform()
        first: dict[int, set[float]] = {}
        for i, gained in self.tree.until(self.player, 0, policy=policy):
            first.setdefault(i, set()).add(gained)
        rewards = first.get(ENDED, set()) | {0.0}
        for i, node in own.items():
            before = first.get(i, {0.0}) | ({0.0} if self.tree.open else set())
            for k, j in enumerate(node.after):
                for _, gained in self.tree.until(self.player, j, policy=policy):
                    rewards |= {total(paid, node.gains[k][self.player], gained) for paid in before}
        return sorted(rewards)


class OpenSpielGame(OfOpenSpiel):
    """A game that is played as it is, against others that draw their actions uniformly.

    Parameters
    ----------
    game
        The game.
    player
        The seat of the agent.
    declared
        The rewards that were declared, if any.
    """

    def __init__(self, game: Any, *, player: int, declared: Declared | None) -> None:
        kind = game.get_type()
        self.game, self.player, self.native = game, player, list(range(game.num_distinct_actions()))
        self.actions = tuple(self.native)
        self.bits, self.tensor = _tensor(game)
        self.state: Any = None
        self.observations = Tensors(self.bits)
        seen, self.scale = {0.0}, RewardScale([0.0], clip=True)
        self.reset(0)
        for _ in range(SCOUTING):
            seen.add(self._turn(below(self.random, len(self.native))))
            self.seen(self.state)
        ends = (game.min_utility(), game.max_utility())
        if declared is None and kind.reward_model == pyspiel.GameType.RewardModel.TERMINAL and ends[0] < ends[1]:
            declared = Declared((0.0,), (ends,))
        self.scale = RewardScale(seen, declared)
        declare(self, self.scale.values)
        self.approximations = "; ".join(said for said in (str(self.scale), self.scale.guess("&")) if said)
        self.settings = _settings(self.coding.cycle_bits, game.max_game_length())

    def seen(self, state: Any) -> int:
        """Return the number of the observation of a state of OpenSpiel; that of waiting if it is not the agent's turn.

        Raises
        ------
        ValueError
            If the tensor has other numbers than 0 and 1.
        """
        number = 0
        if state is None or state.current_player() != self.player:
            return number
        for bit in getattr(state, self.tensor)(self.player):
            if bit not in (0.0, 1.0):
                raise ValueError(f"its {self.tensor} has the number {bit:g}: only those of 0 and 1 can be coded")
            number = number << 1 | int(bit)
        return number

    def legal(self) -> Sequence[int]:
        """Return the numbers of the legal actions; all while there is no game."""
        own = self.state is not None and self.state.current_player() == self.player
        return list(self.state.legal_actions()) if own else self.native

    def reset(self, seed: int) -> None:
        """Wait for a cycle."""
        self.random = stream(seed, ENVIRONMENT)
        self.state, self.paid = None, 0.0

    def step(self, action: int) -> Percept:
        """Take a turn, and begin the next game if this one has ended."""
        reward = self.told(self._turn(action))
        return Percept(self.seen(self.state), reward)

    def _turn(self, action: int) -> float:
        """Take a turn; return what was paid."""
        reward = 0.0
        if self.state is not None:
            if not self.state.is_terminal():  # as it is if the agent had no turn
                legal = self.state.legal_actions()
                self.state.apply_action(action if action in legal else legal[below(self.random, len(legal))])
                self._advance()
            returns = self.state.returns()[self.player]
            reward, self.paid = total(returns, -self.paid), returns
        if self.state is None or self.state.is_terminal():
            self.state, self.paid = self.game.new_initial_state(), 0.0
            self._advance()
        return reward

    def _advance(self) -> None:
        """Let others and chance move until it is the agent's turn, or the game has ended."""
        while not self.state.is_terminal() and self.state.current_player() != self.player:
            if self.state.is_chance_node():
                left = draw(self.random)
                outcomes = self.state.chance_outcomes()
                action = outcomes[-1][0]
                for each, chance in outcomes:
                    left -= chance
                    if left < 0:
                        action = each
                        break
            else:
                legal = self.state.legal_actions()
                action = legal[below(self.random, len(legal))]
            self.state.apply_action(action)

    def told(self, reward: float) -> float:
        """Return what a reward is here: the nearest of a grid if there is one."""
        return self.scale.coded(reward)

    def reward_fault(self, reward: float) -> str:
        """Return a reward and what is wrong with it, or nothing."""
        fault = self.scale.fault(reward, "&" if "?" in self.name else "?")
        return f"{reward:g}, {fault}" if fault else ""

    def render(self) -> str:
        """Return what OpenSpiel draws."""
        return OVER if self.state is None else str(self.state)


class Tensors(Sequence[str]):
    """All tensors of so many bits, by number; number 0, of no bit at all, stands for waiting.

    >>> Tensors(3)[5], Tensors(3).index("011"), len(Tensors(3))
    ('101', 3, 8)
    """

    def __init__(self, bits: int) -> None:
        self.bits = bits

    def __len__(self) -> int:
        return 1 << self.bits

    def __getitem__(self, number: Any) -> Any:
        if not 0 <= number < len(self):
            raise IndexError(f"there is no observation {number}, there are 0 to {len(self) - 1}")
        return f"{number:0{self.bits}b}"

    def __contains__(self, observation: object) -> bool:
        return isinstance(observation, str) and len(observation) == self.bits and not observation.strip("01")

    def index(self, observation: Any, *_: int) -> int:
        """Return the number of an observation."""
        return int(observation, 2)


class Bot(pyspiel.Bot):
    """An agent as a player of OpenSpiel, for `pyspiel.evaluate_bots` and all else that takes one.

    It takes in what its seat sees and is paid, as it does in the environment, and decides greedily. A decision that is
    not legal stands for one that is drawn uniformly from those that are.

    Parameters
    ----------
    agent : Agent
        An agent that was made for the environment. It takes in the games that it plays.
    environment : OfOpenSpiel
        The environment of the same game and seat, as `make` returns it.
    learn : bool, default: False
        Whether it goes on learning.
    simulations : int, optional
        Of each search, if other than the planner's own number.
    seed : int, default: 0
        Of what is drawn in place of decisions that are not legal.
    """

    def __init__(
        self,
        agent: Agent,
        environment: OfOpenSpiel,
        *,
        learn: bool = False,
        simulations: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.agent, self.environment, self.learn, self.simulations = agent, environment, learn, simulations
        self.random = stream(seed, ENVIRONMENT)
        self.state: Any = None
        self.action, self.turn, self.paid, self.due = 0, 0, 0.0, 0.0  # due: what is paid with the next percept

    def restart(self) -> None:
        """Take in how the last game ended, as the environment tells it; begin another one."""
        if self.state is not None:
            paid = total(self.state.returns()[self.environment.player], -self.paid)
            cycles = max(self.environment.turns - self.turn, 0)
            rewards = [paid] if self.turn else [self.due, paid]  # in a game without a turn, all cycles are of waiting
            for _ in range(cycles if self.turn else max(cycles, 1)):
                self._observe(self.environment.over, rewards.pop(0) if rewards else 0.0)
            self.due = sum(rewards)
        self.state, self.turn, self.paid = self.environment.game.new_initial_state(), 0, 0.0

    def restart_at(self, state: Any) -> None:
        """Begin another game in a state of it."""
        self.restart()
        self.state = state.clone()

    def inform_action(self, state: Any, *move: int) -> None:
        """Take note of a move of others or of chance: the player and the action."""
        self.state = state.child(move[1])

    def step(self, state: Any) -> int:
        """Return the action, as OpenSpiel numbers it, that the agent takes in a state."""
        if self.turn:
            returns = state.returns()[self.environment.player]
            self.due, self.paid = total(returns, -self.paid), returns
        self._observe(self.environment.seen(state), self.due)
        decision = self.agent.act(explore=self.learn, simulations=self.simulations)
        if self.learn and decision.lesson:
            self.agent.distil(decision.action)
        self.action, legal = decision.action, state.legal_actions()
        action = self.environment.native[decision.action]
        if action not in legal:
            action = legal[below(self.random, len(legal))]
        self.state, self.turn, self.due = state.child(action), self.turn + 1, 0.0
        return action

    def _observe(self, observation: int, reward: float) -> None:
        self.agent.observe(self.action, Percept(observation, self.environment.told(reward)), learn=self.learn)
        self.action = 0  # of waiting


def build(written: str) -> Environment:
    """Return the game that is written as GAME?option=value&...

    Raises
    ------
    EnvironmentFault
        If there is none, or it is one of a kind that can't be played here.
    """
    try:
        name, _, options = written.partition("?")
        given = dict(_option(part) for part in options.split("&") if part)
        player, opponent = given.pop("player", 0), given.pop("opponent", None)
        equal, rewards = given.pop("equal", None), given.pop("rewards", None)
        game = _game(name, given)
        players = game.num_players()
        if not isinstance(player, int) or not 0 <= player < players:
            raise ValueError(f"player is {player!r}: the seats are 0 to {players - 1}")
        if opponent is not None and players == 1:
            raise ValueError("there is no opponent in a game of one player: leave it out")
        opponent = check_choice("opponent", opponent or OPPONENTS[0], OPPONENTS)
        if equal not in (None, True, False):
            raise ValueError(f"equal is {equal!r}: it is True or False")
        try:
            tree = _tree(str(game))
        except OverflowError as error:
            for what, asked in (("opponent=perfect", opponent == "perfect"), ("equal=True", bool(equal))):
                if asked:
                    raise ValueError(f"{what} takes the tree of the game, and {error}") from None
            return OpenSpielGame(game, player=player, declared=None if rewards is None else Declared.read(str(rewards)))
        if rewards is not None:
            raise ValueError("rewards are known where the tree is: leave the option out")
        return OpenSpielTree(tree, _policy(str(game), player, opponent), player=player, equal=equal is not False)
    except EnvironmentFault:
        raise
    except (ValueError, pyspiel.SpielError) as error:
        raise EnvironmentFault(f"open_spiel:{written}: {' '.join(str(error).split())}") from error


@functools.lru_cache(maxsize=8)  # trees of games of which one agent is rarely in more
def _tree(game: str) -> Tree:
    return Tree(pyspiel.load_game(game))


@functools.lru_cache(maxsize=8)
def _policy(game: str, player: int, opponent: str) -> Policy:
    tree = _tree(game)
    return tree.perfect(player) if opponent == "perfect" else tree.uniform()


def _game(name: str, given: Mapping[str, Any]) -> Any:
    """A game of OpenSpiel that can be played here; ValueError if there is none."""
    kinds = {kind.short_name: kind for kind in pyspiel.registered_games()}
    short = name.partition("(")[0]
    if short not in kinds:
        near = difflib.get_close_matches(short, kinds, 1)
        raise ValueError(f"there is no game {short!r}" + (f": did you mean {near[0]}?" if near else ""))
    parameters = {**pyspiel.game_parameters_from_string(name), **given}
    parameters.pop("name", None)
    known = kinds[short].parameter_specification
    for parameter in parameters:
        if parameter not in known:
            raise ValueError(f"there is no option {parameter}: player, opponent, equal, rewards, {', '.join(known)}")
    game = pyspiel.load_game(short, parameters)
    kind = game.get_type()
    if kind.dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS:
        inner = name if "(" in name else f"{name}()"
        raise ValueError(
            f"players move at once: name it open_spiel:turn_based_simultaneous_game(game={inner}), where they move one "
            "after the other without seeing it"
        )
    if kind.dynamics != pyspiel.GameType.Dynamics.SEQUENTIAL:
        raise ValueError("it is a game of a whole population (mean field): only those of single players can be played")
    if kind.chance_mode == pyspiel.GameType.ChanceMode.SAMPLED_STOCHASTIC:
        raise ValueError("its chances are its own secret, so that a game is no function of a seed")
    if not (kind.provides_information_state_string or kind.provides_observation_string):
        raise ValueError("it does not say what players see")
    return game


def _option(part: str) -> tuple[str, Any]:
    """One option: its name and its value."""
    name, equals, text = part.partition("=")
    if not name or not equals or not text:
        raise ValueError(f"{part!r} is no option: write name=value, with & in between")
    try:
        return name, ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return name, text


def _tensor(game: Any) -> tuple[int, str]:
    """The number of bits of what is seen, and the method of a state that says it."""
    kind, found = game.get_type(), []
    if kind.provides_information_state_tensor and kind.information != pyspiel.GameType.Information.PERFECT_INFORMATION:
        found.append((int(game.information_state_tensor_size()), "information_state_tensor"))
    if kind.provides_observation_tensor:
        found.append((int(game.observation_tensor_size()), "observation_tensor"))
    if fit := [each for each in found if each[0] <= MAX_BITS]:
        return fit[0]
    tensors = (
        f"its tensors have {' and '.join(str(bits) for bits, _ in found)} numbers" if found else "it has no tensor"
    )
    raise ValueError(
        f"its tree has more than {MAX_NODES:,} nodes, and {tensors}, where at most {MAX_BITS} will do: make the game "
        "smaller by its options"
    )


def _settings(cycle_bits: int, turns: int) -> Settings:
    """How an agent is run there: it sees all that it knows, and looks ahead to the end of a short game."""
    return Settings(2 * cycle_bits, horizon=min(max(turns, 2), 10), simulations=100, decay=0.9998)

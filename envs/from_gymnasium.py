"""Gymnasium's environments as ours: `gym:ID?option=value&...` (Towers et al., Gymnasium, arXiv 2407.17032).

    gym:FrozenLake-v1    gym:FrozenLake-v1?is_slippery=False&map_name=8x8    gym:CartPole-v1?bins=4

Options go to `gymnasium.make` as Python literals, or as text where they are none. Three are ours:

    bins=8            values that a number of a Box is rounded to, where it is
    rewards=-10..20   the range of the rewards
    unit=0.1          what a whole number of reward stands for

What becomes of an environment here:

- All of life is one: when an episode ends, the next begins in the same cycle. The reward is then the last of the old
  episode, the observation the first of the new one, and the highest bit of the observation says that it is so.
- An agent is not shown how long an episode lasts already, so that a limit on its length would be noise to it. The
  limit that an environment is registered with is left out; `max_episode_steps=100` puts one on.
- Rewards are whole numbers: multiples of a unit (`RewardScale`). Which rewards there are is read from a transition
  table, or else seen in random play with a fixed seed, and so are the ends of numbers that have none.
- An environment with a transition table `P` and `initial_state_distrib`, as Gymnasium's toy texts have, is a finite
  POMDP: its table is sampled here, so that its optimum can be solved for and its true model be planned with. If random
  play finds that the table does not tell the truth (a limit, a wrapper, a fickle passenger), it is not used.

What is lost stands in `loses`.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import math
import textwrap
import warnings
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from aixi_approx.environment import Environment, EnvironmentFault, Percept, Settings

try:
    import gymnasium
    from gymnasium.envs.registration import load_env_creator
    from gymnasium.spaces import Discrete
    from gymnasium.wrappers import OrderEnforcing, PassiveEnvChecker
except ImportError:
    raise EnvironmentFault("environments of Gymnasium need it installed: pip install 'aixi_approx[gym]'") from None

from aixi_approx.pomdp import POMDP, Outcome
from aixi_approx.randomness import ENVIRONMENT, stream
from aixi_approx.reward_scale import RewardScale
from aixi_approx.spaces import Limits, Observations, SpaceCode, flat

SCOUTING = 10_000  # cycles of random play
RESTART = 200  # of which so many at most in one episode
MAX_BITS = 40  # of an observation
MAX_ACTIONS = 1024
WORDS = {  # of actions that Gymnasium has numbers for, by the class of the environment
    "FrozenLakeEnv": ("left", "down", "right", "up"),
    "CliffWalkingEnv": ("up", "right", "down", "left"),
    "TaxiEnv": ("south", "north", "east", "west", "pick-up", "drop-off"),
    "BlackjackEnv": ("stick", "hit"),
}


class Table(NamedTuple):
    """What an environment says of itself.

    `transitions[state][action]` lists what can come of it: probability, next state, reward, whether the episode ends.
    """

    start: dict[int, float]
    transitions: Mapping[int, Mapping[int, list[tuple[float, int, float, bool]]]]

    def rewards(self) -> set[float]:
        """Return the rewards that can be reached."""
        states, rewards = list(self.start), set()
        for state in states:  # grows as states are found
            for row in self.transitions[state].values():
                rewards |= {float(reward) for p, _, reward, _ in row if p > 0}
                found = {int(after) for p, after, _, ended in row if p > 0 and not ended}
                states += found.difference(states)
        return rewards


class Play(NamedTuple):
    """What was seen in random play."""

    rewards: set[float]
    limits: Limits  # of each number of an observation
    agrees: bool  # with the table, if there is one


class Original:
    """An environment of Gymnasium, and how its actions, observations and rewards are written here.

    Parameters
    ----------
    written
        Its ID and options, as they stand after `gym:`.
    """

    def __init__(self, written: str) -> None:
        self.name = f"gym:{written}"
        self.id, _, options = written.partition("?")
        self.options = dict(_option(part) for part in options.split("&") if part)
        bins, unit = self.options.pop("bins", 8), self.options.pop("unit", None)
        self.limits = _limits(self.options.pop("rewards", None))
        if not isinstance(bins, int) or not 2 <= bins <= MAX_ACTIONS:
            raise ValueError(f"bins is {bins!r}: it must be a whole number from 2 to {MAX_ACTIONS}")
        if unit is not None and (not isinstance(unit, int | float) or not 0 < unit < math.inf):
            raise ValueError(f"unit is {unit!r}: it must be a number above 0")
        self.env = self.fresh()
        self.action_code = _coded("actions", self.env.action_space, bins)
        _coded("observations", self.env.observation_space, bins)  # before it is played
        table = _table(self.env)
        play = _play(self.env, table)
        self.table = table if play.agrees else None
        self.observations = Observations(_coded("observations", self.env.observation_space, bins, play.limits))
        self.scale = RewardScale(self.table.rewards() if self.table else play.rewards, self.limits, unit)
        self.chosen = list(itertools.product(*(range(number.count) for number in self.action_code.numbers)))

    def fresh(self) -> gymnasium.Env[Any, Any]:
        """Return a new instance, which draws text if it can."""
        options = {"max_episode_steps": -1, "disable_env_checker": True, **self.options}
        try:
            env = gymnasium.make(self.id, **options)
            if "ansi" in env.metadata.get("render_modes", ()) and "render_mode" not in options:
                env = gymnasium.make(self.id, **options, render_mode="ansi")
        except TypeError as error:  # of an option, likely
            raise ValueError(f"{error.__cause__ or error}{_takes(self.id)}") from error
        except Exception as error:
            raise ValueError(str(error) or type(error).__name__) from error
        return env

    def actions(self) -> tuple[Hashable, ...]:
        """Return the names of the actions."""
        words = WORDS.get(type(self.env.unwrapped).__name__, ())
        return words if len(words) == len(self.chosen) else tuple(map(self.action_code.plain, self.chosen))

    def loses(self) -> str:
        """Return what is lost, in a sentence, or nothing."""
        parts = []
        limit = self.env.unwrapped.spec and gymnasium.spec(self.env.unwrapped.spec.id).max_episode_steps
        if limit and "max_episode_steps" not in self.options:
            parts.append(f"the limit of {limit} steps to an episode is left out")
        if rounded := str(self.action_code):
            parts.append(f"of an action, {rounded}")
        if rounded := str(self.observations.code):
            parts.append(f"of an observation, {rounded}")
        if scaled := str(self.scale):
            parts.append(scaled)
        low, high = self.scale.least * self.scale.unit, self.scale.most * self.scale.unit
        beyond = f"beyond {low:g} to {high:g}" if low < high else f"other than {low:g}"
        if self.limits:
            parts.append(f"rewards {beyond}, as asked for, are clipped")
        elif not self.table:
            parts.append(f"rewards {beyond}, seen in {SCOUTING:,} cycles of random play, are clipped")
        if self.scale.clipped and not self.table:
            parts[-1] += f", {self.scale.clipped:,} so far"
        return "; ".join(parts)


class GymEnvironment(Environment):
    """An environment of Gymnasium that is played as it is."""

    hidden = "whatever its observations leave out"

    def __init__(self, original: Original) -> None:
        self.original, self.env = original, original.env
        self.actions, self.observations = original.actions(), original.observations
        self.min_reward, self.max_reward = original.scale.least, original.scale.most
        self.settings, self.loses = _settings(3 * self.coding.cycle_bits), original.loses()
        self.native = [original.action_code.value(indices) for indices in original.chosen]
        self.last: Any = None

    @property
    def name(self) -> str:
        """ID and options."""
        return self.original.name

    def reset(self, seed: int) -> None:
        """Begin the first episode."""
        self.last, _ = self.env.reset(seed=int(stream(seed, ENVIRONMENT)[0] >> 33))

    def step(self, action: int) -> Percept:
        """Take a step, and begin the next episode if this one has ended."""
        self.last, reward, terminated, truncated, _ = self.env.step(self.native[action])
        ended = bool(terminated or truncated)
        if ended:
            self.last, _ = self.env.reset()
        clipped = self.original.scale.clipped
        level = self.original.scale.level(float(reward))
        if self.original.scale.clipped > clipped:
            self.loses = self.original.loses()
        return Percept(self.observations.index((ended, self.last)), level)

    def render(self) -> str:
        """Draw what Gymnasium draws as text, or say what it shows."""
        return _picture(self.env) or f"observation: {self.last}"


class GymTable(POMDP):
    """An environment of Gymnasium whose transition table is sampled."""

    hidden = "nothing"

    def __init__(self, original: Original, table: Table) -> None:
        self.original, self.table = original, table
        self.actions, self.observations = original.actions(), original.observations
        self.min_reward, self.max_reward = original.scale.least, original.scale.most
        self.number = {action: i for i, action in enumerate(self.actions)}
        original.env.reset(seed=0)  # for pictures
        super().__init__()
        self.settings, self.loses = _settings(2 * self.coding.cycle_bits), original.loses()

    @property
    def name(self) -> str:
        """ID and options."""
        return self.original.name

    def start(self) -> dict[int, float]:
        """Return what the table says."""
        return self.table.start

    def outcomes(self, state: int, action: Hashable) -> Iterable[Outcome]:
        """Return what the table says, and what the next episode begins with where one ends."""
        for p, after, reward, ended in self.table.transitions[state][self.number[action]]:
            level = self.original.scale.level(float(reward))
            for next_state, q in self.start().items() if ended else [(int(after), 1.0)]:
                yield Outcome(p * q, next_state, (bool(ended), next_state), level)

    def render(self) -> str:
        """Draw what Gymnasium draws of the state as text."""
        self.original.env.unwrapped.s = self.states[self.current]  # type: ignore[attr-defined]
        return _picture(self.original.env) or super().render()


def build(written: str) -> Environment:
    """Return the environment of Gymnasium that is written as ID?option=value&...

    Raises
    ------
    EnvironmentFault
        If there is none, if it can't be built with these options, or if its spaces can't be coded.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as that there is a newer version
            original = Original(written)
            if original.table is None:
                return GymEnvironment(original)
            if original.table != _table(original.fresh()):
                raise ValueError("each instance has a table of its own: fix what is random, such as the map of a lake")
            return GymTable(original, original.table)
    except EnvironmentFault:
        raise
    except Exception as error:
        raise EnvironmentFault(f"gym:{written}: {error}") from error


def _settings(depth: int) -> Settings:
    """How an agent is run there."""
    return Settings(cycles=20_000, depth=depth, horizon=8, simulations=200, decay=0.9998)


def _coded(
    what: str, space: Any, bins: int, seen: Iterable[tuple[float, float]] = itertools.repeat((0, 1))
) -> SpaceCode:
    """The code of the actions or observations, if they are few enough."""
    try:
        code = SpaceCode(space, bins, seen)
        count, bits = math.prod(number.count for number in code.numbers), code.bits + 1
        if what == "actions" and count > MAX_ACTIONS:
            raise ValueError(f"they are {count:,}, and at most {MAX_ACTIONS:,} will do{_fewer(code)}")
        if what == "observations" and bits > MAX_BITS:
            raise ValueError(f"they take {bits:,} bits, and at most {MAX_BITS} will do{_fewer(code)}")
    except ValueError as error:
        raise ValueError(f"its {what}, {textwrap.shorten(str(space), 60)}, can't be coded: {error}") from None
    return code


def _takes(name: str) -> str:
    """The options that an environment has, in words, if they are known."""
    entry = gymnasium.spec(name).entry_point
    creator = load_env_creator(entry) if isinstance(entry, str) else entry
    names = [parameter for parameter in inspect.signature(creator).parameters if creator]
    return f": its options are {', '.join(names)}"


def _option(part: str) -> tuple[str, Any]:
    """One option: its name and its value."""
    name, equals, text = part.partition("=")
    if not name or not equals or not text:
        raise ValueError(f"{part!r} is no option: write name=value, with & in between")
    if text in ("true", "false", "none"):
        raise ValueError(f"{part}: write {name}={text.title()}")
    try:
        return name, ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return name, text


def _limits(text: str | None) -> tuple[float, float] | None:
    """The range of the rewards, if one is given."""
    if text is None:
        return None
    low, _, high = str(text).partition("..")
    try:
        limits = float(low), float(high)
    except ValueError:
        limits = 1.0, 0.0
    if not limits[0] < limits[1]:
        raise ValueError(f"rewards={text}: write the range as rewards=-10..20")
    return limits


def _table(env: gymnasium.Env[Any, Any]) -> Table | None:
    """The transition table of an environment, if it has one and nothing stands between it and whoever plays."""
    inner = env.unwrapped
    transitions, start = getattr(inner, "P", None), getattr(inner, "initial_state_distrib", None)
    simple = isinstance(inner.observation_space, Discrete) and isinstance(inner.action_space, Discrete)
    if transitions is None or start is None or not simple or inner.action_space.start != 0:  # type: ignore[attr-defined]
        return None
    while env is not inner:
        if not isinstance(env, OrderEnforcing | PassiveEnvChecker):
            return None
        env = env.env
    return Table({state: float(p) for state, p in enumerate(start) if p > 0}, transitions)


def _play(env: gymnasium.Env[Any, Any], table: Table | None) -> Play:
    """Play at random, and see whether the table agrees: each cycle must be one that it lists."""
    env.action_space.seed(0)
    observation, _ = env.reset(seed=0)
    agrees = table is not None and observation in table.start
    rewards: set[float] = set()
    least = largest = np.array(list(flat(env.observation_space, observation)), dtype=float)
    length = 0
    for _ in range(SCOUTING):
        before, action = observation, env.action_space.sample()
        observation, reward, terminated, truncated, _ = env.step(action)
        rewards.add(float(reward))
        length += 1
        if table and agrees:
            agrees = not truncated and _lists(table, before, action, (observation, reward, terminated))
        if terminated or truncated or (table and length == RESTART):
            observation, _ = env.reset()
            length = 0
            agrees = agrees and table is not None and observation in table.start
        numbers = list(flat(env.observation_space, observation))
        least, largest = np.minimum(least, numbers), np.maximum(largest, numbers)
    return Play(rewards, list(zip(least.tolist(), largest.tolist(), strict=True)), agrees)


def _lists(table: Table, state: Any, action: Any, what: tuple[Any, ...]) -> bool:
    """Whether a table has such a cycle."""
    try:
        return any(p > 0 and tuple(rest) == what for p, *rest in table.transitions[state][action])
    except (TypeError, ValueError, LookupError):
        return False  # it is a table of something else


def _fewer(code: SpaceCode) -> str:
    """What can be done about too many values."""
    return ": give fewer bins, as ?bins=3" if any(number.rounded for number in code.numbers) else ""


def _picture(env: gymnasium.Env[Any, Any]) -> str:
    """What Gymnasium draws as text, or nothing."""
    return str(env.render()).strip("\n") if env.unwrapped.render_mode == "ansi" else ""

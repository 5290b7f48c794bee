"""Gymnasium's environments as ours: `gym:ID?option=value&...` (Towers et al., Gymnasium, arXiv 2407.17032).

    gym:FrozenLake-v1    gym:FrozenLake-v1?is_slippery=False&map_name=8x8    gym:CartPole-v1?bins=4

Options go to `gymnasium.make` as Python literals, or as text where they are none. Four are ours:

    bins=8            values that a number of a Box is rounded to, where it is
    rewards=-10..20   the range of the rewards
    unit=0.1          what a whole number of reward stands for
    end=-10           what is added to the last reward of an episode, unless it was cut off by a limit

What becomes of an environment here:

- All of life is one: when an episode ends, the next begins in the same cycle. The reward is then the last of the old
  episode, the observation the first of the new one, and the highest bit of the observation says that it is so.
- What counts is the reward per cycle, for ever, so that the end of an episode is worth what its last reward is. Where
  each cycle pays the same (CartPole 1, CliffWalking and MountainCar -1), there is nothing in ending or not ending an
  episode; the option `end` can change that.
- An agent is not shown how long an episode lasts already, so that a limit on its length would be noise to it. The
  limit that an environment is registered with is left out; `max_episode_steps=100` puts one on.
- Rewards are whole numbers: multiples of a unit (`RewardScale`). Which rewards there are is read from a transition
  table, or else seen in random play with a fixed seed, and so are the ends of numbers that have none.
- An environment with a transition table `P` and `initial_state_distrib`, as Gymnasium's toy texts have, is a finite
  POMDP: its table is sampled here, so that its optimum can be solved for and its true model be planned with. If random
  play finds that the table does not tell the truth (a limit, a wrapper, a fickle passenger), it is not used.

What is lost stands in `approximations`. Without a table, the reward of the random agent is the mean over those 10,000
cycles of random play, and unknown where actions are rounded, since the play was of actions as they are.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aixi_approx.environment import Environment, EnvironmentFault, Percept, Schedule, Settings

try:
    import gymnasium

    from aixi_approx.envs.gymnasium_original import Original, Table, table_of
except ModuleNotFoundError as error:
    if error.name != "gymnasium":
        raise
    raise EnvironmentFault("environments of Gymnasium need it installed: pip install gymnasium") from None

from aixi_approx.pomdp.definition import POMDP, Outcome
from aixi_approx.randomness import ENVIRONMENT, stream


class OfGymnasium(Environment):
    """What is said of any of them."""

    original: Original
    schedule = Schedule(20_000, evaluation_simulations=1_000)

    @property
    def name(self) -> str:
        """ID and options."""
        return self.original.name

    @property
    def rules(self) -> str:
        """What Gymnasium says of it, and of the observations here."""
        return self.original.rules()


class GymEnvironment(OfGymnasium):
    """An environment of Gymnasium that is played as it is."""

    hidden = "whatever its observations leave out"

    def __init__(self, original: Original) -> None:
        self.original, self.env = original, original.env
        self.actions, self.observations = original.actions(), original.observations
        self.min_reward, self.max_reward = original.scale.least, original.scale.most
        self.settings, self.approximations = _settings(3 * self.coding.cycle_bits), original.approximations()
        self.native = [original.action_code.value(indices) for indices in original.chosen]
        self.last: Any = None

    @property
    def random_reward(self) -> float | None:
        """Expected reward per cycle of the agent that acts at random, estimated from random play."""
        return self.original.random_reward

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
        level = self.original.level(float(reward), terminated)
        if self.original.scale.clipped > clipped:
            self.approximations = self.original.approximations()
        return Percept(self.observations.index((ended, self.last)), level)

    def render(self) -> str:
        """Draw what Gymnasium draws as text, or say what it shows."""
        return self.original.picture() or f"observation: {self.last}"


class GymTable(OfGymnasium, POMDP):
    """An environment of Gymnasium whose transition table is sampled."""

    hidden = "nothing"

    def __init__(self, original: Original, table: Table) -> None:
        self.original, self.table = original, table
        self.actions, self.observations = original.actions(), original.observations
        self.min_reward, self.max_reward = original.scale.least, original.scale.most
        self.number = {action: i for i, action in enumerate(self.actions)}
        original.env.reset(seed=0)  # for pictures
        super().__init__()
        self.settings, self.approximations = _settings(2 * self.coding.cycle_bits), original.approximations()

    def start(self) -> dict[int, float]:
        """Return what the table says."""
        return self.table.start

    def outcomes(self, state: int, action: Hashable) -> Iterable[Outcome]:
        """Return what the table says, and what the next episode begins with where one ends."""
        for p, after, reward, ended in self.table.transitions[state][self.number[action]]:
            level = self.original.level(reward, ended)
            for next_state, q in self.start().items() if ended else [(int(after), 1.0)]:
                yield Outcome(p * q, next_state, (bool(ended), next_state), level)

    def render(self) -> str:
        """Draw what Gymnasium draws of the state as text."""
        self.original.env.unwrapped.s = self.states[self.current]  # type: ignore[attr-defined]
        return self.original.picture() or super().render()


def build(written: str) -> Environment:
    """Return the environment of Gymnasium that is written as ID?option=value&...

    Raises
    ------
    EnvironmentFault
        If there is none, if it can't be built with these options, or if its spaces can't be coded.
    """
    try:
        with warnings.catch_warnings(), _modules_of_the_current_folder(written):
            warnings.simplefilter("ignore")  # such as that there is a newer version
            original = Original(written)
            if original.table is None:
                return GymEnvironment(original)
            if original.table != table_of(original.fresh()):
                raise ValueError("each instance has a table of its own: fix what is random, such as the map of a lake")
            return GymTable(original, original.table)
    except EnvironmentFault:
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise EnvironmentFault(f"gym:{written}: {error}") from error


@contextmanager
def _modules_of_the_current_folder(written: str) -> Iterator[None]:
    """Let an ID such as my_module:Room-v0 find my_module.py where my_module.py:Room would."""
    here = str(Path.cwd())
    if ":" not in written.partition("?")[0]:
        yield
        return
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)


def name_of(env: gymnasium.Env[Any, Any]) -> str:
    """Return the name, as in `gym:ID?option=value`, by which an instance can be made again.

    Raises
    ------
    EnvironmentFault
        If it was not made by `gymnasium.make` with options that can be written down.
    """
    if env.spec is None or env.spec.additional_wrappers:
        what = "has wrappers of its own" if env.spec else "was not made by gymnasium.make"
        raise EnvironmentFault(f"{env} {what}: register it, and name it gym:my_module:ID")
    options = {name: value for name, value in env.spec.kwargs.items() if name != "render_mode"}
    for name, value in options.items():
        if not isinstance(value, bool | int | float | str):
            raise EnvironmentFault(f"{env}: {name} is a {type(value).__name__}, which can't be written in a name")
    return f"gym:{env.spec.id}" + "?" * bool(options) + "&".join(f"{name}={value}" for name, value in options.items())


def _settings(depth: int) -> Settings:
    """How an agent is run there."""
    return Settings(depth, horizon=10, simulations=100, decay=0.9998)

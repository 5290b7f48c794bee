"""Gymnasium's environments as ours: `gym:ID?option=value&...` (Towers et al., Gymnasium, arXiv 2407.17032).

    gym:FrozenLake-v1    gym:FrozenLake-v1?is_slippery=False&map_name=8x8    gym:CartPole-v1?bins=4

Options go to `gymnasium.make` as Python literals, or as text where they are none. These are ours:

    bins=8            values that a number of a Box is rounded to, where it is
    rewards=-1,0,100  all rewards there are; or their range, -10..20; or both, -1..0,100
    unit=0.1          the spacing of the grid of rewards in a range, to which they are rounded
    clip=True         a reward that is none of these becomes the nearest one; else it stops the run
    end=-10           what is added to the last reward of an episode, unless it was cut off by a limit
    discount=0.95     what the next reward of an episode is worth, beside the one before
    mask=False        any action is taken as it is, legal or not
    without=mission   parts of a Dict that are left out of the observation, with commas in between

What becomes of an environment here:

- All of life is one: when an episode ends, the next begins in the same cycle. The reward is then the last of the old
  episode, the observation the first of the new one, and the highest bit of the observation says that it is so.
- What counts is the reward per cycle, for ever, so that the end of an episode is worth what its last reward is. Where
  each cycle pays the same (CartPole 1, CliffWalking and MountainCar -1), there is nothing in ending or not ending an
  episode; the options `end` and `discount` can change that.
- With a discount g below 1, an episode that has ended stays ended: each cycle pays 0 and shows what was seen last.
  After every cycle, ended or not, the next episode begins with probability 1 - g, and the highest bit of the
  observation says so. The reward per cycle is then (1 - g) times the discounted return of an episode.
- An agent is not shown how long an episode lasts already, so that a limit on its length would be noise to it. The
  limit that an environment is registered with is left out; `max_episode_steps=100` puts one on.
- Rewards are what they are, each with a code (`RewardScale`). Which there are is declared, or read from a transition
  table, or else seen in random play with a fixed seed, and so are the ends of numbers that have none. What random play
  has seen is a guess: the first reward that it does not include stops the run, and says how to declare it.
- Where the environment says which actions are legal, by an `action_mask` in its info (Taxi does), any other stands for
  one that is drawn uniformly from them.
- An environment with a transition table `P` and `initial_state_distrib`, as Gymnasium's toy texts have, is a finite
  POMDP: its table is sampled here, so that its optimum can be solved for and its true model be planned with. If random
  play finds that the table does not tell the truth (a limit, a wrapper, a fickle passenger), it is not used.

What is lost stands in `approximations`. Without a table, the reward of the random agent is the mean over those 10,000
cycles of random play, and unknown where actions are rounded, since the play was of actions as they are.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aixi_approx.environment import Environment, EnvironmentFault, Percept, Schedule, Settings

try:
    import gymnasium

    from aixi_approx.envs.gymnasium_original import Original, Table, Transition, legal_in, table_of
except ModuleNotFoundError as error:
    if error.name != "gymnasium":
        raise
    raise EnvironmentFault("environments of Gymnasium need it installed: pip install gymnasium") from None

from aixi_approx.envs.reward_scale import declare
from aixi_approx.pomdp.definition import POMDP, Outcome
from aixi_approx.randomness import ENVIRONMENT, below, draw, stream


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

    def reward_fault(self, reward: float) -> str:
        """Return a reward and what is wrong with it, or nothing."""
        fault = self.original.scale.fault(reward, self.original.joint)
        return f"{reward:g}, {fault}" if fault else ""

    def _declare(self, original: Original) -> None:
        """Say what the actions, observations and rewards are."""
        self.original, self.discount = original, float(original.discount)
        self.begins_anew = self.discount < 1
        self.actions, self.observations = original.actions(), original.observations
        declare(self, original.scale.values)


class GymEnvironment(OfGymnasium):
    """An environment of Gymnasium that is played as it is."""

    hidden = "whatever its observations leave out"

    def __init__(self, original: Original) -> None:
        self._declare(original)
        self.env = original.env
        self.settings, self.approximations = _settings(3 * self.coding.cycle_bits), original.approximations()
        self.native = [original.action_code.value(indices) for indices in original.chosen]
        self.last: Any = None
        self.mask: NDArray[np.int8] | None = None

    @property
    def random_reward(self) -> float | None:
        """Expected reward per cycle of the agent that acts at random, estimated from random play."""
        return self.original.random_reward

    def reset(self, seed: int) -> None:
        """Begin the first episode."""
        self.random = stream(seed, ENVIRONMENT)
        self._begin(seed=int(self.random[0] >> 33))

    def _begin(self, seed: int | None = None) -> None:
        self.last, info = self.env.reset(seed=seed)
        self.ended = False
        self._take_mask(info)

    def _take_mask(self, info: dict[str, Any]) -> None:
        self.mask = legal_in(info, len(self.actions)) if self.original.masks else None

    def legal(self) -> Sequence[int]:
        """Return the numbers of the actions that the environment says are legal now; all if it says nothing."""
        return range(len(self.actions)) if self.mask is None else np.flatnonzero(self.mask).tolist()

    def step(self, action: int) -> Percept:
        """Take a step, and begin the next episode if this one has ended, or by chance if there is a discount."""
        paid = 0.0
        if not self.ended:
            if self.mask is not None and not self.mask[action]:
                action = self.legal()[below(self.random, int(self.mask.sum()))]
            self.last, reward, terminated, truncated, info = self.env.step(self.native[action])
            self.ended = bool(terminated or truncated)
            self._take_mask(info)
            paid = float(reward) + self.original.end * bool(terminated)
        anew = self.ended if self.discount == 1 else draw(self.random) >= self.discount
        if anew:
            self._begin()
        clipped = self.original.scale.clipped
        told = self.original.scale.coded(paid)
        if self.original.scale.clipped > clipped:
            self.approximations = self.original.approximations()
        return Percept(self.observations.index((anew, self.last)), told)

    def render(self) -> str:
        """Draw what Gymnasium draws as text, or say what it shows."""
        return self.original.picture() or f"observation: {self.last}"


class GymTable(OfGymnasium, POMDP):
    """An environment of Gymnasium whose transition table is sampled.

    A state has the number that the table gives it; one that an episode has ended in, and stays, is (number, "ended").
    """

    hidden = "nothing"

    def __init__(self, original: Original, table: Table) -> None:
        self.table = table
        self._declare(original)
        self.number = {action: i for i, action in enumerate(self.actions)}
        original.env.reset(seed=0)  # for pictures
        super().__init__()
        self.settings, self.approximations = _settings(2 * self.coding.cycle_bits), original.approximations()

    def start(self) -> dict[Any, float]:
        """Return what the table says."""
        return dict(self.table.start)

    def legal_in(self, state: Any) -> Sequence[Hashable]:
        """Return the actions that the environment says are legal in a state; all if it says nothing."""
        if isinstance(state, tuple):
            return self.actions
        return [self.actions[number] for number in self.original.legal(state)]

    def outcomes(self, state: Any, action: Hashable) -> Iterable[Outcome]:
        """Return what the table says, and what the next episode begins with where one ends."""
        if isinstance(state, tuple):
            rows = [Transition(1.0, state[0], 0.0, True)]
        else:
            rows = [Transition(*row) for row in self.table.transitions[state][self.number[action]]]
        for p, after, reward, ended in rows:
            told = self.original.reward(reward, ended and not isinstance(state, tuple))
            anew = 1 - self.discount if self.discount < 1 else float(ended)
            if anew:
                for first, q in self.table.start.items():
                    yield Outcome(p * anew * q, first, (True, first), told)
            if anew < 1:
                yield Outcome(p * (1 - anew), (int(after), "ended") if ended else int(after), (False, int(after)), told)

    def render(self) -> str:
        """Draw what Gymnasium draws of the state as text."""
        state = self.states[self.current]
        number = state[0] if isinstance(state, tuple) else state
        self.original.env.unwrapped.s = number  # type: ignore[attr-defined]
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

"""The environment interface: one class, one tuple.

An environment takes an action and answers with a percept: an observation and a reward, both whole numbers in a
declared range. The agent moves first; what an environment shows before the first action is nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from aixi_approx.coding import Coding, bits_for


class Percept(NamedTuple):
    """What an environment answers to an action."""

    observation: int
    reward: int


class Settings(NamedTuple):
    """How an agent is run in an environment when nothing else is asked for.

    Depth and horizon of the environments of JAIR 2011 are those of its Table 3, and so is the exploration but in
    Tiger, where it decays twice as fast. Cycles and simulations are such that a run takes less than a minute.
    """

    cycles: int = 10_000
    """Cycles of learning."""
    depth: int = 32
    """Bits of context of the predictor."""
    horizon: int = 5
    """Cycles that a simulation looks ahead."""
    simulations: int = 500
    """Simulations of a search while learning."""
    epsilon: float = 0.99
    """Probability of a random action at the first cycle."""
    decay: float = 0.999
    """Factor on epsilon, per cycle."""
    evaluation_simulations: int = 500
    """Simulations of a search in the evaluation."""


MAX_REWARD = 1 << 31  # or its negative


class EnvironmentFault(ValueError):
    """An environment is not what it says it is: a wrong definition, percept or error of its own."""


class Environment(ABC):
    """Base class of environments. A subclass declares four things and has two methods; it may also `render` itself.

    Attributes
    ----------
    actions, observations
        Names of the actions and observations; the numbers in `step` are positions in these.
    min_reward, max_reward
        The least and the largest reward of a cycle, whole numbers.
    observation_bits
        Bits that an observation is written in; as few as will do unless declared.
    optimum
        Largest expected reward per cycle that any agent can reach in the long run, or None where it is not known.
    hidden
        What the observation does not tell, in a few words.
    takes
        What it takes to solve it: memory, search, exploration; a sentence or two.
    sizes
        Of a family of environments: parameters from small to large, as they are written after its name.
    loses
        What of the original is lost or rounded here, if anything is.
    settings
        How an agent is run here by default.

    Examples
    --------
    >>> class Echo(Environment):
    ...     '''Pays 1 for the action that was taken last time.'''
    ...     actions = observations = ("zero", "one")
    ...     min_reward, max_reward = 0, 1
    ...     def reset(self, seed):
    ...         self.last = 0
    ...     def step(self, action):
    ...         reward, self.last = int(action == self.last), action
    ...         return Percept(action, reward)
    >>> echo = Echo(); echo.reset(seed=1); echo.step(0)
    Percept(observation=0, reward=1)
    """

    actions: tuple[Hashable, ...]
    observations: Sequence[Hashable]
    min_reward: int
    max_reward: int
    observation_bits: int | None = None
    optimum: float | None = None
    hidden: str = ""
    takes: str = ""
    sizes: tuple[str, ...] = ()
    loses: str = ""
    settings: Settings = Settings()

    @abstractmethod
    def reset(self, seed: int) -> None:
        """Begin anew. All randomness that follows is a function of the seed."""

    @abstractmethod
    def step(self, action: int) -> Percept:
        """Take the action with this number; return what comes of it."""

    def render(self) -> str:
        """Return a picture of the present state for people: text of one or more lines. It changes nothing."""
        return f"{self.name} draws no picture"

    @property
    def name(self) -> str:
        """Name for tables and messages."""
        return type(self).__name__

    @property
    def size(self) -> int | None:
        """Number of states, or None where it is not known."""
        return None

    @property
    def random_reward(self) -> float | None:
        """Expected reward per cycle, in the long run, of the agent that acts at random, or None if not known."""
        return None

    @property
    def coding(self) -> Coding:
        """The bits of one cycle.

        Raises
        ------
        EnvironmentFault
            If the declaration makes no sense.
        """
        for part in ("actions", "observations", "min_reward", "max_reward"):
            if not hasattr(self, part):
                raise EnvironmentFault(f"{self.name}: declare `{part}` in the class")
        if not self.actions or not self.observations:
            raise EnvironmentFault(f"{self.name}: it needs at least one action and one observation")
        if int(self.min_reward) != self.min_reward or int(self.max_reward) != self.max_reward:
            raise EnvironmentFault(f"{self.name}: rewards are whole numbers; scale them")
        if self.min_reward > self.max_reward:
            raise EnvironmentFault(f"{self.name}: min_reward {self.min_reward} exceeds max_reward {self.max_reward}")
        if max(abs(self.min_reward), abs(self.max_reward)) > MAX_REWARD:
            raise EnvironmentFault(f"{self.name}: rewards beyond {MAX_REWARD} are too large: scale them")
        needed = bits_for(len(self.observations))
        bits = needed if self.observation_bits is None else self.observation_bits
        if bits < needed:
            raise EnvironmentFault(f"{self.name}: {len(self.observations)} observations need {needed} bits, not {bits}")
        return Coding(
            actions=len(self.actions),
            action_bits=bits_for(len(self.actions)),
            reward_bits=bits_for(int(self.max_reward) - int(self.min_reward) + 1),
            observation_bits=bits,
            min_reward=int(self.min_reward),
            max_reward=int(self.max_reward),
        )

    def checked_reset(self, seed: int) -> None:
        """Begin anew; raise EnvironmentFault if it fails."""
        try:
            self.reset(seed)
        except Exception as error:
            raise EnvironmentFault(f"{self.name}: reset({seed}) failed: {type(error).__name__}: {error}") from error

    def checked_step(self, action: int) -> Percept:
        """Take a step; raise EnvironmentFault if it fails, or an action or percept was not declared."""
        if not 0 <= action < len(self.actions):
            raise EnvironmentFault(f"{self.name}: there is no action {action}, there are 0 to {len(self.actions) - 1}")
        try:
            observation, reward = self.step(action)
            percept = Percept(int(observation), int(reward))
        except Exception as error:
            what = f"step({action}) did not return Percept(observation, reward): {type(error).__name__}: {error}"
            raise EnvironmentFault(f"{self.name}: {what}") from error
        if percept.reward != reward or not self.min_reward <= reward <= self.max_reward:
            raise EnvironmentFault(
                f"{self.name}: step({action}) gave the reward {reward}, "
                f"declared are whole numbers from {self.min_reward} to {self.max_reward}"
            )
        if percept.observation != observation or not 0 <= observation < len(self.observations):
            raise EnvironmentFault(
                f"{self.name}: step({action}) gave the observation {observation}, "
                f"declared are 0 to {len(self.observations) - 1}"
            )
        return percept

    def checked_render(self) -> str:
        """Return the picture of the present state; raise EnvironmentFault if it fails."""
        try:
            return str(self.render())
        except Exception as error:
            raise EnvironmentFault(f"{self.name}: render() failed: {type(error).__name__}: {error}") from error

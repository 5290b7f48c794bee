"""The environment interface: one class, one tuple.

An environment takes an action and answers with a percept: an observation, which is a position in a list of names, and
a reward, which is a whole number in a declared range or one of a list of real numbers. The agent moves first; what an
environment shows before the first action is nothing.
"""

from __future__ import annotations

import copy
import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import chain
from numbers import Integral, Real
from typing import Any, NamedTuple, Self

from aixi_approx.coding import Coding, ascending, bits_for, nearest_reward, rewards_in_words
from aixi_approx.display.tables import paragraphs, table
from aixi_approx.display.words import beginning
from aixi_approx.validation import describe_error, own_modules, shown


class Percept(NamedTuple):
    """What an environment answers to an action."""

    observation: int
    reward: float


class Settings(NamedTuple):
    """What an agent is like in an environment unless something else is asked for.

    Depth, horizon and exploration in the environments of JAIR 2011 are those of its Table 3, except in Tiger, where
    exploration decays twice as fast.
    """

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
    most_memory: int | None = None
    """Bytes that its model, its policy and its searches may take together; as many as they need if None."""


class Schedule(NamedTuple):
    """How long an agent runs in an environment unless something else is asked for; less than a minute in all."""

    cycles: int = 10_000
    """Cycles of learning."""
    evaluation_simulations: int = 500
    """Simulations of a search in the evaluation."""


MAX_REWARD = 1 << 31  # or its negative
MAX_BITS = 64  # of an observation
MAX_REWARDS = 1 << 20  # that are declared one by one
TEXT = (str, bytes, bytearray)
SOON = 10_000  # states of an environment whose reward of the random agent is found out in less than a second


class EnvironmentFault(ValueError):
    """An environment is not what it says it is: a wrong definition, percept or error of its own."""


class Environment(ABC):
    """Base class of environments. A subclass declares four things and has two methods; it may also `render` itself.

    Attributes
    ----------
    actions, observations
        Names of the actions and observations; the numbers in `step` are positions in these.
    min_reward, max_reward
        The least and the largest reward of a cycle, if rewards are whole numbers.
    rewards
        All rewards that can occur, if they are not whole numbers, or few: any real numbers, each with a code of its
        own. Leave out `min_reward` and `max_reward`; they are its ends.
    observation_bits
        Bits that an observation is written in; as few as will do unless declared.
    optimum
        Largest expected reward per cycle that any agent can reach in the long run, or None where it is not known.
    title
        The full name that it was made by, if any.
    discount
        Of its rewards, as its authors have it; 1 for none. `make` lets what declares one begin anew with probability
        1 - discount after every cycle, so that the reward per cycle is (1 - discount) times the discounted value.
    begins_anew
        Whether it does so: what `make` returns does, what was declared does not.
    hidden
        What the observation does not tell, in a few words.
    difficulty
        What it takes to solve it: memory, search, exploration; a sentence or two.
    sizes
        Of a family of environments: parameters from small to large, as they are written after its name.
    approximations
        What of the original is lost or rounded here, if anything is.
    settings
        What an agent is like here by default.
    schedule
        How long an agent runs here by default.

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
    min_reward: float
    max_reward: float
    rewards: tuple[float, ...] = ()
    observation_bits: int | None = None
    optimum: float | None = None
    discount: float = 1.0
    begins_anew: bool = False
    title: str = ""
    hidden: str = ""
    difficulty: str = ""
    sizes: tuple[str, ...] = ()
    approximations: str = ""
    settings: Settings = Settings()
    schedule: Schedule = Schedule()

    @abstractmethod
    def reset(self, seed: int) -> None:
        """Begin anew. All randomness that follows is a function of the seed."""

    @abstractmethod
    def step(self, action: int) -> Percept:
        """Take the action with this number; return what comes of it."""

    def legal(self) -> Sequence[int]:
        """Return the actions that are legal now: all, unless a subclass says otherwise.

        An action that is not stands for a random one of these; a subclass that has a `step` of its own sees to it.
        """
        return range(len(self.actions))

    def render(self) -> str:
        """Return a picture of the present state for people: text of one or more lines. It changes nothing."""
        return f"{self.name} draws no picture"

    def __copy__(self) -> Self:
        return copy.deepcopy(self)

    def __repr__(self) -> str:
        """Return its name, and what it has, in a line; one that is not declared yet has only a name."""
        try:
            actions, observations, rewards = len(self.actions), len(self.observations), self.coding.rewards_in_words()
        except Exception:
            return f"<{self.title or self.name}>"
        return f"<{self.title or self.name}: {actions:,} actions, {observations:,} observations, rewards {rewards}>"

    def _repr_html_(self) -> str:
        """Return its rules, what can be done and seen, and what can be earned, for a notebook."""
        told: dict[str, object] = {**facts(self)}
        if self.size is None or self.size <= SOON:
            told["reward of a random agent"] = self.random_reward
        told["best achievable"] = self.optimum
        rows = [(name, value) for name, value in told.items() if value not in (None, "")]
        return table(self.title or self.name, rows) + paragraphs(self.rules.split("\n\n"))

    def __getattr__(self, name: str) -> float:  # of what is not declared
        if name in ("min_reward", "max_reward") and self.rewards:
            return (min if name == "min_reward" else max)(self.rewards)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    def keep(self) -> dict[str, Any] | None:
        """Return where it stands, as values that an archive can hold; None if that can't be said.

        A run that goes on then repeats all its steps, which takes longer and comes to the same.
        """
        return None

    def restore(self, kept: Mapping[str, Any]) -> None:  # noqa: B027
        """Go where `keep` said that it stood, whatever came before."""

    @property
    def name(self) -> str:
        """Name for tables and messages."""
        return type(self).__name__

    @property
    def rules(self) -> str:
        """The rules, for people: what the class says of itself."""
        return inspect.cleandoc(type(self).__doc__ or "Nobody has written down its rules.")

    @property
    def size(self) -> int | None:
        """Number of states, or None where it is not known."""
        return None

    @property
    def random_reward(self) -> float | None:
        """Expected reward per cycle, in the long run, of the agent that acts at random, or None if not known."""
        return None

    def discounted_value(self, reward: float) -> float:
        """Return the expected discounted sum of rewards that a reward per cycle stands for; only with a discount."""
        return reward / (1 - self.discount)

    @property
    def coding(self) -> Coding:
        """The bits of one cycle.

        Raises
        ------
        EnvironmentFault
            If the declaration makes no sense.
        """
        rewards = self._declared_rewards()
        for part in ("actions", "observations", "min_reward", "max_reward"):
            if not hasattr(self, part):
                raise EnvironmentFault(f"{self.name}: declare `{part}` in the class")
        for part in ("actions", "observations"):
            names = getattr(self, part)
            if not isinstance(names, Sequence):
                what = f"`{part}` is a {type(names).__name__}, whose members have no numbers"
                raise EnvironmentFault(f"{self.name}: {what}: write a tuple of names")
        if not self.actions or not self.observations:
            raise EnvironmentFault(f"{self.name}: declare at least one action and one observation")
        for part in ("min_reward", "max_reward"):
            reward = getattr(self, part)
            if not isinstance(reward, Real) or (reward % 1 != 0 and not rewards):
                mend = "a range is of whole numbers; list other rewards, as in `rewards = (-1, -0.04, 1)`"
                raise EnvironmentFault(f"{self.name}: {part} is {reward!r}: {mend}")
        if self.min_reward > self.max_reward:
            what = f"min_reward {self.min_reward} exceeds max_reward {self.max_reward}"
            raise EnvironmentFault(f"{self.name}: {what}: declare the least and the largest reward of a cycle")
        if max(abs(self.min_reward), abs(self.max_reward)) > MAX_REWARD:
            raise EnvironmentFault(f"{self.name}: rewards beyond {MAX_REWARD} are too large: scale them")
        needed = bits_for(len(self.observations))
        bits = needed if self.observation_bits is None else self.observation_bits
        if not isinstance(bits, Integral) or not needed <= bits <= MAX_BITS:
            what = f"{len(self.observations)} observations need {needed} bits, not {bits}"
            raise EnvironmentFault(f"{self.name}: {what}: leave observation_bits out, or take {needed} to {MAX_BITS}")
        return Coding(
            actions=len(self.actions),
            action_bits=bits_for(len(self.actions)),
            reward_bits=bits_for(len(rewards) or int(self.max_reward) - int(self.min_reward) + 1),
            observation_bits=int(bits),
            min_reward=rewards[0] if rewards else int(self.min_reward),
            max_reward=rewards[-1] if rewards else int(self.max_reward),
            rewards=rewards,
        )

    def declare_rewards(self, codings: Iterable[Coding]) -> None:
        """Declare, for an instance that is made of other environments, the rewards that their codings have together."""
        codings = list(codings)
        if any(coding.rewards for coding in codings):
            ranges = [range(int(c.min_reward), int(c.max_reward) + 1) for c in codings if not c.rewards]
            self.rewards = ascending((*chain(*(coding.rewards for coding in codings)), *chain(*ranges)))
        else:
            self.min_reward = min(coding.min_reward for coding in codings)
            self.max_reward = max(coding.max_reward for coding in codings)

    def _declared_rewards(self) -> tuple[float, ...]:
        """The rewards that are declared one by one, ascending, whole ones as int if all are; none if a range is."""
        declared = self.rewards
        if not isinstance(declared, Sequence) or isinstance(declared, TEXT):
            raise EnvironmentFault(f"{self.name}: rewards is {shown(declared)}: write a tuple of numbers")
        here = next(space for space in map(vars, (self, *type(self).__mro__)) if "rewards" in space)
        for part in ("min_reward", "max_reward"):
            if len(declared) and part in here:
                raise EnvironmentFault(f"{self.name}: it declares `rewards` and `{part}`: leave out the second")
        for reward in declared:
            if not isinstance(reward, Real) or not abs(reward) <= MAX_REWARD:
                what = f"{reward!r} in `rewards` is no number from {-MAX_REWARD} to {MAX_REWARD}"
                raise EnvironmentFault(f"{self.name}: {what}: leave it out, or scale the rewards")
        if len(declared) > MAX_REWARDS:
            raise EnvironmentFault(f"{self.name}: more than {MAX_REWARDS} different rewards: round them")
        return ascending(tuple(declared))

    def checked_reset(self, seed: int) -> None:
        """Begin anew; raise EnvironmentFault if it fails."""
        try:
            self.reset(seed)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise EnvironmentFault(f"{self.name}: reset({seed}) failed: {self._told(error)}") from error

    def checked_step(self, action: int) -> Percept:
        """Take a step; raise EnvironmentFault if it fails, or an action or percept was not declared."""
        if not 0 <= action < len(self.actions):
            raise EnvironmentFault(f"{self.name}: there is no action {action}, there are 0 to {len(self.actions) - 1}")
        try:
            answer = self.step(action)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise EnvironmentFault(f"{self.name}: step({action}) failed: {self._told(error)}") from error
        try:
            observation, reward = answer
            if isinstance(observation, TEXT) or isinstance(reward, TEXT) or not abs(reward) < math.inf:
                raise TypeError
            wrong = self.reward_fault(reward)
            percept = Percept(int(observation), reward if wrong else self._as_declared(reward))
            known = percept.observation == observation and 0 <= observation < len(self.observations)
        except Exception as error:
            what = f"step({action}) returned {shown(answer)}, which is not Percept(observation, reward)"
            mend = "two numbers; an observation is the position of its name in `observations`"
            raise EnvironmentFault(f"{self.name}: {what}: {mend}") from error
        if wrong:
            raise EnvironmentFault(f"{self.name}: step({action}) gave the reward {wrong}")
        if not known:
            raise EnvironmentFault(
                f"{self.name}: step({action}) gave the observation {observation}, declared are whole numbers "
                f"from 0 to {len(self.observations) - 1}: it is a position in `observations`"
            )
        return percept

    def reward_fault(self, reward: float) -> str:
        """Return a reward and what is wrong with it, or nothing."""
        if self.rewards:
            declared = ascending(tuple(self.rewards))
            if nearest_reward(reward, declared) is not None:
                return ""
            return f"{reward}, declared are {rewards_in_words(declared)}: add it to `rewards`"
        if self.min_reward <= reward <= self.max_reward and int(reward) == reward:
            return ""
        inside = self.min_reward <= reward <= self.max_reward
        mend = "list it in `rewards` with all others" if inside else "widen the range, or scale the reward"
        return f"{reward}, declared are whole numbers from {self.min_reward} to {self.max_reward}: {mend}"

    def _as_declared(self, reward: float) -> float:
        """A reward as it is declared: without the rounding of the environment's own arithmetic."""
        if not self.rewards:
            return int(reward)
        declared = nearest_reward(reward, ascending(tuple(self.rewards)))
        return reward if declared is None else declared

    def checked_render(self) -> str:
        """Return the picture of the present state; raise EnvironmentFault if it fails, or is no text."""
        try:
            picture = self.render()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise EnvironmentFault(f"{self.name}: render() failed: {self._told(error)}") from error
        if not isinstance(picture, str):
            raise EnvironmentFault(f"{self.name}: render() returned {shown(picture)}: return text, don't print it")
        return picture

    def _told(self, error: BaseException) -> str:
        """An error in this environment's own code, which stands in the files of the classes that it is derived from."""
        return describe_error(error, own_modules(type(self)))


def facts(environment: Environment) -> dict[str, str]:
    """Return what an environment declares, in words: empty where it says nothing.

    Raises
    ------
    EnvironmentFault
        If the declaration makes no sense.

    Examples
    --------
    >>> from aixi_approx import make
    >>> facts(make("tiger"))["observations"]
    'nothing, left, right'
    """
    coding = environment.coding
    bits = f"action {coding.action_bits}, reward {coding.reward_bits}, observation {coding.observation_bits}"
    return {
        "actions": beginning(environment.actions),
        "observations": beginning(environment.observations),
        "rewards": coding.rewards_in_words(),
        "bits of a cycle": bits,
        "hidden": environment.hidden,
        "difficulty": environment.difficulty,
        "approximations": environment.approximations,
        "states": "" if environment.size is None else f"{environment.size:,}",
    }

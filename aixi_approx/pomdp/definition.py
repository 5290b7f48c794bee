"""Finite partially observable Markov decision processes, from one readable definition.

A POMDP is defined by two methods: `start` returns the distribution of the initial state, `outcomes` what an action in a
state can lead to. States are any hashable values; the reachable ones are found and numbered here, and laid out as
tables for the compiled sampler and the exact computations.
"""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from aixi_approx.compilation import compiled
from aixi_approx.environment import Environment, EnvironmentFault, Percept
from aixi_approx.pomdp.markov_chain import long_run_reward
from aixi_approx.randomness import ENVIRONMENT, Stream, draw, restored_stream, stream
from aixi_approx.validation import as_integer

EXACT, ROUNDED = 1e-9, 1e-5  # by which probabilities may miss 1 through arithmetic, and through digits left out
NORMALISED = f"probabilities that miss 1 by up to {ROUNDED:g} are divided by their sum"


class Outcome(NamedTuple):
    """One of the possible outcomes of an action; the observation is given by name."""

    probability: float
    state: Hashable
    observation: Hashable
    reward: float


class Tables(NamedTuple):
    """A finite POMDP in numbers: S states, A actions, N outcomes in all."""

    start: NDArray[np.float64]  # [at most S] probability of each initial state; they have the lowest numbers
    first: NDArray[np.int64]  # [S * A + 1] outcomes of (s, a) are at first[s * A + a] to first[s * A + a + 1]
    probability: NDArray[np.float64]  # [N]
    state: NDArray[np.int64]  # [N] next state
    observation: NDArray[np.int64]  # [N]
    reward: NDArray[np.float64]  # [N]
    code: NDArray[np.int64]  # [N] of the reward


def outcomes_at(tables: Tables, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the outcomes of some rows, state * A + action, as (position in rows, outcome), row by row."""
    count = tables.first[rows + 1] - tables.first[rows]
    outcome = np.repeat(tables.first[rows] - np.cumsum(count) + count, count) + np.arange(count.sum())
    return np.repeat(np.arange(len(rows)), count), outcome


class POMDP(Environment):
    """An environment with a finite definition. A subclass defines `start` and `outcomes`.

    Raises
    ------
    EnvironmentFault
        On construction, if probabilities do not add up to 1, or an observation or reward was not declared.
    """

    max_states = 1_000_000

    def __init__(self) -> None:
        self._coding = self.coding
        self.states, self.tables = self._build()
        self.reset(0)

    @abstractmethod
    def start(self) -> dict[Any, float]:
        """Return the probability of each initial state."""

    @abstractmethod
    def outcomes(self, state: Any, action: Any) -> Iterable[Outcome]:
        """Return the possible outcomes of an action, given by name, in a state."""

    def legal_in(self, state: Any) -> Iterable[Any]:
        """Return the actions, by name, that are legal in a state: all, unless a subclass says otherwise.

        An action that is not legal stands for one drawn uniformly from those that are: so the best value is that of
        the legal actions, and to act at random is to take a random legal action. `outcomes` is not asked about it.
        """
        return self.actions

    def legal(self) -> Sequence[int]:
        """Return the actions that are legal now."""
        return [self.actions.index(action) for action in self.legal_in(self.states[self.current])]

    def reset(self, seed: int) -> None:
        """Reset to a state drawn from `start`."""
        self.random = stream(seed, ENVIRONMENT)
        self.current = _choose(self.tables.start, 0, len(self.tables.start), self.random)

    def step(self, action: int) -> Percept:
        """Sample an outcome of the action in the current state."""
        i = sample(self.tables, self.current, action, len(self.actions), self.random)
        self.current = self.tables.state[i]
        return Percept(int(self.tables.observation[i]), self._coding.reward(int(self.tables.code[i])))

    def keep(self) -> dict[str, Any] | None:
        """Return the state and the random stream; None for a class with another `reset` or `step`."""
        if type(self).reset is not POMDP.reset or type(self).step is not POMDP.step:
            return None
        return {"current": int(self.current), "random": self.random.copy()}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Go to a state; ValueError if there is none of that number."""
        self.current = as_integer("the state", kept["current"], 0, len(self.states) - 1)
        self.random = restored_stream(kept["random"])

    def render(self) -> str:
        """Return the current state, as the definition names it."""
        return f"state: {self.states[self.current]}"

    def possible(self, state: int) -> list[tuple[Any, float]]:
        """Return what a state, by number, stands for: names and their probabilities. It is itself, mostly."""
        return [(self.states[state], 1.0)]

    @property
    def size(self) -> int:
        """Number of reachable states."""
        return len(self.states)

    @functools.cached_property
    def random_reward(self) -> float:
        """Expected reward per cycle, in the long run, of the random agent. Exact up to rounding."""
        return self.mixed_reward([1 / len(self.actions)] * len(self.actions))

    def mixed_reward(self, chance: Sequence[float]) -> float:
        """Return the expected reward per cycle, in the long run, if actions are drawn with fixed probabilities.

        Parameters
        ----------
        chance : sequence of float
            The probability of each action, the same in each cycle.
        """
        tables, count, actions = self.tables, len(self.states), len(self.actions)
        here = np.repeat(np.arange(count), np.diff(tables.first[::actions]))
        row = np.repeat(np.arange(count * actions), np.diff(tables.first))
        probability = tables.probability * np.asarray(chance, dtype=float)[row % actions]
        step = csr_array((probability, (here, tables.state)), shape=(count, count))
        step.eliminate_zeros()  # from actions that are never taken
        reward = np.bincount(here, probability * tables.reward, count).astype(np.float64)
        return float(tables.start @ long_run_reward(step, reward)[: len(tables.start)])

    def _build(self) -> tuple[list[Any], Tables]:
        observation_number: dict[Hashable, int] = {}
        with self._blamed("start()"):
            start = {state: p for state, p in self.start().items() if p != 0}
            scale = self._check_sum("start", start.values())
            start = {state: p / scale for state, p in start.items()}
        number: dict[Hashable, int] = {state: i for i, state in enumerate(start)}
        states = list(start)
        first, rows = [0], []
        for state in states:  # grows as states are found
            for outcomes in self._outcomes_in(state, observation_number):
                for o in outcomes:
                    if o.probability == 0:
                        continue
                    if o.state not in number:
                        number[o.state] = len(states)
                        states.append(o.state)
                    code = self._coding.code(o.reward)
                    rows.append((o.probability, number[o.state], observation_number[o.observation], code))
                if len(states) > self.max_states:
                    what = f"more than {self.max_states} states can be reached"
                    remedy = "leave something out of the state, raise max_states, or write an Environment instead"
                    raise EnvironmentFault(f"{self.name}: {what}: {remedy}")
                first.append(len(rows))
        probability, state_column, observation, code_column = zip(*rows, strict=True)
        codes = np.array(code_column, dtype=np.int64)
        return states, Tables(
            start=np.array(list(start.values()), dtype=np.float64),
            first=np.array(first, dtype=np.int64),
            probability=np.array(probability, dtype=np.float64),
            state=np.array(state_column, dtype=np.int64),
            observation=np.array(observation, dtype=np.int64),
            reward=self._coding.rewards_of(codes),
            code=codes,
        )

    def _outcomes_in(self, state: Hashable, observation_number: dict[Hashable, int]) -> Iterator[list[Outcome]]:
        """The outcomes of each action in a state, checked; their observations are numbered."""
        with self._blamed(f"legal_in({state!r})"):
            legal = {action: list[Outcome]() for action in self.legal_in(state)}
            if not legal or not legal.keys() <= set(self.actions):
                what = f"legal are {list(legal)!r}: name at least one, and only those in `actions`"
                raise EnvironmentFault(f"{self.name}: state {state!r}: {what}")
        for action in legal:
            where = f"action {action!r} in state {state!r}"
            with self._blamed(where):
                outcomes = [Outcome(*o) for o in self.outcomes(state, action)]
                scale = self._check_sum(where, [o.probability for o in outcomes])
                if scale != 1:
                    outcomes = [o._replace(probability=o.probability / scale) for o in outcomes]
                for o in outcomes:
                    hash(o.state)
                    if o.observation not in observation_number:
                        if o.observation not in self.observations:
                            what = f"observation {o.observation!r} is not declared: add it to `observations`"
                            raise EnvironmentFault(f"{self.name}: {where}: {what}")
                        observation_number[o.observation] = self.observations.index(o.observation)
                    if fault := self.reward_fault(o.reward):
                        raise EnvironmentFault(f"{self.name}: {where}: reward {fault}")
            legal[action] = outcomes
        every = [o._replace(probability=o.probability / len(legal)) for each in legal.values() for o in each]
        for action in self.actions:
            yield legal.get(action, every)

    @contextmanager
    def _blamed(self, where: str) -> Iterator[None]:
        """Name the place of an error in the definition."""
        try:
            yield
        except EnvironmentFault:
            raise
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            remedy = "`start` returns {state: probability}, `outcomes` Outcome(probability, state, observation, reward)"
            raise EnvironmentFault(f"{self.name}: {where}: {self._told(error)}: {remedy}") from error

    def _check_sum(self, where: str, probabilities: Iterable[float]) -> float:
        """What probabilities have to be divided by; 1 if they add up to it but for the rounding of arithmetic."""
        ps = list(probabilities)
        missed = abs(sum(ps) - 1)
        if any(not 0 <= p <= 1 for p in ps) or missed > ROUNDED:
            what = f"the {f'probabilities {ps}' if len(ps) < 9 else f'{len(ps)} probabilities'} are not a distribution"
            remedy = f"they add up to {sum(ps):.9g}; each lies in 0 to 1, and together they are 1"
            raise EnvironmentFault(f"{self.name}: {where}: {what}: {remedy}")
        if missed <= EXACT:
            return 1.0
        if NORMALISED not in self.approximations:
            self.approximations = "; ".join(filter(None, [self.approximations, NORMALISED]))
        return sum(ps)


def as_pomdp(environment: Environment) -> POMDP:
    """Return an environment, checked to be a POMDP.

    Raises
    ------
    ValueError
        If it is not a POMDP.
    """
    if not isinstance(environment, POMDP):
        raise ValueError(f"{environment.name} is no POMDP, so its true model is not known: leave the model at ctw")
    return environment


@compiled
def _choose(probability: NDArray[np.float64], first: int, end: int, random: Stream) -> int:
    """Draw a position from first to end - 1 with the probabilities in these positions."""
    u = draw(random)
    for i in range(first, end - 1):
        u -= probability[i]
        if u < 0:
            return i
    return end - 1


@compiled
def sample(tables: Tables, state: int, action: int, actions: int, random: Stream) -> int:
    """Sample an outcome of an action; return its row in the tables."""
    row = state * actions + action
    return _choose(tables.probability, tables.first[row], tables.first[row + 1], random)

"""Switching: environments one after another, without telling the agent when.

tiger>biased-rps@10000            biased-rps from cycle 10,000 on
tiger>biased-rps@8000~12000       from a cycle in this range, which the seed decides
locks:1>locks:2@5000>locks:1@9000 and back again
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from aixi_approx.environment import Environment, EnvironmentFault, Percept
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.pomdp.solver import best_reward
from aixi_approx.randomness import ENVIRONMENT, below, stream
from aixi_approx.validation import as_integer

EXPLORATION = 0.1  # constant probability of a random action: an agent that stops exploring misses the changes


class Start(NamedTuple):
    """When an environment starts: at a cycle from `earliest` to `latest`, all equally likely."""

    earliest: int
    latest: int


def parse(name: str) -> tuple[list[str], list[Start]]:
    """Return the names of the environments in a sequence, and when each of them starts.

    >>> parse("tiger>biased-rps@10000")
    (['tiger', 'biased-rps'], [Start(earliest=0, latest=0), Start(earliest=10000, latest=10000)])

    Raises
    ------
    EnvironmentFault
        If the name can't be parsed.
    """
    first, *rest = name.split(">")
    if not first.strip():
        raise EnvironmentFault(f"{name}: no environment before the first '>': write tiger{name}")
    names, starts = [first.strip()], [Start(0, 0)]
    for part in rest:
        found = re.fullmatch(r"\s*(.+?)\s*@\s*(\d+)(?:~(\d+))?\s*", part)
        if not found:
            known = part.partition("@")[0].strip()
            raise EnvironmentFault(f"{name}: when does {known!r} start? Write >{known}@10000, or @8000~12000")
        names.append(found[1])
        starts.append(Start(int(found[2]), int(found[3] or found[2])))
    return names, starts


def maker(name: str, find: Callable[[str], Callable[[], Environment]]) -> Callable[[], Environment]:
    """Return a function that makes the sequence with this name; `find` returns the maker of each environment."""
    names, starts = parse(name)
    makers = [find(part) for part in names]

    def new() -> Switching:
        try:
            return Switching([(made.title, made) for made in (make() for make in makers)], starts)
        except EnvironmentFault as error:
            raise EnvironmentFault(f"{name}: {error}") from None

    return new


class Stage(Environment):
    """An environment in the coding of a sequence of environments, so that its bits do not give it away.

    There may be more actions than the environment itself has: action a stands for its action a modulo their number.
    """

    def __init__(self, name: str, inner: Environment, *, switching: Switching) -> None:
        self.title, self.inner, self.settings, self.hidden = name, inner, switching.settings, inner.hidden
        self.schedule = switching.schedule
        self.actions, self.observations = switching.actions, switching.observations
        self.observation_bits = switching.observation_bits
        self.declare_rewards([switching.coding])

    def reset(self, seed: int) -> None:
        """Reset the environment itself."""
        self.inner.reset(seed)

    def step(self, action: int) -> Percept:
        """Take the action that this one stands for."""
        return self.inner.checked_step(action % len(self.inner.actions))

    def keep(self) -> dict[str, Any] | None:
        """Return where the environment itself stands."""
        return self.inner.keep()

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Let the environment itself go there."""
        self.inner.restore(kept)

    def render(self) -> str:
        """Draw the environment itself."""
        return self.inner.render()

    @property
    def name(self) -> str:
        """Name of the environment itself."""
        return self.title

    @property
    def rules(self) -> str:
        """Rules of the environment itself."""
        return self.inner.rules

    @property
    def size(self) -> int | None:
        """Number of states of the environment itself."""
        return self.inner.size

    @functools.cached_property
    def optimum(self) -> float | None:  # type: ignore[override]
        """The optimum of the environment itself, as declared or solved for."""
        return best_reward(self.inner)

    @property
    def random_reward(self) -> float | None:
        """Reward of an agent that takes each action of the sequence with the same probability."""
        own = len(self.inner.actions)
        count = np.bincount(np.arange(len(self.actions)) % own)
        if isinstance(self.inner, POMDP):
            return self.inner.mixed_reward(count / count.sum())
        return self.inner.random_reward if len(set(count.tolist())) == 1 else None


class Switching(Environment):
    """Environments one after another; only the percepts show that one has replaced another.

    >>> from aixi_approx.envs import make
    >>> switching = Switching([("coin", make("coin-flip")), ("maze", make("1d-maze"))], [Start(0, 0), Start(10, 20)])
    >>> switching.actions, switching.coding.percept_bits
    (('tails/left', 'heads/right'), 2)

    All share one coding: the largest number of actions, the joint range of rewards, and the largest number of
    observation bits. Each environment is reset when it starts.

    Parameters
    ----------
    named : sequence of (str, Environment)
        The environments, with their names.
    starts : sequence of Start
        When each of them starts; the first at 0.

    Attributes
    ----------
    stages : list of Stage
        The environments, in the shared coding.
    onsets : list of int
        The cycle at which each of them starts, after a reset.
    """

    def __init__(self, named: Sequence[tuple[str, Environment]], starts: Sequence[Start]) -> None:
        environments = [environment for _, environment in named]
        self.starts = list(starts)
        for before, start in pairwise(self.starts):
            if start.earliest > start.latest:
                raise EnvironmentFault(f"@{start.earliest}~{start.latest}: write the earlier cycle first")
            if start.earliest <= before.latest:
                after = f"write a cycle after {before.latest}, when the previous environment may still start"
                raise EnvironmentFault(f"@{start.earliest} is too early: {after}")
        names = [environment.actions for environment in environments]
        count = max(map(len, names))
        self.actions = tuple("/".join(dict.fromkeys(str(n[a % len(n)]) for n in names)) for a in range(count))
        self.observations = range(max(len(environment.observations) for environment in environments))
        self.observation_bits = max(environment.coding.observation_bits for environment in environments)
        self.declare_rewards([environment.coding for environment in environments])
        self.hidden = "which environment it is, and what that hides"
        own = [environment.settings for environment in environments]
        self.settings = own[0]._replace(
            depth=max(s.depth for s in own),
            horizon=max(s.horizon for s in own),
            simulations=max(s.simulations for s in own),
            epsilon=EXPLORATION,
            decay=1.0,
        )
        last = environments[-1].schedule
        self.schedule = last._replace(cycles=self.starts[-1].latest + last.cycles)
        written = [f"@{s.earliest}" + f"~{s.latest}" * (s.latest > s.earliest) for s in self.starts]
        self.title = ">".join([named[0][0], *(name + s for (name, _), s in zip(named[1:], written[1:], strict=True))])
        self.stages = [Stage(name, environment, switching=self) for name, environment in named]
        self.reset(0)

    @property
    def rules(self) -> str:
        """The rules of all environments, in order."""
        both = zip(self.stages, self.starts, strict=True)
        rules = [f"From cycle {start.earliest:,} on: {part.name}\n\n{part.rules}" for part, start in both]
        return "\n\n".join(["One environment after another; only the percepts show when they change.", *rules])

    @property
    def approximations(self) -> str:  # type: ignore[override]
        """The approximations of all environments."""
        return "; ".join(dict.fromkeys(part.inner.approximations for part in self.stages if part.inner.approximations))

    def reset(self, seed: int) -> None:
        """Start with the first environment. The seed decides when the others start, and everything random in them."""
        random = stream(seed, ENVIRONMENT, len(self.stages))
        self.onsets = [start.earliest + below(random, start.latest - start.earliest + 1) for start in self.starts]
        self.seeds = [int(stream(seed, ENVIRONMENT, i)[0] >> 1) for i in range(len(self.stages))]
        self.cycle = 0
        self.now = 0
        self.stages[0].checked_reset(self.seeds[0])

    def step(self, action: int) -> Percept:
        """Take a step, in the next environment if it is time for it."""
        if self.cycle in self.onsets[self.now + 1 :]:
            self.now += 1
            self.stages[self.now].checked_reset(self.seeds[self.now])
        self.cycle += 1
        return self.stages[self.now].step(action)

    def keep(self) -> dict[str, Any] | None:
        """Return where the present environment stands, and when the others come."""
        here = self.stages[self.now].keep()
        if here is None:
            return None
        return {"cycle": self.cycle, "now": self.now, "onsets": self.onsets, "seeds": self.seeds, "here": here}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Go where `keep` said that it stood; ValueError if it is another sequence."""
        onsets, seeds = list(map(int, kept["onsets"])), list(map(int, kept["seeds"]))
        if not len(onsets) == len(seeds) == len(self.stages):
            raise ValueError("it is another sequence of environments")
        self.now = as_integer("the environment", kept["now"], 0, len(self.stages) - 1)
        self.cycle, self.onsets, self.seeds = int(kept["cycle"]), onsets, seeds
        self.stages[self.now].restore(kept["here"])

    def render(self) -> str:
        """Name and draw the present environment."""
        return f"{self.stages[self.now].name}\n{self.stages[self.now].render()}"

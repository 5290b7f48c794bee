"""Problems in Cassandra's format as environments: `tiger.POMDP`, `grid.MDP`, by the path of the file.

The states, probabilities, rewards and the discount are those of the file; states that can't be reached are left out. An
agent of ours sees its reward in every cycle, whatever the file's author had in mind: where that tells it more than the
observations do, `approximations` says so, and values can be higher than published ones. An .MDP file has no
observations: the state is seen, after each action; before the first one, nothing is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from aixi_approx.coding import ascending
from aixi_approx.environment import EnvironmentFault, Schedule, Settings
from aixi_approx.pomdp.cassandra import Ints, Problem, read_text
from aixi_approx.pomdp.definition import POMDP, Outcome, Tables
from aixi_approx.pomdp.discounted import BEGINNING, RESTART
from aixi_approx.pomdp.to_cassandra import reward_tells

MAX_BYTES = 1 << 30  # of a file
SEEN_CYCLES = 8  # cycles of context that an agent has by default, as in cheese maze, within 32 to 96 bits


class CassandraFile(POMDP):
    """A problem in Cassandra's format.

    Parameters
    ----------
    problem : Problem
        What was read.
    name : str
        What it goes by.
    """

    schedule = Schedule(20_000, evaluation_simulations=1_000)

    def __init__(self, problem: Problem, *, name: str) -> None:
        self.problem, self._name = problem, name
        self.actions = problem.actions
        self.observations = _told_apart(problem.observations, RESTART)
        self.all_states = _told_apart(problem.states, BEGINNING)
        self.discount = problem.discount
        self.hidden = "nothing" if problem.seen else "the state, but for what the observations tell"
        self.reached = _reached(problem)
        count, actions = len(problem.states), np.arange(len(problem.actions))
        rows = (actions * count + self.reached[:, None]).ravel()  # by state, then by action
        try:
            self.joint = problem.joint(rows)
        except EnvironmentFault as error:
            raise EnvironmentFault(f"{name}: {error}") from None
        values, codes = np.unique(self.joint.reward, return_inverse=True)
        self.rewards = ascending(tuple(values.tolist()))
        self.codes = codes.astype(np.int64)
        super().__init__()
        bits = self.coding.cycle_bits
        self.settings = Settings(min(max(32, SEEN_CYCLES * bits), 96), horizon=10, simulations=100, decay=0.9998)
        self.approximations = "; ".join(self._approximations())

    @property
    def name(self) -> str:
        """The path of the file."""
        return self._name

    @property
    def rules(self) -> str:
        """What the file's first comment says, and what it holds."""
        problem = self.problem
        sizes = f"{len(problem.states):,} states, {len(problem.actions)} actions"
        comments = "\n".join(problem.comments)
        about = "".join(c for c in comments if c.isprintable() or c == "\n") or "Nobody has written down its rules."
        seen = "the state is seen" if problem.seen else f"{len(problem.observations)} observations"
        said = f"Read from {self._name}: {sizes}, {seen}, discount {problem.discount:g}"
        return f"{about}\n\n{said}{', costs as negative rewards' if problem.values == 'cost' else ''}."

    def start(self) -> dict[str, float]:
        """Return what the file says."""
        chosen = np.flatnonzero(self.problem.start).tolist()
        return {self.all_states[i]: float(self.problem.start[i]) for i in chosen}

    def outcomes(self, state: str, action: str) -> Iterable[Outcome]:
        """Return what the file says."""
        problem = self.problem
        row = problem.actions.index(action) * len(problem.states) + self.all_states.index(state)
        joint = problem.joint(np.array([row]))
        return [
            Outcome(p, self.all_states[after], self.observations[seen], reward)
            for _, after, seen, p, reward in zip(*(column.tolist() for column in joint), strict=True)
        ]

    def _build(self) -> tuple[list[Any], Tables]:
        """All at once, since files can be large; as `start` and `outcomes` would have it, in another order."""
        problem, joint = self.problem, self.joint
        number = np.full(len(problem.states), -1)
        number[self.reached] = np.arange(len(self.reached))
        rows = len(self.reached) * len(problem.actions)
        start = problem.start[self.reached]
        tables = Tables(
            start=start[start > 0],
            first=np.searchsorted(joint.position, np.arange(rows + 1)),
            probability=joint.probability,
            state=number[joint.after],
            observation=joint.observation,
            reward=np.array(self.rewards, dtype=np.float64)[self.codes],
            code=self.codes,
        )
        return [self.all_states[i] for i in self.reached.tolist()], tables

    def _approximations(self) -> list[str]:
        notices = list(self.problem.notices)
        if self.problem.seen and np.count_nonzero(self.problem.start) > 1:
            notices.append("the first state is not seen before the first action")
        if reward_tells(self.tables, actions=len(self.actions)):
            notices.append("the reward is seen, and tells something of the state that the observation does not")
        return notices


def _told_apart(names: tuple[str, ...], taken: str) -> tuple[str, ...]:
    """Names, of which none is one that has a meaning of its own where a discount is."""
    return tuple(f"{name} of the file" if name == taken else name for name in names)


def _reached(problem: Problem) -> Ints:
    """The states that can be reached; first those of the start."""
    count, actions = len(problem.states), np.arange(len(problem.actions))
    found = problem.start > 0
    fresh = np.flatnonzero(found)
    order = [fresh]
    step = problem.transition
    while len(fresh):
        rows = (actions * count + fresh[:, None]).ravel()
        after = np.unique(step[rows].indices)
        fresh = after[~found[after]]
        found[fresh] = True
        order.append(fresh)
    return np.concatenate(order).astype(np.int64)


def read_problem(path: str | Path) -> Problem:
    """Return the problem that a file describes.

    Raises
    ------
    EnvironmentFault
        If there is no such file, or it describes none.
    """
    try:
        if Path(path).stat().st_size > MAX_BYTES:
            raise EnvironmentFault(f"{path}: the file has more than {MAX_BYTES:,} bytes: write a smaller problem")
        content = Path(path).read_bytes()
    except OSError as error:
        raise EnvironmentFault(f"{path}: it can't be read: {error.strerror or error}") from None
    except ValueError:
        raise EnvironmentFault(f"{str(path)!r} is no path of a file") from None
    text = content.decode("utf-8", "surrogateescape")
    told = re.sub(r"#[^\r\n]*", lambda found: found[0].encode("utf-8", "replace").decode(), text)
    if wrong := re.search("[\udc80-\udcff\0]", told):
        line = len(re.findall(r"\r\n|\r|\n", told[: wrong.start()])) + 1
        raise EnvironmentFault(f"{path}:{line}: it is no text in UTF-8: save it as one, if it is a text at all")
    return read_text(told, name=str(path))


def build(path: str) -> CassandraFile:
    """Return the environment that a file describes.

    Raises
    ------
    EnvironmentFault
        If there is no such file, or it describes none.
    """
    return CassandraFile(read_problem(path), name=path)

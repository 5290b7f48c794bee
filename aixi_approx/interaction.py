"""The agent-environment loop: cycles of action and percept, learning or evaluated, recorded row by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from aixi_approx.agent import Agent
from aixi_approx.environment import Environment, EnvironmentFault, Percept
from aixi_approx.randomness import EVALUATION, stream

MAX_CYCLES = 1 << 31  # of a run


class Row(NamedTuple):
    """One cycle of a run."""

    cycle: int
    action: int
    observation: int
    reward: int
    explored: int  # 1 if the action was random
    log_loss: float  # of the percept, bits; 0 where nothing was learned or nothing is predicted
    simulations: int  # of the search, 0 if there was none


def interact(
    agent: Agent,
    environment: Environment,
    cycles: int,
    learn: bool = True,
    simulations: int | None = None,
    past: Iterable[Row] = (),
    explore: bool | None = None,
) -> Iterator[Row]:
    """Let an agent live in an environment, and yield a row for each cycle.

    Parameters
    ----------
    agent, environment
        Both are changed. The environment is used as it is: reset it first.
    cycles
        How many, those of `past` included.
    learn
        Whether the agent learns. If not, percepts are context only.
    simulations
        Of each search, if other than the planner's own.
    past
        Rows of an earlier run of the same agent in the same environment. They are not searched for again: the
        actions are taken as they stand, and the percepts must come again.
    explore
        Whether it acts at random now and then, and not always greedily; as `learn` if not given.

    Raises
    ------
    EnvironmentFault
        If the environment fails, gives what it did not declare, or does not repeat the percepts of the past.
    """
    past = iter(past)
    explore = learn if explore is None else explore
    for _ in range(cycles):
        row = next(past, None)
        cycle = agent.cycle
        if row is None:
            action, explored, search = agent.act(explore, simulations)
        else:
            action, explored, search = row.action, bool(row.explored), None
        percept = environment.checked_step(action)
        if row is not None and percept != Percept(row.observation, row.reward):
            raise EnvironmentFault(
                f"{environment.name}: cycle {row.cycle} was recorded with percept {row.observation, row.reward} "
                f"and is now {tuple(percept)}: the environment is not a function of its seed, or has changed"
            )
        loss = agent.observe(action, percept, learn)
        count = row.simulations if row else search.simulations if search else 0
        yield Row(cycle, action, percept.observation, percept.reward, int(explored), loss, count)


def evaluation_seed(seed: int) -> int:
    """Return what the environment is reset with in an evaluation; it has 63 bits."""
    return int(stream(seed, EVALUATION)[0] >> 1)


def evaluate(
    agent: Agent,
    environment: Environment,
    cycles: int,
    seed: int = 0,
    simulations: int | None = None,
    past: Iterable[Row] = (),
    learn: bool = False,
) -> Iterator[Row]:
    """Let an agent act greedily for some cycles, without learning unless asked to, and yield a row for each.

    The agent is as it was before as soon as the iterator ends. The environment is not: it is reset, and left where the
    evaluation ends, so evaluate in another instance where learning is to go on.

    Parameters
    ----------
    agent, environment, cycles, past
        As in `interact`.
    seed
        Of the environment, whose randomness in an evaluation differs from that in learning with the same seed.
    simulations
        Of each search; the environment's `settings.evaluation_simulations` if not given.
    learn
        Whether the agent goes on learning meanwhile; it is forgotten with all else at the end.
    """
    environment.checked_reset(evaluation_seed(seed))
    if simulations is None:
        simulations = environment.settings.evaluation_simulations
    with agent.evaluation():
        agent.restart()
        yield from interact(agent, environment, cycles, learn, simulations, past, explore=False)

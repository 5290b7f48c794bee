"""The agent-environment loop: cycles of action and percept, learning or evaluated, recorded row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from aixi_approx.agent import Agent, Decision
from aixi_approx.environment import Environment, EnvironmentFault, Percept
from aixi_approx.randomness import EVALUATION, stream

MAX_CYCLES = 1 << 31  # of a run


class Row(NamedTuple):
    """One cycle of a run."""

    cycle: int
    action: int
    observation: int
    reward: float
    explored: int  # 1 if the action was random
    log_loss: float  # of the percept, bits; 0 where nothing was learned or nothing is predicted
    simulations: int  # of the search, 0 if there was none
    lesson: int = 0  # 1 if the policy of the agent learned the action
    surprise: float = 0.0  # of the policy at the action that it learned, bits


def interact(
    agent: Agent,
    environment: Environment,
    *,
    cycles: int,
    learn: bool = True,
    explore: bool | None = None,
    simulations: int | None = None,
    past: Iterable[Row] = (),
    decided: Callable[[Decision], None] | None = None,
    perceived: Callable[[Decision, Percept], None] | None = None,
) -> Iterator[Row]:
    """Let an agent act in an environment, and yield a row for each cycle.

    Parameters
    ----------
    agent : Agent
        Is changed.
    environment : Environment
        Is changed, too. It is used as it is: reset it first.
    cycles : int
        How many, those of `past` included.
    learn : bool, default: True
        Whether the agent learns. If not, percepts are context only.
    explore : bool, default: that of `learn`
        Whether it sometimes acts at random, and not always greedily.
    simulations : int, optional
        Of each search, if other than the planner's own number.
    past : iterable of Row, optional
        Rows of an earlier run of the same agent in the same environment. They are not searched for again: the
        actions are taken as recorded, and the percepts must come again.
    decided : callable, optional
        Is given each new `Decision` before it is carried out, while the predictor stands at the decision.
    perceived : callable, optional
        Is given each new `Decision` and what came of it, while the predictor still stands at the decision.

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
            decision = agent.act(explore=explore, simulations=simulations)
            action, explored, search, lesson = decision
            if decided:
                decided(decision)
            percept = environment.checked_step(action)
            if perceived:
                perceived(decision, percept)
        else:
            action, explored, search, lesson = row.action, bool(row.explored), None, bool(row.lesson)
            percept = step_again(environment, action, cycle=row.cycle, recorded=Percept(row.observation, row.reward))
        surprise = agent.distil(action) if learn and lesson else 0.0
        loss = agent.observe(action, percept, learn=learn)
        count = row.simulations if row else search.simulations if search else 0
        known = (cycle, action, percept.observation, percept.reward, int(explored), loss, count)
        yield Row(*known, int(learn and lesson), surprise)


def step_again(environment: Environment, action: int, *, cycle: int, recorded: Percept) -> Percept:
    """Take a step of an earlier run, and return its percept.

    Raises
    ------
    EnvironmentFault
        If the environment fails, gives what it did not declare, or does not repeat the recorded percept.
    """
    percept = environment.checked_step(action)
    if percept != recorded:
        raise EnvironmentFault(
            f"{environment.name}: cycle {cycle} was recorded with percept {tuple(recorded)} "
            f"and is now {tuple(percept)}: the environment is not a function of its seed, or has changed"
        )
    return percept


def evaluation_seed(seed: int) -> int:
    """Return what the environment is reset with in an evaluation; it has 63 bits."""
    return int(stream(seed, EVALUATION)[0] >> 1)


def evaluate(
    agent: Agent,
    environment: Environment,
    *,
    cycles: int,
    seed: int = 0,
    learn: bool = False,
    simulations: int | None = None,
    past: Iterable[Row] = (),
    decided: Callable[[Decision], None] | None = None,
    perceived: Callable[[Decision, Percept], None] | None = None,
    reset: bool = True,
) -> Iterator[Row]:
    """Let an agent act greedily for some cycles, without learning unless asked to, and yield a row for each.

    The agent is as it was before as soon as the iterator ends. The environment is not: it is reset, and left where the
    evaluation ends, so evaluate in another instance where learning is to go on.

    Parameters
    ----------
    agent, environment, cycles, past, decided, perceived
        As in `interact`.
    seed : int, default: 0
        Of the environment, whose randomness in an evaluation differs from that in learning with the same seed.
    learn : bool, default: False
        Whether the agent goes on learning meanwhile; what it learns is forgotten with all else at the end.
    simulations : int, default: `schedule.evaluation_simulations` of the environment
        Of each search.
    reset : bool, default: True
        Whether it begins in an environment that is reset, and not in it as it is.
    """
    if reset:
        environment.checked_reset(evaluation_seed(seed))
    if simulations is None:
        simulations = environment.schedule.evaluation_simulations
    with agent.evaluation():
        if reset:
            agent.restart()
        yield from interact(
            agent,
            environment,
            cycles=cycles,
            learn=learn,
            explore=False,
            simulations=simulations,
            past=past,
            decided=decided,
            perceived=perceived,
        )

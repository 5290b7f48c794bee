"""Recorded runs, rebuilt exactly: the agent as it stood at any cycle, and what it thought there.

All that is random in a run is a function of its seed and of the cycle, so the rows are enough: the agent learns them
again, which takes microseconds each, and at the cycles in question it decides anew. It comes to the same decision, and
that is checked. Nothing has to be recorded for this while a run is under way.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from aixi_approx.agent import STEPS, Agent, Decision
from aixi_approx.environment import Environment, Percept
from aixi_approx.envs.switching import Switching
from aixi_approx.experiments.recording import NOTHING, Recorded
from aixi_approx.experiments.running import resume
from aixi_approx.interaction import Row, evaluation_seed, interact
from aixi_approx.introspection.explanation import Explanation
from aixi_approx.introspection.prediction import LEAST
from aixi_approx.planner import SearchResult
from aixi_approx.randomness import EVALUATION, stream
from aixi_approx.viewer.judge import QUERIES, Judge
from aixi_approx.viewer.recorded_run import EVALUATED, LEARNING, RecordedRun, agent_at_start

NEAR = 1e-6  # bits by which a log loss may miss the recorded one: logarithms of another machine


class Replayed(NamedTuple):
    """A cycle of a run that was done again.

    Attributes
    ----------
    part : str
        `learning` or `evaluation`.
    row : Row
        The cycle, as it was recorded.
    environment : Environment
        As it is after the cycle. It must not be changed.
    agent : Agent
        As it is after the cycle. It must not be changed.
    explanation : Explanation or None
        Of the decision, if it was asked for.
    """

    part: str
    row: Row
    environment: Environment
    agent: Agent
    explanation: Explanation | None


def replay(
    run: RecordedRun,
    wanted: Container[int] = (),
    *,
    first: int = 0,
    steps: int = STEPS,
    least: float = LEAST,
    queries: int = QUERIES,
    threads: int = 1,
) -> Iterator[Replayed]:
    """Do a recorded run again, and explain some of its decisions.

    Parameters
    ----------
    run : RecordedRun
        The run.
    wanted : container of int, default: none
        Cycles whose decisions are explained.
    first : int, default: 0
        Cycle before which nothing is needed: what the last snapshot before it holds is not done again.
    steps : int, default: 5
        Cycles that an explanation plans ahead.
    least : float, default: 0.001
        Probability below which an explanation leaves out percepts.
    queries : int, default: 1_000_000
        Of the agent's model, that splitting the regret of a decision may take.
    threads : int, default: 1
        Number of threads for independent searches.

    Yields
    ------
    Replayed
        Cycle after cycle, to the end of the rows.

    Raises
    ------
    ValueError
        If the agent or the environment does not repeat what was recorded: it is no function of its seed, or what it is
        made of has changed since. The cycle is named.
    """
    experiment = run.experiment
    agent, environment = agent_at_start(run, threads=threads)
    environment.checked_reset(experiment.seed)
    done = NOTHING
    if first and (found := resume(Recorded(run.folder), experiment, environment=environment, latest=first)):
        agent, _, done = found
    horizon = getattr(agent.planner, "horizon", None) or 1
    judge = Judge(environment, horizon=horizon, queries=queries)
    for row in run.learning[: done.rows]:
        judge.observe(row.action, Percept(row.observation, row.reward))
    again = _Again(agent, environment, judge, wanted, {"steps": steps, "least": least})
    yield from again.cycles(LEARNING, run.learning[done.rows :])
    if not run.evaluation:
        return
    if isinstance(environment, Switching):
        again.environment = environment.stages[environment.now]
        again.judge = Judge(again.environment, horizon=horizon, queries=queries)
    again.environment.checked_reset(evaluation_seed(experiment.seed))
    again.judge.restart()
    with agent.evaluation():
        agent.restart()
        again.simulations = experiment.schedule.evaluation_simulations
        yield from again.cycles(EVALUATED, run.evaluation, learn=experiment.learn_in_evaluation)


class _Again:
    """An agent and its environment, as they do cycles again."""

    def __init__(
        self, agent: Agent, environment: Environment, judge: Judge, wanted: Container[int], how: dict[str, Any]
    ) -> None:
        self.agent, self.environment, self.judge, self.wanted, self.how = agent, environment, judge, wanted, how
        self.simulations: int | None = None  # of a search, if other than the planner's own number

    def cycles(self, part: str, rows: Sequence[Row], *, learn: bool = True) -> Iterator[Replayed]:
        """Do the cycles of a part again."""
        explore = part == LEARNING
        told = None
        doing = interact(self.agent, self.environment, cycles=len(rows), learn=learn, explore=explore, past=rows)
        for row in rows:
            told = self.explanation(row, explore) if row.cycle in self.wanted else None
            done = next(doing)
            if abs(done.log_loss - row.log_loss) > NEAR or done.cycle != row.cycle:
                raise ValueError(
                    f"cycle {row.cycle} was recorded with a log loss of {row.log_loss:.6g} bits, and is now one of "
                    f"{done.log_loss:.6g}: what the run is made of has changed since"
                )
            self.judge.observe(row.action, Percept(row.observation, row.reward))
            yield Replayed(part, row, self.environment, self.agent, told)

    def explanation(self, row: Row, explore: bool) -> Explanation:
        """Explain the decision of a cycle that is about to be done again."""
        agent = self.agent
        if agent.planner.seconds is not None:  # it can't be repeated: how much it searched is all that is known
            actions = agent.coding.actions
            nothing = SearchResult(
                row.action, np.full(actions, np.nan), np.zeros(actions, dtype=np.int64), row.simulations
            )
            decision = Decision(row.action, bool(row.explored), nothing)
        else:
            decision = agent.act(explore=explore, simulations=self.simulations)
        if (decision.action, decision.explored) != (row.action, bool(row.explored)):
            raise ValueError(
                f"cycle {row.cycle} was recorded with action {row.action}, and now it is {decision.action}: "
                "the agent is no function of its seed, or what it is made of has changed since"
            )
        if decision.search is None:
            search = agent.search(stream(agent.seed, EVALUATION, agent.cycle), simulations=self.simulations)
            decision = decision._replace(search=search)
        return agent.explain(
            decision,
            percept=Percept(row.observation, row.reward),
            truth=self.judge.truth(agent, decision),
            **({**self.how, "steps": 0} if agent.planner.seconds is not None else self.how),
        )

"""One run: an agent learns in an environment from nothing, and is then evaluated."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from aixi_approx.agent import Agent
from aixi_approx.builder import build_agent
from aixi_approx.environment import Environment, Settings
from aixi_approx.envs import make
from aixi_approx.envs.switching import Switching
from aixi_approx.estimate import Estimate, average, finite, normalised
from aixi_approx.experiments.recording import Recording
from aixi_approx.experiments.recovery import phases
from aixi_approx.interaction import MAX_CYCLES, Row, evaluate, interact
from aixi_approx.planner import MAX_SIMULATIONS
from aixi_approx.planners.root_parallel import RootParallel
from aixi_approx.planners.tree_search import SQRT_2
from aixi_approx.pomdp.solver import reward_range
from aixi_approx.predictor import Predictor
from aixi_approx.randomness import stream
from aixi_approx.validation import as_integer

LOSS_WINDOW = 1_000  # cycles that the log loss at the start and at the end is taken over


class Watcher(Protocol):
    """Whoever wants to see a run while it goes on."""

    def __call__(self, part: str, rows: Iterable[Row], cycles: int, environment: Environment) -> Iterator[Row]:
        """Pass on the rows of a part, `learning` or `evaluation`, that has so many cycles in all.

        When a row has come, the environment stands where its cycle has left it. It is to be looked at only.
        """


def unwatched(part: str, rows: Iterable[Row], cycles: int, environment: Environment) -> Iterator[Row]:
    """Watch nothing."""
    return iter(rows)


class Timed:
    """Rows, and the seconds that it took to make them, not to watch them."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = iter(rows)
        self.seconds = 0.0

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        began = time.perf_counter()
        try:
            return next(self.rows)
        finally:
            self.seconds += time.perf_counter() - began


class Experiment(NamedTuple):
    """All that a run is a function of."""

    environment: str
    settings: Settings
    evaluate: int = 2_000  # cycles
    ucb: float = SQRT_2
    memo: bool = True
    seed: int = 0
    model: str = "ctw"
    planner: str = "rhouct"
    prune: float | None = None  # of expectimax; None where its own
    memory_cycles: int | None = None  # of Q-learning; None where its own
    learn_in_evaluation: bool = False

    def options(self) -> dict[str, Any]:
        """Return everything as JSON has it."""
        return {**self._asdict(), "settings": self.settings._asdict()}


def run(
    experiment: Experiment, folder: Path | None = None, watch: Watcher = unwatched, threads: int = 1
) -> dict[str, Any]:
    """Carry out an experiment, or go on with one that was stopped.

    Parameters
    ----------
    experiment
        What to do.
    folder
        Where to write, and to go on from; nothing is written without one.
    watch
        Sees the rows as they come, and the environment.
    threads
        That the searches of a vote run in. The rows are the same.

    Returns
    -------
    dict
        The result as JSON has it: the options, and threads; reward, reward_low and reward_high (per cycle, with the
        95 % interval), random_reward, optimum, score (0 = random, 1 = best; None where one of these is not known);
        log_loss_start and log_loss_end (bits per percept over the first and last 1,000 cycles; None where nothing is
        predicted);
        phases (what became of it in each of several environments, as in `recovery`; the last of them is that of the
        evaluation);
        simulations_learning and simulations_evaluation; nodes, memory (bytes; None where there is no tree); loses (what
        of the original is lost in the environment, in words);
        learning_seconds and evaluation_seconds (of the process that ended the run, without what the watcher took).
    """
    environment = make(experiment.environment)
    settings = experiment.settings
    as_integer("cycles", settings.cycles, 0, MAX_CYCLES)
    as_integer("evaluate", experiment.evaluate, 0, MAX_CYCLES)
    as_integer("evaluation_simulations", settings.evaluation_simulations, 1, MAX_SIMULATIONS)
    agent = build_agent(
        environment,
        experiment.model,
        experiment.planner,
        settings,
        experiment.seed,
        experiment.ucb,
        experiment.memo,
        experiment.prune,
        experiment.memory_cycles,
        threads,
    )
    if isinstance(agent.planner, RootParallel):
        as_integer("evaluation_simulations", settings.evaluation_simulations, agent.planner.searches, MAX_SIMULATIONS)
    if experiment.planner == "expectimax":  # a horizon that takes too long is refused before anything begins
        agent.planner.search(agent.predictor, stream(experiment.seed))
    recording = Recording(folder, experiment.options()) if folder else None
    if recording and (there := recording.result()):
        return there

    environment.checked_reset(experiment.seed)
    past = recording.rows("learning") if recording else []
    rows: Iterable[Row] = interact(agent, environment, settings.cycles, past=past)
    if recording:
        rows = recording.write("learning", rows, len(past))
    learning = Timed(rows)
    learned = list(watch("learning", learning, settings.cycles, environment))

    stage, lived = environment, []
    if isinstance(environment, Switching):
        stage, lived = environment.stages[environment.now], phases(learned, environment)

    past = recording.rows("evaluation") if recording else []
    rows = evaluate(
        agent,
        stage,
        experiment.evaluate,
        experiment.seed,
        settings.evaluation_simulations,
        past,
        experiment.learn_in_evaluation,
    )
    if recording:
        rows = recording.write("evaluation", rows, len(past))
    evaluation = Timed(rows)
    evaluated = list(watch("evaluation", evaluation, experiment.evaluate, stage))
    result = {
        **experiment.options(),
        "threads": threads,
        **_scores(stage, average([row.reward for row in evaluated])),
        "phases": [phase._asdict() for phase in lived],
        **_losses(agent, learned),
        **_costs(agent, learned, evaluated),
        "approximations": environment.approximations,
        "learning_seconds": learning.seconds,
        "evaluation_seconds": evaluation.seconds,
    }
    if recording:
        recording.finish(result)
    return result


def compile_kernels(model: str = "ctw", planner: str = "rhouct") -> None:
    """Use every kernel of an agent once, so that Numba compiles those not in its cache yet. Takes seconds then."""
    environment = make("coin-flip")
    settings = environment.settings._replace(depth=1, horizon=2, simulations=50, epsilon=0.0)
    planner = "rhouct" if ":" in planner else planner  # those with a number have the same kernels
    for _ in interact(build_agent(environment, model, planner, settings), environment, 2):
        pass


def _scores(environment: Environment, reward: Estimate) -> dict[str, Any]:
    random, optimum = reward_range(environment)
    return {
        "reward": finite(reward.mean),
        "reward_low": finite(reward.low),
        "reward_high": finite(reward.high),
        "random_reward": random,
        "optimum": optimum,
        "score": finite(normalised(reward.mean, random, optimum)),
    }


def _losses(agent: Agent, learned: list[Row]) -> dict[str, Any]:
    def mean(rows: list[Row]) -> float | None:
        predicted = rows and isinstance(agent.predictor, Predictor)
        return sum(row.log_loss for row in rows) / len(rows) if predicted else None

    return {"log_loss_start": mean(learned[:LOSS_WINDOW]), "log_loss_end": mean(learned[-LOSS_WINDOW:])}


def _costs(agent: Agent, learned: list[Row], evaluated: list[Row]) -> dict[str, Any]:
    return {
        "simulations_learning": sum(row.simulations for row in learned),
        "simulations_evaluation": sum(row.simulations for row in evaluated),
        "nodes": getattr(agent.predictor, "nodes", None),
        "memory": getattr(agent.predictor, "memory", None),
    }

"""A run: an agent learns in an environment from scratch, and is then evaluated; one that was interrupted goes on."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from aixi_approx.agent import Agent
from aixi_approx.builder import CTW, as_spec, build_agent
from aixi_approx.environment import Environment, Percept
from aixi_approx.envs import make
from aixi_approx.envs.switching import Switching
from aixi_approx.experiments.experiment import Experiment, new_agent, prepared_agent
from aixi_approx.experiments.recording import NOTHING, Recorded, Recording, Written
from aixi_approx.experiments.recovery import phases
from aixi_approx.experiments.result import RunResult, recorded_result
from aixi_approx.experiments.tally import Tally
from aixi_approx.experiments.watching import Confidant, Timed, Told, Watcher, ended, unwatched
from aixi_approx.interaction import MAX_CYCLES, Row, evaluate, interact, step_again
from aixi_approx.laws.estimate import average, finite, normalised
from aixi_approx.planner import MAX_SIMULATIONS
from aixi_approx.planner_spec import DEFAULT, PlannerSpec
from aixi_approx.planners import PLANNERS
from aixi_approx.pomdp.solver import reward_range
from aixi_approx.predictor import Predictor, Statistics
from aixi_approx.predictors import PREDICTORS
from aixi_approx.randomness import stream
from aixi_approx.rollouts import LEARNED
from aixi_approx.validation import as_integer

SNAPSHOT_SECONDS = 1.0  # from one snapshot to the next, at least
SNAPSHOT_SHARE = 20  # and so many times as long as it takes to write one


def run(
    experiment: Experiment,
    folder: Path | None = None,
    *,
    watch: Watcher = unwatched,
    perceived: Confidant | None = None,
    threads: int = 1,
) -> RunResult:
    """Run an experiment, or resume one that was interrupted.

    Parameters
    ----------
    experiment : Experiment
        What to run.
    folder : Path, optional
        Where to record the run, and to resume it from; by default nothing is written. A run that is there and had
        fewer cycles is made longer.
    watch : callable, optional
        Receives the rows as they come, and the environment; see `Watcher`. `show_progress` shows a bar, in a notebook,
        too, and a `Collection` keeps the rows. By default nothing is shown.
    perceived : callable, optional
        Is given the agent, each new decision, and what came of it, while the agent still stands at the decision; see
        `Confidant`. `Agent.explain` leaves the agent as it is.
    threads : int, default: 1
        Number of threads for independent searches. It does not change the rows.

    Raises
    ------
    ValueError
        If a part of the experiment is invalid, or the folder holds something else.
    """
    environment = make(experiment.environment)
    settings, schedule = experiment.settings, experiment.schedule
    as_integer("cycles", schedule.cycles, 0, MAX_CYCLES)
    as_integer("evaluate", experiment.evaluate, 0, MAX_CYCLES)
    fewest = as_integer("searches", experiment.planner.searches or 1, 1, MAX_SIMULATIONS)

    agent, options = prepared_agent(experiment, environment, threads=threads)
    needed = (schedule.cycles + experiment.evaluate) * agent.coding.cycle_bits
    if settings.most_memory is not None and (room := getattr(agent.predictor, "room", needed)) < needed:
        least = math.ceil(1.02 * settings.most_memory * needed / room)
        what = f"the history of {schedule.cycles + experiment.evaluate:,} cycles alone takes more"
        raise ValueError(f"most_memory is {settings.most_memory:,}: {what}; give {least:,} at least")
    simulations = as_integer("evaluation_simulations", schedule.evaluation_simulations, 0, MAX_SIMULATIONS)
    if not simulations and agent.planner.policy is None and agent.planner.simulations:
        raise ValueError("evaluation_simulations is 0, and no policy can act alone: take 1 or more, or a policy")
    if simulations:
        as_integer("evaluation_simulations", simulations, fewest, MAX_SIMULATIONS)
    if agent.planner.can_refuse:
        agent.search(stream(experiment.seed))
    recording = Recording(folder, options) if folder else None
    if recording and (recorded := recording.result()):
        return recorded_result(recorded, recording.folder)
    if recording:
        recording.check()

    environment.checked_reset(experiment.seed)
    learned, done, lived = Tally(), NOTHING, list[Row]()
    switching = environment if isinstance(environment, Switching) else None
    if recording and (found := resume(recording, experiment, environment=environment, threads=threads)):
        agent, learned, done = found
    if switching and recording and done.rows:
        lived += recording.rows("learning")[: done.rows]
    past = recording.rows("learning", after=done) if recording else []
    told = Told(agent, perceived) if perceived else None
    rows: Iterable[Row] = interact(agent, environment, cycles=schedule.cycles - done.rows, past=past, perceived=told)
    if recording:
        written = recording.write("learning", rows, there=len(past), before=done.rows)
        rows = keep_going(written, agent, environment=environment, recording=recording, tally=learned)
    else:
        rows = learned.counted(rows)
    learning = Timed(rows)
    with ended(watch("learning", learning, cycles=schedule.cycles - done.rows, environment=environment)) as watched:
        for row in watched:
            if switching:
                lived.append(row)
    told_in_learning = told.seconds if told else 0.0

    stage, reached = environment, []
    if switching:
        stage, reached = switching.stages[switching.now], phases(lived, switching)

    past = recording.rows("evaluation") if recording else []
    rows = evaluate(
        agent,
        stage,
        cycles=experiment.evaluate,
        seed=experiment.seed,
        learn=experiment.learn_in_evaluation,
        simulations=schedule.evaluation_simulations,
        past=past,
        perceived=told,
    )
    if recording:
        rows = (row for row, _ in recording.write("evaluation", rows, there=len(past)))
    evaluation, evaluated = Timed(rows), Tally()
    with ended(watch("evaluation", evaluation, cycles=experiment.evaluate, environment=stage)) as watched:
        rewards = [row.reward for row in evaluated.counted(watched)]

    reward = average(rewards) if rewards else None
    random_reward, optimum = reward_range(stage)
    sizes: list[Statistics] = [
        getattr(part, "statistics", Statistics)() for part in (agent.predictor, agent.planner.policy)
    ]
    has_policy, predicts = agent.planner.policy is not None, isinstance(agent.predictor, Predictor)
    deciding = [learned] if has_policy and not simulations else [learned, evaluated]
    made, searched = (sum(getattr(part, what) for part in deciding) for what in ("simulations", "searched"))
    log_loss_start, log_loss_end = learned.log_loss.means if predicts else (None, None)
    surprise_start, surprise_end = learned.surprise.means
    result = RunResult(
        experiment=experiment,
        threads=threads,
        reward=reward,
        random_reward=random_reward,
        optimum=optimum,
        score=finite(normalised(reward.mean, random_reward, optimum=optimum)) if reward else None,
        discount=stage.discount if stage.begins_anew else None,
        phases=reached,
        log_loss_start=log_loss_start,
        log_loss_end=log_loss_end,
        lessons=learned.surprise.count if has_policy else None,
        taught=options.get("taught", 0) if has_policy else None,
        surprise_start=surprise_start,
        surprise_end=surprise_end,
        simulations_learning=learned.simulations,
        simulations_evaluation=evaluated.simulations,
        simulations_per_decision=made / searched if made else None,
        nodes=_total(size.nodes for size in sizes),
        memory=_total(size.memory for size in sizes),
        approximations=environment.approximations,
        learning_seconds=learning.seconds - told_in_learning,
        evaluation_seconds=evaluation.seconds - (told.seconds - told_in_learning if told else 0.0),
    )
    if recording:
        recording.finish(result.as_json())
    return result


def resume(
    recorded: Recorded,
    experiment: Experiment,
    *,
    environment: Environment,
    threads: int = 1,
    latest: float = math.inf,
) -> tuple[Agent, Tally, Written] | None:
    """Return an agent as it was at the last snapshot of a run, what its cycles came to, and how far the rows were.

    The environment goes there, too; where it can't say where it stands, it repeats its steps. Return None if no
    snapshot can be used; the environment is as it is after a reset, then.

    Parameters
    ----------
    recorded : Recorded
        The run.
    experiment : Experiment
        What it is a run of.
    environment : Environment
        As it is after a reset.
    threads : int, default: 1
        Number of threads for independent searches.
    latest : float, default: inf
        Cycle that the snapshot must not be after.
    """
    for snapshot, at in recorded.snapshots():
        if at.rows > latest:
            continue
        agent, tally = new_agent(experiment, environment, threads=threads), Tally()
        try:
            agent.restore(snapshot["kept"])
            tally.restore(snapshot["tally"])
            if snapshot["environment"] is not None:
                environment.restore(snapshot["environment"])
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError):
            environment.checked_reset(experiment.seed)
            continue
        if snapshot["environment"] is None:
            for row in recorded.rows("learning")[: at.rows]:
                percept = Percept(row.observation, row.reward)
                step_again(environment, row.action, cycle=row.cycle, recorded=percept)
        return agent, tally, at
    return None


def keep_going(
    written: Iterable[tuple[Row, Written | None]],
    agent: Agent,
    *,
    environment: Environment,
    recording: Recording,
    tally: Tally,
) -> Iterator[Row]:
    """Pass rows on that were written, add them up, and write a snapshot now and then, and at the end.

    An agent that can't be kept has none: its run goes on from its rows alone.
    """
    due = time.perf_counter() + SNAPSHOT_SECONDS
    kept, end = -1, None

    def keep(at: Written) -> None:
        nonlocal due, kept
        began = time.perf_counter()
        place = {"environment": environment.keep(), "tally": tally.keep()}
        recording.keep({**agent.archived(), **place}, at)
        now, kept = time.perf_counter(), at.rows
        due = now + max(SNAPSHOT_SECONDS, SNAPSHOT_SHARE * (now - began))

    try:
        agent.archived()
    except ValueError:
        due = math.inf
    for row, end in written:
        tally.add(row)
        if end and time.perf_counter() > due:
            keep(end)
        yield row
    if end and due < math.inf and kept != end.rows:
        keep(end)


def compile_kernels(model: str = CTW, planner: PlannerSpec | str = DEFAULT) -> None:
    """Use every kernel of an agent once, so that Numba compiles those that are not cached yet, which takes seconds."""
    environment = make("coin-flip")
    settings = environment.settings._replace(depth=1, horizon=2, simulations=50, epsilon=0.0)
    spec = as_spec(planner)._replace(seconds=None, join=None, searches=None)  # none of these changes the kernels
    if spec.rollout is None and spec.policy in (None, LEARNED) and not {spec.name, model} - {*PLANNERS, *PREDICTORS}:
        agent = build_agent(environment, model, planner=spec, settings=settings)
        deque(interact(agent, environment, cycles=2), maxlen=0)


def _total(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None

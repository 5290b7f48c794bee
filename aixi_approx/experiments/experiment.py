"""A run: an agent learns in an environment from scratch, and is then evaluated."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

from aixi_approx.agent import Agent, Decision
from aixi_approx.builder import CTW, as_spec, build_agent, refuse_untaken, replaced_settings
from aixi_approx.display.tables import table
from aixi_approx.display.words import number
from aixi_approx.environment import Environment, Percept, Schedule, Settings
from aixi_approx.envs import make, name_of
from aixi_approx.envs.restarting import named
from aixi_approx.envs.switching import Switching
from aixi_approx.experiments import summary
from aixi_approx.experiments.recording import NOTHING, Recorded, Recording, Written
from aixi_approx.experiments.recovery import Phase, phases
from aixi_approx.experiments.tally import Tally
from aixi_approx.experiments.teacher import begin_with, digest, read_trace, teach
from aixi_approx.interaction import MAX_CYCLES, Row, evaluate, interact, step_again
from aixi_approx.laws.estimate import Estimate, average, finite, normalised
from aixi_approx.planner import MAX_SIMULATIONS
from aixi_approx.planner_spec import DEFAULT, PlannerSpec
from aixi_approx.planners import PLANNERS
from aixi_approx.pomdp.solver import reward_range
from aixi_approx.predictor import Predictor, Statistics
from aixi_approx.predictors import PREDICTORS
from aixi_approx.randomness import stream
from aixi_approx.rollouts import LEARNED
from aixi_approx.validation import as_integer

if TYPE_CHECKING:
    from aixi_approx.display.picture import Picture

WORDS = ("experiment", "phases", "approximations")  # of a result; all else are numbers
EVALUATION_CYCLES, FEWEST_CYCLES = 2_000, 100  # of an evaluation, unless something else is asked for
SNAPSHOT_SECONDS = 1.0  # from one snapshot to the next, at least
SNAPSHOT_SHARE = 20  # and so many times as long as it takes to write one


class Watcher(Protocol):
    """A function that watches a run: it receives the rows as they come, and passes them on."""

    def __call__(self, part: str, rows: Iterable[Row], *, cycles: int, environment: Environment) -> Iterator[Row]:
        """Pass on the rows of a part, `learning` or `evaluation`; `cycles` of them are to come.

        When a row arrives, the environment is in the state after its cycle. It must not be changed.
        """


def unwatched(part: str, rows: Iterable[Row], *, cycles: int, environment: Environment) -> Iterator[Row]:
    """Pass the rows on without watching them."""
    return iter(rows)


@contextmanager
def ended(rows: Iterator[Row]) -> Iterator[Iterator[Row]]:
    """Let what passes rows on end, whatever happens: a display that an error leaves behind would hide the cursor."""
    try:
        yield rows
    finally:
        if isinstance(rows, Generator):
            rows.close()


class Timed:
    """Rows, with the time in seconds that it took to make them, not counting what watches them."""

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


class Confidant(Protocol):
    """A function that is told what an agent decides, and what comes of it."""

    def __call__(self, agent: Agent, decision: Decision, *, percept: Percept) -> None:
        """Take note of a cycle of an agent, which still stands at the decision, and must be left as it is."""


class Told:
    """Tells a function what an agent decides and perceives, and how long that took in all, in seconds."""

    def __init__(self, agent: Agent, perceived: Confidant) -> None:
        self.agent, self.perceived = agent, perceived
        self.seconds = 0.0

    def __call__(self, decision: Decision, percept: Percept) -> None:
        """Tell of a cycle."""
        began = time.perf_counter()
        self.perceived(self.agent, decision, percept=percept)
        self.seconds += time.perf_counter() - began


class Experiment(NamedTuple):
    """Everything that determines the result of a run. `Experiment.of` needs no more than an environment.

    Examples
    --------
    >>> experiment = Experiment.of("tiger", cycles=200, depth=16, simulations=10, evaluation_simulations=10)
    >>> result = run(experiment)
    >>> result.random_reward < result.reward.mean < result.optimum
    True
    """

    environment: str
    settings: Settings
    schedule: Schedule
    planner: PlannerSpec = PlannerSpec()
    model: str = CTW
    evaluate: int = 2_000  # cycles
    learn_in_evaluation: bool = False
    seed: int = 0
    teacher: str | None = None  # folder of a run whose actions the policy learns first
    start: str | None = None  # file of an agent, or folder of a run, whose knowledge it begins with

    @classmethod
    def of(
        cls,
        environment: Environment | str | Any,
        *,
        model: str = CTW,
        planner: PlannerSpec | str = DEFAULT,
        policy: str | None = None,
        discount: float | None = None,
        cycles: int | None = None,
        depth: int | None = None,
        horizon: int | None = None,
        simulations: int | None = None,
        epsilon: float | None = None,
        decay: float | None = None,
        most_memory: int | None = None,
        evaluate: int | None = None,
        evaluation_simulations: int | None = None,
        learn_in_evaluation: bool = False,
        seed: int = 0,
        teacher: Path | str | None = None,
        start: Path | str | None = None,
    ) -> Self:
        """Return the experiment in an environment, whose own settings stand wherever nothing is given.

        Parameters
        ----------
        environment : Environment, str or class
            Its name, or what has one: a class that stands in a file, or an instance that was made by name.
        model, planner
            As in `build_agent`.
        policy : str, optional
            What learns the decisions of the searches: `learned`, or one of your own.
        discount : float, optional
            The environment begins anew with probability 1 - discount after every cycle.
        cycles : int, optional
            Of learning.
        depth, horizon, simulations, epsilon, decay, most_memory
            As in `build_agent`.
        evaluate : int, default: 2000, or `cycles` if that is less, but at least 100
            Cycles of greedy evaluation.
        evaluation_simulations : int, optional
            Of a search in the evaluation; 0 lets the policy act alone.
        learn_in_evaluation : bool, default: False
            Whether it goes on learning there.
        seed : int, default: 0
            The result is a function of it.
        teacher : Path or str, optional
            Folder of a run whose actions the policy learns first.
        start : Path or str, optional
            A saved agent, or the folder of a run, whose knowledge it begins with.

        Raises
        ------
        ValueError
            If there is no such environment, or an option means nothing to such an agent.
        """
        made = make(named(name_of(environment), discount))
        spec = as_spec(planner)
        if policy is not None:
            refuse_untaken(["policy"], spec, model=model)
            spec = spec._replace(policy=policy)
        settings = replaced_settings(
            made.settings,
            spec,
            model=model,
            depth=depth,
            horizon=horizon,
            simulations=simulations,
            epsilon=epsilon,
            decay=decay,
            most_memory=most_memory,
        )
        schedule = made.schedule
        if cycles is not None:
            schedule = schedule._replace(cycles=as_integer("cycles", cycles, 0, MAX_CYCLES))
        if evaluation_simulations is not None:
            refuse_untaken(["evaluation_simulations"], spec, model=model)
            schedule = schedule._replace(evaluation_simulations=evaluation_simulations)
        if evaluate is None:
            short = cycles is not None and 0 < cycles < EVALUATION_CYCLES
            evaluate = max(FEWEST_CYCLES, schedule.cycles) if short else EVALUATION_CYCLES
        return cls(
            made.title,
            settings,
            schedule,
            spec,
            model,
            as_integer("evaluate", evaluate, 0, MAX_CYCLES),
            learn_in_evaluation,
            seed,
            None if teacher is None else str(teacher),
            None if start is None else str(start),
        )

    def _repr_html_(self) -> str:
        """Return all fields, for a notebook."""
        own = {**self._asdict(), "planner": str(self.planner)}
        parts = [own.pop("settings"), own.pop("schedule")]
        rows: list[Any] = [*own.items()]
        for part in parts:
            rows += [type(part).__name__.lower(), *part._asdict().items()]
        return table("An experiment", rows)

    def as_json(self) -> dict[str, Any]:
        """Return all fields, as JSON values."""
        parts = {"settings": self.settings._asdict(), "schedule": self.schedule._asdict()}
        given = {"teacher": self.teacher, "start": self.start}
        paths = {name: None if path is None else str(path) for name, path in given.items()}
        return {**self._asdict(), **parts, "planner": self.planner.as_json(), **paths}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the experiment that `as_json` has written."""
        given = {name: content[name] for name in cls._fields}
        given["settings"], given["schedule"] = Settings(**given["settings"]), Schedule(**given["schedule"])
        return cls(**{**given, "planner": PlannerSpec(**given["planner"])})


class RunResult(NamedTuple):
    """The result of a run; None for anything unknown.

    Attributes
    ----------
    experiment : Experiment
        Everything that determines it.
    threads : int
        Number of threads for independent searches.
    reward : Estimate or None
        Reward per cycle of the evaluation, with its 95 % interval.
    random_reward, optimum : float or None
        Reward per cycle of the random agent, and of the best one.
    score : float or None
        0 for the random agent, 1 for the best one.
    discount : float or None
        That of the environment, if it begins anew.
    phases : list of Phase
        Results in each environment of a sequence; the evaluation is in the last one.
    log_loss_start, log_loss_end : float or None
        Bits per percept over the first and last 1,000 cycles of learning; None if the agent does not predict.
    lessons, taught : int or None
        Decisions of its own, and actions of a teacher, that the policy has learned; None without a policy.
    surprise_start, surprise_end : float or None
        Bits per action that the policy learned, over the first and last 1,000 of them; None without a policy.
    simulations_learning, simulations_evaluation : int
        Total numbers of simulations.
    simulations_per_decision : float or None
        Mean over the decisions, without random actions; None if there were no simulations at all.
    nodes, memory : int or None
        Size of the predictor and of the policy, if there is one; memory in bytes.
    approximations : str
        How the environment differs from its original, in words.
    learning_seconds, evaluation_seconds : float
        Time of the process that finished the run, without that of the watcher.
    """

    experiment: Experiment
    threads: int
    reward: Estimate | None
    random_reward: float | None
    optimum: float | None
    score: float | None
    discount: float | None
    phases: list[Phase]
    log_loss_start: float | None
    log_loss_end: float | None
    lessons: int | None
    taught: int | None
    surprise_start: float | None
    surprise_end: float | None
    simulations_learning: int
    simulations_evaluation: int
    simulations_per_decision: float | None
    nodes: int | None
    memory: int | None
    approximations: str
    learning_seconds: float
    evaluation_seconds: float

    def draw(self, rows: Sequence[Row]) -> Picture:
        """Return a picture, a Matplotlib figure, of the reward while it learned, beside what can be reached.

        Parameters
        ----------
        rows : sequence of Row
            The cycles of learning, from the first on: of a `Collection`, or by `recorded_rows`.
        """
        from aixi_approx.experiments.curve import draw_curve

        return draw_curve(rows, self)

    def __repr__(self) -> str:
        """Return what it comes to, in a line."""
        reward = "not evaluated" if self.reward is None else f"reward {number(self.reward.mean)} per cycle"
        score = "" if self.score is None else f", score {number(self.score)}"
        return f"<RunResult: {summary.title(self)}: {reward}{score}>"

    def _repr_html_(self) -> str:
        """Return what `aixi run` prints, but for the time, for a notebook: it looks the same when it is run again."""
        rows: list[Any] = []
        for section in summary.sections(self):
            rows += [", ".join(filter(None, section.head)), *section.lines]
        note = f"Not as in the original: {self.approximations}." if self.approximations else ""
        return table(summary.title(self), rows, note=note)

    def as_json(self) -> dict[str, Any]:
        """Return all fields as JSON values: those of the experiment, then the others."""
        own = {**self._asdict(), "phases": [phase._asdict() for phase in self.phases]}
        del own["experiment"]
        mean, low, high = map(finite, self.reward or (math.nan,) * 3)
        interval = {"reward": mean, "reward_low": low, "reward_high": high}
        interval["discounted_value"] = None if mean is None or self.discount is None else mean / (1 - self.discount)
        return {**self.experiment.as_json(), **own, **interval}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the result that `as_json` has written."""
        reward = None
        if content["reward"] is not None:
            low, high = content["reward_low"], content["reward_high"]
            reward = Estimate(content["reward"], -math.inf if low is None else low, math.inf if high is None else high)
        own = {name: content[name] for name in cls._fields if name != "experiment"}
        stages = [Phase(**phase) for phase in content["phases"]]
        return cls(**{**own, "experiment": Experiment.from_json(content), "reward": reward, "phases": stages})


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

    agent, options = begin(experiment, environment, threads=threads)
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


def recorded_result(content: Mapping[str, Any], folder: Path) -> RunResult:
    """Return a result that was recorded.

    Raises
    ------
    ValueError
        If it is none.
    """
    broken = f"{folder / 'result.json'} is not the result of a run: remove it, and the run ends once more"
    numbers = [content.get(name) for name in (*RunResult._fields, "reward_low", "reward_high") if name not in WORDS]
    try:
        numbers += [each for phase in content["phases"] for name, each in phase.items() if name != "environment"]
        words = [content["approximations"], *(phase["environment"] for phase in content["phases"])]
        result = RunResult.from_json(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(broken) from error
    fine = all(each is None or (isinstance(each, int | float) and not isinstance(each, bool)) for each in numbers)
    if not fine or not all(isinstance(each, str) for each in words):
        raise ValueError(broken)
    return result


def build(experiment: Experiment, environment: Environment, *, threads: int = 1) -> Agent:
    """Return the agent of an experiment as it is before it knows anything."""
    return build_agent(
        environment,
        experiment.model,
        planner=experiment.planner,
        settings=experiment.settings,
        seed=experiment.seed,
        threads=threads,
    )


def begin(experiment: Experiment, environment: Environment, *, threads: int = 1) -> tuple[Agent, dict[str, Any]]:
    """Return the agent of an experiment as it is before its first cycle, and all that determines the run.

    Parameters
    ----------
    experiment : Experiment
        With the knowledge that it begins with and the teacher of its policy, if any.
    environment : Environment
        Where it lives.
    threads : int, default: 1
        Number of threads for independent searches.

    Returns
    -------
    Agent
    dict of str to object
        The experiment as JSON values, and what tells the knowledge and the lessons from others.
    """
    agent, options = build(experiment, environment, threads=threads), experiment.as_json()
    if experiment.start is not None:
        options["knowledge"] = begin_with(agent, experiment.start)
    if experiment.teacher is not None:
        trace = read_trace(experiment.teacher, environment)
        teach(agent, trace)
        options["trace"], options["taught"] = digest(trace), sum(not row.explored for row in trace)
    return agent, options


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
        agent, tally = build(experiment, environment, threads=threads), Tally()
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

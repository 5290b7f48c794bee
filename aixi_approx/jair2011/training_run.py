"""A life: an agent learns, and is evaluated on the way, as in JAIR 2011, section 7.2.

An evaluation is of the agent as it is at that point of its life: it acts greedily for some cycles in another instance
of the environment, learns nothing, and has forgotten it afterwards. One life serves any number of evaluations, with
other planners and other numbers of simulations than it learns with.

    DIR/manifest.json         what the life is a function of
    DIR/learning.csv          a row for each cycle of learning
    DIR/evaluations.jsonl     a line for each evaluation

What stands there is not done again. A life that was stopped is replayed from its rows without searching, and goes on;
so does one that is asked for more evaluations, or more cycles, than before.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from itertools import groupby, islice
from pathlib import Path
from typing import Any, NamedTuple

from aixi_approx.agent import Agent
from aixi_approx.builder import MODEL_FREE, build_agent, build_planner
from aixi_approx.environment import Environment, Settings
from aixi_approx.envs import make
from aixi_approx.estimate import average
from aixi_approx.execution.folder import JsonLines
from aixi_approx.experiments.recording import Recording
from aixi_approx.interaction import evaluate, interact
from aixi_approx.planners.tree_search import SQRT_2

CYCLE_WORK = 200.0  # of a cycle without a search
MEMO_GAIN = 0.8  # the cost of a search grows with about this power of its simulations


class Trial(NamedTuple):
    """An evaluation: at which experience, by which search, for how long."""

    experience: int  # cycles of learning before it
    planner: str  # rhouct or one-ply; that of the life where it has no model
    simulations: int
    cycles: int
    learn: bool = False  # whether the agent goes on learning meanwhile


class Life(NamedTuple):
    """One agent that learns in one environment, and its evaluations."""

    environment: str
    settings: Settings
    trials: tuple[Trial, ...]
    seed: int = 0
    planner: str = "rhouct"  # that it learns with
    ucb: float = SQRT_2

    @property
    def name(self) -> str:
        """What its folder is called."""
        return f"{self.environment.replace('/', '_')}-{self.planner}-{self.seed}"

    def options(self) -> dict[str, Any]:
        """Return what each of its cycles is a function of, as JSON has it."""
        s = self.settings
        learning = {"depth": s.depth, "horizon": s.horizon, "simulations": s.simulations}
        exploration = {"epsilon": s.epsilon, "decay": s.decay, "ucb": self.ucb, "seed": self.seed}
        return {"environment": self.environment, "life": self.planner, **learning, **exploration}


Tick = Callable[[float], None]


def unheard(work: float) -> None:
    """Tell nobody."""


def live(life: Life, folder: Path, tick: Tick = unheard) -> list[dict[str, Any]]:
    """Carry out a life, or what is missing of it.

    Parameters
    ----------
    life
        What to do.
    folder
        Where to write, and to go on from.
    tick
        Is told of work as it is done, in the units of `work`.

    Returns
    -------
    list of dict
        A row for each trial of the life: those of `options` and of `Trial`; reward, reward_low and reward_high (per
        cycle, with the 95 % interval within this evaluation); seconds.
    """
    recording = Recording(folder, life.options())
    lines = JsonLines(folder / "evaluations.jsonl")
    done = {Trial(*(line[field] for field in Trial._fields)): line for line in lines.read()}
    missing = sorted(set(life.trials) - set(done))
    if missing:
        environment, other = make(life.environment), make(life.environment)
        environment.checked_reset(life.seed)
        agent = build_agent(environment, "ctw", life.planner, life.settings, life.seed, life.ucb)
        past = recording.rows("learning")
        cycles = max(missing[-1].experience, len(past))
        rows = recording.write("learning", interact(agent, environment, cycles, past=past), len(past))
        for experience, trials in groupby(missing, key=lambda trial: trial.experience):
            for row in islice(rows, experience - agent.cycle):
                tick(_cycle_work(life, row.simulations))
            for trial in trials:
                done[trial] = _try(life, trial, agent, other, tick)
                lines.append(done[trial])
    return [done[trial] for trial in life.trials]


def _try(life: Life, trial: Trial, agent: Agent, environment: Environment, tick: Tick) -> dict[str, Any]:
    """Evaluate what an agent knows, by the planner of a trial."""
    judged = agent
    if life.planner not in MODEL_FREE:
        horizon, simulations = life.settings.horizon, trial.simulations
        planner = build_planner(environment, "ctw", trial.planner, horizon, simulations, life.ucb)
        judged = Agent(agent.coding, agent.predictor, planner, seed=life.seed)
        judged.cycle = agent.cycle
    began = time.perf_counter()
    rewards = []
    for row in evaluate(judged, environment, trial.cycles, life.seed, trial.simulations, learn=trial.learn):
        rewards.append(row.reward)
        tick(_cycle_work(life, trial.simulations))
    seconds = time.perf_counter() - began
    reward = average(rewards)
    return {
        **life.options(),
        "learning_simulations": life.settings.simulations,
        **trial._asdict(),
        **{"reward": reward.mean, "reward_low": reward.low, "reward_high": reward.high, "seconds": seconds},
    }


def work(life: Life) -> float:
    """Return about how much work a life is, in units that take about the same time anywhere."""
    settings = life.settings
    longest = max((trial.experience for trial in life.trials), default=0)
    random = settings.epsilon * sum(settings.decay**cycle for cycle in range(longest))
    learning = random * _cycle_work(life, 0) + (longest - random) * _cycle_work(life, settings.simulations)
    return learning + sum(trial.cycles * _cycle_work(life, trial.simulations) for trial in life.trials)


def _cycle_work(life: Life, simulations: int) -> float:
    """How much work a cycle is: percept bits that are asked for, and a constant for all the rest."""
    if life.planner in MODEL_FREE:
        return CYCLE_WORK
    return CYCLE_WORK + _percept_bits(life.environment) * life.settings.horizon * simulations**MEMO_GAIN


@functools.cache
def _percept_bits(environment: str) -> int:
    return make(environment).coding.percept_bits

"""A cell of a study: what a predictor knows after some experience, and what searches make of it.

It is a function of its arguments and of nothing else, but for the seconds that it counts: no files, no global state.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx.agent import Agent
from aixi_approx.builder import build_agent, build_planner
from aixi_approx.environment import Environment
from aixi_approx.envs import make
from aixi_approx.estimate import finite
from aixi_approx.interaction import evaluation_seed, interact
from aixi_approx.laboratory.experience import Cycle, TrainingRun
from aixi_approx.laboratory.regret import DecisionAnalyser, DecisionAnalysis, Planner, RegretParts, TrueValues
from aixi_approx.planners.belief_expectimax import BeliefExpectimax
from aixi_approx.planners.expectimax import Expectimax
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.pomdp.solver import SAME, Solution, solve_soon
from aixi_approx.predictors.context_tree import FactoredContextTree
from aixi_approx.predictors.true_model import TrueModel
from aixi_approx.randomness import PROBE, SHUFFLE, below, draw, stream

CTW, SHUFFLED, TRUE = MODELS = ("ctw", "shuffled", "true")
EFFORT = 100_000  # times that a predictor is asked for the exact values at one history, leaving out so much
PRUNES = (1e-2, 1e-3, 1e-4, 1e-5)
PILOT_CYCLES, PILOT_SIMULATIONS = 200, 300


class Trial(NamedTuple):
    """A frozen agent acts greedily for some cycles."""

    horizon: int
    method: str  # of planning, as in `build_planner`
    simulations: int  # of a decision


class Cell(NamedTuple):
    """One predictor, and all trials of it."""

    subject: TrainingRun
    experience: int  # cycles of the subject that the predictor has learned
    model: str  # ctw; shuffled: the percepts are put in random order first; true, which has nothing to learn
    depth: int  # bits of context
    cycles: int  # of a trial
    probes: int  # decisions of these that are accounted for
    trials: tuple[Trial, ...]


def measure(cell: Cell, past: Sequence[Cycle]) -> dict[str, Any]:
    """Carry out a cell.

    Parameters
    ----------
    cell
        What to do.
    past
        The experience of its subject, at least as many cycles as the cell asks for.

    Returns
    -------
    dict
        log_loss
            Of the experience, bits in all.
        best_tree
            In hindsight, a `BestTree`.
        nodes, bits, visits, seconds
            What learning took: stored nodes, bits predicted or learned, nodes visited.
        trials
            A dict for each: the fields of `Trial`; reward, per cycle; regret, what an average decision loses in the
            long run; within and long_run, the account of an average probe, as if the agent were as exploring as its
            subject is after so much experience; missed and sure, as in `Judgement`; searched, bits, visits, seconds:
            what a decision took, in simulations, bits predicted or learned, nodes visited. None is not known, or
            infinite.
    """
    environment = make(cell.subject.environment)
    if cell.model == TRUE:
        return {"trials": _trials(cell, environment, true_model(environment), [])}
    coding = environment.coding
    predictor = FactoredContextTree(cell.depth, coding.action_bits, coding.percept_bits)
    lived = list(past[: cell.experience])
    if cell.model == SHUFFLED:
        lived = _shuffled(lived, cell.subject.seed)
    history = [bit for cycle in lived for bit in coding.cycle(*cycle).tolist()]
    began = time.perf_counter()
    known: dict[str, Any] = {"log_loss": predictor.learn(history), "nodes": predictor.nodes}
    seconds = time.perf_counter() - began
    if cell.model == CTW:
        known["best_tree"] = predictor.best_tree()._asdict()
    work = {"bits": predictor.work.bits, "visits": predictor.work.nodes}
    trials = _trials(cell, environment, predictor, history[-cell.depth :])
    return {**known, **work, "seconds": seconds, "trials": trials}


def true_model(environment: Environment) -> TrueModel:
    """Return the predictor that knows an environment; ValueError if it is no POMDP."""
    if isinstance(environment, POMDP):
        return TrueModel(environment)
    raise ValueError(f"{environment.name} is no POMDP, so its true model is not known: leave the model {TRUE} out")


def _shuffled(lived: Sequence[Cycle], seed: int) -> list[Cycle]:
    """The same actions, and the same percepts in random order: all that can be learned is how often each comes."""
    random = stream(seed, SHUFFLE)
    order = np.argsort([draw(random) for _ in lived])
    return [(cycle[0], *lived[i][1:]) for cycle, i in zip(lived, order.tolist(), strict=True)]


@functools.cache
def exact(environment: str) -> Solution | None:
    """Return the exact solution of an environment, or None if it has none, or none that is soon found."""
    pomdp = make(environment)
    return solve_soon(pomdp, merges=(SAME,)) if isinstance(pomdp, POMDP) else None


def _trials(cell: Cell, environment: Environment, predictor: Any, context: list[int]) -> list[dict[str, Any]]:
    truths: dict[int, TrueValues | None] = {}
    judges: dict[int, DecisionAnalyser] = {}
    settings = cell.subject.settings
    epsilon = 0.0 if cell.model == TRUE else settings.epsilon * settings.decay**cell.experience
    for horizon in {trial.horizon for trial in cell.trials}:
        truth = None
        planners: list[Planner]
        if isinstance(environment, POMDP):
            truth = TrueValues(environment, horizon, exact(cell.subject.environment))
        if cell.model == TRUE:
            planners = [BeliefExpectimax(predictor.pomdp, horizon, math.inf, TrueValues.EFFORT)]
        else:
            planners = [Expectimax(environment.coding, horizon, prune, math.inf, EFFORT) for prune in PRUNES]
        truths[horizon], judges[horizon] = truth, DecisionAnalyser(planners, truth, epsilon)
    return [
        _try(cell, trial, environment, predictor, context, truths[trial.horizon], judges[trial.horizon])
        for trial in cell.trials
    ]


def _try(
    cell: Cell,
    trial: Trial,
    environment: Environment,
    predictor: Any,
    context: list[int],
    truth: TrueValues | None,
    judge: DecisionAnalyser,
) -> dict[str, Any]:
    seed, coding = cell.subject.seed, environment.coding
    probes = _probes(cell)
    model = "true" if cell.model == TRUE else "ctw"
    planner = build_planner(environment, model, trial.method, trial.horizon, max(1, trial.simulations))
    agent = Agent(coding, predictor, planner, seed=seed)
    agent.cycle = cell.experience
    environment.checked_reset(evaluation_seed(seed))
    rewards, regrets, judgements, searched, work, seconds = [], [], [], 0, np.zeros(2), 0.0
    context = context.copy()
    judge.restart()
    if truth:
        truth.restart()
    with agent.evaluation():
        agent.restart()
        for t in range(cell.cycles):
            before, began = _work(predictor), time.perf_counter()
            decision = agent.act(explore=False)
            seconds += time.perf_counter() - began
            work += _work(predictor) - before
            assert decision.search is not None
            searched += decision.search.simulations
            if truth:
                regrets.append(truth.regret(decision.action))
            if t in probes:
                noticed = context if cell.model == TRUE else context[-cell.depth :]
                judgements.append(judge(predictor, bytes(noticed), decision.action))
            percept = environment.checked_step(decision.action)
            rewards.append(percept.reward)
            agent.observe(decision.action, percept, learn=False)
            context += coding.cycle(decision.action, *percept).tolist()
            if truth:
                truth.observe(decision.action, percept)
    counted = work / cell.cycles if cell.model != TRUE else np.full(2, math.nan)
    return {
        **trial._asdict(),
        "reward": sum(rewards) / cell.cycles,
        "regret": finite(sum(regrets) / cell.cycles) if regrets else None,
        **_average(judgements),
        "searched": searched / cell.cycles,
        "bits": finite(counted[0]),
        "visits": finite(counted[1]),
        "seconds": seconds / cell.cycles,
    }


def _probes(cell: Cell) -> set[int]:
    """Cycles whose decisions are accounted for: one of each stretch, at random, as an environment may be periodic."""
    random = stream(cell.subject.seed, PROBE)
    bounds = [i * cell.cycles // cell.probes for i in range(cell.probes + 1)]
    return {begin + below(random, end - begin) for begin, end in pairwise(bounds)}


def _work(predictor: Any) -> NDArray[np.int64]:
    return np.array(predictor.work if isinstance(predictor, FactoredContextTree) else (0, 0))


def _average(judgements: list[DecisionAnalysis]) -> dict[str, Any]:
    return {
        "within": _average_loss([judgement.within for judgement in judgements]),
        "long_run": _average_loss([judgement.long_run for judgement in judgements]),
        "missed": finite(sum(j.missed for j in judgements) / len(judgements)),
        "sure": sum(j.sure for j in judgements) / len(judgements),
    }


def _average_loss(losses: list[RegretParts | None]) -> dict[str, float | None] | None:
    known = [loss for loss in losses if loss is not None]
    if len(known) < len(losses):
        return None
    with np.errstate(invalid="ignore"):  # where an action loses reward for ever
        mean = np.mean(known, axis=0)
    return {part: finite(value) for part, value in zip(RegretParts._fields, mean.tolist(), strict=True)}


def pilot(subject: TrainingRun) -> float:
    """Try out how many seconds a simulation of a beginner takes."""
    environment, settings = make(subject.environment), subject.settings
    environment.checked_reset(subject.seed)
    agent = build_agent(environment, settings=settings._replace(epsilon=1.0, decay=1.0), seed=subject.seed)
    for _ in interact(agent, environment, PILOT_CYCLES):
        pass
    seconds = math.inf
    for _ in range(3):  # the first compiles
        agent.planner.forget()
        began = time.perf_counter()
        agent.act(explore=False, simulations=PILOT_SIMULATIONS)
        seconds = min(seconds, time.perf_counter() - began)
    return seconds / PILOT_SIMULATIONS

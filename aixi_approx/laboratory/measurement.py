"""Measurement of conditions: what a predictor knows at a checkpoint, and how well searches decide with it.

It is a function of its arguments alone, except for the seconds that it counts: no files, no global state.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aixi_approx import planners, predictors
from aixi_approx.agent import Agent, Decision, blamed
from aixi_approx.builder import CTW, TRUE, as_spec, build_planner
from aixi_approx.coding import Coding
from aixi_approx.environment import Environment, Percept
from aixi_approx.envs import make
from aixi_approx.interaction import evaluate
from aixi_approx.laboratory.condition import Checkpoint, Cycle, Group, Setting, TrainingRun
from aixi_approx.laboratory.experience import left_by, work_of
from aixi_approx.laboratory.regret import (
    TIE,
    Bounds,
    DecisionAnalyser,
    DecisionAnalysis,
    Interval,
    RegretParts,
    TrueValues,
    exact_planners,
)
from aixi_approx.laws.estimate import average, finite
from aixi_approx.planner import Learner
from aixi_approx.planner_spec import PlannerSpec
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.pomdp.solution import SAME, Solution
from aixi_approx.pomdp.solver import reward_range, solve_soon
from aixi_approx.predictors.context_tree import FactoredContextTree
from aixi_approx.predictors.true_model import TrueModel
from aixi_approx.randomness import PROBE, SHUFFLE, below, draw, stream
from aixi_approx.rollout import Rollout
from aixi_approx.rollouts import LEARNED

SHUFFLED = "shuffled"  # a control: ctw, with the percepts in random order
NO_MODEL = "none"  # of a learner without one
MAX_QUERIES = 100_000  # of a predictor, for the exact values at one history, by each of the planners below

Bits = list[int]


def measure(group: Group, past: Sequence[Cycle]) -> dict[str, Any]:
    """Measure all conditions of a checkpoint.

    Parameters
    ----------
    group : Group
        What to measure.
    past : sequence of Cycle
        The cycles of its training run, at least as many as the checkpoint has learned.

    Returns
    -------
    dict
        world : dict
            What is known of the environment: random_reward and optimum, per cycle, and receding_reward, that of exact
            decisions within the horizon.
        learned : dict
            What learning came to: log_loss of the experience, in bits, summed; best_tree in hindsight, as in
            `BestTree`, for a context tree; nodes; bits, predicted or learned, visits and seconds that it took. Empty
            for a model that has nothing to learn.
        rows : list of dict
            For each setting its coordinates and: reward per cycle, with reward_low and reward_high, its 95 % interval
            within this evaluation; regret, what a decision loses on average in the long run, reward per cycle; wrong,
            the share of decisions that lose anything; boundary, what the reward is above the optimum less the regret on
            average, because the evaluation ends elsewhere than it began; within_horizon and long_run, the mean
            `RegretParts` of the sampled decisions, with the exploration of the training run after so much experience;
            simple_regret and certified, as in `DecisionAnalysis`, on average, of the search that found the action, or
            that the policy of a planner without a search has learned from; bounds, low and high of prediction and
            decision, and of the simple_regret, for sure; searched, bits, visits, seconds: what a decision took, in
            simulations, bits predicted or learned, nodes visited. None is unknown or infinite. Of a learner without a
            model only the regret is known, not its parts.

    Raises
    ------
    ValueError
        If the environment has no such model.

    Notes
    -----
    The policy of a setting has learned the lessons among the cycles, as that of the learner has, at the depth of the
    training run whatever that of the checkpoint is. Where there are none, as with a learner without a policy or on the
    true model, it has learned nothing.
    """
    checkpoint = group.checkpoint
    environment = make(checkpoint.run.environment)
    cycles = lived = list(past[: checkpoint.experience])
    if checkpoint.model == SHUFFLED:
        cycles = _shuffled(lived, checkpoint.run.seed)
    learner, learned = _learn(checkpoint, environment, cycles)
    analysis = _Analysis(group, environment, learner, lived)
    begin = left_by(checkpoint.run, lived) if goes_on(group) and group.settings else lambda: environment
    return {
        "world": dict(world(checkpoint.run.environment, checkpoint.run.settings.horizon)),
        "learned": learned,
        "rows": [_evaluate(group, setting, begin(), learner, cycles, analysis) for setting in group.settings],
    }


def goes_on(group: Group) -> bool:
    """Return whether evaluations go on where learning ended: not if nothing was learned, as with the true model."""
    return group.warm_up is not None and group.checkpoint.experience > 0


def _learn(checkpoint: Checkpoint, environment: Environment, cycles: Sequence[Cycle]) -> tuple[Learner, dict[str, Any]]:
    """The learner of a checkpoint, and what learning came to."""
    run, coding = checkpoint.run, environment.coding
    if checkpoint.model == NO_MODEL:
        learner = build_planner(environment, run.learner, settings=run.settings).learner()
        assert learner is not None
        for cycle in cycles:
            learner.learn(_bits(coding, cycle))
        return learner, {}
    model = CTW if checkpoint.model == SHUFFLED else checkpoint.model
    predictor = predictors.make_predictor(model, environment, settings=run.settings._replace(depth=checkpoint.depth))
    if checkpoint.model == TRUE:
        return predictor, {}
    bits = np.array([bit for cycle in cycles for bit in _bits(coding, cycle).tolist()], dtype=np.uint8)
    began = time.perf_counter()
    with blamed("learning", predictor):
        learned: dict[str, Any] = {"log_loss": predictor.learn(bits)}
    learned["seconds"] = time.perf_counter() - began
    if checkpoint.model == CTW and isinstance(predictor, FactoredContextTree):
        learned["best_tree"] = predictor.best_tree()._asdict()
    statistics = predictor.statistics()
    return predictor, {**learned, "nodes": statistics.nodes, "bits": statistics.bits, "visits": statistics.visits}


def _bits(coding: Coding, cycle: Cycle) -> NDArray[np.uint8]:
    return coding.cycle(cycle.action, *cycle.percept)


def _shuffled(cycles: Sequence[Cycle], seed: int) -> list[Cycle]:
    """The same actions, and the same percepts in random order: all that can be learned is how often each comes."""
    random = stream(seed, SHUFFLE)
    order = np.argsort([draw(random) for _ in cycles])
    pairs = zip(cycles, order.tolist(), strict=True)
    return [cycles[i]._replace(action=cycle.action, lesson=cycle.lesson) for cycle, i in pairs]


@functools.cache
def exact(environment: str) -> Solution | None:
    """Return the exact solution of an environment.

    Parameters
    ----------
    environment : str
        Its name.

    Returns
    -------
    Solution or None
        None if it is no POMDP, or one that takes too long to solve.
    """
    pomdp = make(environment)
    return solve_soon(pomdp, merges=(SAME,)) if isinstance(pomdp, POMDP) else None


@functools.cache
def world(environment: str, horizon: int) -> dict[str, float | None]:
    """Return the reward per cycle of a random agent, of the best one, and of exact decisions; each None if unknown.

    Parameters
    ----------
    environment : str
        Its name.
    horizon : int
        Cycles that exact decisions look ahead.
    """
    random, optimum = reward_range(make(environment))
    solution = exact(environment)
    receding = solution.receding_reward(horizon) if solution else None
    known = {"random_reward": random, "optimum": optimum, "receding_reward": receding}
    return {what: None if reward is None else finite(float(reward)) for what, reward in known.items()}


class _Analysis:
    """What the regret of decisions at a checkpoint is analysed with, for each horizon."""

    def __init__(self, group: Group, environment: Environment, learner: Learner, cycles: Sequence[Cycle]) -> None:
        self.group, self.environment, self.learner = group, environment, learner
        self._past = [(cycle.action, cycle.percept) for cycle in cycles] if goes_on(group) else []
        self._truths: dict[int, TrueValues | None] = {}
        self._analysers: dict[tuple[int, bool], DecisionAnalyser] = {}

    def truth(self, horizon: int) -> TrueValues | None:
        """The values of actions in the true environment, where they can be known."""
        if horizon not in self._truths:
            name = self.group.checkpoint.run.environment
            pomdp = self.environment
            known = isinstance(pomdp, POMDP) and self.group.sampled_decisions
            self._truths[horizon] = None
            if known:
                truth = self._truths[horizon] = TrueValues(pomdp, horizon, solution=exact(name))  # type: ignore[arg-type]
                truth.begin(self._past)
        return self._truths[horizon]

    def analyser(self, horizon: int, learn: bool) -> DecisionAnalyser:
        """What splits the regret of a decision, of a predictor that learns meanwhile or not."""
        if (horizon, learn) not in self._analysers:
            checkpoint, coding = self.group.checkpoint, self.environment.coding
            settings = checkpoint.run.settings
            knows = isinstance(self.learner, TrueModel)
            epsilon = 0.0 if knows else settings.epsilon * settings.decay**checkpoint.experience
            planners = exact_planners(self.learner, coding, horizon=horizon, max_queries=MAX_QUERIES)
            self._analysers[horizon, learn] = DecisionAnalyser(planners, self.truth(horizon), epsilon=epsilon)
        return self._analysers[horizon, learn]


def _evaluate(
    group: Group,
    setting: Setting,
    environment: Environment,
    learner: Learner,
    cycles: Sequence[Cycle],
    analysis: _Analysis,
) -> dict[str, Any]:
    """One condition: an agent acts greedily, and its decisions are compared with exact ones."""
    checkpoint, coding, warm_up = group.checkpoint, environment.coding, group.warm_up or 0
    run = checkpoint.run
    horizon = setting.planner.horizon or PlannerSpec.parse(run.learner).horizon or run.settings.horizon
    agent = _agent(checkpoint, setting.planner, environment=environment, learner=learner, cycles=cycles)
    planner = agent.planner
    truth = analysis.truth(horizon)
    sampled = set() if checkpoint.model == NO_MODEL else _sampled(group, setting)
    analyser = analysis.analyser(horizon, setting.learn) if sampled else None
    searcher = None  # what the policy has learned from, if that is all there is
    if analyser and planner.policy is not None and not planner.simulations:
        searcher = _agent(checkpoint, run.learner, environment=environment, learner=learner, cycles=cycles)
        searcher.planner.mark()  # it searches as in an evaluation
    if analyser:
        analyser.restart()
    if truth:
        truth.restart()
    memory = 0 if setting.learn else _memory(checkpoint, learner)
    context: Bits = [bit for cycle in cycles[-memory:] for bit in _bits(coding, cycle).tolist()] if memory else []
    rewards: list[float] = []
    regrets: list[float] = []
    values: list[float] = []  # of the histories, relative to the start
    analyses: list[DecisionAnalysis] = []
    searched, work, seconds = 0, np.zeros(2), 0.0
    work_before, began = _work(learner), time.perf_counter()

    def decided(decision: Decision) -> None:
        nonlocal searched, work, seconds
        if agent.cycle - checkpoint.experience < warm_up:
            return
        seconds += time.perf_counter() - began
        work += _work(learner) - work_before
        searched += decision.search.simulations if decision.search else 0
        if truth:
            regrets.append(truth.regret(decision.action))
            values.append(truth.relative_value())
        if analyser and len(rewards) in sampled:
            noticed = context[-checkpoint.depth :] if memory else context
            found, policy = decision.action, None
            if searcher:
                found, policy = searcher.search(stream(run.seed, PROBE, agent.cycle)).action, decision.action
            analyses.append(analyser(learner, bytes(noticed), action=found, policy=policy))

    rows = evaluate(
        agent,
        environment,
        cycles=warm_up + setting.cycles,
        seed=run.seed,
        learn=setting.learn,
        simulations=planner.simulations or None,
        decided=decided,
        reset=not goes_on(group),
    )
    for number, row in enumerate(rows):
        if number >= warm_up:
            rewards.append(row.reward)
        if truth or analyser:
            context += coding.cycle(row.action, row.observation, row.reward).tolist()
        if truth:
            truth.observe(row.action, Percept(row.observation, row.reward))
        if searcher:
            searcher.watch(row.action, Percept(row.observation, row.reward), lesson=False)
        work_before, began = _work(learner), time.perf_counter()
    if truth:
        values.append(truth.relative_value())
    reward = average(rewards)
    return {
        **setting.coordinates,
        "reward": sum(rewards) / setting.cycles,
        "reward_low": finite(reward.low),
        "reward_high": finite(reward.high),
        "regret": finite(sum(regrets) / setting.cycles) if regrets else None,
        "wrong": finite(sum(r > TIE if r == r else r for r in regrets) / setting.cycles) if regrets else None,
        "boundary": finite((values[0] - values[-1]) / setting.cycles) if values else None,
        **_average(analyses),
        "searched": searched / setting.cycles,
        "bits": finite(work[0] / setting.cycles),
        "visits": finite(work[1] / setting.cycles),
        "seconds": seconds / setting.cycles,
    }


def _agent(
    checkpoint: Checkpoint,
    planner: PlannerSpec | str,
    *,
    environment: Environment,
    learner: Learner,
    cycles: Sequence[Cycle],
) -> Agent:
    """An agent that decides as a planner does. Its policy, if any, has learned the lessons of the experience."""
    run = checkpoint.run
    model = CTW if checkpoint.model in (SHUFFLED, NO_MODEL) else checkpoint.model
    shared = None
    if _same_policy(as_spec(planner), as_spec(run.learner)):
        shared = _taught(run, environment=environment, learner=learner, cycles=cycles)
    search = build_planner(environment, planner, model=model, settings=run.settings, policy=shared)
    agent = Agent(environment.coding, learner, planner=search, seed=run.seed)
    agent.cycle = checkpoint.experience
    if search.reads_history and shared is None:
        for cycle in cycles:
            agent.watch(cycle.action, cycle.percept, lesson=bool(cycle.lesson))
    return agent


def _taught(run: TrainingRun, *, environment: Environment, learner: Learner, cycles: Sequence[Cycle]) -> Rollout:
    """The policy of a training run after some cycles."""
    planner = build_planner(environment, run.learner, settings=run.settings)
    agent = Agent(environment.coding, learner, planner=planner, seed=run.seed)
    for cycle in cycles:
        agent.watch(cycle.action, cycle.percept, lesson=bool(cycle.lesson), own=True)
    policy: Rollout = planner.policy
    return policy


def _same_policy(planner: PlannerSpec, learner: PlannerSpec) -> bool:
    """Whether a planner acts by the policy that the learner has taught."""
    own = planner.policy or (LEARNED if planners.planner_class(planner.name).needs_policy else None)
    return learner.policy is not None and (own, planner.depth) == (learner.policy, learner.depth)


def _memory(checkpoint: Checkpoint, learner: Learner) -> int:
    """How many past cycles the predictions of a frozen context tree can depend on; 0 for another predictor.

    Of another predictor all predictions follow from what it has learned, the same for all settings, and the bits since.
    """
    return checkpoint.depth if isinstance(learner, FactoredContextTree) else 0


def _sampled(group: Group, setting: Setting) -> set[int]:
    """Cycles whose decisions are analysed: a random one of each segment, as an environment may be periodic."""
    count = min(group.sampled_decisions, setting.cycles)
    random = stream(group.checkpoint.run.seed, PROBE)
    bounds = [i * setting.cycles // count for i in range(count + 1)] if count else []
    return {begin + below(random, end - begin) for begin, end in pairwise(bounds)}


def _work(learner: Learner) -> NDArray[np.float64]:
    """Bits predicted or learned so far, and nodes visited; NaN where they are not counted."""
    return np.array([math.nan if count is None else count for count in work_of(learner)], dtype=float)


def _average(analyses: list[DecisionAnalysis]) -> dict[str, Any]:
    if not analyses:
        return dict.fromkeys(("within_horizon", "long_run", "simple_regret", "bounds", "certified"))
    return {
        "within_horizon": _average_parts([analysis.within_horizon for analysis in analyses]),
        "long_run": _average_parts([analysis.long_run for analysis in analyses]),
        "simple_regret": finite(sum(analysis.simple_regret for analysis in analyses) / len(analyses)),
        "bounds": {
            **{part: _ends([getattr(a.bounds, part) for a in analyses]) for part in Bounds._fields},
            "simple_regret": _ends([analysis.simple_regret_bounds for analysis in analyses]),
        },
        "certified": sum(analysis.certified for analysis in analyses) / len(analyses),
    }


def _ends(intervals: list[Interval]) -> list[float | None]:
    """The mean low end, and the mean high end."""
    with np.errstate(invalid="ignore"):
        return [finite(end) for end in np.mean(intervals, axis=0).tolist()]


def _average_parts(parts: list[RegretParts | None]) -> dict[str, float | None] | None:
    known = [each for each in parts if each is not None]
    if len(known) < len(parts):
        return None
    with np.errstate(invalid="ignore"):  # where an action loses reward forever
        mean = np.mean(known, axis=0)
    return {part: finite(value) for part, value in zip(RegretParts._fields, mean.tolist(), strict=True)}

"""The builder: an agent out of a model and a planner, each by its name.

           rhouct     one-ply       expectimax
    ctw    MC-AIXI    1-ply MC      exact on what was learned
    true   AImu       1-ply AImu    exact on the beliefs of the environment

    majority:K, pooled:K    rhouct by other means: K searches that share the simulations, and vote or are pooled
    seconds:S               rhouct for S seconds a decision, however many simulations that is

The planners `q-learning` and `random` have no model.
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

from aixi_approx.agent import Agent, Learner
from aixi_approx.environment import Environment, Settings
from aixi_approx.planner import Planner
from aixi_approx.planners.belief_expectimax import BeliefExpectimax
from aixi_approx.planners.expectimax import Expectimax
from aixi_approx.planners.pouct import POUCT
from aixi_approx.planners.q_learning import ActionValues, Greedy
from aixi_approx.planners.random_planner import NoLearner, RandomPlanner
from aixi_approx.planners.rho_uct import RhoUCT
from aixi_approx.planners.root_parallel import MAX_THREADS, RULES, RootParallel
from aixi_approx.planners.tree_search import SQRT_2
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.predictors.context_tree import FactoredContextTree
from aixi_approx.predictors.true_model import TrueModel
from aixi_approx.validation import as_integer

MODELS = ("ctw", "true")
METHODS = ("rhouct", "one-ply", "expectimax", "majority:K", "pooled:K", "seconds:S")
MODEL_FREE = ("q-learning", "random")
PLANNERS = METHODS + MODEL_FREE
MOST_IN_TIME = 10_000_000  # simulations of a decision of S seconds: a tree of some GB


def build_agent(
    environment: Environment,
    model: str = "ctw",
    planner: str = "rhouct",
    settings: Settings | None = None,
    seed: int = 0,
    ucb: float = SQRT_2,
    memo: bool = True,
    prune: float | None = None,
    memory: int | None = None,
    threads: int = 1,
) -> Agent:
    """Return an agent for an environment.

    Parameters
    ----------
    environment
        The environment it is to live in.
    model
        What it predicts with: `ctw`, a FAC-CTW that learns, or `true`, the environment's own definition.
    planner
        How it decides: a method of `build_planner`, or `q-learning` or `random`, which have no model.
    settings
        Depth, horizon, simulations, epsilon and decay; the environment's own if not given.
    seed
        Of all that is random in the agent.
    ucb, memo, prune, threads
        As in `build_planner`.
    memory
        As in `ActionValues`, for Q-learning only.

    Raises
    ------
    ValueError
        For a combination that makes no sense, with one line that says what can be done.

    Examples
    --------
    >>> from aixi_approx import interact, make
    >>> tiger = make("tiger")
    >>> aimu = build_agent(tiger, "true", settings=tiger.settings._replace(epsilon=0.0))
    >>> [row.action for row in interact(aimu, tiger, 1)]    # it listens
    [0]
    """
    coding, settings = environment.coding, environment.settings if settings is None else settings
    _check(model, planner, prune, threads)
    if memory is not None and planner != "q-learning":
        raise ValueError("only q-learning has a memory of a number of cycles: give no memory")
    knowledge: Learner
    search: Planner
    if planner in MODEL_FREE:
        if model == "true":
            raise ValueError(f"{planner} has no model: leave it at ctw, or plan with {', '.join(METHODS)}")
        if planner == "random":
            knowledge, search = NoLearner(coding), RandomPlanner(coding.actions)
        else:
            knowledge, search = ActionValues(coding, *(() if memory is None else (memory,))), Greedy()
    else:
        search = build_planner(
            environment, model, planner, settings.horizon, settings.simulations, ucb, memo, prune, threads
        )
        if model == "true":
            knowledge = TrueModel(_pomdp(environment))
        else:
            knowledge = FactoredContextTree(settings.depth, coding.action_bits, coding.percept_bits)
    return Agent(coding, knowledge, search, settings.epsilon, settings.decay, seed)


def build_planner(
    environment: Environment,
    model: str,
    method: str,
    horizon: int,
    simulations: int,
    ucb: float = SQRT_2,
    memo: bool = True,
    prune: float | None = None,
    threads: int = 1,
) -> Planner:
    """Return a planner for an environment and a model of it.

    Parameters
    ----------
    environment
        The environment to plan in.
    model
        What it plans on: `ctw`, a predictor that has learned, or `true`, the `TrueModel` of the environment.
    method
        `rhouct`; `one-ply`, rhoUCT with a single cycle of UCB before the rollout; `expectimax`, which is exact;
        `majority:K` and `pooled:K`, K searches by rhoUCT that are joined as in `RootParallel`; `seconds:S`, rhoUCT for
        S seconds a decision, so that it can't be repeated.
    horizon
        Cycles that it looks ahead.
    simulations
        Of a decision, all searches together. Of no meaning to `expectimax` and `seconds:S`.
    ucb, memo
        As in `RhoUCT`.
    prune
        As in `Expectimax`, on a learned model only.
    threads
        That the searches of `majority:K` and `pooled:K` run in. The result is the same.

    Raises
    ------
    ValueError
        For a combination that makes no sense, with one line that says what can be done.

    Examples
    --------
    >>> from aixi_approx import make
    >>> from aixi_approx.randomness import stream
    >>> tiger = make("tiger")
    >>> eight = build_planner(tiger, "true", "majority:8", horizon=3, simulations=10_000)
    >>> eight.search(TrueModel(tiger), stream(1)).action    # listen
    0
    """
    _check(model, method, prune, threads)
    name, number = parsed(method)
    if name in MODEL_FREE:
        raise ValueError(f"{name} plans on no model: take {', '.join(METHODS)}")
    if name == "expectimax":
        if model == "true":
            return BeliefExpectimax(_pomdp(environment), horizon)
        return Expectimax(environment.coding, horizon, *(() if prune is None else (prune,)))
    plies = 1 if name == "one-ply" else None  # cycles of UCB; None for the whole horizon
    seconds = number if name == "seconds" else None
    simulations = MOST_IN_TIME if name == "seconds" else simulations

    def rho_uct() -> RhoUCT | POUCT:
        if model == "true":
            return POUCT(_pomdp(environment), horizon, simulations, ucb, plies, seconds)
        return RhoUCT(environment.coding, horizon, simulations, ucb, memo, plies, seconds)

    if name in RULES:
        searches = int(number)
        return RootParallel([rho_uct() for _ in range(min(threads, searches))], searches, name)
    return rho_uct()


def mc_aixi(environment: Environment, seed: int = 0, ucb: float = SQRT_2, memo: bool = True, **given: Any) -> Agent:
    """Return the agent of JAIR 2011, FAC-CTW with rhoUCT.

    Parameters
    ----------
    environment, seed, ucb, memo
        As in `build_agent`.
    given
        depth, horizon, simulations, epsilon, decay, as in `Settings`; the environment's own if not given.
    """
    settings = environment.settings._replace(**given)
    return build_agent(environment, settings=settings, seed=seed, ucb=ucb, memo=memo)


def parsed(planner: str) -> tuple[str, float]:
    """Return the name of a planner and its number, K or S, 0 if it has none.

    Raises
    ------
    ValueError
        If there is no such planner.

    Examples
    --------
    >>> parsed("rhouct"), parsed("majority:8"), parsed("seconds:0.01")
    (('rhouct', 0), ('majority', 8), ('seconds', 0.01))
    """
    name, colon, number = planner.partition(":")
    if not colon and name in PLANNERS:
        return name, 0
    if f"{name}:K" in PLANNERS and number.isdecimal() and int(number) > 0:
        return name, int(number)
    if f"{name}:S" in PLANNERS:
        with suppress(ValueError):
            if 0 < float(number) < math.inf:
                return name, float(number)
    raise ValueError(
        f"no planner {planner!r}: there are {', '.join(PLANNERS)}, with K searches and S seconds a decision"
    )


def _check(model: str, planner: str, prune: float | None, threads: int) -> None:
    """Refuse names that are none, and options that the planner does not heed."""
    if model not in MODELS:
        raise ValueError(f"no model {model!r}: there are {', '.join(MODELS)}")
    name, _ = parsed(planner)
    if prune is not None and (model, name) != ("ctw", "expectimax"):
        raise ValueError("only expectimax on the model ctw leaves anything out: give no prune")
    if as_integer("threads", threads, 1, MAX_THREADS) > 1 and name not in RULES:
        raise ValueError("only majority:K and pooled:K have searches for several threads: give no threads")


def _pomdp(environment: Environment) -> POMDP:
    if not isinstance(environment, POMDP):
        raise ValueError(f"{environment.name} is no POMDP, so its true model is not known: leave the model at ctw")
    return environment

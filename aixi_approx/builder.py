"""The builder: an agent out of a model and a planner, each by its name.

           rhouct     one-ply       expectimax
    ctw    MC-AIXI    1-ply MC      exact on what was learned
    true   AImu       1-ply AImu    exact on the beliefs of the environment

The planners `q-learning` and `random` have no model.
"""

from __future__ import annotations

from typing import Any

from aixi_approx.agent import Agent, Knowledge, Planner
from aixi_approx.belief_expectimax import BeliefExpectimax
from aixi_approx.chance import Chance, Nothing
from aixi_approx.context_tree import FactoredContextTree
from aixi_approx.environment import Environment, Settings
from aixi_approx.expectimax import Expectimax
from aixi_approx.pomdp import POMDP
from aixi_approx.q_learning import ActionValues, Greedy
from aixi_approx.search import SQRT_2, RhoUCT
from aixi_approx.state_search import StateSearch
from aixi_approx.true_model import TrueModel

MODELS = ("ctw", "true")
PLANNERS = ("rhouct", "one-ply", "expectimax", "q-learning", "random")
MODEL_FREE = PLANNERS[3:]
PLIES = {"rhouct": None, "one-ply": 1}  # cycles of UCB; None for the whole horizon


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
) -> Agent:
    """Return an agent for an environment.

    Parameters
    ----------
    environment
        The environment it is to live in.
    model
        What it predicts with: `ctw`, a FAC-CTW that learns, or `true`, the environment's own definition.
    planner
        How it decides: `rhouct`; `one-ply`, rhoUCT with a single cycle of UCB before the rollout; `expectimax`,
        which is exact; `q-learning` and `random`, which have no model.
    settings
        Depth, horizon, simulations, epsilon and decay; the environment's own if not given.
    seed
        Of all that is random in the agent.
    ucb, memo
        As in `RhoUCT`.
    prune
        As in `Expectimax`, on a learned model only.
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
    for what, name, names in (("model", model, MODELS), ("planner", planner, PLANNERS)):
        if name not in names:
            raise ValueError(f"no {what} {name!r}: there are {', '.join(names)}")
    if prune is not None and (model, planner) != ("ctw", "expectimax"):
        raise ValueError("only expectimax on the model ctw leaves anything out: give no prune")
    if memory is not None and planner != "q-learning":
        raise ValueError("only q-learning has a memory of a number of cycles: give no memory")
    horizon, simulations = settings.horizon, settings.simulations
    plies = PLIES.get(planner)
    knowledge: Knowledge
    search: Planner
    if planner in MODEL_FREE:
        if model == "true":
            raise ValueError(f"{planner} has no model: leave it at ctw, or plan with {', '.join(PLANNERS[:3])}")
        if planner == "random":
            knowledge, search = Nothing(coding), Chance(coding.actions)
        else:
            knowledge, search = ActionValues(coding, *(() if memory is None else (memory,))), Greedy()
    elif model == "true":
        if not isinstance(environment, POMDP):
            raise ValueError(f"{environment.name} is no POMDP, so its true model is not known: leave the model at ctw")
        knowledge = TrueModel(environment)
        if planner == "expectimax":
            search = BeliefExpectimax(environment, horizon)
        else:
            search = StateSearch(environment, horizon, simulations, ucb, plies)
    else:
        knowledge = FactoredContextTree(settings.depth, coding.action_bits, coding.percept_bits)
        if planner == "expectimax":
            search = Expectimax(coding, horizon, *(() if prune is None else (prune,)))
        else:
            search = RhoUCT(coding, horizon, simulations, ucb, memo, plies)
    return Agent(coding, knowledge, search, settings.epsilon, settings.decay, seed)


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


def check_method(method):
    pass


def build_planner(environment, model, method, horizon, simulations, ucb=SQRT_2):
    if method == "expectimax":
        return BeliefExpectimax(environment, horizon) if model == "true" else Expectimax(environment.coding, horizon)
    if model == "true":
        return StateSearch(environment, horizon, simulations, ucb, PLIES[method])
    return RhoUCT(environment.coding, horizon, simulations, ucb, True, PLIES[method])
EXPECTIMAX="expectimax"
def searches(method): return 1

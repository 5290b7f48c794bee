"""MC-AIXI, fast, exact and readable: an agent is a predictor plus a search.

    >>> import aixi_approx as aixi
    >>> environment = aixi.make("tiger")
    >>> agent = aixi.mc_aixi(environment, depth=16, simulations=50, seed=1)
    >>> rows = list(aixi.interact(agent, environment, cycles=20))
    >>> rewards = [row.reward for row in aixi.evaluate(agent, environment, cycles=20)]
    >>> aixi.average(rewards).mean <= 10
    True

Names are loaded when they are first used, so that importing the package takes no time.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

from aixi_approx._version import __version__ as __version__

# In a checkout, the folders envs and cli are beside this one. After `pip install .`, the compiled `_context_tree` is in
# the installed copy only; when Python starts in the checkout, this folder hides that copy.
if os.path.isfile(os.path.join(__path__[0], os.pardir, "ext", "_context_tree.pyx")):
    from pkgutil import extend_path

    __path__ = extend_path([*__path__, os.path.dirname(__path__[0])], __name__)

if TYPE_CHECKING:
    from aixi_approx.agent import Agent as Agent
    from aixi_approx.builder import build_agent as build_agent
    from aixi_approx.builder import build_planner as build_planner
    from aixi_approx.builder import mc_aixi as mc_aixi
    from aixi_approx.coding import Coding as Coding
    from aixi_approx.conformance.environment import check_environment as check_environment
    from aixi_approx.environment import Environment as Environment
    from aixi_approx.environment import EnvironmentFault as EnvironmentFault
    from aixi_approx.environment import Percept as Percept
    from aixi_approx.environment import Settings as Settings
    from aixi_approx.envs import ENVIRONMENTS as ENVIRONMENTS
    from aixi_approx.envs import make as make
    from aixi_approx.estimate import average as average
    from aixi_approx.interaction import evaluate as evaluate
    from aixi_approx.interaction import interact as interact
    from aixi_approx.laboratory.runner import Laboratory as Laboratory
    from aixi_approx.laboratory.study import Study as Study
    from aixi_approx.laws.curves import fit_curve as fit_curve
    from aixi_approx.laws.joint import fit_joint_law as fit_joint_law
    from aixi_approx.laws.trade_off import fit_trade_off as fit_trade_off
    from aixi_approx.planners.belief_expectimax import BeliefExpectimax as BeliefExpectimax
    from aixi_approx.planners.expectimax import Expectimax as Expectimax
    from aixi_approx.planners.pouct import POUCT as POUCT
    from aixi_approx.planners.q_learning import ActionValues as ActionValues
    from aixi_approx.planners.rho_uct import RhoUCT as RhoUCT
    from aixi_approx.planners.root_parallel import RootParallel as RootParallel
    from aixi_approx.pomdp.belief import believe as believe
    from aixi_approx.pomdp.definition import POMDP as POMDP
    from aixi_approx.pomdp.definition import Outcome as Outcome
    from aixi_approx.pomdp.solver import Solution as Solution
    from aixi_approx.pomdp.solver import solve as solve
    from aixi_approx.predictor import Predictor as Predictor
    from aixi_approx.predictors.context_tree import ContextTree as ContextTree
    from aixi_approx.predictors.context_tree import FactoredContextTree as FactoredContextTree
    from aixi_approx.predictors.true_model import TrueModel as TrueModel

_HOME = {
    "agent": ("Agent",),
    "pomdp.belief": ("believe",),
    "planners.belief_expectimax": ("BeliefExpectimax",),
    "builder": ("build_agent", "build_planner", "mc_aixi"),
    "coding": ("Coding",),
    "conformance.environment": ("check_environment",),
    "predictors.context_tree": ("ContextTree", "FactoredContextTree"),
    "environment": ("Environment", "EnvironmentFault", "Percept", "Settings"),
    "envs": ("ENVIRONMENTS", "make"),
    "planners.expectimax": ("Expectimax",),
    "estimate": ("average",),
    "interaction": ("evaluate", "interact"),
    "laws.joint": ("fit_joint_law",),
    "laboratory.runner": ("Laboratory",),
    "laws.curves": ("fit_curve",),
    "pomdp.definition": ("POMDP", "Outcome"),
    "predictor": ("Predictor",),
    "planners.q_learning": ("ActionValues",),
    "planners.rho_uct": ("RhoUCT",),
    "pomdp.solver": ("Solution", "solve"),
    "planners.pouct": ("POUCT",),
    "laboratory.study": ("Study",),
    "laws.trade_off": ("fit_trade_off",),
    "predictors.true_model": ("TrueModel",),
    "planners.root_parallel": ("RootParallel",),
}

__all__ = sorted(name for names in _HOME.values() for name in names)


def __getattr__(name: str) -> Any:
    for module, names in _HOME.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]

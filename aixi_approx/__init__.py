"""MC-AIXI, fast, exact and readable: an agent is a predictor plus a search.

    >>> import aixi_approx as aixi
    >>> environment = aixi.make("tiger")
    >>> agent = aixi.mc_aixi(environment, depth=16, simulations=50, seed=1)
    >>> rows = list(aixi.interact(agent, environment, cycles=20))
    >>> rewards = [row.reward for row in aixi.evaluate(agent, environment, cycles=20)]
    >>> aixi.average(rewards).mean <= 10
    True

Here stand the names that most programs need; the folders `predictors`, `planners`, `pomdp`, `laws`, `laboratory` and
`execution` have the others. Names are loaded when they are first used, so that importing the package takes no time.
"""

import os
from typing import TYPE_CHECKING

from aixi_approx._lazy import lazy
from aixi_approx._version import __version__ as __version__

# In a checkout, the folders envs and cli are beside this one. After `pip install .`, the compiled `_context_tree` is in
# the installed copy only; when Python starts in the checkout, this folder hides that copy.
if os.path.isfile(os.path.join(__path__[0], os.pardir, "ext", "_context_tree.pyx")):
    from pkgutil import extend_path

    __path__ = extend_path([*__path__, os.path.dirname(__path__[0])], __name__)

if TYPE_CHECKING:
    from aixi_approx.agent import Agent as Agent
    from aixi_approx.builder import build_agent as build_agent
    from aixi_approx.builder import load as load
    from aixi_approx.builder import mc_aixi as mc_aixi
    from aixi_approx.conformance.environment import check_environment as check_environment
    from aixi_approx.conformance.planner import check_planner as check_planner
    from aixi_approx.conformance.predictor import check_predictor as check_predictor
    from aixi_approx.display.data_frame import frame as frame
    from aixi_approx.environment import Environment as Environment
    from aixi_approx.environment import EnvironmentFault as EnvironmentFault
    from aixi_approx.environment import Percept as Percept
    from aixi_approx.environment import Schedule as Schedule
    from aixi_approx.environment import Settings as Settings
    from aixi_approx.envs import make as make
    from aixi_approx.experiments.collection import Collection as Collection
    from aixi_approx.experiments.experiment import Experiment as Experiment
    from aixi_approx.experiments.progress import show_progress as show_progress
    from aixi_approx.experiments.running import run as run
    from aixi_approx.interaction import evaluate as evaluate
    from aixi_approx.interaction import interact as interact
    from aixi_approx.laws.estimate import average as average
    from aixi_approx.planner import Planner as Planner
    from aixi_approx.pomdp.definition import POMDP as POMDP
    from aixi_approx.pomdp.definition import Outcome as Outcome
    from aixi_approx.pomdp.solver import solve as solve
    from aixi_approx.predictor import Predictor as Predictor
    from aixi_approx.predictors.include import get_include as get_include
    from aixi_approx.rollout import Rollout as Rollout

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "agent": ("Agent",),
        "builder": ("build_agent", "load", "mc_aixi"),
        "conformance.environment": ("check_environment",),
        "conformance.planner": ("check_planner",),
        "conformance.predictor": ("check_predictor",),
        "environment": ("Environment", "EnvironmentFault", "Percept", "Schedule", "Settings"),
        "envs": ("make",),
        "experiments.collection": ("Collection",),
        "experiments.experiment": ("Experiment",),
        "experiments.running": ("run",),
        "experiments.progress": ("show_progress",),
        "display.data_frame": ("frame",),
        "laws.estimate": ("average",),
        "interaction": ("evaluate", "interact"),
        "planner": ("Planner",),
        "pomdp.definition": ("POMDP", "Outcome"),
        "pomdp.solver": ("solve",),
        "predictor": ("Predictor",),
        "predictors.include": ("get_include",),
        "rollout": ("Rollout",),
    },
)

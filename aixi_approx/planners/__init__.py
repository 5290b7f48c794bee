"""The planners, by name. A new one is a file here and a line in the table.

A planner of your own goes by `my_planner.py:Mine`, one of an installed package by an entry point of the group
`aixi_approx.planners`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aixi_approx._lazy import lazy
from aixi_approx.planner_spec import PlannerSpec
from aixi_approx.registry import Registry

if TYPE_CHECKING:
    from aixi_approx.environment import Environment
    from aixi_approx.planner import Planner
    from aixi_approx.planners.aiqi import AIQI as AIQI
    from aixi_approx.planners.belief_expectimax import BeliefExpectimax as BeliefExpectimax
    from aixi_approx.planners.expectimax import Expectimax as Expectimax
    from aixi_approx.planners.graph_uct import GraphUCT as GraphUCT
    from aixi_approx.planners.policy_alone import PolicyAlone as PolicyAlone
    from aixi_approx.planners.pouct import POUCT as POUCT
    from aixi_approx.planners.q_learning import QLearning as QLearning
    from aixi_approx.planners.random_planner import RandomPlanner as RandomPlanner
    from aixi_approx.planners.rho_uct import RhoUCT as RhoUCT
    from aixi_approx.planners.root_parallel import RootParallel as RootParallel
    from aixi_approx.planners.self_aixi import SelfAImu as SelfAImu
    from aixi_approx.planners.self_aixi import SelfAIXI as SelfAIXI
    from aixi_approx.rollout import Rollout

PLANNERS = {
    "dpuct": "dp_uct:DPUCT",
    "rhouct": "rho_uct:RhoUCT",
    "one-ply": "rho_uct:OnePly",
    "flat": "rho_uct:FlatMonteCarlo",
    "expectimax": "expectimax:Expectimax",
    "self-aixi": "self_aixi:SelfAIXI",
    "policy-alone": "policy_alone:PolicyAlone",
    "q-learning": "q_learning:QLearning",
    "aiqi": "aiqi:AIQI",
    "random": "random_planner:RandomPlanner",
}
ON_BELIEFS = {  # the same on the belief of a true model
    "dpuct": "graph_uct:GraphUCT",
    "rhouct": "pouct:POUCT",
    "one-ply": "pouct:OnePlyPOUCT",
    "flat": "pouct:FlatPOUCT",
    "expectimax": "belief_expectimax:BeliefExpectimax",
    "self-aixi": "self_aixi:SelfAImu",
}
REGISTRY = Registry(
    "planner",
    package=__name__,
    table=PLANNERS,
    base="aixi_approx.planner:Planner",
    group="aixi_approx.planners",
)

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "aiqi": ("AIQI",),
        "belief_expectimax": ("BeliefExpectimax",),
        "expectimax": ("Expectimax",),
        "graph_uct": ("GraphUCT",),
        "pouct": ("POUCT",),
        "policy_alone": ("PolicyAlone",),
        "q_learning": ("QLearning",),
        "random_planner": ("RandomPlanner",),
        "rho_uct": ("RhoUCT",),
        "root_parallel": ("RootParallel",),
        "self_aixi": ("SelfAIXI", "SelfAImu"),
    },
)


def planner_class(name: str, *, on_beliefs: bool = False) -> type[Planner]:
    """Return the class of a planner.

    Parameters
    ----------
    name : str
        Its name, its class in a file, or its entry point.
    on_beliefs : bool, default: False
        Whether it is to plan on the beliefs of a true model; some planners have another class for that.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    entry = REGISTRY.find(name)
    kind: type[Planner] = entry.kind
    if on_beliefs and entry.title in ON_BELIEFS:
        module, _, class_name = ON_BELIEFS[entry.title].partition(":")
        kind = getattr(importlib.import_module(f"{__name__}.{module}"), class_name)
    return kind


def make_planner(
    spec: PlannerSpec,
    environment: Environment,
    *,
    on_beliefs: bool = False,
    threads: int = 1,
    rollout: Callable[[], Rollout | None] = lambda: None,
    policy: Callable[[], Rollout | None] = lambda: None,
) -> Planner:
    """Return a new planner for an environment.

    Parameters
    ----------
    spec : PlannerSpec
        Which one, and its options.
    environment : Environment
        Where it is to plan.
    on_beliefs : bool, default: False
        Whether it is to plan on the beliefs of a true model.
    threads : int, default: 1
        That several searches run in. The result is the same.
    rollout, policy : callable, optional
        Make the rollout policy, and the policy that learns, where the specification names them.

    Raises
    ------
    ValueError
        If there is no such planner, or an option is out of range; with one line that says what can be done.

    Examples
    --------
    >>> from aixi_approx.envs import make
    >>> make_planner(PlannerSpec.parse("rhouct+ucb:0.7"), make("tiger")).horizon
    5
    """
    entry, kind = REGISTRY.find(spec.name), planner_class(spec.name, on_beliefs=on_beliefs)
    options = spec.options()
    if "depth" not in kind.options:  # it is that of the policy
        options.pop("depth", None)
    if entry.parameters and entry.kind.__module__.startswith(__name__):
        raise ValueError(f"{spec.name}: options of a planner are written as in {spec.name.partition(':')[0]}+ucb:0.7")

    def new() -> Planner:
        guides = {"rollout": rollout(), "policy": policy()}
        own: dict[str, Any] = options | {name: made for name, made in guides.items() if made is not None}
        planner: Planner = REGISTRY.construct(
            spec.name, kind, environment=environment, parameters=entry.parameters, options=own
        )
        return planner

    if not spec.join:
        return new()
    searches = spec.searches or 1
    workers = min(threads, searches)
    if spec.seconds is not None:  # of all searches together
        options["seconds"] = spec.seconds * workers / searches
    parallel = importlib.import_module(f"{__name__}.root_parallel").RootParallel
    planner: Planner = parallel([new() for _ in range(workers)], searches, join=spec.join)
    return planner

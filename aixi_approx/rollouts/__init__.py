"""Rollout policies, by name. A new one is a file here and a line in the table.

A class of your own goes by `my_rollout.py:Mine`, one of an installed package by an entry point of the group
`aixi_approx.rollouts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aixi_approx.registry import Registry

if TYPE_CHECKING:
    from aixi_approx.environment import Environment
    from aixi_approx.rollout import Rollout

LEARNED = "learned"
ROLLOUTS = {
    "uniform": "uniform:Uniform",
    LEARNED: "learned:LearnedPolicy",
}
REGISTRY = Registry(
    "rollout policy",
    package=__name__,
    table=ROLLOUTS,
    base="aixi_approx.rollout:Rollout",
    group="aixi_approx.rollouts",
)


def make_rollout(name: str, environment: Environment) -> Rollout:
    """Return a new rollout policy for an environment.

    Raises
    ------
    ValueError
        If there is none of that name, or it can't be built.

    Examples
    --------
    >>> from aixi_approx.envs import make
    >>> make_rollout("uniform", make("tiger")).choose(0.5)
    1
    """
    if REGISTRY.find(name).kind.learns:
        raise ValueError(f"the rollout policy {name} learns from the decisions of the search: name it as the policy")
    policy: Rollout = REGISTRY.build(name, environment)
    return policy


def make_policy(name: str, environment: Environment, *, depth: int) -> Rollout:
    """Return a new policy that learns the decisions of a search.

    Parameters
    ----------
    name : str
        Which one.
    environment : Environment
        Where it is to act.
    depth : int
        Bits of context.

    Raises
    ------
    ValueError
        If there is none of that name, it does not learn, or it can't be built.

    Examples
    --------
    >>> from aixi_approx.envs import make
    >>> make_policy("learned", make("tiger"), depth=32).lessons
    0
    """
    if not REGISTRY.find(name).kind.learns:
        raise ValueError(f"the policy {name} does not learn: name it as the rollout policy")
    policy: Rollout = REGISTRY.build(name, environment, depth=depth)
    return policy

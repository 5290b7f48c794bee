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

ROLLOUTS = {
    "uniform": "uniform:Uniform",
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
    policy: Rollout = REGISTRY.build(name, environment)
    return policy

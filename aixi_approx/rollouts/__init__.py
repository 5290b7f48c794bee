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
    if rollout_class(name).learns:
        raise ValueError(f"the rollout policy {name} learns from the decisions of the search: name it as the policy")
    policy: Rollout = REGISTRY.build(name, environment)
    return policy


def rollout_class(name: str) -> type[Rollout]:
    """Return the class of a policy; ValueError if there is none of that name."""
    kind: type[Rollout] = REGISTRY.find(name).kind
    return kind


def make_policy(
    name: str, environment: Environment, *, depth: int | None = None, most_memory: int | None = None
) -> Rollout:
    """Return a new policy that learns the decisions of a search.

    Parameters
    ----------
    name : str
        Which one.
    environment : Environment
        Where it is to act.
    depth : int, optional
        Bits of context, of a policy with a context; those of the settings of the environment if not given.
    most_memory : int, optional
        Bytes that it may take, if it takes a bound.

    Raises
    ------
    ValueError
        If there is none of that name, it does not learn or lacks what it needs for that, or it can't be built.

    Examples
    --------
    >>> from aixi_approx.envs import make
    >>> make_policy("learned", make("tiger"), depth=32).lessons
    0
    """
    kind = rollout_class(name)
    if not kind.learns:
        raise ValueError(f"the policy {name} does not learn: name it as the rollout policy")
    given = {"depth": environment.settings.depth if depth is None else depth, "most_memory": most_memory}
    options = {option: value for option, value in given.items() if option in kind.options}
    policy: Rollout = REGISTRY.build(name, environment, **options)
    policy.check_learner()
    return policy

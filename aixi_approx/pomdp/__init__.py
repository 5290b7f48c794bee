"""Finite partially observable Markov decision processes, and all exact computations on them."""

from typing import TYPE_CHECKING

from aixi_approx._lazy import lazy

if TYPE_CHECKING:
    from aixi_approx.pomdp.belief import Belief as Belief
    from aixi_approx.pomdp.belief import HasBelief as HasBelief
    from aixi_approx.pomdp.belief import believe as believe
    from aixi_approx.pomdp.definition import POMDP as POMDP
    from aixi_approx.pomdp.definition import Outcome as Outcome
    from aixi_approx.pomdp.solution import Solution as Solution
    from aixi_approx.pomdp.solver import best_reward as best_reward
    from aixi_approx.pomdp.solver import reward_range as reward_range
    from aixi_approx.pomdp.solver import solutions as solutions
    from aixi_approx.pomdp.solver import solve as solve

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "definition": ("POMDP", "Outcome"),
        "belief": ("Belief", "HasBelief", "believe"),
        "solution": ("Solution",),
        "solver": ("best_reward", "reward_range", "solutions", "solve"),
    },
)

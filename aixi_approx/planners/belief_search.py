"""Search on the true model: what planners that start from a belief have in common."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from aixi_approx.compilation import kernel
from aixi_approx.environment import Environment
from aixi_approx.planners.guided_planner import GuidedPlanner
from aixi_approx.planners.time_slices import TimeSlices
from aixi_approx.pomdp.belief import SameEnvironment
from aixi_approx.pomdp.definition import POMDP, as_pomdp
from aixi_approx.predictor_abi import POLICY, TAKE_IN, call_operation
from aixi_approx.rollout import Rollout


@kernel
def tell_cycle(policy: NDArray[np.int64], world: Any, action: int, row: int) -> int:
    """Append a cycle, bit by bit, to the history that a rollout policy reads; return how many operations failed."""
    faults = 0
    for i in range(world.action_bits - 1, -1, -1):
        faults += call_operation(policy[TAKE_IN], policy[POLICY], (action >> i) & 1) < 0.0
    reward, observation = world.tables.code[row], world.tables.observation[row]
    for i in range(world.reward_bits - 1, -1, -1):
        faults += call_operation(policy[TAKE_IN], policy[POLICY], (reward >> i) & 1) < 0.0
    for i in range(world.observation_bits - 1, -1, -1):
        faults += call_operation(policy[TAKE_IN], policy[POLICY], (observation >> i) & 1) < 0.0
    return faults


def number_percepts(pomdp: POMDP) -> tuple[NDArray[np.int64], int]:
    """Return the number of the percept of each outcome of a POMDP, and how many percepts there are."""
    tables = pomdp.tables
    code = tables.code * len(pomdp.observations) + tables.observation
    if code.max() < len(code):  # as `np.unique` has it, without sorting
        occurs = np.zeros(code.max() + 1, dtype=bool)
        occurs[code] = True
        return (np.cumsum(occurs) - 1)[code], int(occurs.sum())
    codes, number = np.unique(code, return_inverse=True)
    return number, len(codes)


class BeliefSearch(GuidedPlanner):
    """Base class of searches on the true model. A subclass has the search.

    Parameters
    ----------
    pomdp : POMDP
        The environment.
    seconds : float, optional
        That a decision may take.
    rollout : Rollout, optional
        How a simulation acts beyond what it has seen; as the policy does, or else uniformly at random, if not given.
    policy : Rollout, optional
        That learns the decisions.
    """

    def __init__(
        self,
        pomdp: POMDP,
        *,
        seconds: float | None,
        rollout: Rollout | None,
        policy: Rollout | None,
        lessons: str | None,
    ) -> None:
        super().__init__(pomdp.coding, rollout=rollout, policy=policy, lessons=lessons)
        self.pomdp, self.seconds = pomdp, seconds
        self._same = SameEnvironment(pomdp)
        self._slices = TimeSlices()

    @classmethod
    def for_environment(cls, environment: Environment, *parameters: int | str, **options: Any) -> Self:
        """Return a new planner for an environment that is a POMDP; ValueError if it is not."""
        return cls(as_pomdp(environment), *parameters, **options)

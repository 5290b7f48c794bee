"""The solver: the best that any agent can achieve in a finite POMDP, and how.

The optimum lies between two bounds. The lower bound is what a policy earns, computed exactly. The upper bound comes
from the graph of beliefs in which merging can only help the agent (see `belief_graph`), a finite decision process (see
`policy_iteration`). Where all beliefs fit into a graph, the bounds meet. Where they don't, the graph is refined where
the gap between the bounds is made (see `refinement`).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np

from aixi_approx.environment import Environment
from aixi_approx.pomdp.belief_graph import TooMany, explore
from aixi_approx.pomdp.clock import ENDLESS, Clock, OutOfTime
from aixi_approx.pomdp.definition import POMDP, Tables
from aixi_approx.pomdp.discounted import DiscountedPOMDP
from aixi_approx.pomdp.point_based import PointBased
from aixi_approx.pomdp.policy_iteration import blind_solution, solve_graph
from aixi_approx.pomdp.refinement import Refinement
from aixi_approx.pomdp.solution import SAME, Solution
from aixi_approx.validation import as_integer, check_positive

Watch: TypeAlias = Callable[[float, float, int], object]
GAP = 0.001  # between bounds that are close enough
CLOSER = 0.8  # of the gap of the solution before, at which a point-based policy is worth being looked at
REFINED = 150  # beliefs of a graph, before point-based bounds take over
SOON = 1_000  # beliefs of a graph that is refined soon
FIRST_BELIEFS, MORE = 2_000, 8  # that are followed before a graph is refined, and how many times more the next time


def solve(
    pomdp: POMDP,
    merge: float | None = None,
    *,
    max_beliefs: int = 100_000,
    gap: float = GAP,
    seconds: float = 60.0,
    watch: Watch | None = None,
) -> Solution:
    """Solve a POMDP: bound the largest long-run reward per cycle of any agent, and find a policy that earns it.

    Where the beliefs that can be reached are few enough, the result is exact. Else the bounds are tightened, where the
    gap between them is made, until it is small enough or the time is over.

    Parameters
    ----------
    pomdp : POMDP
        The environment; it starts with `start` and is never reset.
    merge : float, optional
        Beliefs over the same states whose probabilities differ by about this are merged, everywhere; a larger value
        makes fewer beliefs and wider bounds. By default, where this matters is found out.
    max_beliefs : int, default: 100_000
        Largest number of beliefs that are followed. Point-based bounds have 2 GB of memory instead.
    gap : float, default: 0.001
        Between the bounds, at which it ends: in reward per cycle, or in discounted value where there is a discount.
    seconds : float, default: 60
        Time limit, which may be exceeded by some seconds: what has begun is ended, and compilation is not counted.
    watch : callable, optional
        Is told of progress: the lower bound, the upper bound, and the number of beliefs that they are from.

    Returns
    -------
    Solution

    Raises
    ------
    ValueError
        If a `merge` is given with which there are more than `max_beliefs` beliefs; or a parameter is out of range.
    TypeError
        If the environment is not a POMDP.

    Examples
    --------
    >>> from aixi_approx.envs import make
    >>> solution = solve(make("tiger"))
    >>> round(solution.lower, 6), round(solution.upper, 6)
    (1.083789, 1.083789)
    >>> solution.optimal_actions(), solution.action_values(horizon=1).tolist()
    ([0], [-1.0, -45.0, -45.0])
    """
    if not isinstance(pomdp, POMDP):
        raise TypeError(f"{getattr(pomdp, 'name', pomdp)} has no finite definition (it is not a POMDP)")
    as_integer("max_beliefs", max_beliefs, 1, 1 << 31)
    if merge is not None:
        if not 1e-15 <= merge <= 1:
            raise ValueError(f"merge is {merge}: it must lie in 1e-15 to 1")
        return solve_graph(pomdp, explore(pomdp, merge, max_beliefs=max_beliefs))
    if not gap >= 0:
        raise ValueError(f"gap is {gap}: it must be a number and not negative")
    solution: Solution | None = None
    seconds = check_positive("seconds", seconds)
    for solution in solutions(pomdp, max_beliefs=max_beliefs, seconds=seconds, watch=watch):
        if solution.gap <= gap:
            break
    assert solution is not None, "the first one is there at once"
    return solution


def solutions(
    pomdp: POMDP, *, max_beliefs: int = 100_000, seconds: float = math.inf, watch: Watch | None = None
) -> Iterator[Solution]:
    """Yield solutions of a POMDP, each with closer bounds than the one before, as long as any can be found.

    All beliefs are followed if there are few. Where there are more, a graph of cells is refined, and in between more
    and more of them are followed; or, where there is a discount, bounds are improved point by point.

    Parameters
    ----------
    pomdp, max_beliefs, watch
        As in `solve`.
    seconds : float, default: inf
        After which it ends.
    """
    clock, best = Clock(seconds), None
    if isinstance(pomdp, DiscountedPOMDP):
        found = _discounted(pomdp, max_beliefs, clock, watch)
    else:
        found = _by_graphs(pomdp, max_beliefs, clock)
    with contextlib.suppress(OutOfTime):
        for each in found:
            if best is None or each.lower > best.lower or each.upper < best.upper:
                best = each.joined(best)
                if watch:
                    watch(best.lower, best.upper, best.beliefs)
                yield best
    if best is None:
        yield blind_solution(pomdp)


def _by_graphs(pomdp: POMDP, max_beliefs: int, clock: Clock) -> Iterator[Solution]:
    """Follow all beliefs if they are few enough, and else refine a graph; both with more and more beliefs."""
    refinement, most = Refinement(pomdp, clock), min(FIRST_BELIEFS, max_beliefs)
    while True:
        try:
            graph = explore(pomdp, SAME, max_beliefs=most, clock=clock)
        except TooMany:
            yield from refinement.up_to(most)
        else:
            yield solve_graph(pomdp, graph, clock=clock)
            return
        if most == max_beliefs:
            return
        most = min(MORE * most, max_beliefs)


def _discounted(pomdp: DiscountedPOMDP, max_beliefs: int, clock: Clock, watch: Watch | None) -> Iterator[Solution]:
    """Follow all beliefs if they are few; else refine a graph a little, and then improve the bounds point by point."""
    most = min(FIRST_BELIEFS, max_beliefs)
    try:
        graph = explore(pomdp, SAME, max_beliefs=most, clock=clock)
    except TooMany:
        yield from Refinement(pomdp, clock).up_to(min(REFINED, most))
    else:
        yield solve_graph(pomdp, graph, clock=clock)
        return
    with clock.stopped():
        compile_point_based()
    solver, last, share = point_based(pomdp), math.inf, 1 - pomdp.discount
    end = "time"
    while end == "time" and clock.left:
        end = solver.improve(seconds=0.0)
        if watch:
            watch(share * solver.lower, share * solver.upper, solver.points)
        if solver.upper - solver.lower < CLOSER * last or end != "time" or not clock.left:
            last = solver.upper - solver.lower
            controller = pomdp.lifted(solver.controller())
            yield Solution(
                pomdp, share * solver.lower, share * solver.upper, controller=controller, beliefs=solver.points
            )


def compile_point_based() -> None:
    """Use the point-based solver once, so that Numba compiles it where this has not been done, which takes a while."""
    none = np.zeros(2, dtype=np.int64)
    tables = Tables(np.ones(1), np.arange(3), np.ones(2), none, none, reward=np.ones(2), code=none)
    PointBased(tables, actions=2, observations=1, discount=0.5).improve(gap=0.1)


def point_based(pomdp: DiscountedPOMDP, *, reward_seen: bool = True) -> PointBased:
    """Return the point-based solver of the discounted value of what a POMDP begins anew; see `PointBased`."""
    inner = pomdp.inner
    return PointBased(
        inner.tables,
        actions=len(inner.actions),
        observations=len(inner.observations),
        discount=pomdp.discount,
        reward_seen=reward_seen,
    )


def best_reward(environment: Environment, max_beliefs: int = 10_000) -> float | None:
    """Return the largest reward per cycle that any agent can earn, as declared, or solved for if this is quick.

    Parameters
    ----------
    environment : Environment
        Any environment; None is returned if it declares no optimum and is not a POMDP.
    max_beliefs : int, default: 10_000
        None is returned if there are more states or beliefs.
    """
    if environment.optimum is not None or not isinstance(environment, POMDP):
        return environment.optimum
    if environment.size > max_beliefs:
        return None
    solution = solve_soon(environment, max_beliefs)
    if solution is None:
        for solution in Refinement(environment, ENDLESS).up_to(min(SOON, max_beliefs)):
            if solution.gap <= GAP:
                break
        else:
            return None
    return solution.lower


def reward_range(environment: Environment) -> tuple[float | None, float | None]:
    """Return the reward per cycle of the random agent and of the best one, each None if unknown."""
    return environment.random_reward, best_reward(environment)


def solve_soon(pomdp: POMDP, max_beliefs: int = 10_000, *, merges: tuple[float, ...] = (SAME, 0.1)) -> Solution | None:
    """Return a solution whose bounds meet, or None if there are more states or beliefs than `max_beliefs`.

    Where there are many beliefs, the bounds of a coarse graph may still meet. The values of actions are exact only if
    nothing but equal beliefs was merged, with `merges=(SAME,)`.
    """
    if pomdp.size > max_beliefs:
        return None
    for merge in merges:
        with contextlib.suppress(ValueError):
            solution = solve(pomdp, merge, max_beliefs=max_beliefs)
            if solution.upper - solution.lower <= 1e-6 * max(1.0, abs(solution.lower)):
                return solution
    return None

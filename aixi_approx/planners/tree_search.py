"""What tree searches have in common: selecting an action at a node, acting beyond the tree, the result at the root.

A selection rule is a whole number in the plan of a search, and a branch of `select`: Numba would compile a function
that is given as an argument anew in every process. A new rule is a name in `RULES` and a branch there.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aixi_approx.compilation import inner_kernel, kernel
from aixi_approx.planner import MAX_HORIZON, MAX_SIMULATIONS, Planner, SearchResult, best_action
from aixi_approx.planner_spec import RULES
from aixi_approx.predictor_abi import CHOOSE, POLICY, WEIGH, call_operation
from aixi_approx.randomness import Stream, below, draw
from aixi_approx.validation import as_integer, check_choice, check_positive

NONE, ROOT = 0, 1  # decision nodes
SQRT_2 = 2.0**0.5

UCB, ROUND_ROBIN, SPREAD, PRIOR, FOLLOW = range(len(RULES))
PAPER_RULES = RULES[:SPREAD]
PAPER_OPTIONS = ("horizon", "simulations", "seconds", "ucb", "rule", "policy", "lessons", "rollout")
SIMULATIONS = 500  # of a decision, where neither they nor a time are given
MOST_IN_TIME = 10_000_000  # simulations of a decision that is limited by time: a tree of some GB


@inner_kernel
def is_guided(plan: Any, random: Stream) -> bool:
    """Draw whether a simulation acts as the policy does."""
    return plan.guided >= 1.0 or (plan.guided > 0.0 and draw(random) < plan.guided)


@kernel
def roll_out(policy: NDArray[np.int64], random: Stream, actions: int) -> int:
    """Return the action of a rollout policy that has an address; FAILED, -1, if the policy failed."""
    action = call_operation(policy[CHOOSE], policy[POLICY], int(draw(random) * 9007199254740992.0))  # 2^53
    return int(action) if 0.0 <= action < actions else -1


@kernel
def weigh_actions(policy: NDArray[np.int64], prior: NDArray[np.float64]) -> int:
    """Write the probability of each action by a policy to float64[A]; return how many operations failed."""
    return 1 if call_operation(policy[WEIGH], policy[POLICY], prior.ctypes.data) < 0.0 else 0


@kernel
def draw_action(prior: NDArray[np.float64], random: Stream) -> int:
    """Draw an action by its probability."""
    u, last = draw(random), len(prior) - 1
    for a in range(last):
        u -= prior[a]
        if u < 0.0:
            return a
    return last


@kernel
def select_by_prior(
    tree: Any, prior: NDArray[np.float64], plan: Any, random: Stream, node: int, unit: float, mean: float
) -> int:
    """Choose an action by PUCT: value + C P sqrt(T) / (1 + visits), in the unit of the values (Silver et al. 2017).

    An action that was not tried is taken for worth the mean of the node.
    """
    best, best_score, ties = 0, -np.inf, 0
    bonus = plan.ucb * np.sqrt(float(tree.total[node]))
    for a in range(plan.actions):
        value = tree.value[node, a] if tree.visits[node, a] else mean
        p = plan.trust * prior[a] + (1.0 - plan.trust) / plan.actions
        score = value * unit + bonus * p / (1.0 + tree.visits[node, a])
        if score > best_score:
            best, best_score, ties = a, score, 1
        elif score == best_score:
            ties += 1
            if below(random, ties) == 0:
                best = a
    return best


@kernel
def select(tree: Any, plan: Any, random: Stream, logs: NDArray[np.float64], node: int, unit: float) -> int:
    """Choose an action by the rule of the plan, an untried one first.

    UCB is that of JAIR 2011, definition 6, on values in some unit: there, one over the range of the returns.
    Round-robin takes the action with the fewest visits.
    Of the tree it needs `total`, `visits` and `value`, of the plan `actions`, `rule` and `ucb`.
    """
    untried = 0
    for a in range(plan.actions):
        if tree.visits[node, a] == 0:
            untried += 1
    if untried:
        choice = below(random, untried)
        for a in range(plan.actions):
            if tree.visits[node, a] == 0:
                if choice == 0:
                    return a
                choice -= 1
    best, best_score, ties = 0, -np.inf, 0
    if plan.rule == ROUND_ROBIN:
        for a in range(plan.actions):
            if -tree.visits[node, a] > best_score:
                best, best_score, ties = a, -float(tree.visits[node, a]), 1
            elif -tree.visits[node, a] == best_score:
                ties += 1
                if below(random, ties) == 0:
                    best = a
        return best
    log_total = logs[tree.total[node]]
    for a in range(plan.actions):
        score = tree.value[node, a] * unit + plan.ucb * np.sqrt(log_total / tree.visits[node, a])
        if score > best_score:
            best, best_score, ties = a, score, 1
        elif score == best_score:
            ties += 1
            if below(random, ties) == 0:
                best = a
    return best


@kernel
def spread(tree: Any, node: int, actions: int) -> float:
    """The unit of the rule "spread": how far apart returns and actions lie at a node, as a standard deviation.

    Its square is the variance of the returns within the actions, pooled over those with two visits or more, plus the
    variance between the values of the actions: the noise and the gaps of the node itself. UCB in this unit takes no
    constant that depends on the environment. Of the tree it needs `visits`, `value`, which every action must have, and
    `square`, for each action the sum of the squared deviations of its returns from their mean.
    """
    mean, squares, degrees = 0.0, 0.0, 0
    for a in range(actions):
        mean += tree.value[node, a] / actions
        squares += tree.square[node, a]
        degrees += max(0, tree.visits[node, a] - 1)
    between = 0.0
    for a in range(actions):
        between += (tree.value[node, a] - mean) ** 2
    within = squares / degrees if degrees > 0 else 0.0
    return np.sqrt(within + between / max(1, actions - 1))


def budget(planner: Planner, simulations: int | None) -> tuple[int, float]:
    """Return how many simulations a search may make, and when it has to end, as a value of `time.perf_counter`.

    Parameters
    ----------
    planner : Planner
        With `simulations` and `seconds` of its own.
    simulations : int or None
        Other ones that it is asked for; of no meaning to a planner with `seconds`.

    Raises
    ------
    ValueError
        If their number is out of range.
    """
    end = math.inf if planner.seconds is None else time.perf_counter() + planner.seconds
    if simulations is None or planner.seconds is not None:
        simulations = planner.simulations
    return as_integer("simulations", simulations, 1, MAX_SIMULATIONS), end


@inner_kernel
def imagined_reward(plan: Any, code: int) -> float:
    """Return the reward of a code; one beyond the largest reward counts as the largest."""
    if len(plan.rewards):
        return plan.rewards[min(code, len(plan.rewards) - 1)]
    return min(plan.min_reward + code, plan.max_reward)


def root_result(tree: Any, *, random: Stream, simulations: int) -> SearchResult:
    """Return what stands at the root of a tree, whose `visits`, `value` and `square` are [N, A], of all its nodes."""
    count = tree.visits[ROOT].astype(np.int64)
    mean = np.where(count > 0, tree.value[ROOT], np.nan)
    deviation = standard_error(count, tree.square[ROOT])
    return SearchResult(best_action(mean, random), mean, count, simulations, deviation=deviation)


def standard_error(visits: NDArray[np.int64], square: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard error of means, from numbers of visits and sums of squared deviations; infinite below two."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(visits > 1, np.sqrt(square / np.maximum(1, visits - 1) / np.maximum(1, visits)), np.inf)


def check_search_options(
    horizon: int,
    simulations: int | None,
    *,
    seconds: float | None,
    ucb: float,
    rule: str,
    plies: int | None = None,
    rules: tuple[str, ...] = RULES,
    guided: bool = False,
) -> tuple[int, int, int]:
    """Return the horizon, simulations and plies of a tree search, checked.

    Raises
    ------
    ValueError
        If any option is out of range.
    """
    if not 0 <= ucb < np.inf:
        raise ValueError(f"ucb is {ucb}: it must be a number and not negative")
    check_choice("rule", rule, rules)
    if rule in (RULES[PRIOR], RULES[FOLLOW]) and not guided:
        raise ValueError(f"the rule {rule} needs a policy: name one, as in policy:learned, or take another rule")
    if seconds is not None:
        check_positive("seconds", seconds)
    if simulations is None:
        simulations = SIMULATIONS if seconds is None else MOST_IN_TIME
    horizon = as_integer("horizon", horizon, 1, MAX_HORIZON)
    return (
        horizon,
        as_integer("simulations", simulations, 1, MAX_SIMULATIONS),
        horizon if plies is None else as_integer("plies", plies, 1, horizon),
    )

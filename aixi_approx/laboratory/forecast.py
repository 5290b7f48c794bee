"""The score of a search as a function of its simulations, forecast without a search and without a fitted constant.

The agent knows its environment, a finite POMDP with an exact solution, and searches by `POUCT`. At each belief,
`mean_field` says what the search will find on average and how much that varies, and `best_mean` which action it will
take, and how probably. With these probabilities the graph of beliefs is a Markov chain; what it earns in the long run
is the score, 0 for the random agent and 1 for the best one. An agent that parks, and listens for ever, does so there.

The interval spans the forecasts with half and with twice the simulations: a forecast is right if the search does as it
would with a number of simulations that is wrong by less than a factor of two. It is at least 0.02 wide on each side.

The baseline knows no tree. Each action has its exact value within the horizon, an equal share of the simulations, and
the noise of random rollouts: for two actions, the wrong one is taken with probability Phi(-gap / noise).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx.environment import Environment
from aixi_approx.laboratory.best_mean import chances, gaussian_chances
from aixi_approx.laboratory.mean_field import root_means
from aixi_approx.laboratory.regret import TIE
from aixi_approx.laboratory.rollout_returns import RolloutReturns, rollout_returns
from aixi_approx.planners.tree_search import SQRT_2
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.pomdp.solution import SAME, Solution
from aixi_approx.pomdp.solver import solve_soon
from aixi_approx.validation import as_integer, check_positive

Numbers = NDArray[np.float64]

SIMULATIONS = (10, 30, 100, 300, 1_000, 3_000, 10_000)
MOST_BELIEFS = 20_000  # beyond which a forecast takes longer than a minute
MERGES = (SAME, 1e-4, 1e-3)  # of beliefs, the finest that is possible: values are wrong by about this
FACTOR = 2  # by which the effective number of simulations may be wrong
FLOOR = 0.02  # half the width of an interval, at least


class Forecast(NamedTuple):
    """What a search is forecast to score; 0 is the random agent, 1 the best."""

    simulations: tuple[int, ...]
    """Of a decision, N of them."""
    score: Numbers
    """float64[N]"""
    low: Numbers
    """float64[N]: lower end of the interval."""
    high: Numbers
    """float64[N]: upper end."""
    baseline: Numbers
    """float64[N]: the score by exact gaps and the noise of rollouts alone."""
    limit: float
    """The score of a perfect search to the same horizon, which takes equally good actions equally often."""


def forecast(
    environment: Environment,
    horizon: int | None = None,
    *,
    simulations: Sequence[int] = SIMULATIONS,
    ucb: float = SQRT_2,
) -> Forecast:
    """Forecast the score of an agent that knows its environment and searches by `POUCT`.

    Parameters
    ----------
    environment : Environment
        A finite POMDP that can be solved exactly.
    horizon : int, optional
        Cycles that the search looks ahead; those of the settings of the environment if not given.
    simulations : sequence of int
        Of a decision, each at least 1.
    ucb : float, default: sqrt 2
        C, the weight of exploration of the search; positive.

    Returns
    -------
    Forecast

    Raises
    ------
    ValueError
        If the environment is no POMDP or has too many beliefs, if no agent is better than the random one, or if an
        argument is out of range.

    Examples
    --------
    >>> from aixi_approx.envs import make
    >>> found = forecast(make("tiger"), horizon=4, simulations=[10, 10_000])
    >>> [round(float(score), 1) for score in found.score]
    [0.6, 1.0]
    """
    asked = [as_integer("simulations", n, 1, 1 << 30) for n in simulations]
    check_positive("ucb", ucb)
    horizon = as_integer("horizon", environment.settings.horizon if horizon is None else horizon, 1, 10_000)
    solution = exact_solution(environment)
    actions = len(solution.pomdp.actions)
    around = {n: (max(1, n // FACTOR), n, n * FACTOR) for n in asked}
    every = sorted({n for some in around.values() for n in some})
    rollouts = rollout_returns(solution, horizon)
    found = root_means(solution, rollouts, simulations=every, ucb=ucb)
    scores = {}
    for i, n in enumerate(every):
        tried = min(1.0, (n - 1) / max(1, actions - 1))
        policy = chances(found.mean[:, i], found.deviation[:, i], returns=rollouts[-1], tried=tried)
        scores[n] = score_of(solution, policy)
    spread = np.array([[scores[n] for n in around[each]] for each in asked])
    return Forecast(
        simulations=tuple(asked),
        score=spread[:, 1],
        low=spread.min(axis=1) - FLOOR,
        high=spread.max(axis=1) + FLOOR,
        baseline=_baseline(solution, rollouts[-1], horizon=horizon, simulations=asked),
        limit=_score(solution, solution.receding_reward(horizon)),
    )


def exact_solution(environment: Environment) -> Solution:
    """Return the solution of an environment, with the values of all actions.

    Raises
    ------
    ValueError
        If the environment is no POMDP or has too many beliefs, or if no agent is better than the random one.
    """
    if not isinstance(environment, POMDP):
        raise ValueError(f"{environment.title} has no finite definition (it is not a POMDP): nothing is known exactly")
    solution = solve_soon(environment, MOST_BELIEFS, merges=MERGES)
    if solution is None:
        raise ValueError(
            f"{environment.title} has no exact solution: more than {MOST_BELIEFS:,} beliefs can be reached"
        )
    if solution.reward - environment.random_reward <= TIE:
        raise ValueError(f"{environment.title}: no agent is better than the random one, so that there is no score")
    return solution


def score_of(solution: Solution, policy: Numbers) -> float:
    """Return the score of an agent that draws its actions.

    Parameters
    ----------
    solution : Solution
        Of the environment.
    policy : float64[B, A]
        The probability of each action at each belief of its graph.
    """
    return _score(solution, solution.policy_reward(policy))


def _score(solution: Solution, reward: float) -> float:
    chance = solution.pomdp.random_reward
    return (reward - chance) / (solution.reward - chance)


def _baseline(solution: Solution, returns: RolloutReturns, *, horizon: int, simulations: Sequence[int]) -> Numbers:
    """The scores if an action has its exact value, an equal share of simulations, and the noise of rollouts."""
    size, actions = solution.graph.size, len(solution.pomdp.actions)
    value = np.array([solution.action_values(b, horizon) for b in range(size)])
    noise = np.sqrt(returns.variance()).reshape(size, actions)
    return np.array([score_of(solution, gaussian_chances(value, noise / math.sqrt(n / actions))) for n in simulations])

"""Finite Markov chains with rewards: the long-run reward and the relative value of each state."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, diags_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

DIRECT = 3_000  # largest number of states that are solved for directly: the fill-in of the factors grows quadratically
SWEEPS = 10_000


def long_run_reward(step: csr_array, reward: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the expected reward per step, in the long run, from each state of a chain.

    A chain ends up in one of its closed classes, each with its own stationary distribution (Puterman 1994, appendix A).
    Both are the solutions of linear equations, solved directly; this includes periodic chains.

    Parameters
    ----------
    step : csr_array of float, [S, S]
        Probability of each next state.
    reward : float64[S]
        Expected reward of a step from each state.

    Returns
    -------
    float64[S]
    """
    value = np.zeros(len(reward))
    closed = _closed_classes(step)
    for states in closed:
        value[states] = _stationary(step[states][:, states]) @ reward[states]
    staying = np.sort(np.concatenate(closed))
    passing = np.setdiff1d(np.arange(len(reward)), staying)
    if len(passing):
        system = csc_array(_leaving(step)[passing][:, passing])
        value[passing] = splu(system).solve(step[passing][:, staying] @ value[staying])
    return value


def relative_values(step: csr_array, reward: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the long-run reward and the relative value of each state of a chain.

    The relative value is how much more than its long-run reward a chain pays from a state in total: a solution h of
    gain + h = reward + step h (Puterman 1994, section 8.2). With at most DIRECT states it is solved for directly, and
    is 0 in one state of each closed class. For larger chains both results are approximations: the lazy chain, which has
    the same solutions and is not periodic, is iterated until its gain converges, or for SWEEPS sweeps.

    Parameters
    ----------
    step : csr_array of float, [S, S]
        Probability of each next state.
    reward : float64[S]
        Expected reward of a step from each state.

    Returns
    -------
    gain, value : float64[S]
    """
    if len(reward) <= DIRECT:
        gain = long_run_reward(step, reward)
        often, free = _visited(step), np.ones(len(reward))
        free[[states[often[states].argmax()] for states in _closed_classes(step)]] = 0
        system = csc_array(diags_array(free) @ _leaving(step) + diags_array(1 - free))
        return gain, splu(system).solve((reward - gain) * free)
    value = np.zeros(len(reward))
    gain = np.full(len(reward), np.inf)
    enough = 1e-13 * np.abs(reward).max()
    for sweeps in range(1, SWEEPS + 1):  # noqa: B007
        before, gain = gain, reward + step @ value - value
        value += gain / 2
        if np.abs(gain - before).max() <= enough:
            break
    return gain, value - sweeps / 2 * gain


def _leaving(step: csr_array) -> csr_array:
    """Return I - P, with the diagonal summed from the transitions that leave a state: exact even if they are rare."""
    others = step - diags_array(step.diagonal())
    return csr_array(diags_array(others.sum(axis=1)) - others)


def _closed_classes(step: csr_array) -> list[NDArray[np.int64]]:
    """Return the closed classes of a chain, states in ascending order."""
    count, kind = connected_components(step, directed=True, connection="strong")
    source, target = step.nonzero()
    closed = np.ones(count, dtype=bool)
    closed[kind[source[kind[source] != kind[target]]]] = False
    order = np.argsort(kind, kind="stable")
    classes = np.split(order, np.cumsum(np.bincount(kind, minlength=count))[:-1])
    return [classes[i] for i in np.flatnonzero(closed)]


def _stationary(step: csr_array) -> NDArray[np.float64]:
    """Return the stationary distribution of an irreducible chain: q = q P, up to scale, with one share fixed at 1."""
    if step.shape[0] == 1:
        return np.ones(1)
    one = _visited(step).argmax()
    rest = np.delete(np.arange(step.shape[0]), one)
    system = csc_array(_leaving(step).T)[rest]
    share = np.ones(step.shape[0])
    share[rest] = splu(csc_array(system[:, rest])).solve(-system[:, [one]].toarray()[:, 0])
    return share / share.sum()


def _visited(step: csr_array) -> NDArray[np.float64]:
    """Return how often states are visited, roughly: fixing the share of a rarely visited one is ill-conditioned."""
    share, back = np.full(step.shape[0], 1 / step.shape[0]), csr_array(step.T)
    for _ in range(100):
        share = (share + back @ share) / 2
    return share

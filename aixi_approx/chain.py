"""Finite Markov chains that pay rewards: what they pay per step in the long run, and what it matters where they start."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, diags_array, eye_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu


def long_run_reward(step: csr_array, reward: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the expected reward per step, in the long run, from each state of a chain.

    A chain ends up in one of its closed classes, and stays there with a stationary distribution of its own
    (Puterman 1994, appendix A). Both are linear equations, solved directly; periodic chains are no exception.

    Parameters
    ----------
    step
        [S, S] probability of each next state.
    reward
        [S] expected reward of a step from each state.
    """
    value = np.zeros(len(reward))
    closed = _closed_classes(step)
    for states in closed:
        value[states] = _stationary(step[states][:, states]) @ reward[states]
    staying = np.sort(np.concatenate(closed))
    passing = np.setdiff1d(np.arange(len(reward)), staying)
    if len(passing):
        system = csc_array(eye_array(len(passing)) - step[passing][:, passing])
        value[passing] = splu(system).solve(step[passing][:, staying] @ value[staying])
    return value


def relative_value(step: csr_array, reward: NDArray[np.float64], gain: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much more a chain pays in all, from each state, than its long-run reward tells.

    It is the solution h of gain + h = reward + step h that is 0 in one state of each closed class (Puterman 1994,
    section 8.2).

    Parameters
    ----------
    step
        [S, S] probability of each next state.
    reward
        [S] expected reward of a step from each state.
    gain
        [S] the reward per step in the long run.
    """
    pinned = [states[0] for states in _closed_classes(step)]
    free = np.ones(len(reward))
    free[pinned] = 0
    system = csc_array(eye_array(len(reward)) - diags_array(free) @ step)
    value: NDArray[np.float64] = splu(system).solve((reward - gain) * free)
    return value


def _closed_classes(step: csr_array) -> list[NDArray[np.int64]]:
    """The sets of states, ascending, in each of which a chain stays once it is there and goes everywhere."""
    count, kind = connected_components(step, directed=True, connection="strong")
    source, target = step.nonzero()
    closed = np.ones(count, dtype=bool)
    closed[kind[source[kind[source] != kind[target]]]] = False
    order = np.argsort(kind, kind="stable")
    classes = np.split(order, np.cumsum(np.bincount(kind, minlength=count))[:-1])
    return [classes[i] for i in np.flatnonzero(closed)]


def _stationary(step: csr_array) -> NDArray[np.float64]:
    """The stationary distribution of an irreducible chain: q = q P, up to scale, with the first state's share 1."""
    if step.shape[0] == 1:
        return np.ones(1)
    system = csc_array((eye_array(step.shape[0]) - step).T)[1:]
    rest = splu(csc_array(system[:, 1:])).solve(-system[:, [0]].toarray()[:, 0])
    share = np.concatenate([[1.0], rest])
    return share / share.sum()

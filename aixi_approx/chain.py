"""Finite Markov chains: what a chain that pays rewards pays per step in the long run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, eye_array
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
    count, kind = connected_components(step, directed=True, connection="strong")
    source, target = step.nonzero()
    leaves = np.zeros(count, dtype=bool)
    leaves[kind[source[kind[source] != kind[target]]]] = True
    value = np.zeros(len(reward))
    for closed in np.flatnonzero(~leaves):
        states = np.flatnonzero(kind == closed)
        value[states] = _stationary(step[states][:, states]) @ reward[states]
    passing = np.flatnonzero(leaves[kind])
    if len(passing):
        staying = np.flatnonzero(~leaves[kind])
        system = csc_array(eye_array(len(passing)) - step[passing][:, passing])
        value[passing] = splu(system).solve(step[passing][:, staying] @ value[staying])
    return value


def _stationary(step: csr_array) -> NDArray[np.float64]:
    """The stationary distribution of an irreducible chain: q = q P, up to scale, with the first state's share 1."""
    if step.shape[0] == 1:
        return np.ones(1)
    system = csc_array((eye_array(step.shape[0]) - step).T)[1:]
    rest = splu(csc_array(system[:, 1:])).solve(-system[:, [0]].toarray()[:, 0])
    share = np.concatenate([[1.0], rest])
    return share / share.sum()

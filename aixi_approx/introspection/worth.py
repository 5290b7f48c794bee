"""What each part of the past is worth to context trees, in bits of code length.

A context tree can't look at a bit of context without those after it: where the observation of two cycles ago matters,
its nodes branch by all that lies between, too. So it is not enough to name what the trees look at.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from aixi_approx.coding import Coding
from aixi_approx.introspection.contexts import Part, context_bit

if TYPE_CHECKING:
    from aixi_approx.predictors.context_tree import BestNodes

SHAPE_BITS = 2  # of Gamma for one more leaf: a leaf and a branching


def worth_of_parts(nodes: BestNodes, coding: Coding, *, trees: range) -> dict[Part, float]:
    """Return the parts of the past that trees branch by, with what each is worth in bits; 0 for what only lies between.

    It is the larger of two numbers, for each tree: by how much branching there shortens the code at once, against a
    leaf; and by how much the code is longer if all leaves that differ in nothing but this part become one. The second
    is what counts for parts that mean nothing alone. The worth of parts does not add up: two may need each other.

    Parameters
    ----------
    nodes : BestNodes
        Of all trees.
    coding : Coding
        The bits of a cycle.
    trees : range
        Which of them: the percept bits that they predict.
    """
    inside = (nodes.tree >= trees.start) & (nodes.tree < trees.stop)
    parts: dict[Part, list[int]] = defaultdict(list)
    for node in np.flatnonzero(inside & (nodes.looks_at >= 0)).tolist():
        parts[context_bit(coding, int(nodes.tree[node]), place=int(nodes.looks_at[node])).part].append(node)
    saved, levels = savings(nodes), _levels(nodes.parent)
    leaf = np.flatnonzero(inside & (nodes.looks_at < 0))
    tree = nodes.tree[leaf] - trees.start
    before = np.bincount(tree, nodes.bits[leaf] + SHAPE_BITS, len(trees))
    found = {}
    for part, branchings in parts.items():
        at_once = np.bincount(nodes.tree[branchings] - trees.start, saved[branchings], len(trees))
        keys = _contexts(nodes, levels, without=np.array(branchings))[leaf]
        _, first, groups = np.unique(keys, return_index=True, return_inverse=True)
        zeros, ones = (np.bincount(groups, counts[leaf]).astype(np.float64) for counts in (nodes.zeros, nodes.ones))
        merged = np.bincount(tree[first], code_lengths(zeros, ones) + SHAPE_BITS, len(trees))
        found[part] = float(np.maximum(np.maximum(at_once, merged - before), 0.0).sum())
    return found


def savings(nodes: BestNodes) -> NDArray[np.float64]:
    """Return by how many bits each branching shortens the code at once, float64[n]; 0 in leaves.

    That is the code of a leaf in its place less the codes of two leaves below it, each with its Gamma. The sum over all
    is what the trees save against one leaf for each percept bit; a single one may be below 0.
    """
    leaf, below = nodes.looks_at < 0, nodes.parent >= 0
    as_leaf = nodes.bits + np.where(leaf, nodes.gamma, 1)  # a node that goes on is not at full depth: it pays to stop
    saved = np.where(leaf, 0.0, as_leaf - nodes.gamma)
    np.subtract.at(saved, nodes.parent[below], as_leaf[below])
    return saved


def code_lengths(zeros: NDArray[np.float64], ones: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the code lengths of KT for numbers of zeros and ones, in bits.

    >>> code_lengths(np.array([1.0, 1.0]), np.array([0.0, 1.0])).round(6).tolist()    # 1/2, and 1/2 times 1/4
    [1.0, 3.0]
    """
    total = gammaln(zeros + ones + 1) - gammaln(zeros + 0.5) - gammaln(ones + 0.5)
    lengths: NDArray[np.float64] = total / np.log(2) + np.log2(np.pi)
    return lengths


def _levels(parent: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The nodes level by level, from the roots down."""
    levels = [np.flatnonzero(parent < 0)]
    left = np.flatnonzero(parent >= 0)
    while len(left):
        now = np.isin(parent[left], levels[-1])
        levels.append(left[now])
        left = left[~now]
    return levels


def _contexts(nodes: BestNodes, levels: list[NDArray[np.int64]], *, without: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A number for the context of each node, equal for nodes that differ in nothing but some branchings.

    It is a sum of random numbers of 64 bits, one for each tree and one for each bit of context with its value: that two
    contexts have the same by chance is less likely than a fault of the machine.
    """
    random = np.random.default_rng(0)
    kinds = int(nodes.looks_at.max(initial=0)) + 1
    numbers = random.integers(1 << 64, size=(kinds, 2), dtype=np.uint64)
    roots = random.integers(1 << 64, size=int(nodes.tree.max(initial=0)) + 1, dtype=np.uint64)
    ignored = np.zeros(len(nodes.parent), np.bool_)
    ignored[without] = True
    keys = roots[nodes.tree]
    for level in levels[1:]:
        above = nodes.parent[level]
        step = numbers[nodes.looks_at[above], nodes.side[level]]
        keys[level] = keys[above] + np.where(ignored[above], np.uint64(0), step)
    return keys

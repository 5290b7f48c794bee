"""Slow, obvious twins of the compiled kernels: what the tests compare them with.

Nothing here is clever. Where a formula stands in a paper, it is written down as it stands there.
"""

from __future__ import annotations

import math
from itertools import product


def log2_add(x: float, y: float) -> float:
    """log2(2^x + 2^y)."""
    high, low = max(x, y), min(x, y)
    return high + math.log1p(2.0 ** (low - high)) / math.log(2)


class PlainNode:
    """One node of the full context tree, in log space."""

    def __init__(self) -> None:
        self.count = [0, 0]
        self.log_kt = 0.0
        self.log_weighted = 0.0
        self.child: dict[int, PlainNode] = {}

    def learn(self, bit: int, context: list[int]) -> None:
        """JAIR 2011, section 5: the KT estimator, then Pw = 1/2 Pe + 1/2 Pw0 Pw1 from the leaf up."""
        if context:
            self.child.setdefault(context[0], PlainNode()).learn(bit, context[1:])
        self.log_kt += math.log2((self.count[bit] + 0.5) / (sum(self.count) + 1))
        self.count[bit] += 1
        if context:
            below = sum(child.log_weighted for child in self.child.values())
            self.log_weighted = log2_add(self.log_kt, below) - 1
        else:
            self.log_weighted = self.log_kt

    def after(self, bit: int, context: list[int]) -> float:
        """What `log_weighted` would be after `learn`."""
        log_kt = self.log_kt + math.log2((self.count[bit] + 0.5) / (sum(self.count) + 1))
        if not context:
            return log_kt
        below = self.child.get(context[0], PlainNode()).after(bit, context[1:])
        below += self.child[1 - context[0]].log_weighted if 1 - context[0] in self.child else 0.0
        return log2_add(log_kt, below) - 1

    def size(self) -> int:
        """Nodes from here down."""
        return 1 + sum(child.size() for child in self.child.values())


class PlainTrees:
    """Factored CTW: one plain tree for each percept bit, the last `depth` bits as context, zeros before them."""

    def __init__(self, depth: int, action_bits: int = 0, percept_bits: int = 1) -> None:
        self.depth, self.action_bits, self.percept_bits = depth, action_bits, percept_bits
        self.trees = [PlainNode() for _ in range(percept_bits)]
        self.history: list[int] = []

    @property
    def tree(self) -> PlainNode:
        """The tree of the next bit."""
        return self.trees[len(self.history) % (self.action_bits + self.percept_bits) - self.action_bits]

    @property
    def context(self) -> list[int]:
        """The last `depth` bits, the most recent first."""
        return ([0] * self.depth + self.history)[: -self.depth - 1 : -1]

    def predict(self) -> float:
        return 2.0 ** (self.tree.after(1, self.context) - self.tree.log_weighted)

    def update(self, bit: int) -> float:
        before = self.tree.log_weighted
        self.tree.learn(bit, self.context)
        p = 2.0 ** (self.tree.log_weighted - before)
        self.history.append(bit)
        return p

    def append(self, bit: int) -> None:
        self.history.append(bit)


def suffix_trees(depth: int) -> list[tuple[int, list[tuple[int, ...]]]]:
    """All prediction suffix trees of at most `depth`: (Gamma, leaves); a leaf is a context, most recent bit first.

    Gamma counts the nodes but not those at full depth (JAIR 2011, section 5).
    """
    if depth == 0:
        return [(0, [()])]
    below = suffix_trees(depth - 1)
    trees: list[tuple[int, list[tuple[int, ...]]]] = [(1, [()])]
    for (gamma0, leaves0), (gamma1, leaves1) in product(below, below):
        leaves = [(0, *leaf) for leaf in leaves0] + [(1, *leaf) for leaf in leaves1]
        trees.append((1 + gamma0 + gamma1, leaves))
    return trees


def kt(zeros: int, ones: int) -> float:
    """The KT probability of a string with these counts."""
    p = 1.0
    for i in range(zeros):
        p *= (i + 0.5) / (i + 1)
    for i in range(ones):
        p *= (i + 0.5) / (zeros + i + 1)
    return p


def mixture_probability(bits: list[int], depth: int) -> float:
    """Probability of a string under the mixture over all suffix trees with weights 2^-Gamma."""
    total = 0.0
    for gamma, leaves in suffix_trees(depth):
        p = 1.0
        for leaf in leaves:
            count = [0, 0]
            for i, bit in enumerate(bits):
                context = ([0] * depth + bits[:i])[::-1]
                if tuple(context[: len(leaf)]) == leaf:
                    count[bit] += 1
            p *= kt(*count)
        total += 2.0**-gamma * p
    return total

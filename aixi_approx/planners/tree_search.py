"""What searches by a tree have in common: how an action is selected at a node, and what is returned of the root."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from aixi_approx.compilation import kernel
from aixi_approx.planner import SearchResult, best_action
from aixi_approx.randomness import Stream, below

NONE, ROOT = 0, 1  # decision nodes
SQRT_2 = 2.0**0.5


@kernel
def select(tree: Any, plan: Any, random: Stream, logs: NDArray[np.float64], node: int, remaining: int) -> int:
    """Choose an action by UCB (JAIR 2011, definition 6), an untried one first.

    Of the tree it needs `total`, `visits` and `value`, of the plan `actions`, `scale` and `ucb`.
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
    log_total = logs[tree.total[node]]
    scale = 1.0 / (remaining * plan.scale)
    best, best_score, ties = 0, -np.inf, 0
    for a in range(plan.actions):
        score = tree.value[node, a] * scale + plan.ucb * np.sqrt(log_total / tree.visits[node, a])
        if score > best_score:
            best, best_score, ties = a, score, 1
        elif score == best_score:
            ties += 1
            if below(random, ties) == 0:
                best = a
    return best


def root_result(
    visits: NDArray[np.int32], value: NDArray[np.float64], random: Stream, simulations: int
) -> SearchResult:
    """Return what stands at the root of a tree; visits and value are [N, A], of all its decision nodes."""
    count = visits[ROOT].astype(np.int64)
    mean = np.where(count > 0, value[ROOT], np.nan)
    return SearchResult(best_action(mean, random), mean, count, simulations)

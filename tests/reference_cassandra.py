"""Slow and obvious: Cassandra's format word by word into dense arrays, and whether two environments are one process."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx.pomdp.definition import POMDP

HEADS = {"discount", "values", "states", "actions", "observations", "start", "T", "O", "R"}


class Dense(NamedTuple):
    """A problem, all of it written out."""

    start: NDArray[np.float64]  # [S]
    moves: NDArray[np.float64]  # [A, S, S]
    sight: NDArray[np.float64]  # [A, S, O]
    reward: NDArray[np.float64]  # [A, S, S, O]


def read_dense(text: str) -> Dense:
    """Read a text that is right; of one that is wrong nothing is promised."""
    words = re.findall(r":|\*|[^\s:*]+", re.sub("#.*", "", text))
    begins = [i for i, w in enumerate(words[:-1]) if w in HEADS and words[i + 1] in (":", "include", "exclude")]
    begins = [i for i in begins if i == 0 or words[i - 1] != ":"]
    said = [words[i:end] for i, end in zip(begins, [*begins[1:], len(words)], strict=True)]
    names: dict[str, list[str]] = {}
    for head, _, *rest in said:
        if head in ("states", "actions", "observations"):
            names[head] = [str(i) for i in range(int(rest[0]))] if rest[0].isdigit() else rest
    seen = "observations" not in names
    names.setdefault("observations", names["states"])
    count = {kind: len(each) for kind, each in names.items()}
    a, s, o = count["actions"], count["states"], count["observations"]
    sign = -1.0 if any(words == ["values", ":", "cost"] for words in said) else 1.0
    start = np.full(s, 1 / s)

    def which(kind: str, word: str) -> list[int]:
        if word == "*":
            return list(range(count[kind]))
        return [names[kind].index(word) if word in names[kind] else int(word)]

    for head, *rest in said:
        if head != "start":
            continue
        if rest[0] in ("include", "exclude"):
            chosen = np.zeros(s)
            for word in rest[2:]:
                chosen[which("states", word)] = 1
            chosen = 1 - chosen if rest[0] == "exclude" else chosen
            start = chosen / chosen.sum()
        elif len(rest) == 2 and s > 1 and rest[1] != "uniform":
            start = np.zeros(s)
            start[which("states", rest[1])] = 1
        elif s > 1 and rest[1] != "uniform":
            start = np.array([float(word) for word in rest[1:]])
    moves, sight, reward = np.zeros((a, s, s)), np.zeros((a, s, o)), np.zeros((a, s, s, o))
    special = {"uniform": np.full((s, s), 1 / s), "identity": np.eye(s), "reset": np.tile(start, (s, 1))}
    for head, _, *rest in said:
        if head not in ("T", "O", "R"):
            continue
        kinds = {"T": ["states"], "O": ["observations"], "R": ["states", "observations"]}[head]
        kinds = ["actions", "states", *kinds]
        parts = [which("actions", rest.pop(0))]
        while rest and rest[0] == ":":
            parts.append(which(kinds[len(parts)], rest[1]))
            del rest[:2]
        target = {"T": moves, "O": sight, "R": reward}[head]
        if head == "R" and seen and len(parts) < 4:
            target = reward[..., 0]
        free = target.shape[len(parts) :]
        if rest[0] in special:
            block = special[rest[0]] if head == "T" else np.full((s, o), 1 / o)
            block = block if len(parts) == 1 else block[0]
        else:
            block = np.array([float(word) for word in rest]).reshape(free)
            block = block * sign if head == "R" else block
        target[np.ix_(*parts)] = block
        if head == "R" and seen and len(parts) < 4:
            reward[...] = target[..., None]
    if seen:
        sight = np.tile(np.eye(s), (a, 1, 1))
    return Dense(start, moves, sight, reward)


def largest_difference(
    first: POMDP, second: POMDP, *, name: Callable[[POMDP, int, float], Hashable] = lambda pomdp, o, r: (o, r)
) -> float:
    """Return by how much two environments differ in the probability of percepts, over all actions and lengths.

    The probability of percepts is a product of matrices between two vectors, so that it is enough to compare them for
    as many sequences as the matrices have rows: those whose vectors span all others (Tzeng 1992, A polynomial-time
    algorithm for the equivalence of probabilistic automata). Percepts are the same if `name` calls them the same.
    """
    sides = [_steps(pomdp, name) for pomdp in (first, second)]
    sizes = [len(pomdp.states) for pomdp in (first, second)]
    starts = [np.zeros(size) for size in sizes]
    for start, pomdp in zip(starts, (first, second), strict=True):
        start[: len(pomdp.tables.start)] = pomdp.tables.start
    basis = np.zeros((0, sum(sizes)))
    queue, worst = [starts], 0.0
    while queue:
        pair = queue.pop()
        worst = max(worst, abs(pair[0].sum() - pair[1].sum()))
        vector = np.concatenate(pair)
        for _ in range(2):  # twice is enough for rounding
            vector = vector - basis.T @ (basis @ vector)
        if np.linalg.norm(vector) < 1e-7:
            continue
        basis = np.vstack([basis, vector / np.linalg.norm(vector)])
        for step in sides[0].keys() | sides[1].keys():
            after = [v @ side[step] if step in side else v * 0 for v, side in zip(pair, sides, strict=True)]
            scale = max(v.sum() for v in after)
            if scale > 1e-12:
                queue.append([v / scale for v in after])
    return worst


def _steps(pomdp: POMDP, name: Callable[[POMDP, int, float], Hashable]) -> dict[Any, Any]:
    """For each action and percept, the matrix of [state, next state]."""
    tables, actions, size = pomdp.tables, len(pomdp.actions), len(pomdp.states)
    steps: dict[Any, Any] = {}
    row = np.repeat(np.arange(len(tables.first) - 1), np.diff(tables.first))
    for r, p, to, o, reward in zip(
        row, tables.probability, tables.state, tables.observation, tables.reward, strict=True
    ):
        key = (int(r) % actions, name(pomdp, int(o), round(float(reward), 9)))
        steps.setdefault(key, np.zeros((size, size)))[int(r) // actions, to] += p
    return steps

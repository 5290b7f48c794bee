"""The graph of beliefs: all beliefs that can be reached in a finite POMDP, and which follows which.

Nearly equal beliefs are merged into one node, so that the graph is finite even where beliefs only converge. How near
that is may differ from place to place: see `Cells`. The error is bounded from above. The value of a belief, the largest
reward that can be expected from it, is convex: learning which of several beliefs is the right one never hurts. So if
the true belief b was merged into the node b^,

    b = lambda b^ + (1 - lambda) rest,    lambda = min over states s of b(s) / b^(s),

its value is at most that of being at the node with probability lambda and otherwise knowing the state, drawn from the
rest. Nodes for known states, corners, are added where they are needed. This is the idea of fixed-grid bounds (Lovejoy
1991), with the reachable beliefs as the grid.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from aixi_approx.pomdp.belief import Belief, Beliefs, branch, first_belief
from aixi_approx.pomdp.clock import ENDLESS, Clock
from aixi_approx.pomdp.definition import POMDP

CHUNK = 40_000  # possible states times actions, over all beliefs, that are expanded at once
FINER = 4  # by which the unit of a cell that is split is divided
MOST_POSSIBLE = 100  # states of a node, on average over as many nodes as there may be
ROUNDING = 1e-13  # a rest below this is a rounding error, not an effect of merging


class BeliefGraph(NamedTuple):
    """Nodes 0 to B - 1, each a belief, with the initial belief first; A actions, and E edges in all."""

    beliefs: Beliefs  # [B] the first belief found among those merged
    reward: NDArray[np.float64]  # [B * A] expected reward of an action
    first: NDArray[np.int64]  # [B * A + 1] edges of node n and action a start at first[n * A + a]
    percept: NDArray[np.int64]  # [E] code of the reward * observations + observation, ascending
    probability: NDArray[np.float64]  # [E]
    node: NDArray[np.int64]  # [E] where the percept leads
    share: NDArray[np.float64]  # [E] lambda: how much of the belief there is the node's
    cell: list[bytes]  # [B] the cell of a node
    merge: float  # unit of probability of the largest cells
    step: csr_array  # [B * A, B] probability of the next node
    generous: csr_array  # [B * A, B] the same with the rest in the corners: never worth less than the true belief

    @property
    def size(self) -> int:
        """Number of nodes."""
        return len(self.beliefs.first) - 1

    def belief(self, node: int) -> Belief:
        """Return the belief of a node."""
        here = slice(*self.beliefs.first[node : node + 2].tolist())
        return Belief(self.beliefs.state[here], self.beliefs.probability[here])

    def follow(self, row: int, code: int) -> int:
        """Return the node to which a percept leads, or -1 if it is impossible; row is node * A + action."""
        first, end = self.first[row : row + 2].tolist()
        edge = first + int(np.searchsorted(self.percept[first:end], code))
        return int(self.node[edge]) if edge < end and self.percept[edge] == code else -1


class TooMany(ValueError):
    """More beliefs can be reached than may be kept."""


class Cells:
    """A division of all beliefs into cells, in each of which they count as one.

    A cell is the set of possible states, and their probabilities in units of `merge`. A cell may be split: its beliefs
    are then told apart in finer units. Nearly equal beliefs on two sides of a boundary are two nodes, which does no
    harm.

    Parameters
    ----------
    merge : float
        The unit.
    """

    def __init__(self, merge: float) -> None:
        self.merge = merge
        self.split: set[bytes] = set()

    def of(self, beliefs: Beliefs) -> list[bytes]:
        """Return the cell of each belief, as a key."""
        bounds, merge = beliefs.first.tolist(), self.merge
        keys = self._keys(beliefs, bounds, merge)
        while self.split:
            inside = [i for i, key in enumerate(keys) if key in self.split]
            if not inside:
                break
            merge /= FINER
            finer = self._keys(beliefs, bounds, merge, inside)
            for i, key in zip(inside, finer, strict=True):
                keys[i] = key
        return keys

    def _keys(self, beliefs: Beliefs, bounds: list[int], merge: float, of: list[int] | None = None) -> list[bytes]:
        units = np.rint(beliefs.probability / merge).astype(np.int64)
        text = np.stack([beliefs.state, units], axis=1).tobytes()
        level = b"" if merge == self.merge else np.float64(merge).tobytes()
        if of is None:
            return [text[16 * i : 16 * j] for i, j in pairwise(bounds)]
        return [level + text[16 * bounds[i] : 16 * bounds[i + 1]] for i in of]


class _Nodes:
    """The nodes found so far, one of each cell."""

    def __init__(self, pomdp: POMDP, cells: Cells, most: int) -> None:
        self.pomdp, self.cells, self.most = pomdp, cells, most
        self.number: dict[bytes, int] = {}
        self.state: list[NDArray[np.int64]] = []
        self.probability: list[NDArray[np.float64]] = []
        self.possible = 0

    def place(self, beliefs: Beliefs) -> NDArray[np.int64]:
        """Return the nodes of beliefs, adding those that are new."""
        bounds = beliefs.first.tolist()
        before = len(self.number)
        numbers = [self.number.setdefault(key, len(self.number)) for key in self.cells.of(beliefs)]
        if len(self.number) > self.most or self.possible > MOST_POSSIBLE * self.most:
            merge, count = self.cells.merge, min(self.most, len(self.number) - 1)
            raise TooMany(
                f"{self.pomdp.name}: more than {count} beliefs can be reached, merged at {merge:g}: leave the merge "
                "out, and bounds are refined where it matters"
            )
        nodes = np.array(numbers, dtype=np.int64)
        found, at = np.unique(nodes, return_index=True)
        for i in at[found >= before].tolist():
            self.state.append(beliefs.state[bounds[i] : bounds[i + 1]].copy())
            self.probability.append(beliefs.probability[bounds[i] : bounds[i + 1]].copy())
            self.possible += bounds[i + 1] - bounds[i]
        return nodes

    def beliefs(self, begin: int, end: int) -> Beliefs:
        """Return the beliefs of nodes `begin` to `end` - 1."""
        first = np.cumsum([0, *map(len, self.state[begin:end])])
        return Beliefs(first, np.concatenate(self.state[begin:end]), np.concatenate(self.probability[begin:end]))


def explore(pomdp: POMDP, merge: float | Cells, *, max_beliefs: int, clock: Clock = ENDLESS) -> BeliefGraph:
    """Return the graph of all beliefs that can be reached from the start.

    Parameters
    ----------
    pomdp : POMDP
        The environment.
    merge : float or Cells
        Resolution of probabilities, below which beliefs are merged; or a division of them.
    max_beliefs : int
        Largest number of nodes.
    clock : Clock, optional
        When to end.

    Raises
    ------
    TooMany
        If there are more nodes than `max_beliefs`, or together they take more memory than they may; a ValueError.
    """
    actions, observations = len(pomdp.actions), len(pomdp.observations)
    nodes = _Nodes(pomdp, merge if isinstance(merge, Cells) else Cells(merge), max_beliefs)
    start = first_belief(pomdp)
    nodes.place(Beliefs(np.array([0, len(start.state)]), *start))
    edges: list[tuple[NDArray[np.int64], ...]] = []
    weights: list[NDArray[np.float64]] = []
    corners: list[tuple[NDArray[np.int64], ...]] = []  # (row, node) of the rests
    rests: list[NDArray[np.float64]] = []
    shares: list[NDArray[np.float64]] = []
    done = 0
    while done < len(nodes.state):
        clock.check()
        end, load = done, 0
        while end < len(nodes.state) and load < CHUNK:
            load += len(nodes.state[end]) * actions
            end += 1
        found = branch(pomdp, nodes.beliefs(done, end), actions=np.arange(actions))
        node = nodes.place(found.belief)
        share, rest = _split(found.belief, [nodes.probability[n] for n in node.tolist()])
        row = found.row + done * actions
        edges.append((row, found.percept, node))
        weights.append(found.probability)
        shares.append(share)
        kept = np.flatnonzero(rest)
        if len(kept):
            edge = np.repeat(np.arange(len(row)), np.diff(found.belief.first))[kept]
            state, which = np.unique(found.belief.state[kept], return_inverse=True)
            corner = nodes.place(Beliefs(np.arange(len(state) + 1), state, np.ones(len(state))))
            corners.append((row[edge], corner[which]))
            rests.append(found.probability[edge] * rest[kept])
        done = end

    row, percept, node = (np.concatenate(part) for part in zip(*edges, strict=True))
    probability, share = np.concatenate(weights), np.concatenate(shares)
    rest_row, rest_node = (np.concatenate(part) for part in zip((row[:0], node[:0]), *corners, strict=True))
    shape, reward = (done * actions, done), pomdp.coding.rewards_of(percept // observations)
    generous = (
        np.concatenate([probability * share, *rests]),
        (np.concatenate([row, rest_row]), np.concatenate([node, rest_node])),
    )
    return BeliefGraph(
        beliefs=nodes.beliefs(0, done),
        reward=np.bincount(row, probability * reward, done * actions).astype(np.float64),
        first=np.searchsorted(row, np.arange(done * actions + 1)),
        percept=percept,
        probability=probability,
        node=node,
        share=share,
        cell=list(nodes.number),
        merge=nodes.cells.merge,
        step=csr_array((probability, (row, node)), shape=shape),
        generous=csr_array(generous, shape=shape),
    )


def _split(beliefs: Beliefs, merged: list[NDArray[np.float64]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return lambda of each belief, and what is left of it in each of its possible states."""
    target = np.concatenate(merged)
    share = np.minimum.reduceat(beliefs.probability / target, beliefs.first[:-1])
    share[share > 1 - ROUNDING] = 1
    spread = np.repeat(share, np.diff(beliefs.first))
    rest = np.where(spread < 1, np.maximum(beliefs.probability - spread * target, 0), 0)
    return share, rest

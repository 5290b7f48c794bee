"""The tree of a game of OpenSpiel, walked once, and how those play in it who play perfectly.

A node is a history. Where all players see everything, histories that come to the same position after the same number of
moves are one node, so that the tree is a graph without cycles.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyspiel
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, hstack

from aixi_approx.randomness import PROBE, below, stream

MAX_NODES = 100_000  # of a tree that is walked: some seconds
TOO_LARGE = f"its tree has more than {MAX_NODES:,} nodes"
PROBES = 100  # random games, a second of those that are slow, before a walk that would take a minute
MEETING = 5  # ways to a position, about, where positions are nodes: 3 in tic-tac-toe
CHANCE, ENDED = int(pyspiel.PlayerId.CHANCE), int(pyspiel.PlayerId.TERMINAL)  # in place of a player
NOTHING = 1e-9  # a probability or a difference of values below this is one of rounding

Policy = dict[int, Sequence[float]]  # probabilities of the actions of a node


class Node(NamedTuple):
    """A history, or a position."""

    player: int  # whose turn it is; CHANCE or ENDED
    actions: list[int]
    after: list[int]  # the node that each action leads to
    chance: list[float]  # of each action, if it is the turn of chance
    gains: list[tuple[float, ...]]  # what each action pays each player
    seen: str  # by the player whose turn it is: all that it knows
    history: list[int]  # one that leads there
    depth: int  # moves


class Tree:
    """All that can happen in a game; the first node is its beginning.

    Parameters
    ----------
    game : pyspiel.Game
        A game in which one moves after the other, and the chances are known.

    Raises
    ------
    OverflowError
        If it has more than MAX_NODES nodes.
    """

    def __init__(self, game: Any) -> None:
        kind = game.get_type()
        self.game, self.open = game, kind.information == pyspiel.GameType.Information.PERFECT_INFORMATION
        self.recalls = kind.provides_information_state_string
        self.zero_sum = game.num_players() == 2 and kind.utility == pyspiel.GameType.Utility.ZERO_SUM
        self._probe()
        try:
            self.nodes = self._walk()
        except _TwoInOneError:  # what is drawn of a position is not all that counts: take histories
            self.open = False
            self.nodes = self._walk()

    def seen(self, state: Any, player: int) -> str:
        """Return what a player knows at its turn."""
        if self.open:
            return str(state)
        return str(state.information_state_string(player) if self.recalls else state.observation_string(player))

    def _probe(self) -> None:
        """Play some random games, and see whether what branches off them alone is too much to be walked."""
        random, met, branches = stream(0, PROBE), set[Any](), 0
        for _ in range(PROBES):
            state = self.game.new_initial_state()
            while not state.is_terminal():
                actions = state.legal_actions()
                place = (state.move_number(), str(state)) if self.open else tuple(state.history())
                if place not in met:
                    met.add(place)
                    branches += len(actions)
                state.apply_action(actions[below(random, len(actions))])
            if branches > MAX_NODES * (MEETING if self.open else 1):
                raise OverflowError(TOO_LARGE)

    def _walk(self) -> list[Node]:
        number: dict[Any, int] = {}
        nodes: list[Any] = []
        root = self.game.new_initial_state()
        self._number(root, 0, number, nodes)
        stack = [(root, 0)]
        while stack:
            state, i = stack.pop()
            depth, player = len(state.history()), int(state.current_player())
            chance: list[float] = []
            if player == CHANCE:
                known = [(a, p) for a, p in state.chance_outcomes() if p > 0]
                actions, chance = [a for a, _ in known], [p for _, p in known]
            else:
                actions = [] if player == ENDED else list(state.legal_actions())
            after, gains, before = [], [], state.returns()
            for action in actions:
                child = state.child(action)
                j, new = self._number(child, depth + 1, number, nodes)
                if new:
                    stack.append((child, j))
                after.append(j)
                gains.append(gain(before, child.returns()))
            seen = self.seen(state, player) if player >= 0 else ""
            nodes[i] = Node(player, actions, after, chance, gains, seen, list(state.history()), depth)
        return nodes

    def _number(self, state: Any, depth: int, number: dict[Any, int], nodes: list[Any]) -> tuple[int, bool]:
        """The number of the node of a state, and whether it is new."""
        player = int(state.current_player())
        key = (depth, player, str(state)) if self.open else len(nodes)
        if key in number:
            known = nodes[number[key]]
            if known and known.player >= 0 and known.actions != state.legal_actions():
                raise _TwoInOneError
            return number[key], False
        if len(nodes) >= MAX_NODES:
            raise OverflowError(TOO_LARGE)
        number[key] = len(nodes)
        nodes.append(None)
        return number[key], True

    def names(self, player: int) -> dict[int, str]:
        """Return what each action of a player is called, at the first node where it is legal."""
        found: dict[int, str] = {}
        for node in self.nodes:
            if node.player == player and not found.keys() >= set(node.actions):
                state = self.state(node)
                found = {a: str(state.action_to_string(player, a)) for a in node.actions} | found
        return found

    def state(self, node: Node) -> Any:
        """Return the state of OpenSpiel that the history of a node leads to."""
        state = self.game.new_initial_state()
        for action in node.history:
            state.apply_action(action)
        return state

    def until(self, player: int, start: int, *, policy: Policy) -> dict[tuple[int, float], float]:
        """Return where others and chance lead from a node, and with which probability.

        That is: the node in which it is the player's turn, or ENDED, and what the player was paid on the way.
        """
        found: dict[tuple[int, float], float] = defaultdict(float)
        stack = [(start, 1.0, 0.0)]
        while stack:
            i, p, paid = stack.pop()
            node = self.nodes[i]
            if node.player in (player, ENDED):
                found[ENDED if node.player == ENDED else i, paid] += p
                continue
            for j, q, gains in zip(node.after, node.chance or policy[i], node.gains, strict=True):
                if q > 0:
                    stack.append((j, p * q, total(paid, gains[player])))
        return dict(found)

    def turns(self, player: int) -> int:
        """Return the largest number of turns that a player can have in a game."""
        most = [0] * len(self.nodes)
        for i in self._last_first():
            node = self.nodes[i]
            most[i] = max((most[j] for j in node.after), default=0) + (node.player == player)
        return most[0]

    def uniform(self) -> Policy:
        """Return how those play who draw each action uniformly."""
        return {i: [1 / len(n.actions)] * len(n.actions) for i, n in enumerate(self.nodes) if n.player >= 0}

    def perfect(self, player: int) -> Policy:
        """Return how the others play perfectly against a player.

        Where all players see everything, by backward induction: each takes one of the actions that are best for
        itself, drawn uniformly. Else, in a game of two with zero sum, as the linear program in sequence form has it
        (Koller, Megiddo and von Stengel 1996): a strategy against which no player earns more than the value of the
        game. Where its own strategy never leads, it draws uniformly.

        Raises
        ------
        ValueError
            If it is a game of another kind.
        """
        if self.open:
            return self._backward()
        if not self.zero_sum or not self.recalls:
            raise ValueError("a perfect opponent is known where all is seen, and for two players with zero sum")
        return self._equilibrium(player)

    def _last_first(self) -> list[int]:
        return sorted(range(len(self.nodes)), key=lambda i: -self.nodes[i].depth)

    def _backward(self) -> Policy:
        policy: Policy = {}
        value = np.zeros((len(self.nodes), self.game.num_players()))
        for i in self._last_first():
            node = self.nodes[i]
            if not node.actions:
                continue
            worth = np.array(node.gains) + value[node.after]
            chance = np.array(node.chance)
            if node.player >= 0:
                own = worth[:, node.player]
                best = own >= own.max() - NOTHING
                chance = best / best.sum()
                policy[i] = chance.tolist()
            value[i] = chance @ worth
        return policy

    def _equilibrium(self, player: int) -> Policy:
        ours, theirs = _Sequences(), _Sequences()
        pay: dict[tuple[int, int], float] = defaultdict(float)
        stack = [(0, 0, 0, 1.0, 0.0)]
        while stack:
            i, mine, other, chance, total = stack.pop()
            node = self.nodes[i]
            if node.player == ENDED:
                pay[mine, other] += chance * total
            for k, j in enumerate(node.after):
                gained = total + node.gains[k][player]
                if node.player == CHANCE:
                    stack.append((j, mine, other, chance * node.chance[k], gained))
                elif node.player == player:
                    stack.append((j, ours.first(node, mine) + k, other, chance, gained))
                else:
                    stack.append((j, mine, theirs.first(node, other) + k, chance, gained))
        rows, columns = np.array(list(pay), dtype=int).T
        payoff = csr_array(coo_array((list(pay.values()), (rows, columns)), shape=(ours.count, theirs.count)))
        first, second = ours.constraints(), theirs.constraints()
        # Variables: their plan y, and the values q of our sets. Minimise q[0] where payoff y <= E'q, F y = (1, 0, ...).
        found = linprog(
            np.concatenate([np.zeros(theirs.count), [1.0], np.zeros(first.shape[0] - 1)]),
            A_ub=hstack([payoff, -first.T]),
            b_ub=np.zeros(ours.count),
            A_eq=hstack([second, csr_array((second.shape[0], first.shape[0]))]),
            b_eq=[1.0] + [0.0] * (second.shape[0] - 1),
            bounds=[(0, None)] * theirs.count + [(None, None)] * first.shape[0],
            method="highs",
        )
        if found.x is None:
            raise ValueError(f"no perfect opponent was found: {found.message}")
        plan = np.where(found.x < NOTHING, 0.0, found.x)
        policy: Policy = {}
        for i, node in enumerate(self.nodes):
            if node.player == 1 - player:
                begin = theirs.where[node.seen][0]
                weight = plan[begin : begin + len(node.actions)]
                policy[i] = (weight / weight.sum() if weight.sum() else np.full(len(weight), 1 / len(weight))).tolist()
        return policy


class _TwoInOneError(Exception):
    """Two positions look the same and are not."""


class _Sequences:
    """The sequences of actions of one player; number 0 is the empty one, and those of a set follow each other."""

    def __init__(self) -> None:
        self.count = 1
        self.where: dict[str, tuple[int, int, int]] = {}  # set: its first sequence, number of actions, sequence before

    def first(self, node: Node, before: int) -> int:
        """The first sequence of the set of a node."""
        if node.seen not in self.where:
            self.where[node.seen] = (self.count, len(node.actions), before)
            self.count += len(node.actions)
        if self.where[node.seen][2] != before:
            raise ValueError("no perfect opponent is known where players forget what they did")
        return self.where[node.seen][0]

    def constraints(self) -> csr_array:
        """The matrix of a plan: the empty sequence has 1, and what goes into a set comes out of it."""
        entries = [(0, 0, 1.0)]
        for row, (first, count, before) in enumerate(self.where.values(), start=1):
            entries += [(row, before, -1.0), *((row, first + k, 1.0) for k in range(count))]
        rows, columns, weights = zip(*entries, strict=True)
        return csr_array(coo_array((weights, (rows, columns)), shape=(len(self.where) + 1, self.count)))


def total(*paid: float) -> float:
    """Return a sum without the noise of one.

    >>> total(0.1, 0.2)
    0.3
    """
    return float(f"{sum(paid):.12g}")


def gain(before: Sequence[float], after: Sequence[float]) -> tuple[float, ...]:
    """Return what was paid between two returns, without the noise of a difference.

    >>> gain([0.1, 0], [0.3, 1])
    (0.2, 1.0)
    """
    return tuple(total(b, -a) for a, b in zip(before, after, strict=True))

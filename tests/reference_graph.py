"""The slow, obvious twin of `GraphUCT`: recursive, on dictionaries and the readable definition of the environment."""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Hashable
from typing import Any

from aixi_approx.pomdp.belief import Belief
from aixi_approx.pomdp.definition import POMDP, Outcome
from aixi_approx.pomdp.discounted import RESTART
from aixi_approx.randomness import Stream, below, draw
from aixi_approx.rollout import Rollout

EARLIER = 1 - 2.0**-20
SAME = 1e-9  # what differs by less is equal


@functools.cache
def outcomes(pomdp: POMDP, state: Hashable, action: int) -> list[Outcome]:
    """Those of positive probability."""
    return [Outcome(*o) for o in pomdp.outcomes(state, pomdp.actions[action]) if o[0]]


@functools.cache
def taken(pomdp: POMDP, state: Hashable, action: int, left: int) -> float:
    """What an action in a state earns, and then uniform ones, with so many cycles left."""
    return sum(
        o.probability * (o.reward + (o.observation != RESTART) * EARLIER * uniform(pomdp, o.state, left - 1))
        for o in outcomes(pomdp, state, action)
    )


@functools.cache
def uniform(pomdp: POMDP, state: Hashable, left: int) -> float:
    """What uniform actions earn from a state."""
    actions = range(len(pomdp.actions))
    return statistics.fmean(taken(pomdp, state, a, left) for a in actions) if left else 0.0


class PlainNode:
    """A decision node."""

    def __init__(self, level: int, belief: dict[Hashable, float], actions: int) -> None:
        self.level, self.belief = level, belief
        self.q: dict[int, float] = {}
        self.known: set[int] = set()  # actions whose q is exact
        self.value, self.closed = 0.0, False
        self.returns: list[list[float]] = [[] for _ in range(actions)]  # of the simulations through each action
        self.branches: dict[int, list[PlainBranch]] = {}  # of the expanded actions
        self.reward: dict[int, float] = {}
        self.rollouts: list[float] = []
        self.prior: list[float] = []  # what the policy says, once it was asked


class PlainBranch:
    """A percept that can follow an action."""

    def __init__(self, probability: float, observation: int, reward: int, child: PlainNode) -> None:
        self.probability, self.observation, self.reward, self.child = probability, observation, reward, child
        self.visits = 0


class PlainGraphSearch:
    """DP-UCT on the graph of beliefs; on the tree of histories if beliefs are not merged."""

    def __init__(
        self,
        pomdp: POMDP,
        belief: Belief,
        horizon: int,
        random: Stream,
        *,
        rule: str,
        ucb: float,
        exact: bool = True,
        merge: bool = True,
        policy: Rollout | None = None,
        trust: float = 0.0,
        share: float = 1.0,
        acts: bool = True,
    ) -> None:
        self.policy, self.trust, self.share, self.acts = policy, trust, share, acts
        self.pomdp, self.horizon, self.random = pomdp, horizon, random
        self.rule, self.ucb, self.exact, self.merge = rule, ucb, exact, merge
        self.actions = range(len(pomdp.actions))
        self.goes_on = pomdp.discount if RESTART in pomdp.observations else 1
        self.nodes: dict[Any, PlainNode] = {}
        self.done = 0
        names = [pomdp.states[state] for state in belief.state]
        self.root = self.node(0, dict(zip(names, belief.probability.tolist(), strict=True)))

    def run(self, simulations: int) -> None:
        while self.done < simulations and not self.root.closed:
            mark = self.policy.mark() if self.policy else 0
            self.guided = self.share == 1 or (self.share > 0 and draw(self.random) < self.share)
            self.done += self.simulate(self.root) is not None
            if self.policy:
                self.policy.revert(mark)
        for node in sorted(self.nodes.values(), key=lambda node: -node.level):
            self.refresh(node)

    def simulate(self, node: PlainNode) -> float | None:
        """The return of a simulation from a node; None if it turned out that all is known there."""
        self.refresh(node)
        if node.closed:
            return None
        follows = self.guided and self.rule == "follow"
        if self.policy and (follows or self.rule == "prior") and not node.prior:
            node.prior = self.policy.prediction.tolist()  # type: ignore[attr-defined]
        followed = self.follow(node) if follows else None
        action = self.select(node) if followed is None else followed
        if action in node.branches:
            branch = self.next_branch(node, action)
            assert branch is not None
            self.tell(action, branch.observation, branch.reward)
            later = self.simulate(branch.child)
        else:
            self.expand(node, action)
            self.back_up(node, action)
            branch = None if self.exact else self.next_branch(node, action)
            if branch is not None:
                self.tell(action, branch.observation, branch.reward)
            later = node.q[action] if branch is None else self.roll_out(branch.child)
        outcome = later
        if branch is not None and later is not None:
            branch.visits += 1
            outcome = branch.reward + self.goes_on * EARLIER * later
        if outcome is not None:
            node.returns[action].append(outcome)
        self.back_up(node, action)
        self.sum_up(node)
        return outcome

    def node(self, level: int, belief: dict[Hashable, float]) -> PlainNode:
        key = (level, frozenset((state, math.floor(p / SAME + 0.382)) for state, p in belief.items()))
        if not self.merge:
            key = (level, len(self.nodes))  # type: ignore[assignment]
        if key not in self.nodes:
            self.nodes[key] = node = PlainNode(level, belief, len(self.actions))
            left = self.horizon - level
            if self.exact:
                for a in self.actions:
                    node.q[a] = sum(p * taken(self.pomdp, state, a, left) for state, p in belief.items())
                if left == 1:
                    node.known.update(self.actions)
                self.sum_up(node)
        return self.nodes[key]

    def expand(self, node: PlainNode, action: int) -> None:
        joint: dict[tuple[Hashable, int], dict[Hashable, float]] = {}
        node.reward[action] = 0.0
        for state, p in node.belief.items():
            for o in outcomes(self.pomdp, state, action):
                node.reward[action] += p * o.probability * o.reward
                if o.observation == RESTART:
                    continue
                states = joint.setdefault((o.observation, o.reward), {})
                states[o.state] = states.get(o.state, 0.0) + p * o.probability
        node.branches[action] = []
        if node.level + 1 < self.horizon:
            for (observation, reward), states in joint.items():
                total = sum(states.values())
                child = self.node(node.level + 1, {state: p / total for state, p in states.items()})
                number = self.pomdp.observations.index(observation)
                node.branches[action].append(PlainBranch(total, number, reward, child))

    def refresh(self, node: PlainNode) -> None:
        for action in node.branches:
            self.back_up(node, action)
        self.sum_up(node)

    def back_up(self, node: PlainNode, action: int) -> None:
        branches = node.branches[action]
        valued = [b for b in branches if self.exact or b.child.closed or any(b.child.returns) or b.child.rollouts]
        later = sum(b.probability * b.child.value for b in valued)
        if valued and not self.exact:
            later *= self.goes_on / sum(b.probability for b in valued)
        node.q[action] = node.reward[action] + EARLIER * later
        if all(b.child.closed for b in branches):
            node.known.add(action)

    def sum_up(self, node: PlainNode) -> None:
        node.closed = len(node.known) == len(self.actions)
        if self.exact or node.closed:
            node.value = max(node.q.values())
        elif node.q or node.rollouts:
            counted = [(len(node.returns[a]), q) for a, q in node.q.items()] + [(1, x) for x in node.rollouts]
            weight = sum(n for n, _ in counted)
            mean = sum(n * x for n, x in counted) / weight if weight else 0.0
            node.value = (max(node.q.values()) + mean) / 2 if node.q else mean

    def tell(self, action: int, observation: int, reward: int) -> None:
        """Tell the policy what is imagined."""
        if self.policy:
            self.policy.extend(self.pomdp.coding.cycle(action, observation, reward))

    def follow(self, node: PlainNode) -> int | None:
        """An action that is not known, drawn from what the policy says; None if that rules all of them out."""
        said = {a: 0.0 if a in node.known else node.prior[a] for a in self.actions}
        total = sum(said.values())
        action = self.draw({a: p / total for a, p in said.items()}) if total else None
        return None if action in node.known else action

    def mean(self, node: PlainNode) -> float:
        """The mean of what was found out at a node, by visits."""
        counted = [(len(node.returns[a]), q) for a, q in node.q.items()] + [(1, x) for x in node.rollouts]
        weight = sum(n for n, _ in counted)
        return sum(n * x for n, x in counted) / weight if weight else 0.0

    def select(self, node: PlainNode) -> int:
        unit = (self.horizon - node.level) * max(1, self.pomdp.max_reward - self.pomdp.min_reward)
        by_spread = self.rule == "spread" or (self.exact and self.rule in ("prior", "follow"))
        if by_spread and len(node.q) == len(self.actions):
            squares = sum(statistics.pvariance(r) * len(r) for r in node.returns if r)
            degrees = sum(len(r) - 1 for r in node.returns if r)
            between = statistics.variance(node.q.values()) if len(self.actions) > 1 else 0.0
            unit = math.sqrt((squares / degrees if degrees else 0.0) + between)
        score = {}
        for a in set(self.actions) - node.known:
            n, total = len(node.returns[a]), sum(map(len, node.returns))
            if self.rule == "prior":
                p = self.trust * node.prior[a] + (1 - self.trust) / len(self.actions)
                score[a] = node.q.get(a, self.mean(node)) + self.ucb * unit * p * math.sqrt(total + 1) / (n + 1)
            elif a not in node.q:
                score[a] = math.inf
            elif self.rule == "round-robin":
                score[a] = -float(n)
            else:
                score[a] = node.q[a] + self.ucb * unit * math.sqrt(math.log(total + 1) / (n + 1))
        best = [a for a in sorted(score) if score[a] >= max(score.values()) - SAME]
        return best[below(self.random, len(best))] if len(best) > 1 else best[0]

    def next_branch(self, node: PlainNode, action: int) -> PlainBranch | None:
        def lag(branch: PlainBranch) -> float:
            return branch.probability * (len(node.returns[action]) + 1) - self.goes_on * branch.visits

        best = None
        for branch in node.branches[action]:
            if not branch.child.closed and (best is None or lag(branch) > lag(best) + SAME):
                best = branch
        return best

    def roll_out(self, node: PlainNode) -> float:
        state = self.draw(node.belief)
        outcome = 0.0
        for t in range(self.horizon - node.level):
            guided = self.policy is not None and self.guided and self.acts
            action = self.policy.choose(draw(self.random)) if guided else below(self.random, len(self.actions))  # type: ignore[union-attr]
            options = outcomes(self.pomdp, state, action)
            option = options[self.draw({i: o.probability for i, o in enumerate(options)})]
            state = option.state
            self.tell(action, self.pomdp.observations.index(option.observation), option.reward)
            outcome += EARLIER**t * option.reward
            if option.observation == RESTART:
                break
        node.rollouts.append(outcome)
        self.sum_up(node)
        return outcome

    def draw(self, distribution: dict[Any, float]) -> Any:
        u = draw(self.random)
        *others, last = distribution
        for value in others:
            u -= distribution[value]
            if u < 0:
                return value
        return last

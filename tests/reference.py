"""Slow, obvious twins of the compiled kernels: what the tests compare them with.

Nothing here is clever. Where a formula stands in a paper, it is written down as it stands there.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import Any

from aixi_approx.coding import Coding, decode, encode
from aixi_approx.environment import Environment, Percept
from aixi_approx.pomdp.belief import Belief
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.predictor import Predictor
from aixi_approx.randomness import below, draw
from aixi_approx.rollout import Rollout


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

    def log_kt_after(self, bit: int) -> float:
        """The KT estimator, one bit later."""
        return self.log_kt + math.log2((self.count[bit] + 0.5) / (sum(self.count) + 1))

    def learn(self, bit: int, context: list[int]) -> None:
        """JAIR 2011, section 5: Pw = Pe at full depth, else 1/2 Pe + 1/2 Pw0 Pw1, from the leaf up."""
        path = [self]
        for b in context:
            path.append(path[-1].child.setdefault(b, PlainNode()))
        for node in reversed(path):
            node.log_kt = node.log_kt_after(bit)
            node.count[bit] += 1
            below = sum(child.log_weighted for child in node.child.values())
            node.log_weighted = log2_add(node.log_kt, below) - 1 if node is not path[-1] else node.log_kt

    def after(self, bit: int, context: list[int]) -> float:
        """What `log_weighted` would be after `learn`."""
        path = [self]
        for b in context:
            path.append(path[-1].child.get(b, PlainNode()))
        log_weighted = path[-1].log_kt_after(bit)
        for node, b in zip(path[-2::-1], context[::-1], strict=True):
            beside = node.child[1 - b].log_weighted if 1 - b in node.child else 0.0
            log_weighted = log2_add(node.log_kt_after(bit), log_weighted + beside) - 1
        return log_weighted


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
        return (self.history[: -self.depth - 1 : -1] + [0] * self.depth)[: self.depth]

    @property
    def mixed(self) -> int:
        """Nodes on the path of the context that mix two predictions: the root, and those with another child."""
        node, found = self.tree, 1
        for depth, b in enumerate(self.context):
            found += depth > 0 and 1 - b in node.child
            if b not in node.child:
                break
            node = node.child[b]
        return found

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


def kt(zeros: int, ones: int) -> Fraction:
    """The KT probability of a string with these counts."""
    p = Fraction(1)
    for i in range(zeros):
        p *= Fraction(2 * i + 1, 2 * (i + 1))
    for i in range(ones):
        p *= Fraction(2 * i + 1, 2 * (zeros + i + 1))
    return p


Context = tuple[int, ...]  # the most recent bit first
Counts = dict[Context, list[int]]  # zeros and ones seen in every context of 0 to D bits, if any


def context_counts(bits: list[int], depth: int, action_bits: int = 0, percept_bits: int = 1) -> list[Counts]:
    """What the nodes of each tree have seen."""
    counts: list[Counts] = [{} for _ in range(percept_bits)]
    for i, bit in enumerate(bits):
        tree = i % (action_bits + percept_bits) - action_bits
        context = tuple(([0] * depth + bits[:i])[::-1][:depth])
        for length in range(depth + 1 if tree >= 0 else 0):
            counts[tree].setdefault(context[:length], [0, 0])[bit] += 1
    return counts


def two_part_code(leaves: Sequence[Context], counts: Counts, depth: int) -> tuple[int, float, float, float]:
    """Of one context tree: visited leaves, code length, that with the best fixed parameters, what KT may lose to it."""
    nodes = {leaf[:length] for leaf in leaves for length in range(len(leaf) + 1)}
    gamma = sum(node in counts and len(node) < depth for node in nodes)
    visited = [counts[leaf] for leaf in leaves if leaf in counts]
    chances = [kt(*count) for count in visited]
    bits = gamma + sum(math.log2(p.denominator) - math.log2(p.numerator) for p in chances)  # no double holds them all
    fixed = -sum(c * math.log2(c / sum(count)) for count in visited for c in count if c)
    allowance = gamma + sum(0.5 * math.log2(sum(count)) + 1 for count in visited)
    return len(visited), bits, fixed, allowance


def best_leaves(counts: Counts, depth: int, node: Context = ()) -> tuple[Fraction, list[Context]]:
    """Context-tree maximising: the largest 2^-Gamma times probability below a node, and the leaves that give it."""
    if node not in counts:
        return Fraction(1), [node]
    stop = kt(*counts[node])
    if len(node) == depth:
        return stop, [node]
    (p0, leaves0), (p1, leaves1) = (best_leaves(counts, depth, (*node, b)) for b in (0, 1))
    return (stop / 2, [node]) if stop >= p0 * p1 else (p0 * p1 / 2, leaves0 + leaves1)


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


class PlainPredictor(Predictor):
    """`PlainTrees` as a predictor of its own: what a user's predictor in Python looks like."""

    def __init__(self, depth: int, action_bits: int, percept_bits: int) -> None:
        self.action_bits, self.percept_bits = action_bits, percept_bits
        self.trees = PlainTrees(depth, action_bits, percept_bits)
        self.marks: list[PlainTrees] = []

    def predict(self) -> float:
        return self.trees.predict()

    def update(self, bit: int) -> float:
        return self.trees.update(bit)

    def append(self, bit: int) -> None:
        self.trees.append(bit)

    def mark(self) -> int:
        self.marks.append(copy.deepcopy(self.trees))
        return len(self.marks) - 1

    def revert(self, mark: int) -> None:
        self.trees = self.marks[mark]
        del self.marks[mark:]


class PlainSearch:
    """rhoUCT as JAIR 2011 has it (section 4, algorithms 1 to 4), recursively, on dictionaries, without a memo."""

    def __init__(
        self,
        coding: Coding,
        horizon: int,
        ucb: float,
        predictor: Predictor,
        random: object,
        plies: int | None = None,
        *,
        rule: str = "ucb",
        policy: Rollout | None = None,
        share: float = 1.0,
    ) -> None:
        self.rule, self.policy, self.share = rule, policy, share
        self.coding, self.horizon, self.ucb, self.predictor, self.random = coding, horizon, ucb, predictor, random
        self.rolled = 0 if plies is None else horizon - plies  # cycles at the end that are never more than rolled out
        self.visits: dict[tuple[int, ...], int] = {(): 1}  # by imagined history: actions and codes of whole percepts
        self.value: dict[tuple[int, ...], float] = {}

    def run(self, simulations: int) -> None:
        for _ in range(simulations):
            mark = self.predictor.mark()
            self.simulate()
            self.predictor.revert(mark)

    def simulate(self) -> None:
        """One simulation, in which the policy acts beyond the tree or does not."""
        mark = self.policy.mark() if self.policy else 0
        self.guided = self.share == 1 or (self.share > 0 and draw(self.random) < self.share)
        self.sample((), self.horizon)
        if self.policy:
            self.policy.revert(mark)

    def tell(self, bits: Sequence[int]) -> None:
        """Tell the policy what is imagined."""
        if self.policy:
            self.policy.extend(bits)

    def percept(self, action: int, remaining: int) -> tuple[int, int]:
        """Sample a percept: its code and its reward. In the last cycle the reward is all that matters."""
        for bit in encode(action, self.coding.action_bits):
            self.predictor.append(bit)
        bits: list[int] = []
        for _ in range(self.coding.percept_bits if remaining > 1 else self.coding.reward_bits):
            bits.append(int(draw(self.random) < self.predictor.predict()))
            self.predictor.update(bits[-1])
        self.tell([*encode(action, self.coding.action_bits), *bits])
        reward = self.coding.min_reward + decode(bits[: self.coding.reward_bits])
        return decode(bits), min(reward, self.coding.max_reward)

    def sample(self, history: tuple[int, ...], remaining: int) -> float:
        if remaining == 0:
            return 0.0
        if remaining <= self.rolled:
            return self.rollout(remaining)
        if self.visits.get(history, 0) == 0:
            self.visits[history] = 1
            return self.rollout(remaining)
        action = self.select(history, remaining)
        chance = (*history, action)
        code, reward = self.percept(action, remaining)
        outcome = reward + self.sample((*chance, code), remaining - 1)
        self.visits[chance] = self.visits.get(chance, 0) + 1
        self.visits[history] += 1
        mean = self.value.get(chance, 0.0)
        self.value[chance] = mean + (outcome - mean) / self.visits[chance]
        return outcome

    def rollout(self, remaining: int) -> float:
        outcome = 0
        for left in range(remaining, 0, -1):
            guided = self.policy is not None and self.guided
            action = self.policy.choose(draw(self.random)) if guided else below(self.random, self.coding.actions)  # type: ignore[union-attr]
            outcome += self.percept(action, left)[1]
        return outcome

    def select(self, history: tuple[int, ...], remaining: int) -> int:
        actions = range(self.coding.actions)
        untried = [a for a in actions if (*history, a) not in self.visits]
        if untried:
            return untried[below(self.random, len(untried))]
        scale = remaining * max(1, self.coding.max_reward - self.coding.min_reward)
        log_total = math.log(self.visits[history])
        scores = [
            self.value[*history, a] * (1.0 / scale) + self.ucb * math.sqrt(log_total / self.visits[*history, a])
            if self.rule == "ucb"
            else -float(self.visits[*history, a])
            for a in actions
        ]
        best, ties = 0, 0
        for a in actions:
            if scores[a] > scores[best] or a == 0:
                best, ties = a, 1
            elif scores[a] == scores[best]:
                ties += 1
                if below(self.random, ties) == 0:
                    best = a
        return best


class PlainStateSearch(PlainSearch):
    """The same with percepts from the readable definition of a POMDP, beginning in a state drawn from a belief."""

    def __init__(
        self,
        pomdp: POMDP,
        belief: Belief,
        horizon: int,
        ucb: float,
        random: object,
        plies: int | None = None,
        **guide: Any,
    ) -> None:
        super().__init__(pomdp.coding, horizon, ucb, None, random, plies, **guide)  # type: ignore[arg-type]
        self.pomdp, self.belief = pomdp, belief

    def choose(self, probabilities: list[float]) -> int:
        u = draw(self.random)
        for i, p in enumerate(probabilities[:-1]):
            u -= p
            if u < 0:
                return i
        return len(probabilities) - 1

    def run(self, simulations: int) -> None:
        for _ in range(simulations):
            self.state = self.pomdp.states[self.belief.state[self.choose(self.belief.probability.tolist())]]
            self.simulate()

    def percept(self, action: int, remaining: int) -> tuple[int, int]:
        outcomes = [o for o in self.pomdp.outcomes(self.state, self.pomdp.actions[action]) if o.probability]
        outcome = outcomes[self.choose([o.probability for o in outcomes])]
        self.state = outcome.state
        number = self.pomdp.observations.index(outcome.observation)
        self.tell(self.coding.cycle(action, number, outcome.reward).tolist())
        return outcome.reward * len(self.pomdp.observations) + number, outcome.reward


class PlainQLearning:
    """Q-learning on a dictionary of (last k cycles, action); values and counts start at 0."""

    def __init__(self, actions: int, memory: int, discount: float, rate: float) -> None:
        self.actions, self.memory, self.discount, self.rate = actions, memory, discount, rate
        self.history: list[tuple[int, int, int]] = []
        self.q: dict[tuple[object, int], float] = {}
        self.n: dict[tuple[object, int], int] = {}

    @property
    def state(self) -> tuple[object, ...]:
        return tuple(self.history[len(self.history) - min(self.memory, len(self.history)) :])

    def values(self) -> list[float]:
        return [self.q.get((self.state, a), 0.0) for a in range(self.actions)]

    def see(self, action: int, observation: int, reward: int) -> None:
        before = (self.state, action)
        self.history.append((action, observation, reward))
        aim = reward + self.discount * max(self.values())
        self.n[before] = self.n.get(before, 0) + 1
        old = self.q.get(before, 0.0)
        self.q[before] = old + (aim - old) / self.n[before] ** self.rate


class PlainReturns:
    """AIQI's distribution of returns: plain trees, the whole history, and all returns listed."""

    def __init__(self, coding: Coding, horizon: int, depth: int, levels: int) -> None:
        self.coding, self.horizon, self.depth = coding, horizon, depth
        returns = range(horizon * coding.min_reward, horizon * coding.max_reward + 1)
        levels = min(levels, len(returns))
        self.level = {z: i * levels // len(returns) for i, z in enumerate(returns)}
        members = [[z for z in returns if self.level[z] == level] for level in range(levels)]
        self.returns = [sum(each) / len(each) for each in members]
        self.bits = max(1, (levels - 1).bit_length())
        self.trees = PlainTrees(depth, depth, self.bits)
        self.history: list[int] = []
        self.cycles: list[tuple[list[int], int] | None] = []  # context and reward; None where lessons end

    def context(self, action: int) -> list[int]:
        return ([0] * self.depth + self.history + encode(action, self.coding.action_bits))[-self.depth :]

    def see(self, action: int, observation: int, reward: int, learn: bool = True) -> None:
        self.cycles.append((self.context(action), reward) if learn else None)
        self.history += self.coding.cycle(action, observation, reward).tolist()
        window = [cycle for cycle in self.cycles[-self.horizon :] if cycle]
        if len(window) == self.horizon:
            for bit in window[0][0]:
                self.trees.append(bit)
            for bit in encode(self.level[sum(reward for _, reward in window)], self.bits):
                self.trees.update(bit)

    def restart(self) -> None:
        self.cycles.append(None)

    def distribution(self, action: int) -> list[float]:
        """Bit by bit; a bit is certainly 0 where there is no level with a 1 there."""
        found, lessons = [], self.trees.history
        for level in range(len(self.returns)):
            self.trees.history, p = lessons + self.context(action), 1.0
            for place in reversed(range(self.bits)):
                bit = level >> place & 1
                lowest = (level >> place | 1) << place
                one = self.trees.predict() if lowest < len(self.returns) else 0.0
                p *= one if bit else 1 - one
                self.trees.append(bit)
            found.append(p)
        self.trees.history = lessons
        return found

    def values(self) -> list[float]:
        return [
            sum(p * z for p, z in zip(self.distribution(action), self.returns, strict=True))
            for action in range(self.coding.actions)
        ]


def expectimax(coding: Coding, predictor: Predictor, horizon: int) -> list[float]:
    """Exact value of each action over a horizon: every percept, weighted by its probability."""

    def percepts(bits: list[int], p: float) -> float:
        if len(bits) == coding.percept_bits:
            later = max(expectimax(coding, predictor, horizon - 1)) if horizon > 1 else 0.0
            return p * (coding.percept(bits)[1] + later)
        total = 0.0
        for bit in (0, 1):
            mark = predictor.mark()
            q = predictor.update(bit)
            total += percepts([*bits, bit], p * q)
            predictor.revert(mark)
        return total

    values = []
    for action in range(coding.actions):
        mark = predictor.mark()
        for bit in encode(action, coding.action_bits):
            predictor.append(bit)
        values.append(percepts([], 1.0))
        predictor.revert(mark)
    return values


def true_expectimax(pomdp: POMDP, horizon: int, start: dict[object, float] | None = None) -> list[float]:
    """Exact value of each action in a POMDP: histories one by one, with the weight of each state after each."""

    def values(weights: dict[object, float], left: int) -> list[float]:
        """Of each action, times the sum of the weights."""
        found = []
        for action in pomdp.actions:
            total, after = 0.0, {}
            for state, weight in weights.items():
                for o in pomdp.outcomes(state, action):
                    total += weight * o.probability * o.reward
                    later = after.setdefault((o.observation, o.reward), {})
                    later[o.state] = later.get(o.state, 0.0) + weight * o.probability
            if left > 1:
                total += sum(max(values(later, left - 1)) for later in after.values())
            found.append(total)
        return found

    return values(dict(pomdp.start()) if start is None else start, horizon)


MASK = (1 << 64) - 1


def plain_draws(state: list[int], count: int) -> list[float]:
    """xoshiro256++ in Python's own integers, as its authors give it."""

    def rotate(x: int, k: int) -> int:
        return ((x << k) | (x >> (64 - k))) & MASK

    s = list(state)
    draws = []
    for _ in range(count):
        draws.append(((rotate((s[0] + s[3]) & MASK, 23) + s[0]) & MASK) >> 11)
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotate(s[3], 45)
    return [d / 2**53 for d in draws]


# Environments.


def play(environment: Environment, seed: int, actions: list[int]) -> list[Percept]:
    """What comes of some actions after a reset."""
    environment.reset(seed)
    return [environment.checked_step(action) for action in actions]


# The account of a decision.


def account(
    values: Sequence[float],
    within: set[int] | None,
    model: set[int] | None,
    search: int,
    policy: int | None,
    epsilon: float,
) -> dict[str, float]:
    """Its parts, from the chance of each action at each stage: what is worth 5 and then 3 has lost 2."""

    def as_later(best: set[int] | None, later: dict[int, float] | None) -> dict[int, float] | None:
        """Of the best actions those that the next stage takes, as often as it takes them, if any; else any of them."""
        if best is None:
            return None
        kept = {action: later[action] for action in best if action in later} or dict.fromkeys(best, 1.0)
        return {action: chance / sum(kept.values()) for action, chance in kept.items()}

    def worth(chances: dict[int, float] | None) -> float:
        return math.nan if chances is None else sum(p * values[action] for action, p in chances.items() if p)

    found = {search: 1.0}
    by_model = as_later(model, found)
    knowing = as_later(within, by_model or found)
    taken = {action: epsilon / len(values) for action in range(len(values))}
    done = search if policy is None else policy
    taken[done] += 1 - epsilon
    return {
        "horizon": max(values) - worth(knowing),
        "prediction": worth(knowing) - worth(by_model),
        "decision": worth(by_model) - worth(found),
        "distillation": worth(found) - worth({done: 1.0}),
        "exploration": worth({done: 1.0}) - worth(taken),
        "total": max(values) - worth(taken),
    }


def branching_leaves(counts: Counts, depth: int) -> dict[tuple[tuple[int, int], ...], tuple[int, int]]:
    """The visited leaves of the best tree, each by those bits of its context that it could have differed in: counts.

    A bit of context is (place, value); the last bit has the place 0.
    """
    found = {}
    for leaf in best_leaves(counts, depth)[1]:
        if leaf in counts:
            beside = [(*leaf[:place], 1 - leaf[place]) for place in range(len(leaf))]
            differs = tuple((place, leaf[place]) for place, other in enumerate(beside) if other in counts)
            found[differs] = (counts[leaf][0], counts[leaf][1])
    return found

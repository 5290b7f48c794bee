"""The slow, obvious twin of DP-UCT: dictionaries keyed by imagined history, every reward enumerated, no memo."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from aixi_approx.coding import Coding, decode, encode
from aixi_approx.predictor import Predictor
from aixi_approx.randomness import below, draw
from aixi_approx.rollout import Rollout

RARE, TRUST, SURE, CHECK = 1 / 64, 0.5, 4, 16  # written down again, so that a change of one of them is seen

Past = tuple[int, ...]  # actions and codes of whole percepts, in turn; odd after an action


def add_up(numbers: Iterable[float]) -> float:
    """Their sum from left to right; the `sum` of Python rounds otherwise."""
    total = 0.0
    for number in numbers:
        total += number
    return total


class PlainDPSearch:
    """DP-UCT as its docstring has it. Sums go in the order of the compiled search, so that ties are the same ties."""

    def __init__(
        self,
        coding: Coding,
        horizon: int,
        ucb: float,
        rule: str,
        predictor: Predictor,
        random: object,
        rollout: Rollout | None = None,
        *,
        trust: float = 0.0,
        share: float = 1.0,
        acts: bool = True,
    ) -> None:
        self.trust, self.guiding, self.acts = trust, share, acts  # in a policy, given as the rollout, that learns
        self.prior: dict[Past, list[float]] = {}  # of histories before an action: what the policy says
        self.coding, self.horizon, self.ucb, self.rule = coding, horizon, ucb, rule
        self.predictor, self.random, self.rollout = predictor, random, rollout
        self.range = max(1, coding.max_reward - coding.min_reward)
        self.visits: dict[Past, int] = {}  # of histories before an action and of those after one
        self.value: dict[Past, float] = {}  # Q(ha)
        self.returns: dict[Past, tuple[float, float]] = {}  # of ha: their mean, the sum of squared deviations from it
        self.chance: dict[Past, dict[int, float]] = {}  # of ha: the probability of each code of a reward
        self.counting: dict[Past, set[int]] = {}  # of ha: those that count
        self.reward: dict[Past, float] = {}  # of ha: sum of P(r) r over those that count
        self.known: dict[Past, float] = {}  # of ha: sum of P(r) over them
        self.share: dict[Past, float] = {}  # of hax: P(x)
        self.counted: dict[Past, float] = {}  # of hax: V as it stands in the sum of ha
        self.future: dict[Past, float] = {}  # of ha: sum of P(x) V(hax) over the percepts that were seen
        self.seen: dict[Past, float] = {}  # of ha: sum of P(x) over them
        self.passes: dict[tuple[Past, Past], list[int]] = {}  # of ha and the bits after it: zeros and ones sampled
        self.offset: dict[tuple[Past, Past], float] = {}

    def run(self, simulations: int, *, stop: bool = False) -> int:
        """Run some simulations, less if the search may stop and is settled; return how many."""
        for made in range(simulations):
            if stop and made >= simulations // 8 and made % CHECK == 0 and self.settled():
                return made
            mark = self.predictor.mark()
            real = self.rollout.mark() if self.rollout is not None else 0
            self.guided = self.guiding == 1 or (self.guiding > 0 and draw(self.random) < self.guiding)
            self.sample((), self.horizon, TRUST * math.sqrt(made + 1))
            self.predictor.revert(mark)
            if self.rollout is not None:
                self.rollout.revert(real)
        return simulations

    def settled(self) -> bool:
        """Whether the best first action is ahead of each other one by SURE standard errors of the difference."""
        actions = range(self.coding.actions)
        if any(self.visits.get((a,), 0) < 2 for a in actions):
            return False
        variance = [self.returns[a,][1] / (self.visits[a,] - 1) / self.visits[a,] for a in actions]
        best = max(actions, key=lambda a: self.value[a,])
        ahead = [self.value[best,] - self.value[a,] for a in actions]
        return all(
            a == best or (ahead[a] > 0 and ahead[a] > SURE * math.sqrt(variance[best] + variance[a])) for a in actions
        )

    def sample(self, history: Past, remaining: int, trust: float) -> float:
        """One simulation from here to the horizon; return what it earned."""
        if remaining == 0:
            return 0.0
        action = self.select(history, remaining) if history in self.visits else self.act(history)
        after = (*history, action)
        self.append(encode(action, self.coding.action_bits))
        if after not in self.chance:
            self.chance[after] = self.rewards([], 1.0)
        bits, share = self.percept(after, remaining)
        code = decode(bits[: self.coding.reward_bits])
        for each in [code] if after in self.counting else self.in_turn(after, code):
            self.count(after, each)
        below = (*after, decode(bits))
        outcome = self.earned(code) + self.sample(below, remaining - 1, trust)

        self.visits[after] = self.visits.get(after, 0) + 1
        self.visits[history] = self.visits.get(history, 0) + 1
        mean, squares = self.returns.get(after, (0.0, 0.0))
        new_mean = mean + (outcome - mean) / self.visits[after]
        self.returns[after] = new_mean, squares + (outcome - mean) * (outcome - new_mean)
        self.value[after] = self.reward[after] / self.known[after]
        if remaining > 1:
            worth = self.worth(below, trust)
            if below in self.share:
                self.future[after] += share * (worth - self.counted[below])
            else:
                self.share[below] = share
                self.seen[after] = self.seen.get(after, 0.0) + share
                self.future[after] = self.future.get(after, 0.0) + share * worth
            self.counted[below] = worth
            self.value[after] += self.future[after] / self.seen[after]
        return outcome

    def in_turn(self, after: Past, code: int) -> list[int]:
        """The rewards to count in the first pass, which found some code: the first to differ from it come first."""
        others = [other for other, p in self.chance[after].items() if p >= RARE and other != code]
        return [*sorted(others, key=lambda other: (-(other ^ code).bit_length(), other)), code]

    def count(self, after: Past, code: int) -> None:
        """Count a reward, once."""
        counting, p = self.counting.setdefault(after, set()), self.chance[after][code]
        if code not in counting:
            counting.add(code)
            self.reward[after] = self.reward.get(after, 0.0) + p * self.earned(code)
            self.known[after] = self.known.get(after, 0.0) + p

    def worth(self, history: Past, trust: float) -> float:
        """V(h): between the best action and the mean of the visits."""
        tried = [(*history, a) for a in range(self.coding.actions) if (*history, a) in self.visits]
        mean = add_up(self.visits[after] * self.value[after] for after in tried)
        weight = trust / (trust + self.visits[history])
        return weight * max(self.value[after] for after in tried) + (1 - weight) * mean / self.visits[history]

    def earned(self, code: int) -> int:
        return min(self.coding.min_reward + code, self.coding.max_reward)

    def rewards(self, bits: list[int], p: float) -> dict[int, float]:
        """The probability of each code of a reward that begins with some bits, whose probability is p."""
        if len(bits) == self.coding.reward_bits:
            return {decode(bits): p}
        found = {}
        one = self.predictor.predict()
        for bit in (0, 1):
            mark = self.predictor.mark()
            self.predictor.update(bit)
            found |= self.rewards([*bits, bit], p * (one if bit else 1.0 - one))
            self.predictor.revert(mark)
        return found

    def percept(self, after: Past, remaining: int) -> tuple[list[int], float]:
        """Sample a percept, of which the reward alone matters in the last cycle: its bits and their probability."""
        bits: list[int] = []
        share = 1.0
        for _ in range(self.coding.percept_bits if remaining > 1 else self.coding.reward_bits):
            at = (after, tuple(bits))
            p = self.predictor.predict()
            if at not in self.passes:
                self.passes[at], self.offset[at] = [0, 0], draw(self.random)
            zeros, ones = self.passes[at]
            bit = math.floor(p * (zeros + ones + 1) + self.offset[at]) - ones
            assert bit in (0, 1)
            self.passes[at][bit] += 1
            bits.append(bit)
            share *= p if bit else 1.0 - p
            self.predictor.update(bit)
        if self.rollout is not None:
            self.rollout.extend(bits)
        return bits, share

    def append(self, bits: list[int]) -> None:
        self.predictor.extend(bits)
        if self.rollout is not None:
            self.rollout.extend(bits)

    def act(self, history: Past) -> int:
        """The action at a new node; the rule `prior` asks for that of the policy whether it is taken or not."""
        guided = self.guided and self.acts
        if self.rollout is not None and not self.rollout.learns:
            return self.rollout.choose(draw(self.random))
        followed = self.follow(history) if self.rollout is not None and (guided or self.rule == "prior") else None
        return followed if followed is not None and guided else below(self.random, self.coding.actions)

    def follow(self, history: Past) -> int:
        """An action drawn from what the policy says."""
        u = draw(self.random)
        *others, last = enumerate(self.said(history))
        for action, p in others:
            u -= p
            if u < 0:
                return action
        return last[0]

    def said(self, history: Past) -> list[float]:
        """The probability of each action by the policy, which stands at this history."""
        if history not in self.prior:
            self.prior[history] = self.rollout.prediction.tolist()  # type: ignore[union-attr]
        return self.prior[history]

    def select(self, history: Past, remaining: int) -> int:
        """An untried action first, then that with the best score; at random among those that are equal."""
        afters = [(*history, a) for a in range(self.coding.actions)]
        if self.rule == "follow" and self.guided:
            return self.follow(history)
        if self.rule == "prior":
            return self.best(self.favoured(history, afters, 1.0 / (remaining * self.range)))
        untried = [a for a, after in enumerate(afters) if after not in self.visits]
        if untried:
            return untried[below(self.random, len(untried))]
        if self.rule == "round-robin":
            scores = [-float(self.visits[after]) for after in afters]
        else:
            unit = 1.0 / (remaining * self.range)
            if self.rule == "spread":
                unit = 1.0 / max(self.spread(afters), 1e-9 * self.range)
            log_total = float(np.log(float(self.visits[history])))
            scores = [
                self.value[after] * unit + self.ucb * math.sqrt(log_total / self.visits[after]) for after in afters
            ]
        return self.best(scores)

    def favoured(self, history: Past, afters: list[Past], unit: float) -> list[float]:
        """PUCT: the value, or that of the mean visit, and the more the policy says so and the less it was tried."""
        tried = [after for after in afters if after in self.visits]
        mean = add_up(self.visits[after] * self.value[after] for after in tried) / self.visits[history]
        bonus = self.ucb * math.sqrt(self.visits[history])
        scores = []
        for after, said in zip(afters, self.said(history), strict=True):
            p = self.trust * said + (1 - self.trust) / len(afters)
            scores.append(self.value.get(after, mean) * unit + bonus * p / (1 + self.visits.get(after, 0)))
        return scores

    def best(self, scores: list[float]) -> int:
        """The action with the largest score, at random among those that are equal."""
        best, ties = 0, 0
        for a, score in enumerate(scores):
            if score > scores[best] or a == 0:
                best, ties = a, 1
            elif score == scores[best]:
                ties += 1
                if below(self.random, ties) == 0:
                    best = a
        return best

    def spread(self, afters: list[Past]) -> float:
        """Standard deviation: of the returns within the actions, pooled, and of the values between them."""
        mean = add_up(self.value[after] / len(afters) for after in afters)
        degrees = sum(self.visits[after] - 1 for after in afters)
        within = add_up(self.returns[after][1] for after in afters) / degrees if degrees else 0.0
        between = add_up((self.value[after] - mean) ** 2 for after in afters) / max(1, len(afters) - 1)
        return math.sqrt(within + between)

"""Ten decisions, explained: each number beside one that is computed anew in another, slow and obvious, way.

    python benchmarks/mind/decisions.py [NAME]

An agent learns, and then decides ten times; a second agent, which knows the environment, does so, too. Beside what the
search says of the chosen action stand the exact value as explained, the same by plain recursion over all histories
(nothing is shared, no belief is kept), the reward that the model expects and its mean over all percepts, bit by bit.
"""

from __future__ import annotations

import itertools
import sys
from typing import Any

from aixi_approx import Percept, build_agent, interact, make
from aixi_approx.coding import encode
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.viewer.judge import Judge

DECISIONS, LEARNED = 10, 3_000


def exact(pomdp: POMDP, past: list[tuple[int, Percept]], horizon: int) -> list[float]:
    """The value of each action after a history, by recursion over all histories that may follow."""

    def after(weights: dict[Any, float], action: int) -> dict[Percept, dict[Any, float]]:
        found: dict[Percept, dict[Any, float]] = {}
        for state, weight in weights.items():
            for o in pomdp.outcomes(state, pomdp.actions[action]):
                percept = Percept(pomdp.observations.index(o.observation), o.reward)
                states = found.setdefault(percept, {})
                states[o.state] = states.get(o.state, 0.0) + weight * o.probability
        return found

    def values(weights: dict[Any, float], left: int) -> list[float]:
        """Of each action, times the sum of the weights."""
        told = []
        for action in range(len(pomdp.actions)):
            later = after(weights, action)
            now = sum(percept.reward * sum(states.values()) for percept, states in later.items())
            told.append(now + (sum(max(values(states, left - 1)) for states in later.values()) if left > 1 else 0.0))
        return told

    weights = dict(pomdp.start())
    for action, percept in past:
        weights = after(weights, action)[percept]
        total = sum(weights.values())
        weights = {state: weight / total for state, weight in weights.items()}
    return values(weights, horizon)


def mean_reward(predictor: Any, coding: Any, action: int) -> float:
    """The expected reward after an action: every way that the reward bits may go, and its probability."""
    total = 0.0
    for bits in itertools.product((0, 1), repeat=coding.reward_bits):
        mark, p = predictor.mark(), 1.0
        predictor.extend(encode(action, coding.action_bits))
        for bit in bits:
            one = predictor.predict()
            p *= one if bit else 1 - one
            if p == 0:
                break
            predictor.update(bit)
        predictor.revert(mark)
        total += p * coding.reward(int("".join(map(str, bits)), 2))
    return total


def main(name: str) -> None:
    """Print ten decisions of both agents."""
    print("| model | cycle | action | search | exact | by recursion | expects | by all percepts | loses |")
    print("|---|--:|---|--:|--:|--:|--:|--:|--:|")
    for model, learned in (("ctw", LEARNED), ("true", 0)):
        pomdp = make(name)
        if not isinstance(pomdp, POMDP):
            sys.exit(f"{name} is no POMDP: nothing exact is known of it")
        agent = build_agent(pomdp, model, seed=0)
        pomdp.reset(0)
        rows = interact(agent, pomdp, cycles=learned)
        past = [(row.action, Percept(row.observation, row.reward)) for row in rows]
        horizon = agent.planner.horizon  # type: ignore[attr-defined]
        judge = Judge(pomdp, horizon=horizon)
        for action, percept in past:
            judge.observe(action, percept)
        for _ in range(DECISIONS):
            decision = agent.act(explore=False, simulations=2_500)
            told = agent.explain(decision, truth=judge.truth(agent, decision), least=0.0, steps=0)
            chosen, truth = told.actions[told.action], told.truth
            assert truth is not None
            assert truth.within is not None
            assert truth.regret is not None
            assert chosen.prediction is not None
            twin = exact(pomdp, past, horizon)[told.action]
            slow = mean_reward(agent.predictor, pomdp.coding, told.action)
            numbers = (chosen.value or 0.0, truth.within[told.action], twin, chosen.prediction.reward, slow)
            told_numbers = " | ".join(f"{number:.6f}" for number in numbers)
            print(f"| {model} | {told.cycle} | {chosen.name} | {told_numbers} | {truth.regret['total']:.4f} |")
            percept = pomdp.step(told.action)
            agent.observe(told.action, percept)
            judge.observe(told.action, percept)
            past.append((told.action, percept))


if __name__ == "__main__":
    main((sys.argv[1:] or ["tiger"])[0])

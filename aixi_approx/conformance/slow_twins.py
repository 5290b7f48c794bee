"""Slow, obvious twins of the predictor and the search: each formula as it is defined, nothing kept, nothing clever."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from aixi_approx.coding import Coding, decode, encode
from aixi_approx.predictor import Predictor

Seen = list[tuple[tuple[int, ...], int]]  # contexts, the most recent bit first, each with the bit that came after it


def kt_probability(bits: Sequence[int]) -> Fraction:
    """Return what the KT estimator gives to a string: each bit (its count so far + 1/2) / (number so far + 1)."""
    p, count = Fraction(1), [0, 0]
    for bit in bits:
        p *= Fraction(2 * count[bit] + 1, 2 * (sum(count) + 1))
        count[bit] += 1
    return p


def mixture(seen: Seen, depth: int) -> Fraction:
    """Return Pw = 1/2 Pe + 1/2 Pw0 Pw1, or Pe at full depth, of the bits seen in a context, as it is defined."""
    own = kt_probability([bit for _, bit in seen])
    if depth == 0 or not seen:
        return own
    zero, one = ([(context[1:], bit) for context, bit in seen if context[0] == b] for b in (0, 1))
    return own / 2 + mixture(zero, depth - 1) * mixture(one, depth - 1) / 2


def plain_prediction(history: Sequence[int], depth: int, *, cycle_bits: int) -> float:
    """Return the probability that the next bit is 1 under CTW, with a tree for each place in a cycle.

    Parameters
    ----------
    history : sequence of int
        All bits so far; zeros stand before them.
    depth : int
        Bits of context.
    cycle_bits : int
        Bits of a cycle.
    """
    padded, now = [0] * depth + list(history), len(history)
    contexts = {i: tuple(padded[i : i + depth][::-1]) for i in range(now % cycle_bits, now + 1, cycle_bits)}
    seen = [(contexts[i], history[i]) for i in contexts if i < now]
    return float(mixture([*seen, (contexts[now], 1)], depth) / mixture(seen, depth))


def plain_values(predictor: Predictor, coding: Coding, *, horizon: int) -> list[float]:
    """Return the expected return of each action within a horizon: the largest of actions, the mean over percepts."""

    def after(bits: list[int]) -> float:
        if len(bits) < coding.percept_bits:
            one, total = predictor.predict(), 0.0
            for bit in (0, 1):
                mark = predictor.mark()
                predictor.update(bit)
                total += (one if bit else 1 - one) * after([*bits, bit])
                predictor.revert(mark)
            return total
        reward = coding.reward(decode(bits[: coding.reward_bits]))
        return reward + (max(plain_values(predictor, coding, horizon=horizon - 1)) if horizon > 1 else 0.0)

    values = []
    for action in range(coding.actions):
        mark = predictor.mark()
        for bit in encode(action, coding.action_bits):
            predictor.append(bit)
        values.append(after([]))
        predictor.revert(mark)
    return values

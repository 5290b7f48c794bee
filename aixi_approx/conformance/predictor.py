"""Whether a predictor keeps to the interface, found out by asking it about random cycles."""

from __future__ import annotations

import math

import numpy as np

from aixi_approx.coding import encode
from aixi_approx.predictor import Predictor
from aixi_approx.predictor_abi import OPERATION


def check_predictor(predictor: Predictor, cycles: int = 30, seed: int = 0, actions: int | None = None) -> None:
    """Check that a predictor, one's own for instance, keeps to the interface. It is changed by the check.

    Parameters
    ----------
    predictor
        At the start of a cycle.
    cycles
        Random cycles to check it on; percepts that it holds to be impossible are not among them.
    seed
        Of the cycles.
    actions
        Number of actions; as many as the action bits can tell apart if not given.

    Raises
    ------
    AssertionError
        With a message that says which verb is wrong, and how.
    """
    random = np.random.default_rng(seed)
    verbs = predictor.addresses

    def compiled(address: int, argument: int = 0) -> float:
        answer = float(OPERATION(address)(verbs.state, argument))
        if predictor.fault is not None:
            raise AssertionError(f"a verb raised {predictor.fault!r}") from predictor.fault
        return answer

    def action() -> list[int]:
        return encode(int(random.integers(actions or 1 << predictor.action_bits)), predictor.action_bits)

    def possible() -> int:
        """A random bit, the other one if it can't be."""
        bit = int(random.integers(2))
        return bit if predictor.predict() != 1 - bit else 1 - bit

    def percept() -> list[int]:
        bits = []
        for _ in range(predictor.percept_bits):
            bits.append(possible())
            compiled(verbs.update, bits[-1])
        return bits

    for _ in range(cycles):
        for bit in action():
            predictor.append(bit)
        whole, first = predictor.mark(), predictor.predict()
        for _ in range(predictor.percept_bits):
            bit = possible()
            p = predictor.predict()
            if predictor.certain:
                _require(0 <= p <= 1, f"predict() gave {p}: it must lie in 0 to 1")
            else:
                _require(0 < p < 1, f"predict() gave {p}: it must lie strictly between 0 and 1")
            _require(predictor.predict() == p, "predict() gave two answers to one question")
            _require(compiled(verbs.predict) == p, "the compiled verb predict differs from predict()")
            q = 0.0
            if 0 < p < 1:
                mark = predictor.mark()
                q = compiled(verbs.update, 1 - bit)
                predictor.revert(mark)
                _require(predictor.predict() == p, "revert() does not take back an update()")
            else:
                _require(_refuses(predictor, 1 - bit), f"update({1 - bit}) takes a bit of probability 0")
                _require(predictor.predict() == p, "an update() that was refused changed something")
            r = predictor.update(bit)
            _require(
                math.isclose(r, p if bit else 1 - p, rel_tol=1e-9), f"update({bit}) gave {r} where predict() gave {p}"
            )
            _require(math.isclose(q + r, 1, rel_tol=1e-9), f"the probabilities of 0 and 1 add up to {q + r}")
        for bit in action():
            compiled(verbs.append, bit)
        percept()
        compiled(verbs.revert, whole)
        _require(predictor.predict() == first, "revert() does not go back over several bits")
        mark = predictor.mark()
        bits = percept()
        predictor.revert(mark)
        if predictor.independent_bits:
            _require(_last_prediction(predictor, bits, True) == _last_prediction(predictor, bits, False), APART)
        for bit in bits:
            predictor.update(bit)


APART = "independent_bits is True, but learning a bit changes the prediction of another in the same percept"


def _refuses(predictor: Predictor, bit: int) -> bool:
    try:
        predictor.update(bit)
    except ValueError:
        return True
    return False


def _last_prediction(predictor: Predictor, percept: list[int], learn: bool) -> float:
    """P(1) of the last bit of a percept, with the bits before it learned or only appended."""
    mark = predictor.mark()
    for bit in percept[:-1]:
        if learn:
            predictor.update(bit)
        else:
            predictor.append(bit)
    p = predictor.predict()
    predictor.revert(mark)
    return p


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)

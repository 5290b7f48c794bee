"""Whether a rollout policy keeps to the interface, found out by asking it for actions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aixi_approx.coding import encode
from aixi_approx.conformance.diagnostic import PASSED, Diagnostic, Nonconformity, require
from aixi_approx.conformance.keeping import examine_keeping
from aixi_approx.predictor_abi import OPERATION, RANDOM_BITS, UNIFORM
from aixi_approx.rollout import Rollout

ASKED = 200  # random numbers
GRID, OFF = 2_000, 0.01  # numbers in equal distances, and by how much the share of an action among them may be off
ROUNDING, TINY = 1e-6, 1e-300


def check_rollout(rollout: Rollout, *, cycles: int = 10, seed: int = 0) -> list[Diagnostic]:
    """Check that a rollout policy, one of your own for instance, keeps to the interface. It is changed by the check.

    Parameters
    ----------
    rollout : Rollout
        At the start of a cycle.
    cycles : int, default: 10
        Random cycles that it reads, if it reads the history.
    seed : int, default: 0
        Of the cycles, and of the numbers that it chooses by.

    Returns
    -------
    list of Diagnostic
        What was checked.

    Raises
    ------
    AssertionError
        With a message that says which operation is wrong, and how.

    Examples
    --------
    >>> from aixi_approx import make
    >>> from aixi_approx.rollouts.uniform import Uniform
    >>> [diagnostic.check for diagnostic in check_rollout(Uniform(make("tiger").coding))]
    ['choose', 'compiled']
    """
    return list(examine_rollout(rollout, cycles=cycles, seed=seed))


def examine_rollout(rollout: Rollout, *, cycles: int = 10, seed: int = 0) -> Iterator[Diagnostic]:
    """Yield what was checked, as it is passed; raise Nonconformity where a check fails. As in `check_rollout`."""
    random, most = np.random.default_rng(seed), (1 << RANDOM_BITS) - 1
    numbers = [0, most, *random.integers(most, size=ASKED).tolist()]
    coding = rollout.coding
    chosen = _choices(rollout, numbers)
    yield Diagnostic("choose", PASSED, f"takes {len(set(chosen))} of {coding.actions} actions at first")
    addresses = rollout.addresses
    if not addresses.choose:
        fine = addresses == UNIFORM and chosen == [int(u / (1 << RANDOM_BITS) * coding.actions) for u in numbers]
        require(fine, "it has no address, but choose() is not uniform: compiled planners would be", check="compiled")
        yield Diagnostic("compiled", PASSED, "uniform, without a call")
        return
    require(_compiled(rollout, numbers) == chosen, "the compiled operation differs from choose()", check="compiled")
    yield Diagnostic("compiled", PASSED, "the compiled operation chooses the same")
    reads = bool(addresses.reads_history)
    require(reads == rollout.reads_history, "its addresses disagree with reads_history", check="compiled")
    if rollout.learns:
        yield from _examine_learner(rollout, random, cycles)
    if not reads:
        return

    def cycle() -> list[int]:
        return _cycle(rollout, random)

    for count in range(cycles):
        before = _choices(rollout, numbers)
        mark = rollout.mark() if count % 2 else int(_call(rollout, addresses.mark, 0))
        require(mark >= 0, f"mark() gave {mark}: it must be at least 0", check="revert")
        bits = [bit for _ in range(1 + count) for bit in cycle()]
        for bit in bits:
            rollout.append(bit)
        after, inner = _choices(rollout, numbers), rollout.mark()
        for bit in cycle():
            _call(rollout, addresses.append, bit)
        rollout.revert(inner)
        same = _choices(rollout, numbers) == after
        require(same, "revert() to the second of two marks does not go back exactly", check="revert")
        _call(rollout, addresses.revert, mark)
        require(_choices(rollout, numbers) == before, "revert() does not go back exactly", check="revert")
        for bit in bits:
            _call(rollout, addresses.append, bit)
        what = "the same bits again lead to other choices: the compiled append differs, or something was left"
        require(_choices(rollout, numbers) == after, what, check="append")
        require(_compiled(rollout, numbers) == after, "the compiled operation differs from choose()", check="compiled")
    yield Diagnostic("revert", PASSED, f"goes back exactly, over up to {cycles:,} cycles")


def _cycle(rollout: Rollout, random: np.random.Generator) -> list[int]:
    """A random cycle, as bits."""
    coding = rollout.coding
    action = encode(int(random.integers(coding.actions)), coding.action_bits)
    return [*action, *random.integers(2, size=coding.percept_bits).tolist()]


def _examine_learner(policy: Any, random: np.random.Generator, cycles: int) -> Iterator[Diagnostic]:
    """Yield what was checked of a policy that learns; it has learned some cycles then."""
    try:
        policy.check_learner()
    except ValueError as error:
        raise Nonconformity("learn", str(error)) from error
    coding, bits = policy.coding, policy.coding.action_bits
    numbers = [int((i + 0.5) / GRID * (1 << RANDOM_BITS)) for i in range(GRID)]
    for _ in range(cycles):
        before, trust = _predicted(policy), policy.trust
        require(0.0 <= trust <= 1.0, f"trust is {trust!r:.40}: it must lie in 0 to 1", check="learn")
        shares = np.bincount(_choices(policy, numbers), minlength=coding.actions) / GRID
        what = f"choose() takes the actions in shares of {shares.round(3).tolist()}, predicted are"
        require(abs(shares - before).max() < OFF, f"{what} {before.round(3).tolist()}", check="prediction")
        action = int(random.integers(coding.actions))
        mark = policy.mark()
        loss = policy.learn(action)
        number = isinstance(loss, float | int | np.floating) and loss == loss
        require(number, f"learn({action}) gave {loss!r:.40}: it must be a log loss in bits", check="learn")
        expected = -math.log2(max(before[action], TINY))
        what = f"learn({action}) gave a loss of {loss:.6g} bits, it had predicted the action with {before[action]:.6g}:"
        require(abs(loss - expected) < ROUNDING, f"{what} -log2 of it is {expected:.6g}", check="learn")
        percept = _cycle(policy, random)[bits:]
        policy.extend(percept)
        after = _predicted(policy)
        policy.revert(mark)
        same = np.array_equal(_predicted(policy), before) and policy.trust == trust
        require(same, "revert() does not take back exactly what was learned", check="revert")
        policy.learn(action)
        policy.extend(percept)
        what = "the same lesson again leads to another prediction: something was left of the one that was reverted"
        require(np.array_equal(_predicted(policy), after), what, check="learn")
    yield Diagnostic("prediction", PASSED, "a distribution over the actions, by which choose() takes them")
    yield examine_keeping(
        policy,
        lambda: policy.extend(_cycle(policy, random)),
        state=lambda: (_predicted(policy).tolist(), policy.trust),
    )
    yield Diagnostic("learn", PASSED, f"{cycles:,} lessons, each with its log loss, and taken back exactly")


def _predicted(policy: Any) -> NDArray[np.float64]:
    """What a policy predicts, from Python and from compiled code."""
    try:
        found: NDArray[np.float64] = policy.checked_prediction().copy()
    except ValueError as error:
        raise Nonconformity("prediction", str(error)) from error
    weights = np.full(policy.coding.actions, np.nan)
    answer = _call(policy, policy.addresses.weigh, weights.ctypes.data)
    same = answer >= 0.0 and np.array_equal(weights, found)
    require(same, "the compiled operation weigh gives another prediction", check="compiled")
    return found


def _choices(rollout: Rollout, numbers: list[int]) -> list[int]:
    """What is chosen by each number; asked twice."""
    found: list[list[int]] = []
    for _ in range(2):
        found.append([])
        for number in numbers:
            action = rollout.choose(number / (1 << RANDOM_BITS))
            fine = isinstance(action, int | np.integer) and 0 <= action < rollout.coding.actions
            what = f"choose({number / (1 << RANDOM_BITS):.6g}) gave {action!r}: there are actions 0 to"
            require(fine, f"{what} {rollout.coding.actions - 1}", check="choose")
            found[-1].append(int(action))
    same = found[0] == found[1]
    require(same, "choose() gave two answers to one number: all chance must come from the number", check="choose")
    return found[0]


def _compiled(rollout: Rollout, numbers: list[int]) -> list[int]:
    return [int(_call(rollout, rollout.addresses.choose, number)) for number in numbers]


def _call(rollout: Rollout, address: int, argument: int) -> float:
    """Call an operation as compiled code does."""
    answer = float(OPERATION(address)(rollout.addresses.state, argument))
    fault, rollout.fault = rollout.fault, None
    if fault is not None:
        raise Nonconformity("compiled", f"an operation raised {fault!r}") from fault
    return answer

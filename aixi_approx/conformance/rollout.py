"""Whether a rollout policy keeps to the interface, found out by asking it for actions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aixi_approx.coding import encode
from aixi_approx.conformance.diagnostic import PASSED, Diagnostic, Nonconformity, require
from aixi_approx.predictor_abi import OPERATION, RANDOM_BITS, UNIFORM
from aixi_approx.rollout import Rollout

ASKED = 200  # random numbers


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
    if not reads:
        return

    def cycle() -> list[int]:
        action = encode(int(random.integers(coding.actions)), coding.action_bits)
        return [*action, *random.integers(2, size=coding.percept_bits).tolist()]

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

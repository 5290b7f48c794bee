"""Whether a predictor keeps to the interface, found out by asking it about random cycles."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from aixi_approx.coding import encode
from aixi_approx.conformance.diagnostic import NOTE, PASSED, Diagnostic, Nonconformity, require
from aixi_approx.conformance.keeping import examine_keeping
from aixi_approx.environment import Environment, Settings
from aixi_approx.envs import make
from aixi_approx.predictor import Predictor, PredictorError, Statistics
from aixi_approx.predictor_abi import OPERATION

APART = "independent_bits is True, but learning a bit changes the prediction of another in the same percept"


def check_predictor(
    predictor: Predictor,
    *,
    cycles: int = 30,
    seed: int = 0,
    actions: int | None = None,
    environment: Environment | str | None = None,
) -> list[Diagnostic]:
    """Check that a predictor, one of your own for instance, keeps to the interface. It is changed by the check.

    Parameters
    ----------
    predictor : Predictor
        At the start of a cycle.
    cycles : int, default: 30
        Random cycles to check it on; percepts that it holds to be impossible are not among them.
    seed : int, default: 0
        Of the cycles.
    actions : int, optional
        Number of actions; as many as the action bits can tell apart if not given.
    environment : Environment or str, optional
        One that its class is to be made for, by `for_environment` and without parameters; not checked if not given.

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
    >>> from aixi_approx.predictors import FactoredContextTree
    >>> [diagnostic.check for diagnostic in check_predictor(FactoredContextTree(8, 1, 2), environment="tiger")]
    ['operations', 'learn', 'copy', 'keep', 'statistics', 'building']
    """
    found = list(examine_predictor(predictor, cycles=cycles, seed=seed, actions=actions))
    if environment is not None:
        found.append(_for_environment(type(predictor), make(environment)))
    return found


def examine_predictor(
    predictor: Predictor, *, cycles: int = 30, seed: int = 0, actions: int | None = None
) -> Iterator[Diagnostic]:
    """Yield what was checked, as it is passed; raise Nonconformity where a check fails. As in `check_predictor`."""
    random = np.random.default_rng(seed)
    number = actions or 1 << predictor.action_bits
    _operations(predictor, cycles, random, number)
    yield Diagnostic("operations", PASSED, f"{cycles:,} random cycles: compiled and in Python, and undone")
    _learn(predictor, random, number)
    yield Diagnostic("learn", PASSED, "learn and extend do what update and append do")
    yield _copy(predictor, random, number)
    yield examine_keeping(
        predictor, lambda: _some_cycles(predictor, random, number), state=lambda: _predictions(predictor, number)
    )
    statistics = predictor.statistics()
    fine = isinstance(statistics, Statistics)
    require(fine, f"statistics() gave {statistics!r:.60}, which is no Statistics", check=STATISTICS)
    for name, count in statistics._asdict().items():
        fine = count is None or (isinstance(count, int) and count >= 0)
        require(fine, f"statistics() gave {count!r} {name}: it must be a whole number or None", check=STATISTICS)
    known = ", ".join(f"{count:,} {name}" for name, count in statistics._asdict().items() if count is not None)
    yield Diagnostic(STATISTICS, PASSED, known or "none are given")


STATISTICS = "statistics"


def _operations(predictor: Predictor, cycles: int, random: np.random.Generator, actions: int) -> None:
    """Check the five operations."""
    compiled = _compiled(predictor)
    operations = predictor.addresses

    def action() -> list[int]:
        return encode(int(random.integers(actions)), predictor.action_bits)

    def percept() -> list[int]:
        bits = []
        for _ in range(predictor.percept_bits):
            bits.append(_possible(predictor, random))
            compiled(operations.update, bits[-1])
        return bits

    for _ in range(cycles):
        for bit in action():
            predictor.append(bit)
        whole, first = predictor.mark(), predictor.predict()
        _require(whole >= 0, f"mark() gave {whole}: it must be at least 0")
        for _ in range(predictor.percept_bits):
            bit = _possible(predictor, random)
            p = predictor.predict()
            if predictor.certain:
                _require(0 <= p <= 1, f"predict() gave {p}: it must lie in 0 to 1")
            else:
                _require(0 < p < 1, f"predict() gave {p}: it must lie strictly between 0 and 1")
            _require(predictor.predict() == p, "predict() gave two answers to one question")
            _require(compiled(operations.predict) == p, "the compiled operation predict differs from predict()")
            q = 0.0
            if 0 < p < 1:
                mark = predictor.mark()
                q = compiled(operations.update, 1 - bit)
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
            compiled(operations.append, bit)
        percept()
        compiled(operations.revert, whole)
        _require(predictor.predict() == first, "revert() does not go back over several bits")
        mark = predictor.mark()
        bits = percept()
        predictor.revert(mark)
        if predictor.independent_bits:
            _require(_last_prediction(predictor, bits, True) == _last_prediction(predictor, bits, False), APART)
        for bit in bits:
            predictor.update(bit)


def _learn(predictor: Predictor, random: np.random.Generator, actions: int) -> None:
    """Check that `learn` and `extend`, which may be compiled, are many operations at once."""
    mark = predictor.mark()
    cycle, loss = [], 0.0
    for bit in encode(int(random.integers(actions)), predictor.action_bits):
        cycle.append(bit)
        predictor.append(bit)
    for _ in range(predictor.percept_bits):
        cycle.append(_possible(predictor, random))
        loss -= math.log2(predictor.update(cycle[-1]))
    after = _predictions(predictor, actions)
    predictor.revert(mark)
    mark, bits = predictor.mark(), np.array(cycle, dtype=np.uint8)
    learned = predictor.learn(bits)
    close = math.isclose(learned, loss, rel_tol=1e-9, abs_tol=1e-9)
    require(close, f"learn() gave a loss of {learned} bits where the bits one by one gave {loss}", check="learn")
    same = _predictions(predictor, actions) == after
    require(same, "after learn() it predicts otherwise than after the bits one by one", check="learn")
    predictor.revert(mark)
    found = []
    for extend in (predictor.extend, lambda bits: [predictor.append(int(bit)) for bit in bits]):
        mark = predictor.mark()
        extend(bits)
        found.append(_predictions(predictor, actions))
        predictor.revert(mark)
    require(found[0] == found[1], "extend() does something else than append() of each bit", check="learn")


def _copy(predictor: Predictor, random: np.random.Generator, actions: int) -> Diagnostic:
    """Check that a copy is the same and independent, if the predictor can be copied."""
    before = _predictions(predictor, actions)
    try:
        twin = predictor.copy()
    except PredictorError as error:
        return Diagnostic("copy", NOTE, f"{error}, if its searches are to run in threads")
    except Exception as error:
        what = f"copy() failed with {error!r}: searches that run side by side need it; override it"
        raise Nonconformity("copy", what) from error
    require(isinstance(twin, type(predictor)), f"copy() gave {twin!r:.60}, another kind of thing", check="copy")
    require(_predictions(twin, actions) == before, "a copy predicts otherwise", check="copy")
    for one, other, whose in ((twin, predictor, "the original"), (predictor, twin, "its copy")):
        mark, was = one.mark(), _predictions(other, actions)
        compiled, update = _compiled(one), one.addresses.update
        for _ in range(3):
            for bit in encode(int(random.integers(actions)), one.action_bits):
                compiled(one.addresses.append, bit)
            for _ in range(one.percept_bits):
                compiled(update, _possible(one, random))
        same = _predictions(other, actions) == was
        require(same, f"what one learns changes {whose}: copy() must copy all that changes", check="copy")
        one.revert(mark)
        require(_predictions(one, actions) == before, "revert() of a copied predictor is not exact", check="copy")
    return Diagnostic("copy", PASSED, "a copy predicts the same, and is independent")


def _some_cycles(predictor: Predictor, random: np.random.Generator, actions: int) -> None:
    """Learn some random cycles."""
    for _ in range(3):
        for bit in encode(int(random.integers(actions)), predictor.action_bits):
            predictor.append(bit)
        for _ in range(predictor.percept_bits):
            predictor.update(_possible(predictor, random))


def _for_environment(kind: type[Predictor], environment: Environment) -> Diagnostic:
    """Check that a class can be made for an environment by name."""
    for option in kind.options:
        what = f"options names {option!r}, which is no field of Settings: there are {', '.join(Settings._fields)}"
        require(option in Settings._fields, what, check="building")
    options = {option: getattr(environment.settings, option) for option in kind.options}
    return check_bits(kind.for_environment(environment, **options), environment)


def check_bits(predictor: Predictor, environment: Environment) -> Diagnostic:
    """Check that a predictor that `for_environment` made has the bits of the environment."""
    coding = environment.coding
    bits, needed = (predictor.action_bits, predictor.percept_bits), (coding.action_bits, coding.percept_bits)
    what = f"for_environment() gave {bits} action and percept bits a cycle, {environment.name} has {needed}"
    require(bits == needed, what, check="building")
    return Diagnostic("building", PASSED, f"made for {environment.name}: {bits[0]}+{bits[1]} bits a cycle")


def _compiled(predictor: Predictor) -> Callable[..., float]:
    """Return what calls an operation of a predictor as compiled code does."""
    state = predictor.addresses.state

    def call(address: int, argument: int = 0) -> float:
        answer = float(OPERATION(address)(state, argument))
        if predictor.fault is not None:
            raise Nonconformity("operations", f"an operation raised {predictor.fault!r}") from predictor.fault
        return answer

    return call


def _possible(predictor: Predictor, random: np.random.Generator) -> int:
    """A random bit, the other one if it can't be."""
    bit = int(random.integers(2))
    return bit if predictor.predict() != 1 - bit else 1 - bit


def _predictions(predictor: Predictor, actions: int) -> list[float]:
    """Predictions of the first bits after each action, at the start of a cycle; the predictor is unchanged."""
    found = []
    for action in range(actions):
        mark = predictor.mark()
        for bit in encode(action, predictor.action_bits):
            predictor.append(bit)
        for _ in range(predictor.percept_bits):
            found.append(predictor.predict())
            predictor.update(int(found[-1] >= 0.5))
        predictor.revert(mark)
    return found


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
    require(condition, message, check="operations")

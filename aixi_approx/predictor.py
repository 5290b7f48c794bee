"""The predictor interface: what a planner asks of an environment model, from Python and from compiled code.

A predictor reads the history of an agent bit by bit, cycle after cycle: `action_bits` bits of action, which it only
remembers, then `percept_bits` bits of percept, which it predicts and learns. It has five operations:

    predict()       P(next percept bit = 1), strictly between 0 and 1 unless the predictor may be `certain`
    update(bit)     learn a percept bit and append it to the history; returns the probability it had
    append(bit)     append a bit without learning: an action bit, or a percept bit that is not to be learned
    mark()          remember this point; returns its number
    revert(mark)    go back to it exactly, and forget it and all later marks

Compiled planners call the operations by address, each as `double operation(void *state, int64_t argument)`; a negative
result says that the operation failed and changed nothing. `Predictor` makes such addresses from the Python methods of a
subclass, so a predictor of your own is five methods; a compiled one overrides `addresses`.
"""

from __future__ import annotations

import copy
import ctypes
import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, NoReturn, Self, TypeVar

from aixi_approx.archive import kept_attributes, named, read_archive, restore_attributes, write_archive
from aixi_approx.coding import Bits
from aixi_approx.display.tables import parameters, table
from aixi_approx.display.words import size
from aixi_approx.environment import Environment
from aixi_approx.predictor_abi import FAILED, OPERATION, Addresses
from aixi_approx.validation import describe_error, own_modules

T = TypeVar("T")
DERIVED = ("_callbacks", "fault")  # attributes that are no part of a state
MOST = 1 + 1e-9  # that a probability can be, with rounding


class PredictorError(RuntimeError):
    """A predictor failed during a search."""


class Statistics(NamedTuple):
    """The size of a predictor and the work it has done; None where a predictor does not say.

    Attributes
    ----------
    nodes : int or None
        Parts that it is made of, such as the stored nodes of a context tree.
    memory : int or None
        Bytes that they take.
    bits : int or None
        Bits predicted and bits learned so far. What was undone counts too.
    visits : int or None
        Nodes at which predictions were mixed for these bits.
    """

    nodes: int | None = None
    memory: int | None = None
    bits: int | None = None
    visits: int | None = None

    def lines(self) -> list[tuple[str, object]]:
        """Return what is known, in words."""
        told: dict[str, object] = {
            "nodes": self.nodes,
            "memory": None if self.memory is None else size(self.memory),
            "bits predicted or learned": self.bits,
            "nodes visited for these": self.visits,
        }
        return [(name, value) for name, value in told.items() if value is not None]

    def _repr_html_(self) -> str:
        """Return what is known, for a notebook."""
        return table("Size and work of a predictor", self.lines(), note="" if any(self) else "It does not say.")


class Predictor(ABC):
    """Base class of predictors. A subclass sets two numbers and has five methods.

    Attributes
    ----------
    action_bits, percept_bits : int
        Bits of each part of a cycle; a subclass sets them.
    options : tuple of str, default: ()
        Fields of `Settings` that the constructor takes as keywords: `("depth",)` for a predictor with a context.
    independent_bits : bool, default: False
        Whether the bits of one percept are learned independently: learning one does not change the prediction of
        another in the same percept, other than as context. A planner can then skip learning bits whose like it does
        not ask for again. False is always right.
    certain : bool, default: False
        Whether the probabilities 0 and 1 occur, as in a true model of the environment; `update` with an impossible bit
        then raises ValueError and changes nothing. A predictor that learns should never be certain.
    fault : BaseException or None
        The exception that an operation raised while compiled code was calling it.

    Examples
    --------
    >>> class Frequency(Predictor):
    ...     '''Predicts each bit by how often it was 1 so far, whatever came before.'''
    ...     def __init__(self, action_bits, percept_bits):
    ...         self.action_bits, self.percept_bits = action_bits, percept_bits
    ...         self.counts, self.marks = [1, 1], []
    ...     def predict(self):
    ...         return self.counts[1] / sum(self.counts)
    ...     def update(self, bit):
    ...         p = self.counts[bit] / sum(self.counts)
    ...         self.counts[bit] += 1
    ...         return p
    ...     def append(self, bit):
    ...         pass
    ...     def mark(self):
    ...         self.marks.append(list(self.counts))
    ...         return len(self.marks) - 1
    ...     def revert(self, mark):
    ...         self.counts = self.marks[mark]
    ...         del self.marks[mark:]
    >>> round(Frequency(1, 1).learn([0, 1, 0, 1]), 6)    # two cycles, predicted with 1/2 and 2/3: bits
    1.584963
    """

    action_bits: int
    percept_bits: int
    options: ClassVar[tuple[str, ...]] = ()
    independent_bits: bool = False
    certain: bool = False
    fault: BaseException | None = None

    @abstractmethod
    def predict(self) -> float:
        """Return P(next percept bit = 1)."""

    @abstractmethod
    def update(self, bit: int) -> float:
        """Learn the next percept bit; return the probability it had."""

    @abstractmethod
    def append(self, bit: int) -> None:
        """Append a bit to the history without learning it."""

    @abstractmethod
    def mark(self) -> int:
        """Remember this point; return its number, at least 0. A mark stands until something is reverted to it."""

    @abstractmethod
    def revert(self, mark: int) -> None:
        """Go back to a mark, exactly; forget it and all later ones."""

    @classmethod
    def for_environment(cls, environment: Environment, *parameters: int | str, **options: Any) -> Self:
        """Return a new predictor for an environment.

        Parameters
        ----------
        environment : Environment
            Its coding says how many bits a cycle has.
        *parameters : int or str
            That stand after the name, as in `my_file.py:Mine:8`.
        **options
            Those of `options`.
        """
        coding = environment.coding
        return cls(coding.action_bits, coding.percept_bits, *parameters, **options)  # type: ignore[call-arg]

    def learn(self, cycle: Bits) -> float:
        """Append the action bits and learn the percept bits of whole cycles; return the log loss in bits."""
        loss = 0.0
        for i, bit in enumerate(cycle):
            if i % (self.action_bits + self.percept_bits) < self.action_bits:
                self.append(int(bit))
            else:
                p = self.update(int(bit))
                if not 0 < p <= MOST:
                    what = f"{type(self).__name__}.update({int(bit)}) returned {p!r}"
                    raise PredictorError(f"{what}: it must return the probability that the bit had, above 0, at most 1")
                loss -= math.log2(p)
        return loss

    def restart(self) -> None:  # noqa: B027  there is mostly nothing to do
        """Take note that the environment was reset, between two cycles. The history goes on."""

    def extend(self, bits: Bits | Sequence[int]) -> None:
        """Append bits to the history without learning them."""
        for bit in bits:
            self.append(int(bit))

    def copy(self) -> Self:
        """Return an independent predictor in the same state; searches that run side by side need one each.

        By default a deep copy. A subclass whose state is not Python's has to override it.

        Raises
        ------
        PredictorError
            If a part of it can't be copied.
        """
        return deep_copy(self, PredictorError)

    def statistics(self) -> Statistics:
        """Return the size of the predictor and the work it has done."""
        return Statistics()

    def keep(self) -> dict[str, Any]:
        """Return all that it knows, as values that an archive can hold: numbers, texts, lists, dicts, arrays and such.

        By default its attributes. A subclass whose state is not plain data has to write `keep` and `restore`. Arrays
        may be views of the state, true until something is changed.

        Raises
        ------
        ValueError
            If an archive can't hold it, or there are marks.
        """
        return kept_attributes(self, *DERIVED)

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take on the state that `keep` has returned of a predictor that was made in the same way.

        Raises
        ------
        ValueError
            If it is not the state of such a predictor.
        """
        restore_attributes(self, kept, *DERIVED)

    def save(self, path: Path | str) -> None:
        """Write all that it knows to a file, as an archive.

        Raises
        ------
        ValueError
            If an archive can't hold it, or there are marks.
        OSError
            If the file can't be written.
        """
        write_archive(path, {"class": type(self).__name__, "kept": self.keep()}, kind="predictor")

    def load(self, path: Path | str) -> Self:
        """Take on what a predictor that was made in the same way has saved; return itself.

        Raises
        ------
        ValueError
            If the file is damaged, or holds something else. Nothing is changed then, if `restore` changes nothing.
        OSError
            If it can't be read.
        """
        content = read_archive(path, kind="predictor").content
        if content["class"] != type(self).__name__:
            raise ValueError(f"{path} holds a {content['class']}, not a {type(self).__name__}")
        with named(path):
            self.restore(content["kept"])
        return self

    def __copy__(self) -> Self:
        return self.copy()

    def __repr__(self) -> str:
        """Return its class, its options and the bits of a cycle, in a line."""
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._told().items())})"

    def _repr_html_(self) -> str:
        """Return what it is, how large, and the work it has done, for a notebook."""
        return table(type(self).__name__, [*self._told().items(), *self.statistics().lines()])

    def _told(self) -> dict[str, object]:
        bits = ("action_bits", "percept_bits")  # which a constructor that failed has not set
        return {**parameters(self), **{name: getattr(self, name) for name in bits if hasattr(self, name)}}

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in DERIVED}

    def raise_fault(self) -> NoReturn:
        """Raise what an operation raised while compiled code was calling it, or say that one failed.

        Raises
        ------
        PredictorError
            Caused by the exception of the operation; Ctrl-C is raised as it is.
        """
        fault, self.fault = self.fault, None
        if fault is not None and not isinstance(fault, Exception):
            raise fault
        why = "it is out of memory, or not at the start of a cycle, or gives no probability"
        if fault is not None:
            why = describe_error(fault, own_modules(type(self)))
        raise PredictorError(f"the predictor failed in a search: {why}") from fault

    @property
    def addresses(self) -> Addresses:
        """Addresses of the operations and of the state, valid as long as the predictor lives."""
        return self._callbacks[1]

    @functools.cached_property
    def _callbacks(self) -> tuple[list[Any], Addresses]:
        functions = [
            self._callback(lambda _: self.predict()),
            self._callback(lambda bit: self.update(bit)),
            self._callback(lambda bit: self.append(bit) or 0.0),
            self._callback(lambda _: self.mark()),
            self._callback(lambda mark: self.revert(mark) or 0.0),
        ]
        return functions, Addresses(*[*map(address_of, functions), 0])

    def _callback(self, operation: Callable[[int], float]) -> Any:
        def fail(fault: BaseException) -> None:
            self.fault = self.fault or fault

        return as_compiled(operation, fail)


def deep_copy(original: T, error: type[Exception]) -> T:
    """Return an independent object in the same state, but for its addresses; raise an error if that can't be done."""
    twin = object.__new__(type(original))
    try:
        vars(twin).update(copy.deepcopy({name: value for name, value in vars(original).items() if name not in DERIVED}))
    except Exception as cause:
        raise error(f"{type(original).__name__} can't be copied ({cause}): give it a method copy") from cause
    return twin


def as_compiled(operation: Callable[[int], float], fail: Callable[[BaseException], None]) -> Any:
    """Return a Python function as one that compiled code can call by its address.

    Parameters
    ----------
    operation : callable
        Takes a whole number and returns a number.
    fail : callable
        Is given what the operation raised, which may not cross compiled code; the planner raises it afterwards.
    """

    def call(_: int, argument: int) -> float:
        try:
            return float(operation(argument))
        except BaseException as fault:
            fail(fault)
            return FAILED

    return OPERATION(call)


def address_of(function: Any) -> int:
    """Return the address of what `as_compiled` returned, valid as long as that lives."""
    return ctypes.cast(function, ctypes.c_void_p).value or 0

"""The predictor interface: what a planner asks of an environment model, from Python and from compiled code.

A predictor reads the history of an agent bit by bit, cycle after cycle: `action_bits` bits of action, which it only
remembers, then `percept_bits` bits of percept, which it predicts and learns. Five verbs suffice:

    predict()       P(next percept bit = 1), strictly between 0 and 1 unless the predictor may be `certain`
    update(bit)     learn a percept bit and append it to the history; returns the probability it had
    append(bit)     append a bit without learning: an action bit, or a percept bit that is not to be learned
    mark()          remember this point; returns its number
    revert(mark)    go back to it exactly, and forget it and all later marks

Compiled planners call the verbs by address, each as `double verb(void *state, int64_t argument)`; a negative answer
says that the verb failed and changed nothing. `Predictor` makes such addresses from the Python methods of a
subclass, so a predictor of one's own is five methods; a compiled one overrides `addresses`.
"""

from __future__ import annotations

import ctypes
import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from aixi_approx.coding import Bits
from aixi_approx.predictor_abi import FAILED, OPERATION, Addresses


class PredictorError(RuntimeError):
    """A predictor failed in the middle of a search."""


class Predictor(ABC):
    """Base class of predictors. A subclass sets two numbers and has five methods.

    Attributes
    ----------
    action_bits, percept_bits
        Bits of each part of a cycle; a subclass sets them.
    bits_apart
        Whether the bits of one percept are learned apart: learning one does not change the prediction of another
        in the same percept, other than as context. A planner then saves itself the learning of bits whose like it
        does not ask for again. False is always right.
    certain
        Whether the probabilities 0 and 1 occur, as in a true model of the environment; `update` of a bit that can't be
        raises ValueError then and changes nothing. A predictor that learns should leave room for doubt.
    fault
        The exception that a verb raised while compiled code was calling it, or None.
    """

    action_bits: int
    percept_bits: int
    bits_apart: bool = False
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

    def learn(self, cycle: Bits) -> float:
        """Append the action bits and learn the percept bits of whole cycles; return the log loss in bits."""
        loss = 0.0
        for i, bit in enumerate(cycle):
            if i % (self.action_bits + self.percept_bits) < self.action_bits:
                self.append(int(bit))
            else:
                loss -= math.log2(self.update(int(bit)))
        return loss

    def restart(self) -> None:  # noqa: B027  there is mostly nothing to do
        """Hear that the environment begins anew, between two cycles. The history goes on."""

    def extend(self, bits: Bits) -> None:
        """Append bits to the history without learning them."""
        for bit in bits:
            self.append(int(bit))

    @property
    def addresses(self) -> Addresses:
        """Addresses of the verbs and of the state, valid as long as the predictor lives."""
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
        predict, update, append, mark, revert = (ctypes.cast(f, ctypes.c_void_p).value or 0 for f in functions)
        return functions, Addresses(predict, update, append, mark, revert, state=0)

    def _callback(self, verb: Callable[[int], float]) -> Any:
        def call(_: int, argument: int) -> float:
            try:
                return float(verb(argument))
            except BaseException as fault:  # may not cross compiled code; the planner raises it afterwards
                self.fault = self.fault or fault
                return FAILED

        return OPERATION(call)

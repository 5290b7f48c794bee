"""The interface of rollout policies: how a simulation acts beyond the search tree.

A policy chooses an action from a random number. One that looks at the history reads it bit by bit, as a predictor does,
with every bit appended. Compiled planners call it by address, as they call a predictor; `Rollout` makes the addresses
from the Python methods of a subclass, and a compiled policy overrides `addresses`.
"""

from __future__ import annotations

import ctypes
import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NoReturn, Self

import numpy as np
from numpy.typing import NDArray

from aixi_approx.archive import kept_attributes, restore_attributes
from aixi_approx.coding import Bits, Coding
from aixi_approx.environment import Environment
from aixi_approx.predictor import DERIVED, address_of, as_compiled, deep_copy
from aixi_approx.predictor_abi import RANDOM_BITS, RolloutAddresses
from aixi_approx.validation import describe_error, own_modules

ROUNDING = 1e-6  # by which the sum of a prediction may miss 1
LEARNING = ("learn", "prediction", "trust")  # what a policy has that learns


class RolloutError(RuntimeError):
    """A rollout policy failed during a search."""


class Rollout(ABC):
    """Base class of rollout policies. A subclass has one method, three more if it reads the history, more if it learns.

    Parameters
    ----------
    coding : Coding
        Bits and actions of the environment.

    Attributes
    ----------
    options : tuple of str, default: ()
        What the constructor takes as keywords: `("depth",)` for a policy with a context of so many bits.
    reads_history : bool, default: False
        Whether `append`, `mark` and `revert` are to be called.
    learns : bool, default: False
        Whether it learns the decisions of the search. It has to read the history, then, and has besides

            learn(action)    at the start of a cycle: learn the action, append its bits; return its log loss in bits
            prediction       probability of each action at the start of a cycle, float64[A]; `choose` acts by it
            trust            how far a search is to follow it, 0 to 1; at 0 it is not followed at all

        and may have `earn` and `helps`, with which it sees whether it is worth following.
        `revert` takes back what was learned, too. Compiled planners read `prediction` by the operation `weigh`, which
        is made of it; a policy with `addresses` of its own has to have one there.
    fault : BaseException or None
        The exception that an operation raised while compiled code was calling it.

    Examples
    --------
    >>> class Patient(Rollout):
    ...     '''Takes action 0 nine times out of ten.'''
    ...     def choose(self, u):
    ...         return 0 if u < 0.9 else int((u - 0.9) * 10 * self.coding.actions)
    """

    options: ClassVar[tuple[str, ...]] = ()
    reads_history: bool = False
    learns: bool = False
    fault: BaseException | None = None

    def __init__(self, coding: Coding) -> None:
        self.coding = coding

    @abstractmethod
    def choose(self, u: float) -> int:
        """Return an action, given a number drawn uniformly from [0, 1)."""

    def append(self, bit: int) -> None:  # noqa: B027
        """Take in the next bit of the history, of an action or a percept, real or imagined."""

    def earn(self, reward: int, *, block: int, simulations: int) -> None:  # noqa: B027
        """Take note of the reward of a real cycle; a policy that learns may see whether it helps.

        Parameters
        ----------
        reward : int
            Of the cycle.
        block : int
            Cycles that the search looks ahead.
        simulations : int
            Of the search.
        """

    def helps(self, simulations: int) -> float:
        """Return to which share it helps a search of so many simulations, 0 to 1; trust is multiplied by it."""
        return 1.0

    def mark(self) -> int:
        """Remember this point; return its number, at least 0."""
        return 0

    def revert(self, mark: int) -> None:  # noqa: B027
        """Go back to a mark, exactly; forget it and all later ones."""

    @classmethod
    def for_environment(cls, environment: Environment, *parameters: int | str, **options: Any) -> Self:
        """Return a new policy for an environment, with the parameters after its name, and those of its `options`."""
        return cls(environment.coding, *parameters, **options)

    def copy(self) -> Self:
        """Return an independent policy in the same state. By default a deep copy.

        Raises
        ------
        ValueError
            If a part of it can't be copied.
        """
        return deep_copy(self, ValueError)

    def keep(self) -> dict[str, Any]:
        """Return all that it knows, as values that an archive can hold. By default its attributes.

        Raises
        ------
        ValueError
            If an archive can't hold it, or there are marks.
        """
        return kept_attributes(self, "coding", *DERIVED)

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take on the state that `keep` has returned of a policy that was made in the same way; ValueError if not."""
        restore_attributes(self, kept, "coding", *DERIVED)

    def __copy__(self) -> Self:
        return self.copy()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in DERIVED}

    def extend(self, bits: Bits | Sequence[int]) -> None:
        """Take in bits of the real history."""
        if self.reads_history:
            for bit in bits:
                self.append(int(bit))

    def raise_fault(self) -> NoReturn:
        """Raise what an operation raised while compiled code was calling it, or say that one failed.

        Raises
        ------
        RolloutError
            Caused by the exception of the operation; Ctrl-C is raised as it is.
        """
        fault, self.fault = self.fault, None
        if fault is not None and not isinstance(fault, Exception):
            raise fault
        why = describe_error(fault, own_modules(type(self))) if fault else "it gives no action, or can't go back"
        raise RolloutError(f"the rollout policy failed in a search: {why}") from fault

    def check_learner(self) -> None:
        """Check that the policy has what one needs that learns the decisions of a search.

        Raises
        ------
        ValueError
            If it has not, with one line that says what is missing.
        """
        name = type(self).__name__
        if not self.learns:
            raise ValueError(f"the policy {name} does not learn: name it as the rollout policy")
        missing = [each for each in LEARNING if not (hasattr(type(self), each) or each in vars(self))]
        if missing:
            raise ValueError(f"the policy {name} learns, but has no {', '.join(missing)}: see aixi_approx.Rollout")
        if not self.reads_history:
            raise ValueError(f"the policy {name} learns: set reads_history = True, and read the history")
        if not self.addresses.weigh:
            raise ValueError(f"the policy {name} learns, but its addresses have no operation weigh: give it one")

    def checked_prediction(self) -> NDArray[np.float64]:
        """Return the prediction of a policy that learns, float64[A].

        Raises
        ------
        ValueError
            If it is no distribution over the actions.
        """
        given: Any = self.prediction  # type: ignore[attr-defined]
        prediction = np.asarray(given, dtype=np.float64)
        fine = prediction.shape == (self.coding.actions,) and (prediction >= 0.0).all()
        if not fine or not abs(prediction.sum() - 1.0) <= ROUNDING:
            what = f"{type(self).__name__}.prediction is {prediction.tolist()!r:.80}"
            raise ValueError(f"{what}: it must be a probability for each of {self.coding.actions} actions, 1 in all")
        return prediction

    @property
    def addresses(self) -> RolloutAddresses:
        """Addresses of the operations and of the state, valid as long as the policy lives."""
        return self._callbacks[1]

    @functools.cached_property
    def _callbacks(self) -> tuple[list[Any], RolloutAddresses]:
        functions = [
            self._callback(lambda number: self._chosen(number)),
            self._callback(lambda bit: _zero(self.append(bit))),  # type: ignore[func-returns-value]
            self._callback(lambda _: self.mark()),
            self._callback(lambda mark: _zero(self.revert(mark))),  # type: ignore[func-returns-value]
        ]
        if self.learns:
            functions.append(self._callback(lambda address: _zero(self._weigh(address))))  # type: ignore[func-returns-value]
        choose, append, mark, revert, *weigh = map(address_of, functions)
        return functions, RolloutAddresses(choose, append, mark, revert, 0, int(self.reads_history), *weigh)

    def _chosen(self, number: int) -> int:
        action = self.choose(number / (1 << RANDOM_BITS))
        if not 0 <= action < self.coding.actions or action != int(action):
            raise ValueError(
                f"{type(self).__name__}.choose returned {action!r}: there are actions 0 to {self.coding.actions - 1}"
            )
        return int(action)

    def _weigh(self, address: int) -> None:
        """Write the prediction to the float64[A] at an address."""
        (ctypes.c_double * self.coding.actions).from_address(address)[:] = self.checked_prediction().tolist()

    def _callback(self, operation: Callable[[int], float]) -> Any:
        def fail(fault: BaseException) -> None:
            self.fault = self.fault or fault

        return as_compiled(operation, fail)


def _zero(_: None) -> float:
    """What an operation without a result returns to compiled code."""
    return 0.0

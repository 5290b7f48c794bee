"""The interface of rollout policies: how a simulation acts beyond the search tree.

A policy chooses an action from a random number. One that looks at the history reads it bit by bit, as a predictor does,
with every bit appended. Compiled planners call it by address, as they call a predictor; `Rollout` makes the addresses
from the Python methods of a subclass, and a compiled policy overrides `addresses`.
"""

from __future__ import annotations

import copy
import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Self

from aixi_approx.coding import Bits, Coding
from aixi_approx.environment import Environment
from aixi_approx.predictor import address_of, as_compiled
from aixi_approx.predictor_abi import RANDOM_BITS, RolloutAddresses
from aixi_approx.validation import describe_error, own_modules


class RolloutError(RuntimeError):
    """A rollout policy failed during a search."""


class Rollout(ABC):
    """Base class of rollout policies. A subclass has one method, and three more if it reads the history.

    Parameters
    ----------
    coding : Coding
        Bits and actions of the environment.

    Attributes
    ----------
    reads_history : bool, default: False
        Whether `append`, `mark` and `revert` are to be called.
    learns : bool, default: False
        Whether it learns the decisions of the search, by a method `learn`; it reads the history, then.
    fault : BaseException or None
        The exception that an operation raised while compiled code was calling it.

    Examples
    --------
    >>> class Patient(Rollout):
    ...     '''Takes action 0 nine times out of ten.'''
    ...     def choose(self, u):
    ...         return 0 if u < 0.9 else int((u - 0.9) * 10 * self.coding.actions)
    """

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
        """Take note of the reward of a real cycle, in blocks of so many cycles; for a policy that learns."""

    def mark(self) -> int:
        """Remember this point; return its number, at least 0."""
        return 0

    def revert(self, mark: int) -> None:  # noqa: B027
        """Go back to a mark, exactly; forget it and all later ones."""

    @classmethod
    def for_environment(cls, environment: Environment, *parameters: int | str) -> Self:
        """Return a new policy for an environment, with the parameters that stand after its name."""
        return cls(environment.coding, *parameters)

    def copy(self) -> Self:
        """Return an independent policy in the same state. By default a deep copy."""
        twin = copy.copy(self)
        twin.__dict__ = copy.deepcopy({name: value for name, value in vars(self).items() if name != "_callbacks"})
        return twin

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
        return functions, RolloutAddresses(*[*map(address_of, functions), 0, int(self.reads_history)])

    def _chosen(self, number: int) -> int:
        action = self.choose(number / (1 << RANDOM_BITS))
        if not 0 <= action < self.coding.actions or action != int(action):
            raise ValueError(
                f"{type(self).__name__}.choose returned {action!r}: there are actions 0 to {self.coding.actions - 1}"
            )
        return int(action)

    def _callback(self, operation: Callable[[int], float]) -> Any:
        def fail(fault: BaseException) -> None:
            self.fault = self.fault or fault

        return as_compiled(operation, fail)


def _zero(_: None) -> float:
    """What an operation without a result returns to compiled code."""
    return 0.0

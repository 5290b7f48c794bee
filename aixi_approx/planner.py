"""The planner interface: what an agent asks of its search, and what a search returns.

    search(predictor, random)     decide, from the present history of the predictor, which is unchanged afterwards
    advance(action, percept)      a cycle has really happened
    forget()                      the history has become another one: what was kept from searches no longer holds
    mark(), revert(mark)          go back to an earlier point, exactly: an evaluation leaves no trace

Only `search` has to be written; a planner that keeps or learns nothing needs none of the others.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from aixi_approx.coding import Bits
from aixi_approx.display.tables import parameters, table
from aixi_approx.environment import Environment
from aixi_approx.randomness import Stream, below
from aixi_approx.validation import as_integer

MAX_HORIZON, MAX_SIMULATIONS = 10_000, 1 << 30


class SearchResult(NamedTuple):
    """What a search found at its root; A actions.

    Attributes
    ----------
    action : int
        The one that the search decided on.
    value : float64[A]
        Value of each action over the horizon, NaN where it is unknown.
    visits : int64[A]
        Simulations that began with each action.
    simulations : int
        All of them.
    error : float64[A] or None
        The exact value lies within value +- error; None where unknown.
    deviation : float64[A] or None
        Standard error of each value, infinite where it is unknown; None if the search does not say.
    """

    action: int
    value: NDArray[np.float64]
    visits: NDArray[np.int64]
    simulations: int
    error: NDArray[np.float64] | None = None
    deviation: NDArray[np.float64] | None = None

    def __repr__(self) -> str:
        """Return it in a line, with all digits."""
        fields = self._asdict().items()
        told = (f"{name}={value.tolist() if isinstance(value, np.ndarray) else value!r}" for name, value in fields)
        return f"{type(self).__name__}({', '.join(told)})"

    def _repr_html_(self) -> str:
        """Return a table of the actions, by number, for a notebook."""
        columns: dict[str, Any] = {
            "value": self.value,
            "± at most": self.error,
            "standard error": self.deviation,
            "visits": self.visits,
        }
        known = {name: each.tolist() for name, each in columns.items() if each is not None}
        rows = [
            (action, *numbers, "chosen" * (action == self.action))
            for action, numbers in enumerate(zip(*known.values(), strict=True))
        ]
        title = f"A search of {self.simulations:,} simulations"
        return table(title, rows, columns=("action", *known, ""))


class Lesson(NamedTuple):
    """What an agent that is learning does after a search, and learns from it as a policy."""

    action: int | None  # None: a random one
    learned: bool


class Learner(Protocol):
    """What an agent asks of the part of it that learns: a `Predictor`, or what a planner without a model learns."""

    action_bits: int
    percept_bits: int

    def learn(self, cycle: Bits) -> float:
        """Learn a cycle; return the log loss of the percept in bits, 0 where nothing is predicted."""

    def extend(self, bits: Bits) -> None:
        """Take in a cycle without learning."""

    def restart(self) -> None:
        """Take note that the environment was reset. A learner that does not know it keeps the history."""

    def mark(self) -> int:
        """Remember this point; return its number."""

    def revert(self, mark: int) -> None:
        """Go back to a mark, exactly; forget it and all later ones."""

    def keep(self) -> dict[str, Any]:
        """Return all that it knows, as values that an archive can hold."""

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take on the state that `keep` has returned; ValueError if it is that of something else."""


class Planner(ABC):
    """Base class of planners. A subclass has one method, `search`.

    Attributes
    ----------
    options : tuple of str, default: ()
        Fields of `PlannerSpec` that the constructor takes as keywords, such as `("horizon", "simulations")`. An option
        that the chosen planner does not take is refused.
    model_free : bool, default: False
        Whether it plans without a model: `learner` then returns what takes the place of the predictor.
    needs_policy : bool, default: False
        Whether it makes no sense without a policy that learns.
    can_refuse : bool, default: False
        Whether `search` raises ValueError where it would take too long; then a run tries one before it begins.
    reads_history : bool, default: False
        Whether it has to be given all real cycles by `advance`, from the first on.
    searches : int, default: 1
        Among which the simulations of a decision are shared.
    policy : Rollout or None, default: None
        That learns its decisions, and can act alone: with such a policy `search` takes 0 simulations, too.
    simulations : int, default: 0
        Of a decision, at most, unless `search` is given another number; 0 for a planner that does not count any.
    seconds : float or None, default: None
        That a decision may take; such a decision can't be repeated.
    bounds_memory : bool, default: False
        Whether `bound_memory` bounds what it takes.
    most_memory : int or None, default: None
        Bytes that a search may take, where they are bounded.

    Examples
    --------
    >>> from aixi_approx.coding import encode
    >>> class Myopic(Planner):
    ...     '''Takes the action with the largest expected next reward bit, the first bit of a percept.'''
    ...     def __init__(self, coding):
    ...         self.coding = coding
    ...     def search(self, predictor, random, *, simulations=None):
    ...         value = np.zeros(self.coding.actions)
    ...         for action in range(self.coding.actions):
    ...             mark = predictor.mark()
    ...             predictor.extend(encode(action, self.coding.action_bits))
    ...             value[action] = predictor.predict()
    ...             predictor.revert(mark)
    ...         return SearchResult(best_action(value, random), value, np.zeros(len(value), dtype=np.int64), 0)
    """

    options: ClassVar[tuple[str, ...]] = ()
    model_free: ClassVar[bool] = False
    needs_policy: ClassVar[bool] = False
    can_refuse: ClassVar[bool] = False
    reads_history: bool = False
    policy: Any = None
    searches: int = 1
    simulations: int = 0
    seconds: float | None = None
    bounds_memory: ClassVar[bool] = False
    most_memory: int | None = None

    @abstractmethod
    def search(self, predictor: Any, random: Stream, *, simulations: int | None = None) -> SearchResult:
        """Decide on an action from the present history of the predictor, which is unchanged afterwards.

        Parameters
        ----------
        predictor : Predictor
            At the start of a cycle.
        random : uint64[4]
            The stream to draw from.
        simulations : int, optional
            How many, if other than the planner's own number.
        """

    @classmethod
    def for_environment(cls, environment: Environment, *parameters: int | str, **options: Any) -> Self:
        """Return a new planner for an environment.

        Parameters
        ----------
        environment : Environment
            Where it is to plan.
        *parameters : int or str
            That stand after the name, as in `my_file.py:Mine:8`.
        **options
            Those of `options`.
        """
        return cls(environment.coding, *parameters, **options)  # type: ignore[call-arg]

    def bound_memory(self, most: int) -> None:
        """Let a search take at most so many bytes. At the bound it goes on with what it has, or ends."""
        self.most_memory = most

    def learner(self) -> Learner | None:
        """Return what takes the place of the predictor; None for a planner that plans on a model."""
        return None

    def lesson(self, result: SearchResult | None, random: Stream) -> Lesson:
        """Return what is to be done after a search here, and whether that is to be learned, as a policy.

        Parameters
        ----------
        result : SearchResult or None
            What the search found; None if there was none, as the action is to be random.
        random : uint64[4]
            The stream to draw from.
        """
        return Lesson(None if result is None else result.action, False)

    def distil(self, action: int) -> float:
        """Learn an action, as a policy; called before `advance`.

        Returns
        -------
        float
            The log loss of the action in bits; 0 for a planner that learns no policy.
        """
        return 0.0

    def advance(self, action: int, percept: Bits, *, learned: bool = True) -> None:  # noqa: B027
        """Go on to the history after a real cycle.

        Parameters
        ----------
        action : int
            That was taken.
        percept : uint8[percept_bits]
            That came.
        learned : bool, default: True
            Whether the predictor has learned the cycle too; otherwise it was only appended, and what was kept from
            searches no longer holds.
        """

    def forget(self) -> None:  # noqa: B027
        """Drop what was kept from searches: the history of the predictor has become another one."""

    def keep(self) -> dict[str, Any]:
        """Return all that it has learned, as values that an archive can hold; what `learner` returned is no part of it.

        What is kept from searches for the sake of time is no part of it either: `restore` begins as `forget` does.

        Raises
        ------
        ValueError
            If an archive can't hold it, there are marks, or the planner can go back (`mark`) but has no `keep`.
        """
        if type(self).mark is not Planner.mark:
            raise ValueError(f"{type(self).__name__} can't be kept: give it the methods keep and restore")
        return {}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take on the state that `keep` has returned of a planner that was made in the same way; ValueError if not."""
        self.forget()

    def __copy__(self) -> Self:
        return copy.deepcopy(self)

    def __repr__(self) -> str:
        """Return its class and its options, in a line."""
        options = (f"{name}={value!r}" for name, value in self.told().items())
        return f"{type(self).__name__}({', '.join(options)})"

    def _repr_html_(self) -> str:
        """Return its class and its options, for a notebook."""
        return table(type(self).__name__, self.told().items())

    def told(self) -> dict[str, object]:
        """Return its options, as far as it tells them, by name."""
        told = parameters(self)
        return {**told, "searches": self.searches} if self.searches > 1 else told

    def mark(self) -> int:
        """Remember this point; return its number, at least 0."""
        return 0

    def revert(self, mark: int) -> None:  # noqa: B027
        """Go back to a mark, exactly; forget it and all later ones."""


def check_result(planner: Planner, result: Any, *, actions: int) -> SearchResult:
    """Return what a planner's search returned.

    Raises
    ------
    ValueError
        If it is no decision.
    """
    where = f"{type(planner).__name__}.search returned"
    if not isinstance(result, SearchResult):
        raise ValueError(f"{where} {result!r:.80}: it must return a SearchResult")
    as_integer(f"{where} a result whose action", result.action, 0, actions - 1)
    as_integer(f"{where} a result whose simulations", result.simulations, 0, 1 << 63)
    return result


def best_action(value: NDArray[np.float64], random: Stream, *, rounding: float = 0.0) -> int:
    """Return the action with the largest value, up to rounding; one of them at random if there are several."""
    best = np.flatnonzero(value >= np.nanmax(value) - rounding)
    return int(best[below(random, len(best))])

"""Expectimax on the true environment: exact values over a finite horizon, computed on beliefs.

    V(b, m) = max over a of the sum over percepts x of P(x | b, a) (r + V(b after a, x; m - 1))        V(b, 0) = 0

Histories that lead to the same belief have the same future and are merged, so the work grows with the number of
reachable beliefs and not with that of histories (Kaelbling, Littman, Cassandra 1998, section 4).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Self

import numpy as np

from aixi_approx.environment import Environment
from aixi_approx.planner import Planner, SearchResult, best_action
from aixi_approx.planners.iterative_deepening import ROUNDING, deepen
from aixi_approx.pomdp.belief import Belief, HasBelief, SameEnvironment, after
from aixi_approx.pomdp.definition import POMDP, as_pomdp
from aixi_approx.randomness import Stream
from aixi_approx.validation import as_integer

DIGITS = 12  # beliefs whose probabilities agree to this many digits count as the same
MAX_BELIEFS = 1_000_000  # kept from one search to the next
MAX_HORIZON = 10_000

Key = tuple[bytes, bytes]


class Step(NamedTuple):
    """A percept that can follow an action at a belief."""

    probability: float
    reward: float
    key: Key  # of the belief after it


class BeliefExpectimax(Planner):
    """The exact planner for an agent that knows its environment.

    Parameters
    ----------
    pomdp : POMDP
        The environment.
    horizon : int, default: 5
        Number of cycles to look ahead, including the present one; at least 1.
    time_limit : float, default: 60
        Seconds per decision. A search that would take longer is refused before it starts.
    max_beliefs : float, default: inf
        Largest number of beliefs per horizon that a decision may expand.

    Examples
    --------
    >>> from aixi_approx import make
    >>> from aixi_approx.predictors import TrueModel
    >>> from aixi_approx.randomness import stream
    >>> tiger = make("tiger")
    >>> BeliefExpectimax(tiger, horizon=2).search(TrueModel(tiger), stream(1)).value.tolist()
    [-2.0, -46.0, -46.0]
    """

    options = ("horizon",)
    can_refuse = True

    def __init__(
        self, pomdp: POMDP, horizon: int = 5, *, time_limit: float = 60.0, max_beliefs: float = np.inf
    ) -> None:
        self.pomdp = pomdp
        self._same = SameEnvironment(pomdp)
        self.horizon = as_integer("horizon", horizon, 1, MAX_HORIZON)
        self.time_limit, self.max_beliefs = time_limit, max_beliefs
        self._beliefs: dict[Key, Belief] = {}
        self._steps: dict[Key, list[list[Step]]] = {}  # for each action
        self._layers: list[list[Key]] = []  # beliefs reachable in 0, 1, 2, ... cycles
        self._most_beliefs = _most_beliefs(pomdp)

    @classmethod
    def for_environment(cls, environment: Environment, *parameters: int | str, **options: Any) -> Self:
        """Return a new planner for an environment that is a POMDP; ValueError if it is not."""
        return cls(as_pomdp(environment), *parameters, **options)  # type: ignore[arg-type]

    def search(self, predictor: HasBelief, random: Stream, *, simulations: int | None = None) -> SearchResult:
        """Search from the present belief of the true model, which is unchanged.

        Parameters
        ----------
        predictor : HasBelief
            At the start of a cycle.
        random : Stream
            Breaks ties between actions of equal value; nothing else is random.
        simulations : int, optional
            Ignored.

        Returns
        -------
        SearchResult
            With `error` 0; `visits` and `simulations` are 0, too.

        Raises
        ------
        TooSlow
            If it would take longer than the time limit, or more beliefs than allowed; a ValueError.
        ValueError
            If the belief is about another environment.
        """
        self._same.check(predictor)
        if len(self._beliefs) > MAX_BELIEFS:
            self._beliefs.clear()
            self._steps.clear()
        root = self._key(predictor.belief)
        self._layers = [[root]]
        deepen(
            self._look_ahead,
            self.horizon,
            time_limit=self.time_limit,
            most=self._most_beliefs,
            remedy="take a shorter horizon",
            max_work=self.max_beliefs,
        )
        later: Mapping[Key, float] = defaultdict(float)
        for layer in self._layers[:0:-1]:
            later = {key: max(self._values(key, later)) for key in layer}
        value = np.array(self._values(root, later))
        nothing = np.zeros(len(value), dtype=np.int64)
        return SearchResult(best_action(value, random, rounding=ROUNDING), value, nothing, 0, np.zeros(len(value)))

    def _look_ahead(self, horizon: int) -> Iterator[int]:
        """Expand the beliefs of the last layer, and append the next layer."""
        following: dict[Key, None] = {}
        for key in self._layers[horizon - 1]:
            if key not in self._steps:
                self._steps[key] = [self._outcomes(self._beliefs[key], action) for action in range(self._actions)]
            for steps in self._steps[key]:
                following.update((step.key, None) for step in steps)
            yield 1
        if horizon < self.horizon:
            self._layers.append(list(following))

    def _outcomes(self, belief: Belief, action: int) -> list[Step]:
        return [
            Step(future.probability, future.percept.reward, self._key(future.belief))
            for future in after(self.pomdp, belief, action=action)
        ]

    def _values(self, key: Key, later: Mapping[Key, float]) -> list[float]:
        """Return the value of each action at a belief, given those of the beliefs one cycle later."""
        return [sum(p * (reward + later[following]) for p, reward, following in steps) for steps in self._steps[key]]

    def _key(self, belief: Belief) -> Key:
        key = (belief.state.tobytes(), belief.probability.round(DIGITS).tobytes())
        self._beliefs.setdefault(key, belief)
        return key

    @property
    def _actions(self) -> int:
        return len(self.pomdp.actions)


def _most_beliefs(pomdp: POMDP) -> float:
    """Return the number of states if action and percept always determine the next state, else infinity."""
    tables, actions = pomdp.tables, len(pomdp.actions)
    action = np.repeat(np.arange(len(tables.first) - 1) % actions, np.diff(tables.first))
    seen = np.stack([action, tables.observation, tables.code, tables.state])
    determined = np.unique(seen, axis=1).shape[1] == np.unique(seen[:3], axis=1).shape[1]
    return float(len(pomdp.states)) if determined else np.inf

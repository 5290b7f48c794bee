"""Root parallelisation: independent searches from the same root, whose results are joined at the end.

The simulations of a decision are divided among k searches, each with its own random stream (Chaslot, Winands, van den
Herik 2008). Their results are joined in one of two ways:

    majority    each search votes for its action; a tie goes to the action with the largest pooled value
    pooled      visits are summed and values averaged by visits; the action with the largest value wins

The searches share nothing, so the result does not depend on the number of threads.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from queue import SimpleQueue
from typing import Any

import numpy as np

from aixi_approx.coding import Bits
from aixi_approx.display.tables import parameters
from aixi_approx.planner import MAX_SIMULATIONS, Lesson, Planner, SearchResult, best_action
from aixi_approx.planner_spec import JOINS, MAJORITY
from aixi_approx.planners.iterative_deepening import ROUNDING
from aixi_approx.planners.time_slices import ended_by
from aixi_approx.randomness import Stream, below, stream
from aixi_approx.validation import as_integer, check_choice

MAX_THREADS = 1_000


class RootParallel(Planner):
    """A planner that runs several independent searches and joins their results.

    Parameters
    ----------
    planners : sequence of Planner
        Planners of the same kind, one for each thread. The `simulations` of the first are divided among the searches.
    searches : int
        Number of searches; each needs at least one simulation.
    join : str, default: "majority"
        `majority` or `pooled`, as above.

    Raises
    ------
    ValueError
        If there are more searches than simulations, no planner, or no such way of joining.

    Examples
    --------
    >>> from aixi_approx import make
    >>> from aixi_approx.planners import POUCT
    >>> from aixi_approx.predictors import TrueModel
    >>> tiger = make("tiger")
    >>> parallel = RootParallel([POUCT(tiger, horizon=3, simulations=10_000)], searches=8)
    >>> parallel.search(TrueModel(tiger), stream(1)).action    # listen
    0
    """

    def __init__(self, planners: Sequence[Planner], searches: int, *, join: str = MAJORITY) -> None:
        as_integer("the number of planners", len(planners), 1, MAX_THREADS)
        self.planners = tuple(planners)
        self.searches = as_integer("searches", searches, 1, MAX_SIMULATIONS)
        self.join = check_choice("join", join, JOINS)
        self.simulations, self.seconds = planners[0].simulations, planners[0].seconds
        self.reads_history, self.policy = planners[0].reads_history, planners[0].policy
        self._marks: list[list[int]] = []
        self._shares(self.simulations)
        for planner in planners:
            planner.searches = searches

    def told(self) -> dict[str, object]:
        """Return its options, as far as it tells them, by name."""
        return {"planner": type(self.planners[0]).__name__, **parameters(self.planners[0]), self.join: self.searches}

    def forget(self) -> None:
        """Discard what the planners keep between searches."""
        for planner in self.planners:
            planner.forget()

    def lesson(self, result: SearchResult | None, random: Stream) -> Lesson:
        """Return what is to be done after a search, and whether the policy learns that."""
        return self.planners[0].lesson(result, random)

    def distil(self, action: int) -> float:
        """Let the policies of all planners learn an action; return its log loss in bits."""
        losses = [planner.distil(action) for planner in self.planners]
        return losses[0]

    def advance(self, action: int, percept: Bits, *, learned: bool = True) -> None:
        """Move to the history after a real cycle."""
        for planner in self.planners:
            planner.advance(action, percept, learned=learned)

    def bound_memory(self, most: int) -> None:
        """Let the search of each planner take at most so many bytes."""
        for planner in self.planners:
            planner.bound_memory(most)

    def keep(self) -> dict[str, Any]:
        """Return what one of the planners has learned: all have learned the same."""
        return self.planners[0].keep()

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take on the state that `keep` has returned; the number of planners may be another one."""
        for planner in self.planners:
            planner.restore(kept)

    def mark(self) -> int:
        """Remember this point; return its number."""
        self._marks.append([planner.mark() for planner in self.planners])
        return len(self._marks) - 1

    def revert(self, mark: int) -> None:
        """Return to a mark, exactly; forget it and all later ones."""
        for planner, own in zip(self.planners, self._marks[mark], strict=True):
            planner.revert(own)
        del self._marks[mark:]

    @property
    def horizon(self) -> int | None:
        """Cycles that its searches look ahead, if they say."""
        return getattr(self.planners[0], "horizon", None)

    def search(self, predictor: Any, random: Stream, *, simulations: int | None = None) -> SearchResult:
        """Search from the present history of the predictor, which is unchanged afterwards.

        Parameters
        ----------
        predictor : Predictor
            At the start of a cycle. Every thread but one works on a `copy` of it.
        random : Stream
            Names the streams of the searches, and breaks ties.
        simulations : int, optional
            Total of all searches; by default, the planners' own number.

        Returns
        -------
        SearchResult
            With the visits and simulations of all searches, and their pooled values.

        Raises
        ------
        ValueError
            If there are more searches than simulations.
        PredictorError
            As in `RhoUCT.search`.
        """
        if simulations == 0:
            return self.planners[0].search(predictor, random, simulations=0)
        shares = self._shares(self.simulations if simulations is None else simulations)
        name = below(random, 1 << 53)
        streams = [stream(name, number) for number in range(self.searches)]
        idle: SimpleQueue[tuple[Any, Any]] = SimpleQueue()
        for i, planner in enumerate(self.planners):
            idle.put((planner, predictor.copy() if i else predictor))

        stop = threading.Event()

        def search(random: Stream, simulations: int) -> SearchResult:
            planner, own = idle.get()
            try:
                with ended_by(stop):
                    return planner.search(own, random, simulations=simulations)
            finally:
                idle.put((planner, own))

        if len(self.planners) == 1:
            return join_results(list(map(search, streams, shares)), self.join, random=random)
        with ThreadPoolExecutor(len(self.planners)) as threads:
            begun = [threads.submit(search, *own) for own in zip(streams, shares, strict=True)]
            try:
                ended, _ = wait(begun, return_when=FIRST_EXCEPTION)
                found = [each.result() for each in begun if each in ended]
            except BaseException:
                stop.set()
                for each in begun:
                    each.cancel()
                raise
        return join_results(found, self.join, random=random)

    def _shares(self, simulations: int) -> list[int]:
        """Return the number of simulations of each search."""
        simulations = as_integer("simulations", simulations, 1, MAX_SIMULATIONS)
        if simulations < self.searches:
            raise ValueError(
                f"{self.searches} searches can't share {simulations} simulations: "
                "take as many simulations as searches, or more"
            )
        share, more = divmod(simulations, self.searches)
        return [share + (number < more) for number in range(self.searches)]


def join_results(results: Sequence[SearchResult], how: str, *, random: Stream) -> SearchResult:
    """Join the results of independent searches from the same root.

    Parameters
    ----------
    results : sequence of SearchResult
        At least one.
    how : str
        `majority` or `pooled`.
    random : Stream
        Breaks ties between actions.

    Examples
    --------
    >>> from aixi_approx.planner_spec import POOLED
    >>> def found(action, *value):
    ...     return SearchResult(action, np.array(value), np.array([1, 1]), 2)
    >>> three = [found(0, 3.0, 2.0), found(0, 3.0, 2.0), found(1, 1.0, 9.0)]
    >>> [join_results(three, how, random=stream(1)).action for how in (MAJORITY, POOLED)]
    [0, 1]
    """
    visits = np.sum([result.visits for result in results], axis=0)
    value = np.full(len(visits), np.nan)
    returns = np.sum([result.visits * np.nan_to_num(result.value) for result in results], axis=0)
    np.divide(returns, visits, out=value, where=visits > 0)
    for action in np.flatnonzero(visits == 0):  # without a visit, a value may be known all the same
        known = [result.value[action] for result in results if not np.isnan(result.value[action])]
        value[action] = np.mean(known) if known else np.nan
    errors = [result.error for result in results if result.error is not None]
    error = np.max(errors, axis=0) if len(errors) == len(results) else None
    deviations = [result.deviation for result in results if result.deviation is not None]
    deviation = None
    if len(deviations) == len(results):  # of means that are independent, weighted by visits
        counts = [result.visits for result in results]
        parts = [n * np.where(n > 0, each, 0.0) for n, each in zip(counts, deviations, strict=True)]
        deviation = np.where(visits > 0, np.sqrt(np.square(parts).sum(axis=0)) / np.maximum(1, visits), np.inf)
    candidates = value
    if how == MAJORITY:
        votes = np.bincount([result.action for result in results], minlength=len(value))
        candidates = np.where(votes == votes.max(), value, np.nan)
    simulations = sum(result.simulations for result in results)
    best = best_action(candidates, random, rounding=ROUNDING)
    return SearchResult(best, value, visits, simulations, error, deviation)

"""Whether a planner keeps to the interface, found out by letting an agent of it play."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from aixi_approx.agent import Agent
from aixi_approx.coding import encode
from aixi_approx.conformance.diagnostic import NOTE, PASSED, Diagnostic, require
from aixi_approx.conformance.keeping import examine_keeping
from aixi_approx.environment import Environment
from aixi_approx.envs import maker
from aixi_approx.interaction import interact
from aixi_approx.planner import Planner, SearchResult
from aixi_approx.predictor import Predictor
from aixi_approx.randomness import AGENT, PROBE, stream

MORE = 3  # simulations that are added to the planner's own number, to see whether it heeds the argument
LOOKED_AT = 4  # bits of a percept after each action


def check_planner(
    planner: Planner,
    predictor: Predictor | None = None,
    *,
    environment: Environment | str,
    cycles: int = 10,
    seed: int = 0,
) -> list[Diagnostic]:
    """Check that a planner, one of your own for instance, keeps to the interface. It is changed by the check.

    Parameters
    ----------
    planner : Planner
        New, for the environment.
    predictor : Predictor, optional
        What it plans on; new, for the environment, and changed. None for a planner without a model.
    environment : Environment or str
        Where it plays; anything that `make` takes and that has a name.
    cycles : int, default: 10
        That are played.
    seed : int, default: 0
        Of the environment and of the searches.

    Returns
    -------
    list of Diagnostic
        What was checked, and notes.

    Raises
    ------
    AssertionError
        With a message that says what is wrong.

    Examples
    --------
    >>> from aixi_approx import make
    >>> from aixi_approx.planners import RandomPlanner
    >>> [diagnostic.check for diagnostic in check_planner(RandomPlanner(make("tiger").coding), environment="tiger")]
    ['result', 'repetition', 'forget', 'revert', 'keep']
    """
    return list(examine_planner(planner, predictor, environment=environment, cycles=cycles, seed=seed))


def examine_planner(
    planner: Planner,
    predictor: Predictor | None = None,
    *,
    environment: Environment | str,
    cycles: int = 10,
    seed: int = 0,
) -> Iterator[Diagnostic]:
    """Yield what was checked, as it is passed; raise Nonconformity where a check fails. As in `check_planner`."""
    new = maker(environment)
    world, other = new(), new()
    learner = planner.learner()
    require(learner is not None or predictor is not None, "it plans on a model: give a predictor", check="result")
    agent = Agent(world.coding, learner or predictor, planner=planner, seed=seed)  # type: ignore[arg-type]
    probe = _Probe(agent, seed)
    world.checked_reset(seed)
    worse = False
    for cycle in range(cycles):
        result = probe.search()
        check_shapes(result, agent.coding.actions)
        worse |= _is_worse(result)
        if planner.seconds is None:
            probe.require_same(result, probe.search(), "two searches with the same stream differ", "repetition")
            planner.forget()
            what = "after forget() the same search gives another result: what it keeps from searches is not the same"
            probe.require_same(result, probe.search(), what, "forget")
            _check_count(probe, result)
        if cycle % 3 == 1:
            _check_undo(probe, other, seed)
        deque(interact(agent, world, cycles=1), maxlen=0)
    yield Diagnostic("result", PASSED, f"{cycles:,} cycles in {world.name}: every action exists")
    if worse:
        what = "it decided on an action whose value is not the largest: fine if that is meant, as in a vote"
        yield Diagnostic("action", NOTE, what)
    if isinstance(agent.predictor, Predictor):
        yield Diagnostic("predictor", PASSED, "a search leaves it as it was")
    if planner.seconds is None:
        yield Diagnostic("repetition", PASSED, "the same stream gives the same result")
        yield Diagnostic("forget", PASSED, "what is kept from searches changes no result")
        if planner.simulations:
            yield Diagnostic("simulations", PASSED, "as many as are asked for")
        yield Diagnostic("revert", PASSED, "an evaluation, with learning and without, leaves no trace")
        yield examine_keeping(
            agent,
            lambda: deque(interact(agent, world, cycles=3), maxlen=0),
            state=lambda: [np.nan_to_num(part, nan=-1.0).tolist() for part in probe.search()[:4]],
        )
    else:
        yield Diagnostic("repetition", NOTE, "it is limited by time, so that its results can't be compared")


def check_shapes(result: SearchResult, actions: int) -> None:
    """Check that what a search returned makes sense; raise Nonconformity if not.

    Parameters
    ----------
    result : SearchResult
        Of the search.
    actions : int
        How many there are.
    """

    def refuse(fine: object, message: str) -> None:
        require(fine, message, check="result")

    refuse(isinstance(result, SearchResult), f"search() returned {result!r:.80}: return a SearchResult")
    action, value, visits, simulations, error, deviation = result
    refuse(isinstance(action, int | np.integer), f"search() decided on {action!r:.40}: an action is a whole number")
    refuse(0 <= action < actions, f"search() decided on {action}: there are actions 0 to {actions - 1}")
    arrays = (("value", value, "f"), ("visits", visits, "iu"), ("error", error, "f"), ("deviation", deviation, "f"))
    for name, array, kind in arrays:
        if name in ("error", "deviation") and array is None:
            continue
        shaped = isinstance(array, np.ndarray) and array.shape == (actions,) and array.dtype.kind in kind
        what = "numbers" if kind == "f" else "whole numbers"
        refuse(shaped, f"{name} is {array!r:.80}: it must be an array of {actions} {what}, one for each action")
    whole = isinstance(simulations, int | np.integer) and simulations >= 0
    refuse(whole, f"simulations is {simulations!r:.40}: it must be a whole number of at least 0")
    refuse((visits >= 0).all(), f"visits are {visits.tolist()}: they must be at least 0")
    total = visits.sum()
    refuse(total <= simulations, f"visits add up to {total}, more than the {simulations} simulations there were")
    refuse(not np.isinf(value).any(), f"values are {value.tolist()}: they must be finite, or NaN where never tried")
    refuse(not (np.isnan(value) & (visits > 0)).any(), f"an action was tried and has no value: {value.tolist()}")
    tried = np.isnan(value).all() or not np.isnan(value[action])
    refuse(tried, f"search() decided on {action}, which has no value while others have one: {value.tolist()}")
    if error is not None:
        refuse((error >= 0).all(), f"errors are {error.tolist()}: they must be at least 0")


class _Probe:
    """Searches that say whether an agent is as it was."""

    def __init__(self, agent: Agent, seed: int) -> None:
        self.agent, self.seed = agent, seed

    def search(self, simulations: int | None = None) -> SearchResult:
        """Search from where the agent is, always with the same stream; check that the predictor stays as it was."""
        agent = self.agent
        before = self.predictions()
        result = agent.planner.search(
            agent.predictor, stream(self.seed, PROBE, AGENT, agent.cycle), simulations=simulations
        )
        what = "search() does not leave the predictor as it was: revert() to a mark at the end"
        require(self.predictions() == before, what, check="predictor")
        return result

    def predictions(self) -> list[float]:
        """What is predicted after each action, if anything is."""
        predictor, found = self.agent.predictor, []
        if not isinstance(predictor, Predictor):
            return []
        for action in range(self.agent.coding.actions):
            mark = predictor.mark()
            for bit in encode(action, predictor.action_bits):
                predictor.append(bit)
            for _ in range(min(LOOKED_AT, predictor.percept_bits)):
                found.append(predictor.predict())
                predictor.update(int(found[-1] >= 0.5))
            predictor.revert(mark)
        return found

    def require_same(self, expected: SearchResult, found: SearchResult, message: str, check: str) -> None:
        """Raise Nonconformity if two results differ in a bit."""
        for name, one, other in zip(SearchResult._fields, expected, found, strict=True):
            arrays = [np.asarray(np.nan if each is None else each, dtype=float) for each in (one, other)]
            if not np.array_equal(arrays[0], arrays[1], equal_nan=True):
                where = f"cycle {self.agent.cycle}, {name} {np.asarray(one).tolist()} and {np.asarray(other).tolist()}"
                require(False, f"{message} ({where})", check=check)


def _is_worse(result: SearchResult) -> bool:
    """Whether another action has a larger value than the one that was decided on, by more than rounding."""
    if np.isnan(result.value).all():
        return False
    best = float(np.nanmax(result.value))
    return bool(result.value[result.action] < best - 1e-6 * max(1.0, abs(best)))


def _check_count(probe: _Probe, result: SearchResult) -> None:
    """Check that a planner makes no more simulations than it is asked for, and more if it is asked for more.

    One whose values are exact up to a known error has come to its end, and may leave it at that.
    """
    own = probe.agent.planner.simulations
    if not own:
        return
    longer = probe.search(10 * own + MORE)
    counts = ((own, result.simulations), (10 * own + MORE, longer.simulations))
    for asked, made in counts:
        require(0 < made <= asked, f"{asked} simulations were asked for, and {made} made", check="simulations")
    (asked, few), (more, many) = counts
    ended = many == few and longer.error is not None
    require(many > few or ended, f"{few} simulations were made of {asked}, and {many} of {more}", check="simulations")


def _check_undo(probe: _Probe, environment: Environment, seed: int) -> None:
    """Check that an evaluation can be undone: with cycles that are learned and others that are not, one in another."""
    agent = probe.agent
    before = probe.search()

    def check(expected: SearchResult, what: str) -> None:
        if agent.planner.seconds is None:
            probe.require_same(expected, probe.search(), what, "revert")

    def play(learn: bool) -> None:
        for row in interact(agent, environment, cycles=2, learn=learn):
            require(0 <= row.action < agent.coding.actions, "no such action", check="result")

    mark = agent.planner.mark()
    fine = isinstance(mark, int) and mark >= 0
    require(fine, f"mark() gave {mark!r}: it must be a number of at least 0", check="revert")
    agent.planner.revert(mark)
    with agent.evaluation():
        environment.checked_reset(seed + 1)
        agent.restart()
        play(learn=True)
        play(learn=False)
        inner = probe.search()
        agent.planner.forget()
        check(inner, "after cycles that were not learned, what it keeps from searches is not the same")
        with agent.evaluation():
            play(learn=True)
        check(inner, "revert() to the second of two marks does not go back exactly")
    check(before, "revert() does not go back exactly: after an evaluation the same search gives another result")

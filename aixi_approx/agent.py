"""The agent: joins a predictor, what it knows, and a planner, how it decides, and looks into neither."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from aixi_approx.coding import Coding
from aixi_approx.environment import Percept
from aixi_approx.planner import Learner, Planner, SearchResult
from aixi_approx.randomness import AGENT, EVALUATION, below, draw, stream


class Decision(NamedTuple):
    """What an agent decided, and why."""

    action: int
    explored: bool  # the action was random; there was no search
    search: SearchResult | None


class Agent:
    """An agent that learns with a predictor and acts by a planner, at random with probability epsilon * decay^t.

    Parameters
    ----------
    coding : Coding
        The bits of a cycle of its environment.
    predictor : Predictor or other learner
        Its model of the environment, or what takes its place.
    planner : Planner
        Its search.
    epsilon : float, default: 0.0
        Exploration: the probability of a random action at cycle 0.
    decay : float, default: 1.0
        The factor on epsilon per cycle.
    seed : int, default: 0
        All that is random in the agent is a function of it, of the cycle and of the history.

    Examples
    --------
    >>> from aixi_approx import make, mc_aixi
    >>> environment = make("tiger")
    >>> agent = mc_aixi(environment, depth=16, simulations=10)
    >>> decision = agent.act()
    >>> percept = environment.step(decision.action)
    >>> round(agent.observe(decision.action, percept), 6)     # bits of surprise at the first 9 bits of percept
    9.0
    """

    def __init__(
        self,
        coding: Coding,
        predictor: Learner,
        *,
        planner: Planner,
        epsilon: float = 0.0,
        decay: float = 1.0,
        seed: int = 0,
    ) -> None:
        for name, number in (("epsilon", epsilon), ("decay", decay)):
            if not 0 <= number <= 1:
                raise ValueError(f"{name} is {number}: it must lie in 0 to 1")
        bits = (predictor.action_bits, predictor.percept_bits)
        if bits != (coding.action_bits, coding.percept_bits):
            raise ValueError(
                f"the predictor reads {bits[0]} action and {bits[1]} percept bits a cycle, "
                f"the environment has {coding.action_bits} and {coding.percept_bits}"
            )
        self.coding, self.predictor, self.planner = coding, predictor, planner
        self.epsilon, self.decay, self.seed = epsilon, decay, seed
        self.cycle = 0

    def act(self, *, explore: bool = True, simulations: int | None = None) -> Decision:
        """Decide on the next action: sometimes a random one if it may explore, else the best that a search finds."""
        random = stream(self.seed, AGENT if explore else EVALUATION, self.cycle)
        if explore and draw(random) < self.epsilon * self.decay**self.cycle:
            return Decision(below(random, self.coding.actions), True, None)
        result = self.planner.search(self.predictor, random, simulations=simulations)
        return Decision(result.action, False, result)

    def observe(self, action: int, percept: Percept, *, learn: bool = True) -> float:
        """Take in an action and the percept that followed; return its log loss in bits (0 if it is not learned).

        Raises
        ------
        ValueError
            If the action or the percept is not one of the environment's; nothing is taken in then.
        """
        bits = self.coding.cycle(action, *percept)
        loss = 0.0
        if learn:
            loss = self.predictor.learn(bits)
        else:
            self.predictor.extend(bits)
        self.planner.advance(action, bits[self.coding.action_bits :], learned=learn)
        self.cycle += 1
        return loss

    def restart(self) -> None:
        """Take note that the environment was reset. All that was learned stays; a true model needs to know."""
        self.predictor.restart()
        self.planner.forget()

    @contextmanager
    def evaluation(self) -> Iterator[None]:
        """Whatever happens inside is forgotten at the end: the agent goes on as if it had not happened."""
        mark, own_mark, cycle = self.predictor.mark(), self.planner.mark(), self.cycle
        try:
            yield
        finally:
            self.predictor.revert(mark)
            self.planner.revert(own_mark)
            self.cycle = cycle
            self.planner.forget()

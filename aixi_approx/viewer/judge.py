"""What is true where an agent decides, in an environment that is known: belief, values, and what the choice loses.

A judge follows the history beside the agent. What it says is exact: the belief is Bayes' rule over the states of the
environment, the values are those of the graph of its beliefs, and the regret is split by exact expectimax on the
agent's own model (see `aixi_approx.laboratory.regret`). Where one of these is too much work, it is left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from aixi_approx.agent import Agent, Decision
from aixi_approx.display.words import word
from aixi_approx.environment import Environment, Percept
from aixi_approx.introspection.explanation import Truth
from aixi_approx.laboratory.regret import PARTS, DecisionAnalyser, RegretParts, TrueValues, exact_planners
from aixi_approx.pomdp.belief import Belief
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.pomdp.solution import SAME
from aixi_approx.pomdp.solver import solve_soon
from aixi_approx.predictor import Predictor
from aixi_approx.randomness import EVALUATION, stream

QUERIES = 1_000_000  # of the agent's model, for its exact values at one decision: about a second
STATES = 100_000  # of an environment whose belief is followed


class Judge:
    """Says what is true, along a history that begins where the environment begins.

    Parameters
    ----------
    environment : Environment
        Where the agent lives. Unless it is a POMDP of at most 100,000 states, nothing is known.
    horizon : int, default: 1
        Cycles that the agent looks ahead. Of one whose planner has no horizon there are no values within it.
    queries : int, default: 1_000_000
        Of the agent's model, that splitting the regret of a decision may take.

    Examples
    --------
    >>> from aixi_approx import build_agent, make
    >>> tiger = make("tiger")
    >>> truth = Judge(tiger, horizon=5).truth(agent := build_agent(tiger, "true"), agent.act(explore=False))
    >>> truth.belief
    (('left', 0.5), ('right', 0.5))
    >>> truth.within.round(3).tolist(), truth.regret["total"]
    ([3.609, -42.579, -42.579], 0.0)
    """

    def __init__(self, environment: Environment, *, horizon: int = 1, queries: int = QUERIES) -> None:
        self._pomdp = environment if isinstance(environment, POMDP) and len(environment.states) <= STATES else None
        self._horizon, self._queries = horizon, queries
        if self._pomdp is None:
            return
        self._solution = solve_soon(self._pomdp, merges=(SAME,))
        self._values = TrueValues(self._pomdp, self._horizon, solution=self._solution)
        self._analyser: DecisionAnalyser | None = None

    def restart(self) -> None:
        """Begin again where the environment begins."""
        if self._pomdp is not None:
            self._values.restart()

    def observe(self, action: int, percept: Percept) -> None:
        """Take in a cycle."""
        if self._pomdp is not None:
            self._values.observe(action, percept)

    def truth(self, agent: Agent, decision: Decision) -> Truth | None:
        """Return what is true where an agent has decided.

        Parameters
        ----------
        agent : Agent
            At the decision. It is unchanged afterwards.
        decision : Decision
            What it does.

        Returns
        -------
        Truth or None
            None where nothing is known.
        """
        if self._pomdp is None:
            return None
        return Truth(
            self._states(self._values.belief),
            self._values.within() if plans(agent) else None,
            self._values.long_run(),
            self._regret(agent, decision),
        )

    def _states(self, belief: Belief) -> tuple[tuple[str, float], ...]:
        """A belief in words, the likeliest states first."""
        assert self._pomdp is not None
        total: dict[str, float] = {}
        for state, p in zip(belief.state.tolist(), belief.probability.tolist(), strict=True):
            for name, share in self._pomdp.possible(state):
                total[word(name)] = total.get(word(name), 0.0) + share * p
        return tuple(sorted(total.items(), key=lambda pair: (-round(pair[1], 12), pair[0])))

    def _regret(self, agent: Agent, decision: Decision) -> Mapping[str, float] | None:
        """What the decision loses in the long run, by part."""
        values = self._values.long_run()
        if values is None:
            return None
        search, policy = decision.search, None
        if search is not None and np.isnan(search.value).all():  # the policy acted alone, or it can't be said
            alone = agent.planner.policy is not None and agent.planner.simulations > 0
            search = agent.search(stream(agent.seed, EVALUATION, agent.cycle)) if alone else None
            policy = decision.action
        found = decision.action if search is None else search.action
        analysis = None if search is None or not plans(agent) else self._analyse(agent, found, policy)
        if analysis is None:
            unknown = dict.fromkeys(PARTS, math.nan)
            return {**unknown, "total": float(values.max() - values[decision.action])}
        parts = analysis._asdict()
        if policy is None and decision.action != found:
            parts["exploration"] = float(values[found] - values[decision.action])
            parts["total"] = float(values.max() - values[decision.action])
        return parts

    def _analyse(self, agent: Agent, found: int, policy: int | None) -> RegretParts | None:
        """The regret of what a search found, by part, if the agent has a model."""
        model = agent.predictor
        if not isinstance(model, Predictor):
            return None
        if self._analyser is None:
            planners = exact_planners(model, agent.coding, horizon=self._horizon, max_queries=self._queries)
            self._analyser = DecisionAnalyser(planners, self._values, epsilon=0.0)
        self._analyser.restart()
        return self._analyser(model, b"%d" % agent.cycle, action=found, policy=policy).long_run


def plans(agent: Agent) -> bool:
    """Return whether an agent looks some cycles ahead."""
    return getattr(agent.planner, "horizon", None) is not None

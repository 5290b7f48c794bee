"""The agent: joins a predictor, what it knows, and a planner, how it decides, and looks into neither."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, Self

from aixi_approx.archive import write_archive
from aixi_approx.coding import Coding
from aixi_approx.display.tables import parameters, table
from aixi_approx.environment import Percept
from aixi_approx.introspection.explanation import Came, Explanation, PlannedCycle, Truth, actions_explained
from aixi_approx.introspection.prediction import LEAST, predict_percept, surprise
from aixi_approx.introspection.vocabulary import Vocabulary
from aixi_approx.planner import MAX_HORIZON, Learner, Lesson, Planner, SearchResult, check_result
from aixi_approx.planner_spec import PlannerSpec
from aixi_approx.predictor import Predictor, PredictorError
from aixi_approx.randomness import AGENT, EVALUATION, Stream, below, draw, stream
from aixi_approx.rollout import RolloutError
from aixi_approx.validation import as_integer, describe_error, lines_in, own_modules

STEPS = 5  # cycles that an explanation plans ahead
GUIDES = ("rollout", "policy")  # of a guide
KIND = "agent"  # of an archive


class AgentFault(RuntimeError):
    """A predictor or a planner of the user's own failed, or a planner returned what is no decision."""


class Decision(NamedTuple):
    """What an agent decided, and why."""

    action: int
    explored: bool  # the action was random; there was no search
    search: SearchResult | None
    lesson: bool = False  # the planner is to learn the action, as a policy


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

    Attributes
    ----------
    cycle : int
        Cycles that it has taken in.
    recipe : mapping of str to object, or None
        How `build_agent` made it, as JSON values; None for an agent that was put together by hand.
    vocabulary : Vocabulary
        The names of its actions and observations, for people; `build_agent` has them from the environment.

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
            if not (hasattr(number, "__float__") and 0 <= number <= 1):
                raise ValueError(f"{name} is {number}: it must lie in 0 to 1")
        if not hasattr(seed, "__index__"):
            raise ValueError(f"seed is {seed!r}: it must be a whole number")
        for part in ("action_bits", "percept_bits"):
            if not hasattr(predictor, part):
                raise ValueError(f"{type(predictor).__name__} has no `{part}`: set it in the constructor")
        bits = (predictor.action_bits, predictor.percept_bits)
        if bits != (coding.action_bits, coding.percept_bits):
            raise ValueError(
                f"the predictor reads {bits[0]} action and {bits[1]} percept bits a cycle, "
                f"the environment has {coding.action_bits} and {coding.percept_bits}"
            )
        self.coding, self.predictor, self.planner = coding, predictor, planner
        self.epsilon, self.decay, self.seed = epsilon, decay, seed
        self.cycle = 0
        self.recipe: Mapping[str, Any] | None = None
        self.vocabulary = Vocabulary()
        self._whole = True  # whether it stands between two cycles

    def act(self, *, explore: bool = True, simulations: int | None = None) -> Decision:
        """Decide on the next action: sometimes a random one if it may explore, else the best that a search finds."""
        random = stream(self.seed, AGENT if explore else EVALUATION, self.cycle)
        if explore and draw(random) < self.epsilon * self.decay**self.cycle:
            return Decision(below(random, self.coding.actions), True, None, self._lesson(None, random).learned)
        result = self.search(random, simulations=simulations)
        action, learned = self._lesson(result, random) if explore else (result.action, False)
        return Decision(result.action if action is None else action, False, result, learned)

    def search(self, random: Stream, *, simulations: int | None = None) -> SearchResult:
        """Search from here, whatever the probability of exploration; raise AgentFault if that fails."""
        self._check_whole()
        try:
            result = self.planner.search(self.predictor, random, simulations=simulations)
        except (Exception, SystemExit) as error:
            blame(error, "search", *self._parts())
        try:
            return check_result(self.planner, result, actions=self.coding.actions)
        except ValueError as error:
            raise AgentFault(str(error)) from error

    def explain(
        self,
        decision: Decision | None = None,
        *,
        simulations: int | None = None,
        percept: Percept | None = None,
        steps: int = STEPS,
        least: float = LEAST,
        truth: Truth | None = None,
    ) -> Explanation:
        """Explain a decision from here: what it expects of each action, what it plans. It is unchanged afterwards.

        Parameters
        ----------
        decision : Decision, optional
            That it has made here. By default it decides now, greedily.
        simulations : int, optional
            Of each search that this takes, if other than the planner's own number.
        percept : Percept, optional
            What came of it.
        steps : int, default: 5
            Cycles that it is asked to plan ahead by the likeliest percepts, at most its horizon; 0 for none.
        least : float, default: 0.001
            Probability below which percepts are left out.
        truth : Truth, optional
            What is true here, if the environment is known.

        Raises
        ------
        ValueError
            If there are fewer than 0 steps.

        Examples
        --------
        >>> from aixi_approx import build_agent
        >>> told = build_agent("tiger", "true", seed=1).explain(simulations=2_000)
        >>> told.name, round(told.actions[told.action].value, 2)
        ('listen', 3.61)
        >>> print(told.sentences()[1])
        It expects left with reward -1 (50 %), right with reward -1 (50 %); on average a reward of -1.
        """
        as_integer("steps", steps, 0, MAX_HORIZON)
        random = stream(self.seed, EVALUATION, self.cycle)
        if decision is None:
            decision = self.act(explore=False, simulations=simulations)
        result = decision.search or self.search(random, simulations=simulations)
        coding, policy = self.coding, self.planner.policy
        model = self.predictor if isinstance(self.predictor, Predictor) else None
        with self._blamed("explaining a decision"):
            prior = None if policy is None else policy.checked_prediction()
            expected = None
            if model:
                expected = [predict_percept(model, coding, action=a, least=least) for a in range(coding.actions)]
            came = None
            if percept is not None:
                bits = surprise(model, coding, action=decision.action, percept=percept) if model else None
                came = Came(percept.observation, percept.reward, bits)
        horizon = getattr(self.planner, "horizon", None)
        return Explanation(
            vocabulary=self.vocabulary,
            cycle=self.cycle,
            action=decision.action,
            explored=decision.explored,
            found=result.action,
            simulations=result.simulations,
            horizon=horizon,
            actions=actions_explained(self.vocabulary, result, prior=prior, predictions=expected),
            line=self._line(model, decision.action, result, steps=min(steps, horizon or steps), least=least)
            if model
            else (),
            came=came,
            truth=truth,
        )

    def _line(
        self, model: Predictor, action: int, result: SearchResult, *, steps: int, least: float
    ) -> tuple[PlannedCycle, ...]:
        """What it does in this cycle and the next ones if always the likeliest percept comes."""
        line = []
        with self.evaluation():
            for step in range(steps):
                if step:
                    result = self.search(stream(self.seed, EVALUATION, self.cycle), simulations=result.simulations)
                    action = result.action
                percept = predict_percept(model, self.coding, action=action, least=least).percepts[0]
                value = float(result.value[action])
                line.append(PlannedCycle(action, *percept, value if math.isfinite(value) else None))
                self.observe(action, Percept(percept.observation, percept.reward))
        return tuple(line)

    def distil(self, action: int) -> float:
        """Let the planner learn, as a policy, the action that is about to be taken; return its log loss in bits."""
        with self._blamed("learning an action"):
            return self.planner.distil(action)

    def _lesson(self, result: SearchResult | None, random: Stream) -> Lesson:
        if self.planner.policy is None:
            return Lesson(None if result is None else result.action, False)
        with self._blamed("judging a decision"):
            return self.planner.lesson(result, random)

    def observe(self, action: int, percept: Percept, *, learn: bool = True) -> float:
        """Take in an action and the percept that followed; return its log loss in bits (0 if it is not learned).

        Raises
        ------
        ValueError
            If the action or the percept is not one of the environment's; nothing is taken in then.
        """
        bits = self.coding.cycle(action, *percept)
        loss = 0.0
        self._check_whole()
        self._whole = False
        try:
            if learn:
                loss = self.predictor.learn(bits)
            else:
                self.predictor.extend(bits)
            self.planner.advance(action, bits[self.coding.action_bits :], learned=learn)
        except (Exception, SystemExit) as error:
            blame(error, "learning" if learn else "taking in a cycle", *self._parts())
        self.cycle += 1
        self._whole = True
        return loss

    def watch(self, action: int, percept: Percept, *, lesson: bool, own: bool = False) -> None:
        """Let the planner take in a cycle, and learn the action, as a policy, if that is a lesson.

        The predictor takes no note of it. The cycle is one of another agent, or of its own earlier life.

        Raises
        ------
        ValueError
            If the action or the percept is not one of the environment's; nothing is taken in then.
        """
        bits = self.coding.cycle(action, *percept)
        with self._blamed("watching a teacher"):
            if lesson:
                self.planner.distil(action)
            self.planner.advance(action, bits[self.coding.action_bits :], learned=own)

    def restart(self) -> None:
        """Take note that the environment was reset. All that was learned stays; a true model needs to know."""
        with self._blamed("restart"):
            self.predictor.restart()
            self.planner.forget()

    def keep(self) -> dict[str, Any]:
        """Return all that it knows, between two cycles, as values that an archive can hold.

        Arrays may be views of its state, true until something is changed.

        Raises
        ------
        ValueError
            If a part of it can't be kept, or an evaluation is under way.
        """
        self._check_whole()
        if not hasattr(self.predictor, "keep"):
            raise ValueError(f"{type(self.predictor).__name__} can't be kept: give it the methods keep and restore")
        return {
            "coding": self._coding_kept,
            "cycle": self.cycle,
            "exploration": [self.epsilon, self.decay],
            "seed": int(self.seed),
            "kinds": self._kinds(),
            "predictor": self.predictor.keep(),
            "planner": self.planner.keep(),
        }

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take on the state that `keep` has returned of an agent that was made in the same way.

        Raises
        ------
        ValueError
            If it is the state of another kind of agent.
        """
        if kept["kinds"][1] != self._kinds()[1]:
            raise ValueError(f"its planner is a {kept['kinds'][1]}, and here it is a {self._kinds()[1]}")
        epsilon, decay = map(float, kept["exploration"])
        cycle, seed = as_integer("cycle", kept["cycle"], 0, 1 << 62), int(kept["seed"])
        if not (0 <= epsilon <= 1 and 0 <= decay <= 1):
            raise ValueError(f"its exploration is {epsilon} and {decay}: both lie in 0 to 1")
        self.learn_from(kept)
        self.planner.restore(kept["planner"])
        self.cycle, self.seed, self.epsilon, self.decay = cycle, seed, epsilon, decay
        self._whole = True

    @property
    def _coding_kept(self) -> dict[str, Any]:
        return {**asdict(self.coding), "rewards": list(self.coding.rewards)}

    def learn_from(self, kept: Mapping[str, Any]) -> None:
        """Take on what another agent knew, by `keep`: its predictor and its policy, but for the number of cycles.

        Raises
        ------
        ValueError
            If that agent had another coding, predictor or policy.
        """
        if {"rewards": [], **kept["coding"]} != self._coding_kept:
            raise ValueError("it lived with other actions, observations or rewards: their codes mean other things here")
        if (its := kept["kinds"][0]) != (mine := self._kinds()[0]):
            raise ValueError(f"its model is a {its}, and here it is a {mine}: take the same model and a planner alike")
        self.predictor.restore(kept["predictor"])
        if self.planner.reads_history and kept["planner"]:
            self.planner.restore(kept["planner"])

    def _kinds(self) -> list[str]:
        """What its predictor and its planner are."""
        return [type(part).__name__ for part in (self.predictor, self.planner)]

    def save(self, path: Path | str) -> None:
        """Write the agent to a file, from which `aixi_approx.load` makes it again, to go on as if nothing had happened.

        The file holds no code. It is written whole or not at all.

        Raises
        ------
        ValueError
            If the agent was put together by hand, a part of it can't be kept, or an evaluation is under way.
        OSError
            If the file can't be written.
        """
        write_archive(path, self.archived(), kind=KIND)

    def archived(self) -> dict[str, Any]:
        """Return what `save` writes: the recipe, and what `keep` returns."""
        if self.recipe is None:
            raise ValueError("an agent that was put together by hand can't be saved: use build_agent, or pickle it")
        return {"recipe": self.recipe, "kept": self.keep()}

    def __copy__(self) -> Self:
        return copy.deepcopy(self)

    def __repr__(self) -> str:
        """Return what it is made of, where it lives and since when, in a line."""
        model, planner = self._kinds()
        where = f" in {self.recipe['environment']}" if self.recipe and self.recipe["environment"] else ""
        return f"<Agent{where}: {model}, {planner}, {self.cycle:,} cycles, seed {self.seed}>"

    def _repr_html_(self) -> str:
        """Return what it is made of, how large it has grown, and what it does next, for a notebook."""
        coding, planner = self.coding, self.planner
        recipe = self.recipe or {"environment": "", "model": "", "planner": None}
        bits = f"action {coding.action_bits}, reward {coding.reward_bits}, observation {coding.observation_bits}"
        rows: list[Any] = [
            ("cycles", self.cycle),
            ("random actions now", f"{100 * self.epsilon * self.decay**self.cycle:.3g} %"),
            ("seed", str(self.seed)),
            "environment",
            ("actions", coding.actions),
            ("bits of a cycle", bits),
            ("rewards", coding.rewards_in_words()),
            f"model {recipe['model']}",
            ("class", type(self.predictor).__name__),
            *parameters(self.predictor).items(),
        ]
        if isinstance(self.predictor, Predictor):
            rows += self.predictor.statistics().lines()
        rows += ["planner", ("class", type(planner).__name__)]
        if recipe["planner"]:
            rows.append(("as", str(PlannerSpec(**recipe["planner"]))))
        rows += planner.told().items()
        return table(f"Agent in {recipe['environment']}" if recipe["environment"] else "Agent", rows)

    @contextmanager
    def evaluation(self) -> Iterator[None]:
        """Whatever happens inside is forgotten at the end: the agent goes on as if it had not happened."""
        with self._blamed("mark"):
            mark, own_mark, cycle = self.predictor.mark(), self.planner.mark(), self.cycle
        try:
            yield
        finally:
            with self._blamed("revert"):
                self.predictor.revert(mark)
                self.planner.revert(own_mark)
                self.cycle, self._whole = cycle, True
                self.planner.forget()

    def _check_whole(self) -> None:
        """Refuse to go on where a cycle was taken in by half, as memory ran out or the user stopped it."""
        if not self._whole:
            raise AgentFault("the agent was stopped in the middle of a cycle: go on with what was saved before")

    def _parts(self) -> list[object]:
        planners = [self.planner, *getattr(self.planner, "planners", ())]
        return [
            self.predictor,
            *planners,
            *(getattr(getattr(planner, "guide", None), part, None) for planner in planners for part in GUIDES),
        ]

    def _blamed(self, what: str) -> AbstractContextManager[None]:
        return blamed(what, *self._parts())


@contextmanager
def blamed(what: str, *parts: object) -> Iterator[None]:
    """Turn an error in parts of the user's own into one that says where, as `blame` does."""
    try:
        yield
    except (Exception, SystemExit) as error:
        blame(error, what, *parts)


def blame(error: BaseException, what: str, *parts: object) -> NoReturn:
    """Raise an error in parts of the user's own as one that says where; those of this package say it themselves.

    Parameters
    ----------
    error : Exception or SystemExit
        What was raised.
    what : str
        What was done.
    *parts : object
        Predictor, planner and rollout policy that did it.

    Raises
    ------
    AgentFault
        Caused by the error.
    """
    if isinstance(error, AgentFault | PredictorError | RolloutError | MemoryError):
        raise error
    kinds = [kind for kind in dict.fromkeys(map(type, parts)) if own_modules(kind)]
    own = own_modules(*kinds)
    if not own or (isinstance(error, ValueError | RuntimeError) and not lines_in(error, own)):
        raise error
    names = ", ".join(kind.__name__ for kind in kinds)
    raise AgentFault(f"{names}: {what} failed: {describe_error(error, own)}") from error

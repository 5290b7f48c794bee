"""Results of a study in one environment, as arrays, and the laws that were fitted to them.

The axes are S seeds, E experiences, N simulations. What was not measured, or is unknown, is NaN.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from aixi_approx.builder import CTW, TRUE, outside
from aixi_approx.display.tables import table
from aixi_approx.laboratory.axes import Axis
from aixi_approx.laboratory.condition import Checkpoint, Setting, TrainingRun
from aixi_approx.laboratory.measurement import NO_MODEL, world
from aixi_approx.laboratory.regret import PARTS
from aixi_approx.laboratory.runner import Laboratory
from aixi_approx.laboratory.shapes import WORLD
from aixi_approx.laboratory.study import Study
from aixi_approx.laboratory.train_test import TrainTest
from aixi_approx.laws.curves import fit_curve, fit_resampled
from aixi_approx.laws.estimate import Estimate, average
from aixi_approx.laws.extrapolation import Comparison, nothing
from aixi_approx.laws.frontier import Frontier, find_frontier
from aixi_approx.laws.joint import fit_joint_law
from aixi_approx.laws.total_excess import fit_total_excess
from aixi_approx.laws.trade_off import TradeOff, fit_trade_off
from aixi_approx.planner_spec import PlannerSpec

if TYPE_CHECKING:
    from aixi_approx.display.picture import Picture

Array = NDArray[np.float64]

LAWS = ("frontier_law", "predictor_law", "learning_law", "search_law", "simple_regret_law", "joint_law", "trade_off")
UNITS = ("bits", "visits", "seconds")  # of compute
DECISIONS = 1_000  # made with what was learned, unless told otherwise
BETTER = 0.02  # of the score: searches that beat exact decisions by more, do so for a reason
NO_END = "exact decisions within the horizon score no more than random ones"
SAME = 1e-9  # scores that differ by less are equal
LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9)  # of the way from the smallest score of a surface to the largest


@dataclass(frozen=True, kw_only=True, repr=False)
class Results:
    """What was measured in one environment, with one model that learns.

    Attributes
    ----------
    environment, model : str
        Their names.
    horizon, depth : int
        The environment's own, or those of the study's settings.
    experience : float[E]
        Cycles of learning.
    simulations : float[N]
        Of a decision.
    random_reward, optimum : float or None
        Reward per cycle of the random agent and of the best one; None if unknown.
    reward : float[S, E, N]
        Per cycle.
    regret : float[S, E, N]
        What a greedy decision loses in the long run, reward per cycle.
    long_run : float[S, E, N, 5]
        Its parts, in the order of `PARTS`.
    within_horizon : float[S, E, N, 5]
        The same by the values within the horizon.
    simple_regret : float[S, E, N]
        Value within the horizon, by the agent's own model, that its search did not find.
    certified : float[S, E, N]
        Share of the decisions whose best action by the agent's own model is beyond doubt.
    wrong : float[S, E, N]
        Share of the decisions that lose anything in the long run.
    bounds : dict of str to float[S, E, N, 2]
        Between what prediction and decision, in the long run, and simple_regret lie for sure.
    bits, visits, seconds : float[S, E, N]
        What a decision took: bits predicted or learned, nodes visited for these, time.
    learning : dict of str to float[S, E]
        By the name of one of these, what learning took from the first cycle on, searches included.
    hypotheses : dict of str to str
        By quantity, the law that the study said it would follow before anything was measured.
    end : float
        The score that the best agent can reach which looks so many cycles ahead: that of exact decisions, or 1 where
        it is not known, or where searches do better than exact decisions.
    decisions, unit : float and str
        How many decisions are made with what was learned, and what compute is counted in, where total compute is told:
        bits predicted or learned, visits to nodes for these, or seconds.
    judged : int
        Decisions of each evaluation.
    excess : dict of int to float[S, E]
        By depth, the log loss above the entropy, in bits per percept of the experience.
    allowance : float[S, E]
        What theory allows for that at most, as in `BestTree`.
    leaves : float[S, E]
        Of the best trees in hindsight.
    others : dict of str to float[S, N]
        By what differs from the plane, the score after the most experience.
    train_test : list of TrainTest
        The score by simulations while learning and when acting, of learners that differ in the former.
    """

    environment: str
    model: str
    horizon: int
    depth: int
    experience: Array
    simulations: Array
    random_reward: float | None
    optimum: float | None
    reward: Array
    regret: Array
    long_run: Array
    within_horizon: Array
    simple_regret: Array
    certified: Array
    wrong: Array
    bounds: dict[str, Array]
    bits: Array
    visits: Array
    seconds: Array
    learning: dict[str, Array]
    excess: dict[int, Array]
    allowance: Array
    leaves: Array
    others: dict[str, Array] = field(default_factory=dict)
    train_test: list[TrainTest] = field(default_factory=list)
    hypotheses: Mapping[str, str] = field(default_factory=dict)
    end: float = 1.0
    decisions: float = DECISIONS
    unit: str = "bits"
    judged: int = 1

    @property
    def title(self) -> str:
        """The environment, and the model unless it is context-tree weighting."""
        return self.environment if self.model == CTW else f"{self.environment}, {self.model}"

    @property
    def label(self) -> str:
        """The title without the folders of files, for pictures."""
        return re.sub(r"[^\s,]*/(?=[^/]*\.py:)", "", self.title)

    @property
    def span(self) -> float:
        """The best reward per cycle minus that of the random agent; NaN if unknown, or if nothing is better."""
        if self.random_reward is None or self.optimum is None or self.optimum <= self.random_reward:
            return np.nan
        return self.optimum - self.random_reward

    @property
    def total_excess(self) -> Array:
        """float[S, E]: the log loss above the entropy, in bits, of the whole experience."""
        return self.excess[self.depth] * self.experience

    @property
    def learning_coefficient(self) -> Array:
        """float[S, E - 1]: by how much the total excess grows, in nats for each unit of ln cycles, step by step.

        The free energy of n cycles is n L + lambda ln n, with the learning coefficient lambda (Watanabe 2009): half of
        the number of parameters where the source is a finite tree that the predictor has found.
        """
        decades = np.log(self.experience[1:] / self.experience[:-1])
        steps: Array = np.diff(self.total_excess, axis=1) * np.log(2) / decades
        return steps

    @property
    def seeds(self) -> int:
        """How many agents were measured."""
        return int(np.isfinite(self.reward).any(axis=(1, 2)).sum())

    @functools.cached_property
    def parts(self) -> tuple[str, ...]:
        """The parts of the regret that are told: distillation only where a policy acts in place of a search."""
        index = PARTS.index("distillation")
        distilled = any(np.nan_to_num(kind[..., index]).any() for kind in (self.long_run, self.within_horizon))
        return tuple(part for part in PARTS if distilled or part != "distillation")

    @functools.cached_property
    def score(self) -> Array:
        """float[S, E, N]: 0 for the random agent, 1 for the best one.

        It is computed from the regret in the long run, where that is known of all. The rewards measure the same, with
        more noise.
        """
        return self.scored(self.reward, self.regret)

    def scored(self, reward: Array, regret: Array) -> Array:
        """Return scores: 0 for the random agent, 1 for the best one.

        Parameters
        ----------
        reward : float[...]
            Per cycle. Scores are computed from it where not all regrets are known.
        regret : float[...]
            Reward per cycle lost in the long run; NaN if unknown.

        Returns
        -------
        float[...]
            NaN where the random agent's reward or the optimum is unknown.
        """
        if np.isnan(self.span):
            return np.full(reward.shape, np.nan)
        if (np.isnan(regret) & np.isfinite(reward)).any():
            return (reward - float(self.random_reward or 0)) / self.span
        return 1 - regret / self.span

    @functools.cached_property
    def levels(self) -> list[float]:
        """Scores at which contours are drawn."""
        return levels_of(seed_mean(self.score))

    def frontier_at(self, compute: Array | None = None) -> Frontier | None:
        """Return the best score for amounts of total compute: that of learning and that of all decisions.

        Parameters
        ----------
        compute : float[M], optional
            Amounts; by default, in equal steps of the logarithm from the cheapest measured point to the dearest.

        Returns
        -------
        Frontier or None
            None where scores or compute are not known.
        """
        return find_frontier(
            self.experience,
            self.simulations,
            score=self.score,
            learning=seed_mean(self.learning[self.unit]),
            deciding=seed_mean(getattr(self, self.unit)),
            decisions=self.decisions,
            compute=compute,
        )

    @functools.cached_property
    def frontier(self) -> Frontier | None:
        """The best score for each amount of total compute; None where scores or compute are not known."""
        return self.frontier_at()

    def draw(self) -> Picture:
        """Return all pictures of this environment in one, a Matplotlib figure."""
        from aixi_approx.laboratory.plot_environment import draw_one

        return draw_one(self)

    def __repr__(self) -> str:
        """Return where it was measured, and how much, in a line."""
        plane = f"{len(self.experience):,} experiences, {len(self.simulations):,} numbers of simulations"
        return f"<Results in {self.title}: {plane}, {self.seeds:,} seeds>"

    def _repr_html_(self) -> str:
        """Return the surface, means over seeds, for a notebook: experience down, simulations across."""
        known = bool(np.isfinite(self.score).any())
        surface = seed_mean(self.score if known else self.reward)
        rows = [(int(cycles), *row) for cycles, row in zip(self.experience, surface.tolist(), strict=True)]
        what = "score, 0 = random and 1 = best" if known else "reward per cycle"
        note = f"Experience in cycles (down), simulations of a decision (across), mean over {self.seeds:,} seeds."
        heads = ("cycles", *(f"{count:,.0f}" for count in self.simulations))
        return table(f"{self.title}: {what}", rows, columns=heads, note=note)

    # The laws: how one thing depends on another.

    @functools.cached_property
    def frontier_law(self) -> Comparison:
        """The best score over total compute; fitted to the lower half of its logarithm."""
        found = self.frontier
        if found is None:
            why = "total compute or the score is not known everywhere"
            return nothing(why, frozen=self.hypotheses.get("frontier"))
        return self._towards_end(fit_resampled, "frontier", found.compute, found.score)

    def _towards_end(self, fit: Callable[..., Comparison], quantity: str, *data: Array, **more: Array) -> Comparison:
        """The laws of a score, whose end is known; there are none if it is that of the random agent."""
        frozen = self.hypotheses.get(quantity)
        return fit(*data, **more, end=self.end, frozen=frozen) if self.end > SAME else nothing(NO_END, frozen=frozen)

    @functools.cached_property
    def predictor_law(self) -> Comparison:
        """Total excess log loss over experience."""
        half = -(-len(self.experience) // 2) - 1
        return fit_total_excess(
            self.experience,
            self.total_excess,
            leaves=float(seed_mean(self.leaves)[half]),
            frozen=self.hypotheses.get("prediction"),
        )

    @functools.cached_property
    def learning_law(self) -> Comparison:
        """Score over experience, with the most simulations."""
        return self._towards_end(fit_curve, "learning", self.experience, self.score[:, :, -1])

    @functools.cached_property
    def search_law(self) -> Comparison:
        """Score over simulations, after the most experience."""
        return self._towards_end(fit_curve, "search", self.simulations, self.score[:, -1])

    @functools.cached_property
    def simple_regret_law(self) -> Comparison:
        """Simple regret over simulations, after the most experience."""
        return fit_curve(self.simulations, self.simple_regret[:, -1], end=0.0, frozen=self.hypotheses.get("missed"))

    @functools.cached_property
    def joint_law(self) -> Comparison:
        """What the score misses of its end, over experience and simulations."""
        loss = self.end - self.score
        return self._towards_end(fit_joint_law, "joint", self.experience, self.simulations, loss=loss)

    @functools.cached_property
    def trade_off(self) -> TradeOff:
        """Simulations that compensate for cycles of experience."""
        return fit_trade_off(self.experience, self.simulations, score=self.score, levels=np.array(self.levels))

    def fit(self) -> Iterator[str]:
        """Fit one law after the other, which takes a while, and yield the name of each before it. They are kept."""
        for law in LAWS:
            yield law
            getattr(self, law)

    @property
    def laws(self) -> dict[str, Comparison]:
        """All laws, by what depends on what."""
        return {
            f"score over total compute, {self.decisions:,.0f} decisions": self.frontier_law,
            "total excess log loss over experience, bits": self.predictor_law,
            f"score over experience, {self.simulations[-1]:,.0f} simulations": self.learning_law,
            f"score over simulations, {self.experience[-1]:,.0f} cycles": self.search_law,
            f"simple regret over simulations, {self.experience[-1]:,.0f} cycles": self.simple_regret_law,
            "score missed over both": self.joint_law,
        }


def levels_of(mean_score: Array) -> list[float]:
    """Return levels of a surface, `LEVELS` of the way from the smallest to the largest; none if it is flat or unknown.

    Parameters
    ----------
    mean_score : float[...]
        NaN where it is unknown.
    """
    if not np.isfinite(mean_score).any():
        return []
    low, high = float(np.nanmin(mean_score)), float(np.nanmax(mean_score))
    return [low + share * (high - low) for share in LEVELS] if high - low > SAME else []


def seed_mean(values: Array) -> Array:
    """Return means over seeds.

    Parameters
    ----------
    values : float[S, ...]
        NaN where a seed is missing.

    Returns
    -------
    float[...]
        The mean of what is there; NaN where nothing is.
    """
    there = np.isfinite(values)
    count = there.sum(axis=0)
    total = np.where(there, values, 0).sum(axis=0)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def mean_over_seeds(values: Array) -> Estimate:
    """Return the mean over seeds with its 95 % interval, by Student's t.

    Parameters
    ----------
    values : float[S]
        NaN where a seed is missing.
    """
    return average(values[np.isfinite(values)].tolist(), batches=max(2, len(values)))


def find_results(laboratory: Laboratory[Study]) -> list[Results]:
    """Return the results of a study, in each environment with each model that learns.

    Parameters
    ----------
    laboratory : Laboratory
        Of the study, of which all or a part was measured.

    Raises
    ------
    ValueError
        If a file is broken.
    """
    study = laboratory.study
    return [_Reader(laboratory, name, model).results() for name in study.environments for model in study.planes]


class _Reader:
    """Reads what a study has of one environment and one model into arrays."""

    def __init__(self, laboratory: Laboratory[Study], environment: str, model: str) -> None:
        self.store, self.study = laboratory.store, laboratory.study
        self.environment, self.model = environment, model
        self.settings = self.study.agent_settings(environment)
        self.experience = (0,) if model == TRUE else self.study.experience
        self._conditions = functools.cache(self.store.conditions)
        self._segment = functools.cache(self.store.segment)

    def run(self, seed: int, learner: str | None = None) -> TrainingRun:
        return TrainingRun(self.environment, learner or self.study.base_learner, seed, self.settings)

    def learned(self, depth: int, get: Callable[[Any], Any]) -> Array:
        """[S, E] something of what learning came to."""
        values = np.full((self.study.seeds, len(self.experience)), np.nan)
        for s, e in np.ndindex(*values.shape):
            checkpoint = Checkpoint(self.run(self.study.all_seeds[s]), self.experience[e], self.model, depth)
            if found := self._conditions(checkpoint):
                values[s, e] = _number(get(found.learned))
        return values

    def setting(self, planner: str, horizon: int) -> Setting:
        return Setting(self.study.searching(planner, horizon), self.study.cycles)

    def row(self, checkpoint: Checkpoint, setting: Setting, simulations: int) -> dict[str, Any] | None:
        """The row of a setting with so many simulations, or with none if its planner does not count them."""
        rows = found.rows if (found := self._conditions(checkpoint)) else {}
        searching = setting._replace(planner=setting.planner._replace(simulations=simulations))
        return rows.get(searching) or rows.get(setting)

    def plane(self, get: Callable[[Any], Any], *shape: int) -> Array:
        """[S, E, N, ...] something of the rows of the first planner, at the environment's own depth and horizon."""
        setting = self.setting(self.study.planners[0], self.settings.horizon)
        experience, simulations = self.experience, self.study.simulations
        values = np.full((self.study.seeds, len(experience), len(simulations), *shape), np.nan)
        for s, e, n in np.ndindex(*values.shape[:3]):
            run = self.run(self.study.all_seeds[s])
            checkpoint = Checkpoint(run, experience[e], self.model, self.settings.depth)
            if row := self.row(checkpoint, setting, simulations[n]):
                values[s, e, n] = _number(get(row))
        return values

    def line(self, checkpoint: Callable[[int], Checkpoint], setting: Setting, get: Callable[[Any], Any]) -> Array:
        """[S, N] something of the rows of a setting, at the checkpoint of each seed."""
        values = np.full((self.study.seeds, len(self.study.simulations)), np.nan)
        for s, n in np.ndindex(*values.shape):
            if row := self.row(checkpoint(self.study.all_seeds[s]), setting, self.study.simulations[n]):
                values[s, n] = _number(get(row))
        return values

    def of_experience(self, what: str) -> Array:
        """[S, E] something of the segments of the experience, summed from the first on."""
        values = np.full((self.study.seeds, len(self.experience)), np.nan)
        for s, e in np.ndindex(*values.shape):
            if segment := self._segment(self.run(self.study.all_seeds[s]), self.experience[e]):
                values[s, e] = _number(segment[what])
        return np.cumsum(values, axis=1)

    def learning(self, unit: str) -> Array:
        """[S, E] what learning took: the life of the agent, and what another model than its own learned of that."""
        own = self.of_experience(unit)
        return own if self.model == CTW else own + self.learned(self.settings.depth, lambda learned: learned.get(unit))

    def world(self) -> dict[str, float | None]:
        """What is known of the environment, as it was written where anything was measured; or else, one of ours is."""
        depths = (self.settings.depth, *self.study.depths)
        plane = (
            Checkpoint(self.run(seed), experience, self.model, depth)
            for seed in self.study.all_seeds
            for experience in self.experience
            for depth in depths
        )
        others = (checkpoint(seed) for checkpoint, _ in self._others().values() for seed in self.study.all_seeds)
        for checkpoint in chain(plane, others):
            if found := self._conditions(checkpoint):
                return found.world
        if outside((self.environment,), (), planners=()):
            return dict.fromkeys(WORLD)
        return world(self.environment, self.settings.horizon)

    def end(self) -> float:
        """The score of exact decisions within the horizon, where that is known; else 1."""
        random, optimum, receding = self.world().values()
        if receding is None or random is None or optimum is None or optimum <= random:
            return 1.0
        return (receding - random) / (optimum - random)

    def results(self) -> Results:
        study, depth, horizon = self.study, self.settings.depth, self.settings.horizon
        random, optimum, _ = self.world().values()
        entropy, each = self.of_experience("entropy"), np.array(self.experience, dtype=float)
        base = self.model == study.base_model
        depths = (depth, *(other for other in study.depths if other != depth)) if base else (depth,)

        def parts(kind: str) -> Callable[[Any], Any]:
            return lambda row: [row[kind][part] for part in PARTS] if row[kind] else [None] * len(PARTS)

        def bounds(what: str) -> Array:
            return self.plane(lambda row: row["bounds"][what] if row["bounds"] else [None, None], 2)

        def best_tree(*fields: str) -> Array:
            def total(learned: Any) -> Any:
                return sum(learned["best_tree"][field] for field in fields) if "best_tree" in learned else None

            return self.learned(depth, total)

        results = Results(
            environment=self.environment,
            model=self.model,
            horizon=horizon,
            depth=depth,
            experience=each,
            simulations=np.array(study.simulations, dtype=float),
            random_reward=random,
            optimum=optimum,
            reward=self.plane(lambda row: row["reward"]),
            regret=self.plane(lambda row: row["regret"]),
            long_run=self.plane(parts("long_run"), len(PARTS)),
            within_horizon=self.plane(parts("within_horizon"), len(PARTS)),
            simple_regret=self.plane(lambda row: row["simple_regret"]),
            certified=self.plane(lambda row: row["certified"]),
            wrong=self.plane(lambda row: row["wrong"]),
            bounds={what: bounds(what) for what in ("prediction", "decision", "simple_regret")},
            bits=self.plane(lambda row: row["bits"]),
            visits=self.plane(lambda row: row["visits"]),
            seconds=self.plane(lambda row: row["seconds"]),
            learning={unit: self.learning(unit) for unit in UNITS},
            excess={
                other: (self.learned(other, lambda learned: learned.get("log_loss")) - entropy) / each
                for other in depths
            },
            allowance=(best_tree("fixed", "allowance") - entropy) / each,
            leaves=best_tree("leaves"),
            hypotheses=study.hypotheses,
            end=self.end(),
            judged=study.cycles,
        )
        if np.nanmax(seed_mean(results.score), initial=-np.inf) > results.end + BETTER:
            results = replace(results, end=1.0)
        for label, (checkpoint, setting) in self._others().items():
            reward, regret = (self.line(checkpoint, setting, operator.itemgetter(f)) for f in ("reward", "regret"))
            results.others[label] = results.scored(reward, regret)
        results.train_test.extend(self._train_test(results))
        return results

    def _train_test(self, results: Results) -> Iterator[TrainTest]:
        """For each kind of learner with several numbers of simulations, their scores after the most experience."""
        study = self.study
        if self.model != study.base_model or np.isnan(results.span):
            return
        searches = [each for each in study.planners if "simulations" in study.traits(each).options]
        alone = [each for each in study.planners if study.traits(each).needs_policy and each not in searches]
        kinds: dict[str, dict[int, str]] = {}
        for learner in study.learners:
            spec = PlannerSpec.parse(learner)
            traits = study.traits(learner)
            if "simulations" in traits.options and not traits.model_free:
                budgets = kinds.setdefault(str(spec._replace(simulations=None)), {})
                budgets[spec.simulations or self.settings.simulations] = learner
        for kind, budgets in kinds.items():
            if len(budgets) == 1 or not searches:
                continue
            train = sorted(budgets)
            checkpoints = [self._after_the_most(budgets[count]) for count in train]

            def columns(get: Callable[[Any], Any], checkpoints: list[Any] = checkpoints) -> Array:
                """[S, L, K] the policy alone, if it was measured, and the first search."""
                ways = [(planner, slice(1)) for planner in alone[:1]] + [(searches[0], slice(None))]
                lines = [
                    [self.line(each, self.setting(way, self.settings.horizon), get)[:, some] for way, some in ways]
                    for each in checkpoints
                ]
                return np.stack([np.concatenate(each, axis=1) for each in lines], axis=1)

            lost = columns(lambda row: row["long_run"] and row["long_run"]["distillation"])
            yield TrainTest(
                learner=kind,
                train=np.array(train, dtype=float),
                test=np.array([0] * len(alone[:1]) + [*study.simulations], dtype=float),
                score=results.scored(columns(operator.itemgetter("reward")), columns(operator.itemgetter("regret"))),
                distillation=lost[:, :, 0] / results.span if alone else np.full(lost.shape[:2], np.nan),
            )

    def _after_the_most(self, learner: str) -> Callable[[int], Checkpoint]:
        """The checkpoint of each seed with all its experience."""
        most, depth = self.experience[-1], self.settings.depth
        return lambda seed: Checkpoint(self.run(seed, learner), most, self.model, depth)

    def _others(self) -> dict[str, tuple[Callable[[int], Checkpoint], Setting]]:
        """What is measured beside the plane, by its label: the checkpoint of each seed, and the setting."""
        study, depth, horizon = self.study, self.settings.depth, self.settings.horizon
        most, base = self.experience[-1], study.planners[0]
        first = self.setting(base, horizon)

        def at(experience: int, model: str, depth: int, learner: str | None = None) -> Callable[[int], Checkpoint]:
            return lambda seed: Checkpoint(self.run(seed, learner), experience, model, depth)

        here = at(most, self.model, depth)
        others: dict[str, tuple[Callable[[int], Checkpoint], Setting]] = {}
        if self.model != study.base_model:
            return others
        others |= {f"horizon {h}": (here, self.setting(base, h)) for h in study.horizons if h != horizon}
        others |= {f"depth {d}": (at(most, self.model, d), first) for d in study.depths if d != depth}
        others |= {PlannerSpec.parse(p).title: (here, self.setting(p, horizon)) for p in study.planners[1:]}
        for model in study.models:
            if model not in study.planes:
                others[f"model: {model}"] = at(0 if model == TRUE else most, model, depth), first
        for learner in study.learners:
            spec = PlannerSpec.parse(learner)
            if study.traits(learner).model_free:
                others[f"learner: {learner}"] = at(most, NO_MODEL, 0, learner), Setting(spec, study.cycles)
            elif learner != study.base_learner:
                others[f"learner: {learner}"] = at(most, self.model, depth, learner), first
        for axis in study.all_axes:
            for value in axis.values:
                label = f"{axis.name} {value}"
                if axis.run:
                    others[label] = self._varied_run(axis, value, most, depth), first
                else:
                    others[label] = here, axis.of_setting(first, value)
        return others

    def _varied_run(self, axis: Axis, value: Any, experience: int, depth: int) -> Callable[[int], Checkpoint]:
        """The checkpoint of each seed whose training run has a value of an axis."""
        return lambda seed: Checkpoint(axis.of_run(self.run(seed), value), experience, self.model, depth)


def _number(value: Any) -> Any:
    """A number or several, with NaN for None."""
    return np.array(value, dtype=float)

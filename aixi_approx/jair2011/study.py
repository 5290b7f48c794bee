"""JAIR 2011 as a study: which agents learn for its tables and figures, and what is measured of them.

Agents learn as in its table 3. Evaluations are greedy, of 5,000 cycles for table 6 as in the paper and of fewer on the
curves, whose points are means over seeds. The paper does not say whether agents learn while they are evaluated; those
in the code that its authors released do. Ours do for table 6, and not on the curves. Where the budgets of the paper
would take hours, `FRUGAL` spends less, never more; `PRINTED` spends what its table 5 says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

from aixi_approx.builder import CTW
from aixi_approx.environment import Settings
from aixi_approx.envs import make
from aixi_approx.jair2011.published import (
    DOMAINS,
    EVALUATION_CYCLES,
    EXPERIENCE,
    LEARNING_SIMULATIONS,
    PACMAN_EXPERIENCE,
    PACMAN_LEARNING,
    SIMULATIONS,
)
from aixi_approx.laboratory.condition import Checkpoint, Group, Setting, TrainingRun
from aixi_approx.laboratory.measurement import NO_MODEL
from aixi_approx.planner_spec import PlannerSpec

CURVE_CYCLES = 600  # of evaluation, for each seed and point of a curve
SEGMENT = 25_000  # cycles of learning after which what was collected is written
MANY = 1 << 30
RHOUCT, ONE_PLY, Q_LEARNING = "rhouct", "flat", "q-learning"
PACMAN = "pacman"


class Budget(NamedTuple):
    """What is spent on one environment."""

    experience: int
    """Cycles of learning."""
    learning_simulations: int
    """Of a decision, in learning."""
    simulations: int
    """Of a decision, in evaluation."""
    most_simulations: int
    """Of a decision, on the curve over simulations."""
    least_experience: int = EXPERIENCE[0]
    """Cycles of learning, on the curve over experience."""
    most_seeds: int = MANY
    """How many agents at most."""


PRINTED = {
    name: Budget(d.experience, LEARNING_SIMULATIONS, d.simulations, SIMULATIONS[len(d.search) - 1])
    for name, d in DOMAINS.items()
} | {PACMAN: Budget(250_000, LEARNING_SIMULATIONS, 500, 5_000)}

FRUGAL = PRINTED | {
    "1d-maze": PRINTED["1d-maze"]._replace(most_simulations=1_000),
    "cheese-maze": PRINTED["cheese-maze"]._replace(most_simulations=1_000),
    "4x4-grid": PRINTED["4x4-grid"]._replace(most_simulations=1_000),
    "tiger": PRINTED["tiger"]._replace(simulations=2_500),
    "extended-tiger": PRINTED["extended-tiger"]._replace(simulations=2_500),
    "tic-tac-toe": Budget(500_000, 20, 500, 250, least_experience=50_000, most_seeds=1),
    "kuhn-poker": Budget(100_000, LEARNING_SIMULATIONS, 250, 5_000),
    PACMAN: PRINTED[PACMAN]._replace(most_seeds=1),
}


class PaperStudy(NamedTuple):
    """MC-AIXI in the environments of the paper, and Q-learning as the baseline."""

    environments: tuple[str, ...]
    """Names of `FRUGAL`."""
    seeds: int = 3
    """Agents in each environment; one where that takes hours, unless the study is full."""
    full: bool = False
    """Whether experience and simulations are those printed in the paper, which takes hours."""

    def budget(self, environment: str) -> Budget:
        """Return what is spent on an environment."""
        return (PRINTED if self.full else FRUGAL)[environment]

    def runs(self) -> list[TrainingRun]:
        """Return all training runs, those with the most experience first."""
        names = sorted(self.environments, key=lambda name: -self.budget(name).experience)
        return [
            TrainingRun(name, learner, seed, self._settings(name))
            for name in names
            for learner in (RHOUCT, Q_LEARNING)
            for seed in range(min(self.seeds, self.budget(name).most_seeds))
        ]

    def marks(self, run: TrainingRun) -> Sequence[int]:
        """Return the cycles at which the segments of a training run end, ascending."""
        most = self.budget(run.environment).experience
        return sorted({*self._experience(run.environment), *range(SEGMENT, most + 1, SEGMENT)})

    def groups(self, run: TrainingRun) -> Iterator[Group]:
        """Yield the conditions that are measured with the experience of a training run."""
        budget = self.budget(run.environment)
        for experience in self._experience(run.environment):
            if run.learner == Q_LEARNING:
                checkpoint = Checkpoint(run, experience, NO_MODEL, 0)
                settings = [Setting(PlannerSpec(Q_LEARNING), self._cycles(run.environment))]
            else:
                checkpoint = Checkpoint(run, experience, CTW, run.settings.depth)
                settings = [self._setting(run, RHOUCT, budget.simulations, self._cycles(run.environment))]
                if experience == budget.experience:
                    settings += self._at_last(run)
            yield Group(checkpoint, tuple(dict.fromkeys(settings)), sampled_decisions=0)

    def as_json(self) -> dict[str, Any]:
        """Return the study as JSON."""
        return {"paper": "JAIR 2011", **self._asdict(), "environments": list(self.environments)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], where: str) -> Self:
        """Return the study that `as_json` returned.

        Parameters
        ----------
        content : mapping of str to Any
            The JSON.
        where : str
            Where it comes from, for messages.

        Raises
        ------
        ValueError
            If it is something else, with one line that begins with `where`.
        """
        fields = content if isinstance(content, Mapping) else {}
        names, seeds, full = (fields.get(name) for name in ("environments", "seeds", "full"))
        known = isinstance(names, list) and all(isinstance(name, str) and name in FRUGAL for name in names)
        if known and type(seeds) is int and seeds > 0 and type(full) is bool:
            return cls(tuple(names), seeds, full)  # type: ignore[arg-type]
        raise ValueError(f"{where} is not that of a reproduction of JAIR 2011: name another folder")

    def obstacle(self, earlier: Self) -> str:
        """Return why this study can't continue an earlier one: agents that learn otherwise; empty if it can.

        Other environments, seeds and evaluations that are there stay, and are not measured again.
        """
        names = [name for name in earlier.environments if name in self.environments]
        changed = [name for name in names if self._settings(name) != earlier._settings(name)]
        return f"agents that learn otherwise in {', '.join(changed)}" if changed else ""

    def _settings(self, name: str) -> Settings:
        settings = make(name).settings._replace(simulations=self.budget(name).learning_simulations)
        if name == PACMAN:
            return settings
        paper = DOMAINS[name]
        return settings._replace(depth=paper.depth, horizon=paper.horizon, epsilon=paper.epsilon, decay=paper.decay)

    def _experience(self, name: str) -> list[int]:
        """The cycles after which agents are evaluated, ascending."""
        budget, marks = self.budget(name), PACMAN_EXPERIENCE if name == PACMAN else EXPERIENCE
        return sorted({e for e in marks if budget.least_experience <= e <= budget.experience} | {budget.experience})

    def _cycles(self, name: str) -> int:
        """Of evaluation, at a point of a curve."""
        return EVALUATION_CYCLES if name == PACMAN else CURVE_CYCLES

    def _setting(self, run: TrainingRun, name: str, simulations: int, cycles: int, learn: bool = False) -> Setting:
        return Setting(PlannerSpec(name, run.settings.horizon, simulations), cycles, learn)

    def _at_last(self, run: TrainingRun) -> Iterator[Setting]:
        """What is measured after the most experience only: table 6, and the curve over simulations."""
        name = run.environment
        _, _, simulations, most, *_ = self.budget(name)
        if name == PACMAN:
            for budget in PACMAN_LEARNING:
                if budget > simulations:
                    yield self._setting(run, RHOUCT, budget, EVALUATION_CYCLES)
            for budget in (simulations, most):
                yield self._setting(run, RHOUCT, budget, EVALUATION_CYCLES, learn=True)
            return
        for planner in (RHOUCT, ONE_PLY):
            yield self._setting(run, planner, simulations, EVALUATION_CYCLES, learn=True)
        for budget in SIMULATIONS:
            if budget <= most:
                yield self._setting(run, RHOUCT, budget, CURVE_CYCLES)

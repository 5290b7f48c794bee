"""What a study found in one environment, as arrays, and the laws that were fitted to them.

Axes are S seeds, E experiences, N simulations; what was not measured, or is not known, is NaN.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aixi_approx.envs import make
from aixi_approx.estimate import Estimate, average
from aixi_approx.laboratory.condition import CTW, TRUE, Trial
from aixi_approx.laboratory.regret import PARTS
from aixi_approx.laboratory.runner import Laboratory
from aixi_approx.laboratory.study import Study
from aixi_approx.laws.curves import fit_curve
from aixi_approx.laws.extrapolation import Comparison
from aixi_approx.laws.joint import fit_joint_law
from aixi_approx.laws.trade_off import TradeOff, fit_trade_off
from aixi_approx.pomdp.solver import reward_range

Array = NDArray[np.float64]

LAWS = ("predictor_law", "learning_law", "search_law", "missed_law", "joint_law", "trade_off")
SAME = 1e-9  # scores that differ by less are the same
LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9)  # of the way from the least score of a surface to the largest


@dataclass(frozen=True)
class Results:
    """What was found in one environment."""

    environment: str
    horizon: int
    depth: int
    experience: Array  # [E]
    simulations: Array  # [N]
    random_reward: float | None
    optimum: float | None
    reward: Array  # [S, E, N] per cycle
    regret: Array  # [S, E, N] what a greedy decision loses in the long run, reward per cycle
    long_run: Array  # [S, E, N, 4] its parts, in the order of PARTS
    within: Array  # [S, E, N, 4] by the values within the horizon
    missed: Array  # [S, E, N] value by the agent's own model that its search did not find
    sure: Array  # [S, E, N] share of the decisions for which that is beyond doubt
    bits: Array  # [S, E, N] predicted or learned by the predictor in a decision
    visits: Array  # [S, E, N] nodes visited for these
    seconds: Array  # [S, E, N] of a decision
    excess: dict[int, Array]  # by depth, [S, E]: log loss above the entropy, bits per percept of the experience
    allowance: Array  # [S, E] what theory allows for that at most, as `BestTree` has it
    leaves: Array  # [S, E] of the best trees in hindsight
    others: dict[str, Array] = field(default_factory=dict)  # [S, N] score after the most experience, otherwise planned

    @property
    def span(self) -> float:
        """The best reward per cycle less that of the random agent; NaN where that is not known."""
        if self.random_reward is None or self.optimum is None or self.optimum <= self.random_reward:
            return np.nan
        return self.optimum - self.random_reward

    @property
    def seeds(self) -> int:
        """How many agents there is anything of."""
        return int(np.isfinite(self.reward).any(axis=(1, 2)).sum())

    @functools.cached_property
    def score(self) -> Array:
        """[S, E, N] 0 for the random agent, 1 for the best one.

        It is taken from what the decisions lose in the long run, where that is known of all. The rewards tell the same,
        but for the luck that is in them.
        """
        return self.scored(self.reward, self.regret)

    def scored(self, reward: Array, regret: Array) -> Array:
        """Return the scores of rewards per cycle, or of what is lost of them where that is known of all."""
        if np.isnan(self.span):
            return np.full(reward.shape, np.nan)
        if (np.isnan(regret) & np.isfinite(reward)).any():
            return (reward - float(self.random_reward or 0)) / self.span
        return 1 - regret / self.span

    @functools.cached_property
    def levels(self) -> list[float]:
        """Scores at which contours are drawn."""
        mean = across(self.score)
        if not np.isfinite(mean).any():
            return []
        low, high = float(np.nanmin(mean)), float(np.nanmax(mean))
        return [low + share * (high - low) for share in LEVELS] if high - low > SAME else []

    # The laws: how one thing depends on another.

    @functools.cached_property
    def predictor_law(self) -> Comparison:
        """Excess log loss over experience."""
        return fit_curve(self.experience, self.excess[self.depth])

    @functools.cached_property
    def learning_law(self) -> Comparison:
        """Score over experience, with the most simulations."""
        return fit_curve(self.experience, self.score[:, :, -1])

    @functools.cached_property
    def search_law(self) -> Comparison:
        """Score over simulations, after the most experience."""
        return fit_curve(self.simulations, self.score[:, -1])

    @functools.cached_property
    def missed_law(self) -> Comparison:
        """Value that the search misses over simulations, after the most experience."""
        return fit_curve(self.simulations, self.missed[:, -1])

    @functools.cached_property
    def joint_law(self) -> Comparison:
        """1 - score over experience and simulations."""
        return fit_joint_law(self.experience, self.simulations, 1 - self.score)

    @functools.cached_property
    def trade_off(self) -> TradeOff:
        """Simulations that make up for cycles of experience."""
        return fit_trade_off(self.experience, self.simulations, self.score, np.array(self.levels))

    def fit(self) -> Iterator[str]:
        """Fit one law after the other, which takes a while, and yield what each is called. They are kept."""
        for law in LAWS:
            yield law
            getattr(self, law)

    @property
    def laws(self) -> dict[str, Comparison]:
        """All laws by what they are about."""
        return {
            "excess log loss over experience, bits per percept": self.predictor_law,
            f"score over experience, {self.simulations[-1]:,.0f} simulations": self.learning_law,
            f"score over simulations, {self.experience[-1]:,.0f} cycles": self.search_law,
            f"value missed over simulations, {self.experience[-1]:,.0f} cycles": self.missed_law,
            "1 - score over both": self.joint_law,
        }


def across(values: Array) -> Array:
    """Return the mean over seeds, the first axis, of those that are there; NaN where none is."""
    there = np.isfinite(values)
    count = there.sum(axis=0)
    total = np.where(there, values, 0).sum(axis=0)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def estimate(values: Array) -> Estimate:
    """Return the mean over seeds with its 95 % interval."""
    return average(values[np.isfinite(values)].tolist(), batches=max(2, len(values)))


def find(laboratory: Laboratory) -> list[Results]:
    """Return what was found in each environment."""
    cells = laboratory.cells()
    stretches = laboratory.stretches()
    return [
        _find(
            laboratory.study,
            name,
            [cell for cell in cells if cell["environment"] == name],
            [stretch for stretch in stretches if stretch["environment"] == name],
        )
        for name in laboratory.study.environments
    ]


def _find(study: Study, name: str, cells: Sequence[Any], stretches: Sequence[Any]) -> Results:
    settings = study.subject(name, 0).settings
    depth, horizon, first, most = settings.depth, settings.horizon, study.methods[0], study.experience[-1]
    random, optimum = reward_range(make(name))
    there = {(c["seed"], c["experience"], c["model"], c["depth"]): c for c in cells}
    rows = {(*at, Trial(*(row[f] for f in Trial._fields))): row for at, cell in there.items() for row in cell["trials"]}
    entropy = _entropies(study, stretches)

    def row_of(*where: Any, horizon: int, method: str, simulations: int) -> Any:
        found = rows.get((*where, Trial(horizon, method, simulations)))
        return found or rows.get((*where, Trial(horizon, method, 0)))  # expectimax has none

    def plane(get: Callable[[Any], Any], *shape: int) -> Array:
        values = np.full((study.seeds, len(study.experience), len(study.simulations), *shape), np.nan)
        for s, e, n in np.ndindex(*values.shape[:3]):
            at = (s, study.experience[e], CTW, depth)
            if row := row_of(*at, horizon=horizon, method=first, simulations=study.simulations[n]):
                values[s, e, n] = _number(get(row))
        return values

    def line(experience: int, model: str, depth: int, horizon: int, method: str, get: Callable[[Any], Any]) -> Array:
        values = np.full((study.seeds, len(study.simulations)), np.nan)
        for s, n in np.ndindex(*values.shape):
            at = (s, experience, model, depth)
            if row := row_of(*at, horizon=horizon, method=method, simulations=study.simulations[n]):
                values[s, n] = _number(get(row))
        return values

    def known(depth: int, get: Callable[[Any], Any]) -> Array:
        values = np.full((study.seeds, len(study.experience)), np.nan)
        for s, e in np.ndindex(*values.shape):
            if cell := there.get((s, study.experience[e], CTW, depth)):
                values[s, e] = _number(get(cell))
        return values

    def parts(kind: str) -> Callable[[Any], Any]:
        return lambda row: [row[kind][part] for part in PARTS] if row[kind] else [None] * len(PARTS)

    each = np.array(study.experience, dtype=float)
    depths = (depth, *(other for other in study.depths if other != depth))
    findings = Results(
        environment=name,
        horizon=horizon,
        depth=depth,
        experience=each,
        simulations=np.array(study.simulations, dtype=float),
        random_reward=random,
        optimum=optimum,
        reward=plane(lambda row: row["reward"]),
        regret=plane(lambda row: row["regret"]),
        long_run=plane(parts("long_run"), len(PARTS)),
        within=plane(parts("within"), len(PARTS)),
        missed=plane(lambda row: row["missed"]),
        sure=plane(lambda row: row["sure"]),
        bits=plane(lambda row: row["bits"]),
        visits=plane(lambda row: row["visits"]),
        seconds=plane(lambda row: row["seconds"]),
        excess={other: (known(other, lambda cell: cell["log_loss"]) - entropy) / each for other in depths},
        allowance=(known(depth, lambda cell: cell["best_tree"]["fixed"] + cell["best_tree"]["allowance"]) - entropy)
        / each,
        leaves=known(depth, lambda cell: cell["best_tree"]["leaves"]),
    )

    def score(where: tuple[int, str, int, int, str]) -> Array:
        return findings.scored(line(*where, lambda row: row["reward"]), line(*where, lambda row: row["regret"]))

    others = {f"horizon {h}": (most, CTW, depth, h, first) for h in study.horizons if h != horizon}
    others |= {f"depth {d}": (most, CTW, d, horizon, first) for d in study.depths if d != depth}
    others |= {method: (most, CTW, depth, horizon, method) for method in study.methods[1:]}
    others |= {f"model: {m}": (0 if m == TRUE else most, m, depth, horizon, first) for m in study.models if m != CTW}
    findings.others.update({label: score(where) for label, where in others.items()})
    return findings


def _entropies(study: Study, stretches: Sequence[Any]) -> Array:
    """[S, E] log loss of the true environment at the percepts of the experience, bits in all."""
    values = np.full((study.seeds, len(study.experience)), np.nan)
    for stretch in stretches:
        if stretch["seed"] < study.seeds and stretch["entropy"] is not None:
            values[stretch["seed"], study.experience.index(stretch["experience"])] = stretch["entropy"]
    return np.cumsum(values, axis=1)


def _number(value: Any) -> Any:
    """A number or several, with NaN for None."""
    return np.array(value, dtype=float)

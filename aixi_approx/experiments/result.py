"""What a run comes to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from aixi_approx.display.tables import table
from aixi_approx.display.words import number
from aixi_approx.experiments import summary
from aixi_approx.experiments.recovery import Phase
from aixi_approx.interaction import Row
from aixi_approx.laws.estimate import Estimate, finite

if TYPE_CHECKING:
    from aixi_approx.display.picture import Picture

from aixi_approx.experiments.experiment import Experiment

WORDS = ("experiment", "phases", "approximations")  # of a result; all else are numbers


class RunResult(NamedTuple):
    """The result of a run; None for anything unknown.

    Attributes
    ----------
    experiment : Experiment
        Everything that determines it.
    threads : int
        Number of threads for independent searches.
    reward : Estimate or None
        Reward per cycle of the evaluation, with its 95 % interval.
    random_reward, optimum : float or None
        Reward per cycle of the random agent, and of the best one.
    score : float or None
        0 for the random agent, 1 for the best one.
    discount : float or None
        That of the environment, if it begins anew.
    phases : list of Phase
        Results in each environment of a sequence; the evaluation is in the last one.
    log_loss_start, log_loss_end : float or None
        Bits per percept over the first and last 1,000 cycles of learning; None if the agent does not predict.
    lessons, taught : int or None
        Decisions of its own, and actions of a teacher, that the policy has learned; None without a policy.
    surprise_start, surprise_end : float or None
        Bits per action that the policy learned, over the first and last 1,000 of them; None without a policy.
    simulations_learning, simulations_evaluation : int
        Total numbers of simulations.
    simulations_per_decision : float or None
        Mean over the decisions, without random actions; None if there were no simulations at all.
    nodes, memory : int or None
        Size of the predictor and of the policy, if there is one; memory in bytes.
    approximations : str
        How the environment differs from its original, in words.
    learning_seconds, evaluation_seconds : float
        Time of the process that finished the run, without that of the watcher.
    """

    experiment: Experiment
    threads: int
    reward: Estimate | None
    random_reward: float | None
    optimum: float | None
    score: float | None
    discount: float | None
    phases: list[Phase]
    log_loss_start: float | None
    log_loss_end: float | None
    lessons: int | None
    taught: int | None
    surprise_start: float | None
    surprise_end: float | None
    simulations_learning: int
    simulations_evaluation: int
    simulations_per_decision: float | None
    nodes: int | None
    memory: int | None
    approximations: str
    learning_seconds: float
    evaluation_seconds: float

    def draw(self, rows: Sequence[Row]) -> Picture:
        """Return a picture, a Matplotlib figure, of the reward while it learned, beside what can be reached.

        Parameters
        ----------
        rows : sequence of Row
            The cycles of learning, from the first on: of a `Collection`, or by `recorded_rows`.
        """
        from aixi_approx.experiments.curve import draw_curve

        return draw_curve(rows, self)

    def __repr__(self) -> str:
        """Return what it comes to, in a line."""
        reward = "not evaluated" if self.reward is None else f"reward {number(self.reward.mean)} per cycle"
        score = "" if self.score is None else f", score {number(self.score)}"
        return f"<RunResult: {summary.title(self)}: {reward}{score}>"

    def _repr_html_(self) -> str:
        """Return what `aixi run` prints, but for the time, for a notebook: it looks the same when it is run again."""
        rows: list[Any] = []
        for section in summary.sections(self):
            rows += [", ".join(filter(None, section.head)), *section.lines]
        note = f"Not as in the original: {self.approximations}." if self.approximations else ""
        return table(summary.title(self), rows, note=note)

    def as_json(self) -> dict[str, Any]:
        """Return all fields as JSON values: those of the experiment, then the others."""
        own = {**self._asdict(), "phases": [phase._asdict() for phase in self.phases]}
        del own["experiment"]
        mean, low, high = map(finite, self.reward or (math.nan,) * 3)
        interval = {"reward": mean, "reward_low": low, "reward_high": high}
        interval["discounted_value"] = None if mean is None or self.discount is None else mean / (1 - self.discount)
        return {**self.experiment.as_json(), **own, **interval}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the result that `as_json` has written."""
        reward = None
        if content["reward"] is not None:
            low, high = content["reward_low"], content["reward_high"]
            reward = Estimate(content["reward"], -math.inf if low is None else low, math.inf if high is None else high)
        own = {name: content[name] for name in cls._fields if name != "experiment"}
        stages = [Phase(**phase) for phase in content["phases"]]
        return cls(**{**own, "experiment": Experiment.from_json(content), "reward": reward, "phases": stages})


def recorded_result(content: Mapping[str, Any], folder: Path) -> RunResult:
    """Return a result that was recorded.

    Raises
    ------
    ValueError
        If it is none.
    """
    broken = f"{folder / 'result.json'} is not the result of a run: remove it, and the run ends once more"
    numbers = [content.get(name) for name in (*RunResult._fields, "reward_low", "reward_high") if name not in WORDS]
    try:
        numbers += [each for phase in content["phases"] for name, each in phase.items() if name != "environment"]
        words = [content["approximations"], *(phase["environment"] for phase in content["phases"])]
        result = RunResult.from_json(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(broken) from error
    fine = all(each is None or (isinstance(each, int | float) and not isinstance(each, bool)) for each in numbers)
    if not fine or not all(isinstance(each, str) for each in words):
        raise ValueError(broken)
    return result

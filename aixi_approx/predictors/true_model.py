"""The true model: a predictor that knows the environment, so that only the state is left to find out.

It is Bayes' rule over the states of a finite POMDP, and its log loss is what no predictor can do without: the entropy
that is left in the percepts. With it an agent is AImu, AIXI with the true environment in place of the mixture
(Hutter 2005, section 4.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np

from aixi_approx.environment import Environment
from aixi_approx.pomdp.belief import Belief, after, first_belief
from aixi_approx.pomdp.definition import POMDP, as_pomdp
from aixi_approx.predictor import Predictor

ROUNDING = 1e-6  # by which the sum of a belief that was kept may miss 1


class Answer(NamedTuple):
    """A percept that can still come in the present cycle."""

    code: int  # its bits, the reward first
    probability: float
    belief: Belief  # after it


class Moment(NamedTuple):
    """All that the predictor remembers."""

    belief: Belief  # at the start of the present cycle
    read: int  # bits of the cycle
    action: int  # the action bits of these
    answers: list[Answer]  # once the action is known


class TrueModel(Predictor):
    """The exact posterior of a finite POMDP, bit by bit.

    Where the environment is certain so is the predictor: probabilities 0 and 1 occur. There is nothing to learn, so
    that `append` does with a percept bit what `update` does: it narrows down the state.

    Parameters
    ----------
    pomdp
        The environment.
    belief
        Of the present, if not that at the start.

    Raises
    ------
    ValueError
        From `update` and `append` of a bit that has probability 0 or belongs to no action; nothing is changed. From
        `predict` and `update` where an action bit comes next.

    Examples
    --------
    >>> from aixi_approx import make
    >>> tiger = make("tiger")
    >>> model = TrueModel(tiger)
    >>> cycle = tiger.coding.cycle(0, 1, -1)                # listen, and hear it on the left
    >>> round(model.learn(cycle), 9), model.belief.probability
    (1.0, array([0.85, 0.15]))
    """

    certain = True
    independent_bits = True

    def __init__(self, pomdp: POMDP, *, belief: Belief | None = None) -> None:
        self.pomdp, self._coding = pomdp, pomdp.coding
        self.action_bits, self.percept_bits = self._coding.action_bits, self._coding.percept_bits
        self._now = Moment(belief or first_belief(pomdp), 0, 0, [])
        self._marks: list[Moment] = []

    @classmethod
    def for_environment(cls, environment: Environment, *parameters: int | str, **options: Any) -> Self:
        """Return the true model of an environment; raise ValueError if it is no POMDP."""
        return cls(as_pomdp(environment))

    @property
    def belief(self) -> Belief:
        """Belief at the start of the present cycle."""
        return self._now.belief

    def predict(self) -> float:
        """Return P(next percept bit = 1), from 0 to 1, both included."""
        return self._probability(1)

    def update(self, bit: int) -> float:
        """Take in the next percept bit; return the probability it had, which is not 0."""
        p = self._probability(bit)
        self.append(bit)
        return p

    def append(self, bit: int) -> None:
        """Take in the next bit."""
        belief, read, action, answers = self._now
        if bit not in (0, 1):
            raise ValueError(f"{bit!r} is not a bit")
        if read < self.action_bits:
            action = 2 * action + bit
            if read + 1 == self.action_bits:
                if action >= self._coding.actions:
                    raise ValueError(f"there is no action {action}: there are 0 to {self._coding.actions - 1}")
                answers = self._answers(belief, action)
        else:
            answers = [answer for answer in answers if self._bit(answer, read) == bit]
            if not answers:
                raise ValueError(f"{self.pomdp.name} can't answer so: the probability of this bit is 0")
            if read + 1 == self._coding.cycle_bits:
                belief, read, action, answers = answers[0].belief, -1, 0, []
        self._now = Moment(belief, read + 1, action, answers)

    def restart(self) -> None:
        """Believe what is believed before anything has happened: the environment begins anew."""
        self._now = Moment(first_belief(self.pomdp), 0, 0, [])

    def mark(self) -> int:
        """Remember this point; return its number."""
        self._marks.append(self._now)
        return len(self._marks) - 1

    def revert(self, mark: int) -> None:
        """Go back to a mark, exactly; forget it and all later ones."""
        if not 0 <= mark < len(self._marks):
            raise ValueError(f"there is no mark {mark}")
        self._now = self._marks[mark]
        del self._marks[mark:]

    def copy(self) -> Self:
        """Return a model of its own in the same state, without marks."""
        twin = type(self)(self.pomdp)
        twin._now = self._now
        return twin

    def keep(self) -> dict[str, Any]:
        """Return the belief."""
        if self._now.read or self._marks:
            raise ValueError("a true model can be kept between two cycles, and without marks")
        return {"state": self.belief.state, "probability": self.belief.probability}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take on a belief; ValueError if it is not one about this environment."""
        given, masses = np.asarray(kept["state"]), np.asarray(kept["probability"])
        if given.dtype.kind not in "iu" or masses.dtype.kind != "f" or given.ndim != 1 or masses.ndim != 1:
            raise ValueError("it is no belief")
        state, probability = given.astype(np.int64), masses.astype(np.float64)
        fine = len(state) == len(probability) > 0 and (np.diff(state) > 0).all() and (probability > 0).all()
        inside = fine and state[0] >= 0 and state[-1] < len(self.pomdp.states)
        if not inside or abs(probability.sum() - 1) > ROUNDING:
            raise ValueError(f"it is no belief about the states of {self.pomdp.name}")
        self._now = Moment(Belief(state, probability), 0, 0, [])

    def _answers(self, belief: Belief, action: int) -> list[Answer]:
        code, shift = self._coding.code, self._coding.observation_bits
        return [
            Answer((code(percept.reward) << shift) + percept.observation, probability, later)
            for percept, probability, later in after(self.pomdp, belief, action=action)
        ]

    def _bit(self, answer: Answer, read: int) -> int:
        """The bit of an answer that comes after `read` bits of the cycle."""
        return answer.code >> self._coding.cycle_bits - 1 - read & 1

    def _probability(self, bit: int) -> float:
        read = self._now.read
        if read < self.action_bits:
            raise ValueError("the next bit is an action bit: it is appended, not predicted")
        mass = [0.0, 0.0]
        for answer in self._now.answers:
            mass[self._bit(answer, read)] += answer.probability
        return mass[bit] / (mass[0] + mass[1])

"""A policy that is learned: what an agent predicts of its own actions.

A context-tree mixture over the bits of the actions, zeta, as the model of the environment, xi, is one over the bits of
the percepts (FAC-CTW; Veness et al., JAIR 2011, section 5.9). Both read the same history; what is context to one is
predicted by the other. An agent that learns the actions that its searches found predicts itself (Self-AIXI; Catt et
al., NeurIPS 2023), and is searching better by it: expert iteration (Anthony, Tian, Barber 2017).

A search follows it as far as it predicts well, and as far as that helps (trial.py),

    trust = MOST max(0, 1 - L)

where L is the log loss of the latest lessons, over that of guessing, log2 A: the mean of the first `LATEST`, then a
mean that forgets at that rate. It never rules an action out, as KT estimators rule nothing out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from aixi_approx._context_tree import ContextTreeKernel
from aixi_approx.coding import Coding, encode
from aixi_approx.environment import Environment
from aixi_approx.predictor import Statistics
from aixi_approx.predictor_abi import RANDOM_BITS, RolloutAddresses
from aixi_approx.rollout import Rollout
from aixi_approx.rollouts.trial import Earned, Trial
from aixi_approx.validation import as_integer

MOST = 0.95  # trust
LATEST = 50  # lessons
MAX_DEPTH = 1 << 20
MANY = 1 << 62
ELSEWHERE = "the next bit is not the first of an action: actions are predicted at the start of a cycle"


class Standing(NamedTuple):
    """How well a policy predicts its lessons."""

    lessons: int = 0
    loss: float = 1.0  # L
    trial: Trial = Trial()
    simulations: int = 0  # of the searches of the trial


class LearnedPolicy(Rollout):
    """A policy that learns the actions it is taught, as a function of the last bits of the history.

    Parameters
    ----------
    coding : Coding
        Bits and actions of the environment.
    depth : int
        Bits of context.
    most_memory : int, optional
        Bytes that it may take, as in `FactoredContextTree`.

    Examples
    --------
    >>> from aixi_approx import make
    >>> policy = LearnedPolicy(make("coin-flip").coding, depth=8)
    >>> policy.prediction.tolist()
    [0.5, 0.5]
    >>> for _ in range(20):
    ...     loss = policy.learn(1)
    ...     policy.extend([0, 0])    # the percept
    >>> policy.prediction.round(2).tolist()
    [0.02, 0.98]
    """

    reads_history = learns = True
    options = ("depth", "most_memory")

    def __init__(self, coding: Coding, *, depth: int, most_memory: int | None = None) -> None:
        super().__init__(coding)
        self.depth = as_integer("depth", depth, 1, MAX_DEPTH)
        # A context tree with the roles of actions and percepts exchanged.
        self._kernel = ContextTreeKernel(self.depth, coding.percept_bits, coding.action_bits)
        if most_memory is not None:
            self._kernel.limit(most_memory)
        self._kernel.codes = coding.actions
        for _ in range(coding.percept_bits):  # before the first action: nothing, as before any history
            self._kernel.append(0)
        self._standings: dict[int, Standing] = {}
        self._standing = Standing()

    @classmethod
    def for_environment(cls, environment: Environment, *parameters: int | str, **options: Any) -> Self:
        """Return a new policy for an environment."""
        return cls(environment.coding, **{"depth": environment.settings.depth, **options})

    @property
    def trust(self) -> float:
        """How far it is to be followed, 0 to `MOST`, by what it predicts."""
        return MOST * max(0.0, 1.0 - self._standing.loss)

    def helps(self, simulations: int) -> float:
        """Return 1 if it is to guide a search of so many simulations, by what was earned with it and without, else 0.

        While a mark stands, as in an evaluation, the better way is taken; otherwise the way of the present block. A
        search with fewer simulations than those that were tried is guided in any case: it has less to offer itself.
        """
        trial = self._standing.trial
        if self._standings:
            return float(trial.helps or simulations < self._standing.simulations)
        return float(trial.guided)

    @property
    def lessons(self) -> int:
        """Actions that were learned."""
        return self._standing.lessons

    @property
    def prediction(self) -> NDArray[np.float64]:
        """Probability of each action now, float64[A]."""
        weights = np.empty(self.coding.actions)
        if self._kernel.weigh(weights) < 0:
            raise ValueError(ELSEWHERE)
        return weights

    def choose(self, u: float) -> int:
        """Return an action, given a number drawn uniformly from [0, 1)."""
        action = int(self._kernel.draw(int(u * (1 << RANDOM_BITS))))
        if action < 0:
            raise ValueError(ELSEWHERE)
        return action

    def learn(self, action: int) -> float:
        """Learn the next action and append it to the history; return its log loss, in bits."""
        if not 0 <= action < self.coding.actions:
            raise ValueError(f"there is no action {action}: there are 0 to {self.coding.actions - 1}")
        loss = math.log2(1 / self.prediction[action])  # not that of its bits, one of which may have been certain
        bits = np.array(encode(action, self.coding.action_bits), dtype=np.uint8)
        if self._kernel.learn(bits)[1] < len(bits):
            raise MemoryError(f"no memory for more than {self._kernel.nodes} nodes of the policy")
        lessons, mean, *_ = self._standing
        rate = 1 / min(lessons + 1, LATEST)
        guess = max(1.0, math.log2(self.coding.actions))
        mean += rate * (min(1.0, loss / guess) - mean)
        self._standing = self._standing._replace(lessons=lessons + 1, loss=mean)
        return loss

    def earn(self, reward: int, *, block: int, simulations: int) -> None:
        """Take note of the reward of a real cycle: whether searches earn more with the policy or without it."""
        trial = self._standing.trial.after(reward, block)
        self._standing = self._standing._replace(trial=trial, simulations=simulations)

    def append(self, bit: int) -> None:
        """Take in the next bit of the history without learning it."""
        if self._kernel.append(bit) < 0:
            raise MemoryError("no memory for a longer history of the policy")

    def mark(self) -> int:
        """Remember this point; return its number."""
        mark = int(self._kernel.mark())
        self._standings[mark] = self._standing
        return mark

    def revert(self, mark: int) -> None:
        """Go back to a mark, exactly; forget it and all later ones."""
        if self._kernel.revert(mark) < 0:
            raise ValueError(f"there is no mark {mark}: it was never set, or something was reverted to it or before it")
        self._standing = self._standings[mark]
        self._standings = {each: standing for each, standing in self._standings.items() if each < mark}

    def copy(self) -> Self:
        """Return an independent policy in the same state, without marks."""
        twin = object.__new__(type(self))
        vars(twin).update(vars(self), _kernel=self._kernel.copy(), _standings={})
        return twin

    def keep(self) -> dict[str, Any]:
        """Return all that it knows. The arrays are views, true until something is changed."""
        lessons, loss, trial, simulations = self._standing
        earned = [list(each) for each in (trial.without, trial.guided_ones)]
        standing = [lessons, loss, [*earned, *trial[2:]], simulations]
        return {"kernel": self._kernel.keep(), "standing": standing}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take on the state that `keep` has returned."""
        lessons, loss, (without, guided_ones, guided, cycles, earned), simulations = kept["standing"]
        kinds = [
            Earned(as_integer("blocks", blocks, 0, MANY), _finite(mean), abs(_finite(variance)))
            for blocks, mean, variance in (without, guided_ones)
        ]
        trial = Trial(kinds[0], kinds[1], guided is True, as_integer("cycles", cycles, 0, MANY), _finite(earned))
        if not 0 <= _finite(loss) <= 1:
            raise ValueError(f"the loss of its policy is {loss}: it must lie in 0 to 1")
        counts = [as_integer("lessons", each, 0, MANY) for each in (lessons, simulations)]
        self._kernel.restore(kept["kernel"])
        self._standing = Standing(counts[0], float(loss), trial, counts[1])

    def statistics(self) -> Statistics:
        """Return the size of what was learned, and the work it took."""
        return Statistics(self._kernel.nodes, self._kernel.memory, *self._kernel.work)

    def snapshot(self) -> bytes:
        """Return the state that all actions follow from, as bytes."""
        return bytes(self._kernel.snapshot()) + repr(self._standing).encode()

    @property
    def addresses(self) -> RolloutAddresses:
        """Addresses of the compiled operations."""
        draw, append, mark, revert, state, weigh = self._kernel.drawing
        return RolloutAddresses(draw, append, mark, revert, state, 1, weigh)


def _finite(number: float) -> float:
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise ValueError(f"{number!r:.40} is no finite number")
    return float(number)

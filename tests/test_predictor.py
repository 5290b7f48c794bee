"""The contract of predictors, over all of them; and the check that users run on their own."""

import pytest
from reference import PlainPredictor

from aixi_approx.conformance.predictor import check_predictor
from aixi_approx.predictor import Predictor
from aixi_approx.predictors.context_tree import ContextTree, FactoredContextTree


class PlainApart(PlainPredictor):
    """Says what is true of it."""

    independent_bits = True


PREDICTORS = {
    "one tree": lambda: ContextTree(7),
    "factored trees": lambda: FactoredContextTree(20, 2, 5),
    "trees of Python, apart": lambda: PlainApart(6, 1, 3),
    "factored trees without actions": lambda: FactoredContextTree(70, 0, 3),
    "a predictor in Python": lambda: PlainPredictor(6, 1, 2),
}


@pytest.mark.parametrize("name", PREDICTORS)
def test_keeps_to_the_interface(name: str) -> None:
    check_predictor(PREDICTORS[name]())


class Certain(PlainPredictor):
    """Is sure that all is one."""

    def predict(self) -> float:
        return 1.0


class Credulous(Certain):
    """Learns what it holds to be impossible."""

    certain = True


class Forgetful(PlainPredictor):
    """Does not undo: a peer's mistake."""

    def revert(self, mark: int) -> None:
        del self.marks[mark:]


class Flat(PlainPredictor):
    """Does not say what it learned with: update and predict differ."""

    def update(self, bit: int) -> float:
        super().update(bit)
        return 0.5


class Fickle(PlainPredictor):
    """Changes its mind when asked twice."""

    asked = 0

    def predict(self) -> float:
        self.asked += 1
        return super().predict() * (0.9 if self.asked % 2 else 1.0)


class Apart(PlainPredictor):
    """One tree for all bits of a percept, and says that they are learned apart."""

    independent_bits = True

    def __init__(self, depth: int, action_bits: int, percept_bits: int) -> None:
        super().__init__(depth, action_bits, percept_bits)
        self.trees.trees = [self.trees.trees[0]] * percept_bits


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Apart, "independent_bits"),
        (Credulous, r"update\(0\) takes a bit of probability 0"),
        (Certain, "strictly between 0 and 1"),
        (Forgetful, "revert\\(\\) does not take back"),
        (Flat, "where predict\\(\\) gave"),
        (Fickle, "two answers"),
    ],
)
def test_the_check_finds_what_is_wrong(kind: type[PlainPredictor], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_predictor(kind(4, 1, 2))


def test_losses_add_up() -> None:
    """`learn` over whole cycles is the sum over the verbs, for compiled and Python predictors."""
    cycle = [1, 0, 1, 0, 0, 1] * 5
    fast, plain = FactoredContextTree(6, 1, 2), PlainPredictor(6, 1, 2)
    assert fast.learn(cycle) == pytest.approx(plain.learn(cycle), rel=1e-11)  # type: ignore[arg-type]
    assert isinstance(plain, Predictor)

"""The best context trees of a predictor in words: what of the past matters for what, and how that grows.

The trees are those of context-tree maximising: of all that the mixture holds, the ones with the shortest code for what
was learned. The mixture predicts with all of them, and a little better; these are what one can read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from aixi_approx.coding import Bits
from aixi_approx.display.tables import paragraphs, table
from aixi_approx.environment import Environment
from aixi_approx.introspection.contexts import OBSERVATION, REWARD, Past, counted, widths
from aixi_approx.introspection.phrases import ALWAYS, Phrases
from aixi_approx.introspection.tree_fields import FieldInWords, describe_field

if TYPE_CHECKING:
    from aixi_approx.predictors.context_tree import BestNodes

RULES = 8  # of a field, unless more are asked for: a person reads no more at once
SAID = 2  # rules of a field that are said as sentences


@runtime_checkable
class HasTrees(Protocol):
    """A predictor whose best context trees can be read."""

    depth: int
    action_bits: int
    percept_bits: int

    def best_nodes(self) -> BestNodes:
        """Return the nodes of the best trees."""

    def history(self) -> Bits:
        """Return the bits of the history."""


class TreeInWords(NamedTuple):
    """The best context trees of a predictor, for people.

    Names in the texts come from the environment: escape them where they are shown.

    Attributes
    ----------
    cycle : int
        Cycles that were learned.
    leaves : int
        Of all trees.
    bits : float
        Description length of what was learned, in bits.
    shape_bits : float
        What of it says how the trees branch: Gamma.
    depth : int
        Bits of context up to the last one that they look at.
    sentences : tuple of str
        What a person would say first.
    fields : tuple of FieldInWords
        Reward and observation.
    """

    cycle: int
    leaves: int
    bits: float
    shape_bits: float
    depth: int
    sentences: tuple[str, ...]
    fields: tuple[FieldInWords, ...]

    def __repr__(self) -> str:
        """Return its size, in a line."""
        return f"<TreeInWords after {_plural(self.cycle, 'cycle', 'cycles')}: {_plural(self.leaves, 'leaf', 'leaves')}>"

    def _repr_html_(self) -> str:
        """Return the sentences, and the rules of each field, for a notebook."""
        parts = [paragraphs(self.sentences)]
        for field in self.fields:
            rows: list[tuple[object, ...]] = [(rule.when, rule.then, rule.cycles) for rule in field.rules]
            if field.rules and field.covered < 1:
                rows.append(("other contexts", f"{_percent(1 - field.covered)} of the cycles", None))
            name = f"{field.name}: {_plural(field.leaves, 'leaf', 'leaves')}"
            parts.append(table(name, rows, columns=("when", "then", "cycles")))
        return "".join(parts)

    def as_json(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        fields = [field.as_json() for field in self.fields]
        return {**self._asdict(), "sentences": list(self.sentences), "fields": fields}

    def text(self) -> str:
        """Return all of it as lines of text."""
        lines = [*self.sentences]
        for field in self.fields:
            lines += ["", f"{field.name}: {_plural(field.leaves, 'leaf', 'leaves')}"]
            for look in field.mattering:
                lines.append(f"  {look.part.in_words()} is worth {_plural(round(look.saved), 'bit', 'bits')}")
            for rule in field.rules:
                lines.append(f"  {rule.when}: {rule.then}  ({_plural(rule.cycles, 'cycle', 'cycles')})")
            if field.rules and field.covered < 1:
                lines.append(f"  and other contexts, in {_percent(1 - field.covered)} of the cycles")
        return "\n".join(lines)


def describe_trees(predictor: HasTrees, environment: Environment, *, rules: int = RULES) -> TreeInWords:
    """Return the best context trees of a predictor in words. Nothing is changed.

    Parameters
    ----------
    predictor : HasTrees
        A `FactoredContextTree`.
    environment : Environment
        That of the agent: how its cycles are written, and the names.
    rules : int, default: 8
        Of each field at most.

    Raises
    ------
    ValueError
        If the predictor has no context trees, or reads other cycles than the environment writes.

    Examples
    --------
    >>> from aixi_approx import build_agent, make
    >>> coin = make("coin-flip")
    >>> predictor = build_agent(coin).predictor
    >>> for cycle in range(100):    # heads and tails in turn, and always the bet on tails
    ...     loss = predictor.learn(coin.coding.cycle(0, cycle % 2, int(cycle % 2 == 0)))
    >>> for sentence in describe_trees(predictor, coin).sentences[4:6]:
    ...     print(sentence)
    The observation depends on the reward now alone.
    If the reward is 0: the observation is heads.
    """
    if not isinstance(predictor, HasTrees):
        raise ValueError(f"{type(predictor).__name__} has no context trees: take the model ctw")
    coding = environment.coding
    if (predictor.action_bits, predictor.percept_bits) != (coding.action_bits, coding.percept_bits):
        raise ValueError(
            f"the predictor reads {predictor.action_bits} action and {predictor.percept_bits} percept bits a cycle, "
            f"{environment.name} writes {coding.action_bits} and {coding.percept_bits}"
        )
    nodes = predictor.best_nodes()
    past = Past(coding, predictor.history(), reach=1 + predictor.depth // coding.cycle_bits)
    words, start = Phrases(environment), 0
    fields = []
    for name in (REWARD, OBSERVATION):
        bits = range(start, start + widths(coding)[name])
        fields.append(describe_field(nodes, past, name=name, bits=bits, words=words, rules=rules))
        start = bits.stop
    leaf = nodes.looks_at < 0
    gamma = float(nodes.gamma.sum())
    tree = TreeInWords(
        cycles_learned(nodes),
        int(leaf.sum()),
        float(nodes.bits[leaf].sum()) + gamma,
        gamma,
        int(nodes.looks_at.max(initial=-1)) + 1,
        (),
        tuple(fields),
    )
    return tree._replace(sentences=tuple(_sentences(tree)))


def cycles_learned(nodes: BestNodes) -> int:
    """Return how many cycles were learned: what was only taken in is in the history, and in no tree."""
    root = np.flatnonzero((nodes.parent < 0) & (nodes.tree == 0))
    return int((nodes.zeros + nodes.ones)[root].sum())


def _sentences(tree: TreeInWords) -> list[str]:
    """What a person would say first."""
    if not tree.cycle:
        return ["It has learned nothing yet."]
    size = f"After {_plural(tree.cycle, 'cycle', 'cycles')} its context trees have "
    size += f"{_plural(tree.leaves, 'leaf', 'leaves')} and need {tree.bits / tree.cycle:.3g} bits a cycle"
    said = [f"{size}, {_percent(tree.shape_bits / max(tree.bits, 1.0))} of them for the shape of the trees."]
    for field in tree.fields:
        said.append(f"{field.dependence()}.")
        for rule in field.rules[:SAID]:
            if rule.when != ALWAYS and not rule.of_bit:
                said.append(f"If {rule.when}: the {field.name} is {rule.then}.")
    lags = [look.part.lag for field in tree.fields for look in field.mattering]
    if lags:
        back = max(lags)
        said.append(
            f"Nothing matters that is more than {_plural(back, 'cycle', 'cycles', word=True)} ago."
            if back
            else "Nothing of earlier cycles matters."
        )
    return said


def _percent(share: float) -> str:
    return "< 1 %" if share < 0.005 else f"{100 * share:.0f} %"


def _plural(count: int, one: str, several: str, *, word: bool = False) -> str:
    return f"{counted(count) if word else format(count, ',')} {one if count == 1 else several}"

"""The best context trees of a predictor in words: what of the past matters for what, and how that grows.

The trees are those of context-tree maximising: of all that the mixture holds, the ones with the shortest code for what
was learned. The mixture predicts with all of them, and a little better; these are what one can read.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from aixi_approx.coding import Bits, Coding
from aixi_approx.display import paragraphs, table
from aixi_approx.environment import Environment
from aixi_approx.introspection.contexts import (
    ALWAYS,
    OBSERVATION,
    REWARD,
    Part,
    Past,
    Vocabulary,
    context_bit,
    counted,
    joined_by,
    listed,
    widths,
)
from aixi_approx.introspection.tree_rules import FieldTrees, Situation

if TYPE_CHECKING:
    from aixi_approx.predictors.context_tree import BestNodes

RULES = 8  # of a field, unless more are asked for: a person reads no more at once
SAID = 2  # rules of a field that are said as sentences
SURE = 0.9  # probability of the values that are named together; what is less likely goes without saying
VALUES = 3  # that are named at most
WHOLE = 0.5  # share of the cycles that the rules of whole values must tell of; else there are rules of single bits


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


class RuleInWords(NamedTuple):
    """What is predicted in some contexts.

    Attributes
    ----------
    when : str
        The contexts: "the action is listen, the last observation was left"; "always" where nothing matters.
    then : str
        The likeliest values, with their probabilities if there are several.
    count : int
        How many cycles of the history had such a context.
    probability : float
        Of the likeliest value.
    of_bit : bool
        Whether it tells of one bit of the field only.
    """

    when: str
    then: str
    count: int
    probability: float
    of_bit: bool = False


class Look(NamedTuple):
    """That the trees of a field look at a part of the past.

    Attributes
    ----------
    part : Part
        Which.
    saved : float
        Bits by which branching there shortens the code of what was learned: see `savings`.
    branches : int
        How many nodes of the trees branch there.
    """

    part: Part
    saved: float
    branches: int


class FieldInWords(NamedTuple):
    """The trees of a field, `reward` or `observation`.

    Attributes
    ----------
    name : str
        Of the field.
    leaves : int
        Of its trees.
    looks : tuple of Look
        What of the past they look at, the most useful first.
    rules : tuple of RuleInWords
        What they predict when, the most telling first: frequent, and not what is predicted on average.
    covered : float
        Share of the cycles that the rules tell of.
    """

    name: str
    leaves: int
    looks: tuple[Look, ...]
    rules: tuple[RuleInWords, ...]
    covered: float


class TreeInWords(NamedTuple):
    """The best context trees of a predictor, for people.

    Names in the texts come from the environment: escape them where they are shown.

    Attributes
    ----------
    cycle : int
        Cycles in the history.
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
            rows: list[tuple[object, ...]] = [(rule.when, rule.then, rule.count) for rule in field.rules]
            if field.rules and field.covered < 1:
                rows.append(("other contexts", f"{_percent(1 - field.covered)} of the cycles", None))
            name = f"{field.name}: {_plural(field.leaves, 'leaf', 'leaves')}"
            parts.append(table(name, rows, columns=("when", "then", "cycles")))
        return "".join(parts)

    def as_json(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        fields = [
            {
                **field._asdict(),
                "looks": [
                    {**look._asdict(), **look.part._asdict(), "part": look.part.in_words()} for look in field.looks
                ],
                "rules": [rule._asdict() for rule in field.rules],
            }
            for field in self.fields
        ]
        return {**self._asdict(), "sentences": list(self.sentences), "fields": fields}

    def text(self) -> str:
        """Return all of it as lines of text."""
        lines = [*self.sentences]
        for field in self.fields:
            lines += ["", f"{field.name}: {_plural(field.leaves, 'leaf', 'leaves')}"]
            for look in field.looks:
                saves = f"{look.saved:,.0f} bits" if look.saved >= 1.5 else "about a bit or less"
                lines.append(f"  looks at {look.part.in_words()}, which saves {saves}")
            for rule in field.rules:
                lines.append(f"  {rule.when}: {rule.then}  ({_plural(rule.count, 'cycle', 'cycles')})")
            if field.rules and field.covered < 1:
                lines.append(f"  and other contexts, in {_percent(1 - field.covered)} of the cycles")
        return "\n".join(lines)


class Growth(NamedTuple):
    """What is new in the trees of a predictor: see `difference`.

    Attributes
    ----------
    begun, forgotten : tuple of (str, Part)
        For which field they have begun to look at which part of the past, or do so no more.
    leaves : (int, int)
        Before and after.
    bits : (float, float)
        Description length before and after, in bits.
    """

    begun: tuple[tuple[str, Part], ...]
    forgotten: tuple[tuple[str, Part], ...]
    leaves: tuple[int, int]
    bits: tuple[float, float]

    def as_json(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        looks = {
            name: [{"for": field, **part._asdict(), "part": part.in_words()} for field, part in parts]
            for name, parts in (("begun", self.begun), ("forgotten", self.forgotten))
        }
        return {**looks, "leaves": list(self.leaves), "bits": list(self.bits)}

    def _repr_html_(self) -> str:
        """Return what is new, in words, for a notebook."""
        return paragraphs(self.sentences())

    def sentences(self) -> list[str]:
        """Return what is new as sentences; none if nothing is."""
        said = []
        for parts, verb in ((self.begun, "it now looks"), (self.forgotten, "it no longer looks")):
            for field in (REWARD, OBSERVATION):
                if found := [part for name, part in parts if name == field]:
                    said.append(f"for the {field}, {verb} at {joined_by('and', listed(found))}")
        return said


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
    words, saved, start = Vocabulary(environment), savings(nodes), 0
    fields = []
    for name in (REWARD, OBSERVATION):
        bits = range(start, start + widths(coding)[name])
        inside = (nodes.tree >= bits.start) & (nodes.tree < bits.stop)
        found, covered = _rules(nodes, coding, past=past, bits=bits, field=name, words=words, most=rules)
        leaves = int(np.count_nonzero(inside & (nodes.looks_at < 0)))
        looks = _looks(nodes, coding, inside=inside, saved=saved, field=name)
        fields.append(FieldInWords(name, leaves, looks, found, covered))
        start = bits.stop
    leaf = nodes.looks_at < 0
    gamma = float(nodes.gamma.sum())
    tree = TreeInWords(
        past.cycles,
        int(leaf.sum()),
        float(nodes.bits[leaf].sum()) + gamma,
        gamma,
        int(nodes.looks_at.max(initial=-1)) + 1,
        (),
        tuple(fields),
    )
    return tree._replace(sentences=tuple(_sentences(tree)))


def savings(nodes: BestNodes) -> NDArray[np.float64]:
    """Return by how many bits each branching of the best trees shortens the code, float64[n]; 0 in leaves.

    A branching saves the code of a leaf in its place less the codes of two leaves below it, each with its Gamma. Where
    that is less than nothing, it is there for the sake of those below, and half of what they save with it is its own.
    The sum over all is what the trees save against one leaf for each percept bit.
    """
    leaf = nodes.looks_at < 0
    below = nodes.parent >= 0
    as_leaf = nodes.bits + np.where(leaf, nodes.gamma, 1)  # a node that goes on is not at full depth: it pays to stop
    saved = np.where(leaf, 0.0, as_leaf - nodes.gamma)
    np.subtract.at(saved, nodes.parent[below], as_leaf[below])
    parent, total, share = nodes.parent.tolist(), saved.tolist(), [1.0] * len(saved)
    for node in range(len(parent) - 1, -1, -1):
        if parent[node] >= 0:
            total[parent[node]] += total[node]
    for node, own in enumerate(saved.tolist()):
        mine = share[parent[node]] if parent[node] >= 0 else 1.0
        saved[node] = mine * (own if own >= 0 else total[node] / 2)
        share[node] = mine if own >= 0 else mine * total[node] / 2 / (total[node] - own)
    return saved


def difference(earlier: TreeInWords | None, later: TreeInWords) -> Growth:
    """Return what the trees have begun to look at from one moment of learning to another, and what no more.

    Parameters
    ----------
    earlier : TreeInWords or None
        None for the moment before learning.
    later : TreeInWords
        Of the same agent.
    """

    def looks(tree: TreeInWords | None) -> list[tuple[str, Part]]:
        return [(field.name, look.part) for field in tree.fields for look in field.looks] if tree else []

    before, after = looks(earlier), looks(later)
    return Growth(
        tuple(look for look in after if look not in before),
        tuple(look for look in before if look not in after),
        (earlier.leaves if earlier else 0, later.leaves),
        (earlier.bits if earlier else 0.0, later.bits),
    )


def _looks(
    nodes: BestNodes, coding: Coding, *, inside: NDArray[np.bool_], saved: NDArray[np.float64], field: str
) -> tuple[Look, ...]:
    """What the trees of a field look at, but for the bits of the field itself that came before."""
    totals: dict[Part, list[float]] = defaultdict(lambda: [0.0, 0])
    for node in np.flatnonzero(inside & (nodes.looks_at >= 0)).tolist():
        part = context_bit(coding, int(nodes.tree[node]), place=int(nodes.looks_at[node])).part
        total = totals[part]
        total[0] += float(saved[node])
        total[1] += 1
    totals.pop(Part(0, field), None)
    looks = [Look(part, bits, int(branches)) for part, (bits, branches) in totals.items()]
    return tuple(sorted(looks, key=lambda look: -look.saved))


def _rules(
    nodes: BestNodes, coding: Coding, *, past: Past, bits: range, field: str, words: Vocabulary, most: int
) -> tuple[tuple[RuleInWords, ...], float]:
    """The most frequent rules of a field, and the share of the cycles that they tell of.

    Where a field has so many contexts that the most frequent ones are a small part, the rules are those of each bit.
    """
    if not past.cycles:
        return (), 0.0

    def situations(some: range) -> list[Situation]:
        return FieldTrees(nodes, coding, past=past, field=field, bits=some, start=bits.start).situations()

    def covered(found: list[Situation]) -> float:
        return sum(each.cycles for each in found) / past.cycles

    found = situations(bits)
    if covered(found) >= WHOLE or len(bits) == 1:
        found = found[:most]
        return tuple(_rule(each, past, words=words, field=field) for each in found), covered(found)
    rules, shares = [], []
    for bit in bits:
        found = situations(range(bit, bit + 1))[: -(-most // len(bits))]
        shares.append(covered(found))
        what = f"bit {bit - bits.start + 1} of {len(bits)} is "
        rules += [_rule(each, past, words=words, field=field, bit=what) for each in found]
    return tuple(rules[:most]), min(shares)


def _rule(situation: Situation, past: Past, *, words: Vocabulary, field: str, bit: str = "") -> RuleInWords:
    when = words.context(situation.codes, seen=past.codes)
    chances = sorted(situation.chances.items(), key=lambda item: -item[1])
    named, total = list[str](), 0.0
    for code, p in chances[:VALUES]:
        if total >= SURE:
            break
        total += p
        named.append(f"{bit}{code}" if bit else words.name(field, code))
    if len(named) > 1 or (chances and chances[0][1] < SURE):
        named = [f"{name} ({p:.2f})" for name, (_, p) in zip(named, chances, strict=False)]
    then = " or ".join(named) + (", or something else" if total < SURE else "")
    return RuleInWords(when, then, situation.cycles, chances[0][1] if chances else 0.0, bool(bit))


def _sentences(tree: TreeInWords) -> list[str]:
    """What a person would say first."""
    if not tree.cycle:
        return ["It has learned nothing yet."]
    size = f"After {_plural(tree.cycle, 'cycle', 'cycles')} its context trees have "
    size += f"{_plural(tree.leaves, 'leaf', 'leaves')} and need {tree.bits / tree.cycle:.3g} bits a cycle"
    said = [f"{size}, {_percent(tree.shape_bits / max(tree.bits, 1.0))} of them for the shape of the trees."]
    for field in tree.fields:
        said.append(f"{_dependence(field)}.")
        for rule in field.rules[:SAID]:
            if rule.when != ALWAYS and not rule.of_bit:
                said.append(f"If {rule.when}: the {field.name} is {rule.then}.")
    lags = [look.part.lag for field in tree.fields for look in field.looks]
    if lags:
        back = max(lags)
        said.append(
            f"Nothing matters that is more than {_plural(back, 'cycle', 'cycles', word=True)} ago."
            if back
            else "Nothing of earlier cycles matters."
        )
    return said


def _dependence(field: FieldInWords) -> str:
    """What a field depends on: "the reward depends on the action now (90 %) and ..."."""
    if not field.looks:
        always = f": it is {field.rules[0].then}" if field.rules and field.rules[0].when == ALWAYS else ""
        return f"For the {field.name}, nothing of the past matters{always}"
    total = sum(look.saved for look in field.looks)
    groups: dict[tuple[str, bool], list[Look]] = {}
    for look in field.looks:
        groups.setdefault((look.part.field, look.part.lag > 0), []).append(look)
    named = [(sum(each.saved for each in group), listed([each.part for each in group])[0]) for group in groups.values()]
    if len(named) == 1:
        return f"The {field.name} depends on {named[0][1]} alone"
    said = [f"{words} ({_percent(saved / total)})" for saved, words in sorted(named, reverse=True)]
    return f"The {field.name} depends on {joined_by('and', said)}, by what they save"


def _percent(share: float) -> str:
    return "< 1 %" if share < 0.005 else f"{100 * share:.0f} %"


def _plural(count: int, one: str, several: str, *, word: bool = False) -> str:
    return f"{counted(count) if word else format(count, ',')} {one if count == 1 else several}"

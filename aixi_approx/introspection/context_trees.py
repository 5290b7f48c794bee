"""The best context trees of a predictor in words: what of the past matters for what, and how that grows.

The trees are those of context-tree maximising: of all that the mixture holds, the ones with the shortest code for what
was learned. The mixture predicts with all of them, and a little better; these are what one can read.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from aixi_approx.coding import Bits, Coding
from aixi_approx.environment import Environment
from aixi_approx.introspection.contexts import (
    OBSERVATION,
    REWARD,
    Part,
    Past,
    Vocabulary,
    context_bit,
    counted,
    widths,
)
from aixi_approx.introspection.tree_rules import FieldTrees, Situation

if TYPE_CHECKING:
    from aixi_approx.predictors.context_tree import BestNodes

RULES = 8  # of a field, unless more are asked for: a person reads no more at once
SAID, LISTED = 2, 4  # rules of a field in a sentence; parts of the past in one
SURE = 0.9  # probability of the values that are named together; what is less likely goes without saying
VALUES = 3  # that are named at most
WHOLE = 0.5  # share of the cycles that the rules of whole values must tell of; else there are rules of single bits


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
    """

    when: str
    then: str
    count: int
    probability: float


class Look(NamedTuple):
    """That the trees of a field look at a part of the past.

    Attributes
    ----------
    part : str
        Which, in words: "the observation two cycles ago".
    lag : int
        How many cycles ago; 0 for the present one.
    saved : float
        Bits by which branching there shortens the code of what was learned, Gamma included. The parts of a field add
        up to what its trees save against single leaves. It may be below 0 for what is of use only with another part.
    branches : int
        How many nodes of the trees branch there.
    """

    part: str
    lag: int
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
        What they predict when, the most frequent first.
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

    def as_json(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        fields = [
            {
                **field._asdict(),
                "looks": [look._asdict() for look in field.looks],
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
                lines.append(f"  looks at {look.part}, which saves {look.saved:,.0f} bits")
            for rule in field.rules:
                lines.append(f"  {rule.when}: {rule.then}  ({_plural(rule.count, 'cycle', 'cycles')})")
            if field.rules and field.covered < 1:
                lines.append(f"  and other contexts, in {1 - field.covered:.0%} of the cycles")
        return "\n".join(lines)


class Growth(NamedTuple):
    """What is new in the trees of a predictor.

    Attributes
    ----------
    begun, forgotten : tuple of (str, str)
        For which field they have begun to look at which part of the past, or do so no more.
    leaves : (int, int)
        Before and after.
    bits : (float, float)
        Description length, bits per cycle, before and after.
    """

    begun: tuple[tuple[str, str], ...]
    forgotten: tuple[tuple[str, str], ...]
    leaves: tuple[int, int]
    bits: tuple[float, float]

    def text(self) -> str:
        """Return it as a sentence or a few."""
        said = [f"{_plural(self.leaves[0], 'leaf', 'leaves')} became {self.leaves[1]:,}"]
        said[0] += f"; {self.bits[1]:.3g} bits a cycle, before {self.bits[0]:.3g}."
        for parts, verb in ((self.begun, "It now looks"), (self.forgotten, "It no longer looks")):
            for field in (REWARD, OBSERVATION):
                if found := [part for name, part in parts if name == field]:
                    said.append(f"{verb}, for the {field}, at {_listed(found)}.")
        return " ".join(said)


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
    >>> from aixi_approx import build_agent, interact, make
    >>> tiger = make("tiger")
    >>> agent = build_agent(tiger, settings=tiger.settings._replace(simulations=1, decay=1.0), seed=1)
    >>> rows = list(interact(agent, tiger, cycles=200))
    >>> reward, observation = describe_trees(agent.predictor, tiger).fields
    >>> observation.rules[0].when, observation.rules[0].then
    ('the reward is not -1', 'nothing')
    """
    if not (hasattr(predictor, "best_nodes") and hasattr(predictor, "history")):
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

    A branching is worth the code of a leaf in its place less the codes of two leaves below it, each with its Gamma. So
    the sum over all is what the trees save against one leaf for each percept bit.
    """
    leaf = nodes.looks_at < 0
    as_leaf = nodes.bits + np.where(leaf, nodes.gamma, 1)  # a node that goes on is not at full depth: it pays to stop
    saved = np.where(leaf, 0.0, as_leaf - nodes.gamma)
    below = nodes.parent >= 0
    np.subtract.at(saved, nodes.parent[below], as_leaf[below])
    return saved


def difference(earlier: TreeInWords, later: TreeInWords) -> Growth:
    """Return what the trees have begun to look at from one moment of learning to another, and what no more."""

    def looks(tree: TreeInWords) -> list[tuple[str, str]]:
        return [(field.name, look.part) for field in tree.fields for look in field.looks]

    before, after = looks(earlier), looks(later)
    return Growth(
        tuple(look for look in after if look not in before),
        tuple(look for look in before if look not in after),
        (earlier.leaves, later.leaves),
        (earlier.bits / max(1, earlier.cycle), later.bits / max(1, later.cycle)),
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
    looks = [Look(part.in_words(), part.lag, bits, int(branches)) for part, (bits, branches) in totals.items()]
    return tuple(sorted(looks, key=lambda look: -look.saved))


def _rules(
    nodes: BestNodes, coding: Coding, *, past: Past, bits: range, field: str, words: Vocabulary, most: int
) -> tuple[tuple[RuleInWords, ...], float]:
    """The most frequent rules of a field, and the share of the cycles that they tell of.

    Where a field has so many contexts that the most frequent ones are a small part, the rules are those of each bit.
    """
    if not past.cycles:
        return (), 0.0

    def situations(bits: range, start: int) -> list[Situation]:
        return FieldTrees(nodes, coding, past=past, field=field, bits=bits, start=start).situations()[:most]

    found = situations(bits, bits.start)
    covered = sum(each.cycles for each in found) / past.cycles
    if covered >= WHOLE or len(bits) == 1:
        return tuple(_rule(each, past, words=words, field=field) for each in found), covered
    rules, shares = [], []
    for bit in bits:
        found = situations(range(bit, bit + 1), bits.start)
        shares.append(sum(each.cycles for each in found) / past.cycles)
        what = f"bit {bit - bits.start + 1} of {len(bits)} is "
        rules += [_rule(each, past, words=words, field=field, bit=what) for each in found]
    rules.sort(key=lambda rule: -rule.count)
    return tuple(rules[:most]), min(shares)


def _rule(situation: Situation, past: Past, *, words: Vocabulary, field: str, bit: str = "") -> RuleInWords:
    parts = sorted(situation.codes.items(), key=lambda item: (item[0].lag, item[0].field))
    when = ", ".join(words.says(part, codes, seen=past.codes(part.field)) for part, codes in parts) or "always"
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
    return RuleInWords(when, then, situation.cycles, chances[0][1] if chances else 0.0)


def _sentences(tree: TreeInWords) -> list[str]:
    """What a person would say first."""
    if not tree.cycle:
        return ["It has learned nothing yet."]
    size = f"After {_plural(tree.cycle, 'cycle', 'cycles')} its context trees have "
    size += f"{_plural(tree.leaves, 'leaf', 'leaves')} and need {tree.bits / tree.cycle:.3g} bits a cycle"
    said = [f"{size}, {tree.shape_bits / max(tree.bits, 1.0):.0%} of them for the shape of the trees."]
    for field in tree.fields:
        parts = [look.part for look in field.looks]
        if not parts:
            said.append(f"For the {field.name}, nothing of the past matters.")
        elif len(parts) == 1:
            said.append(f"The {field.name} depends on {parts[0]} alone.")
        else:
            said.append(f"The {field.name} depends on {_listed(parts)}.")
        for rule in field.rules[:SAID]:
            when = "Always" if rule.when == "always" else f"If {rule.when}"
            said.append(f"{when}: the {field.name} is {rule.then}.")
    lags = [look.lag for field in tree.fields for look in field.looks]
    if lags:
        back = max(lags)
        said.append(
            f"Nothing matters that is more than {_plural(back, 'cycle', 'cycles', word=True)} ago."
            if back
            else "Nothing of earlier cycles matters."
        )
    return said


def _listed(parts: list[str]) -> str:
    """Some parts of the past, the most useful first, in a sentence.

    >>> _listed(["a", "b"]), _listed(list("abcdef"))
    ('a and b', 'a, b, c, d and 2 more')
    """
    shown = parts if len(parts) <= LISTED + 1 else [*parts[:LISTED], f"{len(parts) - LISTED} more"]
    *first, last = shown
    return f"{', '.join(first)} and {last}" if first else last


def _plural(count: int, one: str, several: str, *, word: bool = False) -> str:
    return f"{counted(count) if word else format(count, ',')} {one if count == 1 else several}"

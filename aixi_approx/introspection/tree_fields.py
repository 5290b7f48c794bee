"""The trees of one field of a percept in words: what it depends on, and what is predicted when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from aixi_approx.introspection.contexts import Part, Past
from aixi_approx.introspection.phrases import ALWAYS, Phrases, joined_by, parts_listed
from aixi_approx.introspection.tree_rules import FieldTrees, Situation
from aixi_approx.introspection.worth import worth_of_parts

if TYPE_CHECKING:
    from aixi_approx.predictors.context_tree import BestNodes

LEAST_WORTH = 4.0  # bits: odds of 16 to 1; with a few dozen parts to look at, less comes by chance
SURE = 0.9  # probability of the values that are named together; what is less likely goes without saying
VALUES = 3  # that are named at most
WHOLE = 0.5  # share of the cycles that the rules of whole values must tell of; else there are rules of single bits


class RuleInWords(NamedTuple):
    """What is predicted in some contexts.

    Attributes
    ----------
    when : str
        The contexts: "the action is listen, the last observation was left"; "always" where nothing matters.
    then : str
        The likeliest values, with their probabilities if there are several.
    cycles : int
        How many cycles of the history had such a context.
    probability : float
        Of the likeliest value.
    of_bit : bool
        Whether it tells of one bit of the field only.
    """

    when: str
    then: str
    cycles: int
    probability: float
    of_bit: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        return {"when": self.when, "then": self.then, "count": self.cycles, "probability": self.probability}


class Look(NamedTuple):
    """That the trees of a field look at a part of the past.

    Attributes
    ----------
    part : Part
        Which.
    saved : float
        What it is worth, in bits of code length: see `worth_of_parts`.
    """

    part: Part
    saved: float

    @property
    def matters(self) -> bool:
        """Whether it is of use, and does not only lie between others that are."""
        return self.saved >= LEAST_WORTH


class FieldInWords(NamedTuple):
    """The trees of a field, `reward` or `observation`.

    Attributes
    ----------
    name : str
        Of the field.
    leaves : int
        Of its trees.
    looks : tuple of Look
        What of the past they look at, what is worth most first.
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

    @property
    def mattering(self) -> list[Look]:
        """What it depends on, what is worth most first."""
        return [look for look in self.looks if look.matters]

    def dependence(self) -> str:
        """Return what it depends on, what is worth most first: "The reward depends on the action now and ..."."""
        if not self.mattering:
            always = f": it is {self.rules[0].then}" if self.rules and self.rules[0].when == ALWAYS else ""
            return f"For the {self.name}, nothing of the past matters{always}"
        said = parts_listed(look.part for look in self.mattering)
        return f"The {self.name} depends on {joined_by('and', said)}{' alone' * (len(said) == 1)}"

    def as_json(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        looks = [{**look.part._asdict(), "part": look.part.in_words(), "saved": look.saved} for look in self.looks]
        return {**self._asdict(), "looks": looks, "rules": [rule.as_json() for rule in self.rules]}


def describe_field(nodes: BestNodes, past: Past, *, name: str, bits: range, words: Phrases, rules: int) -> FieldInWords:
    """Return the trees of a field in words.

    Parameters
    ----------
    nodes : BestNodes
        Of all trees.
    past : Past
        The history.
    name : str
        `reward` or `observation`.
    bits : range
        Its percept bits.
    words : Phrases
        The names of the environment.
    rules : int
        At most.
    """
    leaves = int(np.count_nonzero((nodes.tree >= bits.start) & (nodes.tree < bits.stop) & (nodes.looks_at < 0)))
    worth = worth_of_parts(nodes, past.coding, trees=bits)
    worth.pop(Part(0, name), None)  # its own bits that come before
    looks = tuple(sorted((Look(*each) for each in worth.items()), key=lambda look: -look.saved))
    told = [look.part for look in looks if look.matters]
    found, covered = _rules(nodes, past, words=words, bits=bits, field=name, told=told, most=rules)
    return FieldInWords(name, leaves, looks, found, covered)


def _rules(
    nodes: BestNodes, past: Past, *, words: Phrases, bits: range, field: str, told: list[Part], most: int
) -> tuple[tuple[RuleInWords, ...], float]:
    """The most frequent rules of a field, and the share of the cycles that they tell of.

    Where a field has so many contexts that the most frequent ones are a small part, the rules are those of each bit.
    """
    if not past.cycles:
        return (), 0.0

    def situations(some: range) -> list[Situation]:
        return FieldTrees(nodes, past, field=field, bits=some, start=bits.start).situations(told)

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


def _rule(situation: Situation, past: Past, *, words: Phrases, field: str, bit: str = "") -> RuleInWords:
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

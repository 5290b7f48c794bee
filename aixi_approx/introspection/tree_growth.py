"""How the context trees of an agent grow: what they begin to look at, and what no more."""

from __future__ import annotations

from typing import Any, NamedTuple

from aixi_approx.introspection.context_trees import TreeInWords
from aixi_approx.introspection.contexts import OBSERVATION, REWARD, Part
from aixi_approx.introspection.phrases import joined_by, parts_listed


class Growth(NamedTuple):
    """What is new in the trees of a predictor: see `growth_between`.

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

    def sentences(self) -> list[str]:
        """Return what is new as sentences; none if nothing is."""
        said = []
        for parts, verb in ((self.begun, "it now looks"), (self.forgotten, "it no longer looks")):
            for field in (REWARD, OBSERVATION):
                if found := [part for name, part in parts if name == field]:
                    said.append(f"for the {field}, {verb} at {joined_by('and', parts_listed(found))}")
        return said


def growth_between(earlier: TreeInWords | None, later: TreeInWords) -> Growth:
    """Return what the trees have begun to look at from one moment of learning to another, and what no more.

    Parameters
    ----------
    earlier : TreeInWords or None
        None for the moment before learning.
    later : TreeInWords
        Of the same agent.
    """

    def looks(tree: TreeInWords | None) -> list[tuple[str, Part]]:
        return [(field.name, look.part) for field in tree.fields for look in field.mattering] if tree else []

    before, after = looks(earlier), looks(later)
    return Growth(
        tuple(look for look in after if look not in before),
        tuple(look for look in before if look not in after),
        (earlier.leaves if earlier else 0, later.leaves),
        (earlier.bits if earlier else 0.0, later.bits),
    )

"""Specifications of planners: which one, with which options; as data, and as a short text.

dpuct                          by its name; my_planner.py:Mine is another
rhouct+ucb:0.7                  with an option of its own
one-ply+majority:8              eight searches that share the simulations of a decision, and vote
pooled:4+seconds:0.01           four that share ten milliseconds and pool what they found: dpuct, unless named
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, Self

from aixi_approx.validation import check_choice

MAJORITY, POOLED = JOINS = ("majority", "pooled")
PLAIN_RULES = ("ucb", "round-robin", "spread")
RULES = (*PLAIN_RULES, "prior", "follow")  # of selection, the last two by a policy; their numbers are their places
EXACT, SAMPLED = LEAVES = ("exact", "sampled")
ALL, BETTER, EXPLORED, DRAWN = LESSONS = ("all", "better", "explored", "drawn")
NEVER, CERTAIN = STOPS = ("never", "certain")
DEFAULT = "dpuct"


class PlannerSpec(NamedTuple):
    """A planner and its options. What is None is left to the planner; an option that it does not take is refused.

    Examples
    --------
    >>> PlannerSpec.parse("one-ply+majority:8")
    PlannerSpec(name='one-ply', join='majority', searches=8)
    >>> str(PlannerSpec.parse("dpuct+seconds:0.01")), str(PlannerSpec("rhouct", ucb=0.7))
    ('seconds:0.01', 'rhouct+ucb:0.7')
    """

    name: str = DEFAULT
    """One of `PLANNERS`, a class in a file or of an installed package, with parameters or without."""
    horizon: int | None = None
    """Cycles that it looks ahead."""
    simulations: int | None = None
    """Of a decision, all searches together."""
    seconds: float | None = None
    """That a decision may take, in place of a number of simulations."""
    rule: str | None = None
    """How a search chooses among the actions of a node, one of `RULES`."""
    ucb: float | None = None
    """Weight of exploration in UCB."""
    policy: str | None = None
    """What learns the decisions of the search, guides it, and can act alone: `learned`, or a class of your own."""
    lessons: str | None = None
    """Which decisions the policy learns, one of `LESSONS`."""
    rollout: str | None = None
    """How a simulation acts beyond the tree: one of `ROLLOUTS`, or a class of your own; by default the policy."""
    leaves: str | None = None
    """Where the value of a leaf comes from, one of `LEAVES`: the expected return of uniform actions, or a rollout."""
    stop: str | None = None
    """When a decision ends before all its simulations are made, one of `STOPS`."""
    memo: bool | None = None
    """Whether probabilities are kept within a search, which changes its time and nothing else."""
    prune: float | None = None
    """Probability below which an imagined path is left out."""
    memory_cycles: int | None = None
    """Cycles that make up a state."""
    depth: int | None = None
    """Bits of context of what a planner learns itself, beside the predictor or in place of it."""
    levels: int | None = None
    """Into how many a return that is predicted is divided at most."""
    join: str | None = None
    """How independent searches are joined: `majority` or `pooled`."""
    searches: int | None = None
    """How many independent searches."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the specification that a text stands for.

        Raises
        ------
        ValueError
            If it can't be read. Whether there is such a planner is found out when it is built.
        """
        name, *rest = text.split("+")
        first = name.partition(":")[0]
        if first in (*JOINS, *OPTIONS):
            name, rest = DEFAULT, [name, *rest]
        spec = cls(name)
        for part in rest:
            option, _, value = part.partition(":")
            fields = _read(option, value, text)
            if twice := [field for field in fields if getattr(spec, field) is not None]:
                raise ValueError(f"planner {text!r}: {twice[0]} is given twice: leave one out")
            spec = spec._replace(**fields)
        return spec

    def options(self) -> dict[str, Any]:
        """Return the options that are given, but for the name and how searches are joined."""
        given = self._asdict().items()
        return {name: value for name, value in given if value is not None and name not in ("name", "join", "searches")}

    def as_json(self) -> dict[str, Any]:
        """Return what is given, as JSON has it."""
        return {name: value for name, value in self._asdict().items() if value is not None}

    def __str__(self) -> str:
        """Return the short text, from which `parse` makes the same specification."""
        return self._text(self.options())

    @property
    def title(self) -> str:
        """The short text without what all planners of a run or a study have in common: horizon and simulations."""
        options = self.options().items()
        return self._text({name: value for name, value in options if name not in ("horizon", "simulations")})

    def _text(self, options: Mapping[str, Any]) -> str:
        parts = [f"{self.join}:{self.searches}"] if self.join else []
        for name, value in options.items():
            parts.append(f"{name}:{_written(value)}")
        named = self.name != DEFAULT or not (self.join or self.seconds is not None)
        return "+".join([self.name] * named + parts)

    def __repr__(self) -> str:
        """Return it without what is left to the planner."""
        given = [f"{name}={value!r}" for name, value in self.as_json().items()]
        return f"{type(self).__name__}({', '.join(given)})"


def _written(value: Any) -> str:
    """An option's value as it is read again; a number has no plus sign, which stands between options."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace("e+", "e") if isinstance(value, float) else str(value)


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise ValueError
    return number


def _natural(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text) < 1:
        raise ValueError
    return int(text)


def _flag(text: str) -> bool:
    return {"true": True, "false": False}[text]


OPTIONS: dict[str, tuple[Callable[[str], Any], str]] = {  # and how their values are read
    "horizon": (_natural, "a whole number of cycles"),
    "simulations": (_natural, "a whole number"),
    "seconds": (_positive, "a number of seconds above 0"),
    "rule": (str, "a name"),
    "ucb": (float, "a number"),
    "policy": (str, "a name"),
    "lessons": (str, "a name"),
    "rollout": (str, "a name"),
    "leaves": (str, "a name"),
    "stop": (str, "a name"),
    "memo": (_flag, "true or false"),
    "prune": (float, "a probability"),
    "memory_cycles": (int, "a whole number of cycles"),
    "depth": (_natural, "a whole number of bits"),
    "levels": (_natural, "a whole number"),
}


def _read(option: str, value: str, text: str) -> dict[str, Any]:
    """The fields that a part of a short text sets."""
    option = option.replace("-", "_")
    try:
        if option in JOINS:
            return {"join": option, "searches": _natural(value)}
        check_choice("an option", option, (*JOINS, *OPTIONS))
    except ValueError as error:
        what = str(error) or f"{option} takes a number of searches, as in {option}:8"
        raise ValueError(f"planner {text!r}: {what}") from None
    read, what = OPTIONS[option]
    with suppress(ValueError, KeyError):
        return {option: read(value)}
    raise ValueError(f"planner {text!r}: {option} is {value!r}: it must be {what}")

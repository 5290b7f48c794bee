"""What users give, checked once at the edge; and what goes wrong in their code, in one line."""

from __future__ import annotations

import math
import operator
import traceback
from collections.abc import Collection, Container
from pathlib import Path

STANDARD = ("abc", "builtins", "typing")  # modules that every class may be derived from


def as_integer(name: str, number: int, least: int, most: int) -> int:
    """Return a whole number as Python has it.

    Raises
    ------
    ValueError
        If it is not whole, or out of range.
    """
    try:
        number = operator.index(number)
    except TypeError:
        raise ValueError(f"{name} is {number!r}: it must be a whole number") from None
    if not least <= number <= most:
        raise ValueError(f"{name} is {number}: it must lie in {least} to {most}")
    return number


def check_positive(name: str, number: float) -> float:
    """Return a number if it is above 0, and finite.

    Raises
    ------
    ValueError
        If it is not.
    """
    if not 0 < number < math.inf:
        raise ValueError(f"{name} is {number}: it must be a number above 0")
    return number


def check_choice(name: str, word: str, words: Collection[str]) -> str:
    """Return a word if it is one of those there are.

    Raises
    ------
    ValueError
        If it is none of them.
    """
    if word not in words:
        raise ValueError(f"{name} is {word!r}: it must be one of {', '.join(words)}")
    return word


def own_modules(*kinds: type[object]) -> set[str]:
    """Return the modules outside this package that classes, and those that they are derived from, stand in."""
    modules = {base.__module__ for kind in kinds for base in kind.__mro__}
    return {module for module in modules if not module.startswith("aixi_approx.") and module not in STANDARD}


def lines_in(error: BaseException, modules: Container[object]) -> list[tuple[str, int]]:
    """Return the files and lines of these modules that an error came through, the last one where it was raised."""
    frames = list(traceback.walk_tb(error.__traceback__))
    return [(frame.f_code.co_filename, line) for frame, line in frames if frame.f_globals.get("__name__") in modules]


def describe_error(error: BaseException, modules: Container[object]) -> str:
    """Return an error in a few words: its kind, what it says, and the last line of one of these modules on its way."""
    lines = lines_in(error, modules)
    where = f" ({Path(lines[-1][0]).name}, line {lines[-1][1]})" if lines else ""
    try:
        said = str(error)
    except Exception:
        said = "it can't be told"
    return f"{type(error).__name__}{': ' * bool(said)}{said}{where}"


def shown(value: object, most: int = 80) -> str:
    """Return a value of the user's own as it is shown in a message: no longer than so many characters.

    >>> shown("a" * 100, most=10)
    "'aaaaaaaaa"
    """
    try:
        return f"{value!r:.{most}}"
    except Exception:
        return f"a {type(value).__name__}"

"""Numbers that users give, checked once at the edge."""

from __future__ import annotations

import operator


def whole(name: str, number: int, least: int, most: int) -> int:
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

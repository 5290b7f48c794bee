"""Names and numbers as people read them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

NAMED = 3  # names in a row before "5 more"


def word(name: Hashable) -> str:
    """Return the name of a state, action or observation for people.

    >>> word("left"), word(("king", "bet")), word((0, "key")), word((1, 2)), word(7)
    ('left', 'king bet', '0 key', '(1, 2)', '7')
    """
    if isinstance(name, tuple) and {type(part) for part in name} in ({str}, {str, int}):
        return " ".join(map(str, name))
    return str(name)


def two_digits(p: float) -> str:
    """Return a probability with two digits.

    >>> two_digits(0.5), two_digits(1), two_digits(0.999), two_digits(1e-5)
    ('0.50', '1', '>0.99', '<0.01')
    """
    if p > 1 - 1e-9:
        return "1"
    return "<0.01" if p < 0.005 else ">0.99" if p >= 0.995 else f"{p:.2f}"


def some(names: Iterable[str], *, most: int = NAMED) -> list[str]:
    """Return different names, and how many there are that are left out.

    >>> some("abacde")
    ['a', 'b', 'c', '2 more']
    """
    distinct = list(dict.fromkeys(names))
    left = len(distinct) - most
    return distinct if left <= 1 else [*distinct[:most], f"{left:,} more"]


def listed(names: Iterable[str]) -> str:
    """Return different names in a row."""
    return ", ".join(some(names))


def beginning(names: Sequence[Hashable], most: int = 12) -> str:
    """Return the first of some names in a row, and how many there are besides; there may be very many.

    >>> beginning(range(10**9), most=2), beginning(("sun", "rain"))
    ('0, 1 and 999,999,998 more', 'sun, rain')
    """
    first = [word(names[i]) for i in range(min(most, len(names)))]
    left = len(names) - len(first)
    return ", ".join(first) + (f" and {left:,} more" if left else "")


def number(value: float | None, digits: int = 3) -> str:
    """Return a number for people, who read "unknown" where there is none.

    >>> number(None), number(1 / 3), number(-1e-17)
    ('unknown', '0.333', '0.000')
    """
    return "unknown" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"


def size(count: float) -> str:
    """Return a number of bytes for people.

    >>> size(2_500_000)
    '2.5 MB'
    """
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"

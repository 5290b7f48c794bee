"""Tables of pandas, which need not be installed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def frame(rows: Iterable[Any]) -> Any:
    """Return rows as a pandas DataFrame: those of `interact`, `evaluate`, `recorded_rows` or `read_rows`.

    Parameters
    ----------
    rows : iterable
        Each a mapping, or a tuple with named fields such as a `Row`.

    Returns
    -------
    pandas.DataFrame
        A column for each field.

    Raises
    ------
    ValueError
        If pandas is not installed, or a row has no named fields.

    Examples
    --------
    >>> from aixi_approx import build_agent, interact, make
    >>> coin = make("coin-flip")
    >>> frame(interact(build_agent(coin, seed=1), coin, cycles=4))["cycle"].tolist()
    [0, 1, 2, 3]
    """
    try:
        from pandas import DataFrame
    except ImportError:
        raise ValueError("a DataFrame is one of pandas, which is not installed: pip install pandas") from None
    return DataFrame([_fields(row) for row in rows])


def _fields(row: Any) -> Mapping[str, Any]:
    """The named fields of a row."""
    if isinstance(row, Mapping):
        return row
    if not hasattr(row, "_asdict"):
        raise ValueError(f"{row!r:.60} is no row: give mappings, or tuples with named fields, as `interact` yields")
    fields: Mapping[str, Any] = row._asdict()
    return fields

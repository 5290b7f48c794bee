"""How objects show themselves in a notebook: HTML tables that read on light and on dark paper, everything escaped."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from html import escape
from numbers import Integral, Real

NUMBER = re.compile(r"[-+±<>]?\s?[\d,]+(\.\d+)?(e[-+]?\d+)?( ?%| [kMG]?B)?|unknown")  # a text that is one
LINE = "1px solid currentColor"
LEFT, RIGHT = "text-align:left", "text-align:right;font-variant-numeric:tabular-nums"
CELL = "padding:0.15em 0.8em 0.15em 0;vertical-align:top;background:none;border:0"

Row = Sequence[object] | str


def table(title: str, rows: Iterable[Row], *, columns: Sequence[str] | None = None, note: str = "") -> str:
    """Return an HTML table. Its style is inline, and its colours are those of the page.

    Parameters
    ----------
    title : str
        Stands above the table; nothing for none.
    rows : iterable
        A row is a sequence of cells: texts, numbers, or None for an empty one. A column of numbers, or of texts that
        are numbers, stands on the right. A row that is a text and no sequence is a heading of the rows below it.
    columns : sequence of str, optional
        Names of the columns.
    note : str, default: ""
        Stands below the table.

    Returns
    -------
    str
        Well-formed HTML, in one line if the texts are. Everything given is escaped.

    Examples
    --------
    >>> html = table("an <agent>", [("cycles", 12_000), "cost", ("nodes", 7)], columns=("", "so many"), note="Yes.")
    >>> "an &lt;agent&gt;" in html, "12,000" in html
    (True, True)
    """
    given = [row if isinstance(row, str) else [*row] for row in rows]
    width = max([len(columns or ()), 1, *(len(row) for row in given if not isinstance(row, str))])
    sides = [RIGHT if _numeric(given, column) else LEFT for column in range(width)]
    parts = ['<table style="border-collapse:collapse;border:0;margin:0.5em 0">']
    if title:
        parts.append(f'<caption style="{LEFT};caption-side:top;font-weight:bold">{_escaped(title)}</caption>')
    if columns:
        pairs = zip(columns, sides, strict=False)
        heads = (f'<th scope="col" style="{CELL};{side}">{_escaped(name)}</th>' for name, side in pairs)
        parts.append(f'<thead style="border-bottom:{LINE}"><tr style="background:none">{"".join(heads)}</tr></thead>')
    parts.append("<tbody>")
    for row in given:
        if isinstance(row, str):
            head = (
                f'<th colspan="{width}" scope="rowgroup" style="{CELL};{LEFT};padding-top:0.6em">{_escaped(row)}</th>'
            )
            parts.append(f'<tr style="background:none">{head}</tr>')
        else:
            cells = (
                f'<td style="{CELL};{side}">{_escaped(in_words(cell))}</td>'
                for cell, side in zip(row, sides, strict=False)
            )
            parts.append(f'<tr style="background:none">{"".join(cells)}</tr>')
    parts.append("</tbody></table>")
    return "".join(parts) + (paragraphs([note]) if note else "")


def paragraphs(texts: Iterable[str]) -> str:
    """Return texts as HTML, each a paragraph.

    >>> paragraphs(["1 < 2", "so it is"])
    '<p style="margin:0.3em 0">1 &lt; 2</p><p style="margin:0.3em 0">so it is</p>'
    """
    return "".join(f'<p style="margin:0.3em 0">{_escaped(text)}</p>' for text in texts)


def parameters(part: object) -> dict[str, object]:
    """Return the options that a predictor or a planner has as attributes: numbers and texts, of other things the kind.

    >>> from aixi_approx.predictors import FactoredContextTree
    >>> parameters(FactoredContextTree(8, 1, 3))
    {'depth': 8}
    """
    told: dict[str, object] = {}
    for name in getattr(part, "options", ()):
        value = getattr(part, name, None)
        if value is not None:
            told[name] = value if isinstance(value, Real | str) else type(value).__name__
    return told


def in_words(cell: object) -> str:
    """Return a cell of a table as people read it: whole numbers with commas, others with four digits.

    >>> [in_words(cell) for cell in (12345, 0.123456, -0.0, float("nan"), float("inf"), None, True, "text")]
    ['12,345', '0.1235', '0', '', 'infinite', '', 'yes', 'text']
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, Integral):
        return f"{int(cell):,}"
    if isinstance(cell, Real):
        value = float(cell)
        if math.isinf(value):
            return "infinite" if value > 0 else "-infinite"
        return "" if math.isnan(value) else f"{value + 0.0:,.4g}"
    return str(cell)


def _escaped(text: str) -> str:
    """A text in HTML; characters that no HTML may hold are left out."""
    return escape("".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text))


def _is_number(cell: object) -> bool:
    text = isinstance(cell, str) and NUMBER.fullmatch(cell) is not None
    return text or (isinstance(cell, Real) and not isinstance(cell, bool))


def _numeric(rows: Iterable[Row], column: int) -> bool:
    """Whether all that stands in a column is numbers, but for what is left out."""
    cells = [row[column] for row in rows if not isinstance(row, str) and column < len(row)]
    known = [cell for cell in cells if cell is not None and cell != ""]
    return bool(known) and all(map(_is_number, known))

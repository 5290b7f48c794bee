"""The page that replays a run: one HTML file with its data, its style and its script in it, which asks no network.

Template, style and scripts are the files of `assets`. The data is JSON in the page, in a form that no browser takes for
markup whatever texts are in it; the script puts texts on the page as texts only. A policy in the page (Content Security
Policy) names the one style and the one script by their hashes, and lets the page load nothing else.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import json
import math
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aixi_approx.archive import replace_file

# In this order they are one script.
SCRIPTS = ("text.js", "run.js", "timeline.js", "decision.js", "panels.js", "tree.js", "header.js", "page.js")

DIGITS = 7  # of a number that is no whole one: the page shows at most five
WHOLE = 64  # one picture of so many is written whole, so that any is made of few others
NEAR = 4  # equal characters between two changes cost more if they are left out

# What would end the JSON in the page or begin a comment; what old scripts took for the end of a line; half characters.
UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


def write_page(data: Mapping[str, Any], path: Path | str) -> None:
    """Write the page of a run to a file, whole or not at all.

    Parameters
    ----------
    data : mapping of str to object
        What the page shows, as `page_html` takes it.
    path : path-like
        Of the file; one that is there is replaced.

    Raises
    ------
    OSError
        If the file can't be written.
    """
    text, path = page_html(data), Path(path).resolve()
    if path.exists() and not path.is_file():  # a device
        path.write_text(text, encoding="utf-8", newline="\n")
        return
    replace_file(path, lambda draft: draft.write_text(text, encoding="utf-8", newline="\n"))


def page_html(data: Mapping[str, Any] | None, *, live: str = "") -> str:
    """Return the page of a run.

    Parameters
    ----------
    data : mapping of str to object, or None
        What the page shows: environment, agent, parts, curve, score, steps, pictures, moments and trees of a recording.
        Numbers are written with 7 digits; NaN and infinite ones as null. None for a live page that has yet to begin.
    live : str, optional
        The address of a stream of events, on the server that the page comes from, which sends the data and what is
        added to it later; none for a page that is complete.

    Returns
    -------
    str
        HTML that needs no other file.

    Examples
    --------
    >>> page = page_html({"environment": {"name": "</script><script>alert(1)</script>"}})
    >>> "alert(1)</script>" in page
    False
    """
    name = str((data or {}).get("environment", {}).get("name", "")) or "live"
    style, script = asset("page.css"), "\n".join(map(asset, SCRIPTS))
    rules = ["default-src 'none'", f"style-src {_hash(style)}", f"script-src {_hash(script)}", "img-src data:"]
    parts = {
        "title": html.escape(name.translate(dict.fromkeys(range(0xD800, 0xE000), "\ufffd"))),
        "policy": "; ".join([*rules, *(["connect-src 'self'"] if live else [])]),
        "live": f' data-live="{html.escape(live)}"' if live else "",
        "style": style,
        "script": script,
        "data": json_in_html(packed(data) if data else None),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], asset("page.html"))


@functools.cache
def asset(name: str) -> str:
    """Return the text of a file of the page."""
    return files("aixi_approx.viewer").joinpath("assets", name).read_text(encoding="utf-8")


def json_in_html(value: Any) -> str:
    r"""Return JSON that is harmless in an HTML page, whatever texts are in it.

    >>> json_in_html(["</script>", float("nan"), 0.1 + 0.2])
    '["\\u003c/script\\u003e",null,0.3]'
    """
    text = json.dumps(_plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _plain(value: Any) -> Any:
    """A value of what JSON has: finite numbers with few digits, lists, texts."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        rounded = float(f"{value:.{DIGITS}g}")
        return int(rounded) if rounded.is_integer() and abs(rounded) < 10**DIGITS else rounded
    if isinstance(value, Iterable):
        return [_plain(each) for each in value]
    raise TypeError(f"{type(value).__name__} is nothing that JSON has")


def packed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data with its pictures as `packed_pictures` has them."""
    return {**data, "pictures": packed_pictures(data.get("pictures", ()))}


def packed_pictures(pictures: Iterable[str]) -> list[Any]:
    """Return pictures, most of them as what has changed since the one before: position, new text, position, ...

    Positions count characters (code points). A picture whose text has another length, or of which most has changed,
    stands there whole.

    >>> packed_pictures(["#C......#", "#.C.....#", "#.C.....#", "short"])
    ['#C......#', [1, '.C'], [], 'short']
    """
    result: list[Any] = []
    before = np.zeros(0, dtype=np.uint32)
    for i, picture in enumerate(pictures):
        letters = np.frombuffer(picture.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        whole = i % WHOLE == 0 or len(letters) != len(before)
        change = [] if whole else _change(before, letters, picture)
        cost = sum(len(str(each)) + 2 for each in change)
        result.append(picture if whole or cost > len(picture) else change)
        before = letters
    return result


def _change(before: NDArray[np.uint32], now: NDArray[np.uint32], picture: str) -> list[Any]:
    """Where a picture differs from another of its length: position, text, position, text, ..."""
    different = np.flatnonzero(before != now)
    if not len(different):
        return []
    apart = np.flatnonzero(np.diff(different) > NEAR)
    first, last = different[np.r_[0, apart + 1]], different[np.r_[apart, len(different) - 1]] + 1
    return [each for a, b in zip(first.tolist(), last.tolist(), strict=True) for each in (a, picture[a:b])]


def _hash(text: str) -> str:
    """The source expression of a text in a Content Security Policy; the template has a line break around it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(f'{chr(10)}{text}'.encode()).digest()).decode()}'"

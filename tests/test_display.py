"""What objects show of themselves in a notebook: well-formed HTML, everything escaped, and one line of text."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from aixi_approx.display import paragraphs, preformatted, table

TAGS = {"table", "caption", "thead", "tbody", "tr", "th", "td", "p", "pre"}


class Checked(HTMLParser):
    """Reads HTML, and refuses what isn't well-formed, or is no tag or attribute of ours."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        assert {name for name, _ in attributes} <= {"style", "scope", "colspan"}, attributes
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def texts(html: str) -> list[str]:
    """The texts of HTML that is well-formed."""
    reader = Checked()
    reader.feed(html)
    reader.close()
    assert not reader.open
    return reader.texts


HOSTILE = st.text() | st.sampled_from(["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "&lt;", "<!--"])


@given(HOSTILE, HOSTILE, st.lists(HOSTILE | st.tuples(HOSTILE, st.floats() | st.integers() | st.none())))
def test_whatever_stands_in_a_table_is_text(title: str, note: str, rows: list[object]) -> None:
    shown = "".join(texts(table(title, rows, columns=(note, title), note=note)))  # type: ignore[arg-type]
    for text in (title, note):
        assert text.replace("\r", "") in shown or not text.isprintable()
    texts(paragraphs([title, note]) + preformatted(note))


def test_numbers_stand_on_the_right() -> None:
    for number in (3, 0.25, "-1.035", "< 0.01", "12,000", "3.61 MB", "47 %", "unknown", "± 0.2"):
        assert "text-align:right" in table("", [(number,)]), number
    for text in ("listen", "3 doors", "95 % in 0.6 to 1.4", "", True, None):
        assert "text-align:right" not in table("", [(text,)]), text

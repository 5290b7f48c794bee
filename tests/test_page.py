"""The page of a run: it needs nothing from outside, no text in it is taken for markup, its data comes back."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import json
import math
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example as example_of
from hypothesis import given
from hypothesis import strategies as st
from test_architecture import ROOT

from aixi_approx.viewer.page import DIGITS, SCRIPTS, asset, json_in_html, packed_pictures, page_html, write_page

ASSETS = ROOT / "aixi_approx" / "viewer" / "assets"
HOSTILE = "</script><img src=x onerror=alert(1)><!--\u2028\u2029<script>&amp;\x00\ud800"
EVENTS, NODE = "events?token=a&b=\"'<", shutil.which("node")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def example(name: str = "tiger") -> dict[str, Any]:
    """A recording of two cycles, one with a full moment."""
    action = {"action": 0, "name": name, "value": -1.5, "deviation": None, "visits": 3, "prior": None, "reward": -1}
    expected = {"entropy": 1, "rest": 0, "percepts": [[0, -1, 0.5], [1, -1, 0.5]], "observations": [], "rewards": []}
    moment = {
        "cycle": 1,
        "action": 0,
        "explored": False,
        "simulations": 3,
        "horizon": 2,
        "actions": [action | expected],
    }
    known = {"line": [], "came": None, "truth": None, "words": [name]}
    columns = ("cycle", "action", "observation", "reward", "explored", "loss", "mean", "picture")
    return {
        "format": 1,
        "environment": {"name": name, "rules": name, "actions": [name], "observations": [name, "b"], "optimum": None},
        "agent": [["model", name]],
        "parts": [{"name": "learning", "first": 0, "cycles": 2}],
        "curve": {"cycle": [0], "reward": [-1], "loss": [1]},
        "score": None,
        "steps": {column: [0, 1] for column in columns},
        "pictures": [name, name + "."],
        "moments": {"1": moment | known},
        "trees": [],
        "thinned": "",
    }


class Parts(html.parser.HTMLParser):
    """What a browser finds in a page: elements with their attributes, and the texts in them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.inside = dict(attrs).get("type") or tag

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        self.texts.append((self.inside, data))

    def text(self, kind: str) -> str:
        return "".join(data for each, data in self.texts if each == kind)


def data_of(page: str) -> Any:
    """The data in a page."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def unpacked(pictures: list[Any]) -> list[str]:
    """The pictures that `packed_pictures` has packed."""
    whole: list[str] = []
    for each in pictures:
        letters = list(each if isinstance(each, str) else whole[-1])
        for place, text in zip(each[::2], each[1::2], strict=True) if not isinstance(each, str) else ():
            letters[place : place + len(text)] = text
        whole.append("".join(letters))
    return whole


def test_it_needs_nothing_from_outside() -> None:
    page = page_html(example())
    assert re.findall(r"https?://[^\s\"']*", page) == ["http://www.w3.org/2000/svg"]
    own = re.sub(r"http://www.w3.org/2000/svg|(?m:(?<=\s)//.*$)", "", page)
    assert "//" not in own, "an address without its protocol"
    script = Parts(page).text("script")
    assert not re.findall(r"\bimport\b\s*[({'\"*]|\bfetch\(|XMLHttpRequest|WebSocket|sendBeacon|@import|url\(", own)
    assert script.count("EventSource(") == 1, "of a live page only"
    for tag, attributes in Parts(page).found:
        assert not attributes.keys() & {"src", "srcset", "action", "style"} | {k for k in attributes if k[:2] == "on"}
        assert (attributes.get("href") or "#").startswith(("#", "data:")), tag


def test_texts_are_put_on_the_page_as_texts() -> None:
    script = "".join(map(asset, SCRIPTS))
    assert not re.findall(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc", script
    )


@pytest.mark.parametrize("live", ["", EVENTS])
def test_the_policy_of_the_page_names_its_style_and_its_script(live: str) -> None:
    parts = Parts(page_html(example(HOSTILE), live=live))
    (policy,) = (a["content"] for tag, a in parts.found if a.get("http-equiv") == "Content-Security-Policy")
    assert policy
    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(parts.text(kind).encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert ("connect-src 'self'" in policy) == bool(live)
    assert parts.found[0] == ("html", {"lang": "en"} | ({"data-live": live} if live else {}))


@given(st.text(st.characters(codec=None)) | st.sampled_from([HOSTILE, "{{script}}", "{{data}}", "<title>"]))
def test_no_text_is_taken_for_markup(name: str) -> None:
    page, plain = page_html(example(name)), page_html(example())
    assert Parts(page).found == Parts(plain).found
    assert Parts(page).text("script") == Parts(plain).text("script")
    assert data_of(page)["environment"]["name"] == name
    page.encode()  # no half characters


@example_of(0.94189453125)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text()
        | st.floats(width=16, allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_goes_in_comes_out(value: Any) -> None:
    text = json_in_html(value)
    assert not re.search("[<>&\u2028\u2029]", text)
    assert shape(json.loads(text)) == shape(value)


def shape(value: Any) -> Any:
    """A value with its numbers rounded, to compare by: to round once more changes nothing."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def test_numbers_that_json_lacks() -> None:
    data = example() | {
        "curve": {"cycle": np.arange(2), "reward": [math.nan, -math.inf], "loss": np.array([0.1, np.nan])}
    }
    page = page_html(data)
    assert data_of(page)["curve"] == {"cycle": [0, 1], "reward": [None, None], "loss": [0.1, None]}
    assert not re.search(r"NaN|Infinity", data_in_text(page))
    with pytest.raises(TypeError, match="object is nothing that JSON has"):
        json_in_html(object())


def data_in_text(page: str) -> str:
    """The JSON of a page, without the script."""
    return page[page.index('id="data"') : page.rindex("<script>")]


pictures = st.lists(st.text("#. C█\n😀", min_size=30, max_size=31) | st.text(max_size=5), max_size=150)


@given(pictures)
def test_pictures_come_back(drawn: list[str]) -> None:
    assert unpacked(packed_pictures(drawn)) == drawn


def maze(count: int) -> list[str]:
    """Pictures of one letter that moves through a maze."""
    walls = "\n".join(["█" * 40] * 20)
    return [walls[:at] + "C" + walls[at + 1 :] for at in range(count)]


def test_pictures_take_little_room() -> None:
    drawn = maze(500)
    assert len(json_in_html(packed_pictures(drawn))) < 0.1 * len(json_in_html(drawn))


@pytest.mark.skipif(NODE is None, reason="there is no node")
def test_the_script_is_javascript_and_unpacks_pictures() -> None:
    drawn = [*maze(70), "😀 short", "😀 sport", "", *maze(3)]
    assert any(isinstance(each, list) for each in packed_pictures(drawn))
    for name in SCRIPTS:
        subprocess.run([str(NODE), "--check", ASSETS / name], check=True)
    asked = "const run = new Run(JSON.parse(require('fs').readFileSync(0, 'utf8')));"
    random = "[...run.pictures.keys()].reverse().map((i) => run.picture(i)).reverse()"
    code = f"{asset('run.js')}\n{asked} console.log(JSON.stringify({random}));"
    answer = subprocess.run(
        [str(NODE), "-e", code],
        input=json.dumps({"pictures": packed_pictures(drawn)}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(answer.stdout) == drawn


@pytest.mark.skipif(NODE is None, reason="there is no node")
def test_a_live_page_drops_the_oldest() -> None:
    code = f"""{asset("run.js")}
        const run = new Run({{steps: {{}}, pictures: []}});
        for (let i = 0; i < 30000; i += 100) {{
            const many = Array.from({{length: 100}}, (_, k) => i + k), zero = many.map(() => 0);
            run.append({{pictures: many.map(String), moments: {{[i]: {{cycle: i}}}}, steps: {{
                cycle: many, picture: many, action: zero, observation: zero, reward: zero, explored: zero, loss: zero,
                mean: zero}}}});
        }}
        console.log(JSON.stringify([run.count, run.dropped, run.at(0).cycle, Object.keys(run.moments).length,
            run.full.length, run.pictures.length < 27000, run.picture(run.at(0).picture), run.picture(5)]));"""
    answer = subprocess.run([str(NODE), "-e", code], capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout) == [5000, 25000, 25000, 50, 50, True, "25000", None]


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_a_browser_shows_it(tmp_path: Path) -> None:
    path = tmp_path / "mind.html"
    write_page(example("<img src=x>{{data}}"), path)
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    asked = [str(CHROMIUM), *options, "--virtual-time-budget=2000", "--dump-dom", path.as_uri()]
    shown = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60).stdout
    found = Parts(shown)
    assert re.search(r'<output id="cycle"[^>]*>1</output>', shown), "the first full moment"
    assert not [each for each in found.found if each[0] == "img"]
    assert shown.count("&lt;img src=x&gt;{{data}}") > 5
    assert {"Of this cycle no full moment was kept."}.isdisjoint(text for _, text in found.texts)
    assert [a for tag, a in found.found if tag == "path" and a.get("class") == "curve reward" and a["d"]]


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "mind.html"
    write_page(example(), path)
    assert data_of(path.read_text(encoding="utf-8"))["agent"] == [["model", "tiger"]]
    with pytest.raises(TypeError):
        write_page({"environment": {"name": "x"}, "steps": object()}, path)
    assert "tiger" in path.read_text(encoding="utf-8")
    with pytest.raises(OSError, match="no-folder"):
        write_page(example(), tmp_path / "no-folder" / "mind.html")
    assert [each.name for each in tmp_path.iterdir()] == ["mind.html"]


def test_a_live_page_begins_without_data() -> None:
    assert data_of(page_html(None, live="events?token=1")) is None


def test_all_files_of_the_page_are_used() -> None:
    assert {each.name for each in ASSETS.iterdir()} == {*SCRIPTS, "page.html", "page.css"}

"""What objects show of themselves in a notebook: well-formed HTML, everything escaped, and one line of text."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_results import FULL

from aixi_approx import (
    POMDP,
    Collection,
    Environment,
    Experiment,
    Outcome,
    Percept,
    Settings,
    build_agent,
    make,
    run,
    solve,
)
from aixi_approx.display.tables import paragraphs, table
from aixi_approx.laboratory import Laboratory, Study
from aixi_approx.planner import SearchResult

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
    texts(paragraphs([title, note]))


def test_columns_of_numbers_stand_on_the_right() -> None:
    for number in (3, 0.25, "-1.035", "< 0.01", "12,000", "3.61 MB", "47 %", "unknown", "± 0.2"):
        assert "text-align:right" in table("", [(number,)]), number
    for text in ("listen", "3 doors", "95 % in 0.6 to 1.4", "", True, None):
        assert "text-align:right" not in table("", [(text,)]), text
    assert "text-align:right" not in table("", [(3,), ("listen",)]), "a column of both"
    assert table("", [("a", 3), ("b", None)], columns=("x", "y")).count("text-align:right") == 3


class Hostile(POMDP):
    """<script>alert("rules")</script>"""

    min_reward, max_reward = 0, 1

    def __init__(self, name: str) -> None:
        self.title, self.hidden = name, name
        self.actions, self.observations = (name, f"{name}!"), (name, f"{name}?")
        self.settings = Settings(depth=4, horizon=2, simulations=5)
        super().__init__()

    def start(self) -> dict[str, float]:
        return {self.title: 0.5, f"{self.title}.": 0.5}

    def outcomes(self, state: str, action: str) -> list[Outcome]:
        seen = self.observations[state == self.title]
        return [Outcome(p, s, seen, int(action == self.title)) for s, p in self.start().items()]


def shown_by(environment: POMDP, folder: Path) -> list[Any]:
    """One of each kind of object that shows itself."""
    agent = build_agent(environment, seed=1)
    experiment = Experiment.of("coin-flip", cycles=20, evaluate=10, simulations=5, evaluation_simulations=5)
    result = run(experiment)
    named = result._replace(experiment=experiment._replace(environment=environment.title, model=environment.title))
    study = Study((environment.title,), experience=(20,), simulations=(5,), seeds=1, cycles=20)
    laboratory = Laboratory(folder, Study(("coin-flip",), experience=(20,), simulations=(5,), seeds=1, cycles=20))
    found = agent.act(explore=False).search
    return [
        *(environment, agent, agent.predictor, agent.predictor.statistics(), agent.planner, found, solve(environment)),
        *(build_agent(environment, "true", planner="majority:2").planner, experiment, named.experiment, named, result),
        *(study, laboratory, replace(FULL, environment=environment.title)),
    ]


NAMES = st.text(min_size=1, max_size=20).filter(str.strip)


@settings(max_examples=10)
@given(NAMES)
@example("<script>alert(1)</script>")
@example('"><img src=x onerror=alert(1)>')
def test_whatever_an_environment_is_called_is_text(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for each in shown_by(Hostile(name), Path(folder)):
            assert texts(each._repr_html_()), type(each)


def test_objects_tell_what_they_are_in_a_line(tmp_path: Path) -> None:
    objects = shown_by(Hostile("simple"), tmp_path)
    assert len({type(each) for each in objects}) == 13
    for each in [*objects, Collection()]:
        assert "object at 0x" not in repr(each)
        assert "\n" not in repr(each)


def test_what_stands_in_the_tables() -> None:
    tiger = make("tiger")
    agent = build_agent(tiger, seed=7, simulations=60)
    shown = texts(agent._repr_html_())
    for word in ("Agent in tiger", "FactoredContextTree", "DPUCT", "action 2, reward 7, observation 2", "60", "99 %"):
        assert word in shown, word
    assert {"open-left", "left 0.85, right 0.15", "1.083789", "-30.333333"} <= set(texts(solve(tiger)._repr_html_()))
    assert "Opening the tiger's door costs 100," in " ".join(texts(tiger._repr_html_()))
    assert repr(tiger) == "<tiger: 3 actions, 3 observations, rewards -100 to 10>"
    found = SearchResult(1, np.array([0.5, np.nan]), np.array([3, 0]), 3)
    assert texts(found._repr_html_())[-6:] == ["0", "0.5", "3", "1", "0", "chosen"]
    assert (
        repr(found)
        == "SearchResult(action=1, value=[0.5, nan], visits=[3, 0], simulations=3, error=None, deviation=None)"
    )


def test_a_discounted_solution_shows_values(tmp_path: Path) -> None:
    shown = texts(solve(make("tiger?discount=0.95"))._repr_html_())
    assert "value discounted by 0.95" in shown


def test_an_environment_that_is_half_made_has_a_name() -> None:
    class Half(Environment):
        def reset(self, seed: int) -> None: ...

        def step(self, action: int) -> Percept:
            return Percept(0, 0)

    assert repr(Half()) == "<Half>"


def test_a_result_looks_the_same_when_it_is_run_again() -> None:
    experiment = Experiment.of("tiger>coin-flip@30", cycles=60, evaluate=20, simulations=5, evaluation_simulations=5)
    first, second = run(experiment), run(experiment)
    assert first._repr_html_() == second._repr_html_()
    assert {"coin-flip, score, cycles 30 to 59", "recovered", "this agent"} <= set(texts(first._repr_html_()))

"""Cassandra's format: the whole grammar against a slow twin, what is wrong with its line, there and back."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_cassandra import largest_difference, read_dense

from aixi_approx.cli import main
from aixi_approx.environment import EnvironmentFault
from aixi_approx.envs import ENVIRONMENTS, make
from aixi_approx.envs.from_cassandra import CassandraFile, build, read_problem
from aixi_approx.pomdp.cassandra import Problem, read_text, write_text
from aixi_approx.pomdp.definition import POMDP, Outcome
from aixi_approx.pomdp.to_cassandra import problem_of, reward_tells, seen_as

PROBLEMS = sorted((Path(__file__).parents[1] / "benchmarks" / "problems").glob("*.*DP"))

TIGER = """# Tiger
discount: 0.95
values: reward
states: left right
actions: listen open-left open-right
observations: hear-left hear-right

T: listen
identity
T: open-left
uniform
T: open-right
uniform
O: listen
0.85 0.15
0.15 0.85
O: open-left
uniform
O: open-right
uniform
R: listen : * : * : * -1
R: open-left : left : * : * -100
R: open-left : right : * : * 10
R: open-right : left : * : * 10
R: open-right : right : * : * -100
"""


def dense(problem: Problem) -> list[np.ndarray[Any, Any]]:
    """All numbers of a problem, written out."""
    a, s, o = len(problem.actions), len(problem.states), len(problem.observations)
    cases = np.indices((a, s, s, o)).reshape(4, -1)
    reward = problem.reward(cases[0], cases[1], after=cases[2], observation=cases[3])
    moves, sight = problem.transition.toarray(), problem.sensor.toarray()
    return [problem.start, moves.reshape(a, s, s), sight.reshape(a, s, o), reward.reshape(a, s, s, o)]


def same(one: Iterable[np.ndarray[Any, Any]], other: Iterable[np.ndarray[Any, Any]]) -> bool:
    return all(np.allclose(x, y, rtol=0, atol=1e-12) for x, y in zip(one, other, strict=True))


# The grammar.


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A text of the format that is right, in any of its forms; probabilities are multiples of 1/8."""
    s, a, o = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    seen = draw(st.integers(0, 4)) == 0
    o = s if seen else o
    kinds = {"states": s, "actions": a} | ({} if seen else {"observations": o})
    named = {kind: draw(st.booleans()) for kind in kinds} | {"observations": draw(st.booleans()) and not seen}
    names = {
        k: [f"{k[0]}{'-_'[i % 2]}{i}" if named[k] else str(i) for i in range(n)]
        for k, n in (kinds | {"observations": o}).items()
    }
    names["states"] = names["states"] if named["states"] else [str(i) for i in range(s)]
    colon = draw(st.sampled_from([":", " :", ": ", " : ", "\t:  "]))
    number = draw(st.sampled_from(["{:g}", "{:.4f}", "{:e}", "{:.2E}"]))

    def one(kind: str, wild: bool = True) -> str:
        if wild and draw(st.integers(0, 3)) == 0:
            return "*"
        i = draw(st.integers(0, len(names[kind]) - 1))
        return draw(st.sampled_from([names[kind][i], str(i)]))

    def row(width: int) -> str:
        cuts = sorted(draw(st.lists(st.integers(0, 8), min_size=width - 1, max_size=width - 1)))
        parts = np.diff([0, *cuts, 8]) / 8
        return draw(st.sampled_from([" ", "  ", "\n"])).join(number.format(p) for p in parts)

    preamble = [f"discount{colon}0.5", f"values{colon}{draw(st.sampled_from(['reward', 'cost']))}"]
    preamble += [f"{k}{colon}{' '.join(names[k]) if named[k] else n}" for k, n in kinds.items()]
    lines = draw(st.permutations(preamble))
    form = draw(st.integers(0, 5))
    some = " ".join(sorted({one("states", wild=False) for _ in range(2)}))
    lines += [
        [],
        [f"start{colon}uniform"],
        [f"start{colon}{row(s)}" if s > 1 else f"start{colon}1.0"],
        [f"start{colon}{one('states', wild=False)}" if named["states"] or s > 1 else "start: uniform"],
        [f"start include{colon}{some}"],
        [f"start exclude{colon}{names['states'][0]}" if s > 1 else ""],
    ][form]
    full = {
        "T": ["uniform", "identity", "\n".join(row(s) for _ in range(s))],
        "O": ["uniform", "\n".join(row(o) for _ in range(s))],
    }
    part = {"T": ["uniform", "reset", row(s)], "O": ["uniform", row(o)]}
    for word, width in (("T", "states"), ("O", "observations")):
        if word == "O" and seen:
            continue
        lines.append(f"{word}{colon}*\n{draw(st.sampled_from(full[word]))}")
        for _ in range(draw(st.integers(0, 4))):
            who, where = one("actions"), one("states")
            match draw(st.integers(0, 2)):
                case 0:
                    lines.append(f"{word}{colon}{who}\n{draw(st.sampled_from(full[word]))}")
                case 1:
                    lines.append(f"{word}{colon}{who}{colon}{where} {draw(st.sampled_from(part[word]))}")
                case 2:  # all of a row 0, then one entry
                    head = f"{word}{colon}{who}{colon}{where}{colon}"
                    lines += [f"{head}* 0", f"{head}{one(width, wild=False)}\n{number.format(1)}"]
    value = st.sampled_from(["-1", "+2.5", "- 3", "1e1", ".5", "-4.E-1", "0"])
    for _ in range(draw(st.integers(0, 6))):
        case = [one("actions"), one("states"), one("states"), *([] if seen else [one("observations")])]
        length = draw(st.integers(1 if seen else 2, len(case)))
        many = [s, s] if seen else [0, s, o]
        count = int(np.prod(many[length - 1 :], dtype=int)) if length < len(case) else 1
        lines.append(f"R{colon}{colon.join(case[:length])} " + "\n".join(draw(value) for _ in range(count)))
    lines = [line + draw(st.sampled_from(["", "", " # T: 0 : 0 1", "\n\n#\n"])) for line in lines]
    return draw(st.sampled_from(["\n", "\r\n"])).join("\n".join(lines).split("\n")) + draw(st.sampled_from(["", "\n"]))


@settings(max_examples=300)
@given(texts())
def test_all_of_the_grammar_is_read_as_the_twin_reads_it(text: str) -> None:
    spaced = re.sub(r"([-+]) (\d)", r"\1\2", text)  # the twin knows no sign before a blank
    assert same(dense(read_text(text, name="it")), read_dense(spaced))


@settings(max_examples=100)
@given(texts())
def test_a_problem_that_is_written_and_read_is_the_same_to_the_last_digit(text: str) -> None:
    problem = read_text(text, name="it")
    again = read_text(write_text(problem), name="again")
    assert all(map(np.array_equal, dense(problem), dense(again)))
    parts = ("states", "actions", "observations", "discount", "seen")
    assert all(getattr(problem, part) == getattr(again, part) for part in parts)
    assert write_text(again) == write_text(problem)


def test_words_stand_where_they_like() -> None:
    told = "O:*:*:x 1 observations:x states:a T T:*:T\n0 1\nactions:R T:*:a:a\n1"
    problem = read_text(f"{told}\nR:R:T:T:x\n-2 discount:1 values:reward start:T", name="it")
    assert problem.states == ("a", "T")
    assert problem.actions == ("R",)
    assert problem.start.tolist() == [0, 1]
    assert dense(problem)[3].ravel().tolist() == [0, 0, 0, -2]


def test_what_is_nearly_one_is_divided_by_its_sum_and_said() -> None:
    text = TIGER.replace("T: open-left\nuniform", "T: open-left\n0.50003 0.49999\n0.5 0.5")
    problem = read_text(text + "start: 0.49999 0.5", name="it")
    assert problem.transition.toarray()[2].sum() == pytest.approx(1, abs=1e-15)
    assert problem.start.sum() == pytest.approx(1, abs=1e-15)
    assert [notice.split(" were ")[0] for notice in problem.notices] == [
        "the probabilities of the first state",
        "the probabilities of next states missed 1 by up to 2e-05 in 1 rows and",
    ]
    assert read_text(TIGER, name="it").notices == ()


# What is wrong: line, what, how to mend it.

WRONG = {
    "": "1: no line such as states:",
    "hello world": "1: no line such as states:",
    "\n\nDiscount: 0.9\nstates: 2": "3: 'Discount:' begins no statement: write one of discount:, ",
    TIGER.replace("discount: 0.95\n", ""): "1: there is no line discount: in it: add one, such as discount: 0.95",
    TIGER.replace("states: left right", ""): "1: there is no line states:",
    TIGER.replace("0.95", "1.5"): "2: discount: '1.5': it must be one number from 0 to 1",
    TIGER.replace("0.95", "nan"): "2: discount: 'nan'",
    TIGER.replace("0.95", "0.95 0.95"): "2: discount: ",
    TIGER.replace("values: reward", "values: rewards"): "3: values: 'rewards': write reward or cost",
    TIGER.replace("values: reward", "values:"): "3: values: '': write reward or cost",
    TIGER.replace("states: left right", "states: left left"): "4: states: names 'left' twice",
    TIGER.replace("states: left right", "states: 1000000000"): "4: states: 1000000000: it must lie in 1 to",
    TIGER.replace("states: left right", "states: 900000"): "14: O: 4 numbers where 1800000 must be",
    TIGER.replace("states: left right", "states: 0"): "4: states: 0: it must lie in 1",
    TIGER.replace("states: left right", "states: -2"): "4: states: '-2': it must be a whole number above 0",
    TIGER.replace("states: left right", "states: left 3"): "4: '3' can't be a name in states:",
    TIGER.replace("states: left right", "states: left uniform"): "4: 'uniform' can't be a name",
    TIGER.replace("states: left right", "states:"): "4: states: is empty",
    TIGER + "states: a": "26: states: stands in line 4 already",
    TIGER.replace(
        "open-left : left :", "open-lift : left :"
    ): "22: there is no action 'open-lift': did you mean open-left?",
    TIGER.replace("open-left : left :", "7 : left :"): "22: there is no action '7': they are numbered 0 to 2",
    TIGER.replace("listen : * : * : * -1", "listen : * : * : * nan"): "21: 'nan' is no number",
    TIGER.replace(
        "listen : * : * : * -1", "listen : * : * : * 1e999"
    ): "21: R: inf is too large: scale rewards to 2147483648",
    TIGER.replace("listen : * : * : * -1", "listen : * : * : *"): "21: R: 0 numbers where 1 must be",
    TIGER.replace("listen : * : * : * -1", "listen : * : * : * : -1"): "21: R: a colon before the number",
    TIGER.replace("listen : * : * : * -1", "listen -1"): "21: R: names an action only",
    TIGER.replace("listen : * : * : * -1", "listen : * -1"): "21: R: 1 number where 4 must be: add the missing ones",
    TIGER.replace("0.15 0.85\n", "0.15\n"): "14: O: 3 numbers where 4 must be: add the missing ones",
    TIGER.replace("0.15 0.85\n", "0.15 0.85 0.3\n"): "14: O: 5 numbers where 4 must be: delete some",
    TIGER.replace("0.15 0.85\n", "0.15 0.9\n"): "16: the probabilities of what is seen in state 'right' after action "
    "'listen' add up to 1.05: change the line so that they add up to 1",
    TIGER.replace("0.15 0.85\n", "-0.15 1.15\n"): "16: -0.15 is no probability",
    TIGER.replace("0.15 0.85\n", "0,15 0,85\n"): "16: '0,15' is no number",
    TIGER + "T: listen : left : left 0.9": "26: the probabilities of action 'listen' in state 'left' add up to 0.9",
    TIGER + "T: listen : left : left 1.2": "26: 1.2 is no probability",
    TIGER + "T: listen : left : * 0": "26: action 'listen' in state 'left' has no probabilities: add lines such as T: ",
    TIGER + "O: listen\nidentity\nT: listen : left identity": "28: 'identity' is no number",
    TIGER.replace("T: open-left\nuniform\n", ""): "23: action 'open-left' in state 'left' has no probabilities",
    TIGER.replace("observations: hear-left hear-right", ""): "14: O: where no observations are declared",
    TIGER + "start: 0.5 0.4": "26: the probabilities of the first state add up to 0.9",
    TIGER + "start: middle": "26: there is no state 'middle'",
    TIGER + "start include:": "26: start: is empty",
    TIGER + "start exclude: left right": "26: start exclude: no state is left",
    TIGER + "start exclude: *": "26: start exclude: * is no state",
    TIGER + "T include: left": "26: T include: only start",
    TIGER + "R: listen : *\n1 1e10 1 1": "26: R: 1e+10 is too large",
    TIGER + "T: listen : uniform": "26: there is no state 'uniform': delete the colon before it",
    TIGER + "T: a : b : c : d : e 1": "26: ",
    TIGER + "T:": "26: T: nothing follows",
    TIGER + "R: listen : * : * : * -": "26: R: a sign without a number",
    TIGER + "T : listen : left\n0.5\n\n5": "29: 5 is no probability",
}


@pytest.mark.parametrize("text", WRONG, ids=WRONG.values())
def test_what_is_wrong_is_said_with_its_line(text: str) -> None:
    with pytest.raises(EnvironmentFault, match=re.escape(WRONG[text])) as caught:
        read_text(text, name="it.POMDP")
    told = str(caught.value)
    assert re.match(r"it\.POMDP:\d+: .*: ", told)
    assert "\n" not in told
    assert len(told) < 250


def test_lines_are_counted_whatever_ends_them() -> None:
    for end in ("\n", "\r\n", "\r"):
        with pytest.raises(EnvironmentFault, match=r"^it:26: 'x' is no number"):
            read_text((TIGER + "R: 0:0:0:0 x").replace("\n", end), name="it")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        bytes(range(256)),
        b"\x89PNG\r\n\x1a\n" + bytes(500),
        TIGER.encode("utf-16"),
        TIGER.encode() + b"\xff",
        b"\0" * 99,
    ],
    ids=["nothing", "all bytes", "picture", "utf-16", "byte", "zeros"],
)
def test_rubbish_is_refused_in_a_line(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "it.POMDP"
    path.write_bytes(content)
    with pytest.raises(SystemExit, match="2"):
        main(["solve", str(path)])
    told = capsys.readouterr().err
    assert re.match(rf"aixi: {re.escape(str(path))}:\d+: ", told)
    assert told.count("\n") == 1


def test_comments_may_hold_any_bytes(tmp_path: Path) -> None:
    path = tmp_path / "it.POMDP"
    path.write_bytes("# für Jürgen\n".encode("latin-1") + TIGER.encode())
    assert read_problem(path).comments == ("f?r J?rgen", "Tiger")


def test_there_must_be_a_file(tmp_path: Path) -> None:
    for path in (tmp_path / "none.POMDP", tmp_path):
        with pytest.raises(EnvironmentFault, match="it can't be read"):
            read_problem(path)
    with pytest.raises(EnvironmentFault, match="no path"):
        read_problem("a\0b.POMDP")


def test_wildcards_can_stand_for_too_much() -> None:
    began = time.perf_counter()
    head = "discount: 1 values: reward states: 100000 actions: 4 observations: 2\n"
    for lines, told in (
        ("T: * identity " + "O: * : * : 0 1 " * 100, "2: its wildcards stand for too much"),
        ("T: * uniform O: * uniform", "2: T: gives 40,000,000,000 probabilities, more than"),
        ("T: * : * : * 0", "2: action '0' in state '0' has no probabilities"),
    ):
        with pytest.raises(EnvironmentFault, match=told):
            read_text(head + lines, name="it")
    with pytest.raises(EnvironmentFault, match="too many: their product"):
        read_text(head.replace("4", "1000"), name="it")
    assert time.perf_counter() - began < 60


def test_rows_that_share_a_distribution_are_entered_alike() -> None:
    """Where a line stands for more than a few rows, which share what they have in common."""
    head = "discount: 1 values: reward states: 40 actions: 3 observations: 2\n"
    text = f"{head}T: * identity T: 1 uniform O: * uniform T: 2 : 7 : * 0 T: 2 : 7 : 3 1\n"
    text += "T: * : * : * 0 T: * : 5 : 6 1 T: 0 : 5 : 5 0.25 T: * : * : 6 0.75 T: * : * : 5 0.25\n"
    text += "O: * : * : 0 0.25 O: *:*:1 .75"
    assert same(dense(read_text(text, name="it")), read_dense(text))
    text = f"{head}T: * identity T: * : * : 39 0 T: * : 39 : 39 1 O: * uniform"
    assert same(dense(read_text(text, name="it")), read_dense(text))


@settings(max_examples=200)
@given(st.integers(0, 10**9))
def test_a_spoiled_file_is_refused_or_read(seed: int) -> None:
    source = random.Random(seed)
    text = source.choice([TIGER, *(path.read_text() for path in PROBLEMS if path.stat().st_size < 5000)])
    parts = re.findall(r"\s+|[:#*]|[^\s:#*]+", text)
    for _ in range(source.randint(1, 3)):
        i = source.randrange(len(parts))
        match source.randrange(4):
            case 0:
                del parts[i]
            case 1:
                parts.insert(i, source.choice(parts))
            case 2:
                parts[i] = source.choice(
                    ["nan", "1e400", "-1", "9" * 400, "*", ":", "#", "T:", "R", "\0", "é", "identity", ""]
                )
            case 3:
                del parts[i + 1 :]
    told = ""
    try:
        problem = read_text("".join(parts), name="it")
    except EnvironmentFault as error:
        told = str(error)
    if told:
        assert re.match(r"it:\d+: [^\n]*$", told)
    else:
        assert same(dense(problem), read_dense("".join(parts)))


# As environments.


def test_a_file_is_an_environment(tmp_path: Path) -> None:
    path = tmp_path / "tiger.95.pOmDp"
    path.write_text(TIGER)
    discounted = make(str(path))
    assert discounted.title == str(path)
    assert discounted.discount == 0.95
    tiger = make(f"{path}?discount=1")
    assert isinstance(tiger, CassandraFile)
    assert tiger.rewards == (-100, -1, 10)
    assert tiger.problem.discount == 0.95
    assert tiger.approximations == ""
    assert tiger.rules.startswith("Tiger\n\nRead from ")
    assert tiger.random_reward == pytest.approx((-1 + 2 * (-100 + 10) / 2) / 3)


def test_a_file_is_checked_as_an_environment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tiger.POMDP"
    path.write_text(TIGER)
    main(["check", f"{path}?discount=1", "--cycles", "50"])
    assert "all 8 passed" in capsys.readouterr().out


def test_names_that_mean_something_here_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "it.POMDP"
    path.write_text(TIGER.replace("hear-left", "restart").replace("left", "beginning"))
    tiger = make(str(path))
    assert isinstance(tiger, POMDP)
    assert tiger.observations == ("restart of the file", "hear-right", "restart")
    assert tiger.states == ["beginning", "beginning of the file", "right"]
    assert make(f"{path}?discount=1").checked_step(0)


def test_costs_and_states_that_are_seen_and_notices() -> None:
    head = "discount: 0.9 values: cost states: a b c actions: go start include: a b\n"
    text = f"{head}T: go\n0 0.99999 0\n1 0 0\n0 0 1\nR: go : a : b 2.5"
    mdp = CassandraFile(read_text(text, name="it"), name="it")
    assert mdp.observations == ("a", "b", "c")
    assert mdp.states == ["a", "b"]  # c can't be reached
    assert mdp.rewards == (-2.5, 0)
    assert mdp.hidden == "nothing"
    assert "missed 1 by up to 1e-05" in mdp.approximations
    assert "the first state is not seen" in mdp.approximations


@pytest.mark.parametrize("path", PROBLEMS, ids=lambda path: path.name)
def test_problems_are_fine(path: Path) -> None:
    """The tables that are built at once are those of `start` and `outcomes`, and the writer's text is the problem."""
    pomdp = build(str(path))
    assert pomdp.problem.notices == ()
    assert len(pomdp.states) == len(pomdp.problem.states)
    slow_states, slow = POMDP._build(pomdp)
    order = [slow_states.index(state) for state in pomdp.states]
    for s, state in enumerate(order):
        for a in range(len(pomdp.actions)):
            rows = [(pomdp.tables, s * len(pomdp.actions) + a), (slow, state * len(pomdp.actions) + a)]
            found = []
            for tables, row in rows:
                span = slice(tables.first[row], tables.first[row + 1])
                states = pomdp.states if tables is pomdp.tables else slow_states
                columns = [column[span].tolist() for column in tables[2:]]
                found.append(sorted((states[n], o, c, r, p) for p, n, o, r, c in zip(*columns, strict=True)))
            assert found[0] == found[1]
    text = path.read_text()
    assert same(dense(pomdp.problem), read_dense(text))
    assert "Published value: " in text


@pytest.mark.parametrize(
    ("lines", "tells"),
    [
        ("R: go : * : * : * 1", False),
        ("R: go : a : * : * 1", True),  # and the state stays
        ("R: go : * : * : y 1", False),
        ("R: go : a : * : * 1\nT: go uniform", False),  # of a state that is gone
        ("R: go : * : a : * 1\nT: go uniform", True),
    ],
)
def test_whether_rewards_tell_more_than_observations(lines: str, tells: bool) -> None:
    head = "discount: 1 values: reward states: a b actions: go observations: x y T: go identity O: go uniform\n"
    pomdp = CassandraFile(read_text(head + lines, name="it"), name="it")
    assert reward_tells(pomdp.tables, actions=1) == tells
    assert ("the reward is seen" in pomdp.approximations) == tells


# There and back.


class Drawn(POMDP):
    """An environment with given outcomes."""

    actions = ("one", "two")
    observations = ("x", "y z", 3)
    rewards = (-1.5, 0, 0.1, 7)

    def __init__(self, chances: list[list[list[tuple[int, int, int, int]]]]) -> None:
        self.chances = chances
        super().__init__()

    def start(self) -> dict[int, float]:
        return {0: 1 / 4, len(self.chances) - 1: 3 / 4} if len(self.chances) > 1 else {0: 1}

    def outcomes(self, state: int, action: str) -> list[Outcome]:
        some = self.chances[state][self.actions.index(action)]
        total = sum(weight for weight, *_ in some)
        return [
            Outcome(weight / total, to % len(self.chances), self.observations[o], self.rewards[r])
            for weight, to, o, r in some
        ]


cases = st.tuples(st.integers(1, 3), st.integers(0, 3), st.integers(0, 2), st.integers(0, 3))
drawn = st.lists(st.lists(st.lists(cases, min_size=1, max_size=3), min_size=2, max_size=2), min_size=1, max_size=4)


def there_and_back(pomdp: POMDP) -> float:
    """By how much an environment differs from what is read of what is written of it."""
    back = CassandraFile(read_text(write_text(problem_of(pomdp)), name="back"), name="back")
    stands = seen_as(pomdp)
    assert len(back.observations) == len(stands)
    for (_, code), o in zip(stands, range(len(stands)), strict=True):  # the reward that an observation names is paid
        if code is not None:
            assert set(back.tables.reward[back.tables.observation == o]) <= {pomdp.coding.reward(code)}

    def name(which: POMDP, observation: int, reward: float) -> tuple[int, float]:
        return (stands[observation][0] if which is back else observation, reward)

    return largest_difference(pomdp, back, name=name)


@settings(max_examples=150)
@given(drawn)
def test_any_environment_is_written_as_the_same_process(chances: list[Any]) -> None:
    assert there_and_back(Drawn(chances)) < 1e-7


SMALL = {"rocksample": "rocksample:2-1", "nim": "nim:6", "hex": "hex:2", "locks": "locks:2", "corridor": "corridor:4"}
NAMES = [SMALL.get(name, name) for name in ENVIRONMENTS if name not in ("pacman", "tic-tac-toe", "tic-tac-toe-first")]


@pytest.mark.parametrize("name", NAMES)
def test_our_environments_are_written_as_the_same_process(name: str) -> None:
    pomdp = make(name)
    assert isinstance(pomdp, POMDP)
    assert there_and_back(pomdp) < 1e-7


def test_the_comparison_sees_a_difference() -> None:
    tiger = make("tiger")
    assert isinstance(tiger, POMDP)
    text = write_text(problem_of(tiger))
    for was, now in (
        ("left : left 0.85\nO: listen : left : right 0.15", "left : left 0.84\nO: listen : left : right 0.16"),
        ("-100", "-99"),
        ("start: uniform", "start: left"),
    ):
        assert was in text
        back = CassandraFile(read_text(text.replace(was, now, 1), name="back"), name="back")
        assert largest_difference(tiger, back) > 1e-3


def test_what_others_have_seen_is_not_split() -> None:
    """Tiger is written as the world knows it: the price of a door tells nothing, since the tiger is placed anew."""
    tiger = make("tiger")
    assert isinstance(tiger, POMDP)
    problem = problem_of(tiger)
    assert problem.states == ("left", "right")
    assert problem.observations == ("nothing", "left", "right")
    assert problem.discount == 0.95
    assert "discount: the environment has none" in "\n".join(problem.comments)
    assert problem_of(tiger, discount=0.5).discount == 0.5


# The command.


def test_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tiger.POMDP"
    main(["export", "tiger", str(path), "--discount", "0.9"])
    assert "2 states, 3 actions, 3 observations, discount 0.9" in capsys.readouterr().out
    assert make(str(path)).discount == 0.9
    main(["export", str(path), str(tmp_path / "again.POMDP")])
    assert "2 states, 3 actions, 3 observations, discount 0.9" in capsys.readouterr().out
    for arguments, told in (
        (["tiger", str(path)], "is there already: --force writes over it"),
        (["tiger", str(tmp_path / "tiger.txt")], "ends in .POMDP"),
        (["pacman", str(path), "--force"], "pacman has no finite definition"),
        (["tiger", str(tmp_path / "none" / "t.POMDP")], "No such file"),
    ):
        with pytest.raises(SystemExit, match="2"):
            main(["export", *arguments])
        assert told in capsys.readouterr().err
    main(["export", "locks:2", str(path), "--force"])
    assert path.read_text().startswith("# locks:2, written by aixi export\n")

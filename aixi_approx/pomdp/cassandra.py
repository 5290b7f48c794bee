"""Cassandra's text format of finite problems, .POMDP and .MDP: text to data, and back.

The format is that of the program pomdp-solve (A. R. Cassandra, pomdp.org): a preamble, a start, and lines that give
probabilities (`T:` of next states, `O:` of observations) and rewards (`R:`), for one case or for many, where `*` stands
for all; later lines override earlier ones. Nothing here knows of environments.
"""

from __future__ import annotations

import difflib
import itertools
import math
import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from aixi_approx.environment import MAX_REWARD, EnvironmentFault

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MISS = 1e-4  # by which a sum of probabilities may miss 1; rounded to 5 digits, 20 thirds miss it by less
ROUNDING = 1e-9  # by which it may miss 1 without a word
MAX_NAMES = 1_000_000  # states, actions or observations
MAX_ENTRIES = 20_000_000  # rows, probabilities, rewards or outcomes: a gigabyte or so
FEW = 64  # rows that have entries of their own, rather than looking for those that can be shared
WIDTH = 110  # characters of a written line, where a line can be broken
FIRST = ("discount", "values", "states", "actions", "observations", "start", "T", "O", "R")  # words of a statement
WORDS = ("uniform", "identity", "reset", "include", "exclude", "reward", "cost")  # that have a meaning within one

HEAD = re.compile(rf"(?<!\S)({'|'.join(FIRST)})(?:\s+(include|exclude))?\s*:")
PARTS = re.compile(r"\s*([^\s:]+)" + r"(?:\s*:\s*([^\s:]+))?" * 4 + r"(\s*:)?")
NUMBER = re.compile(r"\s*[+-]?\s*(?:\d{1,300}(?:\.\d{0,300})?|\.\d{1,300})(?:[eE][+-]?\d{1,9})?\s*", re.ASCII)
NUMBERS = re.compile(r"[\s0-9.eE+-]*", re.ASCII)
NUMERAL = re.compile(r"[+-]?\.?\d[\d.eE+-]*", re.ASCII)


class Rewards(NamedTuple):
    """Rewards of some cases, in order; the last that fits a case holds, and none is 0."""

    case: Ints  # [K, 4] action, state, next state, observation; -1 is any
    value: Floats  # [K]


class Joint(NamedTuple):
    """What can follow some rows, action * S + state: N outcomes, row by row."""

    position: Ints  # [N] in the rows that were asked for
    after: Ints  # [N] the next state
    observation: Ints  # [N]
    probability: Floats  # [N] positive
    reward: Floats  # [N]


@dataclass(frozen=True, eq=False)
class Problem:
    """A finite problem as the format has it: S states, A actions, O observations.

    Attributes
    ----------
    states, actions, observations : tuple of str
        Their names; numerals where the file only counts them.
    discount : float
        In 0 to 1, 0 excluded.
    start : float64[S]
        Probability of each state before the first cycle.
    transition : sparse float64[A * S, S]
        In row action * S + state, the probability of each next state.
    sensor : sparse float64[A * S, O]
        In row action * S + next state, the probability of each observation.
    rewards : Rewards
        Also where a file has costs, which are negative rewards.
    values : str
        What the file has, "reward" or "cost".
    seen : bool
        Whether there are no observations in the file: the state is seen.
    comments : tuple of str
        The lines of comment before anything else.
    notices : tuple of str
        What was not in order, and was mended.
    """

    states: tuple[str, ...]
    actions: tuple[str, ...]
    observations: tuple[str, ...]
    discount: float
    start: Floats
    transition: csr_array
    sensor: csr_array
    rewards: Rewards
    values: str = "reward"
    seen: bool = False
    comments: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    def reward(self, action: Ints, state: Ints, *, after: Ints, observation: Ints) -> Floats:
        """Return the reward of each of N cases, all given by number."""
        case = (action, state, after, observation)
        sizes = (len(self.actions), len(self.states), len(self.states), len(self.observations))
        pattern = (self.rewards.case >= 0) @ np.array([8, 4, 2, 1])
        latest = np.full(len(action), -1)
        for one in np.unique(pattern).tolist():  # at most 16: one look-up for each set of parts that are given
            entries = np.flatnonzero(pattern == one)[::-1]  # the latest first
            parts = [i for i in range(4) if one & 8 >> i]
            keys, first = np.unique(
                _keys(list(self.rewards.case[entries][:, parts].T), parts, sizes), return_index=True
            )
            wanted = np.broadcast_to(_keys([case[i] for i in parts], parts, sizes), latest.shape)
            at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            latest = np.where(keys[at] == wanted, np.maximum(latest, entries[first][at]), latest)
        return np.append(self.rewards.value, 0.0)[latest]

    def joint(self, rows: Ints) -> Joint:
        """Return what can follow some rows, action * S + state.

        Raises
        ------
        EnvironmentFault
            If that is more than memory has room for.
        """
        count = len(self.states)
        position, after, p = _expanded(self.transition, rows)
        then = rows[position] // count * count + after
        total = int(np.diff(self.sensor.indptr)[then].sum())
        if total > MAX_ENTRIES:
            raise EnvironmentFault(f"there are {total:,} outcomes, more than {MAX_ENTRIES:,}: write a smaller problem")
        inner, observation, q = _expanded(self.sensor, then)
        row = rows[position[inner]]
        reward = self.reward(row // count, row % count, after=after[inner], observation=observation)
        return Joint(position[inner], after[inner], observation, p[inner] * q, reward)


def _keys(columns: list[Ints], parts: list[int], sizes: tuple[int, ...]) -> Ints:
    """One number for each combination of numbers."""
    key = np.zeros(1, dtype=np.int64)
    for column, part in zip(columns, parts, strict=True):
        key = key * sizes[part] + column
    return key


def _expanded(matrix: csr_array, rows: Ints) -> tuple[Ints, Ints, Floats]:
    """All entries of some rows of a matrix: position in rows, column, value."""
    count = np.diff(matrix.indptr)[rows]
    at = np.repeat(matrix.indptr[rows] - np.cumsum(count) + count, count) + np.arange(count.sum())
    return np.repeat(np.arange(len(rows)), count), matrix.indices[at].astype(np.int64), matrix.data[at]


def read_text(text: str, *, name: str) -> Problem:
    """Return the problem that a text in Cassandra's format describes.

    Parameters
    ----------
    text : str
        The content of a .POMDP or .MDP file.
    name : str
        What it goes by in messages, such as the name of the file.

    Raises
    ------
    EnvironmentFault
        If it describes none, in one line: name, line, what is wrong, how to mend it.

    Examples
    --------
    >>> text = '''discount: 0.9
    ... values: reward
    ... states: hungry full
    ... actions: feed wait
    ... observations: crying quiet
    ... T: feed : * : full 1
    ... T: wait
    ... 1.0 0.0
    ... 0.1 0.9
    ... O: * : hungry
    ... 0.8 0.2
    ... O: * : full : quiet 1
    ... R: * : hungry : * : * -10
    ... R: feed : full : * : * -5'''
    >>> problem = read_text(text, name="baby")
    >>> problem.start.tolist(), problem.transition.toarray()[2].tolist()
    ([0.5, 0.5], [1.0, 0.0])
    """
    return _Reader(text, name).problem()


class _Mark(NamedTuple):
    """Where a statement stands."""

    begin: int  # of its first word
    body: int  # what follows its first colon
    end: int
    word: str
    mode: str | None  # include or exclude


class _Table:
    """Distributions, one for each action and state, while they are read.

    A row is None before it is given, the number of its only column, (columns, probabilities) that other rows may
    share, or a dict of its own.
    """

    def __init__(self, word: str, columns: tuple[str, ...], names: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
        self.word, self.width = word, len(columns)
        self.actions, self.states = names
        self.rows: list[int | tuple[Ints, Floats] | dict[int, float] | None] = [None] * (
            len(self.actions) * len(self.states)
        )
        self.given = [0] * len(self.rows)  # by which statement, the last one

    def own(self, row: int) -> dict[int, float]:
        """The row as a dict that can be changed."""
        cell = self.rows[row]
        if not isinstance(cell, dict):
            pairs: dict[int, float] = {}
            if isinstance(cell, int):
                pairs = {cell: 1.0}
            elif cell is not None:
                pairs = dict(zip(cell[0].tolist(), cell[1].tolist(), strict=True))
            self.rows[row] = cell = pairs
        return cell

    def enter(self, rows: range, column: int, p: float) -> None:
        """Give some rows one entry; rows of one distribution go on to share one, where there are many."""
        if len(rows) <= FEW:
            for row in rows:
                self.own(row)[column] = p
            return
        changed: dict[int | tuple[int], tuple[object, tuple[Ints, Floats]]] = {}  # with the old ones, or ids come again
        for row in rows:
            cell = self.rows[row]
            if isinstance(cell, dict):
                cell[column] = p
                continue
            key = (cell,) if isinstance(cell, int) else id(cell)
            if key not in changed:
                whole = self.own(row)
                whole[column] = p
                pairs = np.array(list(whole), dtype=np.int64), np.array(list(whole.values()), dtype=np.float64)
                changed[key] = cell, pairs
            self.rows[row] = changed[key][1]

    def covered(self, action: int, state: int) -> range:
        """The rows that an action and a state stand for, of which -1 is any."""
        count = len(self.states)
        if action < 0:
            return range(len(self.rows)) if state < 0 else range(state, len(self.rows), count)
        first = action * count + max(state, 0)
        return range(first, first + (count if state < 0 else 1))

    def matrix(self) -> csr_array:
        """All rows as one sparse matrix."""
        lengths = [1 if isinstance(c, int) else len(c[0]) if isinstance(c, tuple) else len(c or ()) for c in self.rows]
        total = sum(lengths)
        if total > MAX_ENTRIES:
            what = f"{self.word}: gives {total:,} probabilities, more than {MAX_ENTRIES:,}"
            raise EnvironmentFault(f"{what}: write a smaller problem")
        columns = np.empty(total, dtype=np.int64)
        values = np.empty(total)
        first = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        for cell, begin, length in zip(self.rows, first.tolist(), lengths, strict=False):
            if isinstance(cell, int):
                columns[begin], values[begin] = cell, 1.0
            elif isinstance(cell, dict):
                columns[begin : begin + length] = list(cell)
                values[begin : begin + length] = list(cell.values())
            elif cell is not None:
                columns[begin : begin + length], values[begin : begin + length] = cell
        table = csr_array((values, columns, first), shape=(len(self.rows), self.width))
        table.eliminate_zeros()
        table.sort_indices()
        return table


class _Reader:
    """One text while it is read."""

    def __init__(self, text: str, name: str) -> None:
        text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        self.name = name
        self.comments = _head(text)
        self.text = re.sub(r"#[^\n]*", "", text)  # lines stay where they are
        self.notices: list[str] = []
        self.work = 0

    def fault(self, where: int, what: str) -> EnvironmentFault:
        """What is wrong at a position of the text."""
        return EnvironmentFault(f"{self.name}:{self.text.count(chr(10), 0, where) + 1}: {what}")

    def problem(self) -> Problem:
        """Read all of it."""
        self.marks = self.statements()
        preamble = self.preamble()
        names: dict[str, tuple[str, ...]] = {}
        for kind in ("states", "actions", "observations"):
            seen = kind == "observations" and kind not in preamble
            names[kind] = names["states"] if seen else self.names(preamble[kind])
        self.seen = "observations" not in preamble
        self.known = {kind: {name: i for i, name in enumerate(names[kind])} for kind in names}
        states, actions, observations = (names[kind] for kind in ("states", "actions", "observations"))
        if len(actions) * len(states) > MAX_ENTRIES // 4:
            what = f"{len(states):,} states with {len(actions):,} actions are too many"
            raise self.fault(preamble["states"].begin, f"{what}: their product may be {MAX_ENTRIES // 4:,}")
        if len(actions) * len(states) ** 2 * len(observations) > 1 << 62:
            raise self.fault(preamble["observations"].begin, "states, actions and observations are too many")
        discount = self.discount(preamble["discount"])
        values = self.text[preamble["values"].body : preamble["values"].end].strip() if "values" in preamble else ""
        if "values" not in preamble:
            self.notices.append("the file does not say values: reward, which is assumed")
        elif values not in ("reward", "cost"):
            raise self.fault(preamble["values"].begin, f"values: {_short(values)}: write reward or cost")
        self.sign = -1.0 if values == "cost" else 1.0
        self.start = self.started(preamble.get("start"), states)
        transition = _Table("T", states, (actions, states))
        sensor = _Table("O", observations, (actions, states))
        cases: list[tuple[int, ...]] = []
        rewards: list[float] = []
        for index, mark in enumerate(self.marks):
            if mark.word == "T":
                self.distribution(index, transition)
            elif mark.word == "O":
                if self.seen:
                    raise self.fault(
                        mark.begin, "O: where no observations are declared: add a line observations: and names"
                    )
                self.distribution(index, sensor)
            elif mark.word == "R":
                self.paid(mark, cases, rewards)
        if self.seen:
            sensor.rows = [*range(len(states))] * len(actions)
        return Problem(
            states,
            actions,
            observations,
            discount=discount,
            start=self.start,
            transition=self.checked(transition),
            sensor=self.checked(sensor),
            rewards=Rewards(np.array(cases, dtype=np.int64).reshape(-1, 4), np.array(rewards, dtype=np.float64)),
            values=values or "reward",
            seen=self.seen,
            comments=self.comments,
            notices=tuple(self.notices),
        )

    def statements(self) -> list[_Mark]:
        """Find where each statement begins: at one of the words of the format, before a colon and not after one."""
        text, heads = self.text, []
        for head in HEAD.finditer(text):
            before = head.start() - 1
            while before >= 0 and text[before] in " \t":
                before -= 1
            if before < 0 or text[before] != ":":
                heads.append(head)
        if not heads:
            raise self.fault(0, "no line such as states: is in it: is it a file in Cassandra's POMDP format?")
        if stray := text[: heads[0].start()].split():
            where = text.index(stray[0])
            words = ", ".join(f"{word}:" for word in FIRST)
            raise self.fault(where, f"{_short(stray[0])} begins no statement: write one of {words}")
        ends = [head.start() for head in heads[1:]] + [len(text)]
        marks = [_Mark(h.start(), h.end(), end, h[1], h[2]) for h, end in zip(heads, ends, strict=True)]
        for mark in marks:
            if mark.mode and mark.word != "start":
                raise self.fault(mark.begin, f"{mark.word} {mark.mode}: only start can be followed by {mark.mode}")
        return marks

    def preamble(self) -> dict[str, _Mark]:
        """Find the statements that come once."""
        found: dict[str, _Mark] = {}
        for mark in self.marks:
            if mark.word in "TOR":
                continue
            if mark.word in found:
                line = self.text.count("\n", 0, found[mark.word].begin) + 1
                raise self.fault(mark.begin, f"{mark.word}: stands in line {line} already: delete one of them")
            found[mark.word] = mark
        examples = {"states": "left right", "actions": "wait go", "discount": "0.95"}
        for word, example in examples.items():
            if word not in found:
                raise self.fault(0, f"there is no line {word}: in it: add one, such as {word}: {example}")
        return found

    def names(self, mark: _Mark) -> tuple[str, ...]:
        """Read how many there are, or what they are called."""
        words = self.text[mark.body : mark.end].split()
        if not words:
            raise self.fault(mark.begin, f"{mark.word}: is empty: say how many there are, or name them")
        if len(words) == 1 and NUMERAL.fullmatch(words[0]):
            if not (words[0].isdecimal() and words[0].isascii() and len(words[0]) < 19):
                raise self.fault(mark.begin, f"{mark.word}: {_short(words[0])}: it must be a whole number above 0")
            count = int(words[0])
            if not 1 <= count <= MAX_NAMES:
                raise self.fault(mark.begin, f"{mark.word}: {count}: it must lie in 1 to {MAX_NAMES}")
            return tuple(map(str, range(count)))
        if len(words) > MAX_NAMES:
            raise self.fault(mark.begin, f"{mark.word}: names {len(words):,}, more than {MAX_NAMES:,}")
        if len(set(words)) == len(words) and not any(map(_no_name, words)):
            return tuple(words)
        known = set()
        for found in re.finditer(r"\S+", self.text[mark.body : mark.end]):
            where, word = mark.body + found.start(), found[0]
            if why := _no_name(word):
                raise self.fault(where, f"{_short(word)} can't be a name in {mark.word}: {why}")
            if word in known:
                raise self.fault(where, f"{mark.word}: names {_short(word)} twice: give each a name of its own")
            known.add(word)
        raise AssertionError

    def discount(self, mark: _Mark) -> float:
        """Read the discount."""
        said = self.text[mark.body : mark.end]
        if not NUMBER.fullmatch(said) or not 0 < float("".join(said.split())) <= 1:
            what = "it must be one number from 0 to 1, 0 excluded"
            raise self.fault(mark.begin, f"discount: {_short(said.strip())}: {what}")
        return float("".join(said.split()))

    def started(self, mark: _Mark | None, states: tuple[str, ...]) -> Floats:
        """Read the distribution of the first state."""
        count = len(states)
        everywhere = np.full(count, 1 / count)
        if mark is None:
            return everywhere
        words = self.text[mark.body : mark.end].split()
        if not words:
            raise self.fault(mark.begin, "start: is empty: write uniform, a state, or a probability for each state")
        if mark.mode:
            chosen = np.full(count, mark.mode == "exclude")
            for found in re.finditer(r"\S+", self.text[mark.body : mark.end]):
                if (number := self.numbered("states", found[0], mark.body + found.start())) < 0:
                    raise self.fault(mark.begin, f"start {mark.mode}: * is no state: name them")
                chosen[number] = mark.mode == "include"
            if not chosen.any():
                raise self.fault(mark.begin, "start exclude: no state is left: name fewer")
            return chosen / chosen.sum()
        if words == ["uniform"]:
            return everywhere
        if len(words) == 1 and (count > 1 or words != ["1"]) and (words[0].isdecimal() or not _is_float(words[0])):
            start = np.zeros(count)
            if (number := self.numbered("states", words[0], mark.begin)) < 0:
                raise self.fault(mark.begin, "start: * is no state: write uniform, or leave the line out")
            start[number] = 1
            return start
        start = self.probabilities(mark, mark.body, count)
        if abs(start.sum() - 1) > MISS:
            what = f"the probabilities of the first state add up to {start.sum():.9g}"
            raise self.fault(mark.begin, f"{what}: change the line so that they add up to 1")
        if abs(start.sum() - 1) > ROUNDING:
            self.notices.append("the probabilities of the first state were divided by their sum")
            return start / start.sum()
        return start

    def numbered(self, kind: str, word: str, where: int) -> int:
        """The number of a state, action or observation; -1 if it stands for any."""
        known = self.known[kind]
        if (number := known.get(word)) is not None:
            return number
        if word == "*":
            return -1
        if word.isdecimal() and word.isascii() and len(word) < 10 and int(word) < len(known):
            return int(word)
        one = kind.removesuffix("s")
        if word.isdecimal():
            raise self.fault(where, f"there is no {one} {_short(word)}: they are numbered 0 to {len(known) - 1}")
        if word in WORDS:
            raise self.fault(where, f"there is no {one} {_short(word)}: delete the colon before it")
        near = difflib.get_close_matches(word[:80], list(known)[:1000], n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {_short(' '.join(list(known)[:9]))}"
        raise self.fault(where, f"there is no {one} {_short(word)}: {hint}")

    def numerals(self, mark: _Mark, begin: int, count: int) -> Floats:
        """Read as many numbers as there must be, from a position to the end of a statement."""
        body = self.text[begin : mark.end]
        words = body.split()
        if "+" in words or "-" in words:  # a sign before a blank
            body = re.sub(r"(?<!\S)([+-])\s+", r"\1", body)
            words = body.split()
        if not NUMBERS.fullmatch(body) or any(not _is_float(word) for word in words):
            for found in re.finditer(r"\S+", self.text[begin : mark.end]):
                if not _is_float(found[0]) and found[0] not in "+-":
                    raise self.fault(
                        begin + found.start(), f"{_short(found[0])} is no number: a number must stand there"
                    )
            raise self.fault(begin, f"{mark.word}: a sign without a number: write the number, or delete the sign")
        if len(words) != count:
            what = f"{mark.word}: {len(words)} number{'s' * (len(words) != 1)} where {count} must be"
            raise self.fault(mark.begin, f"{what}: {'add the missing ones' if len(words) < count else 'delete some'}")
        numbers = np.fromiter(map(float, words), np.float64, count)
        if not np.isfinite(numbers).all():
            raise self.fault(mark.begin, f"{mark.word}: a number is too large: write a smaller one")
        return numbers

    def probabilities(self, mark: _Mark, begin: int, count: int) -> Floats:
        """Read as many probabilities."""
        numbers = self.numerals(mark, begin, count)
        if wrong := np.flatnonzero((numbers < 0) | (numbers > 1 + MISS)).tolist():
            where = self.token(mark, begin, wrong[0])
            raise self.fault(where, f"{numbers[wrong[0]]:.9g} is no probability: write a number from 0 to 1")
        return numbers

    def token(self, mark: _Mark, begin: int, index: int) -> int:
        """Where one of the numbers of a statement stands."""
        for i, found in enumerate(re.finditer(r"(?:[+-]\s+)?\S+", self.text[begin : mark.end])):
            if i == index:
                return begin + found.start()
        return mark.begin

    def parts(self, mark: _Mark, kinds: tuple[str, ...]) -> tuple[list[int], int]:
        """The numbers of what stands between the colons of a statement, and where its body begins."""
        found = PARTS.match(self.text, mark.body, mark.end)
        if found is None:
            raise self.fault(mark.begin, f"{mark.word}: nothing follows: write an action")
        words = [word for word in found.groups()[:5] if word is not None]
        if len(words) == len(kinds) + 1 and _is_float(words[-1]):
            raise self.fault(found.start(len(words)), f"{mark.word}: a colon before the number: delete the last colon")
        if len(words) > len(kinds) or found[6]:
            takes = " : ".join(kind.removesuffix("s") for kind in kinds)
            raise self.fault(mark.begin, f"{mark.word}: too many colons: it is {mark.word}: {takes}, then numbers")
        return [self.numbered(kinds[i], word, found.start(i + 1)) for i, word in enumerate(words)], found.end()

    def spend(self, mark: _Mark, work: int) -> None:
        """Refuse what would take forever."""
        self.work += work
        if self.work > MAX_ENTRIES:
            raise self.fault(mark.begin, "its wildcards stand for too much: write a smaller problem")

    def distribution(self, index: int, table: _Table) -> None:
        """Read a statement T: or O:."""
        mark = self.marks[index]
        kinds = ("actions", "states", "states" if table.word == "T" else "observations")
        which, begin = self.parts(mark, kinds)
        if len(which) == 3:
            action, state, column = which
            said = self.text[begin : mark.end]
            p = float("".join(said.split())) if NUMBER.fullmatch(said) else self.probabilities(mark, begin, 1)[0]
            if not 0 <= p <= 1 + MISS:
                raise self.fault(mark.begin, f"{p:.9g} is no probability: write a number from 0 to 1")
            rows = table.covered(action, state)
            if column < 0:
                self.spend(mark, len(rows) + table.width)
                self.fill(table, rows, index, _sparse(np.full(table.width, p)))
                return
            self.spend(mark, len(rows))
            table.enter(rows, column, p)
            for row in rows:
                table.given[row] = index
            return
        action, state = (*which, -1)[:2]
        rows = table.covered(action, state)
        words = self.text[begin : min(mark.end, begin + 99)].split()[:2]
        self.spend(mark, len(rows))
        if words == ["uniform"]:
            self.fill(table, rows, index, (np.arange(table.width), np.full(table.width, 1 / table.width)))
        elif words == ["reset"] and table.word == "T":
            begun = np.flatnonzero(self.start)
            self.fill(table, rows, index, (begun, self.start[begun]))
        elif words == ["identity"] and len(which) == 1:
            count = len(table.states)
            if table.width != count:
                raise self.fault(mark.begin, f"O: identity is for as many observations as states, not {table.width}")
            for row in rows:
                table.rows[row], table.given[row] = row % count, index
        elif len(which) == 2:
            self.fill(table, rows, index, _sparse(self.probabilities(mark, begin, table.width)))
        else:
            count = len(table.states)
            block = self.probabilities(mark, begin, count * table.width).reshape(count, table.width)
            for state, line in enumerate(block):
                self.fill(table, table.covered(action, state), index, _sparse(line))

    def fill(self, table: _Table, rows: range, index: int, row: tuple[Ints, Floats]) -> None:
        """Give some rows one distribution."""
        for at in rows:
            table.rows[at], table.given[at] = row, index

    def paid(self, mark: _Mark, cases: list[tuple[int, ...]], values: list[float]) -> None:
        """Read a statement R:, whose numbers are for all that it leaves open, the last part varying fastest."""
        which, begin = self.parts(mark, ("actions", "states", "states", "observations"))
        most = 3 if self.seen else 4
        if which[most:] not in ([], [-1]):
            what = "an observation, but none are declared"
            raise self.fault(mark.begin, f"R: {what}: write R: action : state : next state")
        if len(which) == 1 and not self.seen:
            raise self.fault(mark.begin, "R: names an action only: write R: action : state : state : observation")
        said = self.text[begin : mark.end]
        if len(which) >= most:
            value = float("".join(said.split())) if NUMBER.fullmatch(said) else float(self.numerals(mark, begin, 1)[0])
            if not abs(value) <= MAX_REWARD:
                raise self.fault(mark.begin, f"R: {value:g} is too large: scale rewards to {MAX_REWARD} or less")
            cases.append((*which, -1)[:4])
            values.append(self.sign * value + 0.0)
            return
        open_to = [self.count("states"), self.count("states"), self.count("observations")][len(which) - 1 : most - 1]
        numbers = self.numerals(mark, begin, math.prod(open_to))
        self.spend(mark, len(numbers))
        if (largest := np.abs(numbers).max()) > MAX_REWARD:
            raise self.fault(mark.begin, f"R: {largest:g} is too large: scale rewards to {MAX_REWARD} or less")
        cases.extend((*which, *rest, -1)[:4] for rest in itertools.product(*map(range, open_to)))
        values.extend((self.sign * numbers + 0.0).tolist())

    def count(self, kind: str) -> int:
        """How many there are."""
        return len(self.known[kind])

    def checked(self, table: _Table) -> csr_array:
        """The matrix of a table, whose rows add up to 1."""
        try:
            matrix = table.matrix()
        except EnvironmentFault as error:
            raise self.fault(len(self.text.rstrip()), str(error)) from None
        sums = np.asarray(matrix.sum(axis=1)).ravel()
        miss = np.abs(sums - 1)
        count = len(table.states)
        for row in np.flatnonzero(~(miss <= MISS))[:1].tolist():
            action, state = repr(table.actions[row // count]), repr(table.states[row % count])
            what = "next state" if table.word == "T" else "observation"
            case = (
                f"action {action} in state {state}"
                if table.word == "T"
                else f"what is seen in state {state} after action {action}"
            )
            if table.rows[row] is None or sums[row] == 0:
                line = f"{table.word}: {table.actions[row // count]} : {table.states[row % count]} : {what} probability"
                where = len(self.text.rstrip()) if table.rows[row] is None else self.given_at(table, row)
                raise self.fault(where, f"{case} has no probabilities: add lines such as {line}")
            what = f"the probabilities of {case} add up to {sums[row]:.9g}"
            raise self.fault(self.given_at(table, row), f"{what}: change the line so that they add up to 1")
        if rows := int((miss > ROUNDING).sum()):
            which = "next states" if table.word == "T" else "observations"
            what = f"the probabilities of {which} missed 1 by up to {miss.max():.1g} in {rows:,} rows"
            self.notices.append(f"{what} and were divided by their sum")
            scale = np.where(miss > ROUNDING, sums, 1.0)
            matrix.data /= np.repeat(scale, np.diff(matrix.indptr))
        return matrix

    def given_at(self, table: _Table, row: int) -> int:
        """Where the last line that gave a row stands."""
        mark = self.marks[table.given[row]]
        which, begin = self.parts(mark, ("actions", "states", "states" if table.word == "T" else "observations"))
        first = self.token(mark, begin, row % len(table.states) * table.width) if len(which) == 1 else mark.begin
        return max(first, mark.begin)


def _head(text: str) -> tuple[str, ...]:
    """The lines of comment before anything else."""
    lines = []
    for line in text.split("\n"):
        if line.strip() and not line.lstrip().startswith("#"):
            break
        lines.append(line.strip().removeprefix("#").strip())
    return tuple("\n".join(lines).strip().split("\n")) if any(lines) else ()


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]} ...")


def _is_float(word: str) -> bool:
    """Whether a word is a number; all of it, and in plain digits."""
    return NUMBER.fullmatch(word) is not None


def _no_name(word: str) -> str:
    """Why a word can't be a name, or nothing."""
    if word in WORDS or word == "*":
        return "the word has a meaning of its own: take another one"
    if not word.isprintable():
        return "it has characters that can't be seen: remove them"
    if NUMERAL.fullmatch(word):
        return "a number stands for a position: begin it with a letter"
    return "it has a colon: is a line or a word missing before it?" if ":" in word else ""


def _sparse(row: Floats) -> tuple[Ints, Floats]:
    columns = np.flatnonzero(row)
    return columns, row[columns]


def write_text(problem: Problem) -> str:
    """Return a problem in Cassandra's format; what is read from it is the same problem, to the last digit.

    Examples
    --------
    >>> text = "discount: 1 values: reward states: 1 actions: 1 observations: 1 T: 0 identity O: 0 uniform R: 0:0:0:0 2"
    >>> print(write_text(read_text(text, name="one")))
    discount: 1.0
    values: reward
    states: 1
    actions: 1
    observations: 1
    start: uniform
    <BLANKLINE>
    T: *
    identity
    <BLANKLINE>
    O: * : * : 0 1.0
    <BLANKLINE>
    R: 0 : 0 : 0 : 0 2.0
    <BLANKLINE>
    """
    lines = [f"# {line}".rstrip() for line in problem.comments]
    lines += [f"discount: {problem.discount!r}", "values: reward", *_listed("states", problem.states)]
    lines += _listed("actions", problem.actions)
    lines += [] if problem.seen else _listed("observations", problem.observations)
    lines += [*_begun(problem), "", *_distributions("T", problem, problem.transition, problem.states), ""]
    if not problem.seen:
        lines += [*_distributions("O", problem, problem.sensor, problem.observations), ""]
    names = (problem.actions, problem.states, problem.states, problem.observations)
    for case, value in zip(problem.rewards.case.tolist(), problem.rewards.value.tolist(), strict=True):
        words = ["*" if i < 0 else each[i] for i, each in zip(case, names, strict=True)]
        lines.append(f"R: {' : '.join(words[:3] if problem.seen else words)} {value!r}")
    return "\n".join([*lines, ""])


def _listed(word: str, names: tuple[str, ...]) -> list[str]:
    """A line of the preamble."""
    if names == tuple(map(str, range(len(names)))):
        return [f"{word}: {len(names)}"]
    return _folded(f"{word}:", names)


def _folded(first: str, words: tuple[str, ...] | list[str]) -> list[str]:
    """Words after a first one, in lines that are not too long."""
    lines, length = [[first]], len(first)
    for word in words:
        if length + len(word) + 1 > WIDTH:
            lines.append([" "])
            length = 1
        lines[-1].append(word)
        length += len(word) + 1
    return [" ".join(line) for line in lines]


def _begun(problem: Problem) -> list[str]:
    """The line start:."""
    chosen = np.flatnonzero(problem.start)
    if (problem.start[chosen] == 1 / len(chosen)).all():
        if len(chosen) == len(problem.states):
            return ["start: uniform"]
        return _folded("start include:", [problem.states[i] for i in chosen.tolist()])
    return _folded("start:", [repr(p) for p in problem.start.tolist()])


def _distributions(word: str, problem: Problem, matrix: csr_array, columns: tuple[str, ...]) -> list[str]:
    """The lines T: or O:."""
    count, actions = len(problem.states), problem.actions
    first, data, index = matrix.indptr, matrix.data, matrix.indices
    row = [(index[b:e].tobytes(), data[b:e].tobytes()) for b, e in itertools.pairwise(first)]
    by_action = [tuple(row[a * count : (a + 1) * count]) for a in range(len(actions))]
    everywhere = len(set(by_action)) == 1
    lines: list[str] = []
    told: set[int] = set()  # states of which all actions are alike, and that are written
    for action in [0] if everywhere else range(len(actions)):
        name = "*" if everywhere else actions[action]
        span = slice(first[action * count], first[(action + 1) * count])
        alike = len(set(by_action[action])) == 1
        same = word == "T" and np.array_equal(index[span], np.arange(count)) and (data[span] == 1).all()
        if same:
            lines += [f"{word}: {name}", "identity"]
            continue
        for state in [0] if alike else range(count):
            shared = not (everywhere or alike) and all(each[state] == by_action[0][state] for each in by_action)
            if shared and state in told:
                continue
            told |= {state} if shared else set()
            who = f"{word}: {'*' if shared else name} : {'*' if alike else problem.states[state]}"
            begin, end = first[action * count + state], first[action * count + state + 1]
            if 2 * (end - begin) > len(columns) > 4:
                dense = matrix[[action * count + state]].toarray()[0]
                lines += [who, " ".join(repr(p) for p in dense.tolist())]  # in a line, as some programs need it
            else:
                pairs = zip(index[begin:end].tolist(), data[begin:end].tolist(), strict=True)
                lines += [f"{who} : {columns[i]} {p!r}" for i, p in pairs]
    return lines

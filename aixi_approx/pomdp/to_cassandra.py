"""Finite environments as problems in Cassandra's format.

In the format, an observation depends on the action and the next state only, and nobody is shown a reward; here what
follows an action is drawn at once, and the reward is seen. So states are split by what can be seen when they are
entered, where that is needed, and observations by the reward, where it tells something that they do not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from aixi_approx.pomdp.cassandra import FIRST, WORDS, Floats, Ints, Problem, Rewards
from aixi_approx.pomdp.definition import POMDP, Tables
from aixi_approx.pomdp.discounted import DiscountedPOMDP

LONGEST = 24  # characters of a name
DISCOUNT = 0.95  # written where there is none, as most of the format's examples have it
DIGITS = 12  # to which two distributions are the same, and of a probability that is written
SHOWN = 200  # states whose names are told in a comment


def reward_tells(tables: Tables, *, actions: int) -> bool:
    """Return whether rewards can tell something of the state, present or past, that the observations do not.

    They can't if, after each action and observation, the reward is drawn whatever the states before and after, or the
    next state is drawn anew whatever came before, as in Tiger behind the door.

    Parameters
    ----------
    tables : Tables
        A finite environment.
    actions : int
        How many there are.
    """
    row = np.repeat(np.arange(len(tables.first) - 1), np.diff(tables.first))
    case = row % actions * (int(tables.observation.max()) + 1) + tables.observation
    mixed = _varied(case, tables.code)
    order = np.argsort(case, kind="stable")
    for some in np.split(order, np.flatnonzero(np.diff(case[order])) + 1):
        if mixed[case[some[0]]]:
            here, state, code, p = row[some], tables.state[some], tables.code[some], tables.probability[some]
            if not _independent((here, code), state, p) and not _independent((here, state), code, p):
                return True
    return False


def _independent(given: tuple[Ints, Ints], drawn: Ints, probability: Floats) -> bool:
    """Whether what is drawn has the same distribution whatever is given."""
    left, right = _number(given), np.unique(drawn, return_inverse=True)[1].ravel()
    joint = csr_array((probability, (left, right)))
    joint.sum_duplicates()
    if joint.nnz < joint.shape[0] * joint.shape[1]:
        return False
    dense = joint.toarray()
    dense /= dense.sum(axis=1, keepdims=True)
    return bool(np.ptp(dense, axis=0).max() <= 10.0**-DIGITS)


def _varied(case: Ints, value: Ints) -> NDArray[np.bool_]:
    """Of each case, by number, whether more than one value occurs in it."""
    pairs = np.unique(np.stack([case, value]), axis=1)[0]
    return np.bincount(pairs, minlength=int(case.max()) + 1) > 1


def seen_as(pomdp: POMDP) -> list[tuple[int, int | None]]:
    """Return what each observation of the problem stands for: an observation, and the code of a reward if it tells it.

    Parameters
    ----------
    pomdp : POMDP
        The environment.
    """
    tables, actions = pomdp.tables, len(pomdp.actions)
    row = np.repeat(np.arange(len(tables.first) - 1), np.diff(tables.first))
    case = _number((row, tables.state, tables.observation))
    if not reward_tells(tables, actions=actions) and not _varied(case, tables.code).any():
        return [(number, None) for number in np.unique(tables.observation).tolist()]
    return sorted(set(zip(tables.observation.tolist(), tables.code.tolist(), strict=True)))


class _Split(NamedTuple):
    """States split by what can be seen when they are entered."""

    old: Ints  # [S] which state each one is
    entered: Ints  # [N] of each outcome, the copy that is entered: 0 where there is but one
    first: Ints  # [old states] the first copy of each state


def problem_of(pomdp: POMDP, *, discount: float | None = None) -> Problem:
    """Return a finite environment as a problem in Cassandra's format.

    An agent that sees the problem's observations, or those and the rewards, is in the same process as in the
    environment: the probability of all that it sees is the same for every sequence of actions. Where the environment's
    rewards are seen and tell more than its observations, the problem's observations contain them.

    Parameters
    ----------
    pomdp : POMDP
        The environment.
    discount : float, optional
        Of the problem. By default that of the environment, or 0.95 if it has none, which a comment says.
    """
    if isinstance(pomdp, DiscountedPOMDP):  # the format has a discount, and no beginnings
        return problem_of(pomdp.inner, discount=pomdp.discount if discount is None else discount)
    tables, actions = pomdp.tables, len(pomdp.actions)
    row = np.repeat(np.arange(len(tables.first) - 1), np.diff(tables.first))
    action, before = row % actions, row // actions
    pairs = seen_as(pomdp)
    with_reward = pairs[0][1] is not None
    rewards = int(tables.code.max()) + 1 if with_reward else 1
    symbol = tables.observation * rewards + (tables.code if with_reward else 0)
    symbol = np.searchsorted([observation * rewards + (code or 0) for observation, code in pairs], symbol)
    split = _split(pomdp, action=action, before=before, symbol=symbol)
    count = len(split.old)
    after = split.first[tables.state] + split.entered
    shape = (actions * len(pomdp.states), count)
    moves = csr_array((tables.probability, (action * len(pomdp.states) + before, after)), shape=shape)
    moves.data = _rounded(moves.data)
    transition = csr_array(moves[(np.arange(actions)[:, None] * len(pomdp.states) + split.old).ravel()])
    sensor = _sensor(actions, count, observations=len(pairs), action=action, after=after, symbol=symbol, tables=tables)
    names, said = _observation_names(pomdp, pairs)
    states, told = _state_names(pomdp, split)
    action_names = cleaned(pomdp.actions) or [f"a{i}" for i in range(actions)]
    comments = [*_about(pomdp), *told, *said]
    if discount is None and pomdp.begins_anew:  # its beginnings are in its tables
        discount = 1.0
    known = pomdp.discount if discount is None else discount
    if discount is None and known == 1:
        known = DISCOUNT
        comments.append(f"discount: the environment has none; {DISCOUNT} is written since the format asks for one")
    start = np.zeros(count)
    start[split.first[: len(tables.start)]] = tables.start
    return Problem(
        tuple(states),
        tuple(action_names),
        tuple(names),
        discount=float(known),
        start=start,
        transition=transition,
        sensor=sensor,
        rewards=_rewards(action, split.old, before=before, after=after, symbol=symbol, reward=tables.reward),
        comments=tuple(comments),
    )


def _number(columns: Sequence[Ints]) -> Ints:
    """One small number for each combination."""
    key = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        key = np.unique(key * (int(column.max()) + 1) + column, return_inverse=True)[1].ravel()
    return key


def _split(pomdp: POMDP, *, action: Ints, before: Ints, symbol: Ints) -> _Split:
    """Split states so that what is seen depends on the action and the next state only."""
    tables, count = pomdp.tables, len(pomdp.states)
    way = _number((action, before, tables.state))  # of getting from a state to another
    order = np.lexsort((symbol, way))
    ends = np.flatnonzero(np.diff(way[order])) + 1
    total = np.bincount(way, tables.probability)
    kinds: dict[tuple[int, int], dict[tuple[object, ...], int]] = {}
    entered = np.zeros(len(way), dtype=np.int64)
    needed = np.ones(count, dtype=np.int64)
    for rows in np.split(order, ends):
        here, to = int(action[rows[0]]), int(tables.state[rows[0]])
        chance: Counter[int] = Counter()
        for seen, p in zip(symbol[rows].tolist(), tables.probability[rows].tolist(), strict=True):
            chance[seen] += p
        kind = tuple((seen, round(p / total[way[rows[0]]], DIGITS)) for seen, p in sorted(chance.items()))
        known = kinds.setdefault((here, to), {})
        entered[rows] = known.setdefault(kind, len(known))
        needed[to] = max(needed[to], len(known))
    first = np.cumsum(needed) - needed
    return _Split(np.repeat(np.arange(count), needed), entered, first)


def _rounded(probability: Floats) -> Floats:
    """Probabilities without what rounding in sums and quotients has left, such as 1.0000000000000002."""
    return np.array([float(f"{p:.{DIGITS}g}") for p in probability.tolist()])


def _sensor(
    actions: int, count: int, *, observations: int, action: Ints, after: Ints, symbol: Ints, tables: Tables
) -> csr_array:
    """O: what is seen after an action in the next state; where that can't happen, what another action would show."""
    row = action * count + after
    sensor = csr_array((tables.probability, (row, symbol)), shape=(actions * count, observations))
    total = np.asarray(sensor.sum(axis=1)).ravel()
    sensor.data = _rounded(sensor.data / np.repeat(total, np.diff(sensor.indptr)))
    entered = (total > 0).reshape(actions, count)
    other = np.where(entered.any(axis=0), entered.argmax(axis=0), -1)  # an action by which it is entered
    source = np.where(entered, np.arange(actions)[:, None], other) * count + np.arange(count)
    blank = csr_array(([1.0], ([0], [0])), shape=(1, observations))
    source[:, other < 0] = actions * count
    return csr_array(vstack([sensor, blank], format="csr")[source.ravel()])


def _rewards(action: Ints, old: Ints, *, before: Ints, after: Ints, symbol: Ints, reward: Floats) -> Rewards:
    """R: the commonest reward, of all or of each action, then others by as few parts of a case as tell them."""
    copies = np.split(np.arange(len(old)), np.flatnonzero(np.diff(old)) + 1)
    columns = (action, before, after, symbol)
    best: list[list[int | float]] | None = None
    for base in ((), (0,)):
        common, lines = np.zeros(len(reward)), []
        for one in np.unique(action).tolist() if base else [-1]:
            chosen = (action == one) | (one < 0)
            values, counts = np.unique(reward[chosen], return_counts=True)
            common[chosen] = values[counts.argmax()]
            lines.append([one, -1, -1, -1, float(values[counts.argmax()])])
        parts, first = _told_by(columns, reward, common)
        for outcome in first.tolist():
            fixed = [int(columns[i][outcome]) if i in parts else -1 for i in range(4)]
            for state in copies[fixed[1]].tolist() if fixed[1] >= 0 else [-1]:
                lines.append([fixed[0], state, fixed[2], fixed[3], float(reward[outcome])])
        if best is None or len(lines) <= len(best):
            best = lines
    assert best is not None
    cases = np.array([line[:4] for line in best], dtype=np.int64)
    return Rewards(cases, np.array([line[4] for line in best], dtype=np.float64))


def _told_by(columns: tuple[Ints, ...], reward: Floats, common: Floats) -> tuple[tuple[int, ...], Ints]:
    """Of which parts rewards are a function, and an outcome for each combination of these with another than usual."""
    best: tuple[tuple[int, ...], Ints] | None = None
    for parts in (parts for size in range(5) for parts in combinations(range(4), size)):
        case = _number([columns[i] for i in parts]) if parts else np.zeros(len(reward), dtype=np.int64)
        _, first = np.unique(case, return_index=True)
        if (reward[first][case] == reward).all():
            unusual = np.zeros(len(first), dtype=bool)
            np.logical_or.at(unusual, case, reward != common)
            if best is None or unusual.sum() < len(best[1]):
                best = parts, first[unusual]
    assert best is not None  # all four parts tell the reward
    return best


def cleaned(names: Iterable[Hashable]) -> list[str]:
    """Return names as the format has them, if they are short and differ; else nothing.

    >>> cleaned(["open left", ("x", 1)]), cleaned(["1", "2"])
    (['open-left', 'x-1'], [])
    """
    found = [re.sub(r"[^A-Za-z0-9_]+", "-", str(name)).strip("-") for name in names]
    fine = all(re.fullmatch(rf"[A-Za-z][\w-]{{0,{LONGEST - 1}}}", name) for name in found)
    return found if fine and len(set(found)) == len(found) and not {*FIRST, *WORDS} & set(found) else []


def _state_names(pomdp: POMDP, split: _Split) -> tuple[list[str], list[str]]:
    """Names of states, and what is to be said of them."""
    short = cleaned(pomdp.states)
    names = short or [f"s{i}" for i in range(len(pomdp.states))]
    copies = np.bincount(split.old)
    said = []
    if not short and len(names) <= SHOWN:
        said = [f"{name}: {_line(state)}" for name, state in zip(names, pomdp.states, strict=True)]
    if copies.max() == 1:
        return names, said
    which = np.arange(len(split.old)) - split.first[split.old]
    split_names = [
        f"{names[old]}_{k}" if copies[old] > 1 else names[old]
        for old, k in zip(split.old.tolist(), which.tolist(), strict=True)
    ]
    if len(set(split_names)) < len(split_names):
        split_names = [f"s{i}" for i in range(len(split_names))]
    return split_names, [*said, "states s_0, s_1, ... are one state s, entered with different observations"]


def _observation_names(pomdp: POMDP, pairs: list[tuple[int, int | None]]) -> tuple[list[str], list[str]]:
    """Names of observations, and what is to be said of them."""
    used = sorted({observation for observation, _ in pairs})
    few = {number: pomdp.observations[number] for number in used}
    short = cleaned(few.values())
    base = dict(zip(used, short or [f"o{i}" for i in used], strict=True))
    said = [] if short or len(few) > SHOWN else [f"{base[i]}: {_line(few[i])}" for i in used]
    if pairs[0][1] is None:
        return [base[number] for number, _ in pairs], said
    said.append("an observation ends in the reward that is seen with it")
    reward = dict(zip(pomdp.tables.code.tolist(), pomdp.tables.reward.tolist(), strict=True))
    names = []
    for number, code in pairs:
        value = reward[code or 0]
        written = f"{value:g}" if re.fullmatch(r"-?\d{1,9}", f"{value:g}") else ""
        names.append(f"{base[number]}_{written or f'r{code}'}")
        if not written:
            said.append(f"{names[-1]}: {base[number]}, with the reward {value!r}")
    return (names, said) if len(set(names)) == len(names) else ([f"o{i}" for i in range(len(pairs))], said)


def _about(pomdp: POMDP) -> list[str]:
    """What the file is."""
    title = pomdp.title or pomdp.name
    return [f"{_line(title)}, written by aixi export", ""]


def _line(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 90 else f"{text[:90]} ..."

"""Bounds of the discounted value of a finite POMDP that tighten as long as one lets them: a point-based solver.

It takes over where beliefs don't come back, so that the graph of all beliefs has no end. The ideas are those of HSVI
(Smith, Simmons 2005) and SARSOP (Kurniawati, Hsu, Lee 2008). Both bounds are proved at every moment, up to rounding:

- The lower bound is the maximum of vectors, each the value of a finite-state controller in every state, or less. The
  first ones always take the same action. Others are backed up at a visited belief: an action, then the vector that is
  best for the belief after each percept.
- The upper bound is the fast informed bound Q (Hauskrecht 2000), pulled down at the visited beliefs. The value is
  convex, so if b = share * b_i + rest, where v_i bounds the value of the visited belief b_i,

      V(b) <= share * v_i + max over a of Q_a(rest)        share = min over states s of b(s) / b_i(s).

  With the best single action for the rest this is never above the sawtooth that values the rest state by state, but the
  states have bounds of their own that improve, so the lower of both is taken.

A trial goes down from the start, by the action with the largest upper bound and the percept that contributes most to
the gap, until the gap is a fixed share of that of the start, allowing for the discount; then the beliefs of the path
are backed up, last ones first.

Decisions where the papers are silent. An action is looked at again only while its last upper bound could still be the
largest, and for the lower bound only if its upper bound is above the lower bound of the belief. Now and then vectors
are evaluated as the controllers that they are, by sweeps that never lower them. After a trial, vectors that are best at
no visited belief no longer count, but are kept as long as others lead to them; and the upper bounds of some known
states are improved, in turn, whether or not the agent can come to know them: all beliefs lie between known states.
Percepts that the belief at a backup excludes have a successor, too: that of the vector which was best there, if it
takes the same action, else the policy that never changes the action.
"""

from __future__ import annotations

import math
import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from aixi_approx.compilation import compiled
from aixi_approx.pomdp.controller import Controller
from aixi_approx.pomdp.definition import Tables

SHARE = 0.5  # a trial ends where the gap is this share of that of the start
ROUNDING = 1e-12  # relative to the values: a gap below this is none
WORTH = 1e-4  # a backup that closes less than this share of the gap of its belief adds no vector
SWEEPS = 2  # evaluations of all vectors at once
REST = 5  # trials take so many times the work of evaluations
CORNERS = 10  # and so many times that of known states
CONVERGED = 1e-10  # relative to the values: the first bounds are iterated until they change by less
ITERATIONS = 20_000  # or as often as this
MERGE = 1e-7  # visited beliefs whose probabilities differ by less, relatively, are one; no bound depends on it
SLICE = 5_000_000  # operations between two looks at the clock: less than a tenth of a second
FIRST_ROOM = 64  # visited beliefs, and vectors
WORD = (1 << 31) - 1  # hashes are made of words of 31 bits, whose products fit into 63

POINTS, ENTRIES, VECTORS, TEETH, USED, DEPTH, RISING, WORK, TRIALS, SIFTED, COLLECTED, SWEEP, BEGAN, CORNER = range(14)
PAUSED, CLOSED, FULL_POINTS, FULL_ENTRIES, FULL_VECTORS, FULL_PATH = range(6)  # how a slice ends
NONE = -1


class Lanes(NamedTuple):
    """A POMDP by lanes, pairs of an action and a percept: S states, A actions, L lanes, K outcomes."""

    discount: float
    reward: NDArray[np.float64]  # [S, A] expected reward
    first: NDArray[np.int64]  # [A + 1] lanes of action a are first[a] to first[a + 1]
    row: NDArray[np.int64]  # [L * S + 1] outcomes of lane l in state s are at row[l * S + s] to row[l * S + s + 1]
    state: NDArray[np.int32]  # [K] next state
    probability: NDArray[np.float64]  # [K] of percept and next state, given state and action
    informed: NDArray[np.float64]  # [S, A] the fast informed bound
    tiny: float  # what is lost in rounding


class Room(NamedTuple):
    """What was found out. Points are visited beliefs, of which teeth pull the upper bound down."""

    tally: NDArray[np.int64]  # how much of the room is used, and where a trial stands
    # points
    begin: NDArray[np.int64]  # entries of point i are at begin[i] to begin[i + 1]
    value: NDArray[np.float64]  # upper bound
    quality: NDArray[np.float64]  # [points, A] upper bound of each action
    informed: NDArray[np.float64]  # [points, A] the fast informed bound of each action
    fall: NDArray[np.float64]  # [points, 2] value minus what the states say, and minus the fast informed bound
    low: NDArray[np.float64]  # lower bound
    best: NDArray[np.int64]  # the vector that it is from
    beside: NDArray[np.int64]  # the next point in the same place of the hash table, or NONE
    tooth: NDArray[np.int64]  # the points that are teeth
    is_tooth: NDArray[np.bool_]
    place: NDArray[np.int64]  # the hash table: first point, or NONE
    # entries
    state: NDArray[np.int32]
    probability: NDArray[np.float64]
    inverse: NDArray[np.float64]
    # vectors
    vector: NDArray[np.float64]  # [vectors, S] lower bound of the value
    action: NDArray[np.int64]
    follow: NDArray[np.int64]  # [vectors, most lanes of an action] the vector after each percept
    heir: NDArray[np.int64]  # a vector that is nowhere lower, or NONE
    used: NDArray[np.int64]  # the vectors that count
    across: NDArray[np.float64]  # [S, vectors] their values, state by state
    score: NDArray[np.float64]  # scratch
    mark: NDArray[np.int64]  # scratch
    # the rest
    path: NDArray[np.int64]  # points of a trial
    corner: NDArray[np.float64]  # [S] upper bound in known states
    dense: NDArray[np.float64]  # [S] scratch: a belief, not normalised; 0 elsewhere
    touched: NDArray[np.int32]  # [S] scratch: its states
    lane: NDArray[np.float64]  # [3, A, most lanes] scratch: probability, upper and lower bound after each percept
    after: NDArray[np.int64]  # [2, most lanes] scratch: successors
    sum: NDArray[np.float64]  # [A] scratch
    goal: NDArray[np.float64]  # [1] the gap at which a trial ends, before discounting


@compiled
def _spread(lanes: Lanes, room: Room, point: int, lane: int) -> tuple[int, float]:
    """Fill `dense` with the belief after a percept, not normalised; return the number of states and its sum."""
    size, found, total = len(room.dense), 0, 0.0
    for e in range(room.begin[point], room.begin[point + 1]):
        row, p = lane * size + room.state[e], room.probability[e]
        for k in range(lanes.row[row], lanes.row[row + 1]):
            s, weight = lanes.state[k], p * lanes.probability[k]
            if weight > 0:
                if room.dense[s] == 0:
                    room.touched[found] = s
                    found += 1
                room.dense[s] += weight
                total += weight
    room.tally[WORK] += room.begin[point + 1] - room.begin[point] + found
    return found, total


@compiled
def _show(room: Room, point: int) -> int:
    """Fill `dense` with the belief of a point."""
    begin = room.begin[point]
    for e in range(begin, room.begin[point + 1]):
        room.touched[e - begin] = room.state[e]
        room.dense[room.state[e]] = room.probability[e]
    return room.begin[point + 1] - begin


@compiled
def _clear(room: Room, found: int) -> None:
    for k in range(found):
        room.dense[room.touched[k]] = 0


@compiled
def _ceiling(lanes: Lanes, room: Room, found: int, total: float, teeth: int) -> float:
    """Return the upper bound at the belief in `dense`, times its sum."""
    actions = lanes.informed.shape[1]
    corners = 0.0
    room.sum[:] = 0
    for k in range(found):
        s = room.touched[k]
        weight = room.dense[s]
        corners += weight * room.corner[s]
        for a in range(actions):
            room.sum[a] += weight * lanes.informed[s, a]
    informed = room.sum.max()
    best = min(corners, informed)
    work = found * actions + teeth
    for t in range(teeth):
        i = room.tooth[t]
        fall, drop = room.fall[i, 0], room.fall[i, 1]
        share = total
        if corners + share * fall >= best and informed + share * drop >= best:
            continue
        for e in range(room.begin[i], room.begin[i + 1]):
            ratio = room.dense[room.state[e]] * room.inverse[e]
            if ratio < share:
                share = ratio
                if corners + share * fall >= best and informed + share * drop >= best:
                    share = 0.0
                    break
        if share > 0:
            rest = room.sum[0] - share * room.informed[i, 0]
            for a in range(1, actions):
                rest = max(rest, room.sum[a] - share * room.informed[i, a])
            value = min(corners + share * fall, share * room.value[i] + rest)
            if value < best:  # tried earlier next time
                best = value
                room.tooth[t], room.tooth[t // 2] = room.tooth[t // 2], i
            work += room.begin[i + 1] - room.begin[i]
    room.tally[WORK] += work
    return best


@compiled
def _floor(room: Room, found: int) -> tuple[float, int]:
    """Return the lower bound at the belief in `dense`, times its sum, and its vector."""
    used = room.tally[USED]
    score = room.score[:used]
    score[:] = 0
    for k in range(found):
        s = room.touched[k]
        weight, values = room.dense[s], room.across[s]
        for u in range(used):  # in this order, so that it can be done for several vectors at once
            score[u] += weight * values[u]
    best = int(score.argmax())
    room.tally[WORK] += used * found // 4
    return score[best], room.used[best]


@compiled
def _lay_across(room: Room, begin: int) -> None:
    """Update the table of the vectors that count, from one of them on."""
    for u in range(begin, room.tally[USED]):
        for s in range(len(room.dense)):
            room.across[s, u] = room.vector[room.used[u], s]


@compiled
def _look_ahead(lanes: Lanes, room: Room, point: int, action: int, upper: bool) -> float:
    """Return a bound of an action at a point; keep those after each percept in `lane`, successors in after[0]."""
    value = 0.0
    for e in range(room.begin[point], room.begin[point + 1]):
        value += room.probability[e] * lanes.reward[room.state[e], action]
    for z in range(lanes.first[action + 1] - lanes.first[action]):
        found, total = _spread(lanes, room, point, lanes.first[action] + z)
        bound, chosen = 0.0, NONE
        if found:
            if upper:
                bound = _ceiling(lanes, room, found, total, room.tally[TEETH])
            else:
                bound, chosen = _floor(room, found)
        _clear(room, found)
        room.lane[0, action, z] = total
        if upper:
            room.lane[1, action, z] = bound
        else:
            room.lane[2, action, z] = bound
            room.after[0, z] = chosen
        value += lanes.discount * bound
    return value


@compiled
def _fall_of(lanes: Lanes, room: Room, point: int) -> None:
    corners = 0.0
    for e in range(room.begin[point], room.begin[point + 1]):
        corners += room.probability[e] * room.corner[room.state[e]]
    room.fall[point, 0] = room.value[point] - corners
    room.fall[point, 1] = room.value[point] - room.informed[point].max()
    if not room.is_tooth[point] and room.fall[point].max() < -lanes.tiny:
        room.is_tooth[point] = True
        room.tooth[room.tally[TEETH]] = point
        room.tally[TEETH] += 1


@compiled
def _lower_ceiling(lanes: Lanes, room: Room, point: int) -> int:
    """Improve the upper bound of a point; return its best action, with the bounds after each percept in `lane`."""
    fresh = np.zeros(lanes.informed.shape[1], dtype=np.bool_)
    action = int(room.quality[point].argmax())
    while not fresh[action]:
        value = _look_ahead(lanes, room, point, action, True)
        room.quality[point, action] = min(room.quality[point, action], value)
        fresh[action] = True
        action = int(room.quality[point].argmax())
    value = room.quality[point, action]
    if value < room.value[point]:
        room.value[point] = value
        _fall_of(lanes, room, point)
    return action


@compiled
def _raise_floor(lanes: Lanes, room: Room, point: int) -> None:
    """Add the vector that is backed up at a point, if it is better there by enough."""
    worth = room.low[point] + max(lanes.tiny, WORTH * (room.value[point] - room.low[point]))
    best, action = worth, NONE
    for a in range(lanes.informed.shape[1]):
        if room.quality[point, a] > best:
            value = _look_ahead(lanes, room, point, a, False)
            if value > best:
                best, action = value, a
                room.after[1] = room.after[0]
    if action == NONE:
        return
    new, old, size = room.tally[VECTORS], room.best[point], len(room.dense)
    width = lanes.first[action + 1] - lanes.first[action]
    for z in range(width):
        to = room.after[1, z]
        if to == NONE:
            to = room.follow[old, z] if room.action[old] == action else action
        room.follow[new, z] = to
    room.action[new] = action
    room.heir[new] = NONE
    room.vector[new] = -np.inf
    room.tally[VECTORS] += 1
    _evaluate(lanes, room, new)
    # Those that are nowhere better go.
    kept = 0
    for u in range(room.tally[USED]):
        v = room.used[u]
        s = 0
        while s < size and room.vector[v, s] <= room.vector[new, s]:
            s += 1
        if s == size:
            room.heir[v] = new
        else:
            room.used[kept] = v
            kept += 1
    same = kept == room.tally[USED]
    room.used[kept] = new
    room.tally[USED] = kept + 1
    _lay_across(room, kept if same else 0)
    for i in range(room.tally[POINTS]):
        value = 0.0
        for e in range(room.begin[i], room.begin[i + 1]):
            value += room.probability[e] * room.vector[new, room.state[e]]
        if value > room.low[i] or room.heir[room.best[i]] != NONE:
            room.low[i] = max(value, room.low[i])
            room.best[i] = new
    room.tally[WORK] += room.tally[ENTRIES] + kept * 4


@compiled
def _evaluate(lanes: Lanes, room: Room, v: int) -> None:
    """Raise a vector to what its action and its successors are worth."""
    size, action = len(room.dense), room.action[v]
    room.dense[:] = 0
    for z in range(lanes.first[action + 1] - lanes.first[action]):
        to, lane = room.follow[v, z], (lanes.first[action] + z) * size
        for s in range(size):
            for k in range(lanes.row[lane + s], lanes.row[lane + s + 1]):
                room.dense[s] += lanes.probability[k] * room.vector[to, lanes.state[k]]
    for s in range(size):
        room.vector[v, s] = max(room.vector[v, s], lanes.reward[s, action] + lanes.discount * room.dense[s])
    room.dense[:] = 0
    room.tally[WORK] += lanes.row[lanes.first[action + 1] * size] - lanes.row[lanes.first[action] * size]


@compiled
def _sweep(lanes: Lanes, room: Room) -> None:
    """Evaluate all vectors, and the points by them."""
    before = room.tally[WORK]
    for _ in range(SWEEPS):
        for v in range(room.tally[VECTORS]):
            if room.heir[v] == NONE:  # what has one must not rise above it
                _evaluate(lanes, room, v)
    for i in range(room.tally[POINTS]):
        value, best = 0.0, room.best[i]
        for e in range(room.begin[i], room.begin[i + 1]):
            value += room.probability[e] * room.vector[best, room.state[e]]
        room.low[i] = max(room.low[i], value)
    room.tally[WORK] += room.tally[ENTRIES]
    room.tally[SWEEP] = room.tally[WORK] + REST * (room.tally[WORK] - before)


@compiled
def _thin(room: Room) -> None:
    """Vectors that are best at no point no longer count."""
    room.mark[: room.tally[VECTORS]] = 0
    for i in range(room.tally[POINTS]):
        room.mark[room.best[i]] = 1
    kept = 0
    for u in range(room.tally[USED]):
        if room.mark[room.used[u]]:
            room.used[kept] = room.used[u]
            kept += 1
    room.tally[USED] = kept
    _lay_across(room, 0)


@compiled
def _sift(lanes: Lanes, room: Room) -> None:
    """Remove teeth that the others make superfluous."""
    t = room.tally[TEETH] - 1
    while t >= 0:
        last, point = room.tally[TEETH] - 1, room.tooth[t]
        room.tooth[t], room.tooth[last] = room.tooth[last], point
        found = _show(room, point)
        if _ceiling(lanes, room, found, 1.0, last) <= room.value[point] + lanes.tiny:
            room.tally[TEETH] = last
            room.is_tooth[point] = False
        _clear(room, found)
        t -= 1
    room.tally[SIFTED] = room.tally[TEETH]


@compiled
def _collect(lanes: Lanes, room: Room) -> None:
    """Let heirs take the place of vectors that are nowhere better, and remove those to which nothing leads."""
    total = room.tally[VECTORS]
    for v in range(total):  # heirs were made later
        while room.heir[v] != NONE and room.heir[room.heir[v]] != NONE:
            room.heir[v] = room.heir[room.heir[v]]
    actions = lanes.informed.shape[1]
    stack = np.empty(total, dtype=np.int64)
    room.mark[:total] = 0
    height = 0
    for u in range(room.tally[USED] + actions):
        v = room.used[u - actions] if u >= actions else u
        if not room.mark[v]:
            room.mark[v] = 1
            stack[height] = v
            height += 1
    while height:
        height -= 1
        v = stack[height]
        for z in range(lanes.first[room.action[v] + 1] - lanes.first[room.action[v]]):
            to = room.follow[v, z]
            if room.heir[to] != NONE:
                to = room.heir[to]
                room.follow[v, z] = to
            if not room.mark[to]:
                room.mark[to] = 1
                stack[height] = to
                height += 1
    number = 0
    for v in range(total):
        kept = room.mark[v]
        room.mark[v] = number if kept else NONE
        number += kept
    for v in range(total):
        new = room.mark[v]
        if new != NONE:
            if new != v:
                room.vector[new] = room.vector[v]
            room.action[new] = room.action[v]
            room.heir[new] = room.mark[room.heir[v]] if room.heir[v] != NONE else NONE
            for z in range(lanes.first[room.action[v] + 1] - lanes.first[room.action[v]]):
                room.follow[new, z] = room.mark[room.follow[v, z]]
    for u in range(room.tally[USED]):
        room.used[u] = room.mark[room.used[u]]
    for i in range(room.tally[POINTS]):
        room.best[i] = room.mark[room.best[i]]
    room.tally[VECTORS] = room.tally[COLLECTED] = number


@compiled
def _visit(lanes: Lanes, room: Room, found: int, total: float) -> int:
    """Return the point of the belief in `dense`, made if it is new; clear `dense`."""
    key = 0
    for k in range(found):
        s = int(room.touched[k])
        key = (key + (s + 1) * (int(room.dense[s] / total * 1024 + 0.5) + 1) % WORD * 0x2C1B3C6D) & WORD
    place = key % len(room.place)
    point = room.place[place]
    while point != NONE:
        same = room.begin[point + 1] - room.begin[point] == found
        for e in range(room.begin[point], room.begin[point + 1]):
            if not same:
                break
            same = abs(room.dense[room.state[e]] * room.inverse[e] - total) <= MERGE * total
        if same:
            _clear(room, found)
            return point
        point = room.beside[point]
    point = room.tally[POINTS]
    room.beside[point], room.place[place] = room.place[place], point
    room.value[point] = _ceiling(lanes, room, found, total, room.tally[TEETH]) / total
    low, room.best[point] = _floor(room, found)
    room.low[point] = low / total
    begin = room.begin[point]
    room.informed[point] = 0
    order = np.argsort(-room.dense[room.touched[:found]])  # the projection ends early if large ones come first
    for k in range(found):
        s = room.touched[order[k]]
        p = room.dense[s] / total
        room.state[begin + k], room.probability[begin + k], room.inverse[begin + k] = s, p, 1 / p
        for a in range(lanes.informed.shape[1]):
            room.informed[point, a] += p * lanes.informed[s, a]
    _clear(room, found)
    room.quality[point] = room.informed[point]
    room.begin[point + 1] = room.tally[ENTRIES] = begin + found
    room.is_tooth[point] = False
    room.tally[POINTS] += 1
    return point


@compiled
def _rehash(room: Room) -> None:
    """Fill the hash table anew."""
    room.place[:] = NONE
    for i in range(room.tally[POINTS]):
        key = 0
        for e in range(room.begin[i], room.begin[i + 1]):
            cell = int(room.probability[e] * 1024 + 0.5) + 1
            key = (key + (int(room.state[e]) + 1) * cell % WORD * 0x2C1B3C6D) & WORD
        place = key % len(room.place)
        room.beside[i], room.place[place] = room.place[place], i


@compiled
def _turn_corners(lanes: Lanes, room: Room) -> None:
    """Improve the upper bound of known states, in turn, with a share of the work of the last trial."""
    count, size = room.tally, len(room.dense)
    end = count[WORK] + (count[WORK] - count[BEGAN]) // CORNERS
    for _ in range(size):
        if count[WORK] >= end or count[POINTS] == len(room.value) or count[ENTRIES] == len(room.state):
            break
        count[CORNER] = (count[CORNER] + 1) % size
        room.dense[count[CORNER]] = 1.0
        room.touched[0] = count[CORNER]
        _lower_ceiling(lanes, room, _visit(lanes, room, 1, 1.0))
    for i in range(count[POINTS]):  # all at once, for the falls depend on the corners
        begin = room.begin[i]
        if room.begin[i + 1] == begin + 1:
            room.corner[room.state[begin]] = min(room.corner[room.state[begin]], room.value[i])
    for i in range(count[POINTS]):
        _fall_of(lanes, room, i)
    count[WORK] += count[ENTRIES]
    count[BEGAN] = count[WORK]


@compiled
def _slice(lanes: Lanes, room: Room, gap: float, work: int) -> int:
    """Go on with trials until the gap is closed, room is short, or enough work was done; return which."""
    count, size = room.tally, len(room.dense)
    end = count[WORK] + work
    while count[WORK] < end:
        depth = count[DEPTH]
        point = room.path[depth]
        if count[RISING]:
            if count[VECTORS] == len(room.action):
                return FULL_VECTORS
            _lower_ceiling(lanes, room, point)
            _raise_floor(lanes, room, point)
            if depth:
                count[DEPTH] -= 1
                continue
            count[TRIALS] += 1
            if count[WORK] >= count[SWEEP]:
                _sweep(lanes, room)
            _thin(room)
            _turn_corners(lanes, room)
            if count[TEETH] > 10 + count[SIFTED] * 5 // 4:
                _sift(lanes, room)
            if count[VECTORS] > 10 + 2 * count[COLLECTED]:
                _collect(lanes, room)
            count[RISING] = 0
            continue
        if depth == 0:
            if room.value[0] - room.low[0] <= gap:
                return CLOSED
            room.goal[0] = max(gap / 2, SHARE * (room.value[0] - room.low[0]))
        if count[POINTS] == len(room.value):
            return FULL_POINTS
        if count[ENTRIES] + size > len(room.state):
            return FULL_ENTRIES
        if depth + 1 == len(room.path):
            return FULL_PATH
        action = _lower_ceiling(lanes, room, point)
        _look_ahead(lanes, room, point, action, False)
        goal = room.goal[0] * lanes.discount ** -(depth + 1)
        most, chosen = 0.0, NONE
        for z in range(lanes.first[action + 1] - lanes.first[action]):
            total, upper, lower = room.lane[0, action, z], room.lane[1, action, z], room.lane[2, action, z]
            if upper - lower - total * goal > most:
                most, chosen = upper - lower - total * goal, z
        if chosen == NONE:
            count[RISING] = 1
            continue
        found, total = _spread(lanes, room, point, lanes.first[action] + chosen)
        room.path[depth + 1] = _visit(lanes, room, found, total)
        count[DEPTH] += 1
    return PAUSED


@compiled
def _inform(lanes: Lanes, bound: NDArray[np.float64], better: NDArray[np.float64]) -> None:
    """Iterate the fast informed bound once."""
    size, actions = bound.shape
    best = np.empty(actions)
    for a in range(actions):
        better[:, a] = lanes.reward[:, a]
        for lane in range(lanes.first[a], lanes.first[a + 1]):
            for s in range(size):
                begin, end = lanes.row[lane * size + s], lanes.row[lane * size + s + 1]
                if begin < end:
                    best[:] = 0
                    for k in range(begin, end):
                        for then in range(actions):
                            best[then] += lanes.probability[k] * bound[lanes.state[k], then]
                    better[s, a] += lanes.discount * best.max()


class PointBased:
    """Two bounds of the discounted value of a POMDP at its start, and a policy that earns the lower one, anytime.

    Parameters
    ----------
    tables : Tables
        The POMDP.
    actions, observations : int
        How many there are.
    discount : float
        Weight of the next reward relative to the present one, in 0 to less than 1.
    reward_seen : bool, default: True
        Whether the agent sees its rewards, as ours always do. In most published problems it does not.
    most_memory : int, default: 2**31
        Bytes that beliefs and vectors may take.

    Raises
    ------
    ValueError
        If the discount is not in 0 to less than 1.

    Examples
    --------
    >>> from aixi_approx import make
    >>> solver = PointBased(make("tiger").tables, actions=3, observations=2, discount=0.95)
    >>> solver.improve(gap=0.001)
    'gap'
    >>> round(solver.lower, 2), round(solver.upper, 2), len(solver.controller().action)
    (19.37, 19.37, 5)
    """

    def __init__(
        self,
        tables: Tables,
        *,
        actions: int,
        observations: int,
        discount: float,
        reward_seen: bool = True,
        most_memory: int = 1 << 31,
    ) -> None:
        if not 0 <= discount < 1:
            raise ValueError(f"the discount is {discount}: it must lie in 0 to less than 1")
        self._most_memory = most_memory
        self._lanes, self._codes = _lanes_of(tables, actions, observations, discount, reward_seen)
        self._room = _first_room(self._lanes, tables)

    @property
    def lower(self) -> float:
        """Lower bound of the largest expected discounted sum of rewards from the start; never falls."""
        return float(self._room.low[0])

    @property
    def upper(self) -> float:
        """Upper bound of the same; never rises."""
        return float(self._room.value[0])

    @property
    def points(self) -> int:
        """Number of visited beliefs."""
        return int(self._room.tally[POINTS])

    @property
    def vectors(self) -> int:
        """Number of vectors of the lower bound."""
        return int(self._room.tally[USED])

    @property
    def trials(self) -> int:
        """Number of trials that are finished."""
        return int(self._room.tally[TRIALS])

    @property
    def memory(self) -> int:
        """Bytes that beliefs and vectors take."""
        return sum(part.nbytes for part in self._room)

    def improve(self, seconds: float = math.inf, *, gap: float = 0.0) -> str:
        """Improve the bounds; go on where the last call stopped, or was interrupted.

        Parameters
        ----------
        seconds : float, default: inf
            Time after which to stop. It is looked at ten times a second; compilation counts.
        gap : float, default: 0
            Distance of the bounds at which to stop. A thousandth of a billionth of the largest value, which rounding
            may take, is always enough.

        Returns
        -------
        {"gap", "time", "memory"}
            Why it stopped: the bounds are near enough, or what is used up.
        """
        until = time.monotonic() + seconds
        self._room.dense[:] = 0  # an interrupt may have left something, where nothing is compiled
        while True:
            end = _slice(self._lanes, self._room, max(gap, self._lanes.tiny), SLICE)
            if end == CLOSED:
                return "gap"
            if end != PAUSED and not self._grow(end):
                return "memory"
            if time.monotonic() >= until:
                return "time"

    def controller(self) -> Controller:
        """Return a policy that earns at least the lower bound.

        Returns
        -------
        Controller
            It has an edge for every percept that its action can lead to in any state, whatever was perceived before.
        """
        lanes, room = self._lanes, self._room
        _collect(lanes, room)
        number = {int(room.best[0]): 0}
        order = list(number)
        first, percept, node = [0], list[int](), list[int]()
        for v in order:  # grows as vectors are reached
            begin, end = lanes.first[room.action[v] : room.action[v] + 2].tolist()
            edges = [
                (code, to)
                for to, codes in zip(room.follow[v].tolist(), self._codes[begin:end], strict=False)
                for code in codes
            ]
            for code, to in sorted(edges):
                if to not in number:
                    number[to] = len(number)
                    order.append(to)
                percept.append(code)
                node.append(number[to])
            first.append(len(percept))
        return Controller(room.action[order], *map(np.array, (first, percept, node)))

    def _grow(self, short: int) -> bool:
        """Make room; return whether there is memory for it."""
        room = self._room
        if short == FULL_VECTORS:
            _collect(self._lanes, room)
            if room.tally[VECTORS] < len(room.action) * 3 // 4:
                return True
        fields = {
            FULL_POINTS: (
                "value",
                "quality",
                "informed",
                "fall",
                "low",
                "best",
                "beside",
                "tooth",
                "is_tooth",
                "place",
            ),
            FULL_ENTRIES: ("state", "probability", "inverse"),
            FULL_VECTORS: ("vector", "action", "follow", "heir", "used", "mark", "across", "score"),
            FULL_PATH: ("path",),
        }[short]
        fields += ("begin",) if short == FULL_POINTS else ()
        if self.memory + sum(getattr(room, name).nbytes for name in fields) > self._most_memory:
            return False
        larger = {
            name: np.concatenate([part := getattr(room, name), np.zeros_like(part)], axis=int(name == "across"))
            for name in fields
        }
        self._room = room._replace(**larger)
        if short == FULL_POINTS:
            _rehash(self._room)
        return True


def _lanes_of(
    tables: Tables, actions: int, observations: int, discount: float, reward_seen: bool
) -> tuple[Lanes, list[list[int]]]:
    """Return the lanes, and the codes of percepts, reward code * observations + observation, of each of them."""
    size = (len(tables.first) - 1) // actions
    source = np.repeat(np.arange(len(tables.first) - 1), np.diff(tables.first))
    state, action = np.divmod(source, actions)
    code = tables.code * observations + tables.observation
    seen = code if reward_seen else tables.observation
    base = int(seen.min()), int(np.ptp(seen)) + 1
    label, lane = np.unique(action * base[1] + seen - base[0], return_inverse=True)
    joint = csr_array(
        (tables.probability, (lane * size + state, tables.state)), shape=(len(label) * size, size), dtype=np.float64
    )
    joint.sum_duplicates()
    reward = (
        np.bincount(source, tables.probability * tables.reward, size * actions)
        .astype(np.float64)
        .reshape(size, actions)
    )
    scale = max(float(np.abs(reward).max()), 1e-300) / (1 - discount)
    lanes = Lanes(
        discount=float(discount),
        reward=reward,
        first=np.searchsorted(label, np.arange(actions + 1) * base[1]),
        row=joint.indptr.astype(np.int64),
        state=joint.indices.astype(np.int32),
        probability=joint.data,
        informed=np.full((size, actions), reward.max() / (1 - discount)),
        tiny=ROUNDING * scale,
    )
    codes: list[list[int]] = [[] for _ in label]
    for number, percept in sorted(set(zip(lane.tolist(), code.tolist(), strict=True))):
        codes[number].append(percept)
    bound, better = lanes.informed, np.empty_like(reward)
    for _ in range(ITERATIONS):
        _inform(lanes, bound, better)
        change = better - bound  # never positive: what the largest one is in one step goes on for ever
        bound[:] = better + discount / (1 - discount) * min(float(change.max()), 0.0)
        if np.ptp(change) * discount <= CONVERGED * scale * (1 - discount):
            break
    return lanes, codes


def _blind(lanes: Lanes, action: int) -> NDArray[np.float64]:
    """Return the value in each state, or slightly less, of taking the same action for ever."""
    size, discount = len(lanes.reward), lanes.discount
    begin, end = lanes.first[action] * size, lanes.first[action + 1] * size
    part = slice(lanes.row[begin], lanes.row[end])
    source = np.repeat(np.arange(end - begin) % size, np.diff(lanes.row[begin : end + 1]))
    step = csr_array((lanes.probability[part], (source, lanes.state[part])), shape=(size, size))
    reward = lanes.reward[:, action]
    value = np.full(size, reward.min() / (1 - discount))
    for _ in range(ITERATIONS):
        change = reward + discount * (step @ value) - value  # never negative
        value = value + change + discount / (1 - discount) * max(float(change.min()), 0.0)
        if np.ptp(change) * discount <= CONVERGED / ROUNDING * lanes.tiny * (1 - discount):
            break
    return value


def _first_room(lanes: Lanes, tables: Tables) -> Room:
    """Return room with one point, the start, and one vector for each action."""
    size, actions = lanes.reward.shape
    width = int(np.diff(lanes.first).max())
    points, entries, vectors = FIRST_ROOM, FIRST_ROOM + 2 * size, FIRST_ROOM + actions
    none, some = np.full(vectors, NONE), np.zeros(points)
    room = Room(
        tally=np.zeros(14, dtype=np.int64),
        begin=np.zeros(2 * points, dtype=np.int64),
        value=some,
        quality=np.zeros((points, actions)),
        informed=np.zeros((points, actions)),
        fall=np.zeros((points, 2)),
        low=some.copy(),
        best=np.zeros(points, dtype=np.int64),
        beside=np.zeros(points, dtype=np.int64),
        tooth=np.zeros(points, dtype=np.int64),
        is_tooth=np.zeros(points, dtype=np.bool_),
        place=np.full(2 * points, NONE),
        state=np.zeros(entries, dtype=np.int32),
        probability=np.zeros(entries),
        inverse=np.zeros(entries),
        vector=np.zeros((vectors, size)),
        action=np.arange(vectors),
        follow=np.repeat(np.arange(vectors), width).reshape(vectors, width),
        heir=none,
        used=np.arange(vectors),
        across=np.zeros((size, vectors)),
        score=np.zeros(vectors),
        mark=none.copy(),
        path=np.zeros(FIRST_ROOM, dtype=np.int64),
        corner=lanes.informed.max(axis=1),
        dense=np.zeros(size),
        touched=np.zeros(size, dtype=np.int32),
        lane=np.zeros((3, actions, width)),
        after=np.zeros((2, width), dtype=np.int64),
        sum=np.zeros(actions),
        goal=np.zeros(1),
    )
    for action in range(actions):
        room.vector[action] = _blind(lanes, action)
    room.tally[[VECTORS, USED, COLLECTED]] = actions
    _lay_across(room, 0)
    start = np.flatnonzero(tables.start)
    room.dense[start] = tables.start[start]
    room.touched[: len(start)] = start
    _visit(lanes, room, len(start), float(tables.start.sum()))
    return room

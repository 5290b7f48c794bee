"""DP-UCT on the graph of beliefs: the search `dpuct` of the agent AImu, which knows its environment.

A decision node is a cycle and a belief, so histories that say the same about the state share it, with all that was
found out there (transpositions; Czech, Korus, Kersting 2021). An action is expanded when it is first taken: its
expected reward and the probability of every percept are exact, and each percept leads to a node. Values are backed up
by dynamic programming, as in DP-UCT (Keller, Helmert 2013):

    Q(b, a) = R(b, a) + EARLIER * sum over percepts x of P(x | b, a) V(b after a, x)        V(b) = max over a of Q(b, a)

The leaves are exact, too: Q of an action that was not expanded is what taking it and then acting at random earns, from
one backward induction over the states. Hence every value is the value of a plan, never above that of expectimax, and
never sinks. A node is closed when all its actions are expanded and all that they lead to is closed; in the last cycle
it is closed at once (solved labels). Simulations go only to what is open, each expands one more action, and once the
root is closed its values are those of expectimax.

Where leaves are sampled, because the rollout policy is not uniform or the induction would be too large, the first
expansion of an action is followed by one rollout, from one of the nodes that it leads to. Values are noisy then, and
an open node is worth half its largest Q and half the mean of Q weighted by visits: the largest one alone believes a
lucky rollout.

Where the environment begins anew with probability 1 - discount after every cycle, what comes then is the same whatever
the agent does now. It is left out, of values, leaves and simulations: decisions are the same, and a search that looks
20 cycles ahead at a discount of 0.95 would spend most of its simulations on it.

A policy that has learned what searches found guides it as it guides dp_uct.py; leaves stay exact. A node belongs to
several histories, on which a policy may say several things: it is asked once, on the first that leads there.

Decisions where the papers are silent. EARLIER = 1 - 2^-20 is the weight of the next cycle: of plans that earn the same,
the one that earns earlier is better. Without it an agent that plans anew in each cycle may put off for ever what it can
do later. A reward t cycles ahead counts less by t millionths of it. Percepts are not drawn: of the open ones, a
simulation takes the one that lags most behind its probability. What several parents share can make one of them stale,
so a node is backed up again whenever a simulation comes to it, and all nodes at the end of a search. A simulation that
comes to a node which turns out to be closed is not counted. Beliefs whose probabilities agree to 1e-9 are the same,
scores that do are equal, and ties are broken at random.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx.compilation import inner_kernel, kernel
from aixi_approx.planner import MAX_HORIZON, SearchResult, best_action
from aixi_approx.planner_spec import EXACT, LEAVES, NEVER, RULES, SAMPLED, STOPS
from aixi_approx.planners.belief_search import BeliefSearch, number_percepts, tell_cycle
from aixi_approx.planners.iterative_deepening import ROUNDING
from aixi_approx.planners.tree_search import (
    FOLLOW,
    NONE,
    PRIOR,
    ROOT,
    ROUND_ROBIN,
    SPREAD,
    budget,
    check_search_options,
    draw_action,
    is_guided,
    roll_out,
    spread,
    standard_error,
    weigh_actions,
)
from aixi_approx.pomdp.belief import Belief, HasBelief
from aixi_approx.pomdp.definition import POMDP, Tables, sample
from aixi_approx.pomdp.discounted import RESTART, DiscountedPOMDP
from aixi_approx.predictor_abi import CHOOSE, GO_BACK, POLICY, READS, SET_MARK, call_operation
from aixi_approx.randomness import Stream, below, draw
from aixi_approx.rollout import Rollout
from aixi_approx.validation import as_integer, check_choice

EARLIER = 1 - 2.0**-20
MAX_TABLE = 1 << 24  # numbers in the table of exact leaf values
DEFAULT_UCB = {
    EXACT: {"spread": 1.0, "ucb": 0.35, "prior": 1.0, "follow": 1.0},
    SAMPLED: {"spread": 1.0, "ucb": 0.7, "prior": 1.0, "follow": 0.7},
}

NODES, BRANCHES, ENTRIES = range(3)  # places in Graph.used and Graph.wanted
COUNTED, KNOWN, FULL, FAILED = range(4)  # how a simulation ends
NOTHING = -1
FIRST_ROOM = (256, 512, 1024)  # nodes, branches, entries of beliefs
WORD = (1 << 31) - 1  # hashes are made of words of 31 bits, whose products fit into 63
SCRAMBLE = 0x2C1B3C6D  # odd
STEPS = 1 << 20  # a probability in a hash


class GraphPlan(NamedTuple):
    """What a search is about."""

    actions: int
    percepts: int  # different ones in the whole environment
    horizon: int
    exact: bool  # leaves; otherwise they are sampled
    rule: int  # of selection, one of RULES
    ucb: float  # weight of exploration
    scale: float  # reward range
    goes_on: float  # probability that a cycle is not the last before the environment begins anew
    trust: float  # in the policy
    guided: float  # share of simulations that act as the policy does
    acts: bool  # the policy acts beyond the graph, too


class GraphWorld(NamedTuple):
    """The environment; N outcomes in all."""

    tables: Tables
    percept: NDArray[np.int64]  # [N] number of the percept of each outcome; NOTHING where it begins anew
    leaf: NDArray[np.float64]  # [horizon + 1, S * A] by cycles left: an action, then uniform ones; [0, 0] if sampled
    action_bits: int  # of a cycle, as a rollout policy reads it
    reward_bits: int
    observation_bits: int


Records = np.recarray[Any, Any]

# Fields are read as attributes, so no field has the name of a method of NumPy.
NODE = np.dtype(  # a decision node
    [
        ("begin", np.int64),  # first entry of the belief
        ("states", np.int32),  # its possible states
        ("level", np.int32),  # cycles from the root
        ("key", np.int32),  # hash of level and belief
        ("beside", np.int32),  # the next node in the same place of the hash table, or NONE
        ("before", np.int32),  # the node of the same level that was made before, or NONE
        ("total", np.int32),  # simulations that took an action here
        ("best", np.float64),  # V
        ("rolled", np.float64),  # mean return of the rollouts that began here
        ("rollouts", np.int32),  # how many there were
        ("closed", np.bool_),  # V is exact
        ("weighed", np.bool_),  # the policy was asked
    ],
    align=True,
)
ACTION = np.dtype(  # an action of a node
    [
        ("value", np.float64),  # Q
        ("reward", np.float64),  # R
        ("average", np.float64),  # of the returns of simulations
        ("square", np.float64),  # sum of the squared deviations from it
        ("prior", np.float64),  # what the policy says, of the first history that led to the node
        ("visits", np.int32),  # simulations that took it
        ("first", np.int32),  # first branch, or NONE if it is not expanded
        ("count", np.int32),  # branches
        ("known", np.bool_),  # Q is exact
    ],
    align=True,
)
BRANCH = np.dtype(  # a percept that can follow an expanded action
    [("probability", np.float64), ("row", np.int32), ("child", np.int32), ("visits", np.int32)], align=True
)
ENTRY = np.dtype([("probability", np.float64), ("state", np.int32)])  # of a belief; without gaps: they are many


class Graph(NamedTuple):
    """The graph that a search grows, and how much of its arrays is in use; node and branch number 0 are none."""

    used: NDArray[np.int64]  # [3] nodes, branches, entries
    wanted: NDArray[np.int64]  # [3] room for so many, of a simulation that found none
    latest: NDArray[np.int64]  # [horizon] last node made on each level, or NONE
    table: NDArray[np.int32]  # [2^k] a node with this hash, or NONE
    node: Records  # [N] NODE
    action: Records  # [N, A] ACTION
    branch: Records  # [E] BRANCH; its row is an outcome with this percept
    entry: Records  # [K] ENTRY


class Scratch(NamedTuple):
    """The course of one simulation of m cycles, and what one expansion needs; P percepts, S states."""

    node: NDArray[np.int64]  # [m] decision node of each cycle
    action: NDArray[np.int64]  # [m]
    branch: NDArray[np.int64]  # [m]
    waiting: NDArray[np.int64]  # [1] cycle in which a simulation waits for room, or NOTHING
    guided: NDArray[np.bool_]  # [1] whether the simulation acts as the policy does
    faults: NDArray[np.int64]  # [1] operations of the policy that failed
    score: NDArray[np.float64]  # [A] of the actions of a node
    prior: NDArray[np.float64]  # [A] of the policy at a node
    group: NDArray[np.int64]  # [P] branch of each percept of an expansion, or NONE
    end: NDArray[np.int64]  # [P] end of the entries of each branch
    place: NDArray[np.int64]  # [S] entry of each state in the belief at hand


# ------------------------------------------------------------------------------------------------ values


@inner_kernel
def _sum_up(graph: Graph, plan: GraphPlan, node: int) -> None:
    """Derive V of a node, and whether it is closed, from the Q of its actions."""
    here, best, closed = graph.node[node], -np.inf, True
    weight = here.rollouts
    total = weight * here.rolled
    for a in range(plan.actions):
        action = graph.action[node, a]
        closed &= action.known
        if plan.exact or action.first != NONE:
            best = max(best, action.value)
            weight += action.visits
            total += action.visits * action.value
    here.closed = closed
    if plan.exact or closed:
        here.best = best
    elif weight > 0:
        here.best = total / weight if best == -np.inf else 0.5 * best + 0.5 * total / weight


@inner_kernel
def _mean(graph: Graph, plan: GraphPlan, node: int) -> float:
    """The mean of what was found out at a node with sampled leaves, by visits; 0 before that."""
    weight = graph.node[node].rollouts
    total = weight * graph.node[node].rolled
    for a in range(plan.actions):
        action = graph.action[node, a]
        weight += action.visits
        total += action.visits * action.value
    return total / weight if weight > 0 else 0.0


@inner_kernel
def _back_up(graph: Graph, plan: GraphPlan, node: int, a: int) -> None:
    """Derive Q of an expanded action, and whether it is exact, from V of all that it leads to.

    Sampled leaves leave some of it without a value; then Q is the mean over the rest.
    """
    action, later, weight, known = graph.action[node, a], 0.0, 0.0, True
    for i in range(action.first, action.first + action.count):
        branch = graph.branch[i]
        child = graph.node[branch.child]
        known &= child.closed
        if plan.exact or child.closed or child.total + child.rollouts > 0:
            later += branch.probability * child.best
            weight += branch.probability
    if not plan.exact and weight > 0.0:
        later *= plan.goes_on / weight
    action.value = action.reward + EARLIER * later
    action.known = known


@inner_kernel
def _refresh(graph: Graph, plan: GraphPlan, node: int) -> None:
    """Back up all expanded actions of a node."""
    for a in range(plan.actions):
        if graph.action[node, a].first != NONE:
            _back_up(graph, plan, node, a)
    _sum_up(graph, plan, node)


@kernel
def _refresh_all(graph: Graph, plan: GraphPlan) -> None:
    """Back up all nodes, from the last level to the first."""
    for level in range(plan.horizon - 1, -1, -1):
        node = graph.latest[level]
        while node != NONE:
            _refresh(graph, plan, node)
            node = graph.node[node].before


# ------------------------------------------------------------------------------------------------ nodes


@inner_kernel
def _scrambled(word: int) -> int:
    product = word * SCRAMBLE
    return (product ^ (product >> 31)) & WORD


@inner_kernel
def _key(graph: Graph, begin: int, size: int, level: int) -> int:
    """The hash of a level and a belief; the order of the states makes no difference."""
    total = int(level)
    for i in range(begin, begin + size):
        chance = int(graph.entry[i].probability * STEPS + 0.382)  # not 0.5: halves of a step are frequent
        total += _scrambled((_scrambled(int(graph.entry[i].state)) + chance) & WORD)
    return _scrambled(total & WORD)


@inner_kernel
def _is_belief(graph: Graph, scratch: Scratch, node: int, begin: int) -> bool:
    """Whether a node has the belief at hand, which is as large, begins at an entry, and is noted in scratch.place."""
    first, size = graph.node[node].begin, graph.node[node].states
    for i in range(first, first + size):
        entry = graph.entry[i]
        at = scratch.place[entry.state]
        if not begin <= at < begin + size or graph.entry[at].state != entry.state:
            return False
        if abs(graph.entry[at].probability - entry.probability) > ROUNDING:
            return False
    return True


@inner_kernel
def _node(graph: Graph, plan: GraphPlan, world: GraphWorld, scratch: Scratch, begin: int, size: int, level: int) -> int:
    """The node of a belief, whose entries are the last ones; it is made, and keeps them, if it is not there."""
    key = _key(graph, begin, size, level)
    place = key & (len(graph.table) - 1)
    node = graph.table[place]
    while node != NONE:
        here = graph.node[node]
        alike = here.key == key and here.level == level and here.states == size
        if alike and _is_belief(graph, scratch, node, begin):
            return node
        node = here.beside
    node = graph.used[NODES]
    graph.used[NODES] = node + 1
    graph.used[ENTRIES] = begin + size
    here = graph.node[node]
    here.begin, here.states, here.level, here.key = begin, size, level, key
    here.beside, here.before = graph.table[place], graph.latest[level]
    graph.table[place], graph.latest[level] = node, node
    here.total, here.rollouts, here.rolled, here.best = 0, 0, 0.0, 0.0
    here.closed = here.weighed = False
    for a in range(plan.actions):
        action = graph.action[node, a]
        action.value, action.reward, action.average, action.square = 0.0, 0.0, 0.0, 0.0
        action.visits, action.first, action.count, action.known = 0, NONE, 0, False
    if plan.exact:
        _value_leaf(graph, plan, world, node)
    return node


@inner_kernel
def _value_leaf(graph: Graph, plan: GraphPlan, world: GraphWorld, node: int) -> None:
    """Give the actions of a new node the exact values of acting uniformly after them."""
    here = graph.node[node]
    left = plan.horizon - here.level
    for i in range(here.begin, here.begin + here.states):
        entry = graph.entry[i]
        row = entry.state * plan.actions
        for a in range(plan.actions):
            graph.action[node, a].value += entry.probability * world.leaf[left, row + a]
    for a in range(plan.actions):
        graph.action[node, a].known = left == 1
    _sum_up(graph, plan, node)


@kernel
def _plant(graph: Graph, plan: GraphPlan, world: GraphWorld, scratch: Scratch, size: int) -> None:
    """Clear what was used of the graph, and make the root, whose belief is in the first entries."""
    for node in range(ROOT, graph.used[NODES]):
        graph.table[graph.node[node].key & (len(graph.table) - 1)] = NONE
    for level in range(plan.horizon):
        graph.latest[level] = NONE
    graph.used[NODES], graph.used[BRANCHES] = ROOT, NONE + 1
    _node(graph, plan, world, scratch, 0, size, 0)


@kernel
def _enter_all(graph: Graph) -> None:
    """Enter all nodes into a hash table that is new."""
    for node in range(ROOT, graph.used[NODES]):
        place = graph.node[node].key & (len(graph.table) - 1)
        graph.node[node].beside, graph.table[place] = graph.table[place], node


# ------------------------------------------------------------------------------------------------ expansion


@inner_kernel
def _has_room(graph: Graph, plan: GraphPlan, world: GraphWorld, node: int, a: int) -> bool:
    """Whether there is room for what an action can lead to; how much it takes at most is noted in graph.wanted."""
    begin, outcomes = graph.node[node].begin, 0
    for i in range(begin, begin + graph.node[node].states):
        row = graph.entry[i].state * plan.actions + a
        outcomes += world.tables.first[row + 1] - world.tables.first[row]
    branches = min(outcomes, plan.percepts)
    graph.wanted[NODES] = graph.used[NODES] + branches
    graph.wanted[BRANCHES] = graph.used[BRANCHES] + branches
    graph.wanted[ENTRIES] = graph.used[ENTRIES] + outcomes
    return (
        graph.wanted[NODES] <= len(graph.node)
        and graph.wanted[BRANCHES] <= len(graph.branch)
        and graph.wanted[ENTRIES] <= len(graph.entry)
    )


@inner_kernel
def _merge(graph: Graph, scratch: Scratch, begin: int, end: int, to: int) -> int:
    """Move entries to an earlier place, those of the same state into one; return how many states there are."""
    size = 0
    for i in range(begin, end):
        state, probability = graph.entry[i].state, graph.entry[i].probability
        at = scratch.place[state]
        if to <= at < to + size and graph.entry[at].state == state:
            graph.entry[at].probability += probability
        else:
            at = to + size
            graph.entry[at].state, graph.entry[at].probability = state, probability
            scratch.place[state] = at
            size += 1
    return size


@inner_kernel
def _expand(graph: Graph, plan: GraphPlan, world: GraphWorld, scratch: Scratch, node: int, a: int) -> None:
    """Compute the expected reward of an action, the percepts that can follow it, and the nodes that they lead to.

    Nothing follows in the last cycle. A percept whose probability is too small for a number does not either.
    """
    tables, level = world.tables, graph.node[node].level + 1
    begin, end = graph.node[node].begin, graph.node[node].begin + graph.node[node].states
    first, count, reward = graph.used[BRANCHES], 0, 0.0
    for j in range(begin, end):
        row = graph.entry[j].state * plan.actions + a
        for i in range(tables.first[row], tables.first[row + 1]):
            p = graph.entry[j].probability * tables.probability[i]
            reward += p * tables.reward[i]
            if p == 0.0 or level == plan.horizon or world.percept[i] == NOTHING:
                continue
            number = scratch.group[world.percept[i]]
            if number == NONE:
                number = first + count
                branch = graph.branch[number]
                branch.probability, branch.row, branch.visits = 0.0, i, 0
                scratch.group[world.percept[i]], scratch.end[count] = number, 0
                count += 1
            graph.branch[number].probability += p
            scratch.end[number - first] += 1
    action = graph.action[node, a]
    action.reward, action.first, action.count = reward, first, count
    if count == 0:
        return
    graph.used[BRANCHES] = first + count
    at = graph.used[ENTRIES]
    for k in range(count):
        length = scratch.end[k]
        scratch.end[k] = at
        at += length
    for j in range(begin, end):  # the joint probabilities of states and percepts, percept by percept
        row = graph.entry[j].state * plan.actions + a
        for i in range(tables.first[row], tables.first[row + 1]):
            p = graph.entry[j].probability * tables.probability[i]
            if p > 0.0 and world.percept[i] != NOTHING:
                k = scratch.group[world.percept[i]] - first
                entry = graph.entry[scratch.end[k]]
                entry.state, entry.probability = tables.state[i], p
                scratch.end[k] += 1
    at = graph.used[ENTRIES]
    for k in range(count):
        branch, to = graph.branch[first + k], graph.used[ENTRIES]
        scratch.group[world.percept[branch.row]] = NONE
        size = _merge(graph, scratch, at, scratch.end[k], to)
        for i in range(to, to + size):
            graph.entry[i].probability /= branch.probability
        branch.child = _node(graph, plan, world, scratch, to, size, level)
        at = scratch.end[k]


# ------------------------------------------------------------------------------------------------ simulations


@inner_kernel
def _select(graph: Graph, plan: GraphPlan, scratch: Scratch, random: Stream, node: int) -> int:
    """Choose an open action by the rule of the plan; where leaves are sampled, one that was not tried first.

    With the rule `prior`, one that was not tried is taken for worth the mean of the node, as in `select_by_prior`.
    """
    mean = 0.0 if plan.exact or plan.rule != PRIOR else _mean(graph, plan, node)
    if plan.rule == SPREAD or (plan.exact and plan.rule > SPREAD):
        unit = spread(graph.action, node, plan.actions)
    else:
        unit = plan.scale * (plan.horizon - graph.node[node].level)
    log_total, best = np.log(graph.node[node].total + 1.0), -np.inf
    for a in range(plan.actions):
        action = graph.action[node, a]
        if action.known:
            score = -np.inf
        elif not plan.exact and action.first == NONE and plan.rule != PRIOR:
            score = np.inf
        elif plan.rule == ROUND_ROBIN:
            score = -float(action.visits)
        elif plan.rule == PRIOR:
            p = plan.trust * action.prior + (1.0 - plan.trust) / plan.actions
            value = action.value if plan.exact or action.first != NONE else mean
            score = value + plan.ucb * unit * p * np.sqrt(graph.node[node].total + 1.0) / (action.visits + 1.0)
        else:
            score = action.value + plan.ucb * unit * np.sqrt(log_total / (action.visits + 1.0))
        scratch.score[a] = score
        best = max(best, score)
    ties = 0
    for a in range(plan.actions):
        ties += scratch.score[a] >= best - ROUNDING
    choice = below(random, ties) if ties > 1 else 0
    for a in range(plan.actions):
        if scratch.score[a] >= best - ROUNDING:
            if choice == 0:
                return a
            choice -= 1
    return NONE  # not reached


@inner_kernel
def _follow(graph: Graph, plan: GraphPlan, scratch: Scratch, random: Stream, node: int) -> int:
    """Draw an action that is not known from the policy."""
    total = 0.0
    for a in range(plan.actions):
        scratch.prior[a] = 0.0 if graph.action[node, a].known else graph.action[node, a].prior
        total += scratch.prior[a]
    if total <= 0.0:
        return -1
    for a in range(plan.actions):
        scratch.prior[a] /= total
    a = draw_action(scratch.prior, random)
    return -1 if graph.action[node, a].known else a


@inner_kernel
def _next_branch(graph: Graph, plan: GraphPlan, node: int, a: int) -> int:
    """The open branch that lags most behind its probability; NONE if all are closed."""
    action, best, found = graph.action[node, a], -np.inf, NONE
    for i in range(action.first, action.first + action.count):
        branch = graph.branch[i]
        if not graph.node[branch.child].closed:
            lag = branch.probability * (action.visits + 1) - plan.goes_on * branch.visits
            if lag > best + ROUNDING:
                best, found = lag, i
    return found


@inner_kernel
def _draw_state(graph: Graph, node: int, random: Stream) -> int:
    u, begin = draw(random), graph.node[node].begin
    last = begin + graph.node[node].states - 1
    for i in range(begin, last):
        u -= graph.entry[i].probability
        if u < 0:
            return graph.entry[i].state
    return graph.entry[last].state


@inner_kernel
def _tell_course(graph: Graph, world: GraphWorld, policy: NDArray[np.int64], scratch: Scratch, cycles: int) -> float:
    """Mark the policy, and append the first cycles of the simulation to its history; return the mark."""
    mark = call_operation(policy[SET_MARK], policy[POLICY], 0)
    scratch.faults[0] += mark < 0.0
    for i in range(cycles):
        scratch.faults[0] += tell_cycle(policy, world, scratch.action[i], graph.branch[scratch.branch[i]].row)
    return mark


@inner_kernel
def _weigh(
    graph: Graph, world: GraphWorld, policy: NDArray[np.int64], scratch: Scratch, node: int, cycles: int
) -> None:
    """Ask the policy at a node, to which the first cycles of the simulation have led."""
    mark = _tell_course(graph, world, policy, scratch, cycles)
    scratch.faults[0] += weigh_actions(policy, scratch.prior)
    if mark >= 0.0:
        scratch.faults[0] += call_operation(policy[GO_BACK], policy[POLICY], int(mark)) < 0.0
    for a in range(len(scratch.prior)):
        graph.action[node, a].prior = scratch.prior[a]
    graph.node[node].weighed = True


@inner_kernel
def _roll_out_from(
    graph: Graph,
    plan: GraphPlan,
    world: GraphWorld,
    policy: NDArray[np.int64],
    scratch: Scratch,
    random: Stream,
    node: int,
    guided: bool,
) -> float:
    """The return of one rollout from a node, to which the course of the simulation has led."""
    tables, here, mark = world.tables, graph.node[node], 0.0
    reads = policy[READS] != 0 and guided
    if reads:
        mark = _tell_course(graph, world, policy, scratch, here.level)
    outcome, weight, state = 0.0, 1.0, _draw_state(graph, node, random)
    for _ in range(here.level, plan.horizon):
        if policy[CHOOSE] == 0 or not guided:  # uniform
            action = below(random, plan.actions)
        else:
            action = roll_out(policy, random, plan.actions)
        if action < 0:
            scratch.faults[0] += 1
            action = 0
        row = sample(tables, state, action, plan.actions, random)
        state = tables.state[row]
        outcome += weight * tables.reward[row]
        weight *= EARLIER
        if world.percept[row] == NOTHING:
            break
        if reads:
            scratch.faults[0] += tell_cycle(policy, world, action, row)
    if reads and mark >= 0.0:
        scratch.faults[0] += call_operation(policy[GO_BACK], policy[POLICY], int(mark)) < 0.0
    here.rollouts += 1
    here.rolled += (outcome - here.rolled) / here.rollouts
    _sum_up(graph, plan, node)
    return outcome


@inner_kernel
def _count(graph: Graph, plan: GraphPlan, world: GraphWorld, scratch: Scratch, cycle: int, outcome: float) -> float:
    """Count a cycle of a simulation, given the return of all after it; return the return from it on."""
    node = scratch.node[cycle]
    action = graph.action[node, scratch.action[cycle]]
    if scratch.branch[cycle] != NONE:
        branch = graph.branch[scratch.branch[cycle]]
        branch.visits += 1
        outcome = world.tables.reward[branch.row] + plan.goes_on * EARLIER * outcome
    graph.node[node].total += 1
    action.visits += 1
    difference = outcome - action.average
    action.average += difference / action.visits
    action.square += difference * (outcome - action.average)
    return outcome


@inner_kernel
def _simulate(
    graph: Graph,
    plan: GraphPlan,
    world: GraphWorld,
    policy: NDArray[np.int64],
    scratch: Scratch,
    random: Stream,
) -> int:
    """One simulation: descend, expand an action, back up. Where there is no room, it waits and is then gone on with."""
    node, cycles, outcome, expanded = ROOT, 0, 0.0, False
    if scratch.waiting[0] == NOTHING:
        scratch.guided[0] = is_guided(plan, random)
    guided = scratch.guided[0]
    follows = guided and plan.rule == FOLLOW
    while not expanded:
        if scratch.waiting[0] != NOTHING:
            cycles, scratch.waiting[0] = scratch.waiting[0], NOTHING
            node, action = scratch.node[cycles], scratch.action[cycles]
        else:
            _refresh(graph, plan, node)
            if graph.node[node].closed:
                break
            if (follows or plan.rule == PRIOR) and not graph.node[node].weighed:
                _weigh(graph, world, policy, scratch, node, cycles)
            action = NONE - 1
            if follows:
                action = _follow(graph, plan, scratch, random, node)
            if action < 0:
                action = _select(graph, plan, scratch, random, node)
            scratch.node[cycles], scratch.action[cycles] = node, action
        expanded = graph.action[node, action].first == NONE
        if expanded:
            if not _has_room(graph, plan, world, node, action):
                scratch.waiting[0] = cycles
                return FULL
            _expand(graph, plan, world, scratch, node, action)
            _back_up(graph, plan, node, action)
            outcome = graph.action[node, action].value
        branch = NONE if expanded and plan.exact else _next_branch(graph, plan, node, action)
        scratch.branch[cycles] = branch
        cycles += 1
        if branch != NONE:
            node = graph.branch[branch].child
            if expanded:
                outcome = _roll_out_from(graph, plan, world, policy, scratch, random, node, guided and plan.acts)
    for cycle in range(cycles - 1, -1, -1):
        if expanded:
            outcome = _count(graph, plan, world, scratch, cycle, outcome)
        _back_up(graph, plan, scratch.node[cycle], scratch.action[cycle])
        _sum_up(graph, plan, scratch.node[cycle])
    if scratch.faults[0]:
        return FAILED
    return COUNTED if expanded else KNOWN


@kernel
def _run(
    graph: Graph,
    plan: GraphPlan,
    world: GraphWorld,
    policy: NDArray[np.int64],
    scratch: Scratch,
    random: Stream,
    simulations: int,
) -> tuple[int, int]:
    """Run some simulations, until the root is closed or there is no room; return how the last one ended, and how many.

    Those that are not counted come to an end: each closes a node that was open.
    """
    end, done = COUNTED, 0
    while done < simulations and end < FULL and not graph.node[ROOT].closed:
        end = _simulate(graph, plan, world, policy, scratch, random)
        done += end == COUNTED
    return end, done


class GraphUCT(BeliefSearch):
    """UCT on the graph of beliefs with backups by dynamic programming (Keller, Helmert 2013): AImu.

    Parameters
    ----------
    pomdp : POMDP
        The environment.
    horizon : int, default: 5
        Cycles that it looks ahead, including the present one; at least 1.
    simulations : int, optional
        Of a decision; 500 unless `seconds` is given.
    seconds : float, optional
        That a decision may take, in place of a number of simulations.
    ucb : float, optional
        Weight of exploration. By default 1 with the rule "spread"; with the rule "ucb", whose unit is the range of the
        returns, 0.35 for exact leaves and 0.7 for sampled ones; 1 with "prior".
    rule : str, optional
        How an action is selected: "spread", the default for exact leaves; "ucb", the default for sampled ones;
        "round-robin"; with a policy, "prior", PUCT in the unit of the default; or "follow", the default with a policy:
        half of the simulations, times `trust`, act as the policy does, the others as they do without one.
    rollout : Rollout, optional
        How leaves are sampled; by default as the policy does, if they are, or else uniformly at random.
    policy : Rollout, optional
        That learns the decisions.
    lessons : str, optional
        Which of them, as in `Guide`.
    leaves : str, optional
        "exact" or "sampled". By default exact if the rollout is uniform and the table of exact values has at most 2^24
        numbers: (horizon + 1) * states * actions.
    stop : str, default: "never"
        As in other planners, and without effect here: a search that has seen everything ends in any case.

    Raises
    ------
    ValueError
        If an option is out of range, or exact leaves are asked for where there can be none.

    Examples
    --------
    >>> from aixi_approx import make
    >>> from aixi_approx.predictors import TrueModel
    >>> from aixi_approx.randomness import stream
    >>> tiger = make("tiger")
    >>> found = GraphUCT(tiger, horizon=2).search(TrueModel(tiger), stream(1))
    >>> found.value.round(3).tolist(), found.simulations    # all there is to see, in three simulations
    ([-2.0, -46.0, -46.0], 3)
    """

    options = ("horizon", "simulations", "seconds", "ucb", "rule", "policy", "lessons", "rollout", "leaves", "stop")
    bounds_memory = True

    def __init__(
        self,
        pomdp: POMDP,
        horizon: int = 5,
        *,
        simulations: int | None = None,
        seconds: float | None = None,
        ucb: float | None = None,
        rule: str | None = None,
        rollout: Rollout | None = None,
        policy: Rollout | None = None,
        lessons: str | None = None,
        leaves: str | None = None,
        stop: str = NEVER,
    ) -> None:
        horizon = as_integer("horizon", horizon, 1, MAX_HORIZON)
        check_choice("stop", stop, STOPS)
        super().__init__(pomdp, seconds=seconds, rollout=rollout, policy=policy, lessons=lessons)
        uniform = self.guide.rollout.addresses.choose == 0
        leaves = _leaves(pomdp, horizon, leaves=leaves, uniform=uniform or (rollout is None and leaves != SAMPLED))
        if rule is None:
            rule = "follow" if policy else "spread" if leaves == EXACT else "ucb"
        ucb = DEFAULT_UCB[leaves].get(rule, 0.0) if ucb is None else ucb
        _, self.simulations, _ = check_search_options(
            horizon, simulations, seconds=seconds, ucb=ucb, rule=rule, guided=policy is not None
        )
        actions, coding = len(pomdp.actions), pomdp.coding
        percept, percepts = number_percepts(pomdp)
        if isinstance(pomdp, DiscountedPOMDP):
            percept[pomdp.tables.observation == pomdp.observations.index(RESTART)] = NOTHING
        self._plan = GraphPlan(
            actions=actions,
            percepts=percepts,
            horizon=horizon,
            exact=leaves == EXACT,
            rule=RULES.index(rule),
            ucb=float(ucb),
            scale=coding.reward_span,
            goes_on=pomdp.discount if isinstance(pomdp, DiscountedPOMDP) else 1.0,
            trust=0.0,
            guided=0.0,
            acts=self.guide.acts,
        )
        self._world = GraphWorld(
            tables=pomdp.tables,
            percept=percept,
            leaf=np.zeros((0, 0)),
            action_bits=coding.action_bits,
            reward_bits=coding.reward_bits,
            observation_bits=coding.observation_bits,
        )
        node, action, branch = np.zeros((3, horizon), dtype=np.int64)
        self._scratch = Scratch(
            node=node,
            action=action,
            branch=branch,
            waiting=np.zeros(1, dtype=np.int64),
            guided=np.zeros(1, dtype=np.bool_),
            faults=np.zeros(1, dtype=np.int64),
            score=np.zeros(actions),
            prior=np.zeros(actions),
            group=np.full(percepts, NONE, dtype=np.int64),
            end=np.zeros(percepts, dtype=np.int64),
            place=np.zeros(len(pomdp.states), dtype=np.int64),
        )
        reward = max(abs(pomdp.min_reward), abs(pomdp.max_reward))
        self._error = reward * float((1 - EARLIER ** np.arange(horizon)).sum())  # at most, by EARLIER
        self._graph = _empty_graph(actions, horizon)

    @property
    def horizon(self) -> int:
        """Cycles that it looks ahead."""
        return self._plan.horizon

    def search(self, predictor: HasBelief, random: Stream, *, simulations: int | None = None) -> SearchResult:
        """Search from the present belief of the true model, which is unchanged.

        Parameters
        ----------
        predictor : HasBelief
            At the start of a cycle.
        random : Stream
            The stream to draw from.
        simulations : int, optional
            How many at most, if other than the planner's own number. Of no meaning to a planner with `seconds`.

        Returns
        -------
        SearchResult
            With the simulations that were made, fewer than asked for if nothing was left to see; then `error` is what
            EARLIER may make of the values, and otherwise None. With exact leaves, the values of actions without visits
            are known, too.

        Raises
        ------
        ValueError
            If the number of simulations is out of range, or the belief is about another environment.
        RolloutError
            If the rollout policy failed. Its own exception is the cause.
        """
        self._same.check(predictor)
        if simulations == 0:
            return self.guide.act_alone(random)
        simulations, end = budget(self, simulations)
        trust = self.guide.trust(simulations)
        self._plan = self._plan._replace(trust=trust, guided=self.guided_share(trust))
        self._begin(predictor.belief)
        done = 0
        for count, _ in self._slices(simulations, end):
            made = self._simulate(count, random)
            done += made
            if made < count:
                break
        _refresh_all(self._graph, self._plan)
        return self._result(done, random)

    def guided_share(self, trust: float) -> float:
        """Return the share of simulations that act as the policy does, also within the graph."""
        return 0.5 * trust if self._plan.rule == FOLLOW else super().guided_share(trust)

    def _begin(self, belief: Belief) -> None:
        """Leave nothing in the graph but a root with this belief."""
        if self._plan.exact and not self._world.leaf.size:
            self._world = self._world._replace(leaf=_leaf_values(self.pomdp, self._plan, self._world))
        size = len(belief.state)
        self._graph.wanted[:] = 0, 0, size
        self._make_room(bounded=False)
        self._graph.entry["state"][:size], self._graph.entry["probability"][:size] = belief
        _plant(self._graph, self._plan, self._world, self._scratch, size)

    def _simulate(self, simulations: int, random: Stream) -> int:
        """Run some simulations, in as much room as they need; return how many.

        They are fewer if the root is closed, or memory is at its bound.
        """
        policy = self.guide.addresses()
        self._scratch.faults[0] = done = 0
        self._scratch.waiting[0] = NOTHING
        while True:
            end, more = _run(self._graph, self._plan, self._world, policy, self._scratch, random, simulations - done)
            done += more
            if end == FAILED:
                self.guide.raise_fault()
            if end != FULL or not self._make_room():
                return done

    def _make_room(self, *, bounded: bool = True) -> bool:
        """Make as much room as is wanted, and at least twice as much as there was where that is too little.

        Return False if that would be more than the search may take.
        """
        old = self._graph
        nodes, branches, entries = (
            max(wanted, 2 * len(part)) if wanted > len(part) else len(part)
            for wanted, part in zip(old.wanted.tolist(), (old.node, old.branch, old.entry), strict=True)
        )
        parts = (old.node, nodes), (old.action, nodes), (old.branch, branches), (old.entry, entries)
        size = sum(part.nbytes + count * part.nbytes // len(part) for part, count in parts if count > len(part))
        if bounded and self.most_memory is not None and size > self.most_memory:
            return False
        self._graph = old._replace(
            node=_longer(old.node, nodes),
            action=_longer(old.action, nodes),
            branch=_longer(old.branch, branches),
            entry=_longer(old.entry, entries),
        )
        if nodes > len(old.node):
            self._graph = self._graph._replace(table=_empty_table(nodes))
            _enter_all(self._graph)
        return True

    def _result(self, simulations: int, random: Stream) -> SearchResult:
        found, error = self._graph.action[ROOT], None
        value, visits = found["value"].copy(), found["visits"].astype(np.int64)
        if not self._plan.exact:
            value[visits == 0] = np.nan
        if self._graph.node[ROOT].closed:
            error = np.full(len(value), self._error)
        deviation = standard_error(visits, found["square"])
        return SearchResult(best_action(value, random, rounding=ROUNDING), value, visits, simulations, error, deviation)


def _leaves(pomdp: POMDP, horizon: int, *, leaves: str | None, uniform: bool) -> str:
    """Return where the values of leaves come from; ValueError if they can't be exact."""
    size = (horizon + 1) * len(pomdp.states) * len(pomdp.actions)
    if leaves is None:
        return EXACT if uniform and size <= MAX_TABLE else SAMPLED
    check_choice("leaves", leaves, LEAVES)
    if leaves == EXACT and not uniform:
        raise ValueError(
            "leaves are exact for uniform rollouts only: leave out the rollout policy, or sample the leaves"
        )
    if leaves == EXACT and size > MAX_TABLE:
        what = f"a table of {size:,} numbers, more than {MAX_TABLE:,}"
        raise ValueError(f"leaves that are exact take {what}: take a shorter horizon, or sample the leaves")
    return leaves


def _leaf_values(pomdp: POMDP, plan: GraphPlan, world: GraphWorld) -> NDArray[np.float64]:
    """Return what an action in a state and then uniform ones earn, by cycles left: `GraphWorld.leaf`."""
    tables = pomdp.tables
    weight = np.where(world.percept == NOTHING, 0.0, EARLIER)
    value = np.zeros((plan.horizon + 1, len(pomdp.states) * plan.actions))
    for left in range(1, plan.horizon + 1):
        later = value[left - 1].reshape(-1, plan.actions).mean(axis=1)
        outcome = tables.probability * (tables.reward + weight * later[tables.state])
        value[left] = np.add.reduceat(outcome, tables.first[:-1])
    return value


def _empty_graph(actions: int, horizon: int) -> Graph:
    """Room for a small graph."""
    nodes, branches, entries = FIRST_ROOM
    return Graph(
        used=np.array([ROOT, NONE + 1, 0]),
        wanted=np.zeros(3, dtype=np.int64),
        latest=np.zeros(horizon, dtype=np.int64),
        table=_empty_table(nodes),
        node=np.zeros(nodes, dtype=NODE).view(np.recarray),
        action=np.zeros((nodes, actions), dtype=ACTION).view(np.recarray),
        branch=np.zeros(branches, dtype=BRANCH).view(np.recarray),
        entry=np.zeros(entries, dtype=ENTRY).view(np.recarray),
    )


def _empty_table(nodes: int) -> NDArray[np.int32]:
    """A hash table for some nodes: at least as many places, a power of 2."""
    return np.full(1 << (nodes - 1).bit_length(), NONE, dtype=np.int32)


def _longer(records: Records, length: int) -> Records:
    """Return a longer array that begins as this one does."""
    if length == len(records):
        return records
    longer = np.empty((length, *records.shape[1:]), dtype=records.dtype).view(np.recarray)
    longer[: len(records)] = records
    return longer

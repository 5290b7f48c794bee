"""DP-UCT on the graph of beliefs: the search `dp-uct` of the agent AImu, which knows its environment.

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

Decisions where the papers are silent. EARLIER = 1 - 2^-20 is the weight of the next cycle: of plans that earn the same,
the one that earns earlier is better. Without it an agent that plans anew in each cycle may put off for ever what it can
do later. A reward t cycles ahead counts less by t millionths of it. Percepts are not drawn: of the open ones, a
simulation takes the one that lags most behind its probability. What several parents share can make one of them stale,
so a node is backed up again whenever a simulation comes to it, and all nodes at the end of a search. A simulation that
comes to a node which turns out to be closed is not counted. Beliefs whose probabilities agree to 1e-9 are the same,
scores that do are equal, and ties are broken at random.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from aixi_approx.coding import Bits, encode
from aixi_approx.compilation import inner_kernel, kernel
from aixi_approx.environment import Environment
from aixi_approx.planner import MAX_SIMULATIONS, Planner, SearchResult, best_action
from aixi_approx.planner_spec import LEAVES, RULES, STOPS
from aixi_approx.planners.iterative_deepening import ROUNDING
from aixi_approx.planners.pouct import tell_policy
from aixi_approx.planners.time_slices import TimeSlices
from aixi_approx.planners.tree_search import NONE, ROOT, ROUND_ROBIN, SPREAD, check_search_options, roll_out, spread
from aixi_approx.pomdp.belief import Belief, HasBelief, SameEnvironment
from aixi_approx.pomdp.definition import POMDP, Tables, as_pomdp, sample
from aixi_approx.predictor_abi import CHOOSE, GO_BACK, POLICY, READS, SET_MARK, call_operation
from aixi_approx.randomness import Stream, below, draw
from aixi_approx.rollout import Rollout
from aixi_approx.rollouts.uniform import Uniform
from aixi_approx.validation import as_integer, check_choice

EARLIER = 1 - 2.0**-20
MAX_TABLE = 1 << 24  # numbers in the table of exact leaf values
DEFAULT_SIMULATIONS = 500
DEFAULT_UCB = {"exact": {"spread": 1.0, "ucb": 0.35}, "sampled": {"spread": 1.0, "ucb": 0.7}}

NODES, BRANCHES, ENTRIES = range(3)  # places in Graph.used and Graph.wanted
COUNTED, KNOWN, FULL, FAILED = range(4)  # how a simulation ends
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


class GraphWorld(NamedTuple):
    """The environment; N outcomes in all."""

    tables: Tables
    percept: NDArray[np.int64]  # [N] number of the percept of each outcome
    leaf: NDArray[np.float64]  # [horizon + 1, S * A] by cycles left: an action, then uniform ones; [0, 0] if sampled
    action_bits: int  # of a cycle, as a rollout policy reads it
    reward_bits: int
    observation_bits: int
    min_reward: int


class Nodes(NamedTuple):
    """Decision nodes, N of them; A actions each. Number 0 is none."""

    level: NDArray[np.int32]  # [N] cycles from the root
    begin: NDArray[np.int64]  # [N] first entry of the belief
    size: NDArray[np.int32]  # [N] its possible states
    key: NDArray[np.int32]  # [N] its hash
    beside: NDArray[np.int32]  # [N] the next node in the same place of the hash table, or NONE
    before: NDArray[np.int32]  # [N] the node of the same level that was made before, or NONE
    total: NDArray[np.int32]  # [N] simulations that took an action here
    rollouts: NDArray[np.int32]  # [N] that began here
    rolled: NDArray[np.float64]  # [N] their mean return
    best: NDArray[np.float64]  # [N] V
    closed: NDArray[np.bool_]  # [N] V is exact
    visits: NDArray[np.int32]  # [N, A] simulations that took the action
    value: NDArray[np.float64]  # [N, A] Q
    mean: NDArray[np.float64]  # [N, A] of the returns of these simulations
    square: NDArray[np.float64]  # [N, A] sum of the squared deviations from it
    known: NDArray[np.bool_]  # [N, A] Q is exact
    reward: NDArray[np.float64]  # [N, A] R
    first: NDArray[np.int32]  # [N, A] first branch, or NONE if not expanded
    count: NDArray[np.int32]  # [N, A] branches


class Branches(NamedTuple):
    """Percepts that can follow the expanded actions, E in all. Number 0 is none."""

    probability: NDArray[np.float64]  # [E]
    row: NDArray[np.int32]  # [E] an outcome with this percept
    child: NDArray[np.int32]  # [E]
    visits: NDArray[np.int32]  # [E]


class Entries(NamedTuple):
    """The beliefs of all nodes, K possible states in all."""

    state: NDArray[np.int32]  # [K]
    probability: NDArray[np.float64]  # [K] sums to 1 within a belief


class Graph(NamedTuple):
    """The graph that a search grows, and how much of the arrays is in use."""

    used: NDArray[np.int64]  # [3] nodes, branches, entries
    wanted: NDArray[np.int64]  # [3] room for so many, of a simulation that found none
    latest: NDArray[np.int32]  # [horizon] last node made on each level, or NONE
    table: NDArray[np.int32]  # [2^k] a node with this hash, or NONE
    node: Nodes
    branch: Branches
    entry: Entries


class Scratch(NamedTuple):
    """The course of one simulation of m cycles, and what one expansion needs; P percepts, S states."""

    node: NDArray[np.int64]  # [m] decision node of each cycle
    action: NDArray[np.int64]  # [m]
    branch: NDArray[np.int64]  # [m]
    random: NDArray[np.uint64]  # [4] the stream before the simulation
    faults: NDArray[np.int64]  # [1] operations of the policy that failed
    score: NDArray[np.float64]  # [A] of the actions of a node
    group: NDArray[np.int64]  # [P] branch of each percept of an expansion, or NONE
    end: NDArray[np.int64]  # [P] end of the entries of each branch
    place: NDArray[np.int64]  # [S] entry of each state in the belief at hand


# ------------------------------------------------------------------------------------------------ values


@inner_kernel
def _sum_up(nodes: Nodes, plan: GraphPlan, node: int) -> None:
    """Derive V of a node, and whether it is closed, from the Q of its actions."""
    best, closed = -np.inf, True
    weight = nodes.rollouts[node]
    total = weight * nodes.rolled[node]
    for a in range(plan.actions):
        closed &= nodes.known[node, a]
        if plan.exact or nodes.first[node, a] != NONE:
            best = max(best, nodes.value[node, a])
            weight += nodes.visits[node, a]
            total += nodes.visits[node, a] * nodes.value[node, a]
    nodes.closed[node] = closed
    if plan.exact or closed:
        nodes.best[node] = best
    elif weight > 0:
        nodes.best[node] = total / weight if best == -np.inf else 0.5 * best + 0.5 * total / weight


@inner_kernel
def _back_up(graph: Graph, plan: GraphPlan, node: int, action: int) -> None:
    """Derive Q of an expanded action, and whether it is exact, from V of all that it leads to.

    Sampled leaves leave some of it without a value; then Q is the mean over the rest.
    """
    nodes, branches = graph.node, graph.branch
    later, weight, known = 0.0, 0.0, True
    first = nodes.first[node, action]
    for i in range(first, first + nodes.count[node, action]):
        child = branches.child[i]
        known &= nodes.closed[child]
        if plan.exact or nodes.closed[child] or nodes.total[child] + nodes.rollouts[child] > 0:
            later += branches.probability[i] * nodes.best[child]
            weight += branches.probability[i]
    if not plan.exact and weight > 0.0:
        later /= weight
    nodes.value[node, action] = nodes.reward[node, action] + EARLIER * later
    nodes.known[node, action] = known


@inner_kernel
def _refresh(graph: Graph, plan: GraphPlan, node: int) -> None:
    """Back up all expanded actions of a node."""
    for a in range(plan.actions):
        if graph.node.first[node, a] != NONE:
            _back_up(graph, plan, node, a)
    _sum_up(graph.node, plan, node)


@kernel
def _refresh_all(graph: Graph, plan: GraphPlan) -> None:
    """Back up all nodes, from the last level to the first."""
    for level in range(plan.horizon - 1, -1, -1):
        node = graph.latest[level]
        while node != NONE:
            _refresh(graph, plan, node)
            node = graph.node.before[node]


# ------------------------------------------------------------------------------------------------ nodes


@inner_kernel
def _scrambled(word: int) -> int:
    product = word * SCRAMBLE
    return (product ^ (product >> 31)) & WORD


@inner_kernel
def _key(entries: Entries, begin: int, size: int, level: int) -> int:
    """The hash of a belief and its level; the order of the states makes no difference."""
    total = level
    for i in range(begin, begin + size):
        chance = int(entries.probability[i] * STEPS + 0.382)  # not to part equal ones: halves of a step are frequent
        total += _scrambled((_scrambled(int(entries.state[i])) + chance) & WORD)
    return _scrambled(total & WORD)


@inner_kernel
def _is_belief(graph: Graph, scratch: Scratch, node: int, begin: int) -> bool:
    """Whether a node has the belief at hand, which is as large, begins at an entry, and is noted in scratch.place."""
    entries, size = graph.entry, graph.node.size[node]
    first = graph.node.begin[node]
    for i in range(first, first + size):
        at = scratch.place[entries.state[i]]
        if not begin <= at < begin + size or entries.state[at] != entries.state[i]:
            return False
        if abs(entries.probability[at] - entries.probability[i]) > ROUNDING:
            return False
    return True


@inner_kernel
def _value_leaf(graph: Graph, plan: GraphPlan, world: GraphWorld, node: int) -> None:
    """Give the actions of a new node the exact values of acting uniformly after them."""
    nodes, entries = graph.node, graph.entry
    left = plan.horizon - nodes.level[node]
    for i in range(nodes.begin[node], nodes.begin[node] + nodes.size[node]):
        row = entries.state[i] * plan.actions
        for a in range(plan.actions):
            nodes.value[node, a] += entries.probability[i] * world.leaf[left, row + a]
    for a in range(plan.actions):
        nodes.known[node, a] = left == 1
    _sum_up(nodes, plan, node)


@inner_kernel
def _node(graph: Graph, plan: GraphPlan, world: GraphWorld, scratch: Scratch, begin: int, size: int, level: int) -> int:
    """The node of a belief, whose entries are the last ones; it is made, and keeps them, if it is not there."""
    nodes = graph.node
    key = _key(graph.entry, begin, size, level)
    place = key & (len(graph.table) - 1)
    node = graph.table[place]
    while node != NONE:
        alike = nodes.key[node] == key and nodes.level[node] == level and nodes.size[node] == size
        if alike and _is_belief(graph, scratch, node, begin):
            return node
        node = nodes.beside[node]
    node = graph.used[NODES]
    graph.used[NODES] = node + 1
    graph.used[ENTRIES] = begin + size
    nodes.level[node], nodes.begin[node], nodes.size[node], nodes.key[node] = level, begin, size, key
    nodes.beside[node], graph.table[place] = graph.table[place], node
    nodes.before[node], graph.latest[level] = graph.latest[level], node
    nodes.total[node], nodes.rollouts[node], nodes.rolled[node] = 0, 0, 0.0
    nodes.best[node], nodes.closed[node] = 0.0, False
    for a in range(plan.actions):
        nodes.visits[node, a], nodes.first[node, a], nodes.count[node, a] = 0, NONE, 0
        nodes.value[node, a], nodes.mean[node, a], nodes.square[node, a] = 0.0, 0.0, 0.0
        nodes.known[node, a], nodes.reward[node, a] = False, 0.0
    if plan.exact:
        _value_leaf(graph, plan, world, node)
    return node


@kernel
def _plant(graph: Graph, plan: GraphPlan, world: GraphWorld, scratch: Scratch, size: int) -> None:
    """Clear what was used of the graph, and make the root, whose belief is in the first entries."""
    for node in range(ROOT, graph.used[NODES]):
        graph.table[graph.node.key[node] & (len(graph.table) - 1)] = NONE
    for level in range(plan.horizon):
        graph.latest[level] = NONE
    graph.used[NODES], graph.used[BRANCHES] = ROOT, NONE + 1
    _node(graph, plan, world, scratch, 0, size, 0)


@kernel
def _enter_all(old: Graph, new: Graph) -> None:
    """Enter all nodes into a larger hash table."""
    for node in range(ROOT, old.used[NODES]):
        place = old.node.key[node] & (len(new.table) - 1)
        new.node.beside[node], new.table[place] = new.table[place], node


# ------------------------------------------------------------------------------------------------ expansion


@inner_kernel
def _has_room(graph: Graph, plan: GraphPlan, world: GraphWorld, node: int, action: int) -> bool:
    """Whether there is room for what an action can lead to; how much it takes at most is noted in graph.wanted."""
    outcomes = 0
    for i in range(graph.node.begin[node], graph.node.begin[node] + graph.node.size[node]):
        row = graph.entry.state[i] * plan.actions + action
        outcomes += world.tables.first[row + 1] - world.tables.first[row]
    branches = min(outcomes, plan.percepts)
    graph.wanted[NODES] = graph.used[NODES] + branches
    graph.wanted[BRANCHES] = graph.used[BRANCHES] + branches
    graph.wanted[ENTRIES] = graph.used[ENTRIES] + outcomes
    return (
        graph.wanted[NODES] <= len(graph.node.level)
        and graph.wanted[BRANCHES] <= len(graph.branch.row)
        and graph.wanted[ENTRIES] <= len(graph.entry.state)
    )


@inner_kernel
def _merge(entries: Entries, scratch: Scratch, begin: int, end: int, to: int) -> int:
    """Move entries to an earlier place, those of the same state into one; return how many states there are."""
    size = 0
    for i in range(begin, end):
        state, probability = entries.state[i], entries.probability[i]
        at = scratch.place[state]
        if to <= at < to + size and entries.state[at] == state:
            entries.probability[at] += probability
        else:
            at = to + size
            entries.state[at], entries.probability[at] = state, probability
            scratch.place[state] = at
            size += 1
    return size


@inner_kernel
def _expand(graph: Graph, plan: GraphPlan, world: GraphWorld, scratch: Scratch, node: int, action: int) -> None:
    """Compute the expected reward of an action, the percepts that can follow it, and the nodes that they lead to.

    Nothing follows in the last cycle. A percept whose probability is too small for a number does not either.
    """
    nodes, branches, entries, tables = graph.node, graph.branch, graph.entry, world.tables
    begin, end, level = nodes.begin[node], nodes.begin[node] + nodes.size[node], nodes.level[node] + 1
    first, count, reward = graph.used[BRANCHES], 0, 0.0
    for j in range(begin, end):
        row = entries.state[j] * plan.actions + action
        for i in range(tables.first[row], tables.first[row + 1]):
            p = entries.probability[j] * tables.probability[i]
            reward += p * tables.reward[i]
            if p == 0.0 or level == plan.horizon:
                continue
            branch = scratch.group[world.percept[i]]
            if branch == NONE:
                branch = first + count
                scratch.group[world.percept[i]], scratch.end[count] = branch, 0
                branches.probability[branch], branches.row[branch], branches.visits[branch] = 0.0, i, 0
                count += 1
            branches.probability[branch] += p
            scratch.end[branch - first] += 1
    nodes.reward[node, action], nodes.first[node, action], nodes.count[node, action] = reward, first, count
    if count == 0:
        return
    graph.used[BRANCHES] = first + count
    at = graph.used[ENTRIES]
    for k in range(count):
        at, scratch.end[k] = at + scratch.end[k], at
    for j in range(begin, end):  # the joint probabilities of states and percepts, percept by percept
        row = entries.state[j] * plan.actions + action
        for i in range(tables.first[row], tables.first[row + 1]):
            p = entries.probability[j] * tables.probability[i]
            if p > 0.0:
                k = scratch.group[world.percept[i]] - first
                entries.state[scratch.end[k]], entries.probability[scratch.end[k]] = tables.state[i], p
                scratch.end[k] += 1
    at = graph.used[ENTRIES]
    for k in range(count):
        branch, to = first + k, graph.used[ENTRIES]
        scratch.group[world.percept[branches.row[branch]]] = NONE
        size = _merge(entries, scratch, at, scratch.end[k], to)
        for i in range(to, to + size):
            entries.probability[i] /= branches.probability[branch]
        branches.child[branch] = _node(graph, plan, world, scratch, to, size, level)
        at = scratch.end[k]


# ------------------------------------------------------------------------------------------------ simulations


@inner_kernel
def _select(nodes: Nodes, plan: GraphPlan, scratch: Scratch, random: Stream, node: int) -> int:
    """Choose an open action by the rule of the plan; where leaves are sampled, one that was not tried first."""
    if plan.rule == SPREAD:
        unit = spread(nodes, node, plan.actions)
    else:
        unit = plan.scale * (plan.horizon - nodes.level[node])
    log_total, best = np.log(nodes.total[node] + 1.0), -np.inf
    for a in range(plan.actions):
        if nodes.known[node, a]:
            score = -np.inf
        elif not plan.exact and nodes.first[node, a] == NONE:
            score = np.inf
        elif plan.rule == ROUND_ROBIN:
            score = -float(nodes.visits[node, a])
        else:
            score = nodes.value[node, a] + plan.ucb * unit * np.sqrt(log_total / (nodes.visits[node, a] + 1.0))
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
def _next_branch(graph: Graph, node: int, action: int) -> int:
    """The open branch that lags most behind its probability; NONE if all are closed."""
    nodes, branches = graph.node, graph.branch
    best, found = -np.inf, NONE
    first = nodes.first[node, action]
    for i in range(first, first + nodes.count[node, action]):
        if not nodes.closed[branches.child[i]]:
            lag = branches.probability[i] * (nodes.visits[node, action] + 1) - branches.visits[i]
            if lag > best + ROUNDING:
                best, found = lag, i
    return found


@inner_kernel
def _draw_state(graph: Graph, node: int, random: Stream) -> int:
    entries, u = graph.entry, draw(random)
    last = graph.node.begin[node] + graph.node.size[node] - 1
    for i in range(graph.node.begin[node], last):
        u -= entries.probability[i]
        if u < 0:
            return entries.state[i]
    return entries.state[last]


@inner_kernel
def _roll_out_from(
    graph: Graph,
    plan: GraphPlan,
    world: GraphWorld,
    policy: NDArray[np.int64],
    scratch: Scratch,
    random: Stream,
    node: int,
) -> float:
    """The return of one rollout from a node, to which the course of the simulation has led."""
    tables, level, mark = world.tables, graph.node.level[node], 0.0
    reads = policy[READS] != 0
    if reads:
        mark = call_operation(policy[SET_MARK], policy[POLICY], 0)
        scratch.faults[0] += mark < 0.0
        for i in range(level):
            scratch.faults[0] += tell_policy(policy, world, scratch.action[i], graph.branch.row[scratch.branch[i]])
    outcome, weight, state = 0.0, 1.0, _draw_state(graph, node, random)
    for _ in range(level, plan.horizon):
        if policy[CHOOSE] == 0:  # uniform
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
        if reads:
            scratch.faults[0] += tell_policy(policy, world, action, row)
    if reads and mark >= 0.0:
        scratch.faults[0] += call_operation(policy[GO_BACK], policy[POLICY], int(mark)) < 0.0
    graph.node.rollouts[node] += 1
    graph.node.rolled[node] += (outcome - graph.node.rolled[node]) / graph.node.rollouts[node]
    _sum_up(graph.node, plan, node)
    return outcome


@inner_kernel
def _count(graph: Graph, world: GraphWorld, scratch: Scratch, cycle: int, outcome: float) -> float:
    """Count a cycle of a simulation, given the return of all after it; return the return from it on."""
    nodes = graph.node
    node, action, branch = scratch.node[cycle], scratch.action[cycle], scratch.branch[cycle]
    if branch != NONE:
        graph.branch.visits[branch] += 1
        outcome = world.tables.reward[graph.branch.row[branch]] + EARLIER * outcome
    nodes.total[node] += 1
    nodes.visits[node, action] += 1
    difference = outcome - nodes.mean[node, action]
    nodes.mean[node, action] += difference / nodes.visits[node, action]
    nodes.square[node, action] += difference * (outcome - nodes.mean[node, action])
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
    """One simulation: descend, expand an action, back up. It is undone where there is no room."""
    nodes = graph.node
    for i in range(4):
        scratch.random[i] = random[i]
    node, cycles, outcome, expanded = ROOT, 0, 0.0, False
    while not expanded:
        _refresh(graph, plan, node)
        if nodes.closed[node]:
            break
        action = _select(nodes, plan, scratch, random, node)
        expanded = nodes.first[node, action] == NONE
        if expanded:
            if not _has_room(graph, plan, world, node, action):
                for i in range(4):
                    random[i] = scratch.random[i]
                return FULL
            _expand(graph, plan, world, scratch, node, action)
            _back_up(graph, plan, node, action)
            outcome = nodes.value[node, action]
        branch = NONE if expanded and plan.exact else _next_branch(graph, node, action)
        scratch.node[cycles], scratch.action[cycles], scratch.branch[cycles] = node, action, branch
        cycles += 1
        if branch != NONE:
            node = graph.branch.child[branch]
            if expanded:
                outcome = _roll_out_from(graph, plan, world, policy, scratch, random, node)
    for cycle in range(cycles - 1, -1, -1):
        if expanded:
            outcome = _count(graph, world, scratch, cycle, outcome)
        _back_up(graph, plan, scratch.node[cycle], scratch.action[cycle])
        _sum_up(nodes, plan, scratch.node[cycle])
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
    while done < simulations and end < FULL and not graph.node.closed[ROOT]:
        end = _simulate(graph, plan, world, policy, scratch, random)
        done += end == COUNTED
    return end, done


class GraphUCT(Planner):
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
        returns, 0.35 for exact leaves and 0.7 for sampled ones.
    rule : str, optional
        How an action is selected: "spread", the default for exact leaves; "ucb", the default for sampled ones; or
        "round-robin".
    rollout : Rollout, optional
        How leaves are sampled; by default uniformly at random.
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

    options = ("horizon", "simulations", "seconds", "ucb", "rule", "rollout", "leaves", "stop")

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
        leaves: str | None = None,
        stop: str = "never",
    ) -> None:
        if simulations is None and seconds is None:
            simulations = DEFAULT_SIMULATIONS
        horizon = check_search_options(horizon, 1, seconds=None, ucb=0.0, rule=RULES[0])[0]
        check_choice("stop", stop, STOPS)
        self.rollout = Uniform(pomdp.coding) if rollout is None else rollout
        leaves = _leaves(pomdp, horizon, leaves=leaves, uniform=self.rollout.addresses.choose == 0)
        rule = ("spread" if leaves == "exact" else "ucb") if rule is None else rule
        ucb = DEFAULT_UCB[leaves].get(rule, 0.0) if ucb is None else ucb
        horizon, self.simulations, _ = check_search_options(horizon, simulations, seconds=seconds, ucb=ucb, rule=rule)
        self.pomdp, self.seconds = pomdp, seconds
        self.reads_history = self.rollout.reads_history
        self._same = SameEnvironment(pomdp)
        tables, coding = pomdp.tables, pomdp.coding
        percepts, percept = np.unique(tables.reward * len(pomdp.observations) + tables.observation, return_inverse=True)
        actions = len(pomdp.actions)
        self._plan = GraphPlan(
            actions=actions,
            percepts=len(percepts),
            horizon=horizon,
            exact=leaves == "exact",
            rule=RULES.index(rule),
            ucb=float(ucb),
            scale=float(max(1, pomdp.max_reward - pomdp.min_reward)),
        )
        self._world = GraphWorld(
            tables=tables,
            percept=percept,
            leaf=np.zeros((0, 0)),
            action_bits=coding.action_bits,
            reward_bits=coding.reward_bits,
            observation_bits=coding.observation_bits,
            min_reward=coding.min_reward,
        )
        self._scratch = Scratch(
            *np.zeros((3, horizon), dtype=np.int64),
            random=np.zeros(4, dtype=np.uint64),
            faults=np.zeros(1, dtype=np.int64),
            score=np.zeros(actions),
            group=np.full(len(percepts), NONE, dtype=np.int64),
            end=np.zeros(len(percepts), dtype=np.int64),
            place=np.zeros(len(pomdp.states), dtype=np.int64),
        )
        self._slices = TimeSlices()
        self._graph = _empty_graph(actions, horizon)

    @classmethod
    def for_environment(cls, environment: Environment, *parameters: int | str, **options: Any) -> Self:
        """Return a new planner for an environment that is a POMDP; ValueError if it is not."""
        return cls(as_pomdp(environment), *parameters, **options)  # type: ignore[arg-type]

    @property
    def horizon(self) -> int:
        """Cycles that it looks ahead."""
        return self._plan.horizon

    def advance(self, action: int, percept: Bits, *, learned: bool = True) -> None:
        """Go on to the history after a real cycle, which only a rollout policy takes note of."""
        if self.reads_history:
            self.rollout.extend(encode(action, self.pomdp.coding.action_bits))
            self.rollout.extend(percept)

    def mark(self) -> int:
        """Remember this point; return its number."""
        return self.rollout.mark()

    def revert(self, mark: int) -> None:
        """Go back to a mark, exactly; forget it and all later ones."""
        self.rollout.revert(mark)

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
        end = np.inf if self.seconds is None else time.perf_counter() + self.seconds
        if simulations is None or self.seconds is not None:
            simulations = self.simulations
        simulations = as_integer("simulations", simulations, 1, MAX_SIMULATIONS)
        self._begin(predictor.belief)
        done = 0
        for count, _ in self._slices(simulations, end):
            done += self._simulate(count, random)
            if self._graph.node.closed[ROOT]:
                break
        _refresh_all(self._graph, self._plan)
        return self._result(done, random)

    def _begin(self, belief: Belief) -> None:
        """Leave nothing in the graph but a root with this belief."""
        if self._plan.exact and not self._world.leaf.size:
            self._world = self._world._replace(leaf=_leaf_values(self.pomdp, self._plan.horizon))
        size = len(belief.state)
        self._graph.wanted[:] = 0, 0, size
        self._make_room()
        self._graph.entry.state[:size], self._graph.entry.probability[:size] = belief.state, belief.probability
        _plant(self._graph, self._plan, self._world, self._scratch, size)

    def _simulate(self, simulations: int, random: Stream) -> int:
        """Run some simulations, in as much room as they need; return how many it took to close the root, if fewer."""
        self.rollout.fault, policy = None, self.rollout.addresses.array()
        self._scratch.faults[0] = done = 0
        while True:
            end, more = _run(self._graph, self._plan, self._world, policy, self._scratch, random, simulations - done)
            done += more
            if end == FAILED:
                self.rollout.raise_fault()
            if end != FULL:
                return done
            self._make_room()

    def _make_room(self) -> None:
        """Make as much room as is wanted, or twice as much as there was; what is in the graph stays as it is."""
        old = self._graph
        parts: list[Any] = [old.node, old.branch, old.entry]
        for which, wanted in enumerate(old.wanted.tolist()):
            if wanted > len(parts[which][0]):
                parts[which] = _longer(parts[which], max(wanted, 2 * len(parts[which][0])))
        new = old._replace(node=parts[NODES], branch=parts[BRANCHES], entry=parts[ENTRIES])
        if new.node is not old.node:
            new = new._replace(table=_empty_table(len(new.node.level)))
            _enter_all(old, new)
        self._graph = new

    def _result(self, simulations: int, random: Stream) -> SearchResult:
        nodes, error = self._graph.node, None
        visits = nodes.visits[ROOT].astype(np.int64)
        value = nodes.value[ROOT].copy()
        if not self._plan.exact:
            value[visits == 0] = np.nan
        if nodes.closed[ROOT]:
            reward = max(abs(self.pomdp.min_reward), abs(self.pomdp.max_reward))
            error = np.full(len(value), reward * (1 - EARLIER ** np.arange(self.horizon)).sum())
        return SearchResult(best_action(value, random, rounding=ROUNDING), value, visits, simulations, error)


def _leaves(pomdp: POMDP, horizon: int, *, leaves: str | None, uniform: bool) -> str:
    """Return where the values of leaves come from; ValueError if they can't be exact."""
    size = (horizon + 1) * len(pomdp.states) * len(pomdp.actions)
    if leaves is None:
        return "exact" if uniform and size <= MAX_TABLE else "sampled"
    check_choice("leaves", leaves, LEAVES)
    if leaves == "exact" and not uniform:
        raise ValueError(
            "leaves are exact for uniform rollouts only: leave out the rollout policy, or sample the leaves"
        )
    if leaves == "exact" and size > MAX_TABLE:
        what = f"a table of {size:,} numbers, more than {MAX_TABLE:,}"
        raise ValueError(f"leaves that are exact take {what}: take a shorter horizon, or sample the leaves")
    return leaves


def _leaf_values(pomdp: POMDP, horizon: int) -> NDArray[np.float64]:
    """Return what an action in a state and then uniform ones earn, by cycles left: `GraphWorld.leaf`."""
    tables, actions = pomdp.tables, len(pomdp.actions)
    value = np.zeros((horizon + 1, len(pomdp.states) * actions))
    for left in range(1, horizon + 1):
        later = value[left - 1].reshape(-1, actions).mean(axis=1)
        outcome = tables.probability * (tables.reward + EARLIER * later[tables.state])
        value[left] = np.add.reduceat(outcome, tables.first[:-1])
    return value


def _empty_graph(actions: int, horizon: int) -> Graph:
    """Room for a small graph."""
    nodes, branches, entries = FIRST_ROOM
    own = {"begin": np.int64, "rolled": np.float64, "best": np.float64, "closed": np.bool_}
    each = {"value": np.float64, "mean": np.float64, "square": np.float64, "reward": np.float64, "known": np.bool_}
    per_action = (*each, "visits", "first", "count")
    return Graph(
        used=np.array([ROOT, NONE + 1, 0]),
        wanted=np.zeros(3, dtype=np.int64),
        latest=np.zeros(horizon, dtype=np.int32),
        table=_empty_table(nodes),
        node=Nodes(
            **{
                name: np.zeros(
                    (nodes, actions) if name in per_action else nodes, dtype=(own | each).get(name, np.int32)
                )
                for name in Nodes._fields
            }
        ),
        branch=Branches(
            probability=np.zeros(branches),
            row=np.zeros(branches, dtype=np.int32),
            child=np.zeros(branches, dtype=np.int32),
            visits=np.zeros(branches, dtype=np.int32),
        ),
        entry=Entries(state=np.zeros(entries, dtype=np.int32), probability=np.zeros(entries)),
    )


def _empty_table(nodes: int) -> NDArray[np.int32]:
    """A hash table for some nodes: at least as many places, a power of 2."""
    return np.full(1 << (nodes - 1).bit_length(), NONE, dtype=np.int32)


def _longer(part: Any, length: int) -> Any:
    """Return longer arrays that begin as these do."""
    longer = [np.empty((length, *array.shape[1:]), dtype=array.dtype) for array in part]
    for array, old in zip(longer, part, strict=True):
        array[: len(old)] = old
    return type(part)(*longer)

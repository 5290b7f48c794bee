"""DP-UCT: UCT with dynamic-programming backups, over a predictor (after Keller, Helmert 2013, section 3).

It walks the tree of rho_uct.py, with the same memo, and differs in what it makes of a simulation.

rhoUCT takes the mean of sampled returns for the value of an action, although the memo knows the probability of every
percept bit that was ever asked for. Here the value of an action is its expected reward and what is expected to follow:

    Q(ha) = sum over r of P(r | ha) r  +  the mean of V(hax) over the percepts x that were seen, weighted by P(x | ha)

The rewards are summed up when an action is first taken: all whose probability is at least `RARE`, and the others once
they are sampled; the sums are divided by the probability of what was summed up. So a rare and large reward counts
before it was ever sampled, and the noise of sampling is gone.

The value of a decision node lies between the largest value of its actions and their mean over its visits,

    V(h) = w max over a of Q(ha) + (1 - w) sum over a of T(ha) / T(h) Q(ha)        w = k / (k + T(h)),  k = sqrt(n) / 2

in the n-th simulation. A node that was visited little is worth its best action, one that was visited much its mean,
which tends to the best by itself. The mean alone values what many percepts divide less than what few do, as it divides
the visits as well: it waits in a corner, whose future is known, rather than eat a cheese and be placed anywhere. The
maximum alone believes in luck. What else was tried stands in docs/results/search.md.

A simulation goes through decision nodes down to the horizon and keeps them all: a new node acts as the rollout policy
says, and its values count from then on. Percepts are sampled bit by bit, but stratified: of n passes through a bit
whose probability is p, the number of ones is n p rounded up or down, with the right probability (systematic sampling,
Cochran 1977, chapter 8). Each single pass is distributed as it has to be.

With a policy that has learned what searches found, half of the simulations, times the trust in it, act as it says at
every node (rule `follow`): its plan is among those that are compared, down to the horizon. The other half are what they
are without it, so a policy that is wrong costs half of the simulations at the most. With the rule `prior`, it is the
prior of PUCT (Silver et al. 2017) in all of them, and at new nodes actions are drawn from it.

Decisions where the paper is silent. The rewards that are beyond the largest reward count as the largest. A tree that
has grown to `MOST_BYTES` gets no more nodes, and a simulation goes on without them.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx.coding import Coding
from aixi_approx.compilation import inner_kernel, kernel
from aixi_approx.planner_spec import CERTAIN, NEVER, STOPS
from aixi_approx.planners.history_search import (
    BITS,
    DECISIONS,
    FAULTS,
    NOTED,
    POLICY_FAULTS,
    UNKNOWN,
    HistorySearch,
    SearchPlan,
    SimulationTrace,
    act,
    ask,
    begin,
    feed,
    new_bit,
    new_decision,
    note,
    predict,
    take,
    tell_policy,
    undo,
)
from aixi_approx.planners.tree_search import (
    FOLLOW,
    NONE,
    PRIOR,
    ROOT,
    SPREAD,
    draw_action,
    imagined_reward,
    is_guided,
    select,
    select_by_prior,
    spread,
    weigh_actions,
)
from aixi_approx.predictor_abi import MARK, REVERT, STATE, WEIGH, call_operation
from aixi_approx.randomness import Stream, below, draw
from aixi_approx.rollout import Rollout
from aixi_approx.validation import check_choice

RARE = 1 / 64  # probability of a reward that is not summed up before it is sampled
SURE = 4.0  # standard errors that a settled choice is ahead
LEAST = 1_000  # simulations after which a search with a time limit may be settled; else an eighth of them
TRUST = 0.5  # in the best action of a node: visits, over the square root of all simulations
CHECK = 16  # simulations after which a search looks whether it is settled
FIRST_ROOM = 1_000  # simulations that a tree has room for at first
SIMULATED = 1 << 10  # bytes of a cycle of a simulation, about


class DPTree(NamedTuple):
    """The search tree and the memo in one: N decision nodes, A actions each, and B bit nodes of percept tries."""

    used: NDArray[np.int64]  # [2] decision nodes, bit nodes
    total: NDArray[np.int64]  # [N] T(h), 0 = known to the memo only
    chance: NDArray[np.int32]  # [N, A] first bit node of the percepts after each action, or NONE
    visits: NDArray[np.int32]  # [N, A] T(ha)
    value: NDArray[np.float64]  # [N, A] Q(ha)
    mean: NDArray[np.float64]  # [N, A] mean of the sampled returns; only of the root, unless the rule is `spread`
    square: NDArray[np.float64]  # [N, A] sum of their squared deviations from it
    reward: NDArray[np.float64]  # [N, A] sum of P(r) r over the rewards that are known
    known: NDArray[np.float64]  # [N, A] sum of P(r) over them
    future: NDArray[np.float64]  # [N, A] sum of P(x) V(hax) over the percepts that were seen
    seen: NDArray[np.float64]  # [N, A] sum of P(x) over them
    share: NDArray[np.float64]  # [N] P(x) of the percept that leads to the node
    counted: NDArray[np.float64]  # [N] V(h) as it stands in `future` of the node before
    prior: NDArray[np.float64]  # [N, A] what the policy says, or UNKNOWN; [1, A] without one
    probability: NDArray[np.float64]  # [B] P(bit = 1), or UNKNOWN
    branch: NDArray[np.int32]  # [B, 2] next bit node, after the last bit a decision node; or NONE
    turn: NDArray[np.float64]  # [B] of systematic sampling: drawn at first, p more in each pass; at 1 a one comes
    taken: NDArray[np.uint8]  # [B] which ways simulations went: 1 the zero, 2 the one, 3 both


class RewardPath(NamedTuple):
    """Where a walk through the rewards of an action stands; r reward bits."""

    node: NDArray[np.int64]  # [r] bit node, or NONE
    one: NDArray[np.float64]  # [r] P(bit = 1)
    share: NDArray[np.float64]  # [r] probability of the bits before
    code: NDArray[np.int64]  # [r] the bits before, as a number
    following: NDArray[np.int64]  # [r] next bit to look at: 0, 1, or 2 when both are done
    mark: NDArray[np.int64]  # [r] mark of the predictor before the bit that is fed


@inner_kernel
def _add_reward(tree: DPTree, plan: SearchPlan, node: int, action: int, code: int, share: float) -> None:
    """Count a reward in among those that are known to follow an action."""
    tree.reward[node, action] += share * imagined_reward(plan, code)
    tree.known[node, action] += share


@inner_kernel
def _bit_below(tree: DPTree, at: int, bit: int, room: int) -> int:
    """The bit node behind a bit of a trie, which is made if there is room."""
    if at == NONE:
        return NONE
    if tree.branch[at, bit] == NONE and tree.used[BITS] < room:
        tree.branch[at, bit] = new_bit(tree)
    return tree.branch[at, bit]


@kernel
def _sum_up(
    tree: DPTree,
    plan: SearchPlan,
    operations: NDArray[np.int64],
    trace: SimulationTrace,
    path: RewardPath,
    node: int,
    action: int,
    at: int,
    k: int,
    code: int,
    share: float,
    last: int,
    room: int,
) -> None:
    """Sum up the rewards that are not rare and begin with the first k bits noted, and another one after them.

    `code` and `share` are the number and the probability of these k + 1 bits, `at` is the bit node of the last of them.
    The predictor is asked only for what the memo does not know, so it is fed late, and is left as it was.
    """
    first, fed, depth = trace.counts[NOTED] - k, k, k + 1
    path.following[k] = (code & 1) + 1
    if depth == plan.reward_bits:
        _add_reward(tree, plan, node, action, code, share)
        return
    path.node[depth], path.share[depth], path.code[depth] = _bit_below(tree, at, code & 1, room), share, code
    path.following[depth], path.one[depth] = 0, UNKNOWN
    while depth > k:
        at = path.node[depth]
        if path.one[depth] == UNKNOWN:
            p = tree.probability[at] if at != NONE else UNKNOWN
            if p == UNKNOWN:
                if not feed(operations, trace, last):
                    return
                while fed < depth:
                    path.mark[fed] = int(call_operation(operations[MARK], operations[STATE], 0))
                    verb, bit = operations[trace.verb[last, first + fed]], path.following[fed] - 1
                    if path.mark[fed] < 0 or call_operation(verb, operations[STATE], bit) < 0.0:
                        trace.counts[FAULTS] += 1
                        return
                    fed += 1
                p = predict(operations, trace)
                if trace.counts[FAULTS]:
                    return
                if at != NONE and plan.memo:
                    tree.probability[at] = p
            path.one[depth] = p
        bit = path.following[depth]
        path.following[depth] = bit + 1
        if bit == 2:
            depth -= 1
            if fed > depth:
                if call_operation(operations[REVERT], operations[STATE], path.mark[depth]) < 0.0:
                    trace.counts[FAULTS] += 1
                    return
                fed = depth
            continue
        share = path.share[depth] * (path.one[depth] if bit else 1.0 - path.one[depth])
        if share < RARE:
            continue
        code = 2 * path.code[depth] + bit
        if depth + 1 == plan.reward_bits:
            _add_reward(tree, plan, node, action, code, share)
        else:
            depth += 1
            path.node[depth], path.share[depth], path.code[depth] = _bit_below(tree, at, bit, room), share, code
            path.following[depth], path.one[depth] = 0, UNKNOWN


@inner_kernel
def _imagine(
    tree: DPTree,
    plan: SearchPlan,
    operations: NDArray[np.int64],
    random: Stream,
    trace: SimulationTrace,
    path: RewardPath,
    node: int,
    level: int,
    room: int,
) -> int:
    """Take trace.action[level] at a node, sample a percept; return the decision node that it leads to.

    New nodes are made while less than `room` bit nodes are in use; past that the way leads to NONE.
    """
    action, last = trace.action[level], 1 if level + 1 == plan.horizon else 0
    at = take(tree, plan, trace, node, action, room)
    first = node != NONE and tree.visits[node, action] == 0
    if first:
        tree.reward[node, action] = tree.known[node, action] = 0.0
        tree.mean[node, action] = tree.square[node, action] = tree.value[node, action] = 0.0
        tree.future[node, action] = tree.seen[node, action] = 0.0
        if plan.reward_bits == 0:
            _add_reward(tree, plan, node, action, 0, 1.0)
    code, share = 0, 1.0
    for k in range(plan.reward_bits if last else plan.percept_bits):
        p = tree.probability[at] if at != NONE else UNKNOWN
        if p == UNKNOWN:
            p = ask(operations, trace, last)
            if trace.counts[FAULTS]:
                return NONE
            if at != NONE and plan.memo:
                tree.probability[at] = p
        if at != NONE:
            turn = p + (tree.turn[at] if tree.taken[at] else draw(random))
            bit = 1 if turn >= 1.0 else 0
            tree.turn[at] = turn - bit
            new = tree.taken[at] & (1 + bit) == 0
            tree.taken[at] |= 1 + bit
        else:
            bit, new = 1 if draw(random) < p else 0, False
        if k < plan.reward_bits:
            other = share * (1.0 - p if bit else p)
            if first and other >= RARE:
                _sum_up(tree, plan, operations, trace, path, node, action, at, k, 2 * code + 1 - bit, other, last, room)
                if trace.counts[FAULTS]:
                    return NONE
            code = 2 * code + bit
        note(trace, bit)
        share *= p if bit else 1.0 - p
        if k + 1 == plan.reward_bits and (new if share < RARE else first):
            _add_reward(tree, plan, node, action, code, share)
        if at == NONE or (last and k + 1 == plan.reward_bits):
            continue
        if k + 1 < plan.percept_bits:
            at = _bit_below(tree, at, bit, room)
        else:
            if tree.branch[at, bit] == NONE and tree.used[DECISIONS] < len(tree.total):
                tree.branch[at, bit] = new_decision(tree)
            at = tree.branch[at, bit]
    trace.reward[level] = imagined_reward(plan, code)
    if last or at == NONE:
        return NONE
    tree.share[at] = share
    return at


@inner_kernel
def _node_value(tree: DPTree, node: int, actions: int, trust: float) -> float:
    """V(h) of a node that was visited, of the actions that were tried there; `trust` is k."""
    best, total = -np.inf, 0.0
    for a in range(actions):
        if tree.visits[node, a]:
            best = max(best, tree.value[node, a])
            total += tree.visits[node, a] * tree.value[node, a]
    weight = trust / (trust + tree.total[node])
    return weight * best + (1.0 - weight) * total / tree.total[node]


@inner_kernel
def _back_up(tree: DPTree, plan: SearchPlan, trace: SimulationTrace) -> None:
    """Count a simulation in, from the horizon to the root."""
    outcome, below_node = 0.0, NONE
    trust = TRUST * np.sqrt(tree.total[ROOT] + 1.0)
    for level in range(plan.horizon - 1, -1, -1):
        outcome += trace.reward[level]
        node, a = trace.node[level], trace.action[level]
        if node == NONE:
            continue
        tree.visits[node, a] += 1
        tree.total[node] += 1
        if level == 0 or plan.rule == SPREAD:
            difference = outcome - tree.mean[node, a]
            tree.mean[node, a] += difference / tree.visits[node, a]
            tree.square[node, a] += difference * (outcome - tree.mean[node, a])
        if below_node != NONE:
            ahead, share = _node_value(tree, below_node, plan.actions, trust), tree.share[below_node]
            if tree.total[below_node] == 1:
                tree.seen[node, a] += share
                tree.future[node, a] += share * ahead
            else:
                tree.future[node, a] += share * (ahead - tree.counted[below_node])
            tree.counted[below_node] = ahead
        if tree.known[node, a] == 0.0 or (level + 1 < plan.horizon and tree.seen[node, a] == 0.0):
            tree.value[node, a] += (outcome - tree.value[node, a]) / tree.visits[node, a]  # there was no room
        else:
            tree.value[node, a] = tree.reward[node, a] / tree.known[node, a]
            if level + 1 < plan.horizon:
                tree.value[node, a] += tree.future[node, a] / tree.seen[node, a]
        below_node = node


@inner_kernel
def _follow(
    tree: DPTree, plan: SearchPlan, policy: NDArray[np.int64], random: Stream, trace: SimulationTrace, node: int
) -> int:
    """Draw an action at a node from the policy, which is asked once."""
    if tree.prior[node, 0] < 0.0:
        tell_policy(policy, trace)
        trace.counts[POLICY_FAULTS] += weigh_actions(policy, tree.prior[node])
    return draw_action(tree.prior[node], random)


@inner_kernel
def _act(
    tree: DPTree,
    plan: SearchPlan,
    policy: NDArray[np.int64],
    random: Stream,
    trace: SimulationTrace,
    node: int,
    guided: bool,
) -> int:
    """Return the action at a new node."""
    if node == NONE or policy[WEIGH] == 0:
        return act(plan, policy, random, trace, guided)
    action = _follow(tree, plan, policy, random, trace, node)
    return action if guided else below(random, plan.actions)


@inner_kernel
def _simulate(
    tree: DPTree,
    plan: SearchPlan,
    operations: NDArray[np.int64],
    policy: NDArray[np.int64],
    random: Stream,
    trace: SimulationTrace,
    path: RewardPath,
    logs: NDArray[np.float64],
    room: int,
) -> None:
    """One simulation: descend to the horizon, back up, undo."""
    begin(trace)
    guided = is_guided(plan, random)
    node = ROOT
    for level in range(plan.horizon):
        trace.node[level] = node
        new = node == NONE or tree.total[node] == 0
        if new and ((guided and plan.acts) or plan.rule == PRIOR):
            action = _act(tree, plan, policy, random, trace, node, guided)
        elif new:
            action = below(random, plan.actions)
        elif guided and plan.rule == FOLLOW:
            action = _follow(tree, plan, policy, random, trace, node)
        elif plan.rule == PRIOR:
            unit = 1.0 / ((plan.horizon - level) * plan.scale)
            mean = _node_value(tree, node, plan.actions, 0.0)
            action = select_by_prior(tree, tree.prior[node], plan, random, node, unit, mean)
        else:
            unit = 1.0 / ((plan.horizon - level) * plan.scale)
            if plan.rule == SPREAD:
                unit = 1.0 / max(spread(tree, node, plan.actions), 1e-9 * plan.scale)
            action = select(tree, plan, random, logs, node, unit)
        trace.action[level] = action
        node = _imagine(tree, plan, operations, random, trace, path, node, level, room)
        if trace.counts[FAULTS] or trace.counts[POLICY_FAULTS]:
            undo(operations, policy, trace)
            return
    _back_up(tree, plan, trace)
    undo(operations, policy, trace)


@kernel
def _most_bits(plan: SearchPlan) -> int:
    """Return how many bit nodes a simulation adds at the most."""
    return plan.horizon * (plan.percept_bits + int(1 / RARE) * plan.reward_bits)


@inner_kernel
def _settled(tree: DPTree, actions: int) -> bool:
    """Whether the best first action is ahead of all others by `SURE` standard errors of the difference."""
    best = 0
    for a in range(actions):
        if tree.visits[ROOT, a] < 2:
            return False
        if tree.value[ROOT, a] > tree.value[ROOT, best]:
            best = a
    for a in range(actions):
        ahead, error = tree.value[ROOT, best] - tree.value[ROOT, a], 0.0
        for each in (best, a):
            error += tree.square[ROOT, each] / (tree.visits[ROOT, each] - 1) / tree.visits[ROOT, each]
        if a != best and not (ahead > 0.0 and ahead * ahead > SURE * SURE * error):
            return False
    return True


@kernel
def _run(
    tree: DPTree,
    plan: SearchPlan,
    operations: NDArray[np.int64],
    policy: NDArray[np.int64],
    random: Stream,
    trace: SimulationTrace,
    path: RewardPath,
    logs: NDArray[np.float64],
    simulations: int,
    grows: bool,
    least: int,
) -> tuple[int, bool]:
    """Run some simulations until there is no room for one more, or all is settled; return how many, and whether it is.

    `grows` says whether the tree can get more room, `least` after how many simulations in all it may be settled.
    """
    room = len(tree.probability)
    for i in range(simulations):
        done = tree.total[ROOT]
        if done >= least and done % CHECK == 0 and _settled(tree, plan.actions):
            return i, True
        if grows and (
            room - tree.used[BITS] < _most_bits(plan) or len(tree.total) - tree.used[DECISIONS] < plan.horizon
        ):
            return i, False
        _simulate(tree, plan, operations, policy, random, trace, path, logs, room)
        if trace.counts[FAULTS] or trace.counts[POLICY_FAULTS]:
            return i + 1, False
    return simulations, False


class DPUCT(HistorySearch):
    """UCT with dynamic-programming backups: what the search of MC-AIXI becomes if it uses all that its model says.

    Parameters
    ----------
    coding : Coding
        Bits and rewards of the environment.
    horizon : int, default: 5
        Cycles that a simulation looks ahead, the present one included; at least 1.
    simulations : int, optional
        Simulations of a search; at least 1. 500 if neither they nor `seconds` are given; with `seconds`, the most
        that it makes.
    seconds : float, optional
        Time that a search may take, as in `RhoUCT`.
    ucb : float, optional
        C, the weight of exploration, by default that of the rule in `UCB`.
    rule : str, default: "ucb"
        How a simulation chooses among the actions of a node: `ucb`, in the range of the returns; `spread`, UCB in the
        standard deviation of the returns that were found there; `round-robin`; with a policy `follow`, the default
        then, and `prior`, as above.
    rollout : Rollout, optional
        How a simulation acts at new nodes; as the policy does where it is followed, or else uniformly at random.
    policy : Rollout, optional
        That learns the decisions.
    lessons : str, optional
        Which of them, as in `Guide`.
    memo : bool, default: True
        Whether to keep the probabilities that the predictor was asked for. It changes the time of a search and
        nothing else.
    stop : str, default: "never"
        With `certain`, a search ends when what is left is not expected to change its choice.

    Examples
    --------
    >>> from aixi_approx import make
    >>> from aixi_approx.predictors import FactoredContextTree
    >>> from aixi_approx.randomness import stream
    >>> coding = make("coin-flip").coding
    >>> tree = FactoredContextTree(8, coding.action_bits, coding.percept_bits)
    >>> DPUCT(coding, horizon=2, simulations=10_000).search(tree, stream(1)).value.round(2)    # expectimax: 1.039
    array([1.03, 1.03])
    """

    options = ("horizon", "simulations", "seconds", "ucb", "rule", "policy", "lessons", "rollout", "memo", "stop")
    UCB: ClassVar = {"ucb": 0.5, "spread": 1.0, "prior": 1.0, "follow": 0.5}
    MOST_BYTES = 1 << 30  # of a tree
    BY_BIT = ("probability", "branch", "turn", "taken")

    def __init__(
        self,
        coding: Coding,
        horizon: int = 5,
        *,
        simulations: int | None = None,
        seconds: float | None = None,
        ucb: float | None = None,
        rule: str | None = None,
        rollout: Rollout | None = None,
        policy: Rollout | None = None,
        lessons: str | None = None,
        memo: bool = True,
        stop: str = NEVER,
    ) -> None:
        if rule is None:
            rule = "ucb" if policy is None else "follow"
        super().__init__(
            coding,
            horizon,
            simulations=simulations,
            seconds=seconds,
            ucb=self.UCB.get(rule, 0.0) if ucb is None else ucb,
            rule=rule,
            rollout=rollout,
            policy=policy,
            lessons=lessons,
            memo=memo,
        )
        self.stop = check_choice("stop", stop, STOPS)
        length = max(1, coding.reward_bits)
        self._path = RewardPath(
            node=np.zeros(length, dtype=np.int64),
            one=np.zeros(length),
            share=np.zeros(length),
            code=np.zeros(length, dtype=np.int64),
            following=np.zeros(length, dtype=np.int64),
            mark=np.zeros(length, dtype=np.int64),
        )

    def _new_tree(self, decisions: int, bits: int) -> DPTree:
        shape = (decisions, self.coding.actions)
        tree = DPTree(
            used=np.ones(2, dtype=np.int64),
            total=np.empty(decisions, dtype=np.int64),
            chance=np.empty(shape, dtype=np.int32),
            visits=np.empty(shape, dtype=np.int32),
            value=np.empty(shape),
            mean=np.empty(shape),
            square=np.zeros(shape),  # `spread` reads it before all actions were tried
            reward=np.empty(shape),
            known=np.empty(shape),
            future=np.empty(shape),
            seen=np.empty(shape),
            share=np.empty(decisions),
            counted=np.empty(decisions),
            prior=np.full((decisions if self.policy else 1, self.coding.actions), UNKNOWN),
            probability=np.empty(bits),
            branch=np.empty((bits, 2), dtype=np.int32),
            turn=np.empty(bits),
            taken=np.zeros(bits, dtype=np.uint8),
        )
        tree.total[NONE] = 0
        new_decision(tree)
        return tree

    def _begin(self, simulations: int) -> None:
        decisions, bits = self._tree.used
        first = min(simulations, FIRST_ROOM)
        if self.most_memory is not None:  # a simulation takes some hundred bytes in each cycle
            first = max(1, min(first, self.most_memory // self.COPIES // (SIMULATED * self.horizon)))
        self._prepare(
            int(decisions) + (first + 1) * self.horizon,
            int(bits) + _most_bits(self._plan) + first * self.horizon * self.coding.percept_bits,
        )

    def _simulate(
        self,
        operations: NDArray[np.int64],
        policy: NDArray[np.int64],
        random: Stream,
        *,
        trace: SimulationTrace,
        count: int,
        done: int,
        left: int,
    ) -> int:
        self._know_logarithms(done + count)
        least = 1 << 62
        if self.stop == CERTAIN:
            least = LEAST if self.seconds else (done + left) // 8
        made = 0
        while True:
            sizes = self._larger()
            more, settled = _run(
                self._tree,
                self._plan,
                operations,
                policy,
                random,
                trace,
                self._path,
                self._logs,
                count - made,
                sizes is not None,
                least,
            )
            made += more
            if made == count or settled or trace.counts[FAULTS] or trace.counts[POLICY_FAULTS]:
                return made
            if sizes:
                self._enlarge(*sizes)

    def guided_share(self, trust: float) -> float:
        """Return the share of simulations that act as the policy does; with the rule `follow`, within the tree, too."""
        return 0.5 * trust if self._plan.rule == FOLLOW else super().guided_share(trust)

    def _larger(self) -> tuple[int, int] | None:
        """Return the numbers of decision and bit nodes of a tree of twice the size; None if it would be too large."""
        decisions, bits = 2 * len(self._tree.total), 2 * len(self._tree.probability)
        size = sum(each.nbytes for each in self._tree)
        most = self.MOST_BYTES if self.most_memory is None else 2 * self.most_memory // self.COPIES
        return (decisions, bits) if 2 * size <= most else None

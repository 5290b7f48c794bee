# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Exact context-tree weighting, at a cost that depends on the number of branching nodes on a path, not on the depth.

Context-tree weighting (CTW; Willems, Shtarkov, Tjalkens 1995) is the Bayesian mixture over all binary
context trees of depth at most D, and the environment model of MC-AIXI (Veness, Ng, Hutter, Uther,
Silver, JAIR 2011, section 5). A node s of the full tree has

    Pe(s)   KT probability of the bits seen in context s
    Pw(s) = Pe(s)                               at depth D
    Pw(s) = 1/2 Pe(s) + 1/2 Pw(0s) Pw(1s)       above it

Nearly all nodes lie on unary chains: all their visits continued to the same child, so all nodes of a chain
have the same counts. Only the last node v of a chain of L nodes is stored. With Pc(v) = Pw(0v) Pw(1v)

    Pw(top of the chain) = (1 - 2^-L) Pe(v) + 2^-L Pc(v)

Store R = Pe/Pc at v and let b = (2^L - 1) R be the odds of stopping on the chain against continuing below it.
The probability of the next bit x is then, from the leaf up to the root,

    p(leaf) = pe(leaf)        p(v) = (p(child) + b pe(v)) / (1 + b)        pe = (count_x + 1/2) / (n + 1)

and learning x is R <- R pe(v)/p(child), count_x <- count_x + 1. A context that leaves a chain of L = L1 + L2
nodes after the first L1 splits it there into m (L1 nodes) and v (L2 nodes), with the counts of v and

    1/R_m = (1 - 2^-L2) + 2^-L2 / R_v           R_m = 1 if v is a leaf

R leaves the range of a double on long histories, so it is stored as ratio * 2^(512 shift) with ratio in
[2^-256, 2^256]: it never under- or overflows, and probabilities are exact up to floating-point rounding.

Chains carry no labels. A walk follows the branching bits only, and then compares the context with the one
found at the bottom, 64 bits at a time: the first difference is where the walk really left the tree (as in
a Patricia trie; Morrison 1968). A leaf that was visited once is not stored either: its parent refers to the
position of the visit in the history, and the bit there is its only count.

The mixture contains every context tree M, with the weight 2^-Gamma(M). The tree with the largest product of
weight and probability follows from the same recursion with the larger term in place of the sum (context-tree
maximising; Volf, Willems 1994):

    Pm(s) = Pe(s)                                          at depth D
    Pm(s) = 1                                              where nothing was seen
    Pm(s) = max(1/2 Pe(s), 1/2 Pm(0s) Pm(1s))              elsewhere

Pw = 1 as well where nothing was seen: trees that differ only there count as one tree, and Gamma counts the visited
nodes of M, except those at depth D. So Pm <= Pw. A leaf has the same counts anywhere on a chain, so the best tree
either stops at the top of a chain or goes through it, at one bit per node:

    -log2 Pm(top of the chain) = min(1 - log2 Pe(v), L - log2 Pm(0v) Pm(1v))

and on a chain that ends at depth D it costs (L > 1) - log2 Pe(v).

The memory can be bounded. Where there is no room for another node, a tree stops growing: counts and ratios of the
nodes that are there go on being learned, and a context that would need a node of its own is predicted as if it were
seen for the first time, again and again. What is predicted is still a probability: a mixture of probabilities that
does not depend on the bit to come.

There are three layers: the struct `State`, the free functions on it (the last are the five operations that all
predictors share), and the thin class `ContextTreeKernel`, which owns a State. Functions that fail change nothing
and return FAILED. The history and the undo log are in history.pxd and undo.pxd.
"""

from libc.math cimport isfinite, lgamma, log2
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from history cimport (FAILED, MAX_POSITION, History, agreement, aligned_memory, before, bit_at,
                      copy_history, free_history, grow, in_action, init_history, percept_index, room_for_bit, usual,
                      write_bit)
from undo cimport UndoLog, free_undo, init_undo, record, revert_to, room_to_undo, set_mark

cdef extern from *:
    """
    /* 2^e for -1022 <= e <= 1023. */
    static inline double power_of_two(int64_t e) {
        union { uint64_t bits; double value; } u;
        u.bits = (uint64_t)(e + 1023) << 52;
        return u.value;
    }
    """
    double power_of_two(int64_t e) noexcept nogil

cdef enum:
    NONE = 0                    # no child; node 0 is a root, and so never a child
    LEAF = 0x80000000           # flag of a reference: a leaf visited once, at the history position in the low bits
    MAX_NODES = 0x3fffffff      # an undo entry keeps two flags beside a node's index
    SCALE = 512                 # one step of `shift` is a factor 2^SCALE
    HISTORY_SHARE = 8           # the history has one part in so many of the memory, where that is bounded
    FAR = 600                   # odds beyond 2^FAR or 2^-FAR mean certainty in a double

cdef enum:                      # kinds of undo entries: + 0 or 1 for the side
    COUNT = 0                   # count[side] was increased by one; ratio and shift are the old ones
    LINK = 2                    # child[side] was `old`

cdef double LOG2_E = 1.4426950408889634
cdef double LOG2_PI = 1.6514961294723187
cdef double EVEN = 1e-12        # code lengths that differ by less, relatively, are equal up to rounding

cdef struct Node:               # 32 bytes, two to a cache line
    double ratio                # R = Pe/Pc = ratio * 2^(512 shift); unused in a leaf
    int32_t shift
    uint32_t depth              # of the node; the chain above it ends at its parent's depth
    uint32_t child[2]           # a node, LEAF | position, or NONE; in a leaf child[0] is a position of a visit
    uint32_t count[2]           # zeros and ones seen here

cdef struct Undo:               # 16 bytes
    double ratio
    uint32_t old                # shift (COUNT) or child (LINK)
    uint32_t where              # 4 * node + kind + side

cdef struct State:
    uint32_t depth              # D, bits
    History history             # one tree for each percept bit of its cycle
    UndoLog log                 # of Undo

    Node *nodes                 # the first percept_bits are the roots
    int64_t used
    int64_t nodes_capacity
    int64_t most_nodes          # with these the trees stop growing
    int64_t most_words          # of the history

    uint32_t *path              # stored inner nodes of the last walk, from the root down
    uint32_t path_length
    uint32_t end                # the reference below the path
    uint32_t agreed             # bits of context that agree with `end`: D, or the depth where the walk leaves the chain
    int64_t walked              # position that the walk was for, or -1

    int64_t codes               # of a percept: 0 to codes - 1, when it is drawn as a whole

    int64_t bits_worked         # predicted or learned in total, including what was undone
    int64_t nodes_worked        # at which two predictions were mixed for them

cdef struct Best:               # the best trees in hindsight, or a part of one
    int64_t leaves              # visited leaves
    double bits                 # -log2 Pm
    double fixed                # code length with the best fixed parameters in the leaves, without Gamma
    double allowance            # Gamma + what KT may lose to them

cdef struct Chosen:             # a node of the best trees: one where they branch, or a leaf
    double bits                 # code length of KT for what was seen here
    int64_t tree                # percept bit
    int64_t parent              # its place among the nodes, or -1
    int64_t side                # of the parent: the bit of context that leads here
    int64_t looks_at            # bit of context that it branches by, 0 the last one; -1 in a leaf
    int64_t gamma               # what Gamma charges for it and the chain above it
    int64_t zeros, ones         # seen here


# ---------------------------------------------------------------------------------------------- formulas

cdef inline double odds(const Node *v, uint32_t chain) noexcept nogil:
    """b = (2^L - 1) R for the chain of L nodes that ends with v.

    Beyond 2^256 the 1 is below rounding; beyond 2^+-FAR, so is the difference of b / (1 + b) from 1 or 0. With R > 16
    and a chain of 1020 nodes the product of the first line would be infinite, and p infinite by infinite.
    """
    cdef int64_t exponent
    if usual(v.shift == 0 and chain <= 256):
        return v.ratio * (power_of_two(chain) - 1.0)
    exponent = chain + <int64_t>SCALE * v.shift
    return v.ratio * power_of_two(max(-FAR, min(FAR, exponent)))


cdef inline void normalise(Node *v) noexcept nogil:
    while v.ratio > power_of_two(SCALE // 2):
        v.ratio *= power_of_two(-SCALE)
        v.shift += 1
    while v.ratio < power_of_two(-SCALE // 2):
        v.ratio *= power_of_two(SCALE)
        v.shift -= 1


cdef inline double leaf_probability(const State *self, uint32_t leaf, uint32_t x) noexcept nogil:
    """pe(x) at a leaf reference or a leaf node."""
    cdef const Node *v
    if leaf & LEAF:
        return 0.75 if bit_at(&self.history, leaf & MAX_POSITION) == x else 0.25
    v = &self.nodes[leaf]
    return (v.count[x] + 0.5) / (<double>v.count[0] + v.count[1] + 1.0)


cdef void branch(const State *self, Node *m) noexcept nogil:
    """Make the node m that would split the chain above `end` where the last walk left it.

    Its child on the side of the walk is a new leaf with Pw = 1; on the other side is the rest of the chain.
    """
    cdef const Node *v
    cdef int64_t chain, exponent
    cdef uint32_t side = bit_at(&self.history, self.history.length - 1 - self.agreed)
    m.depth = self.agreed
    m.ratio = 1.0
    m.shift = 0
    m.child[side] = LEAF | <uint32_t>self.history.length
    m.child[1 - side] = self.end
    if self.end & LEAF:
        m.count[1] = bit_at(&self.history, self.end & MAX_POSITION)
        m.count[0] = 1 - m.count[1]
        return
    v = &self.nodes[self.end]
    m.count[0] = v.count[0]
    m.count[1] = v.count[1]
    if v.depth == self.depth:
        return
    chain = v.depth - self.agreed                                # L2
    exponent = chain + <int64_t>SCALE * v.shift                  # R_v 2^L2 = v.ratio 2^exponent
    # Not below 0: ratio reaches 2^256, so that R_v 2^L2 may be far above 1 there, and R_m is 1, not that.
    if exponent < -FAR:                                          # R_m = R_v 2^L2: the other term is negligible
        m.ratio = v.ratio * power_of_two(chain % SCALE)
        m.shift = v.shift + <int32_t>(chain // SCALE)
    else:
        m.ratio = 1.0 / ((1.0 - power_of_two(-min(chain, <int64_t>FAR)))
                         + 1.0 / (v.ratio * power_of_two(min(exponent, <int64_t>FAR))))
    normalise(m)


# ---------------------------------------------------------------------------------------------- the walk

cdef void walk(State *self) noexcept nogil:
    """Find the path of the current context in the tree of the current bit."""
    cdef uint32_t v = percept_index(&self.history)
    cdef uint32_t child
    cdef uint32_t depth = self.depth
    cdef int64_t position = self.history.length
    cdef int64_t other
    cdef const History *history = &self.history
    cdef const Node *nodes = self.nodes
    cdef uint32_t *path = self.path
    cdef uint32_t n = 0
    cdef uint32_t at
    cdef uint32_t base = 0                                       # `context` is the 64 bits before position - base
    cdef uint64_t context = before(history, position)
    self.walked = position
    while True:
        path[n] = v
        n += 1
        at = nodes[v].depth - base
        if not usual(at < 64):
            base += at
            at = 0
            context = before(history, position - base)
        child = nodes[v].child[(context << at) >> 63]
        if child & LEAF:
            other = child & MAX_POSITION
            break
        if child == NONE:                                        # at a root only
            self.path_length = n
            self.end = NONE
            return
        if nodes[child].depth == depth:
            other = nodes[child].child[0]
            break
        v = child
    self.agreed = agreement(history, position, other, depth)
    if self.agreed < depth:
        while nodes[path[n - 1]].depth > self.agreed:
            n -= 1
            child = path[n]
    self.path_length = n
    self.end = child


cdef inline double mix(double b, double n1, double count_x, double p_child) noexcept nogil:
    """p(v) = (p(child) + b pe) / (1 + b) with pe = count_x / n1, where count_x and n1 include the terms of KT."""
    cdef double scale = 1.0 / ((1.0 + b) * n1)
    return p_child * (n1 * scale) + (b * count_x) * scale


cdef inline double mix_node(const Node *v, uint32_t chain, uint32_t x, double p_child) noexcept nogil:
    """p(v) for the next bit x, from p(child)."""
    return mix(odds(v, chain), <double>v.count[0] + v.count[1] + 1.0, v.count[x] + 0.5, p_child)


cdef double probability(State *self, uint32_t x) noexcept nogil:
    """p(root) of the next bit x. Changes nothing but the cached walk and the work counters."""
    cdef Node m
    cdef const Node *nodes = self.nodes
    cdef const Node *v
    cdef const Node *above
    cdef const uint32_t *path = self.path
    cdef uint32_t i, mixed
    cdef double p = 0.5
    if self.walked != self.history.length:
        walk(self)
    i = mixed = self.path_length
    above = &nodes[path[i - 1]]
    if self.end != NONE:
        if self.agreed == self.depth:
            p = leaf_probability(self, self.end, x)
        else:
            branch(self, &m)
            p = mix_node(&m, m.depth - above.depth, x, p)
            mixed += 1
    while i > 1:
        i -= 1
        v = above
        above = &nodes[path[i - 1]]
        p = mix_node(v, v.depth - above.depth, x, p)
    self.bits_worked += 1
    self.nodes_worked += mixed
    return mix_node(above, 1, x, p)                              # the root is alone on its chain


# ---------------------------------------------------------------------------------------------- memory

cdef bint room_to_learn(State *self) noexcept nogil:
    """Make room for one more node, and for undo entries: the path, a node at its end, and the reference to it."""
    return (
        usual(self.used < self.nodes_capacity)
        or self.used == self.most_nodes
        or grow(<void **>&self.nodes, &self.nodes_capacity, sizeof(Node), self.used, self.used + 1, self.most_nodes)
    ) and room_to_undo(&self.log, self.path_length + 2)


cdef inline bint room_for_more(State *self) noexcept nogil:
    """Make room for one more bit of the history."""
    return (
        usual(self.history.length >> 6 < self.most_words - 1)
        and room_for_bit(&self.history)
    )


# ---------------------------------------------------------------------------------------------- learning

cdef inline void note(Undo *undo, uint32_t where, double ratio, uint32_t old) noexcept nogil:
    """Fill an entry of the undo log; without marks there is none."""
    if undo != NULL:
        undo.ratio = ratio
        undo.old = old
        undo.where = where


cdef inline void relink(State *self, uint32_t parent, uint32_t side, uint32_t child) noexcept nogil:
    note(<Undo *>record(&self.log, 1), 4 * parent + LINK + side, 0.0, self.nodes[parent].child[side])
    self.nodes[parent].child[side] = child


cdef double learn_at_the_end(State *self, uint32_t x) noexcept nogil:
    """Learn x below the path, making at most one node. Returns p(x) there, which is p(child) for the path."""
    cdef Node m
    cdef uint32_t last = self.path[self.path_length - 1]
    cdef uint32_t side = bit_at(&self.history, self.history.length - 1 - self.nodes[last].depth)
    cdef uint32_t new = <uint32_t>self.used
    cdef Node *v
    cdef double p
    if self.end == NONE:                                         # a first visit below a root
        relink(self, last, side, LEAF | <uint32_t>self.history.length)
        return 0.5
    if self.used == self.most_nodes and (self.agreed < self.depth or self.end & LEAF):  # no room: nothing is learned
        if self.agreed == self.depth:
            return leaf_probability(self, self.end, x)
        branch(self, &m)
        return mix_node(&m, m.depth - self.nodes[last].depth, x, 0.5)
    if self.agreed < self.depth:                                 # a split; m is learned as part of the path
        branch(self, &self.nodes[new])
        self.used += 1
        relink(self, last, side, new)
        self.path[self.path_length] = new
        self.path_length += 1
        return 0.5
    p = leaf_probability(self, self.end, x)
    if self.end & LEAF:                                          # a second visit: the leaf becomes a node
        v = &self.nodes[new]
        v.ratio = 1.0
        v.shift = 0
        v.depth = self.depth
        v.child[0] = self.end & MAX_POSITION
        v.child[1] = NONE
        v.count[1] = bit_at(&self.history, v.child[0])
        v.count[0] = 1 - v.count[1]
        self.used += 1
        relink(self, last, side, new)
        v.count[x] += 1
    else:
        v = &self.nodes[self.end]
        note(<Undo *>record(&self.log, 1), 4 * self.end + COUNT + x, v.ratio, <uint32_t>v.shift)
        v.count[x] += 1
    return p


cdef double learn(State *self, uint32_t x) noexcept nogil:
    """Learn x in the tree of the current bit. Returns its p(root) before."""
    cdef double p_child, n1, count_x
    cdef double p = learn_at_the_end(self, x)
    cdef Node *nodes = self.nodes
    cdef const uint32_t *path = self.path
    cdef uint32_t i = self.path_length
    cdef Undo *undo = <Undo *>record(&self.log, i)
    cdef Node *v
    cdef Node *above = &nodes[path[i - 1]]
    while i > 0:
        i -= 1
        v = above
        if undo != NULL:
            note(undo, 4 * path[i] + COUNT + x, v.ratio, <uint32_t>v.shift)
            undo += 1
        above = &nodes[path[i - 1]] if i else NULL
        n1 = <double>v.count[0] + v.count[1] + 1.0
        count_x = v.count[x] + 0.5
        p_child = p
        p = mix(odds(v, v.depth - above.depth if i else 1), n1, count_x, p_child)
        v.count[x] += 1
        v.ratio *= count_x / (n1 * p_child)                      # R <- R pe / p(child)
        if not usual(power_of_two(-SCALE // 2) <= v.ratio <= power_of_two(SCALE // 2)):
            normalise(v)
    self.walked = -1
    self.bits_worked += 1
    self.nodes_worked += self.path_length
    return p


cdef void take_back(void *state, const void *entry) noexcept nogil:
    """Undo the change in an entry of the undo log, with the node that was made for it, if any."""
    cdef State *self = <State *>state
    cdef const Undo *undo = <const Undo *>entry
    cdef Node *v = &self.nodes[undo.where >> 2]
    cdef uint32_t side = undo.where & 1
    if undo.where & LINK:
        if not v.child[side] & LEAF:
            self.used -= 1
        v.child[side] = undo.old
    else:
        v.ratio = undo.ratio
        v.shift = <int32_t>undo.old
        v.count[side] -= 1


# ---------------------------------------------------------------------------------------------- the best tree

cdef Best best_leaf(double zeros, double ones) noexcept nogil:
    """A leaf with these counts, without the bit that Gamma may charge for it."""
    cdef Best leaf
    cdef double n = zeros + ones
    leaf.leaves = 1
    leaf.bits = LOG2_PI + LOG2_E * (lgamma(n + 1.0) - lgamma(zeros + 0.5) - lgamma(ones + 0.5))
    leaf.fixed = n * log2(n)
    if zeros:
        leaf.fixed -= zeros * log2(zeros)
    if ones:
        leaf.fixed -= ones * log2(ones)
    leaf.allowance = 0.5 * log2(n) + 1.0
    return leaf


cdef Best best_from(const State *self, const Best *below, uint32_t reference, uint32_t chain) noexcept nogil:
    """The best tree from the top of the chain of L nodes that ends at a reference; the smaller one of equals."""
    cdef Best stop, on
    cdef const Node *v
    cdef uint32_t one
    if reference & LEAF:
        one = bit_at(&self.history, reference & MAX_POSITION)
        stop = best_leaf(1 - one, one)
    else:
        v = &self.nodes[reference]
        stop = best_leaf(v.count[0], v.count[1])
    if reference & LEAF or v.depth == self.depth:
        stop.bits += chain > 1
        stop.allowance += chain > 1
        return stop
    on = below[reference]
    on.bits += chain
    on.allowance += chain
    stop.bits += 1
    stop.allowance += 1
    return stop if stop.bits <= on.bits * (1.0 + EVEN) else on


cdef inline uint32_t chain_above(const State *self, uint32_t reference, uint32_t parent) noexcept nogil:
    return (self.depth if reference & LEAF else self.nodes[reference].depth) - self.nodes[parent].depth


cdef inline void add(Best *sum, Best part) noexcept nogil:
    sum.leaves += part.leaves
    sum.bits += part.bits
    sum.fixed += part.fixed
    sum.allowance += part.allowance


cdef Best best_of_all(const State *self, uint32_t *order, Best *below) noexcept nogil:
    """The best trees of all roots. `order` and `below` have room for every node."""
    cdef int64_t roots = self.history.cycle_bits - self.history.action_bits
    cdef int64_t found = roots
    cdef int64_t i
    cdef uint32_t v, child, side
    cdef Best best
    memset(&best, 0, sizeof(Best))
    memset(below, 0, self.used * sizeof(Best))
    for i in range(roots):
        order[i] = <uint32_t>i
    i = 0
    while i < found:                                             # all inner nodes, parents before their children
        for side in range(2):
            child = self.nodes[order[i]].child[side]
            if child != NONE and not child & LEAF and self.nodes[child].depth < self.depth:
                order[found] = child
                found += 1
        i += 1
    while i > 0:                                                 # from the leaves up
        i -= 1
        v = order[i]
        for side in range(2):
            child = self.nodes[v].child[side]
            if child != NONE:
                add(&below[v], best_from(self, below, child, chain_above(self, child, v)))
        if i < roots and below[v].leaves:                        # a root is alone on its chain
            add(&best, best_from(self, below, v, 1))
    return best


cdef int64_t choose(const State *self, const Best *below, Chosen *found, uint32_t *references) noexcept nogil:
    """Write the nodes of the best trees, parents before their children, and what each refers to. Returns how many.

    `below` is that of `best_of_all`. There is room for twice as many nodes as the trees have leaves.
    """
    cdef int64_t roots = self.history.cycle_bits - self.history.action_bits
    cdef int64_t used = 0
    cdef int64_t i
    cdef uint32_t v, child, side
    for i in range(roots):
        if below[i].leaves:
            references[used] = <uint32_t>i
            found[used].tree = i
            found[used].parent = -1
            found[used].side = 0
            found[used].gamma = 1                                # the length of its chain, for now
            used += 1
    i = 0
    while i < used:
        v = references[i]
        if best_from(self, below, v, <uint32_t>found[i].gamma).leaves > 1:  # it goes on
            if found[i].parent < 0:
                for side in range(2):
                    if self.nodes[v].child[side] == NONE:        # a root that does not branch is part of the chain
                        child = self.nodes[v].child[1 - side]
                        found[i].gamma += chain_above(self, child, v)
                        v = references[i] = child
                        break
            found[i].looks_at = self.nodes[v].depth
            for side in range(2):
                child = self.nodes[v].child[side]
                references[used] = child
                found[used].tree = found[i].tree
                found[used].parent = i
                found[used].side = side
                found[used].gamma = chain_above(self, child, v)
                used += 1
        else:
            found[i].looks_at = -1
            found[i].gamma = (not v & LEAF and self.nodes[v].depth < self.depth) or found[i].gamma > 1
        if v & LEAF:
            found[i].ones = bit_at(&self.history, v & MAX_POSITION)
            found[i].zeros = 1 - found[i].ones
        else:
            found[i].zeros = self.nodes[v].count[0]
            found[i].ones = self.nodes[v].count[1]
        found[i].bits = best_leaf(<double>found[i].zeros, <double>found[i].ones).bits
        i += 1
    return used


# ---------------------------------------------------------------------------------------------- the five operations

cdef double op_predict(void *state, int64_t ignored) noexcept nogil:
    """Return P(next percept bit = 1)."""
    cdef State *self = <State *>state
    if in_action(&self.history):
        return FAILED
    return probability(self, 1)


cdef double op_update(void *state, int64_t bit) noexcept nogil:
    """Learn a percept bit and append it. Returns the probability it had."""
    cdef State *self = <State *>state
    cdef double p
    if in_action(&self.history) or not room_for_more(self):
        return FAILED
    if self.walked != self.history.length:
        walk(self)
    if not room_to_learn(self):
        return FAILED
    p = learn(self, <uint32_t>bit)
    write_bit(&self.history, <uint32_t>bit)
    return p


cdef double op_append(void *state, int64_t bit) noexcept nogil:
    """Append an action bit, or a percept bit that is only context and not learned."""
    cdef State *self = <State *>state
    if not room_for_more(self):
        return FAILED
    write_bit(&self.history, <uint32_t>bit)
    return 0.0


cdef double op_mark(void *state, int64_t ignored) noexcept nogil:
    """Remember this point. Returns its number."""
    cdef State *self = <State *>state
    return set_mark(&self.log, &self.history)


cdef double op_revert(void *state, int64_t number) noexcept nogil:
    """Return to a mark; forget it and all later ones."""
    cdef State *self = <State *>state
    if revert_to(&self.log, &self.history, number, take_back, state) == FAILED:
        return FAILED
    self.walked = -1
    return 0.0


# ---------------------------------------------------------------------------------------------- whole percepts

cdef inline double code_bit(State *self, int64_t code, int64_t left) noexcept nogil:
    """P(next bit = 1) after the bits of `code`, with `left` bits to come; 0 if there is no such code."""
    if ((2 * code + 1) << (left - 1)) >= self.codes:
        return 0.0
    return probability(self, 1)


cdef double op_draw(void *state, int64_t number) noexcept nogil:
    """Return a code for the next percept, drawn with a random number of 53 bits. Nothing is appended."""
    cdef State *self = <State *>state
    cdef History *history = &self.history
    cdef int64_t length = history.length
    cdef int64_t left = history.cycle_bits - history.action_bits
    cdef int64_t code = 0
    cdef double u = number * power_of_two(-53)
    cdef double p
    cdef uint32_t bit
    if history.phase != history.action_bits:
        return FAILED
    while left > 0:
        p = code_bit(self, code, left)
        bit = u < p
        u = u / p if bit else (u - p) / (1.0 - p)
        if not room_for_more(self):
            code = -1
            break
        write_bit(history, bit)
        code = 2 * code + bit
        left -= 1
    history.length = length
    history.phase = history.action_bits
    self.walked = -1
    return <double>code


cdef bint weigh_below(State *self, int64_t code, int64_t left, double p, double *weights) noexcept nogil:
    """Write the weights of the codes that begin with the bits of `code`, whose probability is p, and have `left` more."""
    cdef History *history = &self.history
    cdef int64_t length = history.length
    cdef uint32_t phase = history.phase
    cdef bint done
    cdef double one
    cdef int64_t bit
    if left == 0:
        weights[code] = p
        return True
    done = room_for_more(self)
    one = code_bit(self, code, left)
    for bit in range(2 if one > 0.0 else 1):
        if done:
            write_bit(history, <uint32_t>bit)
            done = weigh_below(self, 2 * code + bit, left - 1, p * (one if bit else 1.0 - one), weights)
            history.length = length
            history.phase = phase
            self.walked = -1                                     # another bit may come to stand there
    return done


cdef double op_weigh(void *state, int64_t address) noexcept nogil:
    """Write the probability with which `op_draw` draws each code to the doubles at an address. Nothing is appended."""
    cdef State *self = <State *>state
    cdef History *history = &self.history
    if history.phase != history.action_bits:
        return FAILED
    if not weigh_below(self, 0, history.cycle_bits - history.action_bits, 1.0, <double *><uintptr_t>address):
        return FAILED
    return 0.0


# ---------------------------------------------------------------------------------------------- what was kept

cdef inline bint is_visit(const State *self, uint32_t position) noexcept nogil:
    """Whether a position is that of a percept bit of the history."""
    return self.history.origin <= position < self.history.length


cdef bint is_sound(const State *self, uint8_t *seen) noexcept nogil:
    """Whether nodes that come from elsewhere are trees over the history, so that no walk leaves them.

    `seen` has a zero for each node.
    """
    cdef int64_t roots = self.history.cycle_bits - self.history.action_bits
    cdef int64_t i
    cdef uint32_t side, child
    cdef const Node *v
    for i in range(self.used):
        v = &self.nodes[i]
        if v.depth > self.depth or (i < roots) != (v.depth == 0):
            return False
        if v.depth == self.depth:                                # a leaf
            if v.child[1] != NONE or not is_visit(self, v.child[0]):
                return False
            continue
        if not (isfinite(v.ratio) and power_of_two(-SCALE // 2) <= v.ratio <= power_of_two(SCALE // 2)):
            return False
        for side in range(2):
            child = v.child[side]
            if child & LEAF:
                if not is_visit(self, child & MAX_POSITION):
                    return False
            elif child == NONE:
                if i >= roots:
                    return False
            elif child < roots or child >= self.used or seen[child] or self.nodes[child].depth <= v.depth:
                return False
            else:
                seen[child] = 1
    for i in range(roots, self.used):
        if not seen[i]:
            return False
    return True


def restored_kernel(kept):
    """Return a kernel in the state that `ContextTreeKernel.keep` has returned."""
    kernel = ContextTreeKernel(kept["depth"], kept["action_bits"], kept["percept_bits"])
    if kept["most_nodes"] < MAX_NODES and not kernel.bound(kept["most_nodes"], kept["most_words"]):
        raise MemoryError("no memory for the bound of the memory")
    kernel.restore(kept)
    return kernel


# ---------------------------------------------------------------------------------------------- the class

cdef class ContextTreeKernel:
    """Owns a State. `aixi_approx.predictors.context_tree` is its public interface."""

    cdef State state

    def __cinit__(self, int64_t depth, int64_t action_bits, int64_t percept_bits):
        cdef State *state = &self.state
        cdef int64_t i
        memset(state, 0, sizeof(State))
        state.depth = <uint32_t>depth
        init_undo(&state.log, sizeof(Undo))
        state.walked = -1
        state.path = <uint32_t *>calloc(depth + 2, sizeof(uint32_t))
        if (state.path == NULL
                or not init_history(&state.history, depth, action_bits, percept_bits)
                or not grow(<void **>&state.nodes, &state.nodes_capacity, sizeof(Node), 0, percept_bits, MAX_NODES)):
            raise MemoryError("no memory for a context tree of this depth")
        memset(state.nodes, 0, percept_bits * sizeof(Node))
        for i in range(percept_bits):
            state.nodes[i].ratio = 1.0
        state.used = percept_bits
        state.codes = <int64_t>1 << min(percept_bits, 62)
        state.most_nodes = MAX_NODES
        state.most_words = (MAX_POSITION >> 6) + 2

    def __dealloc__(self):
        free_history(&self.state.history)
        free_undo(&self.state.log)
        free(self.state.nodes)
        free(self.state.path)

    @property
    def length(self):
        """Number of bits in the history."""
        return self.state.history.length - self.state.history.origin

    @property
    def nodes(self):
        """Number of stored nodes in all trees."""
        return self.state.used

    @property
    def memory(self):
        """Bytes in use by the nodes and the history."""
        return self.state.used * sizeof(Node) + self.state.history.length // 8

    @property
    def work(self):
        """Bits predicted or learned, and nodes at which two predictions were mixed for them."""
        return self.state.bits_worked, self.state.nodes_worked

    @property
    def addresses(self):
        """Addresses of the operations predict, update, append, mark and revert, and of the state."""
        return (<uintptr_t>&op_predict, <uintptr_t>&op_update, <uintptr_t>&op_append,
                <uintptr_t>&op_mark, <uintptr_t>&op_revert, <uintptr_t>&self.state)

    @property
    def drawing(self):
        """Addresses of the operations draw, append, mark, revert, of the state, and of the operation weigh."""
        return (<uintptr_t>&op_draw, <uintptr_t>&op_append, <uintptr_t>&op_mark, <uintptr_t>&op_revert,
                <uintptr_t>&self.state, <uintptr_t>&op_weigh)

    @property
    def codes(self):
        """Number of codes that a percept can have when it is drawn as a whole."""
        return self.state.codes

    @codes.setter
    def codes(self, int64_t codes):
        self.state.codes = codes

    @property
    def in_action(self):
        """Whether the next bit is an action bit."""
        return in_action(&self.state.history)

    @property
    def room(self):
        """Number of further bits that the history can hold."""
        return min(<int64_t>MAX_POSITION + 1, (self.state.most_words - 1) << 6) - self.state.history.length

    @property
    def full(self):
        """Whether the trees have stopped growing."""
        return self.state.used == self.state.most_nodes

    @property
    def marked(self):
        """Whether there are marks."""
        return self.state.log.marks_used > 0

    def bound(self, int64_t nodes, int64_t words):
        """Let the trees have at most so many nodes of 32 bytes, and the history so many words of 8 bytes.

        The address space is taken at once, so that nothing is copied when they grow. Returns whether the bounds are
        enough for what is there, and the address space for them.
        """
        cdef State *state = &self.state
        cdef History *history = &state.history
        if nodes < state.used or words < (history.length >> 6) + 2:
            return False
        state.most_nodes = min(nodes, <int64_t>MAX_NODES)
        state.most_words = min(words, <int64_t>(MAX_POSITION >> 6) + 2)
        return grow(
            <void **>&state.nodes, &state.nodes_capacity, sizeof(Node), state.used, state.most_nodes, state.most_nodes
        ) and grow(
            <void **>&history.words, &history.capacity, 8, history.capacity, state.most_words, state.most_words)

    def predict(self):
        return op_predict(&self.state, 0)

    def update(self, int64_t bit):
        return op_update(&self.state, bit)

    def append(self, int64_t bit):
        return op_append(&self.state, bit)

    def draw(self, int64_t number):
        return op_draw(&self.state, number)

    def weigh(self, double[::1] weights):
        """Write the probability of each code; `weights` has a place for each."""
        if weights.shape[0] != self.state.codes:
            return FAILED
        return op_weigh(&self.state, <int64_t><uintptr_t>&weights[0])

    def mark(self):
        return op_mark(&self.state, 0)

    def revert(self, int64_t mark):
        return op_revert(&self.state, mark)

    def learn(self, const uint8_t[::1] bits):
        """Append the action bits and learn the percept bits. Returns (code length in bits, bits consumed)."""
        cdef State *state = &self.state
        cdef int64_t i = 0
        cdef int64_t n = bits.shape[0]
        cdef double product = 1.0
        cdef double code_length = 0.0
        cdef double p
        while i < n:
            if in_action(&state.history):
                if op_append(state, bits[i]) == FAILED:
                    break
            else:
                p = op_update(state, bits[i])
                if p == FAILED:
                    break
                product *= p
                if product < power_of_two(-SCALE):
                    code_length -= log2(product)
                    product = 1.0
            i += 1
        return code_length - log2(product), i

    def snapshot(self):
        """Everything that determines the predictions, as bytes: equal states have equal snapshots."""
        cdef const History *history = &self.state.history
        cdef int64_t i
        bits = bytes([bit_at(history, i) for i in range(history.origin, history.length)])
        nodes = (<const char *>self.state.nodes)[:self.state.used * sizeof(Node)]
        return b"%d %d " % (history.phase, self.state.used) + nodes + bits

    def limit(self, most_memory):
        """Take at most so many bytes: a part of them for the history, the others for nodes; ValueError if too few."""
        cdef State *state = &self.state
        cdef int64_t most = max(0, min(most_memory, <int64_t>1 << 48)) // HISTORY_SHARE
        cdef int64_t nodes = most * (HISTORY_SHARE - 1) // <int64_t>sizeof(Node)
        if nodes < state.used or most // 8 < (state.history.length >> 6) + 2:
            raise ValueError(
                f"{most_memory} bytes are too few for context trees of depth {state.depth} with {state.used} nodes")
        if not self.bound(nodes, most // 8):
            raise MemoryError(f"no memory for context trees of {most_memory} bytes")

    def keep(self):
        """Return the whole state, as numbers and arrays. The arrays are views, true until something is changed.

        Work is no part of a state: an agent that went on from a copy has done less of it, and is the same agent.
        """
        cdef const State *state = &self.state
        cdef const History *history = &state.history
        cdef int64_t words = (history.length + 63) >> 6
        if state.log.marks_used:
            raise ValueError("what is marked can't be kept: wait until the evaluation or the search has ended")
        if history.length & 63:                                  # bits to come, which a search may have written
            history.words[history.length >> 6] &= (<uint64_t>1 << (history.length & 63)) - 1
        return {
            "depth": state.depth,
            "action_bits": history.action_bits,
            "percept_bits": history.cycle_bits - history.action_bits,
            "length": history.length,
            "phase": history.phase,
            "codes": state.codes,
            "most_nodes": state.most_nodes,
            "most_words": state.most_words,
            "nodes": memoryview(<uint8_t[:state.used * sizeof(Node)]><uint8_t *>state.nodes),
            "words": memoryview(<uint8_t[:words * 8]><uint8_t *>history.words),
        }

    def restore(self, kept):
        """Take on the state that `keep` has returned, but for the bounds; ValueError if it is that of another kernel.

        Nothing is changed then.
        """
        cdef State *state = &self.state
        cdef History *history = &state.history
        cdef const uint8_t[::1] nodes = kept["nodes"]
        cdef const uint8_t[::1] words = kept["words"]
        cdef int64_t length = kept["length"]
        cdef int64_t used = nodes.shape[0] // sizeof(Node)
        cdef int64_t roots = history.cycle_bits - history.action_bits
        cdef int64_t codes = kept["codes"]
        cdef ContextTreeKernel other = ContextTreeKernel(state.depth, history.action_bits, roots)
        cdef State *its = &other.state
        cdef uint8_t *seen
        cdef bint sound
        if (kept["depth"], kept["action_bits"], kept["percept_bits"]) != (state.depth, history.action_bits, roots):
            raise ValueError(
                f"a context tree of depth {kept['depth']} for cycles of {kept['action_bits']} + "
                f"{kept['percept_bits']} bits is not one of depth {state.depth} for {history.action_bits} + {roots}")
        if not (its.history.origin <= length <= <int64_t>MAX_POSITION + 1 and words.shape[0] == ((length + 63) >> 6) * 8
                and roots <= used <= MAX_NODES and nodes.shape[0] == used * <int64_t>sizeof(Node)
                and kept["phase"] == (length - its.history.origin) % history.cycle_bits
                and 1 <= codes):
            raise ValueError("its sizes do not belong together")
        if used > state.most_nodes or (length >> 6) + 2 > state.most_words:
            raise ValueError("it takes more memory than the bound of this one allows: give more")
        if state.log.marks_used:
            raise ValueError("what is marked can't become another: wait until the evaluation or the search has ended")
        if (not grow(<void **>&its.nodes, &its.nodes_capacity, sizeof(Node), 0, used, MAX_NODES)
                or not grow(<void **>&its.history.words, &its.history.capacity, 8, 0, (length >> 6) + 2,
                            (MAX_POSITION >> 6) + 2)):
            raise MemoryError(f"no memory for a context tree of {used} nodes")
        memcpy(its.nodes, &nodes[0], nodes.shape[0])
        memset(its.history.words, 0, its.history.capacity * 8)
        memcpy(its.history.words, &words[0], words.shape[0])
        its.history.length = length
        its.history.phase = kept["phase"]
        its.used = used
        seen = <uint8_t *>calloc(used, 1)
        if seen == NULL:
            raise MemoryError(f"no memory for a context tree of {used} nodes")
        with nogil:
            sound = is_sound(its, seen)
        free(seen)
        if not sound:
            raise ValueError("its nodes are no context tree")
        its.codes = codes
        if state.most_nodes < MAX_NODES and not other.bound(state.most_nodes, state.most_words):
            raise MemoryError("no memory for the bound of the memory")
        state[0], its[0] = its[0], state[0]

    def __reduce__(self):
        kept = self.keep()
        kept["nodes"], kept["words"] = bytes(kept["nodes"]), bytes(kept["words"])
        return restored_kernel, (kept,)

    def __copy__(self):
        return self.copy()

    def copy(self):
        """Return another kernel in the same state, without the marks."""
        cdef const State *state = &self.state
        cdef const History *history = &state.history
        cdef ContextTreeKernel other = ContextTreeKernel(
            state.depth, history.action_bits, history.cycle_bits - history.action_bits)
        cdef State *its = &other.state
        if (not copy_history(&its.history, history)
                or not grow(<void **>&its.nodes, &its.nodes_capacity, sizeof(Node), its.used, state.used, MAX_NODES)):
            raise MemoryError("no memory for a copy of the context tree")
        memcpy(its.nodes, state.nodes, state.used * sizeof(Node))
        its.used = state.used
        its.codes = state.codes
        if state.most_nodes < MAX_NODES and not other.bound(state.most_nodes, state.most_words):
            raise MemoryError("no memory for a copy of the context tree")
        return other

    def best_tree(self):
        """Return (leaves, bits, fixed, allowance) of the best trees in hindsight."""
        cdef State *state = &self.state
        cdef uint32_t *order = <uint32_t *>aligned_memory(state.used * sizeof(uint32_t))
        cdef Best *below = <Best *>aligned_memory(state.used * sizeof(Best))
        cdef Best best
        try:
            if order == NULL or below == NULL:
                raise MemoryError("no memory to look for the best tree")
            best = best_of_all(state, order, below)
            return best.leaves, best.bits, best.fixed, best.allowance
        finally:
            free(order)
            free(below)

    def best_nodes(self):
        """Return the nodes of the best trees as bytes: an array of `Chosen`."""
        cdef State *state = &self.state
        cdef uint32_t *order = <uint32_t *>aligned_memory(state.used * sizeof(uint32_t))
        cdef Best *below = <Best *>aligned_memory(state.used * sizeof(Best))
        cdef uint32_t *references = NULL
        cdef Chosen *found = NULL
        cdef int64_t room
        try:
            if order == NULL or below == NULL:
                raise MemoryError("no memory to look for the best tree")
            room = 2 * best_of_all(state, order, below).leaves + 1
            references = <uint32_t *>aligned_memory(room * sizeof(uint32_t))
            found = <Chosen *>aligned_memory(room * sizeof(Chosen))
            if references == NULL or found == NULL:
                raise MemoryError("no memory for the nodes of the best tree")
            return (<const char *>found)[:choose(state, below, found, references) * sizeof(Chosen)]
        finally:
            free(order)
            free(below)
            free(references)
            free(found)

    def history(self):
        """Return the bits of the history as bytes."""
        cdef const History *history = &self.state.history
        cdef bytearray bits = bytearray(history.length - history.origin)
        cdef uint8_t[::1] written = bits
        cdef int64_t i
        for i in range(written.shape[0]):
            written[i] = bit_at(history, history.origin + i)
        return bits

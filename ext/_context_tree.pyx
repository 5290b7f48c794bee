# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Exact context-tree weighting at a cost that depends on the branching nodes of a path, not on the depth.

Context-tree weighting (CTW; Willems, Shtarkov, Tjalkens 1995) is the Bayesian mixture over all binary
context trees of depth at most D, the environment model of MC-AIXI (Veness, Ng, Hutter, Uther,
Silver, JAIR 2011, section 5). A node s of the full tree holds

    Pe(s)   KT probability of the bits seen in context s
    Pw(s) = Pe(s)                               at depth D
    Pw(s) = 1/2 Pe(s) + 1/2 Pw(0s) Pw(1s)       above it

Nearly all nodes lie on unary chains: all their visits went on to the same child, so every node of a chain
has the same counts. Only the last node v of a chain of L is stored. With Pc(v) = Pw(0v) Pw(1v)

    Pw(top of the chain) = (1 - 2^-L) Pe(v) + 2^-L Pc(v)

Keep R = Pe/Pc at v and let b = (2^L - 1) R be the odds of stopping on the chain against going on below it.
The probability of the next bit x is then, from the leaf up to the root,

    p(leaf) = pe(leaf)        p(v) = (p(child) + b pe(v)) / (1 + b)        pe = (count_x + 1/2) / (n + 1)

and learning x is R <- R pe(v)/p(child), count_x <- count_x + 1. A context that leaves a chain of L = L1 + L2
after L1 nodes splits it there into m (L1 nodes) and v (L2 nodes), with the counts of v and

    1/R_m = (1 - 2^-L2) + 2^-L2 / R_v           R_m = 1 if v is a leaf

R leaves the range of a double on long histories, so it is stored as ratio * 2^(512 shift) with ratio in
[2^-256, 2^256]: on no history does it under- or overflow, and a probability is right to the rounding of doubles.

Chains carry no labels. A walk follows the branching bits only, and then compares the context with the one
found at the bottom, 64 bits at a time: the first difference is where the walk really left the tree (as in
a Patricia trie; Morrison 1968). A leaf that was visited once is not stored either: its parent refers to the
position of the visit in the history, and the bit there is its one count.

Three tiers: the struct `State`, the free functions on it (the five verbs that all predictors share come
last), the thin class `ContextTreeKernel` that owns one State. Functions that fail write nothing
and return FAILED.
"""

from libc.math cimport log2
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

cdef extern from *:
    """
    #include <stdlib.h>
    #include <stdint.h>
    #ifdef __linux__
    #include <sys/mman.h>
    #endif

    #define leading_zeros(word) ((uint32_t) __builtin_clzll(word))
    #define usual(condition) __builtin_expect(!!(condition), 1)

    /* 2^e for -1022 <= e <= 1023. */
    static inline double power_of_two(int64_t e) {
        union { uint64_t bits; double value; } u;
        u.bits = (uint64_t)(e + 1023) << 52;
        return u.value;
    }

    /* Memory whose pages and cache lines hold whole nodes; large pages where the system has them,
       because the tree is walked at random and misses of the TLB cost as much as those of the cache. */
    static void *aligned_memory(size_t bytes) {
        void *memory = NULL;
        size_t alignment = bytes >= ((size_t)1 << 22) ? (size_t)1 << 21 : 64;
        if (posix_memalign(&memory, alignment, bytes)) return NULL;
    #ifdef MADV_HUGEPAGE
        if (alignment > 64) madvise(memory, bytes, MADV_HUGEPAGE);
    #endif
        return memory;
    }
    """
    uint32_t leading_zeros(uint64_t word) noexcept nogil
    bint usual(bint condition) noexcept nogil
    double power_of_two(int64_t e) noexcept nogil
    void *aligned_memory(size_t bytes) noexcept nogil

cdef enum:
    NONE = 0                    # no child; node 0 is a root and nobody's child
    LEAF = 0x80000000           # flag of a reference: a leaf visited once, at the history position in the low bits
    MAX_POSITION = 0x7fffffff   # of a bit in the history
    MAX_NODES = 0x3fffffff      # an undo entry keeps two flags beside a node's index
    MAX_UNDOS = 0x7fffffff
    SCALE = 512                 # one step of `shift` is a factor 2^SCALE
    FAR = 600                   # 2^FAR and 2^-FAR: odds beyond these are certainty in a double

cdef enum:                      # kinds of undo entries: + 0 or 1 for the side
    COUNT = 0                   # count[side] went up by one, ratio and shift are the old ones
    LINK = 2                    # child[side] was `old`

cdef double FAILED = -1.0

cdef struct Node:               # 32 bytes, two to a cache line
    double ratio                # R = Pe/Pc = ratio * 2^(512 shift); unused in a leaf
    int32_t shift
    uint32_t depth              # of the node; the chain above it ends at its parent's depth
    uint32_t child[2]           # a node, LEAF | position, or NONE; in a leaf child[0] = a position where it was visited
    uint32_t count[2]           # zeros and ones seen here

cdef struct Undo:               # 16 bytes
    double ratio
    uint32_t old                # shift (COUNT) or child (LINK)
    uint32_t where              # 4 * node + kind + side

cdef struct Mark:
    int64_t length
    int64_t undos
    uint32_t phase

cdef struct State:
    uint32_t depth              # D, bits
    uint32_t action_bits        # of one cycle, context only
    uint32_t cycle_bits         # action_bits + percept_bits; one tree for each percept bit
    uint32_t phase              # 0 <= phase < cycle_bits, of the next bit

    uint64_t *history           # bits, the first in the lowest bit of a word
    int64_t origin              # position of the first real bit; before it the history reads as zeros
    int64_t length              # position of the next bit
    int64_t words               # of 64 bits that are allocated

    Node *nodes                 # the first percept_bits are the roots
    int64_t used
    int64_t nodes_capacity

    Undo *undos                 # written while there are marks
    int64_t undos_used
    int64_t undos_capacity
    Mark *marks
    int64_t marks_used
    int64_t marks_capacity

    uint32_t *path              # explicit inner nodes from the root down, of the last walk
    uint32_t path_length
    uint32_t end                # the reference below the path
    uint32_t agreed             # bits of context that agree with `end`: depth D, or where the walk leaves the chain
    int64_t walked              # position that the walk was for, or -1


# ---------------------------------------------------------------------------------------------- history

cdef inline uint32_t bit_at(const uint64_t *history, int64_t position) noexcept nogil:
    return (history[position >> 6] >> (position & 63)) & 1


cdef inline uint64_t before(const uint64_t *history, int64_t position) noexcept nogil:
    """The 64 bits before a position, the most recent in the highest bit."""
    cdef int64_t first = position - 64
    cdef int64_t word = first >> 6
    cdef int64_t offset = first & 63
    return (history[word] >> offset) | ((history[word + 1] << 1) << (63 - offset))


cdef inline uint32_t agreement(const uint64_t *history, int64_t position, int64_t other, uint32_t depth) noexcept nogil:
    """How many bits before the two positions agree, at most `depth`."""
    cdef uint32_t agreed = 0
    cdef uint64_t difference
    while agreed < depth:
        difference = before(history, position - agreed) ^ before(history, other - agreed)
        if difference:
            return min(depth, agreed + leading_zeros(difference))
        agreed += 64
    return depth


cdef inline void write_bit(State *self, uint32_t bit) noexcept nogil:
    cdef uint64_t *word = &self.history[self.length >> 6]
    cdef int64_t offset = self.length & 63
    word[0] = (word[0] & ~(<uint64_t>1 << offset)) | (<uint64_t>bit << offset)
    self.length += 1
    self.phase += 1
    if self.phase == self.cycle_bits:
        self.phase = 0


# ---------------------------------------------------------------------------------------------- formulas

cdef inline double odds(const Node *v, uint32_t chain) noexcept nogil:
    """b = (2^L - 1) R for the chain of L nodes that ends with v.

    Beyond 2^256 the 1 is less than the rounding; beyond 2^+-FAR, so is all that b / (1 + b) differs from 1 or 0.
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
        return 0.75 if bit_at(self.history, leaf & MAX_POSITION) == x else 0.25
    v = &self.nodes[leaf]
    return (v.count[x] + 0.5) / (<double>v.count[0] + v.count[1] + 1.0)


cdef void branch(const State *self, Node *m) noexcept nogil:
    """Make the node m that would split the chain above `end` where the last walk left it.

    Its child on the side of the walk is a new leaf with Pw = 1; on the other side the rest of the chain.
    """
    cdef const Node *v
    cdef int64_t chain, exponent
    cdef uint32_t side = bit_at(self.history, self.length - 1 - self.agreed)
    m.depth = self.agreed
    m.ratio = 1.0
    m.shift = 0
    m.child[side] = LEAF | <uint32_t>self.length
    m.child[1 - side] = self.end
    if self.end & LEAF:
        m.count[1] = bit_at(self.history, self.end & MAX_POSITION)
        m.count[0] = 1 - m.count[1]
        return
    v = &self.nodes[self.end]
    m.count[0] = v.count[0]
    m.count[1] = v.count[1]
    if v.depth == self.depth:
        return
    chain = v.depth - self.agreed                                # L2
    exponent = chain + <int64_t>SCALE * v.shift                  # R_v 2^L2 = v.ratio 2^exponent
    if exponent < -FAR:                                          # R_m = R_v 2^L2: the other term is nothing beside it
        m.ratio = v.ratio * power_of_two(chain % SCALE)
        m.shift = v.shift + <int32_t>(chain // SCALE)
    else:
        m.ratio = 1.0 / ((1.0 - power_of_two(-min(chain, <int64_t>FAR)))
                         + 1.0 / (v.ratio * power_of_two(min(exponent, <int64_t>FAR))))
    normalise(m)


# ---------------------------------------------------------------------------------------------- the walk

cdef void walk(State *self) noexcept nogil:
    """Find the path of the current context in the tree of the current bit."""
    cdef uint32_t v = self.phase - self.action_bits
    cdef uint32_t child
    cdef uint32_t depth = self.depth
    cdef int64_t position = self.length
    cdef int64_t other
    cdef const uint64_t *history = self.history
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
    """p(v) = (p(child) + b pe) / (1 + b) with pe = count_x / n1, where the halves of KT are in count_x and n1."""
    cdef double scale = 1.0 / ((1.0 + b) * n1)
    return p_child * (n1 * scale) + (b * count_x) * scale


cdef inline double mix_node(const Node *v, uint32_t chain, uint32_t x, double p_child) noexcept nogil:
    """p(v) for the next bit x, from p(child)."""
    return mix(odds(v, chain), <double>v.count[0] + v.count[1] + 1.0, v.count[x] + 0.5, p_child)


cdef double probability(State *self, uint32_t x) noexcept nogil:
    """p(root) of the next bit x. Changes nothing but the remembered walk."""
    cdef Node m
    cdef const Node *nodes = self.nodes
    cdef const Node *v
    cdef const Node *above
    cdef const uint32_t *path = self.path
    cdef uint32_t i
    cdef double p = 0.5
    if self.walked != self.length:
        walk(self)
    i = self.path_length
    above = &nodes[path[i - 1]]
    if self.end != NONE:
        if self.agreed == self.depth:
            p = leaf_probability(self, self.end, x)
        else:
            branch(self, &m)
            p = mix_node(&m, m.depth - above.depth, x, p)
    while i > 1:
        i -= 1
        v = above
        above = &nodes[path[i - 1]]
        p = mix_node(v, v.depth - above.depth, x, p)
    return mix_node(above, 1, x, p)                              # the root is alone on its chain


# ---------------------------------------------------------------------------------------------- memory

cdef bint grow(void **memory, int64_t *capacity, int64_t size, int64_t used, int64_t wanted, int64_t limit) noexcept nogil:
    """Make room for `wanted` items of `size` bytes in place of the `used` ones that are there; at most `limit`."""
    cdef void *larger
    if wanted <= capacity[0]:
        return True
    if wanted > limit:
        return False
    wanted = min(limit, wanted + wanted // 2 + 64)
    larger = aligned_memory(wanted * size)
    if larger == NULL:
        return False
    if memory[0] != NULL:
        memcpy(larger, memory[0], used * size)
        free(memory[0])
    memory[0] = larger
    capacity[0] = wanted
    return True


cdef bint room_for_bit(State *self) noexcept nogil:
    """One more bit in the history, and the word of the bit after it, which `before` reads."""
    cdef int64_t wanted = ((self.length + 1) >> 6) + 1
    return self.length <= MAX_POSITION and (
        usual(wanted <= self.words)
        or grow(<void **>&self.history, &self.words, 8, self.words, wanted, (MAX_POSITION >> 6) + 2))


cdef bint room_to_learn(State *self) noexcept nogil:
    """One more node; undo entries for the path, a node at its end and the reference to that."""
    cdef int64_t wanted = self.undos_used + self.path_length + 2
    return (
        usual(self.used < self.nodes_capacity)
        or grow(<void **>&self.nodes, &self.nodes_capacity, sizeof(Node), self.used, self.used + 1, MAX_NODES)
    ) and (
        self.marks_used == 0
        or usual(wanted <= self.undos_capacity)
        or grow(<void **>&self.undos, &self.undos_capacity, sizeof(Undo), self.undos_used, wanted, MAX_UNDOS))


# ---------------------------------------------------------------------------------------------- learning

cdef inline void record(State *self, uint32_t where, double ratio, uint32_t old) noexcept nogil:
    """Write an entry of the undo log, if there are marks to go back to."""
    cdef Undo *undo = &self.undos[self.undos_used]
    if self.marks_used:
        undo.ratio = ratio
        undo.old = old
        undo.where = where
        self.undos_used += 1


cdef inline void relink(State *self, uint32_t parent, uint32_t side, uint32_t child) noexcept nogil:
    record(self, 4 * parent + LINK + side, 0.0, self.nodes[parent].child[side])
    self.nodes[parent].child[side] = child


cdef double learn_at_the_end(State *self, uint32_t x) noexcept nogil:
    """Learn x below the path, making at most one node. Returns p(x) there, which is p(child) for the path."""
    cdef uint32_t last = self.path[self.path_length - 1]
    cdef uint32_t side = bit_at(self.history, self.length - 1 - self.nodes[last].depth)
    cdef uint32_t new = <uint32_t>self.used
    cdef Node *v
    cdef double p
    if self.end == NONE:                                         # a first visit below a root
        relink(self, last, side, LEAF | <uint32_t>self.length)
        return 0.5
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
        v.count[1] = bit_at(self.history, v.child[0])
        v.count[0] = 1 - v.count[1]
        self.used += 1
        relink(self, last, side, new)
        v.count[x] += 1
    else:
        v = &self.nodes[self.end]
        record(self, 4 * self.end + COUNT + x, v.ratio, <uint32_t>v.shift)
        v.count[x] += 1
    return p


cdef double learn(State *self, uint32_t x) noexcept nogil:
    """Learn x in the tree of the current bit. Returns p(root) of x before."""
    cdef double p_child, n1, count_x
    cdef double p = learn_at_the_end(self, x)
    cdef Node *nodes = self.nodes
    cdef const uint32_t *path = self.path
    cdef Undo *undo = &self.undos[self.undos_used]
    cdef bint marked = self.marks_used > 0
    cdef uint32_t i = self.path_length
    cdef Node *v
    cdef Node *above = &nodes[path[i - 1]]
    if marked:
        self.undos_used += i
    while i > 0:
        i -= 1
        v = above
        if marked:
            undo.ratio = v.ratio
            undo.old = <uint32_t>v.shift
            undo.where = 4 * path[i] + COUNT + x
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
    return p


cdef void undo_to(State *self, int64_t undos) noexcept nogil:
    """Take back the entries of the undo log from the last one on, each with the node it made if it made one."""
    cdef Node *nodes = self.nodes
    cdef const Undo *first = &self.undos[undos]
    cdef const Undo *undo = &self.undos[self.undos_used]
    cdef Node *v
    cdef uint32_t side
    while undo > first:
        undo -= 1
        v = &nodes[undo.where >> 2]
        side = undo.where & 1
        if undo.where & LINK:
            if not v.child[side] & LEAF:
                self.used -= 1
            v.child[side] = undo.old
        else:
            v.ratio = undo.ratio
            v.shift = <int32_t>undo.old
            v.count[side] -= 1
    self.undos_used = undos


# ---------------------------------------------------------------------------------------------- the five verbs

cdef double verb_predict(void *state, int64_t ignored) noexcept nogil:
    """P(next percept bit = 1)."""
    cdef State *self = <State *>state
    if self.phase < self.action_bits:
        return FAILED
    return probability(self, 1)


cdef double verb_update(void *state, int64_t bit) noexcept nogil:
    """Learn a percept bit and append it. Returns the probability it had."""
    cdef State *self = <State *>state
    cdef double p
    if self.phase < self.action_bits or not room_for_bit(self):
        return FAILED
    if self.walked != self.length:
        walk(self)
    if not room_to_learn(self):
        return FAILED
    p = learn(self, <uint32_t>bit)
    write_bit(self, <uint32_t>bit)
    return p


cdef double verb_append(void *state, int64_t bit) noexcept nogil:
    """Append an action bit, or a percept bit that is not to be learned: context only."""
    cdef State *self = <State *>state
    if not room_for_bit(self):
        return FAILED
    write_bit(self, <uint32_t>bit)
    return 0.0


cdef double verb_mark(void *state, int64_t ignored) noexcept nogil:
    """Remember this point; returns its number."""
    cdef State *self = <State *>state
    cdef Mark *mark
    if not grow(<void **>&self.marks, &self.marks_capacity, sizeof(Mark), self.marks_used, self.marks_used + 1, MAX_UNDOS):
        return FAILED
    mark = &self.marks[self.marks_used]
    mark.length = self.length
    mark.undos = self.undos_used
    mark.phase = self.phase
    self.marks_used += 1
    return <double>(self.marks_used - 1)


cdef double verb_revert(void *state, int64_t number) noexcept nogil:
    """Go back to a mark and forget it, and all marks after it."""
    cdef State *self = <State *>state
    if number < 0 or number >= self.marks_used:
        return FAILED
    undo_to(self, self.marks[number].undos)
    self.length = self.marks[number].length
    self.phase = self.marks[number].phase
    self.marks_used = number
    self.walked = -1
    return 0.0


# ---------------------------------------------------------------------------------------------- the class

cdef class ContextTreeKernel:
    """Owns one State. `aixi_approx.context_tree` is its documented face."""

    cdef State state

    def __cinit__(self, int64_t depth, int64_t action_bits, int64_t percept_bits):
        cdef State *state = &self.state
        cdef int64_t padding = (depth // 64 + 2) * 64
        cdef int64_t i
        memset(state, 0, sizeof(State))
        state.depth = <uint32_t>depth
        state.action_bits = <uint32_t>action_bits
        state.cycle_bits = <uint32_t>(action_bits + percept_bits)
        state.origin = state.length = padding
        state.walked = -1
        state.path = <uint32_t *>calloc(depth + 2, sizeof(uint32_t))
        if (state.path == NULL
                or not room_for_bit(state)
                or not grow(<void **>&state.nodes, &state.nodes_capacity, sizeof(Node), 0, percept_bits, MAX_NODES)):
            raise MemoryError("no memory for a context tree of this depth")
        memset(state.history, 0, state.words * 8)
        memset(state.nodes, 0, percept_bits * sizeof(Node))
        for i in range(percept_bits):
            state.nodes[i].ratio = 1.0
        state.used = percept_bits

    def __dealloc__(self):
        free(self.state.history)
        free(self.state.nodes)
        free(self.state.undos)
        free(self.state.marks)
        free(self.state.path)

    @property
    def length(self):
        """Bits in the history."""
        return self.state.length - self.state.origin

    @property
    def nodes(self):
        """Stored nodes of all trees."""
        return self.state.used

    @property
    def memory(self):
        """Bytes in use by the nodes and the history."""
        return self.state.used * sizeof(Node) + self.state.length // 8

    @property
    def addresses(self):
        """Of the verbs predict, update, append, mark, revert, and of the state."""
        return (<uintptr_t>&verb_predict, <uintptr_t>&verb_update, <uintptr_t>&verb_append,
                <uintptr_t>&verb_mark, <uintptr_t>&verb_revert, <uintptr_t>&self.state)

    @property
    def in_action(self):
        """Whether the next bit is an action bit."""
        return self.state.phase < self.state.action_bits

    @property
    def room(self):
        """How many more bits the history can hold."""
        return <int64_t>MAX_POSITION + 1 - self.state.length

    def predict(self):
        return verb_predict(&self.state, 0)

    def update(self, int64_t bit):
        return verb_update(&self.state, bit)

    def append(self, int64_t bit):
        return verb_append(&self.state, bit)

    def mark(self):
        return verb_mark(&self.state, 0)

    def revert(self, int64_t mark):
        return verb_revert(&self.state, mark)

    def learn(self, const uint8_t[::1] bits):
        """Append the action bits, learn the percept bits. Returns (code length in bits, bits taken)."""
        cdef State *state = &self.state
        cdef int64_t i = 0
        cdef int64_t n = bits.shape[0]
        cdef double product = 1.0
        cdef double code_length = 0.0
        cdef double p
        while i < n:
            if state.phase < state.action_bits:
                if verb_append(state, bits[i]) == FAILED:
                    break
            else:
                p = verb_update(state, bits[i])
                if p == FAILED:
                    break
                product *= p
                if product < power_of_two(-SCALE):
                    code_length -= log2(product)
                    product = 1.0
            i += 1
        return code_length - log2(product), i

    def copy(self):
        """A kernel of its own in the same state, without marks."""
        cdef State *state = &self.state
        cdef ContextTreeKernel twin = ContextTreeKernel(
            state.depth, state.action_bits, state.cycle_bits - state.action_bits)
        cdef State *other = &twin.state
        if (not grow(<void **>&other.history, &other.words, 8, other.words, state.words, (MAX_POSITION >> 6) + 2)
                or not grow(<void **>&other.nodes, &other.nodes_capacity, sizeof(Node), other.used, state.used, MAX_NODES)):
            raise MemoryError("no memory for a copy of this context tree")
        memcpy(other.history, state.history, state.words * 8)
        memcpy(other.nodes, state.nodes, state.used * sizeof(Node))
        other.used = state.used
        other.length = state.length
        other.phase = state.phase
        return twin

    def snapshot(self):
        """All that predictions follow from, as bytes: equal states have equal snapshots."""
        cdef int64_t i
        history = bytes([bit_at(self.state.history, i) for i in range(self.state.origin, self.state.length)])
        nodes = (<const char *>self.state.nodes)[:self.state.used * sizeof(Node)]
        return b"%d %d " % (self.state.phase, self.state.used) + nodes + history

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""A predictor in Cython: how often a percept bit was 1 after the same `depth` bits, in a table for each percept bit."""

from libc.stdint cimport int64_t, uint32_t, uintptr_t
from libc.stdlib cimport calloc, free

from history cimport (FAILED, History, append_bit, before, free_history, in_action, init_history, percept_index,
                      room_for_bit, write_bit)
from undo cimport UndoLog, free_undo, init_undo, record, revert_to, room_to_undo, set_mark

from aixi_approx.predictor import Predictor, PredictorError
from aixi_approx.predictor_abi import Addresses

cdef struct State:
    History history
    UndoLog log                 # an entry is an int64_t: the index of the count that went up
    int64_t depth
    uint32_t *counts            # two for each context, of zeros and of ones


cdef inline int64_t context(const State *self) noexcept nogil:
    """Index of the counts that predict the next bit."""
    cdef int64_t last_bits = before(&self.history, self.history.length) >> (64 - self.depth)
    return 2 * ((<int64_t>percept_index(&self.history) << self.depth) + last_bits)


cdef inline double probability(const uint32_t *count, int64_t bit) noexcept nogil:
    """The KT estimator."""
    return (count[bit] + 0.5) / (<double>count[0] + count[1] + 1.0)


cdef void take_back(void *state, const void *entry) noexcept nogil:
    (<State *>state).counts[(<const int64_t *>entry)[0]] -= 1


# The operations that planners call by address.

cdef double op_predict(void *state, int64_t ignored) noexcept nogil:
    cdef State *self = <State *>state
    return FAILED if in_action(&self.history) else probability(&self.counts[context(self)], 1)


cdef double op_update(void *state, int64_t bit) noexcept nogil:
    cdef State *self = <State *>state
    cdef int64_t *entry
    cdef int64_t at
    cdef double p
    if in_action(&self.history) or not room_for_bit(&self.history) or not room_to_undo(&self.log, 1):
        return FAILED
    at = context(self)
    p = probability(&self.counts[at], bit)
    entry = <int64_t *>record(&self.log, 1)
    if entry != NULL:
        entry[0] = at + bit
    self.counts[at + bit] += 1
    write_bit(&self.history, <uint32_t>bit)
    return p


cdef double op_append(void *state, int64_t bit) noexcept nogil:
    return append_bit(&(<State *>state).history, <uint32_t>bit)


cdef double op_mark(void *state, int64_t ignored) noexcept nogil:
    return set_mark(&(<State *>state).log, &(<State *>state).history)


cdef double op_revert(void *state, int64_t mark) noexcept nogil:
    return revert_to(&(<State *>state).log, &(<State *>state).history, mark, take_back, state)


cdef class Kernel:
    """Owns one State."""

    cdef State state

    def __cinit__(self, int64_t depth, int64_t action_bits, int64_t percept_bits):
        self.state.depth = depth
        self.state.counts = <uint32_t *>calloc((2 * percept_bits) << depth, sizeof(uint32_t))
        init_undo(&self.state.log, sizeof(int64_t))
        if self.state.counts == NULL or not init_history(&self.state.history, depth, action_bits, percept_bits):
            raise MemoryError("no memory for the counts")

    def __dealloc__(self):
        free(self.state.counts)
        free_undo(&self.state.log)
        free_history(&self.state.history)


cdef State *state_of(predictor):
    return &(<Kernel>predictor.kernel).state


cdef double checked(double answer) except? -1.0:
    if answer == FAILED:
        raise PredictorError("an action bit is next, there is no such mark, or there is no memory")
    return answer


class Frequency(Predictor):
    """Predicts from the last `depth` bits, 1 to 24."""

    bits_apart = True           # each percept bit has counts of its own

    def __init__(self, depth, action_bits, percept_bits):
        if not 1 <= depth <= 24:
            raise ValueError(f"depth is {depth}: it must lie in 1 to 24")
        self.depth, self.action_bits, self.percept_bits = depth, action_bits, percept_bits
        self.kernel = Kernel(depth, action_bits, percept_bits)

    @property
    def addresses(self):
        return Addresses(<uintptr_t>&op_predict, <uintptr_t>&op_update, <uintptr_t>&op_append,
                         <uintptr_t>&op_mark, <uintptr_t>&op_revert, <uintptr_t>state_of(self))

    def predict(self):
        return checked(op_predict(state_of(self), 0))

    def update(self, bit):
        return checked(op_update(state_of(self), bit))

    def append(self, bit):
        checked(op_append(state_of(self), bit))

    def mark(self):
        return int(checked(op_mark(state_of(self), 0)))

    def revert(self, mark):
        checked(op_revert(state_of(self), mark))

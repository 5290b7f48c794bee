# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Exact undo for a predictor in Cython: a stack of marks, and a log of the changes since the first of them.

A predictor's state contains an `UndoLog`. The predictor defines its own entries, a struct of fixed size that describes
how to undo one change, and a function that does so:

    cdef void take_back(void *state, const void *entry) noexcept nogil

`update` makes room with `room_to_undo`, and before each change gets an entry to fill from `record`. The operations
`mark` and `revert` are `set_mark` and `revert_to`. Errors are reported as in history.pxd.
"""

from libc.stdint cimport int64_t, uint32_t
from libc.stdlib cimport free
from libc.string cimport memset

from history cimport FAILED, History, grow, usual

cdef enum:
    MAX_UNDOS = 0x7fffffff      # largest number of entries, and of marks

cdef struct Mark:
    int64_t length              # of the history
    int64_t undos               # entries of the log
    uint32_t phase

cdef struct UndoLog:
    char *entries               # written only while there are marks
    int64_t size                # of an entry, in bytes
    int64_t used
    int64_t capacity
    Mark *marks
    int64_t marks_used
    int64_t marks_capacity

ctypedef void (*TakeBack)(void *state, const void *entry) noexcept nogil


cdef inline void init_undo(UndoLog *log, int64_t size) noexcept nogil:
    """Start an empty log with entries of `size` bytes."""
    memset(log, 0, sizeof(UndoLog))
    log.size = size


cdef inline void free_undo(UndoLog *log) noexcept nogil:
    free(log.entries)
    free(log.marks)


cdef inline bint room_to_undo(UndoLog *log, int64_t entries) noexcept nogil:
    """Make room for this many more entries, if there is a mark."""
    cdef int64_t wanted = log.used + entries
    return (
        log.marks_used == 0
        or usual(wanted <= log.capacity)
        or grow(<void **>&log.entries, &log.capacity, log.size, log.used, wanted, MAX_UNDOS))


cdef inline void *record(UndoLog *log, int64_t entries) noexcept nogil:
    """Add entries to the log. Returns the first, for the caller to fill, or NULL if there is no mark."""
    cdef char *first
    if log.marks_used == 0:
        return NULL
    first = log.entries + log.used * log.size
    log.used += entries
    return first


cdef inline double set_mark(UndoLog *log, const History *history) noexcept nogil:
    """Remember this point. Returns its number."""
    cdef Mark *mark
    if not grow(<void **>&log.marks, &log.marks_capacity, sizeof(Mark), log.marks_used, log.marks_used + 1, MAX_UNDOS):
        return FAILED
    mark = &log.marks[log.marks_used]
    mark.length = history.length
    mark.undos = log.used
    mark.phase = history.phase
    log.marks_used += 1
    return <double>(log.marks_used - 1)


cdef inline double revert_to(
    UndoLog *log, History *history, int64_t number, TakeBack take_back, void *state
) noexcept nogil:
    """Return to a mark; forget it and all later ones. Entries are undone in reverse order."""
    cdef const Mark *mark
    cdef const char *first
    cdef const char *entry
    cdef int64_t size = log.size
    if number < 0 or number >= log.marks_used:
        return FAILED
    mark = &log.marks[number]
    first = log.entries + mark.undos * size
    entry = log.entries + log.used * size
    while entry > first:
        entry -= size
        take_back(state, entry)
    log.used = mark.undos
    history.length = mark.length
    history.phase = mark.phase
    log.marks_used = number
    return 0.0

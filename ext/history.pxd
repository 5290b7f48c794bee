# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""What every predictor in Cython needs: a bit-packed history, and growing arrays.

A predictor's state contains a `History`. Its bits are packed into 64-bit words, the first bit lowest. A position is an
index into these bits. The first real bit is at `origin`; before it are zeros, so that the context of an early bit can
be read like any other. Positions fit in 31 bits.

The history also knows the layout of a cycle: `action_bits` bits of action, then the percept bits. `phase` is the
index of the next bit in its cycle.

The return type shows which functions can fail: a `bint` function that needs memory returns False, and an operation
(`double`) returns FAILED; nothing has changed then. All other functions cannot fail.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

cdef extern from *:
    """
    #include <stdlib.h>
    #include <stdint.h>

    #define AIXI_FAILED (-1.0)

    #if defined(_MSC_VER) && !defined(__clang__)
    #include <intrin.h>
    static inline uint32_t aixi_leading_zeros(uint64_t word) {
        unsigned long highest;
        _BitScanReverse64(&highest, word);
        return 63 - (uint32_t) highest;
    }
    #define aixi_usual(condition) (condition)
    #else
    #define aixi_leading_zeros(word) ((uint32_t) __builtin_clzll(word))
    #define aixi_usual(condition) __builtin_expect(!!(condition), 1)
    #endif

    #ifdef _WIN32
    /* What _aligned_malloc returns, free cannot release. */
    #define aixi_aligned_memory(bytes) malloc(bytes)
    #else
    #ifdef __linux__
    #include <sys/mman.h>
    #endif
    static inline void *aixi_aligned_memory(size_t bytes) {
        void *memory = NULL;
        size_t alignment = bytes >= ((size_t)1 << 22) ? (size_t)1 << 21 : 64;
        if (posix_memalign(&memory, alignment, bytes)) return NULL;
    #ifdef MADV_HUGEPAGE
        if (alignment > 64) madvise(memory, bytes, MADV_HUGEPAGE);
    #endif
        return memory;
    }
    #endif
    """
    const double FAILED "AIXI_FAILED"                            # what an operation returns when it fails

    uint32_t leading_zeros "aixi_leading_zeros" (uint64_t word) noexcept nogil     # of a nonzero word

    # The condition itself, with a hint to the compiler that it is mostly true.
    bint usual "aixi_usual" (bint condition) noexcept nogil

    # Uninitialised memory, to be released by `free`, or NULL. But for Windows it is aligned to cache lines, and uses
    # large pages where the system has them: with random access, TLB misses cost as much as cache misses.
    void *aligned_memory "aixi_aligned_memory" (size_t bytes) noexcept nogil

cdef enum:
    MAX_POSITION = 0x7fffffff   # of a bit in a history

cdef struct History:
    uint64_t *words             # the bits
    int64_t capacity            # allocated words
    int64_t origin              # position of the first real bit
    int64_t length              # position of the next bit
    uint32_t action_bits        # of one cycle
    uint32_t cycle_bits         # action_bits + percept_bits
    uint32_t phase              # 0 <= phase < cycle_bits, of the next bit


# ---------------------------------------------------------------------------------------------- memory

cdef inline bint grow(
    void **memory, int64_t *capacity, int64_t size, int64_t used, int64_t wanted, int64_t limit
) noexcept nogil:
    """Make room for `wanted` items of `size` bytes, at most `limit`; the first `used` ones are kept."""
    cdef void *larger
    if wanted <= capacity[0]:
        return True
    if wanted > limit:
        return False
    wanted = min(limit, wanted + (wanted >> 1) + 64)
    larger = aligned_memory(wanted * size)
    if larger == NULL:
        return False
    if memory[0] != NULL:
        memcpy(larger, memory[0], used * size)
        free(memory[0])
    memory[0] = larger
    capacity[0] = wanted
    return True


cdef inline bint room_for_bit(History *history) noexcept nogil:
    """Make room for one more bit, and for the word of the bit after it, which `before` reads."""
    cdef int64_t wanted = ((history.length + 1) >> 6) + 1
    return history.length <= MAX_POSITION and (
        usual(wanted <= history.capacity)
        or grow(<void **>&history.words, &history.capacity, 8, history.capacity, wanted, (MAX_POSITION >> 6) + 2))


cdef inline bint init_history(
    History *history, int64_t context_bits, int64_t action_bits, int64_t percept_bits
) noexcept nogil:
    """Start an empty history, with at least `context_bits` + 64 zeros before its first bit."""
    memset(history, 0, sizeof(History))
    history.action_bits = <uint32_t>action_bits
    history.cycle_bits = <uint32_t>(action_bits + percept_bits)
    history.origin = history.length = ((context_bits >> 6) + 2) << 6
    if not room_for_bit(history):
        return False
    memset(history.words, 0, history.capacity * 8)
    return True


cdef inline bint copy_history(History *copy, const History *history) noexcept nogil:
    """Make `copy`, already initialised with the same layout, equal to `history`."""
    if not grow(<void **>&copy.words, &copy.capacity, 8, 0, history.capacity, history.capacity):
        return False
    memcpy(copy.words, history.words, history.capacity * 8)
    copy.length = history.length
    copy.phase = history.phase
    return True


cdef inline void free_history(History *history) noexcept nogil:
    free(history.words)


# ---------------------------------------------------------------------------------------------- reading

cdef inline bint in_action(const History *history) noexcept nogil:
    """Whether the next bit is an action bit."""
    return history.phase < history.action_bits


cdef inline uint32_t percept_index(const History *history) noexcept nogil:
    """Index of the next bit in its percept; it must not be an action bit."""
    return history.phase - history.action_bits


cdef inline uint32_t bit_at(const History *history, int64_t position) noexcept nogil:
    return (history.words[position >> 6] >> (position & 63)) & 1


cdef inline uint64_t before(const History *history, int64_t position) noexcept nogil:
    """The 64 bits before a position, the most recent in the highest bit."""
    cdef int64_t first = position - 64
    cdef int64_t word = first >> 6
    cdef int64_t offset = first & 63
    return (history.words[word] >> offset) | ((history.words[word + 1] << 1) << (63 - offset))


cdef inline uint32_t agreement(
    const History *history, int64_t position, int64_t other, uint32_t depth
) noexcept nogil:
    """Number of bits before the two positions that agree, at most `depth`."""
    cdef uint32_t agreed = 0
    cdef uint64_t difference
    while agreed < depth:
        difference = before(history, position - agreed) ^ before(history, other - agreed)
        if difference:
            return min(depth, agreed + leading_zeros(difference))
        agreed += 64
    return depth


# ---------------------------------------------------------------------------------------------- writing

cdef inline void write_bit(History *history, uint32_t bit) noexcept nogil:
    """Write the next bit, after `room_for_bit` has returned True."""
    cdef uint64_t *word = &history.words[history.length >> 6]
    cdef int64_t offset = history.length & 63
    word[0] = (word[0] & ~(<uint64_t>1 << offset)) | (<uint64_t>bit << offset)
    history.length += 1
    history.phase += 1
    if history.phase == history.cycle_bits:
        history.phase = 0


cdef inline double append_bit(History *history, uint32_t bit) noexcept nogil:
    """Append a bit: the complete operation `append` of most predictors."""
    if not room_for_bit(history):
        return FAILED
    write_bit(history, bit)
    return 0.0

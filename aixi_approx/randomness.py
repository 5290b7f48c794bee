"""Random numbers: one small generator, with the same streams in compiled and in plain Python.

The generator is xoshiro256++ (Blackman, Vigna 2021), with a state of four 64-bit words, seeded by splitmix64. Streams
are cheap, so everything that needs randomness at some point of a run takes its own stream, named by integers: the agent
at cycle t of seed s draws from `stream(s, AGENT, t)`. Resuming a run needs no saved generator state.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numba import config
from numpy.typing import NDArray

from aixi_approx.compilation import compiled

Stream = NDArray[np.uint64]

# The purpose of a stream: the second number of its name.
ENVIRONMENT, AGENT, EVALUATION, SHUFFLE, PROBE, TRIAL = range(6)

_MASK = (1 << 64) - 1


def _splitmix(word: int) -> tuple[int, int]:
    """One step of splitmix64: (next state, output)."""
    word = (word + 0x9E3779B97F4A7C15) & _MASK
    z = word
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return word, z ^ (z >> 31)


def stream(*name: int) -> Stream:
    """Return the state, uint64[4], of the stream with this name: any integers, the seed first.

    >>> draw(stream(1, AGENT, 0)) == draw(stream(1, AGENT, 0))
    True
    """
    word = 0
    for number in name:
        word = _splitmix(word ^ (operator.index(number) & _MASK))[1]
    words = []
    for _ in range(4):
        word, output = _splitmix(word)
        words.append(output)
    return np.array(words, dtype=np.uint64)


def restored_stream(words: Any) -> Stream:
    """Return a stream in a state that it had; ValueError if these are not four words of 64 bits."""
    state = np.array(words, dtype=np.uint64)
    if state.shape != (4,):
        raise ValueError("the state of a stream is four words")
    return state


_S11, _S17, _S19, _S23, _S41, _S45 = (np.uint64(n) for n in (11, 17, 19, 23, 41, 45))


def _draw(state: Stream) -> float:
    """Return the next number of the stream, uniform in [0, 1), a multiple of 2^-53."""
    s0, s1, s2, s3 = state[0], state[1], state[2], state[3]
    total = s0 + s3
    result = ((total << _S23) | (total >> _S41)) + s0
    shifted = s1 << _S17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = (s3 << _S45) | (s3 >> _S19)
    state[0], state[1], state[2], state[3] = s0, s1, s2, s3
    return float(result >> _S11) * (1.0 / (1 << 53))


if config.DISABLE_JIT:  # type: ignore[attr-defined]
    draw = np.errstate(over="ignore")(_draw)  # the sums are meant to wrap around
else:
    draw = compiled(_draw)


@compiled
def below(state: Stream, n: int) -> int:
    """Return a number drawn uniformly from 0, ..., n - 1 (n below 2^53)."""
    return int(draw(state) * n)

"""The generator against its plain twin."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from reference import plain_draws

from aixi_approx.randomness import below, draw, stream


@given(name=st.lists(st.integers(-(2**63), 2**64), min_size=1, max_size=3))
def test_equals_the_plain_generator(name: list[int]) -> None:
    state = stream(*name)
    expected = plain_draws([int(word) for word in state], 20)
    assert [draw(state) for _ in range(20)] == expected


def test_known_answers() -> None:
    """From the state 1, 2, 3, 4: the first outputs of the authors' C code."""
    known = [41943041, 58720359, 3588806011781223, 3591011842654386]
    state = np.array([1, 2, 3, 4], dtype=np.uint64)
    assert [draw(state) for _ in known] == [(word >> 11) / 2**53 for word in known]


def test_streams_differ_in_every_number_of_their_name() -> None:
    names = [(0,), (1,), (0, 0), (0, 1), (1, 0), (0, 0, 0), (-1,), (2**63,)]
    assert len({draw(stream(*name)) for name in names}) == len(names)
    assert draw(stream(7, 1)) == draw(stream(7, 1))


def test_numbers_of_numpy_are_numbers() -> None:
    assert draw(stream(np.int64(3), np.uint8(1))) == draw(stream(3, 1))


@given(n=st.integers(1, 1000), seed=st.integers(0, 100))
def test_below_stays_below(n: int, seed: int) -> None:
    random = stream(seed)
    drawn = [below(random, n) for _ in range(50)]
    assert min(drawn) >= 0
    assert max(drawn) < n

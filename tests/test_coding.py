"""Bits of a cycle: encode and decode are inverse, and refuse what does not fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aixi_approx.coding import Coding, bits_for, decode, encode


@given(bits=st.integers(1, 40), data=st.data())
def test_decode_is_the_inverse_of_encode(bits: int, data: st.DataObject) -> None:
    value = data.draw(st.integers(0, 2**bits - 1))
    code = encode(value, bits)
    assert len(code) == bits
    assert decode(code) == value


def test_the_case_a_peer_gets_wrong() -> None:
    assert decode(encode(6, 3)) == 6


@pytest.mark.parametrize(("value", "bits"), [(8, 3), (-1, 3), (2, 1), (1 << 40, 40)])
def test_what_does_not_fit_is_refused(value: int, bits: int) -> None:
    with pytest.raises(ValueError, match=f"{value} does not fit in {bits} bits"):
        encode(value, bits)


@pytest.mark.parametrize(("action", "reward"), [(3, -1), (-1, -1), (0, 11), (0, -101)])
def test_what_the_environment_does_not_have_is_refused(action: int, reward: int) -> None:
    """Three actions have two bits, and a fourth would fit: the planner has no place for it."""
    with pytest.raises(ValueError, match=r"action 3|action -1|reward"):
        Coding(3, 2, 7, 2, -100, 10).cycle(action, 0, reward)


@given(count=st.integers(1, 10**6))
def test_as_few_bits_as_will_do(count: int) -> None:
    bits = bits_for(count)
    encode(count - 1, bits)
    assert bits == 1 or count > 1 << (bits - 1)


@given(
    action=st.integers(0, 4), observation=st.integers(0, 15), low=st.integers(-200, 200), span=st.integers(0, 300),
    data=st.data(),
)  # fmt: skip
def test_a_cycle_comes_back(action: int, observation: int, low: int, span: int, data: st.DataObject) -> None:
    coding = Coding(5, 3, bits_for(span + 1), 4, low, low + span)
    reward = data.draw(st.integers(low, low + span))
    cycle = coding.cycle(action, observation, reward)
    assert len(cycle) == coding.cycle_bits
    assert decode(cycle[:3]) == action
    assert coding.percept(cycle[3:]) == (observation, reward)

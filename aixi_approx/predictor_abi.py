"""How compiled code calls the operations of predictors and rollout policies: by address.

Addresses are ordinary arguments, which leaves a Numba kernel cacheable; with addresses in globals it would be compiled
anew in every process.
"""

from __future__ import annotations

import ctypes
import functools
from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import config
from numba.core import types
from numba.extending import intrinsic

FAILED = -1.0
OPERATION = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_void_p, ctypes.c_int64)


class Addresses(NamedTuple):
    """Where compiled code finds the operations of a predictor, and the state they work on."""

    predict: int
    update: int
    append: int
    mark: int
    revert: int
    state: int

    def array(self) -> np.ndarray:
        """Return them as int64[6], the form that compiled code takes as an argument."""
        return np.array(self, dtype=np.int64)


PREDICT, UPDATE, APPEND, MARK, REVERT, STATE = range(len(Addresses._fields))  # places in that array


RANDOM_BITS = 53  # of the number that the operation `choose` of a rollout policy is given


class RolloutAddresses(NamedTuple):
    """Where compiled code finds the operations of a rollout policy, and the state they work on.

    Each operation is `double operation(void *state, int64_t argument)`; a negative result says that it failed. The
    argument of `choose` is a random whole number of 53 bits. All zero: actions are chosen uniformly at random. `weigh`
    writes the probability of every action to the float64[A] at the address that is its argument; 0 where a policy
    can't say.
    """

    choose: int
    append: int
    mark: int
    revert: int
    state: int
    reads_history: int = 0
    weigh: int = 0

    def array(self) -> np.ndarray:
        """Return them as int64[7], the form that compiled code takes as an argument."""
        return np.array(self, dtype=np.int64)


CHOOSE, TAKE_IN, SET_MARK, GO_BACK, POLICY, READS, WEIGH = range(len(RolloutAddresses._fields))  # places in that array
UNIFORM = RolloutAddresses(0, 0, 0, 0, 0)


if config.DISABLE_JIT:  # type: ignore[attr-defined]
    _function = functools.lru_cache(maxsize=None)(OPERATION)

    def call_operation(address: int, state: int, argument: int) -> float:
        """Call an operation by its address."""
        return float(_function(int(address))(int(state), int(argument)))

else:

    @intrinsic
    def call_operation(typing_context, address, state, argument):  # type: ignore[no-untyped-def]
        """Call an operation by its address."""
        signature = types.float64(types.int64, types.int64, types.int64)

        def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
            address, state, argument = arguments
            integer = ir.IntType(64)
            function = ir.FunctionType(ir.DoubleType(), [integer, integer])
            return builder.call(builder.inttoptr(address, function.as_pointer()), [state, argument])

        return signature, code

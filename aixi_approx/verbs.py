"""How compiled code calls the verbs of a predictor: by address, with addresses as ordinary arguments.

Addresses that are arguments leave a Numba kernel cacheable; with addresses in globals it would be compiled anew in
every process.
"""

from __future__ import annotations

import functools

from llvmlite import ir
from numba import config
from numba.core import types
from numba.extending import intrinsic

from aixi_approx.predictor import VERB

if config.DISABLE_JIT:  # type: ignore[attr-defined]
    _function = functools.lru_cache(maxsize=None)(VERB)

    def call_verb(address: int, state: int, argument: int) -> float:
        """Call a verb by its address."""
        return float(_function(int(address))(int(state), int(argument)))

else:

    @intrinsic
    def call_verb(typing_context, address, state, argument):  # type: ignore[no-untyped-def]
        """Call a verb by its address."""
        signature = types.float64(types.int64, types.int64, types.int64)

        def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
            address, state, argument = arguments
            integer = ir.IntType(64)
            function = ir.FunctionType(ir.DoubleType(), [integer, integer])
            return builder.call(builder.inttoptr(address, function.as_pointer()), [state, argument])

        return signature, code

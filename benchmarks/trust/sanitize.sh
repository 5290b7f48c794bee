#!/usr/bin/env bash
# Builds the kernels with AddressSanitizer and UBSan, and runs their tests; the first report ends it. `make sanitize`:
# about two minutes. With arguments: those of pytest, in place of the tests below.
set -euo pipefail
cd "$(dirname "$0")/../.."

# What works on the memory of a kernel. Searches are left out: compiled by Numba they are not instrumented, and
# interpreted they take minutes.
TESTS=(tests/test_{context_tree,predictor,learned_policy,aiqi,cython_predictor}.py)
TESTS+=(tests/test_keeping.py::test_a_{tree_is_kept_bit_for_bit,forged_tree_is_refused_or_harmless})
TESTS+=(tests/test_keeping.py::test_a_bounded_tree_{predicts_probabilities_and_undoes_exactly,goes_on_learning})
TESTS+=(-k "not an_agent_learns")

# The tests build predictors of their own in Cython, by the same flags.
export CFLAGS="-g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all" CC=${CC:-gcc}
export LDFLAGS=$CFLAGS
PYTHON=$PWD/.venv/bin/python
SITE=$PWD/build/sanitized/site
rm -rf build/sanitized
"$PYTHON" setup.py -q build --build-temp build/sanitized/objects --build-lib "$SITE"

# Leaks: CPython has its own. Null: tests ask for more memory than there is.
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1
export PYTHONPATH=$SITE NUMBA_DISABLE_JIT=1
sanitized() { LD_PRELOAD="$($CC -print-file-name=libasan.so) $($CC -print-file-name=libstdc++.so)" "$PYTHON" -P "$@"; }

# Is the kernel that is loaded the one just built, and is the sanitizer awake? It has to see this use after free.
said=$(sanitized - 2>&1 <<'PROGRAM'
import ctypes
from aixi_approx import _context_tree
print(_context_tree.__file__, flush=True)
kernel = _context_tree.ContextTreeKernel(8, 0, 1)
append, state = kernel.addresses[2], kernel.addresses[5]
operation = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_void_p, ctypes.c_int64)(append)
del kernel
operation(state, 1)
PROGRAM
) || true
if [[ $said != "$SITE"*heap-use-after-free* ]]; then
    echo "sanitize: a use after free went unseen: ${said:-nothing was said}" >&2
    exit 1
fi

if [ $# -eq 0 ]; then set -- -q "${TESTS[@]}"; fi
sanitized -m pytest --capture=sys "$@" # reports are written past Python

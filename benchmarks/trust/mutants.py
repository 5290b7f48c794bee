"""Small faults, to see which of them the tests notice.

Each is made in a copy of the checkout, one at a time, and the tests of its file run there.

    python benchmarks/trust/mutants.py              # all: about half an hour on one core
    python benchmarks/trust/mutants.py kernel odds  # those whose name begins so

A line for each mutant: `killed` by a test that it names, `survived`, or `stale` if the text that it changes is no
longer there, or is there twice. The exit code is 1 if any survived or is stale. Those of `EQUIVALENT` are not run:
they change nothing that can be seen, for the reason given.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Mutant(NamedTuple):
    """A change of one place in one file."""

    name: str
    file: str
    old: str
    new: str
    tests: str


KERNEL, HISTORY, UNDO = "ext/_context_tree.pyx", "ext/history.pxd", "ext/undo.pxd"
SEARCH, RHO = "aixi_approx/planners/tree_search.py", "aixi_approx/planners/rho_uct.py"
SLICES = "aixi_approx/planners/time_slices.py"
REGRET, RECORDING = "aixi_approx/laboratory/regret.py", "aixi_approx/experiments/recording.py"
ACCOUNT, ROWS = "tests/test_regret.py", "tests/test_recording.py"
TREE = "tests/test_context_tree.py"
PERCEPTS = "tests/test_context_tree.py tests/test_aiqi.py tests/test_learned_policy.py"
PLANS = "tests/test_rho_uct.py tests/test_pouct.py"

MUTANTS = [
    Mutant("kernel odds limit", KERNEL, "chain <= 256)", "chain <= 1020)", TREE),
    Mutant("kernel odds off by one", KERNEL, "(power_of_two(chain) - 1.0)", "power_of_two(chain)", TREE),
    Mutant("kernel branch exponent", KERNEL, "exponent < -FAR:", "exponent < 0:", TREE),
    Mutant("kernel far", KERNEL, "FAR = 600 ", "FAR = 20 ", TREE),
    Mutant("kernel shift twice", KERNEL, "v.shift -= 1", "v.shift -= 2", TREE),
    Mutant("kernel normalises never up", KERNEL, "v.ratio < power_of_two(-SCALE // 2):", "v.ratio < 0.0:", TREE),
    Mutant("kernel leaf probability", KERNEL, "return 0.75 if", "return 0.7 if", TREE),
    Mutant("kernel forgets no node", KERNEL, "            self.used -= 1", "            self.used -= 0", TREE),
    Mutant("kernel undo of ratio", KERNEL, "v.ratio = undo.ratio", "v.ratio = v.ratio", TREE),
    Mutant("kernel undo of shift", KERNEL, "v.shift = <int32_t>undo.old", "pass", TREE),
    Mutant(
        "kernel walk kept over revert",
        KERNEL,
        "        return FAILED\n    self.walked = -1\n    return 0.0",
        "        return FAILED\n    return 0.0",
        TREE,
    ),
    Mutant(
        "kernel walk kept over draw",
        KERNEL,
        "    self.walked = -1\n    return <double>code",
        "    return <double>code",
        PERCEPTS,
    ),
    Mutant(
        "kernel walk kept while weighing",
        KERNEL,
        "            self.walked = -1                                     # another",
        "            pass  # another",
        PERCEPTS,
    ),
    Mutant("kernel draw of zero", KERNEL, "(u - p) / (1.0 - p)", "u - p", PERCEPTS),
    Mutant("kernel codes", KERNEL, "(left - 1)) >= self.codes", "(left - 1)) > self.codes", PERCEPTS),
    Mutant("kernel codes of a copy", KERNEL, "        its.codes = state.codes\n", "", PERCEPTS),
    Mutant("kernel best tree, short chain", KERNEL, "stop.bits += chain > 1", "stop.bits += chain > 0", TREE),
    Mutant("kernel best tree, ties", KERNEL, "on.bits * (1.0 + EVEN)", "on.bits * (1.0 - EVEN)", TREE),
    Mutant("kernel work", KERNEL, "            mixed += 1", "            mixed += 0", TREE),
    Mutant("history phase of a copy", HISTORY, "    copy.phase = history.phase\n", "", PERCEPTS),
    Mutant(
        "history agreement",
        HISTORY,
        "min(depth, agreed + leading_zeros(difference))",
        "min(depth, agreed + leading_zeros(difference) + 1)",
        TREE,
    ),
    Mutant("history old bits", HISTORY, "(word[0] & ~(<uint64_t>1 << offset))", "word[0]", TREE),
    Mutant("undo keeps the mark", UNDO, "log.marks_used = number", "log.marks_used = number + 1", TREE),
    Mutant("undo keeps the phase", UNDO, "    history.phase = mark.phase\n    log", "    log", TREE),
    Mutant("undo keeps the entries", UNDO, "    log.used = mark.undos\n", "", TREE),
    Mutant("search constant", SEARCH, "plan.ucb * np.sqrt(log_total", "1.1 * plan.ucb * np.sqrt(log_total", PLANS),
    Mutant("search default constant", SEARCH, "SQRT_2 = 2.0**0.5", "SQRT_2 = 2.0", PLANS),
    Mutant("search standard error", SEARCH, "np.where(visits > 1, np.sqrt", "np.where(visits > 0, np.sqrt", PLANS),
    Mutant("search unit", RHO, "(plan.horizon - level) * plan.scale", "plan.horizon * plan.scale", PLANS),
    Mutant("search visit of the maker", RHO, "tree.total[new] = 1", "tree.total[new] = 2", PLANS),
    Mutant("slices of seconds", SLICES, "seconds: float = 0.05", "seconds: float = 5.0", "tests/test_signals.py"),
    Mutant("account ties", REGRET, "TIE = 1e-6", "TIE = 1e-1", ACCOUNT),
    Mutant("account agrees with none", REGRET, "if kept.any() else best", "if kept.all() else best", ACCOUNT),
    Mutant("account equals", REGRET, "error[first].max() > TIE", "error[first].min() > TIE", ACCOUNT),
    Mutant("account bounds", REGRET, "knows.min() - models.max()", "knows.max() - models.max()", ACCOUNT),
    Mutant(
        "account exploration",
        REGRET,
        "(1 - epsilon) * chosen + epsilon / len(values)",
        "(1 - epsilon) * chosen + epsilon / (len(values) - 1)",
        ACCOUNT,
    ),
    Mutant(
        "account restarts",
        REGRET,
        "        self._first = self._model.mark(), self._node\n        self._gave_up = False",
        "        self._first = self._model.mark(), self._node",
        ACCOUNT,
    ),
    Mutant("account simple regret", REGRET, "(high[others] - low[action])", "(high[others] - high[action])", ACCOUNT),
    Mutant("recording in blocks", RECORDING, '"wb", buffering=0)', '"wb")', ROWS),
    Mutant("recording cuts nothing", RECORDING, "            file.truncate()  # an incomplete row\n", "", ROWS),
    Mutant("recording chain", RECORDING, "(text, zlib.crc32(text, at.check))", "(text, zlib.crc32(text))", ROWS),
    Mutant("recording other rows", RECORDING, "zlib.crc32(so_far) == at.check", "True", ROWS),
    Mutant("recording fewer options", RECORDING, "for path in now | was:", "for path in now:", ROWS),
]

EQUIVALENT = {
    "account: `(value - error)[first].max()` for the rivals": "where several are first, either their "
    "errors are 0, or there is doubt anyway",
    "kernel: `self.walked = -1` of `learn` left out": "the history has one bit more after it, and a revert forgets the "
    "walk, so that the length it was for does not come back",
}


def run(place: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a program in the copy, whose files come first."""
    paths = os.pathsep.join((str(place), str(place / "tests")))
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    environment["NUMBA_CACHE_DIR"] = str(place / "cache")
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)


def build(place: Path) -> str | None:
    """Build the kernel anew; return what the compiler says if it can't."""
    built = run(place, sys.executable, "setup.py", "-q", "build_ext", "--inplace", "--force")
    return built.stderr if built.returncode else None


def test(place: Path, tests: str) -> str | None:
    """Return the test that fails first, or None."""
    files = [str(path.relative_to(place)) for name in tests.split() for path in sorted(place.glob(name))]
    done = run(place, sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "--hypothesis-seed=0", *files)
    if not done.returncode:
        return None
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    return failed[1] if failed else f"exit code {done.returncode}"


def judged(place: Path, mutants: list[Mutant]) -> Iterator[tuple[Mutant, str, str]]:
    """Make each mutant, and say what became of it."""
    built = True  # as the sources stand
    for mutant in mutants:
        path = place / mutant.file
        text = path.read_text()
        if text.count(mutant.old) != 1:
            yield mutant, "stale", f"its text is there {text.count(mutant.old)} times"
            continue
        path.write_text(text.replace(mutant.old, mutant.new))
        of_kernel = path.parent.name == "ext"
        failed = None if built and not of_kernel else build(place)
        built = not of_kernel
        failed = failed or test(place, mutant.tests)
        yield mutant, "killed" if failed else "survived", failed or mutant.tests
        path.write_text(text)


def main() -> None:
    """Run the mutants that are asked for."""
    wanted = tuple(sys.argv[1:])
    mutants = [mutant for mutant in MUTANTS if not wanted or mutant.name.startswith(wanted)]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "copy"
        left_out = shutil.ignore_patterns(".*", "build", "__pycache__", "*.so", "results", "docs")
        shutil.copytree(ROOT, place, ignore=left_out)
        if broken := build(place):
            sys.exit(broken)
        for tests in sorted({mutant.tests for mutant in mutants}):
            test(place, tests)  # compiles, which takes longer than some tests expect
            if failed := test(place, tests):
                sys.exit(f"without a mutant, {failed} fails")
        counts = dict.fromkeys(("killed", "survived", "stale"), 0)
        for mutant, verdict, why in judged(place, mutants):
            counts[verdict] += 1
            print(f"{verdict:9} {mutant.name:32} {why}", flush=True)
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    sys.exit(bool(counts["survived"] + counts["stale"]))


if __name__ == "__main__":
    main()

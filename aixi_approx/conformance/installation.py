"""Attempts at what an installation promises on this machine: exact, repeatable, safe from kills, damage and bad disks.

Whatever can differ from process to process is run as the command line in processes of their own.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from aixi_approx import compilation  # not its names: this file compiles nothing
from aixi_approx.builder import build_planner
from aixi_approx.conformance.diagnostic import FAILED, NOTE, PASSED, Diagnostic, Nonconformity, require
from aixi_approx.conformance.slow_twins import plain_prediction, plain_values
from aixi_approx.envs import make
from aixi_approx.execution.folder import lock
from aixi_approx.planners import dp_uct
from aixi_approx.predictors.context_tree import FactoredContextTree
from aixi_approx.randomness import below, stream
from aixi_approx.validation import describe_error

EXACT = 1e-11  # largest difference of two probabilities that rounding explains, in short histories
HISTORIES = 100
REVERTS = 1_000
WORLD, HORIZON, LIVED = "coin-flip", 3, 50  # where searches are compared; the learned model is 50 cycles old
SIMULATIONS = 50_000
NEAR = 0.05  # of a return between 0 and 3; the largest difference in 300 seeds was 0.009

RUN = ("run", "tiger", "--planner", "dpuct+majority:2", "--simulations", "20", "--evaluation-simulations", "20")
LENGTH = ("--cycles", "1500", "--evaluate", "100")
KILLS = 4
PATIENCE = 300  # seconds that a process may take, most of them to compile

DRAW = "from aixi_approx.randomness import draw, stream; print(draw(stream({seed})))"  # compiles a little
LOCK = """
import pathlib, sys
from aixi_approx.execution.folder import lock
try:
    lock(pathlib.Path(sys.argv[1]))
except ValueError:
    print("refused")
"""
FREE = 200_000_000  # bytes: four runs of a million cycles, whose rows take 40 to 50 MB


def _lines(rows: Mapping[str, bytes]) -> int:
    """Return the number of lines in the rows of a run, by file."""
    return sum(text.count(b"\n") for text in rows.values())


class Attempt(NamedTuple):
    """One thing to try."""

    check: str  # exactness, determinism, crash, cache or disk
    what: str  # is tried
    run: Callable[[], Diagnostic]


class Installation:
    """What can be tried on this machine; a context, which ends with nothing left behind.

    Parameters
    ----------
    folder : Path
        Whose disk is tried.
    seed : int, default: 0
        All that is random is a function of it, but for when a run is killed.
    """

    def __init__(self, folder: Path, *, seed: int = 0) -> None:
        self.folder, self.seed = folder, seed
        self._scratch = Path()
        self._processes: list[subprocess.Popen[str]] = []
        self._whole: dict[str, bytes] = {}  # what a run leaves that is left alone, by file

    def __enter__(self) -> Self:
        self._temporary = tempfile.TemporaryDirectory(prefix="aixi-selftest-", ignore_cleanup_errors=True)
        self._scratch = Path(self._temporary.name).resolve()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.communicate()
        self._temporary.cleanup()

    def attempts(self) -> list[Attempt]:
        """Return what there is to try, in an order in which each makes use of what came before."""
        tried = [
            ("exactness", "the predictor beside one that computes each mixture from its definition", self.predictions),
            ("exactness", "what is learned and taken back leaves no trace, in any bit", self.reverts),
            ("exactness", "the search beside expectimax, which imagines everything", self.searches),
            ("determinism", "one run in two processes, with other hash seeds and numbers of threads", self.repetition),
            ("crash", "a run that is killed at random moments, and resumed", self.kills),
            ("cache", "where compiled code is kept", self.kept),
            ("cache", "a bit of compiled code is changed on disk", self.damage),
            ("disk", f"files are written, synced, renamed over and locked in {self.folder}", self.disk),
            ("disk", f"free space in {self.folder}", self.space),
        ]
        return [Attempt(check, what, self._guarded(check, what, run=run)) for check, what, run in tried]

    def _guarded(self, check: str, what: str, *, run: Callable[[], tuple[str, str]]) -> Callable[[], Diagnostic]:
        """Return an attempt that says what came of it, whatever it was."""

        def attempt() -> Diagnostic:
            try:
                result, seen = run()
            except Nonconformity as failure:
                result, seen = FAILED, str(failure)
            except Exception as error:
                result, seen = FAILED, describe_error(error, {__name__})
            return Diagnostic(check, result, f"{what}: {seen}")

        return attempt

    # ------------------------------------------------------------------------------------------------- exactness

    def predictions(self) -> tuple[str, str]:
        """Compare the predictor with `mixture` on random histories."""
        worst, compared = 0.0, 0
        for number in range(HISTORIES):
            chance = random.Random(f"{self.seed} {number}")
            depth, action_bits, percept_bits = chance.randint(1, 12), chance.randint(0, 3), chance.randint(1, 4)
            tree = FactoredContextTree(depth, action_bits, percept_bits)
            history, bias = list[int](), chance.choice((0.02, 0.3, 0.5, 0.98))
            for i in range(chance.randint(20, 80)):
                bit, part = int(chance.random() < bias), i % (action_bits + percept_bits) - action_bits
                if part >= 0:
                    one = plain_prediction(history, depth, cycle_bits=action_bits + percept_bits)
                    learned = one if bit else 1 - one
                    worst = max(worst, abs(tree.predict() - one), abs(tree.update(bit) - learned))
                    compared += 1
                else:
                    tree.append(bit)
                history.append(bit)
        mend = f"that is more than {EXACT:g}: install the package again, and report this with the output of --json"
        seen = f"{compared:,} probabilities, worst difference {worst:.1g}"
        require(worst <= EXACT, f"{seen}, and {mend}", check="exactness")
        return PASSED, seen

    def reverts(self) -> tuple[str, str]:
        """Take back random bits, and compare the state with the one before."""
        chance, bits = random.Random(self.seed), 0
        tree = FactoredContextTree(16, 1, 2)

        def learn(count: int) -> None:
            for _ in range(count):
                tree.learn([chance.randrange(2) for _ in range(3)])

        for _ in range(REVERTS):
            learn(1)
            before, mark = tree.snapshot(), tree.mark()
            learn(length := chance.randint(1, 20))
            tree.revert(mark)
            bits += 3 * length
            mend = "install the package again, and report this"
            require(tree.snapshot() == before, f"another state after {bits:,} bits: {mend}", check="exactness")
        return PASSED, f"{REVERTS} times, {bits:,} bits"

    def searches(self) -> tuple[str, str]:
        """Compare the default search on a learned model with exact values."""
        environment = make(WORLD)
        coding, source = environment.coding, stream(self.seed)
        tree = FactoredContextTree(environment.settings.depth, coding.action_bits, coding.percept_bits)
        environment.checked_reset(self.seed)
        for _ in range(LIVED):
            action = below(source, coding.actions)
            percept = environment.checked_step(action)
            tree.learn(coding.cycle(action, percept.observation, percept.reward))
        exact = plain_values(tree, coding, horizon=HORIZON)
        settings = environment.settings._replace(horizon=HORIZON, simulations=SIMULATIONS)
        found = build_planner(environment, settings=settings).search(tree, source)
        apart = abs(float(found.value[found.action]) - max(exact))
        lost = max(exact) - exact[found.action]
        seen = f"value {found.value[found.action]:.3f} in place of {max(exact):.3f} in {WORLD}"
        mend = "install the package again, and report this"
        require(max(apart, lost) <= NEAR, f"{seen}, and the action loses {lost:.3f}: {mend}", check="exactness")
        return PASSED, f"{seen}, and a best action" if lost == 0 else f"{seen}, and the action loses {lost:.3f}"

    # ------------------------------------------------------------------------------- determinism, and kills

    def repetition(self) -> tuple[str, str]:
        """Run the same in two processes at once."""
        runs = [self._start_run(name, name) for name in ("1", "2")]  # hash seed and threads
        for process in runs:
            self._end(process)
        one, other = (self._results(name) for name in ("1", "2"))
        self._whole = one
        mend = "report this, with the output of --json and your processor"
        for name in one:
            require(one[name] == other.get(name), f"another {name}: {mend}", check="determinism")
        return PASSED, f"the same {', '.join(one)}, with {_lines(self._written('1')):,} lines"

    def kills(self) -> tuple[str, str]:
        """Kill a run, resume it, and compare it with that of another process, or a new one, that was left alone."""
        if not self._whole:
            self._end(self._start_run("alone", "1"))
            self._whole = self._results("alone")
        wanted, at = self._whole, list[str]()
        length = sum(len(rows) for name, rows in wanted.items() if name.endswith(".csv"))
        for kill in range(KILLS):
            process = self._start_run("killed", "3")
            goal = random.uniform(kill, kill + 1) / KILLS * length  # bytes of rows, so that each kill gets further
            began = time.monotonic()
            while process.poll() is None and sum(map(len, self._written("killed").values())) < goal:
                require(time.monotonic() - began < PATIENCE, f"no end after {PATIENCE} s", check="crash")
                time.sleep(0.002)
            time.sleep(random.uniform(0, 0.02))  # in which a run writes some rows
            process.kill()
            process.communicate()
            at.append(f"{_lines(self._written('killed')):,}")
        self._end(self._start_run("killed", "4"))
        found, where = self._results("killed"), f"killed with {', '.join(at)} lines written"
        for name in wanted:
            mend = "do not trust runs that were interrupted here, and report this"
            require(found.get(name) == wanted[name], f"{where}, and another {name}: {mend}", check="crash")
        return PASSED, f"{where}; in the end all is as in a run that was left alone"

    def _start_run(self, out: str, number: str) -> subprocess.Popen[str]:
        """Begin a run, or go on with it; the number is that of the hash seed."""
        options = *LENGTH, *self._threads(int(number)), "--seed", str(self.seed), "--out", out, "--json"
        return self._start(["-m", "aixi_approx.cli", *RUN, *options], PYTHONHASHSEED=number)

    def _threads(self, number: int) -> tuple[str, ...]:
        """The option of one thread or two, in turn."""
        return "--threads", str(2 - number % 2)

    def _written(self, out: str, pattern: str = "*.csv") -> dict[str, bytes]:
        """What a run has written so far, by file: its rows."""
        return {path.name: path.read_bytes() for path in sorted((self._scratch / out).glob(pattern))}

    def _results(self, out: str) -> dict[str, bytes]:
        """What a run leaves that knows no clock, by file: its rows and its agent."""
        return {**self._written(out), **self._written(out, "agent.aixi")}

    def _start(self, arguments: Sequence[str], **environment: str) -> subprocess.Popen[str]:
        """Start Python in the scratch folder, with what this process would import."""
        imported = os.pathsep.join(os.path.abspath(path) for path in sys.path if path)
        process = subprocess.Popen(
            [sys.executable, "-P", *arguments],
            cwd=self._scratch,
            env={**os.environ, "PYTHONPATH": imported, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._processes.append(process)
        return process

    def _end(self, process: subprocess.Popen[str]) -> tuple[str, str]:
        """Return what a process printed, and what it said on stderr, when it has ended well."""
        try:
            output, errors = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Nonconformity("process", f"no end after {PATIENCE} s: is the machine busy?") from None
        last = [f"exit code {process.returncode}", *errors.splitlines()][-1]
        require(not process.returncode, f"a process ended with exit code {process.returncode}: {last}", check="process")
        return output, errors

    # ----------------------------------------------------------------------------------------------------- cache

    def kept(self) -> tuple[str, str]:
        """Find the folder that compiled code of the searches is written to."""
        refused = []
        for folder in compilation.code_folders(Path(dp_uct.__file__)):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                tempfile.TemporaryFile(dir=folder).close()
            except OSError as error:
                refused.append(f"{folder} ({error.strerror or error})")
            else:
                return PASSED, f"{folder} can be written to"
        mend = "every process compiles anew what is not there: set NUMBA_CACHE_DIR to a folder that can be written to"
        return NOTE, f"nothing can be written to {', nor to '.join(refused)}, so {mend}"

    def damage(self) -> tuple[str, str]:
        """Change a bit of a file of compiled code, and see that it is noticed and mended."""
        folder = self._scratch / "cache"

        def draw() -> tuple[str, str]:
            return self._end(self._start(["-c", DRAW.format(seed=self.seed)], NUMBA_CACHE_DIR=str(folder)))

        first, _ = draw()
        files = sorted(folder.rglob("*.nbi"))
        if not files:
            return NOTE, "nothing is kept, so there is nothing to change"
        chance = random.Random(self.seed)
        for path in files:
            code = bytearray(path.read_bytes())
            code[chance.randrange(len(code))] ^= 1 << chance.randrange(8)
            path.write_bytes(code)
        second, noticed = draw()
        third, silence = draw()
        mend = "set NUMBA_CACHE_DIR to a new folder, and report this"
        require(first == second == third, f"another result: {mend}", check="cache")
        require("damaged" in noticed, f"it was not noticed: {mend}", check="cache")
        require(not silence, f"it was not mended, but said {silence.strip()!r}: {mend}", check="cache")
        return PASSED, "it was noticed, and compiled anew"

    # ------------------------------------------------------------------------------------------------------ disk

    def disk(self) -> tuple[str, str]:
        """Write, sync, rename and lock files in a folder, as runs and studies do."""
        step, began = "writing", time.perf_counter()
        try:
            with tempfile.TemporaryDirectory(prefix=".aixi-selftest-", dir=self.folder) as name:
                folder, content = Path(name), random.Random(self.seed).randbytes(1 << 20)
                for path in (folder / "old", folder / "new"):
                    with path.open("wb") as file:
                        file.write(content[:: 1 if path.name == "new" else -1])
                        file.flush()
                        step = "syncing"
                        os.fsync(file.fileno())
                step = "renaming"
                (folder / "new").replace(folder / "old")
                step = "reading"
                read = (folder / "old").read_bytes()
                require(read == content, "what was read is not what was written: use another disk", check="disk")
                step = "locking"
                held = lock(folder)
                answer, _ = self._end(self._start(["-c", LOCK, str(folder.resolve())]))
                os.close(held)
                require(
                    answer.strip() == "refused",
                    "two processes can lock one folder, so never use one for two runs at once, or use another disk",
                    check="disk",
                )
        except OSError as error:
            mend = "name another folder with --folder, and use it for --out"
            raise Nonconformity("disk", f"{step} failed: {error.strerror or error}: {mend}") from None
        return PASSED, f"1 MB, in {time.perf_counter() - began:.1f} s"

    def space(self) -> tuple[str, str]:
        """See how much room there is."""
        free = shutil.disk_usage(self.folder).free
        seen = f"{free / 1e9:,.1f} GB"
        if free < FREE:
            return NOTE, f"{seen}, less than {FREE / 1e9} GB: a run of a million cycles writes up to 50 MB"
        return PASSED, seen

"""Throw broken command lines, study files and environments at the command line; count what is no clean answer.

    python benchmarks/trust/fuzz.py --count 500 --seed 0

Each case is a valid command line, study (TOML) or environment (.py) that was spoiled in one to three places: wrong
types, parts missing, doubled or swapped, huge numbers, other alphabets, control characters, nothing, bytes at random.
It is carried out by `aixi_approx.cli.main` in a forked process of its own, in an empty folder; every tenth one by
`python -m aixi_approx`. A clean answer is exit code 0 or 2, no traceback, no escape sequence; with exit code 2 exactly
one line on stderr, progress and notices aside; and an end within --limit seconds, unless something on stderr has said
before how long it takes. A table counts the answers; then each kind of failure stands once, by its shortest case.

Cases are functions of seed and number: `--only 17` runs number 17 alone and shows all that it printed.
"""

# ruff: noqa: E501  words side by side

from __future__ import annotations

import argparse
import contextlib
import os
import random
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import NamedTuple

MEMORY = 6 << 30  # bytes of address space of a case
QUIET = re.compile(r"━|^compiling the search|going on from an earlier point|^(learning|evaluation|laws)\b.*%")
ESTIMATE = re.compile(r"\b(about|takes?|estimate\w*|left)\b.*\b(s|seconds|minutes?|hours?|days?|years?)\b|\d:\d\d")
SHORT = ["--cycles", "4", "--evaluate", "3", "--simulations", "5"]
COMMANDS = [
    ["run", "tiger", *SHORT],
    ["run", "tiger", *SHORT, "--out", "r", "--seed", "3"],
    ["run", "tiger", *SHORT, "--memory", "500M", "--from", "old"],
    ["run", "tiger", *SHORT, "--policy", "learned", "--teacher", "old", "--lessons", "better"],
    ["run", "tiger", *SHORT, "--planner", "dpuct+majority:3", "--threads", "2"],
    ["run", "tiger", *SHORT, "--model", "true", "--horizon", "3", "--exploration", "0.5", "0.9"],
    ["run", "tiger", *SHORT, "--ucb", "1.5", "--rule", "spread", "--stop", "certain", "--json"],
    ["run", "tiger>biased-rps@3", *SHORT, "--depth", "8"],
    ["run", "nim:8-perfect", *SHORT, "--model", "true", "--leaves", "sampled"],
    ["run", "tiger", "--cycles", "4", "--evaluate", "3", "--planner", "aiqi", "--levels", "16"],
    ["run", "tiger", "--cycles", "4", "--evaluate", "3", "--planner", "q-learning", "--memory-cycles", "1"],
    ["run", "env.py:Lake", *SHORT],
    ["solve", "tiger"],
    ["solve", "locks:2", "--json"],
    ["envs", "--json"],
    ["check", "env.py:Lake"],
    ["predict", "env.py", "--depth", "8"],
    ["scale", "study.toml", "--out", "s", "--on", "here", "--yes", "--json"],
    ["scale", "study.toml", "--out", "s", "--on", "here", "--yes"],
    ["scale", "--forecast", "locks:1"],
]
STUDY = """environments = ["coin-flip"]
models = ["ctw"]
planners = ["dpuct"]
learners = ["dpuct"]
cross = []
experience = [4, 8]
simulations = [2, 4]
seeds = 2
first_seed = 0
cycles = 12
sampled_decisions = 2
warm_up = 1
"""
LAKE = '''from aixi_approx import POMDP, Outcome

class Lake(POMDP):
    """A walk on ice."""

    name = "Lake"
    actions = ("left", "right")
    observations = ("ice", "hole")
    min_reward, max_reward = 0, 1

    def start(self):
        return {1: 1.0}

    def outcomes(self, state, action):
        to = max(0, min(3, state + (1 if action == "right" else -1)))
        return [Outcome(0.75, to, "ice", int(to == 3)), Outcome(0.25, 1, "hole", 0)]
'''
WALK = '''from aixi_approx import Environment, Percept

class Lake(Environment):
    """A walk on ice."""

    name = "Lake"
    actions = ("left", "right")
    observations = ("ice", "hole")
    min_reward, max_reward = 0, 1

    def reset(self, seed):
        self.place = 1

    def step(self, action):
        self.place = (self.place + 2 * action - 1) % 4
        return Percept(int(self.place == 0), int(self.place == 3))
'''
WORDS = [
    "", " ", "-", "--", "-1", "0", "1", "1.5", "1e400", "-1e9", "nan", "inf", "99999999999999999999", "2147483648",
    "1000000000", "None", "true", "ctw", "tiger", "tiger:", "tiger>", ">tiger@1", "tiger>tiger@0", "tiger>tiger@9~2",
    "locks:1-2-3", "locks:", "nim:-1", "gym:", "gym:Nope-v0", "env.py", "env.py:", ":Lake", "env.py:Nope", "no.py:X",
    "dpuct+", "dpuct+majority:0", "dpuct+seconds:1e400", "dpuct+horizon:x", "+", "a" * 300, "ä", "日本", "\u202e", "\ud7ff",
    "\x1b[31m", "\x07", "a\nb", "\t", "../..", "/", "/dev/null", "/proc/self/mem", "old", "study.toml", "{}", "[]", "%s",
    "%n", "{0}", "$HOME", "*", "'", '"', "[red]x", "[/]", "500M", "0M", "1T", "9e9G", "dask://127.0.0.1:1", "mpi", "--help",
    "--json", "--nope", "--seed=1", "--cycles=", "--out=",
]  # fmt: skip
VALUES = [
    "0", "-1", "1", "1.5", "1e400", "nan", "inf", "true", '""', '"x"', "[]", "{}", "[[]]", "[1, 1]", '["tiger", "tiger"]',
    "99999999999999999999999", "1000000000", "[1000000000]", '"\\u001b[31m"', '"ä日本"', "1979-05-27", "[1, 'a']", "'", "",
    "[true]", '["locks:99"]', '["no.py:X"]', '["dpuct+seconds:1"]', '["true"]', '["full"]', "[-3]", "{a = 1}",
]  # fmt: skip
TERMS = [
    "None", "0", "-1", "1", "0.5", "1e308", "float('nan')", "float('inf')", "10**30", "''", "'x'", "'\\x1b[31m'", "[]",
    "{}", "()", "object()", "1/0", "lambda: 0", "True", "b'x'", "'日本'", "[[]]", "self", "Lake", "range(10**12)",
    "print('noise')", "exit()", "(_ for _ in ())", "2**63", "__import__('numpy').zeros(3)", "1j", "{1, 2}", "iter([1])",
]  # fmt: skip


class Case(NamedTuple):
    """What is tried."""

    arguments: list[str]
    files: dict[str, bytes]
    apart: bool  # in a program of its own


class Answer(NamedTuple):
    """What came of it."""

    code: int | None  # None: it took too long
    out: str
    err: str
    seconds: float


def spoil_words(rng: random.Random, words: list[str]) -> list[str]:
    """Break a command line in one place."""
    words, at = list(words), rng.randrange(1, len(words))
    match rng.randrange(7):
        case 0:
            del words[at]
        case 1:
            words.insert(at, words[at])
        case 2:
            other = rng.randrange(len(words))
            words[at], words[other] = words[other], words[at]
        case 3:
            words[at] += rng.choice(WORDS)
        case 4:
            words[at] = "".join(rng.sample(words[at], len(words[at]))) if rng.random() < 0.5 else words[at][:-1]
        case _:
            words[at] = rng.choice(WORDS)
    return [word.replace("\x00", "") for word in words]


def spoil_lines(rng: random.Random, text: str, values: list[str], places: re.Pattern[str]) -> str:
    """Break a file in one place, at a line or at what stands at one of the places."""
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    match rng.randrange(8):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, lines[at])
        case 2:
            lines[at] = lines[at][: rng.randrange(len(lines[at]) + 1)]
        case 3:
            lines[at] += rng.choice(["\x1b[31m", "\x00", "é", "\u202e", "\r", "#", "]", ")", '"'])
        case _:
            found = list(places.finditer(text))
            one = rng.choice(found)
            start, end = one.span(1)
            return text[:start] + rng.choice(values) + text[end:]
    return "\n".join(lines)


def spoil_bytes(rng: random.Random, content: bytes) -> bytes:
    """Break a file as bytes."""
    match rng.randrange(4):
        case 0:
            return b""
        case 1:
            return rng.randbytes(200)
        case 2:
            return content[: rng.randrange(len(content))]
        case _:
            at = rng.randrange(len(content))
            return content[:at] + rng.randbytes(3) + content[at + 3 :]


VALID = {"study.toml": STUDY.encode(), "env.py": LAKE.encode()}
STUDY_PLACES = re.compile(r"= (.+)")
LAKE_PLACES = re.compile(r"(?:= |return |in |: |\()([^\s(),:][^\n]*?)(?=[\n,):])")


def case(seed: int, number: int) -> Case:
    """Return a case, a function of seed and number."""
    rng = random.Random(f"{seed}-{number}")
    times = rng.choice([1, 1, 1, 2, 3])
    kind = ("command", "command", "study", "environment")[number % 4]
    files = {"study.toml": STUDY.encode(), "env.py": rng.choice([LAKE, WALK]).encode()}
    arguments = list(rng.choice(COMMANDS))
    if kind == "command":
        for _ in range(times):
            arguments = spoil_words(rng, arguments) if len(arguments) > 1 else arguments
    elif kind == "study":
        arguments = ["scale", "study.toml", "--out", "s", "--on", "here"]
    else:
        arguments = rng.choice([["run", "env.py:Lake", *SHORT], ["check", "env.py:Lake"], ["solve", "env.py:Lake"]])
        arguments = rng.choice([arguments, ["run", "env.py:Lake>tiger@2", *SHORT, "--out", "r"]])
    if kind != "command":
        name, values, places = {
            "study": ("study.toml", VALUES, STUDY_PLACES),
            "environment": ("env.py", TERMS, LAKE_PLACES),
        }[kind]
        if rng.random() < 0.12:
            files[name] = spoil_bytes(rng, files[name])
        else:
            text = files[name].decode()
            for _ in range(times):
                text = spoil_lines(rng, text, values, places) if places.search(text) else text
            files[name] = text.encode()
    return Case(arguments, files, number % 10 == 9)


def carry_out(one: Case, folder: Path, limit: float) -> Answer:
    """Run a case in a folder."""
    for name, content in one.files.items():
        (folder / name).write_bytes(content)
    out, err = folder / ".out", folder / ".err"
    began = time.monotonic()
    process = os.fork()
    if not process:
        _child(one, folder, out, err)
    code, ended = None, 0
    try:
        while not ended and time.monotonic() < began + limit:
            time.sleep(0.01)
            ended, status = os.waitpid(process, os.WNOHANG)
            code = os.waitstatus_to_exitcode(status) if ended else None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)
        if not ended:
            os.waitpid(process, 0)
    seconds = time.monotonic() - began
    return Answer(code, out.read_text(errors="replace"), err.read_text(errors="replace"), seconds)


def _child(one: Case, folder: Path, out: Path, err: Path) -> None:
    """Be the command, in a process of its own; never return."""
    os.setpgid(0, 0)
    os.chdir(folder)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for path, number in ((os.devnull, 0), (out, 1), (err, 2)):
        opened = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, number)
    if one.apart:
        os.execv(sys.executable, [sys.executable, "-m", "aixi_approx", *one.arguments])
    code = 1
    try:
        from aixi_approx.cli import main

        sys.path.insert(0, str(folder))
        main(one.arguments)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(code)


def told(err: str) -> list[str]:
    """The lines on stderr, but for progress and notices."""
    return [line for line in re.split(r"[\r\n]", err) if line.strip() and not QUIET.search(line)]


def failure(answer: Answer) -> str:
    """What is wrong with an answer, as a kind; empty if it is clean."""
    lines = told(answer.err)
    last = re.sub(r"\d+|'[^']*'|/\S+", "_", lines[-1])[:90] if lines else ""
    if answer.code is None:
        return "" if ESTIMATE.search(answer.err) else "too long, without an estimate"
    if answer.code < 0:
        return f"ended by {signal.Signals(-answer.code).name}"
    if "Traceback (most recent call last)" in answer.err:
        return f"traceback: {last}"
    if "\x1b" in answer.err + answer.out:
        return "escape sequence"
    if answer.code not in (0, 2):
        return f"exit code {answer.code}: {last}"
    if answer.code == 2 and len(lines) != 1 and "FAILED" not in answer.out:
        return f"{len(lines)} lines on stderr: {last}"
    return ""


def shown(one: Case) -> str:
    """A case as commands of a shell, so far as it differs from the valid files."""
    valid = {"study.toml": (STUDY,), "env.py": (LAKE, WALK)}
    parts = [
        f"{name} = {content!r}"
        for name, content in one.files.items()
        if content.decode(errors="replace") not in valid[name] and any(name in word for word in one.arguments)
    ]
    command = " ".join(shlex.quote(word) if word.isprintable() else ascii(word) for word in one.arguments)
    return "\n      ".join([f"aixi {command}", *parts])


def prepare(folder: Path) -> None:
    """Compile what is needed, and make a run that others begin with."""
    with contextlib.suppress(SystemExit):
        from aixi_approx.cli import main

        with open(os.devnull, "w") as sink, contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
            main(["run", "tiger", *SHORT, "--out", str(folder)])


def _fresh(above: Path) -> Path:
    """An empty folder, but for a run that is complete."""
    folder = above / "case"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(above / "old", folder / "old")
    return folder


def main() -> None:
    """Run all cases and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds of a case")
    parser.add_argument("--only", type=int, help="number of the one case to run and to show")
    asked = parser.parse_args()
    counts: Counter[tuple[str, str]] = Counter()
    shortest: dict[str, tuple[int, int, Case]] = {}
    slowest = (0.0, -1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as made:
        above = Path(made)
        # In a process of its own: one that has run a search has threads, which a fork does not take along.
        call = "import pathlib, runpy, sys; runpy.run_path(sys.argv[1])['prepare'](pathlib.Path(sys.argv[2]))"
        subprocess.run([sys.executable, "-c", call, __file__, made + "/old"], check=False)
        import aixi_approx.builder
        import aixi_approx.cli.commands
        import aixi_approx.experiments.running  # noqa: F401

        with contextlib.suppress(KeyboardInterrupt):  # the table tells of what was done by then
            if asked.only is None:
                for words in COMMANDS:
                    answer = carry_out(Case(words, VALID, False), _fresh(above), asked.limit)
                    counts["as it is", "done" if answer.code == 0 and not failure(answer) else "FAILED"] += 1
                    if answer.code:
                        print(
                            f"unspoiled, and yet: {shlex.join(words)}: {answer.code} {told(answer.err)[-1:]}",
                            file=sys.stderr,
                        )
            numbers = range(asked.count) if asked.only is None else [asked.only]
            for number in numbers:
                one = case(asked.seed, number)
                answer = carry_out(one, _fresh(above), asked.limit)
                kind = ("command line", "command line", "study", "environment")[number % 4]
                wrong = failure(answer)
                clean = {0: "done", 2: "refused", None: "long, as it said"}.get(answer.code, "?")
                counts[kind, "FAILED" if wrong else clean] += 1
                slowest = max(slowest, (answer.seconds, number))
                if wrong:
                    size = len(shown(one))
                    shortest[wrong] = min(shortest.get(wrong, (size, number, one)), (size, number, one))
                if asked.only is not None:
                    print(shown(one), answer.code, answer.out, answer.err, wrong, sep="\n---\n")
    columns = ("done", "refused", "long, as it said", "FAILED")
    print(f"{'':14}" + "".join(f"{column:>18}" for column in columns))
    for kind in ("as it is", "command line", "study", "environment"):
        print(f"{kind:14}" + "".join(f"{counts[kind, column]:18}" for column in columns))
    print(f"slowest: case {slowest[1]}, {slowest[0]:.1f} s")
    for wrong, (_, number, one) in sorted(shortest.items()):
        print(f"\ncase {number}: {wrong!a}\n      {shown(one)}")
    sys.exit(1 if shortest else 0)


if __name__ == "__main__":
    main()

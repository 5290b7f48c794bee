"""Throw broken files in Cassandra's format at the command line; count what is no clean answer.

    python benchmarks/environments/broken_files.py --count 400 --seed 0 > benchmarks/results/broken_files.txt

Cases are those known in the wild (`KNOWN`: one for each kind), and files of benchmarks/problems that were spoiled in
one to three places: numbers, names, words, colons and lines that are missing, doubled, swapped or replaced, files
that end in the middle, bytes at random. Each is given to `aixi export FILE again.POMDP` in a forked process, which
reads the file, builds the environment, and writes it down again.

A clean answer is exit code 0, or exit code 2 with one line on stderr that begins with the file and a line and says
how to mend it; within --limit seconds, without a traceback. A file that is accepted must have been read as it stands:
the twin of the tests (tests/reference_cassandra.py), which reads word by word into dense arrays and shares no code
with the reader, must find the same start, probabilities and rewards, to 1e-12. They may be those of the good file,
where what was spoiled does not matter (a comment, a blank, a line that is overridden), or others, where it does (a
probability of 0.3 and one of 0.7 that were swapped are another problem, not an error). Where sums missed 1 by up to
1e-4 and were mended, the twin's rows are divided by their sums, too. Accepted without a twin's agreement counts as a
failure, "wrong".

Cases are functions of seed and number: `--only 17` runs number 17 alone, and shows the file and all that was printed.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from aixi_approx.cli import main as aixi
from aixi_approx.envs.from_cassandra import read_problem
from aixi_approx.pomdp.cassandra import Problem

ROOT = Path(__file__).parents[2]
PROBLEMS = sorted((ROOT / "benchmarks" / "problems").glob("*.*DP"))
LONGEST = 400  # lines of a file that is spoiled: longer ones have no other kinds of lines
WORDS = [
    "nan", "inf", "-inf", "1e400", "-1", "-0.0", "1.5", "0", "1", "1e-320", "1_0", "0x1", "1,5", "9" * 400, "*",
    ":", "::", "#", "T:", "O:", "R:", "T", "identity", "uniform", "reset", "start:", "include", "states: 2",
    "discount: 0.5", "values: cost", "states: 1000000000", "é", "日本", "\0", "\x1b[31m", "\ufeff", "- ", "+",
    "0.0001", "00.5", ".5", "5.",
]  # fmt: skip
NAMED_LINES = re.compile(r"^(discount|values|states|actions|observations|start).*$", re.MULTILINE)

KNOWN: dict[str, tuple[str, str, str]] = {  # kind: file, what is replaced, by what
    "no discount": ("tiger.POMDP", "discount: 0.95\n", ""),
    "a discount beyond 1": ("tiger.POMDP", "discount: 0.95", "discount: 95"),
    "values: rewards": ("tiger.POMDP", "values: reward", "values: rewards"),
    "no values": ("tiger.POMDP", "values: reward\n", ""),
    "no states": ("4x4.POMDP", "states:", "# states:"),
    "no actions": ("tiger.POMDP", "actions: listen open-left open-right", ""),
    "no observations, though O": ("tiger.POMDP", "observations: hear-left hear-right", ""),
    "a capital": ("tiger.POMDP", "\ndiscount", "\nDiscount"),
    "equals signs": ("tiger.POMDP", "discount: 0.95", "discount = 0.95"),
    "a row that adds up to 0.99": ("tiger.POMDP", "0.85 0.15", "0.84 0.15"),
    "a row that adds up to 1.00005": ("tiger.POMDP", "0.85 0.15", "0.85005 0.15"),
    "a start that adds up to 0.9": ("voicemail.POMDP", "0.65 0.35", "0.55 0.35"),
    "a state without a next one": ("1d.POMDP", "T: west : left : far-left 1\n", ""),
    "an observation that is missing": ("shuttle.POMDP", "O: * : docked-last : docked-last 1\n", ""),
    "names twice": ("tiger.POMDP", "states: tiger-left tiger-right", "states: tiger-left tiger-left"),
    "an unknown name": ("tiger.POMDP", "R: open-left : tiger-left", "R: open-left : tiger-lift"),
    "a number that is no state": ("tiger.POMDP", "R: open-left : tiger-left", "R: open-left : 2"),
    "numbers among names": ("tiger.POMDP", "states: tiger-left tiger-right", "states: tiger-left 1"),
    "a matrix that ends early": ("machine.POMDP", "0    0    1\nT: examine", "0    0\nT: examine"),
    "a matrix that goes on": ("machine.POMDP", "0    0    1\nT: examine", "0    0    1\n0 0 1\nT: examine"),
    "a file that ends early": ("shuttle.POMDP", "O: * : docked-next", "\0"),
    "huge numbers of states": ("tiger.POMDP", "states: tiger-left tiger-right", "states: 1000000000"),
    "many states": ("tiger.POMDP", "states: tiger-left tiger-right", "states: 400000"),
    "a reward that is not a number": ("tiger.POMDP", "* 10\n", "* nan\n"),
    "an infinite reward": ("tiger.POMDP", "* 10\n", "* -inf\n"),
    "a reward of 1e300": ("tiger.POMDP", "* 10\n", "* 1e300\n"),
    "a probability that is not a number": ("tiger.POMDP", "0.85 0.15", "nan 0.15"),
    "a negative probability": ("tiger.POMDP", "0.85 0.15", "1.15 -0.15"),
    "commas": ("tiger.POMDP", "0.85 0.15", "0,85 0,15"),
    "a colon before the number": ("tiger.POMDP", "* -1\n", "* : -1\n"),
    "a colon before uniform": ("tiger.POMDP", "T: open-left\nuniform", "T: open-left :\nuniform"),
    "OO:": ("tiger.POMDP", "O: open-left", "OO: open-left"),
    "a reward of a whole state": ("paint.POMDP", "R: reject : * : * : * -1", "R: reject : * -1"),
    "semicolons": ("tiger.POMDP", "* -1\n", "* -1;\n"),
    "slashes for a comment": ("tiger.POMDP", "# Tiger", "// Tiger"),
    "identity for a row": ("tiger.POMDP", "T: listen\nidentity", "T: listen : tiger-left\nidentity"),
    "reset for an observation": ("tiger.POMDP", "O: open-left\nuniform", "O: open-left\nreset"),
    "the preamble twice": ("tiger.POMDP", "values: reward", "values: reward\nvalues: reward"),
    "all in one line": ("tiger.POMDP", "\n", " "),
    "lines of an old Macintosh": ("tiger.POMDP", "\n", "\r"),
    "lines of Windows": ("tiger.POMDP", "\n", "\r\n"),
    "no blanks around colons": ("tiger.POMDP", " : ", ":"),
    "another alphabet": ("tiger.POMDP", "tiger-left", "тигр"),
    "a discount of 0": ("tiger.POMDP", "discount: 0.95", "discount: 0"),
    "an observation named restart": ("tiger.POMDP", "hear-left", "restart"),
    "a state named beginning": ("tiger.POMDP", "tiger-left", "beginning"),
}


class Case(NamedTuple):
    """What is tried."""

    kind: str
    good: Path
    content: bytes


class Answer(NamedTuple):
    """What came of it."""

    code: int | None  # of exit; None if it was killed
    told: str  # on stderr
    seconds: float
    mended: bool  # that sums were divided by
    agrees: bool | None  # the twin, where the file was accepted


def spoiled(seed: int, number: int) -> Case:
    """Return a file that was spoiled at random."""
    source = random.Random(f"{seed} {number}")
    good = source.choice([path for path in PROBLEMS if path.read_text().count("\n") <= LONGEST])
    text = good.read_text()
    kinds = []
    for _ in range(source.randint(1, 3)):
        kind = source.choice(["word", "word", "word", "number", "line", "lines", "preamble", "end", "bytes"])
        kinds.append(kind)
        lines, parts = text.split("\n"), re.findall(r"\s+|[:#*]|[^\s:#*]+", text)
        i, j, at, other = (source.randrange(max(1, len(x))) for x in (lines, lines, parts, parts))
        if kind == "word":
            action = source.choice(["drop", "double", "swap", "replace"])
            if action == "drop":
                del parts[at]
            elif action == "double":
                parts.insert(at, parts[at] + " ")
            elif action == "swap":
                parts[at], parts[other] = parts[other], parts[at]
            else:
                parts[at] = source.choice(WORDS)
            text = "".join(parts)
        elif kind == "number":
            numbers = list(re.finditer(r"(?<=\s)-?\d+(\.\d+)?(?=\s)", text))
            if numbers:
                found = source.choice(numbers)
                value = float(found[0]) + source.choice([1e-6, 5e-5, -2e-4, 0.1, -1, 1e6])
                text = f"{text[: found.start()]}{value:.9g}{text[found.end() :]}"
        elif kind == "line":
            lines[i : i + 1] = source.choice([[], [lines[i], lines[i]], [lines[i][: len(lines[i]) // 2]]])
            text = "\n".join(lines)
        elif kind == "lines":
            lines[i], lines[j] = lines[j], lines[i]
            text = "\n".join(lines)
        elif kind == "preamble":
            heads = list(NAMED_LINES.finditer(text))
            if heads:
                found = source.choice(heads)
                word = source.choice(["", f"{found[1]}:", f"{found[1]}: {source.choice(WORDS)}", f"{found[0]} again"])
                text = text[: found.start()] + word + text[found.end() :]
        elif kind == "end":
            text = text[: source.randrange(len(text) + 1)]
    content = bytearray(text.encode("utf-8", "surrogateescape"))
    if "bytes" in kinds:
        for _ in range(source.randint(1, 5)):
            content[source.randrange(len(content)) : 0] = bytes([source.randrange(256)])
    return Case("+".join(sorted(set(kinds))), good, bytes(content))


def known(kind: str) -> Case:
    """Return a file that is wrong as files in the wild are."""
    name, was, now = KNOWN[kind]
    text = (PROBLEMS[0].parent / name).read_text()
    if was not in text:
        raise ValueError(f"{kind}: {name} has no {was!r}")
    everywhere = kind.startswith(("all", "lines", "no blanks", "another", "an observation named", "a state named"))
    text = text.split("\0")[0] if now == "\0" else text
    text = text.partition(was)[0] if now == "\0" else text.replace(was, now, -1 if everywhere else 1)
    return Case(kind, PROBLEMS[0].parent / name, text.encode())


def tried(case: Case, folder: Path, limit: float) -> Answer:
    """Give a file to the command line in a process of its own."""
    path = folder / case.good.name
    path.write_bytes(case.content)
    printed = folder / "stderr"
    began = time.perf_counter()
    child = os.fork()
    if child == 0:
        signal.alarm(int(limit))
        status = 1
        try:
            sys.stdout = sys.stderr = printed.open("w")
            os.dup2(sys.stderr.fileno(), 2)
            aixi(["export", str(path), str(folder / "again.POMDP"), "--force"])
            status = 0
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else 1
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    _, waited = os.waitpid(child, 0)
    seconds = time.perf_counter() - began
    code = None if os.WIFSIGNALED(waited) else os.waitstatus_to_exitcode(waited)
    if code != 0:
        return Answer(code, printed.read_text(errors="replace"), seconds, mended=False, agrees=None)
    problem = read_problem(path)
    mended = any("divided by" in notice for notice in problem.notices)
    text = case.content.decode("utf-8", "surrogateescape").removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        same = agrees(problem, text.replace("\r", "\n"))
    except Exception as error:  # of the twin, which promises nothing of a file that is wrong
        return Answer(0, f"the twin: {error!r}", seconds, mended, agrees=False)
    return Answer(0, printed.read_text(), seconds, mended, same)


def agrees(problem: Problem, text: str) -> bool:
    """Return whether the twin reads the same."""
    twin = Path(__file__).parents[2] / "tests" / "reference_cassandra.py"
    spec = importlib.util.spec_from_file_location("reference_cassandra", twin)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    start, moves, sight, reward = module.read_dense(re.sub(r"([-+])\s+(?=[\d.])", r"\1", text))
    start = start / start.sum()
    moves, sight = (each / each.sum(axis=2, keepdims=True) for each in (moves, sight))
    cases = np.indices(reward.shape).reshape(4, -1)
    paid = problem.reward(cases[0], cases[1], after=cases[2], observation=cases[3]).reshape(reward.shape)
    pairs = [
        (problem.start, start),
        (problem.transition.toarray(), moves.reshape(-1, moves.shape[2])),
        (problem.sensor.toarray(), sight.reshape(-1, sight.shape[2])),
        (paid, reward),
    ]
    return all(np.allclose(mine, its, rtol=1e-12, atol=1e-12) for mine, its in pairs)


def verdict(answer: Answer, path: Path) -> str:
    """Return what an answer counts as."""
    if answer.code is None:
        return "FAILED: hangs"
    if answer.code == 2:
        told = answer.told
        one = told.count("\n") == 1 and re.match(rf"aixi: {re.escape(str(path))}(:\d+)?: [^\n]+\n$", told)
        return (
            "refused, file and line"
            if one and re.match(r"aixi: [^\n]*?DP:\d+: ", told)
            else ("refused, file" if one else "FAILED: more or less than a line")
        )
    if answer.code != 0 or "Traceback" in answer.told:
        return "FAILED: traceback"
    if not answer.agrees:
        return "FAILED: wrong"
    return "accepted, mended and said" if answer.mended else "accepted, as the twin reads it"


def main() -> None:
    """Try all cases, and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=20, help="seconds of a case")
    parser.add_argument("--only", type=int)
    options = parser.parse_args()
    counts: Counter[tuple[str, str]] = Counter()
    failures, slowest = [], 0.0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if options.only is not None:
            case = spoiled(options.seed, options.only)
            print(case.content.decode(errors="replace"))
            print(answer := tried(case, folder, options.limit), verdict(answer, folder / case.good.name), sep="\n")
            return
        print("known in the wild\n")
        for kind in KNOWN:
            case = known(kind)
            answer = tried(case, folder, options.limit)
            result = verdict(answer, folder / case.good.name)
            told = answer.told.strip().replace(f"aixi: {folder}/", "") if answer.code else ""
            counts["known", result] += 1
            slowest = max(slowest, answer.seconds)
            failures += [f"known: {kind}: {answer}"] * result.startswith("FAILED")
            print(f"{kind:36} {told or result}")
        for number in range(options.count):
            case = spoiled(options.seed, number)
            answer = tried(case, folder, options.limit)
            result = verdict(answer, folder / case.good.name)
            counts["spoiled at random", result] += 1
            slowest = max(slowest, answer.seconds)
            failures += [f"--only {number}: {case.kind}: {answer}"] * result.startswith("FAILED")
    print(f"\n{'cases':20} {'answer':34} count")
    for (kind, result), count in sorted(counts.items()):
        print(f"{kind:20} {result:34} {count:5}")
    print(f"\nthe slowest took {slowest:.1f} s; failures: {len(failures)}")
    for failure in failures:
        print(failure)
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()

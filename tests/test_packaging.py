"""What is handed out: the source distribution, the wheel made of it, the description; what is missing is one line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from test_architecture import ROOT

from aixi_approx._version import __version__

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder, with some variables of the environment set."""
    return subprocess.run(
        list(map(str, command)), cwd=cwd, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in the source distribution, which is made without a compiler."""
    place = tmp_path_factory.mktemp("sdist")
    egg, made = ("egg_info", "--egg-base", place), ("sdist", "--dist-dir", place)
    process = run(sys.executable, "setup.py", "-q", *egg, *made, cwd=ROOT, CC="no-such-compiler")
    assert process.returncode == 0, process.stderr
    (archive,) = place.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(place, filter="data")
    return place / f"aixi_approx-{__version__}"


@pytest.fixture(scope="module")
def description(unpacked: Path) -> Message:
    """What a package index is told."""
    return Parser().parsestr((unpacked / "PKG-INFO").read_text())


def test_the_source_distribution_is_a_checkout(unpacked: Path) -> None:
    listed = run("git", "ls-files", "--cached", cwd=ROOT) if shutil.which("git") else None
    if listed is None or listed.returncode or "setup.py" not in listed.stdout.splitlines():
        pytest.skip("this is no checkout of git")
    missing = [name for name in listed.stdout.splitlines() if not (unpacked / name).exists() and (ROOT / name).exists()]
    assert not missing, "MANIFEST.in says what is handed out"


def test_it_makes_a_wheel_that_runs(unpacked: Path, tmp_path: Path) -> None:
    made = run(sys.executable, "setup.py", "-q", "bdist_wheel", "--dist-dir", tmp_path, cwd=unpacked)
    assert made.returncode == 0, made.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path / "site")
        names = file.namelist()
    assert not [name for name in names if name.startswith(("tests", "docs", "benchmarks"))]
    for python, package in (("aixi_approx", "aixi_approx"), ("cli", "aixi_approx/cli"), ("envs", "aixi_approx/envs")):
        sources = {f"{package}/{path.relative_to(ROOT / python)}" for path in (ROOT / python).rglob("*.py")}
        assert sources <= set(names), "pyproject.toml names the packages"
    assets = (ROOT / "aixi_approx" / "viewer" / "assets").iterdir()
    assert {f"aixi_approx/viewer/assets/{path.name}" for path in assets} <= set(names), "and the files of the page"
    code = "import sys; sys.path.insert(0, 'site'); from aixi_approx.predictors.context_tree import ContextTree as C"
    one = run(
        sys.executable,
        "-c",
        f"{code}; print(C(3).learn([0]), sys.modules['aixi_approx._context_tree'].__file__)",
        cwd=tmp_path,
    )
    bits, kernel = one.stdout.split()
    assert bits == "1.0"
    assert (tmp_path / kernel).is_relative_to(tmp_path / "site")


def test_the_description_shows_where_there_are_no_files(description: Message) -> None:
    text = description.get_payload()
    assert description["Description-Content-Type"] == "text/markdown"
    assert "](" in (ROOT / "README.md").read_text()
    assert not re.findall(r"\]\((?!https?:|#)", text), "a link that leads nowhere"
    assert len(text) > 0.8 * len((ROOT / "README.md").read_text())
    assert "![" not in text


def test_one_version(description: Message) -> None:
    citation = (ROOT / "CITATION.cff").read_text()
    assert PROJECT["version"] == description["Version"] == __version__
    assert re.search(r"^version: (.*)$", citation, re.MULTILINE)[1] == __version__  # type: ignore[index]
    assert (ROOT / "CHANGELOG.md").read_text().startswith(f"# Changes\n\n## {__version__}\n")


def test_the_command_as_a_module(tmp_path: Path) -> None:
    asked = run(sys.executable, "-m", "aixi_approx", "--version", cwd=tmp_path)
    assert asked.stdout == f"aixi, version {__version__}\n"
    wrong = run(sys.executable, "-m", "aixi_approx", "solve", cwd=tmp_path)
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("aixi solve: Missing argument")


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(os.name != "posix", reason="Visual C++ is looked for in another way")
@pytest.mark.parametrize("command", ["bdist_wheel", "build_ext", "editable_wheel"])
@pytest.mark.parametrize(
    ("compiler", "said"),
    [
        ("", "there is no C compiler '{compiler}': "),
        (
            'case "$(cat)" in *stdlib*) exit 1; esac',
            "'{compiler}' does not find the headers of the C library, stdlib.h: ",
        ),
        ('case "$(cat)" in *Python*) exit 1; esac', "'{compiler}' does not find the headers of Python, Python.h: "),
    ],
)
def test_without_a_compiler_there_is_one_line(command: str, compiler: str, said: str, tmp_path: Path) -> None:
    name = tmp_path / "cc"
    if compiler:
        script(name, compiler)
    process = run(sys.executable, "setup.py", command, cwd=ROOT, CC=str(name))
    assert process.returncode == 1
    assert process.stdout == ""
    assert process.stderr.startswith("aixi_approx has kernels to compile, and " + said.format(compiler=name))
    assert process.stderr.count("\n") == 1


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
@pytest.mark.parametrize(
    ("python", "cc", "said"),
    [
        ("exit 1", "cc", "is not Python 3.11 or newer: name one, as in 'make lint PYTHON=python3.12'"),
        ("exit 127", "cc", "is not Python 3.11 or newer: name one, as in 'make lint PYTHON=python3.12'"),
        ('case "$2" in *print*) echo other-cc -pthread; esac', "", "there is no C compiler 'other-cc': "),
        ("exit 0", "no-such-cc -m64", "there is no C compiler 'no-such-cc': "),
    ],
)
def test_make_says_in_one_line_what_is_missing(python: str, cc: str, said: str, tmp_path: Path) -> None:
    for name in ("Makefile", "setup.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    made = run("make", f"PYTHON={script(tmp_path / 'python', python)}", "lint", cwd=tmp_path, CC=cc)
    line, *rest = made.stderr.splitlines()
    assert line.startswith("make: ")
    assert said in line
    assert len(rest) == 1, "the one that make itself says last"
    assert made.returncode == 2
    assert not (tmp_path / ".venv").exists()


def test_workflows_name_what_there_is() -> None:
    yaml = pytest.importorskip("yaml")
    folder = ROOT / ".github" / "workflows"
    if not folder.exists():
        pytest.skip("workflows are not in this copy")
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in folder.glob("*.yml"):
        steps = [step for job in yaml.safe_load(path.read_text())["jobs"].values() for step in job["steps"]]
        programs = " ".join(step.get("run", "") for step in steps)
        assert set(re.findall(r"\bmake (\w+)", programs)) <= targets
        assert all((ROOT / file).exists() for file in re.findall(r"\btests/\S+", programs))
        assert all(re.fullmatch(r"[\w/-]+@(v\d+|release/v\d+)", step["uses"]) for step in steps if "uses" in step)


def test_nobody_is_told_to_install_what_no_index_has() -> None:
    """The package is in no index: an extra is had in a checkout, by `pip install '.[gym]'`, or its package by name."""
    for path in (
        *ROOT.glob("*.md"),
        *(p for f in ("docs", "aixi_approx", "envs", "cli") for p in (ROOT / f).rglob("*")),
    ):
        if path.suffix in (".md", ".py"):
            assert not re.search(r"pip install '?aixi_approx", path.read_text()), path

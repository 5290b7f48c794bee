"""The README and the pages of docs/: every program in them runs, every command and every link exists.

Blocks of one page are read from top to bottom, in a folder of their own:

    ```python    runs; all blocks of a page share one namespace. With a first line `# name.py` the block is also
    ```cython    a file of that name, which later blocks and commands can import; a .pyx file is compiled.
    ```toml      is parsed; with a first line `# name.toml` it is a study, written to a file and read.
    ```sh, ```console    lines that call `aixi`, also after `$` or a path, are commands: their options are parsed as
                         click would, and their environments exist. After a line `<!-- run -->` they run, and must
                         succeed.
"""

from __future__ import annotations

import importlib
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest

from aixi_approx import check_environment, make, solve
from aixi_approx.cli import COMMANDS, aixi, main
from aixi_approx.envs import ENVIRONMENTS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"(<!-- run -->\n)?^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LANGUAGES = {"python", "cython", "toml", "sh", "console", "text", "c", "bibtex"}
AS_ENVIRONMENTS = ("run", "play", "solve", "check", "scale", "envs")  # commands whose arguments are environments
GROUPS = {f"aixi_approx.{kind}" for kind in ("environments", "predictors", "planners", "rollouts")}


class Block(NamedTuple):
    """A fenced block of a page."""

    line: int
    language: str
    text: str
    runs: bool

    @property
    def file(self) -> str | None:
        """The file that its first line names."""
        found = re.match(r"# (\S+\.(?:py|pyx|toml))\n", self.text)
        return found[1] if found else None


def blocks(page: Path) -> list[Block]:
    """All blocks of a page that name a language."""
    text = page.read_text()
    return [Block(text[: m.start(3)].count("\n"), m[2], m[3], bool(m[1])) for m in BLOCK.finditer(text)]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def with_blocks(*languages: str) -> list[Any]:
    """The pages that have blocks of some languages."""
    return [pytest.param(p, id=name_of(p)) for p in PAGES if any(b.language in languages for b in blocks(p))]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to work in, whose modules are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    (tmp_path / "README.md").write_text("to be or not to be")
    (tmp_path / "benchmarks").symlink_to(ROOT / "benchmarks")
    yield tmp_path
    for module in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[module], "__file__", "")):
            del sys.modules[module]


def write(block: Block, place: Path) -> None:
    """Write a block to the file that it names; compile it if it is a kernel."""
    assert block.file is not None
    (place / block.file).write_text(block.text.removeprefix(f"# {block.file}\n"))
    importlib.invalidate_caches()
    if block.file.endswith(".pyx"):
        pytest.importorskip("Cython")
        compiled = [sys.executable, "-m", "Cython.Build.Cythonize", "--inplace", block.file]
        subprocess.run(compiled, cwd=place, check=True, capture_output=True)


def commands(block: Block) -> list[list[str]]:
    """The arguments of the lines of a block that call `aixi`."""
    found = []
    for line in block.text.replace("\\\n", " ").splitlines():
        called = re.match(r"\s*(?:\$ )?(?:\.venv/bin/)?aixi (.*?)(?:;.*)?$", line)
        if called and (block.language == "sh" or line.startswith("$")):
            found.append(shlex.split(called[1], comments=True))
    return found


def inline_commands(page: Path) -> list[list[str]]:
    """The arguments of `aixi ...` in the text of a page, as far as they are meant to be typed."""
    prose = BLOCK.sub("", page.read_text())
    spans = [" ".join(span.split()) for span in re.findall(r"`(aixi [^`]+)`", prose)]
    typed = [span for span in spans if not re.search(r"\b[A-Z]{3,}\b|\.\.\.", span)]
    return [shlex.split(span)[1:] if span.count(" ") > 1 else [span.split()[1], "--help"] for span in typed]


def check_command(arguments: list[str]) -> None:
    """Parse arguments as click does, without running the command."""
    name, *rest = arguments
    assert name in COMMANDS, f"aixi {name}"
    command = aixi.get_command(click.Context(aixi), name)
    assert command is not None
    if "--help" in rest:
        return
    for i, each in enumerate(rest):  # variables of the shell
        if each.startswith("$"):
            rest[i] = "4" if i and rest[i - 1].startswith("--") else "tiger"
    context = command.make_context(name, rest)
    named = [each for value in context.params.values() if isinstance(value, tuple) for each in value]
    named += [context.params.get("environment")]
    for each in named if name in AS_ENVIRONMENTS else []:
        if isinstance(each, str) and not re.search(r"\.(py|toml|POMDP)|/|^gym:|^open_spiel:", each):
            for part in each.split(">"):
                known = re.split("[:@?]", part.replace("_", "-"))[0]
                assert any(title.startswith(known) for title in ENVIRONMENTS) or known == "lake", each


def run(arguments: list[str]) -> Any:
    """Run a command; return its exit code."""
    try:
        main(arguments)
    except SystemExit as stop:
        return stop.code
    return 0


def test_every_block_is_of_a_known_language() -> None:
    for page in PAGES:
        assert {block.language for block in blocks(page)} <= LANGUAGES, name_of(page)
        assert page.read_text().count("<!-- run -->") == sum(block.runs for block in blocks(page)), name_of(page)


@pytest.mark.parametrize("page", with_blocks("python", "cython", "sh", "console"))
def test_programs_run(page: Path, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if page.name == "open_spiel.md":
        pytest.importorskip("pyspiel", reason="OpenSpiel is not installed: pip install open_spiel")
    namespace: dict[str, Any] = {"__name__": "page"}
    for block in blocks(page):
        if block.file and block.language in ("python", "cython"):
            write(block, place)
        elif block.language == "python":
            # As many empty lines in front as the page has, so that errors point at the line there.
            exec(compile("\n" * block.line + block.text, str(page), "exec"), namespace)
        elif block.runs:
            for arguments in commands(block):
                code = run(arguments)
                assert not code, (shlex.join(arguments), capsys.readouterr())


@pytest.mark.parametrize("page", [pytest.param(page, id=name_of(page)) for page in PAGES])
def test_commands_exist(page: Path, place: Path) -> None:
    shown = [
        arguments for block in blocks(page) if block.language in ("sh", "console") for arguments in commands(block)
    ]
    for arguments in [*shown, *inline_commands(page)]:
        try:
            check_command(arguments)
        except click.ClickException as error:
            pytest.fail(f"aixi {shlex.join(arguments)}: {error.format_message()}")


@pytest.mark.parametrize("page", with_blocks("toml"))
def test_studies_and_settings_are_toml(page: Path, place: Path) -> None:
    from aixi_approx.laboratory.study import read_study

    for block in blocks(page):
        if block.language == "toml":
            content = tomllib.loads(block.text)
            assert set(content.get("project", {}).get("entry-points", {})) <= GROUPS
            if block.file:
                write(block, place)
                assert read_study(place / block.file).environments


@pytest.mark.parametrize("page", [pytest.param(page, id=name_of(page)) for page in PAGES])
def test_links_and_programs_exist(page: Path) -> None:
    text = page.read_text()
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        file, _, heading = link.partition("#")
        if link.startswith("http"):
            continue
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        if heading:
            titles = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            assert heading in [re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles], (
                link
            )
    for program in re.findall(r"\b(?:benchmarks|tests|cli|ext|envs|aixi_approx)/[\w./-]+\.\w+", text):
        assert (ROOT / program).exists() or "ceiling" in program, program


@pytest.mark.parametrize("target", re.findall(r"^make (\w+)", (ROOT / "README.md").read_text(), re.MULTILINE))
def test_make_knows_the_targets(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_readme_is_short_and_lists_every_command() -> None:
    readme = (ROOT / "README.md").read_text()
    assert readme.count("\n") <= 250
    assert set(COMMANDS) <= set(re.findall(r"^aixi (\w+)", readme, re.MULTILINE))


@pytest.mark.parametrize("name", ["Lake", "Umbrella"])
def test_environments_of_your_own_are_short_and_pass_the_check(name: str, place: Path) -> None:
    (block,) = (b for b in blocks(ROOT / "docs/extending/environment.md") if f"class {name}(" in b.text)
    assert len([line for line in block.text.splitlines() if line.strip()]) < 23
    write(block, place)
    assert not [found for found in check_environment(f"{block.file}:{name}", 200) if found.result == "failed"]
    if name == "Lake":
        assert make(f"{block.file}:Lake:8").cells == 8
    else:
        assert solve(make(f"{block.file}:Umbrella")).lower == pytest.approx(-0.4)


def test_gymnasium_example_gives_the_first_observation(place: Path) -> None:
    (block,) = (b for b in blocks(ROOT / "docs/gymnasium.md") if "to_gymnasium" in b.text and b.language == "python")
    names: dict[str, Any] = {}
    exec(block.text, names)
    assert names["env"].reset(seed=1)[0] == 3

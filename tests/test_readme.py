"""What the README shows is true: its environments are what they say, and short."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aixi_approx import check_environment, make, solve
from aixi_approx.cli import COMMANDS
from aixi_approx.laboratory.study import read_study

README = (Path(__file__).parents[1] / "README.md").read_text()
CODE = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["Lake", "Umbrella"])
def test_environments_of_ones_own_are_short_and_pass_the_check(name: str, place: Path) -> None:
    (code,) = (block for block in CODE if f"class {name}(" in block)
    assert len([line for line in code.splitlines() if line.strip()]) < 20
    (place / "my_env.py").write_text(code)
    assert not [finding for finding in check_environment(f"my_env.py:{name}", cycles=200) if finding.result == "failed"]
    if name == "Lake":
        assert make("my_env.py:Lake:8").cells == 8
    else:
        assert solve(make("my_env.py:Umbrella")).lower == pytest.approx(-0.4)


def test_gymnasium_example_runs() -> None:
    (code,) = (block for block in CODE if "to_gymnasium" in block)
    names: dict[str, object] = {}
    exec(code, names)
    assert names["env"].reset(seed=1)[0] == 3


def test_every_command_is_listed() -> None:
    listed = set(re.findall(r"^    aixi (\w+) ", README, re.MULTILINE))
    assert set(COMMANDS) <= listed


def test_links_lead_somewhere() -> None:
    root = Path(__file__).parents[1]
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert link.startswith("http") or (root / link).exists(), link


def test_study_from_python_runs(place: Path) -> None:
    (code,) = (block for block in CODE if "Laboratory" in block)
    names: dict[str, object] = {}
    exec(code, names)
    assert names["laboratory"].missing() == {}


def test_study_file_is_one(place: Path) -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    (place / "my_study.toml").write_text(text)
    assert read_study(place / "my_study.toml").environments == ("locks:2", "tiger")

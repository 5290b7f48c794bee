"""The tutorial notebook runs, in a kernel of its own, and what it is stored with is what comes of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
TUTORIAL = ROOT / "docs" / "tutorial.ipynb"
OURS = ("<table style=", "<p style=", "learning <progress", "evaluation <progress")  # HTML of this package
MOST = 500_000  # bytes of the notebook

Cell = dict[str, Any]


def cells(path: Path, kind: str) -> list[Cell]:
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == kind]


def displayed(cell: Cell, kind: str) -> list[str]:
    """What a cell shows, of one kind."""
    return ["".join(each["data"][kind]) for each in cell["outputs"] if kind in each.get("data", ())]


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> list[Cell]:
    """The cells with code of the tutorial, run just now."""
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    target = tmp_path_factory.mktemp("tutorial") / "tutorial.ipynb"
    program = [sys.executable, str(ROOT / "tests" / "notebooks.py"), str(TUTORIAL), str(target)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return cells(target, "code")


def test_it_runs_and_shows_everything(executed: list[Cell]) -> None:
    for cell in executed:
        assert cell["outputs"], "a cell that shows nothing"
        for output in cell["outputs"]:
            assert output["output_type"] in ("execute_result", "display_data"), output
    shown = "".join(html for cell in executed for html in displayed(cell, "text/html"))
    for part in ("The best that any agent can reach in tiger", "Agent in tiger", "The decision of cycle 3,000"):
        assert part in shown, part
    for part in ("The reward depends on the action now", "coin-flip after 500 cycles", "dataframe", "Umbrella"):
        assert part in shown, part
    assert "3,000 of 3,000 cycles" in shown, "the bar has ended"
    texts = [text for cell in executed for text in displayed(cell, "text/plain")]
    assert not any("object at 0x" in text for text in texts)
    pictures = [displayed(cell, "image/png") for cell in executed]
    assert sum(map(len, pictures)) == 3
    before, after = (i for i, cell in enumerate(executed) if "draw(" in "".join(cell["source"]))
    (imported,) = (i for i, cell in enumerate(executed) if "pyplot" in "".join(cell["source"]))
    assert before < imported < after, "a figure shows with and without pyplot's own display"


def test_it_is_stored_with_what_comes_of_it(executed: list[Cell]) -> None:
    """Run `python tests/notebooks.py docs/tutorial.ipynb` after a change."""
    stored = cells(TUTORIAL, "code")
    assert len(stored) == len(executed)
    for old, new in zip(stored, executed, strict=True):
        assert old["source"] == new["source"]
        ours = [[html for html in displayed(cell, "text/html") if html.startswith(OURS)] for cell in (old, new)]
        assert ours[0] == ours[1], "".join(old["source"])
    text = TUTORIAL.read_text()
    assert len(text) < MOST
    assert "iopub" not in text, "no times"


def test_its_links_exist() -> None:
    text = "".join(line for cell in cells(TUTORIAL, "markdown") for line in cell["source"])
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    assert links
    for link in links:
        assert (TUTORIAL.parent / link).exists(), link

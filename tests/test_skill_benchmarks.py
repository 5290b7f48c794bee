"""The programs behind the results on skill run, each with its quick setting."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks" / "skill"
SHARED = ("pupil", "table", "untried")  # no programs


@pytest.mark.parametrize("program", sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in SHARED))
def test_a_program_prints_its_table(program: str, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    command = [sys.executable, str(FOLDER / f"{program}.py"), "--quick", "--rows", str(rows)]
    process = subprocess.run(command, capture_output=True, text=True, cwd=FOLDER.parents[1], timeout=300, check=False)
    assert process.returncode == 0, process.stderr
    assert "|---|" in process.stdout
    assert rows.read_text().count("\n") >= 2

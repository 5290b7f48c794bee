"""The pages of the environments: complete, true, and those of docs/environments.md."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from aixi_approx.cli import main
from aixi_approx.envs import ENVIRONMENTS, make
from aixi_approx.pomdp.solver import best_reward, solve

PAGES = Path(__file__).parents[1] / "docs" / "environments.md"


@pytest.fixture(scope="module")
def pages() -> str:
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        main(["envs", "--pages"])
    return printed.getvalue()


def test_the_file_is_what_the_command_prints(pages: str) -> None:
    assert PAGES.read_text() == pages, "aixi envs --pages > docs/environments.md"


def test_every_environment_has_a_page(pages: str) -> None:
    assert [name.partition(":")[0] for name in re.findall("^## (.*)$", pages, re.MULTILINE)] == list(ENVIRONMENTS)
    for page in re.split("^## ", pages, flags=re.MULTILINE)[1:]:
        for row in ("actions", "bits of a cycle", "hidden", "difficulty", "best achievable"):
            assert f"| {row} | " in page, page[:40]
        assert "Nobody has written" not in page
        assert page.count("```") == 2


def test_the_page_of_one(capsys: pytest.CaptureFixture[str]) -> None:
    main(["envs", "locks:2"])
    page = capsys.readouterr().out
    solution = solve(make("locks:2"))
    assert page.startswith("## locks:2\n")
    assert f"| best achievable | {solution.lower:.4f} |" in page
    assert f"3: {solution.receding_reward(3):.4g}" in page
    row = re.search(r"locks:3 \| 8 \| 10 \| (\S+) \| (\S+) \|", page)
    assert row is not None
    assert float(row[1]) == pytest.approx(make("locks:3").random_reward, abs=1e-4)
    assert float(row[2]) == pytest.approx(best_reward(make("locks:3")), abs=1e-4)


def test_a_name_and_all_pages_contradict_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in (["tiger", "--pages"], ["--pages", "--json"]):
        with pytest.raises(SystemExit) as stop:
            main(["envs", *wrong])
        assert stop.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1

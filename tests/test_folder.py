"""Folders of results: whose they are, and files that are there whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aixi_approx._version import __version__
from aixi_approx.execution.folder import JsonLines, open_folder


def test_lines(tmp_path: Path) -> None:
    lines = JsonLines(tmp_path / "lines.jsonl")
    assert lines.read() == []
    lines.append({"a": 1})
    with lines.path.open("a") as file:
        file.write('{"a": 2')  # not written whole
    assert lines.read() == [{"a": 1}]
    lines.append({"a": 3})
    assert lines.read() == [{"a": 1}, {"a": 3}]
    assert [json.loads(line) for line in lines.path.read_text().splitlines()] == lines.read()
    lines.path.write_text('{"a": 1}\nnonsense\n')
    with pytest.raises(ValueError, match=r"lines.jsonl, line 2: 'nonsense' is not a JSON object"):
        lines.read()


@pytest.mark.parametrize("manifest", [{"version": "0.3.0"}, {"version": "0.3.0", "study": {}, "more": 1}])
def test_another_version_is_named_before_what_it_does_not_have(manifest: dict, tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match=r"was written by version 0\.3\.0: ") as raised:
        open_folder(tmp_path / "study.json", "study", "study")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("content", ["", "{", "3", "[]", "{}", '{"study": {}}', '{"version": "VERSION"}'])
def test_what_is_no_manifest_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text(content.replace("VERSION", __version__))
    with pytest.raises(ValueError, match=r"study\.json is not the manifest of a study: name another folder$"):
        open_folder(tmp_path / "study.json", "study", "study")


def test_a_manifest_of_this_version_is_returned(tmp_path: Path) -> None:
    assert open_folder(tmp_path / "new" / "study.json", "study", "study") is None
    content = {"version": __version__, "study": {"seeds": 1}}
    (tmp_path / "new" / "study.json").write_text(json.dumps(content))
    assert open_folder(tmp_path / "new" / "study.json", "study", "study") == content

"""Folders of results: whose they are, and files that are there whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from aixi_approx._version import __version__
from aixi_approx.archive import replace_file
from aixi_approx.execution.folder import JsonLines, lock, open_folder, read_checked, write_atomically


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
    (tmp_path / "new").mkdir()
    write_atomically(tmp_path / "new" / "study.json", content)
    assert open_folder(tmp_path / "new" / "study.json", "study", "study") == content


CONTENT = {"version": __version__, "study": {"seeds": 1, "name": "a", "share": 0.25, "none": None}}


@pytest.mark.parametrize("indent", [None, 2])
def test_every_flipped_bit_and_every_truncation_is_noticed(indent: int | None, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_atomically(path, CONTENT, indent=indent)
    whole = path.read_bytes()
    damaged = [whole[:size] for size in range(len(whole) - 1)]  # without its last line end it is still whole
    for bit in range(8 * len(whole)):
        damaged.append(bytes(byte ^ (1 << bit % 8) * (i == bit // 8) for i, byte in enumerate(whole)))
    noticed = 0
    for content in damaged:
        path.write_bytes(content)
        try:
            found = read_checked(path)
        except ValueError:
            noticed += 1
        else:
            assert found == CONTENT  # what was hit is white space
    blank = sum(byte in b" \n" for byte in whole)
    assert noticed >= len(damaged) - 8 * blank


def test_a_folder_can_be_locked_once(tmp_path: Path) -> None:
    descriptor = lock(tmp_path / "new" / "folder")
    with pytest.raises(ValueError, match=r"another process writes to .*folder"):
        lock(tmp_path / "new" / "folder")
    os.close(descriptor)
    os.close(lock(tmp_path / "new" / "folder"))
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="file is a file: name another folder"):
        lock(tmp_path / "file")


def test_a_disk_that_is_full_is_told_with_the_name_of_the_file(tmp_path: Path) -> None:
    write_atomically(tmp_path / "x.json", CONTENT)
    with pytest.raises(OSError, match="No space left") as raised:
        replace_file(tmp_path / "x.json", lambda draft: Path("/dev/full").write_text("x" * 9999))
    assert raised.value.filename == str(tmp_path / "x.json")
    assert read_checked(tmp_path / "x.json") == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]

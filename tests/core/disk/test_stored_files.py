"""The reader bounds what it reads, and says in a sentence what it refuses."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.core.disk.stored_files import MAX_BYTES, DamagedFile, parse_json, read_json, read_yaml

REFUSED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a pipe": (os.mkfifo, "not a regular file"),
    "a folder": (Path.mkdir, "not a regular file"),
    "a loop of links": (lambda path: path.symlink_to(path.name), "can't be opened"),
    "empty": (Path.touch, "is empty"),
    "not UTF-8": (lambda path: path.write_bytes(b"\xff"), "not UTF-8 text"),
    "torn": (lambda path: path.write_text('{"a'), "not valid JSON"),
    "deep": (lambda path: path.write_text("[" * 102 + "]" * 102), "deeper than 100 levels"),
    "very deep": (lambda path: path.write_text("[" * 99_999), "deeper than 100 levels"),
    "large": (lambda path: path.open("wb").truncate(MAX_BYTES + 1), "at most 16,777,216"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused_by_name(case: str, tmp_path: Path) -> None:
    make, reason = REFUSED[case]
    path = tmp_path / "record.json"
    make(path)

    with pytest.raises(DamagedFile, match=reason) as refused:
        read_json(path)
    assert refused.value.detail.startswith("record.json ")


def test_what_the_wire_cannot_carry_is_replaced() -> None:
    text = '{"a": [1e999, NaN, -Infinity, %s, -%s, 1.5, 7], "b": "\\ud800x"}'

    found = parse_json(text % ("9" * 400, "9" * 5000))

    assert found == {"a": [None, None, None, None, None, 1.5, 7], "b": "?x"}
    assert parse_json("18446744073709551615") == 2**64 - 1
    assert parse_json("[1e999]", finite=False) == [float("inf")]


@pytest.mark.parametrize(
    "text",
    ["a: &a [*a]", "!!python/object/apply:os.getcwd []", "a: 2026-99-99", "[" * 999, "{"],
)
def test_yaml_is_plain_and_bounded(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DamagedFile):
        read_yaml(path)


def test_aliases_that_grow_without_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    lines = ["a: &a [1,1,1,1,1,1,1,1,1,1]"]
    for old, new in zip("abcdefg", "bcdefgh", strict=True):
        lines.append(f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]")
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(DamagedFile, match="more than 2,000,000 values"):
        read_yaml(path)

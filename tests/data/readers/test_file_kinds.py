"""Files of kinds that are not read are refused by what they are, with the way out."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from backend.data.readers.data_file import data_file, read_lines
from backend.data.rows.solutions import behind, mark_of
from backend.errors import BadContent


@pytest.mark.parametrize(
    ("content", "what", "remedy"),
    [
        (gzip.compress(b'{"text": "a"}\n', mtime=0), "packed with gzip", "gunzip 'rows.jsonl'"),
        (b"(\xb5/\xfd....", "packed with Zstandard", "unzstd"),
        (b"\xd0\xcf\x11\xe0....", "an Excel workbook", "CSV (UTF-8)"),
        (b"PAR1....", "a Parquet file", ".parquet"),
        ('{"text": "a"}\n'.encode("utf-16"), "UTF-16", "iconv -f UTF-16"),
        ('{"text": "one more"}\n'.encode("utf-16-le"), "UTF-16", "save it as UTF-8"),
        ('{"text": "one more"}\n'.encode("utf-16-be"), "UTF-16", "save it as UTF-8"),
        ('{"text": "a"}\n'.encode("utf-32"), "UTF-32", "save it as UTF-8"),
    ],
)
def test_a_file_of_another_kind_is_named_with_the_way_out(
    tmp_path: Path, content: bytes, what: str, remedy: str
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)

    with pytest.raises(BadContent) as refused:
        list(read_lines(path))

    assert what in refused.value.detail
    assert remedy.lower() in str(refused.value.hint).lower()


def test_a_workbook_is_told_from_another_archive(tmp_path: Path) -> None:
    for name, entry, what in (("a.xlsx", "xl/workbook.xml", "workbook"), ("b.zip", "a", "ZIP")):
        with zipfile.ZipFile(tmp_path / name, "w") as file:
            file.writestr(entry, "x")
        with pytest.raises(BadContent, match=what):
            list(read_lines(tmp_path / name))


@pytest.mark.parametrize("zeros", [b"", b"\0" * 40])
def test_text_with_zeros_is_no_utf_16(tmp_path: Path, zeros: bytes) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"text": "a"}\n' + zeros)

    assert next(line.row for line in read_lines(path)) == {"text": "a"}


def test_a_key_that_stands_twice_is_told(tmp_path: Path) -> None:
    for name, content in (
        ("a.jsonl", '{"text": "a", "text": "b"}\n'),
        ("a.json", '[{"text": "a", "text": "b"}]'),
    ):
        (tmp_path / name).write_text(content, encoding="utf-8")

        (line,) = read_lines(tmp_path / name)

        assert line.row == {"text": "b"}
        assert "the key 'text' stands twice" in line.readings[0]


def test_a_pasted_path_is_the_file_it_means(tmp_path: Path) -> None:
    path = tmp_path / "my rows.jsonl"
    path.write_text("", encoding="utf-8")
    address = path.as_uri()

    for given in (f'"{path}"', f"'{path}'", f"  {path}\n", address, f"'{address}'"):
        assert data_file(given) == path


@pytest.mark.parametrize(
    ("answer", "mark", "bare"),
    [
        ("we add\n#### 1,200", "####", "1,200"),
        ("so \\boxed{\\frac{1}{2}} it is", "\\boxed{", "\\frac{1}{2}"),
        ("<think>x</think><answer> 4 </answer>", "<answer>", "4"),
        ("We add. The answer is 4", "The answer is", "4"),
        ("the end ####", None, None),
        ("1200", None, None),
    ],
)
def test_a_solution_is_told_from_a_bare_answer(
    answer: str, mark: str | None, bare: str | None
) -> None:
    assert mark_of(answer) == mark
    if mark:
        assert behind(answer, mark) == bare

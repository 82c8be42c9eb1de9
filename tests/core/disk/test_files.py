from __future__ import annotations

import errno
import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from backend.core.disk.files import (
    SHOWN_LINE,
    JsonlTail,
    TextTail,
    append_jsonl,
    child_path,
    printable,
    read_tail,
    sha256_of,
    sweep_temporary,
    write_json,
    write_text,
    write_yaml,
)
from backend.errors import Invalid
from backend.settings import CHECKOUT

HYPOTHESIS = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


# -- writing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["write", "fsync", "replace", "open"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES])
def test_a_write_that_fails_anywhere_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    """F4, F5: the fault at each call in turn."""
    path = tmp_path / "record.json"
    write_json(path, {"old": True})

    def fail(*_: Any, **__: Any) -> Any:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(OSError, match=os.strerror(code)):
            write_json(path, {"new": "x" * 100_000})

    assert json.loads(path.read_text()) == {"old": True}
    assert [entry.name for entry in tmp_path.iterdir()] == ["record.json"]


def test_a_writer_killed_at_any_moment_leaves_old_or_new(tmp_path: Path) -> None:
    """F6, in small: G3 counts a thousand."""
    path = tmp_path / "record.json"
    write_json(path, {"value": "0" * 50_000})
    script = (
        "import sys\nfrom pathlib import Path\nfrom backend.core.disk.files import write_json\n"
        "print('go', flush=True)\n"
        "for n in range(10**9): write_json(Path(sys.argv[1]), {'value': str(n % 10) * 50_000})\n"
    )
    for _ in range(5):
        writer = subprocess.Popen(
            [sys.executable, "-c", script, str(path)], cwd=CHECKOUT, stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        before = path.stat().st_ino
        while path.stat().st_ino == before:
            os.sched_yield()
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        assert len(set(json.loads(path.read_text())["value"])) == 1
    sweep_temporary(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["record.json"]


def test_a_link_in_the_way_is_replaced_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    link = tmp_path / "record.json"
    link.symlink_to(victim)

    write_json(link, {})

    assert victim.read_text() == "precious"
    assert not link.is_symlink()


def test_written_files_are_private(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "text")
    append_jsonl(tmp_path / "b", {})
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_cannot_have_are_refused(tmp_path: Path, value: float) -> None:
    """T19."""
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"x": value})
    with pytest.raises(ValueError, match="JSON"):
        append_jsonl(tmp_path / "a.jsonl", {"x": value})
    assert list(tmp_path.iterdir()) == []


@HYPOTHESIS
@example(text="a\x85b")
@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_yaml(tmp_path: Path, text: str) -> None:
    """T13."""
    path = tmp_path / "config.yaml"
    write_yaml(path, {"adapter_name": text, "nested": {"keys": [text]}})
    assert yaml.safe_load(path.read_bytes()) == {"adapter_name": text, "nested": {"keys": [text]}}


def test_an_append_closes_off_a_line_that_a_crash_tore(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"a": 1}\n{"torn": ')
    append_jsonl(path, {"b": 2})
    assert JsonlTail(path).read() == [{"a": 1}, {"b": 2}]


# -- reading ------------------------------------------------------------------------------------


def test_a_stretch_without_a_good_line_does_not_end_the_reading(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"a": 1}\n' + b"not json\n" * 600_000 + b'{"b": 2}\n{"to')

    tail = JsonlTail(path)
    assert list(tail.read_all()) == [{"a": 1}, {"b": 2}]
    assert tail.offset == path.stat().st_size - len(b'{"to')


def test_a_jsonl_tail_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    tail = JsonlTail(path)
    assert tail.read() == [], "the file need not exist yet"
    append_jsonl(path, {"n": 1})
    assert tail.read() == [{"n": 1}]
    assert tail.read() == []
    with path.open("ab") as file:
        file.write(b'{"n": 2}\n{"n": ')
    assert tail.read() == [{"n": 2}]
    with path.open("ab") as file:
        file.write(b"3}\n")
    assert tail.read() == [{"n": 3}]
    assert JsonlTail(path, offset=tail.offset).read() == []


@pytest.mark.parametrize("bad", [b"\xff\xfe", b"{", b"not json", b"[" * 100_000, b"x" * 2_000_000])
def test_a_bad_line_is_skipped_and_counted(tmp_path: Path, bad: bytes) -> None:
    """F25."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"n": 1}\n' + bad + b'\n{"n": 2}\n')
    tail = JsonlTail(path)
    assert tail.read() == [{"n": 1}, {"n": 2}]
    assert tail.skipped == 1


@HYPOTHESIS
@given(data=st.binary(max_size=400), cuts=st.lists(st.integers(0, 400), max_size=6))
def test_a_log_read_in_pieces_has_the_lines_of_the_whole(
    tmp_path: Path, data: bytes, cuts: list[int]
) -> None:
    path = tmp_path / "train.log"
    path.write_bytes(data)
    tail = TextTail(path)
    whole = tail.read() + tail.flush()

    path.write_bytes(b"")
    tail, pieces, start = TextTail(path), [], 0
    for cut in sorted({min(cut, len(data)) for cut in cuts} | {len(data)}):
        with path.open("ab") as file:
            file.write(data[start:cut])
        pieces += tail.read()
        start = cut

    assert pieces + tail.flush() == whole
    assert read_tail(path, 1000)[0] == whole


def test_a_progress_bar_and_an_unfinished_line_are_lines(tmp_path: Path) -> None:
    """F24."""
    path = tmp_path / "train.log"
    path.write_bytes(b"\r10%\r20%\r\nnext\n\nlast")
    tail = TextTail(path)
    assert tail.read() == ["10%", "20%", "next", ""]
    assert tail.flush() == ["last"]
    assert tail.flush() == []


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_bytes(b"x" * 3_000_000)
    tail = TextTail(path)
    assert tail.read() == []
    assert len(tail._pending) <= SHOWN_LINE * 4
    assert len(tail.flush()[0]) == SHOWN_LINE


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\x1b[1;31mred\x1b[0m", "red"),
        (b"\x1b]0;title\x07x", "x"),
        (b"a\x00b\x07c\x08d\x7fe", "abcde"),
        (b"tab\there", "tab\there"),
        (b"\xff\xfe", "��"),
        ("ü 🐢".encode(), "ü 🐢"),
    ],
)
def test_a_shown_line_has_no_terminal_codes(raw: bytes, text: str) -> None:
    """T21."""
    assert printable(raw) == text


def test_the_tail_of_a_huge_log_is_read_from_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F23."""
    path = tmp_path / "train.log"
    with path.open("wb") as file:
        file.truncate(10 * 1024**3)
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + b"".join(b"line %d\n" % n for n in range(1000)))
    read = 0
    real: Callable[[int, int, int], bytes] = os.pread

    def counted(handle: int, size: int, offset: int) -> bytes:
        nonlocal read
        read += size
        return real(handle, size, offset)

    monkeypatch.setattr(os, "pread", counted)
    assert read_tail(path, 3)[0] == ["line 997", "line 998", "line 999"]
    assert read < 1024 * 1024


def test_a_missing_log_has_no_lines(tmp_path: Path) -> None:
    assert read_tail(tmp_path / "none", 5) == ([], 0)


def test_sha256_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_of(tmp_path / "a").startswith("ba7816bf8f01cfea")


# -- names --------------------------------------------------------------------------------------

BAD_NAMES = ["", ".", "..", "../x", "a/b", "/etc", "a\\b", ".hidden", "-x", "a\n", "a\0", "ü",
             "x" * 101, "%2e%2e", "a b", "~", "a:b", "a;b", "a\n../b"]  # fmt: skip


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_could_lead_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    """T9."""
    with pytest.raises(Invalid):
        child_path(tmp_path, name)


@pytest.mark.parametrize("name", ["a", "run_2026-01-01", "x.y", "A9", "x" * 100, "a..b"])
def test_a_plain_name_is_a_path_inside(tmp_path: Path, name: str) -> None:
    assert child_path(tmp_path, name) == tmp_path / name


def test_a_link_that_leads_out_is_refused_and_one_that_stays_is_not(tmp_path: Path) -> None:
    """T10."""
    root = tmp_path / "root"
    (root / "real").mkdir(parents=True)
    (root / "inner").symlink_to(root / "real")
    (root / "outer").symlink_to(tmp_path)
    (root / "loop").symlink_to(root / "loop")
    assert child_path(root, "inner") == root / "inner"
    for name in ("outer", "loop"):
        with pytest.raises(Invalid, match="leads out"):
            child_path(root, name)


def test_a_neighbour_with_the_same_beginning_is_outside(tmp_path: Path) -> None:
    (tmp_path / "root-evil").mkdir()
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "x").symlink_to(tmp_path / "root-evil")
    with pytest.raises(Invalid):
        child_path(tmp_path / "root", "x")

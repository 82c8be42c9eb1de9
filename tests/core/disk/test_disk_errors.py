"""Errors of the file system become refusals that name the path and the remedy."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from backend.core.disk.disk_errors import disk_refusal, disk_refusals, warn_of_full_disk
from backend.core.disk.files import format_bytes, write_text
from backend.errors import DiskUnusable, NoDiskSpace

PLACE = Path("/data")


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.ENOSPC, NoDiskSpace, "The disk is full: /data/x could not be written."),
        (errno.EDQUOT, NoDiskSpace, "The disk is full: /data/x could not be written."),
        (errno.EROFS, DiskUnusable, "The disk is read-only: /data/x could not be written."),
        (errno.EACCES, DiskUnusable, "Access to /data/x is denied: Permission denied."),
        (errno.ENODEV, DiskUnusable, "/data/x no longer exists: No such device."),
        (errno.EIO, DiskUnusable, "/data/x could not be read or written: Input/output error."),
    ],
)
def test_each_says_what_happened_and_where(number: int, kind: type, words: str) -> None:
    refusal = disk_refusal(OSError(number, os.strerror(number), "/data/x"))

    assert type(refusal) is kind
    assert refusal is not None
    assert refusal.detail == words
    assert refusal.hint


def test_the_place_is_named_where_the_error_names_no_path() -> None:
    refusal = disk_refusal(OSError(errno.ENOSPC, "No space left on device"), PLACE)

    assert refusal is not None
    assert refusal.detail == "The disk is full: a file in /data could not be written."


@pytest.mark.parametrize(
    "problem", [ConnectionResetError(errno.ECONNRESET, "reset"), TimeoutError(), OSError("odd")]
)
def test_what_concerns_no_file_is_no_refusal(problem: OSError) -> None:
    assert disk_refusal(problem, PLACE) is None
    with pytest.raises(type(problem)), disk_refusals(PLACE):
        raise problem


def test_a_failed_write_names_the_file_and_not_its_temporary_one(tmp_path: Path) -> None:
    with pytest.raises(OSError) as caught:
        write_text(tmp_path / "nowhere" / "a.txt", "x")

    assert caught.value.filename == str(tmp_path / "nowhere" / "a.txt")


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (40_000, "40 kB"),
        (999_700, "1.0 MB"),
        (2_560_000, "2.6 MB"),
        (9_960_000, "10 MB"),
        (44_000_000, "44 MB"),
        (999_600_000, "1.0 GB"),
        (20_480_000_000, "20.5 GB"),
        (10**18, "1,000,000,000.0 GB"),
    ],
)
def test_sizes_are_never_rounded_to_nothing(size: int, words: str) -> None:
    assert format_bytes(size) == words


@pytest.mark.parametrize(("free", "told"), [(0, "0 B are free"), (10**9, "")])
def test_a_full_disk_is_told_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, free: int, told: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))

    warn_of_full_disk(PLACE)

    assert bool(caplog.text) == bool(told)
    assert told in caplog.text

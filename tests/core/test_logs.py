from __future__ import annotations

import errno
import json
import logging
import os
import sys
from collections.abc import Iterator
from io import StringIO
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, cast

import pytest

from backend.core.logs import redact, write_log_to


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers[:], root.level = handlers, level


def entries(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / "backend.log").read_text().splitlines()]


def test_a_name_with_a_newline_is_one_record(root: logging.Logger, tmp_path: Path) -> None:
    """T21."""
    write_log_to(tmp_path)
    logging.getLogger("x").info("deleted %s", 'a\n{"level": "ERROR"}\x1b[31m')
    (entry,) = entries(tmp_path)
    assert entry["level"] == "INFO"
    assert "\n" in entry["message"]


def test_the_log_is_private(root: logging.Logger, tmp_path: Path) -> None:
    write_log_to(tmp_path / "logs")
    assert (tmp_path / "logs" / "backend.log").stat().st_mode & 0o777 == 0o600


def test_a_traceback_is_in_the_file(root: logging.Logger, tmp_path: Path) -> None:
    write_log_to(tmp_path)
    try:
        raise ValueError("inside")
    except ValueError:
        logging.getLogger("x").exception("outside")
    assert "ValueError: inside" in entries(tmp_path)[0]["trace"]


@pytest.mark.parametrize(
    "text",
    [
        "token hf_SECRETSECRETSECRET used",
        "GET /ws?token=SECRETSECRETSECRET&since=1",
        "Authorization: Bearer SECRETSECRETSECRET",
        "{'authorization': 'SECRETSECRETSECRET'}",
    ],
)
def test_secrets_are_taken_out(text: str) -> None:
    """T23."""
    assert "SECRET" not in redact(text)


def test_a_log_folder_that_cannot_be_written_is_no_reason_to_stop(
    root: logging.Logger, tmp_path: Path
) -> None:
    """F34."""
    (tmp_path / "logs").write_text("a file in the way")
    write_log_to(tmp_path / "logs")
    logging.getLogger("x").info("still here")


def test_a_log_on_a_full_disk_is_told_once_and_goes_on_when_there_is_room(
    root: logging.Logger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_log_to(tmp_path)
    (file,) = (one for one in root.handlers if isinstance(one, RotatingFileHandler))
    whole = file.stream
    file.stream = cast("Any", FullDisk())
    for number in range(3):
        logging.getLogger("x").info("lost %d", number)
    file.stream = whole
    logging.getLogger("x").info("there again")

    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "backend.log can't be written" in said
    assert [entry["message"] for entry in entries(tmp_path)] == ["there again"]


def test_a_terminal_that_is_a_file_on_a_full_disk_costs_nothing(
    root: logging.Logger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", FullDisk())
    write_log_to(tmp_path)

    logging.getLogger("x").warning("still here")

    assert [entry["message"] for entry in entries(tmp_path)] == ["still here"]


class FullDisk(StringIO):
    def write(self, _: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_pipe_in_place_of_the_log_is_not_waited_for(root: logging.Logger, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "backend.log")
    write_log_to(tmp_path)
    root.warning("The server goes on.")
    assert len(root.handlers) == 1

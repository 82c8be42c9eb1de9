"""What an evaluation's folder holds beside what every job's does: its rows and its report."""

from __future__ import annotations

import json
from pathlib import Path

from backend.contract.record import write_record
from backend.core.disk.files import write_bytes
from backend.core.disk.stored_files import read_text
from backend.evaluation.rows import ChosenRows
from backend.jobs.lifecycle.folder import JobFolder

ROWS, REPORT, LOG = "rows.jsonl", "report.md", "evaluate.log"
_LARGEST_REPORT = 64 * 1024 * 1024


def write_rows(folder: Path, rows: ChosenRows) -> None:
    """The rows that are asked, with their line in the file and whether a run has seen them."""
    lines = (json.dumps(write_record(row), ensure_ascii=False) for row in rows.rows)
    write_bytes(folder / ROWS, "".join(line + "\n" for line in lines).encode())


def read_report(folder: JobFolder) -> str | None:
    """The page of Markdown; None without one. Raises DamagedFile when it can't be read."""
    try:
        return read_text(folder.path / REPORT, most=_LARGEST_REPORT)
    except FileNotFoundError:
        return None

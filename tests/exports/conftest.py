"""The table of results, written when the suite ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend.contract.export.request import ExportRequest
from tests.engines.export.exporting import run
from tests.house.sources import CHECKOUT

Record = Callable[..., None]


@pytest.fixture(scope="session")
def record() -> Iterator[Record]:
    """Called with the cells of a row: format, program, architecture, what was compared, result."""
    rows: list[tuple[str, ...]] = []
    yield lambda *cells: rows.append(cells)
    head = ("format", "program", "architecture", "compared", "result")
    lines = [head, ("---",) * len(head), *sorted(rows)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    Path(CHECKOUT / "test-results" / "exports.md").write_text(table + "\n", encoding="utf-8")


@pytest.fixture
def run_export(tmp_path: Path) -> Callable[[ExportRequest], None]:
    """Runs a whole export, its smoke test too; it must complete."""

    def run_it(asked: ExportRequest) -> None:
        assert run(tmp_path, asked).state == "completed"

    return run_it

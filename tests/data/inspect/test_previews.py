"""Which row a preview shows, and that the file is read once for it and for its neighbours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.data.inspect import previews
from backend.data.inspect.previews import WINDOW, Previews
from backend.data.readers.data_file import read_lines
from backend.data.rows.line import Line
from backend.data.schemas import PreviewRequest
from backend.errors import NotFound
from backend.settings import read_settings
from tests.training.requests import model

ROWS = 40


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Previews, list[Path]]]:
    """Rows in every second line: row N is in line 2 N."""
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f"\n{json.dumps({'text': f'row {n + 1}'})}\n" for n in range(ROWS)))
    reads: list[Path] = []

    def read(path: Path) -> Iterator[Line]:
        reads.append(path)
        return read_lines(path)

    async def ask(_settings: object, asked: dict[str, Any], **_: Any) -> dict[str, Any]:
        told = {"ids": [1], "texts": ["x"], "special": [False], "total": 1, "spans": [[0, 1]],
                "omitted": [], "unlearnable": None}  # fmt: skip
        return {"rows": [{**told, "text": row["text"]} for row in asked["rows"]]}

    monkeypatch.setattr(previews, "read_lines", read)
    monkeypatch.setattr(previews, "ask_tokens", ask)
    yield Previews(read_settings(data_dir=str(tmp_path))), reads


async def show(previews: Previews, folder: Path, **place: int) -> tuple[int, int, str, bool]:
    request = PreviewRequest(path=str(folder / "rows.jsonl"), model="tiny", **place)
    found = await previews.show(request, model(path=str(folder)))
    return found.row, found.line, found.text, found.last


async def test_a_row_and_its_neighbours_cost_one_reading(
    shown: tuple[Previews, list[Path]], tmp_path: Path
) -> None:
    at, reads = shown

    for row in (3, 1, WINDOW, 2):
        assert await show(at, tmp_path, row=row) == (row, 2 * row, f"row {row}", False)
    assert len(reads) == 1

    # Lines without a row stand for the next that has one, at the border of a window too.
    assert await show(at, tmp_path, line=2 * WINDOW + 1) == (
        WINDOW + 1, 2 * WINDOW + 2, f"row {WINDOW + 1}", False,
    )  # fmt: skip
    assert await show(at, tmp_path, line=2 * WINDOW + 4) == (
        WINDOW + 2, 2 * WINDOW + 4, f"row {WINDOW + 2}", False,
    )  # fmt: skip
    assert len(reads) == 2
    assert await show(at, tmp_path, row=ROWS) == (ROWS, 2 * ROWS, f"row {ROWS}", True)


@pytest.mark.parametrize("place", [{"row": ROWS + 1}, {"line": 2 * ROWS + 1}])
async def test_a_row_behind_the_last_is_not_there(
    place: dict[str, int], shown: tuple[Previews, list[Path]], tmp_path: Path
) -> None:
    with pytest.raises(NotFound, match=str(next(iter(place.values())))):
        await show(shown[0], tmp_path, **place)

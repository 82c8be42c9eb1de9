"""Documents that are tables: their rows are those that were put in, or the way out is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.data.readers import json_document
from backend.data.readers.data_file import read_lines

ROWS = [{"prompt": f"what {n}?", "completion": f"river {n}"} for n in range(3)]
COLUMNS = {name: {str(n): row[name] for n, row in enumerate(ROWS)} for name in ROWS[0]}


def read(path: Path, document: Any, **style: Any) -> list[dict[str, Any] | None]:
    path.write_text(json.dumps(document, **style))
    return [line.row for line in read_lines(path)]


@pytest.mark.parametrize("style", [{}, {"indent": 2}])
@pytest.mark.parametrize(
    "document",
    [
        COLUMNS,
        {name: list(column.values()) for name, column in COLUMNS.items()},
        {str(n): row for n, row in enumerate(ROWS)},
        {"columns": [*ROWS[0]], "index": [0, 1, 2], "data": [list(row.values()) for row in ROWS]},
        {"schema": {"fields": []}, "data": ROWS},
    ],
)
def test_each_orient_of_pandas_has_its_rows(
    document: Any, style: dict[str, Any], tmp_path: Path
) -> None:
    assert read(tmp_path / "rows.json", document, **style) == ROWS


def test_one_conversation_is_one_row_and_no_table_of_its_turns(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]

    for row in ({"messages": turns}, {"prompt": turns[:1], "completion": turns[1:]}):
        assert len(read(tmp_path / "rows.json", row, indent=1)) == 1


def test_a_table_that_is_too_large_says_how_to_write_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_document, "MOST_BYTES", 10)
    (tmp_path / "rows.json").write_text(json.dumps(COLUMNS, indent=1))

    (line,) = read_lines(tmp_path / "rows.json")

    assert "orient='records', lines=True" in str(line.problem)

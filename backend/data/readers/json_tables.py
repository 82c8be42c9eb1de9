"""The rows of one JSON object that is a table: rows by their index, columns of values, or one row.

Such a table is written column by column, so it is held in memory: only of small files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backend.data.rows.formats import detect
from backend.data.rows.normaliser import normalise
from backend.data.rows.turns import is_turn, listed

Row = dict[str, Any]
MOST_BYTES = 64 * 1024 * 1024
_INDEX = "an object of rows by their index, as pandas writes it, is read as those rows"
_COLUMNS = "an object of columns, as pandas and Dataset.to_dict write it, is read as rows"


def table_rows(table: Mapping[str, Any]) -> tuple[Sequence[Row], str] | None:
    """The rows of a table, and how it is read; None where the object is no table."""
    values = list(table.values())
    if not values:
        return None
    if all(isinstance(value, dict) for value in values) and _is_row(values[0]):
        return values, _INDEX
    rows = _from_columns(table)
    if rows and _is_row(rows[0]):
        return rows, _COLUMNS
    return None


def _is_row(value: Row) -> bool:
    return detect(normalise(value)[0]) != "unknown"


def _from_columns(table: Mapping[str, Any]) -> Sequence[Row] | None:
    """Columns are lists of one length, or objects with the same keys: the index."""
    columns = list(table.values())
    if all(isinstance(column, dict) for column in columns):
        index = list(columns[0])
        if any(list(column) != index for column in columns):
            return None
        return [{name: column[at] for name, column in table.items()} for at in index]
    if any(isinstance(column, list) and any(map(is_turn, column)) for column in columns):
        return None  # One row, whose turns these are.
    rows = listed(dict(table))
    return rows if isinstance(rows, list) else None

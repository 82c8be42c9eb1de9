"""Values of a Parquet file as JSON has them."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

_AS_TEXT = (date, time, timedelta, Decimal, UUID)


def plain(value: Any) -> Any:
    """A value as JSON has it. Unset fields of an object are left out, as JSON lines would have
    them: a Parquet column has a place for every field in every row. NaN is a number unset.
    """
    if isinstance(value, dict):
        # A message that calls a tool says nothing, and templates ask for its content.
        items = {
            name: item for name, item in value.items() if item is not None or name == "content"
        }
        return {str(name): plain(item) for name, item in items.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    return str(value) if isinstance(value, _AS_TEXT) else value


def plain_row(row: dict[str, Any]) -> dict[str, Any]:
    """A row of a table without its unset columns."""
    items = {name: plain(item) for name, item in row.items()}
    return {name: item for name, item in items.items() if item is not None}

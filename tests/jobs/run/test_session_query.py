"""What is asked of the list of sessions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.jobs.run.legacy_records import problem_summary, search_text, to_summary
from backend.jobs.run.session_order import Row
from backend.jobs.run.session_query import (
    SessionQuery,
    SortKey,
    choices,
    rows_after,
    search_words,
    select,
)
from backend.jobs.run.state import RunState

START = datetime(2026, 1, 1, tzinfo=UTC)


def row(name: str, **fields: Any) -> Row:
    loss = fields.pop("loss", None)
    raw: dict[str, Any] = {
        "schema_version": 1,
        "timestamp": START.isoformat(),
        "training_state": "completed",
        "config": {"model_path": "/models/Tiny", "adapter_name": f"{name}_adapter"},
        "metrics": {"train_loss": loss, "current_step": 5},
        "best_model": {"value": loss, "metric": "val_loss", "step": 1},
        **fields,
    }
    summary = to_summary(raw, name)
    return Row((0, 0, 0), summary, None, search_text(raw, summary))


def names(rows: list[Row] | None) -> list[str]:
    assert rows is not None
    return [each.summary.session_id for each in rows]


ROWS = [
    row("c", loss=0.5, tags=["keep"], method="grpo", notes="Captain’s log"),
    row("b", loss=None, training_state="error", exit={"message": "Out of memory"}),
    row("a", loss=0.25, pinned=True, config={"model_path": "/m/Big", "adapter_name": "zed"}),
]
BROKEN = Row((0, 0, 0), problem_summary("x", "x is empty.", START), None, "x is empty.")


@pytest.mark.parametrize(
    ("sort", "descending", "expected"),
    [
        ("date", True, "cba"),
        ("date", False, "abc"),
        ("best", False, "acb"),
        ("best", True, "cab"),
        ("train", False, "acb"),
        ("name", False, "bca"),
        ("model", False, "acb"),
        ("state", False, "cab"),
    ],
)
def test_what_is_unknown_comes_last_in_either_order(
    sort: SortKey, descending: bool, expected: str
) -> None:
    found = select(ROWS, SessionQuery(sort=sort, descending=descending))
    assert "".join(names(found)) == expected


def test_pinned_sessions_come_first_where_asked() -> None:
    assert names(select(ROWS, SessionQuery(pinned_first=True))) == ["a", "c", "b"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"states": frozenset({RunState.ERROR})}, ["b"]),
        ({"method": "grpo"}, ["c"]),
        ({"model": "Big"}, ["a"]),
        ({"tag": "keep"}, ["c"]),
        ({"words": search_words("LOG captain")}, ["c"]),
        ({"words": search_words("out of memory")}, ["b"]),
        ({"words": ("nothing",)}, []),
    ],
)
def test_filters_choose_by_what_a_session_has(asked: dict[str, Any], expected: list[str]) -> None:
    assert names(select(ROWS, SessionQuery(**asked))) == expected


def test_a_damaged_record_passes_every_filter_of_states() -> None:
    found = select([*ROWS, BROKEN], SessionQuery(states=frozenset({RunState.ERROR})))
    assert names(found) == ["b", "x"]


def test_a_page_goes_on_after_a_session_that_has_left_the_filter() -> None:
    query = SessionQuery(sort="name", descending=False, states=frozenset({RunState.COMPLETED}))
    assert names(rows_after(ROWS, query, "b")) == ["c", "a"]
    assert names(rows_after(ROWS, query, "c")) == ["a"]
    assert rows_after(ROWS, query, "gone") is None


def test_the_choices_are_what_the_sessions_have() -> None:
    found = choices([*ROWS, BROKEN])
    assert (found.methods, found.models, found.tags) == (["grpo", "sft"], ["Big", "Tiny"], ["keep"])


def test_a_query_of_ten_thousand_is_quick_enough_to_type_in() -> None:
    many = [row(f"s{number}", loss=number % 97 / 7) for number in range(2000)] * 5
    started = datetime.now(UTC)
    select(many, SessionQuery(sort="best", words=("adapter", "tiny"), pinned_first=True))
    assert datetime.now(UTC) - started < timedelta(seconds=1)

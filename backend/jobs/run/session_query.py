"""What is asked of the list of sessions: which ones, in which order. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from backend.jobs.run.schemas import SessionChoices, SessionSummary
from backend.jobs.run.session_order import Row
from backend.jobs.run.state import RunState

SortKey = Literal[
    "date", "name", "state", "method", "model", "train", "validation", "best", "steps", "duration"
]
Value = str | float | None

# What is not known has no place in an order: it comes last, whichever way is sorted.
_VALUES: dict[SortKey, Callable[[SessionSummary], Value]] = {
    "name": lambda row: shown_name(row).lower(),
    "state": lambda row: row.training_state,
    "method": lambda row: row.method,
    "model": lambda row: row.model_name.lower() if row.model_name else None,
    "train": lambda row: row.final_train_loss,
    "validation": lambda row: row.final_val_loss,
    "best": lambda row: row.best_val_loss,
    "steps": lambda row: row.steps_completed,
    "duration": lambda row: row.duration_seconds,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionQuery:
    """Filters and order. `words` are searched in any order over all that a row has as text; a
    record that can't be read passes every filter of states, so that it is not overlooked.
    """

    sort: SortKey = "date"
    descending: bool = True
    pinned_first: bool = False
    states: frozenset[RunState] = frozenset()
    method: str | None = None
    model: str | None = None
    tag: str | None = None
    words: tuple[str, ...] = ()

    @property
    def filters(self) -> bool:
        """Whether any row can be left out."""
        return bool(self.states or self.words or self.method or self.model or self.tag)

    def admits(self, row: Row) -> bool:
        summary = row.summary
        if self.states and summary.problem is None and summary.training_state not in self.states:
            return False
        if self.method and summary.method != self.method:
            return False
        if self.model and summary.model_name != self.model:
            return False
        if self.tag and self.tag not in summary.tags:
            return False
        return all(word in row.text for word in self.words)


def search_words(text: str) -> tuple[str, ...]:
    """The words of a search, as they are compared: without case."""
    return tuple(text.lower().split())


def select(rows: Sequence[Row], query: SessionQuery) -> list[Row]:
    """The rows that are asked for, in their order. `rows` are newest first, and stay so where the
    order leaves it open.
    """
    chosen = [row for row in rows if query.admits(row)] if query.filters else list(rows)
    if query.sort == "date":
        known = [row for row in chosen if row.summary.timestamp is not None]
        unknown = [row for row in chosen if row.summary.timestamp is None]
        if not query.descending:
            known.reverse()
    else:
        value = _VALUES[query.sort]
        keyed = [(value(row.summary), row) for row in chosen]
        pairs = [(key, row) for key, row in keyed if key is not None]
        pairs.sort(key=lambda pair: pair[0], reverse=query.descending)
        known = [row for _, row in pairs]
        unknown = [row for key, row in keyed if key is None]
    ordered = known + unknown
    if query.pinned_first and any(row.summary.pinned for row in rows):
        ordered.sort(key=lambda row: not row.summary.pinned)
    return ordered


def rows_after(rows: Sequence[Row], query: SessionQuery, cursor: str) -> list[Row] | None:
    """The rows that come after a session, whether or not it is still among those asked for; None
    when there is no such session.
    """
    last = next((row for row in rows if row.summary.session_id == cursor), None)
    if last is None:
        return None
    ordered = select(rows, query)
    if last not in ordered:  # It has changed since: its place is where it would stand.
        plain = SessionQuery(
            sort=query.sort, descending=query.descending, pinned_first=query.pinned_first
        )
        admitted = {row.summary.session_id for row in ordered} | {cursor}
        ordered = [row for row in select(rows, plain) if row.summary.session_id in admitted]
    return ordered[ordered.index(last) + 1 :]


def choices(rows: Sequence[Row]) -> SessionChoices:
    """The methods, models and tags that there are, to filter by."""
    return SessionChoices(
        methods=sorted({row.summary.method for row in rows if row.summary.method}),
        models=sorted({row.summary.model_name for row in rows if row.summary.model_name}),
        tags=sorted({tag for row in rows for tag in row.summary.tags}),
    )


def shown_name(summary: SessionSummary) -> str:
    return summary.name or summary.adapter_name or summary.session_id

"""Records of one version read by another, and bad ones named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from backend.contract.record import BadRecord, read_record, write_record


@dataclass(frozen=True, kw_only=True)
class Inner:
    name: str
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Outer:
    kind: Literal["a", "b"]
    inner: tuple[Inner, ...]
    limit: int | None = None
    scores: Mapping[str, float | None] = field(default_factory=dict)
    extra: Any = None


def test_a_record_survives_json() -> None:
    record = Outer(
        kind="a", inner=(Inner(name="x", weight=0.5),), limit=3, scores={"f1": None, "em": 0.5}
    )

    assert read_record(Outer, json.loads(json.dumps(write_record(record)))) == record


def test_unknown_fields_are_passed_over_and_defaults_filled_in() -> None:
    value = {"kind": "b", "inner": [{"name": "x", "since_next_version": 1}], "new": True}

    assert read_record(Outer, value) == Outer(kind="b", inner=(Inner(name="x"),))


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"inner": []}, "Outer.kind is missing"),
        ({"kind": "c", "inner": []}, r"Outer.kind is 'c', not one of 'a', 'b'"),
        ({"kind": "a", "inner": [{"name": 3}]}, r"Outer.inner\[0\].name is int, not str"),
        ({"kind": "a", "inner": {}}, "Outer.inner is dict, not a list"),
        ({"kind": "a", "inner": [], "limit": True}, "Outer.limit is bool, not int"),
        ({"kind": "a", "inner": [], "scores": {"f1": "x"}}, "Outer.scores.f1 is str, not float"),
        ([], "Outer is list, not an object"),
    ],
)
def test_what_does_not_fit_is_named(value: object, named: str) -> None:
    with pytest.raises(BadRecord, match=named):
        read_record(Outer, value)


@dataclass(frozen=True, kw_only=True)
class Placed:
    at: datetime | None = None
    best: tuple[int, float] | None = None


def test_times_and_pairs_are_read() -> None:
    read = read_record(Placed, {"at": "2026-12-01T12:00:00Z", "best": [3, 1]})

    assert read == Placed(at=datetime(2026, 12, 1, 12, tzinfo=UTC), best=(3, 1.0))
    with pytest.raises(BadRecord, match=r"Placed\.at is 'soon', not a time"):
        read_record(Placed, {"at": "soon"})
    with pytest.raises(BadRecord, match=r"Placed.best is \[3\], not a list of 2"):
        read_record(Placed, {"best": [3]})

"""The index is derived: quick to read, and never believed against a record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.jobs.run import session_index
from backend.jobs.run.legacy_records import read_raw
from backend.jobs.run.store import SessionStore


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "sessions").mkdir()
    for number in range(3):
        put(tmp_path, f"s{number}", notes=f"note {number}")
    return tmp_path


def put(root: Path, name: str, **fields: Any) -> Path:
    path = root / "sessions" / f"session_{name}.json"
    path.write_text(json.dumps({"schema_version": 1, "training_state": "completed", **fields}))
    return path


def opened(root: Path) -> SessionStore:
    store = SessionStore(root / "sessions", root / "adapters", index=root / ".cache" / "s.json")
    store.open()
    return store


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The records that were read, by name."""
    names: list[str] = []

    def counted(path: Path) -> dict[str, Any]:
        names.append(path.name)
        return read_raw(path)

    monkeypatch.setattr("backend.jobs.run.store.read_raw", counted)
    return names


def shown(store: SessionStore) -> dict[str, str]:
    return {row.session_id: row.notes for row in store.page(10, None).sessions}


def test_the_next_start_reads_only_what_has_changed(root: Path, reads: list[str]) -> None:
    first = opened(root)
    first.page(10, None)
    first.close()
    put(root, "s1", notes="changed while nobody looked")
    (root / "sessions" / "session_s2.json").unlink()
    put(root, "new", notes="new")
    reads.clear()

    second = opened(root)

    assert shown(second) == {"s0": "note 0", "s1": "changed while nobody looked", "new": "new"}
    assert sorted(reads) == ["session_new.json", "session_s1.json"]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"form": 1}', "\x00" * 50])
def test_an_index_that_cannot_be_used_is_made_anew(root: Path, damage: str) -> None:
    first = opened(root)
    first.page(10, None)
    first.close()
    (root / ".cache" / "s.json").write_text(damage)

    again = opened(root)

    assert shown(again) == {f"s{number}": f"note {number}" for number in range(3)}
    again.close()
    assert json.loads((root / ".cache" / "s.json").read_text())["rows"]


def test_the_index_of_another_folder_or_version_is_not_used(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first = opened(root)
    first.page(10, None)
    first.close()
    moved = tmp_path_factory.mktemp("moved")
    (root / "sessions").rename(moved / "sessions")
    (root / ".cache").rename(moved / ".cache")
    put(moved, "s0", notes="edited")

    assert shown(opened(moved))["s0"] == "edited"


def test_the_index_is_written_while_the_server_lives(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is killed loses little of it."""
    monkeypatch.setattr(session_index, "SAVE_EVERY", 3)
    opened(root).page(10, None)
    assert (root / ".cache" / "s.json").exists()


def test_an_index_that_cannot_be_written_costs_nothing_but_time(root: Path) -> None:
    (root / ".cache").write_text("in the way")
    store = opened(root)
    assert len(shown(store)) == 3
    store.close()

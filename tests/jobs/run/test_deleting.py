"""What deleting a session takes with it, and what it leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.core.disk.trash import Trash
from backend.errors import NotFound
from backend.jobs.run.store import SessionStore
from tests.jobs.run.test_store import record


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    made = SessionStore(tmp_path / "sessions", tmp_path / "adapters")
    made.open()
    return made


def test_deleting_keeps_the_adapter_unless_asked(store: SessionStore) -> None:
    store.save(record("one"))
    adapter = adapter_of(store, "one", session_id="one")
    run = store.folder("one")
    run.mkdir()
    (run / "events.jsonl").write_text("")

    store.delete("one", files=False)

    assert not run.exists()
    assert adapter.exists()
    with pytest.raises(NotFound):
        store.read("one")


def test_a_deleted_record_comes_back_with_its_run_folder(
    store: SessionStore, tmp_path: Path
) -> None:
    trash = Trash(tmp_path)
    store.save(record("one"))
    before = store.read("one")
    run = store.folder("one")
    run.mkdir()
    (run / "events.jsonl").write_text("")

    undo = store.delete("one", files=False, trash=trash).undo
    assert store.summaries() == []
    assert undo is not None
    trash.restore(undo)

    assert store.read("one") == before
    assert (run / "events.jsonl").exists()
    assert [row.session_id for row in store.summaries()] == ["one"]


def test_deleting_with_files_deletes_the_adapter_it_wrote(store: SessionStore) -> None:
    store.save(record("one"))
    adapter = adapter_of(store, "one", session_id="one")
    store.delete("one", files=True)
    assert not adapter.exists()


def test_an_adapter_that_another_session_wrote_since_is_kept(store: SessionStore) -> None:
    store.save(record("one"))
    adapter = adapter_of(store, "one", session_id="two")
    store.delete("one", files=True)
    assert adapter.exists()


def adapter_of(store: SessionStore, name: str, *, session_id: str) -> Path:
    folder = store.adapters_dir / f"adapter_{name}"
    folder.mkdir()
    (folder / "droid.json").write_text(json.dumps({"session_id": session_id}))
    return folder


def test_deleting_a_link_leaves_what_it_points_to(store: SessionStore, tmp_path: Path) -> None:
    """T10."""
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "precious").write_text("data")
    (victim / "record.json").write_text('{"training_state": "completed"}')
    (store.sessions_dir / "session_evil.json").symlink_to(victim / "record.json")
    (store.sessions_dir / "evil").symlink_to(victim)

    store.delete("evil", files=True)

    assert sorted(path.name for path in victim.iterdir()) == ["precious", "record.json"]
    assert list(store.sessions_dir.iterdir()) == []

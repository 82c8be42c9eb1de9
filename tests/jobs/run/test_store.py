from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.errors import BadContent, NotFound
from backend.jobs.run.schemas import SessionChange, SessionRecord
from backend.jobs.run.state import RunState
from backend.jobs.run.store import SessionStore

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    made = SessionStore(tmp_path / "sessions", tmp_path / "adapters")
    made.open()
    return made


def record(session_id: str, *, minutes: int = 0, **fields: Any) -> SessionRecord:
    values: dict[str, Any] = {
        "session_id": session_id,
        "timestamp": START + timedelta(minutes=minutes),
        "training_state": RunState.COMPLETED,
        "state": RunState.COMPLETED,
        "config": {"model_path": "/models/tiny", "adapter_name": f"adapter_{session_id}"},
        **fields,
    }
    return SessionRecord(**values)


def put(store: SessionStore, session_id: str, content: Any) -> Path:
    path = store.sessions_dir / f"session_{session_id}.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


LEGACY = {
    "session_id": "11111111-2222-3333-4444-555555555555",
    "timestamp": "2025-08-01T10:00:00.123456",
    "training_state": "completed",
    "config": {
        "model_path": "/artifacts/base_model/Qwen2.5-0.5B",
        "adapter_name": "old_adapter",
        "learning_rate": 1e-5,
    },
    "metrics": {
        "current_step": 100, "total_steps": 100, "train_loss": 1.25, "val_loss": 1.5,
        "learning_rate": "n/a", "start_time": None, "estimated_time_remaining": 12,
    },
    "adapter_path": "/artifacts/lora_adapters/old_adapter/adapters.safetensors",
    "best_model": {"val_loss": 1.4, "step": 75, "path": "/artifacts/best"},
    "nested_learning": {"num_tiers": 2},
}  # fmt: skip


def test_a_saved_record_comes_back_the_same(store: SessionStore) -> None:
    saved = record("one", notes="ü", tags=["a"], pid=7)
    store.save(saved)
    assert store.record("one") == saved.model_copy(update={"number": 1})
    store.save(saved)
    assert store.record("one").number == 1, "its place in the order is kept by every later save"


def test_unknown_fields_survive_a_load_and_a_save(store: SessionStore) -> None:
    put(store, "one", record("one").model_dump(mode="json") | {"from_the_future": {"x": [1]}})

    loaded = store.record("one")
    loaded.command = "changed"
    store.save(loaded)

    assert store.read("one")["from_the_future"] == {"x": [1]}
    assert store.read("one")["command"] == "changed"


def test_what_another_writer_added_meanwhile_is_kept(store: SessionStore) -> None:
    mine = record("one")
    store.save(mine)
    put(store, "one", store.read("one") | {"added": True})
    store.save(mine)
    assert store.read("one")["added"] is True


def test_a_record_of_the_reference_app_loads_with_defaults_and_is_marked(
    store: SessionStore,
) -> None:
    """F10: and it is not written back."""
    path = put(store, LEGACY["session_id"], LEGACY)  # type: ignore[arg-type]
    before = path.read_bytes()

    loaded = store.record(str(LEGACY["session_id"]))
    row = store.page(10, None).sessions[0]

    assert loaded.state is RunState.COMPLETED
    assert loaded.lora is None
    assert loaded.timestamp.tzinfo is not None
    assert row.legacy
    assert row.problem is None
    assert (row.model_name, row.adapter_name) == ("Qwen2.5-0.5B", "old_adapter")
    assert (row.final_train_loss, row.best_val_loss) == (1.25, 1.4)
    assert store.read(str(LEGACY["session_id"]))["legacy"] is True
    assert path.read_bytes() == before


def test_a_record_of_the_reference_app_stays_one_when_its_end_is_written(
    store: SessionStore,
) -> None:
    session_id = str(LEGACY["session_id"])
    put(store, session_id, LEGACY | {"training_state": "running"})
    for _ in range(2):
        ended = store.record(session_id)
        ended.state = ended.training_state = RunState.INTERRUPTED
        store.save(ended)

    assert store.page(10, None).sessions[0].legacy
    assert store.read(session_id)["legacy"] is True
    assert store.read(session_id)["training_state"] == "interrupted"


def test_a_record_of_a_newer_version_is_shown_but_never_written(store: SessionStore) -> None:
    path = put(store, "one", record("one").model_dump(mode="json") | {"schema_version": 99})
    before = path.read_bytes()

    assert store.record("one").schema_version == 99
    with pytest.raises(BadContent, match="newer"):
        store.save(record("one", notes="mine"))
    assert path.read_bytes() == before


DAMAGED = {
    "empty": "",
    "torn": '{"session_id": "x", "metr',
    "a list": "[1, 2]",
    "a number": "7",
    "no state": "{}",
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_record_is_listed_with_its_problem_and_left_alone(
    store: SessionStore, content: str
) -> None:
    """F8."""
    path = put(store, "bad", content)
    store.save(record("good"))

    rows = {row.session_id: row for row in store.page(10, None).sessions}

    assert rows["bad"].problem
    assert rows["good"].problem is None
    if content != "{}":
        with pytest.raises(BadContent):
            store.save(record("bad"))
    assert path.read_text() == content


def test_a_huge_record_is_listed_without_being_read(store: SessionStore) -> None:
    path = store.sessions_dir / "session_big.json"
    with path.open("wb") as file:
        file.truncate(50 * 1024 * 1024)
    row = store.page(10, None).sessions[0]
    assert row.problem
    assert "52,428,800" in row.problem


def test_a_pipe_in_place_of_a_record_does_not_hang(store: SessionStore) -> None:
    os.mkfifo(store.sessions_dir / "session_pipe.json")
    assert "regular" in (store.page(10, None).sessions[0].problem or "")


def test_numbers_that_json_cannot_have_are_shown_as_null(store: SessionStore) -> None:
    put(
        store,
        "one",
        '{"training_state": "completed", "metrics": {"train_loss": NaN, "val_loss": Infinity, '
        '"peak_memory_gb": 1e999}, "notes": "\\ud800"}',
    )
    text = json.dumps(store.read("one"), allow_nan=False)
    text.encode()
    assert store.read("one")["metrics"] == {
        "train_loss": None, "val_loss": None, "peak_memory_gb": None
    }  # fmt: skip
    assert store.page(1, None).sessions[0].final_train_loss is None


def test_a_page_is_newest_first_and_the_cursor_goes_on(store: SessionStore) -> None:
    for number in range(7):
        store.save(record(f"s{number}", minutes=number))

    first = store.page(3, None)
    second = store.page(3, first.next_cursor)
    third = store.page(3, second.next_cursor)

    ids = [row.session_id for page in (first, second, third) for row in page.sessions]
    assert ids == [f"s{number}" for number in reversed(range(7))]
    assert third.next_cursor is None
    assert (first.matching, first.total) == (7, 7)


def test_an_unknown_cursor_is_refused(store: SessionStore) -> None:
    with pytest.raises(NotFound, match="no session 'gone' to list from"):
        store.page(3, "gone")


def test_a_changed_record_changes_its_row(store: SessionStore) -> None:
    store.save(record("one", method="sft"))
    assert store.page(1, None).sessions[0].method == "sft"
    store.save(record("one", method="grpo"))
    assert store.page(1, None).sessions[0].method == "grpo"


def test_what_the_user_says_of_a_session_is_not_undone_by_its_run(store: SessionStore) -> None:
    running = record("one", notes="as it began", tags=["a"])
    store.save(running)
    change = SessionChange(name=" Mine ", notes="", tags=["b", "b", "c"], pinned=True)

    store.describe("one", change)
    running.metrics = {"train_loss": 0.5}
    store.save(running)

    row = store.page(1, None).sessions[0]
    assert (row.name, row.notes, row.tags, row.pinned) == ("Mine", "", ["b", "c"], True)
    assert row.final_train_loss == 0.5
    store.describe("one", SessionChange(name="", pinned=False))
    row = store.page(1, None).sessions[0]
    assert (row.name, row.tags, row.pinned) == (None, ["b", "c"], False)


def test_describing_changes_nothing_else_of_a_record(store: SessionStore) -> None:
    path = put(store, LEGACY["session_id"], LEGACY)  # type: ignore[arg-type]
    store.describe(str(LEGACY["session_id"]), SessionChange(notes="an old one"))
    assert json.loads(path.read_text()) == LEGACY | {"notes": "an old one"}
    with pytest.raises(NotFound):
        store.describe("gone", SessionChange(notes="x"))
    put(store, "new", {"schema_version": 99, "training_state": "completed"})
    with pytest.raises(BadContent, match="newer version"):
        store.describe("new", SessionChange(notes="x"))


def test_the_adapter_is_ready_when_its_weights_are_there(store: SessionStore) -> None:
    store.save(record("one"))
    assert not store.page(1, None).sessions[0].adapter_ready
    folder = store.adapters_dir / "adapter_one"
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")
    assert not store.page(1, None).sessions[0].adapter_ready
    (folder / "adapters.safetensors").write_bytes(b"")
    assert store.page(1, None).sessions[0].adapter_ready


@pytest.mark.parametrize("content", ["", "{", '{"latest_session_id": "gone"}', "[]", None])
def test_latest_falls_back_to_the_newest_that_can_be_read(
    store: SessionStore, content: str | None
) -> None:
    """F9."""
    store.save(record("old", minutes=1))
    store.save(record("new", minutes=2))
    put(store, "zzz_bad", "{")
    if content is not None:
        (store.sessions_dir / "latest.json").write_text(content)
    assert store.latest() == "new"


def test_latest_is_the_one_that_was_set(store: SessionStore) -> None:
    store.save(record("old", minutes=1))
    store.save(record("new", minutes=2))
    store.set_latest("old")
    assert store.latest() == "old"


def test_a_record_that_is_a_link_out_of_the_folder_is_not_read(
    store: SessionStore, tmp_path: Path
) -> None:
    """T9."""
    (tmp_path / "secret.json").write_text('{"training_state": "completed", "notes": "secret"}')
    (store.sessions_dir / "session_x.json").symlink_to(tmp_path / "secret.json")
    with pytest.raises(NotFound):
        store.read("x")
    assert "secret" not in str(store.page(10, None))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip  # noqa: E501
@given(name=st.text(max_size=40) | st.sampled_from(["..", "../x", "a/b", "x\x00", "%2e%2e", "~"]))
def test_no_name_reaches_outside_the_data_root(store: SessionStore, name: str) -> None:
    """T9."""
    root = store.sessions_dir.parent
    (root / "outside.json").write_text("{}")
    before = sorted(root.rglob("*"))
    for act in (
        lambda: store.read(name),
        lambda: store.delete(name, files=True),
        lambda: store.series(name, 0, 10),
        lambda: store.logs(name, 10, None),
    ):
        with pytest.raises(NotFound):
            act()
    assert sorted(root.rglob("*")) == before


def test_logs_page_backwards_to_the_top(store: SessionStore) -> None:
    store.save(record("one"))
    store.folder("one").mkdir()
    lines = [f"line {number}" for number in range(25)]
    (store.folder("one") / "train.log").write_text("\n".join(lines) + "\n")

    seen: list[str] = []
    before: int | None = None
    while True:
        page, before = store.logs("one", 10, before)
        seen = page + seen
        if before is None:
            break

    assert seen == lines


def test_a_thousand_sessions_are_read_once(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F30: a page costs a look at the folder, not at every record."""
    for number in range(50):
        put(store, f"s{number}", {"training_state": "completed"})
    store.page(10, None)
    reads = 0

    def counted(*_: Any) -> Any:
        nonlocal reads
        reads += 1
        return {"training_state": "completed"}

    monkeypatch.setattr("backend.jobs.run.store.read_raw", counted)
    put(store, "s7", {"training_state": "stopped", "notes": "longer than before"})
    store.page(10, None)
    assert reads == 1


def test_stray_temporary_files_are_swept_at_the_start(store: SessionStore) -> None:
    """F6."""
    stray = store.sessions_dir / ".session_x.json.0123456789abcdef.tmp"
    stray.write_text("{")
    store.open()
    assert not stray.exists()

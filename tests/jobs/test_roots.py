"""A run belongs to the data root that started it, and time goes on in spite of the clock."""

from __future__ import annotations

import dataclasses
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from backend.core.disk.files import append_jsonl
from backend.jobs.run.schemas import SessionRecord
from backend.jobs.run.state import RunState
from backend.jobs.run.store import SessionStore
from backend.settings import Settings
from tests.jobs.test_foreign import write_record
from tests.jobs.world import World


@pytest.mark.parametrize("pid_known", [True, False])
async def test_a_copied_data_root_leaves_the_run_of_the_original_alone(
    world: World, tmp_path: Path, pid_known: bool
) -> None:
    session_id = await world.start(mode="endless")
    await world.until_state("running")
    pid = world.supervisor.status().pid
    assert pid is not None
    root = tmp_path / "copy"
    shutil.copytree(world.settings.data_dir, root)
    record = root / "sessions" / f"session_{session_id}.json"
    if not pid_known:
        record.write_text(json.dumps(json.loads(record.read_text()) | {"pid": None}))
    settings = dataclasses.replace(
        world.settings,
        data_dir=root,
        sessions_dir=root / "sessions",
        adapters_dir=root / "adapters",
    )

    copy = World(settings)
    await copy.supervisor.open()

    assert copy.supervisor.active_session is None
    assert copy.record(session_id)["state"] == "interrupted"
    assert (await copy.supervisor.stop(save=False)).status == "idle"
    await copy.supervisor.close()
    assert psutil.pid_exists(pid)
    assert world.supervisor.status().state == "running"


async def test_a_root_that_is_named_through_a_link_adopts_its_run(
    world: World, tmp_path: Path
) -> None:
    session_id = await world.start(mode="endless")
    await world.until_state("running")
    await world.supervisor.close()
    link = tmp_path / "link"
    link.symlink_to(world.settings.data_dir)

    second = World(dataclasses.replace(world.settings, sessions_dir=link / "sessions"))
    await second.supervisor.open()

    assert second.supervisor.active_session == session_id
    await second.supervisor.stop(save=False)
    await second.until_end()
    await second.supervisor.close()


def record_of(session_id: str, at: datetime) -> SessionRecord:
    return SessionRecord(
        session_id=session_id, timestamp=at, state=RunState.COMPLETED,
        training_state=RunState.COMPLETED, created_at=at, started_at=at,
    )  # fmt: skip


def test_the_newest_session_is_first_after_the_clock_went_back(settings: Settings) -> None:
    store = SessionStore(settings.sessions_dir, settings.adapters_dir)
    store.open()
    now = datetime(2026, 6, 1, tzinfo=UTC)
    old = {"timestamp": "2026-05-01T00:00:00Z", "training_state": "completed"}
    (settings.sessions_dir / "session_old.json").write_text(json.dumps(old))

    store.save(record_of("first", now))
    store.save(record_of("second", now - timedelta(days=300)))  # The clock was set back.
    store.save(record_of("third", now - timedelta(days=299)))
    changed = store.record("first")
    changed.notes = "written again"
    store.save(changed)

    names = [row.session_id for row in store.page(10, None).sessions]
    assert names == ["third", "second", "first", "old"]
    (settings.sessions_dir / "latest.json").unlink(missing_ok=True)
    assert store.latest() == "third"


@pytest.mark.parametrize("number", ["1", -1, 1.5, True, 10**300, None, [1]])
def test_an_odd_number_in_a_record_does_no_harm(settings: Settings, number: Any) -> None:
    store = SessionStore(settings.sessions_dir, settings.adapters_dir)
    store.open()
    odd = {"timestamp": "2026-05-01T00:00:00Z", "training_state": "completed", "number": number}
    (settings.sessions_dir / "session_odd.json").write_text(json.dumps(odd))

    store.save(record_of("next", datetime(2026, 6, 1, tzinfo=UTC)))

    assert [row.session_id for row in store.page(10, None).sessions] == ["next", "odd"]
    assert store.record("odd").session_id == "odd"


async def test_a_run_never_ends_before_it_began(settings: Settings) -> None:
    """The machine's clock went back while a server was away."""
    session_id = write_record(settings, "running", str(settings.adapters_dir / "a" / "b"))
    path = settings.sessions_dir / f"session_{session_id}.json"
    record = json.loads(path.read_text()) | {"started_at": "2030-01-01T00:00:00Z"}
    path.write_text(json.dumps(record))
    (settings.sessions_dir / session_id).mkdir()
    event = {"seq": 1, "at": "2026-01-01T00:00:00Z", "type": "phase", "name": "training"}
    append_jsonl(settings.sessions_dir / session_id / "events.jsonl", event)

    world = World(settings)
    await world.supervisor.open()
    await world.supervisor.close()

    ended = world.record(session_id)
    assert datetime.fromisoformat(ended["ended_at"]) >= datetime.fromisoformat(ended["started_at"])

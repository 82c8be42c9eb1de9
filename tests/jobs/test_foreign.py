"""A session's record, whatever it says, removes nothing but what that session made."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from backend.settings import Settings
from tests.jobs.world import World

STATES = ["starting", "running", "paused", "stopping"]


def documents(folder: Path) -> Path:
    (folder / "letters").mkdir(parents=True)
    (folder / "letters" / "one.txt").write_text("dear")
    return folder


def write_record(settings: Settings, state: str, adapter_path: str) -> str:
    session_id = str(uuid.uuid4())
    value = {
        "schema_version": 1, "session_id": session_id, "timestamp": "2026-01-01T00:00:00Z",
        "state": state, "training_state": state, "adapter_path": adapter_path,
        "config": {"adapter_name": "adapter"}, "pid": None,
    }  # fmt: skip
    settings.sessions_dir.mkdir(parents=True, exist_ok=True)
    (settings.sessions_dir / f"session_{session_id}.json").write_text(json.dumps(value))
    return session_id


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    "where", ["documents", "adapters", "relative", "dots", "someone's", "link", "empty"]
)
async def test_a_record_that_leads_elsewhere_removes_nothing(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, where: str
) -> None:
    adapters = settings.adapters_dir
    kept = [
        documents(tmp_path / "documents"),
        documents(tmp_path / "cwd"),
        documents(adapters / "someone's"),  # No droid.json: of another program.
    ]
    (adapters / "link").symlink_to(tmp_path / "documents")
    (adapters / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")  # Never this checkout.
    path = {
        "documents": str(tmp_path / "documents" / "adapters.safetensors"),
        "adapters": str(adapters / "adapters.safetensors"),
        "relative": "adapters.safetensors",
        "dots": str(adapters / "x" / ".." / ".." / "adapters.safetensors"),
    }.get(where, str(adapters / where / "adapters.safetensors"))
    session_id = write_record(settings, state, path)

    world = World(settings)
    await world.supervisor.open()
    await world.supervisor.close()

    for folder in kept:
        assert (folder / "letters" / "one.txt").read_text() == "dear"
    assert (adapters / "link").is_symlink()
    assert (adapters / "empty").is_dir()
    assert world.record(session_id)["state"] in {"interrupted", "stopped"}


async def test_the_folder_that_a_run_made_and_left_empty_is_removed(world: World) -> None:
    """And a stranger's file in the same place is not."""
    await world.start(mode="crash")
    await world.until_end()
    assert list(world.settings.adapters_dir.iterdir()) == []


async def test_deleting_a_session_never_removes_a_folder_that_is_no_run(
    settings: Settings, world: World
) -> None:
    folder = documents(settings.sessions_dir / "Documents")

    with pytest.raises(Exception, match="left alone"):
        await world.supervisor.delete("Documents", files=True)

    assert (folder / "letters" / "one.txt").is_file()

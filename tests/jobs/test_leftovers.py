"""A server that was killed while it prepared a run: the next one puts everything back."""

from __future__ import annotations

import json
import os
import signal
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from backend.core.disk.files import append_jsonl
from backend.core.process import spawn
from backend.jobs.leftovers import settle_leftovers
from backend.jobs.prepare import prepare
from backend.jobs.run.store import SessionStore
from backend.settings import CHECKOUT, Settings
from tests.jobs.world import make_recipe

WEIGHTS = b"the old weights"


@pytest.fixture
def store(settings: Settings) -> SessionStore:
    made = SessionStore(settings.sessions_dir, settings.adapters_dir)
    made.open()
    old = settings.adapters_dir / "adapter"
    old.mkdir()
    (old / "adapters.safetensors").write_bytes(WEIGHTS)
    return made


def begin_and_die(
    settings: Settings, store: SessionStore, monkeypatch: pytest.MonkeyPatch, *, at: str
) -> str:
    """Prepare a run over the old adapter, and be killed as it comes to `at`."""
    recipe = make_recipe(settings, overwrite=True)
    pid = os.fork()
    if pid == 0:  # The server.
        monkeypatch.setattr(f"backend.jobs.prepare.{at}", die)
        try:
            prepare(recipe, store)
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    return recipe.session_id


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("at", ["write_yaml", "reserve", "_record"])
def test_the_old_adapter_is_back_and_nothing_else_is_left(
    settings: Settings, store: SessionStore, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    session_id = begin_and_die(settings, store, monkeypatch, at=at)
    assert (settings.sessions_dir / session_id).is_dir()

    settle_leftovers(store, live=None)

    assert [path.name for path in settings.adapters_dir.iterdir()] == ["adapter"]
    weights = settings.adapters_dir / "adapter" / "adapters.safetensors"
    assert weights.read_bytes() == WEIGHTS
    assert list(settings.sessions_dir.iterdir()) == []


def test_the_old_adapter_stays_in_its_place_while_the_data_is_staged(
    settings: Settings, store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_and_die(settings, store, monkeypatch, at="write_yaml")

    weights = settings.adapters_dir / "adapter" / "adapters.safetensors"
    assert weights.read_bytes() == WEIGHTS


ENDS = [
    ({"state": "completed"}, b"new"),
    ({"state": "stopped", "saved": True}, b"new"),
    ({"state": "stopped"}, b"new"),  # An earlier version did not say.
    ({"state": "stopped", "saved": False}, WEIGHTS),
    ({"state": "error"}, WEIGHTS),
    (None, WEIGHTS),
]


@pytest.mark.parametrize(("end", "kept"), ENDS)
def test_of_two_adapters_the_one_that_the_end_of_the_run_calls_for_is_kept(
    settings: Settings, store: SessionStore, end: dict[str, Any] | None, kept: bytes
) -> None:
    """Killed between the end of the run and the tidying: only a good end replaces the old one."""
    recipe = make_recipe(settings, overwrite=True)
    prepare(recipe, store)
    (recipe.adapter_path / "adapters.safetensors").write_bytes(b"new")
    if end is not None:
        event = {"seq": 1, "at": "2026-01-01T00:00:00Z", "type": "exit", "code": 0, "message": "."}
        append_jsonl(store.folder(recipe.session_id) / "events.jsonl", event | end)

    settle_leftovers(store, live=recipe.session_id)
    assert len(list(settings.adapters_dir.iterdir())) == 2  # It may still come to nothing.
    settle_leftovers(store, live=None)

    assert [path.name for path in settings.adapters_dir.iterdir()] == ["adapter"]
    assert (recipe.adapter_path / "adapters.safetensors").read_bytes() == kept


def test_what_a_user_may_own_is_never_removed(settings: Settings, store: SessionStore) -> None:
    """Only an unknown session's folder goes, and only if no engine ever wrote into it."""
    ran, lives = str(uuid.uuid4()), str(uuid.uuid4())
    for name in ("my notes", "session", ran, lives):
        (settings.sessions_dir / name).mkdir()
    (settings.sessions_dir / ran / "train.log").write_text("Iter 1", encoding="utf-8")
    outside = settings.data_dir / "elsewhere"
    outside.mkdir()
    config = json.dumps({"adapter_path": str(outside)})
    (settings.sessions_dir / lives / "config.yaml").write_text(config, encoding="utf-8")
    unknown = settings.adapters_dir / f".replaced-{uuid.uuid4()}"
    unknown.mkdir()
    child = spawn(
        [sys.executable, "-c", "import time; time.sleep(300)"],
        cwd=CHECKOUT,
        env={},
        log_path=settings.data_dir / "sleeper.log",
        mark=store.mark(lives),
    )
    try:
        settle_leftovers(store, live=None)
        assert {path.name for path in settings.sessions_dir.iterdir()} == {
            "my notes", "session", ran, lives,
        }  # fmt: skip
        assert unknown.is_dir()
    finally:
        child.kill()

    settle_leftovers(store, live=None)
    assert not (settings.sessions_dir / lives).exists()
    assert Path(outside).is_dir()

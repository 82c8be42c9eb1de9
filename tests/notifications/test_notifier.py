"""Ends are told to the user's services: what they get, what is tried again, what is not told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from backend.core.hub import Hub
from backend.errors import NotFound
from backend.jobs.run.schemas import SessionRecord
from backend.jobs.run.state import RunState
from backend.notifications.channels import url_problem
from backend.notifications.notifier import Notifier
from backend.settings import read_settings
from tests.core.test_process import becomes_true
from tests.fakes.receiver import Receiver, receiving

SESSION = "0b9d2c6e-0000-4000-8000-000000000001"


def record_of(session_id: str) -> SessionRecord:
    if session_id != SESSION:
        raise NotFound(f"There is no session {session_id}.")
    return SessionRecord(
        session_id=SESSION, timestamp=datetime.now(UTC), training_state=RunState.RUNNING,
        state=RunState.RUNNING, method="grpo",
        config={"adapter_name": "captain", "model_path": "/models/droid-demo"},
    )  # fmt: skip


@asynccontextmanager
async def telling(tmp_path: Path, **urls: str) -> AsyncIterator[Hub]:
    settings = read_settings({}, data_dir=str(tmp_path))
    settings.saved.secrets = replace(settings.saved.secrets, **urls)
    hub = Hub()
    notifier = Notifier(settings, hub, record_of, pauses=(0.01, 0.01))
    notifier.open()
    await asyncio.sleep(0)  # It listens from its first turn on.
    try:
        yield hub
    finally:
        await notifier.close()


async def until_posted(receiver: Receiver, count: int) -> None:
    assert await asyncio.to_thread(becomes_true, lambda: len(receiver.posts) >= count)


def job(kind: str, state: str, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "job_id": "j1", "state": state} | fields


async def test_a_webhook_gets_the_end_of_a_run(tmp_path: Path) -> None:
    with receiving() as receiver:
        async with telling(tmp_path, webhook_url=f"{receiver.url}/hook/key") as hub:
            hub.publish("training_progress", {"state": "running"}, session_id=SESSION)
            hub.publish("training_stopped", {"message": "As you asked."}, session_id=SESSION)
            hub.publish("training_completed", {"message": "Best at 40."}, session_id=SESSION)
            await until_posted(receiver, 1)

    ((path, body),) = receiver.posts
    assert path == "/hook/key"
    assert datetime.fromisoformat(body.pop("at")).tzinfo is not None
    assert body == {
        "app": "droid-finetuning", "event": "run_ended", "state": "completed",
        "title": "Training of captain is done", "text": "Best at 40.", "session_id": SESSION,
        "adapter_name": "captain", "model_name": "droid-demo", "method": "grpo", "job_id": None,
        "kind": None,
    }  # fmt: skip


async def test_ntfy_gets_its_own_form_at_its_root(tmp_path: Path) -> None:
    with receiving() as receiver:
        async with telling(tmp_path, ntfy_url=f"{receiver.url}/my/own-topic") as hub:
            hub.publish("training_error", {"error": "It ran out of memory."}, session_id=SESSION)
            await until_posted(receiver, 1)

    assert receiver.posts == [
        ("/my/", {
            "topic": "own-topic", "title": "Training of captain ended in an error",
            "message": "It ran out of memory.", "tags": ["warning"], "priority": 4,
        }),
    ]  # fmt: skip


async def test_jobs_are_told_of_but_not_what_was_cancelled_or_only_looked_at(
    tmp_path: Path,
) -> None:
    with receiving() as receiver:
        async with telling(tmp_path, webhook_url=receiver.url) as hub:
            hub.publish("job_completed", job("inspection", "completed"))
            hub.publish("job_error", job("download", "cancelled"))
            hub.publish("job_error", job("fusion", "error", error="The disk is full."))
            hub.publish("job_completed", job("evaluation", "completed", message="Match 0.9."))
            await until_posted(receiver, 2)

    told = {(body["title"], body["text"]) for _, body in receiver.posts}
    assert told == {
        ("Fusion ended in an error", "The disk is full."),
        ("Evaluation is done", "Match 0.9."),
    }


async def test_a_service_that_fails_is_asked_again_and_another_is_not_held_up(
    tmp_path: Path,
) -> None:
    with receiving(503, 429) as slow, receiving() as other:
        async with telling(tmp_path, webhook_url=slow.url, ntfy_url=f"{other.url}/t") as hub:
            hub.publish("training_completed", {"message": "Done."}, session_id=SESSION)
            await until_posted(other, 1)
            await until_posted(slow, 3)


@pytest.mark.parametrize("code", [404, 302])
async def test_a_refusal_or_a_redirect_is_logged_once_without_the_address(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    caplog.set_level(logging.WARNING)
    with receiving(code) as receiver:
        async with telling(tmp_path, webhook_url=f"{receiver.url}/secret-key") as hub:
            hub.publish("training_completed", {"message": "Done."}, session_id=SESSION)
            assert await asyncio.to_thread(becomes_true, lambda: bool(caplog.records))

    assert [path for path, _ in receiver.posts] == ["/secret-key"]
    assert f"it answered {code}" in caplog.text
    assert "secret-key" not in caplog.text


async def test_an_end_of_a_session_that_is_gone_does_not_stop_the_rest(tmp_path: Path) -> None:
    with receiving() as receiver:
        async with telling(tmp_path, webhook_url=receiver.url) as hub:
            hub.publish("training_completed", {"message": "Lost."}, session_id="gone")
            hub.publish("training_completed", {"message": "Done."}, session_id=SESSION)
            await until_posted(receiver, 1)

    assert receiver.posts[0][1]["text"] == "Done."


@pytest.mark.parametrize(
    ("name", "url", "problem"),
    [
        ("webhook", "https://hooks.example/a", None),
        ("webhook", "file:///etc/passwd", "must begin with https://"),
        ("webhook", "hooks.example/a", "must begin with https://"),
        ("ntfy", "https://ntfy.example/", "must end with the topic"),
        ("ntfy", "https://ntfy.example/topic", None),
    ],
)
def test_an_address_is_looked_at_before_it_is_kept(
    name: Any, url: str, problem: str | None
) -> None:
    said = url_problem(name, url)
    assert said is None if problem is None else problem in (said or "")

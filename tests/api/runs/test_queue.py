"""The queue over HTTP and in the stream."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from backend.jobs.queue import WaitingRun
from tests.api.live import Live, next_frame


def waiting(name: str) -> WaitingRun:
    return WaitingRun(
        session_id=f"id-{name}",
        adapter_name=name,
        model_name="tiny",
        method="sft",
        total_steps=20,
        queued_at=datetime.now(UTC),
        request={"model_path": "nowhere", "train_data_path": "nowhere"},
    )


def names(value: dict[str, Any]) -> list[str]:
    return [run["adapter_name"] for run in value["queue"]]


def test_waiting_runs_are_listed_ordered_and_removed(live: Live) -> None:
    client = live.client
    assert client.get("/training/queue").json() == {"queue": []}
    live.start(mode="endless", name="busy")
    for name in ("a", "b", "c"):
        live.do(live.services.queue.add(waiting(name)))

    assert names(client.get("/training/queue").json()) == ["a", "b", "c"]
    assert names(client.get("/api/training/status").json()) == ["a", "b", "c"]
    with live.listening() as stream:
        snapshot = next_frame(stream)
        while snapshot["type"] != "training_state":
            snapshot = next_frame(stream)
        assert names(snapshot["data"]) == ["a", "b", "c"]
        moved = client.patch("/training/queue/id-c", json={"position": 1})
        assert names(moved.json()) == ["c", "a", "b"]
        frame = next_frame(stream)
        while frame["type"] != "queue_changed":
            frame = json.loads(stream.recv(timeout=15))
        assert names(frame["data"]) == ["c", "a", "b"]

    assert client.get("/sessions/id-a").status_code == 404, "no session until it starts"
    assert client.patch("/training/queue/id-c", json={"position": 0}).status_code == 422
    assert client.patch("/training/queue/unknown", json={"position": 1}).status_code == 404
    for name in ("a", "b", "c"):
        left = client.delete(f"/training/queue/id-{name}")
        assert left.status_code == 200
    assert left.json() == {"queue": []}
    assert client.delete("/training/queue/id-a").status_code == 404
    client.post("/training/stop", json={"save": False})


def test_a_stop_may_hold_the_queue(live: Live) -> None:
    session_id = live.start(mode="endless", name="busy2")
    live.do(live.services.queue.add(waiting("later")))
    live.client.post("/training/stop", json={"save": False, "hold_queue": True})
    live.do(live.services.supervisor.slot.until_free())

    status = live.client.get("/training/status").json()
    assert (status["session_id"], names(status)) == (session_id, ["later"])
    live.client.delete("/training/queue/id-later")

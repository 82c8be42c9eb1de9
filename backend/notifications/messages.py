"""What is told to other services of a run or a job that has ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from backend.jobs.run.schemas import SessionRecord

# Ends that somebody asked for are no news to them. Looking at a file is no job to be told of.
_RUN_ENDS = ('{"type":"training_completed"', '{"type":"training_error"')
_JOB_ENDS = ('{"type":"job_completed"', '{"type":"job_error"')
_ASKED_FOR = frozenset({"stopped", "cancelled"})
_JOBS = {
    "fusion": "Fusion", "export": "Export", "evaluation": "Evaluation", "download": "Download",
    "conversion": "Conversion", "upload": "Upload", "benchmark": "Speed test",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class EndMessage:
    """The JSON that a webhook gets. `text` says all of it to a person."""

    event: Literal["run_ended", "job_ended", "test"]
    state: str
    title: str
    text: str
    session_id: str | None = None
    adapter_name: str | None = None
    model_name: str | None = None
    method: str | None = None
    job_id: str | None = None
    kind: str | None = None

    @property
    def succeeded(self) -> bool:
        return self.state == "completed"


TEST = EndMessage(
    event="test",
    state="completed",
    title="Droid FineTuning",
    text="This is a test. The ends of runs and jobs are told here.",
)


def is_end(frame: str) -> bool:
    """Whether a frame of the WebSocket, as text, tells of an end."""
    return frame.startswith(_RUN_ENDS + _JOB_ENDS)


def message_of(frame: str, record_of: Callable[[str], SessionRecord]) -> EndMessage | None:
    """The message for a frame that tells of an end; None where nobody waits for it. Raises what
    `record_of` raises.
    """
    document = json.loads(frame)
    if frame.startswith(_JOB_ENDS):
        return _of_job(document["data"])
    done = document["type"] == "training_completed"
    text = document["data"]["message" if done else "error"]
    return _of_run(record_of(str(document["session_id"])), text, done=done)


def _of_run(record: SessionRecord, text: str, *, done: bool) -> EndMessage:
    name = record.title or record.session_id[:8]
    return EndMessage(
        event="run_ended",
        state="completed" if done else "error",
        title=f"Training of {name} {'is done' if done else 'ended in an error'}",
        text=text,
        session_id=record.session_id,
        adapter_name=_text(record.config.get("adapter_name")),
        model_name=(_text(record.config.get("model_path")) or "").rpartition("/")[2] or None,
        method=record.method,
    )


def _of_job(data: dict[str, Any]) -> EndMessage | None:
    name = _JOBS.get(data["kind"])
    if name is None or data["state"] in _ASKED_FOR:
        return None
    done = data["state"] == "completed"
    return EndMessage(
        event="job_ended",
        state=data["state"],
        title=f"{name} {'is done' if done else 'ended in an error'}",
        text=data.get("error") or data.get("message") or "",
        job_id=data["job_id"],
        kind=data["kind"],
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None

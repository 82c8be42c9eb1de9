"""Checks after a kill: what must be true of the disk and of the server, whatever was killed."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from backend.cli.client import Client
from backend.core.disk.files import JsonlTail
from backend.core.process import find_marked

FINAL = frozenset({"completed", "stopped", "error", "interrupted"})

Snapshot = dict[str, dict[str, str]]  # Of each folder: its files and their SHA-256.


class Broken(AssertionError):
    """A promise was not kept."""


def require(holds: object, promise: str) -> None:
    if not holds:
        raise Broken(promise)


def snapshot(folder: Path) -> Snapshot:
    """Every folder in `folder`, hidden ones too, with all that is in it."""
    return {
        path.name: {
            file.relative_to(path).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sorted(path.rglob("*"))
            if file.is_file()
        }
        for path in sorted(folder.iterdir())
        if path.is_dir()
    }


def check_records(client: Client, known: set[str]) -> list[dict[str, Any]]:
    """No record is lost, damaged or at odds with itself. Answers the list, newest first."""
    rows: list[dict[str, Any]] = client.get("/sessions?limit=200")["sessions"]
    lost = known - {row["session_id"] for row in rows}
    require(not lost, f"records are lost: {lost}")
    for row in rows:
        name = row["session_id"]
        require(row["problem"] is None, f"{name} can't be read: {row['problem']}")
        record = client.get(f"/sessions/{name}")
        state = record["state"]
        require(state in FINAL, f"{name} is {state} although nothing runs")
        require(record["training_state"] == state, f"{name} has two states")
        require(record["exit"]["state"] == state, f"{name} is {state} but ended otherwise")
        times = [record[field] for field in ("created_at", "started_at", "ended_at")]
        require(times == sorted(times, key=datetime.fromisoformat), f"{name} has times {times}")
    return rows


def check_chart(client: Client, sessions: Path, session_id: str) -> int:
    """The chart has every report of the run's own file, and no hole; answers how many."""
    shown = client.get(f"/sessions/{session_id}/metrics")["series"]["train"]["step"]
    written = [
        event["step"]
        for event in JsonlTail(sessions / session_id / "events.jsonl").read_all()
        if event.get("type") == "metrics"
    ]
    require(shown == written, f"the chart shows {shown}, the run wrote {written}")
    require(shown == list(range(1, len(shown) + 1)), f"the chart has a hole: {shown}")
    return len(shown)


def last_word(sessions: Path, session_id: str) -> dict[str, Any] | None:
    """The run's exit event, if it could still write one."""
    events = JsonlTail(sessions / session_id / "events.jsonl").read_all()
    return next((event for event in events if event.get("type") == "exit"), None)


def check_adapters(
    adapters: Path, before: Snapshot, name: str, session_id: str | None, end: dict[str, Any] | None
) -> str:
    """Every other adapter is as it was; that of the run is the new one, whole, or the old one byte
    for byte. Answers which.
    """
    after = snapshot(adapters)
    for other in before.keys() - {name}:
        require(after.get(other) == before[other], f"the folder {other} was changed or lost")
    odd = after.keys() - before.keys() - {name}
    require(not odd, f"something is left in the adapters folder: {odd}")
    replaces = end is not None and (
        end["state"] == "completed" or (end["state"] == "stopped" and end["saved"])
    )
    if name in before and not replaces:
        require(after.get(name) == before[name], f"the adapter {name} is not as it was")
        return "old"
    if name not in after:
        require(not replaces, f"the run saved {name}, but it is not there")
        return "none"
    lineage = json.loads((adapters / name / "droid.json").read_bytes())
    require(lineage["session_id"] == session_id, f"{name} is of {lineage['session_id']}")
    for file in (adapters / name).glob("*.safetensors"):
        require(_is_whole(file), f"{name}/{file.name} is not whole")
    return "new"


def check_processes(sessions: Path, session_id: str) -> None:
    mark = str((sessions / session_id).resolve())
    require(find_marked(mark) is None, f"a process of {session_id} is left")


def _is_whole(file: Path) -> bool:
    raw = file.read_bytes()
    header = int.from_bytes(raw[:8], "little")
    tensors = json.loads(raw[8 : 8 + header])
    ends: list[int] = [
        facts["data_offsets"][1] for key, facts in tensors.items() if key != "__metadata__"
    ]
    return 8 + header + max(ends) == len(raw)

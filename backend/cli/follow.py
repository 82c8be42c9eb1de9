"""Following a run or a job to its end: what it prints meanwhile, and its exit code."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from backend.cli import exits
from backend.cli.client import Client, Refused
from backend.cli.output import Bar, Output, number, seconds

T = TypeVar("T")

ACTIVE = frozenset({"starting", "running", "paused", "stopping"})
_TICK = 0.4
_BEFORE = 5  # Lines of what a run did before it was watched.
_AWAY_FOR = 15.0  # Seconds that a service may be gone while it is followed: a restart.

# The number that a method is judged by, and its name for a person.
_TRAINED = (("train_loss", "loss"), ("avg_reward", "reward"), ("accuracy", "accuracy"))
_VALIDATED = (
    ("val_loss", "validation loss"), ("val_reward", "validation reward"),
    ("val_accuracy", "validation accuracy"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class JobState:
    """Where a job is: its share from 0 to 1 where that is known; `state` is None for none."""

    state: str | None
    share: float | None
    text: str
    error: str | None
    hint: str | None

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    def refuse_error(self) -> None:
        """Raises Refused with the error and its hint, if the job ended with one."""
        if self.error:
            raise Refused("\n".join(line for line in (self.error, self.hint) if line))


def follow_run(client: Client, out: Output, session: str) -> int:
    """Print the run's numbers until it has ended. Answers the exit code of its ending."""
    with out.bar("Training") as bar:
        followed = _FollowedRun(client, out, session)
        while True:
            status = _patiently(lambda: _status(client, session))
            followed.show(status, bar)
            if status["state"] not in ACTIVE and not status["waiting"]:
                break
            time.sleep(_TICK)
    return _tell_ending(client, out, session, status)


def _status(client: Client, session: str) -> dict[str, Any]:
    """The state of one run, whether it is the service's current one, waits, or is over."""
    status: dict[str, Any] = client.get("/training/status")
    waiting = [run["session_id"] for run in status["queue"]]
    if status["session_id"] == session:
        return {**status, "waiting": False}
    if session in waiting:
        phase = f"waiting in the queue, at place {waiting.index(session) + 1}"
        return {"state": "queued", "phase": phase, "metrics": {}, "error": None, "waiting": True}
    record = client.get(f"/sessions/{session}")
    ending = record.get("exit") or {}
    message = ending.get("message")
    return {
        "state": record.get("training_state"),
        "phase": None,
        "metrics": record.get("metrics") or {},
        "error": {"message": message, "hint": ending.get("hint")} if message else None,
        "waiting": False,
    }


class _FollowedRun:
    """What was printed of a run, so that only what is new is printed next."""

    def __init__(self, client: Client, out: Output, session: str) -> None:
        self._client = client
        self._out = out
        self._session = session
        self._phase: str | None = None
        self._trained = -1.0
        self._validated = -1.0
        self._first = True

    def show(self, status: dict[str, Any], bar: Bar) -> None:
        phase, metrics = status["phase"], status["metrics"]
        if phase and phase != self._phase:
            self._phase = phase
            self._out.value({"type": "phase", "session_id": self._session, "phase": phase})
        done, total = metrics.get("current_step"), metrics.get("total_steps")
        lines = list(self._news(total)) if not status["waiting"] else []
        if self._first:
            self._first = False
            lines = lines[-_BEFORE:] if status["state"] in ACTIVE else []
        for line in lines:
            if self._out.live:
                continue
            bar(None, line)
        text = status["state"] if status["state"] == "paused" else (phase or status["state"])
        if self._out.live:
            parts = [f"{text}", f"{done or 0}/{total or '?'}", *_numbers(metrics)]
            bar(done / total if done and total else None, " · ".join(parts))
        elif not lines and phase and not done:
            bar(None, text)

    def _news(self, total: object) -> Iterator[str]:
        since = max(0, int(min(self._trained, self._validated)))
        try:
            series = self._client.get(f"/sessions/{self._session}/metrics", since=since)["series"]
        except Refused:  # Not written yet.
            return
        news: list[tuple[float, str]] = []
        for row in _rows(series["train"], self._trained):
            self._trained = row["step"]
            self._out.value({"type": "metrics", "session_id": self._session, **row})
            first_line = _first(row, _TRAINED)
            speed = number(row.get("tokens_per_second"), 0)
            news.append(
                (row["step"], f"step {row['step']:.0f} of {total}  {first_line}  {speed} tok/s")
            )
        for row in _rows(series["validation"], self._validated):
            self._validated = row["step"]
            self._out.value({"type": "validation", "session_id": self._session, **row})
            news.append((row["step"] + 0.5, f"step {row['step']:.0f}  {_first(row, _VALIDATED)}"))
        yield from (line for _, line in sorted(news))


def _rows(columns: dict[str, list[Any]], after: float) -> Iterator[dict[str, Any]]:
    """The rows of a table of columns whose step is behind `after`."""
    for place, step in enumerate(columns.get("step", [])):
        if step is not None and step > after:
            yield {name: values[place] for name, values in columns.items() if place < len(values)}


def _first(row: dict[str, Any], names: tuple[tuple[str, str], ...]) -> str:
    for key, name in names:
        if row.get(key) is not None:
            return f"{name} {number(row[key])}"
    return f"{names[0][1]} {number(None)}"


def _numbers(metrics: dict[str, Any]) -> Iterator[str]:
    if any(metrics.get(key) is not None for key, _ in _TRAINED):
        yield _first(metrics, _TRAINED)
    if any(metrics.get(key) is not None for key, _ in _VALIDATED):
        yield _first(metrics, _VALIDATED)
    if metrics.get("estimated_time_remaining") is not None:
        yield f"{seconds(metrics['estimated_time_remaining'])} left"


def _tell_ending(client: Client, out: Output, session: str, status: dict[str, Any]) -> int:
    state, error, metrics = status["state"], status["error"] or {}, status["metrics"]
    record = client.get(f"/sessions/{session}")
    adapter = record.get("config", {}).get("adapter_name")
    out.value({"type": "end", "session_id": session, "state": state, "adapter_name": adapter,
               "metrics": metrics, "error": status["error"]})  # fmt: skip
    name = adapter or session
    out.text(f"{name}: {state} after {seconds(metrics.get('elapsed_seconds'))}.")
    if metrics.get("best_value") is not None:
        step = metrics.get("best_model_step")
        out.text(f"  Best: {number(metrics['best_value'])} at step {step}.")
    for line in (error.get("message"), error.get("hint")):
        if line:
            out.text(f"  {line}")
    if state == "error":
        out.text(f"  Its log: droid-finetuning log {session[:8]}")
    elif adapter and metrics.get("current_step"):
        out.text(f'  Ask it: droid-finetuning ask "Who are you?" --adapter {adapter}')
    return exits.of_state(state)


def follow_job(out: Output, title: str, kind: str, look: Callable[[], JobState]) -> JobState | None:
    """Show a job's progress until it has ended, and answer how; None once Ctrl-C left it alone."""
    try:
        with out.bar(title) as bar:
            while True:
                job = _patiently(look)
                bar(job.share, job.text)
                if not job.active:
                    return job
                time.sleep(_TICK)
    except KeyboardInterrupt:
        out.note(
            f"\nThe {kind} goes on. `droid-finetuning status` shows it, "
            f"`droid-finetuning stop {kind}` ends it."
        )
        return None


def _patiently(look: Callable[[], T]) -> T:
    """What `look` answers; a service that is away for a moment is waited for."""
    deadline = time.monotonic() + _AWAY_FOR
    while True:
        try:
            return look()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_TICK)

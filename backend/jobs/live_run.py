"""The run that the server shows: its record, what its events add up to, and its last log lines.

It knows which change of state an event means and which frames tell of it. Nothing here touches a
file or a process; the supervisor does, and is the only one to call `move_to`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from backend.core.clock import SteadyClock
from backend.core.process import Child
from backend.jobs import frames
from backend.jobs.health.facts import RunFacts
from backend.jobs.health.monitor import HealthMonitor
from backend.jobs.run import events
from backend.jobs.run.events import Event
from backend.jobs.run.follower import EventSink
from backend.jobs.run.legacy_records import CURVE_POINTS, to_metrics
from backend.jobs.run.progress import RunProgress, newest_row
from backend.jobs.run.schemas import (
    Alert,
    ExitSummary,
    QueuedRun,
    RunError,
    RunMetrics,
    SessionRecord,
    TrainingStateData,
    TrainingStatus,
    Verdict,
)
from backend.jobs.run.state import ACTIVE, FINAL, RunState, move

KEPT_LINES = 500
TAIL_LINES = 30

Frame = tuple[str, BaseModel]

_AT_WORK = frozenset({"training", "evaluating", "saving"})


class LiveRun:
    """The current or last run. `child` is None once it has ended, or when it was only loaded."""

    def __init__(
        self,
        record: SessionRecord,
        lines: Iterable[str] = (),
        *,
        memory_limit: int | None = None,
    ) -> None:
        total = record.metrics.get("total_steps")
        self.record = record
        self.progress = RunProgress(total_steps=total)
        self.health = HealthMonitor(
            RunFacts.of_request(
                record.method, record.config, total_steps=total, memory_limit=memory_limit
            )
        )
        self.child: Child | None = None
        self.lines: deque[str] = deque(lines, maxlen=KEPT_LINES)
        self.error: RunError | None = None
        self._clock = SteadyClock(record.started_at)
        self._heard_at = time.monotonic()
        self.closing: RunState | None = None  # Shown while an ended run still holds the slot.
        if record.state in {RunState.ERROR, RunState.INTERRUPTED} and record.exit is not None:
            self.error = self._run_error(record.exit.message, record.exit.hint)

    @property
    def session_id(self) -> str:
        return self.record.session_id

    @property
    def state(self) -> RunState:
        return self.record.state

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    @property
    def shown_state(self) -> RunState:
        """What the world is told: ended only once the next run may start."""
        return self.closing or self.state

    @property
    def seconds_per_step(self) -> float:
        """How long a step takes lately; 0 while that is not known."""
        speed = self.progress.speed
        return 1 / speed if speed else 0.0

    @property
    def silence(self) -> float:
        """Seconds since its last event, without those that the machine slept."""
        return time.monotonic() - self._heard_at

    def move_to(self, target: RunState) -> None:
        self.record.state = self.record.training_state = move(self.state, target)

    def take_history(self, fold: Callable[[EventSink], int]) -> int:
        """Take in what the run has done before; answers what `fold` does. The record of a run that
        is over has its alerts, so its health is not judged again.
        """
        answer = fold(self.progress if self.state in FINAL else self)
        self.progress.fresh_alerts()  # Already known to whoever was there.
        self._clock = SteadyClock(self.progress.last_at or self.record.started_at)
        return answer

    def apply_report(self, raw: Mapping[str, Any]) -> bool:
        """Never the short way: health looks at whole events."""
        return False

    def apply(self, event: Event) -> None:
        """Take in one event. One that was seen before changes nothing."""
        if event.seq <= self.progress.last_seq:
            return
        self._heard_at = time.monotonic()
        self.progress.apply(event)
        for alert in self.health.apply(event):
            self.progress.add_alert(alert)

    def state_after(self, event: Event) -> RunState | None:
        """The state that an event means, if it is another than now."""
        suggestion: RunState | None = None
        match event:
            case events.Phase(name="paused"):
                suggestion = RunState.PAUSED if self.state is RunState.RUNNING else None
            case events.Phase(name=name) if name in _AT_WORK:
                suggestion = RunState.RUNNING
            case events.Metrics() | events.Validation() if self.state is RunState.STARTING:
                suggestion = RunState.RUNNING
        if suggestion is self.state or self.state not in ACTIVE - {RunState.STOPPING}:
            return None
        return suggestion

    def frames_for(self, event: Event) -> list[Frame]:
        """What the world hears of an event that was just applied."""
        all_frames: list[Frame] = []
        match event:
            case events.Metrics():
                row = newest_row(self.progress.train)
                all_frames.append(self.progress_frame(frames.Point(kind="train", values=row)))
            case events.Validation():
                row = newest_row(self.progress.validation)
                all_frames.append(self.progress_frame(frames.Point(kind="validation", values=row)))
            case events.Phase() | events.Model() | events.Tested():
                all_frames.append(self.progress_frame())
            case events.Best() if self.progress.best is not None:
                all_frames.append(("best_model_updated", self.progress.best))
            case events.Sample() if self.progress.newest_sample is not None:
                all_frames.append(("training_sample", self.progress.newest_sample))
            case events.Checkpoint():
                all_frames.append(
                    ("checkpoint_saved", frames.CheckpointData(step=event.step, path=event.path))
                )
            case _:
                pass
        alerts = self.progress.fresh_alerts()
        return all_frames + [("training_alert", alert) for alert in alerts]

    def progress_frame(
        self, point: frames.Point | None = None, lines: list[str] | None = None
    ) -> Frame:
        log_lines = lines or []
        return "training_progress", frames.ProgressData(
            metrics=self.metrics(),
            log_line=log_lines[-1] if log_lines else None,
            log_lines=log_lines,
            point=point,
            phase=self.progress.phase,
            state=self.state,
            health=self.verdict,
        )

    def take_lines(self, lines: list[str]) -> list[str]:
        """Keep log lines, and answer those to show: a flood is cut, and says so."""
        self.lines.extend(lines)
        if len(lines) <= KEPT_LINES:
            return lines
        left_out = len(lines) - KEPT_LINES
        return [f"… {left_out:,} lines are left out here; train.log has them all.", *self.lines]

    def end(
        self, state: RunState, message: str, hint: str | None, *, at: datetime | None = None
    ) -> Frame:
        """Set the final state; answer the frame that tells it. `at` is the time, now unless given;
        never before the start, wherever the machine's clock was set since.
        """
        self.move_to(state)
        self.child = None
        ended, start = at or self._clock.now(), self.record.started_at
        self.record.ended_at = max(ended, start) if start is not None else ended
        self.record.exit = ExitSummary(state=state, message=message, hint=hint)
        self.record.early_stopped = self.progress.early_stop is not None
        self.note_metrics()
        if state is RunState.COMPLETED:
            return "training_completed", frames.CompletedData(
                final_metrics=self.metrics(),
                early_stopped=self.record.early_stopped,
                message=message,
            )
        if state is RunState.STOPPED:
            return "training_stopped", frames.StoppedData(
                session_id=self.session_id, message=message
            )
        self.error = self._run_error(message, hint)
        return "training_error", frames.ErrorData(
            error=message, hint=hint, log_tail=self.error.log_tail
        )

    @property
    def verdict(self) -> Verdict | None:
        """How it goes; of a run that is over, how it went."""
        return self.health.verdict or self.record.health

    def alerts(self) -> list[Alert]:
        """All that its user should know, oldest first."""
        raised = list(self.progress.alerts)
        known = {(alert.code, alert.message) for alert in raised}
        return [a for a in self.record.alerts if (a.code, a.message) not in known] + raised

    def note_metrics(self) -> None:
        """Bring the record up to date with the events."""
        self.record.metrics = self.metrics().model_dump(mode="json")
        self.record.best_model = self.progress.best or self.record.best_model
        self.record.alerts = self.alerts()
        self.record.health = self.verdict
        self.record.curve = self.progress.curve(CURVE_POINTS) or self.record.curve

    def metrics(self) -> RunMetrics:
        """The numbers of the events; of the record where there are none (a legacy session)."""
        if self.progress.last_seq or self.active:
            metrics_now = self.progress.metrics()
        else:
            metrics_now = to_metrics(self.record.metrics)
        metrics_now.method = metrics_now.method or self.record.method
        return metrics_now

    def snapshot(self, seq: int, queue: list[QueuedRun]) -> TrainingStateData:
        """All there is to show, with every point: thin the series before sending it."""
        state = self.shown_state
        ended = self.record.exit
        series = self.progress.series()
        series.best = self.progress.best or self.record.best_model
        return TrainingStateData.model_construct(
            state=state,
            session_id=self.session_id,
            phase=self.progress.phase if state in ACTIVE else None,
            metrics=self.metrics(),
            config=self.record.config,
            error=None if self.closing else self.error,
            series=series,
            logs=list(self.lines),
            alerts=self.alerts(),
            health=self.verdict,
            samples=self.progress.samples,
            message=ended.message if ended and state in FINAL else None,
            early_stopped=self.record.early_stopped or self.progress.early_stop is not None,
            adapter_path=self.record.adapter_path,
            queue=queue,
            seq=seq,
        )

    def status(self, queue: list[QueuedRun]) -> TrainingStatus:
        active = self.shown_state in ACTIVE
        return TrainingStatus(
            state=self.shown_state,
            session_id=self.session_id,
            pid=self.record.pid if active else None,
            phase=self.progress.phase if active else None,
            metrics=self.metrics(),
            config=self.record.config,
            error=None if self.closing else self.error,
            started_at=self.record.started_at,
            queue=queue,
        )

    def _run_error(self, message: str, hint: str | None) -> RunError:
        return RunError(message=message, hint=hint, log_tail=list(self.lines)[-TAIL_LINES:])

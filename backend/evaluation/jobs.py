"""Evaluations as jobs: one process at a time, followed by its events, found again later."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from backend.core.disk.files import JsonlTail, read_tail
from backend.core.disk.stored_files import DamagedFile
from backend.core.exits import explain
from backend.core.hub import Hub
from backend.core.machine.blas import engine_environment
from backend.core.process import Child, find_marked, spawn
from backend.core.schemas import DamagedItem
from backend.core.tasks import Tasks
from backend.errors import EvaluationActive, NotFound, WrongState
from backend.evaluation.folder import (
    EVENTS,
    LOG,
    REQUEST,
    RESULT,
    EvaluationFolder,
    EvaluationFolders,
)  # fmt: skip
from backend.evaluation.rows import ChosenRows
from backend.evaluation.schemas import (
    EvaluationList,
    EvaluationState,
    EvaluationStatus,
    EvaluationSummary,
)  # fmt: skip
from backend.jobs.run.follower import MOST_FAILURES
from backend.jobs.slot import Slot
from backend.settings import CHECKOUT, Settings

_LOOK_EVERY = 0.2
_LOOK_AT_END = 0.02  # Its last words are heard: somebody may wait to start the next.
_STOP_GRACE = 20.0
_TAIL = 12
_JUDGE_KEY = "DROID_JUDGE_PASS"  # As backend/engines/evaluate/judges.py reads it.
_logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Job:
    """An evaluation as far as its events tell."""

    folder: EvaluationFolder
    adapter_name: str
    questions: int
    targets: tuple[str, ...]
    started: datetime
    helper: bool = False  # Its result is part of another answer (`/api/evaluate/*`).
    state: EvaluationState = "starting"
    phase: str = "starting"
    share: float = 0.0
    error: str | None = None
    hint: str | None = None
    message: str | None = None
    child: Child | None = None
    stopping: bool = False
    last_words: Mapping[str, Any] | None = None  # Its exit, until its process has ended too.
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def running(self) -> bool:
        return self.state in ("starting", "running")

    def apply(self, event: object) -> None:
        """Take one event; what is none, or is not known, changes nothing."""
        if not isinstance(event, dict):
            return
        match event.get("type"):
            case "phase":
                self.state, self.phase = "running", str(event.get("name"))
            case "progress":
                done, total = event.get("done"), event.get("total")
                if isinstance(done, int) and isinstance(total, int) and total > 0:
                    self.share = max(0.0, min(1.0, done / total))
            case "exit":
                self.last_words = event

    def end(self) -> None:
        """Take over how it ended, if it said so; from here on it has ended for everybody."""
        event = self.last_words
        if event is not None and self.running:
            state = event.get("state")
            self.state = state if state in ("completed", "stopped") else "error"
            self.message = str(event.get("message"))
            if self.state == "completed":
                self.phase, self.share = "done", 1.0
            elif self.state == "error":
                hint = event.get("hint")
                self.error, self.hint = self.message, hint if isinstance(hint, str) else None
        if not self.running:
            self.ended.set()


class Evaluations:
    """`make_room` is awaited before a process starts, so that two bases don't share the memory."""

    def __init__(
        self,
        settings: Settings,
        hub: Hub,
        *,
        slot: Slot,
        make_room: Callable[[], Awaitable[object]],
    ) -> None:
        self.folders = EvaluationFolders(settings.data_dir)
        self._settings = settings
        self._hub = hub
        self._slot = slot
        self._make_room = make_room
        self._current: _Job | None = None
        self._begins: str | None = None  # The adapter of the one that is being started.
        self._tasks = Tasks()
        slot.evaluating = lambda: self.running

    async def open(self) -> None:
        """Take up the newest evaluation again: followed if its process still lives."""
        found = await asyncio.to_thread(self.folders.all)
        if not found:
            return
        try:
            job = await asyncio.to_thread(_read, found[0])
        except DamagedFile as damage:  # The list names it.
            _logger.warning("The evaluation %s can't be read: %s", found[0].id, damage.detail)
            return
        self._current = job
        if job.running:
            identity = await asyncio.to_thread(find_marked, found[0].mark)
            if identity is None:
                _interrupted(job)
            else:
                job.child = Child(identity)
                self._tasks.start(self._follow(job), name=f"follow evaluation {job.folder.id}")

    async def close(self) -> None:
        """The process goes on; the next server follows it."""
        await self._tasks.close()

    @property
    def running(self) -> str | None:
        """The adapter that is evaluated now, from before its process until after it."""
        if self._begins is not None:
            return self._begins
        job = self._current
        return job.adapter_name if job is not None and not job.ended.is_set() else None

    def refuse_if_busy(self) -> None:
        """Raises WrongState while another evaluation or a run is active."""
        if (name := self.running) is not None:
            raise EvaluationActive(
                f"An evaluation of {name} is running.",
                hint="Wait until it is done, or stop it with POST /api/evaluation/stop.",
            )
        if (session := self._slot.session) is not None:
            raise WrongState(
                f"A run is active (session {session}), and the model it trains needs the memory.",
                hint="Evaluate when it has ended.",
            )

    async def start(self, request: Mapping[str, Any], rows: ChosenRows) -> EvaluationFolder:
        """Start the process. Raises WrongState as above, or EngineMissing."""
        self.refuse_if_busy()
        self._begins = str(request["adapter_name"])
        try:
            await self._make_room()
            folder = await asyncio.to_thread(self.folders.make, request, rows)
            job = await asyncio.to_thread(_read, folder)
            env = await asyncio.to_thread(engine_environment, self._settings)
            if self._settings.judge_key and (request.get("judge") or {}).get("url"):
                env[_JUDGE_KEY] = self._settings.judge_key
            try:
                argv = [str(self._settings.python), "-m", "backend.engines.evaluate"]
                job.child = await asyncio.to_thread(
                    spawn,
                    [*argv, str(folder.path)],
                    cwd=CHECKOUT,
                    env=env,
                    log_path=folder.path / LOG,
                    mark=folder.mark,
                )
            except BaseException:  # It never began, so nothing of it is listed.
                await asyncio.to_thread(self.folders.remove, folder)
                raise
            self._current = job
        finally:
            self._begins = None
            self._slot.news.tell()
        self._tasks.start(self._follow(job), name=f"follow evaluation {folder.id}")
        return folder

    async def stop(self) -> EvaluationFolder | None:
        """Cancel the running one and wait until it is gone; None when none runs."""
        job = self._current
        if job is None or not job.running or job.child is None:
            return None
        job.stopping = True
        await asyncio.to_thread(job.child.signal, signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_GRACE):
                await job.ended.wait()
        except TimeoutError:  # In the middle of one long step of the engine.
            await asyncio.to_thread(job.child.kill)
            await job.ended.wait()
        return job.folder

    async def ended(self, folder: EvaluationFolder) -> EvaluationStatus:
        """How that evaluation ended, once it has, whichever is the current one by then."""
        job = self._current
        if job is not None and job.folder == folder:
            await job.ended.wait()
            return _status(job)
        job = await asyncio.to_thread(_read, folder)
        if job.running:
            _interrupted(job)
        return _status(job)

    def asks(self, adapter_name: str) -> bool:
        """Whether an adapter of that name is being evaluated."""
        job = self._current
        return job is not None and job.running and job.adapter_name == adapter_name

    def status(self) -> EvaluationStatus:
        """Of the current one, or the last."""
        return _status(self._current)

    def listed(self) -> EvaluationList:
        """Newest first, and those that can't be read. Blocking."""
        found: list[EvaluationSummary] = []
        damaged: list[DamagedItem] = []
        for folder in self.folders.all():
            current = self._current
            try:
                job = current if current and current.folder == folder else _read(folder)
            except DamagedFile as damage:
                item = DamagedItem(name=folder.id, path=str(folder.path), problem=damage.detail)
                damaged.append(item)
                continue
            if job.helper:
                continue
            if job.running and job is not current:
                _interrupted(job)
            found.append(
                EvaluationSummary(
                    evaluation_id=folder.id,
                    adapter_name=job.adapter_name,
                    state=job.state,
                    started=job.started,
                    num_questions=job.questions,
                    targets=list(job.targets),
                    error=job.error,
                )
            )
        return EvaluationList(evaluations=found, damaged=damaged)

    def newest_result(self) -> EvaluationFolder:
        """The newest evaluation that has one. Raises NotFound. Blocking."""
        for folder in self.folders.all():
            try:
                job = _read(folder)
            except DamagedFile:  # The list names it.
                continue
            if not job.helper and os.path.lexists(folder.path / RESULT):
                return folder
        raise NotFound(
            "There is no evaluation result yet.", hint="Start one: POST /api/evaluation/start."
        )

    async def _follow(self, job: _Job) -> None:
        tail = JsonlTail(job.folder.path / EVENTS)
        child = job.child
        assert child is not None  # noqa: S101 - a job is followed only with a process
        failed = 0
        while True:
            gone = not await asyncio.to_thread(child.alive)  # Asked first: then all is written.
            try:
                events = await asyncio.to_thread(tail.read)
            except OSError as problem:  # Too many open files, say: it may pass.
                failed += 1
                if failed == 1:
                    _logger.warning("%s can't be read: %s", tail.path, problem)
                if not gone or failed <= MOST_FAILURES:
                    await asyncio.sleep(_LOOK_EVERY)
                    continue
                events = []
            for event in events:
                job.apply(event)
            if events and job.last_words is None:
                self._say("job_progress", job)
            if gone and not events:
                break
            await asyncio.sleep(_LOOK_EVERY if job.last_words is None else _LOOK_AT_END)
        if job.last_words is None:
            job.last_words = await asyncio.to_thread(self._died, job, child.exit_code())
        job.end()
        self._say("job_completed" if job.state == "completed" else "job_error", job)
        self._slot.news.tell()

    def _died(self, job: _Job, code: int | None) -> dict[str, Any]:
        """What its last event would have been, of one that ended without."""
        if job.stopping:
            text = "The evaluation was cancelled; nothing was kept."
            return {"state": "stopped", "message": text}
        lines, _ = read_tail(job.folder.path / LOG, _TAIL)
        told = explain(code, lines)
        return {"state": "error", "message": told.message, "hint": told.hint}

    def _say(self, kind: str, job: _Job) -> None:
        self._hub.publish(
            kind,
            {
                "kind": "evaluation",
                "job_id": job.folder.id,
                "state": job.state,
                "phase": job.phase,
                "progress": job.share,
                "error": job.error,
                "hint": job.hint,
                "message": job.message,
            },
        )


def _read(folder: EvaluationFolder) -> _Job:
    """An evaluation from its files. Raises DamagedFile when they can't be read."""
    request = folder.request()
    try:
        job = _Job(
            folder=folder,
            adapter_name=str(request["adapter_name"]),
            questions=int(request["num_questions"]),
            targets=tuple(str(target["label"]) for target in request["targets"]),
            started=datetime.fromisoformat(request["started"]),
            helper=bool(request.get("helper")),
        )
    except (ValueError, KeyError, TypeError) as problem:
        text = f"{REQUEST} has not the fields it should ({problem!r})."
        raise DamagedFile(text) from problem
    try:
        for event in JsonlTail(folder.path / EVENTS).read_all():
            job.apply(event)
    except OSError as problem:
        raise DamagedFile(f"{EVENTS} can't be read: {problem.strerror}.") from problem
    job.end()
    return job


def _status(job: _Job | None) -> EvaluationStatus:
    if job is None:
        return EvaluationStatus(
            running=False, progress=0.0, current_question=0, total_questions=0,
            adapter_name=None, error=None,
        )  # fmt: skip
    return EvaluationStatus(
        running=job.running,
        progress=round(100 * job.share, 1),
        current_question=int(job.questions * job.share),
        total_questions=job.questions,
        adapter_name=job.adapter_name,
        error=job.error,
        hint=job.hint,
        evaluation_id=job.folder.id,
        state=job.state,
        phase=job.phase,
    )


def _interrupted(job: _Job) -> None:
    job.state = "interrupted"
    job.error = "The evaluation's process ended without a word, as when a machine is restarted."
    job.ended.set()

"""Downloads from the Hugging Face hub: started, followed, continued, given up.

Each is a process that owns a folder (backend/engines/download/__main__.py). This side counts what
has arrived, ends a process from which nothing comes any more, and starts it again: bytes are never
lost, whatever ends first.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field

import backend.errors as errors
from backend.contract.download import DownloadEnd
from backend.core.disk.files import read_tail
from backend.core.hub import Hub
from backend.core.process import Child, find_marked, kill
from backend.downloads.folder import DamagedDownload, DownloadFolder, left_behind
from backend.downloads.hub_environment import hub_endpoint, hub_environment
from backend.downloads.kind import DownloadKind
from backend.downloads.refusals import refusal_of
from backend.downloads.schemas import (
    LIVE,
    MAIN,
    DownloadInfo,
    DownloadRequest,
    DownloadState,
    asked_rows,
)
from backend.errors import AppError, NotFound
from backend.jobs.lifecycle.engine_process import Launch, end_child, start_engine
from backend.jobs.lifecycle.frames import JobData, publish_job
from backend.jobs.lifecycle.task_jobs import JobTasks, failure_of
from backend.settings import Settings

AT_ONCE = 2
_LOG = "download.log"
_GRACE = 2.0  # Seconds to end by itself; what has arrived is kept either way.
_WINDOW = 8.0  # Seconds over which the speed is taken.
_COUNTS = ("repo_type", "bytes_done", "bytes_total", "bytes_per_second", "eta_seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How patient a download is; tests have less time."""

    look_every: float = 0.5
    say_every: float = 1.0
    prepare: float = 120.0
    stall: float = 60.0
    read_timeout: float = 30.0
    answer_within: float = 6.0
    waits: tuple[float, ...] = (2, 5, 15, 30, 60)


@dataclass(slots=True, eq=False)
class _Job:
    folder: DownloadFolder
    info: DownloadInfo
    known: asyncio.Event = field(default_factory=asyncio.Event)
    end: DownloadEnd | None = None
    refusal: AppError | None = None  # Of its last step, which this side does.
    arrived: deque[tuple[float, int]] = field(default_factory=deque)
    said: tuple[float, str] = (0.0, "")


class Downloads:
    """All downloads of one kind."""

    def __init__(
        self, settings: Settings, hub: Hub, kind: DownloadKind, pace: Pace | None = None
    ) -> None:
        self._settings = settings
        self._kind = kind
        self._hub = hub
        self._pace = pace or Pace()
        self._jobs: dict[str, _Job] = {}
        self._tasks = JobTasks("download")
        self._damaged: dict[str, DamagedDownload] = {}  # By the id that their folder is named by.
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def open(self) -> None:
        """Find what an earlier life began; a process that outlived it is ended, its bytes kept."""
        for folder in await asyncio.to_thread(left_behind, self._kind.root):
            if isinstance(folder, DamagedDownload):
                self._damaged[folder.path.name] = folder
                continue
            await asyncio.to_thread(_end_orphan, _mark(folder))
            job = self._jobs[folder.id] = _Job(folder, _info(folder, "interrupted"))
            job.info.message = "The app was closed before this was done."
            await self._count(job)

    async def close(self) -> None:
        await self._tasks.close()

    def listed(self) -> list[DownloadInfo]:
        """The newest last."""
        damaged = [_damaged_info(each) for each in self._damaged.values()]
        return damaged + [job.info for job in self._jobs.values()]

    async def start(self, request: DownloadRequest) -> DownloadInfo:
        """Begin, or go on. What is known within seconds is answered; a refusal is raised."""
        folder = DownloadFolder(root=self._kind.root, request=request.hub_request())
        job_there = self._jobs.get(folder.id)
        if job_there is not None and job_there.info.state in LIVE:
            return job_there.info
        self._jobs.pop(folder.id, None)
        self._damaged.pop(folder.id, None)  # Its request is written anew.
        job = self._jobs[folder.id] = _Job(folder, _info(folder, "waiting"))
        try:
            await asyncio.to_thread(self._kind.refuse_existing, folder)
        except AppError:
            del self._jobs[folder.id]
            raise
        await self._count(job)
        self._tasks.start(folder.id, self._run(job))
        plan_known = asyncio.create_task(job.known.wait())
        try:
            await asyncio.wait({plan_known}, timeout=self._pace.answer_within)
        finally:
            plan_known.cancel()
        if job.info.state == "error" and job.end is not None:
            if not await asyncio.to_thread(folder.has_files):
                await self._forget(job)
            if job.refusal is not None:
                raise job.refusal
            raise refusal_of(job.end)
        return job.info

    async def remove(self, job_id: str) -> DownloadInfo:
        """Stop a live one and keep what it has; of one that is over, forget that as well."""
        if (damaged := self._damaged.get(job_id)) is not None:
            return await self._remove_damaged(damaged)
        job = self._jobs.get(job_id)
        if job is None:
            raise NotFound(f"There is no download {job_id[:40]!r}.")
        if job.info.state in LIVE:
            await self._tasks.cancel(job_id)
            if job.info.state in LIVE:  # It had not begun.
                self._stopped(job)
            return job.info
        await self._forget(job)
        return job.info

    async def _remove_damaged(self, damaged: DamagedDownload) -> DownloadInfo:
        try:
            await asyncio.to_thread(damaged.remove)
        except FileNotFoundError:
            pass
        except OSError as problem:
            raise errors.WrongState(
                f"{damaged.path} can't be deleted: {problem.strerror}.",
                hint="Check the permissions of that folder.",
            ) from problem
        self._damaged.pop(damaged.path.name, None)
        info = _damaged_info(damaged)
        info.state = "removed"
        return info

    async def _forget(self, job: _Job) -> None:
        self._jobs.pop(job.info.id, None)
        await asyncio.to_thread(job.folder.remove)
        job.info.state = "removed"
        self._publish(job, now=True)

    async def _run(self, job: _Job) -> None:
        try:
            async with self._turn:
                end = await self._persist(job)
            if end.ok:
                await self._finish(job)
            else:
                self._failed(job, end)
        except asyncio.CancelledError:
            self._stopped(job)
        except Exception as problem:  # noqa: BLE001 - told whatever it is; a bug is logged
            job.refusal = problem if isinstance(problem, AppError) else None
            name = f"The download of {job.info.repo_id}"
            failure = failure_of(problem, name, self._kind.root)
            self._failed(job, DownloadEnd(ok=False, error=failure.message, hint=failure.hint))
        finally:
            job.known.set()

    async def _persist(self, job: _Job) -> DownloadEnd:
        """Try until it is done, or until several tries in a row brought nothing."""
        failed = 0
        while True:
            before = job.info.bytes_done
            end = await self._attempt(job)
            planned = job.info.bytes_total is not None
            failed = 1 if job.info.bytes_done > before else failed + 1
            if end.ok or not end.retry or not planned or failed > len(self._pace.waits):
                return end
            wait = self._pace.waits[failed - 1]
            job.info.state = "retrying"
            job.info.message = f"{end.error} Trying again in {wait:g} s."
            job.info.bytes_per_second = job.info.eta_seconds = None
            self._publish(job, now=True)
            await asyncio.sleep(wait)

    async def _attempt(self, job: _Job) -> DownloadEnd:
        await asyncio.to_thread(
            job.folder.prepare,
            endpoint=hub_endpoint(self._settings),
            timeout=self._pace.read_timeout,
        )
        job.info.state, job.info.message = "preparing", None
        self._publish(job, now=True)
        folder = job.folder
        launch = Launch(
            engine="download",
            folder=folder.path,
            log=_LOG,
            mark=_mark(folder),
            env=hub_environment(self._settings),
        )
        spawning = asyncio.create_task(asyncio.to_thread(start_engine, self._settings, launch))
        try:
            return await self._watch(job, await asyncio.shield(spawning))
        finally:
            # Also one that was just being started. Not cancelled a second time: who asks for the
            # end waits for it.
            child = await spawning
            await end_child(f"The download of {folder.request.repo_id}", child, grace=_GRACE)

    async def _watch(self, job: _Job, child: Child) -> DownloadEnd:
        job.arrived.clear()
        life, since = (0, 0), time.monotonic()
        while True:
            over = not await asyncio.to_thread(child.alive)
            await self._count(job)
            if over:
                return await asyncio.to_thread(_last_word, job.folder, child)
            now = time.monotonic()
            sign = (job.info.bytes_done, await asyncio.to_thread(job.folder.signs_of_life))
            if sign != life:
                life, since = sign, now
            limit = self._pace.stall if sign[1] else self._pace.prepare
            if now - since > limit:
                return DownloadEnd(
                    ok=False,
                    kind="stalled",
                    error=f"Nothing has arrived for {limit:g} seconds.",
                    hint="Check the network; the downloaded part is saved.",
                    retry=True,
                )
            self._publish(job)
            await asyncio.sleep(self._pace.look_every)

    async def _count(self, job: _Job) -> None:
        plan = await asyncio.to_thread(job.folder.plan)
        if plan is None:
            return
        info, now = job.info, time.monotonic()
        done = await asyncio.to_thread(job.folder.measure, plan)
        info.bytes_total, info.bytes_done = plan.total, min(done, plan.total)
        if info.state == "preparing" and await asyncio.to_thread(job.folder.signs_of_life) > 0:
            info.state = "downloading"
        job.arrived.append((now, info.bytes_done))
        while now - job.arrived[0][0] > _WINDOW:
            job.arrived.popleft()
        first, last = job.arrived[0], job.arrived[-1]
        if last[0] - first[0] >= 1.0:
            info.bytes_per_second = max(0.0, (last[1] - first[1]) / (last[0] - first[0]))
            left = plan.total - info.bytes_done
            speed = info.bytes_per_second
            info.eta_seconds = round(left / speed, 1) if speed > 0 else None
        if info.state == "downloading":
            job.known.set()

    async def _finish(self, job: _Job) -> None:
        plan = await asyncio.to_thread(job.folder.plan)
        if plan is None:
            raise errors.BadContent("The download left no list of its files.")
        info = job.info
        if info.dataset is not None:
            info.state = "converting"
            info.bytes_per_second = info.eta_seconds = None
            self._publish(job, now=True)
        arrival = await self._kind.settle(job.folder, plan)
        info.state, info.message, info.bytes_done = "completed", None, plan.total
        info.name, info.path, info.problem = arrival.path.name, str(arrival.path), arrival.problem
        info.written = arrival.written
        info.bytes_per_second = info.eta_seconds = None
        self._publish(job, now=True)

    def _failed(self, job: _Job, end: DownloadEnd) -> None:
        job.end, info = end, job.info
        info.state, info.message = "error", None
        info.error, info.hint = end.error, end.hint
        info.bytes_per_second = info.eta_seconds = None
        self._publish(job, now=True)

    def _stopped(self, job: _Job) -> None:
        info = job.info
        info.state, info.message = "cancelled", "Stopped. The downloaded part is saved."
        info.bytes_per_second = info.eta_seconds = None
        self._publish(job, now=True)

    def _publish(self, job: _Job, *, now: bool = False) -> None:
        """At most one frame a second, and only when something changed."""
        info, at = job.info, time.monotonic()
        text = info.model_dump_json()
        if not now and (text == job.said[1] or at - job.said[0] < self._pace.say_every):
            return
        job.said = (at, text)
        share = info.bytes_done / info.bytes_total if info.bytes_total else None
        data = JobData(
            kind="download",
            repo_type=job.folder.request.repo_type,
            job_id=info.id,
            state=info.state,
            phase=info.state,
            progress=share,
            path=info.path,
            error=info.error,
            hint=info.hint,
            message=info.message,
            bytes_done=info.bytes_done,
            bytes_total=info.bytes_total,
            bytes_per_second=info.bytes_per_second,
            eta_seconds=info.eta_seconds,
        )
        publish_job(self._hub, data, "path", *_COUNTS)


def _info(folder: DownloadFolder, state: DownloadState) -> DownloadInfo:
    request = folder.request
    return DownloadInfo(
        id=folder.id,
        repo_id=request.repo_id,
        revision=request.revision,
        name=request.repo_id.rpartition("/")[2],
        state=state,
        dataset=asked_rows(request),
    )


def _damaged_info(damaged: DamagedDownload) -> DownloadInfo:
    return DownloadInfo(
        id=damaged.path.name,
        repo_id="",
        revision=MAIN,
        name=damaged.path.name,
        state="damaged",
        path=str(damaged.path),
        problem=damaged.problem,
    )


def _mark(folder: DownloadFolder) -> str:
    return f"download {folder.path.resolve()}"  # The place: a copy of it has no process.


def _end_orphan(mark: str) -> None:
    identity = find_marked(mark)
    if identity is not None:
        kill(identity)


def _last_word(folder: DownloadFolder, child: Child) -> DownloadEnd:
    end = folder.end()
    if end is not None:
        return end
    lines, _ = read_tail(folder.path / _LOG, 1)
    text = lines[0] if lines else f"exit code {child.exit_code()}"
    return DownloadEnd(ok=False, error=f"The download process ended: {text[:300]}")

"""The life of a job: a child that owns a folder, followed by its events, found again later.

Every kind lives this way, a run of training too (`jobs/supervisor.py`, with the same numbers):

1. prepare   its folder is written, the request last: a torn folder is not a job
2. start     its engine is started, in one way (`engine_process.start_engine`)
3. follow    what it writes is read and folded (`follower.follow`, `Job.apply`)
4. tell      whoever listens hears of it (`frames.publish_job`)
5. stop      SIGTERM; after its grace it is killed with all it started (`wait_then_kill`)
6. end       its last word, or what its exit code and its log tell, is a sentence
7. adopt     a server that starts follows a living one, and explains a dead one
8. list      jobs are what their folders say; damaged ones are named
9. clean up  what never began is removed, and what a killed process left half-written

A kind is a row (`JobKind`), the record of its request, and the route that shows it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

from backend.contract.record import BadRecord
from backend.contract.run.events import RunEvent, read_event
from backend.contract.run.folder import EVENTS
from backend.core.disk.files import JsonlTail, read_tail
from backend.core.disk.removal import NotRemoved, named, remove
from backend.core.disk.stored_files import DamagedFile
from backend.core.exits import explain_job
from backend.core.hub import Hub
from backend.core.machine.blas import engine_environment
from backend.core.process import Child, find_marked
from backend.core.schemas import DamagedItem
from backend.core.tasks import Tasks
from backend.errors import JobActive, WrongState
from backend.jobs.lifecycle.engine_process import Launch, after, start_engine, wait_then_kill
from backend.jobs.lifecycle.folder import REQUEST, RESULT, JobFolder, JobFolders
from backend.jobs.lifecycle.follower import TICK, Batch, Follower, follow
from backend.jobs.lifecycle.frames import JobData, JobKindName, publish_job
from backend.jobs.lifecycle.job import Job, LastWord
from backend.jobs.lifecycle.slot import MemoryHolder, Slot
from backend.settings import Settings

R = TypeVar("R")

_TICK_AT_END = 0.02  # The last word is heard: somebody may wait to start the next.
_TAIL = 12
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind(Generic[R]):
    """A kind of job, as a row.

    `read` makes the request of its JSON object, and `title` names in a few words what a request
    works on. `subject`, `reason` and `place` are for the sentence that refuses something else
    meanwhile ("An evaluation of {title} is running, and its model needs the memory"). `staging` is
    the folder in which a request's result is written before it is renamed, and `staging_name` the
    pattern of such names: what a killed process leaves there is removed.
    """

    name: JobKindName
    engine: str
    folder: str
    log: str
    subject: str
    reason: str
    place: str
    stop_route: str
    stopped: str
    read: Callable[[dict[str, Any]], R]
    title: Callable[[R], str]
    error: type[JobActive] = JobActive
    list_route: str | None = None
    staging: Callable[[R], str] | None = None
    staging_name: str = ""
    grace: float = 20.0  # Seconds from the request to stop to the kill.


class EngineJobs(Generic[R]):
    """The jobs of one kind, one at a time. Called on the event loop's thread.

    `make_room` is awaited before a process starts, so that two models don't share the memory.
    `results` is the folder that results, and what is staged, lie directly in.
    """

    def __init__(
        self,
        kind: JobKind[R],
        settings: Settings,
        hub: Hub,
        *,
        slot: Slot,
        make_room: Callable[[], Awaitable[object]],
        results: Path | None = None,
    ) -> None:
        self.kind = kind
        self._results = results
        self.folders = JobFolders(settings.data_dir / kind.folder, kind.name, kind.list_route)
        self.current: Job[R] | None = None
        self._settings = settings
        self._hub = hub
        self._slot = slot
        self._make_room = make_room
        self._begins: str | None = None  # The title of the one that is being started.
        self._tasks = Tasks()
        slot.holders.append(self.holder)

    # -- 7 adopt ----------------------------------------------------------------------------

    async def open(self) -> None:
        """Take up the newest job again: followed if its process still lives."""
        folders = await asyncio.to_thread(self.folders.all)
        if not folders:
            return
        newest = folders[0]
        try:
            job = await asyncio.to_thread(self.read, newest)
        except DamagedFile as damage:  # The list names it.
            _logger.warning("The %s %s can't be read: %s", self._noun, newest.id, damage.detail)
            return
        self.current = job
        if not job.running:
            return
        identity = await asyncio.to_thread(find_marked, newest.mark)
        if identity is None:
            await asyncio.to_thread(self._clean_up, job)
            job.interrupt(self._noun)
        else:
            job.child = Child(identity)
            self._follow(job)

    async def close(self) -> None:
        """The process goes on; the next server follows it."""
        await self._tasks.close()

    # -- who has the memory -----------------------------------------------------------------

    @property
    def active(self) -> str | None:
        """The title of the job at work, from before its process until after it."""
        if self._begins is not None:
            return self._begins
        job = self.current
        return job.title if job is not None and not job.ended.is_set() else None

    @property
    def child(self) -> Child | None:
        """The process of the job at work."""
        job = self.current
        return job.child if job is not None and not job.ended.is_set() else None

    def holder(self) -> MemoryHolder | None:
        title = self.active
        if title is None:
            return None
        kind = self.kind
        return MemoryHolder(
            kind=kind.name,
            subject=kind.subject.format(title=title),
            reason=kind.reason,
            place=kind.place,
            error=kind.error,
        )

    def require_free(self) -> None:
        """Raise WrongState, naming it, while a run or a job of any kind is active."""
        if (own := self.holder()) is not None:
            raise self.kind.error(
                f"{own.subject} is running.",
                hint=f"Wait until it is done, or stop it with POST {self.kind.stop_route}.",
            )
        if (run := self._slot.run) is not None:
            raise WrongState(
                f"A run is active ({run}), and the model it trains needs the memory.",
                hint=f"Start the {self._noun} when it has ended.",
            )
        if (other := self._slot.holder) is not None:
            raise other.refusal(f"Wait until it is done, or stop it {other.place}.")

    # -- 1 prepare, 2 start -----------------------------------------------------------------

    async def start(
        self,
        request: Mapping[str, Any],
        *,
        fill: Callable[[Path], None] = lambda _: None,
        secrets: Mapping[str, str] | None = None,
    ) -> Job[R]:
        """Write the request, `fill` its folder before that, and start the process.

        Raises WrongState as `require_free` does, or EngineMissing; nothing is left then.
        """
        self.require_free()
        self._begins = self.kind.title(self.kind.read(dict(request)))
        try:
            await self._make_room()
            folder = await asyncio.to_thread(self.folders.make, request, fill)
            try:
                job = await asyncio.to_thread(self.read, folder)
                env = await asyncio.to_thread(engine_environment, self._settings)
                launch = Launch(
                    engine=self.kind.engine,
                    folder=folder.path,
                    log=self.kind.log,
                    mark=folder.mark,
                    env=env | dict(secrets or {}),
                )
                job.child = await asyncio.to_thread(start_engine, self._settings, launch)
            except BaseException:  # 9 clean up: it never began, so nothing of it is listed.
                await asyncio.to_thread(self.folders.remove, folder)
                raise
            self.current = job
        finally:
            self._begins = None
            self._slot.news.tell()
        self._follow(job)
        return job

    # -- 3 follow, 4 tell -------------------------------------------------------------------

    def _follow(self, job: Job[R]) -> None:
        self._tasks.start(self._follow_to_the_end(job), name=f"follow {self._noun} {job.folder.id}")

    async def _follow_to_the_end(self, job: Job[R]) -> None:
        async def take(batch: Batch[RunEvent]) -> None:
            for event in batch.events:
                job.apply(event)
            if batch.events and job.last_word is None:
                self._publish(job)

        assert job.child is not None  # noqa: S101 - a job is followed only with a process
        last = await follow(
            Follower(job.folder.path, job.child, read_event),
            take,
            tick=lambda: TICK if job.last_word is None else _TICK_AT_END,
        )
        await asyncio.to_thread(self._clean_up, job)
        if job.last_word is None:
            job.last_word = await asyncio.to_thread(self._explain, job, last.exit_code)
        job.end()
        self._publish(job)
        self._slot.news.tell()

    def _publish(self, job: Job[R]) -> None:
        data = JobData(
            kind=self.kind.name,
            job_id=job.folder.id,
            state=job.state,
            phase=job.phase,
            progress=job.share,
            error=job.error,
            hint=job.hint,
            message=job.message,
        )
        publish_job(self._hub, data)

    # -- 5 stop, 6 end ----------------------------------------------------------------------

    async def stop(self) -> Job[R] | None:
        """Cancel the job at work and wait until it is gone; None when none is."""
        job = self.current
        if job is None or not job.running or job.child is None:
            return None
        job.stopping = True
        await asyncio.to_thread(job.child.signal, signal.SIGTERM)
        name = f"The {self._noun} {job.folder.id}"
        waiting = asyncio.create_task(
            wait_then_kill(
                name,
                lambda: None if job.ended.is_set() else job.child,
                after(self.kind.grace),
            )
        )
        try:
            await job.ended.wait()
        finally:
            waiting.cancel()
        return job

    def _explain(self, job: Job[R], code: int | None) -> LastWord:
        """What its last word would have been, of one that ended without."""
        if job.stopping:
            return LastWord(state="stopped", message=self.kind.stopped)
        lines, _ = read_tail(job.folder.path / self.kind.log, _TAIL)
        cause = explain_job(code, lines)
        return LastWord(state="error", message=cause.message, hint=cause.hint)

    def _clean_up(self, job: Job[R]) -> None:
        """9: what its process did not come to remove. What lies elsewhere is left alone, and what
        can't be removed must not keep a job from ending.
        """
        if self.kind.staging is None or self._results is None:
            return
        staging, own = Path(self.kind.staging(job.request)), named(self.kind.staging_name)
        try:
            remove(staging, inside=self._results, own=own)
        except (OSError, NotRemoved) as problem:
            _logger.warning("What %s left can't be removed: %s", job.folder.id, problem)

    async def ended(self, folder: JobFolder) -> Job[R]:
        """That job, once it has ended, whichever is the current one by then."""
        job = self.current
        if job is not None and job.folder == folder:
            await job.ended.wait()
            return job
        job = await asyncio.to_thread(self.read, folder)
        if job.running:
            job.interrupt(self._noun)
        return job

    def forget(self) -> None:
        """Show none any more. Raises JobActive while one is at work."""
        if self.active is not None:
            self.require_free()
        self.current = None

    # -- 8 list -----------------------------------------------------------------------------

    def read(self, folder: JobFolder) -> Job[R]:
        """A job from its files. Raises DamagedFile when they can't be read. Blocking."""
        value = folder.request()
        try:
            request = self.kind.read(value)
            start = datetime.fromisoformat(value["started"])
        except (BadRecord, ValueError, KeyError, TypeError) as problem:
            text = f"{REQUEST} has not the fields it should ({problem!r})."
            raise DamagedFile(text) from problem
        job = Job(folder=folder, title=self.kind.title(request), request=request, started=start)
        try:
            for value in JsonlTail(folder.path / EVENTS).read_all():
                if (event := read_event(value)) is not None:
                    job.apply(event)
        except OSError as problem:
            raise DamagedFile(f"{EVENTS} can't be read: {problem.strerror}.") from problem
        job.end()
        return job

    def listed(self) -> tuple[list[Job[R]], list[DamagedItem]]:
        """Newest first, and those that can't be read. Blocking."""
        jobs: list[Job[R]] = []
        damaged: list[DamagedItem] = []
        for folder in self.folders.all():
            current = self.current
            try:
                job = current if current and current.folder == folder else self.read(folder)
            except DamagedFile as damage:
                item = DamagedItem(name=folder.id, path=str(folder.path), problem=damage.detail)
                damaged.append(item)
                continue
            if job.running and job is not current:
                job.interrupt(self._noun)
            jobs.append(job)
        return jobs, damaged

    def newest_with_result(self, fits: Callable[[R], bool] = lambda _: True) -> Job[R] | None:
        """The newest job that left a result. Blocking; damaged ones are passed over."""
        for folder in self.folders.all():
            if not os.path.lexists(folder.path / RESULT):
                continue
            try:
                job = self.read(folder)
            except DamagedFile:  # The list names it.
                continue
            if fits(job.request):
                return job
        return None

    @property
    def _noun(self) -> str:
        return self.kind.name

"""The one writer of run state: starts a run, follows it, stops it, and finds it again.

A run lives as every job does; the numbers are those of `lifecycle/engine_jobs.py`. Order
everywhere: validate → prepare → act → record → publish. What is published is on disk.

The engine hears signals: SIGTERM stop and save, SIGINT stop at once without saving, SIGUSR1 pause
before the next step, SIGUSR2 go on. They reach the process itself; only a kill takes all it
started, because a stop that ended its helpers first could not save.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Literal

from backend.contract.run.folder import LOG
from backend.core.disk.files import read_tail
from backend.core.disk.trash import Trash
from backend.core.hub import Hub
from backend.core.machine.blas import engine_environment, report_keys
from backend.core.process import Identity, kill
from backend.core.tasks import Tasks
from backend.errors import WrongState
from backend.jobs import frames, recovery
from backend.jobs.leftovers import settle_leftovers, settle_run
from backend.jobs.lifecycle.engine_process import Launch, start_engine
from backend.jobs.lifecycle.follower import Batch, Follower, follow
from backend.jobs.lifecycle.slot import Slot
from backend.jobs.live_run import Frame, LiveRun
from backend.jobs.prepare import prepare
from backend.jobs.queue import RunQueue
from backend.jobs.recorder import Scribe, thin
from backend.jobs.run.events import Event
from backend.jobs.run.follower import run_follower
from backend.jobs.run.recipe import Recipe
from backend.jobs.run.schemas import RunMetrics, SessionRecord, TrainingStateData, TrainingStatus
from backend.jobs.run.state import FINAL, RunState
from backend.jobs.run.store import DeletedSession, SessionStore
from backend.jobs.silence import watch_silence
from backend.jobs.stopping import Grace, StopResult, end_in_time
from backend.settings import Settings

_CATCH_UP = 100  # More events than this at once are told as one snapshot.
_logger = logging.getLogger(__name__)


class RunSupervisor:
    """One run at a time over all tabs. Every method is called on the event loop's thread."""

    def __init__(
        self,
        settings: Settings,
        store: SessionStore,
        hub: Hub,
        *,
        queue: RunQueue,
        grace: Grace | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._hub = hub
        self._queue = queue  # Only to show it; the dispatcher takes from it.
        self._grace = grace or Grace()
        self._run: LiveRun | None = None
        self.slot = Slot()
        self.make_room: Callable[[], Awaitable[None]] | None = None  # Awaited before a launch.
        self.go_on: Callable[[SessionRecord], Awaitable[str]] = recovery.ends_here
        self.killed: list[SessionRecord] = []  # While no server was there.
        self._tasks = Tasks()
        self._scribe = Scribe(store, hub, self._tasks)
        self._stop_wanted: Literal["save", "discard"] | None = None
        # Its own thread: a route that fills the shared pool must not blind the follower.
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="follow")

    # -- 7 adopt: life of the server -------------------------------------------------------

    async def open(self) -> None:
        """Find what the last server left: adopt a living run, end the records of dead ones."""
        await asyncio.to_thread(self._store.open)
        for session_id in await asyncio.to_thread(self._store.unfinished):
            try:
                await self._recover(session_id)
            except Exception:  # One bad session must not keep the server from starting.
                _logger.exception("The session %s could not be recovered.", session_id)
        await asyncio.to_thread(settle_leftovers, self._store, live=self.slot.session)
        latest = await asyncio.to_thread(self._store.latest)
        if self._run is None and latest is not None:
            try:
                record = await asyncio.to_thread(self._store.record, latest)
                self._run = await asyncio.to_thread(recovery.review, record, self._store)
            except Exception:
                _logger.exception("The latest session %s could not be shown.", latest)

    async def close(self) -> None:
        """Stop following. A living run is left to itself; the next server adopts it."""
        if self.slot.session is not None and self._run is not None and self._run.active:
            _logger.info("The run %s goes on; the next start adopts it.", self.slot.session)
        await self._tasks.close()
        self._reader.shutdown(wait=True)

    async def _recover(self, session_id: str) -> None:
        record = await asyncio.to_thread(self._store.record, session_id)
        child = await asyncio.to_thread(recovery.find_child, record, self._store)
        if child is not None and self.slot.session is None:
            run, follower = await asyncio.to_thread(
                recovery.adopt, record, child, self._store, self._settings
            )
            self._run = run
            self.slot.take(session_id, child, name=record.title)
            _logger.info("Adopted the run %s (pid %d).", session_id, child.identity.pid)
            self._follow(run, follower)
            await self._scribe.save(run)
            if run.state is RunState.STOPPING:
                self._tasks.start(end_in_time(run, self._grace), name="end a stopping run")
            return
        if child is not None:
            _logger.error("Two runs live; %s is left alone.", session_id)
            return
        run = await asyncio.to_thread(recovery.reopen, record, self._store)
        if record.pid is not None:  # It may have left helpers behind; they carry its mark.
            await asyncio.to_thread(kill, Identity(record.pid, 0.0, self._store.mark(session_id)))
        if recovery.was_killed(run, None):
            self.killed.append(record)
        state, message, hint = recovery.ending(run, code=None, seen=False)
        message += await self._settle(run)
        run.end(state, message, hint, at=run.progress.last_at)
        await self._scribe.save(run)
        _logger.info("The run %s had ended: %s.", session_id, run.state)

    # -- 1 prepare, 2 start ----------------------------------------------------------------

    @property
    def active_session(self) -> str | None:
        """The session that holds the slot: a run that lives, or one that is being prepared."""
        return self.slot.session

    def require_free(self) -> None:
        """Raise RunAlreadyActive or EvaluationActive, naming it, unless a run may start now."""
        self.slot.require_free()

    async def start(self, recipe: Recipe) -> None:
        """Start a run. Returns when its process lives; from `starting` on, failures end in `error`.

        Raises as `require_free`, whatever preparing refuses (then nothing was written), or
        EngineMissing.
        """
        self.require_free()
        self.slot.take(recipe.session_id, name=recipe.adapter_name)
        self._stop_wanted = None
        try:
            record = await asyncio.to_thread(prepare, recipe, self._store)
        except BaseException:
            self.slot.leave()
            raise
        run = LiveRun(record)
        try:
            run, heard = await asyncio.to_thread(
                recovery.begin, record, self._store, self._settings
            )
            self._run = run
            self._say_started(run)
            if heard:  # The history of the run that it continues.
                await self._scribe.say_all(run, self._queue.shown())
            await self._launch(run, recipe, heard)
        except Exception as problem:  # Whatever it is, slot and record are not left behind.
            self._run = run
            if run.child is None:
                await self._finish(run, RunState.ERROR, *recovery.no_start(problem))
            else:  # The follower tells its end.
                await asyncio.to_thread(run.child.kill)
            if isinstance(problem, OSError):
                raise recovery.launch_refusal(problem) from problem
            raise

    async def refuse(self, record: SessionRecord, message: str, hint: str | None) -> None:
        """Show a waiting run that can't start as one that ended in `error`, once it is free."""
        await self.slot.news.until(lambda: self.slot.session is None)
        self.slot.take(record.session_id, name=record.title)
        run = self._run = LiveRun(record)
        self._say_started(run)
        await self._finish(run, RunState.ERROR, message, hint)

    async def _launch(self, run: LiveRun, recipe: Recipe, heard: int) -> None:
        folder = self._store.folder(run.session_id)
        env = await asyncio.to_thread(engine_environment, self._settings)
        env |= report_keys(recipe.config.get("report_to"))
        if self.make_room is not None:
            await self.make_room()
        if self._stop_wanted is not None:
            await self._finish(run, RunState.STOPPED, "Stopped before it began.", None)
            return
        mark = self._store.mark(run.session_id)
        launch = Launch(engine=recipe.engine, folder=folder, log=LOG, mark=mark, env=env)
        child = await asyncio.to_thread(start_engine, self._settings, launch)
        run.child = self.slot.child = child
        run.record.pid = child.identity.pid
        run.record.process_started = child.identity.started
        self._follow(run, run_follower(folder, child, event_offset=heard))
        await self._scribe.save(run)
        if self._stop_wanted is not None:
            await self._begin_stop(run, save=self._stop_wanted == "save")

    # -- 5 stop, pause, resume -------------------------------------------------------------

    async def stop(self, *, save: bool, wait: float = 0.8) -> StopResult:
        """Ask the run to end; answers within a second, not `finished` if it takes longer.

        Stopping again is harmless; a second stop without saving makes the first one stronger.
        """
        if self.slot.session is None:
            return StopResult("idle", True, "No run is active.", None)
        session_id = self.slot.session
        self._stop_wanted = "save" if save and self._stop_wanted != "discard" else "discard"
        run = self._run
        if run is not None and run.session_id == session_id and run.child is not None:
            await self._begin_stop(run, save=save)
        await self.slot.news.until(lambda: self.slot.session != session_id, limit=wait)
        if self.slot.session == session_id:
            what = "The run saves its weights and ends" if save else "The run ends"
            return StopResult("stopped", False, f"{what} after its current step.", session_id)
        ended = self._run.record.exit if self._run is not None else None
        return StopResult("stopped", True, ended.message if ended else "Stopped.", session_id)

    async def pause(self) -> Literal["paused", "running"]:
        """Ask the run to wait before its next step; `running` if that step takes a while."""
        run = self._require_active("pause", {RunState.RUNNING, RunState.PAUSED})
        if run.state is RunState.RUNNING and run.child is not None:
            await asyncio.to_thread(run.child.signal, signal.SIGUSR1)
            await self.slot.news.until(lambda: run.state is not RunState.RUNNING, limit=0.8)
        await self._scribe.saved()
        return "paused" if run.state is RunState.PAUSED else "running"

    async def resume(self) -> Literal["paused", "running"]:
        """Let a paused run go on; also takes back a pause that has not come about yet."""
        run = self._require_active("resume", {RunState.RUNNING, RunState.PAUSED})
        if run.child is not None:
            await asyncio.to_thread(run.child.signal, signal.SIGUSR2)
            await self.slot.news.until(lambda: run.state is not RunState.PAUSED, limit=0.8)
        await self._scribe.saved()
        return "paused" if run.state is RunState.PAUSED else "running"

    def _require_active(self, verb: str, states: set[RunState]) -> LiveRun:
        run = self._run
        if run is None or self.slot.session is None or run.state not in states:
            now = run.state if run is not None else RunState.IDLE
            raise WrongState(
                f"There is no training to {verb}: the state is {now}.",
                hint="Only a run that is training can be paused and resumed.",
            )
        return run

    async def _begin_stop(self, run: LiveRun, *, save: bool) -> None:
        first = run.state is not RunState.STOPPING
        if first:
            if run.state in FINAL:
                return
            run.move_to(RunState.STOPPING)
            await self._scribe.save(run)
            self._scribe.say(run, *run.progress_frame())
        if run.child is not None and (first or not save):
            await asyncio.to_thread(run.child.signal, signal.SIGTERM if save else signal.SIGINT)
        if first:
            self._tasks.start(end_in_time(run, self._grace), name="end a stopping run")

    # -- 3 follow, 4 tell, 6 end -----------------------------------------------------------

    def _follow(self, run: LiveRun, follower: Follower[Event]) -> None:
        work = self._follow_to_the_end(run, follower)
        self._tasks.start(work, name=f"follow {run.session_id}")
        self._tasks.start(watch_silence(run, partial(self._scribe.tell, run)), name="watch a run")

    async def _follow_to_the_end(self, run: LiveRun, follower: Follower[Event]) -> None:
        async def take(batch: Batch[Event]) -> None:
            quiet = len(batch.events) > _CATCH_UP
            for event in batch.events:
                await self._try(run, self._take_event(run, event, quiet=quiet))
            await self._try(run, self._take_rest(run, batch, quiet=quiet))

        last = await follow(follower, take, reader=self._reader)
        code, deleted = last.exit_code, last.deleted
        state, message, hint = recovery.ending(run, code=code, seen=True, deleted=deleted)
        if deleted is None and recovery.was_killed(run, code):
            message += await self.go_on(run.record)
        await self._finish(run, state, message, hint)

    async def _try(self, run: LiveRun, work: Coroutine[None, None, None]) -> None:
        """The follower's top level: what goes wrong with one event must not cost the next."""
        try:
            await work
        except Exception:
            _logger.exception("News of the run %s could not be told.", run.session_id)

    async def _take_rest(self, run: LiveRun, batch: Batch[Event], *, quiet: bool) -> None:
        if quiet:
            await self._scribe.say_all(run, self._queue.shown())
        if batch.lines:
            self._scribe.say(run, *run.progress_frame(lines=run.take_lines(batch.lines)))
        if batch.events:
            await self._scribe.save_metrics(run)

    async def _take_event(self, run: LiveRun, event: Event, *, quiet: bool) -> None:
        run.apply(event)
        target = run.state_after(event)
        if target is not None:
            run.move_to(target)
            await self._scribe.save(run)
        for kind, data in run.frames_for(event):
            if not quiet:
                self._scribe.say(run, kind, data)
        self.slot.news.tell()
        if run.progress.exit is event and run.state is not RunState.STOPPING:
            self._tasks.start(end_in_time(run, self._grace), name="see a run out")

    async def _finish(self, run: LiveRun, state: RunState, message: str, hint: str | None) -> None:
        run.closing = run.state
        message += await self._settle(run)
        frame: Frame = run.end(state, message, hint)
        await self._scribe.save(run)
        run.closing = None
        self.slot.leave()
        self._scribe.say(run, *frame)

    def _say_started(self, run: LiveRun) -> None:
        data = frames.StartedData(
            config=run.record.config, session_id=run.session_id, method=run.record.method
        )
        self._scribe.say(run, "training_started", data)

    async def _settle(self, run: LiveRun) -> str:
        return await asyncio.to_thread(
            settle_run, self._store, run.session_id, run.record.adapter_path, run.progress.exit
        )

    # -- 8 list: what there is to show -----------------------------------------------------

    def status(self) -> TrainingStatus:
        if self._run is not None:
            return self._run.status(self._queue.shown())
        return TrainingStatus(
            state=RunState.IDLE, session_id=None, pid=None, phase=None, metrics=RunMetrics(),
            config=None, error=None, started_at=None, queue=self._queue.shown(),
        )  # fmt: skip

    def snapshot(self) -> TrainingStateData:
        """All that a page needs after a reload, of this very moment."""
        return thin(self._capture())

    def snapshot_later(self) -> Callable[[], TrainingStateData]:
        """The same, split: what is captured now may be thinned in a thread."""
        captured = self._capture()
        return lambda: thin(captured)

    def logs(self, limit: int) -> list[str]:
        """The last lines of the current or last run. Blocking."""
        if self._run is None:
            return []
        return read_tail(self._store.folder(self._run.session_id) / LOG, limit)[0]

    def _capture(self) -> TrainingStateData:
        if self._run is None:
            queue = self._queue.shown()
            return TrainingStateData(state=RunState.IDLE, queue=queue, seq=self._hub.seq)
        return self._run.snapshot(self._hub.seq, self._queue.shown())

    # -- 9 clean up: saved sessions --------------------------------------------------------

    async def load(self, session_id: str) -> None:
        """Show a saved session in place of the last one."""
        if session_id == self.slot.session:
            return
        self.slot.require_no_run()
        record = await asyncio.to_thread(self._store.record, session_id)
        run = await asyncio.to_thread(recovery.review, record, self._store)
        self.slot.require_no_run()  # A run may have begun meanwhile.
        self._run = run
        data = frames.LoadedData(
            session_id=session_id, state=run.state, metrics=run.metrics(), config=record.config
        )
        self._scribe.say(run, "session_loaded", data)
        await self._scribe.say_all(run, self._queue.shown())

    async def delete(
        self, session_id: str, *, files: bool, trash: Trash | None = None
    ) -> DeletedSession:
        """Delete a session that does not live, as `SessionStore.delete` does."""
        if session_id == self.slot.session:
            raise WrongState(
                f"Session {session_id} is the active run.", hint="Stop it first, then delete it."
            )
        deleted = await asyncio.to_thread(self._store.delete, session_id, files=files, trash=trash)
        if self._run is not None and self._run.session_id == session_id:
            self._run = None
            message = f"Session {session_id} was deleted."
            self._hub.publish("training_reset", frames.ResetData(message=message))
        return deleted

"""What a server finds on start: a run that lives on, one that died unseen, or the last session."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from backend.contract.run.folder import LOG
from backend.core import exits
from backend.core.disk.disk_errors import full_refusal
from backend.core.disk.files import read_tail
from backend.core.machine.system import working_set
from backend.core.process import Child, Identity, alive, find_marked, works_on
from backend.errors import AppError, EngineMissing
from backend.jobs.lifecycle.follower import Follower
from backend.jobs.live_run import KEPT_LINES, LiveRun
from backend.jobs.run.events import Event
from backend.jobs.run.follower import fold_events, log_so_far, run_follower
from backend.jobs.run.progress import Progress
from backend.jobs.run.schemas import SessionRecord
from backend.jobs.run.state import RunState
from backend.jobs.run.store import SessionStore
from backend.settings import Settings


def find_child(record: SessionRecord, store: SessionStore) -> Child | None:
    """The process of an unfinished run, if it lives: by pid and start time, and only if it writes
    into this very run folder. The run of a data root that this one is a copy of is not ours.

    A server killed between starting it and writing its pid down finds it by its mark. Not
    otherwise: the mark is also on what the run started, which may outlive it.
    """
    mark = store.mark(record.session_id)
    if record.pid is not None and record.process_started is not None:
        identity = Identity(record.pid, record.process_started, mark)
        return Child(identity) if alive(identity) and works_on(identity, Path(mark)) else None
    children = find_marked(mark)
    return Child(children) if children is not None else None


def begin(record: SessionRecord, store: SessionStore, settings: Settings) -> tuple[LiveRun, int]:
    """A run that is about to start, with the history of the one it continues; and the byte after
    that history, where a follower begins.
    """
    run = LiveRun(record, memory_limit=working_set(settings))
    return run, run.take_history(partial(fold_events, store.folder(record.session_id)))


def adopt(
    record: SessionRecord, child: Child, store: SessionStore, settings: Settings
) -> tuple[LiveRun, Follower[Event]]:
    """Take up a living run where it is: all its events so far, the last log lines, and what comes.

    A run whose server died while it was starting may have moved on since; so may a paused one.
    """
    folder = store.folder(record.session_id)
    lines, log_offset = log_so_far(folder, KEPT_LINES)
    run = LiveRun(record, lines, memory_limit=working_set(settings))
    offset = run.take_history(partial(fold_events, folder))
    run.child = child
    record.pid, record.process_started = child.identity.pid, child.identity.started
    if run.state is not RunState.STOPPING:
        record.state = record.training_state = _state_of(run.progress)
    return run, run_follower(folder, child, event_offset=offset, log_offset=log_offset)


def reopen(record: SessionRecord, store: SessionStore) -> LiveRun:
    """A run that is over, to look at."""
    folder = store.folder(record.session_id)
    lines, _ = read_tail(folder / LOG, KEPT_LINES)
    run = LiveRun(record, lines)
    run.take_history(partial(fold_events, folder))
    return run


def review(record: SessionRecord, store: SessionStore) -> LiveRun:
    """A session to look at that does not hold the slot: it can't be shown as at work, unless its
    process does live, whatever its record was left saying.
    """
    run = reopen(record, store)
    if run.active and find_child(record, store) is None:
        run.end(*ending(run, code=None, seen=False), at=run.progress.last_at)
    return run


def ending(
    run: LiveRun, *, code: int | None, seen: bool, deleted: Path | None = None
) -> tuple[RunState, str, str | None]:
    """State, message and hint for a run whose process is gone.

    Its own last word counts; without one, what the exit code and the log tell. `seen` is False
    when it died while no server was there: then it was `interrupted`, unless it was being stopped.
    `deleted` is its folder, if that was taken away while it ran.
    """
    stopping = run.state is RunState.STOPPING
    exit_event = run.progress.exit
    if exit_event is not None:
        return RunState(exit_event.state), exit_event.message, exit_event.hint
    explained = exits.explain(code, list(run.lines), stopping=stopping)
    if deleted is not None:
        explained = exits.folder_deleted(deleted)
    if stopping:
        return RunState.STOPPED, explained.message, explained.hint
    return RunState.ERROR if seen else RunState.INTERRUPTED, explained.message, explained.hint


def launch_refusal(problem: OSError) -> AppError:
    """What a start answers when the system would not let its process begin."""
    missing = EngineMissing(f"The engine could not be started: {problem}.")
    return full_refusal(problem) or missing


def no_start(problem: Exception) -> tuple[str, str | None]:
    """Message and hint for a run that got no process. A bug is not explained to the user."""
    match problem:
        case AppError():
            return f"The run could not start. {problem.detail}", problem.hint
        case OSError():
            if (full := full_refusal(problem)) is not None:
                return no_start(full)
            return f"The run could not start. {problem}", None
    return "The run could not start: something unexpected went wrong; see backend.log.", None


def _state_of(progress: Progress) -> RunState:
    if progress.phase == "paused":
        return RunState.PAUSED
    at_work = progress.phase in {"training", "evaluating", "saving", "done"}
    return RunState.RUNNING if at_work else RunState.STARTING

"""Saved runs: list, read, load, delete."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from backend.api.refusals import refuses
from backend.api.services import Wired
from backend.core.limits import MOST, Steps
from backend.jobs.run.reward_numbers import SampleData
from backend.jobs.run.saved_states import saved_states
from backend.jobs.run.schemas import Alert, Series, SessionChange, SessionPage, Verdict
from backend.jobs.run.session_query import SessionQuery, SortKey, search_words
from backend.jobs.run.state import RunState
from backend.results.comparison import compare
from backend.results.presets import presets
from backend.results.report import ReportForm, write_report
from backend.results.schemas import Axis, Presets, RunComparison
from backend.training.request.common_fields import ADAPTER_NAME
from backend.training.schemas import StartAnswer

_STATE = "|".join(RunState)
_STATES = rf"^(?:{_STATE})(?:,(?:{_STATE}))*$"
_STATE_HELP = "One state, or several with commas between them."
_SEARCH_HELP = "Words that must all be in its names, notes, tags, files or ending."
router = APIRouter(prefix="/sessions", tags=["sessions"])


class SessionMetrics(BaseModel):
    session_id: str
    series: Series


class SessionLogs(BaseModel):
    """`before` is the position to pass on for the lines above these; null at the top."""

    logs: list[str]
    before: int | None


class SessionSamples(BaseModel):
    """The last completions that a run made while training, oldest first."""

    session_id: str
    samples: list[SampleData]


class SessionAlerts(BaseModel):
    """What a run had to tell, oldest first, and the verdict on its health: null where it was never
    judged.
    """

    session_id: str
    alerts: list[Alert]
    health: Verdict | None


class ResumePoint(BaseModel):
    """A moment that a session can be continued from. `step` is where training goes on: the last
    weight update at or before the checkpoint.
    """

    checkpoint: int
    step: int
    saved_at: datetime
    train_loss: float | None


class ResumePoints(BaseModel):
    """Oldest first; empty when the session can't be continued."""

    session_id: str
    points: list[ResumePoint]


class ResumeRequest(BaseModel):
    """`iterations` counts those already done; without it, the session's own number stays.

    Without `adapter_name` the run writes to the session's own adapter, or under a free name where
    that belongs to another run by now; `overwrite` takes a name that is not free all the same.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    iterations: Steps | None = None
    checkpoint: Literal["latest"] | Steps = "latest"
    adapter_name: Annotated[str, Field(pattern=ADAPTER_NAME)] | None = None
    overwrite: bool = False
    queue: bool = Field(False, description="Wait behind an active run instead of 409.")


class Done(BaseModel):
    status: Literal["success"]
    message: str


class SessionDeleted(Done):
    """`undo` is the id by which the trash puts it back; null where it can't."""

    undo: str | None = None


@router.get("", responses=refuses(404))
async def list_sessions(
    services: Wired,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    cursor: str | None = None,
    sort: SortKey = "date",
    order: Literal["asc", "desc"] = "desc",
    state: Annotated[str | None, Query(pattern=_STATES, description=_STATE_HELP)] = None,
    method: str | None = None,
    model: str | None = None,
    tag: str | None = None,
    q: Annotated[str, Query(max_length=500, description=_SEARCH_HELP)] = "",
    pinned_first: bool = False,
) -> SessionPage:
    """Saved runs, newest first unless asked otherwise; what is not known comes last."""
    query = SessionQuery(
        sort=sort,
        descending=order == "desc",
        pinned_first=pinned_first,
        states=frozenset(RunState(one) for one in state.split(",")) if state else frozenset(),
        method=method,
        model=model,
        tag=tag,
        words=search_words(q),
    )
    return await asyncio.to_thread(services.store.page, limit, cursor, query)


@router.get("/compare", responses=refuses(400, 404, 422))
async def compare_sessions(
    services: Wired,
    ids: Annotated[str, Query(max_length=6000, description="Session ids, by commas.")],
    x: Axis = "step",
    max_points: Annotated[int, Query(ge=10, le=200_000)] = 2000,
) -> RunComparison:
    """Runs side by side: curves over one axis, numbers, and the settings that differ."""
    wanted = [one for one in ids.split(",") if one]
    return await asyncio.to_thread(compare, services.store, wanted, x, max_points)


@router.get("/presets")
async def compare_presets(services: Wired) -> Presets:
    """Pairs of finished runs that are worth comparing."""
    sessions = await asyncio.to_thread(services.store.summaries)
    return Presets(presets=presets(sessions))


@router.get("/{session_id}", responses=refuses(400, 404, 422))
async def read_session(session_id: str, services: Wired) -> dict[str, Any]:
    """The stored record as it is on disk, unknown fields included."""
    return await asyncio.to_thread(services.store.read, session_id)


@router.get("/{session_id}/metrics", responses=refuses(400, 404))
async def session_metrics(
    session_id: str,
    services: Wired,
    since: Annotated[int, Query(ge=0, le=MOST)] = 0,
    max_points: Annotated[int, Query(ge=10, le=200_000)] = 5000,
) -> SessionMetrics:
    series = await asyncio.to_thread(services.store.series, session_id, since, max_points)
    return SessionMetrics(session_id=session_id, series=series)


@router.get("/{session_id}/samples", responses=refuses(400, 404, 422))
async def session_samples(session_id: str, services: Wired) -> SessionSamples:
    samples = await asyncio.to_thread(services.store.samples, session_id)
    return SessionSamples(session_id=session_id, samples=samples)


@router.get("/{session_id}/alerts", responses=refuses(400, 404, 422))
async def session_alerts(session_id: str, services: Wired) -> SessionAlerts:
    """The same as the `training_alert` frames. `fix` names fields for the next run."""
    record = await asyncio.to_thread(services.store.record, session_id)
    alerts = await asyncio.to_thread(services.store.alerts, record)
    return SessionAlerts(session_id=session_id, alerts=alerts, health=record.health)


@router.get("/{session_id}/logs", responses=refuses(400, 404))
async def session_logs(
    session_id: str,
    services: Wired,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    before: Annotated[int | None, Query(ge=0, lt=2**63)] = None,
) -> SessionLogs:
    lines, above = await asyncio.to_thread(services.store.logs, session_id, limit, before)
    return SessionLogs(logs=lines, before=above)


@router.get(
    "/{session_id}/report",
    response_class=Response,
    responses={
        200: {"content": {"text/html": {}, "text/markdown": {}}, "description": "The document."},
        **refuses(400, 404, 422),
    },
)
async def session_report(
    session_id: str, services: Wired, form: Annotated[ReportForm, Query(alias="format")] = "html"
) -> Response:
    """Its numbers, curves, warnings, settings and command, in one HTML or Markdown file."""
    text = await asyncio.to_thread(write_report, services.store, session_id, form)
    name = f"report-{session_id}.{'html' if form == 'html' else 'md'}"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=f"text/{form}; charset=utf-8", headers=headers)


@router.post("/{session_id}/load", responses=refuses(400, 404, 409, 422))
async def load_session(session_id: str, services: Wired) -> Done:
    await services.supervisor.load(session_id)
    return Done(status="success", message=f"Session {session_id} is loaded.")


@router.get("/{session_id}/resume", responses=refuses(400, 404, 422))
async def resume_points(session_id: str, services: Wired) -> ResumePoints:
    """What POST to the same path can continue from."""
    await asyncio.to_thread(services.store.read, session_id)
    states = await asyncio.to_thread(saved_states, services.store.folder(session_id))
    points = [ResumePoint.model_validate(state, from_attributes=True) for state in states]
    return ResumePoints(session_id=session_id, points=points)


@router.post("/{session_id}/resume", responses=refuses(404, 409, 504, 507))
async def resume_session(
    session_id: str, services: Wired, body: ResumeRequest | None = None
) -> StartAnswer:
    """Continue it in a new session, from its newest state unless a checkpoint is named."""
    request = body or ResumeRequest()
    return await services.training.resume(
        session_id,
        iterations=request.iterations,
        checkpoint=None if request.checkpoint == "latest" else request.checkpoint,
        adapter_name=request.adapter_name,
        overwrite=request.overwrite,
        queue=request.queue,
    )


@router.patch("/{session_id}", responses=refuses(404, 507))
async def describe_session(session_id: str, change: SessionChange, services: Wired) -> Done:
    """Change its name, notes, tags, or whether it is pinned."""
    await asyncio.to_thread(services.store.describe, session_id, change)
    return Done(status="success", message=f"Session {session_id} is changed.")


@router.delete("/{session_id}", responses=refuses(404, 409, 422, 507))
async def delete_session(session_id: str, services: Wired, files: bool = False) -> SessionDeleted:
    """Without `files`, POST /api/trash/{undo}/restore puts it back for a day."""
    deleted = await services.supervisor.delete(session_id, files=files, trash=services.trash)
    if deleted.adapter is not None:
        what = f"and its adapter {deleted.adapter} are deleted"
    elif files:
        what = "is deleted; there was no adapter that is its alone, so none was deleted"
    else:
        what = "is deleted; its adapter is kept"
    message = f"Session {session_id} {what}."
    return SessionDeleted(status="success", message=message, undo=deleted.undo)

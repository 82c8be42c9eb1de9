"""Exports: a model that other programs load, tested and scored before it is called done."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from backend.api.refusals import refuses
from backend.api.services import Wired
from backend.errors import WrongState
from backend.export.formats import programs
from backend.export.schemas import (
    ExportAnswer,
    ExportRequestBody,
    ExportResultAnswer,
    ExportStarted,
    ExportStatus,
    FormatInfo,
    ProgramInfo,
)

router = APIRouter(prefix="/api/fusion", tags=["export"])


@router.get("/export-formats")
async def export_formats(
    services: Wired, adapter_name: Annotated[str | None, Query(max_length=4096)] = None
) -> list[FormatInfo]:
    """Every format; for an adapter that is named with its size, its time, and why it can't be."""
    return await asyncio.to_thread(services.export.formats, adapter_name)


@router.get("/export-programs")
async def export_programs() -> list[ProgramInfo]:
    """Ollama and LM Studio, as far as they are on this machine."""
    return await asyncio.to_thread(programs)


@router.post("/export-model", responses=refuses(400, 404, 409, 504, 507))
async def export_model(body: ExportRequestBody, services: Wired) -> ExportStarted:
    """Write it into `exports/<output_name>/`, complete or not at all."""
    return await services.export.start(body)


@router.get("/export-status")
async def export_status(services: Wired) -> ExportStatus:
    return await asyncio.to_thread(services.export.status)


@router.get("/export-result", responses=refuses(404, 409))
async def export_result(services: Wired) -> ExportResultAnswer:
    """Of the newest export that has one."""
    return await asyncio.to_thread(services.export.result)


@router.post("/export-stop", responses=refuses(409))
async def stop_export(services: Wired) -> ExportAnswer:
    """How it ended is told: it may have been done before the stop arrived."""
    if (job := await services.export.jobs.stop()) is None:
        raise WrongState("No export is running.")
    return ExportAnswer(message=job.message or services.export.jobs.kind.stopped)


@router.post("/export-reset", responses=refuses(409))
async def reset_export(services: Wired) -> ExportAnswer:
    """Show no export any more; what was exported stays."""
    services.export.jobs.forget()
    return ExportAnswer(message="Ready for the next export.")

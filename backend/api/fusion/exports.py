"""The exports there are: listed, uploaded to the Hugging Face hub, deleted."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from backend.api.refusals import refuses
from backend.api.services import Wired
from backend.errors import WrongState
from backend.export.exported_schemas import ExportDeleted, ExportList, UploadBody
from backend.jobs.kinds.upload import UploadStatus

router = APIRouter(prefix="/api/exports", tags=["exports"])


@router.get("")
async def list_exports(services: Wired) -> ExportList:
    """Newest first, with what each was made from and how it scored."""
    return await asyncio.to_thread(services.exported.listed)


@router.get("/upload")
async def upload_status(services: Wired) -> UploadStatus:
    """Of the upload at work, or the last one."""
    return await asyncio.to_thread(services.uploads.status)


@router.post("/upload/stop", responses=refuses(409))
async def stop_upload(services: Wired) -> UploadStatus:
    """End it; nothing shows on the hub before the last step, and it can be repeated."""
    if await services.uploads.stop() is None:
        raise WrongState("No upload is running.")
    return await asyncio.to_thread(services.uploads.status)


@router.post("/{name}/upload", responses=refuses(404, 409, 507))
async def start_upload(name: str, body: UploadBody, services: Wired) -> UploadStatus:
    """Send it to a repository of the hub, private unless asked otherwise."""
    services.uploads.require_free()
    request, token = await asyncio.to_thread(
        services.exported.plan_upload, name, body.repo_id, private=body.private
    )
    await services.uploads.upload(request, token)
    return await asyncio.to_thread(services.uploads.status)


@router.delete("/{name}", responses=refuses(404, 409, 422, 507))
async def delete_export(name: str, services: Wired) -> ExportDeleted:
    await asyncio.to_thread(services.exported.delete, name)
    return ExportDeleted(message=f"{name} was deleted.")

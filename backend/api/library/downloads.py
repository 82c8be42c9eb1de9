"""Models from the Hugging Face hub."""

from __future__ import annotations

from fastapi import APIRouter

from backend.api.refusals import refuses
from backend.api.services import Wired
from backend.downloads.schemas import DownloadInfo, DownloadRequest, DownloadsAnswer

router = APIRouter(prefix="/models", tags=["models"])


@router.post("/download", responses=refuses(404, 409, 507))
async def download_model(body: DownloadRequest, services: Wired) -> DownloadInfo:
    """Start, or go on with one that was stopped. Refused at once where it can be known."""
    return await services.downloads.start(body)


@router.get("/downloads")
async def list_downloads(services: Wired) -> DownloadsAnswer:
    return DownloadsAnswer(downloads=services.downloads.listed())


@router.delete("/downloads/{download_id}", responses=refuses(404, 409))
async def remove_download(download_id: str, services: Wired) -> DownloadInfo:
    """A live one stops and keeps its part; one that is over is forgotten with its part."""
    return await services.downloads.remove(download_id)

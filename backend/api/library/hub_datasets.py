"""Data sets of the Hugging Face hub: known ones, what one holds, and its rows as a file."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from backend.api.refusals import refuses
from backend.api.services import Wired
from backend.downloads.hub_listing import describe_dataset, first_rows
from backend.downloads.hub_schemas import DatasetCatalogAnswer, HubDatasetInfo, HubRowsInfo
from backend.downloads.known_sets import KNOWN, complete
from backend.downloads.schemas import (
    DatasetDownloadRequest,
    DatasetSplitRequest,
    DownloadInfo,
    DownloadRequest,
    DownloadsAnswer,
)

router = APIRouter(prefix="/api/datasets", tags=["datasets"])


@router.get("/catalog")
async def dataset_catalog() -> DatasetCatalogAnswer:
    """Well-known sets for mathematics, reasoning, finance and preferences; no hub is asked."""
    return DatasetCatalogAnswer(datasets=list(KNOWN))


@router.get("/hub", responses=refuses(404, 504))
async def describe_hub_dataset(
    query: Annotated[DownloadRequest, Query()], services: Wired
) -> HubDatasetInfo:
    """Configurations, splits, columns and licence of a set, from its files' list and its card."""
    request = DatasetSplitRequest(repo_id=query.repo_id, revision=query.revision)
    return await describe_dataset(services.settings, request)


@router.get("/hub/rows", responses=refuses(404, 504))
async def preview_hub_dataset(
    query: Annotated[DatasetSplitRequest, Query()], services: Wired
) -> HubRowsInfo:
    """The first rows of a split before it is fetched: the beginning of its first file is read."""
    return await first_rows(services.settings, query)


@router.post("/download", responses=refuses(404, 409, 507))
async def download_dataset(body: DatasetDownloadRequest, services: Wired) -> DownloadInfo:
    """Start, or go on with one that was stopped. Refused at once where it can be known."""
    return await services.dataset_downloads.start(complete(body))


@router.get("/downloads")
async def list_dataset_downloads(services: Wired) -> DownloadsAnswer:
    return DownloadsAnswer(downloads=services.dataset_downloads.listed())


@router.delete("/downloads/{download_id}", responses=refuses(404, 409))
async def remove_dataset_download(download_id: str, services: Wired) -> DownloadInfo:
    """A live one stops and keeps its part; one that is over is forgotten with its part. The file
    that became of it stays.
    """
    return await services.dataset_downloads.remove(download_id)

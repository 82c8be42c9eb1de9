"""Data files: look inside as the model does, convert, split, and take one from a browser."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from fastapi import APIRouter, Request

from backend.api.refusals import refuses
from backend.api.services import Services, Wired
from backend.data.schemas import (
    ConvertAnswer,
    ConvertedRows,
    ConvertRequest,
    DatasetInspection,
    DatasetJob,
    DatasetPreview,
    DatasetsAnswer,
    InspectRequest,
    PreviewRequest,
    RowsToConvert,
    SplitAnswer,
    SplitRequest,
    UploadAnswer,
)
from backend.data.write.convert import convert_rows
from backend.errors import AppError
from backend.models.schemas import ModelInfo

router = APIRouter(prefix="/api/datasets", tags=["datasets"])
RECENT = 20


@router.get("")
async def list_datasets(services: Wired) -> DatasetsAnswer:
    """Recently used files, those in the app's data folder, and the demo's."""
    recent = await asyncio.to_thread(lambda: list(_recent(services)))
    return await asyncio.to_thread(services.datasets.known, recent)


@router.post("/inspect", responses=refuses(404, 504))
async def inspect_dataset(body: InspectRequest, services: Wired) -> DatasetInspection:
    """Answers when it is done. Of a file that takes long, what was read within seconds."""
    return await services.datasets.inspect(body, await _model(services, body.model))


@router.post("/jobs", responses=refuses(404, 504))
async def start_inspection(body: InspectRequest, services: Wired) -> DatasetJob:
    """The same without a time limit; a small file's answer comes at once, as `result`."""
    return await services.datasets.jobs.start(body, await _model(services, body.model))


@router.get("/jobs/{job_id}", responses=refuses(404))
async def dataset_job(job_id: str, services: Wired) -> DatasetJob:
    return services.datasets.jobs.find(job_id)


@router.delete("/jobs/{job_id}", responses=refuses(404))
async def cancel_dataset_job(job_id: str, services: Wired) -> DatasetJob:
    return await services.datasets.jobs.cancel(job_id)


@router.post("/preview", responses=refuses(404, 504))
async def preview_dataset(body: PreviewRequest, services: Wired) -> DatasetPreview:
    """The exact text and tokens of one row, and which of them are learned."""
    model = await asyncio.to_thread(services.models.find, body.model)
    return await services.datasets.preview(body, model)


@router.post("/convert", responses=refuses(404, 409, 504, 507))
async def convert_dataset(body: ConvertRequest, services: Wired) -> ConvertAnswer:
    return await services.datasets.convert(body)


@router.post("/convert/rows")
async def convert_few_rows(body: RowsToConvert) -> ConvertedRows:
    """The same for rows of the request, which are answered; no file is read or written."""
    return await asyncio.to_thread(lambda: convert_rows(**body.model_dump()))


@router.post("/split", responses=refuses(404, 409, 504, 507))
async def split_dataset(body: SplitRequest, services: Wired) -> SplitAnswer:
    return await services.datasets.split(body)


async def _model(services: Services, name: str | None) -> ModelInfo | None:
    return await asyncio.to_thread(services.models.find, name) if name else None


def _recent(services: Services) -> Iterator[str]:
    """The training files of the newest sessions."""
    for summary in services.store.summaries()[:RECENT]:
        try:
            config = services.store.read(summary.session_id).get("config")
        except AppError:  # A damaged record.
            continue
        path = config.get("train_data_path") if isinstance(config, dict) else None
        if isinstance(path, str) and path:
            yield path


_RAW_FILE = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.put("/files/{name}", openapi_extra=_RAW_FILE, responses=refuses(409, 507))
async def upload_dataset(name: str, request: Request, services: Wired) -> UploadAnswer:
    """The body is the file itself (`application/octet-stream`); an existing name is refused."""
    return await services.datasets.store(name, request.stream())

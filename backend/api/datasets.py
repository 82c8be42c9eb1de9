"""Data files: look inside, and take one from a browser that has no path to give."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request

from backend.api.services import Wired
from backend.catalog.schemas import DatasetInspection, InspectRequest, UploadAnswer

router = APIRouter(prefix="/api/datasets", tags=["datasets"])


@router.post("/inspect")
async def inspect_dataset(body: InspectRequest, services: Wired) -> DatasetInspection:
    return await asyncio.to_thread(services.datasets.inspect, body.path)


_RAW_FILE = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.put("/files/{name}", openapi_extra=_RAW_FILE)
async def upload_dataset(name: str, request: Request, services: Wired) -> UploadAnswer:
    """The body is the file itself (`application/octet-stream`); an existing name is refused."""
    return await services.datasets.store(name, request.stream())

"""What lies in the folder of exports, and the way to the hub, as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.contract.export.request import ExportedFile
from backend.core.schemas import DamagedItem


class ExportInfo(BaseModel):
    """A finished export. `loss` is that of the exported model and `adapter_loss` that of the
    adapter on its base, on the same held-out rows; null where none were scored. `uploaded` is where
    the newest upload from here put it. `reason` says why it is not `uploadable` now.
    """

    name: str
    path: str
    format: str
    size_bytes: int
    files: list[ExportedFile]
    created: datetime | None
    adapter: str | None
    base: str | None
    loss: float | None
    adapter_loss: float | None
    worse: bool | None
    uploaded: str | None
    uploadable: bool
    reason: str | None


class ExportList(BaseModel):
    """GET /api/exports, newest first. `hub` is the address that uploads go to."""

    exports: list[ExportInfo]
    damaged: list[DamagedItem]
    folder: str
    hub: str


class UploadBody(BaseModel):
    """POST /api/exports/{name}/upload. The token is the server's own setting, and never asked."""

    model_config = ConfigDict(extra="forbid", strict=True)

    repo_id: Annotated[str, Field(min_length=1, max_length=200)]
    private: bool = True


class ExportDeleted(BaseModel):
    success: Literal[True] = True
    message: str

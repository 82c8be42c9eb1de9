"""Exports, as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.adapters.schemas import AdapterName
from backend.contract.export.request import (
    ExportedFile,
    ExportFormat,
    QuantisationFacts,
    Recipe,
    SmokeAnswer,
)
from backend.evaluation.proof import Proof
from backend.jobs.lifecycle.status import JobStatus

_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

Name = Annotated[str, Field(min_length=1, max_length=4096)]


class FormatInfo(BaseModel):
    """One format. `size` (bytes of weights at most) and `seconds` are for the adapter that was
    named; null without one, and `seconds` null until this machine has exported something. `reason`
    says why it is not `available`.
    """

    id: ExportFormat
    name: str
    description: str
    extension: str
    size: int | None
    seconds: float | None
    requires: str | None
    available: bool
    reason: str | None


class ProgramInfo(BaseModel):
    """Another program that an export can be handed to; `reason` says why not."""

    id: Literal["ollama", "lm_studio"]
    name: str
    available: bool
    reason: str | None
    path: str | None = None


class ExportRequestBody(BaseModel):
    """POST /api/fusion/export-model. Without an `output_name` it is `<adapter>-<format>`."""

    model_config = _STRICT

    adapter_name: Name
    format: ExportFormat
    output_name: AdapterName | None = None
    use_best: bool = True
    recipe: Recipe = "uniform"
    import_to_ollama: bool = False
    ollama_model_name: (
        Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:-]{0,99}$")] | None
    ) = None
    copy_to_lm_studio: bool = False
    evaluation_dataset: Name | None = None


class ExportStarted(BaseModel):
    success: Literal[True] = True
    job_id: str
    output_name: str
    message: str
    warnings: list[str]


class ExportResultAnswer(BaseModel):
    """GET /api/fusion/export-result. `proof` has the base, the adapter on it, and the export, with
    answers counted that are not the adapter's; `worse` says that the export's loss is above the
    adapter's interval. Without a proof `unproven` says why.
    """

    adapter_name: str
    format: ExportFormat
    output_name: str
    merged_dir: str
    files: list[ExportedFile]
    bytes: int
    seconds: float
    peak_memory_bytes: int
    quantisation: QuantisationFacts | None
    smoke: SmokeAnswer
    gguf_path: str | None
    modelfile_path: str | None
    ollama_model_name: str | None
    lm_studio_path: str | None
    proof: Proof | None
    unproven: str | None
    worse: bool | None
    warnings: list[str]
    timestamp: datetime


class ExportStatus(JobStatus):
    """GET /api/fusion/export-status. `progress` is from 0 to 100."""

    adapter_name: str | None = None
    format: ExportFormat | None = None
    output_name: str | None = None
    result: ExportResultAnswer | None


class ExportAnswer(BaseModel):
    message: str

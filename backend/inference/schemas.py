"""The shapes in which the inference worker, its targets and answers are shown to the outside."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from backend.adapters.folder import Checkpoint
from backend.contract.answers import AnswerStats
from backend.core.schemas import ErrorAnswer


class WorkerState(BaseModel):
    """GET /models/worker. Bytes; null where nothing is loaded, or where it is not known.

    `resident_bytes` is what the process holds of the machine's memory, `active_bytes` what
    MLX does.
    `waiting` questions stand behind the one that is answered.
    """

    state: Literal["none", "idle", "busy"]
    pid: int | None = None
    base: str | None = None
    adapter: str | None = None
    adapters_known: list[str] | None = None
    waiting: int = 0
    answered: int = 0
    base_bytes: int | None = None
    adapter_bytes: int | None = None
    conversation_bytes: int | None = None
    active_bytes: int | None = None
    resident_bytes: int | None = None
    chat_template: bool | None = None
    context_length: int | None = None
    idle_unload_seconds: float | None = None


class AdapterDetails(BaseModel):
    """`type` is how it was trained: lora, dora or full; `none` for the base alone."""

    name: str | None
    type: str
    warnings: list[str]
    chat_template_used: bool
    checkpoint: Checkpoint | None = None
    scale: float | None = None
    path: str | None = None


class ModelAnswered(BaseModel):
    """Who answered, and with which settings. `max_tokens` as it was asked."""

    base_model: str
    adapter: str
    adapter_type: Literal["none", "best", "latest", "checkpoint"]
    max_tokens: int
    temperature: float
    adapter_details: AdapterDetails


class InferenceAnswer(BaseModel):
    """POST /models/inference without `stream`; with it, the `done` event's data.

    `response` is the whole text; `thoughts` those in it, null where it has none, and `answer` the
    rest, empty where they did not end.
    """

    success: Literal[True] = True
    prompt: str
    response: str
    thoughts: str | None = None
    answer: str = ""
    model_info: ModelAnswered
    stats: AnswerStats


class AvailableAdapter(BaseModel):
    """An adapter of a base. `problem` says why it can't be used.

    `base_known` is false for one that stands under no model: `recorded_base` is what it names, null
    where it names none, and `fits` are the models here that its shapes fit. One that names no base
    answers on those; one that names another needs `allow_other_base`.
    """

    name: str
    has_best: bool
    has_latest: bool
    path: str
    checkpoints: list[int] = []
    method: str | None = None
    session_id: str | None = None
    problem: str | None = None
    base_known: bool = True
    recorded_base: str | None = None
    fits: list[str] = []


class AvailableModel(BaseModel):
    name: str
    path: str
    adapters: list[AvailableAdapter]
    problem: str | None = None


class AvailableModels(BaseModel):
    """GET /models/available. `unassigned`: adapters that name no base known here."""

    models: list[AvailableModel]
    unassigned: list[AvailableAdapter] = []


class ComparedAnswer(BaseModel):
    """What one target answered, or why it did not."""

    target: str
    answer: InferenceAnswer | None = None
    error: ErrorAnswer | None = None


class CompareAnswer(BaseModel):
    """POST /models/compare without `stream`. `mode` batch: the targets shared one batch."""

    mode: Literal["batch", "in_turn"]
    reason: str
    answers: list[ComparedAnswer]

"""The adapters as a list shows them, and what can be changed about one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from backend.core.disk.files import NAME
from backend.jobs.run.reward_numbers import Metric

_STRICT = ConfigDict(extra="forbid", strict=True)
AdapterName = Annotated[str, Field(pattern=f"^{NAME.pattern}$")]
Tag = Annotated[str, Field(min_length=1, max_length=60)]


class AdapterData(BaseModel):
    """A data file that it was trained on."""

    path: str
    rows: int | None = None
    sha256: str | None = None


class AdapterBest(BaseModel):
    """The best validation of its run, by `metric`."""

    step: int
    metric: Metric
    value: float


class AdapterInfo(BaseModel):
    """One adapter. What its files don't say is null.

    `type` is lora, dora or full, `method` how it was trained. `lora_alpha` is what is recorded;
    `scale` is the multiplier that is applied. `keys` and `num_layers` are those that the
    weights have. `problem` says why it can't be used, `size_bytes` counts all its files.
    `base_name` is the model of the list that it belongs to. `command` asks it in a terminal, with
    its latest weights, which are those that the engine's own program reads.
    """

    name: str
    path: str
    type: str | None
    base_model: str | None
    method: str | None
    lora_rank: int | None
    lora_alpha: float | None
    scale: float | None
    keys: list[str]
    num_layers: int | None
    size_bytes: int
    created: datetime | None
    session_id: str | None
    has_best: bool
    checkpoints: list[int]
    tags: list[str]
    warnings: list[str]
    problem: str | None = None
    is_peft: bool = False
    has_latest: bool = False
    base_name: str | None = None
    base_fingerprint: str | None = None
    session_name: str | None = None
    train_data: AdapterData | None = None
    best: AdapterBest | None = None
    command: str | None = None


class AdaptersAnswer(BaseModel):
    """GET /adapters, by name."""

    adapters: list[AdapterInfo]


class AdapterChange(BaseModel):
    """PATCH /adapters/{name}. What is left out stays as it is."""

    model_config = _STRICT

    name: AdapterName | None = None
    tags: list[Tag] | None = Field(None, max_length=50)


class AdapterImport(BaseModel):
    """POST /adapters/import. `name` is the folder's own unless it is given."""

    model_config = _STRICT

    path: str = Field(min_length=1, max_length=4096)
    name: AdapterName | None = None


class AdapterDeleted(BaseModel):
    deleted: str
    message: str

"""What the catalog says about models; data files are in `dataset_schemas`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.contract.model_source import ModelSource


class ModelInfo(BaseModel):
    """A base model folder. `problem` says why it can't be used; null means that it can. `facts`
    are what to know of one that can. `source` is known of what this app fetched or converted;
    `own`: DELETE may remove it.
    """

    name: str
    path: str
    model_type: str | None
    vocab_size: int | None
    num_layers: int | None
    hidden_size: int | None
    parameters: int | None
    quantization: str | None
    dtype: str | None
    size_bytes: int | None
    chat_template: bool | None
    context_length: int | None
    problem: str | None
    defaults: dict[str, Any] | None = None
    facts: list[str] = []
    weights_format: str | None = Field(None, description="mlx, or pt for PyTorch safetensors.")
    source: ModelSource | None = None
    own: bool = False


class ModelsAnswer(BaseModel):
    models: list[ModelInfo]


class ModelDeleted(BaseModel):
    deleted: str
    message: str


KeyGroupName = Literal["attention", "mlp", "moe", "linear_attention", "other"]


class LoraKey(BaseModel):
    """A kind of LoRA-able module: its name inside a block, and how many blocks have it.

    `layers` are those blocks, from 0. A rank costs `copies × (inputs + outputs)` weights in each;
    where the blocks differ in size, `sizes` has `[inputs, outputs, copies]` of each, else nothing.
    On the wire the two are `in` and `out`: the first is no name that Python allows.
    """

    model_config = ConfigDict(populate_by_name=True)

    name: str
    group: KeyGroupName
    modules: int
    inputs: int = Field(validation_alias="in", serialization_alias="in")
    outputs: int = Field(validation_alias="out", serialization_alias="out")
    copies: int = 1
    layers: list[int] = []
    sizes: list[list[int]] = []


class CoverageChoice(BaseModel):
    value: int
    label: str


class LoraTargets(BaseModel):
    """GET /models/{name}/lora: worked out from the module tree, without loading weights."""

    architecture: str
    num_layers: int
    total_parameters: int | None
    keys: list[LoraKey]
    presets: dict[str, list[str]]
    coverage: list[CoverageChoice]
    seed_keys: list[str]
    unmatched_seed_keys: list[str]
    notes: list[str]
    block_parameters: list[int] = []
    weights_problem: str | None = None
    positions_problem: str | None = None

"""A conversion: the model that its process is asked to make, and what it made."""

from __future__ import annotations

from dataclasses import dataclass

from backend.contract.model_source import ConvertedFrom


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionRequest:
    """`request.json`. The model is written into the folder `staging` and then renamed to `output`,
    which lies in the same folder. `model` says what is converted, and to what.
    """

    model: ConvertedFrom
    output: str
    staging: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionResult:
    """`result.json`: the new model, and what it took."""

    name: str
    path: str
    source_bytes: int  # Of the weights that were read.
    size_bytes: int  # Of the weights that were written.
    seconds: float
    quantize: int | None = None
    group_size: int | None = None
    dtype: str | None = None

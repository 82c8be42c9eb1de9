"""Requests and answers about the data files of training methods."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.data.write.sample_files import MOST


class _MethodsRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=10_000)


class ValidateDataRequest(_MethodsRequest):
    """A file, or a folder with train.jsonl."""

    method: str
    data_path: str


class SampleDataRequest(_MethodsRequest):
    """A relative `output_path` is under the data folder of the app. The same seed makes the same
    rows.
    """

    method: str
    output_path: str
    num_samples: int = Field(default=10, ge=1, le=MOST)
    seed: int = Field(default=0, ge=0, lt=2**32)


class SampleDataAnswer(BaseModel):
    success: Literal[True] = True
    message: str
    output_path: str
    method: str
    sample_count: int

"""Requests and answers about reward functions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.data.checks.method_rows import Need

Source = Literal["app", "engine", "file"]


class _RewardsRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=1_000_000)


class RewardParameter(BaseModel):
    """A value in the brackets after the name; null as default means that it has none."""

    name: str
    help: str
    default: str | None


class RewardFunction(BaseModel):
    """A function that may be named. `needs` is what a row must have for it to apply; `minimum` and
    `maximum` are the ends of its scores, null where nobody knows them; `file` has an own one,
    `problem` why that can't be used.
    """

    name: str
    source: Source
    doc: str
    minimum: float | None
    maximum: float | None
    needs: list[Need]
    parameters: list[RewardParameter]
    example: str
    file: str | None
    problem: str | None = None


class FoundFunction(BaseModel):
    """A reward function seen in a file's code, which was parsed and not run. `problem` is why it
    can't be used, such as an argument that is not handed over; null where it can.
    """

    name: str
    line: int
    doc: str
    problem: str | None = None


class TrustedFile(BaseModel):
    """A file that was trusted: `state` says whether it still is what was looked at."""

    path: str
    sha256: str
    at: datetime
    state: Literal["trusted", "changed", "missing"]


class RewardFunctionsAnswer(BaseModel):
    """The app's, the engine's, and those of the files that are trusted as they are now.
    `default` are the names used when none is given.
    """

    success: Literal[True] = True
    functions: list[RewardFunction]
    default: list[str]
    files: list[TrustedFile]


class InspectCodeRequest(_RewardsRequest):
    path: str


class RewardCode(BaseModel):
    """The whole file as it would run. `warnings` are what could mislead somebody who reads it."""

    success: Literal[True] = True
    path: str
    sha256: str
    size_bytes: int
    code: str
    functions: list[FoundFunction]
    imports: list[str]
    trusted: bool
    warnings: list[str]


class TrustRequest(_RewardsRequest):
    """`sha256` is the one that was shown: a file changed meanwhile is not trusted."""

    path: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class UntrustRequest(_RewardsRequest):
    path: str


class TrustAnswer(BaseModel):
    success: Literal[True] = True
    files: list[TrustedFile]


class ResolvedReward(BaseModel):
    """A function as it was named, with its parameters and weight."""

    name: str
    source: Source
    weight: float
    minimum: float | None
    maximum: float | None
    needs: list[Need]


Completion = Annotated[str, Field(max_length=100_000)]


class TryRequest(_RewardsRequest):
    """Names separated by commas, or a list; none means the engine's five. Weights as a list or a
    JSON array in a text. Scored are the rows' own answers, or `completions`: one for each row, or
    any number for a single row.
    """

    reward_functions: str | list[str] = ""
    reward_weights: str | list[float] | None = None
    reward_functions_file: str | None = None
    data_path: str
    samples: int = Field(default=8, ge=1, le=200)
    completions: list[Completion] | None = Field(default=None, min_length=1, max_length=200)


class TriedSample(BaseModel):
    """`scores` in the order of the functions, null where one does not apply; `total` is their
    weighted sum, null where none does.
    """

    line: int
    prompt: str
    answer: str
    completion: str
    scores: list[float | None]
    total: float | None


class TriedReward(ResolvedReward):
    """Over the samples: `coverage` is the share it applies to; mean and deviation are over those,
    null where there is none. `seconds` is for all samples together.
    """

    mean: float | None
    std: float | None
    coverage: float
    seconds: float


class TryAnswer(BaseModel):
    success: Literal[True] = True
    format: str
    functions: list[TriedReward]
    samples: list[TriedSample]
    mean_total: float | None
    notes: list[str]

"""An upload to the Hugging Face hub: what its process is asked to send, and what was sent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRequest:
    """`request.json`. The token is in the environment of the process and nowhere else."""

    export: str
    folder: str
    repo_id: str
    private: bool
    endpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadResult:
    """`result.json`: where the export is now. `private` is what the hub says of the repository."""

    export: str
    folder: str
    repo_id: str
    url: str
    commit: str
    private: bool
    files: int
    bytes: int
    seconds: float

"""What went wrong with a download, as the word that its process leaves behind."""

from __future__ import annotations

import errno
from dataclasses import dataclass

import httpx2
from huggingface_hub import get_token
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from backend.contract.download import DownloadEnd, HubRequest
from backend.core.disk.files import format_bytes
from backend.engines.download.data_files import NoData, NoSuchPart
from backend.engines.download.fetch import Broken, Refused
from backend.engines.download.listing import NoModel

RESERVE = 500_000_000  # Bytes that stay free on the disk.
PARQUET_BRANCH = "refs/convert/parquet"


@dataclass(frozen=True, slots=True)
class NoSpace(Exception):
    need: int
    free: int


def explain(problem: Exception, request: HubRequest) -> DownloadEnd:
    """What went wrong, for a person; `kind` is what the server answers with."""
    repo, host = request.repo_id, request.endpoint.removeprefix("https://")
    token = get_token() is not None
    what = "data set" if request.repo_type == "dataset" else "model"
    page = f"{request.endpoint}/{'datasets/' if what == 'data set' else ''}{repo}"
    match problem:
        case GatedRepoError():
            return _end(
                "gated",
                f"{repo} is gated: its authors ask you to accept their terms first.",
                f"Accept them at {page}, signed in "
                + (
                    "to the account that your token belongs to, then try again."
                    if token
                    else "to Hugging Face. Then put a read token into HF_TOKEN (environment, or "
                    "the .env file of the data folder) and restart the app."
                ),
            )
        case RevisionNotFoundError():
            return _end(
                "missing",
                f"{repo} has no revision {request.revision!r}.",
                "Leave the revision empty for the newest files.",
            )
        case RepositoryNotFoundError():
            return _end(
                "missing",
                f"There is no {what} {repo} on {host}, or it is private.",
                "Check the spelling (organisation/name). "
                + (
                    f"A private {what} needs a token of an account that may see it."
                    if token
                    else f"For a private {what}, put a token into HF_TOKEN and restart the app."
                ),
            )
        case HfHubHTTPError():
            return _http(problem.response.status_code, host)
        case NoSpace():
            return _end(
                "disk",
                f"{repo} needs {format_bytes(problem.need)} more, but only "
                f"{format_bytes(problem.free)} are free.",
                f"Free some space: {format_bytes(RESERVE)} must stay free as well.",
            )
        case NoModel():
            return _end(
                "unusable",
                f"{repo} can't be trained. {problem}",
                "Look for a safetensors version, for example of mlx-community.",
            )
        case NoData():
            branch = (
                f"Try the revision {PARQUET_BRANCH}, where the hub keeps rows as Parquet files."
            )
            return _end(
                "unusable",
                f"{repo} can't be read. {problem}",
                branch if request.revision != PARQUET_BRANCH else None,
            )
        case NoSuchPart():
            return _end("missing", f"{repo}: {problem}", "Choose one that it has.")
        case Refused():
            return _end("refused", f"{problem}", "If you use a mirror, check HF_ENDPOINT.")
        case Broken():
            return _end("broken", f"{problem}", "Try again; complete files are saved.")
        case httpx2.HTTPError():
            reason = str(problem) or type(problem).__name__
            return _end(
                "connection",
                f"{host} can't be reached: {reason[:200]}",
                "Check the network; the downloaded part is saved.",
                retry=True,
            )
        case OSError() if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            return _end(
                "disk", "The disk is full.", "Free some space; the downloaded part is saved."
            )
        case OSError():
            return _end("failed", f"A file could not be written: {problem.strerror}.", None)
    return _end("failed", f"The download failed: {type(problem).__name__}: {problem}"[:300], None)


def _http(status: int, host: str) -> DownloadEnd:
    if status == 401:
        return _end(
            "gated",
            f"{host} did not accept the token.",
            "Put a valid read token into HF_TOKEN and restart the app.",
        )
    if status == 429 or status >= 500:
        return _end(
            "connection",
            f"{host} answered with status {status}: it is busy or down.",
            "Try again later; the downloaded part is saved.",
            retry=True,
        )
    return _end("failed", f"{host} answered with status {status}.", None)


def _end(kind: str, error: str, hint: str | None, *, retry: bool = False) -> DownloadEnd:
    return DownloadEnd(ok=False, kind=kind, error=error, hint=hint, retry=retry)

"""Why an upload failed, as a sentence and what to do about it."""

from __future__ import annotations

import httpx2
from huggingface_hub.errors import HfHubHTTPError

from backend.contract.jobs.upload import UploadRequest
from backend.engines.download.fetch import Refused
from backend.engines.process.endings import Ending

_AGAIN = "Upload it again: large files that are there already are not sent twice."


def explain_upload(problem: BaseException, request: UploadRequest) -> Ending | None:
    """How it ended; None for what is no answer of the hub and no fault of the network."""
    for cause in _causes(problem):
        match cause:
            case Refused():
                return Ending("error", str(cause), "If you use a mirror, check HF_ENDPOINT.")
            case HfHubHTTPError():
                return _refused(cause, request)
            case httpx2.HTTPError():
                reason = str(cause) or type(cause).__name__
                return Ending(
                    "error",
                    f"{_host(request)} can't be reached: {reason[:200]}",
                    f"Check the network. {_AGAIN}",
                )
    return None


def _refused(problem: HfHubHTTPError, request: UploadRequest) -> Ending:
    status, host = problem.response.status_code, _host(request)
    owner = request.repo_id.partition("/")[0]
    text = " ".join((problem.server_message or "").split())[:200]
    if status == 401:
        return Ending(
            "error",
            f"{host} did not accept the token.",
            "Put a valid token with write access into HF_TOKEN and restart the app.",
        )
    if status == 403:
        return Ending(
            "error",
            f"The token may not write to {request.repo_id}{_quoted(text)}.",
            f"Use a token with write access of an account that may write to {owner!r}, or choose "
            "another owner.",
        )
    if status == 404:
        return Ending(
            "error",
            f"{host} has no {owner!r} that this token can write to.",
            "Check the spelling of the owner: it is your user name or an organisation of yours.",
        )
    if status == 409:
        return Ending(
            "error",
            f"{request.repo_id} was changed by somebody else meanwhile{_quoted(text)}.",
            _AGAIN,
        )
    if status == 429 or status >= 500:
        return Ending(
            "error",
            f"{host} answered with status {status}: it is busy or down.",
            f"Try again later. {_AGAIN}",
        )
    return Ending("error", f"{host} refused it with status {status}{_quoted(text)}.", None)


def _quoted(text: str) -> str:
    return f": {text.rstrip('.')}" if text else ""


def _host(request: UploadRequest) -> str:
    return request.endpoint.removeprefix("https://")


def _causes(problem: BaseException | None) -> list[BaseException]:
    """The exception and those that it came from: the library wraps what goes wrong in a file."""
    causes: list[BaseException] = []
    while problem is not None and problem not in causes:
        causes.append(problem)
        problem = problem.__cause__ or problem.__context__
    return causes

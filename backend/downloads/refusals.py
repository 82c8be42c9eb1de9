"""The refusal that the end of a download means."""

from __future__ import annotations

import backend.errors as errors
from backend.contract.download import DownloadEnd
from backend.errors import AppError

_REFUSALS: dict[str, type[AppError]] = {
    "gated": errors.AccessRefused,
    "refused": errors.AccessRefused,
    "missing": errors.NotFound,
    "unusable": errors.BadContent,
    "disk": errors.NoDiskSpace,
}


def refusal_of(end: DownloadEnd) -> AppError:
    kind = _REFUSALS.get(end.kind, errors.HubUnreachable)
    return kind(end.error, hint=end.hint)

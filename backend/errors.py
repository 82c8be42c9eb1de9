"""Every refusal this service makes, with the status code it carries.

    AppError                      500  (never raised itself)
    ├── BadContent                400  the body or a file can be read but says something wrong
    │   └── RowsRefused           400  rows that the model's chat template can't be used with
    ├── AccessRefused             403  wrong host, origin or token
    ├── NotFound                  404  no such model, session, adapter, file
    ├── WrongState                409  the thing exists but can't do that now
    │   ├── RunAlreadyActive      409
    │   ├── JobActive             409
    │   │   └── EvaluationActive  409
    │   ├── AlreadyExists         409
    │   ├── DiskUnusable          409
    │   └── NotTrusted            409
    ├── TooLarge                  413
    ├── Invalid                   422  a field failed validation
    ├── EngineMissing             503  the engine can't be started at all
    ├── HubUnreachable            503  the model hub does not answer
    ├── EngineFailed              503  the engine started, and ended or failed in its work
    ├── WorkerBusy                503  too many questions wait for the inference worker
    ├── EngineTimeout             504
    └── NoDiskSpace               507

`api` renders them as `{"error", "detail", "hint", "errors"?}`; see docs/api.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One field that failed: its name as the request spells it, and a sentence."""

    field: str
    message: str


class AppError(Exception):
    """A refusal a person can act on: what happened (with the value) and what to do next."""

    status = 500

    def __init__(
        self, detail: str, *, hint: str | None = None, errors: Sequence[FieldProblem] = ()
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.errors = tuple(errors)


class BadContent(AppError):
    """The body, or a file it names, was read and says something that can't be used."""

    status = 400


class RowsRefused(BadContent):
    """Rows that the model's chat template can't be used with; a run may leave them out."""


class AccessRefused(AppError):
    """The request came from a host, origin or client that is not allowed."""

    status = 403


class NotFound(AppError):
    """No thing of that name."""

    status = 404


class WrongState(AppError):
    """The thing exists, but not in a state that allows this."""

    status = 409


class RunAlreadyActive(WrongState):
    """One run at a time over all tabs."""


class JobActive(WrongState):
    """A job of another kind has the memory that a run, an answer or a job would need."""


class EvaluationActive(JobActive):
    """An evaluation has that memory."""


class AlreadyExists(WrongState):
    """Nothing that exists is overwritten unless the request says so."""


class DiskUnusable(WrongState):
    """A file or its disk can't be read or written now: read-only, no permission, or gone."""


class NotTrusted(WrongState):
    """A file of code that nobody has looked at and trusted as it is now."""


class TooLarge(AppError):
    """A body or file over its limit."""

    status = 413


class Invalid(AppError):
    """One or more fields failed validation."""

    status = 422


class EngineMissing(AppError):
    """The engine's Python or packages can't be started."""

    status = 503


class HubUnreachable(AppError):
    """The model hub does not answer, or not as it should."""

    status = 503


class EngineFailed(AppError):
    """The engine ended or failed while it worked; the next request gets a fresh one."""

    status = 503


class WorkerBusy(AppError):
    """More questions wait for the inference worker than it can answer soon."""

    status = 503


class EngineTimeout(AppError):
    """An engine child did not answer in time and was ended."""

    status = 504


class NoDiskSpace(AppError):
    """Not enough free space for what was asked."""

    status = 507

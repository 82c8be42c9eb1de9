"""How to launch a run: everything a manager has worked out before the supervisor takes over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from backend.jobs.run.schemas import DataSummary, LoraSummary, ModelRef, ResumedFrom

StartLevel = Literal["info", "caution", "error"]


@dataclass(frozen=True, slots=True)
class StartFix:
    """One press that does what a warning advises: a field of the request and its value."""

    label: str
    field: str
    value: str | bool | int | float


class StartWarning(str):
    """A warning of a start, with the code under which the run's events tell it.

    `level`: a fact of the run (info), what should be thought about before it (caution), or what
    the start will be refused for (error). What only defaults cause is a fact.
    `said_by_run`: the run finds the same out for itself, more exactly, so it is not told twice.
    """

    code: str
    level: StartLevel
    said_by_run: bool
    fix: StartFix | None

    def __new__(
        cls,
        text: str,
        *,
        code: str,
        level: StartLevel = "caution",
        said_by_run: bool = False,
        fix: StartFix | None = None,
    ) -> StartWarning:
        warning = super().__new__(cls, text)
        warning.code, warning.level, warning.said_by_run, warning.fix = (
            code,
            level,
            said_by_run,
            fix,
        )
        return warning


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A run that has passed every check and may start.

    `engine` is a module of `backend.engines`. `config` becomes `config.yaml`, key for key.
    `request` is every request field as given (kept in the record and shown in the UI). `stage`
    fills the new run folder (prepared data); it runs in a thread, may raise AppError, and answers
    what was written. `warnings` are answered to the start, and told by the run as its first events.
    """

    session_id: str
    method: str
    engine: str
    adapter_name: str
    adapter_path: Path
    total_steps: int
    config: Mapping[str, Any]
    request: Mapping[str, Any]
    command: str
    stage: Callable[[Path], DataSummary]
    overwrite: bool = False
    lora: LoraSummary | None = None
    model: ModelRef | None = None
    resumed_from: ResumedFrom | None = None
    notes: str = ""
    tags: tuple[str, ...] = ()
    warnings: tuple[StartWarning, ...] = field(default=())

"""How to launch a run: everything a manager has worked out before the supervisor takes over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.jobs.run.schemas import DataSummary, LoraSummary, ModelRef, ResumedFrom


class StartWarning(str):
    """A warning of a start, with the code under which the run's events tell it.

    `said_by_run`: the run finds the same out for itself, more exactly, so it is not told twice.
    """

    code: str
    said_by_run: bool

    def __new__(cls, text: str, *, code: str, said_by_run: bool = False) -> StartWarning:
        recipe_text = super().__new__(cls, text)
        recipe_text.code, recipe_text.said_by_run = code, said_by_run
        return recipe_text


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
    warnings: tuple[str, ...] = field(default=())

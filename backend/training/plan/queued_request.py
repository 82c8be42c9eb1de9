"""A planned request as it waits in the queue, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from backend.errors import BadContent
from backend.jobs.queue import WaitingRun
from backend.jobs.run.recipe import Recipe
from backend.training.request.method_fields import EnhancedStart
from backend.training.request.sft_fields import StandardStart
from backend.training.request.start_request import StartRequest


def waiting_run(recipe: Recipe, request: StartRequest, *, model_name: str) -> WaitingRun:
    """Only what the request named is kept, so that it means the same when it is read again."""
    return WaitingRun(
        session_id=recipe.session_id,
        adapter_name=recipe.adapter_name,
        model_name=model_name,
        method=recipe.method,
        total_steps=recipe.total_steps,
        queued_at=datetime.now(UTC),
        request=request.model_dump(mode="json", exclude_unset=True),
        overwrite=request.overwrite,
    )


def spelling_of(fields: Mapping[str, Any]) -> type[StartRequest]:
    """Which of its two spellings a request has that was written down: the enhanced tab's names its
    method.
    """
    return EnhancedStart if "training_method" in fields else StandardStart


def read_waiting(run: WaitingRun) -> StartRequest:
    """Raises BadContent for a request that this version no longer takes."""
    fields = dict(run.request)
    if fields.get("epochs") is not None:  # Older versions kept another number beside them.
        fields.pop("iterations", None)
    try:
        return spelling_of(run.request).model_validate(fields)
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadContent(
            f"The waiting request can't be read: {where}: {first['msg']}.",
            hint="Set it up again.",
        ) from problem

"""A planned request as it waits in the queue, and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from backend.errors import BadContent
from backend.jobs.queue import WaitingRun
from backend.training.plan.context import Planned
from backend.training.request.method_fields import EnhancedStart
from backend.training.request.sft_fields import StandardStart

StartRequest = StandardStart | EnhancedStart


def waiting_run(planned: Planned[Any]) -> WaitingRun:
    """Only what the request named is kept, so that it means the same when it is read again."""
    recipe, request = planned.recipe, planned.request
    return WaitingRun(
        session_id=recipe.session_id,
        adapter_name=recipe.adapter_name,
        model_name=planned.model_name,
        method=recipe.method,
        total_steps=recipe.total_steps,
        queued_at=datetime.now(UTC),
        request=request.model_dump(mode="json", exclude_unset=True),
        overwrite=request.overwrite,
    )


def read_waiting(run: WaitingRun) -> StartRequest:
    """Raises BadContent for a request that this version no longer takes."""
    kind = EnhancedStart if "training_method" in run.request else StandardStart
    asked = dict(run.request)
    if asked.get("epochs") is not None:  # Older versions kept another number beside them.
        asked.pop("iterations", None)
    try:
        return kind.model_validate(asked)
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadContent(
            f"The waiting request can't be read: {where}: {first['msg']}.",
            hint="Set it up again.",
        ) from problem

"""A planned request as it waits in the queue, and back."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import ValidationError

from backend.errors import BadContent
from backend.runs.queue import WaitingRun
from backend.runs.recipe import Recipe
from backend.training.config import StandardStart
from backend.training.plan import Plan


def waiting_run(plan: Plan, recipe: Recipe) -> WaitingRun:
    """Only what the request named is kept, so that it means the same when it is read again."""
    return WaitingRun(
        session_id=recipe.session_id,
        adapter_name=recipe.adapter_name,
        model_name=plan.model.name,
        method=recipe.method,
        total_steps=recipe.total_steps,
        queued_at=datetime.now(UTC),
        request=plan.request.model_dump(mode="json", exclude_unset=True),
        overwrite=plan.request.overwrite,
    )


def read_waiting(run: WaitingRun) -> StandardStart:
    """Raises BadContent for a request that this version no longer takes."""
    try:
        return StandardStart.model_validate(run.request)
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadContent(
            f"The waiting request can't be read any more: {where}: {first['msg']}.",
            hint="Set it up again.",
        ) from problem

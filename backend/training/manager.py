"""The one door of both tabs: preview, start, queue, continue and stop a run.

What a request means is worked out by the pipeline in `plan`; here is what becomes of it.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Literal

from backend.errors import AppError, JobActive, RunAlreadyActive
from backend.jobs.queue import RunQueue, WaitingRun
from backend.jobs.run.recipe import Recipe
from backend.jobs.supervisor import RunSupervisor
from backend.training.idempotency import Keep, StartKeys
from backend.training.plan.context import PlanContext
from backend.training.plan.pipeline import StartPipeline
from backend.training.plan.planner import Plan
from backend.training.plan.queued_request import read_waiting, waiting_run
from backend.training.plan.resume import Continuations, resuming
from backend.training.request.start_request import StartRequest
from backend.training.rewards.choice import RewardChoice
from backend.training.rewards.service import Rewards
from backend.training.schemas import HeldOutPrompts, Preview, StartAnswer, StopAnswer, remarks_of


class TrainingManager:
    """One slot, one queue and one memory of keys, whichever tab asks."""

    def __init__(
        self,
        context: PlanContext,
        supervisor: RunSupervisor,
        *,
        queue: RunQueue,
        rewards: Rewards,
    ) -> None:
        self._supervisor = supervisor
        self._queue = queue
        self._continuations = Continuations(context.sessions)
        self._pipeline = StartPipeline(context, self._continuations, RewardChoice(rewards))
        self._sessions = context.sessions
        self._keys = StartKeys(context.sessions.sessions_dir)

    async def start(self, request: StartRequest, *, idempotency_key: str | None) -> StartAnswer:
        """Start a run, or answer again what this key was answered within the hour."""
        if idempotency_key is None:
            return await self._start(request)
        return await self._keys.once(
            idempotency_key,
            request,
            start=partial(self._start, request),
            again=self._answered_before,
        )

    async def preview(self, request: StartRequest) -> Preview:
        """What a start would do. Nothing is started and nothing written."""
        return await self._pipeline.preview(request)

    async def held_out_prompts(self, request: StartRequest) -> HeldOutPrompts:
        """Prompts for live samples: of the rows that a start would validate on."""
        return await self._pipeline.held_out_prompts(request)

    async def resume(
        self,
        session_id: str,
        *,
        iterations: int | None = None,
        checkpoint: int | None = None,
        adapter_name: str | None = None,
        overwrite: bool = False,
        queue: bool = False,
    ) -> StartAnswer:
        """Continue a session as it was asked, in a new one; `iterations` are those in all.

        Without a name it writes to the session's own adapter, or under a free name where that
        belongs to another run by now.
        """
        source = await asyncio.to_thread(self._continuations.record, session_id)
        changes: dict[str, Any] = {
            "resume_checkpoint": checkpoint,
            "overwrite": overwrite,
            "queue": queue,
        }
        if iterations is not None:
            changes["iterations"] = iterations
        if adapter_name is not None:
            changes["adapter_name"] = adapter_name
        return await self._start(resuming(source, **changes))

    async def stop(self, *, save: bool) -> StopAnswer:
        """Ask the active run to end; `idle` when there is none."""
        result = await self._supervisor.stop(save=save)
        return StopAnswer(
            status=result.status,
            finished=result.finished,
            message=result.message,
            session_id=result.session_id,
        )

    def active_models(self) -> list[str]:
        """What the active run names as its models, as its request does. Blocking."""
        session = self._supervisor.active_session
        if session is None:
            return []
        with suppress(AppError):  # It is being prepared: nothing is written yet.
            return _models_of(self._sessions.record(session).config)
        return []

    def waiting_models(self) -> list[str]:
        """The same of the runs in the queue."""
        return [model for run in self._queue.all() for model in _models_of(run.request)]

    async def plan_waiting(self, run: WaitingRun) -> Recipe:
        """Check a waiting run once more, as a start would: its files may be gone by now."""
        plan = await self._pipeline.plan(read_waiting(run))
        return await self._pipeline.recipe(plan, run.session_id)

    async def _start(self, request: StartRequest, keep: Keep | None = None) -> StartAnswer:
        if not request.queue:
            self._supervisor.require_free()
        plan = await self._pipeline.plan(request)
        recipe = await self._pipeline.recipe(plan, str(uuid.uuid4()))
        what = f"{recipe.adapter_name} on {plan.model.name}: {recipe.total_steps} iterations."
        if request.queue and (self._supervisor.active_session or self._queue.shown()):
            return await self._wait(plan, recipe, what, keep)
        answer = _answer("started", f"Training {what}", recipe)
        if keep is not None:
            await keep(answer)
        try:
            await self._supervisor.start(recipe)
        except (RunAlreadyActive, JobActive):  # Or another start was faster.
            if not request.queue:
                raise
            return await self._wait(plan, recipe, what, keep)
        return answer

    async def _wait(self, plan: Plan, recipe: Recipe, what: str, keep: Keep | None) -> StartAnswer:
        if keep is not None:
            await keep(_answer("queued", f"It waits: {what}", recipe))
        waiting = waiting_run(recipe, plan.request, model_name=plan.model.name)
        position = await self._queue.add(waiting)
        place = "is next" if position == 1 else f"waits at position {position}"
        return _answer("queued", f"It {place}: {what}", recipe)

    async def _answered_before(self, answer: StartAnswer) -> StartAnswer | None:
        """What an earlier server was asked to start, if it came to have a record or a place."""
        if any(run.session_id == answer.session_id for run in self._queue.all()):
            return answer.model_copy(update={"status": "queued"})
        if await asyncio.to_thread(self._sessions.exists, answer.session_id):
            return answer.model_copy(update={"status": "started"})
        return None


def _models_of(request: Mapping[str, Any]) -> list[str]:
    paths = [request.get(name) for name in ("model_path", "reference_model_path", "judge")]
    return [model for model in paths if isinstance(model, str) and model]


def _answer(status: Literal["started", "queued"], message: str, recipe: Recipe) -> StartAnswer:
    return StartAnswer(
        status=status,
        message=message,
        session_id=recipe.session_id,
        warnings=list(map(str, recipe.warnings)),
        remarks=remarks_of(recipe.warnings),
    )

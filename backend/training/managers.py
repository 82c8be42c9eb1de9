"""The standard tab's one door: preview, start and stop a run of supervised fine-tuning."""

from __future__ import annotations

import asyncio
import shutil
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml

from backend.catalog.models import ModelCatalog
from backend.core.files import child_path
from backend.core.system import describe_system
from backend.errors import (
    AlreadyExists,
    FieldProblem,
    Invalid,
    NoDiskSpace,
    RunAlreadyActive,
    WrongState,
)
from backend.runs.queue import RunQueue, WaitingRun
from backend.runs.recipe import Recipe
from backend.runs.schemas import ModelRef
from backend.runs.store import SessionStore
from backend.runs.supervisor import RunSupervisor
from backend.settings import Settings
from backend.training.config import StandardStart
from backend.training.duration import estimate_seconds, past_runs, work_of
from backend.training.lora_keys import ModelInspector
from backend.training.memory import estimate_memory
from backend.training.plan import Plan, Planner
from backend.training.prepare import stage_data
from backend.training.quantized import QuantizedBase, quantize_remarks, quantized_base
from backend.training.resume import Continuation, Continuations, resuming
from backend.training.schemas import DataPreview, Preview, StartAnswer, StopAnswer
from backend.training.standard import RunPaths, build_config, command_for
from backend.training.strength import confirmation_for, refuse_unconfirmed
from backend.training.token_counts import TokenCounter, TokenCounts
from backend.training.waiting import read_waiting, waiting_run

KEY_LIFE = 3600.0  # Seconds for which an Idempotency-Key answers the same run.
WorkingSet = Callable[[], int | None]


@dataclass(frozen=True, slots=True)
class _Remembered:
    at: float
    request: StandardStart
    answer: asyncio.Task[StartAnswer]


class TrainingManager:
    """`working_set` answers how many bytes a run may use; by default it asks the machine, once."""

    def __init__(
        self,
        settings: Settings,
        supervisor: RunSupervisor,
        models: ModelCatalog,
        inspector: ModelInspector,
        working_set: WorkingSet | None = None,
        *,
        queue: RunQueue,
    ) -> None:
        self._settings = settings
        self._supervisor = supervisor
        self._queue = queue
        self._planner = Planner(models, inspector)
        self._tokens = TokenCounter(settings)
        self._continuations = Continuations(settings)
        self._sessions = SessionStore(settings.sessions_dir, settings.adapters_dir)
        self._working_set = working_set or cache(lambda: _recommended(settings))
        self._on_cpu = cache(lambda: describe_system(settings).device == "CPU")
        self._keys: dict[str, _Remembered] = {}

    async def start(self, request: StandardStart, *, idempotency_key: str | None) -> StartAnswer:
        """Start a run, or answer again what this key was answered within the hour."""
        if idempotency_key is None:
            return await self._start(request)
        self._forget_old_keys()
        held = self._keys.get(idempotency_key)
        if held is not None and held.request != request:
            raise WrongState(
                "This Idempotency-Key was used for another request within the last hour.",
                hint="Send a new key with a new request.",
            )
        if held is None:
            task = asyncio.create_task(self._start(request), name="start a run")
            held = _Remembered(time.monotonic(), request, task)
            self._keys[idempotency_key] = held
            task.add_done_callback(partial(self._forget_failure, idempotency_key))
        return await asyncio.shield(held.answer)

    async def preview(self, request: StandardStart) -> Preview:
        """What a start would do. Nothing is started and nothing written."""
        going_on, plan = await self._planned(request)
        request = plan.request
        counts = await self._tokens.count(plan.model, plan.data, mask=request.mask_prompt)
        paths = self._paths(plan, "<session>")
        warnings = await self._warnings(going_on, plan)
        warnings += _token_warnings(plan, counts)
        taken = await asyncio.to_thread(paths.adapter.exists)
        if taken and not await asyncio.to_thread(_may_replace, going_on, plan, paths):
            warnings.append(
                f"There is already an adapter {request.adapter_name!r}: choose another name, or "
                "turn on Overwrite."
            )
        config = self._config(plan, "<session>", paths, going_on)
        return Preview(
            config_yaml=yaml.safe_dump(config, sort_keys=False, allow_unicode=True),
            command=command_for(paths.run),
            lora=plan.lora,
            memory=estimate_memory(
                request,
                plan.model,
                plan.targets,
                trainable=plan.trainable,
                config=plan.model_config,
                longest=counts.longest if counts else None,
                available=await asyncio.to_thread(self._working_set),
            ),
            data=_data_preview(plan, counts),
            iterations=plan.iterations,
            steps_per_epoch=plan.steps_per_epoch,
            epochs=round(plan.iterations / plan.steps_per_epoch, 4),
            estimated_seconds=await self._seconds(plan, counts),
            checkpoint_bytes=plan.checkpoint_bytes or None,
            checkpoints_kept=plan.checkpoints,
            needs_confirmation=None if going_on else confirmation_for(request),
            warnings=warnings,
        )

    async def resume(
        self, session_id: str, *, iterations: int | None, checkpoint: int | None
    ) -> StartAnswer:
        """Continue a session as it was asked, in a new one; `iterations` are those in all."""
        source = await asyncio.to_thread(self._continuations.record, session_id)
        changed: dict[str, Any] = {"resume_checkpoint": checkpoint}
        if iterations is not None:
            changed["iterations"] = iterations
        return await self._start(resuming(source, **changed))

    async def stop(self, *, save: bool) -> StopAnswer:
        """Ask the active run to end; `idle` when there is none."""
        result = await self._supervisor.stop(save=save)
        return StopAnswer(
            status=result.status, message=result.message, session_id=result.session_id
        )

    async def plan_waiting(self, run: WaitingRun) -> Recipe:
        """Check a waiting run once more, as a start would: its files may be gone by now."""
        recipe, _ = await self._plan(read_waiting(run), run.session_id)
        return recipe

    async def _start(self, request: StandardStart) -> StartAnswer:
        if not request.queue:
            self._supervisor.require_free()
        recipe, plan = await self._plan(request, str(uuid.uuid4()))
        what = f"{recipe.adapter_name} on {plan.model.name}: {plan.iterations} iterations."
        if request.queue and (self._supervisor.active_session or self._queue.shown()):
            return await self._wait(recipe, plan, what)
        try:
            await self._supervisor.start(recipe)
        except RunAlreadyActive:  # Another start was faster.
            if not request.queue:
                raise
            return await self._wait(recipe, plan, what)
        return StartAnswer(
            status="started",
            message=f"Training {what}",
            session_id=recipe.session_id,
            warnings=list(recipe.warnings),
        )

    async def _wait(self, recipe: Recipe, plan: Plan, what: str) -> StartAnswer:
        position = await self._queue.add(waiting_run(plan, recipe))
        place = "is next" if position == 1 else f"waits at position {position}"
        return StartAnswer(
            status="queued",
            message=f"It {place}: {what}",
            session_id=recipe.session_id,
            warnings=list(recipe.warnings),
        )

    async def _plan(self, request: StandardStart, session_id: str) -> tuple[Recipe, Plan]:
        """Everything that may refuse a request; nothing is written."""
        going_on, plan = await self._planned(request)
        request = plan.request
        if going_on is None:  # A session that is continued keeps the scale that it has.
            refuse_unconfirmed(request)
        warnings = await self._warnings(going_on, plan)
        if request.mask_prompt:
            counts = await self._tokens.count(plan.model, plan.data, mask=True)
            warnings += _token_warnings(plan, counts)
        paths = self._paths(plan, session_id)
        replaces = await asyncio.to_thread(_may_replace, going_on, plan, paths)
        await asyncio.to_thread(self._check_room, plan, paths, replaces)
        recipe = Recipe(
            session_id=session_id,
            method="sft",
            engine="sft",
            adapter_name=request.adapter_name,
            adapter_path=paths.adapter,
            total_steps=plan.iterations,
            config=self._config(plan, session_id, paths, going_on),
            request=request.model_dump(mode="json") | {"iterations": plan.iterations},
            command=command_for(paths.run),
            stage=partial(going_on.stage, plan.data, paths.adapter)
            if going_on
            else partial(stage_data, plan.data),
            overwrite=replaces,
            resumed_from=going_on.origin if going_on else None,
            lora=plan.lora,
            model=ModelRef(path=plan.model.path, fingerprint=plan.fingerprint),
            notes=request.notes,
            tags=tuple(request.tags),
            warnings=tuple(warnings),
        )
        return recipe, plan

    async def _planned(self, request: StandardStart) -> tuple[Continuation | None, Plan]:
        """The plan of a request, or of the whole one that it continues a session with."""
        going_on = await asyncio.to_thread(self._continuations.find, request)
        return going_on, await self._planner.plan(going_on.request if going_on else request)

    async def _warnings(self, going_on: Continuation | None, plan: Plan) -> list[str]:
        remarks = _remarks(going_on, plan)
        if base := self._quantized(plan):
            on_cpu = await asyncio.to_thread(self._on_cpu)
            remarks += quantize_remarks(base, on_cpu=on_cpu)
        return [*remarks, *plan.warnings]

    def _quantized(self, plan: Plan) -> QuantizedBase | None:
        return quantized_base(
            plan.request,
            plan.model,
            plan.targets,
            fingerprint=plan.fingerprint,
            data_dir=self._settings.data_dir,
        )

    async def _seconds(self, plan: Plan, counts: TokenCounts | None) -> float | None:
        if counts is None:
            return None
        past = await asyncio.to_thread(past_runs, self._sessions)
        return estimate_seconds(past, work_of(plan, counts))

    def _paths(self, plan: Plan, session_id: str) -> RunPaths:
        model, quantized = Path(plan.model.path), self._quantized(plan)
        return RunPaths(
            model=quantized.path if quantized else model,
            quantize_from=model if quantized else None,
            run=self._settings.sessions_dir / session_id,
            adapter=child_path(self._settings.adapters_dir, plan.request.adapter_name),
        )

    def _config(
        self, plan: Plan, session_id: str, paths: RunPaths, going_on: Continuation | None
    ) -> dict[str, Any]:
        return build_config(
            plan.request,
            session_id=session_id,
            paths=paths,
            keys=plan.keys,
            iterations=plan.iterations,
            model_fingerprint=plan.fingerprint,
            resume=going_on.point if going_on else None,
        )

    def _check_room(self, plan: Plan, paths: RunPaths, replaces: bool) -> None:
        """Before anything is written: the name is free and the disk holds what will be saved."""
        if paths.adapter.exists() and not replaces:
            text = f"There is already an adapter {plan.request.adapter_name!r}."
            raise AlreadyExists(
                text,
                hint="Choose another name, or turn on Overwrite.",
                errors=[FieldProblem("adapter_name", text)],
            )
        needed = plan.checkpoint_bytes * (plan.checkpoints + 3)  # Latest, best, one being written.
        quantized = self._quantized(plan)
        needed += quantized.missing_bytes if quantized else 0
        free = shutil.disk_usage(self._settings.data_dir).free
        if needed > free:
            text = (
                f"The checkpoints {'and the quantised base ' if quantized else ''}need "
                f"{needed / 1e9:.1f} GB and the disk has {free / 1e9:.1f} GB free."
            )
            raise NoDiskSpace(
                text,
                hint="Save less often, keep fewer checkpoints, or use a smaller rank.",
                errors=[FieldProblem("save_every", text)],
            )

    def _forget_old_keys(self) -> None:
        now = time.monotonic()
        self._keys = {key: held for key, held in self._keys.items() if now - held.at < KEY_LIFE}

    def _forget_failure(self, key: str, task: asyncio.Task[StartAnswer]) -> None:
        # A refused start made no run, so the same key may try again.
        if task.cancelled() or task.exception() is not None:
            self._keys.pop(key, None)


def _remarks(going_on: Continuation | None, plan: Plan) -> list[str]:
    if going_on is None:
        return []
    model = ModelRef(path=plan.model.path, fingerprint=plan.fingerprint)
    return going_on.check(model, plan.iterations)


def _may_replace(going_on: Continuation | None, plan: Plan, paths: RunPaths) -> bool:
    return going_on.replaces(paths.adapter) if going_on else plan.request.overwrite


def _recommended(settings: Settings) -> int | None:
    return describe_system(settings).recommended_working_set


def _data_preview(plan: Plan, counts: TokenCounts | None) -> DataPreview:
    data, limit = plan.data, plan.request.max_seq_length
    return DataPreview(
        format=data.train.form,
        rows=data.train_rows,
        valid_rows=data.valid_rows,
        split=bool(data.held_out),
        tokens=counts.total if counts else None,
        max_tokens=counts.longest if counts else None,
        truncated_rows=counts.over(limit) if counts else None,
        unused_rows=counts.without_target(limit) if counts else 0,
    )


def _token_warnings(plan: Plan, counts: TokenCounts | None) -> list[str]:
    if counts is None:
        return []
    limit = plan.request.max_seq_length
    empty = counts.without_target(limit)
    if empty == len(counts.lengths):
        text = f"Every prompt is longer than max_seq_length {limit}, so no answer is left to learn."
        raise Invalid(text, errors=[FieldProblem("max_seq_length", text)])
    warnings = []
    if cut := counts.over(limit):
        warnings.append(
            f"{cut} of {plan.data.train_rows} rows are longer than {limit} tokens and are cut; "
            f"the longest has {counts.longest}."
        )
    if empty:
        warnings.append(
            f"{empty} rows are left out: their prompt alone fills {limit} tokens, so no answer is "
            "left to learn."
        )
    return warnings

"""Supervised fine-tuning: from a standard request to a preview, or to a recipe."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import yaml

from backend.errors import FieldProblem, Invalid
from backend.runs.recipe import Recipe, StartWarning
from backend.runs.schemas import ModelRef
from backend.training.config import StandardStart
from backend.training.duration import estimate_seconds, past_runs, work_of
from backend.training.loads import Loads, loads_of
from backend.training.memory import estimate_memory
from backend.training.plan import Plan
from backend.training.prepare import plan_data, stage_data
from backend.training.resume import Continuation, Continuations
from backend.training.schemas import DataPreview, Preview
from backend.training.standard import RunPaths, build_config, command_for
from backend.training.strength import confirmation_for, refuse_unconfirmed
from backend.training.token_counts import TokenCounts
from backend.training.workshop import Planned, Workshop, taken_name

StandardPlan = Plan[StandardStart]


class StandardRuns:
    """What `Runs` promises, for a StandardStart: alone, or going on with a session."""

    def __init__(self, workshop: Workshop, continuations: Continuations) -> None:
        self._shop = workshop
        self._continuations = continuations

    async def preview(self, request: StandardStart) -> Preview:
        """What a start would do."""
        going_on, plan = await self._planned(request)
        request = plan.request
        counts = await self._shop.tokens.count(
            plan.model, plan.data, mask=request.mask_prompt, valid=True
        )
        paths = self._shop.paths(plan, "<session>")
        warnings = await self._warnings(going_on, plan)
        warnings += _token_warnings(plan, counts)
        warnings += _command_warnings(plan)
        taken = await asyncio.to_thread(paths.adapter.exists)
        if taken and not await asyncio.to_thread(_may_replace, going_on, plan, paths):
            warnings.append(taken_name(request.adapter_name))
        config = _config(plan, "<session>", paths, going_on)
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
                loads=await asyncio.to_thread(_loads, plan, counts),
                available=await self._shop.available(),
            ),
            data=_data_preview(plan, counts),
            iterations=plan.iterations,
            steps_per_epoch=plan.steps_per_epoch,
            epochs=round(plan.iterations / plan.steps_per_epoch, 4),
            estimated_seconds=await self._seconds(plan, counts),
            checkpoint_bytes=plan.checkpoint_bytes or None,
            checkpoints_kept=plan.checkpoints,
            needs_confirmation=confirmation_for(
                request, before=going_on.asked if going_on else None
            ),
            warnings=warnings,
        )

    async def planned(self, request: StandardStart, session_id: str) -> Planned[StandardStart]:
        """Everything that may refuse a request; nothing is written."""
        going_on, plan = await self._planned(request)
        request = plan.request
        refuse_unconfirmed(request, before=going_on.asked if going_on else None)
        warnings = await self._warnings(going_on, plan)
        if request.mask_prompt:
            counts = await self._shop.tokens.count(plan.model, plan.data, mask=True)
            warnings += _token_warnings(plan, counts)
        paths = self._shop.paths(plan, session_id)
        replaces = await asyncio.to_thread(_may_replace, going_on, plan, paths)
        await asyncio.to_thread(self._shop.check_room, plan, paths, replaces=replaces)
        recipe = Recipe(
            session_id=session_id,
            method="sft",
            engine="sft",
            adapter_name=request.adapter_name,
            adapter_path=paths.adapter,
            total_steps=plan.iterations,
            config=_config(plan, session_id, paths, going_on),
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
        return Planned(recipe=recipe, request=request, model_name=plan.model.name)

    async def _planned(
        self, request: StandardStart
    ) -> tuple[Continuation[StandardStart] | None, StandardPlan]:
        """The plan of a request, or of the whole one that it continues a session with."""
        going_on = await asyncio.to_thread(self._continuations.find, request)
        whole = going_on.request if going_on else request
        return going_on, await self._shop.planner.plan(whole, plan_data)

    async def _warnings(
        self, going_on: Continuation[StandardStart] | None, plan: StandardPlan
    ) -> list[str]:
        remarks = await asyncio.to_thread(_remarks, going_on, plan)
        return [*remarks, *await self._shop.quantize_remarks(plan), *plan.warnings]

    async def _seconds(self, plan: StandardPlan, counts: TokenCounts | None) -> float | None:
        if counts is None:
            return None
        past = await asyncio.to_thread(past_runs, self._shop.sessions)
        return estimate_seconds(past, work_of(plan, counts))


def _config(
    plan: StandardPlan,
    session_id: str,
    paths: RunPaths,
    going_on: Continuation[StandardStart] | None,
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


def _remarks(going_on: Continuation[StandardStart] | None, plan: StandardPlan) -> list[str]:
    if going_on is None:
        return []
    model = ModelRef(path=plan.model.path, fingerprint=plan.fingerprint)
    return going_on.check(model, plan.data, plan.iterations)


def _may_replace(
    going_on: Continuation[StandardStart] | None, plan: StandardPlan, paths: RunPaths
) -> bool:
    return going_on.replaces(paths.adapter) if going_on else plan.request.overwrite


def _loads(plan: StandardPlan, counts: TokenCounts | None) -> Loads | None:
    """What the run's steps hold at once; None where no row was counted."""
    if counts is None:
        return None
    request, limit = plan.request, plan.request.max_seq_length
    return loads_of(
        counts.learned(limit) if request.mask_prompt else counts.lengths,
        batch_size=request.batch_size,
        max_seq_length=limit,
        iterations=plan.iterations,
        seed=request.seed,
        valid=counts.valid if request.val_batches else (),
    )


def _data_preview(plan: StandardPlan, counts: TokenCounts | None) -> DataPreview:
    data, limit = plan.data, plan.request.max_seq_length
    return DataPreview(
        format=data.train.form,
        rows=data.train_rows,
        valid_rows=data.valid_rows,
        split=bool(data.held_out),
        tokens=counts.total if counts else None,
        max_tokens=counts.longest if counts else None,
        truncated_rows=counts.over(limit) if counts else None,
        unused_rows=counts.without_target(limit) if counts else None,
    )


def _command_warnings(plan: StandardPlan) -> list[str]:
    """Where the copied command would train something else than the run."""
    rows = plan.data.train.multi_turn
    if not plan.request.mask_prompt or not rows:
        return []
    return [
        f"{rows} rows have several answers. The run learns all of them; the command, repeated in a "
        "terminal, would learn only the last answer of each row."
    ]


def _token_warnings(plan: StandardPlan, counts: TokenCounts | None) -> list[str]:
    if counts is None:
        return []
    limit = plan.request.max_seq_length
    empty = counts.without_target(limit)
    if empty == len(counts.lengths):
        text = f"Every prompt is longer than max_seq_length {limit}, so no answer is left to learn."
        raise Invalid(text, errors=[FieldProblem("max_seq_length", text)])
    warnings: list[str] = []
    if cut := counts.over(limit):
        text = f"{cut} of {plan.data.train_rows} rows are longer than {limit} tokens and are cut; "
        text += f"the longest has {counts.longest}."
        warnings.append(StartWarning(text, code="truncated", said_by_run=True))
    if empty:
        text = f"{empty} rows are left out: their prompt alone fills {limit} tokens, so no answer "
        text += "is left to learn."
        warnings.append(StartWarning(text, code="empty_target", said_by_run=True))
    return warnings

"""The one way from a start request to a run, of every method. Nothing is written.

1. The request as its engine takes it: fine-tuning of the enhanced tab becomes a StandardStart.
2. The session that it goes on with, if any, makes it whole.
3. The method's rules: what contradicts it, what is left open, who judges the answers.
4. The plan: model, data, modules and numbers, checked.
5. What to know of all that, in the order in which it is shown.
6. From the plan a preview, or the recipe that the supervisor starts.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from backend.jobs.run.recipe import Recipe, StartWarning
from backend.training.plan.context import PlanContext, taken_name
from backend.training.plan.defaults import as_standard, fit_to_context, with_name
from backend.training.plan.effective_scale import confirmation_for, refuse_unconfirmed
from backend.training.plan.estimates import plan_memory, plan_seconds
from backend.training.plan.method_checks import (
    method_warnings,
    refuse_contradictions,
    refuse_lengths,
    reward_warnings,
    unused_fields,
)
from backend.training.plan.planner import Plan
from backend.training.plan.resume import Continuations, free_name
from backend.training.plan.run_config import AnswerJudges, build_config, command_for
from backend.training.plan.sft_checks import command_warnings, token_warnings
from backend.training.request.method_fields import EnhancedStart
from backend.training.request.start_request import MOST_SAMPLE_PROMPTS, StartRequest
from backend.training.rewards.choice import ChosenRewards, RewardChoice
from backend.training.run_data.held_out_prompts import held_out_prompts
from backend.training.run_data.prepare import stage_data
from backend.training.schemas import DataPreview, HeldOutPrompts, Preview, remarks_of

PATIENCE = 2.0  # Seconds that a preview waits for the rows of long files; a start waits for all.


class StartPipeline:
    """Every step raises AppError for what can't be done."""

    def __init__(
        self, context: PlanContext, continuations: Continuations, rewards: RewardChoice
    ) -> None:
        self._context = context
        self._continuations = continuations
        self._rewards = rewards

    async def plan(self, start: StartRequest, *, patience: float | None = None) -> Plan:
        """Everything that is worked out before a run may start."""
        request, first = await self._as_its_engine_takes_it(start)
        going_on = await asyncio.to_thread(self._continuations.find, request)
        request = going_on.request if going_on else request
        if isinstance(request, EnhancedStart):
            plan = await self._plan_method(request, patience)
        else:
            plan = await self._measure_tokens(request, patience)
        resumed: list[StartWarning] = []
        if going_on is not None:
            resumed = await asyncio.to_thread(
                going_on.check, plan.model_ref, plan.data, plan.iterations
            )
        return replace(plan, going_on=going_on, warnings=(*first, *resumed, *plan.warnings))

    async def preview(self, start: StartRequest) -> Preview:
        """What a start would do."""
        plan = await self.plan(start, patience=PATIENCE)
        request, paths = plan.request, self._context.paths(plan, "<session>")
        warnings = [*plan.warnings]
        if request.method.engine == "sft":
            warnings += [*token_warnings(plan), *command_warnings(plan)]
        is_taken = await asyncio.to_thread(paths.adapter.exists)
        if is_taken and not await asyncio.to_thread(plan.replaces, paths.adapter):
            free = await asyncio.to_thread(free_name, paths.adapter)
            warnings.append(taken_name(request.adapter_name, free))
        config, sessions = self._config(plan, "<session>"), self._context.sessions
        benchmark = await asyncio.to_thread(self._context.benchmark)
        return Preview(
            config_yaml=yaml.safe_dump(config, sort_keys=False, allow_unicode=True),
            command=command_for(paths.run, request),
            lora=plan.lora,
            memory=await asyncio.to_thread(plan_memory, plan, await self._context.available()),
            data=_data_preview(plan),
            iterations=plan.iterations,
            steps_per_epoch=plan.steps_per_epoch,
            epochs=round(plan.iterations / plan.steps_per_epoch, 4),
            estimated_seconds=await asyncio.to_thread(plan_seconds, plan, sessions, benchmark),
            checkpoint_bytes=plan.checkpoint_bytes or None,
            checkpoints_kept=plan.checkpoints,
            needs_confirmation=confirmation_for(request, before=plan.before),
            warnings=list(map(str, warnings)),
            remarks=remarks_of(warnings),
        )

    async def held_out_prompts(self, start: StartRequest) -> HeldOutPrompts:
        """Questions of the rows that a start would validate on."""
        plan = await self.plan(start, patience=PATIENCE)
        prompts, source = await asyncio.to_thread(
            held_out_prompts, plan.data, limit=MOST_SAMPLE_PROMPTS
        )
        return HeldOutPrompts(prompts=prompts, source=source)

    async def recipe(self, plan: Plan, session_id: str) -> Recipe:
        """The run of a plan, once nothing more may refuse it: a word, the name, the disk."""
        request, going_on = plan.request, plan.going_on
        refuse_unconfirmed(request, before=plan.before)
        warnings = plan.warnings
        if request.method.engine == "sft" and request.mask_prompt:
            warnings += tuple(token_warnings(plan))
        paths = self._context.paths(plan, session_id)
        replaces = await asyncio.to_thread(plan.replaces, paths.adapter)
        await asyncio.to_thread(self._context.check_room, plan, paths, replaces=replaces)
        return Recipe(
            session_id=session_id,
            method=request.method.id,
            engine=request.method.engine,
            adapter_name=request.adapter_name,
            adapter_path=paths.adapter,
            total_steps=plan.iterations,
            config=self._config(plan, session_id),
            request=request.model_dump(mode="json") | {"iterations": plan.iterations},
            command=command_for(paths.run, request),
            stage=partial(going_on.stage, plan.data, paths.adapter)
            if going_on
            else partial(stage_data, plan.data),
            overwrite=replaces,
            resumed_from=going_on.origin if going_on else None,
            lora=plan.lora,
            model=plan.model_ref,
            notes=request.notes,
            tags=tuple(request.tags),
            warnings=warnings,
        )

    async def _as_its_engine_takes_it(
        self, start: StartRequest
    ) -> tuple[StartRequest, list[StartWarning]]:
        if not isinstance(start, EnhancedStart) or start.method.engine == "rl":
            return start, []
        refuse_contradictions(start)
        if start.resume_from is not None:
            return as_standard(start), unused_fields(start)
        fitted, excerpt = await asyncio.to_thread(self._fit_length, with_name(start))
        return as_standard(fitted), [*unused_fields(fitted), *excerpt]

    async def _plan_method(self, request: EnhancedStart, patience: float | None) -> Plan:
        refuse_contradictions(request)
        request, excerpt = await asyncio.to_thread(self._fit_length, with_name(request))
        rewards, remarks = await self._rewards.choose(request)
        judgement = await self._judgement(request, rewards)
        plan = await self._measure_tokens(request, patience)
        lacking = reward_warnings(rewards.needs, plan.data)
        refuse_lengths(request, plan.model, plan.data, plan.counts)
        warnings = (
            *unused_fields(request),
            *excerpt,
            *remarks,
            *lacking,
            *method_warnings(request, plan.model, plan.data, plan.counts),
            *plan.warnings,
        )
        return replace(plan, judgement=judgement, warnings=warnings)

    async def _measure_tokens(self, request: StartRequest, patience: float | None) -> Plan:
        plan = await self._context.planner.plan(request, patience=patience)
        quantized = await self._context.quantize_remarks(plan)
        return replace(plan, warnings=(*quantized, *plan.warnings))

    def _fit_length(self, request: EnhancedStart) -> tuple[EnhancedStart, list[StartWarning]]:
        model = self._context.planner.usable_model(request.model_path, "model_path")
        return fit_to_context(request, model)

    async def _judgement(self, request: EnhancedStart, rewards: ChosenRewards) -> AnswerJudges:
        return AnswerJudges(
            rewards=rewards.names,
            weights=rewards.weights,
            file=rewards.file,
            sha256=rewards.sha256,
            success=request.success_function or None,
            judge=await self._model(request.judge, "judge"),
            reference=await self._model(request.reference_model_path, "reference_model_path"),
        )

    async def _model(self, name: str, field: str) -> Path | None:
        if not name:
            return None
        model = await asyncio.to_thread(self._context.planner.usable_model, name, field)
        return Path(model.path)

    def _config(self, plan: Plan, session_id: str) -> dict[str, Any]:
        return build_config(
            plan.request,
            session_id=session_id,
            paths=self._context.paths(plan, session_id),
            keys=plan.keys,
            iterations=plan.iterations,
            model_fingerprint=plan.fingerprint,
            judgement=plan.judgement,
            resume=plan.going_on.point if plan.going_on else None,
        )


def _data_preview(plan: Plan) -> DataPreview:
    data, counts, limit = plan.data, plan.counts, plan.request.max_seq_length
    return DataPreview(
        format=data.train.form,
        rows=data.train_rows,
        valid_rows=data.valid_rows,
        split=bool(data.held_out),
        tokens=counts.total if counts else None,
        max_tokens=counts.longest if counts else None,
        truncated_rows=counts.over(limit) if counts else None,
        unused_rows=counts.without_target(limit) if counts else None,
        skipped_rows=sum(map(len, data.skipped.values())),
        rendered_share=plan.rendering.share if plan.rendering else None,
        rendering_job=plan.rendering.job_id if plan.rendering else None,
    )

"""The enhanced tab: from its request to a preview, or to a recipe. SFT goes the standard way."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from backend.catalog.schemas import ModelInfo
from backend.runs.recipe import Recipe
from backend.runs.schemas import ModelRef
from backend.training.config import StandardStart
from backend.training.datafiles import DataFiles
from backend.training.enhanced_build import Judgement, build_method_config, method_command
from backend.training.enhanced_config import EnhancedStart
from backend.training.enhanced_rules import (
    method_warnings,
    refuse_contradictions,
    refuse_lengths,
    reward_warnings,
    unused_fields,
)
from backend.training.fields import CommonStart
from backend.training.method_memory import estimate_method_memory
from backend.training.method_speed import past_steps, seconds_for
from backend.training.plan import Plan
from backend.training.prepare import DataPlan, plan_rows, stage_data
from backend.training.resume import Continuation, Continuations
from backend.training.reward_choice import ChosenRewards, RewardChoice
from backend.training.schemas import DataPreview, Preview
from backend.training.standard_runs import StandardRuns
from backend.training.strength import confirmation_for, refuse_unconfirmed
from backend.training.token_counts import TokenCounts
from backend.training.unused import unmet
from backend.training.workshop import Planned, Workshop, taken_name

EnhancedPlan = Plan[EnhancedStart]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """A request that may start, what it comes to, and what to know of it."""

    plan: EnhancedPlan
    counts: TokenCounts | None
    judgement: Judgement
    going_on: Continuation[EnhancedStart] | None
    warnings: list[str]

    def replaces(self, adapter: Path) -> bool:
        return self.going_on.replaces(adapter) if self.going_on else self.plan.request.overwrite


class EnhancedRuns:
    """What `Runs` promises, for an EnhancedStart."""

    def __init__(
        self,
        workshop: Workshop,
        standard: StandardRuns,
        continuations: Continuations,
        rewards: RewardChoice,
    ) -> None:
        self._shop = workshop
        self._standard = standard
        self._continuations = continuations
        self._rewards = rewards

    async def preview(self, request: EnhancedStart) -> Preview:
        """What a start would do."""
        if request.method.engine == "sft":
            asked, remarks = await self._as_standard(request)
            shown = await self._standard.preview(asked)
            return shown.model_copy(update={"warnings": [*remarks, *shown.warnings]})
        checked = await self._checked(request)
        plan, counts = checked.plan, checked.counts
        paths, warnings = self._shop.paths(plan, "<session>"), list(checked.warnings)
        taken = await asyncio.to_thread(paths.adapter.exists)
        if taken and not await asyncio.to_thread(checked.replaces, paths.adapter):
            warnings.append(taken_name(plan.request.adapter_name))
        config = self._config(checked, "<session>")
        past = await asyncio.to_thread(past_steps, self._shop.sessions)
        return Preview(
            config_yaml=yaml.safe_dump(config, sort_keys=False, allow_unicode=True),
            command=method_command(paths.run),
            lora=plan.lora,
            memory=estimate_method_memory(
                plan.request,
                plan.model,
                plan.targets,
                trainable=plan.trainable,
                config=plan.model_config,
                counts=counts,
                available=await self._shop.available(),
            ),
            data=_data_preview(plan, counts),
            iterations=plan.iterations,
            steps_per_epoch=plan.steps_per_epoch,
            epochs=round(plan.iterations / plan.steps_per_epoch, 4),
            estimated_seconds=seconds_for(
                past,
                plan.request,
                plan.fingerprint,
                plan.iterations,
                valid_rows=plan.data.valid_rows,
            ),
            checkpoint_bytes=plan.checkpoint_bytes or None,
            checkpoints_kept=plan.checkpoints,
            needs_confirmation=confirmation_for(
                plan.request, before=checked.going_on.asked if checked.going_on else None
            ),
            warnings=warnings,
        )

    async def planned(self, request: EnhancedStart, session_id: str) -> Planned[CommonStart]:
        """Everything that may refuse a request; nothing is written."""
        if request.method.engine == "sft":
            asked, remarks = await self._as_standard(request)
            planned = await self._standard.planned(asked, session_id)
            recipe = planned.recipe
            recipe = replace(recipe, warnings=(*remarks, *recipe.warnings))
            return replace(planned, recipe=recipe)
        checked = await self._checked(request)
        plan, going_on = checked.plan, checked.going_on
        request = plan.request
        refuse_unconfirmed(request, before=going_on.asked if going_on else None)
        paths = self._shop.paths(plan, session_id)
        replaces = await asyncio.to_thread(checked.replaces, paths.adapter)
        await asyncio.to_thread(self._shop.check_room, plan, paths, replaces=replaces)
        recipe = Recipe(
            session_id=session_id,
            method=request.training_method,
            engine="rl",
            adapter_name=request.adapter_name,
            adapter_path=paths.adapter,
            total_steps=plan.iterations,
            config=self._config(checked, session_id),
            request=request.model_dump(mode="json") | {"iterations": plan.iterations},
            command=method_command(paths.run),
            stage=partial(going_on.stage, plan.data, paths.adapter)
            if going_on
            else partial(stage_data, plan.data),
            overwrite=replaces,
            resumed_from=going_on.origin if going_on else None,
            lora=plan.lora,
            model=ModelRef(path=plan.model.path, fingerprint=plan.fingerprint),
            notes=request.notes,
            tags=tuple(request.tags),
            warnings=tuple(checked.warnings),
        )
        return Planned(recipe=recipe, request=request, model_name=plan.model.name)

    async def _as_standard(self, request: EnhancedStart) -> tuple[StandardStart, list[str]]:
        refuse_contradictions(request)
        if request.resume_from is not None:
            return as_standard(request), unused_fields(request)
        request, shortened = await asyncio.to_thread(self._fitted, _named(request))
        return as_standard(request), [*unused_fields(request), *shortened]

    def _fitted(self, request: EnhancedStart) -> tuple[EnhancedStart, list[str]]:
        model = self._shop.planner.usable_model(request.model_path, "model_path")
        return fit_to_context(request, model)

    async def _checked(self, request: EnhancedStart) -> _Checked:
        going_on = await asyncio.to_thread(self._continuations.find, request)
        request = going_on.request if going_on else request
        refuse_contradictions(request)
        request, shortened = await asyncio.to_thread(self._fitted, _named(request))
        chosen, remarks = await self._rewards.choose(request)
        judgement = await self._judgement(request, chosen)
        plan = await self._shop.planner.plan(request, plan_method_data)
        lacking = reward_warnings(chosen.needs, plan.data)
        counts = await self._shop.tokens.count(plan.model, plan.data, mask=True)
        refuse_lengths(request, plan.model, plan.data, counts)
        warnings = [
            *await asyncio.to_thread(_continued, going_on, plan),
            *unused_fields(request),
            *shortened,
            *remarks,
            *lacking,
            *method_warnings(request, plan.model, plan.data, counts),
            *await self._shop.quantize_remarks(plan),
            *plan.warnings,
        ]
        return _Checked(
            plan=plan, counts=counts, judgement=judgement, going_on=going_on, warnings=warnings
        )

    async def _judgement(self, request: EnhancedStart, chosen: ChosenRewards) -> Judgement:
        models = {
            field: Path((await asyncio.to_thread(self._model, name, field)).path)
            for field, name in (
                ("judge", request.judge), ("reference_model_path", request.reference_model_path),
            )
            if name
        }  # fmt: skip
        return Judgement(
            rewards=chosen.names,
            weights=chosen.weights,
            file=chosen.file,
            sha256=chosen.sha256,
            success=request.success_function or None,
            judge=models.get("judge"),
            reference=models.get("reference_model_path"),
        )

    def _model(self, name: str, field: str) -> ModelInfo:
        return self._shop.planner.usable_model(name, field)

    def _config(self, checked: _Checked, session_id: str) -> dict[str, Any]:
        plan, going_on = checked.plan, checked.going_on
        return build_method_config(
            plan.request,
            session_id=session_id,
            paths=self._shop.paths(plan, session_id),
            keys=plan.keys,
            iterations=plan.iterations,
            model_fingerprint=plan.fingerprint,
            judgement=checked.judgement,
            resume=going_on.point if going_on else None,
        )


def as_standard(request: EnhancedStart) -> StandardStart:
    """The same for the standard tab: what was named, and this tab's own defaults."""
    goes_on = request.resume_from is not None  # What is left out is then the session's.

    def has_own_default(name: str) -> bool:
        if name == "iterations" and request.epochs is not None:
            return False
        differs = CommonStart.model_fields[name].default != EnhancedStart.model_fields[name].default
        return differs and unmet(request, name) is None

    fields = {
        name: getattr(request, name)
        for name in CommonStart.model_fields
        if name in request.model_fields_set or (not goes_on and has_own_default(name))
    }
    if not request.adapter_name:  # An estimate has none; a start was given its name before.
        fields.pop("adapter_name", None)
    return StandardStart.model_validate(fields)


def plan_method_data(
    request: EnhancedStart, files: DataFiles, /, *, chat_template: bool | None
) -> DataPlan:
    """Check all data of a request in the form its method needs. Raises as `plan_data`."""
    return plan_rows(
        request,
        files,
        check=lambda checked, field: None,
        needs=request.method.data_form,
    )


def fit_to_context(request: EnhancedStart, model: ModelInfo) -> tuple[EnhancedStart, list[str]]:
    """A length that nobody asked for is no reason to refuse: the default gives way to the model."""
    room = model.context_length
    if room is None:
        return request, []
    most = {"max_seq_length": room}
    if request.method.generates:
        most["max_completion_length"] = max(1, room // 2)
    fitted = {
        name: limit
        for name, limit in most.items()
        if name not in request.model_fields_set and getattr(request, name) > limit
    }
    remarks = [
        f"{name} is {limit} instead of the default {getattr(request, name)}: {model.name} was made "
        f"for {room} tokens."
        for name, limit in fitted.items()
    ]
    return request.model_copy(update=fitted), remarks


def _named(request: EnhancedStart) -> EnhancedStart:
    """With a name of its own where none was given: run_ and the time."""
    if request.adapter_name:
        return request
    now = datetime.now().astimezone()
    name = f"run_{now:%Y%m%d_%H%M%S}_{now.microsecond // 1000:03d}"
    return request.model_copy(update={"adapter_name": name})


def _continued(going_on: Continuation[EnhancedStart] | None, plan: EnhancedPlan) -> list[str]:
    if going_on is None:
        return []
    model = ModelRef(path=plan.model.path, fingerprint=plan.fingerprint)
    return going_on.check(model, plan.data, plan.iterations)


def _data_preview(plan: EnhancedPlan, counts: TokenCounts | None) -> DataPreview:
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

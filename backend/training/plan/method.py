"""The enhanced tab: from its request to a preview, or to a recipe. SFT goes the standard way."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from backend.models.schemas import ModelInfo
from backend.training.estimate.method_duration import past_steps, seconds_for
from backend.training.estimate.method_memory import estimate_method_memory
from backend.training.plan.context import PATIENCE, Planned, Workshop, taken_name
from backend.training.plan.method_checks import (
    method_warnings,
    refuse_contradictions,
    refuse_lengths,
    reward_warnings,
    unused_fields,
)
from backend.training.plan.method_config import Judgement, build_method_config, method_command
from backend.training.plan.outcome import Outcome
from backend.training.plan.resume import Continuations
from backend.training.plan.sft import StandardRuns
from backend.training.request.common_fields import CommonStart
from backend.training.request.method_fields import EnhancedStart
from backend.training.request.sft_fields import StandardStart
from backend.training.request.unused_fields import unmet
from backend.training.rewards.choice import ChosenRewards, RewardChoice
from backend.training.run_data.data_plan import DataPlan
from backend.training.run_data.files import DataFiles
from backend.training.run_data.prepare import plan_rows
from backend.training.schemas import Preview


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked(Outcome[EnhancedStart]):
    """With what judges the answers, and what to know of it."""

    judgement: Judgement
    warnings: list[str]


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
        checked = await self._checked(request, patience=PATIENCE)
        plan, counts = checked.plan, checked.plan.counts
        paths, warnings = self._shop.paths(plan, "<session>"), list(checked.warnings)
        taken = await asyncio.to_thread(paths.adapter.exists)
        if taken and not await asyncio.to_thread(checked.replaces, paths.adapter):
            warnings.append(taken_name(plan.request.adapter_name))
        past = await asyncio.to_thread(past_steps, self._shop.sessions)
        return checked.preview(
            counts,
            config=self._config(checked, "<session>"),
            command=method_command(paths.run),
            memory=estimate_method_memory(
                plan.request,
                plan.model,
                plan.targets,
                trainable=plan.trainable,
                config=plan.model_config,
                counts=counts,
                available=await self._shop.available(),
            ),
            seconds=seconds_for(
                past,
                plan.request,
                plan.fingerprint,
                plan.iterations,
                valid_rows=plan.data.valid_rows,
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
        plan, request = checked.plan, checked.plan.request
        checked.refuse_unconfirmed()
        paths = self._shop.paths(plan, session_id)
        replaces = await asyncio.to_thread(checked.replaces, paths.adapter)
        await asyncio.to_thread(self._shop.check_room, plan, paths, replaces=replaces)
        recipe = checked.recipe(
            session_id,
            method=request.training_method,
            engine="rl",
            adapter=paths.adapter,
            config=self._config(checked, session_id),
            command=method_command(paths.run),
            overwrite=replaces,
            warnings=checked.warnings,
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

    async def _checked(self, request: EnhancedStart, *, patience: float | None = None) -> _Checked:
        going_on = await asyncio.to_thread(self._continuations.find, request)
        request = going_on.request if going_on else request
        refuse_contradictions(request)
        request, shortened = await asyncio.to_thread(self._fitted, _named(request))
        chosen, remarks = await self._rewards.choose(request)
        judgement = await self._judgement(request, chosen)
        plan = await self._shop.planner.plan(
            request, plan_method_data, train_mode=request.method.train_mode, patience=patience
        )
        lacking = reward_warnings(chosen.needs, plan.data)
        counts = plan.counts
        refuse_lengths(request, plan.model, plan.data, counts)
        warnings = [
            *await asyncio.to_thread(Outcome(plan=plan, going_on=going_on).remarks),
            *unused_fields(request),
            *shortened,
            *remarks,
            *lacking,
            *method_warnings(request, plan.model, plan.data, counts),
            *await self._shop.quantize_remarks(plan),
            *plan.warnings,
        ]
        return _Checked(plan=plan, judgement=judgement, going_on=going_on, warnings=warnings)

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

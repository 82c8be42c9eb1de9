"""Supervised fine-tuning: from a standard request to a preview, or to a recipe."""

from __future__ import annotations

import asyncio
from typing import Any

from backend.errors import FieldProblem, Invalid
from backend.jobs.run.recipe import StartWarning
from backend.training.estimate.duration import estimate_seconds, past_runs
from backend.training.estimate.memory import estimate_memory
from backend.training.estimate.step_memory import Loads, loads_of
from backend.training.plan.context import PATIENCE, Planned, Workshop, taken_name
from backend.training.plan.hosts import ranks_of
from backend.training.plan.outcome import Outcome
from backend.training.plan.planner import Plan
from backend.training.plan.resume import Continuations
from backend.training.plan.sft_config import RunPaths, build_config, command_for
from backend.training.plan.work import work_of
from backend.training.request.sft_fields import StandardStart
from backend.training.run_data.prepare import plan_data
from backend.training.run_data.token_counts import TokenCounts
from backend.training.schemas import MemoryEstimate, Preview

StandardPlan = Plan[StandardStart]


class StandardRuns:
    """What `Runs` promises, for a StandardStart: alone, or going on with a session."""

    def __init__(self, workshop: Workshop, continuations: Continuations) -> None:
        self._shop = workshop
        self._continuations = continuations

    async def preview(self, request: StandardStart) -> Preview:
        """What a start would do."""
        outcome = await self._outcome(request, patience=PATIENCE)
        plan, request = outcome.plan, outcome.plan.request
        counts = plan.counts
        paths = self._shop.paths(plan, "<session>")
        warnings = await self._warnings(outcome)
        warnings += _token_warnings(plan, counts)
        warnings += _command_warnings(plan)
        taken = await asyncio.to_thread(paths.adapter.exists)
        if taken and not await asyncio.to_thread(outcome.replaces, paths.adapter):
            warnings.append(taken_name(request.adapter_name))
        return outcome.preview(
            counts,
            config=_config(outcome, "<session>", paths),
            command=command_for(paths.run, request.distributed),
            memory=await asyncio.to_thread(
                _memory, plan, counts, available=await self._shop.available()
            ),
            seconds=await self._seconds(plan, counts),
            warnings=warnings,
        )

    async def planned(self, request: StandardStart, session_id: str) -> Planned[StandardStart]:
        """Everything that may refuse a request; nothing is written."""
        outcome = await self._outcome(request)
        plan, request = outcome.plan, outcome.plan.request
        outcome.refuse_unconfirmed()
        warnings = await self._warnings(outcome)
        if request.mask_prompt:
            warnings += _token_warnings(plan, plan.counts)
        paths = self._shop.paths(plan, session_id)
        replaces = await asyncio.to_thread(outcome.replaces, paths.adapter)
        await asyncio.to_thread(self._shop.check_room, plan, paths, replaces=replaces)
        recipe = outcome.recipe(
            session_id,
            method="sft",
            engine="sft",
            adapter=paths.adapter,
            config=_config(outcome, session_id, paths),
            command=command_for(paths.run, request.distributed),
            overwrite=replaces,
            warnings=warnings,
        )
        return Planned(recipe=recipe, request=request, model_name=plan.model.name)

    async def _outcome(
        self, request: StandardStart, *, patience: float | None = None
    ) -> Outcome[StandardStart]:
        """The plan of a request, or of the whole one that it continues a session with."""
        going_on = await asyncio.to_thread(self._continuations.find, request)
        whole = going_on.request if going_on else request
        plan = await self._shop.planner.plan(whole, plan_data, patience=patience)
        return Outcome(plan=plan, going_on=going_on)

    async def _warnings(self, outcome: Outcome[StandardStart]) -> list[str]:
        plan, remarks = outcome.plan, await asyncio.to_thread(outcome.remarks)
        return [*remarks, *await self._shop.quantize_remarks(plan), *plan.warnings]

    async def _seconds(self, plan: StandardPlan, counts: TokenCounts | None) -> float | None:
        if counts is None or plan.request.distributed:  # Its speed was not measured yet.
            return None
        past = await asyncio.to_thread(past_runs, self._shop.sessions)
        benchmark = await asyncio.to_thread(self._shop.benchmark)
        return estimate_seconds(past, work_of(plan, counts), benchmark)


def _config(outcome: Outcome[StandardStart], session_id: str, paths: RunPaths) -> dict[str, Any]:
    plan, going_on = outcome.plan, outcome.going_on
    return build_config(
        plan.request,
        session_id=session_id,
        paths=paths,
        keys=plan.keys,
        iterations=plan.iterations,
        model_fingerprint=plan.fingerprint,
        resume=going_on.point if going_on else None,
    )


def _memory(
    plan: StandardPlan, counts: TokenCounts | None, *, available: int | None
) -> MemoryEstimate | None:
    """What the processes of this machine need, each with its share of the batch. Blocking."""
    ranks = ranks_of(plan.request.distributed)
    share = max(1, plan.request.batch_size // ranks.all)
    request = plan.request.model_copy(update={"batch_size": share})
    return estimate_memory(
        request,
        plan.model,
        plan.targets,
        trainable=plan.trainable,
        config=plan.model_config,
        loads=_loads(plan, request, counts),
        available=available,
        processes=ranks.here,
    )


def _loads(plan: StandardPlan, request: StandardStart, counts: TokenCounts | None) -> Loads | None:
    """What the run's steps hold at once; None where no row was counted."""
    if counts is None:
        return None
    limit = request.max_seq_length
    return loads_of(
        counts.learned(limit) if request.mask_prompt else counts.lengths,
        batch_size=request.batch_size,
        max_seq_length=limit,
        iterations=plan.iterations,
        seed=request.seed,
        valid=counts.valid if request.val_batches else (),
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

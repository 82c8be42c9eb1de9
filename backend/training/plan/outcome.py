"""What a checked request comes to, in both tabs: a preview, or a recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic

import yaml

from backend.jobs.run.recipe import Recipe
from backend.jobs.run.schemas import ModelRef
from backend.training.plan.effective_scale import confirmation_for, refuse_unconfirmed
from backend.training.plan.planner import Plan
from backend.training.plan.resume import Asked, Continuation
from backend.training.run_data.prepare import stage_data
from backend.training.run_data.token_counts import TokenCounts
from backend.training.schemas import DataPreview, MemoryEstimate, Preview


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Generic[Asked]):
    """A plan, and the session that it goes on with, if any."""

    plan: Plan[Asked]
    going_on: Continuation[Asked] | None

    @property
    def model(self) -> ModelRef:
        return ModelRef(path=self.plan.model.path, fingerprint=self.plan.fingerprint)

    def remarks(self) -> list[str]:
        """On going on. Blocking; raises as `Continuation.check`."""
        going_on, plan = self.going_on, self.plan
        return going_on.check(self.model, plan.data, plan.iterations) if going_on else []

    def replaces(self, adapter: Path) -> bool:
        """Whether it may take the place of what is there. Blocking."""
        return self.going_on.replaces(adapter) if self.going_on else self.plan.request.overwrite

    def refuse_unconfirmed(self) -> None:
        refuse_unconfirmed(self.plan.request, before=self._before)

    def preview(
        self,
        counts: TokenCounts | None,
        *,
        config: Mapping[str, Any],
        command: str,
        memory: MemoryEstimate | None,
        seconds: float | None,
        warnings: list[str],
    ) -> Preview:
        plan = self.plan
        return Preview(
            config_yaml=yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True),
            command=command,
            lora=plan.lora,
            memory=memory,
            data=_data_preview(plan, counts),
            iterations=plan.iterations,
            steps_per_epoch=plan.steps_per_epoch,
            epochs=round(plan.iterations / plan.steps_per_epoch, 4),
            estimated_seconds=seconds,
            checkpoint_bytes=plan.checkpoint_bytes or None,
            checkpoints_kept=plan.checkpoints,
            needs_confirmation=confirmation_for(plan.request, before=self._before),
            warnings=warnings,
        )

    def recipe(
        self,
        session_id: str,
        *,
        method: str,
        engine: str,
        adapter: Path,
        config: Mapping[str, Any],
        command: str,
        overwrite: bool,
        warnings: Sequence[str],
    ) -> Recipe:
        plan, going_on, request = self.plan, self.going_on, self.plan.request
        return Recipe(
            session_id=session_id,
            method=method,
            engine=engine,
            adapter_name=request.adapter_name,
            adapter_path=adapter,
            total_steps=plan.iterations,
            config=config,
            request=request.model_dump(mode="json") | {"iterations": plan.iterations},
            command=command,
            stage=partial(going_on.stage, plan.data, adapter)
            if going_on
            else partial(stage_data, plan.data),
            overwrite=overwrite,
            resumed_from=going_on.origin if going_on else None,
            lora=plan.lora,
            model=self.model,
            notes=request.notes,
            tags=tuple(request.tags),
            warnings=tuple(warnings),
        )

    @property
    def _before(self) -> Asked | None:
        """What the session that is continued had been asked."""
        return self.going_on.asked if self.going_on else None


def _data_preview(plan: Plan[Any], counts: TokenCounts | None) -> DataPreview:
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
        skipped_rows=sum(map(len, data.skipped.values())),
        rendered_share=plan.rendered_share,
    )

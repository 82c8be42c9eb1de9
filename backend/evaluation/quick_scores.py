"""`/api/evaluate/*`: an adapter's weights and its perplexity in one answer, waited for."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.contract.jobs.evaluation import MetricResult
from backend.errors import EngineFailed
from backend.evaluation.schemas import EvaluationResult, EvaluationStart
from backend.evaluation.service import Evaluator
from backend.evaluation.weight_changes import WeightAnalysis, analyse
from backend.settings import Settings

_STRICT = ConfigDict(extra="forbid", strict=True)
METHOD = "Weights of ΔW = scale · B · A; perplexity of held-out answers"


class AdapterAsked(BaseModel):
    """`max_samples` rows that the run held out are measured, or rows of `training_data_path`."""

    model_config = _STRICT

    adapter_name: str = Field(min_length=1)
    max_samples: int = Field(20, ge=1, le=2000)
    model_name: str | None = None
    training_data_path: str | None = None


class PairAsked(BaseModel):
    model_config = _STRICT

    adapter1: str = Field(min_length=1)
    adapter2: str = Field(min_length=1)
    max_samples: int = Field(20, ge=1, le=2000)
    training_data_path: str | None = None


class Perplexity(BaseModel):
    """On `rows` rows, answers only. Bounds are of the 95 % bootstrap interval."""

    perplexity: float | None
    low: float | None
    high: float | None
    avg_loss: float | None
    rows: int
    seen_rows: int | None
    time_seconds: float


class BaseComparison(BaseModel):
    """`ratio` is adapter / base, row by row: below 1, the adapter predicts the answers better."""

    base_perplexity: float | None
    adapter_perplexity: float | None
    ratio: float | None
    low: float | None
    high: float | None


class TierResult(BaseModel):
    adapter_name: str
    is_base_model: bool
    evaluation_method: str
    timestamp: datetime
    evaluation_id: str
    tier0: WeightAnalysis | None
    tier1: Perplexity
    base_model_comparison: BaseComparison | None
    total_time_seconds: float
    warnings: list[str]


class TierAnswer(BaseModel):
    success: Literal[True] = True
    result: TierResult


class PairResult(BaseModel):
    """`winner` has the lower perplexity where both were measured on the same rows and the
    intervals don't overlap; null where that is not sure.
    """

    adapter1: str
    adapter2: str
    winner: str | None
    tier1_score_difference: float | None
    reports: dict[str, TierResult]


class PairAnswer(BaseModel):
    success: Literal[True] = True
    result: PairResult


class Tiers:
    def __init__(self, settings: Settings, evaluator: Evaluator) -> None:
        self._settings = settings
        self._evaluator = evaluator

    async def adapter(self, request: AdapterAsked) -> TierResult:
        """Weights, and perplexity beside the base's. Raises as the evaluator does."""
        began = time.monotonic()
        ready, model = await asyncio.to_thread(
            self._evaluator.ready, request.adapter_name, request.model_name
        )
        result = await self._measure(request, compare=True)
        weights = None
        if ready.fine_tune_type != "full":
            weights = await analyse(self._settings, ready, model.path)
        loss, perplexity = _metric(result, "loss"), _metric(result, "perplexity")
        ratio = perplexity.ratio
        return _result(
            result,
            tier0=weights,
            began=began,
            comparison=BaseComparison(
                base_perplexity=_mean(perplexity, 0),
                adapter_perplexity=_mean(perplexity, 1),
                ratio=ratio.mean if ratio else None,
                low=ratio.low if ratio else None,
                high=ratio.high if ratio else None,
            ),
            tier1=_tier1(result, loss, perplexity),
        )

    async def base(self, request: AdapterAsked) -> TierResult:
        began = time.monotonic()
        result = await self._measure(request, compare=False)
        tier1 = _tier1(result, _metric(result, "loss"), _metric(result, "perplexity"))
        return _result(result, tier0=None, began=began, comparison=None, tier1=tier1)

    async def compare(self, request: PairAsked) -> PairResult:
        """Both in turn, the second on the rows of the first unless rows are given."""
        more = {
            "max_samples": request.max_samples,
            "training_data_path": request.training_data_path,
        }
        first = await self.adapter(AdapterAsked(adapter_name=request.adapter1, **more))
        rows = await asyncio.to_thread(self._evaluator.rows_of, first.evaluation_id)
        more["training_data_path"] = request.training_data_path or rows
        second = await self.adapter(AdapterAsked(adapter_name=request.adapter2, **more))
        one, two = first.tier1, second.tier1
        difference = (
            None
            if one.perplexity is None or two.perplexity is None
            else two.perplexity - one.perplexity
        )
        return PairResult(
            adapter1=request.adapter1,
            adapter2=request.adapter2,
            winner=_winner(request, one, two),
            tier1_score_difference=difference,
            reports={request.adapter1: first, request.adapter2: second},
        )

    async def _measure(self, tier_request: AdapterAsked, *, compare: bool) -> EvaluationResult:
        request = EvaluationStart(
            adapter_name=tier_request.adapter_name,
            model_name=tier_request.model_name,
            training_data_path=tier_request.training_data_path,
            num_questions=tier_request.max_samples,
            evaluate_base_model=not compare,
            metrics=["loss", "perplexity"],
            max_tokens=1,
        )
        start = await self._evaluator.start(request, compare=compare, helper=True)
        folder = self._evaluator.jobs.folders.find(start.evaluation_id)
        status = await self._evaluator.jobs.ended(folder)
        if status.state != "completed":
            raise EngineFailed(
                status.error or "The evaluation was stopped before it was done.", hint=status.hint
            )
        return await asyncio.to_thread(self._evaluator.result, folder)


def _result(
    evaluation: EvaluationResult,
    *,
    tier0: WeightAnalysis | None,
    tier1: Perplexity,
    comparison: BaseComparison | None,
    began: float,
) -> TierResult:
    return TierResult(
        adapter_name=evaluation.adapter_name,
        is_base_model=evaluation.is_base_model,
        evaluation_method=METHOD,
        timestamp=datetime.now(UTC),
        evaluation_id=evaluation.evaluation_id,
        tier0=tier0,
        tier1=tier1,
        base_model_comparison=comparison,
        total_time_seconds=round(time.monotonic() - began, 3),
        warnings=[*evaluation.warnings, *(tier0.warnings if tier0 else [])],
    )


def _tier1(
    evaluation: EvaluationResult, loss: MetricResult, perplexity: MetricResult
) -> Perplexity:
    last = perplexity.values[-1]
    return Perplexity(
        perplexity=last.mean if last else None,
        low=last.low if last else None,
        high=last.high if last else None,
        avg_loss=_mean(loss, -1),
        rows=last.rows if last else 0,
        seen_rows=evaluation.seen_rows,
        time_seconds=round(evaluation.seconds, 3),
    )


def _metric(evaluation: EvaluationResult, metric_id: str) -> MetricResult:
    return next(metric for metric in evaluation.metrics if metric.id == metric_id)


def _mean(metric: MetricResult, at: int) -> float | None:
    value = metric.values[at]
    return value.mean if value else None


def _winner(request: PairAsked, one: Perplexity, two: Perplexity) -> str | None:
    if None in (one.low, one.high, two.low, two.high) or one.rows != two.rows:
        return None
    if (one.high or 0) < (two.low or 0):
        return request.adapter1
    return request.adapter2 if (two.high or 0) < (one.low or 0) else None

"""Evaluations: start one, see how it goes, read what it found."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from backend.api.refusals import refuses
from backend.api.services import Wired
from backend.errors import NotFound, WrongState
from backend.evaluation.folder import read_report
from backend.evaluation.quick_scores import AdapterAsked, PairAnswer, PairAsked, TierAnswer
from backend.evaluation.schemas import (
    EvaluationList,
    EvaluationOffers,
    EvaluationResult,
    EvaluationStart,
    EvaluationStarted,
    EvaluationStatus,
    ResultAnswer,
    StopAnswer,
)

router = APIRouter(prefix="/api/evaluation", tags=["evaluation"])
tiers_router = APIRouter(prefix="/api/evaluate", tags=["evaluation"])


@router.post("/start", responses=refuses(404, 409, 504, 507))
async def start_evaluation(body: EvaluationStart, services: Wired) -> EvaluationStarted:
    """The adapter, or with `evaluate_base_model` the base without it, on held-out rows."""
    return await services.evaluator.start(body, compare=False)


@router.post("/compare", responses=refuses(404, 409, 504, 507))
async def compare_evaluation(body: EvaluationStart, services: Wired) -> EvaluationStarted:
    """Base and adapter on the same rows, with paired differences."""
    return await services.evaluator.start(body, compare=True)


@router.get("/status")
async def evaluation_status(services: Wired) -> EvaluationStatus:
    return services.evaluator.jobs.status()


@router.get("/result", responses=refuses(404, 409))
async def evaluation_result(services: Wired) -> ResultAnswer:
    """Of the newest evaluation that has one."""
    folder = await asyncio.to_thread(services.evaluator.jobs.newest_result)
    return ResultAnswer(result=await asyncio.to_thread(services.evaluator.result, folder))


@router.get("/offers")
async def evaluation_offers(services: Wired) -> EvaluationOffers:
    """Whether there is a judge, whether lm-eval is installed, and the tasks that are here."""
    return await asyncio.to_thread(services.evaluator.offers)


@router.post("/stop", responses=refuses(409))
async def stop_evaluation(services: Wired) -> StopAnswer:
    job = await services.evaluator.jobs.stop()
    if job is None:
        raise WrongState("No evaluation is running.")
    return StopAnswer(message="The evaluation was stopped.", evaluation_id=job.folder.id)


@router.get("/list")
async def list_evaluations(services: Wired) -> EvaluationList:
    """The last evaluations, newest first, those that failed or can't be read too."""
    return await asyncio.to_thread(services.evaluator.jobs.list)


@router.get("/{evaluation_id}", responses=refuses(404, 409, 422))
async def read_evaluation(evaluation_id: str, services: Wired) -> EvaluationResult:
    folder = await asyncio.to_thread(services.evaluator.jobs.folders.find, evaluation_id)
    return await asyncio.to_thread(services.evaluator.result, folder)


class MarkdownResponse(PlainTextResponse):
    media_type = "text/markdown"


@router.get(
    "/{evaluation_id}/report", response_class=MarkdownResponse, responses=refuses(404, 409, 422)
)
async def evaluation_report(evaluation_id: str, services: Wired) -> MarkdownResponse:
    """The same as a page of Markdown."""
    folder = await asyncio.to_thread(services.evaluator.jobs.folders.find, evaluation_id)
    await asyncio.to_thread(services.evaluator.result, folder)  # Refuses where there is none.
    text = await asyncio.to_thread(read_report, folder)
    if text is None:
        raise NotFound(f"The evaluation {folder.id} has no report.")
    return MarkdownResponse(text)


@tiers_router.post("/adapter", responses=refuses(404, 409, 504, 507))
async def evaluate_adapter(body: AdapterAsked, services: Wired) -> TierAnswer:
    """What it does to the weights, and its perplexity beside the base's; answers when done."""
    return TierAnswer(result=await services.tiers.adapter(body))


@tiers_router.post("/base-model", responses=refuses(404, 409, 504, 507))
async def evaluate_base_model(body: AdapterAsked, services: Wired) -> TierAnswer:
    """The base of an adapter, on that adapter's rows; answers when done."""
    return TierAnswer(result=await services.tiers.base(body))


@tiers_router.post("/compare", responses=refuses(404, 409, 504, 507))
async def evaluate_two_adapters(body: PairAsked, services: Wired) -> PairAnswer:
    """Two adapters on the same rows; answers when done."""
    return PairAnswer(result=await services.tiers.compare(body))

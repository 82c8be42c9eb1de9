"""The enhanced tab: methods, preview, start, and what a run will need."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header

from backend.api.errors import TELLS_SUCCESS
from backend.api.refusals import refuses
from backend.api.services import Wired
from backend.contract.run.folder import LOG
from backend.training.plan.resources import EstimateRequest
from backend.training.request.method_answers import (
    EnhancedStartAnswer,
    EstimateAnswer,
    MethodsAnswer,
)
from backend.training.request.method_descriptions import methods_answer
from backend.training.request.method_fields import EnhancedStart
from backend.training.schemas import HeldOutPrompts, Preview

router = APIRouter(prefix="/api/training", tags=[TELLS_SUCCESS])


@router.get("/methods")
async def training_methods() -> MethodsAnswer:
    """Every method with its parameters, in the order of the cards."""
    return methods_answer()


@router.post("/preview-enhanced", responses=refuses(404, 409, 504, 507))
async def preview_enhanced(body: EnhancedStart, services: Wired) -> Preview:
    """As POST /training/preview: nothing is started and nothing written."""
    services.spare_engine.want()
    return await services.training.preview(body)


@router.post("/held-out-prompts-enhanced", responses=refuses(404, 409, 504, 507))
async def enhanced_held_out_prompts(body: EnhancedStart, services: Wired) -> HeldOutPrompts:
    """As POST /training/held-out-prompts."""
    return await services.training.held_out_prompts(body)


@router.post("/start-enhanced", responses=refuses(404, 409, 504, 507))
async def start_enhanced(
    body: EnhancedStart,
    services: Wired,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> EnhancedStartAnswer:
    answer = await services.training.start(body, idempotency_key=idempotency_key)
    running = services.supervisor.status()
    is_started = running.session_id == answer.session_id
    log = services.store.folder(answer.session_id) / LOG
    return EnhancedStartAnswer(
        success=True,
        status=answer.status,
        message=answer.message,
        method=body.training_method,
        session_id=answer.session_id,
        pid=running.pid if is_started else None,
        log_file=str(log) if answer.status == "started" else None,
        warnings=answer.warnings,
        remarks=answer.remarks,
    )


@router.post("/estimate-resources", responses=refuses(404))
async def estimate_resources(body: EstimateRequest, services: Wired) -> EstimateAnswer:
    """From the model's own sizes and these settings; without any data."""
    return await services.resources.estimate(body)

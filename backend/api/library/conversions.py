"""Models of PyTorch safetensors turned into MLX's form, and models quantised."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from backend.api.refusals import refuses
from backend.api.services import Services, Wired
from backend.errors import WrongState
from backend.jobs.kinds.conversion import ConversionStatus
from backend.models.conversion import (
    ConversionEstimate,
    ConversionTarget,
    FloatType,
    ModelConversion,
)

router = APIRouter(prefix="/models/convert", tags=["models"])
_BITS: dict[str, Literal[4, 8]] = {"4": 4, "8": 8}


@router.get("")
async def conversion_status(services: Wired) -> ConversionStatus:
    """How a conversion goes, and what the last finished one made."""
    return await asyncio.to_thread(services.conversions.status)


@router.get("/estimate", responses=refuses(400, 404))
async def estimate_conversion(
    source: Annotated[str, Query(min_length=1, max_length=4096)],
    services: Wired,
    quantize: Literal["4", "8"] | None = None,
    dtype: FloatType | None = None,
) -> ConversionEstimate:
    """Size, disk and time of a conversion, before it is started."""
    target = ConversionTarget(quantize=_BITS[quantize] if quantize else None, dtype=dtype)
    return await asyncio.to_thread(_estimate, services, source, target)


@router.post("", responses=refuses(404, 409, 507))
async def start_conversion(body: ModelConversion, services: Wired) -> ConversionStatus:
    """A new model beside the others, whole or not at all; the source is only read."""
    services.conversions.require_free()
    request = await asyncio.to_thread(services.conversion_planner.plan, body)
    await services.conversions.convert(request)
    return await asyncio.to_thread(services.conversions.status)


@router.post("/stop", responses=refuses(409))
async def stop_conversion(services: Wired) -> ConversionStatus:
    if await services.conversions.stop() is None:
        raise WrongState("No conversion is running.")
    return await asyncio.to_thread(services.conversions.status)


def _estimate(services: Services, source: str, target: ConversionTarget) -> ConversionEstimate:
    estimate = services.conversion_planner.estimate(source, target)
    seconds = services.conversions.seconds(
        estimate.source_bytes, quantised=target.quantize is not None
    )
    return estimate.model_copy(update={"seconds": seconds})

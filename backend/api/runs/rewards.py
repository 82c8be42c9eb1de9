"""Reward functions: what there is, whose code is trusted, and what they score."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from backend.api.errors import TELLS_SUCCESS
from backend.api.refusals import refuses
from backend.api.services import Wired
from backend.training.rewards.schemas import (
    InspectCodeRequest,
    RewardCode,
    RewardFunctionsAnswer,
    TrustAnswer,
    TrustRequest,
    TryAnswer,
    TryRequest,
    UntrustRequest,
)

router = APIRouter(prefix="/api/training/reward-functions", tags=[TELLS_SUCCESS])


@router.get("", responses=refuses(400, 504))
async def reward_functions(services: Wired) -> RewardFunctionsAnswer:
    """The app's, the engine's, and those in the code of trusted files."""
    return await services.rewards.known()


@router.post("/inspect", responses=refuses(404))
async def inspect_reward_code(body: InspectCodeRequest, services: Wired) -> RewardCode:
    """The code of a Python file and the functions in it; it is parsed and never run."""
    return await asyncio.to_thread(services.rewards.trusted.inspect, body.path)


@router.post("/trust", responses=refuses(404, 409, 507))
async def trust_reward_code(body: TrustRequest, services: Wired) -> TrustAnswer:
    """Let runs use the file as it was shown; 409 when it has changed since."""
    files = await asyncio.to_thread(services.rewards.trusted.trust, body.path, body.sha256)
    return TrustAnswer(files=files)


@router.post("/untrust", responses=refuses(404, 409, 507))
async def untrust_reward_code(body: UntrustRequest, services: Wired) -> TrustAnswer:
    return TrustAnswer(files=await asyncio.to_thread(services.rewards.trusted.untrust, body.path))


@router.post("/try", responses=refuses(404, 409, 504))
async def try_reward_functions(body: TryRequest, services: Wired) -> TryAnswer:
    """Scores of rows' own answers, or of pasted completions, without any training."""
    return await services.rewards.try_on(body)

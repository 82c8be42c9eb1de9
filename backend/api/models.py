"""Base models: what is there, and what LoRA can attach to."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from backend.api.refusals import refuses
from backend.api.services import Wired
from backend.catalog.schemas import LoraTargets, ModelInfo, ModelsAnswer

router = APIRouter(prefix="/models", tags=["models"])


@router.get("")
async def list_models(services: Wired) -> ModelsAnswer:
    return ModelsAnswer(models=await asyncio.to_thread(services.models.scan))


@router.get("/describe", responses=refuses(404))
async def describe_model(path: str, services: Wired) -> ModelInfo:
    """The facts of one model by its folder, which need not be in a searched one, or by its name."""
    return await asyncio.to_thread(services.models.find, path)


@router.get("/{name:path}/lora", responses=refuses(400, 404, 504))
async def lora_targets(name: str, services: Wired) -> LoraTargets:
    """What LoRA can attach to in a model, by its name or by its folder's full path."""
    model = await asyncio.to_thread(services.models.find, name)
    return await services.inspector.targets(model)

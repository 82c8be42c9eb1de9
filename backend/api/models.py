"""Base models: what is there, and what LoRA can attach to."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from backend.api.services import Wired
from backend.catalog.schemas import LoraTargets, ModelsAnswer

router = APIRouter(prefix="/models", tags=["models"])


@router.get("")
async def list_models(services: Wired) -> ModelsAnswer:
    return ModelsAnswer(models=await asyncio.to_thread(services.models.scan))


@router.get("/{name}/lora")
async def lora_targets(name: str, services: Wired) -> LoraTargets:
    model = await asyncio.to_thread(services.models.find, name)
    return await services.inspector.targets(model)

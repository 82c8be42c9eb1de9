"""Base models: what is there, and what LoRA can attach to."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from backend.api.refusals import refuses
from backend.api.services import Services, Wired
from backend.models.schemas import LoraTargets, ModelDeleted, ModelInfo, ModelsAnswer
from backend.training.plan.base_catalog import BaseCatalog

router = APIRouter(prefix="/models", tags=["models"])


@router.get("")
async def list_models(services: Wired) -> ModelsAnswer:
    """With what is wrong with each: from its headers, or found out when its weights were held
    against the architecture's own list, before a preview or start.
    """
    return ModelsAnswer(models=await asyncio.to_thread(_list_models, services))


@router.get("/catalog")
async def model_catalog(services: Wired) -> BaseCatalog:
    """Well-known bases of the hub, those that this machine can train first. No hub is asked;
    POST /models/download fetches one.
    """
    models = await asyncio.to_thread(services.models.scan)
    return await services.resources.base_catalog(models)


@router.get("/describe", responses=refuses(404))
async def describe_model(path: str, services: Wired) -> ModelInfo:
    """The facts of one model by its folder, which need not be in a searched one, or by its name."""
    model = await asyncio.to_thread(services.models.find, path)
    return await asyncio.to_thread(_check_model, services, model)


@router.get("/{name:path}/lora", responses=refuses(400, 404, 504))
async def lora_targets(name: str, services: Wired) -> LoraTargets:
    """What LoRA can attach to in a model, by its name or by its folder's full path."""
    services.spare_engine.want()  # A form of a run asks this first.
    model = await asyncio.to_thread(services.models.find, name)
    return await services.inspector.targets(model)


@router.delete("/{name}", responses=refuses(404, 409, 507))
async def delete_model(name: str, services: Wired) -> ModelDeleted:
    """Only one that `own` is true of, and only while no run, job or answer uses it."""
    await asyncio.to_thread(services.own_models.delete, name)
    return ModelDeleted(deleted=name, message=f"The model {name} is deleted.")


def _list_models(services: Services) -> list[ModelInfo]:
    return [_check_model(services, model) for model in services.models.scan()]


def _check_model(services: Services, model: ModelInfo) -> ModelInfo:
    problem = model.problem or services.inspector.known_problem(model)
    own = services.own_models.includes(model)
    return model.model_copy(update={"problem": problem, "own": own})

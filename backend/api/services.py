"""What the routes are given: the objects that the app builds once, in `create_app`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from backend.catalog.datasets import DatasetCatalog
from backend.catalog.downloads import Downloads
from backend.catalog.models import ModelCatalog
from backend.core.hub import Hub
from backend.core.notices import Notices
from backend.evaluation.arena import Arena
from backend.evaluation.notebook import Notebook
from backend.evaluation.service import Evaluator
from backend.evaluation.tiers import Tiers
from backend.inference.adapter_store import AdapterStore
from backend.inference.host import InferenceHost
from backend.runs.dispatch import Dispatcher
from backend.runs.queue import RunQueue
from backend.runs.store import SessionStore
from backend.runs.supervisor import RunSupervisor
from backend.settings import Settings
from backend.training.lora_keys import ModelInspector
from backend.training.managers import TrainingManager
from backend.training.method_files import MethodFiles
from backend.training.resources import Resources
from backend.training.rewards import Rewards


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    settings: Settings
    hub: Hub
    notices: Notices
    store: SessionStore
    supervisor: RunSupervisor
    queue: RunQueue
    dispatcher: Dispatcher
    models: ModelCatalog
    datasets: DatasetCatalog
    downloads: Downloads
    inspector: ModelInspector
    training: TrainingManager
    inference: InferenceHost
    adapters: AdapterStore
    evaluator: Evaluator
    tiers: Tiers
    notebook: Notebook
    arena: Arena
    rewards: Rewards
    method_files: MethodFiles
    resources: Resources


def services_of(request: Request) -> Services:
    return cast(Services, request.app.state.services)


Wired = Annotated[Services, Depends(services_of)]

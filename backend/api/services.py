"""What the routes are given: the objects that the app builds once, in `create_app`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import Depends, Request

from backend.adapters.store import AdapterStore
from backend.comparisons.blind_votes import Arena
from backend.comparisons.chats import ChatStore
from backend.comparisons.history import Notebook
from backend.core.disk.notices import Notices
from backend.core.disk.trash import Trash
from backend.core.hub import Hub
from backend.data.service import DatasetCatalog
from backend.downloads.manager import Downloads
from backend.evaluation.quick_scores import Tiers
from backend.evaluation.service import Evaluator
from backend.export.exported import ExportedModels
from backend.export.service import Export
from backend.fusion.service import Fusion
from backend.inference.host import InferenceHost
from backend.jobs.keep_awake import KeepAwake
from backend.jobs.kinds.conversion import Conversions
from backend.jobs.kinds.machine_benchmark import MachineBenchmarks
from backend.jobs.kinds.upload import Uploads
from backend.jobs.lifecycle.engine_jobs import EngineJobs
from backend.jobs.lifecycle.spare_engine import SpareEngine
from backend.jobs.queue import RunQueue
from backend.jobs.queue_dispatcher import Dispatcher
from backend.jobs.run.store import SessionStore
from backend.jobs.supervisor import RunSupervisor
from backend.models.catalog import ModelCatalog
from backend.models.conversion import ConversionPlanner
from backend.models.own_models import OwnModels
from backend.notifications.notifier import Notifier
from backend.preferences.service import Preferences
from backend.settings import Settings
from backend.training.lora.inspector import ModelInspector
from backend.training.manager import TrainingManager
from backend.training.plan.resources import Resources
from backend.training.rewards.service import Rewards
from backend.training.run_data.method_files import MethodFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    settings: Settings
    hub: Hub
    notices: Notices
    preferences: Preferences
    keep_awake: KeepAwake
    notifier: Notifier
    spare_engine: SpareEngine
    trash: Trash
    store: SessionStore
    supervisor: RunSupervisor
    queue: RunQueue
    dispatcher: Dispatcher
    models: ModelCatalog
    own_models: OwnModels
    conversion_planner: ConversionPlanner
    conversions: Conversions
    datasets: DatasetCatalog
    downloads: Downloads
    dataset_downloads: Downloads
    inspector: ModelInspector
    training: TrainingManager
    inference: InferenceHost
    adapters: AdapterStore
    evaluator: Evaluator
    fusion: Fusion
    export: Export
    exported: ExportedModels
    uploads: Uploads
    benchmarks: MachineBenchmarks
    jobs: tuple[EngineJobs[Any], ...]  # Of every kind: opened and closed with the app.
    tiers: Tiers
    notebook: Notebook
    chats: ChatStore
    arena: Arena
    rewards: Rewards
    method_files: MethodFiles
    resources: Resources


def services_of(request: Request) -> Services:
    return cast(Services, request.app.state.services)


Wired = Annotated[Services, Depends(services_of)]

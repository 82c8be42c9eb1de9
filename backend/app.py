"""The app: what is built once, in which order, and what it answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI

from backend import __version__
from backend.adapters.store import AdapterStore, used_by
from backend.api import examples, health, metrics, notices, stream, trash
from backend.api import settings as settings_routes
from backend.api.aliases import short_routes
from backend.api.errors import render_errors, words_of_the_door
from backend.api.evaluation import comparisons, evaluation
from backend.api.fusion import export, exports, fusion
from backend.api.inference import compare, inference, openai
from backend.api.library import (
    adapters,
    conversions,
    datasets,
    downloads,
    hub_datasets,
    method_data,
    models,
)
from backend.api.runs import enhanced, queue, rewards, sessions, training
from backend.api.schema import describe, operation_id
from backend.api.services import Services
from backend.api.ui import serve_ui
from backend.comparisons.blind_votes import Arena
from backend.comparisons.chats import ChatStore
from backend.comparisons.history import Notebook
from backend.core.disk.disk_errors import warn_of_full_disk
from backend.core.disk.notice_watch import watch_notices
from backend.core.disk.notices import Notices
from backend.core.disk.strays import sweep_strays
from backend.core.disk.trash import Trash
from backend.core.guard import Guard
from backend.core.hub import Hub
from backend.core.machine.blas import find_blas
from backend.core.tasks import Tasks
from backend.data.service import DatasetCatalog
from backend.downloads.dataset_kind import DatasetKind
from backend.downloads.hub_environment import hub_endpoint
from backend.downloads.manager import Downloads
from backend.downloads.model_kind import ModelKind
from backend.evaluation.jobs import Evaluations
from backend.evaluation.quick_scores import Tiers
from backend.evaluation.service import Evaluator
from backend.export.exported import ExportedModels
from backend.export.jobs import EXPORT, Exports, exported_models, exports_adapter
from backend.export.service import Export
from backend.fusion.jobs import FUSION, Fusions, fused_models, uses_adapter
from backend.fusion.service import Fusion
from backend.inference.host import InferenceHost
from backend.jobs.keep_awake import KeepAwake, keeper
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
from backend.preferences.schemas import KeepingAwake
from backend.preferences.service import Preferences
from backend.settings import Settings
from backend.training.auto_continue import AutoContinue
from backend.training.lora.inspector import ModelInspector
from backend.training.manager import TrainingManager
from backend.training.plan.context import PlanContext
from backend.training.plan.resources import Resources
from backend.training.quantize.cache import tend_copies
from backend.training.request.model_defaults import known_defaults
from backend.training.rewards.service import Rewards
from backend.training.run_data.method_files import MethodFiles

ROUTERS = (
    health.router,
    metrics.router,
    examples.router,
    notices.router,
    settings_routes.router,
    trash.router,
    adapters.router,
    inference.router,
    compare.router,
    openai.router,
    evaluation.router,
    evaluation.tiers_router,
    fusion.router,
    export.router,
    exports.router,
    comparisons.router,
    conversions.router,  # Before the names of models.
    models.router,
    downloads.router,
    hub_datasets.router,
    datasets.router,
    training.router,
    enhanced.router,
    rewards.router,
    method_data.router,
    queue.router,
    sessions.router,
    stream.router,
)
_logger = logging.getLogger(__name__)


def create_app(settings: Settings) -> FastAPI:
    """The service for one data root. Nothing is read or written before it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = build_services(settings)
        background = Tasks()
        await asyncio.to_thread(warn_of_full_disk, settings.data_dir)
        await services.supervisor.open()
        await services.downloads.open()
        await services.dataset_downloads.open()
        for jobs in services.jobs:
            await jobs.open()
        await services.queue.open()
        for record in services.supervisor.killed:
            await services.supervisor.go_on(record)
        services.keep_awake.open()
        services.notifier.open()
        await services.dispatcher.open()
        background.start(
            asyncio.to_thread(sweep_strays, settings), name="remove what was never finished"
        )
        # The first run should not wait for this, and neither should the first request.
        background.start(_warm_up(settings), name="find a BLAS")
        background.start(
            tend_copies(settings.data_dir, services.queue), name="remove old quantised copies"
        )
        background.start(
            watch_notices(settings.data_dir, services.hub.publish), name="watch notices and disk"
        )
        app.state.services = services
        try:
            yield
        finally:
            await background.close()
            await services.spare_engine.close()
            await services.keep_awake.close()
            await services.notifier.close()
            await services.downloads.close()
            await services.dataset_downloads.close()
            for jobs in services.jobs:
                await jobs.close()
            await services.inference.close()
            await services.datasets.close()
            await services.dispatcher.close()
            await services.supervisor.close()
            await asyncio.to_thread(services.store.close)

    app = FastAPI(
        title="Droid FineTuning",
        version=__version__,
        lifespan=lifespan,
        generate_unique_id_function=operation_id,
        docs_url=None,  # These two load scripts from the internet.
        redoc_url=None,
    )
    for router in ROUTERS:
        app.include_router(router)
        if not router.prefix.startswith("/api"):
            app.include_router(router, prefix="/api", include_in_schema=False)
    app.router.routes.extend(short_routes(ROUTERS))
    describe(app)
    render_errors(app, ROUTERS)
    serve_ui(app, settings.ui_dir)
    app.add_middleware(Guard, settings=settings, words=words_of_the_door(ROUTERS))
    return app


def build_services(settings: Settings) -> Services:
    """Everything that the routes use, wired together; no file is touched yet."""
    hub = Hub()
    index = settings.data_dir / ".cache" / "sessions.json"
    store = SessionStore(settings.sessions_dir, settings.adapters_dir, index=index)
    file_notices = Notices(settings.data_dir)
    trash = Trash(settings.data_dir)
    waiting = RunQueue(settings.sessions_dir, hub, notices=file_notices)
    supervisor = RunSupervisor(settings, store, hub, queue=waiting)
    models = ModelCatalog(settings, clean_defaults=known_defaults)
    inspector = ModelInspector(settings)
    slot = supervisor.slot  # Who has the memory: one base at a time, unless a question shares it.
    host = InferenceHost(
        settings,
        models,
        active_run=lambda: slot.run,
        holder=lambda: slot.holder,
    )
    supervisor.make_room = host.make_room
    evaluations = Evaluations(settings, hub, slot=slot, make_room=host.unload)
    benchmarks = MachineBenchmarks(settings, hub, slot=slot, make_room=host.unload)
    fusions: Fusions = EngineJobs(
        FUSION, settings, hub, slot=slot, make_room=host.unload, results=settings.adapters_dir
    )
    exports: Exports = EngineJobs(
        EXPORT, settings, hub, slot=slot, make_room=host.unload, results=settings.exports_dir
    )
    converter = ConversionPlanner(settings, models)
    conversions = Conversions(
        settings, hub, slot=slot, make_room=host.unload, models_folder=converter.folder
    )
    evaluator = Evaluator(settings, models, host.adapters, evaluations)
    export = Export(settings, host.adapters, evaluator, exports)
    uploads = Uploads(settings, hub)
    reward_functions = Rewards(settings)
    planning = PlanContext(settings, models, inspector, store, hub=hub)
    training = TrainingManager(planning, supervisor, queue=waiting, rewards=reward_functions)
    supervisor.go_on = AutoContinue(waiting, store)
    jobs = (evaluations, fusions, exports, conversions, benchmarks, uploads)
    awake = KeepAwake(
        settings, slot.news, lambda: filter(None, (slot.child, *(job.child for job in jobs)))
    )
    return Services(
        settings=settings,
        hub=hub,
        notices=file_notices,
        preferences=Preferences(
            settings, models, lambda: KeepingAwake(by=keeper(), active=awake.active)
        ),
        keep_awake=awake,
        notifier=Notifier(settings, hub, store.record),
        spare_engine=SpareEngine(settings, lambda: not slot.free),
        trash=trash,
        store=store,
        supervisor=supervisor,
        queue=waiting,
        dispatcher=Dispatcher(waiting, supervisor, store, training.plan_waiting),
        models=models,
        own_models=OwnModels(
            settings,
            models,
            users=(
                ("a run trains on it; stop it, or wait.", training.active_models),
                ("a run in the queue needs it; remove that run first.", training.waiting_models),
                ("it is in memory; POST /models/unload frees it.", host.bases),
                ("an evaluation asks it; stop it, or wait.", evaluations.models),
                ("it is being converted; stop that, or wait.", conversions.models),
                ("a fusion works on it; stop it, or wait.", partial(fused_models, fusions)),
                ("an export reads it; stop it, or wait.", partial(exported_models, exports)),
            ),
        ),
        conversion_planner=converter,
        conversions=conversions,
        datasets=DatasetCatalog(settings, hub),
        downloads=Downloads(settings, hub, ModelKind(settings)),
        dataset_downloads=Downloads(settings, hub, DatasetKind(settings)),
        inspector=inspector,
        training=training,
        inference=host,
        adapters=AdapterStore(
            settings,
            host.adapters,
            store,
            models,
            active_run=lambda: supervisor.active_session,
            users=used_by(
                {
                    "the model in memory carries it; POST /models/unload frees it.": host.carries,
                    "an evaluation asks it; stop it, or wait.": evaluations.asks,
                    "a fusion uses it; stop it, or wait.": partial(uses_adapter, fusions),
                    "an export reads it; stop it, or wait.": partial(exports_adapter, exports),
                }
            ),
        ),
        evaluator=evaluator,
        fusion=Fusion(settings, host.adapters, evaluator, fusions),
        export=export,
        exported=ExportedModels(settings, export, uploads, hub_endpoint(settings)),
        uploads=uploads,
        benchmarks=benchmarks,
        jobs=jobs,
        tiers=Tiers(settings, evaluator),
        notebook=Notebook(settings.data_dir, trash),
        chats=ChatStore(settings.data_dir, trash),
        arena=Arena(settings.data_dir),
        rewards=reward_functions,
        method_files=MethodFiles(settings),
        resources=Resources(planning),
    )


async def _warm_up(settings: Settings) -> None:
    blas = await asyncio.to_thread(find_blas, settings)
    _logger.info("Engines use %s (%s).", blas.name, blas.source)

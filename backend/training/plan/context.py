"""What planning any kind of run needs: the machine, past sessions, paths, and room on the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from pathlib import Path

from backend.contract.jobs.machine_benchmark import MachineBenchmark
from backend.core.disk.disk_errors import require_room
from backend.core.disk.files import child_path
from backend.core.hub import Hub
from backend.core.machine.system import describe_system, working_set
from backend.errors import AlreadyExists, FieldProblem
from backend.jobs.kinds.machine_benchmark import benchmark_folders, newest_benchmark
from backend.jobs.run.recipe import StartFix, StartWarning
from backend.jobs.run.store import SessionStore
from backend.models.catalog import ModelCatalog
from backend.settings import Settings
from backend.training.lora.inspector import ModelInspector
from backend.training.plan.planner import Plan, Planner
from backend.training.plan.run_config import RunPaths
from backend.training.quantize.base import (
    QuantizedBase,
    quantize_remarks,
    quantized_base,
    unpacked_layers,
)
from backend.training.run_data.token_counts import TokenCounter

WorkingSet = Callable[[], int | None]


class PlanContext:
    """What every plan is made with. `working_set` answers how many bytes a run may use; by default
    what the machine says.
    """

    def __init__(
        self,
        settings: Settings,
        models: ModelCatalog,
        inspector: ModelInspector,
        sessions: SessionStore,
        working_set: WorkingSet | None = None,
        hub: Hub | None = None,
    ) -> None:
        self.settings = settings
        self.inspector = inspector
        self.planner = Planner(models, inspector, TokenCounter(settings, hub))
        self.sessions = sessions
        self.working_set = working_set or _cache_answer(lambda: _recommended_size(settings))
        self._on_cpu = cache(lambda: describe_system(settings).device == "CPU")

    async def available(self) -> int | None:
        return await asyncio.to_thread(self.working_set)

    def benchmark(self) -> MachineBenchmark | None:
        """What was measured of this machine, if it was. Blocking."""
        return newest_benchmark(benchmark_folders(self.settings.data_dir))

    def quantized(self, plan: Plan) -> QuantizedBase | None:
        return quantized_base(
            plan.request,
            plan.model,
            plan.targets,
            fingerprint=plan.fingerprint,
            data_dir=self.settings.data_dir,
        )

    async def quantize_remarks(self, plan: Plan) -> list[StartWarning]:
        base = self.quantized(plan)
        if base is None:
            return []
        unpacked = unpacked_layers(plan.model, plan.targets)
        remarks = quantize_remarks(base, on_cpu=await asyncio.to_thread(self._on_cpu))
        if unpacked:
            remarks.append(StartWarning(unpacked, code="unpacked_layers", level="info"))
        return remarks

    def paths(self, plan: Plan, session_id: str) -> RunPaths:
        model, quantized = Path(plan.model.path), self.quantized(plan)
        return RunPaths(
            model=quantized.path if quantized else model,
            quantize_from=model if quantized else None,
            run=self.settings.sessions_dir / session_id,
            adapter=child_path(self.settings.adapters_dir, plan.request.adapter_name),
        )

    def check_room(self, plan: Plan, paths: RunPaths, *, replaces: bool) -> None:
        """Before anything is written: the name is free and the disk holds what will be saved."""
        if paths.adapter.exists() and not replaces:
            text = f"There is already an adapter {plan.request.adapter_name!r}."
            raise AlreadyExists(
                text,
                hint="Choose another name, or turn on Overwrite.",
                errors=[FieldProblem("adapter_name", text)],
            )
        need = plan.checkpoint_bytes * (plan.checkpoints + 3)  # Latest, best, one being written.
        quantized = self.quantized(plan)
        need += quantized.missing_bytes if quantized else 0
        require_room(
            self.settings.data_dir,
            need,
            what=f"The checkpoints {'and the quantised base ' if quantized else ''}need",
            hint="Save less often, keep fewer checkpoints, or use a smaller rank.",
            field="save_every",
        )


def taken_name(name: str, free: str) -> StartWarning:
    """What a preview says of a name that a start would refuse; `free` is one that it would not."""
    return StartWarning(
        f"There is already an adapter {name!r}: choose another name, or turn on Overwrite.",
        code="name_taken",
        level="error",
        fix=StartFix(f"Name it {free}", "adapter_name", free),
    )


def _cache_answer(ask: WorkingSet) -> WorkingSet:
    """Asks until there is an answer, and then no more."""
    sizes: list[int] = []

    def working_set() -> int | None:
        if not sizes and (result := ask()) is not None:
            sizes.append(result)
        return sizes[0] if sizes else None

    return working_set


def _recommended_size(settings: Settings) -> int | None:
    return working_set(settings)

"""skeleton"""

from __future__ import annotations

from backend.catalog.models import ModelCatalog
from backend.runs.supervisor import RunSupervisor
from backend.settings import Settings
from backend.training.config import StandardStart
from backend.training.lora_keys import ModelInspector
from backend.training.schemas import Preview, StartAnswer, StopAnswer


class TrainingManager:
    def __init__(
        self,
        *,
        settings: Settings,
        models: ModelCatalog,
        inspector: ModelInspector,
        supervisor: RunSupervisor,
    ) -> None: ...

    async def start(self, request: StandardStart, *, idempotency_key: str | None) -> StartAnswer:
        raise NotImplementedError

    async def preview(self, request: StandardStart) -> Preview:
        raise NotImplementedError

    async def stop(self, *, save: bool) -> StopAnswer:
        raise NotImplementedError

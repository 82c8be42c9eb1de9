"""skeleton"""

from __future__ import annotations

from backend.training.config import StandardStart
from backend.training.schemas import Preview, StartAnswer, StopAnswer


class TrainingManager:
    async def start(self, request: StandardStart, *, idempotency_key: str | None) -> StartAnswer:
        raise NotImplementedError

    async def preview(self, request: StandardStart) -> Preview:
        raise NotImplementedError

    async def stop(self, *, save: bool) -> StopAnswer:
        raise NotImplementedError

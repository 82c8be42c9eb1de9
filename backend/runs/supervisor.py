"""skeleton"""

from __future__ import annotations

from backend.runs.recipe import Recipe
from backend.runs.schemas import TrainingStateData, TrainingStatus


class RunSupervisor:
    async def start(self, recipe: Recipe) -> None:
        raise NotImplementedError

    def status(self) -> TrainingStatus:
        raise NotImplementedError

    def snapshot(self) -> TrainingStateData:
        raise NotImplementedError

    def logs(self, limit: int) -> list[str]:
        raise NotImplementedError

    async def load(self, session_id: str) -> None:
        raise NotImplementedError

    async def delete(self, session_id: str, *, files: bool) -> None:
        raise NotImplementedError

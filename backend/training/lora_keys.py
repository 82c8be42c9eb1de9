"""skeleton"""

from __future__ import annotations

from backend.catalog.schemas import LoraTargets, ModelInfo


class ModelInspector:
    async def targets(self, model: ModelInfo) -> LoraTargets:
        raise NotImplementedError

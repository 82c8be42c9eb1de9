"""skeleton"""

from __future__ import annotations

from backend.catalog.schemas import ModelInfo


class ModelCatalog:
    def scan(self) -> list[ModelInfo]:
        raise NotImplementedError

    def find(self, name_or_path: str) -> ModelInfo:
        raise NotImplementedError

"""skeleton"""

from __future__ import annotations

from collections.abc import AsyncIterator

from backend.catalog.schemas import DatasetInspection, UploadAnswer


class DatasetCatalog:
    def inspect(self, path: str) -> DatasetInspection:
        raise NotImplementedError

    async def store(self, name: str, body: AsyncIterator[bytes]) -> UploadAnswer:
        raise NotImplementedError

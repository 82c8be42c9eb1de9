"""Which adapter stands under which base: only under the one that it was trained on."""

from __future__ import annotations

from backend.adapters.finder import Adapters
from backend.adapters.folder import AdapterFolder
from backend.inference.schemas import AvailableAdapter, AvailableModel, AvailableModels
from backend.models.catalog import ModelCatalog


def available(models: ModelCatalog, adapters: Adapters) -> AvailableModels:
    """Every model with its adapters, and the adapters of no model that is here. Blocking."""
    folders = adapters.all()
    placed: set[str] = set()
    listed = []
    scanned = models.scan()
    for model in scanned:
        own = [adapter for adapter in folders if adapters.belongs_to(adapter, model)]
        placed |= {adapter.name for adapter in own}
        listed.append(
            AvailableModel(
                name=model.name,
                path=model.path,
                adapters=[_shown(adapter, adapters, base_known=True) for adapter in own],
                problem=model.problem,
            )
        )
    usable = [model for model in scanned if model.problem is None]
    rest = []
    for adapter in folders:
        if adapter.name not in placed:
            entry = _shown(adapter, adapters, base_known=False)
            entry.fits = adapters.fitting(adapter, usable) if entry.problem is None else []
            rest.append(entry)
    return AvailableModels(models=listed, unassigned=rest)


def _shown(adapter: AdapterFolder, adapters: Adapters, *, base_known: bool) -> AvailableAdapter:
    method, session = adapter.lineage.get("method"), adapter.lineage.get("session_id")
    return AvailableAdapter(
        name=adapter.name,
        has_best=adapter.has_best,
        has_latest=adapter.has_latest,
        path=str(adapter.path),
        checkpoints=list(adapter.checkpoints),
        method=method if isinstance(method, str) else None,
        session_id=session if isinstance(session, str) else None,
        problem=adapters.problem_of(adapter),
        base_known=base_known,
        recorded_base=adapter.bases[0] if adapter.bases else None,
    )

"""The steps before a run has a process: its folder, data, configuration and record, or nothing."""

from __future__ import annotations

import platform
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from backend import __version__
from backend.contract.run.folder import CONFIG, LATEST, WARNINGS
from backend.core.disk.disk_errors import disk_refusals
from backend.core.disk.files import write_json, write_yaml
from backend.core.disk.removal import named, remove
from backend.jobs.adapter_reservation import reserve, settle
from backend.jobs.run.recipe import Recipe
from backend.jobs.run.schemas import DataSummary, RunMetrics, SessionRecord
from backend.jobs.run.state import RunState
from backend.jobs.run.store import SessionStore

_LIBRARIES = ("mlx", "mlx-lm")
_OF_ENGINES = {"rl": ("mlx-lm-lora",)}


def prepare(recipe: Recipe, store: SessionStore) -> SessionRecord:
    """Fill the run folder and write the record, in state `starting`. Blocking.

    1. the run folder   2. the data   3. config.yaml and warnings.json   4. the adapter's folder
    5. the record.
    If any of these fails, all that was made is removed, and the error says why. An adapter that is
    overwritten is set aside late, and after config.yaml names it: `leftovers` puts it back.
    """
    folder = store.folder(recipe.session_id)
    with disk_refusals(folder):
        folder.mkdir(mode=0o700, parents=True)
        try:
            data = recipe.stage(folder)
            write_yaml(folder / CONFIG, dict(recipe.config))
            write_json(folder / WARNINGS, _told(recipe))
            reserve(recipe.adapter_path, recipe.session_id, overwrite=recipe.overwrite)
            try:
                record = _record(recipe, data)
                store.save(record)
                store.set_latest(recipe.session_id)
            except BaseException:
                adapter = recipe.adapter_path
                settle(adapter.parent, adapter.name, recipe.session_id, replaced=False)
                raise
        except BaseException:
            with suppress(OSError):  # What is left of it goes at the next start.
                remove(folder, inside=store.sessions_dir, own=named(recipe.session_id))
            raise
    return record


def _record(recipe: Recipe, data: DataSummary) -> SessionRecord:
    now = datetime.now(UTC)
    return SessionRecord(
        session_id=recipe.session_id,
        timestamp=now,
        training_state=RunState.STARTING,
        state=RunState.STARTING,
        method=recipe.method,
        config=dict(recipe.request),
        metrics=RunMetrics(total_steps=recipe.total_steps).model_dump(mode="json"),
        adapter_path=str(recipe.adapter_path / LATEST),
        lora=recipe.lora,
        data=data,
        model=recipe.model,
        resumed_from=recipe.resumed_from,
        command=recipe.command,
        versions=_versions(recipe.engine),
        created_at=now,
        started_at=now,
        notes=recipe.notes,
        tags=list(recipe.tags),
    )


def _told(recipe: Recipe) -> list[dict[str, str]]:
    """What the run says first: events are written by the run alone, so it is handed these."""
    return [
        {
            "code": warning.code,
            "level": "info" if warning.level == "info" else "warning",
            "message": str(warning),
        }
        for warning in recipe.warnings
        if not warning.said_by_run
    ]


def _versions(engine: str) -> dict[str, str]:
    versions = {"droid-finetuning": __version__, "python": platform.python_version()}
    for name in (*_LIBRARIES, *_OF_ENGINES.get(engine, ())):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions

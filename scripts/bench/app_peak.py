"""A run of the app's own process, prepared as a start prepares it, and what it took."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from backend.api.services import Services
from backend.core.machine.blas import engine_environment
from backend.jobs.prepare import prepare
from backend.jobs.run.follower import fold_events
from backend.jobs.run.progress import Progress
from backend.settings import CHECKOUT
from backend.training.request.start_request import StartRequest


async def peak_of(services: Services, request: StartRequest) -> float:
    """Bytes: the allocator's peak over the whole run. RuntimeError when it ends badly."""
    recipes = []

    async def taken(recipe: Any) -> None:
        recipes.append(recipe)

    services.supervisor.start = taken  # type: ignore[method-assign]
    await services.training.start(request, idempotency_key=None)
    recipe = recipes[0]
    run = services.store.folder(prepare(recipe, services.store).session_id)
    done = subprocess.run(  # noqa: ASYNC221 - nothing else is going on
        [sys.executable, "-m", f"backend.engines.{recipe.engine}", str(run)],
        cwd=CHECKOUT,
        env=engine_environment(services.settings) | {"OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    progress = Progress()
    fold_events(run, progress)
    found = [peak for peak in progress.train["peak_memory_gb"] if peak]
    if done.returncode != 0 or not found:
        raise RuntimeError(
            f"{recipe.method} ended badly:\n{done.stdout[-800:]}{done.stderr[-1500:]}"
        )
    return max(found) * 1e9

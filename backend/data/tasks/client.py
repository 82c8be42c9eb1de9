"""Do a task on a data file: at once when it is small, in a child process when it is not."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

import backend.errors as errors
from backend.core.machine.blas import engine_environment
from backend.core.process import run_child
from backend.data.tasks.child import run
from backend.errors import AppError, BadContent, EngineMissing, FieldProblem
from backend.settings import CHECKOUT, Settings

SMALL = 2 * 1024**2
LONGEST = 6 * 3600.0
LOOK_EVERY = 0.25

Report = Callable[[str, float | None], None]
Answer = TypeVar("Answer", bound=BaseModel)
T = TypeVar("T")


async def do_task(
    task: str,
    options: Mapping[str, Any],
    answer: type[Answer],
    *,
    size: int,
    progress: Path | None = None,
    report: Report = lambda _phase, _share: None,
    phase: str = "reading",
) -> Answer:
    """Raises what the task raises. `size` is how much is to be read."""
    plain = {
        name: str(value) if isinstance(value, Path) else value for name, value in options.items()
    }
    asked = {"task": task, "options": plain, "progress": str(progress) if progress else None}
    if size <= SMALL:
        done = await asyncio.to_thread(run, asked)
        return answer.model_validate(done.model_dump())
    child = run_child(
        [sys.executable, "-m", "backend.data.tasks.child"],
        cwd=CHECKOUT,
        env={"PYTHONPATH": str(CHECKOUT), "PYTHONUTF8": "1"},
        deadline=LONGEST,
        stdin_json=asked,
    )
    ended = await watched(child, lambda: report(phase, _read_share(progress)))
    if ended.exit_code != 0 or ended.overflowed:
        last = (ended.stderr.strip().splitlines() or [f"exit code {ended.exit_code}"])[-1]
        raise BadContent(f"The file could not be read: {last[:300]}")
    said = json.loads(ended.stdout)
    if "refused" in said:
        raise _refusal(said["refused"])
    return answer.model_validate(said["answer"])


async def ask_tokens(
    settings: Settings,
    asked: Mapping[str, Any],
    *,
    deadline: float,
    look: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Ask the engine child `backend.engines.tokens`; its `error` is raised as BadContent."""
    env = await asyncio.to_thread(engine_environment, settings)
    child = await watched(
        run_child(
            [str(settings.python), "-m", "backend.engines.tokens"],
            cwd=CHECKOUT,
            env=env,
            deadline=deadline,
            stdin_json=asked,
        ),
        look,
    )
    if child.exit_code != 0:
        last = (child.stderr.strip().splitlines() or [f"exit code {child.exit_code}"])[-1]
        if "ModuleNotFoundError" in last or "ImportError" in last:
            raise EngineMissing(
                f"The tokenizer can't be loaded: {last[:300]}",
                hint="Run ./startmlxnew, which installs missing parts.",
            )
        raise BadContent(f"The rows can't be turned into tokens: {last[:300]}")
    answer: dict[str, Any] = json.loads(child.stdout)
    if "error" in answer:
        raise BadContent(
            f"The tokenizer of {Path(asked['model']).name} can't be used: {answer['error']}"
        )
    return answer


async def watched(work: Awaitable[T], look: Callable[[], None]) -> T:
    """Wait for `work`, calling `look` now and then; cancelling this cancels the work."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=LOOK_EVERY)
            look()
        return task.result()
    finally:
        task.cancel()


def _read_share(path: Path | None) -> float | None:
    if path is not None:
        with suppress(OSError, ValueError):
            return min(1.0, float(path.read_text(encoding="ascii")))
    return None


def _refusal(said: Mapping[str, Any]) -> AppError:
    kind = getattr(errors, str(said["error"]), BadContent)
    problems = [FieldProblem(field, message) for field, message in said["errors"]]
    refusal: AppError = kind(said["detail"], hint=said["hint"], errors=problems)
    return refusal

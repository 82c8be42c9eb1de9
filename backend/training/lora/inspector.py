"""Ask a child for a model's module tree, once per model: the server never imports the engine."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from backend.core.disk.files import write_json
from backend.core.disk.stored_files import DamagedFile, read_bytes, read_model
from backend.core.machine.blas import engine_environment
from backend.core.process import run_child
from backend.errors import AppError, BadContent, EngineMissing, FieldProblem
from backend.models.checks import JSON_CAP
from backend.models.folder import stamp, weight_files
from backend.models.safetensors_headers import BadWeights, read_weights
from backend.models.schemas import LoraTargets, ModelInfo
from backend.settings import CHECKOUT, Settings
from backend.training.lora.groups import build_targets, unknown_targets

DEADLINE = 60.0
RULES = 5  # Raise it when the grouping or the child's answer changes: cached answers are then old.

logger = logging.getLogger(__name__)


class ModelInspector:
    """`targets` of a model, cached by its configuration and weight headers in memory and under the
    data root.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cache = settings.data_dir / ".cache" / "lora"
        self._held: dict[str, LoraTargets] = {}
        self._refused: dict[str, tuple[object, str]] = {}
        self._asking: dict[str, asyncio.Task[LoraTargets]] = {}

    async def targets(self, model: ModelInfo) -> LoraTargets:
        """Raises BadContent when the folder can't be used; an unreadable tree is answered with
        the seven usual names and a note.
        """
        if model.problem is not None:
            raise BadContent(f"{model.name} can't be used. {model.problem}")
        key = await asyncio.to_thread(_cache_key, model)
        if key in self._held:
            return self._usable(self._held[key], model)
        # Two pages that ask at once share one child.
        task = self._asking.get(key)
        if task is None:
            task = asyncio.create_task(self._find(key, model), name=f"inspect {model.name}")
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        return self._usable(await asyncio.shield(task), model)

    def known_problem(self, model: ModelInfo) -> str | None:
        """Why it can't be used, where that was found out before; asks no child."""
        problem = self._refused.get(model.path)
        return problem[1] if problem is not None and problem[0] == stamp(Path(model.path)) else None

    def _usable(self, targets: LoraTargets, model: ModelInfo) -> LoraTargets:
        reason, hint = targets.positions_problem, None
        if targets.weights_problem is not None:
            reason = (
                "Its weights are not those of the architecture in config.json: "
                f"{targets.weights_problem.rstrip('.')}."
            )
            hint = "Download the model again, or take files of another model out of its folder."
        if reason is None:
            return targets
        self._refused[model.path] = stamp(Path(model.path)), reason
        text = f"{model.name} can't be used. {reason}"
        raise BadContent(text, hint=hint, errors=[FieldProblem("model_path", text)])

    async def _find(self, key: str, model: ModelInfo) -> LoraTargets:
        path = self._cache / f"{key}.json"
        tree = await asyncio.to_thread(_read, path)
        if tree is None:
            tree = await self._ask(model)
            if tree.keys:  # A failure may be gone after an update: only answers are kept.
                await asyncio.to_thread(_write, path, tree)
        self._held[key] = tree
        return tree

    async def _ask(self, model: ModelInfo) -> LoraTargets:
        child = await run_child(
            [str(self._settings.python), "-m", "backend.engines.modules"],
            cwd=CHECKOUT,
            env=await asyncio.to_thread(engine_environment, self._settings),
            deadline=DEADLINE,
            stdin_json={"model": model.path},
        )
        if child.exit_code != 0:
            last = (child.stderr.strip().splitlines() or ["no message"])[-1]
            if "ModuleNotFoundError" in last or "ImportError" in last:
                raise EngineMissing(
                    f"The training engine can't be loaded: {last}",
                    hint="Run ./startmlxnew, which installs missing parts.",
                )
            return _unknown(model, last)
        answer: dict[str, Any] = json.loads(child.stdout)
        if "error" in answer:
            logger.warning("The tree of %s can't be built: %s", model.name, answer["error"])
            return _unknown(model, answer["error"])
        return build_targets(answer, total_parameters=model.parameters)


def _unknown(model: ModelInfo, reason: str) -> LoraTargets:
    return unknown_targets(
        model.model_type or "unknown", model.num_layers or 0, model.parameters, reason
    )


def _cache_key(model: ModelInfo) -> str:
    try:
        engine = version("mlx-lm")
    except PackageNotFoundError:
        engine = "unknown"
    try:
        config = read_bytes(Path(model.path) / "config.json", most=JSON_CAP)
    except (OSError, DamagedFile) as problem:
        raise BadContent(f"The config.json of {model.name} can't be read: {problem}.") from problem
    try:
        weights = read_weights(weight_files(Path(model.path))).fingerprint
    except (BadWeights, OSError):  # Changed since it was listed: whoever loads it says so.
        weights = ""
    head = f"{RULES}/{engine}/{weights}/".encode()
    return hashlib.sha256(head + config).hexdigest()[:32]


def _read(path: Path) -> LoraTargets | None:
    try:
        return read_model(path, LoraTargets)
    except (OSError, DamagedFile):
        return None


def _write(path: Path, targets: LoraTargets) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, targets.model_dump(mode="json", by_alias=True))
    except (OSError, AppError) as problem:  # Only a cache: next time it is asked again.
        logger.warning("The module tree could not be cached in %s: %s", path, problem)

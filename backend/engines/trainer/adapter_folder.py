"""The adapter folder as one run writes it: latest, best and numbered weights, each atomically."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx import nn
from mlx.utils import tree_flatten

from backend.contract.run.config import RunConfig
from backend.contract.run.events import Checkpoint
from backend.contract.run.folder import (
    ADAPTER_CONFIG,
    BEST,
    LATEST,
    LINEAGE,
    NUMBERED,
    OF_A_RUN,
    checkpoint_file,
    checkpoint_of,
)
from backend.core.disk.files import sync_folder, write_json
from backend.core.disk.removal import discard, named, remove
from backend.engines.process.events import Emitter

SAVED = "saved"  # In the metadata of every file: an id, by which a later change is noticed.
_OURS = re.compile(rf"{OF_A_RUN}|\..+\.tmp")
_PACKAGES = ("mlx", "mlx-lm", "mlx-lm-lora", "transformers")


class NotFinite(Exception):
    """The weights hold NaN or infinity and must not replace good ones."""


class AdapterOutput:
    """Saves the trainable weights of `model`. `keep` numbered checkpoints stay; 0 keeps all."""

    def __init__(self, path: Path, model: nn.Module, *, keep: int, emit: Emitter) -> None:
        self.path = path
        self._model = model
        self._keep = keep
        self._emit = emit

    def begin(self, engine_config: Mapping[str, Any], lineage: Mapping[str, Any]) -> None:
        """Empty the folder of an earlier run's files and describe this one.

        Stale checkpoints of a longer run would otherwise pass for this run's newest.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        for old in self.path.iterdir():
            if _OURS.fullmatch(old.name) and not old.is_dir():
                remove(old, inside=self.path, own=named(_OURS), link=True)
        write_json(self.path / ADAPTER_CONFIG, dict(sorted(engine_config.items())))
        write_json(self.path / LINEAGE, lineage)

    def take_up(self, weights: Path, best: Path | None, checkpoints: Mapping[int, Path]) -> None:
        """Begin with the weights that a continued run has already made."""
        for step, source in checkpoints.items():
            self._copy(source, checkpoint_file(step))
        if best is not None:
            self._copy(best, BEST)
        self._copy(weights, LATEST)

    @property
    def best_path(self) -> Path:
        return self.path / BEST

    def kept_steps(self) -> set[int]:
        """The numbers of the checkpoints that are there."""
        steps = (checkpoint_of(path.name) for path in self.path.iterdir())
        return {step for step in steps if step is not None}

    def save_latest(self, step: int) -> Path:
        return self._save(LATEST, step)

    def save_best(self, step: int) -> Path:
        return self._save(BEST, step)

    def save_checkpoint(self, step: int) -> Path:
        """A numbered file and the same weights as the latest; old numbered ones are pruned."""
        saved = self._save(checkpoint_file(step), step)
        self._copy(saved, LATEST)
        self._emit(Checkpoint(step=step, path=str(saved)))
        self._prune()
        return saved

    def _prune(self) -> None:
        if self._keep <= 0:
            return
        saved = sorted(path for path in self.path.iterdir() if NUMBERED.fullmatch(path.name))
        for old in saved[: -self._keep]:
            remove(old, inside=self.path, own=named(NUMBERED), link=True)

    def _save(self, name: str, step: int) -> Path:
        weights = dict(tree_flatten(self._model.trainable_parameters()))
        return write_weights(self.path / name, weights, step)

    def _copy(self, source: Path, name: str) -> None:
        # A copy, not a hard link: plain mlx_lm would write into the shared file in place.
        temporary = _temporary(self.path / name)
        shutil.copyfile(source, temporary)
        _publish(temporary, self.path / name)


def write_weights(
    target: Path, weights: dict[str, mx.array], step: int, *, check: bool = True
) -> Path:
    """Write tensors whole or not at all. Raises NotFinite unless `check` is off."""
    if check and not all_finite(weights):
        raise NotFinite(f"The weights after step {step} are not finite.")
    temporary = _temporary(target)
    facts = {"format": "mlx", "step": str(step), SAVED: secrets.token_hex(8)}
    try:
        with temporary.open("wb") as file:
            mx.save_safetensors(file, weights, facts)
        return _publish(temporary, target)
    except BaseException:
        discard(temporary)
        raise


def all_finite(weights: dict[str, mx.array]) -> bool:
    return bool(mx.all(mx.stack([mx.all(mx.isfinite(value)) for value in weights.values()])).item())


def lineage_of(config: RunConfig, data: dict[str, Any] | None) -> dict[str, Any]:
    """What `droid.json` says: where this adapter comes from."""
    return {
        "schema_version": 1,
        "session_id": config.session_id,
        "method": config.method,
        "base_model": {
            # The model as it was chosen; what was trained on is a copy of it, if quantised.
            "path": config.quantize_from or config.model,
            "fingerprint": config.model_fingerprint,
            "quantize_base": config.quantize_base,
        },
        "data": data,
        "seed": config.seed,
        "created": datetime.now(UTC).isoformat(),
        "versions": {name: _version(name) for name in _PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _temporary(target: Path) -> Path:
    return target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")


def _publish(temporary: Path, target: Path) -> Path:
    handle = os.open(temporary, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    temporary.replace(target)
    sync_folder(target.parent)
    return target

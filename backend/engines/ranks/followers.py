"""What every rank but the first has instead of events and an adapter folder: the same decisions,
without anything written.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlx.utils import tree_flatten

from backend.contract.run.events import RunEvent
from backend.engines.process.events import Emitter
from backend.engines.trainer.adapter_folder import AdapterOutput, NotFinite, all_finite


class SilentEmitter(Emitter):
    """Events that nobody hears."""

    def __init__(self) -> None: ...

    def __call__(self, event: RunEvent) -> None: ...


class UnwrittenAdapter(AdapterOutput):
    """Looks at the weights as a save does, and keeps none."""

    def begin(self, engine_config: Mapping[str, Any], lineage: Mapping[str, Any]) -> None: ...

    def take_up(
        self, weights: Path, best: Path | None, checkpoints: Mapping[int, Path]
    ) -> None: ...

    def kept_steps(self) -> set[int]:
        return set()

    def save_latest(self, step: int) -> Path:
        return self._check_path(step)

    def save_best(self, step: int) -> Path:
        return self._check_path(step)

    def save_checkpoint(self, step: int) -> Path:
        return self._check_path(step)

    def _check_path(self, step: int) -> Path:
        if not all_finite(dict(tree_flatten(self._model.trainable_parameters()))):
            raise NotFinite(f"The weights after step {step} are not finite.")
        return self.path

"""Find an adapter, and refuse it in a sentence before a model is loaded for it.

Checked here, from headers alone: the recorded base, the layers, the names and the shapes. The
worker checks again against the loaded model, which also knows modules whose names differ on disk.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from backend.adapters import compatibility
from backend.adapters.folder import (
    AdapterFolder,
    Checkpoint,
    is_folder_name,
    looks_like_adapter,
    preferred,
    read_folder,
    weights_of,
)
from backend.adapters.peft import NotConvertible, peft_layout
from backend.errors import AppError, BadContent, NotFound
from backend.models.catalog import ModelCatalog
from backend.models.folder import stamp
from backend.models.safetensors_headers import BadWeights, Tensor, read_weights
from backend.models.schemas import ModelInfo
from backend.settings import Settings

_BASES = 8  # Models whose tensors are kept, so that listing what fits reads each header once.
AdapterType = Literal["none", "best", "latest", "checkpoint"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyAdapter:
    """An adapter that was checked against its base. `spec` is what the worker is told of it."""

    name: str
    path: Path
    checkpoint: Checkpoint
    fine_tune_type: str
    scale: float
    warnings: tuple[str, ...]
    spec: Mapping[str, Any]

    @property
    def type(self) -> AdapterType:
        return "checkpoint" if isinstance(self.checkpoint, int) else self.checkpoint


class Adapters:
    """The adapters of `settings.adapters_dir`, or of any folder given by its path. Blocking."""

    def __init__(self, settings: Settings, models: ModelCatalog) -> None:
        self._folder = settings.adapters_dir
        self._root = settings.data_dir
        self._models = models
        self._bases: dict[str, tuple[object, Mapping[str, Tensor]]] = {}
        self._problems: dict[Path, tuple[object, str | None]] = {}

    def all(self) -> list[AdapterFolder]:
        """Every adapter in the adapters folder, by name."""
        try:
            folders = [path for path in self._folder.iterdir() if path.is_dir()]
        except OSError:
            return []
        return [
            read_folder(path.name, path)
            for path in sorted(folders, key=lambda path: path.name.lower())
            if is_folder_name(path.name) and looks_like_adapter(path)
        ]

    def belongs_to(self, adapter: AdapterFolder, model: ModelInfo) -> bool:
        """Whether the adapter says that it was trained on this model."""
        return compatibility.base_match(
            adapter, model, self._fingerprint(model), self._models
        ).known

    def problem_of(self, adapter: AdapterFolder) -> str | None:
        """Why it can't be used: its folder, or the weights that would be taken."""
        if adapter.problem is not None:
            return adapter.problem
        file = weights_of(adapter, preferred(adapter))
        try:
            stat = file.stat()
        except OSError as problem:
            return f"{file.name} can't be read: {problem.strerror}."
        mark = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        entry = self._problems.get(file)
        if entry is None or entry[0] != mark:
            entry = self._problems[file] = (mark, _problem_in(adapter, file))
        return entry[1]

    def fitting(self, adapter: AdapterFolder, models: Sequence[ModelInfo]) -> list[str]:
        """The names of the models that its shapes fit, whatever base it names."""
        names = []
        for model in models:
            try:
                self.ready(str(adapter.path), model, allow_other_base=True)
            except AppError:
                continue
            names.append(model.name)
        return names

    def find(self, name_or_path: str) -> AdapterFolder:
        """The adapter of that name or in that folder. Raises NotFound naming the nearest."""
        if is_folder_name(name_or_path):
            folder = self._folder / name_or_path
            if folder.is_dir() and looks_like_adapter(folder):
                return read_folder(name_or_path, folder)
        elif "/" in name_or_path:
            folder = self._root / Path(name_or_path).expanduser()
            if folder.is_dir() and looks_like_adapter(folder):
                return read_folder(folder.name, folder)
        names = [adapter.name for adapter in self.all()]
        near = difflib.get_close_matches(name_or_path, names, n=3, cutoff=0.4)
        raise NotFound(
            f"There is no adapter {name_or_path[:200]!r}.",
            hint=f"Did you mean {' or '.join(near)}?"
            if near
            else "GET /models/available lists the adapters of each model.",
        )

    def ready(
        self,
        name_or_path: str,
        model: ModelInfo,
        checkpoint: Checkpoint | None = None,
        *,
        allow_other_base: bool = False,
    ) -> ReadyAdapter:
        """The adapter, checked against the model; without a checkpoint the best, else the latest.
        With `allow_other_base`, another recorded base is a warning as long as all shapes fit.

        Raises NotFound for an unknown adapter or checkpoint, BadContent for one that is damaged or
        was made for another model.
        """
        adapter = self.find(name_or_path)
        if adapter.problem is not None:
            raise BadContent(
                f"The adapter {adapter.name} can't be used. {adapter.problem}",
                hint="Choose another adapter, or train it again.",
            )
        checkpoint_choice = _choose(adapter, checkpoint)
        file = weights_of(adapter, checkpoint_choice)
        match = compatibility.base_match(adapter, model, self._fingerprint(model), self._models)
        if match.problem is not None and not allow_other_base:
            raise BadContent(
                match.problem,
                hint="Choose the base model that it was trained on. Is this one the same model in "
                "another form, as a quantised one? Ask with allow_other_base.",
            )
        try:
            read = read_weights([file])
            layout = peft_layout(adapter.config, read.tensors) if adapter.is_peft else None
        except (BadWeights, NotConvertible) as refusal:
            raise BadContent(
                f"The adapter {adapter.name} can't be used. {refusal}",
                hint="Choose another checkpoint of it, or train it again.",
            ) from refusal
        tensors = layout.tensors if layout else read.tensors
        kind = "lora" if any(".lora_a" in name for name in tensors) else "full"
        base = self._tensors_of(model)
        problem, remarks = compatibility.fits(
            adapter, tensors, base, model, kind=kind, converted=layout is not None
        )
        if problem is not None:
            raise BadContent(problem, hint="Choose the base model that it was trained on.")
        other = [f"{match.problem} Its shapes fit, so it is used."]
        warnings = [
            *(other if match.problem else match.warnings),
            *(layout.warnings if layout else ()),
            *remarks,
        ]
        if kind == "full":
            warnings.append(
                "It is a full fine-tune: it replaces weights of the base, which is loaded again "
                "before another adapter or the base answers."
            )
        scale = layout.scale if layout else _scale(adapter, kind)
        stat = file.stat()
        return ReadyAdapter(
            name=adapter.name,
            path=adapter.path,
            checkpoint=checkpoint_choice,
            fine_tune_type=_type(adapter, tensors, kind),
            scale=scale,
            warnings=tuple(warnings),
            spec={
                # Another key as soon as the file is another.
                "key": f"{file}:{stat.st_ino}:{stat.st_mtime_ns}:{stat.st_size}:{scale}",
                "name": adapter.name,
                "file": str(file),
                "kind": kind,
                "scale": scale,
                "scales": dict(layout.scales) if layout else {},
                "names": {old: list(new) for old, new in layout.names.items()} if layout else None,
            },
        )

    def _fingerprint(self, model: ModelInfo) -> str | None:
        try:
            return self._models.fingerprint(model.path)
        except NotFound:
            return None

    def _tensors_of(self, model: ModelInfo) -> Mapping[str, Tensor]:
        folder = Path(model.path)
        now = stamp(folder)
        entry = self._bases.get(model.path)
        if entry is not None and entry[0] == now:
            return entry[1]
        try:
            tensors = read_weights(sorted(folder.glob("model*.safetensors"))).tensors
        except BadWeights as problem:
            raise BadContent(f"The model {model.name} can't be used: {problem}") from problem
        if len(self._bases) >= _BASES:
            del self._bases[next(iter(self._bases))]
        self._bases[model.path] = (now, tensors)
        return tensors


def _choose(adapter: AdapterFolder, checkpoint: Checkpoint | None) -> Checkpoint:
    if checkpoint is None:
        return preferred(adapter)
    there: list[Checkpoint] = list(adapter.checkpoints)
    if adapter.has_latest:
        there.insert(0, "latest")
    if adapter.has_best:
        there.insert(0, "best")
    if checkpoint in there:
        return checkpoint
    names = ", ".join(str(item) for item in there[:12])
    raise NotFound(
        f"The adapter {adapter.name} has no checkpoint {checkpoint!r}.",
        hint=f"It has: {names}{', …' if len(there) > 12 else ''}.",
    )


def _problem_in(adapter: AdapterFolder, file: Path) -> str | None:
    try:
        read = read_weights([file])
        if adapter.is_peft:
            peft_layout(adapter.config, read.tensors)
    except (BadWeights, NotConvertible) as problem:
        return str(problem)
    return None


def _scale(adapter: AdapterFolder, kind: str) -> float:
    if kind == "full":
        return 1.0
    parameters = adapter.config.get("lora_parameters")
    value = parameters.get("scale") if isinstance(parameters, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadContent(
            f"The adapter {adapter.name} can't be used: lora_parameters.scale is missing from its "
            f"adapter_config.json{' (found ' + repr(value) + ')' if value is not None else ''}.",
            hint="Add the scale that it was trained with; mlx_lm's default is 20.",
        )
    return float(value)


def _type(adapter: AdapterFolder, tensors: Mapping[str, Tensor], kind: str) -> str:
    if kind == "full":
        return "full"
    return "dora" if any(name.endswith(".m") for name in tensors) else "lora"

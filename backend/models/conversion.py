"""What a conversion would make: its source and place checked, its size and disk need worked out."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.contract.jobs.conversion import ConversionRequest
from backend.contract.model_source import ConvertedFrom
from backend.core.disk.files import NAME, child_path, format_bytes, free_path
from backend.core.disk.paths import PastedPath
from backend.errors import AlreadyExists, BadContent, NoDiskSpace, NotFound
from backend.models.catalog import ModelCatalog
from backend.models.folder import weight_files
from backend.models.own_models import new_models_folder
from backend.models.safetensors_headers import BadWeights, Tensor, read_weights
from backend.models.schemas import ModelInfo
from backend.settings import Settings

Bits = Literal[4, 8]
FloatType = Literal["float16", "bfloat16", "float32"]

GROUPS = (64, 32)  # Weights that share a scale; the first is the engine's own choice.
_SPARE = 50_000_000  # Bytes for the tokenizer, and for what else is written meanwhile.
_WIDTH = {"float16": 2, "bfloat16": 2, "float32": 4}
_FLOATS = frozenset({"F16", "BF16", "F32", "F64"})
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")


class ModelConversion(BaseModel):
    """POST /models/convert. `source` is a model of the list, a folder, or a repository that was
    downloaded. Without `quantize` and `dtype` the weights keep their type.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    source: Annotated[PastedPath, Field(min_length=1, max_length=4096)]
    output_name: str = Field(pattern=f"^{NAME.pattern}$")
    quantize: Bits | None = None
    dtype: FloatType | None = None


class ConversionEstimate(BaseModel):
    """What it would make and take. `seconds` is null until this machine has made one such
    conversion. `output_name` is a free name.
    """

    source: str
    source_bytes: int
    size_bytes: int
    disk_needed: int
    disk_free: int
    enough_space: bool
    output_name: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionTarget:
    """What is made of a model; both are None where only the form changes."""

    quantize: Bits | None = None
    dtype: FloatType | None = None


class ConversionPlanner:
    """Checks what is asked for before anything is written. Blocking."""

    def __init__(self, settings: Settings, catalog: ModelCatalog) -> None:
        self._catalog = catalog
        self.folder = new_models_folder(settings)

    def estimate(self, source: str, target: ConversionTarget) -> ConversionEstimate:
        """Raises NotFound or BadContent where there is nothing that can be converted so."""
        model = self._usable(source, target)
        size = converted_bytes(_tensors(model), target)
        need = size + _SPARE
        free = _free_bytes(self.folder)
        return ConversionEstimate(
            source=model.name,
            source_bytes=model.size_bytes or 0,
            size_bytes=size,
            disk_needed=need,
            disk_free=free,
            enough_space=need <= free,
            output_name=self._free_name(model, target),
        )

    def plan(self, request: ModelConversion) -> ConversionRequest:
        """Raises as `estimate`, and AlreadyExists or NoDiskSpace."""
        target = ConversionTarget(quantize=request.quantize, dtype=request.dtype)
        model = self._usable(request.source, target)
        output = child_path(self.folder, request.output_name)
        if os.path.lexists(output):
            raise AlreadyExists(
                f"There is a model folder named {request.output_name} already.",
                hint=f"Choose another name, {self._free_name(model, target)} for example.",
            )
        estimate = self.estimate(request.source, target)
        if not estimate.enough_space:
            raise NoDiskSpace(
                f"The new model needs {format_bytes(estimate.disk_needed)}, and "
                f"{format_bytes(estimate.disk_free)} are free in {self.folder}.",
                hint="Free some space, for example by deleting models on the Models page.",
            )
        return ConversionRequest(
            model=ConvertedFrom(
                name=model.name,
                path=model.path,
                fingerprint=self._catalog.fingerprint(model.path),
                repo_id=model.source.repo_id if model.source else None,
                quantize=request.quantize,
                dtype=request.dtype,
            ),
            output=str(output),
            staging=str(output.with_name(f".{output.name}.{secrets.token_hex(8)}.tmp")),
        )

    def _usable(self, source: str, target: ConversionTarget) -> ModelInfo:
        model = self._find(source)
        if model.problem is not None:
            raise BadContent(
                f"The model {model.name} can't be converted: {model.problem}",
                hint="Choose another model; GET /models lists them.",
            )
        if model.quantization is not None and (target.quantize or target.dtype):
            raise BadContent(
                f"The model {model.name} is quantised already ({model.quantization}).",
                hint="Convert its unquantised version: quantising twice would lose more.",
            )
        if model.weights_format == "mlx" and not (target.quantize or target.dtype):
            raise BadContent(
                f"The model {model.name} is in MLX's form already, so there is nothing to convert.",
                hint="Choose 4 or 8 bits, or another precision.",
            )
        if target.quantize and _group_size(_tensors(model)) is None:
            raise BadContent(
                f"The model {model.name} can't be quantised: none of its matrices has a multiple "
                f"of {GROUPS[-1]} inputs.",
                hint="Train on it as it is.",
            )
        return model

    def _find(self, source: str) -> ModelInfo:
        try:
            return self._catalog.find(source)
        except NotFound:
            if not _REPOSITORY.fullmatch(source):
                raise
        publisher, _, name = source.partition("/")
        for model in self._catalog.scan():
            place = Path(model.path).parts
            if (
                (model.source is not None and model.source.repo_id == source)
                or f"models--{publisher}--{name}" in place
                or place[-2:] == (publisher, name)
            ):
                return model
        raise NotFound(
            f"{source} is not on this machine.",
            hint="Download it first, on the Models page or with POST /models/download; then "
            "convert it.",
        )

    def _free_name(self, model: ModelInfo, target: ConversionTarget) -> str:
        kind = f"{target.quantize}bit" if target.quantize else target.dtype or "mlx"
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", model.name).strip("._-")[:80] or "model"
        return free_path(self.folder, f"{stem}-{kind}", joint="-").name


def converted_bytes(tensors: Mapping[str, Tensor], target: ConversionTarget) -> int:
    """Bytes of the weights: those of matrices are packed, with a scale and an offset per group."""
    group = _group_size(tensors) if target.quantize else None
    total = 0.0
    for name, tensor in tensors.items():
        width = tensor.size_bytes / max(1, tensor.size)
        if target.dtype and tensor.dtype in _FLOATS:
            width = _WIDTH[target.dtype]
        if target.quantize and group and _is_matrix(name, tensor) and tensor.shape[-1] % group == 0:
            total += tensor.size * (target.quantize / 8 + 2 * width / group)
        else:
            total += tensor.size * width
    return round(total)


def _group_size(tensors: Mapping[str, Tensor]) -> int | None:
    """64, or 32 where that quantises more of the model; None where neither fits a matrix."""
    widths = [tensor.shape[-1] for name, tensor in tensors.items() if _is_matrix(name, tensor)]
    fits = {group: sum(width % group == 0 for width in widths) for group in GROUPS}
    best = max(GROUPS, key=lambda group: fits[group])
    return best if fits[best] else None


def _is_matrix(name: str, tensor: Tensor) -> bool:
    return name.endswith("weight") and len(tensor.shape) >= 2 and tensor.dtype in _FLOATS


def _tensors(model: ModelInfo) -> Mapping[str, Tensor]:
    try:
        return read_weights(weight_files(Path(model.path))).tensors
    except BadWeights as problem:
        raise BadContent(f"The model {model.name} can't be converted: {problem}") from problem


def _free_bytes(folder: Path) -> int:
    """Of the disk that it lies on, or will."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free

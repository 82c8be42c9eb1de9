"""The quantised copy of a base that QLoRA trains on: where it lies, its size, what to say of it.

`backend/engines/trainer/quantize.py` makes it: once for a model and number of bits, whole or not at
all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backend.core.disk.files import format_bytes
from backend.errors import BadContent, FieldProblem
from backend.jobs.run.recipe import StartFix, StartWarning
from backend.models.fingerprint import digest
from backend.models.schemas import LoraKey, LoraTargets, ModelInfo
from backend.training.request.start_request import StartRequest

GROUPS = (64, 32)  # Weights that share a scale; the first is the engine's own choice.
_NOT_OF_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizedBase:
    """`size` in bytes is measured where the copy is there, else estimated; None: not known."""

    bits: int
    path: Path
    size: int | None
    there: bool

    @property
    def missing_bytes(self) -> int:
        return 0 if self.there else self.size or 0


def quantized_base(
    request: StartRequest,
    model: ModelInfo,
    targets: LoraTargets,
    *,
    fingerprint: str | None,
    data_dir: Path,
) -> QuantizedBase | None:
    """The copy that a request trains on; None without `quantize_base`. Looks at the disk."""
    bits = request.quantize_base
    if bits is None:
        return None
    if fingerprint is None:
        text = f"{model.name} has no weights that could be quantised."
        raise BadContent(text, errors=[FieldProblem("quantize_base", text)])
    path = quantized_path(data_dir, model.name, fingerprint, bits)
    there = (path / "config.json").is_file()
    size = _size_of(path) if there else quantized_bytes(model, targets, bits)
    return QuantizedBase(bits=bits, path=path, size=size, there=there)


def quantized_path(data_dir: Path, name: str, fingerprint: str, bits: int) -> Path:
    """The same for the same weights, wherever their folder lies."""
    readable = _NOT_OF_A_NAME.sub("-", name).strip(".-")[:80] or "model"
    return quantized_folder(data_dir) / f"{readable}-{digest(fingerprint)}-q{bits}"


def quantized_folder(data_dir: Path) -> Path:
    """Where all copies lie; the server keeps it bounded (`cache.py`)."""
    return data_dir / ".cache" / "quantized"


def quantized_bytes(model: ModelInfo, targets: LoraTargets, bits: int) -> int | None:
    """Matrices and embeddings shrink to `bits` and, for each group, a scale and an offset.

    Modules that bring their own LoRA are counted as they are, so this is rather too much.
    """
    group = group_size(targets, model.hidden_size)
    if not (model.size_bytes and group):
        return None
    width = 4 if model.dtype == "float32" else 2
    packed = _matrix_weights(targets, group) + _embedding_weights(model, targets, group)
    bits_each = bits + 2 * 8 * width / group
    return round(max(0, model.size_bytes - packed * width) + packed * bits_each / 8)


def group_size(targets: LoraTargets, hidden: int | None) -> int | None:
    """64, or 32 where that quantises more of the model; None where neither fits a matrix."""
    widths = {inputs for key in targets.keys for inputs, _, _ in _sizes(key)}
    fits = {group: {w for w in {*widths, hidden or 0} if w and w % group == 0} for group in GROUPS}
    best = max(GROUPS, key=lambda group: len(fits[group]))
    return best if fits[best] else None


def unpacked_layers(model: ModelInfo, targets: LoraTargets) -> str | None:
    """What of the base stays whole, as no group divides its inputs; None where nothing does."""
    group = group_size(targets, model.hidden_size)
    if group is None:
        return None
    odd = {key.name: width for key in targets.keys for width, _, _ in _sizes(key) if width % group}
    if not odd:
        return None
    listing = ", ".join(f"{name} ({width})" for name, width in sorted(odd.items()))
    return (
        f"Not packed, because groups of {group} don't divide their inputs: {listing}. They stay as "
        "they are in the base."
    )


def quantize_problems(
    request: StartRequest, model: ModelInfo, targets: LoraTargets
) -> Iterator[FieldProblem]:
    """Why the base can't be quantised for this request."""
    bits = request.quantize_base
    if bits is None:
        return
    if model.quantization:
        yield FieldProblem(
            "quantize_base",
            f"{model.name} is quantised already ({model.quantization}); leave quantize_base empty "
            "to train on it as it is.",
        )
    elif request.fine_tune_type == "full":
        yield FieldProblem(
            "quantize_base",
            f"Full fine-tuning can't train weights that are packed into {bits} bits; use lora or "
            "dora, or leave quantize_base empty.",
        )
    elif targets.keys and group_size(targets, model.hidden_size) is None:
        yield FieldProblem(
            "quantize_base",
            f"{model.name} can't be quantised: none of its matrices has a multiple of {GROUPS[-1]} "
            "inputs.",
        )


def quantize_remarks(base: QuantizedBase | None, *, on_cpu: bool) -> list[StartWarning]:
    """What the user should know before the run."""
    if base is None:
        return []
    size = format_bytes(base.size) if base.size else ""
    if base.there:
        taken = f" ({size} in .cache)" if size else ""
        text = f"The {base.bits}-bit copy of the base{taken} exists already and is reused."
    else:
        taken = f", about {size} in .cache" if size else " into .cache"
        text = (
            f"The base is quantised to {base.bits} bits once{taken}. The copy is removed when no "
            "run has used it for 30 days, or when four others were used since."
        )
    remarks = [StartWarning(text, code="quantized_copy", level="info")]
    if on_cpu:
        slow = (
            "On a CPU, a quantised base trains seven to twenty times slower than the whole model."
        )
        whole = StartFix("Train on the whole base", "quantize_base", "")
        remarks.append(StartWarning(slow, code="quantized_on_cpu", fix=whole))
    return remarks


def _size_of(folder: Path) -> int | None:
    try:
        return sum(path.stat().st_size for path in folder.iterdir())
    except OSError:  # It is being removed.
        return None


def _matrix_weights(targets: LoraTargets, group: int) -> int:
    return sum(
        inputs * outputs * copies
        for key in targets.keys
        for inputs, outputs, copies in _sizes(key)
        if inputs % group == 0
    )


def _embedding_weights(model: ModelInfo, targets: LoraTargets, group: int) -> int:
    """Embeddings, and the output layer where it has weights of its own."""
    hidden, one = model.hidden_size or 0, (model.hidden_size or 0) * (model.vocab_size or 0)
    if not one or hidden % group:
        return 0
    total = targets.total_parameters or model.parameters or 0
    outside = total - sum(targets.block_parameters)
    return one * (2 if targets.block_parameters and outside >= 2 * one else 1)


def _sizes(key: LoraKey) -> list[list[int]]:
    return key.sizes or [[key.inputs, key.outputs, key.copies]] * key.modules

"""Does an adapter fit a base model? Answered from what both say of themselves, with both values."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.adapters.folder import AdapterFolder
from backend.errors import NotFound
from backend.models.catalog import ModelCatalog
from backend.models.fingerprint import same_model, short
from backend.models.safetensors_headers import Tensor
from backend.models.schemas import ModelInfo

_LAYER = re.compile(r"(?:^|\.)(?:layers|h|blocks)\.(\d+)\.(.+)")
_PART = re.compile(r"(?P<module>.+)\.(?P<part>lora_a|lora_b|m)(?:\.\d+)?")
_SHOWN = 4
_SEVEN = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseMatch:
    """`known`: the adapter names this very base. `problem` refuses it, `warnings` don't."""

    known: bool
    problem: str | None = None
    warnings: tuple[str, ...] = ()


def base_match(
    adapter: AdapterFolder, model: ModelInfo, fingerprint: str | None, models: ModelCatalog
) -> BaseMatch:
    """Compare the recorded base with the model: by path, then by fingerprint, then by name."""
    if not adapter.bases:
        text = f"{adapter.name} does not say which base it was trained on; its shapes are checked."
        return BaseMatch(known=False, warnings=(text,))
    quantized = (
        (
            f"It was trained on a {adapter.quantize_base}-bit copy of this base; on the whole base "
            "its answers differ a little.",
        )
        if adapter.quantize_base
        else ()
    )
    recorded = adapter.fingerprint
    if any(_same_path(base, model.path) for base in adapter.bases):
        if recorded and fingerprint and not same_model(recorded, fingerprint):
            text = (
                f"The base has changed since {adapter.name} was trained: its fingerprint was "
                f"{short(recorded)}, and is {short(fingerprint)} now."
            )
            return BaseMatch(known=True, warnings=(text, *quantized))
        return BaseMatch(known=True, warnings=quantized)
    if any(same_model(fingerprint, one) for one in (recorded, *_fingerprints(adapter, models))):
        return BaseMatch(known=True, warnings=quantized)
    first = adapter.bases[0]
    there = any(Path(base).is_dir() for base in adapter.bases)
    if not recorded and not there and any(_same_name(base, model) for base in adapter.bases):
        text = f"The base that it names, {first}, is not there; this model has the same name."
        return BaseMatch(known=True, warnings=(text,))
    return BaseMatch(
        known=False,
        problem=f"The adapter {adapter.name} was trained on {first}, and not on {model.path}.",
    )


def fits(
    adapter: AdapterFolder,
    tensors: Mapping[str, Tensor],
    base: Mapping[str, Tensor],
    model: ModelInfo,
    *,
    kind: str,
    converted: bool,
) -> tuple[str | None, list[str]]:
    """Why it can't be put on this base, or None; and what to know if it can."""
    lead = f"The adapter {adapter.name} does not fit {model.name}"
    if kind == "full":
        problem = next(_full_problems(tensors, base), None)
        return (f"{lead}: {problem}." if problem else None), []
    strange = [name for name in tensors if not _PART.fullmatch(name)]
    if strange:
        text = f"it also holds {strange[0]}, which is no LoRA matrix"
        return f"{lead}: {text}.", []
    layers = {int(match[1]) for name in tensors if (match := _LAYER.search(name))}
    depth = model.num_layers
    if depth is not None and layers and max(layers) >= depth:
        text = f"it has weights for layer {max(layers)}, and the model's last is {depth - 1}"
        return f"{lead}: {text}.", []
    problem = next(_shape_problems(tensors, base), None)
    if problem:
        return f"{lead}: {problem}.", []
    if not converted:
        problem = _rank_problem(adapter, tensors)
        if problem:
            return f"The adapter {adapter.name} can't be used: {problem}.", []
    return None, list(_gaps(adapter, tensors, layers, base, depth))


def _full_problems(tensors: Mapping[str, Tensor], base: Mapping[str, Tensor]) -> Iterator[str]:
    for name, tensor in tensors.items():
        other = base.get(name)
        if other is not None and other.shape != tensor.shape:
            yield f"{name} has the shape {_shape(tensor)}, and the model's has {_shape(other)}"


def _shape_problems(tensors: Mapping[str, Tensor], base: Mapping[str, Tensor]) -> Iterator[str]:
    """Where both sides are plain matrices. A name that is not on the base's disk says nothing:
    the engine renames and joins matrices of many models as it loads them.
    """
    for name, tensor in tensors.items():
        match = _PART.fullmatch(name)
        weight = base.get(f"{match['module']}.weight") if match else None
        if match is None or weight is None or len(weight.shape) != 2 or len(tensor.shape) != 2:
            continue
        rows, columns = weight.shape
        is_packed = f"{match['module']}.scales" in base
        embeds = "embed" in match["module"] or match["module"].endswith((".wte", ".wpe"))
        if match["part"] == "lora_a":
            width = rows if embeds else columns
            if (embeds or not is_packed) and tensor.shape[0] != width:
                yield f"{name} takes {tensor.shape[0]} inputs, and the model's matrix has {width}"
        elif match["part"] == "lora_b":
            width = columns if embeds else rows
            if not (embeds and is_packed) and tensor.shape[1] != width:
                yield f"{name} has {tensor.shape[1]} outputs, and the model's matrix has {width}"


def _rank_problem(adapter: AdapterFolder, tensors: Mapping[str, Tensor]) -> str | None:
    rank = _parameters(adapter).get("rank")
    if isinstance(rank, bool) or not isinstance(rank, int):
        return None
    for name, tensor in tensors.items():
        if not name.endswith(".lora_a"):
            continue
        rank_found = tensor.shape[1]  # Of an expert's too: (experts, rank, inputs).
        if rank_found != rank:
            return f"its adapter_config.json says rank {rank}, and {name} has rank {rank_found}"
    return None


def _gaps(
    adapter: AdapterFolder,
    tensors: Mapping[str, Tensor],
    layers: set[int],
    base: Mapping[str, Tensor],
    depth: int | None,
) -> Iterator[str]:
    modules = {match["module"] for name in tensors if (match := _PART.fullmatch(name))}
    keys = _parameters(adapter).get("keys")
    if isinstance(keys, list):
        absent = [
            str(key) for key in keys
            if not any(module == key or module.endswith(f".{key}") for module in modules)
        ]  # fmt: skip
        if absent:
            yield (
                f"Its configuration lists {_some(absent)}, and the file has no weights for "
                f"{'it' if len(absent) == 1 else 'them'}."
            )
    yield from _coverage(modules, layers, base, depth)
    number = adapter.config.get("num_layers")
    if isinstance(number, bool) or not isinstance(number, int) or depth is None or not layers:
        return
    first = 0 if number <= 0 else max(0, depth - number)
    missing = [str(layer) for layer in range(first, depth) if layer not in layers]
    if missing:
        yield (
            f"Its configuration covers {depth - first} of {depth} layers, and the file has no "
            f"weights for {'layer' if len(missing) == 1 else 'layers'} {_some(missing)}."
        )


def _coverage(
    modules: set[str], layers: set[int], base: Mapping[str, Tensor], depth: int | None
) -> Iterator[str]:
    """Facts, not faults: many are trained so on purpose."""
    if depth is not None and layers and len(layers) < depth:
        one = "layer" if len(layers) == 1 else "layers"
        yield f"Adapter covers {len(layers)} {one}; model has {depth}."
    leaves = {name.split(".")[-2] for name in base if name.endswith(".weight") and "." in name[:-7]}
    there = [name for name in _SEVEN if name in leaves]
    covered = [name for name in there if any(m.endswith(f".{name}") for m in modules)]
    if covered and len(covered) < len(there):
        yield (
            f"Adapter covers {len(covered)} of the model's {len(there)} kinds of matrices: "
            f"{', '.join(covered)}."
        )


def _parameters(adapter: AdapterFolder) -> Mapping[str, Any]:
    value = adapter.config.get("lora_parameters")
    return value if isinstance(value, Mapping) else {}


def _fingerprints(adapter: AdapterFolder, models: ModelCatalog) -> Iterator[str]:
    """Of the recorded bases that are still there, where no fingerprint was recorded."""
    if adapter.fingerprint:
        return
    for base in adapter.bases:
        try:
            fingerprint = models.fingerprint(base)
        except NotFound:
            continue
        if fingerprint:
            yield fingerprint


def _same_path(recorded: str, path: str) -> bool:
    try:
        return Path(recorded).expanduser().resolve() == Path(path).resolve()
    except (OSError, RuntimeError):
        return False


def _same_name(recorded: str, model: ModelInfo) -> bool:
    name = os.path.normpath(recorded).rsplit("/", 1)[-1].lower()
    return name in {model.name.lower(), Path(model.path).name.lower()}


def _shape(tensor: Tensor) -> str:
    return "×".join(str(side) for side in tensor.shape) or "a number"


def _some(items: list[str]) -> str:
    rest = len(items) - _SHOWN
    return ", ".join(items[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")

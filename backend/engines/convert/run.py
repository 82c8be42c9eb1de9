"""A model of PyTorch safetensors, or of MLX, as a new MLX model: cast, quantised, or as it is.

It is loaded lazily and written a file at a time, so that not all of it is in memory. The folder is
made beside its place and renamed at the end: the model is there whole or not at all.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import mlx.core as mx
from mlx import nn
from mlx.utils import tree_flatten, tree_map, tree_map_with_path
from mlx_lm.utils import (
    get_total_parameters,
    make_shards,
    quantize_model,
    save_config,
)

from backend.contract.jobs.conversion import ConversionRequest, ConversionResult
from backend.contract.model_source import SOURCE_FILE, ConvertedFrom, ModelSource
from backend.contract.record import read_record, write_record
from backend.contract.run.events import Phase, Progress
from backend.core.disk.files import write_json
from backend.core.disk.removal import discard
from backend.engines.process.endings import Ending, Unusable
from backend.engines.process.events import Emitter
from backend.engines.process.signals import Control
from backend.engines.process.staged_folder import publish, sync_files
from backend.engines.trainer.quantize import choose_group
from backend.engines.weights.base import load_with_config

SHARD_GB = 1  # So that a stop is heard in time: between two files.
_KEPT = ("generation_config.json", "LICENSE*", "NOTICE*", "USE_POLICY*")
_STOPPED = Ending("stopped", "The conversion was stopped; nothing was saved.")


def conversion_run(folder: Path, emit: Emitter, control: Control) -> Ending:
    """Make what the folder asks for; answer how it ended. Errors are raised."""
    text = (folder / "request.json").read_text(encoding="utf-8")
    request = read_record(ConversionRequest, json.loads(text))
    staging, output = Path(request.staging), Path(request.output)
    began = time.monotonic()
    try:
        group = _write(request.model, staging, emit, lambda: control.stop is not None)
        if control.stop is not None:
            return _STOPPED
        sync_files(staging)
        result = ConversionResult(
            name=output.name,
            path=request.output,
            source_bytes=_weight_bytes(Path(request.model.path)),
            size_bytes=_weight_bytes(staging),
            seconds=time.monotonic() - began,
            quantize=request.model.quantize,
            group_size=group,
            dtype=request.model.dtype,
        )
        publish(staging, output)
        write_json(folder / "result.json", write_record(result))
    finally:
        discard(staging)
    emit(Phase(name="done"))
    return Ending("completed", f"{output.name} was made of {request.model.name}.")


def _write(
    source: ConvertedFrom, staging: Path, emit: Emitter, stopped: Callable[[], bool]
) -> int | None:
    """Fill the folder; the group size where it was quantised. Not whole once `stopped` says so."""
    folder = Path(source.path)
    if not folder.is_dir():  # The loader would ask the hub for a model of that name.
        raise Unusable(
            f"The model {source.name} is not there any more: {folder}.",
            "Was it moved or deleted? Choose another model.",
        )
    model, tokenizer, config = load_with_config(str(folder), lazy=True)
    if source.dtype is not None:
        _cast(model, getattr(mx, source.dtype))
        config["torch_dtype"] = source.dtype
    group = None
    if source.quantize is not None:
        emit(Phase(name="quantising"))
        group = choose_group(model)
        model, config = quantize_model(model, config, group, source.quantize)
    emit(Phase(name="writing weights"))
    staging.mkdir(parents=True)
    _write_weights(model, staging, emit, stopped)
    if stopped():
        return group
    vision = "vision_tower" in getattr(model, "model", {})
    save_config(config, config_path=staging / "config.json", keep_vision_config=vision)
    tokenizer.save_pretrained(staging)
    for pattern in _KEPT:
        for path in folder.glob(pattern):
            if path.is_file():
                shutil.copyfile(path, staging / path.name)
    lineage = ModelSource(
        converted_from=replace(source, group_size=group),
        converted_at=datetime.now(UTC).isoformat(),
    )
    write_json(staging / SOURCE_FILE, write_record(lineage))
    return group


def _cast(model: nn.Module, dtype: mx.Dtype) -> None:
    """Floating-point weights become `dtype`, but for those that the architecture keeps."""
    may_cast = getattr(model, "cast_predicate", lambda _: True)

    def cast(name: str, value: mx.array) -> mx.array:
        if may_cast(name) and mx.issubdtype(value.dtype, mx.floating):
            return value.astype(dtype)
        return value

    model.update(tree_map_with_path(cast, model.parameters()))


def _write_weights(
    model: nn.Module, staging: Path, emit: Emitter, stopped: Callable[[], bool]
) -> None:
    weights: dict[str, mx.array] = dict(tree_flatten(model.parameters()))
    total = sum(value.nbytes for value in weights.values())
    metadata = {"total_size": total, "total_parameters": get_total_parameters(model)}
    shards = make_shards(weights, SHARD_GB)
    # Nothing but the shards holds on to the weights: each is freed once it is written.
    model.update(tree_map(lambda _: mx.array([]), model.parameters()))
    weights.clear()
    count, done = len(shards), 0
    places: dict[str, str] = {}
    for number in range(count):
        if stopped():
            return
        shard, shards[number] = shards[number], None
        name = _shard_name(number + 1, count)
        size = sum(value.nbytes for value in shard.values())
        _save(staging / name, shard, size)
        places |= dict.fromkeys(shard, name)
        done += size
        del shard
        emit(Progress(done=done, total=total))
    index = {"metadata": metadata, "weight_map": dict(sorted(places.items()))}
    write_json(staging / "model.safetensors.index.json", index)


def _shard_name(number: int, count: int) -> str:
    return f"model-{number:05d}-of-{count:05d}.safetensors" if count > 1 else "model.safetensors"


def _save(path: Path, shard: dict[str, mx.array], size: int) -> None:
    try:
        mx.save_safetensors(str(path), shard, metadata={"format": "mlx"})
    except RuntimeError as problem:
        if shutil.disk_usage(path.parent).free < size:  # The engine's own error does not say so.
            raise Unusable(
                f"The disk is full: {path.name} needs {size} bytes.",
                "Free some space, then convert again. Nothing was saved.",
            ) from problem
        raise


def _weight_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("model*.safetensors"))

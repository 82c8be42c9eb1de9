"""One fusion, from the request to a proven adapter.

1. read the adapters   2. merge matrix by matrix   3. write the result beside its place
4. score base, sources and result on the same held-out rows   5. put it into its place.
What fails or is stopped before step 5 leaves nothing behind.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backend.contract.jobs.fusion import (
    STAGING,
    FusionRequest,
    FusionResult,
    FusionSource,
    SourceShare,
)
from backend.contract.record import read_record, write_record
from backend.contract.run.events import Phase, Progress
from backend.contract.run.folder import ADAPTER_CONFIG, LATEST, LINEAGE
from backend.core.disk.files import write_json
from backend.core.disk.removal import named, remove
from backend.engines.evaluate.run import evaluate_run
from backend.engines.fusion.factors import adapter_weights, read_changes
from backend.engines.fusion.low_rank import LowRank, inner_product
from backend.engines.fusion.merge import MergeSettings, merge, zero_like
from backend.engines.inference.adapter_cache import load_adapter
from backend.engines.inference.protocol import Refused
from backend.engines.process.endings import Ending, Unusable
from backend.engines.process.events import Emitter, PartEmitter
from backend.engines.process.signals import Control
from backend.engines.process.staged_folder import publish
from backend.engines.trainer.adapter_folder import write_weights

PROOF = "proof"
_WHOLE, _MERGED = 1000, 200  # Of the progress: the answers of the proof take most of the time.

_LAYER = re.compile(r"(?:^|\.)(?:layers|h|blocks)\.(\d+)\.(.+)")
_STOPPED = Ending("stopped", "The fusion was stopped; nothing was written.")


def fusion_run(folder: Path, emit: Emitter, control: Control) -> Ending:
    """Fuse what the folder asks for; answer how it ended. Errors are raised."""
    request = read_record(
        FusionRequest, json.loads((folder / "request.json").read_text(encoding="utf-8"))
    )
    staging, start = Path(request.staging), time.monotonic()
    try:
        emit(Phase(name="reading adapters"))
        sources = [_read(source) for source in request.sources]
        emit(Phase(name="merging"))
        part = PartEmitter(emit, start=0, end=_MERGED if request.proof else _WHOLE, total=_WHOLE)
        merged, errors = _merge(request, sources, part, lambda: control.stop is not None)
        if merged is None:
            return _STOPPED
        emit(Phase(name="writing"))
        _write(request, staging, merged)
        if request.proof:
            part = PartEmitter(emit, start=_MERGED, end=_WHOLE, total=_WHOLE)
            ending = evaluate_run(folder / PROOF, part, control)
            if ending.state != "completed":
                return _STOPPED
        result = _result(request, sources, merged, errors, time.monotonic() - start)
        publish(staging, Path(request.output))
        write_json(folder / "result.json", write_record(result))
    except Refused as refusal:
        raise Unusable(refusal.message, refusal.hint) from refusal
    finally:
        remove(staging, inside=staging.parent, own=named(STAGING))
    emit(Phase(name="done"))
    return Ending("completed", f"{result.name} is fused from {len(sources)} adapters.")


def _read(source: FusionSource) -> dict[str, LowRank]:
    return read_changes(load_adapter(source.spec))


def _merge(
    request: FusionRequest,
    sources: Sequence[Mapping[str, LowRank]],
    emit: Emitter,
    stopped: Callable[[], bool],
) -> tuple[dict[str, LowRank] | None, dict[str, float]]:
    """The merged change of every module, and its relative error; no changes when stopped."""
    shapes = {name: change for source in sources for name, change in source.items()}
    settings = MergeSettings(
        method=request.method,
        weights=tuple(source.weight for source in request.sources),
        rank=request.rank,
        density=request.density,
        seed=request.seed,
    )
    merged: dict[str, LowRank] = {}
    errors: dict[str, float] = {}
    for done, (name, like) in enumerate(sorted(shapes.items()), start=1):
        if stopped():
            return None, {}
        changes = [source.get(name, zero_like(like)) for source in sources]
        if odd := next((one for one in changes if one.shape != like.shape), None):
            raise Unusable(
                f"{name} is {odd.shape} in one adapter and {like.shape} in another.",
                "Fuse adapters of one base model.",
            )
        merged[name], errors[name] = merge(changes, settings)
        emit(Progress(done=done, total=len(shapes)))
    return merged, errors


def _write(request: FusionRequest, staging: Path, merged: Mapping[str, LowRank]) -> None:
    weights = adapter_weights(merged)
    staging.mkdir(parents=True)
    write_weights(staging / LATEST, weights, 0)
    rank = max(change.rank for change in merged.values())
    keys = list(dict.fromkeys(_key_of(name) for name in merged))
    config = {
        "model": request.model,
        "fine_tune_type": "lora",
        "num_layers": -1,
        "lora_parameters": {"rank": rank, "scale": 1.0, "dropout": 0.0, "keys": keys},
    }
    lineage = {
        "schema_version": 1,
        "session_id": None,
        "method": "fusion",
        "base_model": dict(request.base),
        "fusion": {
            "method": request.method,
            "density": request.density if request.method in ("ties", "dare") else None,
            "seed": request.seed,
            "rank": rank,
            "sources": [
                {"name": one.name, "checkpoint": one.checkpoint, "weight": one.weight}
                for one in request.sources
            ],
        },
        "created": datetime.now(UTC).isoformat(),
    }
    write_json(staging / ADAPTER_CONFIG, config)
    write_json(staging / LINEAGE, lineage)


def _result(
    request: FusionRequest,
    sources: Sequence[Mapping[str, LowRank]],
    merged: Mapping[str, LowRank],
    errors: Mapping[str, float],
    seconds: float,
) -> FusionResult:
    worst = max(errors, key=errors.__getitem__)
    sizes = {name: inner_product(change, change) for name, change in merged.items()}
    total = sum(sizes.values())
    # ‖lost‖ of a matrix follows from its relative error: kept² = whole² · (1 − error²).
    lost = sum(
        sizes[name] * error**2 / (1 - error**2) for name, error in errors.items() if error < 1
    )
    return FusionResult(
        name=Path(request.output).name,
        path=request.output,
        method=request.method,
        rank=max(change.rank for change in merged.values()),
        matrices=len(merged),
        parameters=sum(change.left.size + change.right.size for change in merged.values()),
        relative_error=math.sqrt(lost / (total + lost)) if total + lost else 0.0,
        worst_matrix=worst if errors[worst] > 0 else None,
        worst_error=errors[worst],
        sources=tuple(
            _share(source, changes, merged, total)
            for source, changes in zip(request.sources, sources, strict=True)
        ),
        seconds=seconds,
    )


def _share(
    source: FusionSource,
    changes: Mapping[str, LowRank],
    merged: Mapping[str, LowRank],
    total: float,
) -> SourceShare:
    own = sum(inner_product(change, change) for change in changes.values())
    along = sum(inner_product(change, merged[name]) for name, change in changes.items())
    spec: Mapping[str, Any] = source.spec
    return SourceShare(
        name=source.name,
        checkpoint=source.checkpoint,
        weight=source.weight,
        rank=max(change.rank for change in changes.values()),
        scale=float(spec["scale"]),
        matrices=len(changes),
        layers=len({match[1] for name in changes if (match := _LAYER.search(name))}),
        norm=math.sqrt(own),
        cosine=along / math.sqrt(own * total) if own > 0 and total > 0 else None,
    )


def _key_of(module: str) -> str:
    """The module as `keys` of adapter_config.json name it: its path inside a layer."""
    match = _LAYER.search(module)
    return match[2] if match else module

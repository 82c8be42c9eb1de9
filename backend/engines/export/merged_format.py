"""The formats merged, merged_q4 and merged_q8: a whole model folder for mlx_lm or transformers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import mlx.core as mx
from mlx.utils import tree_flatten

from backend.contract.export.request import BITS, ExportRequest, QuantisationFacts
from backend.contract.record import write_record
from backend.engines.export.merging import merged_model
from backend.engines.export.model_folder import (
    copy_tokenizer,
    stop_tokens,
    write_about,
    write_config,
)
from backend.engines.export.quantising import quantised_model
from backend.engines.export.tensor_files import Stopped, write_shards

ProgressReport = Callable[[int, int], None]

_LEAST_KEPT = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a format's writer says of what it wrote."""

    merged_modules: int
    quantisation: QuantisationFacts | None = None
    warnings: tuple[str, ...] = ()


def write_merged(
    request: ExportRequest, staging: Path, progress: ProgressReport, stopped: Callable[[], bool]
) -> Written:
    """Write the folder. Raises Stopped between two tensors, Refused and Unusable."""
    source = Path(request.model)
    merged = merged_model(source, request.adapter)
    bits = BITS.get(request.format)
    quantised = (
        quantised_model(
            merged.model,
            merged.config,
            bits=bits,
            recipe=request.recipe,
            changes=merged.changes,
        )
        if bits is not None
        else None
    )
    change = quantised.kept if quantised is not None else None
    count, base_bits = len(merged.changes), merged.base_bits
    network = quantised.model if quantised is not None else merged.model
    tensors: dict[str, mx.array] = dict(tree_flatten(network.parameters()))
    quantization = quantised.config["quantization"] if quantised is not None else None
    facts = quantised.facts if quantised is not None else None
    total = len(tensors)
    del merged, quantised, network  # Only `tensors` holds them now, each until it is written.
    done = 0

    def each(name: str, value: mx.array) -> None:
        nonlocal done
        if stopped():
            raise Stopped
        if change is not None:
            change.compute(name.removesuffix(".weight"))
        mx.clear_cache()
        done += 1
        progress(done, total)

    write_shards(staging, tensors, each=each, metadata={"format": "mlx"})
    write_config(source, staging, quantization, stop_tokens(source))
    copy_tokenizer(source, staging)
    if facts is not None and change is not None:
        facts = replace(facts, kept_change=change.share())
    about = {"quantisation": write_record(facts)} if facts is not None else {}
    write_about(request, staging, about)
    return Written(
        merged_modules=count,
        quantisation=facts,
        warnings=tuple(_warnings(request, facts, base_bits)),
    )


def _warnings(
    request: ExportRequest, facts: QuantisationFacts | None, base_bits: int | None
) -> list[str]:
    warnings = []
    if base_bits is not None:
        warnings.append(
            f"The base is quantised to {base_bits} bits: the export holds its weights as they were "
            "read back from that, not those from before."
        )
    if facts is not None and facts.whole:
        warnings.append(
            f"{facts.whole[0]} stayed unquantised, as its width is no multiple of the group."
            if len(facts.whole) == 1
            else f"{len(facts.whole)} matrices stayed unquantised ({facts.whole[0]} for one), as "
            "their widths are no multiple of the group."
        )
    change = facts.kept_change if facts is not None else None
    if change is not None and change < _LEAST_KEPT:
        warnings.append(
            f"Quantising keeps {max(0.0, change):.0%} of what the adapter changes: the rest is "
            "rounded away. Compare the losses, or export "
            + ("merged_q8." if request.format == "merged_q4" else "merged.")
        )
    return warnings

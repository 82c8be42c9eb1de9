"""The GGUF formats: one file for llama.cpp, Ollama and LM Studio, written a tensor at a time.

Q8_0 and 16 bits are written by the `gguf` package. 5 and 4 bits are written by llama.cpp's own
`llama-quantize` where it is on PATH (Q5_K_M, Q4_K_M), else by the package (Q5_0, Q4_0).
"""

from __future__ import annotations

import math
import secrets
import shutil
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import gguf
import mlx.core as mx
import numpy as np
from gguf import GGMLQuantizationType as GgmlType
from mlx.utils import tree_flatten

from backend.contract.export.gguf import FAMILIES, check_gguf, rope_scaling, rope_type
from backend.contract.export.request import ExportFormat, ExportRequest, QuantisationFacts
from backend.contract.record import write_record
from backend.core.disk.files import write_text
from backend.core.disk.removal import discard
from backend.engines.export.fresh_process import run_program
from backend.engines.export.gguf_tokenizer import add_tokenizer
from backend.engines.export.merged_format import ProgressReport, Written
from backend.engines.export.merging import merged_model
from backend.engines.export.model_folder import (
    copy_tokenizer,
    stop_tokens,
    write_about,
    write_config,
)
from backend.engines.export.modelfile import modelfile
from backend.engines.export.tensor_files import Stopped
from backend.engines.process.endings import Unusable

QUANTISER: Final = "llama-quantize"
_LIMIT = 4 * 3600.0
_AT_ONCE = 4 << 20  # Weights that are packed in one go.
_K_QUANTS: Mapping[ExportFormat, str] = {"gguf_q5": "Q5_K_M", "gguf_q4": "Q4_K_M"}
_PLAIN: Mapping[ExportFormat, GgmlType] = {
    "gguf_f16": GgmlType.F16,
    "gguf_q8": GgmlType.Q8_0,
    "gguf_q5": GgmlType.Q5_0,
    "gguf_q4": GgmlType.Q4_0,
}
_EMBEDDINGS = ("token_embd.weight", "output.weight")  # Worth 8 bits: every token passes them.


def write_gguf(
    request: ExportRequest, staging: Path, progress: ProgressReport, stopped: Callable[[], bool]
) -> Written:
    """Write the folder. Raises Stopped between two tensors, Refused and Unusable."""
    source = Path(request.model)
    if (reason := check_gguf(source)) is not None:
        raise Unusable(f"It can't be exported as GGUF. {reason}", "Export it as merged.")
    merged = merged_model(source, request.adapter)
    tensors: dict[str, mx.array] = dict(tree_flatten(merged.model.parameters()))
    config, count, base_bits = merged.config, len(merged.changes), merged.base_bits
    del merged
    stops = stop_tokens(source)
    tool = shutil.which(QUANTISER) if request.format in _K_QUANTS else None
    kind = GgmlType.F16 if tool else _PLAIN[request.format]
    name = _K_QUANTS[request.format] if tool else kind.name
    target = staging / f"{Path(request.output).name}-{name}.gguf"
    whole = staging / f".{target.name}.{secrets.token_hex(8)}.tmp" if tool else target
    weights = sum(value.size for value in tensors.values())
    names_kept = _write(whole, source, config, tensors, kind, stops, progress, stopped)
    if tool:
        _quantise(tool, whole, target, name, stopped)
    facts = QuantisationFacts(
        type=name if tool or kind in (GgmlType.F16, GgmlType.Q8_0) else f"{name}, embeddings Q8_0",
        program=f"llama.cpp {QUANTISER}" if tool else f"gguf {version('gguf')}",
        bits_per_weight=8 * target.stat().st_size / max(1, weights),
        group_size=None if tool or kind == GgmlType.F16 else 32,
        whole=tuple(names_kept),
    )
    write_text(staging / "Modelfile", modelfile(source, target.name, stops))
    write_config(source, staging, None, stops)
    copy_tokenizer(source, staging)
    write_about(request, staging, {"quantisation": write_record(facts)})
    return Written(
        merged_modules=count, quantisation=facts, warnings=tuple(_warnings(facts, base_bits))
    )


def _write(
    path: Path,
    source: Path,
    config: Mapping[str, Any],
    tensors: dict[str, mx.array],
    kind: GgmlType,
    stops: list[int],
    progress: ProgressReport,
    stopped: Callable[[], bool],
) -> list[str]:
    """Write one file and empty `tensors`; which matrices have a width that `kind` can't take."""
    family = FAMILIES[config["model_type"]]
    architecture = next(k for k, v in gguf.MODEL_ARCH_NAMES.items() if v == family)
    names = gguf.get_tensor_name_map(architecture, int(config["num_hidden_layers"]))
    writer = gguf.GGUFWriter(path, family)
    rows = tensors["model.embed_tokens.weight"].shape[0]
    _add_settings(writer, config, path.name, kind)
    add_tokenizer(writer, source, rows, stops)
    plan: dict[str, tuple[str, GgmlType]] = {}
    unconverted: list[str] = []
    for name, value in tensors.items():
        new = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if new is None:
            raise Unusable(f"GGUF has no place for {name} in a {family} model.")
        own = _type_of(new, value.shape, kind)
        if value.ndim > 1 and own == GgmlType.F16 and kind != GgmlType.F16:
            unconverted.append(name)
        plan[name] = (new, own)
        _add_info(writer, new, value.shape, own)
    factors = _rope_factors(config)
    if factors is not None:
        writer.add_tensor_info("rope_freqs.weight", factors.shape, factors.dtype, factors.nbytes)
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for done, name in enumerate(list(tensors), start=1):
            if stopped():
                raise Stopped
            value = tensors.pop(name)
            if family == "llama":
                value = _permuted(name, value, config)
            writer.write_tensor_data(_packed(value, plan[name][1]))
            del value
            mx.clear_cache()
            progress(done, len(plan))
        if factors is not None:
            writer.write_tensor_data(factors)
    finally:
        writer.close()
    return unconverted


def _type_of(name: str, shape: tuple[int, ...], kind: GgmlType) -> GgmlType:
    if len(shape) < 2:
        return GgmlType.F32  # Norms and biases: small, and llama.cpp adds them in 32 bits.
    if kind in (GgmlType.Q4_0, GgmlType.Q5_0) and name in _EMBEDDINGS:
        kind = GgmlType.Q8_0
    block = gguf.GGML_QUANT_SIZES[kind][0]
    return kind if shape[-1] % block == 0 else GgmlType.F16


def _add_info(writer: gguf.GGUFWriter, name: str, shape: tuple[int, ...], kind: GgmlType) -> None:
    if kind in (GgmlType.F32, GgmlType.F16):
        dtype: Any = np.dtype(np.float32 if kind == GgmlType.F32 else np.float16)
        writer.add_tensor_info(name, shape, dtype, math.prod(shape) * dtype.itemsize)
        return
    packed = gguf.quants.quant_shape_to_byte_shape(shape, kind)
    writer.add_tensor_info(name, packed, np.dtype(np.uint8), math.prod(packed), raw_dtype=kind)


def _add_settings(
    writer: gguf.GGUFWriter, config: Mapping[str, Any], name: str, kind: GgmlType
) -> None:
    heads = int(config["num_attention_heads"])
    side = int(config.get("head_dim") or config["hidden_size"] // heads)
    scaling = rope_scaling(config)
    writer.add_name(name.strip(".").partition(".gguf")[0])
    writer.add_context_length(int(config.get("max_position_embeddings") or 2048))
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(int(config.get("num_key_value_heads") or heads))
    writer.add_key_length(side)
    writer.add_value_length(side)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_dimension_count(side)
    writer.add_rope_freq_base(float(config.get("rope_theta") or scaling.get("rope_theta") or 1e4))
    if rope_type(config) == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(float(scaling["factor"]))
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(gguf.LlamaFileType[f"MOSTLY_{kind.name}"])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def _rope_factors(config: Mapping[str, Any]) -> np.ndarray[Any, np.dtype[np.float32]] | None:
    """How much slower each pair of a head turns under Llama 3's scaling, as a tensor."""
    if rope_type(config) != "llama3":
        return None
    scaling = rope_scaling(config)
    side = int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])
    base = float(config.get("rope_theta") or scaling.get("rope_theta") or 1e4)
    factor, old = float(scaling["factor"]), float(scaling["original_max_position_embeddings"])
    low, high = float(scaling["low_freq_factor"]), float(scaling["high_freq_factor"])
    waves = 2 * np.pi * base ** (np.arange(0, side, 2, dtype=np.float64) / side)
    smooth = np.clip((old / waves - low) / (high - low), 0.0, 1.0)
    return (1 / ((1 - smooth) / factor + smooth)).astype(np.float32)


def _permuted(name: str, value: mx.array, config: Mapping[str, Any]) -> mx.array:
    """Queries and keys in the order of llama.cpp's llama: pairs of neighbours are turned."""
    heads = config["num_attention_heads"]
    if ".k_proj." in name:
        heads = config.get("num_key_value_heads") or heads
    elif ".q_proj." not in name:
        return value
    halves = value.reshape(heads, 2, value.shape[0] // heads // 2, *value.shape[1:])
    return halves.swapaxes(1, 2).reshape(value.shape)


def _packed(value: mx.array, kind: GgmlType) -> Any:
    """The tensor as the file holds it, made some rows at a time: in 32 bits it may be large."""
    mx.eval(value)
    step = max(1, _AT_ONCE * value.shape[0] // value.size)
    whole: Any = None
    for start in range(0, value.shape[0], step):
        rows = np.array(value[start : start + step].astype(mx.float32))
        part = gguf.quants.quantize(rows, kind)
        if whole is None:
            whole = np.empty((value.shape[0], *part.shape[1:]), part.dtype)
        whole[start : start + step] = part
    return whole


def _quantise(tool: str, whole: Path, target: Path, kind: str, stopped: Callable[[], bool]) -> None:
    log = whole.with_name(f".{QUANTISER}.{secrets.token_hex(8)}.tmp")
    try:
        code, output = run_program(
            [tool, str(whole), str(target), kind], log=log, stopped=stopped, limit=_LIMIT
        )
    finally:
        discard(log)
        discard(whole)
    if code != 0:
        raise Unusable(
            f"{QUANTISER} could not make {kind} of it: {output}",
            f"Take {QUANTISER} off PATH to have it quantised without it, or export gguf_q8.",
        )


def _warnings(facts: QuantisationFacts, base_bits: int | None) -> list[str]:
    warnings = []
    if base_bits is not None:
        warnings.append(
            f"The base is quantised to {base_bits} bits: the export holds its weights as they were "
            "read back from that, not those from before."
        )
    if facts.whole:
        warnings.append(
            f"{len(facts.whole)} matrices stayed in 16 bits ({facts.whole[0]} for one), as their "
            "widths are no multiple of 32."
        )
    return warnings

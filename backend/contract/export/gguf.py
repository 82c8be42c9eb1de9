"""Whether a model folder can become a GGUF file, told from its configuration and tokenizer alone.

llama.cpp splits text before it merges byte pairs by rules that are part of its program; a file only
names them (`tokenizer.ggml.pre`). The name is found by comparing what the tokenizer does, not by a
hash of its tokens: a hash knows only the very vocabularies that were listed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

FAMILIES: Final[Mapping[str, str]] = {
    "llama": "llama",
    "mistral": "llama",
    "qwen2": "qwen2",
    "qwen3": "qwen3",
}
ROPE_TYPES: Final = ("default", "linear", "llama3")
SENTENCEPIECE: Final = "tokenizer.model"

_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_REGEX_NAMES = {
    _WORDS + r"\p{N}{1,3}" + _REST: "llama-bpe",
    _WORDS + r"\p{N}" + _REST: "qwen2",
}
_IGNORES_MERGES = ("llama-bpe",)


def check_gguf(model: Path) -> str | None:
    """Why the model can't be written as GGUF, as a sentence, or None when it can."""
    try:
        config = _read(model / "config.json")
        reason = _config_reason(config)
        if reason is not None or (model / SENTENCEPIECE).is_file():
            return reason
        return _tokenizer_reason(_read(model / "tokenizer.json"), config)
    except FileNotFoundError as problem:
        return f"There is no {Path(str(problem.filename)).name} in the model's folder."
    except (OSError, ValueError) as problem:
        return f"The model's files can't be read: {problem}"


def rope_scaling(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The scaling of the positions, under either of the names that configurations have for it."""
    for name in ("rope_scaling", "rope_parameters"):
        scaling = config.get(name)
        if isinstance(scaling, Mapping):
            return scaling
    return {}


def rope_type(config: Mapping[str, Any]) -> str:
    """`default` where positions are not scaled."""
    scaling = rope_scaling(config)
    return str(scaling.get("rope_type") or scaling.get("type") or "default")


def pre_tokenizer_name(tokenizer: Mapping[str, Any]) -> str | None:
    """llama.cpp's name of how this tokenizer.json splits text, or None when it has none."""
    steps = tokenizer.get("pre_tokenizer")
    if not isinstance(steps, Mapping):
        return None
    parts: Sequence[Mapping[str, Any]] = (
        steps.get("pretokenizers", []) if steps.get("type") == "Sequence" else [steps]
    )
    if not parts or parts[-1].get("type") != "ByteLevel" or parts[-1].get("add_prefix_space"):
        return None
    by_regex = parts[-1].get("use_regex", True)
    before = parts[:-1]
    if not before:
        return "gpt-2" if by_regex else None
    if len(before) > 1:
        return None
    if before[0].get("type") == "Digits":
        return "smollm" if by_regex and before[0].get("individual_digits") else None
    if before[0].get("type") != "Split" or by_regex or before[0].get("invert"):
        return None
    pattern = before[0].get("pattern")
    regex = pattern.get("Regex") if isinstance(pattern, Mapping) else None
    return _REGEX_NAMES.get(str(regex)) if before[0].get("behavior") == "Isolated" else None


def _config_reason(config: Mapping[str, Any]) -> str | None:
    kind = config.get("model_type")
    if kind not in FAMILIES:
        return f"GGUF is written for {', '.join(FAMILIES)} models, and this one is {kind}."
    scaled = rope_type(config)
    if scaled not in ROPE_TYPES:
        return f"Its positions are scaled by {scaled}; GGUF is written for {', '.join(ROPE_TYPES)}."
    layers = config.get("layer_types")
    slides = isinstance(layers, list) and any("sliding" in str(layer) for layer in layers)
    if slides or config.get("use_sliding_window"):
        return "It uses sliding-window attention, which llama.cpp does not do for this family."
    if config.get("rope_traditional"):
        return "It turns positions in pairs of neighbours (rope_traditional)."
    act = config.get("hidden_act", "silu")
    if act != "silu":
        return f"Its activation is {act}, and llama.cpp computes silu for this family."
    return None


def _tokenizer_reason(tokenizer: Mapping[str, Any], config: Mapping[str, Any]) -> str | None:
    model = tokenizer.get("model")
    model = model if isinstance(model, Mapping) else {}
    if model.get("type") != "BPE" or model.get("byte_fallback"):
        return f"Its tokenizer is of SentencePiece's kind, and there is no {SENTENCEPIECE}."
    normalizer = tokenizer.get("normalizer")
    if isinstance(normalizer, Mapping) and normalizer.get("type") != "NFC":
        return (
            f"Its tokenizer normalises text ({normalizer.get('type')}), which llama.cpp does not."
        )
    name = pre_tokenizer_name(tokenizer)
    if name is None:
        return "llama.cpp has no name for the way that its tokenizer splits text."
    if bool(model.get("ignore_merges")) != (name in _IGNORES_MERGES):
        return f"Its tokenizer treats merges otherwise than llama.cpp does for {name}."
    if not model.get("merges"):
        return "Its tokenizer has no merges, without which llama.cpp loads none."
    rows, tokens = config.get("vocab_size"), len(model.get("vocab") or {})
    if isinstance(rows, int) and tokens > rows:
        return f"Its tokenizer has {tokens} tokens and its embedding {rows} rows."
    return None


def _read(path: Path) -> dict[str, Any]:
    value = json.loads(path.read_bytes())
    if not isinstance(value, dict):
        raise ValueError(f"{path.name} holds no object.")
    return value

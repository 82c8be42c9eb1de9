"""What a base's headers and settings say before a run: what the engine can't load, what it drops.

A refusal raises `Unusable` with a sentence; a fact is a sentence that refuses nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from backend.core.disk.stored_files import DamagedFile, read_object
from backend.models.architectures import knows_tokenizer, source_of
from backend.models.positions import positions_of
from backend.models.safetensors_headers import Tensor

JSON_CAP = 50_000_000

# `load_model` of mlx_lm: what it reads, or turns into its own form as it loads.
_METHODS = (
    "awq", "bitnet", "compressed-tensors", "fp8", "gptq", "modelopt", "mxfp4", "mxfp8",
)  # fmt: skip
_SCALED = ("yarn", "linear", "dynamic", "ntk")  # A factor that the context does not hold yet.
_EMBEDDINGS = re.compile(
    r"(?:.*\.)?(?:embed_tokens|tok_embeddings|wte|word_embeddings|embed_in|embeddings)\.weight"
)
_TOKENIZER_CAP = 4_000_000  # Bytes up to which the whole vocabulary is read; else what was added.
_SHOWN = 3
_TEMPLATE_FILES = ("chat_template.jinja", "additional_chat_templates/default.jinja")
_ENCODERS = frozenset({
    "albert", "bert", "camembert", "convbert", "deberta", "deberta-v2", "distilbert", "electra",
    "eurobert", "funnel", "ibert", "longformer", "megatron-bert", "mobilebert", "modernbert",
    "mpnet", "nomic_bert", "roberta", "roformer", "squeezebert", "xlm-roberta", "xlm-roberta-xl",
})  # fmt: skip
_ENCODER_CLASS = re.compile(r".*For(?:MaskedLM|SequenceClassification|TokenClassification)")
_PROCESSOR_FILES = ("chat_template.json", "processor_config.json", "preprocessor_config.json")


class Unusable(Exception):
    """The folder is not a model that can be trained; the text is the sentence for the user."""


def encoder_problem(config: Mapping[str, Any]) -> str | None:
    """Why a model that is not a decoder can't be trained; None for a decoder."""
    kind = config.get("model_type")
    if config.get("is_encoder_decoder") is True:
        return f"It is an encoder-decoder model ({kind}); MLX's engine trains decoders only."
    classes = config.get("architectures")
    encodes = isinstance(classes, list) and any(
        isinstance(one, str) and _ENCODER_CLASS.fullmatch(one) for one in classes
    )
    if kind in _ENCODERS or encodes:
        return (
            f"It is an encoder ({kind}), which reads text and writes none; MLX's engine trains "
            "decoders only."
        )
    return None


def check_quantization(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Raises Unusable for a method of quantisation that the engine has not, or one unnamed."""
    if _setting(config, "quantization") is None:
        quantization = _setting(config, "quantization_config")
        method = quantization.get("quant_method") if isinstance(quantization, Mapping) else None
        if quantization and method not in _METHODS and not _is_mlx(quantization):
            raise Unusable(
                f"Its weights are quantised by {method or 'a method without a name'} "
                f"(quantization_config in config.json), which the engine can't load; it reads "
                f"{', '.join(_METHODS)} and MLX's own. Use the model's unquantised version, with "
                "quantize_base where memory is short."
            )
        if quantization:
            return
        packed = next((name for name in tensors if _is_packed(name, tensors)), None)
        if packed is not None:
            raise Unusable(
                f"{packed} is packed (it has scales), and config.json names no quantization. Put "
                "back the config.json that belongs to these weights."
            )


def check_copies(copies: Mapping[str, tuple[str, str]], same: bool) -> str | None:
    """Of tensors that two weight files hold. Raises Unusable where they differ, else a fact."""
    if not copies:
        return None
    name, (first, second) = next(iter(copies.items()))
    if not same:
        raise Unusable(
            f"{first} and {second} both hold {name}, in different forms (one may be packed, with "
            "scales that config.json names no quantization for). The engine reads every file named "
            f"model*.safetensors: move the one that does not belong to the model out of the folder."
        )
    return (
        f"{first} and {second} both hold {name}"
        f"{f' and {len(copies) - 1} more tensors' if len(copies) > 1 else ''}; the engine reads "
        "both files and takes either copy."
    )


def check_head(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Raises Unusable where the output layer of an untied model is not among the weights."""
    if _setting(config, "tie_word_embeddings") is not False:
        return
    source = source_of(str(config.get("model_type")))
    if "self.lm_head" not in source or '"lm_head.weight" not in' in source:
        return
    if any("lm_head." in name for name in tensors) or not any(
        _EMBEDDINGS.fullmatch(name) for name in tensors
    ):
        return
    raise Unusable(
        "lm_head.weight is missing: config.json says tie_word_embeddings false, so the output "
        "layer has weights of its own. Set it to true if the model shares them with its "
        "embeddings, or download the missing file."
    )


def code_facts(config: Mapping[str, Any], tokenizer: Mapping[str, Any]) -> Iterator[str]:
    """What is said of code in the folder that is not needed. Raises Unusable where it is: the
    architecture itself is checked against the engine's own list.
    """
    for name, source in (("config.json", config), ("tokenizer_config.json", tokenizer)):
        for key in ("model_file", "_attn_implementation_internal"):
            if source.get(key):
                raise Unusable(
                    f"{name} asks to run code that came with the model ({key}), which is never "
                    f"done. If the engine knows the architecture without it, remove {key}."
                )
    if config.get("auto_map"):
        yield (
            "config.json names code that came with the model (auto_map); it is passed over, as the "
            "engine has the architecture itself."
        )
    own = tokenizer.get("auto_map")
    if own:
        kind = str(tokenizer.get("tokenizer_class") or "")
        if not knows_tokenizer(kind):
            raise Unusable(
                f"Its tokenizer {kind or 'without a name'} needs code that came with the model "
                "(auto_map in tokenizer_config.json), which is never run. Look for a version with "
                "a tokenizer.json whose tokenizer_class is PreTrainedTokenizerFast."
            )
        yield (
            "tokenizer_config.json names code that came with the model (auto_map); it is passed "
            f"over for the installed {kind}."
        )


def beyond_embedding(folder: Path, tensors: Mapping[str, Tensor]) -> str | None:
    """Tokens whose ids the embedding has no rows for, by name; None where there are none."""
    rows = next((t.shape[0] for name, t in tensors.items() if _is_embedding(name, t)), None)
    if rows is None:
        return None
    ids = dict(sorted((i, text) for text, i in _token_ids(folder) if i >= rows))
    if not ids:
        return None
    listing = ", ".join(f"{text} ({number})" for number, text in [*ids.items()][:_SHOWN])
    rest = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return (
        f"The tokenizer has {len(ids)} tokens beyond the embedding's {rows} rows: {listing}{rest}. "
        "The engine does not check them: text that uses one trains on made-up numbers. Leave such "
        "text out, or use the base whose embedding was resized for this tokenizer."
    )


def chat_template(folder: Path, tokenizer: Mapping[str, Any]) -> tuple[bool, str | None]:
    """Whether the engine's tokenizer has one; and where one lies that it does not read."""
    if tokenizer.get("chat_template") or any((folder / name).is_file() for name in _TEMPLATE_FILES):
        return True, None
    for name in _PROCESSOR_FILES:
        template = _object(folder / name).get("chat_template")
        if template:
            return False, (
                f"The chat template is only in {name}, which belongs to the processor and is not "
                "read by the tokenizer. Save its text as chat_template.jinja in the folder to use "
                "it."
            )
    return False, None


def scaled_context(config: Mapping[str, Any], context: int | None) -> int | None:
    """The context with its rope scaling: YaRN, linear and dynamic stretch the embeddings' own."""
    text = config.get("text_config")
    scaling = _setting(config, "rope_scaling") or (
        positions_of(config) or positions_of(text if isinstance(text, Mapping) else {})
    )
    if context is None or not isinstance(scaling, Mapping):
        return context
    kind = str(scaling.get("rope_type") or scaling.get("type") or "")
    factor, own = scaling.get("factor"), scaling.get("original_max_position_embeddings")
    if kind not in _SCALED or isinstance(factor, bool) or not isinstance(factor, int | float):
        return context
    if "gemma3" in str(config.get("model_type")) or factor <= 1:  # Counted in its context already.
        return context
    begin = own if isinstance(own, int) and own > 0 else context
    return max(context, int(begin * factor))


def _setting(config: Mapping[str, Any], name: str) -> Any:
    text = config.get("text_config")
    value = config.get(name)
    return value if value is not None else text.get(name) if isinstance(text, Mapping) else None


def _is_mlx(settings: Any) -> bool:
    return isinstance(settings, Mapping) and "bits" in settings and "group_size" in settings and (
        "quant_method" not in settings
    )  # fmt: skip


def _is_packed(name: str, tensors: Mapping[str, Tensor]) -> bool:
    return tensors[name].dtype == "U32" and f"{name.rsplit('.', 1)[0]}.scales" in tensors


def _is_embedding(name: str, tensor: Tensor) -> bool:
    return len(tensor.shape) == 2 and _EMBEDDINGS.fullmatch(name) is not None


def _token_ids(folder: Path) -> Iterator[tuple[str, int]]:
    path = folder / "tokenizer.json"
    for entry in _added(path):
        if isinstance(entry, Mapping) and isinstance(entry.get("id"), int):
            yield str(entry.get("content")), entry["id"]
    decoder = _object(folder / "tokenizer_config.json").get("added_tokens_decoder")
    for number, entry in decoder.items() if isinstance(decoder, Mapping) else ():
        if str(number).isdecimal():
            yield str(entry.get("content") if isinstance(entry, Mapping) else entry), int(number)
    for text, number in _object(folder / "added_tokens.json").items():
        if isinstance(number, int):
            yield text, number
    if path.is_file() and path.stat().st_size <= _TOKENIZER_CAP:
        model = _object(path).get("model")
        vocabulary = model.get("vocab") if isinstance(model, Mapping) else None
        if isinstance(vocabulary, Mapping):
            yield from ((text, number) for text, number in vocabulary.items() if _whole(number))
        elif isinstance(vocabulary, list):
            yield from ((str(item[0]), at) for at, item in enumerate(vocabulary) if item)


def _added(path: Path) -> list[Any]:
    """The added tokens, which stand at the head of a tokenizer.json that may be large."""
    try:
        with path.open(encoding="utf-8") as file:
            head = file.read(_TOKENIZER_CAP)
        at = head.index('"added_tokens"')
        tokens, _ = json.JSONDecoder().raw_decode(head, head.index("[", at))
    except (OSError, ValueError, RecursionError):
        return []
    return tokens if isinstance(tokens, list) else []


def _object(path: Path) -> Mapping[str, Any]:
    """Of a file that may be missing or broken: whoever needs it says so."""
    try:
        return read_object(path, most=JSON_CAP)
    except (OSError, DamagedFile):
        return {}


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)

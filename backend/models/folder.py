"""Describe one model folder, and say in a sentence why it can't be used if so."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.contract.run.folder import ADAPTER_CONFIG
from backend.core.disk.stored_files import DamagedFile, read_bytes, read_object
from backend.models.architectures import is_supported
from backend.models.checks import (
    JSON_CAP,
    UnusableModel,
    beyond_embedding,
    chat_template,
    check_copies,
    check_head,
    check_quantization,
    code_facts,
    encoder_problem,
    scaled_context,
)
from backend.models.safetensors_headers import (
    BadWeights,
    WeightSummary,
    count_parameters,
    main_dtype,
    quantization_name,
    read_weights,
)
from backend.models.schemas import ModelInfo
from backend.models.source import read_source

DEFAULTS_FILE = "droid_defaults.json"

_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "tiktoken.model", "vocab.json", "vocab.txt")
_PICKLED = (".bin", ".pt", ".pth", ".ckpt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """`shape` is that part of the fingerprint that costs nothing more; None without weights."""

    info: ModelInfo
    shape: str | None


def describe_folder(name: str, folder: Path) -> Described:
    """Read config, tokenizer settings and weight headers. Never raises: `problem` says what is
    wrong, with whatever else could be learned.
    """
    config: Mapping[str, Any] = {}
    weights: WeightSummary | None = None
    problem: str | None = None
    facts: list[str] = []
    try:
        config = _config(folder)
        weights = _weights(folder)
        stale = _stale_index(folder, weights)
        _check_type(config)
        _check_tokenizer(folder)
        facts.extend(_facts(folder, config, weights, stale))
    except (UnusableModel, BadWeights) as refusal:
        problem = str(refusal)
    except OSError as failure:  # No permission, or a disk that is gone.
        problem = f"{folder} can't be read: {failure.strerror}."
    text = config.get("text_config")
    places = [config, text if isinstance(text, Mapping) else {}]
    templated, elsewhere = _has_chat_template(folder)
    context = _number(
        places, "max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "n_ctx"
    )
    info = ModelInfo(
        name=name,
        path=str(folder),
        model_type=_text(config.get("model_type")),
        vocab_size=_number(places, "vocab_size"),
        num_layers=_number(places, "num_hidden_layers", "n_layer", "n_layers", "num_layers"),
        hidden_size=_number(places, "hidden_size", "n_embd", "d_model", "dim"),
        parameters=count_parameters(weights.tensors, config) if weights else None,
        quantization=quantization_name(config),
        dtype=main_dtype(weights.tensors) if weights else None,
        size_bytes=weights.size_bytes if weights else None,
        chat_template=templated,
        context_length=scaled_context(config, context),
        problem=encoder_problem(config) or problem,
        defaults=_defaults(folder),
        facts=[*facts, *([elsewhere] if elsewhere else [])],
        weights_format=weights.format if weights else None,
        source=read_source(folder),
    )
    return Described(info=info, shape=_shape(folder, weights))


def weight_files(folder: Path) -> list[Path]:
    """Those that the engine reads."""
    return sorted(folder.glob("model*.safetensors"))


def looks_like_model(folder: Path) -> bool:
    """Whether the folder holds a model, or something that was meant to be one."""
    try:
        names = [entry.name for entry in os.scandir(folder)]
    except OSError:
        return False
    return any(
        name == "config.json" or name.endswith((".safetensors", ".gguf", *_PICKLED))
        for name in names
    )


def stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Changes whenever a file of the folder does; cheap enough to ask for on every listing."""
    entries = []
    try:
        for entry in os.scandir(folder):
            try:
                status = entry.stat()
            except OSError:  # A link of the Hugging Face cache to a blob that is not there yet.
                entries.append((entry.name, -1, -1))
                continue
            entries.append((entry.name, status.st_size, status.st_mtime_ns))
    except OSError:
        return ()
    return tuple(sorted(entries))


def _config(folder: Path) -> Mapping[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        if (folder / ADAPTER_CONFIG).is_file():
            raise UnusableModel("This is an adapter, not a base model: it has no config.json.")
        raise UnusableModel("There is no config.json, so this is not a model folder.")
    return _read_object(path)


def _read_object(path: Path) -> Mapping[str, Any]:
    try:
        return read_object(path, most=JSON_CAP)
    except OSError as problem:
        raise UnusableModel(f"{path.name} can't be read: {problem.strerror}.") from problem
    except DamagedFile as problem:
        raise UnusableModel(problem.detail) from problem


def _weights(folder: Path) -> WeightSummary:
    files = weight_files(folder)
    if files:
        return read_weights(files)
    _stale_index(folder, None)
    if (folder / ADAPTER_CONFIG).is_file():
        raise UnusableModel("This is an adapter, not a base model: it has no model weights.")
    others = sorted(path.name for path in folder.glob("*.safetensors"))
    if others:
        raise UnusableModel(
            f"The weights are in {others[0]}, but the engine reads only files named "
            "model*.safetensors."
        )
    pickled = sorted(path.name for path in folder.iterdir() if path.suffix in _PICKLED)
    if pickled:
        raise UnusableModel(
            f"The weights are in {pickled[0]}, a pickle that can run code when it is opened. "
            "Only safetensors are loaded; look for a safetensors version of the model."
        )
    if any(folder.glob("*.gguf")):
        raise UnusableModel("The weights are GGUF, which can be run but not trained.")
    raise UnusableModel("There are no weights: model*.safetensors is missing.")


def _stale_index(folder: Path, weights: WeightSummary | None) -> str | None:
    """A fact where the index is of other files than those that hold all its tensors. Raises
    Unusable where some are nowhere.
    """
    path = folder / "model.safetensors.index.json"
    if not path.is_file():
        return None
    try:
        weight_map = _read_object(path).get("weight_map")
    except UnusableModel as problem:
        return _unread_index(str(problem))
    if not isinstance(weight_map, dict):
        return _unread_index(f"{path.name} has no weight_map.")
    parts = sorted({str(part) for part in weight_map.values()})
    missing = [part for part in parts if not (folder / Path(part).name).is_file()]
    if not missing:
        return None
    absent = sorted(name for name in weight_map if weights is None or name not in weights.tensors)
    if absent:
        raise UnusableModel(
            f"{len(missing)} of {len(parts)} weight files are missing, {missing[0]} for one. "
            "The download may not have finished."
        )
    return (
        f"{path.name} names {len(missing)} files that are not there, {missing[0]} for one; all of "
        "its tensors are in the files that are, and the engine reads those."
    )


def _unread_index(problem: str) -> str:
    return f"{problem.rstrip('.')}; the engine reads the weight files that are there without it."


def _check_type(config: Mapping[str, Any]) -> None:
    model_type = config.get("model_type")
    if not isinstance(model_type, str) or not model_type:
        raise UnusableModel("config.json names no model_type.")
    if not is_supported(model_type):
        raise UnusableModel(f"The installed engine does not know the architecture {model_type!r}.")


def _check_tokenizer(folder: Path) -> None:
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise UnusableModel(
            "The tokenizer is missing: there is no tokenizer.json or tokenizer.model."
        )


def _has_chat_template(folder: Path) -> tuple[bool | None, str | None]:
    path = folder / "tokenizer_config.json"
    try:
        return chat_template(folder, _read_object(path) if path.is_file() else {})
    except (UnusableModel, OSError):
        return None, None


def _facts(
    folder: Path, config: Mapping[str, Any], weights: WeightSummary, stale: str | None
) -> Iterator[str]:
    """What to know of it; raises Unusable for what the engine can't load."""
    tokenizer = folder / "tokenizer_config.json"
    yield from code_facts(config, _read_object(tokenizer) if tokenizer.is_file() else {})
    if stale:
        yield stale
    if copies := check_copies(weights.copies, weights.same_copies):
        yield copies
    check_quantization(config, weights.tensors)
    check_head(config, weights.tensors)
    if beyond := beyond_embedding(folder, weights.tensors):
        yield beyond


def _defaults(folder: Path) -> dict[str, Any] | None:
    """What `droid_defaults.json` suggests for the form; data paths are relative to the folder."""
    path = folder / DEFAULTS_FILE
    try:
        values = dict(_read_object(path))
    except UnusableModel:  # Most have none.
        return None
    for name in ("train_data_path", "val_data_path"):
        if isinstance(values.get(name), str) and values[name]:
            values[name] = os.path.normpath(folder / values[name])
    return values


def _shape(folder: Path, weights: WeightSummary | None) -> str | None:
    if weights is None:
        return None
    try:
        config = read_bytes(folder / "config.json", most=JSON_CAP)
    except (OSError, DamagedFile):  # Gone since it was looked at.
        return None
    return hashlib.sha256(config + weights.fingerprint.encode()).hexdigest()


def _number(places: list[Mapping[str, Any]], *names: str) -> int | None:
    for place in places:
        for name in names:
            value = place.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and value > 0:
                return value
    return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None

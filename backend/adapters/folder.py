"""What an adapter folder holds, whichever program wrote it. Nothing is loaded or written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeGuard

from backend.adapters import peft
from backend.contract.run.folder import (
    ADAPTER_CONFIG,
    BEST,
    LATEST,
    LINEAGE,
    checkpoint_file,
    checkpoint_of,
)
from backend.core.disk.stored_files import DamagedFile, read_object
from backend.models.checks import JSON_CAP

Checkpoint = Literal["best", "latest"] | int

TAGS = "tags.json"
OLD = "adapters.npz"  # Of mlx_lm before it wrote safetensors.
_PICTURES = "pytorch_lora_weights.safetensors"  # As diffusers names it.

# `weights_only` runs no code of the pickle.
_CONVERT = (
    'python -c "import torch; from safetensors.torch import save_file; '
    "save_file({k: v.contiguous() for k, v in torch.load('adapter_model.bin', map_location='cpu', "
    f"weights_only=True).items()}}, '{peft.FILE}')\""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterFolder:
    """`bases` are the base models that it names, best known first; `fingerprint` is the first's.

    `problem` says why it can't be used at all, where that shows without opening its weights.
    `damaged` are sentences about files beside the weights that can't be read.
    """

    name: str
    path: Path
    config: Mapping[str, Any]
    lineage: Mapping[str, Any]
    has_best: bool
    has_latest: bool
    checkpoints: tuple[int, ...]
    is_peft: bool
    bases: tuple[str, ...]
    fingerprint: str | None
    quantize_base: int | None
    problem: str | None
    tags: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()


def is_folder_name(name: str) -> bool:
    """Whether it can name an adapter's folder: also names that a run would not give, with spaces,
    `=` or any script. Hidden ones, and what leads elsewhere or is no text, are none.
    """
    if name in ("", "..") or name.startswith(".") or "/" in name or "\0" in name:
        return False
    try:
        return len(name.encode()) <= 255
    except UnicodeEncodeError:  # Bytes of a file system that are no UTF-8.
        return False


def looks_like_adapter(folder: Path) -> bool:
    """Whether the folder holds an adapter, or something that was meant to be one."""
    try:
        return (folder / ADAPTER_CONFIG).is_file() or any(
            (folder / name).is_file() for name in (LATEST, BEST, peft.FILE, OLD)
        )
    except OSError:  # Nobody may look into it.
        return False


def what_else(folder: Path) -> str | None:
    """What a folder without an adapter holds instead, where that has a name."""
    names = sorted(path.name for path in _files(folder))
    if any(name.endswith(".gguf") for name in names):
        return (
            "It holds GGUF, which programs such as llama.cpp run, and which can't be turned back."
        )
    if _PICTURES in names:
        return f"{_PICTURES} is of a model that makes pictures, not text."
    if "config.json" in names and any(name.startswith("model") for name in names):
        return "It is a base model: put it into the models folder and choose it as base model."
    return None


def read_folder(name: str, folder: Path) -> AdapterFolder:
    """Describe it. Never raises: what is wrong is its `problem`."""
    problem: str | None = None
    config: Mapping[str, Any] = {}
    lineage: Mapping[str, Any] = {}
    try:
        config = read_object(folder / ADAPTER_CONFIG, most=JSON_CAP)
    except FileNotFoundError:
        problem = "There is no adapter_config.json, so its scale and base are unknown."
    except DamagedFile as damage:
        problem = damage.detail
    damaged: list[str] = []
    try:
        lineage = read_object(folder / LINEAGE)
    except FileNotFoundError:
        lineage = {}
    except DamagedFile as damage:
        damaged.append(f"{damage.detail} Which session made it is unknown.")
    tags: tuple[str, ...] = ()
    try:
        tags = read_tags(folder)
    except DamagedFile as damage:
        damaged.append(f"{damage.detail} Its tags are unknown; the file is unchanged.")
    steps = (checkpoint_of(path.name) for path in _files(folder))
    numbers = sorted(step for step in steps if step is not None)
    is_peft = peft.is_peft(config)
    has_best, has_latest = (folder / BEST).is_file(), (folder / LATEST).is_file()
    if is_peft and not has_latest:
        has_latest = (folder / peft.FILE).is_file()
    has_weights = has_best or has_latest or bool(numbers)
    if not has_weights and (problem is None or (folder / OLD).is_file()):
        problem = _why_no_weights(folder, is_peft)
    base = lineage.get("base_model")
    base = base if isinstance(base, Mapping) else {}
    bases = [base.get("path"), config.get("model"), config.get("base_model_name_or_path")]
    bits = base.get("quantize_base")
    return AdapterFolder(
        name=name,
        path=folder,
        config=config,
        lineage=lineage,
        has_best=has_best,
        has_latest=has_latest,
        checkpoints=tuple(numbers),
        is_peft=is_peft,
        bases=tuple(dict.fromkeys(item for item in bases if _is_name(item))),
        fingerprint=base["fingerprint"] if isinstance(base.get("fingerprint"), str) else None,
        quantize_base=bits if isinstance(bits, int) else None,
        problem=problem,
        tags=tags,
        damaged=tuple(damaged),
    )


def _is_name(value: object) -> TypeGuard[str]:
    """Whether it can be a model's name or path; no path holds a zero character."""
    return isinstance(value, str) and value != "" and "\0" not in value


def default_checkpoint(adapter: AdapterFolder) -> Checkpoint:
    """The checkpoint that is taken where none is named. It must have some."""
    if adapter.has_best:
        return "best"
    return "latest" if adapter.has_latest else adapter.checkpoints[-1]


def named_checkpoint(adapter: AdapterFolder, *, use_best: bool) -> Checkpoint | None:
    """The last weights, where the best are not wanted and there are some; None: the preferred."""
    return "latest" if adapter.has_latest and not use_best else None


def base_record(adapter: AdapterFolder, name: str, path: str) -> dict[str, Any]:
    """`base_model` of the lineage of what is made from an adapter on the base found here."""
    record_value = adapter.lineage.get("base_model")
    record = dict(record_value) if isinstance(record_value, dict) else {}
    return {**record, "name": name, "path": path}


def weights_of(adapter: AdapterFolder, checkpoint: str | int) -> Path:
    """The file of `best`, `latest` or a step; it need not be there."""
    if checkpoint == "best":
        return adapter.path / BEST
    if checkpoint == "latest":
        latest = adapter.path / LATEST
        return latest if latest.is_file() or not adapter.is_peft else adapter.path / peft.FILE
    return adapter.path / checkpoint_file(int(checkpoint))


def read_tags(folder: Path) -> tuple[str, ...]:
    """The user's tags. Raises DamagedFile where they can't be read."""
    try:
        tags = read_object(folder / TAGS).get("tags")
    except FileNotFoundError:
        return ()
    if not isinstance(tags, list):
        raise DamagedFile(f"{TAGS} holds no list of tags.")
    return tuple(tag for tag in tags if isinstance(tag, str))


def _files(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_file()]
    except OSError:
        return []


def _why_no_weights(folder: Path, is_peft: bool) -> str:
    pickled = folder / "adapter_model.bin"
    if is_peft and pickled.is_file():
        return (
            "Its weights are in adapter_model.bin, a pickle that can run code when it is opened; "
            "only safetensors are loaded. Convert it in its folder, with a Python that has torch: "
            f"{_CONVERT}"
        )
    if (folder / OLD).is_file():
        return (
            f"Its weights are in {OLD}, the form of an mlx_lm before safetensors, which the engine "
            'no longer loads. Turn them over once in its folder: python -c "import mlx.core as mx; '
            f"mx.save_safetensors('{LATEST}', mx.load('{OLD}'))\", with an adapter_config.json "
            "that has its scale and base."
        )
    return "It has no weights yet: no checkpoint was saved."

"""Make the quantised copy of a base that a run trains on: once, and whole or not at all.

`.<name>.lock` beside a copy is locked while it is made, and shared by every process that uses it,
to its end; when it was last used is the lock's time. The server removes old copies by these two.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx import nn
from mlx_lm.utils import quantize_model, save

from backend.contract.run.config import TrainedModel
from backend.contract.run.events import Phase
from backend.core.disk.files import sync_folder, write_json
from backend.core.disk.removal import discard, remove
from backend.engines.process.events import Emitter
from backend.engines.process.staged_folder import sync_files
from backend.engines.weights.base import load_with_config

GROUPS = (64, 32)
COPY = re.compile(r".+-q\d+")  # As backend/training/quantize/base.py names it.
MADE = "droid_quantized.json"  # Written last: what the copy is of, and the sizes of its files.


class NotQuantizable(ValueError):
    """No matrix of the model can be quantised."""


def make_quantized_base(config: TrainedModel, emit: Emitter, say: Callable[[str], None]) -> None:
    """See that the folder `config.model` is there, where `quantize_base` asks for a copy."""
    bits = config.quantize_base
    if not bits or config.quantize_from is None:
        return
    source, target = Path(config.quantize_from), Path(config.model)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(target) as handle:
        there = _is_whole(target)
        if there:
            say(f"Training on the {bits}-bit copy of the base in {target}.")
        else:
            emit(Phase(name="quantising base"))
            say(f"Quantising the base to {bits} bits (once) ...")
            _remove_remains(target)
            group = _make(source, target, bits, config.model_fingerprint)
        _use(handle)
    if there:
        return
    # The run's peak is that of its training.
    mx.clear_cache()
    mx.reset_peak_memory()
    emit(Phase(name="loading model"))
    say(f"Quantised the base to {bits} bits in groups of {group}: {target}.")


def _make(source: Path, target: Path, bits: int, fingerprint: str | None) -> int:
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    try:
        # Lazily: each file of the copy is computed as it is written, so not all is in memory.
        model, tokenizer, config = load_with_config(str(source), lazy=True)
        group = choose_group(model)
        model, config = quantize_model(model, config, group, bits)
        save(temporary, source, model, tokenizer, config)
        facts = {"source": str(source), "fingerprint": fingerprint, "bits": bits, "group": group}
        write_json(temporary / MADE, facts | {"files": _file_sizes(temporary)})
        sync_files(temporary)
        temporary.replace(target)
        sync_folder(target.parent)
    finally:
        discard(temporary)
    return group


def choose_group(model: nn.Module) -> int:
    """64, or 32 where that quantises more kinds of matrices."""
    widths = {
        module.weight.shape[-1]
        for _, module in model.named_modules()
        if hasattr(module, "to_quantized") and "weight" in module
    }
    fits = {group: sum(width % group == 0 for width in widths) for group in GROUPS}
    best = max(GROUPS, key=lambda group: fits[group])
    if not fits[best]:
        raise NotQuantizable(
            f"The model can't be quantised: none of its matrices has a multiple of {GROUPS[-1]} "
            "inputs. Leave quantize_base empty."
        )
    return best


def _is_whole(folder: Path) -> bool:
    try:
        sizes: dict[str, Any] = json.loads((folder / MADE).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return _file_sizes(folder) == sizes


def _file_sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir() if path.name != MADE}


def _remove_remains(target: Path) -> None:
    """Of a run that was killed in the middle, or a copy that something was taken from."""
    for stray in target.parent.glob(f".{target.name}.*.tmp"):
        discard(stray)
    remove(target, inside=target.parent, own=_is_a_copy)


def _is_a_copy(folder: Path) -> bool:
    """By its place and name: what the configuration names could be any folder."""
    return folder.parent.name == "quantized" and COPY.fullmatch(folder.name) is not None


@contextmanager
def _alone(target: Path) -> Iterator[int]:
    """One process at a time makes a copy; the kernel gives the lock back whatever happens."""
    lock = target.with_name(f".{target.name}.lock")
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def _use(handle: int) -> None:
    """Tell that the copy is in use from now on, until this process ends."""
    os.utime(handle)
    # Shared by a handle of its own, which nobody closes: one lock goes over into the other.
    fcntl.flock(os.dup(handle), fcntl.LOCK_SH)

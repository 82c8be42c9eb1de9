"""The base models on this machine: find them, and refuse those that can't be used with a reason."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from backend.core.disk.stored_files import DamagedFile, read_text
from backend.errors import NotFound
from backend.models.fingerprint import joined, sample_weights
from backend.models.folder import Described, describe_folder, looks_like_model, stamp, weight_files
from backend.models.schemas import ModelInfo
from backend.settings import Settings

CleanDefaults = Callable[[dict[str, Any]], dict[str, Any]]


class ModelCatalog:
    """Looks through `settings.models_dirs`; a folder is read again only when a file changed.

    Known layouts: `<dir>/<model>`, LM Studio's `<dir>/<publisher>/<model>`, and the Hugging Face
    cache's `models--<publisher>--<model>/snapshots/<revision>`. `clean_defaults` drops what a
    model's own `droid_defaults.json` suggests and the form does not have.
    """

    def __init__(self, settings: Settings, clean_defaults: CleanDefaults | None = None) -> None:
        self._folders = settings.models_dirs
        self._root = settings.data_dir
        self._clean = clean_defaults or dict
        self._cache: dict[Path, tuple[object, Described]] = {}
        self._samples: dict[Path, tuple[object, str]] = {}
        self._lock = threading.Lock()

    def scan(self) -> list[ModelInfo]:
        """Every model folder, usable ones first, then by name. Names are unique."""
        models = [self._describe(name, folder).info for name, folder in self._named()]
        return sorted(models, key=lambda model: (model.problem is not None, model.name.lower()))

    def find(self, name_or_path: str) -> ModelInfo:
        """The model of that name, or in that folder. Raises NotFound naming the nearest names."""
        return self._find(name_or_path).info

    def fingerprint(self, name_or_path: str) -> str | None:
        """Changes when the model does (`backend/models/fingerprint.py`). None without weights."""
        model_folder = self._find(name_or_path)
        if model_folder.shape is None:
            return None
        folder = Path(model_folder.info.path)
        now = stamp(folder)
        with self._lock:
            sample = self._samples.get(folder)
        if sample is None or sample[0] != now:
            try:
                sample = now, sample_weights(weight_files(folder))
            except OSError:  # Deleted since it was looked at: the run will say so.
                return model_folder.shape
            with self._lock:
                self._samples[folder] = sample
        return joined(model_folder.shape, sample[1])

    def _find(self, name_or_path: str) -> Described:
        folders = list(self._named())
        for name, folder in folders:
            if name == name_or_path:
                return self._describe(name, folder)
        path = self._root / Path(name_or_path).expanduser()
        if "/" in name_or_path and path.is_dir():
            known_names = {folder.resolve(): name for name, folder in folders}
            return self._describe(known_names.get(path.resolve(), path.name), path)
        names = [name for name, _ in folders]
        near = difflib.get_close_matches(name_or_path, names, n=3, cutoff=0.4)
        raise NotFound(
            f"There is no model {name_or_path!r}.",
            hint=f"Did you mean {' or '.join(near)}?"
            if near
            else "Choose one of the model list, or give the full path of a model folder.",
        )

    def _describe(self, name: str, folder: Path) -> Described:
        now = stamp(folder)
        with self._lock:
            description = self._cache.get(folder)
        if description and description[0] == now and description[1].info.name == name:
            return description[1]
        described = describe_folder(name, folder)
        if described.info.defaults is not None:
            described.info.defaults = self._clean(described.info.defaults)
        with self._lock:
            self._cache[folder] = (now, described)
        return described

    def _named(self) -> Iterator[tuple[str, Path]]:
        """Unique names: of two models with one name, the later gets its publisher in front."""
        taken: set[str] = set()
        folders: set[Path] = set()
        for root in self._folders:
            for publisher, name, folder in _models_in(root):
                real = folder.resolve()
                if real in folders:
                    continue
                folders.add(real)
                unique = next(
                    candidate
                    for candidate in _candidates(publisher, name)
                    if candidate not in taken
                )
                taken.add(unique)
                yield unique, folder


def _candidates(publisher: str | None, name: str) -> Iterator[str]:
    yield name
    if publisher:
        yield f"{publisher}--{name}"
    number = 2
    while True:
        yield f"{name}--{number}"
        number += 1


def _models_in(root: Path) -> Iterator[tuple[str | None, str, Path]]:
    if _has_config(root):
        yield None, root.name, root
        return
    for folder in _subfolders(root):
        if folder.name.startswith("models--"):
            snapshot = _snapshot(folder)
            if snapshot is not None:
                publisher, _, name = folder.name.removeprefix("models--").partition("--")
                yield (publisher, name, snapshot) if name else (None, publisher, snapshot)
            continue
        inner = [] if looks_like_model(folder) else _subfolders(folder)
        models = [model for model in inner if looks_like_model(model)]
        if models:
            yield from ((folder.name, model.name, model) for model in models)
        elif not inner and not _is_hub_cache(root):
            yield None, folder.name, folder


def _is_hub_cache(root: Path) -> bool:
    return root.name == "hub" and root.parent.name == "huggingface"


def _snapshot(folder: Path) -> Path | None:
    """The revision that `main` points at, else the newest one; None if that has no model."""
    try:
        revision = read_text(folder / "refs" / "main").strip()
    except (OSError, DamagedFile):
        revision = ""
    snapshots = _subfolders(folder / "snapshots")
    revisions = [path for path in snapshots if path.name == revision]
    newest = max(revisions or snapshots, key=_changed, default=None)
    return newest if newest is not None and _has_config(newest) else None


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _has_config(folder: Path) -> bool:
    """Also where that can't be told: then the model is listed, with the reason."""
    try:
        return (folder / "config.json").exists()
    except OSError:
        return True


def _subfolders(folder: Path) -> list[Path]:
    try:
        return sorted(
            path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
        )
    except OSError:
        return []

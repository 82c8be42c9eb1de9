"""A cache of what transformers reads of its own files whenever it is imported.

`import transformers` (5.x) opens some 3,000 files of its `models` folder to list the names in
them: 1.3 of the 2.1 s of CPU that a child needs before it can load a tokenizer, the same every
time. The lists are kept in `.cache/imports` of the checkout, by version and by the folder's time of
change, and handed to transformers in place of the search. Where anything is not as expected (no
such function, a damaged or foreign file, a folder that can't be written), the search is done.
"""

from __future__ import annotations

import hashlib
import importlib.abc
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any

from backend.core.disk.files import write_json

Structure = dict[frozenset[str], dict[str, set[str]]]

_MODULE = "transformers.utils.import_utils"
_FUNCTION = "define_import_structure"
_FOLDER = Path(__file__).resolve().parents[3] / ".cache" / "imports"


def cache_imports(folder: Path = _FOLDER) -> None:
    """Use the cache from the next import of transformers on; nothing if it is imported already."""
    if "transformers" not in sys.modules and not any(
        isinstance(finder, _Finder) for finder in sys.meta_path
    ):
        sys.meta_path.insert(0, _Finder(folder))


class _Finder(importlib.abc.MetaPathFinder):
    """Finds one module as Python does, and puts the cache into it once it is loaded."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _MODULE:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._folder)
        return spec


class _Loader(importlib.abc.Loader):
    def __init__(self, loader: importlib.abc.Loader, folder: Path) -> None:
        self._loader = loader
        self._folder = folder

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        search = getattr(module, _FUNCTION, None)
        if callable(search):
            setattr(module, _FUNCTION, cache_structure(search, self._folder))


def cache_structure(
    search: Callable[[str, str | None], Structure], folder: Path
) -> Callable[..., Structure]:
    """`search` with its answers kept in `folder`."""

    def define_import_structure(module_path: str, prefix: str | None = None) -> Structure:
        file = _file(folder, Path(module_path), prefix)
        if file is None:
            return search(module_path, prefix)
        with suppress(OSError, ValueError, TypeError, AttributeError):
            return _from_json(json.loads(file.read_bytes()))
        structure = search(module_path, prefix)
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            write_json(file, _to_json(structure))
        return structure

    return define_import_structure


def _file(folder: Path, place: Path, prefix: str | None) -> Path | None:
    """Of that place at its present state; None where that can't be told."""
    try:
        state = f"{version('transformers')} {place.resolve()} {place.stat().st_mtime_ns} {prefix}"
    except (OSError, PackageNotFoundError):
        return None
    return folder / f"transformers-{hashlib.sha256(state.encode()).hexdigest()[:24]}.json"


def _to_json(structure: Structure) -> list[list[Any]]:
    return [
        [sorted(backends), {name: sorted(names) for name, names in modules.items()}]
        for backends, modules in structure.items()
    ]


def _from_json(value: Any) -> Structure:
    """Raises ValueError, TypeError or AttributeError for what was not written here."""
    return {
        frozenset(backends): {name: set(names) for name, names in modules.items()}
        for backends, modules in value
    }

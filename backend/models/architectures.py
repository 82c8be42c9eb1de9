"""Which architectures the installed engine knows, read from its files without importing it."""

from __future__ import annotations

import ast
import importlib.util
import re
from functools import lru_cache
from pathlib import Path

_MODEL = re.compile(r"^class Model\(|^from .+ import (\(|.*\bModel\b)", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")


def is_supported(model_type: str) -> bool:
    """Whether mlx_lm has a model of that type. True where mlx_lm itself can't be found."""
    folder = _engine_folder()
    if folder is None:
        return True
    if not _NAME.fullmatch(model_type):
        return False
    return _has_model(folder / "models" / f"{_rename(folder).get(model_type, model_type)}.py")


def source_of(model_type: str) -> str:
    """The text of the engine's code of an architecture; empty where that can't be read."""
    folder = _engine_folder()
    if folder is None or not _NAME.fullmatch(model_type):
        return ""
    name = _rename(folder).get(model_type, model_type)
    return _text(folder / "models" / f"{name}.py")


def knows_tokenizer(name: str) -> bool:
    """Whether transformers has a tokenizer class of that name, with or without Fast."""
    if not _NAME.fullmatch(name):
        return False
    if name.removesuffix("Fast") == "PreTrainedTokenizer":
        return True
    spec = importlib.util.find_spec("transformers")
    locations = spec.submodule_search_locations if spec else None
    if not locations:
        return True
    listed = _text(Path(locations[0]) / "models" / "auto" / "tokenization_auto.py")
    plain = name.removesuffix("Fast")
    return any(f'"{each}"' in listed for each in (name, plain, f"{plain}Fast"))


def _engine_folder() -> Path | None:
    spec = importlib.util.find_spec("mlx_lm")
    locations = spec.submodule_search_locations if spec else None
    return Path(locations[0]) if locations else None


@lru_cache(maxsize=64)
def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


@lru_cache(maxsize=512)
def _has_model(path: Path) -> bool:
    try:
        return _MODEL.search(path.read_text(encoding="utf-8")) is not None
    except OSError:
        return False


@lru_cache(maxsize=4)
def _rename(folder: Path) -> dict[str, str]:
    """MODEL_REMAPPING of mlx_lm/utils.py: names that another architecture's code serves."""
    try:
        tree = ast.parse((folder / "utils.py").read_text(encoding="utf-8"))
    except (OSError, SyntaxError):
        return {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "MODEL_REMAPPING"
            for target in node.targets
        ):
            value = ast.literal_eval(node.value)
            return {str(key): str(name) for key, name in value.items()}
    return {}

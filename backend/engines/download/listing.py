"""Which files of a repository make a model that can be trained. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from backend.contract.download import HubFile
from backend.contract.run.folder import ADAPTER_CONFIG

_WEIGHTS = re.compile(r"model[^/]*\.safetensors")
# Never code (*.py), never pickles (*.bin, *.pt): neither is ever loaded.
_BESIDE = re.compile(
    r"config\.json|generation_config\.json|tokenizer[^/]*\.(?:json|model)|special_tokens_map\.json|"
    r"added_tokens\.json|vocab\.(?:json|txt)|merges\.txt|[^/]*\.tiktoken|tiktoken\.model|"
    r"spiece\.model|chat_template\.(?:jinja|json)|[^/]+\.jinja|model\.safetensors\.index\.json|"
    r"(?:preprocessor|processor)_config\.json|README\.md|LICEN[CS]E[^/]*|NOTICE(?:\.txt|\.md)?",
)
_PICKLED = (".bin", ".pt", ".pth", ".ckpt")


class NoModel(Exception):
    """The repository holds nothing that can be trained; the text says what it holds instead."""


def choose(files: Iterable[HubFile]) -> list[HubFile]:
    """The files to fetch, small ones first: a wrong choice is noticed before the weights come."""
    listed = list(files)
    names = [file.name for file in listed]
    choice = [f for f in listed if _WEIGHTS.fullmatch(f.name) or _BESIDE.fullmatch(f.name)]
    if not any(_WEIGHTS.fullmatch(file.name) for file in choice):
        raise NoModel(_instead(names))
    if "config.json" not in names:
        raise NoModel("It has no config.json, so it is not a base model.")
    return sorted(choice, key=lambda file: (file.size, file.name))


def _instead(names: list[str]) -> str:
    if ADAPTER_CONFIG in names:
        return "It is an adapter, not a base model."
    if any(name.endswith(".gguf") for name in names):
        return "Its weights are GGUF, which can be run but not trained."
    if any(name.endswith(_PICKLED) for name in names):
        return "Its weights are pickles, which can run code when opened; only safetensors are used."
    return "It has no model*.safetensors, the weights the engine reads."

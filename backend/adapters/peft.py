"""Read a PEFT adapter as the engine would have written it: other names, and matrices turned over.

PEFT stores A as (rank, inputs) and B as (outputs, rank) and scales by alpha/rank (alpha/√rank with
rsLoRA); the engine stores (inputs, rank) and (rank, outputs) and a scale. No file is written: the
worker gets the map of names and turns the matrices as it loads them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.models.safetensors_headers import Tensor

FILE = "adapter_model.safetensors"

_NAME = re.compile(
    r"(?:base_model\.model\.)?(?P<module>.+?)\."
    r"(?P<part>lora_A|lora_B|lora_embedding_A|lora_embedding_B|lora_magnitude_vector)"
    r"(?:\.default)?(?:\.weight)?"
)
_PARTS = {
    "lora_A": "lora_a", "lora_B": "lora_b", "lora_embedding_A": "lora_a",
    "lora_embedding_B": "lora_b", "lora_magnitude_vector": "m",
}  # fmt: skip
_BASE_COPY = ".base_layer.weight"  # PEFT saves it with an adapter of the embedding.
_CHANGES_THE_BASE = ("pissa", "olora", "corda", "loftq", "eva", "lora_ga")
# Fields under which the same two matrices mean something else.
_OTHER_MEANING = {
    "alora_invocation_tokens": "the adapter works only after those tokens",
    "layer_replication": "layers of the base are used several times",
    "use_qalora": "inputs are pooled in groups",
    "use_bdlora": "the matrices are diagonal in blocks",
    "kasa_config": "the base's matrices are cut down",
    "monteclora_config": "the matrices are drawn at random",
}


class NotConvertible(Exception):
    """The adapter uses what the engine has nothing for; the text is a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeftLayout:
    """`names`: PEFT's tensor name → (the engine's, whether to turn it over). `tensors` as the
    engine will see them.
    """

    names: Mapping[str, tuple[str, bool]]
    tensors: Mapping[str, Tensor]
    scale: float
    scales: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def is_peft(config: Mapping[str, Any]) -> bool:
    """Whether an adapter_config.json is PEFT's."""
    return "peft_type" in config


def peft_layout(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> PeftLayout:
    """How the engine reads these tensors. Raises NotConvertible with a sentence."""
    if config.get("peft_type") != "LORA":
        raise NotConvertible(f"It is a PEFT adapter of type {config.get('peft_type')}, not LoRA.")
    for field_name, what in _OTHER_MEANING.items():
        if config.get(field_name):
            raise NotConvertible(
                f"Its adapter_config.json sets {field_name}: {what}, which the engine has not."
            )
    names: dict[str, tuple[str, bool]] = {}
    turned: dict[str, Tensor] = {}
    copies: list[str] = []
    for name, tensor in tensors.items():
        if name.endswith(_BASE_COPY):
            copies.append(name.removeprefix("base_model.model.").removesuffix(_BASE_COPY))
            continue
        match = _NAME.fullmatch(name)
        if match is None:
            raise NotConvertible(
                f"It also changes {name}, which the engine's adapters can't: only LoRA matrices "
                "are taken."
            )
        part, turn = _PARTS[match["part"]], match["part"] != "lora_magnitude_vector"
        if len(tensor.shape) != (2 if turn else 1):
            raise NotConvertible(f"{name} has the shape {tensor.shape}: no matrix of a layer.")
        new = f"{match['module']}.{part}"
        names[name] = (new, turn)
        turned[new] = Tensor(tensor.dtype, tensor.shape[::-1])
    ranks = {name[:-7]: t.shape[1] for name, t in turned.items() if name.endswith(".lora_a")}
    if not ranks:
        raise NotConvertible("It has no LoRA matrices.")
    scales = {module: _scale(config, module, rank) for module, rank in ranks.items()}
    return PeftLayout(
        names=names,
        tensors=turned,
        scale=next(iter(scales.values())),
        scales=scales if len(set(scales.values())) > 1 else {},
        warnings=(*_warnings(config), *map(_copy_warning, copies)),
    )


def _scale(config: Mapping[str, Any], module: str, rank: int) -> float:
    alpha = _pattern(config.get("alpha_pattern"), module)
    if alpha is None:
        alpha = config.get("lora_alpha")
    if isinstance(alpha, bool) or not isinstance(alpha, int | float):
        raise NotConvertible("Its adapter_config.json has no lora_alpha.")
    return alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _pattern(patterns: Any, module: str) -> Any:
    """The value of the first pattern that a module's name ends with, as PEFT matches them."""
    if not isinstance(patterns, Mapping):
        return None
    for pattern, value in patterns.items():
        try:
            if re.fullmatch(rf"(?:.*\.)?(?:{pattern})", module):
                return value
        except re.error:
            continue
    return None


def _copy_warning(module: str) -> str:
    return f"It also holds a copy of the base's own {module}; the base that is loaded has its own."


def _warnings(config: Mapping[str, Any]) -> list[str]:
    start = str(config.get("init_lora_weights") or "").lower()
    if any(start.startswith(name) for name in _CHANGES_THE_BASE):
        return [
            f"It was initialised by {start}, which also changes the base's weights: on the "
            "unchanged base its answers may differ from those in training."
        ]
    return []

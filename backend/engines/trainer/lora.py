"""Make a loaded model trainable as a configuration asks, and say what that covers."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import mlx.core as mx
from mlx import nn
from mlx.utils import tree_flatten
from mlx_lm.tuner.utils import linear_to_lora_layers
from mlx_lm.utils import get_total_parameters

from backend.contract.run.config import Adaptation
from backend.contract.run.events import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What is trained: exact counts from the model itself."""

    trainable: int
    total: int
    modules: int
    matrices: tuple[str, ...]
    layers: int

    def event(self) -> Model:
        return Model(
            trainable_parameters=self.trainable,
            total_parameters=self.total,
            matched_modules=self.modules,
            matrices=self.matrices,
            layers=self.layers,
        )


def attach(model: nn.Module, config: Adaptation) -> Coverage:
    """Freeze the model and attach LoRA or DoRA, or unfreeze blocks, as mlx_lm's own train does.

    Raises ValueError with a sentence when nothing would be trained: the engine would go on with
    0 % and fail inside its first step.
    """
    depth = len(model.layers)
    if config.num_layers > depth:
        raise ValueError(
            f"{config.num_layers} layers were asked for, but the model has only {depth}."
        )
    mx.random.seed(config.seed)  # The same first LoRA matrices as plain mlx_lm.
    model.freeze()
    blocks = model.layers[-max(config.num_layers, 0) :]
    parameters = config.lora_parameters
    if parameters is None:
        for block in blocks:
            block.unfreeze()
    else:
        linear_to_lora_layers(
            model,
            config.num_layers,
            asdict(parameters),
            use_dora=config.fine_tune_type == "dora",
        )
    keys = (parameters.keys if parameters else None) or ()
    coverage = _measure(model, blocks, list(keys))
    if coverage.trainable == 0:
        raise ValueError("Nothing would be trained: no module of the model matches the keys.")
    return coverage


def describe(config: Adaptation, coverage: Coverage, *, depth: int) -> str:
    """The configuration block of the log: what really applies, not what was asked."""
    rows: dict[str, str] = {"method": config.fine_tune_type}
    if config.lora_parameters is not None:
        scale, rank = config.lora_parameters.scale, config.lora_parameters.rank
        alpha = scale if config.lora_alpha is None else config.lora_alpha
        rows |= {
            "rank": str(rank),
            "alpha": f"{alpha:g}",
            "scale": f"{scale:g} (multiplier on the LoRA branch; alpha {scale * rank:g} in PEFT)",
            "dropout": f"{config.lora_parameters.dropout:g}",
        }
    rows |= {
        "layers": f"{coverage.layers} of {depth}",
        "matrices": ", ".join(coverage.matrices),
        "modules": str(coverage.modules),
    }
    title = "Fine-tuning configuration"
    lines = [title, "-" * len(title), *(f"  {name:<9} {value}" for name, value in rows.items())]
    return "\n".join(lines)


def _measure(model: nn.Module, blocks: list[nn.Module], order: list[str]) -> Coverage:
    names: dict[str, None] = {}
    modules = 0
    for block in blocks:
        for name, module in block.named_modules():
            leaf = not module.children() and bool(module.trainable_parameters())
            if leaf or "lora_a" in module:
                names.setdefault(name)
                modules += 1
    return Coverage(
        trainable=sum(value.size for _, value in tree_flatten(model.trainable_parameters())),
        total=get_total_parameters(model),
        modules=modules,
        matrices=tuple(sorted(names, key=lambda name: order.index(name) if name in order else 999)),
        layers=len(blocks),
    )

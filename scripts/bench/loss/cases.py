"""What the bench of the loss trains: one step of LoRA on all linear layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`config` of a random model in float32, or None for the demo model; `share` of the positions
    are learned. `pairs` steps are taken with either loss, in turn.
    """

    name: str
    config: dict[str, Any] | None
    batch: int
    length: int
    share: float
    checkpoint: bool
    pairs: int


_LARGE = {
    "model_type": "qwen2", "hidden_size": 896, "num_hidden_layers": 4, "intermediate_size": 4864,
    "num_attention_heads": 14, "num_key_value_heads": 2, "vocab_size": 152_064,
    "rms_norm_eps": 1e-6, "rope_theta": 1e6, "tie_word_embeddings": True,
}  # fmt: skip

CASES = tuple(
    Case(
        name=name,
        config=config,
        batch=batch,
        length=length,
        share=share,
        checkpoint=checkpoint,
        pairs=pairs,
    )
    for name, config, batch, length, share, pairs in (
        ("Qwen2.5-0.5B's width, 4 layers, vocabulary 152,064", _LARGE, 2, 512, 0.25, 1),
        ("demo model, vocabulary 1,280", None, 4, 96, 0.5, 20),
    )
    for checkpoint in (False, True)
)

"""`python -m scripts.bench.exports.models <folder>`: what the bench of exports works on.

Writes a random bfloat16 model of the shape of Qwen2 0.5B into `<folder>/model` and an adapter of
rank 16 on its seven matrices into `<folder>/adapter`; the last line is the bytes of its weights.
"""

from __future__ import annotations

import sys
from pathlib import Path

import mlx.core as mx

from backend.training.lora.groups import SEVEN
from scripts.bench.inference_models import make_adapter, make_model

_QWEN2_HALF_A_BILLION = {
    "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24,
    "num_attention_heads": 14, "num_key_value_heads": 2, "vocab_size": 151936,
    "max_position_embeddings": 32768, "torch_dtype": "bfloat16",
}  # fmt: skip


def main() -> int:
    folder = Path(sys.argv[1])
    model = make_model(folder / "model", _QWEN2_HALF_A_BILLION, dtype=mx.bfloat16)
    make_adapter(folder / "adapter", model, seed=2, rank=16, keys=list(SEVEN))
    size = sum(path.stat().st_size for path in model.glob("*.safetensors"))
    sys.stdout.write(f"\n{size}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
